//! `compare`: runs side by side.

use eval_report::compare::{Comparison, Side, agent_pairs, compare, render};

use crate::args::{CompareArgs, ReportFormat};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recorded;

pub(crate) fn run(args: &CompareArgs) -> Result<Exit, CliError> {
    let before = recorded::summary(&args.before)?;
    let before_directory = args.before.display().to_string();
    let mut comparisons: Vec<Comparison> = Vec::new();
    for directory in &args.after {
        let after = recorded::summary(directory)?;
        let after_directory = directory.display().to_string();
        let pairs = agent_pairs(&before, &after, args.agent_a.as_deref(), args.agent_b.as_deref());
        let pairs = pairs.map_err(|message| {
            CliError::new(Exit::Usage, message).hint("name them: --agent-a NAME --agent-b NAME")
        })?;
        for (old, new) in pairs {
            comparisons.push(compare(
                Side { summary: &before, agent: &old, directory: &before_directory },
                Side { summary: &after, agent: &new, directory: &after_directory },
            ));
        }
    }
    match args.format {
        ReportFormat::Table => {
            let tables: Vec<String> = comparisons.iter().map(render).collect();
            print(&tables.join("\n\n"))?;
        }
        ReportFormat::Json => print_json(&comparisons)?,
    }
    Ok(Exit::Done)
}

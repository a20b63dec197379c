//! `schema`: the JSON Schema of definition files.

use crate::args::{SchemaArgs, SchemaKind};
use crate::commands::print_json;
use crate::error::CliError;
use crate::exit::Exit;

pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, CliError> {
    print_json(&match args.kind {
        SchemaKind::Benchmark => eval_builder::benchmark_schema(),
        SchemaKind::Scenario => eval_builder::scenario_schema(),
        SchemaKind::Agent => eval_builder::agent_schema(),
        SchemaKind::Scorer => eval_builder::scorer_schema(),
    })?;
    Ok(Exit::Done)
}

//! Verdicts for people.

use std::fmt;

use super::{Decision, Example, Regression, Verdict};
use crate::compare::Change;
use crate::text::one_line;

/// Text for people: a line for each reason, below it what it rests on, then the notes and the decision of each agent. Text from
/// elsewhere is made harmless for terminals.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for agent in &self.agents {
            let name = if self.agents.len() > 1 {
                format!("{}: ", one_line(&agent.agent, 60))
            } else {
                String::new()
            };
            for reason in &agent.reasons {
                let place = reason.place.as_deref().map(|place| format!(" ({place})")).unwrap_or_default();
                writeln!(f, "gate: {name}{}{place}", one_line(&reason.message, 400))?;
                for example in &reason.examples {
                    writeln!(f, "  {example}")?;
                }
            }
            for note in &agent.notes {
                writeln!(f, "gate: {name}{note}")?;
            }
            let decision = match agent.decision {
                Decision::Pass => "passed",
                Decision::Fail => "failed",
                Decision::Undecided => "undecided",
            };
            writeln!(
                f,
                "gate: {name}{decision}{}",
                agent.regression.as_ref().map(in_short).unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

fn in_short(regression: &Regression) -> String {
    let Change { mean_before: Some(before), mean_after: Some(after), .. } = regression.change else {
        return String::new();
    };
    let scenarios = regression.paired;
    format!(" ({before:.3} in the baseline, {after:.3} now, {scenarios} scenarios)")
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", one_line(&self.scenario, 80))?;
        if let Some(repetition) = self.repetition {
            write!(f, " · {repetition}")?;
        }
        write!(f, "  {}", one_line(&self.message, 200))?;
        for place in [&self.place, &self.source].into_iter().flatten() {
            write!(f, "  {}", one_line(place, 400))?;
        }
        match &self.logs {
            Some(logs) => write!(f, "  {logs}"),
            None => Ok(()),
        }
    }
}

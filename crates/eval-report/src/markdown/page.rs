//! The whole summary.

use std::io;

use super::code::{NAME_LIMIT, PATH_LIMIT, code};
use super::gate;
use crate::text::{counted, duration, one_line, percent};
use crate::why::why;
use crate::{Decided, Measures, Summary, Trial, TrialStatus, flags};

/// Bytes of the summary. A comment on GitHub may have 65,536 characters, a step summary 1 MiB.
pub const LIMIT: usize = 60_000;

/// Characters of a message.
const MESSAGE_LIMIT: usize = 240;

/// Agents that have a column of their own in the table of scenarios.
const COLUMNS: usize = 8;

/// Agents that have a row.
const AGENTS: usize = 40;

/// Scenarios that are shown even when every agent passed them.
const SCENARIOS: usize = 30;

/// Bytes for the table of scenarios, so that it leaves room for what went wrong.
const SCENARIOS_LIMIT: usize = 16_000;

/// Bytes for the failed trials, so that they leave room for the invalid ones.
const FAILED_LIMIT: usize = 16_000;

/// Bytes of the list of flagged trials.
const FLAGGED_LIMIT: usize = 5_000;

/// Writes a summary.
///
/// # Errors
///
/// Those of the writer.
pub fn write(summary: &Summary, mut writer: impl io::Write) -> io::Result<()> {
    writer.write_all(render(summary).as_bytes())?;
    writer.flush()
}

/// A summary as text. Ends with a newline.
pub fn render(summary: &Summary) -> String {
    let mut text = format!("### {}\n\n", headline(summary));
    if let Some(verdict) = &summary.gate {
        text += &format!("**{}**\n\n", gate::headline(verdict));
        gate::reasons(verdict, &mut text);
    }
    agents(summary, &mut text);
    scenarios(summary, &mut text);
    let all = |status| summary.trials.iter().filter(move |trial| trial.status == status);
    let failed: Vec<&Trial> = all(TrialStatus::Scored).filter(|trial| trial.passed != Some(true)).collect();
    list("Failed", &failed, FAILED_LIMIT, &mut text);
    let invalid: Vec<&Trial> = all(TrialStatus::Invalid).collect();
    if !invalid.is_empty() {
        let used = text.len();
        list("Invalid", &invalid, LIMIT.saturating_sub(used + 2_000), &mut text);
        text += "An invalid trial is the fault of the infrastructure. It has no score, and the bounds say what the \
                 result could be.\n\n";
    }
    flagged(summary, &mut text);
    text += &footer(summary);
    text
}

/// Trials whose results may not be worth what they say.
fn flagged(summary: &Summary, text: &mut String) {
    let flagged = flags::flagged(summary);
    if flagged.is_empty() {
        return;
    }
    let limit = LIMIT.saturating_sub(1_500).min(text.len() + FLAGGED_LIMIT);
    *text += &format!("**Flagged ({})**\n\n", flagged.len());
    for (index, trial) in flagged.iter().enumerate() {
        let key = &trial.key;
        let first = flags::gravest(trial).map(flags::sentence).unwrap_or_default();
        let line = format!(
            "- {} with {}: {}\n",
            code(&key.scenario, NAME_LIMIT),
            code(&key.agent, NAME_LIMIT),
            code(&first, MESSAGE_LIMIT)
        );
        if text.len() + line.len() > limit {
            *text += &format!("- and {} more, see `results.csv`\n", flagged.len() - index);
            break;
        }
        *text += &line;
    }
    *text += "\nA flag is a sign that an agent saw or changed what decides its verdict. It changes no verdict.\n\n";
}

/// `12 of 16 passed, 1 invalid`, with the benchmark before it.
fn headline(summary: &Summary) -> String {
    let Measures { planned, passed, failed, invalid, canceled, unfinished, .. } = summary.total;
    let mark = match summary.total {
        Measures { planned: 0, .. } => "⚪",
        Measures { invalid, canceled, unfinished, .. } if invalid + canceled + unfinished > 0 => "⚠️",
        Measures { failed: 0, .. } => "✅",
        Measures { .. } => "❌",
    };
    let mut parts = vec![format!("{passed} of {} passed", counted(planned, "trial"))];
    for (count, what) in
        [(failed, "failed"), (invalid, "invalid"), (canceled, "canceled"), (unfinished, "unfinished")]
    {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("{mark} {}: {}", code(&summary.run.benchmark, NAME_LIMIT), parts.join(", "))
}

fn agents(summary: &Summary, text: &mut String) {
    if summary.per_agent.is_empty() {
        return;
    }
    *text += "| agent | mean score | pass rate | passed | failed | no score |\n| --- | --- | --- | --: | --: | --: |\n";
    for row in summary.per_agent.iter().take(AGENTS) {
        let measures = &row.measures;
        *text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            code(&row.agent, NAME_LIMIT),
            mean(measures),
            pass_rate(measures),
            measures.passed,
            measures.failed,
            measures.without_score(),
        );
    }
    text.push('\n');
    for Decided { agent, repetitions, why } in summary.run.decided.iter().take(AGENTS) {
        let (agent, why) = (code(agent, NAME_LIMIT), one_line(why, MESSAGE_LIMIT));
        *text += &format!("{agent} was repeated {}: {why}.\n\n", counted(*repetitions, "time"));
    }
    let more = summary.per_agent.len().saturating_sub(AGENTS);
    if more > 0 {
        *text += &format!("{} more in `results.csv`.\n\n", counted(more, "agent"));
    }
}

fn mean(measures: &Measures) -> String {
    let Some(mean) = measures.mean_score else { return "none".to_owned() };
    let mut text = format!("**{mean:.3}**");
    if let Some(interval) = measures.mean_interval.filter(|interval| !interval.degenerate) {
        text += &format!(" (95 %: {:.3} to {:.3})", interval.low, interval.high);
    }
    if let (1.., Some(bounds)) = (measures.without_score(), measures.mean_bounds) {
        text += &format!(", bounds {:.3} to {:.3}", bounds.low, bounds.high);
    }
    text
}

fn pass_rate(measures: &Measures) -> String {
    let Some(rate) = measures.pass_rate else { return "none".to_owned() };
    let interval = measures
        .pass_rate_interval
        .map(|interval| format!(" (95 %: {} to {})", percent(interval.low), percent(interval.high)));
    percent(rate) + &interval.unwrap_or_default()
}

/// A row for each scenario; of many scenarios only those that some agent did not pass.
fn scenarios(summary: &Summary, text: &mut String) {
    let agents: Vec<&str> = summary.per_agent.iter().map(|row| row.agent.as_str()).collect();
    if agents.is_empty() {
        return;
    }
    if agents.len() > COLUMNS {
        *text += &format!(
            "Scenarios have no table here with {}; see `results.csv`.\n\n",
            counted(agents.len(), "agent")
        );
        return;
    }
    let mut rows: Vec<(&str, Vec<Option<&Measures>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in &summary.per_scenario {
        let place = *places.entry(row.scenario.as_str()).or_insert_with(|| {
            rows.push((&row.scenario, vec![None; agents.len()]));
            rows.len() - 1
        });
        let column = agents.iter().position(|agent| *agent == row.agent);
        if let (Some(column), Some((_, cells))) = (column, rows.get_mut(place)) {
            cells[column] = Some(&row.measures);
        }
    }
    let count = rows.len();
    if count > SCENARIOS {
        rows.retain(|(_, cells)| cells.iter().flatten().any(|measures| measures.passed < measures.planned));
    }
    let passed = count - rows.len();
    let limit = text.len() + SCENARIOS_LIMIT;
    let mut left_out = 0;
    if !rows.is_empty() {
        let names: Vec<String> = agents.iter().map(|agent| code(agent, NAME_LIMIT)).collect();
        *text += &format!("| scenario | {} |\n| --- |{}\n", names.join(" | "), " --- |".repeat(names.len()));
        for (scenario, cells) in rows {
            let cells: Vec<String> =
                cells.into_iter().map(|cell| cell.map(verdict).unwrap_or_default()).collect();
            let row = format!("| {} | {} |\n", code(scenario, NAME_LIMIT), cells.join(" | "));
            if left_out > 0 || text.len() + row.len() > limit {
                left_out += 1;
            } else {
                *text += &row;
            }
        }
        text.push('\n');
    }
    if passed > 0 {
        *text +=
            &format!("Not shown: {} that every agent passed every time.\n\n", counted(passed, "scenario"));
    }
    if left_out > 0 {
        *text += &format!("{} more in `results.csv`.\n\n", counted(left_out, "scenario"));
    }
}

/// `✅ 1.000`, `❌ 0.333 (1/3)`, `⚠️ 1.000 (2/2), 1 without score`.
fn verdict(measures: &Measures) -> String {
    let mark = match measures {
        Measures { scored, planned, .. } if scored < planned => "⚠️",
        Measures { failed: 0, .. } => "✅",
        Measures { .. } => "❌",
    };
    let mut text = mark.to_owned();
    if let Some(mean) = measures.mean_score {
        text += &format!(" {mean:.3}");
        if measures.planned > 1 {
            text += &format!(" ({}/{})", measures.passed, measures.scored);
        }
    }
    match (measures.without_score(), measures.scored) {
        (0, _) => {}
        (_, 0) => text += " no score",
        (missing, _) => text += &format!(", {missing} without score"),
    }
    text
}

/// A line for each trial, within so many bytes.
fn list(heading: &str, trials: &[&Trial], limit: usize, text: &mut String) {
    if trials.is_empty() {
        return;
    }
    let limit = text.len() + limit;
    *text += &format!("**{heading} ({})**\n\n", trials.len());
    for (index, trial) in trials.iter().enumerate() {
        let line = line(trial);
        if text.len() + line.len() > limit {
            *text += &format!("- and {} more, see `results.csv`\n", trials.len() - index);
            break;
        }
        *text += &line;
    }
    text.push('\n');
}

fn line(trial: &Trial) -> String {
    let key = &trial.key;
    let mut line = format!("- {} with {}", code(&key.scenario, NAME_LIMIT), code(&key.agent, NAME_LIMIT));
    if key.repetition > 1 {
        line += &format!(", repetition {}", key.repetition);
    }
    line += &format!(": {}", code(&why(trial), MESSAGE_LIMIT));
    if let Some(message) = trial.message.as_deref().filter(|message| !message.trim().is_empty()) {
        line += &format!(", {}", code(message, MESSAGE_LIMIT));
    }
    if let Some(logs) = &trial.logs {
        line += &format!("; logs: {}", code(logs, PATH_LIMIT));
    }
    line.push('\n');
    line
}

fn footer(summary: &Summary) -> String {
    let run = &summary.run;
    let state = match (run.complete, run.interrupted) {
        (true, _) => "",
        (false, true) => ", interrupted",
        (false, false) => ", incomplete",
    };
    format!(
        "Run {} on {} in {}{state}{}, seed {}, runloop-eval {}.\n",
        code(&run.id, NAME_LIMIT),
        code(&run.target, NAME_LIMIT),
        duration(run.wall_ms),
        run.spending.text().map(|spending| format!(", {spending}")).unwrap_or_default(),
        run.seed,
        code(&run.version, NAME_LIMIT),
    )
}

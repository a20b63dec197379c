//! The table at the end of a run, for people.

use crate::text::{counted, cut, duration, one_line, percent};
use crate::why::why;
use crate::{Bounds, Decided, Measures, Summary, Trial, TrialStatus, flags};

/// Longest message of a trial that is shown; `results.json` has all of it.
const MESSAGE_LIMIT: usize = 300;

/// Longest path of logs that is shown.
const PATH_LIMIT: usize = 400;

/// Failed trials, and invalid ones, that are listed; `results.csv` has all of them.
const LISTED: usize = 20;

/// Least characters of a scenario's name before the columns of agents give way.
const NARROWEST_NAME: usize = 16;

/// How a table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style<'a> {
    /// Characters of a line; what people wrote (messages, paths) may still be longer.
    pub width: usize,
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Where the results are, to be told at the end.
    pub results: Option<&'a str>,
    /// What to type next, to be told last.
    pub next: Option<&'a str>,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { width: 100, colour: false, results: None, next: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Plain,
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

/// A piece of text with a colour; its width is that of the text.
#[derive(Debug, Clone)]
struct Piece(String, Colour);

impl Piece {
    fn plain(text: impl Into<String>) -> Self {
        Self(text.into(), Colour::Plain)
    }

    fn width(&self) -> usize {
        self.0.chars().count()
    }

    fn draw(&self, width: usize, style: Style<'_>) -> String {
        let padding = " ".repeat(width.saturating_sub(self.width()));
        let code = match self.1 {
            _ if !style.colour => "",
            Colour::Plain => "",
            Colour::Bold => "1",
            Colour::Dim => "2",
            Colour::Green => "32",
            Colour::Red => "31",
            Colour::Yellow => "33",
        };
        if code.is_empty() {
            format!("{}{padding}", self.0)
        } else {
            format!("\u{1b}[{code}m{}\u{1b}[0m{padding}", self.0)
        }
    }
}

/// Draws the table: a line a scenario, a line for each trial that failed or has no score, with the reason, and what there
/// is to say of each agent. Ends with a newline.
pub fn render(summary: &Summary, style: Style<'_>) -> String {
    let mut text = String::new();
    scenarios(summary, style, &mut text);
    text.push('\n');
    let failed = |trial: &&Trial| trial.status == TrialStatus::Scored && trial.passed != Some(true);
    reasons("failed", Colour::Red, summary.trials.iter().filter(failed).collect(), style, &mut text);
    let invalid = |trial: &&Trial| trial.status == TrialStatus::Invalid;
    reasons("invalid", Colour::Yellow, summary.trials.iter().filter(invalid).collect(), style, &mut text);
    contaminated(summary, style, &mut text);
    if summary.per_agent.len() > 1 {
        // Nothing over all of them: a mean of different agents says nothing about any.
        for row in &summary.per_agent {
            totals(&one_line(&row.agent, 60), &row.measures, style, &mut text);
            text.push('\n');
        }
    } else {
        totals("", &summary.total, style, &mut text);
    }
    let state = match (summary.run.complete, summary.run.interrupted) {
        (true, _) => "",
        (false, true) => " (interrupted)",
        (false, false) => " (incomplete)",
    };
    for Decided { agent, repetitions, why } in &summary.run.decided {
        let who =
            if summary.per_agent.len() > 1 { format!("{}: ", one_line(agent, 60)) } else { String::new() };
        line(
            "rounds",
            &format!("{who}{}: {}", counted(*repetitions, "repetition"), one_line(why, 200)),
            &mut text,
        );
    }
    line("wall time", &format!("{}{state}", duration(summary.run.wall_ms)), &mut text);
    if let Some(spending) = summary.run.spending.text() {
        line("spent", &spending, &mut text);
    }
    if let Some(results) = style.results {
        line("results", results, &mut text);
    }
    if let Some(next) = style.next {
        line("next", next, &mut text);
    }
    text
}

fn line(label: &str, value: &str, text: &mut String) {
    text.push_str(&format!("{label:<11} {value}\n"));
}

/// One line a scenario with a column an agent; or one line for each scenario and agent where that is too wide.
fn scenarios(summary: &Summary, style: Style<'_>, text: &mut String) {
    if summary.trials.is_empty() {
        text.push_str("no trials\n");
        return;
    }
    let agents: Vec<&str> = summary.per_agent.iter().map(|row| row.agent.as_str()).collect();
    let mut rows: Vec<(&str, Vec<Option<Piece>>)> = Vec::new();
    for row in &summary.per_scenario {
        if !rows.iter().rev().any(|(scenario, _)| *scenario == row.scenario) {
            rows.push((&row.scenario, vec![None; agents.len()]));
        }
        let place = agents.iter().position(|agent| *agent == row.agent);
        let cells = rows.iter_mut().rev().find(|(scenario, _)| *scenario == row.scenario);
        if let (Some(place), Some((_, cells))) = (place, cells) {
            cells[place] = Some(cell(summary, &row.scenario, &row.agent, &row.measures));
        }
    }
    let cell_width = |column: usize| {
        let widest =
            rows.iter().filter_map(|(_, cells)| cells[column].as_ref()).map(Piece::width).max().unwrap_or(0);
        widest.max(one_line(agents[column], 40).chars().count())
    };
    let widths: Vec<usize> = (0..agents.len()).map(cell_width).collect();
    let longest_name =
        rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max("scenario".len());
    let columns: usize = widths.iter().map(|width| width + 2).sum();
    if columns + longest_name.min(NARROWEST_NAME) > style.width && agents.len() > 1 {
        return long_form(summary, style, text);
    }
    let name_width = longest_name.min(style.width.saturating_sub(columns).max(NARROWEST_NAME));
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let heading = |name: &str| Piece(name.to_owned(), Colour::Bold);
    lines.push(
        [heading("scenario")]
            .into_iter()
            .chain(agents.iter().map(|agent| heading(&one_line(agent, 40))))
            .collect(),
    );
    for (name, cells) in rows {
        let name = Piece::plain(one_line(name, name_width));
        lines.push(
            [name]
                .into_iter()
                .chain(cells.into_iter().map(|cell| cell.unwrap_or_else(|| Piece::plain(""))))
                .collect(),
        );
    }
    let widths: Vec<usize> = [name_width].into_iter().chain(widths).collect();
    for line in lines {
        let drawn: Vec<String> =
            line.iter().zip(&widths).map(|(piece, width)| piece.draw(*width, style)).collect();
        text.push_str(drawn.join("  ").trim_end());
        text.push('\n');
    }
}

fn long_form(summary: &Summary, style: Style<'_>, text: &mut String) {
    let mut last = None;
    for row in &summary.per_scenario {
        if last != Some(&row.scenario) {
            text.push_str(&Piece(one_line(&row.scenario, style.width), Colour::Bold).draw(0, style));
            text.push('\n');
            last = Some(&row.scenario);
        }
        let result = cell(summary, &row.scenario, &row.agent, &row.measures).draw(0, style);
        text.push_str(&format!("  {:<24}  {result}\n", cut(&one_line(&row.agent, 60), 24)));
    }
}

/// A scenario's result with an agent: `pass 1.000` for one trial, `0.667 2/3` for more, with what has no score.
fn cell(summary: &Summary, scenario: &str, agent: &str, measures: &Measures) -> Piece {
    if measures.planned == 1 {
        let trial =
            summary.trials.iter().find(|trial| trial.key.scenario == scenario && trial.key.agent == agent);
        return trial.map_or_else(|| Piece::plain(""), single);
    }
    let colour = match measures {
        Measures { scored: 0, .. } => Colour::Yellow,
        Measures { failed: 0, .. } => Colour::Green,
        Measures { passed: 0, .. } => Colour::Red,
        Measures { .. } => Colour::Yellow,
    };
    let mut parts = Vec::new();
    if let Some(mean) = measures.mean_score {
        parts.push(format!("{mean:.3} {}/{}", measures.passed, measures.scored));
    }
    for (count, what) in
        [(measures.invalid, "invalid"), (measures.canceled, "canceled"), (measures.unfinished, "unfinished")]
    {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    Piece(parts.join(" + "), colour)
}

fn single(trial: &Trial) -> Piece {
    match (trial.status, trial.score) {
        (TrialStatus::Scored, Some(score)) if trial.passed == Some(true) => {
            Piece(format!("pass {score:.3}"), Colour::Green)
        }
        (TrialStatus::Scored, Some(score)) => Piece(format!("fail {score:.3}"), Colour::Red),
        (TrialStatus::Unfinished, _) => Piece("unfinished".to_owned(), Colour::Dim),
        (status, _) => Piece(status.as_str().to_owned(), Colour::Yellow),
    }
}

/// Trials whose results may not be worth what they say, whatever their verdicts.
fn contaminated(summary: &Summary, style: Style<'_>, text: &mut String) {
    let flagged = flags::flagged(summary);
    if flagged.is_empty() {
        return;
    }
    text.push_str(&Piece(format!("flagged ({})", flagged.len()), Colour::Yellow).draw(0, style));
    text.push('\n');
    for trial in flagged.iter().take(LISTED) {
        let key = &trial.key;
        let who = format!("{} · {} · {}", key.scenario, key.agent, key.repetition);
        let more = trial.flags.len().saturating_sub(1);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let first = flags::gravest(trial).map(flags::sentence).unwrap_or_default();
        text.push_str(&format!("  {}: {}{more}\n", one_line(&who, 200), one_line(&first, MESSAGE_LIMIT)));
    }
    if flagged.len() > LISTED {
        text.push_str(&format!("  and {} more in results.csv\n", flagged.len() - LISTED));
    }
    text.push('\n');
}

fn totals(heading: &str, measures: &Measures, style: Style<'_>, text: &mut String) {
    if !heading.is_empty() {
        text.push_str(&Piece(heading.to_owned(), Colour::Bold).draw(0, style));
        text.push('\n');
    }
    let mut counts = vec![Piece::plain(format!("planned {}", measures.planned))];
    let mut count = |n: u64, what: &str, colour: Colour, always: bool| {
        if always || n > 0 {
            counts.push(Piece(format!("{what} {n}"), if n > 0 { colour } else { Colour::Plain }));
        }
    };
    count(measures.scored, "scored", Colour::Plain, true);
    count(measures.passed, "passed", Colour::Green, true);
    count(measures.failed, "failed", Colour::Red, true);
    count(measures.invalid, "invalid", Colour::Yellow, true);
    count(measures.canceled, "canceled", Colour::Yellow, false);
    count(measures.unfinished, "unfinished", Colour::Yellow, false);
    let counts: Vec<String> = counts.iter().map(|piece| piece.draw(0, style)).collect();
    line("trials", &counts.join(" · "), text);
    line("mean score", &mean_line(measures), text);
    if let Some(rate) = measures.pass_rate {
        let interval = measures
            .pass_rate_interval
            .map(|interval| {
                format!("  95 % [{}, {}] (Wilson)", percent(interval.low), percent(interval.high))
            })
            .unwrap_or_default();
        line("pass rate", &format!("{}{interval}", percent(rate)), text);
    }
    if let Some(pass) = measures.pass_k.last() {
        let (k, some, all) = (pass.k, percent(pass.at_least_one), percent(pass.all));
        line(
            "in several",
            &format!("at least one of {k} passes {some} (pass@{k}), all of {k} {all} (pass^{k})"),
            text,
        );
    }
    if let (1.., Some(mean), Some(rate)) =
        (measures.without_score(), measures.mean_bounds, measures.pass_rate_bounds)
    {
        let n = measures.without_score();
        let whom = if n == 1 {
            "the trial without a score".to_owned()
        } else {
            format!("the {n} trials without a score")
        };
        let Bounds { low, high } = rate;
        let (low, high) = (percent(low), percent(high));
        let value = format!(
            "mean {:.3} to {:.3}, pass rate {low} to {high}: had {whom} failed or passed",
            mean.low, mean.high
        );
        line("bounds", &value, text);
    }
}

fn mean_line(measures: &Measures) -> String {
    let Some(mean) = measures.mean_score else { return "none: no trial has a score".to_owned() };
    let interval = match measures.mean_interval {
        None => "no interval: it takes two scored scenarios".to_owned(),
        Some(interval) if interval.degenerate => {
            format!("no interval: the {} scenarios score the same; see the pass rate", interval.scenarios)
        }
        Some(interval) => {
            format!(
                "95 % [{:.3}, {:.3}] (bootstrap over {} scenarios)",
                interval.low, interval.high, interval.scenarios
            )
        }
    };
    format!("{mean:.3}  {interval}")
}

/// A line for each of these trials that says why it is one of them, and where its logs are in the directory of the run.
fn reasons(heading: &str, colour: Colour, trials: Vec<&Trial>, style: Style<'_>, text: &mut String) {
    if trials.is_empty() {
        return;
    }
    text.push_str(&Piece(heading.to_owned(), Colour::Bold).draw(0, style));
    text.push('\n');
    for trial in trials.iter().take(LISTED) {
        let key = one_line(&trial.key.to_string(), 200);
        let reason = Piece(why(trial), colour).draw(0, style);
        let message =
            trial.message.as_deref().map(|message| format!(": {}", one_line(message, MESSAGE_LIMIT)));
        let logs = trial.logs.as_deref().map(|logs| format!("  {}", one_line(logs, PATH_LIMIT)));
        let logs = Piece(logs.unwrap_or_default(), Colour::Dim).draw(0, style);
        text.push_str(&format!("  {key}  {reason}{}{logs}\n", message.unwrap_or_default()));
    }
    if trials.len() > LISTED {
        text.push_str(&format!("  and {} more, see results.csv\n", trials.len() - LISTED));
    }
    text.push('\n');
}

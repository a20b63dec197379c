//! Two runs side by side: what got better, what got worse, and what cannot be told.
//!
//! Scenarios are paired by name and digest: one whose definition changed is said to have changed, never compared. One that
//! was only renamed is found by its digest.
//!
//! - The difference is the mean over paired scenarios of mean score after − mean score before, each scenario once, with a
//!   bootstrap interval over scenarios (what other scenarios like these would show) and the p-value of the sign-flip test.
//! - A scenario has `regressed` or `improved` if its own trials say so: a permutation test, corrected after Holm for the
//!   number of scenarios, at 0.05. `unchanged` scores the same. All else is `undecided`: it differs, and chance could do that.
//!   One trial a side never decides; five do for a few scenarios.
//! - A flip is a scenario whose share of passed trials changed, decided or not, with the logs to look at.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::labels::grouped;
use crate::statistics::{
    ALPHA, Interval, MeanInterval, NEAR, Stratum, detectable_drop, holm, mean, paired_bootstrap, permutation,
    sign_flip, trial_variance,
};
use crate::text::one_line;
use crate::trial::shared_digest;
use crate::{Summary, Trial};

/// Version of [`Comparison`] as JSON; see [`crate::FORMAT`].
pub const FORMAT: u32 = 1;

/// One side: an agent in a run.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The run.
    pub summary: &'a Summary,
    /// The agent.
    pub agent: &'a str,
    /// The run directory, as it is to be shown; logs are named below it.
    pub directory: &'a str,
}

/// Two sides, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// [`FORMAT`].
    pub format: u32,
    /// What was.
    pub before: Who,
    /// What is.
    pub after: Who,
    /// Scenarios with a score and the same digest on both sides.
    pub paired: u64,
    /// Mean over the paired scenarios, and what changed.
    #[serde(flatten)]
    pub change: Change,
    /// p-value of the sign-flip test, two-sided; null without pairs.
    pub p: Option<f64>,
    /// The drop of the mean score that trials like these show 4 times of 5; null if they do not vary.
    pub detectable_drop: Option<f64>,
    /// How many scenarios stand how.
    pub counts: BTreeMap<Standing, u64>,
    /// Each scenario, in the order of the run after, then what only the run before has.
    pub scenarios: Vec<ScenarioChange>,
    /// By each label of the scenarios.
    pub groups: Vec<GroupChange>,
    /// Scenarios whose share of passed trials changed, the largest change first.
    pub flips: Vec<Flip>,
}

/// Names a side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Who {
    /// Id of the run.
    pub run: String,
    /// The run directory.
    pub directory: String,
    /// The benchmark.
    pub benchmark: String,
    /// Version of the harness.
    pub version: String,
    /// The agent.
    pub agent: String,
    /// Its version; null if it says none.
    pub agent_version: Option<String>,
    /// Trials of that agent.
    pub planned: u64,
    /// Those with a score.
    pub scored: u64,
}

/// Means of paired scenarios and their difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Mean score before; null without pairs.
    pub mean_before: Option<f64>,
    /// Mean score after.
    pub mean_after: Option<f64>,
    /// After − before.
    pub difference: Option<f64>,
    /// Its 95 % interval; null with fewer than two pairs.
    pub interval: Option<MeanInterval>,
}

/// How a scenario stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Worse, and not by chance.
    Regressed,
    /// Better, and not by chance.
    Improved,
    /// It differs, and chance could do that.
    Undecided,
    /// The same score.
    Unchanged,
    /// One side has no score of it.
    Missing,
    /// Its digests differ, between the sides or within one: other files, another problem, other scorers.
    ChangedDefinition,
}

impl Standing {
    const ALL: [Self; 6] = [
        Self::Regressed,
        Self::Improved,
        Self::Undecided,
        Self::Unchanged,
        Self::Missing,
        Self::ChangedDefinition,
    ];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Undecided => "undecided",
            Self::Unchanged => "unchanged",
            Self::Missing => "missing",
            Self::ChangedDefinition => "changed definition",
        }
    }
}

/// A scenario on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioChange {
    /// Its name after, or before if it is gone.
    pub scenario: String,
    /// Its name before, if it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// What it did before; null if it was not there.
    pub before: Option<Tally>,
    /// What it did after; null if it is gone.
    pub after: Option<Tally>,
    /// Mean score after − before; null unless paired.
    pub difference: Option<f64>,
    /// Its 95 % interval, for other trials of this scenario; see [`crate::statistics::newcombe()`].
    pub interval: Option<Interval>,
    /// p-value of its own trials, corrected for the number of paired scenarios; null unless paired.
    pub p: Option<f64>,
}

/// What a scenario did on one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// Trials.
    pub planned: u64,
    /// Those with a score.
    pub scored: u64,
    /// Those that passed.
    pub passed: u64,
    /// Mean score; null without any.
    pub mean_score: Option<f64>,
    /// Digest of the scenario; empty if its trials have several.
    pub digest: String,
}

/// The paired scenarios that share a label. A label with one value for all of them, or another one for
/// each, groups nothing and is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupChange {
    /// The label.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Paired scenarios.
    pub paired: u64,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// A scenario that passes more often or less often than it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// The scenario.
    pub scenario: String,
    /// Passed and scored trials before.
    pub before: (u64, u64),
    /// Passed and scored trials after.
    pub after: (u64, u64),
    /// Logs of a trial of before that shows it; null if there are none.
    pub logs_before: Option<String>,
    /// Logs of a trial of after that shows it.
    pub logs_after: Option<String>,
}

/// The trials of one scenario on one side.
struct Trials<'a> {
    name: &'a str,
    trials: Vec<&'a Trial>,
}

impl Trials<'_> {
    /// Empty if its trials have several.
    fn digest(&self) -> &str {
        shared_digest(&self.trials).unwrap_or_default()
    }

    fn scores(&self) -> Vec<f64> {
        self.trials.iter().filter_map(|trial| trial.score).collect()
    }

    fn tally(&self) -> Tally {
        let scores = self.scores();
        Tally {
            planned: self.trials.len() as u64,
            scored: scores.len() as u64,
            passed: self.passed(),
            mean_score: mean(&scores),
            digest: self.digest().to_owned(),
        }
    }

    fn passed(&self) -> u64 {
        self.trials.iter().filter(|trial| trial.passed == Some(true)).count() as u64
    }

    fn logs(&self, passed: bool, directory: &str) -> Option<String> {
        let trial = self.trials.iter().find(|trial| trial.passed == Some(passed) && trial.logs.is_some())?;
        Some(format!("{}/{}", directory.trim_end_matches('/'), trial.logs.as_deref()?))
    }
}

fn scenarios<'a>(side: &Side<'a>) -> Vec<Trials<'a>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<Trials<'a>> = Vec::new();
    for trial in side.summary.trials.iter().filter(|trial| trial.key.agent == side.agent) {
        let place = *places.entry(&trial.key.scenario).or_insert_with(|| {
            found.push(Trials { name: &trial.key.scenario, trials: Vec::new() });
            found.len() - 1
        });
        found[place].trials.push(trial);
    }
    found
}

/// A scenario with scores and one digest on both sides.
struct Pair<'a> {
    place: usize,
    stratum: Stratum,
    labels: &'a BTreeMap<String, String>,
}

/// Compares two sides. The same sides give the same comparison.
pub fn compare(before: Side<'_>, after: Side<'_>) -> Comparison {
    let seed = after.summary.run.seed;
    let (old, new) = (scenarios(&before), scenarios(&after));
    let by_name: HashMap<&str, usize> = old.iter().enumerate().map(|(i, trials)| (trials.name, i)).collect();
    let new_names: HashMap<&str, ()> = new.iter().map(|trials| (trials.name, ())).collect();
    let renamed: HashMap<&str, usize> = old
        .iter()
        .enumerate()
        .filter(|(_, trials)| !new_names.contains_key(trials.name) && !trials.digest().is_empty())
        .map(|(i, trials)| (trials.digest(), i))
        .collect();
    let mut used = vec![false; old.len()];
    let mut changes: Vec<ScenarioChange> = Vec::new();
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    let mut flips = Vec::new();
    for trials in &new {
        let twin = by_name.get(trials.name).or_else(|| renamed.get(trials.digest())).copied();
        let twin = twin.filter(|place| !std::mem::replace(&mut used[*place], true)).map(|place| &old[place]);
        let mut change = ScenarioChange {
            scenario: trials.name.to_owned(),
            renamed_from: twin.filter(|old| old.name != trials.name).map(|old| old.name.to_owned()),
            standing: Standing::Missing,
            before: twin.map(Trials::tally),
            after: Some(trials.tally()),
            difference: None,
            interval: None,
            p: None,
        };
        if let Some(old) = twin {
            let stratum = Stratum { before: old.scores(), after: trials.scores() };
            let digest = shared_digest(&trials.trials);
            if digest.is_none() || digest != shared_digest(&old.trials) {
                change.standing = Standing::ChangedDefinition;
            } else if let Some(difference) = stratum.difference() {
                change.difference = Some(difference);
                change.interval = stratum.interval();
                if let Some(trial) = trials.trials.first() {
                    pairs.push(Pair { place: changes.len(), stratum, labels: &trial.metadata });
                }
                flips.extend(flip(old, trials, before.directory, after.directory));
            }
        }
        changes.push(change);
    }
    for (trials, _) in old.iter().zip(&used).filter(|(_, used)| !**used) {
        changes.push(ScenarioChange {
            scenario: trials.name.to_owned(),
            renamed_from: None,
            standing: Standing::Missing,
            before: Some(trials.tally()),
            after: None,
            difference: None,
            interval: None,
            p: None,
        });
    }
    decide(&pairs, &mut changes, seed);
    flips.sort_by(|a: &Flip, b: &Flip| b.size().total_cmp(&a.size()));
    let differences: Vec<f64> = pairs.iter().filter_map(|pair| pair.stratum.difference()).collect();
    let mut counts: BTreeMap<Standing, u64> =
        Standing::ALL.into_iter().map(|standing| (standing, 0)).collect();
    for change in &changes {
        *counts.entry(change.standing).or_default() += 1;
    }
    Comparison {
        format: FORMAT,
        before: who(&before, &old),
        after: who(&after, &new),
        paired: pairs.len() as u64,
        change: Change::of(pairs.iter().map(|pair| &pair.stratum), seed),
        p: (!differences.is_empty()).then(|| sign_flip(&differences, seed)),
        detectable_drop: detectable(pairs.iter().map(|pair| &pair.stratum)),
        counts,
        scenarios: changes,
        groups: groups(&pairs, seed),
        flips,
    }
}

/// The drop that trials like these show 4 times of 5; `None` if they do not vary.
pub(crate) fn detectable<'a>(strata: impl Iterator<Item = &'a Stratum> + Clone) -> Option<f64> {
    let variance =
        trial_variance(strata.clone().flat_map(|stratum| [stratum.before.as_slice(), &stratum.after]))?;
    if variance <= NEAR {
        return None;
    }
    let means: Vec<f64> = strata.clone().filter_map(|stratum| mean(&stratum.before)).collect();
    let trials: Vec<(u64, u64)> =
        strata.map(|stratum| (stratum.before.len() as u64, stratum.after.len() as u64)).collect();
    detectable_drop(mean(&means)?, variance, &trials)
}

fn decide(pairs: &[Pair<'_>], changes: &mut [ScenarioChange], seed: u64) {
    let tested = pairs.iter().map(|pair| permutation(std::slice::from_ref(&pair.stratum), seed).two_sided);
    let adjusted = holm(&tested.collect::<Vec<_>>());
    for (pair, p) in pairs.iter().zip(adjusted) {
        let change = &mut changes[pair.place];
        change.p = Some(p);
        change.standing = match change.difference.unwrap_or_default() {
            difference if difference.abs() <= NEAR => Standing::Unchanged,
            _ if p > ALPHA => Standing::Undecided,
            difference if difference < 0.0 => Standing::Regressed,
            _ => Standing::Improved,
        };
    }
}

impl Change {
    pub(crate) fn of<'a>(strata: impl Iterator<Item = &'a Stratum> + Clone, seed: u64) -> Self {
        let differences: Vec<f64> = strata.clone().filter_map(Stratum::difference).collect();
        let means = |scores: fn(&Stratum) -> &[f64]| {
            mean(&strata.clone().filter_map(|stratum| mean(scores(stratum))).collect::<Vec<_>>())
        };
        Self {
            mean_before: means(|stratum| &stratum.before),
            mean_after: means(|stratum| &stratum.after),
            difference: mean(&differences),
            interval: paired_bootstrap(&differences, seed),
        }
    }
}

impl Flip {
    fn size(&self) -> f64 {
        (rate(self.after) - rate(self.before)).abs()
    }

    /// Whether it passes less often.
    pub fn is_worse(&self) -> bool {
        rate(self.after) < rate(self.before)
    }
}

fn rate((passed, scored): (u64, u64)) -> f64 {
    let (passed, scored) = (passed as f64, scored.max(1) as f64);
    passed / scored
}

fn flip(old: &Trials<'_>, new: &Trials<'_>, before: &str, after: &str) -> Option<Flip> {
    let counts = |trials: &Trials<'_>| (trials.passed(), trials.scores().len() as u64);
    let mut flip = Flip {
        scenario: new.name.to_owned(),
        before: counts(old),
        after: counts(new),
        logs_before: None,
        logs_after: None,
    };
    if flip.size() <= NEAR {
        return None;
    }
    flip.logs_before = old.logs(flip.is_worse(), before);
    flip.logs_after = new.logs(!flip.is_worse(), after);
    Some(flip)
}

fn who(side: &Side<'_>, trials: &[Trials<'_>]) -> Who {
    let all = || trials.iter().flat_map(|scenario| &scenario.trials);
    let run = &side.summary.run;
    Who {
        run: run.id.clone(),
        directory: side.directory.to_owned(),
        benchmark: run.benchmark.clone(),
        version: run.version.clone(),
        agent: side.agent.to_owned(),
        agent_version: run.agent_versions.get(side.agent).cloned(),
        planned: all().count() as u64,
        scored: all().filter(|trial| trial.score.is_some()).count() as u64,
    }
}

fn groups(pairs: &[Pair<'_>], seed: u64) -> Vec<GroupChange> {
    grouped(pairs.iter().map(|pair| (pair.labels, &pair.stratum)))
        .into_iter()
        .map(|(key, value, strata)| GroupChange {
            key: key.to_owned(),
            value: value.to_owned(),
            paired: strata.len() as u64,
            change: Change::of(strata.into_iter(), seed),
        })
        .collect()
}

/// Draws a comparison for people. Ends with a newline.
pub fn render(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (label, who) in [("before", &comparison.before), ("after", &comparison.after)] {
        let _ = writeln!(
            text,
            "{label:<11} {}{}  {}  {} of {} trials scored  (runloop-eval {})",
            one_line(&who.agent, 60),
            who.agent_version
                .as_deref()
                .map(|version| format!(" {}", one_line(version, 40)))
                .unwrap_or_default(),
            who.directory,
            who.scored,
            who.planned,
            one_line(&who.version, 40)
        );
    }
    if comparison.before.benchmark != comparison.after.benchmark {
        let (before, after) = (&comparison.before.benchmark, &comparison.after.benchmark);
        let _ = writeln!(text, "{:<11} {} then {}", "benchmarks", one_line(before, 60), one_line(after, 60));
    }
    let counts: Vec<String> = comparison
        .counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(standing, count)| format!("{} {count}", standing.as_str()))
        .collect();
    let _ = writeln!(text, "{:<11} {}", "scenarios", counts.join(" · "));
    let _ = writeln!(text, "{:<11} {}", "mean score", headline(comparison));
    if let Some(drop) = comparison.detectable_drop {
        let _ = writeln!(
            text,
            "{:<11} a drop of {drop:.3} shows 4 times of 5 with trials like these",
            "resolution"
        );
    }
    for standing in Standing::ALL {
        listed(comparison, standing, &mut text);
    }
    if !comparison.groups.is_empty() {
        text.push_str("\nby label\n");
        for group in &comparison.groups {
            let name = format!("{}={}", one_line(&group.key, 40), one_line(&group.value, 40));
            let _ = writeln!(text, "  {name:<32} {:>4}  {}", group.paired, changed(&group.change));
        }
    }
    if !comparison.flips.is_empty() {
        text.push_str("\nflips\n");
        for flip in &comparison.flips {
            let ((p, n), (q, m)) = (flip.before, flip.after);
            let word = if flip.is_worse() { "worse" } else { "better" };
            let _ = writeln!(text, "  {}  {word}: passed {p}/{n}, now {q}/{m}", one_line(&flip.scenario, 80));
            for logs in [&flip.logs_before, &flip.logs_after].into_iter().flatten() {
                let _ = writeln!(text, "    {logs}");
            }
        }
    }
    text
}

fn headline(comparison: &Comparison) -> String {
    let p = comparison.p.map(|p| format!("  p = {p:.4}")).unwrap_or_default();
    match comparison.paired {
        0 => "nothing to compare: no scenario has a score and the same definition on both sides".to_owned(),
        paired => format!("{}{p}  ({paired} paired)", changed(&comparison.change)),
    }
}

/// `0.900 → 0.700  -0.200  95 % [-0.350, -0.050]`.
fn changed(change: &Change) -> String {
    let (Some(before), Some(after), Some(difference)) =
        (change.mean_before, change.mean_after, change.difference)
    else {
        return "none".to_owned();
    };
    let interval = match change.interval {
        Some(interval) if !interval.degenerate => {
            format!("  95 % [{:+.3}, {:+.3}]", interval.low, interval.high)
        }
        _ => String::new(),
    };
    format!("{before:.3} → {after:.3}  {difference:+.3}{interval}")
}

/// Scenarios that are listed for each standing; JSON has all of them.
const LISTED: usize = 50;

fn listed(comparison: &Comparison, standing: Standing, text: &mut String) {
    // Of those that are as they were, only a new name is news.
    let is_news = |change: &&ScenarioChange| {
        change.standing == standing && (standing != Standing::Unchanged || change.renamed_from.is_some())
    };
    let found: Vec<&ScenarioChange> = comparison.scenarios.iter().filter(is_news).collect();
    if found.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", standing.as_str());
    for change in found.iter().take(LISTED) {
        let name = one_line(&change.scenario, 60);
        let side = |tally: &Option<Tally>| match tally {
            None => "not there".to_owned(),
            Some(Tally { mean_score: None, planned, .. }) => format!("no score of {planned}"),
            Some(Tally { mean_score: Some(mean), scored, passed, .. }) => {
                format!("{mean:.3} {passed}/{scored}")
            }
        };
        let _ = write!(text, "  {name:<32} {} → {}", side(&change.before), side(&change.after));
        if let Some(p) = change.p {
            let _ = write!(text, "  p = {p:.3}");
        }
        if let Some(old) = &change.renamed_from {
            let _ = write!(text, "  (was {})", one_line(old, 60));
        }
        text.push('\n');
    }
    if found.len() > LISTED {
        let _ = writeln!(text, "  and {} more, see --format json", found.len() - LISTED);
    }
}

/// Which agents of two runs belong together.
///
/// Named ones are taken. Without names: a single agent on each side, whatever it is called, or else every agent that both runs have.
///
/// # Errors
///
/// A sentence that says what there is, if a named one is not there or nothing belongs together.
pub fn agent_pairs(
    before: &Summary,
    after: &Summary,
    named_before: Option<&str>,
    named_after: Option<&str>,
) -> Result<Vec<(String, String)>, String> {
    let names = |summary: &Summary| -> Vec<String> {
        summary.per_agent.iter().map(|row| row.agent.clone()).collect()
    };
    let (old, new) = (names(before), names(after));
    for (named, there, which) in [(named_before, &old, "before"), (named_after, &new, "after")] {
        if let Some(name) = named.filter(|name| !there.iter().any(|agent| agent == name)) {
            return Err(format!("the run {which} has no agent {name:?}, it has {}", there.join(", ")));
        }
    }
    let pick = |named: Option<&str>, there: &[String], other: Option<&str>| -> Option<String> {
        let only = || (there.len() == 1).then(|| there[0].clone());
        let same = || there.iter().find(|agent| Some(agent.as_str()) == other).cloned();
        named.map(str::to_owned).or_else(same).or_else(only)
    };
    if named_before.is_some() || named_after.is_some() {
        let pair = pick(named_before, &old, named_after).zip(pick(named_after, &new, named_before));
        return pair.map(|pair| vec![pair]).ok_or_else(|| {
            format!("name an agent of both runs; before: {}; after: {}", old.join(", "), new.join(", "))
        });
    }
    if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
        return Ok(vec![(old.clone(), new.clone())]);
    }
    let both: Vec<_> =
        new.iter().filter(|agent| old.contains(agent)).map(|agent| (agent.clone(), agent.clone())).collect();
    if both.is_empty() {
        let (old, new) = (old.join(", "), new.join(", "));
        return Err(format!("the runs have no agent in common; before: {old}; after: {new}"));
    }
    Ok(both)
}

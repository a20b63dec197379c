//! From a merged mapping and a combination of its matrix to a [`Scenario`].

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::agent::duration;
use crate::diagnostic::Diagnostic;
use crate::digest::{Digest, DigestBuilder, canonical_json};
use crate::environment::{environment, non_empty};
use crate::invitation;
use crate::keys::SCENARIO;
use crate::loader::Loader;
use crate::matrix::Combination;
use crate::model::{Scenario, Scorer, Verify};
use crate::scorer::scorers;
use crate::shape::is_misspelt;
use crate::solution::{controls, reference};
use crate::template::Scope;
use crate::yaml::{Map, Node};

const MINUTE: Duration = Duration::from_secs(60);

/// A scenario with the defaults below it.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The mapping; its place is that of the scenario.
    pub(crate) node: Node,
    /// The scenario's own file; controls beside it belong to it.
    pub(crate) file: Option<Node>,
    /// Where it was read.
    pub(crate) source: PathBuf,
}

impl Merged {
    /// Where to show what the scenario as a whole lacks.
    pub(crate) fn name_node(&self) -> &Node {
        self.node.as_map().and_then(|map| map.get("name")).unwrap_or(&self.node)
    }
}

/// Makes one scenario of a combination. What is wrong goes to the loader, and something harmless takes its place.
pub(crate) fn scenario(loader: &mut Loader<'_>, merged: &Merged, combination: &Combination) -> Scenario {
    let empty = Map::default();
    let map = merged.node.as_map().unwrap_or(&empty);
    let own_name = map.get("name").and_then(Node::as_text).unwrap_or_default();
    let name = format!("{own_name}{}", combination.suffix);
    let required_variables = plain_texts(map, "required_environment_variables");
    let mut scope = scope(loader, &name, map, combination, &required_variables);
    let metadata = loader.text_map(map, "metadata", &scope);
    scope.set("metadata", json!(metadata));

    for (key, what) in
        [("problem_statement", "what the agent is told"), ("scorers", "how the outcome is scored")]
    {
        if map.entry(key).is_none() && !is_misspelt(map, &SCENARIO, &[key]) {
            loader.push(
                Diagnostic::error(&merged.name_node().span, format!("this scenario needs `{key}`"))
                    .help(format!("`{key}` says {what}")),
            );
        }
    }
    let problem_statement = map
        .get("problem_statement")
        .and_then(|node| non_empty(loader, node, "`problem_statement`", &scope))
        .unwrap_or_default();
    let scorer_timeout = map.get("scorer_timeout").and_then(duration).unwrap_or(30 * MINUTE);
    let mut scenario = Scenario {
        problem_statement,
        additional_context: map.get("additional_context").map(Node::to_json),
        environment: environment(loader, map.get("environment"), &scope),
        scorers: map
            .get("scorers")
            .map(|node| scorers(loader, node, &scope, scorer_timeout))
            .unwrap_or_default(),
        reference_output: reference(loader, map, &scope),
        controls: controls(loader, map, merged.file.as_ref(), &scope),
        requires: plain_texts(map, "requires"),
        required_environment_variables: required_variables,
        required_secret_names: loader.texts(map, "required_secret_names", &scope),
        agent_timeout: map.get("agent_timeout").and_then(duration).unwrap_or(30 * MINUTE),
        scorer_timeout,
        prepare_timeout: map.get("prepare_timeout").and_then(duration).unwrap_or(10 * MINUTE),
        trial_timeout: map.get("trial_timeout").and_then(duration),
        verify: verify(map),
        artifacts: artifacts(loader, map, &scope),
        pass_mark: map.get("pass_mark").and_then(Node::as_number).unwrap_or(1.0),
        metadata,
        digest: DigestBuilder::new("scenario").finish(),
        source: merged.source.clone(),
        line: u32::try_from(merged.name_node().span.position().0).unwrap_or(u32::MAX),
        name,
    };
    check_trial_timeout(loader, map, &scenario);
    if loader.options.placeholders {
        invitation::warn(loader, map, &scenario);
    }
    scenario.digest = scenario_digest(&scenario);
    scenario
}

/// An agent must not be able to end its trial without a verdict by being slow.
fn check_trial_timeout(loader: &mut Loader<'_>, map: &Map, scenario: &Scenario) {
    let Some((node, time)) = map.get("trial_timeout").and_then(|node| Some((node, duration(node)?))) else {
        return;
    };
    let least = scenario.working_time(scenario.agent_timeout);
    if time <= least {
        loader.push(
            Diagnostic::error(
                &node.span,
                format!("agent and scorers may take {least:?}, which is not below this"),
            )
            .label("a slow agent would make its trial invalid")
            .help("raise it, or shorten `agent_timeout`, `scorer_timeout` or the scorers' own `timeout`"),
        );
    }
}

/// What templates of a scenario see before its metadata is known.
fn scope(
    loader: &Loader<'_>,
    name: &str,
    map: &Map,
    combination: &Combination,
    required_variables: &[String],
) -> Scope {
    let mut scope = Scope::default();
    scope.set("name", name);
    scope.set("matrix", Json::Object(combination.values.clone()));
    let mut set = JsonMap::new();
    let mut unset = Vec::new();
    for variable in required_variables {
        match loader.options.environment.get(variable) {
            Some(value) => drop(set.insert(variable.clone(), value.as_str().into())),
            None if loader.options.placeholders => {
                set.insert(variable.clone(), format!("<{variable}>").into());
            }
            None => unset.push(variable.clone()),
        }
    }
    scope.set("env", Json::Object(set));
    scope.set_unset(unset);
    scope.set("additional_context", map.get("additional_context").map_or(Json::Null, Node::to_json));
    scope
}

fn plain_texts(map: &Map, key: &str) -> Vec<String> {
    let items = map.get(key).map(Node::as_list).unwrap_or_default();
    items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
}

fn verify(map: &Map) -> Verify {
    match map.get("verify").and_then(Node::as_text) {
        Some("pristine") => Verify::Pristine,
        Some("same") => Verify::Same,
        _ => Verify::Snapshot,
    }
}

fn artifacts(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Vec<String> {
    let items = map.get("artifacts").map(Node::as_list).unwrap_or_default();
    let mut found = Vec::new();
    for item in items {
        let Some(path) = non_empty(loader, item, "an artifact", scope) else { continue };
        if path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..") {
            loader.error(&item.span, format!("`{path}` is not a path below the working directory"));
        }
        found.push(path);
    }
    found
}

impl Scenario {
    /// What an agent with this time, and then the scorers, may take together.
    pub fn working_time(&self, agent_timeout: Duration) -> Duration {
        let of_scorer = |scorer: &Scorer| scorer.timeout.unwrap_or(self.scorer_timeout);
        self.scorers.iter().map(of_scorer).fold(agent_timeout, Duration::saturating_add)
    }

    /// Scores somewhere else than the file says. That may decide the outcome, so the digest changes with it.
    pub fn set_verify(&mut self, verify: Verify) {
        self.verify = verify;
        self.digest = scenario_digest(self);
    }
}

/// All that decides the outcome: not the description, the labels, the reference and the controls.
pub(crate) fn scenario_digest(scenario: &Scenario) -> Digest {
    let Scenario {
        name,
        problem_statement,
        additional_context,
        environment,
        scorers,
        reference_output: _,
        controls: _,
        requires,
        required_environment_variables,
        required_secret_names,
        agent_timeout,
        scorer_timeout,
        prepare_timeout,
        trial_timeout,
        verify,
        artifacts,
        pass_mark,
        metadata: _,
        digest: _,
        source: _,
        line: _,
    } = scenario;
    let millis = |duration: &Duration| duration.as_millis().to_string();
    let scorers: Vec<Json> = scorers
        .iter()
        .map(|scorer| {
            let mut value = json!({
                "name": scorer.name,
                "weight": scorer.weight,
                "function": scorer.function,
                "expect": format!("{:?}", scorer.expect),
                "pass_rate": format!("{:?}", scorer.pass_rate),
                "custom_script": scorer.custom_script.as_ref().map(|script| json!({
                    "language": format!("{:?}", script.language),
                    "text": script.text,
                })),
            });
            // Absent where there is none: the digest of a scenario outlives new keys.
            if let (Some(map), Some(timeout)) = (value.as_object_mut(), &scorer.timeout) {
                map.insert("timeout_ms".to_owned(), millis(timeout).into());
            }
            value
        })
        .collect();
    let mut value = json!({
        "name": name,
        "problem_statement": problem_statement,
        "additional_context": additional_context,
        "environment": environment.digest.as_str(),
        "scorers": scorers,
        "requires": requires,
        "required_environment_variables": required_environment_variables,
        "required_secret_names": required_secret_names,
        "agent_timeout_ms": millis(agent_timeout),
        "scorer_timeout_ms": millis(scorer_timeout),
        "prepare_timeout_ms": millis(prepare_timeout),
        "verify": format!("{verify:?}"),
        "artifacts": artifacts,
        "pass_mark": pass_mark,
    });
    if let (Some(map), Some(time)) = (value.as_object_mut(), trial_timeout) {
        map.insert("trial_timeout_ms".to_owned(), millis(time).into());
    }
    DigestBuilder::new("scenario").field("definition", canonical_json(&value).as_bytes()).finish()
}

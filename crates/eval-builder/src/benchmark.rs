//! Loading a benchmark: its files, their scenarios, its agents; all mistakes at once.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;
use walkdir::WalkDir;

use crate::agent;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::{BENCHMARK, DEFAULTS, SCENARIO};
use crate::loader::{LoadOptions, Loader, local_path};
use crate::matrix::combinations;
use crate::merge::{Used, merge, merged_node, unused};
use crate::model::{AdaptiveTrials, Agent, Benchmark, Budget, Gate, Scenario, Trials};
use crate::scenario::{Merged, scenario};
use crate::shape::{self, Shape};
use crate::source::Span;
use crate::yaml::{Map, Node};

/// Most files and directories that are looked at for a glob.
const MAX_GLOB_ENTRIES: usize = 200_000;
/// How far above a scenario file its benchmark is looked for.
const MAX_LEVELS_ABOVE: usize = 3;

/// A benchmark that can be used, with what is odd about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// Warnings only.
    pub warnings: Diagnostics,
}

/// Loads a benchmark file, or a scenario file as a benchmark of one.
///
/// A scenario on its own is the scenario it is in its benchmark, with the same digest: if a benchmark file in its
/// directory or up to three directories above names it, the defaults of the nearest one are below it.
///
/// # Errors
/// Everything that is wrong with it and the files it names, warnings included.
pub fn load_benchmark(path: &Path, options: &LoadOptions) -> Result<Loaded, Diagnostics> {
    let mut loader = Loader::new(options);
    let benchmark = match loader.read_tree(path, None) {
        Some(node) if is_benchmark(&node) => Some(benchmark(&mut loader, &node, path)),
        Some(node) if is_scenario(&node) => Some(lone_scenario(&mut loader, node, path)),
        Some(node) => {
            let span = node.span.first_line();
            loader.push(
                Diagnostic::error(&span, "this file is neither a benchmark nor a scenario")
                    .help("a benchmark has `scenarios`, a scenario has `problem_statement` and `scorers`"),
            );
            None
        }
        None => None,
    };
    let mut diagnostics = loader.diagnostics;
    diagnostics.sort();
    match benchmark {
        Some(benchmark) if !diagnostics.has_errors() => Ok(Loaded { benchmark, warnings: diagnostics }),
        _ => Err(diagnostics),
    }
}

pub(crate) fn is_benchmark(node: &Node) -> bool {
    let has = |key| node.as_map().is_some_and(|map| map.entry(key).is_some());
    has("scenarios") || has("defaults") || has("agents")
}

pub(crate) fn is_scenario(node: &Node) -> bool {
    let has = |key| node.as_map().is_some_and(|map| map.entry(key).is_some());
    has("problem_statement") || has("scorers")
}

fn lone_scenario(loader: &mut Loader<'_>, node: Node, path: &Path) -> Benchmark {
    shape::check(&node, &Shape::Object(&SCENARIO), SCENARIO.noun, &mut loader.diagnostics);
    let name =
        node.as_map().and_then(|map| map.get("name")).and_then(Node::as_text).unwrap_or_default().to_owned();
    let both = match (enclosing_defaults(loader, path), node.as_map()) {
        (Some(defaults), Some(own)) => merged_node(&node, merge(&defaults, own, &mut Used::default())),
        _ => node.clone(),
    };
    let merged = Merged { file: Some(node), node: both, source: path.to_owned() };
    let scenarios = expand(loader, &[merged]);
    Benchmark {
        name,
        description: None,
        scenarios,
        agents: vec![Arc::new(Agent::oracle())],
        trials: Trials::Fixed(1),
        budget: Budget::default(),
        gate: None,
        source: path.to_owned(),
    }
}

fn benchmark(loader: &mut Loader<'_>, node: &Node, path: &Path) -> Benchmark {
    shape::check(node, &Shape::Object(&BENCHMARK), BENCHMARK.noun, &mut loader.diagnostics);
    let empty = Map::default();
    let map = node.as_map().unwrap_or(&empty);
    let text = |key: &str| map.get(key).and_then(Node::as_text).map(str::to_owned);
    let defaults = map.get("defaults").and_then(Node::as_map).unwrap_or(&empty);
    let merged = merged_scenarios(loader, map, defaults, path);
    let scenarios = expand(loader, &merged);
    let agents = agents(loader, map, &scenarios);
    let gate = map.get("gate").and_then(Node::as_map).map(|map| gate(loader, map, &scenarios));
    Benchmark {
        name: text("name").unwrap_or_default(),
        description: text("description"),
        scenarios,
        agents,
        trials: map.get("trials").map_or(Trials::Fixed(1), |node| trials(loader, node)),
        budget: map.get("budget").and_then(Node::as_map).map(budget).unwrap_or_default(),
        gate,
        source: path.to_owned(),
    }
}

/// The defaults of the nearest benchmark that names a scenario file.
fn enclosing_defaults(loader: &mut Loader<'_>, path: &Path) -> Option<Map> {
    let scenario = path.canonicalize().ok()?;
    let mut directory = path.parent()?.to_owned();
    for _ in 0..=MAX_LEVELS_ABOVE {
        let naming: Vec<Node> = yaml_files(&directory)
            .into_iter()
            .filter(|file| file.canonicalize().is_ok_and(|file| file != scenario))
            .filter_map(|file| names_scenario(loader.options, &file, &scenario))
            .collect();
        if let Some(node) = naming.first() {
            let defaults = node.as_map()?.get("defaults")?;
            if naming.len() > 1 {
                loader.push(
                    Diagnostic::warning(&defaults.span, "several benchmarks name this scenario")
                        .label("these defaults are taken")
                        .help("load the benchmark that you mean"),
                );
            }
            shape::check(defaults, &Shape::Object(&DEFAULTS), "`defaults`", &mut loader.diagnostics);
            return defaults.as_map().cloned();
        }
        // A relative path ends above the directory it starts in.
        directory = match directory.parent() {
            Some(parent) if directory.file_name().is_some() => parent.to_owned(),
            _ => directory.join(".."),
        };
    }
    None
}

/// A benchmark file, if it is one and names a scenario. Other files there are not ours: nothing is said about them.
fn names_scenario(options: &LoadOptions, file: &Path, scenario: &Path) -> Option<Node> {
    let mut quiet = Loader::new(options);
    let node = quiet.read_tree(file, None)?;
    let items = node.as_map()?.get("scenarios")?.as_list();
    let mut files = items.iter().flat_map(|item| scenario_files(&mut quiet, item));
    let names_it = files.any(|file| file.canonicalize().is_ok_and(|file| file == scenario));
    names_it.then_some(node)
}

/// YAML files in a directory, sorted; not many of them, in case it is a directory for anything.
fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(listing) = std::fs::read_dir(shown) else { return Vec::new() };
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let mut files: Vec<PathBuf> = listing
        .filter_map(|entry| Some(directory.join(entry.ok()?.file_name())))
        .filter(is_yaml)
        .take(100)
        .collect();
    files.sort();
    files
}

/// A number whose range was checked.
fn whole(number: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the shape check has its range"
    )]
    let whole = number as u32;
    whole
}

fn trials(loader: &mut Loader<'_>, node: &Node) -> Trials {
    if let Some(count) = node.as_number() {
        return Trials::Fixed(whole(count));
    }
    let defaults = AdaptiveTrials::default();
    let number = |key: &str| node.as_map().and_then(|map| map.get(key)).and_then(Node::as_number);
    let min = number("min").map(whole);
    // What is said alone moves what is not.
    let max = number("max").map_or(defaults.max.max(min.unwrap_or(0)), whole);
    let min = min.unwrap_or(defaults.min.min(max));
    if min > max {
        loader.push(
            Diagnostic::error(&node.span, format!("`min` is {min}, above `max`, which is {max}"))
                .help("leave one of them out, or write `trials: auto` for 3 to 20"),
        );
    }
    Trials::Adaptive(AdaptiveTrials {
        min,
        max,
        half_width: number("half_width").unwrap_or(defaults.half_width),
    })
}

fn budget(map: &Map) -> Budget {
    Budget {
        max_devbox_minutes: map.get("max_devbox_minutes").and_then(Node::as_number),
        max_cost: map.get("max_cost").and_then(Node::as_number),
        timeout: map.get("timeout").and_then(agent::duration),
    }
}

fn gate(loader: &mut Loader<'_>, map: &Map, scenarios: &[Arc<Scenario>]) -> Gate {
    let number = |key: &str| map.get(key).and_then(Node::as_number);
    let mut gate = Gate {
        min_score: number("min_score"),
        min_pass_rate: number("min_pass_rate"),
        floors: BTreeMap::new(),
        max_invalid: number("max_invalid").map(whole),
        max_flagged: number("max_flagged").map(whole),
        max_regression: number("max_regression"),
        baseline: None,
        max_cost: number("max_cost"),
        places: map.0.iter().map(|entry| (entry.key.clone(), entry.key_span.mention())).collect(),
    };
    for entry in map.get("floors").and_then(Node::as_map).map(|map| map.0.as_slice()).unwrap_or_default() {
        if !scenarios.is_empty() && !scenarios.iter().any(|scenario| scenario.name == entry.key) {
            loader.push(
                Diagnostic::error(&entry.key_span, format!("there is no scenario `{}`", entry.key))
                    .help("floors go by the names of scenarios, with their matrix values"),
            );
        }
        gate.places.insert(format!("floors.{}", entry.key), entry.key_span.mention());
        gate.floors.extend(entry.value.as_number().map(|floor| (entry.key.clone(), floor)));
    }
    if let Some(node) = map.get("baseline") {
        gate.baseline = node.as_text().map(|text| local_path(node, text));
        if gate.max_regression.is_none() {
            loader.push(
                Diagnostic::error(&node.span, "a baseline without `max_regression` decides nothing")
                    .help("say how far the mean score may drop: `max_regression: 0.05`"),
            );
        }
    }
    gate
}

/// All scenarios that a benchmark names or holds, each file once, with the defaults below them.
fn merged_scenarios(loader: &mut Loader<'_>, map: &Map, defaults: &Map, path: &Path) -> Vec<Merged> {
    let mut used = Used::default();
    let mut found = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for item in map.get("scenarios").map(Node::as_list).unwrap_or_default() {
        if let Some(own) = item.as_map() {
            let node = merged_node(item, merge(defaults, own, &mut used));
            found.push(Merged { node, file: None, source: path.to_owned() });
            continue;
        }
        for file in scenario_files(loader, item) {
            if seen.contains(&file) {
                continue;
            }
            seen.push(file.clone());
            let Some(node) = loader.read_tree(&file, Some(&item.span)) else { continue };
            if is_benchmark(&node) && !is_scenario(&node) {
                loader.error(
                    &item.span,
                    format!("{} is a benchmark; a benchmark consists of scenarios", file.display()),
                );
                continue;
            }
            shape::check(&node, &Shape::Object(&SCENARIO), SCENARIO.noun, &mut loader.diagnostics);
            let Some(own) = node.as_map() else { continue };
            let merged = merged_node(&node, merge(defaults, own, &mut used));
            found.push(Merged { node: merged, file: Some(node), source: file });
        }
    }
    if !found.is_empty() {
        // An unknown key was reported already.
        let known =
            Map(defaults.0.iter().filter(|entry| DEFAULTS.field(&entry.key).is_some()).cloned().collect());
        for entry in unused(&known, &used) {
            loader.push(
                Diagnostic::warning(&entry.key_span, format!("the default `{}` is never used", entry.key))
                    .label("every scenario has its own")
                    .help("remove it here, or in a scenario that should take it over"),
            );
        }
    }
    found
}

/// One scenario for each combination of each matrix; names must differ.
fn expand(loader: &mut Loader<'_>, merged: &[Merged]) -> Vec<Arc<Scenario>> {
    let mut scenarios = Vec::new();
    let mut names: HashMap<String, Span> = HashMap::new();
    for merged in merged {
        let Some(map) = merged.node.as_map() else { continue };
        for combination in combinations(loader, map) {
            let scenario = scenario(loader, merged, &combination);
            let span = merged.name_node().span.clone();
            if let Some(first) = names.get(&scenario.name) {
                loader.push(
                    Diagnostic::error(&span, format!("two scenarios are called `{}`", scenario.name))
                        .label("used again here")
                        .help(format!("the first one is in {}", first.mention())),
                );
            } else if !scenario.name.is_empty() {
                names.insert(scenario.name.clone(), span);
            }
            scenarios.push(Arc::new(scenario));
        }
    }
    scenarios
}

fn agents(loader: &mut Loader<'_>, map: &Map, scenarios: &[Arc<Scenario>]) -> Vec<Arc<Agent>> {
    let Some(list) = map.get("agents") else { return vec![Arc::new(Agent::oracle())] };
    let mut found: Vec<Arc<Agent>> = Vec::new();
    for node in list.as_list() {
        let Some(located) = agent::agent(loader, node) else { continue };
        let name = &located.agent.name;
        if found.iter().any(|known| known.name == *name) && !name.is_empty() {
            loader.error(&node.span, format!("two agents are called `{name}`"));
        }
        agent::check_for(loader, node, &located, scenarios);
        found.push(located.agent);
    }
    found
}

/// The files that a path or glob names, sorted.
fn scenario_files(loader: &mut Loader<'_>, node: &Node) -> Vec<PathBuf> {
    let Some(pattern) = node.as_text() else { return Vec::new() };
    if !pattern.contains(['*', '?', '[', '{']) {
        let path = local_path(node, pattern);
        return if loader.exists(node, pattern, &path) { vec![path] } else { Vec::new() };
    }
    let (base, rest) = split_glob(pattern);
    let glob = match GlobBuilder::new(rest).literal_separator(true).build() {
        Ok(glob) => glob.compile_matcher(),
        Err(error) => {
            loader.error(&node.span, format!("`{pattern}` is not a valid glob: {}", error.kind()));
            return Vec::new();
        }
    };
    let root = local_path(node, base);
    let walk_root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root.clone() };
    let depth = if rest.contains("**") || rest.contains('{') { usize::MAX } else { rest.split('/').count() };
    let mut found: Vec<PathBuf> = WalkDir::new(&walk_root)
        .follow_links(true)
        .max_depth(depth)
        .into_iter()
        .take(MAX_GLOB_ENTRIES)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| entry.path().strip_prefix(&walk_root).ok().map(Path::to_owned))
        .filter(|relative| glob.is_match(relative))
        .map(|relative| root.join(relative))
        .collect();
    found.sort();
    if found.is_empty() {
        loader.push(
            Diagnostic::error(&node.span, format!("no file matches `{pattern}`"))
                .help("globs are relative to the file they stand in"),
        );
    }
    found
}

/// The directory before the first part with a wildcard, and the rest.
fn split_glob(pattern: &str) -> (&str, &str) {
    let wildcard = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    match pattern[..wildcard].rfind('/') {
        Some(slash) => (&pattern[..=slash], &pattern[slash + 1..]),
        None => ("", pattern),
    }
}

//! Benchmarks for tests, and a run of them.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eval_builder::{
    Agent, AgentKind, DigestBuilder, Environment, Expect, Network, Origin, Scenario, Scorer, Verify,
};
use eval_record::{
    Event, EventKind, EventSink, History, Ledger, ResourceRequest, Then, TrialKey, TrialResult,
};
use runloop_types::{DevboxId, LaunchParameters};

use crate::fake::Fake;
use crate::{Cancellation, Clock, Earlier, Plan, RunOptions, RunOutcome, Trial, run};

pub(crate) fn scenario(name: &str, verify: Verify) -> Scenario {
    Scenario {
        name: name.to_owned(),
        problem_statement: "Make it work.".to_owned(),
        additional_context: None,
        environment: Environment {
            origin: Origin::Default,
            build_context: None,
            working_directory: "repo".to_owned(),
            files: Vec::new(),
            mounts: Vec::new(),
            setup_commands: Vec::new(),
            environment_variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
            launch_parameters: LaunchParameters::default(),
            network: Network::All,
            digest: DigestBuilder::new("environment").finish(),
        },
        scorers: vec![command_scorer("test", "score-it")],
        reference_output: None,
        controls: Vec::new(),
        requires: Vec::new(),
        required_environment_variables: Vec::new(),
        required_secret_names: Vec::new(),
        agent_timeout: Duration::from_secs(100),
        scorer_timeout: Duration::from_secs(50),
        prepare_timeout: Duration::from_secs(300),
        trial_timeout: None,
        verify,
        artifacts: Vec::new(),
        pass_mark: 1.0,
        metadata: BTreeMap::new(),
        digest: DigestBuilder::new("scenario").field("name", name.as_bytes()).finish(),
        source: PathBuf::from("scenario.yaml"),
        line: 1,
    }
}

pub(crate) fn command_scorer(name: &str, command: &str) -> Scorer {
    scorer(name, runloop_types::Scorer::CommandScorer { command: command.to_owned() })
}

pub(crate) fn bash_scorer(name: &str, script: &str) -> Scorer {
    scorer(name, runloop_types::Scorer::BashScriptScorer { bash_script: script.to_owned() })
}

pub(crate) fn scorer(name: &str, function: runloop_types::Scorer) -> Scorer {
    Scorer {
        name: name.to_owned(),
        weight: 1.0,
        function,
        expect: Expect::Present,
        pass_rate: None,
        custom_script: None,
        timeout: None,
    }
}

/// The environment's setup, with a digest that follows it.
pub(crate) fn set_up(mut scenario: Scenario, commands: &[&str]) -> Scenario {
    scenario.environment.setup_commands = commands.iter().map(|command| (*command).to_owned()).collect();
    scenario.environment.digest = commands
        .iter()
        .fold(DigestBuilder::new("environment"), |digest, command| digest.field("setup", command.as_bytes()))
        .finish();
    scenario
}

pub(crate) fn agent(kind: AgentKind) -> Agent {
    Agent {
        name: "agent".to_owned(),
        description: None,
        version: None,
        kind,
        source: None,
        install: Vec::new(),
        environment_variables: BTreeMap::new(),
        secrets: BTreeMap::new(),
        timeout: None,
        usage: None,
        prices: None,
        max_cost: None,
        digest: DigestBuilder::new("agent").finish(),
    }
}

pub(crate) fn working() -> Agent {
    agent(AgentKind::Command("work".to_owned()))
}

pub(crate) fn plan(scenarios: Vec<Scenario>, agent: Agent, repetitions: u32) -> Plan {
    let agent = Arc::new(agent);
    let mut trials = Vec::new();
    for repetition in 1..=repetitions {
        for scenario in &scenarios {
            let key = TrialKey { scenario: scenario.name.clone(), agent: agent.name.clone(), repetition };
            trials.push(Trial { key, scenario: Arc::new(scenario.clone()), agent: Arc::clone(&agent) });
        }
    }
    Plan { benchmark: "bench".to_owned(), source: "bench.yaml".to_owned(), trials, adaptive: None }
}

/// What a prepared environment tells of itself: a tree, and that nothing of what is watched is there.
pub(crate) fn prepared() -> String {
    format!("runloop-eval-before:end\nrunloop-eval:{}\n", "a".repeat(40))
}

/// Keeps what it is told.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) events: Mutex<Vec<EventKind>>,
    pub(crate) files: Mutex<BTreeMap<String, String>>,
    /// Fails after so many events.
    pub(crate) room: Option<usize>,
}

impl EventSink for Memory {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.kind.clone());
    }

    fn file(&self, path: &str, content: Vec<u8>) {
        self.files.lock().unwrap().insert(path.to_owned(), String::from_utf8(content).unwrap());
    }

    fn failure(&self) -> Option<String> {
        let is_full = self.room.is_some_and(|room| self.events.lock().unwrap().len() >= room);
        is_full.then(|| "cannot write events.jsonl: no space left".to_owned())
    }
}

impl Memory {
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        self.events.lock().unwrap().iter().for_each(|event| ledger.take(event));
        ledger
    }

    /// What the record says of the run.
    pub(crate) fn history(&self) -> History {
        let mut history = History::default();
        for kind in self.events.lock().unwrap().iter() {
            history.take(&Event { at_ms: 0, kind: kind.clone() });
        }
        history
    }

    /// What was asked of the target.
    pub(crate) fn requests(&self) -> Vec<ResourceRequest> {
        self.events.lock().unwrap().iter().filter_map(requested).collect()
    }

    pub(crate) fn verdicts(&self) -> Vec<TrialResult> {
        let of_trial = |event: &EventKind| match event {
            EventKind::TrialFinished(result) => Some((**result).clone()),
            _ => None,
        };
        self.events.lock().unwrap().iter().filter_map(of_trial).collect()
    }
}

fn requested(event: &EventKind) -> Option<ResourceRequest> {
    match event {
        EventKind::ResourceRequested(request) => Some(request.clone()),
        _ => None,
    }
}

/// Takes what must be in the record before something happens only when it is told to.
#[derive(Default)]
pub(crate) struct SlowRecord(Mutex<VecDeque<(EventKind, Then)>>);

impl SlowRecord {
    /// Takes the first that waits; answers it if it is a request.
    pub(crate) fn write(&self) -> Option<Option<ResourceRequest>> {
        let (event, then) = self.0.lock().unwrap().pop_front()?;
        then();
        Some(requested(&event))
    }
}

impl EventSink for SlowRecord {
    fn event(&self, _: &Event) {}

    fn event_then(&self, event: &Event, then: Then) {
        self.0.lock().unwrap().push_back((event.kind.clone(), then));
    }
}

/// A run and all there is to ask about it afterwards.
pub(crate) struct Ran {
    pub(crate) fake: Arc<Fake>,
    pub(crate) sink: Arc<Memory>,
    pub(crate) outcome: RunOutcome,
    /// The verdict of each planned trial, in the order of the plan.
    pub(crate) results: Vec<TrialResult>,
}

impl Ran {
    pub(crate) fn leaked_devboxes(&self) -> Vec<DevboxId> {
        let ids = self.outcome.leaked.iter().filter_map(|left| left.id.clone());
        let mut ids: Vec<DevboxId> = ids.map(DevboxId::new).collect();
        ids.sort();
        ids
    }

    /// The only result.
    pub(crate) fn result(&self) -> &TrialResult {
        assert_eq!(self.results.len(), 1);
        &self.results[0]
    }
}

pub(crate) fn options() -> RunOptions {
    RunOptions { concurrency: 2, clock: Clock::new(|| 0), ..RunOptions::new("run-1") }
}

pub(crate) async fn run_with(fake: Fake, plan: Plan, options: RunOptions, cancel: Cancellation) -> Ran {
    let (fake, sink) = (Arc::new(fake), Arc::new(Memory::default()));
    let Earlier { verdicts, announced, .. } = options.earlier.clone().unwrap_or_default();
    let mut planned: Vec<TrialKey> = plan.trials.iter().map(|trial| trial.key.clone()).collect();
    let outcome =
        run(plan, Arc::clone(&fake), options, Arc::clone(&sink) as Arc<dyn EventSink>, cancel).await;
    let history = sink.history();
    planned.extend(announced.into_iter().chain(history.announced));
    let told: BTreeMap<TrialKey, TrialResult> =
        sink.verdicts().into_iter().map(|result| (result.trial.clone(), result)).collect();
    let result = |key: &TrialKey| told.get(key).cloned().unwrap_or_else(|| verdicts[key].result(key));
    let results = planned.iter().map(result).collect();
    Ran { fake, sink, outcome, results }
}

pub(crate) async fn run_plan(fake: Fake, plan: Plan) -> Ran {
    run_with(fake, plan, options(), Cancellation::default()).await
}

/// One trial by an agent that works, in a run as the options say.
pub(crate) async fn run_trial(fake: Fake, options: RunOptions) -> Ran {
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 1);
    run_with(fake, plan, options, Cancellation::default()).await
}

/// One trial of a scenario by an agent that works.
pub(crate) async fn run_one(fake: Fake, scenario: Scenario) -> Ran {
    run_plan(fake, plan(vec![scenario], working(), 1)).await
}

//! One attempt at a trial: prepare, start, let the agent work, reap, score.

use std::sync::Arc;
use std::time::Duration;

use eval_builder::{Scenario, Verify};
use eval_record::{AgentEnd, Capture, Cause, Phase, ScorerScore, without_binary_content};
use eval_scoring::{FunctionOutcome, FunctionSpec, Scored};
use runloop_types::{DevboxCreateParams, Mount, NetworkPolicyId};

use crate::artifacts::{self, Artifacts, Collected, Obstacle};
use crate::command::Ended;
use crate::contamination::{Observation, is_trusted};
use crate::failure::Failure;
use crate::host::{self, HostRun};
use crate::launch::{self, Base, is_content};
use crate::patience::insist;
use crate::plan::Trial;
use crate::platform::Platform;
use crate::prepare::{Preparations, Prepared};
use crate::progress::Progress;
use crate::scope::{Devbox, Scope};
use crate::session::Session;
use crate::usage::priced;
use crate::work::{Job, Work, statement};
use crate::workspace::{DevboxWorkspace, WorkspaceError};

/// Scores this close to the pass mark have reached it.
const ROUNDING: f64 = 1e-9;

/// Bytes of a diff that are recorded.
const RECORDED_DIFF: usize = 4 << 20;

/// A valid outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) score: f64,
    pub(crate) message: Option<String>,
}

impl Verdict {
    /// The agent left nothing that could be scored.
    fn nothing(message: impl Into<String>) -> Self {
        Self { score: 0.0, message: Some(message.into()) }
    }

    pub(crate) fn passes(&self, mark: f64) -> bool {
        self.score >= mark - ROUNDING
    }
}

pub(crate) struct Attempt<P: Platform> {
    pub(crate) scope: Arc<Scope<P>>,
    pub(crate) preparations: Arc<Preparations<P>>,
    pub(crate) progress: Arc<Progress<P>>,
    pub(crate) trial: Trial,
}

/// Where scoring happens, or why it need not.
enum Handover<P: Platform> {
    Ready(Devbox<P>),
    Verdict(Verdict),
}

impl<P: Platform> Attempt<P> {
    pub(crate) async fn run(self) -> Result<Verdict, Failure> {
        let scenario = &self.trial.scenario;
        self.progress.phase(Phase::Preparing);
        let job = Job::of(&self.trial, &self.session().options.home)?;
        let prepared = self.preparations.environment(scenario).await?;
        prepared.check(scenario)?;
        let (base, is_built) = self.preparations.agent_base(scenario, &self.trial.agent, &prepared).await?;
        let policy = self.preparations.policy(scenario).await?;

        self.progress.phase(Phase::Starting);
        let params = self.agent_params(&job, &base, is_built, policy.as_ref());
        let life = launch::agent_life(scenario, self.agent_timeout());
        let agent_box = self.preparations.devbox(&self.scope, "agent", params, life).await?;
        if self.session().options.keep_devboxes {
            agent_box.keep();
        }
        match self.hand_over(&job, agent_box, &prepared, policy.as_ref()).await {
            Ok(Handover::Ready(devbox)) => self.score(&devbox).await,
            Ok(Handover::Verdict(verdict)) => Ok(verdict),
            Err(failure) if failure.exhausted => {
                self.progress.agent_ended(AgentEnd::ExhaustedDevbox);
                Ok(Verdict::nothing(format!("the agent used up its devbox: {}", failure.message)))
            }
            Err(failure) if failure.shut_down && matches!(job.work, Work::Beside(_)) => {
                Ok(Verdict::nothing("the agent shut its devbox down: nothing is left to score"))
            }
            Err(failure) => Err(failure),
        }
    }

    /// From the agent's first command to the devbox in which its work is scored. A devbox that breaks in here at its own
    /// limits was broken by the agent.
    async fn hand_over(
        &self,
        job: &Job,
        agent_box: Devbox<P>,
        prepared: &Prepared,
        policy: Option<&NetworkPolicyId>,
    ) -> Result<Handover<P>, Failure> {
        let scenario = &self.trial.scenario;
        let session = self.session();
        let observation = Observation::of(&self.trial, job, prepared, &session.options.home, &session.masker);
        let observation = observation.as_ref();
        self.progress.flagged(observation.map(Observation::environment).unwrap_or_default());
        self.progress.phase(Phase::Agent);
        self.work(job, &agent_box, observation).await?;
        if session.options.record_diff && scenario.verify != Verify::Pristine && prepared.tree.is_some() {
            // Before the reaping, which ends whatever a git of the agent's may start.
            let collected =
                artifacts::collect(session, &agent_box.id, scenario, prepared.tree.as_deref(), "").await;
            if let Ok(Collected { artifacts, .. }) = collected {
                self.record(&artifacts, observation);
            }
        }

        self.progress.phase(Phase::Reaping);
        session.suspend(&agent_box.id).await?;
        match scenario.verify {
            Verify::Same => {
                session.resume(&agent_box.id).await?;
                if let Err(obstacle) = self.disarm(&agent_box).await {
                    return judged(obstacle);
                }
                self.look(&agent_box, observation).await;
                self.progress.phase(Phase::Scoring);
                Ok(Handover::Ready(agent_box))
            }
            Verify::Snapshot => {
                let snapshot =
                    self.scope.snapshot(&agent_box.id, format!("work-{}", self.trial.key.scenario)).await?;
                drop(agent_box);
                self.progress.phase(Phase::Scoring);
                let params = self.scoring_params(&Base::Snapshot(snapshot), true, policy);
                let devbox = self.scoring_box(params).await?;
                if let Err(obstacle) = self.disarm(&devbox).await {
                    return judged(obstacle);
                }
                self.look(&devbox, observation).await;
                Ok(Handover::Ready(devbox))
            }
            Verify::Pristine => {
                session.resume(&agent_box.id).await?;
                if let Err(obstacle) = self.disarm(&agent_box).await {
                    return judged(obstacle);
                }
                let tree = prepared.tree.as_deref();
                let look = observation.map(Observation::commands).unwrap_or_default();
                let collected = artifacts::collect(session, &agent_box.id, scenario, tree, &look).await;
                drop(agent_box);
                let Collected { artifacts, said } = match collected {
                    Ok(collected) => collected,
                    Err(obstacle) => return judged(obstacle),
                };
                self.progress.flagged(observation.map(|seen| seen.disk(&said)).unwrap_or_default());
                self.record(&artifacts, observation);
                self.progress.phase(Phase::Scoring);
                self.fresh(&artifacts, prepared, policy).await
            }
        }
    }

    /// The prepared environment afresh, with the agent's artifacts and nothing else of it.
    async fn fresh(
        &self,
        artifacts: &Artifacts,
        prepared: &Prepared,
        policy: Option<&NetworkPolicyId>,
    ) -> Result<Handover<P>, Failure> {
        let session = self.session();
        let mut params = self.scoring_params(&prepared.base, prepared.is_built, policy);
        let mount = artifacts.mount(&session.options.home);
        let is_mounted = mount.is_some();
        params.mounts.get_or_insert_default().extend(mount);
        let devbox = self.scoring_box(params).await?;
        let tree = prepared.tree.as_deref();
        match artifacts.apply(session, &devbox.id, &self.trial.scenario, tree, is_mounted).await {
            Ok(()) => Ok(Handover::Ready(devbox)),
            Err(obstacle) => judged(obstacle),
        }
    }

    async fn scoring_box(&self, params: DevboxCreateParams) -> Result<Devbox<P>, Failure> {
        let life = launch::scoring_life(&self.trial.scenario);
        self.preparations.devbox(&self.scope, "scoring", params, life).await
    }

    /// Lets the agent work, to its end or its timeout.
    async fn work(
        &self,
        job: &Job,
        devbox: &Devbox<P>,
        observation: Option<&Observation<'_>>,
    ) -> Result<(), Failure> {
        let Trial { scenario, agent, .. } = &self.trial;
        let session = self.session();
        let limits = &session.options.limits;
        let timeout = self.agent_timeout();
        let ended = match &job.work {
            Work::Nothing => {
                self.progress.agent_ended(AgentEnd::Exited { exit_status: 0 });
                return Ok(());
            }
            Work::Inside(line) => {
                match session.command(&devbox.id, line.clone(), timeout, limits.agent_output).await {
                    Ok(ended) => ended,
                    Err(error) => return Err(session.blame(&devbox.id, "run the agent", &error).await),
                }
            }
            Work::Beside(command) => {
                let Some(access) = &session.options.host else {
                    return Err(Failure::harness(
                        "agents beside the harness need an API address, and there is none",
                    ));
                };
                let mut environment = statement(scenario);
                environment.extend(agent.environment_variables.clone());
                host::run(HostRun {
                    access,
                    command,
                    devbox: &devbox.id,
                    statement: &scenario.problem_statement,
                    environment,
                    timeout,
                    grace: limits.termination,
                    output_limit: limits.agent_output,
                    masker: &session.masker,
                })
                .await?
            }
        };
        let Ended { exit_status, stdout, stderr } = ended;
        self.progress.log("agent.stdout", &stdout);
        self.progress.log("agent.stderr", &stderr);
        if let Some(observation) = observation {
            let (stdout, stderr) = (stdout.text(), stderr.text());
            let texts = [("agent.stdout", &*stdout), ("agent.stderr", &*stderr), ("command", job.told())];
            self.progress.flagged(observation.said(&texts));
        }
        self.progress.agent_ended(match exit_status {
            Some(exit_status) => AgentEnd::Exited { exit_status },
            None => AgentEnd::TimedOut,
        });
        if let Some(file) = &agent.usage {
            let directory = &scenario.environment.working_directory;
            let usage = session.usage(&devbox.id, directory, file).await;
            self.progress.used(match &agent.prices {
                Some(prices) => usage.map(|usage| priced(usage, prices)),
                None => usage,
            });
        }
        Ok(())
    }

    /// Takes the start-up file of login shells from an agent's disk, where one `exit 0` would pass every scorer. Bash reads
    /// only the first of its three files that is there.
    async fn disarm(&self, devbox: &Devbox<P>) -> Result<(), Obstacle> {
        if self.is_ours() {
            return Ok(());
        }
        let session = self.session();
        let emptied = b"# Emptied for scoring.\n".to_vec();
        match insist(|| session.platform.upload(&devbox.id, "~/.bash_profile", emptied.clone())).await {
            Ok(()) => Ok(()),
            Err(error) => Err(artifacts::of_agent(
                session,
                &devbox.id,
                "empty the start-up file that the agent left",
                error,
            )
            .await),
        }
    }

    /// Whether the agent is one that has no reason to cheat: what goes wrong after it is the scenario's fault.
    fn is_ours(&self) -> bool {
        is_trusted(&self.trial.agent.kind)
    }

    async fn score(&self, devbox: &Devbox<P>) -> Result<Verdict, Failure> {
        let scenario = &self.trial.scenario;
        let directory = &scenario.environment.working_directory;
        let is_agents = scenario.verify != Verify::Pristine && !self.is_ours();
        let workspace =
            DevboxWorkspace::new(self.session(), &devbox.id, directory, is_agents, !self.is_ours());
        let scored = match eval_scoring::score(&functions(scenario), &workspace).await {
            Ok(scored) => scored,
            Err(WorkspaceError(Obstacle::Unusable(why))) => {
                return Ok(Verdict::nothing(format!("nothing can be scored: {why}")));
            }
            Err(WorkspaceError(Obstacle::Failure(failure))) => return Err(failure),
        };
        self.progress.scored(self.scores(&scored));
        if let Some(score) = scored.total {
            return Ok(Verdict { score, message: None });
        }
        if let Some(why) = workspace.ruin().await? {
            return Ok(Verdict::nothing(format!("nothing can be scored: {why}")));
        }
        let (cause, message) = match scored.unscored() {
            Some(function) => {
                let cause = match function.outcome {
                    FunctionOutcome::Timeout => Cause::ScorerTimeout,
                    FunctionOutcome::Error | FunctionOutcome::Complete { .. } => Cause::ScorerError,
                };
                let why = function.message.as_deref().unwrap_or("it gave no score");
                (cause, format!("scorer `{}`: {}", function.name, self.session().masker.mask_text(why)))
            }
            None => (Cause::ScorerError, "the scorers gave no score".to_owned()),
        };
        Err(Failure::new(cause, message))
    }

    fn scores(&self, scored: &Scored) -> Vec<ScorerScore> {
        let of_function = |function: &eval_scoring::FunctionScore| ScorerScore {
            name: function.name.clone(),
            weight: function.weight,
            score: function.score(),
            duration_ms: function.duration_ms,
            output: self.progress.scorer_output(&function.name, &function.output),
        };
        scored.functions.iter().map(of_function).collect()
    }

    /// Looks for signs of contamination on the disk that the agent left.
    async fn look(&self, devbox: &Devbox<P>, observation: Option<&Observation<'_>>) {
        if let Some(observation) = observation {
            self.progress.flagged(observation.look(self.session(), &devbox.id).await);
        }
    }

    /// Keeps what the agent changed, for people.
    fn record(&self, artifacts: &Artifacts, observation: Option<&Observation<'_>>) {
        if let Artifacts::Diff(diff) = artifacts {
            if let Some(observation) = observation {
                self.progress.flagged(observation.changed(diff));
            }
            let mut kept = Capture::new(RECORDED_DIFF);
            // What git deflates and writes in base85 cannot be masked, and gives back what it was made of.
            let hides = !self.session().masker.is_empty();
            kept.push(&if hides { without_binary_content(diff) } else { diff.into() });
            self.progress.log("diff.patch", &kept.finish(&self.session().masker));
        }
    }

    fn agent_params(
        &self,
        job: &Job,
        base: &Base,
        is_built: bool,
        policy: Option<&NetworkPolicyId>,
    ) -> DevboxCreateParams {
        let Trial { scenario, agent, .. } = &self.trial;
        let mut params = self.params(base, policy);
        let mounts =
            scenario.environment.mounts.iter().filter(|mount| !is_built || !is_content(mount)).cloned();
        params.mounts = non_empty(mounts.chain(job.mounts.iter().cloned()).collect());
        let mut variables = job.environment.clone();
        variables.extend(params.environment_variables.take().unwrap_or_default());
        variables.extend(agent.environment_variables.clone());
        params.environment_variables = Some(variables).filter(|map| !map.is_empty());
        if !agent.secrets.is_empty() {
            params.secrets.get_or_insert_default().extend(agent.secrets.clone());
        }
        params
    }

    fn scoring_params(
        &self,
        base: &Base,
        is_built: bool,
        policy: Option<&NetworkPolicyId>,
    ) -> DevboxCreateParams {
        let scenario = &self.trial.scenario;
        let mut params = self.params(base, policy);
        let mounts =
            scenario.environment.mounts.iter().filter(|mount| !is_built && is_content(mount)).cloned();
        params.mounts = non_empty(mounts.collect());
        params
    }

    fn params(&self, base: &Base, policy: Option<&NetworkPolicyId>) -> DevboxCreateParams {
        let harness = &self.session().options.environment;
        let mut params = launch::params(&self.trial.scenario, base, policy, harness);
        let key = &self.trial.key;
        params.name = Some(format!("{}-{}-{}", key.scenario, key.agent, key.repetition));
        params
    }

    fn agent_timeout(&self) -> Duration {
        self.trial.agent.timeout.unwrap_or(self.trial.scenario.agent_timeout)
    }

    fn session(&self) -> &Arc<Session<P>> {
        &self.scope.session
    }
}

/// What cannot be judged scores 0; what could not be carried over is nobody's score.
fn judged<P: Platform>(obstacle: Obstacle) -> Result<Handover<P>, Failure> {
    match obstacle {
        Obstacle::Unusable(why) => {
            Ok(Handover::Verdict(Verdict::nothing(format!("artifacts unusable: {why}"))))
        }
        Obstacle::Failure(failure) => Err(failure),
    }
}

fn non_empty(mounts: Vec<Mount>) -> Option<Vec<Mount>> {
    Some(mounts).filter(|mounts| !mounts.is_empty())
}

fn functions(scenario: &Scenario) -> Vec<FunctionSpec> {
    let of_scorer = |scorer: &eval_builder::Scorer| FunctionSpec {
        name: scorer.name.clone(),
        weight: scorer.weight,
        scorer: scorer.function.clone(),
        expect: scorer.expect,
        pass_rate: scorer.pass_rate.clone(),
        custom_script: scorer.custom_script.clone(),
        timeout: scenario.scorer_timeout,
        fails_after: scorer.timeout,
    };
    scenario.scorers.iter().map(of_scorer).collect()
}

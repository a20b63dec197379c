//! Preparation: environments and agent installations, made once and forked often.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eval_builder::{Agent, AgentSource, DigestBuilder, FileEntry, Network, Origin, Scenario, Verify};
use eval_record::{Captured, Cause};
use runloop_types::{
    BlueprintCreateParams, BuildContext, DevboxCreateParams, DevboxId, Mount, NetworkPolicyId, ObjectId,
};
use tokio::time::timeout;

use crate::archive::{PackError, STAGING, pack, pack_context};
use crate::command::Ended;
use crate::contamination::{Before, TOLD, Watch, is_trusted};
use crate::failure::{Failure, chain};
use crate::git::{self, QUIET_GIT};
use crate::launch::{self, Base, is_content};
use crate::network;
use crate::plan::Plan;
use crate::platform::Platform;
use crate::scope::{Devbox, Scope};
use crate::session::Session;
use crate::shares::Shares;
use crate::shell::{enter, quote};
use crate::work::PLACE;

/// Bytes kept of a setup command's output: its end is in the message, and a look at what is prepared has to be whole.
const OUTPUT: usize = TOLD;

/// Metadata key that holds the digest a blueprint was built for.
const DIGEST_KEY: &str = "runloop-eval.digest";

/// What the harness prints before what it wants to know, so that a chatty login shell is not misread.
const MARK: &str = "runloop-eval:";

/// An environment that trials can start from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    pub(crate) base: Base,
    /// Programs that some scenario requires and the devbox does not have.
    missing: BTreeSet<String>,
    /// The git tree of the working directory as prepared, where that is a checkout.
    pub(crate) tree: Option<String>,
    /// Whether the environment's content mounts are on the disk already.
    pub(crate) is_built: bool,
    /// What else it holds, as far as that is watched.
    pub(crate) before: Option<Before>,
    /// Why setup failed, where programs are missing that only some scenarios require.
    broken: Option<Failure>,
}

impl Prepared {
    /// The programs of this scenario that are not there.
    pub(crate) fn check(&self, scenario: &Scenario) -> Result<(), Failure> {
        let missing: Vec<&str> = scenario
            .requires
            .iter()
            .map(String::as_str)
            .filter(|program| self.missing.contains(*program))
            .collect();
        if missing.is_empty() {
            return self.broken.clone().map_or(Ok(()), Err);
        }
        let message = format!("the devbox has no {}", missing.join(", no "));
        Err(Failure::new(Cause::RequirementMissing, message))
    }
}

/// All that one environment must be good for.
#[derive(Debug, Clone)]
struct Recipe {
    /// One of the scenarios that share the environment.
    scenario: Arc<Scenario>,
    requires: BTreeSet<String>,
    pristine: bool,
    timeout: Duration,
    /// What agents may not touch. `None` where none works that might.
    watch: Option<Watch>,
}

impl Recipe {
    /// Whether something changes the disk before trials start, or must be known about it.
    fn builds(&self) -> bool {
        let environment = &self.scenario.environment;
        !environment.files.is_empty() || !environment.setup_commands.is_empty() || self.pristine
    }
}

/// Everything that is prepared in a run, by key.
pub(crate) struct Preparations<P> {
    scope: Arc<Scope<P>>,
    recipes: BTreeMap<String, Recipe>,
    environments: Shares<Arc<Prepared>>,
    layers: Shares<Base>,
    policies: Shares<NetworkPolicyId>,
}

impl<P: Platform> Preparations<P> {
    /// `scope` owns what is made; it ends with the run.
    pub(crate) fn new(scope: &Arc<Scope<P>>, plan: &Plan) -> Arc<Self> {
        let mut recipes: BTreeMap<String, Recipe> = BTreeMap::new();
        let mut watched: BTreeSet<&str> = BTreeSet::new();
        for trial in &plan.trials {
            let scenario = &trial.scenario;
            let recipe = recipes.entry(scenario.environment.digest.to_string()).or_insert_with(|| Recipe {
                scenario: Arc::clone(scenario),
                requires: BTreeSet::new(),
                pristine: false,
                timeout: Duration::ZERO,
                watch: None,
            });
            if !is_trusted(&trial.agent.kind) && watched.insert(scenario.digest.as_str()) {
                recipe.watch.get_or_insert_default().join(Watch::of(scenario));
            }
            recipe.requires.extend(scenario.requires.iter().cloned());
            recipe.pristine |= scenario.verify == Verify::Pristine;
            recipe.timeout = recipe.timeout.max(scenario.prepare_timeout);
        }
        Arc::new(Self {
            scope: Arc::clone(scope),
            recipes,
            environments: Shares::new(),
            layers: Shares::new(),
            policies: Shares::new(),
        })
    }

    /// The policy for a scenario's devboxes.
    pub(crate) async fn policy(&self, scenario: &Scenario) -> Result<Option<NetworkPolicyId>, Failure> {
        network::policy(&self.scope, &self.policies, &scenario.environment.network).await
    }

    /// Makes a devbox. One that is refused with a network policy may be refused because that is gone, which is anyone's to
    /// delete: then the policy is looked for anew, and another attempt may end better.
    pub(crate) async fn devbox(
        &self,
        scope: &Arc<Scope<P>>,
        purpose: &'static str,
        params: DevboxCreateParams,
        life: Duration,
    ) -> Result<Devbox<P>, Failure> {
        let policy = params.launch_parameters.as_ref().and_then(|launch| launch.network_policy_id.clone());
        scope.devbox(purpose, params, life).await.map_err(|failure| {
            let is_refused = !failure.retry && !failure.unauthorized;
            let is_forgotten =
                is_refused && policy.is_some_and(|policy| self.policies.forget(|id| *id == policy));
            Failure { retry: failure.retry || is_forgotten, ..failure }
        })
    }

    /// The environment of a scenario, built if nobody did yet.
    pub(crate) async fn environment(self: &Arc<Self>, scenario: &Scenario) -> Result<Arc<Prepared>, Failure> {
        let key = scenario.environment.digest.as_str();
        let Some(recipe) = self.recipes.get(key).cloned() else {
            return Err(Failure::harness("the environment is not in the plan"));
        };
        if let (Some(base), false, true) =
            (Base::of(&scenario.environment.origin), recipe.builds(), recipe.requires.is_empty())
        {
            return Ok(Arc::new(Prepared {
                base,
                missing: BTreeSet::new(),
                tree: None,
                is_built: false,
                before: None,
                broken: None,
            }));
        }
        let this = Arc::clone(self);
        let build = || async move {
            let limit = recipe.timeout;
            let session = Arc::clone(&this.scope.session);
            limited(&session, limit, "preparing the environment", this.build(recipe)).await.map(Arc::new)
        };
        self.environments.get(&self.scope, key, build).await
    }

    async fn build(self: Arc<Self>, recipe: Recipe) -> Result<Prepared, Failure> {
        let scenario = &recipe.scenario;
        let environment = &scenario.environment;
        let session = &self.scope.session;
        let base = match Base::of(&environment.origin) {
            Some(base) => base,
            None => self.blueprint(&recipe).await?,
        };
        let policy = self.policy(scenario).await?;
        let harness = &session.options.environment;
        let mut params = launch::params(scenario, &base, policy.as_ref(), harness);
        params.name = Some(format!("prepare-{}", environment.digest.short()));
        let mut mounts: Vec<Mount> =
            environment.mounts.iter().filter(|mount| is_content(mount)).cloned().collect();
        if !environment.files.is_empty() {
            let (files, directory) = (environment.files.clone(), environment.working_directory.clone());
            let object_id = self.pack_and_store("files", move || pack(&files, &directory)).await?;
            mounts.push(Mount::ObjectMount { object_id, object_path: session.options.home.clone() });
        }
        params.mounts = Some(mounts).filter(|mounts| !mounts.is_empty());
        let devbox = self.devbox(&self.scope, "prepare", params, recipe.timeout + LEEWAY).await?;

        let mut missing = self.missing(&devbox.id, &recipe, &recipe.requires, true).await?;
        let prepared = self.set_up(&devbox.id, scenario).await;
        if !missing.is_empty() {
            // A setup command may have installed it.
            missing = self.missing(&devbox.id, &recipe, &missing, false).await?;
        }
        match prepared {
            // Without its tools setup fails for a reason that is better told by each scenario's requirements.
            Err(failure) if failure.cause == Cause::PrepareFailed && !missing.is_empty() => {
                return Ok(Prepared {
                    base,
                    missing,
                    tree: None,
                    is_built: false,
                    before: None,
                    broken: Some(failure),
                });
            }
            outcome => outcome?,
        }
        if !recipe.builds() {
            return Ok(Prepared { base, missing, tree: None, is_built: false, before: None, broken: None });
        }
        let (tree, before) = self.tree(&devbox.id, &recipe).await?;
        session.suspend(&devbox.id).await?;
        let snapshot =
            self.scope.snapshot(&devbox.id, format!("environment-{}", environment.digest.short())).await?;
        Ok(Prepared { base: Base::Snapshot(snapshot), missing, tree, is_built: true, before, broken: None })
    }

    /// Packs local files in a thread that may block, and stores them.
    async fn pack_and_store(
        &self,
        what: &str,
        pack: impl FnOnce() -> Result<Vec<u8>, PackError> + Send + 'static,
    ) -> Result<ObjectId, Failure> {
        let packed = tokio::task::spawn_blocking(pack).await;
        let packed = packed.map_err(|error| Failure::harness(error.to_string()))?;
        let packed = packed.map_err(|error| Failure::new(Cause::PrepareFailed, chain(&error)))?;
        self.scope.archive(format!("runloop-eval {what}.tgz"), packed).await
    }

    /// Makes the working directory and looks for programs.
    async fn missing(
        &self,
        devbox: &DevboxId,
        recipe: &Recipe,
        programs: &BTreeSet<String>,
        is_first: bool,
    ) -> Result<BTreeSet<String>, Failure> {
        let mut line = String::new();
        if is_first {
            line.push_str(&format!(
                "if [ -d {STAGING} ]; then cp -a {STAGING}/. / && rm -rf {STAGING} || exit 1; fi\n{}",
                enter(&recipe.scenario.environment.working_directory)
            ));
        }
        for program in programs {
            let word = quote(program);
            line.push_str(&format!(
                "command -v -- {word} >/dev/null 2>&1 || printf '\\n{MARK}%s\\n' {word}\n"
            ));
        }
        line.push_str("exit 0\n");
        let ended = self.step(devbox, line, recipe.timeout).await?;
        if ended.exit_status != Some(0) {
            let message = format!("cannot put the environment's files in place: {}", ended.tail());
            return Err(Failure::new(Cause::PrepareFailed, message));
        }
        Ok(ended
            .stdout
            .exact_text()
            .lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .map(str::to_owned)
            .collect())
    }

    async fn set_up(&self, devbox: &DevboxId, scenario: &Scenario) -> Result<(), Failure> {
        let environment = &scenario.environment;
        for command in &environment.setup_commands {
            let line = format!("{}set -e\n{command}", enter(&environment.working_directory));
            let ended = self.step(devbox, line, scenario.prepare_timeout).await?;
            succeeded("setup command", command, &ended)?;
        }
        Ok(())
    }

    /// The git tree of the working directory, if it is a checkout: all that is tracked or could be. And what of it is
    /// watched.
    async fn tree(
        &self,
        devbox: &DevboxId,
        recipe: &Recipe,
    ) -> Result<(Option<String>, Option<Before>), Failure> {
        let scenario = &recipe.scenario;
        let enter = enter(&scenario.environment.working_directory);
        let mut looks = recipe.watch.as_ref().map(Before::commands).unwrap_or_default();
        let last = looks.pop().unwrap_or_default();
        let mut told = Vec::new();
        for look in looks {
            let look = format!("{enter}{look}");
            match self.scope.session.command(devbox, look, scenario.prepare_timeout, TOLD).await {
                Ok(ended) => told.push(ended.stdout),
                // No reason against the environment.
                Err(error) => {
                    tracing::debug!(%devbox, %error, "cannot look at what is prepared");
                    told.push(Captured::default());
                }
            }
        }
        let line = format!(
            "{enter}{last}command -v git >/dev/null 2>&1 && [ -e .git ] || exit 0\n\
             ask() {{ git -c safe.directory='*' rev-parse \"$@\" 2>/dev/null; }}\n\
             head=$(ask -q --verify 'HEAD^{{tree}}') format=$(ask --show-object-format)\n\
             exclude=$(realpath -- \"$(ask --git-path info/exclude)\")\n\
             {QUIET_GIT}mkdir -p \"$HOME/{PLACE}\"\nrepository \"{store}\" \"$exclude\" \"$format\" || exit 0\n\
             # A linked checkout has its objects elsewhere: all that is there is stored again.\n\
             if [ -d .git/objects ]; then borrow; else head=; fi\n\
             export GIT_INDEX_FILE=\"$HOME/{PLACE}/index\"\n\
             if [ -n \"$head\" ]; then g read-tree \"$head\" || exit 0; fi\n\
             stage && tree=$(g write-tree) && printf '\\n{MARK}%s\\n' \"$tree\"\n\
             rm -f \"$GIT_INDEX_FILE\"\nexit 0\n",
            store = git::store(),
        );
        let ended = self.step(devbox, line, scenario.prepare_timeout).await?;
        let said = ended.stdout.exact_text();
        let tree = said.lines().rev().find_map(|line| line.strip_prefix(MARK).map(str::to_owned));
        let tree = tree.filter(|tree| tree.len() >= 40 && tree.bytes().all(|byte| byte.is_ascii_hexdigit()));
        told.push(ended.stdout);
        let before = recipe.watch.as_ref().and_then(|_| Before::read(&told));
        if recipe.watch.is_some() && before.is_none() {
            tracing::warn!("what is prepared is not all known: signs of contamination on the disk are not");
        }
        Ok((tree, before))
    }

    /// The blueprint of an environment: one that was built for the same digest, or a new one.
    async fn blueprint(&self, recipe: &Recipe) -> Result<Base, Failure> {
        let Origin::Blueprint(params) = &recipe.scenario.environment.origin else {
            return Err(Failure::harness("the environment has no blueprint to build"));
        };
        let context = recipe.scenario.environment.build_context.as_ref();
        let digest = blueprint_digest(params, context);
        let platform = &self.scope.session.platform;
        let found = platform.find_blueprint(&params.name, DIGEST_KEY, &digest).await;
        if let Some(id) =
            found.map_err(|error| Failure::call(Cause::ApiError, "look for the blueprint", &error))?
        {
            return Ok(Base::Blueprint(id));
        }
        let mut params = (**params).clone();
        params.metadata.get_or_insert_default().insert(DIGEST_KEY.to_owned(), digest);
        if let Some(context) = context.cloned() {
            let object_id = self.pack_and_store("build context", move || pack_context(&context)).await?;
            params.build_context = Some(BuildContext { r#type: "object".to_owned(), object_id });
        }
        Ok(Base::Blueprint(self.scope.blueprint(params, recipe.timeout).await?))
    }

    /// What an agent's devbox starts from: the environment, with the agent installed on top if it has anything to
    /// install. Installing has the whole network, because it is the harness that installs; the agent at work has what the
    /// scenario gives it.
    pub(crate) async fn agent_base(
        self: &Arc<Self>,
        scenario: &Arc<Scenario>,
        agent: &Arc<Agent>,
        prepared: &Arc<Prepared>,
    ) -> Result<(Base, bool), Failure> {
        let is_object = matches!(agent.source, Some(AgentSource { object: Some(_), .. }));
        if agent.install.is_empty() && !is_object {
            return Ok((prepared.base.clone(), prepared.is_built));
        }
        let key = format!("{}+{}", scenario.environment.digest, agent.digest);
        let (this, scenario, agent, prepared) =
            (Arc::clone(self), Arc::clone(scenario), Arc::clone(agent), Arc::clone(prepared));
        let limit = scenario.prepare_timeout;
        let install = || async move {
            let session = Arc::clone(&this.scope.session);
            let work = this.install(&scenario, &agent, &prepared);
            limited(&session, limit, "installing the agent", work).await
        };
        Ok((self.layers.get(&self.scope, &key, install).await?, true))
    }

    async fn install(
        &self,
        scenario: &Scenario,
        agent: &Agent,
        prepared: &Prepared,
    ) -> Result<Base, Failure> {
        let policy = network::policy(&self.scope, &self.policies, &Network::All).await?;
        let harness = &self.scope.session.options.environment;
        let mut params = launch::params(scenario, &prepared.base, policy.as_ref(), harness);
        params.name = Some(format!("install-{}", agent.name));
        let variables = params.environment_variables.get_or_insert_default();
        variables.extend(agent.environment_variables.clone());
        params.secrets.get_or_insert_default().extend(agent.secrets.clone());
        if !prepared.is_built {
            let mounts =
                scenario.environment.mounts.iter().filter(|mount| is_content(mount)).cloned().collect();
            params.mounts = Some(mounts);
        }
        if let Some(AgentSource { object: Some(object), .. }) = &agent.source {
            params.mounts.get_or_insert_default().push(Mount::ObjectMount {
                object_id: object.object_id.clone(),
                object_path: format!("{}/.agent", self.scope.session.options.home),
            });
        }
        let devbox = self.devbox(&self.scope, "install", params, scenario.prepare_timeout + LEEWAY).await?;
        for command in &agent.install {
            let ended = self.step(&devbox.id, format!("set -e\n{command}"), scenario.prepare_timeout).await?;
            succeeded("install command", command, &ended)?;
        }
        self.scope.session.suspend(&devbox.id).await?;
        let snapshot = self.scope.snapshot(&devbox.id, format!("agent-{}", agent.name)).await?;
        Ok(Base::Snapshot(snapshot))
    }

    async fn step(&self, devbox: &DevboxId, line: String, timeout: Duration) -> Result<Ended, Failure> {
        let session: &Session<P> = &self.scope.session;
        match session.command(devbox, line, timeout, OUTPUT).await {
            Ok(ended) => Ok(ended),
            Err(error) => Err(session.blame(devbox, "prepare", &error).await),
        }
    }
}

/// Life of a preparing devbox beyond its timeout.
const LEEWAY: Duration = Duration::from_secs(600);

async fn limited<T, P: Platform>(
    session: &Session<P>,
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let pressure = &session.options.pressure;
    let outages = pressure.outages();
    if let Ok(outcome) = timeout(limit, work).await {
        return outcome;
    }
    pressure.settled().await;
    if pressure.outages() > outages {
        // Of no use to anyone, but no reason against another try.
        return Err(Failure::new(Cause::ApiError, format!("the target was down while {what}")));
    }
    let message =
        format!("{what} took longer than {} s: raise `prepare_timeout` if that is right", limit.as_secs());
    Err(Failure::new(Cause::PrepareFailed, message))
}

fn succeeded(what: &str, command: &str, ended: &Ended) -> Result<(), Failure> {
    let how = match ended.exit_status {
        Some(0) => return Ok(()),
        Some(status) => format!("exited with {status}"),
        None => "ran out of time".to_owned(),
    };
    Err(Failure::new(Cause::PrepareFailed, format!("{what} `{command}` {how}: {}", ended.tail())))
}

/// What a blueprint is built from, without its labels.
fn blueprint_digest(params: &BlueprintCreateParams, context: Option<&FileEntry>) -> String {
    let params = BlueprintCreateParams { metadata: None, ..params.clone() };
    let json = serde_json::to_vec(&params).unwrap_or_default();
    let context = context.map(|context| context.digest.as_str()).unwrap_or_default();
    let digest = DigestBuilder::new("blueprint").field("params", &json).field("context", context.as_bytes());
    digest.finish().to_string()
}

//! How the devboxes of an environment are launched.

use std::collections::BTreeMap;
use std::time::Duration;

use eval_builder::{Origin, Scenario};
use runloop_types::{BlueprintId, DevboxCreateParams, Mount, NetworkPolicyId, SnapshotId};

/// The longest keep-alive time the API takes.
const LONGEST_LIFE: i64 = 172_800;

/// What a devbox starts from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Base {
    Default,
    BlueprintName(String),
    Blueprint(BlueprintId),
    Snapshot(SnapshotId),
}

impl Base {
    /// The origin itself; `None` for a blueprint that must be built first.
    pub(crate) fn of(origin: &Origin) -> Option<Self> {
        match origin {
            Origin::Default => Some(Self::Default),
            Origin::BlueprintName(name) => Some(Self::BlueprintName(name.clone())),
            Origin::BlueprintId(id) => Some(Self::Blueprint(id.clone())),
            Origin::Snapshot(id) => Some(Self::Snapshot(id.clone())),
            Origin::Blueprint(_) => None,
        }
    }
}

/// A devbox of a scenario's environment.
pub(crate) fn params(
    scenario: &Scenario,
    base: &Base,
    policy: Option<&NetworkPolicyId>,
    harness: &BTreeMap<String, String>,
    life: Duration,
) -> DevboxCreateParams {
    let environment = &scenario.environment;
    let mut variables: BTreeMap<String, String> = scenario
        .required_environment_variables
        .iter()
        .filter_map(|name| Some((name.clone(), harness.get(name)?.clone())))
        .collect();
    variables.extend(environment.environment_variables.clone());
    let mut launch = environment.launch_parameters.clone();
    if let Some(policy) = policy {
        launch.network_policy_id = Some(policy.clone());
    }
    if launch.keep_alive_time_seconds.is_none() && launch.after_idle.is_none() && launch.lifecycle.is_none() {
        // The dead man's switch: if everything of ours dies, the devbox ends soon after it could be of use.
        let seconds = i64::try_from(life.as_secs()).unwrap_or(LONGEST_LIFE);
        launch.keep_alive_time_seconds = Some(seconds.clamp(60, LONGEST_LIFE));
    }
    let mut params = DevboxCreateParams {
        environment_variables: Some(variables).filter(|map| !map.is_empty()),
        secrets: Some(environment.secrets.clone()).filter(|map| !map.is_empty()),
        launch_parameters: Some(launch),
        ..DevboxCreateParams::default()
    };
    match base {
        Base::Default => {}
        Base::BlueprintName(name) => params.blueprint_name = Some(name.clone()),
        Base::Blueprint(id) => params.blueprint_id = Some(id.clone()),
        Base::Snapshot(id) => params.snapshot_id = Some(id.clone()),
    }
    params
}

/// Whether a mount puts content on the disk, which a snapshot then has. The others tie processes to the API and belong to
/// the agent's devbox.
pub(crate) fn is_content(mount: &Mount) -> bool {
    !matches!(mount, Mount::BrokerMount(_) | Mount::AgentMount(_))
}

/// How long an agent's devbox may be needed.
pub(crate) fn agent_life(scenario: &Scenario, agent_timeout: Duration) -> Duration {
    scoring_life(scenario).saturating_add(agent_timeout)
}

/// How long a scoring devbox may be needed.
pub(crate) fn scoring_life(scenario: &Scenario) -> Duration {
    let scorers = u32::try_from(scenario.scorers.len()).unwrap_or(u32::MAX);
    scenario.scorer_timeout.saturating_mul(scorers).saturating_add(Duration::from_secs(900))
}

//! How the devboxes of an environment are launched.

use std::collections::BTreeMap;
use std::time::Duration;

use eval_builder::{Origin, Scenario};
use runloop_types::{BlueprintId, DevboxCreateParams, LaunchParameters, Mount, NetworkPolicyId, SnapshotId};

/// The longest keep-alive time the API takes, in seconds.
const LONGEST_LIFE: i64 = 172_800;

/// A shorter one, in seconds, would be at the mercy of a slow start.
const SHORTEST_LIFE: i64 = 60;

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

/// Lets a devbox end soon after everything of ours died: it lives for `patience` unless its time is renewed, or for `life` if
/// that is shorter. Whether its time must be renewed. What the scenario says about it stands.
pub(crate) fn dead_mans_switch(launch: &mut LaunchParameters, life: Duration, patience: Duration) -> bool {
    if launch.keep_alive_time_seconds.is_some() || launch.after_idle.is_some() || launch.lifecycle.is_some() {
        return false;
    }
    let seconds = i64::try_from(life.min(patience).as_secs()).unwrap_or(LONGEST_LIFE);
    launch.keep_alive_time_seconds = Some(seconds.clamp(SHORTEST_LIFE, LONGEST_LIFE));
    life > patience
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

#[cfg(test)]
mod tests {
    use runloop_types::AfterIdle;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(600);

    fn switched(mut launch: LaunchParameters, life: u64) -> (Option<i64>, bool) {
        let is_renewed = dead_mans_switch(&mut launch, Duration::from_secs(life), PATIENCE);
        (launch.keep_alive_time_seconds, is_renewed)
    }

    #[test]
    fn only_a_devbox_that_lives_longer_than_our_patience_is_renewed() {
        assert_eq!(switched(LaunchParameters::default(), 5), (Some(60), false));
        assert_eq!(switched(LaunchParameters::default(), 600), (Some(600), false));
        assert_eq!(switched(LaunchParameters::default(), 601), (Some(600), true));
    }

    #[test]
    fn what_the_scenario_says_about_its_devboxes_stands() {
        let own = LaunchParameters { keep_alive_time_seconds: Some(7), ..LaunchParameters::default() };
        assert_eq!(switched(own, 10_000), (Some(7), false));
        let idle = LaunchParameters { after_idle: Some(AfterIdle::default()), ..LaunchParameters::default() };
        assert_eq!(switched(idle, 10_000), (None, false));
    }
}

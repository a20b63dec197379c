//! What runs left at a target, found by its labels.

use std::fmt;

use eval_record::ResourceKind;
use runloop_types::Metadata;
use serde::Serialize;

use crate::network::{self, POLICY_PREFIX};
use crate::platform::{Platform, PlatformError};
use crate::{labels, reap};

/// Something that a run made and that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id at the target.
    pub id: String,
    /// The run that made it; `None` of a network policy, which has no labels.
    pub run: Option<String>,
    /// The key of the request for it, as in the run's ledger.
    pub key: Option<String>,
    /// What for, such as `agent`; of a network policy its name.
    pub purpose: Option<String>,
    /// The scenario, if it was made for a trial.
    pub scenario: Option<String>,
}

impl Leftover {
    fn labelled(kind: ResourceKind, id: String, mut labels: Metadata) -> Self {
        Self {
            kind,
            id,
            run: labels.remove(labels::RUN),
            key: labels.remove(labels::KEY),
            purpose: labels.remove(labels::PURPOSE),
            scenario: labels.remove(labels::SCENARIO),
        }
    }

    /// Ends it. If it is gone meanwhile, that is no error.
    ///
    /// # Errors
    /// If the target refuses or cannot be reached.
    pub async fn end<P: Platform>(&self, platform: &P) -> Result<(), PlatformError> {
        reap::end(platform, self.kind, &self.id).await
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)?;
        let about = [self.purpose.as_deref(), self.scenario.as_deref()];
        let about: Vec<&str> = about.into_iter().flatten().collect();
        if about.is_empty() { Ok(()) } else { write!(f, " ({})", about.join(" of ")) }
    }
}

/// What lives of one run, or of every run there ever was; in the order in which it can be ended. Network policies are shared
/// by all runs and are found only when all are looked for.
///
/// # Errors
/// If the target refuses or cannot be reached.
pub async fn leftovers<P: Platform>(platform: &P, run: Option<&str>) -> Result<Vec<Leftover>, PlatformError> {
    let mut found = Vec::new();
    for kind in ResourceKind::ALL {
        found.extend(of_kind(platform, kind, run).await?);
    }
    if run.is_none() {
        let policies = platform.network_policies(POLICY_PREFIX).await?;
        let ours = policies.into_iter().filter(network::is_ours);
        found.extend(ours.map(|policy| Leftover {
            kind: ResourceKind::NetworkPolicy,
            id: policy.id.to_string(),
            run: None,
            key: None,
            purpose: Some(policy.name),
            scenario: None,
        }));
    }
    Ok(found)
}

/// What lives of one kind.
pub(crate) async fn of_kind<P: Platform>(
    platform: &P,
    kind: ResourceKind,
    run: Option<&str>,
) -> Result<Vec<Leftover>, PlatformError> {
    let found = platform.labelled(kind, labels::RUN, run).await?;
    Ok(found.into_iter().map(|one| Leftover::labelled(kind, one.id, one.labels)).collect())
}

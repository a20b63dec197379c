//! Network policies: found or made once per run.

use std::collections::BTreeSet;
use std::sync::Arc;

use eval_builder::{DigestBuilder, Network};
use eval_record::Cause;
use runloop_types::{Egress, NetworkPolicyId, NetworkPolicyParams, NetworkPolicyView};

use crate::failure::Failure;
use crate::platform::Platform;
use crate::scope::Scope;
use crate::shares::Shares;

/// What the names of all policies begin with that runs make.
pub(crate) const POLICY_PREFIX: &str = "runloop-eval-";

/// The policy that allows nothing.
const NONE: &str = "runloop-eval-none";

/// What policies that runs make say of themselves.
const DESCRIPTION: &str = "Made by runloop-eval; safe to delete when no run is under way.";

/// Whether runs made a policy, as its name and its description say. Names of people's may begin the same.
pub(crate) fn is_ours(policy: &NetworkPolicyView) -> bool {
    let is_digest = |name: &str| name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = policy.name == NONE || policy.name.strip_prefix(POLICY_PREFIX).is_some_and(is_digest);
    is_name && policy.description.as_deref() == Some(DESCRIPTION)
}

/// The policy that an environment's devboxes get; `None` where everything is allowed.
pub(crate) async fn policy<P: Platform>(
    scope: &Arc<Scope<P>>,
    policies: &Shares<NetworkPolicyId>,
    network: &Network,
) -> Result<Option<NetworkPolicyId>, Failure> {
    let hostnames: BTreeSet<&str> = match network {
        Network::All => return Ok(None),
        Network::None => BTreeSet::new(),
        Network::AllowedHostnames(names) => names.iter().map(String::as_str).collect(),
    };
    let hostnames: Vec<String> = hostnames.into_iter().map(str::to_owned).collect();
    let name = if hostnames.is_empty() {
        NONE.to_owned()
    } else {
        let digest =
            hostnames.iter().fold(DigestBuilder::new("network"), |d, name| d.field("name", name.as_bytes()));
        format!("{POLICY_PREFIX}{}", digest.finish().short())
    };
    let find_or_make = {
        let (scope, name) = (Arc::clone(scope), name.clone());
        async move {
            let failed = |error| Failure::call(Cause::ProvisionFailed, "set up the network policy", &error);
            let found = scope.session.platform.network_policies(&name).await.map_err(failed)?;
            // Policies are anyone's to change: one that does not say what its name says is not used.
            if let Some(policy) =
                found.into_iter().find(|policy| policy.name == name && says(&policy.egress, &hostnames))
            {
                return Ok(policy.id);
            }
            let params = NetworkPolicyParams {
                name: Some(name),
                description: Some(DESCRIPTION.to_owned()),
                allow_all: Some(false),
                allow_devbox_to_devbox: Some(false),
                allowed_hostnames: Some(hostnames),
                ..NetworkPolicyParams::default()
            };
            scope.network_policy(params).await
        }
    };
    policies.get(scope, &name, || find_or_make).await.map(Some)
}

/// Whether a policy allows these host names and nothing else.
fn says(egress: &Egress, hostnames: &[String]) -> bool {
    let mut allowed = egress.allowed_hostnames.clone();
    allowed.sort();
    allowed.dedup();
    !egress.allow_all
        && !egress.allow_devbox_to_devbox
        && !egress.allow_agent_gateway
        && !egress.allow_mcp_gateway
        && !egress.allow_runloop_mirrors
        && egress.allowed_cidrs.is_empty()
        && allowed == hostnames
}

#[cfg(test)]
mod tests {
    use runloop_types::AllowedCidr;

    use super::*;

    #[test]
    fn a_persons_policy_is_not_taken_for_one_of_a_run() {
        let policy = |name: &str, description: Option<&str>| NetworkPolicyView {
            name: name.to_owned(),
            description: description.map(str::to_owned),
            ..NetworkPolicyView::default()
        };
        for name in ["runloop-eval-none", "runloop-eval-0123456789ab"] {
            assert!(is_ours(&policy(name, Some(DESCRIPTION))));
            assert!(!is_ours(&policy(name, None)) && !is_ours(&policy(name, Some("ours"))));
        }
        for name in ["runloop-eval-", "runloop-eval-ci", "runloop-eval-0123456789abc", "none"] {
            assert!(!is_ours(&policy(name, Some(DESCRIPTION))), "{name}");
        }
    }

    #[test]
    fn a_policy_that_was_opened_since_is_not_used() {
        assert!(says(&Egress::default(), &[]));
        assert!(!says(&Egress { allow_all: true, ..Egress::default() }, &[]));
        assert!(!says(&Egress { allowed_hostnames: vec!["a.example".into()], ..Egress::default() }, &[]));
        assert!(!says(
            &Egress {
                allowed_cidrs: vec![AllowedCidr { cidr: "0.0.0.0/0".to_owned(), ports: None }],
                ..Egress::default()
            },
            &[]
        ));
    }
}

//! What of a network policy this server can hold.

use runloop_sandbox::Network;
use runloop_types::Egress;

/// A policy that this server cannot hold. It is refused: half a policy is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the network policy sets {}, which this version cannot enforce: use a policy with `allow_all`, or one that allows \
     nothing",
    .0.join(", ")
)]
pub(crate) struct PolicyError(Vec<&'static str>);

/// The network that a policy allows.
///
/// # Errors
/// When the policy allows some connections and not others.
pub(crate) fn network_of(egress: &Egress) -> Result<Network, PolicyError> {
    if egress.allow_all {
        return Ok(Network::All);
    }
    let partial = [
        ("`allowed_hostnames`", !egress.allowed_hostnames.is_empty()),
        ("`allowed_cidrs`", !egress.allowed_cidrs.is_empty()),
        ("`allow_devbox_to_devbox`", egress.allow_devbox_to_devbox),
        ("`allow_agent_gateway`", egress.allow_agent_gateway),
        ("`allow_mcp_gateway`", egress.allow_mcp_gateway),
        ("`allow_runloop_mirrors`", egress.allow_runloop_mirrors),
    ];
    let unheld: Vec<_> = partial.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    if unheld.is_empty() { Ok(Network::None) } else { Err(PolicyError(unheld)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing_is_held() {
        assert_eq!(network_of(&Egress { allow_all: true, ..Egress::default() }), Ok(Network::All));
        assert_eq!(network_of(&Egress::default()), Ok(Network::None));
    }

    #[test]
    fn an_allowlist_is_refused_by_name() {
        let egress = Egress { allowed_hostnames: vec!["example.com".into()], ..Egress::default() };
        let error = network_of(&egress).unwrap_err();
        assert!(error.to_string().contains("`allowed_hostnames`"), "{error}");
    }

    #[test]
    fn allow_all_makes_the_rest_irrelevant() {
        let egress =
            Egress { allow_all: true, allowed_hostnames: vec!["example.com".into()], ..Egress::default() };
        assert_eq!(network_of(&egress), Ok(Network::All));
    }
}

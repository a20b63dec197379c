//! Where a port of a devbox is reached through the devbox's tunnel.

use url::{Host, Url};

use crate::error::Error;
use crate::resources::refuse;

/// `https://{port}-{tunnel_key}.tunnel.<domain>`, where the domain is the API's host without its `api.`.
///
/// The official SDKs take nothing but the host from the API's address. This keeps its scheme and port, too, and turns a
/// loopback address into `localhost`, of which there are subdomains: so the URL is of use with a local server.
pub(crate) fn tunnel_url(base_url: &str, tunnel_key: &str, port: u16) -> Result<String, Error> {
    let refused = || refuse(format!("an API at {base_url} has no domain that tunnels could be below"));
    let base = Url::parse(base_url).map_err(|_| refused())?;
    let domain = match base.host() {
        Some(Host::Domain(domain)) => domain.strip_prefix("api.").unwrap_or(domain),
        Some(Host::Ipv4(address)) if address.is_loopback() => "localhost",
        Some(Host::Ipv6(address)) if address.is_loopback() => "localhost",
        _ => return Err(refused()),
    };
    let scheme = base.scheme();
    let at = base.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{port}-{tunnel_key}.tunnel.{domain}{at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_are_below_the_domain_of_the_api() {
        for (base, expected) in [
            ("https://api.runloop.ai", "https://3000-key.tunnel.runloop.ai"),
            ("https://api.runloop.pro/prefix", "https://3000-key.tunnel.runloop.pro"),
            ("https://runloop.example.com", "https://3000-key.tunnel.runloop.example.com"),
            ("http://localhost:8080", "http://3000-key.tunnel.localhost:8080"),
            ("http://127.0.0.1:8080", "http://3000-key.tunnel.localhost:8080"),
            ("http://[::1]:8080", "http://3000-key.tunnel.localhost:8080"),
        ] {
            assert_eq!(tunnel_url(base, "key", 3000).unwrap(), expected, "{base}");
        }
    }

    #[test]
    fn an_address_has_no_domain() {
        let error = tunnel_url("http://192.0.2.7:8080", "key", 3000).unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    }
}

//! The HTTP clients under the transport, made when they are first needed.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::request::Pool;

/// One HTTP client for each pool: long holds and big transfers never take the connections of short calls.
#[derive(Debug)]
pub(crate) struct Pools {
    settings: Settings,
    api: OnceLock<reqwest::Client>,
    wait: OnceLock<reqwest::Client>,
    transfer: OnceLock<reqwest::Client>,
    presigned_plain: OnceLock<reqwest::Client>,
    presigned_tls: OnceLock<reqwest::Client>,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    /// Whether the base URL is https.
    pub(crate) tls: bool,
    /// Whether the base URL names this machine: then no proxy is asked.
    pub(crate) loopback: bool,
    /// Whether requests may follow a redirect to another host: not with headers that are the caller's own.
    pub(crate) leave_host: bool,
}

impl Pools {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            api: OnceLock::new(),
            wait: OnceLock::new(),
            transfer: OnceLock::new(),
            presigned_plain: OnceLock::new(),
            presigned_tls: OnceLock::new(),
        }
    }

    /// The client of a pool.
    pub(crate) fn get(&self, pool: Pool) -> Result<&reqwest::Client, reqwest::Error> {
        let cell = match pool {
            Pool::Api => &self.api,
            Pool::Wait => &self.wait,
            Pool::Transfer => &self.transfer,
        };
        let Settings { tls, loopback, leave_host, .. } = self.settings;
        self.get_or_build(cell, tls, loopback, redirects(tls, leave_host))
    }

    /// The client for presigned URLs: no default headers and no redirects.
    pub(crate) fn presigned(&self, url: &Url) -> Result<&reqwest::Client, reqwest::Error> {
        let tls = url.scheme() == "https";
        let cell = if tls { &self.presigned_tls } else { &self.presigned_plain };
        self.get_or_build(cell, tls, is_loopback(url), Policy::none())
    }

    fn get_or_build<'a>(
        &'a self,
        cell: &'a OnceLock<reqwest::Client>,
        tls: bool,
        loopback: bool,
        redirects: Policy,
    ) -> Result<&'a reqwest::Client, reqwest::Error> {
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // An error means that a provider is installed already: the program's choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.settings.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_idle_timeout(Duration::from_secs(50))
            .referer(false)
            .redirect(redirects);
        if !tls {
            // Loading the system's root certificates takes milliseconds that plain HTTP has no use for.
            builder = builder.tls_certs_only(std::iter::empty()).http1_only();
        }
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build()?;
        Ok(cell.get_or_init(|| client))
    }
}

/// Up to ten redirects. A plain-HTTP client has no certificates to follow one to https with.
fn redirects(tls: bool, leave_host: bool) -> Policy {
    Policy::custom(move |attempt| {
        let same_host = attempt.previous().first().is_some_and(|first| {
            first.host() == attempt.url().host()
                && first.port_or_known_default() == attempt.url().port_or_known_default()
        });
        let to_plain = attempt.url().scheme() == "http";
        if attempt.previous().len() > 10 {
            attempt.error("too many redirects")
        } else if (same_host || leave_host) && to_plain != tls {
            attempt.follow()
        } else {
            // The redirect itself becomes the answer: a status error that says so.
            attempt.stop()
        }
    })
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_recognised() {
        for (url, loopback) in [
            ("http://localhost:1", true),
            ("http://127.3.2.1", true),
            ("http://[::1]:8080/x", true),
            ("http://api.localhost", true),
            ("http://localhost.example.com", false),
            ("https://api.runloop.ai", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}

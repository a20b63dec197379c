//! The HTTP clients under the transport, made when they are first needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use crate::error::TransportKind;
use crate::long_poll::{Connections, Connector};
use crate::request::Pool;
use crate::shards::{Lease, Shards};
use crate::tls;

/// What a library says of a failure.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: TransportKind,
    /// Holds no URL.
    pub(crate) source: Cause,
}

impl Fault {
    /// Something came between the request and its answer.
    pub(crate) fn interrupted(source: Cause) -> Self {
        Self { kind: TransportKind::Interrupted, source }
    }

    fn setup(source: impl Into<Cause>) -> Self {
        Self { kind: TransportKind::Request, source: source.into() }
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        let kind = match (error.is_connect(), error.is_timeout()) {
            (true, true) => TransportKind::ConnectTimeout,
            (true, false) => TransportKind::Connect,
            (false, true) => TransportKind::ReadTimeout,
            (false, false) if error.is_builder() || error.is_redirect() => TransportKind::Request,
            (false, false) => TransportKind::Interrupted,
        };
        Self { kind, source: error.without_url().into() }
    }
}

/// Calls in flight on one connection before another shard is taken. Two transfers would slow each other down; holds
/// cost a connection nothing.
fn busy(pool: Pool) -> usize {
    match pool {
        Pool::Api => 16,
        Pool::Wait => 32,
        Pool::Transfer => 1,
    }
}

/// HTTP clients by what they are for: long holds and big transfers never take the connections of short calls.
#[derive(Debug)]
pub(crate) struct Pools {
    settings: Settings,
    api: Shards,
    wait: Shards,
    transfer: Shards,
    presigned_plain: OnceLock<reqwest::Client>,
    presigned_tls: OnceLock<reqwest::Client>,
    tls: OnceLock<ClientConfig>,
    /// `None` if a proxy is asked.
    poller: OnceLock<Option<Arc<Connector>>>,
    /// Long polls were sent elsewhere.
    polls_redirected: AtomicBool,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) base_url: Url,
    /// Whether requests may follow a redirect to another host: not with headers that are the caller's own.
    pub(crate) leave_host: bool,
    /// Whether a plain connection speaks HTTP/2 from its first byte.
    pub(crate) http2_prior_knowledge: bool,
    pub(crate) proxy: Proxying,
    /// Trusted beside the system's.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// Most connections of each shard, those of HTTP/2 only where they are those of waits.
    pub(crate) most_connections: usize,
    /// Whether there is no such limit for waits.
    pub(crate) unlimited_waits: bool,
}

impl Settings {
    /// Whether the base URL is https.
    fn tls(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// Whether some proxy is asked for the base URL; a server on this machine is never asked through one.
    fn is_proxied(&self) -> bool {
        match &self.proxy {
            _ if is_loopback(&self.base_url) => false,
            Proxying::Never => false,
            Proxying::Of(_) => true,
            Proxying::System => hyper::Uri::try_from(self.base_url.as_str())
                .is_ok_and(|server| Matcher::from_system().intercept(&server).is_some()),
        }
    }
}

/// Which proxy is asked.
#[derive(Debug, Clone)]
pub(crate) enum Proxying {
    /// That of the environment or the system, if any.
    System,
    /// None.
    Never,
    /// This one.
    Of(Box<reqwest::Proxy>),
}

impl Pools {
    pub(crate) fn new(settings: Settings) -> Self {
        let shards = |pool, count| {
            // Connections of HTTP/1.1 are not shared, so that one pool finds more of them idle than several.
            let sharded = settings.tls() || settings.http2_prior_knowledge;
            let (count, each) = if sharded { (count, 1) } else { (1, count) };
            let is_limited = pool != Pool::Wait || !settings.unlimited_waits;
            Shards::new(count, busy(pool), is_limited.then(|| settings.most_connections.saturating_mul(each)))
        };
        Self {
            api: shards(Pool::Api, 8),
            wait: shards(Pool::Wait, 16),
            transfer: shards(Pool::Transfer, 2),
            presigned_plain: OnceLock::new(),
            presigned_tls: OnceLock::new(),
            tls: OnceLock::new(),
            poller: OnceLock::new(),
            polls_redirected: AtomicBool::new(false),
            settings,
        }
    }

    /// A place in a pool, as soon as there is one.
    pub(crate) async fn lease(&self, pool: Pool) -> Lease {
        match pool {
            Pool::Api => self.api.lease().await,
            Pool::Wait => self.wait.lease().await,
            Pool::Transfer => self.transfer.lease().await,
        }
    }

    /// The HTTP client of a place, for a call that has headers of its own or not: such may not follow a redirect to
    /// another host.
    pub(crate) fn client<'a>(
        &self,
        lease: &'a Lease,
        own_headers: bool,
    ) -> Result<&'a reqwest::Client, Fault> {
        let (tls, leave_host) = (self.settings.tls(), self.settings.leave_host);
        let loopback = is_loopback(&self.settings.base_url);
        // Where no call may, one client will do for all.
        let staying = leave_host && own_headers;
        lease.client(staying, || self.build(tls, loopback, redirects(tls, leave_host && !own_headers)))
    }

    /// The connections of a place for requests that are held until something happens; `None` if they have to take the way
    /// of all others, because a proxy is asked or the server sends them elsewhere.
    pub(crate) fn long_polls<'a>(&self, lease: &'a Lease) -> Result<Option<&'a Connections>, Fault> {
        if self.polls_redirected.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let connector = match self.poller.get() {
            Some(connector) => connector,
            None => {
                let made = if self.settings.is_proxied() { None } else { Some(Arc::new(self.connector()?)) };
                self.poller.get_or_init(|| made)
            }
        };
        let most = (!self.settings.unlimited_waits).then_some(self.settings.most_connections);
        let make = |connector| move || Connections::new(Arc::clone(connector), most);
        Ok(connector.as_ref().map(|connector| lease.long_polls(make(connector))))
    }

    /// Notes that long polls are redirected: only the other clients know where to, and whether to follow.
    pub(crate) fn redirected(&self) {
        self.polls_redirected.store(true, Ordering::Relaxed);
    }

    fn connector(&self) -> Result<Connector, Fault> {
        let Settings { base_url, connect_timeout, http2_prior_knowledge, .. } = &self.settings;
        let tls = if self.settings.tls() { Some(self.tls()?.clone()) } else { None };
        Connector::new(base_url, tls, *http2_prior_knowledge, *connect_timeout)
    }

    /// Loaded when it is first needed: plain HTTP has no use for milliseconds of reading root certificates.
    fn tls(&self) -> Result<&ClientConfig, Fault> {
        if let Some(config) = self.tls.get() {
            return Ok(config);
        }
        let config = tls::config(&self.settings.roots).map_err(Fault::setup)?;
        Ok(self.tls.get_or_init(|| config))
    }

    /// The client for presigned URLs: no default headers and no redirects.
    pub(crate) fn presigned(&self, url: &Url) -> Result<&reqwest::Client, Fault> {
        let tls = url.scheme() == "https";
        let cell = if tls { &self.presigned_tls } else { &self.presigned_plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(tls, is_loopback(url), Policy::none())?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, tls: bool, loopback: bool, redirects: Policy) -> Result<reqwest::Client, Fault> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.settings.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_idle_timeout(Duration::from_secs(50))
            .referer(false)
            .redirect(redirects);
        if tls {
            builder = builder
                .tls_backend_preconfigured(self.tls()?.clone())
                // A connection that died during a hold is noticed before the hold would have ended.
                .http2_keep_alive_interval(Duration::from_secs(15))
                .http2_keep_alive_timeout(Duration::from_secs(10));
        } else {
            // No certificate is loaded for nothing.
            tls::install();
            builder = builder.tls_certs_only(std::iter::empty());
            builder = if self.settings.http2_prior_knowledge {
                builder.http2_prior_knowledge()
            } else {
                builder.http1_only()
            };
        }
        match &self.settings.proxy {
            _ if loopback => builder = builder.no_proxy(),
            Proxying::System => {}
            Proxying::Never => builder = builder.no_proxy(),
            Proxying::Of(proxy) => builder = builder.proxy(reqwest::Proxy::clone(proxy)),
        }
        Ok(builder.build()?)
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

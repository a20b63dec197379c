//! How a client is set up.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::client::Client;
use crate::gate::Gate;
use crate::http::{Pools, Proxying, Settings, is_loopback};
use crate::log::LogLevel;
use crate::retry::DEFAULT_MAX_RETRIES;
use crate::transport::{Clock, Jitter, Transport};

/// The service's own address.
pub const DEFAULT_BASE_URL: &str = "https://api.runloop.ai";

/// HTTP/1.1 connections of a shard, unless set.
const MOST_CONNECTIONS: usize = 20;

const USER_AGENT: &str = concat!("runloop-client-rust/", env!("CARGO_PKG_VERSION"));

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No key was given.
    #[error("no API key: set RUNLOOP_API_KEY or pass one to the client")]
    MissingApiKey,
    /// The key cannot be sent in a header.
    #[error("the API key holds characters that a header cannot carry; was it copied with a line break?")]
    BadApiKey,
    /// The base URL is of no use.
    #[error("the base URL {url:?} {reason}")]
    BadBaseUrl {
        /// As given, without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy's URL is of no use. It is not shown, as it may hold credentials.
    #[error("the proxy's URL cannot be used: write `http://host:port`")]
    BadProxy,
    /// No certificate can be read.
    #[error(
        "a root certificate cannot be read: it must be PEM text that begins with -----BEGIN CERTIFICATE-----"
    )]
    BadCertificate,
    /// `RUNLOOP_LOG` has no meaning.
    #[error("RUNLOOP_LOG is {value:?}: use `info` or `debug`")]
    BadLog {
        /// As given.
        value: String,
    },
    /// A header cannot be sent.
    #[error("{place} is not a header: write `Name: value` in visible ASCII")]
    BadHeader {
        /// Which one, without its value.
        place: String,
    },
}

/// Sets up a [`Client`].
pub struct ClientBuilder {
    base_url: String,
    api_key: Option<SecretString>,
    headers: Vec<(String, String)>,
    connect_timeout: Duration,
    timeout: Duration,
    long_timeout: Duration,
    max_retries: u32,
    max_response_bytes: usize,
    max_connections: Option<usize>,
    http2_prior_knowledge: bool,
    proxy: Option<Option<String>>,
    roots: Vec<Vec<u8>>,
    log: Option<LogLevel>,
    clock: Clock,
    jitter: Jitter,
    gate: Option<Arc<dyn Gate>>,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            api_key: None,
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            long_timeout: Duration::from_secs(600),
            max_retries: DEFAULT_MAX_RETRIES,
            max_response_bytes: 512 * 1024 * 1024,
            max_connections: None,
            http2_prior_knowledge: false,
            proxy: None,
            roots: Vec::new(),
            log: None,
            clock: Box::new(SystemTime::now),
            jitter: Box::new(fastrand::f64),
            gate: None,
        }
    }
}

impl ClientBuilder {
    /// Takes `RUNLOOP_API_KEY`, `RUNLOOP_BASE_URL`, `RUNLOOP_CUSTOM_HEADERS` (lines of `Name: value`) and `RUNLOOP_LOG`
    /// (`info` or `debug`, see [`ClientBuilder::log`]) from an environment: `|name| std::env::var(name).ok()` is that of
    /// the process. Headers set by [`ClientBuilder::header`] win.
    ///
    /// # Errors
    /// [`ConfigError::BadHeader`] if a line has no colon, [`ConfigError::BadLog`] if the level is neither.
    pub fn from_env(mut self, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variable = |name| environment(name).filter(|value| !value.trim().is_empty());
        if let Some(key) = variable("RUNLOOP_API_KEY") {
            self = self.api_key(key.trim());
        }
        if let Some(url) = variable("RUNLOOP_BASE_URL") {
            self = self.base_url(url.trim());
        }
        if let Some(lines) = variable("RUNLOOP_CUSTOM_HEADERS") {
            let headers = custom_headers(&lines)?;
            self.headers.splice(0..0, headers);
        }
        if let Some(level) = variable("RUNLOOP_LOG") {
            self.log = Some(match level.trim().to_ascii_lowercase().as_str() {
                "info" => LogLevel::Info,
                "debug" => LogLevel::Debug,
                _ => return Err(ConfigError::BadLog { value: level }),
            });
        }
        Ok(self)
    }

    /// Sets the server's address; a path in it is kept as a prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets the API key.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Adds a header to every request, in place of a default one or an earlier one of that name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Longest time until a connection stands: 5 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Longest silence before and within an answer: 30 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same for calls that answer only after work is done (`execute`, files, `snapshot_disk`): 600 s unless set.
    pub fn long_timeout(mut self, timeout: Duration) -> Self {
        self.long_timeout = timeout;
        self
    }

    /// Retries after the first attempt: 5 unless set.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Largest answer that is read into memory: 512 MiB unless set. Downloads that are streamed have no limit.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Most connections of each shard: 20 unless set, as the official SDKs have it, and no limit for waits over plain http
    /// to this machine, commands and creations among them. Over TLS there are 8 shards for calls, 16 for waits and 2 for
    /// transfers; plain http has one of each with as many connections as these have together. A call that finds none free
    /// queues, for as long as its total timeout allows, and is not sent before; its [read timeout](Self::timeout) begins
    /// when it is.
    ///
    /// Over HTTP/2 calls share one connection for each shard. Waits share as many as the server makes necessary by
    /// how many streams it allows on each, up to this limit.
    pub fn max_connections_per_shard(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections.max(1));
        self
    }

    /// Speaks HTTP/2 from the first byte with a plain `http://` server that is known to understand it, as
    /// `runloop-eval serve` does. Calls then share connections, in place of one for each wait. Over https the best protocol
    /// is agreed on anyway.
    pub fn http2_prior_knowledge(mut self) -> Self {
        self.http2_prior_knowledge = true;
        self
    }

    /// Asks this proxy, such as `http://user:password@host:3128`, in place of that of the environment (`HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`). A server on this machine is never asked through a proxy.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Some(url.into()));
        self
    }

    /// Asks no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Some(None);
        self
    }

    /// Trusts the certificates of this PEM text beside the system's: for a server with a certificate of one's own.
    pub fn add_root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Writes a line to standard error for each call, or for each attempt: method, path, status, time and request id,
    /// never headers, query or body. Off unless set; `tracing` events are there in any case.
    pub fn log(mut self, level: LogLevel) -> Self {
        self.log = Some(level);
        self
    }

    /// Replaces the clock that `retry-after` dates are compared with.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Replaces the source of random numbers in `[0, 1)` that spreads retries.
    pub fn jitter(mut self, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.jitter = Box::new(jitter);
        self
    }

    /// Lets every attempt of every call through this gate, which may make it wait and learns what came of it.
    pub fn gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Makes the client. Nothing is sent, and TLS is set up only when it is first needed.
    ///
    /// # Errors
    /// [`ConfigError`] if the key is missing, or an option cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let url = base_url(&self.base_url)?;
        let key = self.api_key.ok_or(ConfigError::MissingApiKey)?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| ConfigError::BadApiKey)?;
        authorization.set_sensitive(true);

        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.insert(header::AUTHORIZATION, authorization);
        let leave_host = self.headers.is_empty();
        for (name, value) in self.headers {
            let bad = || ConfigError::BadHeader { place: format!("the header {name:?}") };
            let header_name = HeaderName::try_from(&name).map_err(|_| bad())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| bad())?;
            // They may well carry a credential of some proxy.
            value.set_sensitive(true);
            headers.insert(header_name, value);
        }

        let tls = url.scheme() == "https";
        let loopback = is_loopback(&url);
        let proxy = match self.proxy {
            None => Proxying::System,
            Some(None) => Proxying::Never,
            Some(Some(url)) => Proxying::Of(Box::new(proxy(&url)?)),
        };
        let pools = Pools::new(Settings {
            connect_timeout: self.connect_timeout,
            base_url: url.clone(),
            leave_host,
            http2_prior_knowledge: self.http2_prior_knowledge && !tls,
            proxy,
            roots: roots(&self.roots)?,
            most_connections: self.max_connections.unwrap_or(MOST_CONNECTIONS),
            // What is on this machine needs no protection from us, and waits there shall not queue.
            unlimited_waits: self.max_connections.is_none() && loopback && !tls,
        });
        Ok(Client::new(Transport {
            base_url: url.as_str().trim_end_matches('/').to_owned(),
            pools,
            headers,
            timeout: self.timeout,
            long_timeout: self.long_timeout,
            max_retries: self.max_retries,
            max_response_bytes: self.max_response_bytes,
            log: self.log,
            clock: self.clock,
            jitter: self.jitter,
            gate: self.gate,
        }))
    }
}

fn base_url(text: &str) -> Result<Url, ConfigError> {
    let bad =
        |url: &str, reason: &str| ConfigError::BadBaseUrl { url: url.to_owned(), reason: reason.to_owned() };
    let mut url = Url::parse(text).map_err(|error| bad(text, &format!("is not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Cannot fail for a URL that has credentials.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        return Err(bad(url.as_str(), "must not hold credentials; use the API key or a header"));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(text, "must begin with https:// or http://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad(text, "must end with its path"));
    }
    Ok(url)
}

fn proxy(url: &str) -> Result<reqwest::Proxy, ConfigError> {
    // The host alone would be taken for a scheme.
    let url = Url::parse(url).ok().filter(Url::has_host).ok_or(ConfigError::BadProxy)?;
    reqwest::Proxy::all(url).map_err(|_| ConfigError::BadProxy)
}

fn roots(pems: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let mut roots = Vec::new();
    for pem in pems {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let found = found.map_err(|_| ConfigError::BadCertificate)?;
        if found.is_empty() {
            return Err(ConfigError::BadCertificate);
        }
        roots.extend(found);
    }
    Ok(roots)
}

/// Lines of `Name: value`; blank ones are skipped.
fn custom_headers(lines: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match line.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => {
                Err(ConfigError::BadHeader { place: format!("line {} of RUNLOOP_CUSTOM_HEADERS", index + 1) })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_environment_sets_key_url_and_headers() {
        let builder = ClientBuilder::default()
            .header("X-B", "explicit")
            .from_env(environment(&[
                ("RUNLOOP_API_KEY", " ak_1\n"),
                ("RUNLOOP_BASE_URL", "http://127.0.0.1:9/prefix/"),
                ("RUNLOOP_CUSTOM_HEADERS", "X-A: one: two \n\nX-B:from environment"),
            ]))
            .unwrap();
        let client = builder.build().unwrap();
        assert_eq!(client.base_url(), "http://127.0.0.1:9/prefix");
        let headers = client.transport().headers.clone();
        assert_eq!(headers["authorization"], "Bearer ak_1");
        assert_eq!(headers["x-a"], "one: two");
        assert_eq!(headers["x-b"], "explicit");
    }

    #[test]
    fn a_missing_or_empty_key_says_how_to_set_one() {
        let error =
            ClientBuilder::default().from_env(environment(&[("RUNLOOP_API_KEY", " ")])).unwrap().build();
        assert!(error.unwrap_err().to_string().contains("RUNLOOP_API_KEY"));
    }

    #[test]
    fn useless_options_are_refused_without_showing_values() {
        let builder = || ClientBuilder::default().api_key("ak_secret");
        for url in ["", "api.runloop.ai", "ftp://x", "https://x?a=b", "https://x/#y"] {
            let error = builder().base_url(url).build().unwrap_err();
            assert!(matches!(error, ConfigError::BadBaseUrl { .. }), "{url}");
        }
        let error = builder().base_url("https://user:hunter2@x").build().unwrap_err().to_string();
        assert!(error.contains("credentials") && !error.contains("hunter2"), "{error}");
        let error = ClientBuilder::default().api_key("ak_\nsecret").build().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        let error = builder().header("X-Token", "a\nb").build().unwrap_err().to_string();
        assert!(error.contains("X-Token") && !error.contains("a\nb"), "{error}");
        let lines = environment(&[("RUNLOOP_CUSTOM_HEADERS", "A: b\nhunter2")]);
        let error = ClientBuilder::default().from_env(lines).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn debug_shows_no_key() {
        let builder = ClientBuilder::default().api_key("ak_secret").header("X-Token", "hunter2");
        assert!(!format!("{builder:?}").contains("secret"));
        let client = format!("{:?}", builder.build().unwrap());
        assert!(!client.contains("secret") && !client.contains("hunter2"), "{client}");
    }
}

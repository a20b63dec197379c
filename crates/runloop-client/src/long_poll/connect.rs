//! Connections to the one server that is polled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service;
use url::{Host, Url};

use crate::error::TransportKind;
use crate::http::{Cause, Fault};

/// A connection, encrypted or not.
pub(super) type Io = Box<dyn Socket>;

pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// What both sides agreed to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Makes connections to a server.
#[derive(Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    server: Uri,
    tls: Option<Tls>,
    timeout: Duration,
    /// The last connection spoke HTTP/1.1, which calls do not share.
    http1: AtomicBool,
}

struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Connector {
    /// To the server of `url`; over TLS if there is a configuration for it. `http2` is what a plain connection speaks.
    ///
    /// # Errors
    /// If the URL's host cannot be named in a certificate.
    pub(crate) fn new(
        url: &Url,
        tls: Option<ClientConfig>,
        http2: bool,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let refuse = |error| Fault { kind: TransportKind::Request, source: error };
        let server = Uri::try_from(url.as_str()).map_err(|error| refuse(error.into()))?;
        let tls = match tls {
            Some(config) => Some(Tls {
                config: Arc::new(config),
                name: server_name(url).map_err(|error| refuse(error.into()))?,
            }),
            None => None,
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        tcp.set_connect_timeout(Some(timeout));
        Ok(Self { tcp, server, http1: AtomicBool::new(tls.is_none() && !http2), tls, timeout })
    }

    /// Longest time until a connection stands.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether everybody will need a connection of their own, as far as we know.
    pub(super) fn speaks_http1(&self) -> bool {
        self.http1.load(Ordering::Relaxed)
    }

    /// Whether a connection that went silent shall be noticed.
    pub(super) fn is_far(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) async fn connect(&self) -> Result<(Io, Protocol), Fault> {
        let failed = |error: Cause| Fault { kind: kind(&*error), source: error };
        let tcp = self.tcp.clone().call(self.server.clone()).await.map_err(|error| failed(error.into()))?;
        let tcp = tcp.into_inner();
        let Some(Tls { config, name }) = &self.tls else {
            let protocol = if self.speaks_http1() { Protocol::Http1 } else { Protocol::Http2 };
            return Ok((Box::new(tcp), protocol));
        };
        let tls = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await;
        let tls = tls.map_err(|error| failed(error.into()))?;
        let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        self.http1.store(!http2, Ordering::Relaxed);
        Ok((Box::new(tls), if http2 { Protocol::Http2 } else { Protocol::Http1 }))
    }
}

/// Whether there was an answer at all.
fn kind(error: &(dyn std::error::Error + 'static)) -> TransportKind {
    let late = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    };
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    if causes.any(late) { TransportKind::ConnectTimeout } else { TransportKind::Connect }
}

fn server_name(url: &Url) -> io::Result<ServerName<'static>> {
    match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(io::Error::other),
        Some(Host::Ipv4(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        None => Err(io::Error::other("the URL names no host")),
    }
}

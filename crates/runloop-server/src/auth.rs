//! Who may speak to the server: the bearer key, and the host names it goes by.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{ApiError, ApiResult, shown};
use crate::signing::same;
use crate::state::Shared;

/// The key and the address that requests must name.
#[derive(Debug)]
pub(crate) struct Keyhole {
    key: SecretString,
    port: u16,
}

impl Keyhole {
    /// Admits this key, on this port of the loopback.
    pub(crate) fn new(key: SecretString, port: u16) -> Self {
        Self { key, port }
    }

    fn check_key(&self, headers: &HeaderMap) -> ApiResult<()> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Err(ApiError::unauthorized("no key: send `Authorization: Bearer <key>`"));
        };
        let value = value.as_bytes();
        let key = match value.split_at_checked(7) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key.trim_ascii(),
            _ => return Err(ApiError::unauthorized("the Authorization header is not `Bearer <key>`")),
        };
        if same(key, self.key.expose_secret().as_bytes()) {
            Ok(())
        } else {
            Err(ApiError::unauthorized("the key is not the one of this server"))
        }
    }

    /// Refuses host names that are not of the loopback: a web page whose name was made to lead here sends its own.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> ApiResult<()> {
        // HTTP/2 tells the host in the URI, HTTP/1.1 in a header.
        let host = match uri.authority() {
            Some(authority) => authority.as_str(),
            None => headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
        };
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        let ours = ["127.0.0.1", "localhost", "[::1]"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
        if ours && port == Some(self.port) {
            Ok(())
        } else {
            Err(ApiError::forbidden(format!(
                "the Host `{}` is not this server: use 127.0.0.1:{} or localhost:{}",
                shown(host),
                self.port,
                self.port
            )))
        }
    }
}

/// Lets only requests to the loopback's own names pass.
pub(crate) async fn loopback_names_only(State(app): State<Shared>, request: Request, next: Next) -> Response {
    match app.keyhole.check_host(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Lets only requests with the key pass.
pub(crate) async fn key_only(State(app): State<Shared>, request: Request, next: Next) -> Response {
    match app.keyhole.check_key(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyhole() -> Keyhole {
        Keyhole::new("ak_right".into(), 8123)
    }

    fn admits(authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        keyhole().check_key(&headers).is_ok()
    }

    fn serves(host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        keyhole().check_host(&Uri::from_static("/v1/devboxes"), &headers).is_ok()
    }

    #[test]
    fn only_the_right_key_is_admitted() {
        assert!(admits("Bearer ak_right") && admits("bearer ak_right"));
        for wrong in ["Bearer ak_wrong", "Bearer ", "ak_right", "Basic ak_right", "Bearer ak_righ", "B"] {
            assert!(!admits(wrong), "{wrong}");
        }
        assert!(keyhole().check_key(&HeaderMap::new()).is_err());
    }

    #[test]
    fn only_names_of_the_loopback_are_served() {
        assert!(serves("127.0.0.1:8123") && serves("LOCALHOST:8123") && serves("[::1]:8123"));
        for wrong in ["127.0.0.1", "127.0.0.1:80", "evil.test:8123", "localhost.evil.test:8123", "", "[::1]"]
        {
            assert!(!serves(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_host_of_http2_stands_in_the_uri() {
        let check = |uri| keyhole().check_host(&Uri::from_static(uri), &HeaderMap::new()).is_ok();
        assert!(check("http://127.0.0.1:8123/v1") && !check("http://evil.test:8123/v1"));
    }

    #[test]
    fn the_key_does_not_show() {
        assert!(!format!("{:?}", keyhole()).contains("ak_right"));
    }
}

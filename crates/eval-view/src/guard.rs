//! Who may ask, for what, and what every answer says.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Sent with every answer.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What runs under an answer that has no policy of its own: nothing.
const NOTHING: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Lets only requests pass that read, and that name this server: a page whose name was made to lead here sends its own.
pub(crate) async fn guard(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let mut response = if !is_named(address, request.uri(), request.headers()) {
        let message = format!("this is not the server you asked for: use http://{address}/\n");
        (StatusCode::FORBIDDEN, message).into_response()
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        (StatusCode::METHOD_NOT_ALLOWED, allow, "nothing can be changed here\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    response
}

fn is_named(address: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    // HTTP/2 tells the host in the URI, HTTP/1.1 in a header.
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (host, Some(80)),
    };
    let ours = ["127.0.0.1", "localhost"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
    ours && port == Some(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_with_the_port_are_ours() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8123));
        let asked = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            is_named(address, &Uri::from_static("/"), &headers)
        };
        for host in ["127.0.0.1:8123", "localhost:8123", "LocalHost:8123"] {
            assert!(asked(host), "{host}");
        }
        for host in
            ["evil.example:8123", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8123", "", ":8123"]
        {
            assert!(!asked(host), "{host}");
        }
        assert!(!is_named(address, &Uri::from_static("/"), &HeaderMap::new()));
    }
}

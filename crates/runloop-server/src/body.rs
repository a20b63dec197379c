//! JSON bodies of requests.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderValue;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult};
use crate::idempotency::read_body;

/// Bytes of a file's content in one request or answer.
pub(crate) const MAX_FILE: u64 = 100 * 1024 * 1024;

/// Bytes of a JSON body.
const MAX_JSON: usize = 16 * 1024 * 1024;

/// Bytes of a JSON body that holds a file: escaping makes the content longer.
const MAX_FILE_JSON: usize = 160 * 1024 * 1024;

/// How large the body of a request to this path may be.
pub(crate) fn body_limit(path: &str) -> usize {
    if path.ends_with("/write_file_contents") { MAX_FILE_JSON } else { MAX_JSON }
}

/// A JSON body. An empty one is an empty object: clients leave it out where nothing is required.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        let (parts, body) = request.into_parts();
        let body = read_body(body, &parts.headers, body_limit(parts.uri.path())).await?;
        parse(&body).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> ApiResult<T> {
    let text: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(text)
        .map_err(|error| ApiError::bad_request(format!("the body is not the JSON this endpoint takes: {error}")))
}

/// A 200 with JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> ApiResult<Response> {
    let text = serde_json::to_vec(value)
        .map_err(|error| ApiError::internal("the answer could not be written", &error))?;
    let mut response = Response::new(Body::from(text));
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A 200 with `{}`: an empty body would break clients that expect JSON.
pub(crate) fn empty() -> ApiResult<Response> {
    json(&serde_json::Map::new())
}

#[cfg(test)]
mod tests {
    use runloop_types::{ExecuteAsyncParams, KillParams};

    use super::*;

    #[test]
    fn nothing_is_an_empty_object() {
        assert_eq!(parse::<KillParams>(&Bytes::from_static(b" \n")).unwrap(), KillParams::default());
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let error = parse::<ExecuteAsyncParams>(&Bytes::from_static(b"{\"command\": 3}")).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message().contains("line 1 column"), "{}", error.message());
    }
}

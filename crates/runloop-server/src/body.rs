//! JSON bodies of requests.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderValue;
use axum::response::Response;
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult, chain};

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
        let body = read_body(body, body_limit(parts.uri.path())).await?;
        parse(&body).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> ApiResult<T> {
    let wrong = |why: &dyn std::fmt::Display| {
        ApiError::bad_request(format!("the body is not the JSON this endpoint takes: {why}"))
    };
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => serde_json::from_slice(b"{}"),
        Some(b'{') => serde_json::from_slice(body),
        // Not left to serde, which would read the fields from an array in order.
        Some(_) => return Err(wrong(&"it must be an object")),
    }
    .map_err(|error| wrong(&error))
}

/// Bytes that are read and thrown away beyond a limit. An answer in the middle of the client's sending is often lost to a
/// broken connection, and with it the reason.
pub(crate) const MOST_DISCARDED: u64 = 1024 * 1024 * 1024;

/// Reads a body up to a limit.
///
/// # Errors
/// 413 for a longer one, 400 for one that broke off.
pub(crate) async fn read_body(body: Body, limit: usize) -> ApiResult<Bytes> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut size = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::bad_request(format!("the request body broke off: {}", chain(&error)))
        })?;
        size += chunk.len() as u64;
        if size <= limit as u64 {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
            if size > MOST_DISCARDED {
                break;
            }
        }
    }
    if size > limit as u64 {
        return Err(ApiError::too_large("the request body", limit as u64));
    }
    Ok(bytes.into())
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
    fn only_an_object_is_a_body() {
        for body in ["[\"true\"]", "null", "7", "\"x\""] {
            assert_eq!(parse::<ExecuteAsyncParams>(&Bytes::from(body)).unwrap_err().status(), 400, "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        assert_eq!(read_body(Body::from("12345"), 5).await.unwrap(), "12345");
        assert_eq!(read_body(Body::from("123456"), 5).await.unwrap_err().status(), 413);
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let error = parse::<ExecuteAsyncParams>(&Bytes::from_static(b"{\"command\": 3}")).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message().contains("line 1 column"), "{}", error.message());
    }
}

//! Answers, good and bad.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use runloop_types::ErrorBody;
use serde::Serialize;

/// What a handler answers instead of a result.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    should_retry: Option<bool>,
}

/// Result of a handler.
pub(crate) type Answer = Result<Response, ApiError>;

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), should_retry: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "the key is not the one of this server")
    }

    pub(crate) fn not_found(kind: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no {kind} `{id}`"))
    }

    /// What is not simulated.
    pub(crate) fn not_served(what: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::NOT_FOUND, what) }
    }

    /// A wait whose time is over.
    pub(crate) fn wait_expired() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "not yet: wait again")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::CONFLICT, message) }
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }

    pub(crate) fn too_many(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, message)
    }

    pub(crate) fn broke(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { code: self.status.as_u16(), message: self.message };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(should) = self.should_retry {
            let value = if should { "true" } else { "false" };
            headers.insert("x-should-retry", header::HeaderValue::from_static(value));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert("retry-after-ms", header::HeaderValue::from_static("100"));
        }
        response
    }
}

/// A 200 with JSON.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(value).map_err(|error| ApiError::broke(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// A 200 with `{}`.
pub(crate) fn empty() -> Answer {
    json(&serde_json::Map::new())
}

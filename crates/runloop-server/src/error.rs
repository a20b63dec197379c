//! Error answers: `{"code", "message"}` and the headers that steer a client's retries.

use std::error::Error;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runloop_sandbox::Sandbox;
use runloop_types::ErrorBody;

/// Decides whether a client repeats the request, before any rule by status.
const SHOULD_RETRY: &str = "x-should-retry";

/// What a handler answers instead of a result.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    should_retry: Option<bool>,
    retry_after: Option<Duration>,
}

/// Result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), should_retry: None, retry_after: None }
    }

    /// 400: the request cannot be right as it is.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: no key, or a wrong one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: refused whatever the key.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing.
    pub(crate) fn not_found(kind: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no {kind} `{}`", shown(id)))
    }

    /// 404 for what this version does not serve; repeating it cannot help.
    pub(crate) fn not_served(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::NOT_FOUND, message) }
    }

    /// 408 of a wait that expired. Not a failure: the client asks again.
    pub(crate) fn wait_expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, message)
    }

    /// 409 that stays: told so, because clients repeat a 409 by default.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::CONFLICT, message) }
    }

    /// 413: larger than a limit.
    pub(crate) fn too_large(what: &str, limit: u64) -> Self {
        Self {
            should_retry: Some(false),
            ..Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("{what} is larger than the limit of {limit} bytes"),
            )
        }
    }

    /// 422: well formed, but it contradicts an earlier request.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }

    /// 429: a limit of this server is reached; things that end make room.
    pub(crate) fn too_many(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, message)
        }
    }

    /// 500: our fault. The source goes to the log and, without its details, to the client.
    pub(crate) fn internal(what: &str, source: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(source), "{what}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what}: {}", chain(source)))
    }

    /// 507: the server has no room for what it should keep; repeating the request brings nothing back.
    pub(crate) fn out_of_storage(message: impl Into<String>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::INSUFFICIENT_STORAGE, message) }
    }

    /// 503: the server is on its way out.
    pub(crate) fn shutting_down() -> Self {
        Self {
            should_retry: Some(false),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down")
        }
    }

    /// Sets the header that overrides a client's own retry rules.
    pub(crate) fn should_retry(mut self, should: bool) -> Self {
        self.should_retry = Some(should);
        self
    }

    /// The status it answers with.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The text it answers with.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { code: self.status.as_u16(), message: self.message };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(should) = self.should_retry {
            let value = HeaderValue::from_static(if should { "true" } else { "false" });
            response.headers_mut().insert(SHOULD_RETRY, value);
        }
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    }
}

/// 507 if the host's disk is full, or was since then: what failed meanwhile is the platform's failure and nobody else's.
pub(crate) fn without_room(sandbox: &Sandbox, since: Instant) -> Option<ApiError> {
    sandbox.was_full_since(since).then(|| {
        ApiError::out_of_storage(format!(
            "the disk of the platform's machine is full, or was for a moment, so what the devbox does tells nothing: make room in {}",
            sandbox.boxes_directory().display()
        ))
    })
}

/// Text of an error and its causes, outermost first.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Text from outside, made fit for a one-line message.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().count() > LONGEST {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_conflict_tells_clients_not_to_repeat_it() {
        let response = ApiError::conflict("taken").into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[SHOULD_RETRY], "false");
    }

    #[test]
    fn ids_from_outside_stay_on_one_line_of_a_message() {
        let error = ApiError::not_found("devbox", "a\nb");
        assert_eq!(error.message(), "no devbox `a\\nb`");
        assert!(ApiError::not_found("devbox", &"x".repeat(10_000)).message().len() < 300);
    }

    #[test]
    fn the_causes_of_an_error_are_told() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::fmt::Error);
        let error = Outer(std::fmt::Error);
        assert_eq!(chain(&error), format!("outer: {}", std::fmt::Error));
    }
}

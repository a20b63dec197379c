//! Why an attempt has no verdict.

use eval_record::Cause;

use crate::platform::PlatformError;

/// An attempt that ended without the agent being to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) message: String,
    /// Whether another attempt could end better.
    pub(crate) retry: bool,
    /// Whether the target refused the key.
    pub(crate) unauthorized: bool,
    /// Whether the target had no room for what was asked: 429 until the client asked no more.
    pub(crate) crowded: bool,
    /// Whether the devbox ended because it hit its memory or disk limit.
    pub(crate) exhausted: bool,
    /// Whether the devbox ended because someone asked for it through the API.
    pub(crate) shut_down: bool,
}

impl Failure {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        let retry = matches!(cause, Cause::ProvisionFailed | Cause::DevboxLost | Cause::ApiError);
        Self {
            cause,
            message: message.into(),
            retry,
            unauthorized: false,
            crowded: false,
            exhausted: false,
            shut_down: false,
        }
    }

    /// A call that has nothing to do with a devbox that exists.
    pub(crate) fn call(cause: Cause, doing: &str, error: &PlatformError) -> Self {
        let mut failure = Self::new(cause, format!("cannot {doing}: {error}"));
        failure.retry &= !error.is_refusal();
        failure.unauthorized = error.is_unauthorized();
        failure.crowded = error.has_status(429);
        failure
    }

    pub(crate) fn harness(message: impl Into<String>) -> Self {
        Self::new(Cause::HarnessError, message)
    }
}

/// An error with all its reasons, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text.push_str(": ");
        text.push_str(&reason.to_string());
        source = reason.source();
    }
    text
}

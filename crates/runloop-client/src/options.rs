//! What a caller may set on a single call.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Error;

/// Headers that frame the message: set by hand they would break it.
const FRAMING: [&str; 5] = ["connection", "content-length", "te", "transfer-encoding", "upgrade"];

/// Options of one call; what is not set is as the client has it.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// In place of the client's headers of the same names.
    pub(crate) headers: HeaderMap,
    /// Longest silence before the answer and between its parts.
    pub(crate) timeout: Option<Duration>,
    /// Longest time of the whole call, over all attempts.
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) max_retries: Option<u32>,
    pub(crate) idempotency_key: Option<String>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers may hold credentials.
        f.debug_struct("Options")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("total_timeout", &self.total_timeout)
            .field("max_retries", &self.max_retries)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Sets a header; a later one of the same name wins.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let header = HeaderName::try_from(name)
            .map_err(|_| invalid(format!("{name:?} cannot be the name of a header")))?;
        if FRAMING.contains(&header.as_str()) {
            return Err(invalid(format!(
                "the header {header} cannot be set: it says how the message is sent"
            )));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            invalid(format!("the value of the header {header} cannot be sent: use visible ASCII"))
        })?;
        // What it is for is not known here: it may well be a credential.
        value.set_sensitive(true);
        self.headers.insert(header, value);
        Ok(())
    }
}

pub(crate) fn invalid(reason: String) -> Error {
    Error::InvalidRequest { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cannot_be_sent_are_named_without_their_values() {
        let mut options = Options::default();
        options.set_header("X-Team", "a").unwrap();
        options.set_header("x-team", "b").unwrap();
        assert_eq!(options.headers["x-team"], "b");
        for (name, value) in [
            ("", "v"),
            ("a b", "v"),
            ("x:y", "v"),
            ("ä", "v"),
            ("x", "hunter2\r\nevil: 1"),
            ("x", "\u{0}hunter2"),
        ] {
            let text = options.set_header(name, value).unwrap_err().to_string();
            assert!(text.contains(name) && !text.contains("hunter2"), "{text}");
        }
        assert!(
            options.set_header("Content-Length", "5").unwrap_err().to_string().contains("content-length")
        );
        options.set_header("authorization", "Bearer hunter2").unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}

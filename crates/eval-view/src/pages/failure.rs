//! What is shown instead of a page.

use axum::http::StatusCode;
use eval_report::html::{Document, Html};

use super::frame::{document, ways};

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    what: &'static str,
    why: String,
}

impl Failure {
    pub(crate) fn nothing_here() -> Self {
        let why = "Every page can be reached from the list of runs.".to_owned();
        Self { status: StatusCode::NOT_FOUND, what: "There is nothing here", why }
    }

    pub(crate) fn no_run() -> Self {
        let why = "It is not, or no longer, in the directories that are shown.".to_owned();
        Self { status: StatusCode::NOT_FOUND, what: "There is no such run", why }
    }

    pub(crate) fn not_two() -> Self {
        let why = "Choose two runs in the list.".to_owned();
        Self { status: StatusCode::BAD_REQUEST, what: "Two runs can be compared", why }
    }

    /// A file of a run, or its directory, cannot be read.
    pub(crate) fn unreadable(error: &std::io::Error) -> Self {
        let (status, what) = match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                (StatusCode::NOT_FOUND, "There is no such file")
            }
            std::io::ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, "This is not shown"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "This cannot be read"),
        };
        Self { status, what, why: error.to_string() }
    }
}

/// Its page.
pub(crate) fn failure(failure: &Failure) -> Document {
    let mut header = Html::default();
    header.raw("<h1>").raw(failure.what).raw("</h1>\n<p class=\"lead\">").name(&failure.why).raw("</p>\n");
    document(failure.what.to_owned(), false, &ways(|_| {}), &header, &Html::default())
}

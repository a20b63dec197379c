//! What surrounds the report where it is served.

use super::markup::Html;

/// What a server adds to the report. A file has none of it.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Before everything else: ways to other pages.
    pub above: Html,
    /// First of the results.
    pub top: Html,
    /// Further sheets.
    pub styles: Vec<&'static str>,
    /// Further scripts.
    pub scripts: Vec<&'static str>,
}

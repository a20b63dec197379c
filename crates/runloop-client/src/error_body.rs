//! Reads what a server says beside an error status: JSON, text, a proxy's HTML page, nothing, or too much.

use std::borrow::Cow;

use serde_json::Value;

/// Of an error body, this much is read.
pub(crate) const LONGEST_BODY: usize = 64 * 1024;

/// Of a message, this many characters are kept.
const LONGEST_MESSAGE: usize = 500;

/// What an error body says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ErrorText {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

/// Finds the message and code in a body; `reason` stands in for an empty one.
pub(crate) fn read(body: &str, status: u16, reason: &str) -> ErrorText {
    let text = body.trim();
    if text.is_empty() {
        return ErrorText { code: None, message: reason.to_owned() };
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => {
            // Some services wrap it all in `error`.
            let inner = match map.get("error") {
                Some(Value::Object(inner)) => inner,
                _ => &map,
            };
            let message = ["message", "error", "detail", "title"]
                .iter()
                .find_map(|key| inner.get(*key).and_then(Value::as_str).filter(|text| !text.is_empty()));
            let code = match inner.get("code") {
                Some(Value::String(code)) => Some(code.clone()),
                Some(Value::Number(code)) => Some(code.to_string()),
                _ => None,
            };
            ErrorText {
                code: code.filter(|code| *code != status.to_string()),
                message: shorten(message.unwrap_or(text)),
            }
        }
        Ok(Value::String(message)) => ErrorText { code: None, message: shorten(&message) },
        _ => ErrorText { code: None, message: html_title(text).unwrap_or_else(|| shorten(text)) },
    }
}

/// A proxy's error page says little beyond its title.
fn html_title(text: &str) -> Option<String> {
    if !text.starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let begin = lower.find("<title>")? + "<title>".len();
    let end = begin + lower.get(begin..)?.find("</title>")?;
    let title = text.get(begin..end)?.trim();
    (!title.is_empty()).then(|| shorten(title))
}

fn shorten(text: &str) -> String {
    let text = &without_queries(text.trim());
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.clone().into_owned(),
    }
}

/// Cuts the queries off URLs: a presigned one is a credential.
fn without_queries(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let words = text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'));
    let cut = |word: &str| match (word.find("://"), word.find('?')) {
        (Some(scheme), Some(query)) if scheme < query => {
            let end =
                word.chars().next_back().filter(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'));
            format!("{}?...{}", &word[..query], end.map(String::from).unwrap_or_default())
        }
        _ => word.to_owned(),
    };
    Cow::Owned(words.map(cut).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> String {
        read(body, 500, "Internal Server Error").message
    }

    #[test]
    fn json_bodies_give_their_message_and_code() {
        let said = read(r#"{"code": "quota_reached", "message": "no more devboxes"}"#, 403, "Forbidden");
        assert_eq!(
            said,
            ErrorText { code: Some("quota_reached".into()), message: "no more devboxes".into() }
        );
        assert_eq!(read(r#"{"code": 403, "message": "no"}"#, 403, "").code, None);
        assert_eq!(read(r#"{"code": 7, "message": "no"}"#, 403, "").code, Some("7".into()));
        assert_eq!(message(r#"{"error": {"message": "inner"}}"#), "inner");
        assert_eq!(message(r#"{"error": "flat"}"#), "flat");
        assert_eq!(message(r#"{"detail": "d"}"#), "d");
        assert_eq!(message(r#""just text""#), "just text");
        assert_eq!(message(r#"{"odd": 1}"#), r#"{"odd": 1}"#);
        assert_eq!(message(r#"[1]"#), "[1]");
    }

    #[test]
    fn text_html_and_nothing() {
        assert_eq!(message("  upstream died\n"), "upstream died");
        assert_eq!(message("<HTML><head><TITLE> 502 Bad Gateway </TITLE></head>..."), "502 Bad Gateway");
        assert_eq!(message("<p>no title</p>"), "<p>no title</p>");
        assert_eq!(message(" \n"), "Internal Server Error");
    }

    #[test]
    fn huge_messages_are_cut_at_a_character() {
        let cut = message(&"ä".repeat(100_000));
        assert_eq!(cut.chars().count(), LONGEST_MESSAGE + 3);
    }

    #[test]
    fn the_queries_of_urls_are_cut_off() {
        assert_eq!(
            message(r#"{"message": "cannot read \"https://s3.example/a?X-Sig=hunter2\": why? gone"}"#),
            "cannot read \"https://s3.example/a?...\": why? gone"
        );
        assert_eq!(
            message("see https://example.com/x?a=b\nfor more"),
            "see https://example.com/x?...\nfor more"
        );
        assert_eq!(message("what? see http://example.com/"), "what? see http://example.com/");
    }
}

//! The trajectory of an agent that prints its steps as lines of JSON, as most can be told to.
//!
//! There is no format that they share. What they have in common is enough: a word for what a step is (`type`, `role`), and
//! text, commands and their outputs under a few names, however deep. What is not understood is shown as it is.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::text::{cut, one_line};

use super::excerpt::Excerpt;
use super::markup::Html;

/// Deepest objects that are looked into.
const DEPTH: usize = 6;

/// Characters of a step of which nothing is understood.
const UNKNOWN: usize = 400;

/// Bytes of the page that a step costs beside its text.
pub(crate) const LINE: usize = 40;

/// Fields whose content is for readers, in the order in which it is shown.
const TEXTS: [&str; 17] = [
    "message",
    "item",
    "content",
    "thinking",
    "text",
    "command",
    "name",
    "input",
    "arguments",
    "parameters",
    "output",
    "aggregated_output",
    "observation",
    "delta",
    "result",
    "response",
    "error",
];

/// Fields whose objects are shown as JSON: what a tool is called with.
const VERBATIM: [&str; 3] = ["input", "arguments", "parameters"];

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    kind: String,
    text: String,
    /// Where the cut of the excerpt is behind it.
    cut: bool,
}

/// The steps in an excerpt; `None` if it is not lines of JSON. A line that was cut through is none of them.
pub(crate) fn read(excerpt: &Excerpt) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut others = 0;
    for (part, is_head) in [(&excerpt.head, true), (&excerpt.tail, false)] {
        for line in part.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str::<Value>(line) {
                Ok(Value::Object(object)) => steps.push(step(&object)),
                _ => others += 1,
            }
        }
        if let (true, Some(last)) = (is_head && excerpt.cut > 0, steps.last_mut()) {
            last.cut = true;
        }
    }
    (steps.len() > 1 && others * 10 <= steps.len()).then_some(steps)
}

/// Writes them as a list.
pub(crate) fn write(steps: &[Step], excerpt: &Excerpt, path: &str, html: &mut Html) {
    html.raw("<ol class=\"steps\" tabindex=\"0\" aria-label=\"Steps of the agent\">\n");
    for step in steps {
        html.raw("<li><b>").text(&step.kind).raw("</b> <span>").text(&step.text).raw("</span>");
        if step.cut {
            excerpt.cut_line(Some(path), html);
        }
        html.raw("</li>\n");
    }
    html.raw("</ol>\n");
}

fn step(object: &Map<String, Value>) -> Step {
    let word = |object: &Map<String, Value>| {
        let words = ["type", "role", "event", "kind"].iter().find_map(|key| object.get(*key)?.as_str());
        words.map(|word| one_line(word, 40))
    };
    // What it is about says more than that something happened to it.
    let inner = object.get("item").and_then(Value::as_object).and_then(word);
    let kind = inner.or_else(|| word(object)).unwrap_or_else(|| "step".to_owned());
    let mut text = String::new();
    collect(object, DEPTH, &mut text);
    if text.trim().is_empty() {
        text = cut(&Value::Object(object.clone()).to_string(), UNKNOWN);
    }
    Step { kind, text: text.trim().to_owned(), cut: false }
}

fn collect(object: &Map<String, Value>, depth: usize, text: &mut String) {
    for key in TEXTS {
        if let Some(value) = object.get(key) {
            take(key, value, depth, text);
        }
    }
}

fn take(key: &str, value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::String(line) => {
            let _ = writeln!(text, "{line}");
        }
        Value::Object(_) | Value::Array(_) if VERBATIM.contains(&key) => {
            let _ = writeln!(text, "{value}");
        }
        Value::Object(object) if depth > 0 => collect(object, depth - 1, text),
        Value::Array(items) if depth > 0 => items.iter().for_each(|item| take(key, item, depth - 1, text)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Option<Vec<(String, String)>> {
        let excerpt = Excerpt { head: text.to_owned(), ..Excerpt::default() };
        Some(read(&excerpt)?.into_iter().map(|step| (step.kind, step.text)).collect())
    }

    fn told(text: &str) -> Vec<(String, String)> {
        read_text(text).expect("lines of JSON")
    }

    fn is(kind: &str, text: &str) -> (String, String) {
        (kind.to_owned(), text.to_owned())
    }

    #[test]
    fn messages_tools_and_their_results_are_told() {
        let text = r#"{"type":"system","subtype":"init","cwd":"/home/user"}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","name":"Bash","input":{"command":"ls"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"a.py\nb.py"}]}}
{"type":"result","subtype":"success","result":"Done.","total_cost_usd":0.1}
"#;
        let expected = [
            is("system", r#"{"type":"system","subtype":"init","cwd":"/home/user"}"#),
            is("assistant", "I look.\nBash\n{\"command\":\"ls\"}"),
            is("user", "a.py\nb.py"),
            is("result", "Done."),
        ];
        assert_eq!(told(text), expected);
    }

    #[test]
    fn what_happened_to_an_item_is_told_by_the_item() {
        let text = r#"{"type":"thread.started","thread_id":"1"}
{"type":"item.completed","item":{"id":"0","type":"command_execution","command":"make","aggregated_output":"ok\n","exit_code":0}}
{"type":"turn.completed","usage":{"input_tokens":1}}
"#;
        assert_eq!(told(text)[1], is("command_execution", "make\nok"));
        assert_eq!(told(text)[2].0, "turn.completed");
    }

    #[test]
    fn other_text_is_left_as_it_is() {
        assert_eq!(read_text("reading a.py\nwriting b.py\n"), None);
        assert_eq!(read_text("{\"one\": 1}\n"), None, "a single document is no trajectory");
        assert_eq!(read_text("1\n2\n3\n"), None);
        assert_eq!(read_text(""), None);
        let deep = format!("{}1{}", "{\"content\":".repeat(100), "}".repeat(100));
        assert_eq!(told(&format!("{deep}\n{deep}\n")).len(), 2);
    }

    #[test]
    fn small_steps_cost_no_more_than_they_may() {
        let excerpt = Excerpt { head: "{}\n".repeat(100), ..Excerpt::default() };
        let mut html = Html::default();
        write(&read(&excerpt).expect("steps"), &excerpt, "a", &mut html);
        let (frame, each) = (100, "{}\n".len() + LINE);
        assert!(html.as_str().len() <= frame + 100 * each, "{}", html.as_str().len());
    }
}

//! What an agent says it used: tokens and money, from a file that it leaves.

use std::time::Duration;

use eval_builder::UsageFile;
use eval_record::Usage;
use runloop_types::DevboxId;
use serde_json::Value;

use crate::platform::Platform;
use crate::session::Session;
use crate::shell::quote;

/// For reading the file.
const TIME: Duration = Duration::from_secs(10);

/// Bytes of the file's end that are looked at.
const LIMIT: usize = 1 << 20;

impl<P: Platform> Session<P> {
    /// Reads what an agent left, while its devbox still runs. Whatever goes wrong with that is an absent value and nobody's
    /// failure: it is the agent's own word and no part of the verdict.
    pub(crate) async fn usage(&self, devbox: &DevboxId, directory: &str, file: &UsageFile) -> Option<Usage> {
        let path = match file.path.strip_prefix("~/") {
            Some(rest) => format!("\"$HOME\"/{}", quote(rest)),
            None => quote(&file.path),
        };
        let line = format!("{}[ -f {path} ] && tail -c {LIMIT} <{path}", crate::shell::enter(directory));
        let ended = self.command(devbox, line, TIME, 2 * LIMIT).await;
        match ended {
            Ok(ended) => read(&ended.stdout.text(), file),
            Err(error) => {
                tracing::warn!(%devbox, %error, "cannot read what the agent used");
                None
            }
        }
    }
}

/// The values in a JSON file, or in lines of JSON: of each, the last one there is. `None` without any.
fn read(text: &str, file: &UsageFile) -> Option<Usage> {
    let documents: Vec<Value> = match serde_json::from_str(text) {
        Ok(document) => vec![document],
        Err(_) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    };
    let find = |pointer: &Option<String>| {
        let pointer = pointer.as_ref()?;
        documents.iter().rev().find_map(|document| document.pointer(pointer)).cloned()
    };
    let count = |pointer: &Option<String>| find(pointer)?.as_u64();
    let amount = |pointer: &Option<String>| find(pointer)?.as_f64().filter(|amount| *amount >= 0.0);
    let usage = Usage {
        input_tokens: count(&file.input_tokens),
        output_tokens: count(&file.output_tokens),
        cost_usd: amount(&file.cost_usd),
    };
    (usage != Usage::default()).then_some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> UsageFile {
        UsageFile {
            path: "usage.json".to_owned(),
            input_tokens: Some("/usage/in".to_owned()),
            output_tokens: Some("/usage/out".to_owned()),
            cost_usd: Some("/cost".to_owned()),
        }
    }

    #[test]
    fn values_are_where_the_pointers_point() {
        let usage = read(r#"{ "usage": { "in": 1200, "out": 30 }, "cost": 0.25 }"#, &file());
        let expected = Usage { input_tokens: Some(1200), output_tokens: Some(30), cost_usd: Some(0.25) };
        assert_eq!(usage, Some(expected));
    }

    #[test]
    fn of_lines_the_last_one_counts_that_has_the_value() {
        let text =
            "d\": 1}\n{\"usage\":{\"in\":1}}\nnoise\n{\"usage\":{\"in\":5,\"out\":2}}\n{\"type\":\"end\"}\n";
        let expected = Usage { input_tokens: Some(5), output_tokens: Some(2), cost_usd: None };
        assert_eq!(read(text, &file()), Some(expected));
    }

    #[test]
    fn what_is_no_number_of_its_kind_is_absent() {
        assert_eq!(read(r#"{ "usage": { "in": -1, "out": "many" }, "cost": -2 }"#, &file()), None);
        assert_eq!(read(r#"{ "usage": { "in": 1.5 }, "cost": null }"#, &file()), None);
        assert_eq!(read("", &file()), None);
        assert_eq!(read("[]", &file()), None);
    }
}

//! `custom_scorer`: the registered script, with its parameters in `RL_SCORER_CONTEXT`.

use std::time::Duration;

use serde_json::Value;

use crate::bound::quoted;
use crate::finding::Finding;
use crate::python::PythonScript;
use crate::{CustomScript, ScriptLanguage, Workspace, bash, python};

/// Longest context: Linux allows 128 KiB for one variable.
const CONTEXT_LIMIT: usize = 96 * 1024;

/// Runs the script as a scorer of its language. The context is the parameters as JSON, `{}` without any.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    kind: &str,
    script: Option<&CustomScript>,
    params: Option<&Value>,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    let Some(script) = script else {
        let message = format!(
            "no custom scorer {} is registered: register it, or give its script with `use`",
            quoted(kind)
        );
        return Ok(Finding::error(message));
    };
    let context = match params {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(params) => params.to_string(),
    };
    if context.len() > CONTEXT_LIMIT {
        let message = format!(
            "the parameters of {} take {} bytes as JSON, and {CONTEXT_LIMIT} is the most: put large data into a file of the environment",
            quoted(kind),
            context.len()
        );
        return Ok(Finding::error(message));
    }
    let env = vec![("RL_SCORER_CONTEXT".to_owned(), context)];
    match script.language {
        ScriptLanguage::Bash => bash::score(workspace, &script.text, env, timeout).await,
        ScriptLanguage::Python => {
            let script = PythonScript { text: &script.text, version_constraint: None, requirements: None };
            python::score(workspace, script, env, timeout).await
        }
    }
}

//! Hands a script to an interpreter in a way that leaves nothing behind for anyone to find or change.

use std::time::Duration;

use uuid::Uuid;

use crate::{Command, Output, Workspace};

/// Longest script that travels in a variable. Linux allows 128 KiB for one, and a workspace may wrap it.
const INLINE_LIMIT: usize = 64 * 1024;

/// The variable that carries a script; it is unset before the script runs.
const SCRIPT_VARIABLE: &str = "RL_SCORER_SCRIPT";

/// Environment of every command of a scorer: an empty `BASH_ENV` keeps bash from reading a file first.
pub(crate) fn quiet_environment() -> Vec<(String, String)> {
    vec![("BASH_ENV".to_owned(), String::new())]
}

/// Runs a script with an interpreter (`bash`, `python3 -I`) that takes `-c TEXT` or a file.
///
/// Short scripts go in the environment and never touch the disk. Long ones are written to a path that nobody can know
/// beforehand, opened, and removed before the interpreter starts, so that neither the script's own children nor a
/// timeout leave it there. Standard input is empty.
pub(crate) async fn run_script<W: Workspace>(
    workspace: &W,
    interpreter: &str,
    text: &str,
    extra_env: Vec<(String, String)>,
    timeout: Duration,
) -> Result<Output, W::Error> {
    let mut env = quiet_environment();
    env.extend(extra_env);
    let line = if text.len() <= INLINE_LIMIT && !text.contains('\0') {
        env.push((SCRIPT_VARIABLE.to_owned(), text.to_owned()));
        format!(
            "_script=${SCRIPT_VARIABLE}; unset {SCRIPT_VARIABLE}; exec {interpreter} -c \"$_script\" </dev/null"
        )
    } else {
        let path = fresh_path();
        workspace.write(&path, text.as_bytes()).await?;
        format!("exec 9<{path} || exit 125; rm -f -- {path}; exec {interpreter} /dev/fd/9 </dev/null")
    };
    workspace.exec(&Command { line, env, timeout }).await
}

/// An absolute path that nothing stands at; safe in a shell without quotes.
pub(crate) fn fresh_path() -> String {
    format!("/tmp/.scorer-{}", Uuid::new_v4().simple())
}

/// A text as one word of a bash command line.
pub(crate) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_survive_quoting() {
        assert_eq!(shell_quoted("it's; rm -rf $HOME"), r"'it'\''s; rm -rf $HOME'");
    }

    #[test]
    fn fresh_paths_differ() {
        assert_ne!(fresh_path(), fresh_path());
    }
}

//! What the simulated world is like.

use std::path::Path;

use serde::Deserialize;

use crate::span::Span;

/// What the simulated world is like. All of it may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Seed of everything random.
    pub seed: u64,
    /// How long things take.
    pub times: Times,
    /// Share of devboxes, 0 to 1, that fail by themselves at some moment of their first [`Times::life`].
    pub deaths: f64,
    /// What commands do that do not say it themselves; the first that fits.
    pub commands: Vec<Rule>,
    /// Devboxes that may live at once; another one is refused with 429.
    pub most_devboxes: Option<usize>,
}

/// How long things take; nothing takes any time unless it says so.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// From the request for a devbox until it runs.
    pub create: Span,
    /// A command that says nothing else.
    pub exec: Span,
    /// To suspend a devbox.
    pub suspend: Span,
    /// To resume one.
    pub resume: Span,
    /// To take a snapshot.
    pub snapshot: Span,
    /// How long a devbox lives that dies by itself, from the request for it.
    pub life: Span,
}

impl Default for Times {
    fn default() -> Self {
        let none = Span::NONE;
        Self { create: none, exec: none, suspend: none, resume: none, snapshot: none, life: none }
    }
}

/// What commands do that hold some text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The text.
    pub has: String,
    /// The words that could stand in a command after `# sim:`.
    pub does: String,
}

/// A script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file makes no sense.
    #[error("the script {path} is not understood: {message}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, with line and column.
        message: String,
    },
}

impl Script {
    /// Reads a script from a YAML file.
    ///
    /// # Errors
    /// When the file cannot be read, or says what no script says.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScriptError::Read { path: shown.clone(), source })?;
        serde_yaml::from_str(&text)
            .map_err(|error| ScriptError::Malformed { path: shown, message: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_script_says_what_it_wants_to() {
        let script: Script = serde_yaml::from_str(
            "seed: 7\ntimes: { create: ~50ms, exec: 1ms..2ms }\ndeaths: 0.01\n\
             commands: [{ has: collect, does: 'exit=3 out=nothing' }]\n",
        )
        .unwrap();
        assert_eq!((script.seed, script.deaths), (7, 0.01));
        assert_eq!(script.times.create, Span::About(Duration::from_millis(50)));
        assert_eq!(script.times.suspend, Span::NONE);
        assert_eq!(script.commands[0].does, "exit=3 out=nothing");
        assert!(serde_yaml::from_str::<Script>("sed: 7").is_err());
    }
}

//! What this harness adds to a scorer of the API, which has no field for it. Not on the wire.

/// Whether an ast-grep match is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expect {
    /// A match scores 1.
    #[default]
    Present,
    /// No match scores 1.
    Absent,
}

/// Where the share of passed tests is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassRate {
    /// TAP on standard output.
    Tap,
    /// A JUnit XML file that the command writes, relative to the working directory. What is there beforehand is removed.
    Junit(String),
}

/// The script of a custom scorer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomScript {
    /// What it is written in.
    pub language: ScriptLanguage,
    /// Its text.
    pub text: String,
}

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptLanguage {
    /// bash.
    Bash,
    /// Python 3.
    Python,
}

impl CustomScript {
    /// The script as the API registers it: in bash. A Python script becomes one that prints `score=` and the last
    /// number that the Python script printed.
    pub fn as_bash(&self) -> String {
        match self.language {
            ScriptLanguage::Bash => self.text.clone(),
            ScriptLanguage::Python => python_in_bash(&self.text),
        }
    }
}

fn python_in_bash(text: &str) -> String {
    let mut marker = "PYTHON_SCRIPT".to_owned();
    while text.lines().any(|line| line == marker) {
        marker.push('_');
    }
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    format!(
        "#!/usr/bin/env bash\n\
         set -o pipefail\n\
         output=$(python3 /dev/fd/3 3<<'{marker}'\n\
         {text}{newline}{marker}\n\
         ) || exit\n\
         printf '%s\\n' \"$output\"\n\
         printf 'score=%s\\n' \"$(printf '%s\\n' \"$output\" | grep -oE '[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?' | tail -n 1)\"\n"
    )
}

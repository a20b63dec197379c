//! What an example says it prints.

use std::path::Path;

use libtest_mimic::Failed;

/// Stands in documented output for text that differs from run to run: ids, times. At least one character.
const ANYTHING: char = '…';

/// The `text` block of an example's documentation.
pub(crate) struct Documented {
    /// Its first line: how the example is run.
    pub(crate) command: String,
    lines: Vec<String>,
}

impl Documented {
    /// Reads the first block.
    pub(crate) fn read(path: &Path) -> Result<Self, Failed> {
        let source = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut block = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .skip_while(|line| *line != "```text")
            .skip(1)
            .take_while(|line| *line != "```")
            .map(str::to_owned);
        let command = block.next().ok_or_else(|| format!("{} shows no output", path.display()))?;
        let lines: Vec<_> = block.collect();
        if lines.is_empty() {
            return Err(format!("{} shows no output", path.display()).into());
        }
        Ok(Self { command, lines })
    }

    /// Compares line by line.
    pub(crate) fn compare(&self, said: &str) -> Result<(), Failed> {
        let said: Vec<_> = said.lines().collect();
        let same = said.len() == self.lines.len()
            && self.lines.iter().zip(&said).all(|(pattern, line)| matches(pattern, line));
        if same {
            return Ok(());
        }
        let wanted = self.lines.join("\n");
        Err(format!("--- it is documented to print\n{wanted}\n--- it printed\n{}", said.join("\n")).into())
    }
}

fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        // One character at least stands for what differs.
        let Some(least) = rest.chars().next().map(char::len_utf8) else { return false };
        if parts.peek().is_none() {
            return rest[least..].ends_with(part);
        }
        let Some(at) = rest[least..].find(part) else { return false };
        rest = &rest[least + at + part.len()..];
    }
    true
}

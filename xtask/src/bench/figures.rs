//! The rows at the sandbox's own interface, printed by its example, and read for comparison.

use super::cargo;

/// What the example printed.
pub(super) struct Figures(String);

impl Figures {
    /// Runs the example and prints what it says.
    pub(super) fn measure() -> Result<Self, String> {
        let output = cargo()
            .args(["run", "--quiet", "--release", "--locked", "--package", "runloop-sandbox"])
            .args(["--example", "figures"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("## The sandbox's own interface\n\n```text\n{text}```\n");
        if output.status.success() { Ok(Self(text)) } else { Err("the sandbox's figures failed".into()) }
    }

    /// The median of a row in milliseconds.
    pub(super) fn median(&self, operation: &str) -> Option<f64> {
        self.0.lines().find_map(|line| {
            let rest = line.strip_prefix(operation)?;
            // The name is padded, so that what follows another name is no number.
            rest.starts_with(' ').then(|| rest.split_whitespace().next()?.parse().ok())?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_whole_name() {
        let figures = Figures("fork and more        9.00  9.50\nfork       3.20      4.10      3.0\n".into());
        assert_eq!(figures.median("fork"), Some(3.2));
        assert_eq!(figures.median("fork and more"), Some(9.0));
        assert_eq!(figures.median("for"), None);
    }
}

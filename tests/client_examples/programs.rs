//! The compiled examples.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Compiled examples that are no older than what they are made of.
pub(crate) struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Those beside the program under test; compiled, all at once, if one is missing or outdated.
    ///
    /// `cargo test` of the whole workspace has compiled them; one that selects this test alone has not.
    pub(crate) fn fresh(names: &[&str]) -> Result<Self, String> {
        let profile =
            Path::new(env!("CARGO_BIN_EXE_runloop-eval")).parent().ok_or("the program is nowhere")?;
        let programs = Self { directory: profile.join("examples") };
        let outdated: Vec<_> = names.iter().filter(|name| !programs.is_fresh(name)).collect();
        if !outdated.is_empty() {
            println!("{} of {} examples are compiled first", outdated.len(), names.len());
            compile(profile)?;
            if let Some(name) = names.iter().find(|name| !programs.path(name).is_file()) {
                return Err(format!("{} was not compiled", programs.path(name).display()));
            }
        }
        Ok(programs)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Whether a program exists and is younger than every file that it was compiled from, which the compiler notes beside
    /// it.
    fn is_fresh(&self, name: &str) -> bool {
        let Some(made) = modified(&self.path(name)) else { return false };
        let Ok(note) = std::fs::read_to_string(self.directory.join(format!("{name}.d"))) else {
            return false;
        };
        let Some((_, sources)) = note.lines().next().and_then(|line| line.split_once(": ")) else {
            return false;
        };
        // Spaces in paths are escaped; such paths are not found, and the program counts as outdated.
        let mut sources = sources.split_whitespace().map(Path::new).peekable();
        sources.peek().is_some() && sources.all(|source| modified(source).is_some_and(|time| time <= made))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn compile(profile: &Path) -> Result<(), String> {
    let target = profile.parent().ok_or("the target directory is nowhere")?;
    let name = profile.file_name().and_then(|name| name.to_str()).ok_or("a profile without a name")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "-p", "runloop-client", "--examples", "--offline", "--quiet", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        // The directory of the profile `dev` has another name.
        .args(["--profile", if name == "debug" { "dev" } else { name }, "--target-dir"])
        .arg(target)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the examples do not compile:\n{}", String::from_utf8_lossy(&output.stderr)))
}

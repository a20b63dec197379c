//! What a submission must pass. All steps share one build directory and one set of features.

use std::process::Command;
use std::time::Instant;

/// Each step with its environment on top of ours. Formatting first, because it is instant; tests before docs, because
/// they say more.
const STEPS: [(&str, &[&str], &[(&str, &str)]); 4] = [
    ("formatting", &["fmt", "--all", "--check"], &[]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[]),
    ("tests", &["test", "--workspace", "--locked"], &[]),
    ("docs", &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")]),
];

/// Runs every step, also after one failed, so that one push shows everything.
pub(crate) fn run() -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut failed = Vec::new();
    let mut times = Vec::new();
    for (name, args, env) in STEPS {
        println!("==> {name}: cargo {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new(&cargo)
            .args(args)
            .envs(env.iter().copied())
            .status()
            .map_err(|error| format!("cannot start {cargo}: {error}"))?;
        times.push(format!("{name} {} s", start.elapsed().as_secs()));
        if !status.success() {
            failed.push(name);
        }
    }
    println!("==> {}", times.join(", "));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

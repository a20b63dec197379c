//! What a submission must pass. All steps share one build directory and one set of features.

use std::process::Command;
use std::time::Instant;

/// A call of cargo.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
}

/// Formatting first, because it is instant; tests before docs, because they say more.
const STEPS: [Step; 4] = [
    Step { name: "formatting", args: &["fmt", "--all", "--check"] },
    Step {
        name: "lints",
        args: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    },
    Step { name: "tests", args: &["test", "--workspace", "--locked"] },
    Step { name: "docs", args: &["doc", "--workspace", "--no-deps", "--locked"] },
];

/// Runs every step, also after one failed, so that one push shows everything.
pub(crate) fn run() -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut failed = Vec::new();
    let mut times = Vec::new();
    for Step { name, args } in STEPS {
        println!("==> {name}: cargo {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new(&cargo)
            .args(args)
            .env("RUSTDOCFLAGS", "-D warnings")
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

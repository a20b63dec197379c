//! What a submission must pass. All steps share one build directory and one set of features.

use std::process::Command;
use std::time::Instant;

/// A call of cargo.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    /// An exit code besides 0 that is said aloud and goes on.
    tolerated: Option<i32>,
}

/// `runloop-eval validate` where a scenario has no verdict, as on a machine without `make`. The tests make sure that
/// nothing but an absent program causes that.
const INCOMPLETE: i32 = 3;

/// Formatting first, because it is instant; tests before docs, because they say more; the controls of the shipped
/// benchmark last, because they take longest and change least.
const STEPS: [Step; 5] = [
    Step { name: "formatting", args: &["fmt", "--all", "--check"], tolerated: None },
    Step {
        name: "lints",
        args: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        tolerated: None,
    },
    Step { name: "tests", args: &["test", "--workspace", "--locked"], tolerated: None },
    Step { name: "docs", args: &["doc", "--workspace", "--no-deps", "--locked"], tolerated: None },
    Step {
        name: "benchmark",
        args: &["run", "--quiet", "--locked", "--", "validate", "--quiet", "benchmarks/swe.yaml"],
        tolerated: Some(INCOMPLETE),
    },
];

/// Runs every step, also after one failed, so that one push shows everything.
pub(crate) fn run() -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut failed = Vec::new();
    let mut times = Vec::new();
    for Step { name, args, tolerated } in STEPS {
        println!("==> {name}: cargo {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new(&cargo)
            .args(args)
            .env("RUSTDOCFLAGS", "-D warnings")
            .status()
            .map_err(|error| format!("cannot start {cargo}: {error}"))?;
        times.push(format!("{name} {} s", start.elapsed().as_secs()));
        if tolerated.is_some() && status.code() == tolerated {
            println!("==> {name}: INCOMPLETE, see above for what this machine lacks");
        } else if !status.success() {
            failed.push(name);
        }
    }
    println!("==> {}", times.join(", "));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

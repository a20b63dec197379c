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
    Step { name: "tests", args: &["test", "--workspace", "--locked", "--no-fail-fast"], tolerated: None },
    Step {
        name: "docs",
        args: &["doc", "--workspace", "--no-deps", "--locked", "--keep-going"],
        tolerated: None,
    },
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
    println!("==> oldest Rust");
    match oldest_rust(&cargo) {
        Ok(said) => println!("==> oldest Rust: {said}"),
        Err(said) => {
            println!("==> oldest Rust: {said}");
            failed.push("oldest Rust");
        }
    }
    println!("==> {}", times.join(", "));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Whether the oldest Rust that the manifest promises builds everything. The steps above have shown it where that is the
/// Rust they ran on; otherwise it has to be installed.
fn oldest_rust(cargo: &str) -> Result<String, String> {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    let version = |args: &[&str]| {
        let output = Command::new(cargo).args(args).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let same = |text: &str| text.split(' ').nth(1).is_some_and(|number| number.starts_with(oldest));
    let used = version(&["--version"]).unwrap_or_default();
    if same(&used) {
        return Ok(format!("{} is what ran above", used.trim()));
    }
    // With rustup, cargo is a proxy that takes the toolchain as its first argument, if it is the one in the PATH.
    let toolchain = format!("+{oldest}");
    let installed = Command::new("cargo").args([&toolchain, "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return Ok(format!("SKIPPED, Rust {oldest} is not installed (rustup toolchain install {oldest})"));
    }
    let status = Command::new("cargo")
        .env_remove("RUSTUP_TOOLCHAIN")
        .args([&toolchain, "check", "--workspace", "--locked", "--target-dir", "target/oldest-rust"])
        .status()
        .map_err(|error| format!("cannot start cargo {toolchain}: {error}"))?;
    if status.success() {
        Ok(format!("{oldest} builds it"))
    } else {
        Err(format!("{oldest} does not build it"))
    }
}

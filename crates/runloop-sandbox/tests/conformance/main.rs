//! The same cases on every driver that works on this machine.
//!
//! The binary is its own helper: it calls `runloop_sandbox::init` first. Run by root it also runs the cases of the
//! user driver, each in a child that is an ordinary user. What cannot run here is listed as ignored, with the reason
//! in its name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a case fails")]

mod cases;
mod context;
mod limits;
mod outside;
mod snapshots;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use context::{Case, Context, DRIVERS, driver_name};
use libtest_mimic::{Arguments, Failed, Trial};
use runloop_sandbox::{DriverChoice, DriverKind, Sandbox, SandboxOptions};

/// An ordinary user that needs no account.
const NOBODY: u32 = 65534;

fn main() -> ExitCode {
    runloop_sandbox::init();
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("run-case") => {
            let [_, _, driver, name, directory] = &arguments[..] else { return ExitCode::from(2) };
            run_here(find(name), driver_of(driver), Path::new(directory));
            return ExitCode::SUCCESS;
        }
        Some("be-a-harness") => {
            let [_, _, driver, directory, marker] = &arguments[..] else { return ExitCode::from(2) };
            outside::be_a_harness(driver_of(driver), Path::new(directory), marker);
        }
        _ => {}
    }
    if std::env::var_os(outside::SECRET).is_none() {
        return with_secrets(&arguments[1..]);
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials()).exit_code()
}

/// Runs this program once more with something in its environment, and open as a file, that no box may see.
fn with_secrets(arguments: &[String]) -> ExitCode {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(outside::SECRET.as_bytes()).unwrap();
    file.rewind().unwrap();
    let program = std::env::current_exe().unwrap();
    let status = Command::new(program)
        .args(arguments)
        .env(outside::SECRET, outside::SECRET)
        .stdin(file)
        .status()
        .unwrap();
    ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

fn all() -> Vec<Case> {
    [cases::all(), snapshots::all(), limits::all(), outside::all()].concat()
}

fn find(name: &str) -> Case {
    all().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case {name}"))
}

fn driver_of(name: &str) -> DriverKind {
    DRIVERS.into_iter().find(|kind| driver_name(*kind) == name).unwrap_or_else(|| panic!("no driver {name}"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|status| status.uid() == 0)
}

/// Where state directories of the tests go: a file system that boxes' layers can live on.
fn scratch() -> tempfile::TempDir {
    let directory = tempfile::Builder::new().prefix("runloop-sandbox-").tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

/// How the cases of a driver are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By whoever runs the tests.
    Here,
    /// By root, in a child that is an ordinary user.
    AsNobody,
    /// By root, with a state directory that other users cannot reach.
    Closed,
}

/// Nobody else can pass the directory.
fn close(directory: &Path) {
    std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

fn trials() -> Vec<Trial> {
    let probed = scratch();
    let probe = Sandbox::probe(&options(probed.path(), DriverKind::Process));
    let program = Arc::new(Program::new());
    let mut trials = Vec::new();
    let mut suites: Vec<(DriverKind, Way)> = DRIVERS
        .iter()
        .map(|kind| match kind {
            DriverKind::NamespacesUser if is_root() => (*kind, Way::AsNobody),
            _ => (*kind, Way::Here),
        })
        .collect();
    if is_root() {
        suites.extend([(DriverKind::Process, Way::AsNobody), (DriverKind::Process, Way::Closed)]);
    }
    for (kind, way) in suites {
        let missing = match way {
            Way::AsNobody => program.missing.clone().filter(|_| kind == DriverKind::NamespacesUser),
            _ if probe.drivers.iter().all(|found| found.driver != kind) => Some(match kind {
                DriverKind::NamespacesRoot if !is_root() => "needs root".to_owned(),
                _ => "this machine refuses it, see the doctor".to_owned(),
            }),
            _ => None,
        };
        for case in all() {
            let own_user = is_root() && way != Way::AsNobody;
            let skip = missing.clone().or_else(|| (case.skip)(kind, own_user).map(str::to_owned));
            let how = match way {
                Way::AsNobody if kind == DriverKind::Process => "-by-a-user",
                Way::Closed => "-in-a-closed-directory",
                _ => "",
            };
            let name = format!("{}{how}::{}", driver_name(kind), case.name);
            let program = Arc::clone(&program);
            trials.push(match skip {
                Some(reason) => {
                    Trial::test(format!("{name} (skipped: {reason})"), || Ok(())).with_ignored_flag(true)
                }
                None if way == Way::AsNobody => {
                    Trial::test(name, move || run_as_nobody(&program, case, kind))
                }
                None => Trial::test(name, move || {
                    let directory = scratch();
                    if way == Way::Closed {
                        close(directory.path());
                    }
                    run_here(case, kind, directory.path());
                    Ok(())
                }),
            });
        }
    }
    trials
}

/// This test program, where an ordinary user can execute it.
struct Program {
    _directory: tempfile::TempDir,
    path: PathBuf,
    missing: Option<String>,
}

impl Program {
    fn new() -> Self {
        let directory = scratch();
        let path = directory.path().join("conformance");
        if is_root() {
            std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        }
        let mut program = Self { _directory: directory, path, missing: None };
        if is_root() {
            let state = scratch();
            let tried = program.as_nobody("the_driver_works", DriverKind::NamespacesUser, &state);
            if let Err(text) = tried {
                program.missing =
                    Some(format!("this machine refuses it: {}", text.lines().next().unwrap_or("")));
            }
        }
        program
    }

    fn as_nobody(&self, case: &str, kind: DriverKind, directory: &tempfile::TempDir) -> Result<(), String> {
        use std::os::unix::process::CommandExt;
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let output = Command::new(&self.path)
            .args(["run-case", driver_name(kind), case])
            .arg(directory.path())
            .current_dir("/")
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

fn run_as_nobody(program: &Program, case: Case, kind: DriverKind) -> Result<(), Failed> {
    let directory = scratch();
    program.as_nobody(case.name, kind, &directory).map_err(Failed::from)
}

fn run_here(case: Case, kind: DriverKind, directory: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let context = Context::open(kind, &directory.join("state")).await;
        (case.run)(Arc::clone(&context)).await;
        context.sandbox.close().await;
        // Whatever a case did: nothing of its boxes is left.
        assert_eq!(context.boxes_on_disk(), Vec::<String>::new());
    });
}

/// Options for a driver, whatever this machine is.
fn options(directory: &Path, kind: DriverKind) -> SandboxOptions {
    SandboxOptions {
        state_dir: directory.to_owned(),
        driver: DriverChoice::Only(kind),
        allow_weak: true,
        helper: None,
    }
}

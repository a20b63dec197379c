//! What every case gets, and the words it is written in.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use runloop_sandbox::{
    Base, BoxSpec, DriverKind, ExecSpec, ExitStatus, Limits, LinuxBox, Network, OpenMode, Process, Sandbox,
    Stdin, User,
};
use tokio::io::AsyncReadExt;

pub(crate) const DRIVERS: [DriverKind; 3] =
    [DriverKind::NamespacesRoot, DriverKind::NamespacesUser, DriverKind::Process];

pub(crate) fn driver_name(kind: DriverKind) -> &'static str {
    match kind {
        DriverKind::NamespacesRoot => "ns-root",
        DriverKind::NamespacesUser => "ns-user",
        DriverKind::Process => "process",
    }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Arc<Context>) -> Running,
    /// Why it says nothing about a driver, if so.
    pub(crate) skip: fn(DriverKind, bool) -> Option<&'static str>,
}

/// Lists async functions as cases, each with the drivers it is about.
macro_rules! cases {
    ($($skip:ident: $($name:ident),+ $(,)?;)+) => {
        pub(crate) fn all() -> Vec<$crate::context::Case> {
            vec![$($($crate::context::Case {
                name: stringify!($name),
                run: |context| Box::pin($name(context)),
                skip: $crate::context::$skip,
            },)+)+]
        }
    };
}
pub(crate) use cases;

pub(crate) fn everywhere(_: DriverKind, _: bool) -> Option<&'static str> {
    None
}

pub(crate) fn namespaces(kind: DriverKind, _: bool) -> Option<&'static str> {
    (kind == DriverKind::Process).then_some("the process driver has no private root")
}

pub(crate) fn shifted(kind: DriverKind, _: bool) -> Option<&'static str> {
    (kind != DriverKind::NamespacesRoot).then_some("about the ids of the root driver")
}

pub(crate) fn counted(kind: DriverKind, root: bool) -> Option<&'static str> {
    (kind == DriverKind::Process && !root).then_some("boxes of an ordinary user share its process count")
}

pub(crate) struct Context {
    pub(crate) kind: DriverKind,
    pub(crate) sandbox: Sandbox,
    pub(crate) state_dir: PathBuf,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Context {
    pub(crate) async fn open(kind: DriverKind, state_dir: &Path) -> Arc<Self> {
        let sandbox = Sandbox::open(crate::options(state_dir, kind)).await.unwrap();
        Arc::new(Self { kind, sandbox, state_dir: state_dir.to_owned() })
    }

    pub(crate) fn spec(&self) -> BoxSpec {
        BoxSpec {
            base: Base::Host,
            snapshot: None,
            network: Network::None,
            hostname: "devbox".into(),
            user: User::default(),
            env: Vec::new(),
            limits: Limits::default(),
            expose: Vec::new(),
        }
    }

    pub(crate) async fn new_box(&self) -> LinuxBox {
        self.sandbox.create(self.spec()).await.unwrap()
    }

    /// Directories of boxes that are still there.
    pub(crate) fn boxes_on_disk(&self) -> Vec<String> {
        names(&self.state_dir.join("boxes"))
    }

    pub(crate) fn layers_on_disk(&self) -> Vec<String> {
        names(&self.state_dir.join("layers"))
    }

    pub(crate) fn is_process(&self) -> bool {
        self.kind == DriverKind::Process
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn root() -> User {
    User { name: "root".into(), uid: 0, home: "/root".into() }
}

pub(crate) fn script(text: &str) -> ExecSpec {
    ExecSpec { argv: vec!["/bin/bash".into(), "-c".into(), text.into()], ..ExecSpec::default() }
}

pub(crate) fn words(argv: &[&str]) -> ExecSpec {
    ExecSpec { argv: argv.iter().map(OsString::from).collect(), ..ExecSpec::default() }
}

/// Reads a started command to its end.
pub(crate) async fn finish(mut process: Process) -> Said {
    let (mut stdout, mut stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (first, second) = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
    first.unwrap();
    second.unwrap();
    Said {
        status: process.wait().await.unwrap(),
        stdout: String::from_utf8_lossy(&out).into_owned(),
        stderr: String::from_utf8_lossy(&err).into_owned(),
    }
}

pub(crate) async fn run(linux_box: &LinuxBox, spec: ExecSpec) -> Said {
    finish(linux_box.exec(spec).await.unwrap()).await
}

/// Runs a script that has to succeed, and returns what it said.
pub(crate) async fn sh(linux_box: &LinuxBox, text: &str) -> String {
    let said = run(linux_box, script(text)).await;
    assert_eq!(said.status, ExitStatus::Exited(0), "{text}\n{}{}", said.stdout, said.stderr);
    said.stdout
}

/// Whether a script succeeds.
pub(crate) async fn succeeds(linux_box: &LinuxBox, text: &str) -> bool {
    run(linux_box, script(text)).await.status == ExitStatus::Exited(0)
}

/// Starts a script whose own process goes on; returns when it has printed a first line.
pub(crate) async fn background(linux_box: &LinuxBox, text: &str) -> (Process, String) {
    let mut process = linux_box.exec(script(text)).await.unwrap();
    let line = first_line(&mut process).await;
    (process, line)
}

pub(crate) async fn first_line(process: &mut Process) -> String {
    let stdout = process.stdout.as_mut().unwrap();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        if stdout.read(&mut byte).await.unwrap() == 0 {
            break;
        }
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

pub(crate) fn with_input(mut spec: ExecSpec) -> ExecSpec {
    spec.stdin = Stdin::Pipe;
    spec
}

pub(crate) fn as_root(mut spec: ExecSpec) -> ExecSpec {
    spec.user = Some(root());
    spec
}

pub(crate) async fn write(linux_box: &LinuxBox, path: &str, text: &str) {
    use std::io::Write;
    let mut file = linux_box.open(Path::new(path), OpenMode::Write { mode: 0o644 }).await.unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) async fn read(linux_box: &LinuxBox, path: &str) -> String {
    use std::io::Read;
    let mut file = linux_box.open(Path::new(path), OpenMode::Read).await.unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

/// Processes of the host whose command line or comm holds this text, other than this one.
pub(crate) fn processes_with(marker: &str) -> Vec<u32> {
    let own = std::process::id();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let harness = line.starts_with(b"be-a-harness") || contains(&line, b"be-a-harness");
            !harness && contains(&line, marker.as_bytes()) && !is_zombie(*pid)
        })
        .collect()
}

pub(crate) fn is_zombie(pid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A text that nothing else on this machine has in it.
pub(crate) fn marker(name: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    format!("marker-{name}-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Waits for something that has to happen, for as long as a loaded machine may take.
pub(crate) async fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while !happened() {
        assert!(tokio::time::Instant::now() < deadline, "{what} did not happen");
        tokio::task::yield_now().await;
    }
}

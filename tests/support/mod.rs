//! A place to write scenario files, run the real binary on them, and read what it says.

pub(crate) mod target;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_runloop-eval");

/// A private directory with its own state home; removed at the end.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
    user: Option<u32>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory"), user: None }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, with its parents.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("the directory can be made");
        std::fs::write(&path, content).expect("the file can be written");
        path
    }

    /// The program, in this directory, with nothing of the caller's environment but the path.
    pub(crate) fn command(&self) -> Command {
        let mut command = match self.user {
            None => Command::new(BINARY),
            Some(user) => {
                let mut command = Command::new("setpriv");
                let user = user.to_string();
                command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--", BINARY]);
                command
            }
        };
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .stdin(Stdio::null());
        command
    }

    /// Writes a benchmark of these scenarios.
    pub(crate) fn benchmark(&self, scenarios: &[Value]) -> PathBuf {
        self.write("scenarios/hidden/check.sh", "grep -q finished state.txt\n");
        for scenario in scenarios {
            let name = scenario["name"].as_str().expect("a name");
            self.write(&format!("scenarios/{name}.yaml"), &scenario.to_string());
        }
        self.write("benchmark.yaml", "name: benchmark\nscenarios: ['scenarios/*.yaml']\n")
    }

    /// Lets the attacker loose on these scenarios.
    pub(crate) fn attacked<I: AsRef<OsStr>>(
        &self,
        scenarios: &[Value],
        args: impl IntoIterator<Item = I>,
    ) -> Results {
        let file = self.benchmark(scenarios);
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        let always = ["--agent", ATTACKER, "-j", "4", "--retries", "0"].map(OsString::from);
        self.results(&file, always.into_iter().chain(args))
    }

    /// Gives the directory to a user who may do nothing, whom the program then runs as. `None` without root, who alone can
    /// do that: everything runs as an ordinary user then anyway.
    pub(crate) fn for_nobody(mut self) -> Option<Self> {
        const NOBODY: u32 = 65534;
        std::os::unix::fs::chown(self.directory.path(), Some(NOBODY), Some(NOBODY)).ok()?;
        let can_drop =
            Command::new("setpriv").arg("--version").output().is_ok_and(|output| output.status.success());
        self.user = can_drop.then_some(NOBODY);
        can_drop.then_some(self)
    }

    /// Platforms keep nothing once their run is over: no directory, no mount.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let local = self.path("state/runloop-eval/local");
        let left: Vec<_> =
            std::fs::read_dir(&local).map(|entries| entries.flatten().collect()).unwrap_or_default();
        assert!(left.is_empty(), "left in {}: {left:?}", local.display());
        let mounts = std::fs::read_to_string("/proc/mounts").expect("/proc/mounts");
        let place = self.directory.path().display().to_string();
        let left: Vec<_> = mounts.lines().filter(|line| line.contains(&place)).collect();
        assert!(left.is_empty(), "mounts are left: {left:?}");
    }

    /// Runs the program to its end.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Finished {
        let output = self.command().args(args).output().expect("the program starts");
        Finished { output }
    }

    /// Runs `run FILE --format json ARGS` and reads the results.
    pub(crate) fn results<I: AsRef<OsStr>>(&self, file: &Path, args: impl IntoIterator<Item = I>) -> Results {
        let output = self
            .command()
            .arg("run")
            .arg(file)
            .args(["--format", "json"])
            .args(args)
            .output()
            .expect("the program starts");
        let finished = Finished { output };
        let json = serde_json::from_str(&finished.stdout())
            .unwrap_or_else(|error| panic!("standard output is no JSON: {error}\n{finished}"));
        Results { finished, json }
    }
}

/// A scenario with a checkout of two files, whose agent does what `attack` says. It passes if a hidden test finds
/// `finished` in `state.txt`, unless `edit` changes that.
///
/// All attacks of a test are one run of [`ATTACKER`]: the attack is the problem statement.
pub(crate) fn attack(name: &str, verify: &str, attack: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let mut scenario = json!({
        "name": name,
        "problem_statement": format!("{{% raw %}}{attack}{{% endraw %}}"),
        "verify": verify,
        "agent_timeout": "20s",
        "environment": {
            "working_directory": "repo",
            "network": "none",
            "setup_commands": [
                "git init -q -b main && mkdir src venv && echo start > state.txt && echo a > src/a && echo /venv > .gitignore",
                "echo prepared > venv/tool && git add -A && git -c user.name=a -c user.email=a@b.c commit -q -m base",
            ],
        },
        "scorers": [{
            "name": "hidden", "weight": 1, "test_command": "sh hidden/check.sh",
            "test_files": [{ "source": "hidden/check.sh", "target": "hidden/check.sh" }],
        }],
    });
    edit(&mut scenario);
    scenario
}

/// The agent that does what its problem says.
pub(crate) const ATTACKER: &str = "command:eval \"$PROBLEM_STATEMENT\"";

/// Processes of this machine whose command line is `sleep` with this argument.
pub(crate) fn sleeping(argument: &str) -> Vec<u32> {
    let is_it = |line: &Vec<u8>| {
        let mut words = line.split(|byte| *byte == 0);
        words.next().is_some_and(|program| program.ends_with(b"sleep"))
            && words.any(|word| word == argument.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter(|entry| std::fs::read(entry.path().join("cmdline")).as_ref().is_ok_and(is_it))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Ends every `sleep` with this argument, so that whoever waits for it goes on.
pub(crate) fn wake(argument: &str) {
    sleeping(argument).into_iter().for_each(|pid| signal(pid, "TERM"));
}

/// Sends a signal, by its name without `SIG`, to one process.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill starts");
    assert!(status.success());
}

/// Waits, looking again and again, but not for ever.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that runs. It is killed if a test fails before its end.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().expect("the program starts")))
    }

    /// What it says, to be read by the caller; only once, and only if its command was given pipes.
    pub(crate) fn pipes(&mut self) -> (ChildStdout, ChildStderr) {
        let child = self.0.as_mut().expect("it runs");
        (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().expect("it runs").id()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Finished {
        let child = self.0.take().expect("it runs");
        Finished { output: child.wait_with_output().expect("it is ours") }
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program that has ended.
pub(crate) struct Finished {
    output: Output,
}

impl Finished {
    pub(crate) fn of(output: Output) -> Self {
        Self { output }
    }

    pub(crate) fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code(), self.stdout(), self.stderr())
    }
}

/// The results of a run.
pub(crate) struct Results {
    pub(crate) finished: Finished,
    pub(crate) json: Value,
}

impl Results {
    /// The only trial of a scenario.
    pub(crate) fn trial(&self, scenario: &str) -> &Value {
        let trials = self.json["trials"].as_array().expect("a list of trials");
        trials
            .iter()
            .find(|trial| trial["scenario"] == scenario)
            .unwrap_or_else(|| panic!("no trial of {scenario}\n{}", self.finished))
    }

    /// Asserts a valid verdict with this score.
    #[track_caller]
    pub(crate) fn assert_score(&self, scenario: &str, score: f64) {
        let trial = self.trial(scenario);
        assert_eq!(trial["state"], "scored", "{scenario}: {trial:#}\n{}", self.finished);
        assert_eq!(trial["score"], score, "{scenario}: {trial:#}\n{}", self.finished);
    }

    /// Asserts that there is no verdict, for this cause.
    #[track_caller]
    pub(crate) fn assert_invalid(&self, scenario: &str, cause: &str) {
        let trial = self.trial(scenario);
        assert_eq!(trial["state"], "invalid", "{scenario}: {trial:#}\n{}", self.finished);
        assert_eq!(trial["cause"], cause, "{scenario}: {trial:#}\n{}", self.finished);
        assert!(trial["score"].is_null(), "an invalid trial has no score: {trial:#}");
    }
}

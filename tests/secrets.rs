//! No way leads a secret out: not through what agents, scorers and commands print, nor through what is kept of it.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Bench, Finished, signal, wait_for};

/// With all that quoting, escaping and encoding change, and longer than a line of base64.
const TOKEN: &str =
    "tok/en+\"4711\"'<é&>%-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-end";

/// A key of several lines; each is one that nobody may read.
const KEY: &str = "-----BEGIN KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASC\nAT8wggE7AgEAAkEAq7BFUpkGp3+LQmlQ\n-----END KEY-----\n";

/// A variable that scenarios require.
const REQUIRED: &str = "required-value-31337";

/// A score that is a required variable's value as well.
const SCORE: &str = "0.375";

/// What must be nowhere: the values, and what programs make of them.
fn needles() -> Vec<Vec<u8>> {
    let mut all: Vec<String> = KEY.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
    let json = serde_json::to_string(TOKEN).expect("a text");
    all.extend([TOKEN, REQUIRED, "abcdefghijklmnopqrstuvwxyz", json.trim_matches('"')].map(str::to_owned));
    let hex = |text: &str| {
        text.bytes().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    };
    // Pieces from the middle of the encodings: they do not depend on how a program breaks lines or begins.
    all.extend([hex(&TOKEN[30..60]), "cmVxdWlyZWQtdmFsdWUt".to_owned(), "LUFCQ0RFRkdISUpLTE1OT1".to_owned()]);
    all.into_iter().map(String::into_bytes).collect()
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    let squeezed: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert_has_none(what, bytes);
    assert_has_none(what, &squeezed);
}

#[track_caller]
fn assert_has_none(what: &str, bytes: &[u8]) {
    for needle in needles() {
        if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
            let around = &bytes[at.saturating_sub(200)..(at + needle.len() + 100).min(bytes.len())];
            panic!(
                "{what} tells {:?}: {}",
                String::from_utf8_lossy(&needle),
                String::from_utf8_lossy(around)
            );
        }
    }
}

/// Asserts of every file below a directory that neither its name nor its content tells anything.
#[track_caller]
fn assert_tree_clean(root: &Path) {
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        assert_clean("the name of a file", path.as_os_str().as_bytes());
        if path.is_symlink() {
            let target = std::fs::read_link(&path).unwrap_or_default();
            assert_clean(&path.display().to_string(), target.as_os_str().as_bytes());
        } else if path.is_dir() {
            pending
                .extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if path.is_file() {
            let content = std::fs::read(&path).unwrap_or_default();
            assert_clean(&path.display().to_string(), &content);
        }
    }
}

/// The program where it finds the values.
fn command(bench: &Bench) -> Command {
    let mut command = bench.command();
    command.env("TOKEN", TOKEN).env("KEY", KEY).env("REQUIRED", REQUIRED).env("SCORE", SCORE);
    command
}

/// Tells the values in every way that comes to mind, to standard output and standard error.
const TELL: &str = r#"
for value in "$TOKEN" "$KEY" "$REQUIRED"; do
  printf '%s\n' "$value"; printf 'x%sx\n' "$value" >&2
  printf %s "$value" | base64; printf 'key=%s' "$value" | base64 -w0; echo; printf 'a %s b' "$value" | base64 -w0; echo
  printf %s "$value" | od -An -v -tx1 | tr -d ' \n'; echo
  { printf 'BEFORE=it stands, which shifts it\n'; printf %s "$value"; } | base64
  printf 'BEFORE=%s' "$value" | od -An -v -tx1
  printf '%q\n' "$value"; set -x; : "$value"; { set +x; } 2>/dev/null
done
printf %s "${TOKEN:0:20}"; sleep 0.2; printf '%s\n' "${TOKEN:20}"
"#;

fn scenario(name: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let mut scenario = json!({
        "name": name,
        "problem_statement": "Use {{ env.REQUIRED }}.",
        "additional_context": "nothing",
        "metadata": { "label": "with {{ env.REQUIRED }}" },
        "required_environment_variables": ["REQUIRED", "SCORE"],
        "required_secret_names": ["TOKEN", "KEY"],
        "verify": "pristine",
        "environment": {
            "working_directory": "repo",
            "network": "none",
            "secrets": { "TOKEN": "TOKEN", "KEY": "KEY" },
            "setup_commands": [
                "git init -q -b main && echo a > a && git add -A && git -c user.name=a -c user.email=a@b.c commit -q -m base",
            ],
        },
        "scorers": [{ "name": "tells", "bash_script": format!("{TELL}\necho score=$SCORE") }],
    });
    edit(&mut scenario);
    scenario
}

#[test]
fn no_secret_is_in_anything_that_is_printed_or_kept() {
    let bench = Bench::new();
    let scorer = |script: &str| json!([{ "name": "tells", "python_script": script }]);
    let scenarios = [
        scenario("tells", |_| {}),
        scenario("snapshot", |scenario| scenario["verify"] = json!("snapshot")),
        scenario("same", |scenario| scenario["verify"] = json!("same")),
        scenario("setup", |scenario| {
            scenario["environment"]["setup_commands"] = json!([format!("{TELL}\nexit 3")]);
        }),
        scenario("last-line", |scenario| {
            scenario["scorers"] = scorer("import os; print('no', os.environ['TOKEN'])")
        }),
        scenario("raises", |scenario| {
            scenario["scorers"] = scorer("import os; raise Exception(os.environ['TOKEN'])")
        }),
        scenario("unusable", |scenario| scenario["artifacts"] = json!(["work"])),
    ];
    let file = bench.benchmark(&scenarios);
    // Into names, contents and a commit of the work, and before and behind what is cut out of a long output.
    let work = r#"mkdir -p work; printf '%s\n%s' "$TOKEN" "$KEY" > work/file; printf '%s\n' "$REQUIRED" >> a
        printf 'a\0b%s' "$TOKEN" > work/binary
        mkdir work/tok; touch "work/$REQUIRED" "work/$TOKEN"
        printf '{"in": "%s"}' "$REQUIRED" > ~/usage.json"#;
    let long = r#"for n in $(seq 1 60); do printf '%s' "$TOKEN"; done; head -c 5000000 /dev/zero | tr '\0' 'x'
        for n in $(seq 1 60); do printf '%s' "$TOKEN"; done"#;
    let agent = json!({
        "name": "inside",
        "command": format!("{TELL}\n{work}\n{long}\nexit 7"),
        "secrets": { "TOKEN": "TOKEN", "KEY": "KEY" },
        "usage": { "file": "~/usage.json", "input_tokens": "/in" },
    });
    bench.write("inside.yaml", &agent.to_string());
    // Looks where the values could be found while the run goes on; the disks of devboxes hold what agents write there.
    bench.write("needles", &format!("{TOKEN}\n{REQUIRED}\nAT8wggE7AgEAAkEAq7BFUpkGp3+LQmlQ\n"));
    let look = "grep -rlaF --exclude-dir=sandbox -f needles state >found 2>/dev/null
        grep -laF -f needles /proc/[0-9]*/cmdline >>found 2>/dev/null; echo \"$RUNLOOP_API_KEY\"; cat needles";
    bench.write("beside.yaml", &json!({ "name": "beside", "host_command": look }).to_string());

    let output = command(&bench)
        .args(["run", "-vv", "--format", "jsonl", "--output", "run", "--retries", "1", "-j", "4"])
        .args(["--agent", "inside.yaml", "--agent", "beside.yaml"])
        .arg(&file)
        .output()
        .expect("the program starts");
    let finished = Finished::of(output);
    assert_eq!(finished.code(), 3, "{finished}");
    assert_clean("standard output", finished.stdout().as_bytes());
    assert_clean("standard error", finished.stderr().as_bytes());
    assert!(finished.stderr().contains("request done"), "-vv tells of requests: {finished}");
    assert_tree_clean(&bench.path("run"));
    assert_tree_clean(&bench.path("state"));
    let found = std::fs::read_to_string(bench.path("found")).expect("it was looked for");
    assert_eq!(found, "", "values are on disk or in command lines while a run goes on");

    // Masked is not lost: the outputs are there, and verdicts are those of what was really printed.
    let read = |path: &str| std::fs::read_to_string(bench.path("run").join(path)).expect("a file");
    for path in ["agent.stdout", "agent.stderr", "diff.patch", "scorer-tells.txt"] {
        assert!(read(&format!("trials/tells/inside/1/attempt-1/{path}")).contains("***"), "{path}");
    }
    let diff = read("trials/tells/inside/1/attempt-1/diff.patch");
    assert!(diff.contains("Binary content of ") && !diff.contains("literal "), "{diff}");
    assert_eq!(read("problems/tells.md"), "Use ***.");
    assert!(read("run.json").contains("with ***"));
    let results: Value = serde_json::from_str(&read("results.json")).expect("JSON");
    for trial in results["trials"].as_array().expect("a list") {
        let told = (trial["scenario"].as_str().expect("a name"), trial["state"].as_str().expect("a state"));
        match told {
            ("tells" | "snapshot" | "same" | "unusable", state) => {
                assert_eq!((state, &trial["score"]), ("scored", &json!(0.375)), "{trial:#}");
            }
            (_, state) => assert_eq!(
                (state, trial["message"].to_string().contains("***")),
                ("invalid", true),
                "{trial:#}"
            ),
        }
    }
    for format in ["table", "json", "jsonl", "csv", "junit", "markdown", "html"] {
        let report = bench.run(["report", "run", "--format", format]);
        assert_eq!(report.code(), 0, "{report}");
        assert_clean(format, report.stdout().as_bytes());
    }
    bench.assert_nothing_left();
}

#[test]
fn a_killed_harness_leaves_no_secret_on_disk() {
    let bench = Bench::new();
    let file = bench.benchmark(&[scenario("waits", |_| {})]);
    let agent = json!({
        "name": "waits",
        "command": "sleep 765461",
        "secrets": { "TOKEN": "TOKEN", "KEY": "KEY" },
    });
    bench.write("waits.yaml", &agent.to_string());
    let mut harness = command(&bench)
        .args(["run", "--output", "run", "--agent", "waits.yaml"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_for("the agent", || !crate::support::sleeping("765461").is_empty());
    signal(harness.id(), "KILL");
    harness.wait().expect("it is ours");
    wait_for("the agent to end", || crate::support::sleeping("765461").is_empty());
    // Who made the devboxes removes their disks, on which agents write what they like; the platform's own data stay.
    let platforms = || bench.path("state/runloop-eval/local").read_dir().into_iter().flatten().flatten();
    let has_disks = |platform: std::fs::DirEntry| {
        platform.path().join("sandbox/boxes").read_dir().is_ok_and(|mut left| left.next().is_some())
    };
    wait_for("the disks to be removed", || !platforms().any(has_disks));
    assert!(platforms().next().is_some(), "there is something to look at");
    assert_tree_clean(&bench.path("state"));
    assert_tree_clean(&bench.path("run"));
}

#[test]
fn a_target_with_credentials_in_its_url_is_refused_and_not_repeated() {
    let bench = Bench::new();
    let file = bench.benchmark(&[scenario("task", |_| {})]);
    let output = command(&bench)
        .env("RUNLOOP_API_KEY", "key")
        .args(["run", "--agent", "nop", "--target", "http://me:tok-4711@127.0.0.1:9/"])
        .arg(&file)
        .output()
        .expect("the program starts");
    let finished = Finished::of(output);
    assert_eq!(finished.code(), 2, "{finished}");
    assert!(
        !finished.stderr().contains("tok-4711") && finished.stderr().contains("RUNLOOP_API_KEY"),
        "{finished}"
    );
}

/// One request to a server, with its answer.
fn ask(port: u16, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {REQUIRED}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn a_server_tells_neither_its_key_nor_its_secrets() {
    let bench = Bench::new();
    let log = std::fs::File::create(bench.path("log")).expect("a file");
    let mut server = command(&bench)
        .env("RUNLOOP_EVAL_API_KEY", REQUIRED)
        .args(["serve", "-vv"])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(server.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
    let port: u16 = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");

    let secret = json!({ "name": "TOKEN", "value": TOKEN }).to_string();
    let made = ask(port, "POST /v1/secrets", &secret);
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    assert_clean("the answer", made.as_bytes());
    // Again, which is refused, and things that are wrong.
    for (request, body) in [
        ("POST /v1/secrets", secret.as_str()),
        ("POST /v1/secrets", &secret[..secret.len() - 2]),
        ("POST /v1/secrets", "{ \"name\": 1 }"),
        ("GET /v1/secrets", ""),
        ("GET /v1/secrets/TOKEN", ""),
    ] {
        assert_clean(request, ask(port, request, body).as_bytes());
    }
    assert_tree_clean(&bench.path("state"));
    signal(server.id(), "TERM");
    server.wait().expect("it is ours");
    line.clear();
    stdout.read_to_string(&mut line).expect("text");
    assert_clean("standard output", line.as_bytes());
    assert_tree_clean(&bench.path("log"));
    bench.assert_nothing_left();
}

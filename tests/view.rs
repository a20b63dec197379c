//! `view`: runs in the browser, through the real binary on the loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Bench, signal, sleeping, wait_for};

/// A server of pages, and who asks it.
struct View {
    child: Child,
    /// `127.0.0.1:PORT`
    address: String,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl View {
    fn start<'a>(bench: &Bench, args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = bench.command();
        command.arg("view").args(args).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("no address: {line:?}")).to_owned();
        Self { child, address }
    }

    /// Sends these lines of a request as they are.
    fn send(&self, lines: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&[&format!("GET {path} HTTP/1.1"), &format!("Host: {}", self.address)])
    }

    #[track_caller]
    fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}\n{}", answer.head, answer.body);
        answer.body
    }

    /// Ends it as Ctrl-C does.
    fn end(mut self) {
        signal(self.child.id(), "INT");
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Of a test that failed; one that was ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A record as a run leaves it: the mean of two scenarios with these scores.
struct Recorded<'a> {
    name: &'a str,
    at_ms: i64,
    agent: &'a str,
    digest: &'a str,
    scores: [f64; 2],
}

impl Recorded<'_> {
    fn write(&self, bench: &Bench) {
        let key = |n: usize| json!({"scenario": format!("s{n}"), "agent": self.agent, "repetition": 1});
        let planned: Vec<Value> =
            (0..2).map(|n| merged(key(n), json!({"digest": format!("{}{n}", self.digest)}))).collect();
        let header = json!({
            "format": 1, "run_id": self.name, "benchmark": "swe", "planned": planned, "target": "local",
            "version": "0.1.0", "seed": 7,
        });
        let mut events = vec![merged(json!({"at_ms": self.at_ms, "event": "run_started"}), header.clone())];
        for (n, score) in self.scores.iter().enumerate() {
            let result = json!({
                "at_ms": self.at_ms + 1, "event": "trial_finished", "digest": format!("{}{n}", self.digest),
                "state": "scored", "score": score, "passed": *score >= 1.0, "cause": null, "attempts": 1,
                "durations_ms": {"agent": 5},
                "logs": format!("trials/s{n}/x/1/attempt-1"),
            });
            events.push(merged(result, key(n)));
        }
        events.push(
            json!({"at_ms": self.at_ms + 2, "event": "run_finished", "complete": true, "interrupted": false}),
        );
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        bench.write(&format!("runs/{}/run.json", self.name), &header.to_string());
        bench.write(&format!("runs/{}/events.jsonl", self.name), &lines);
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    let fields = one.as_object_mut().expect("an object");
    fields.extend(other.as_object().expect("an object").clone());
    one
}

/// Where each text stands first.
#[track_caller]
fn in_order(page: &str, texts: &[&str]) {
    let mut from = 0;
    for text in texts {
        let at = page[from..].find(text);
        from += at.unwrap_or_else(|| panic!("{text:?} is not there, or too early:\n{page}")) + text.len();
    }
}

fn three_runs(bench: &Bench) {
    for (name, at_ms, digest, scores) in [
        ("20260101T000000Z-swe-aaaa", 1_767_225_600_000, "old", [1.0, 1.0]),
        ("20260103T000000Z-swe-cccc", 1_767_398_400_000, "new", [0.0, 1.0]),
        ("20260102T000000Z-swe-bbbb", 1_767_312_000_000, "new", [0.0, 0.5]),
    ] {
        Recorded { name, at_ms, agent: "mine", digest, scores }.write(bench);
    }
}

#[test]
fn runs_are_listed_newest_first_and_their_history_never_joins_other_definitions() {
    let bench = Bench::new();
    three_runs(&bench);
    let other = Recorded { name: "x", at_ms: 1, agent: "other", digest: "new", scores: [0.0, 0.0] };
    other.write(&bench);
    let view = View::start(&bench, []);
    let page = view.page("/");
    in_order(
        &page,
        &[
            "4 runs in <code>runs</code>",
            "id=\"r-20260103T",
            "id=\"r-20260102T",
            "id=\"r-20260101T",
            "id=\"r-x\"",
        ],
    );

    let page = view.page("/?agent=mine");
    assert!(!page.contains("id=\"r-x\""), "it has another agent");
    let (_, history) = page.split_once("id=\"history\"").expect("the section");
    assert_eq!(history.matches("<svg class=\"trend\"").count(), 1);
    assert_eq!(
        history.matches("class=\"joined\"").count(),
        1,
        "two of three runs measured the same: {history}"
    );
    in_order(
        history,
        &["2026-01-03", "0.500", "2026-01-02", "0.250", "2026-01-01", "1.000", "definition changed"],
    );
    assert!(view.page("/?benchmark=nothing").contains("No run is like that"));

    let page = view.page("/compare?run=20260103T000000Z-swe-cccc&run=20260102T000000Z-swe-bbbb");
    in_order(
        &page,
        &["before", "20260102T", "after", "20260103T", "+0.250", "0.250 → 0.500", "2 paired scenarios"],
    );
    in_order(
        &page,
        &["s1", "undecided", "href=\"/runs/20260102T000000Z-swe-bbbb/files/trials/s1/x/1/attempt-1\""],
    );
    assert_eq!(view.get("/compare?run=x").status, 400);
    assert_eq!(view.get("/compare?run=x&run=absent").status, 404);
    view.end();
}

#[test]
fn only_what_is_shown_can_be_read_and_only_by_this_machine() {
    let bench = Bench::new();
    three_runs(&bench);
    bench.write("runs/secret.txt", "secret");
    let run = "runs/20260101T000000Z-swe-aaaa";
    let log =
        bench.write(&format!("{run}/trials/s0/x/1/attempt-1/agent.stdout"), "<script>alert(1)</script>");
    std::os::unix::fs::symlink(bench.path("runs/secret.txt"), log.with_file_name("link")).expect("a link");
    let view = View::start(&bench, ["runs"]);
    let files = format!("/{run}/files/");

    let answer = view.get(&format!("{files}trials/s0/x/1/attempt-1/agent.stdout"));
    assert_eq!((answer.status, answer.body.as_str()), (200, "<script>alert(1)</script>"), "{}", answer.head);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    for path in [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "%2fetc%2fpasswd",
        "trials/s0/x/1/attempt-1/link",
    ] {
        let answer = view.get(&format!("{files}{path}"));
        assert!(answer.status == 403 || answer.status == 404, "{path}: {}", answer.head);
        assert!(
            !answer.body.contains("root:") && !answer.body.contains("secret\n"),
            "{path}: {}",
            answer.body
        );
    }
    assert_eq!(view.get("/runs/..%2f..%2fetc/").status, 404);

    let host = format!("Host: {}", view.address);
    for (lines, status) in [
        (vec!["GET / HTTP/1.1", "Host: evil.example"], 403),
        (vec!["GET / HTTP/1.1", "Host: 127.0.0.1:1"], 403),
        (vec!["POST / HTTP/1.1", &host, "Content-Length: 0"], 405),
        (vec!["DELETE /runs/20260101T000000Z-swe-aaaa/ HTTP/1.1", &host], 405),
        (vec!["HEAD / HTTP/1.1", &host], 200),
    ] {
        assert_eq!(view.send(&lines).status, status, "{lines:?}");
    }
    let page = view.get("/");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let local = view.address.replace("127.0.0.1", "localhost");
    assert_eq!(view.send(&["GET / HTTP/1.1", &format!("Host: {local}")]).status, 200);
    view.end();
}

#[test]
fn names_and_outputs_of_an_agent_stay_text() {
    let bench = Bench::new();
    let hostile = "\"><img src=x onerror=alert(1)><script>alert(2)</script>";
    Recorded { name: "evil", at_ms: 5, agent: hostile, digest: "d", scores: [0.0, 1.0] }.write(&bench);
    bench.write(
        "runs/<img src=y onerror=alert(3)>/run.json",
        "{\"benchmark\": \"<script>alert(4)</script>\"}",
    );
    let view = View::start(&bench, []);
    let list = view.page("/");
    assert!(
        list.contains("&lt;img src=y onerror=alert(3)&gt;") && list.contains("&lt;script&gt;alert(4)"),
        "{list}"
    );
    for path in [
        "/",
        "/runs/evil/",
        "/runs/evil/now",
        "/compare?run=evil&run=evil",
        "/runs/evil/files/",
        "/%3Cscript%3E",
    ] {
        let page = view.get(path).body;
        let (_, body) = page.split_once("<body>").expect("a body");
        assert!(!body.contains("<img") && body.matches("<script>").count() <= 2, "{path}: {body}");
        assert!(!body.contains("<script>alert"), "{path}: {body}");
    }
    view.end();
}

/// A scenario whose agent works until a file appears.
fn waiting(bench: &Bench) -> Command {
    let file = bench.write(
        "wait.yaml",
        "name: wait\nproblem_statement: Wait.\nscorers: [{ name: check, weight: 1, shell_command: 'true' }]\n",
    );
    let agent = bench.write(
        "agent.yaml",
        &format!(
            "name: waiter\nhost_command: until test -e {}; do sleep 0.05; done; sleep 543210.5 & echo all done\n",
            bench.path("go").display()
        ),
    );
    let mut command = bench.command();
    command.arg("run").arg(file).arg("--agent").arg(agent).args(["--trials", "2", "-j", "1"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The only run there is.
fn only_run(directory: &Path) -> Option<String> {
    let mut names = std::fs::read_dir(directory).ok()?.flatten();
    names.next().map(|entry| entry.file_name().to_string_lossy().into_owned())
}

#[test]
fn a_run_is_followed_from_its_first_phase_to_its_last_verdict() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("runs")).expect("a directory");
    let view = View::start(&bench, []);
    assert!(view.page("/").contains("There are no runs here yet"));
    let mut run = waiting(&bench).spawn().expect("the program starts");
    wait_for("a run", || only_run(&bench.path("runs")).is_some());
    let page = format!("/runs/{}/", only_run(&bench.path("runs")).expect("it is there"));
    let now = format!("{page}now");
    wait_for("the agent at work", || view.get(&now).body.contains("<td>agent</td>"));
    let before = view.get(&now);
    in_order(
        &before.body,
        &["class=\"live\"", "0 of 2 trials have a verdict", "wait", "waiter · 1", "data-since=\""],
    );
    let tag = before.header("etag").expect("a tag");
    let host = format!("Host: {}", view.address);
    let unchanged = view.send(&[&format!("GET {now} HTTP/1.1"), &host, &format!("If-None-Match: {tag}")]);
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""), "{}", unchanged.head);
    wait_for("the list", || view.page("/").contains("1 running"));
    let list = view.page("/");
    in_order(&list, &["1 running", "class=\"is running\">running</span>", "0 of 2"]);
    in_order(&view.page(&page), &["id=\"now\"", "unfinished"]);

    bench.write("go", "");
    assert!(run.wait().expect("it ends").success());
    wait_for("its end", || view.get(&now).body.contains("-complete"));
    let report = view.page(&page);
    assert!(report.contains("all done") && !report.contains("class=\"live\""), "{report}");
    wait_for("its end in the list", || view.page("/").contains("class=\"is complete\">complete</span>"));
    view.end();
}

#[test]
fn a_run_that_was_killed_is_shown_as_such_with_what_it_had() {
    let bench = Bench::new();
    let mut run = waiting(&bench).args(["--output", "runs/one"]).spawn().expect("the program starts");
    let events = bench.path("runs/one/events.jsonl");
    wait_for("the agent at work", || {
        std::fs::read_to_string(&events).is_ok_and(|text| text.contains("\"agent\"}"))
    });
    let view = View::start(&bench, ["runs/one"]);
    wait_for("the run", || view.get("/").body.contains("1 running"));
    run.kill().expect("it is ours");
    run.wait().expect("it has ended");
    // What it was just writing.
    let torn = std::fs::File::options()
        .append(true)
        .open(&events)
        .and_then(|mut file| file.write_all(b"{\"at_ms\": 1, \"ev"));
    torn.expect("a torn line");
    wait_for("the end of the list's patience", || {
        view.page("/").contains("class=\"is invalid\">killed</span>")
    });
    let key =
        view.page("/").split_once("id=\"r-").and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()));
    let page = view.page(&format!("/runs/{}/", key.expect("a key")));
    in_order(&page, &["<strong>Killed.</strong>", "2 of 2 trials", "unfinished"]);
    view.end();
    wait_for("every process to be gone", || sleeping("543210.5").is_empty());
}

#[test]
fn what_cannot_be_shown_is_told_before_anything_is_served() {
    let bench = Bench::new();
    let none = bench.run(["view"]);
    assert_eq!(none.code(), 2, "{none}");
    assert!(
        none.stderr().contains("runs cannot be shown") && none.stderr().contains("help: name a directory"),
        "{none}"
    );
    std::fs::create_dir(bench.path("runs")).expect("a directory");
    let view = View::start(&bench, []);
    let (_, port) = view.address.split_once(':').expect("a port");
    let taken = bench.run(["view", "--port", port]);
    assert_eq!(taken.code(), 2, "{taken}");
    assert!(taken.stderr().contains(&format!("127.0.0.1:{port} cannot be bound")), "{taken}");
}

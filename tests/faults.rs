//! What breaks around a trial: devboxes that die, a harness that is interrupted or killed, a disk that is full, an agent
//! that looks around.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{ATTACKER, BINARY, Bench, Finished, attack, signal, sleeping, wait_for};

/// A running program.
fn start(bench: &Bench, file: &Path, args: &[&str]) -> Child {
    let mut command = bench.command();
    command.arg("run").arg(file).args(["--agent", ATTACKER, "--format", "json"]).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn end(child: Child) -> (Finished, Value) {
    let finished = Finished::of(child.wait_with_output().expect("it is ours"));
    let json = serde_json::from_str(&finished.stdout()).unwrap_or(Value::Null);
    (finished, json)
}

fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// The first process of the devbox in which this one runs: a grandchild of the harness.
fn first_of_its_box(pid: u32, harness: u32) -> Option<u32> {
    let mut line = vec![pid];
    while let Some(up) = parent(*line.last()?) {
        if up == harness {
            return line.iter().rev().nth(1).copied();
        }
        line.push(up);
    }
    None
}

/// Waits for this command in a devbox, then kills the whole devbox under the harness.
fn break_box_of(child: &Child, argument: &str) {
    wait_for("the command to run", || !sleeping(argument).is_empty());
    let first = first_of_its_box(sleeping(argument)[0], child.id()).expect("it runs in a devbox of ours");
    signal(first, "KILL");
}

#[test]
fn a_devbox_that_dies_under_the_agent_is_no_verdict() {
    let bench = Bench::new();
    let lost = attack("lost", "pristine", "echo finished > state.txt; sleep 765401", |scenario| {
        scenario["agent_timeout"] = json!("5m");
    });
    let file = bench.benchmark(&[lost]);
    let child = start(&bench, &file, &["--retries", "0"]);
    break_box_of(&child, "765401");
    let (finished, json) = end(child);
    assert_eq!(finished.code(), 3, "{finished}");
    assert_eq!(json["trials"][0]["state"], "invalid", "{finished}");
    assert_eq!(json["trials"][0]["cause"], "devbox_lost", "{finished}");
    assert_eq!((&json["summary"]["invalid"], &json["summary"]["mean_score"]), (&json!(1), &Value::Null));
    bench.assert_nothing_left();
}

#[test]
fn a_devbox_that_dies_under_the_scorers_is_replaced_by_another_attempt() {
    let bench = Bench::new();
    // The scorer waits in both attempts; the first one's devbox is broken meanwhile.
    let scored = attack("scored", "snapshot", "echo finished > state.txt", |scenario| {
        scenario["scorers"] =
            json!([{ "name": "slow", "weight": 1, "shell_command": "sleep 7.65402; cat state.txt" }]);
    });
    let file = bench.benchmark(&[scored]);
    let child = start(&bench, &file, &["--retries", "1"]);
    break_box_of(&child, "7.65402");
    let (finished, json) = end(child);
    assert_eq!(finished.code(), 0, "{finished}");
    assert_eq!(json["trials"][0]["score"], 1.0, "{finished}");
    assert_eq!(json["trials"][0]["attempts"], 2, "{finished}");
    bench.assert_nothing_left();
}

#[test]
fn ctrl_c_in_every_phase_ends_the_run_and_leaves_nothing() {
    for (phase, argument) in [("preparing", "765411"), ("agent", "765412"), ("scoring", "765413")] {
        let bench = Bench::new();
        let wait = format!("sleep {argument}");
        let slow =
            attack(
                "slow",
                "pristine",
                if phase == "agent" { &wait } else { "true" },
                |scenario| match phase {
                    "preparing" => scenario["environment"]["setup_commands"] = json!([wait]),
                    "scoring" => scenario["scorers"][0]["test_command"] = json!(wait),
                    _ => scenario["agent_timeout"] = json!("5m"),
                },
            );
        let file = bench.benchmark(&[slow]);
        let child = start(&bench, &file, &["--output", "run"]);
        wait_for(phase, || !sleeping(argument).is_empty());
        signal(child.id(), "INT");
        let (finished, json) = end(child);
        assert_eq!(finished.code(), 130, "{phase}: {finished}");
        assert_eq!(json["summary"]["canceled"], 1, "{phase}: {finished}");
        assert!(
            bench.path("run/results.json").is_file() && bench.path("run/results.csv").is_file(),
            "{phase}"
        );
        assert!(sleeping(argument).is_empty(), "{phase}: a process is left");
        bench.assert_nothing_left();
    }
}

#[test]
fn a_harness_killed_at_any_moment_leaves_no_process_and_the_next_run_sweeps() {
    let bench = Bench::new();
    let daemon = "(trap '' TERM HUP INT; setsid nohup sleep 765421 >/dev/null 2>&1 &); sleep 765421";
    let slow = attack("slow", "same", daemon, |scenario| {
        scenario["agent_timeout"] = json!("5m");
        scenario["environment"]["setup_commands"] = json!(["sleep 0.765422"]);
    });
    let quick = attack("quick", "same", "sleep 0.2; echo finished > state.txt", |_| {});
    let file = bench.benchmark(&[slow, quick]);
    // From before there is a devbox to well into the agents' time.
    for delay_ms in [20, 120, 300, 700, 1500] {
        let mut child = start(&bench, &file, &["-j", "2"]);
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        child.kill().expect("it is ours");
        child.wait().expect("it has ended");
        wait_for("every process to be gone", || {
            ["765421", "0.765422"].iter().all(|argument| sleeping(argument).is_empty())
        });
    }
    let next = bench.results(&file, ["--agent", "nop", "--filter", "quick"]);
    next.assert_score("quick", 0.0);
    bench.assert_nothing_left();
}

#[test]
fn a_record_that_cannot_be_written_ends_the_run_with_what_to_do() {
    let bench = Bench::new();
    let slow =
        |name: &str| attack(name, "same", "sleep 1.765451; echo said; echo finished > state.txt", |_| {});
    let file = bench.benchmark(&[slow("one"), slow("two"), slow("three")]);
    let child = start(&bench, &file, &["-j", "1", "--output", "run"]);
    wait_for("an agent to work", || !sleeping("1.765451").is_empty());
    // Nothing can be written below a file: to the recorder that is what any disk is that refuses.
    bench.write("run/trials", "in the way");
    let (finished, _) = end(child);
    assert_eq!(finished.code(), 3, "{finished}");
    let said = finished.stderr();
    assert!(said.contains("run/trials") && said.contains("not complete") && said.contains("help"), "{said}");
    // What is there is whole: every line of the events is one.
    let events = std::fs::read_to_string(bench.path("run/events.jsonl")).expect("the events");
    assert!(!events.is_empty());
    for line in events.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    bench.assert_nothing_left();
}

/// What is run with a state directory on a small file system of its own, in namespaces that end with it.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=24m none "$XDG_STATE_HOME" && exec "$@""#;

#[test]
fn with_a_full_disk_of_the_host_nobody_is_scored() {
    let tried =
        Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small file system");
        return;
    }
    // Far below the limit of the box, and more than the host has.
    let fill = "head -c 60000000 /dev/zero > fill";
    let cases = [
        ("same", format!("echo done > answer; {fill}"), "grep -qx done answer"),
        ("pristine", format!("echo done > answer; {fill}"), "grep -qx done answer"),
        // There is room again when the command ends.
        ("same", format!("echo done > answer; {fill}; sleep 1; rm fill"), "grep -qx done answer"),
        ("same", "echo done > answer".to_owned(), fill),
        // With room enough the same is a verdict: the file system alone invalidates nothing.
        ("same", "echo done > answer".to_owned(), "grep -qx done answer"),
    ];
    for (case, (verify, agent, scorer)) in cases.iter().enumerate() {
        let bench = Bench::new();
        std::fs::create_dir(bench.path("state")).expect("a directory");
        let scenario = json!({
            "name": "one", "problem_statement": "x", "verify": verify,
            "environment": { "network": "none" },
            "scorers": [{ "name": "a", "weight": 1, "shell_command": scorer }],
        });
        let file = bench.write("one.yaml", &scenario.to_string());
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", BINARY, "run"]).arg(file);
        command.args(["--agent", &format!("command:{agent}"), "--retries", "0", "--format", "json"]);
        command.args(["--allow-weak"]);
        command.current_dir(bench.path("")).env("HOME", bench.path("home"));
        command.env("XDG_STATE_HOME", bench.path("state")).stdin(Stdio::null());
        let finished = Finished::of(command.output().expect("unshare starts"));
        let json: Value = serde_json::from_str(&finished.stdout()).unwrap_or(Value::Null);
        let trial = &json["trials"][0];
        if case + 1 == cases.len() {
            assert_eq!((finished.code(), &trial["score"]), (0, &json!(1.0)), "{finished}");
            continue;
        }
        assert_eq!(finished.code(), 3, "{verify}, {agent}, {scorer}: {finished}");
        assert!(trial["score"].is_null() && finished.stdout().contains("make room in"), "{finished}");
    }
}

#[test]
fn without_network_neither_agent_nor_scorer_reaches_even_this_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket that does not block");
    let port = listener.local_addr().expect("an address").port();
    let reach = format!("(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null");
    let out = "(exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null";
    let udp = "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"192.0.2.1\", 9))' 2>/dev/null";
    let attempt = format!("if {reach} || {out} || {udp}; then echo reached > state.txt; fi; true");
    let mut scenarios = Vec::new();
    for mode in ["same", "pristine"] {
        scenarios.push(attack(mode, mode, &attempt, |scenario| {
            let check = format!("grep -qx start state.txt && ! {reach} && ! {out} && ! {udp}");
            scenario["scorers"] = json!([{ "name": "alone", "weight": 1, "shell_command": check }]);
        }));
    }
    let bench = Bench::new();
    for driver in [&["--driver", "auto"] as &[&str], &["--driver", "process", "--allow-weak"]] {
        let results = bench.attacked(&scenarios, driver);
        results.assert_score("same", 1.0);
        results.assert_score("pristine", 1.0);
    }
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn an_agent_sees_nothing_of_the_harness_and_its_secrets_are_masked() {
    // Written in two parts, so that what searches does not find itself.
    let (half, other) = ("marker-of-what", "-is-hidden-765431");
    let marker = format!("{half}{other}");
    let secret = "s3cret-of-765432";
    let bench = Bench::new();
    bench.write(&format!("scenarios/hidden/{marker}"), &marker);
    let place = bench.path("").display().to_string();
    let state = bench.path("state").display().to_string();
    let search = format!(
        "m='{half}''{other}'; {{ ls -d '{place}' '{state}' '{place}/run'; env | grep '^HARNESS_ONLY='; \
         cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -a '^HARNESS_ONLY='; \
         find / -xdev \\( -path /proc -o -path /sys -o -path /usr \\) -prune -o -name \"$m\" -print; \
         grep -rslF \"$m\" /tmp /home /run /var/tmp /dev/shm /root; }} > found 2>/dev/null; \
         echo \"the token is $TOKEN\"; echo \"$TOKEN\" > leaked; echo finished > state.txt; test -s found && cat found"
    );
    let mut scenarios = Vec::new();
    for mode in ["snapshot", "pristine"] {
        scenarios.push(attack(mode, mode, &search, |scenario| {
            scenario["environment"]["secrets"] = json!({ "TOKEN": "THE_SECRET" });
            scenario["scorers"] = json!([
                { "name": "nothing", "weight": 0.5, "shell_command": "cat found; test ! -s found && cat leaked" },
                { "name": "told", "weight": 0.5, "bash_script": "cat leaked >&2; echo score=1" },
            ]);
        }));
    }
    let file = bench.benchmark(&scenarios);
    let mut command = bench.command();
    command.env("HARNESS_ONLY", &marker).env("THE_SECRET", secret);
    command.arg("run").arg(&file).args(["--agent", ATTACKER, "--output", "run", "--format", "json", "-v"]);
    let finished = Finished::of(command.output().expect("the program starts"));
    let json: Value =
        serde_json::from_str(&finished.stdout()).unwrap_or_else(|error| panic!("{error}: {finished}"));
    assert_eq!(json["summary"]["passed"], 2, "{finished}");
    let shown = format!("{finished}");
    assert!(!shown.contains(secret), "{shown}");
    let mut seen = 0;
    let mut pending = vec![bench.path("run")];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(directory).expect("the record can be read").flatten() {
            if entry.path().is_dir() {
                pending.push(entry.path());
                continue;
            }
            let content = std::fs::read(entry.path()).expect("the record can be read");
            let content = String::from_utf8_lossy(&content);
            assert!(!content.contains(secret), "the secret is in {}", entry.path().display());
            let is_log = entry.file_name() == "agent.stdout";
            seen += usize::from(is_log && content.contains("the token is ***"));
        }
    }
    assert_eq!(seen, 2, "what the agents said is kept, without the secret");
}

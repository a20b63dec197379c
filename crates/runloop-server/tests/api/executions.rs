//! Commands.

use std::time::{Duration, Instant};

use runloop_server::Server;
use serde_json::{Value, json};

use crate::support::{Api, fresh_id, options};

pub(crate) async fn a_command_runs_in_a_login_shell_at_home(api: Api) {
    let id = api.devbox(json!({})).await;
    api.stdout(&id, "echo 'export FROM_PROFILE=yes' > ~/.bash_profile; mkdir sub; cd sub; export LOST=1")
        .await;
    assert_eq!(
        api.stdout(&id, "echo $FROM_PROFILE; [ \"$PWD\" = \"$HOME\" ] && echo \"home$LOST\"").await,
        "yes\nhome\n"
    );
    api.shutdown(&id).await;
}

pub(crate) async fn output_and_status_come_back(api: Api) {
    let id = api.devbox(json!({})).await;
    let view = api.run(&id, "echo out; echo err >&2; exit 7").await;
    assert_eq!(
        (&view["stdout"], &view["stderr"], &view["exit_status"]),
        (&json!("out\n"), &json!("err\n"), &json!(7))
    );
    assert_eq!((&view["stdout_truncated"], &view["stderr_truncated"]), (&json!(false), &json!(false)));
    assert_eq!(view["devbox_id"], id.as_str());
    let view = api.run(&id, "true").await;
    assert_eq!((&view["stdout"], &view["exit_status"]), (&json!(""), &json!(0)));
    // A command that kills itself, and bytes that are no text.
    assert_eq!(api.run(&id, "kill -TERM $$").await["exit_status"], 143);
    assert_eq!(api.run(&id, "printf 'a\\xffb'").await["stdout"], "a\u{fffd}b");
    api.shutdown(&id).await;
}

pub(crate) async fn the_same_command_id_never_runs_twice(api: Api) {
    let id = api.devbox(json!({})).await;
    let body = json!({"command": "echo run >> runs; sleep 0.2", "command_id": fresh_id()});
    let runs = (0..10).map(|_| {
        let (api, path, body) = (api.clone(), format!("/v1/devboxes/{id}/execute"), body.clone());
        // Each under a request id of its own: the command id alone must do.
        tokio::spawn(async move { api.post_as(&fresh_id(), &path, body).await.ok() })
    });
    let mut views = Vec::new();
    for run in runs.collect::<Vec<_>>() {
        views.push(run.await.unwrap());
    }
    assert!(views.windows(2).all(|pair| pair[0] == pair[1]), "{views:?}");
    assert_eq!(views[0]["execution_id"], body["command_id"]);
    assert_eq!(api.stdout(&id, "cat runs").await, "run\n");
    api.shutdown(&id).await;
}

pub(crate) async fn a_command_id_of_another_command_is_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let (path, command_id) = (format!("/v1/devboxes/{id}/execute"), fresh_id());
    api.post(&path, json!({"command": "true", "command_id": command_id})).await.ok();
    let answer = api.post(&path, json!({"command": "false", "command_id": command_id})).await;
    answer.error(409);
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    for bad in [json!(""), json!("a b"), json!("../x"), json!(null)] {
        api.post(&path, json!({"command": "true", "command_id": bad})).await.error(400);
    }
    api.post(&path, json!({"command": "true"})).await.error(400);
    api.shutdown(&id).await;
}

pub(crate) async fn a_long_command_is_not_held_up_for_longer_than_asked(api: Api) {
    let id = api.devbox(json!({})).await;
    let path = format!("/v1/devboxes/{id}/execute");
    let start = Instant::now();
    let body = json!({"command": "echo early; sleep 5; echo late", "command_id": fresh_id(), "optimistic_timeout": 0.5});
    let view = api.post(&path, body).await.ok();
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(
        (&view["status"], &view["stdout"], view.get("exit_status")),
        (&json!("running"), &json!("early\n"), None)
    );
    api.post(
        &format!("/v1/devboxes/{id}/executions/{}/kill", view["execution_id"].as_str().unwrap()),
        json!({}),
    )
    .await
    .ok();
    api.shutdown(&id).await;
}

pub(crate) async fn execute_async_returns_at_once(api: Api) {
    let id = api.devbox(json!({})).await;
    let start = Instant::now();
    let view = api
        .post(&format!("/v1/devboxes/{id}/execute_async"), json!({"command": "sleep 3; exit 5"}))
        .await
        .ok();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(view["status"], "running");
    let execution = view["execution_id"].as_str().unwrap();
    let path = format!("/v1/devboxes/{id}/executions/{execution}");
    assert_eq!(api.get(&path).await.ok()["status"], "running");
    let running =
        api.post(&format!("{path}/wait_for_status"), json!({"statuses": ["running", "queued"]})).await.ok();
    assert_eq!(running["status"], "running");
    assert_eq!(api.completed(&id, execution).await["exit_status"], 5);
    api.get(&format!("/v1/devboxes/{id}/executions/exec_none")).await.error(404);
    api.shutdown(&id).await;
}

pub(crate) async fn a_wait_that_expires_asks_for_a_retry(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "sleep 1000").await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}/wait_for_status");
    let answer = api.post(&path, json!({"statuses": ["completed"], "timeout_seconds": 0.2})).await;
    answer.error(408);
    assert_eq!(answer.header("x-should-retry"), Some("true"));
    for bad in [json!({"statuses": []}), json!({"statuses": ["done"]}), json!({"statuses": "completed"})] {
        api.post(&path, bad).await.error(400);
    }
    api.shutdown(&id).await;
}

pub(crate) async fn a_wait_for_what_cannot_come_expires(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "true").await;
    api.completed(&id, &execution).await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}/wait_for_status");
    let start = Instant::now();
    api.post(&path, json!({"statuses": ["running"], "timeout_seconds": 0.3})).await.error(408);
    assert!(start.elapsed() >= Duration::from_millis(300), "or clients would ask again at once");
    api.shutdown(&id).await;
}

pub(crate) async fn views_hold_the_last_lines(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "seq 150; echo only >&2").await;
    api.completed(&id, &execution).await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}");
    let view = api.get(&path).await.ok();
    let lines: Vec<_> = view["stdout"].as_str().unwrap().lines().collect();
    assert_eq!((lines.len(), lines[0], lines[99]), (100, "51", "150"));
    assert_eq!((&view["stdout_truncated"], &view["stderr_truncated"]), (&json!(true), &json!(false)));
    let view = api.get(&format!("{path}?last_n=2")).await.ok();
    assert_eq!((&view["stdout"], &view["stdout_truncated"]), (&json!("149\n150\n"), &json!(true)));
    let view = api.get(&format!("{path}?last_n=150")).await.ok();
    assert_eq!(view["stdout_truncated"], false);
    api.get(&format!("{path}?last_n=many")).await.error(400);
    let body = json!({"command": "seq 5", "command_id": fresh_id()});
    let view = api.post(&format!("/v1/devboxes/{id}/execute?last_n=1"), body).await.ok();
    assert_eq!((&view["stdout"], &view["stdout_truncated"]), (&json!("5\n"), &json!(true)));
    api.shutdown(&id).await;
}

pub(crate) async fn a_kill_ends_with_137(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "trap '' TERM INT; echo ready; exec sleep 1000").await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}/kill");
    let view = api.post(&path, json!({})).await.ok();
    assert_eq!((&view["status"], &view["exit_status"]), (&json!("completed"), &json!(137)));
    assert_eq!(api.post(&path, json!({})).await.ok(), view, "killing what has ended is no error");
    api.shutdown(&id).await;
}

pub(crate) async fn a_kill_of_the_group_ends_children_too(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "sleep 4321 & sleep 4321 & echo $(pgrep -fxc 'sleep 4321'); wait").await;
    // Both children are there before they are killed.
    loop {
        let view = api.get(&format!("/v1/devboxes/{id}/executions/{execution}")).await.ok();
        if view["stdout"] != "" {
            break;
        }
        tokio::task::yield_now().await;
    }
    let path = format!("/v1/devboxes/{id}/executions/{execution}/kill");
    let view = api.post(&path, json!({"kill_process_group": true})).await.ok();
    assert_eq!(view["exit_status"], 137);
    assert_eq!(api.run(&id, "pgrep -fxc 'sleep 4321'").await["stdout"], "0\n");
    api.shutdown(&id).await;
}

pub(crate) async fn a_background_process_does_not_hold_up_its_command(api: Api) {
    let id = api.devbox(json!({})).await;
    let start = Instant::now();
    let view = api.run(&id, "nohup sleep 1000 & echo started").await;
    assert_eq!((&view["stdout"], &view["exit_status"]), (&json!("started\n"), &json!(0)));
    let view = api.run(&id, "yes > /dev/null & (while sleep 0.02; do echo tick; done) & echo started").await;
    assert!(view["stdout"].as_str().unwrap().starts_with("started\n"));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    api.shutdown(&id).await;
}

pub(crate) async fn late_output_is_appended(api: Api) {
    let id = api.devbox(json!({})).await;
    let view =
        api.run(&id, "(while [ ! -e go ]; do sleep 0.02; done; echo late; touch said) & echo early").await;
    assert_eq!(view["stdout"], "early\n");
    api.stdout(&id, "touch go; while [ ! -e said ]; do sleep 0.02; done").await;
    let path = format!("/v1/devboxes/{id}/executions/{}", view["execution_id"].as_str().unwrap());
    // The writer has written; how soon it is read is not told.
    let late = tokio::time::timeout(Duration::from_secs(10), async {
        while api.get(&path).await.ok()["stdout"] != "early\nlate\n" {
            tokio::task::yield_now().await;
        }
    });
    late.await.expect("the late output is appended");
    api.shutdown(&id).await;
}

async fn send(api: &Api, devbox: &str, execution: &str, body: Value) -> Value {
    api.post(&format!("/v1/devboxes/{devbox}/executions/{execution}/send_std_in"), body).await.ok()
}

pub(crate) async fn standard_input_is_sent_and_closed(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start_with(&id, json!({"command": "cat; echo done", "attach_stdin": true})).await;
    for text in ["one\n", "two é\n"] {
        let result = send(&api, &id, &execution, json!({"text": text})).await;
        assert_eq!(result, json!({"devbox_id": id, "execution_id": execution, "success": true}));
    }
    assert_eq!(send(&api, &id, &execution, json!({"signal": "EOF"})).await["success"], true);
    assert_eq!(api.completed(&id, &execution).await["stdout"], "one\ntwo é\ndone\n");
    assert_eq!(send(&api, &id, &execution, json!({"text": "x"})).await["success"], false);
    assert_eq!(send(&api, &id, &execution, json!({"signal": "EOF"})).await["success"], false);
    api.shutdown(&id).await;
}

pub(crate) async fn an_interrupt_ends_what_runs(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start_with(&id, json!({"command": "exec sleep 1000", "attach_stdin": true})).await;
    // The shell itself may still be starting; it is gone only once it is the program.
    loop {
        assert_eq!(send(&api, &id, &execution, json!({"signal": "INTERRUPT"})).await["success"], true);
        let wait = json!({"statuses": ["completed"], "timeout_seconds": 0.5});
        let answer =
            api.post(&format!("/v1/devboxes/{id}/executions/{execution}/wait_for_status"), wait).await;
        if answer.status == 200 {
            assert_eq!(answer.ok()["exit_status"], 130);
            break;
        }
    }
    assert_eq!(send(&api, &id, &execution, json!({"signal": "INTERRUPT"})).await["success"], false);
    api.shutdown(&id).await;
}

pub(crate) async fn standard_input_must_be_asked_for(api: Api) {
    let id = api.devbox(json!({})).await;
    assert_eq!(api.stdout(&id, "cat; echo empty").await, "empty\n", "it is empty otherwise");
    let execution = api.start(&id, "sleep 1000").await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}/send_std_in");
    assert!(api.post(&path, json!({"text": "x"})).await.error(400).contains("attach_stdin"));
    let execution = api.start_with(&id, json!({"command": "cat", "attach_stdin": true})).await;
    let path = format!("/v1/devboxes/{id}/executions/{execution}/send_std_in");
    for bad in
        [json!({}), json!({"text": ""}), json!({"text": "x", "signal": "EOF"}), json!({"signal": "KILL"})]
    {
        api.post(&path, bad).await.error(400);
    }
    api.shutdown(&id).await;
}

pub(crate) async fn execute_sync_answers_all_output(api: Api) {
    let id = api.devbox(json!({})).await;
    let body = json!({"command": "seq 100000; echo err >&2; exit 2"});
    let view = api.post(&format!("/v1/devboxes/{id}/execute_sync"), body).await.ok();
    let stdout = view["stdout"].as_str().unwrap();
    assert_eq!(
        (stdout.lines().count(), &view["stderr"], &view["exit_status"]),
        (100_000, &json!("err\n"), &json!(2))
    );
    assert!(view.get("stdout_truncated").is_none());
    api.shutdown(&id).await;
}

pub(crate) async fn named_shells_are_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let body = json!({"command": "pwd", "shell_name": "main", "command_id": fresh_id()});
    for path in ["execute", "execute_async", "execute_sync"] {
        let message = api.post(&format!("/v1/devboxes/{id}/{path}"), body.clone()).await.error(400);
        assert!(message.contains("shell_name"), "{message}");
    }
    api.shutdown(&id).await;
}

pub(crate) async fn commands_that_cannot_be_are_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let path = format!("/v1/devboxes/{id}/execute_async");
    for command in [json!(""), json!("  "), json!("a\0b"), json!(null), json!(7), json!("x".repeat(200_000))]
    {
        api.post(&path, json!({"command": command})).await.error(400);
    }
    // As long as the kernel takes.
    let view = api.run(&id, &format!("echo {} | wc -c", "x".repeat(100_000))).await;
    assert_eq!(view["stdout"].as_str().unwrap().trim(), "100001");
    api.shutdown(&id).await;
}

pub(crate) async fn a_missing_program_is_127(api: Api) {
    let id = api.devbox(json!({})).await;
    let view = api.run(&id, "no-such-program-here").await;
    assert_eq!(view["exit_status"], 127);
    assert!(view["stderr"].as_str().unwrap().contains("no-such-program-here"));
    api.shutdown(&id).await;
}

pub(crate) async fn too_many_commands_at_once_are_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let path = format!("/v1/devboxes/{id}/execute_async");
    let mut refused = None;
    for _ in 0..300 {
        // The shell itself is the process: one command, one process.
        let answer = api.post(&path, json!({"command": "exec sleep 1000"})).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is a limit");
    assert!(refused.error(429).contains("256"), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("1"));
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.ok();
    assert_eq!(api.stdout(&id, "echo room").await, "room\n", "what has ended makes room");
    api.shutdown(&id).await;
}

pub(crate) async fn many_commands_at_once(api: Api) {
    let id = api.devbox(json!({})).await;
    let runs = (0..50).map(|n| {
        let (api, id) = (api.clone(), id.clone());
        tokio::spawn(async move { api.stdout(&id, &format!("echo {n}; echo {n}")).await })
    });
    for (n, run) in runs.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(run.await.unwrap(), format!("{n}\n{n}\n"));
    }
    api.shutdown(&id).await;
}

/// On a server of its own, whose scratch directory goes away as a disk that fills up would.
pub(crate) async fn output_that_cannot_be_stored_fails_its_execution(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    let devbox = api.devbox(json!({})).await;
    let command = |line: &str| json!({"command": line, "command_id": fresh_id()});
    std::fs::remove_dir(data.path().join("private/scratch")).unwrap();

    let long = "head -c 1000000 /dev/zero | tr '\\0' x; exit 3";
    let answer = api.post(&format!("/v1/devboxes/{devbox}/execute"), command(long)).await;
    assert!(answer.error(507).contains("the stdout of execution"), "{}", answer.text());
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    api.post(&format!("/v1/devboxes/{devbox}/execute_sync"), json!({"command": long})).await.error(507);
    // A command that is still running has failed already: what is missing will not come.
    let execution = api.start(&devbox, "head -c 500000 /dev/zero | tr '\\0' e >&2; sleep 1000").await;
    let path = format!("/v1/devboxes/{devbox}/executions/{execution}");
    let wait = json!({"statuses": ["completed"], "timeout_seconds": 25.0});
    let said = api.post(&format!("{path}/wait_for_status"), wait).await.error(507);
    assert!(said.contains("the stderr of execution"), "{said}");
    assert_eq!(api.get(&path).await.error(507), said);
    let stream = api.get(&format!("{path}/stream_stderr_updates")).await;
    let text = stream.text();
    let (output, end) = text.split_once("event: error\n").unwrap();
    assert!(output.contains(r#""output":"eee"#), "{output}");
    let error: Value = serde_json::from_str(end.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&error["code"], error["message"].as_str()), (&json!(507), Some(said.as_str())));
    api.post(&format!("{path}/kill"), json!({"kill_process_group": true})).await.error(507);
    // The devbox is none the worse for it, and short output needs no disk.
    assert_eq!(api.stdout(&devbox, "echo fine").await, "fine\n");
    server.shutdown().await;
}

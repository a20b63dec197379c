//! The life of a devbox.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Api, fresh_id};

fn id(view: &Value) -> String {
    view["id"].as_str().unwrap().to_owned()
}

fn statuses(view: &Value) -> Vec<String> {
    let transitions = view["state_transitions"].as_array().unwrap();
    transitions.iter().map(|step| step["status"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn a_devbox_is_created_listed_and_shut_down(api: Api) {
    let params = json!({"name": "a name", "metadata": {"run": "7"}, "unknown_field": 1});
    let view = api.post("/v1/devboxes/create_and_await_running", params).await.ok();
    assert_eq!(
        (&view["status"], &view["name"], &view["metadata"]["run"]),
        (&json!("running"), &json!("a name"), &json!("7"))
    );
    assert_eq!(statuses(&view), ["provisioning", "initializing", "running"]);
    assert_eq!(view["capabilities"], json!([]));
    assert!(
        view["launch_parameters"].is_object() && view["create_time_ms"].as_i64().unwrap() > 1_600_000_000_000
    );
    let id = id(&view);
    assert!(id.starts_with("dbx_"));
    assert_eq!(api.get(&format!("/v1/devboxes/{id}")).await.ok(), view);
    let list = api.get("/v1/devboxes?status=running&limit=5000").await.ok();
    assert!(list["devboxes"].as_array().unwrap().iter().any(|item| item["id"] == id.as_str()));

    let ended = api.shutdown(&id).await;
    assert_eq!((&ended["status"], &ended["shutdown_reason"]), (&json!("shutdown"), &json!("api_shutdown")));
    assert!(ended["end_time_ms"].is_i64());
    assert_eq!(api.shutdown(&id).await, ended, "ending what has ended is no error");
    let list = api.get("/v1/devboxes?status=running&limit=5000").await.ok();
    assert!(list["devboxes"].as_array().unwrap().iter().all(|item| item["id"] != id.as_str()));
}

pub(crate) async fn creation_in_steps(api: Api) {
    let view =
        api.post("/v1/devboxes", json!({"launch_parameters": {"provisioning_tier": "flex"}})).await.ok();
    assert_eq!(view["state_transitions"][0]["status"], "queued");
    let view = api.wait_for(&id(&view), "running").await;
    assert_eq!(statuses(&view), ["queued", "provisioning", "initializing", "running"]);
    api.shutdown(&id(&view)).await;
}

pub(crate) async fn pages_of_devboxes(api: Api) {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(id(&api.post("/v1/devboxes", json!({})).await.ok()));
    }
    // Others are made meanwhile, but none of them in between.
    let mut seen = Vec::new();
    let mut query = "limit=1".to_owned();
    while !made.iter().all(|id| seen.contains(id)) {
        let page = api.get(&format!("/v1/devboxes?{query}")).await.ok();
        assert_eq!(
            (page["devboxes"].as_array().unwrap().len(), &page["has_more"]),
            (1, &json!(true)),
            "{page}"
        );
        let last = id(&page["devboxes"][0]);
        query = format!("limit=1&starting_after={last}&include_total_count=false");
        seen.push(last);
        if made[0] == seen[seen.len() - 1] {
            break;
        }
    }
    let mut ours: Vec<_> = seen.into_iter().filter(|id| made.contains(id)).collect();
    ours.reverse();
    assert_eq!(ours, made, "newest first");
    let page = api.get("/v1/devboxes").await.ok();
    assert!(page["total_count"].as_u64().unwrap() >= 3);
    assert!(api.get("/v1/devboxes?include_total_count=false").await.ok().get("total_count").is_none());
    for bad in ["limit=0", "limit=x", "starting_after=dbx_none", "status=sleepy"] {
        api.get(&format!("/v1/devboxes?{bad}")).await.error(400);
    }
    for id in made {
        api.shutdown(&id).await;
    }
}

pub(crate) async fn name_and_metadata_are_updated(api: Api) {
    let id = api.devbox(json!({"name": "old", "metadata": {"a": "1"}})).await;
    let path = format!("/v1/devboxes/{id}");
    let view = api.post(&path, json!({"metadata": {"b": "2"}, "name": null})).await.ok();
    assert_eq!((&view["name"], &view["metadata"]), (&json!("old"), &json!({"b": "2"})));
    let view = api.post(&path, json!({"name": "", "metadata": {}})).await.ok();
    assert_eq!((view.get("name"), &view["metadata"]), (None, &json!({})));
    api.shutdown(&id).await;
}

pub(crate) async fn a_wait_that_expires_is_a_408(api: Api) {
    let id = api.devbox(json!({})).await;
    let start = Instant::now();
    let path = format!("/v1/devboxes/{id}/wait_for_status");
    api.post(&path, json!({"statuses": ["suspended", "failure"], "timeout_seconds": 0.3})).await.error(408);
    assert!(start.elapsed() >= Duration::from_millis(300));
    api.shutdown(&id).await;
    // A final state that was not asked for is not an answer either.
    api.post(&path, json!({"statuses": ["running"], "timeout_seconds": 0})).await.error(408);
    let view = api.post(&path, json!({"statuses": ["running", "shutdown"], "timeout_seconds": 1})).await.ok();
    assert_eq!(view["status"], "shutdown");
}

pub(crate) async fn a_wait_for_nothing_is_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let path = format!("/v1/devboxes/{id}/wait_for_status");
    for bad in [
        json!({}),
        json!({"statuses": []}),
        json!({"statuses": ["sleepy"]}),
        json!({"statuses": ["running"], "timeout_seconds": -1}),
    ] {
        api.post(&path, bad).await.error(400);
    }
    api.shutdown(&id).await;
}

pub(crate) async fn environment_user_and_home(api: Api) {
    let id = api
        .devbox(json!({"environment_variables": {"GREETING": "hello \"world\"\nline 2", "LANG": "C"}}))
        .await;
    assert_eq!(api.stdout(&id, "printf %s \"$GREETING\"").await, "hello \"world\"\nline 2");
    assert_eq!(api.stdout(&id, "echo $LANG").await, "C\n");
    assert_eq!(api.stdout(&id, "[ \"$PWD\" = \"$HOME\" ] && echo home").await, "home\n");
    assert_eq!(api.stdout(&id, "env | grep -c -i runloop_api_key || true").await, "0\n");
    api.shutdown(&id).await;
    let root = json!({"launch_parameters": {"user_parameters": {"username": "root", "uid": 0}}});
    let id = api.devbox(root).await;
    assert_eq!(api.stdout(&id, "echo $USER").await, "root\n");
    api.shutdown(&id).await;
}

pub(crate) async fn launch_commands_run_before_it_is_running(api: Api) {
    let launch = json!({"launch_commands": ["echo one > log", "echo two >> log"]});
    let id = api.devbox(json!({"launch_parameters": launch})).await;
    assert_eq!(api.stdout(&id, "cat log").await, "one\ntwo\n");
    api.shutdown(&id).await;
}

pub(crate) async fn a_failing_launch_command_fails_the_devbox(api: Api) {
    let launch = json!({"launch_commands": ["true", "echo broken >&2; exit 3", "touch never"]});
    let view =
        api.post("/v1/devboxes/create_and_await_running", json!({"launch_parameters": launch})).await.ok();
    assert_eq!((&view["status"], &view["failure_reason"]), (&json!("failure"), &json!("execution_failed")));
    let last = view["state_transitions"].as_array().unwrap().last().unwrap();
    let message = last["failure_reason"].as_str().unwrap();
    assert!(message.contains("launch command 2 of 3 ended with status 3: broken"), "{message}");
    assert!(view["end_time_ms"].is_i64());
    let logs = api.get(&format!("/v1/devboxes/{}/logs", id(&view))).await.ok();
    let logs = logs["logs"].as_array().unwrap();
    assert!(
        logs.iter().any(|log| log["message"] == "broken" && log["source"] == "setup_commands"),
        "{logs:?}"
    );
}

fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // Written as it is: the checks of the builder would refuse hostile names.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) async fn files_and_objects_are_mounted(api: Api) {
    let archive = tar_of(&[("a.txt", b"A"), ("dir/b.txt", b"B")]);
    let tgz = api.object("src.tar.gz", "tgz", gzip(&archive)).await;
    let tar = api.object("src.tar", "tar", archive).await;
    let text = api.object("note.txt", "text", b"note".to_vec()).await;
    let gz = api.object("table.csv.gz", "gzip", gzip(b"x,y\n")).await;
    let params = json!({
        "mounts": [
            {"type": "file_mount", "target": "conf/app.toml", "content": "key = 1\n"},
            {"type": "file_mount", "target": "~/tilde", "content": "t"},
            {"type": "object_mount", "object_id": tgz, "object_path": "from-tgz"},
            {"type": "object_mount", "object_id": tar, "object_path": "from-tar"},
            {"type": "object_mount", "object_id": text, "object_path": "note"},
            {"type": "object_mount", "object_id": gz, "object_path": "data"},
        ],
        "file_mounts": {"old-style": "old"},
        "launch_parameters": {
            "launch_commands": ["cat conf/app.toml"],
        },
    });
    let id = api.devbox(params).await;
    let command = "cat conf/app.toml ~/tilde from-tgz/a.txt from-tgz/dir/b.txt from-tar/dir/b.txt note data/table.csv old-style";
    assert_eq!(api.stdout(&id, command).await, "key = 1\ntABBnotex,y\nold");
    api.shutdown(&id).await;
}

pub(crate) async fn a_hostile_archive_fails_the_devbox(api: Api) {
    for (name, archive) in [
        ("../escaped", tar_of(&[("../escaped", b"x")])),
        ("/tmp/absolute", tar_of(&[("/tmp/absolute", b"x")])),
    ] {
        let object = api.object("hostile.tar", "tar", archive).await;
        let mount = json!({"type": "object_mount", "object_id": object, "object_path": "in/here"});
        let view = api.post("/v1/devboxes/create_and_await_running", json!({"mounts": [mount]})).await.ok();
        assert_eq!(
            (&view["status"], &view["failure_reason"]),
            (&json!("failure"), &json!("execution_failed"))
        );
        let last = view["state_transitions"].as_array().unwrap().last().unwrap().clone();
        assert!(last["failure_reason"].as_str().unwrap().contains(name), "{last}");
    }
    assert!(!std::path::Path::new("/tmp/absolute").exists());
}

pub(crate) async fn suspend_and_resume_keep_the_disk_and_lose_the_processes(api: Api) {
    let launch = json!({"launch_commands": ["echo boot >> boots"]});
    let id = api.devbox(json!({"launch_parameters": launch})).await;
    api.stdout(&id, "echo kept > file").await;
    let running = api.start(&id, "sleep 76543").await;
    let view = api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    assert_eq!(view["status"], "suspended", "the fast path answers with the end of it");
    let killed = api.completed(&id, &running).await;
    assert_eq!(killed["exit_status"], 137);
    let refused =
        api.post(&format!("/v1/devboxes/{id}/execute_async"), json!({"command": "true"})).await.error(400);
    assert!(refused.contains("resume"), "{refused}");

    let view = api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.ok();
    assert_eq!(view["status"], "running");
    assert_eq!(api.stdout(&id, "cat file boots").await, "kept\nboot\nboot\n");
    assert_eq!(api.stdout(&id, "pgrep -fx 'sleep 76543' | wc -l").await.trim(), "0");
    let tail = &statuses(&view)[3..];
    assert_eq!(tail, ["suspending", "suspended", "resuming", "running"]);
    api.shutdown(&id).await;
}

pub(crate) async fn suspend_commands_run_first(api: Api) {
    let hooks =
        json!({"lifecycle_hooks": {"suspend_commands": ["echo bye > bye", "exit 3", "echo more >> bye"]}});
    let id = api.devbox(json!({"launch_parameters": {"lifecycle": hooks}})).await;
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    api.wait_for(&id, "suspended").await;
    api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.ok();
    assert_eq!(api.stdout(&id, "cat bye").await, "bye\nmore\n");
    api.shutdown(&id).await;
}

pub(crate) async fn only_what_runs_can_be_suspended(api: Api) {
    let id = api.devbox(json!({})).await;
    api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.error(400);
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.error(400);
    assert_eq!(api.shutdown(&id).await["status"], "shutdown");
    api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.error(400);
}

pub(crate) async fn an_unused_devbox_is_shut_down(api: Api) {
    let id = api.devbox(json!({"launch_parameters": {"keep_alive_time_seconds": 1}})).await;
    let view = api.wait_for(&id, "shutdown").await;
    assert_eq!(view["shutdown_reason"], "keep_alive_timeout");
}

pub(crate) async fn keep_alive_keeps_it_alive(api: Api) {
    let id = api.devbox(json!({"launch_parameters": {"keep_alive_time_seconds": 1}})).await;
    let start = Instant::now();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(api.post(&format!("/v1/devboxes/{id}/keep_alive"), json!({})).await.ok(), json!({}));
    }
    api.wait_for(&id, "shutdown").await;
    assert!(start.elapsed() >= Duration::from_millis(2500));
    api.post(&format!("/v1/devboxes/{id}/keep_alive"), json!({})).await.error(400);
}

pub(crate) async fn an_idle_devbox_is_suspended(api: Api) {
    let idle = json!({"after_idle": {"idle_time_seconds": 1, "on_idle": "suspend"}});
    let id = api.devbox(json!({"launch_parameters": idle})).await;
    let start = Instant::now();
    // Longer than the idle time, and use all the while.
    api.stdout(&id, "sleep 1.5").await;
    api.wait_for(&id, "suspended").await;
    assert!(start.elapsed() >= Duration::from_millis(2500));
    api.shutdown(&id).await;
}

pub(crate) async fn the_end_of_the_entrypoint_is_the_end_of_the_devbox(api: Api) {
    let id = api.devbox(json!({"entrypoint": "while [ ! -e stop ]; do sleep 0.05; done"})).await;
    // Killed by the suspend, the main process is no reason to shut down; it is started again by the resume.
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    let view = api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.ok();
    assert_eq!(view["status"], "running");
    api.post(&format!("/v1/devboxes/{id}/execute_async"), json!({"command": "touch stop"})).await.ok();
    let view = api.wait_for(&id, "shutdown").await;
    assert_eq!(view["shutdown_reason"], "entrypoint_exit");
}

pub(crate) async fn what_is_not_served_is_refused_at_creation(api: Api) {
    for params in [
        json!({"tunnel": {}}),
        json!({"gateways": {"A": {"gateway": "g", "secret": "s"}}}),
        json!({"mcp": {"A": {"mcp_config": "g", "secret": "s"}}}),
        json!({"mounts": [{"type": "code_mount", "repo_owner": "o", "repo_name": "n"}]}),
        json!({"mounts": [{"type": "agent_mount", "agent_id": "agt_1"}]}),
        json!({"mounts": [{"type": "broker_mount", "axon_id": "axn_1"}]}),
        json!({"launch_parameters": {"required_services": ["db"]}}),
    ] {
        let message = api.post("/v1/devboxes", params.clone()).await.error(400);
        assert!(message.contains("not served by this version"), "{params}: {message}");
    }
    for params in [
        json!({"mounts": [{"type": "no_such_mount"}]}),
        json!({"mounts": [{"target": "/a", "content": "no type"}]}),
        json!({"mounts": [{"type": "file_mount", "target": "/no_content"}]}),
        json!({"launch_parameters": {"lifecycle": 7}}),
        json!({"launch_parameters": {"user_parameters": {"username": "dev"}}}),
        json!({"environment_variables": {"A=B": "x"}}),
        json!({"environment_variables": {"": "x"}}),
        json!({"launch_parameters": {"resource_size_request": "HUGE"}}),
        json!({"launch_parameters": {"keep_alive_time_seconds": 999_999}}),
        json!({"launch_parameters": {"launch_commands": [""]}}),
        json!({"blueprint_name": "a", "snapshot_id": "b"}),
    ] {
        api.post("/v1/devboxes", params).await.error(400);
    }
}

pub(crate) async fn references_to_nothing_are_refused(api: Api) {
    for params in [
        json!({"blueprint_id": "bpt_none"}),
        json!({"blueprint_name": fresh_id()}),
        json!({"snapshot_id": "snp_none"}),
        json!({"secrets": {"A": fresh_id()}}),
        json!({"mounts": [{"type": "object_mount", "object_id": "obj_none", "object_path": "x"}]}),
        json!({"launch_parameters": {"network_policy_id": "npol_none"}}),
    ] {
        api.post("/v1/devboxes", params).await.error(404);
    }
}

pub(crate) async fn logs_and_usage(api: Api) {
    let id = api.devbox(json!({"launch_parameters": {"launch_commands": ["echo setting up"]}})).await;
    let run = api.run(&id, "echo to stdout; echo to stderr >&2; exit 4").await;
    let logs = api.get(&format!("/v1/devboxes/{id}/logs")).await.ok();
    let logs = logs["logs"].as_array().unwrap();
    assert!(logs.iter().any(|log| log["source"] == "setup_commands" && log["message"] == "setting up"));
    assert!(
        logs.iter()
            .any(|log| log["source"] == "exec"
                && log["cmd"].as_str().is_some_and(|cmd| cmd.contains("exit 4")))
    );
    assert!(logs.iter().any(|log| log["exit_code"] == 4 && log["cmd_id"] == run["execution_id"]));
    let one = format!("/v1/devboxes/{id}/logs?execution_id={}", run["execution_id"].as_str().unwrap());
    let one = api.get(&one).await.ok();
    let messages: Vec<_> =
        one["logs"].as_array().unwrap().iter().filter_map(|log| log["message"].as_str()).collect();
    assert_eq!(messages, ["to stdout", "to stderr"]);

    let usage = api.get(&format!("/v1/devboxes/{id}/usage")).await.ok();
    for field in [
        "vcpu_seconds",
        "memory_gb_seconds",
        "disk_gb_seconds",
        "total_elapsed_seconds",
        "total_active_seconds",
        "start_time_ms",
    ] {
        assert!(usage[field].is_i64(), "{field}: {usage}");
    }
    assert_eq!((&usage["id"], &usage["status"]), (&json!(id), &json!("running")));
    api.shutdown(&id).await;
}

pub(crate) async fn nothing_runs_in_a_devbox_that_has_ended(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "echo started; sleep 1000").await;
    api.shutdown(&id).await;
    let view = api.completed(&id, &execution).await;
    assert_eq!(view["exit_status"], 137, "what ran was killed, and can still be read");
    for (path, body) in [
        ("execute_async", json!({"command": "true"})),
        ("execute", json!({"command": "true", "command_id": fresh_id()})),
        ("read_file_contents", json!({"file_path": "x"})),
        ("write_file_contents", json!({"file_path": "x", "contents": ""})),
        ("download_file", json!({"path": "x"})),
        ("suspend", json!({})),
        ("snapshot_disk", json!({})),
    ] {
        api.post(&format!("/v1/devboxes/{id}/{path}"), body).await.error(400);
    }
}

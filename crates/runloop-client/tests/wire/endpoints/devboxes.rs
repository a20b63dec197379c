//! Devboxes: their life, commands, files, tunnels, tokens and logs.

use std::collections::BTreeMap;
use std::time::Duration;

use runloop_client::types::*;
use runloop_client::{DevboxListParams, DevboxLogListParams};
use serde_json::{Value, json};

use super::{Row, first, map, metadata, page, row};

/// Launch parameters with everything set.
pub(super) fn launch() -> LaunchParameters {
    let after_idle = AfterIdle { idle_time_seconds: 600, on_idle: OnIdle::Suspend };
    LaunchParameters {
        resource_size_request: Some(ResourceSize::CustomSize),
        custom_cpu_cores: Some(0.5),
        custom_gb_memory: Some(2),
        custom_disk_size: Some(8),
        architecture: Some(Architecture::Arm64),
        keep_alive_time_seconds: Some(7200),
        launch_commands: Some(vec!["service start".into()]),
        user_parameters: Some(UserParameters { username: "dev".into(), uid: 1001 }),
        network_policy_id: Some("npol_1".into()),
        required_services: Some(vec!["db".into()]),
        provisioning_tier: Some(ProvisioningTier::Flex),
        available_ports: Some(vec![8080]),
        after_idle: Some(after_idle.clone()),
        lifecycle: Some(LifecycleConfiguration {
            after_idle: Some(after_idle),
            resume_triggers: Some(ResumeTriggers { http: Some(true), axon_event: Some(false) }),
            lifecycle_hooks: Some(LifecycleHooks {
                suspend_commands: Some(vec!["sync".into()]),
                suspend_deadline_ms: Some(45_000),
            }),
        }),
    }
}

pub(super) fn launch_json() -> Value {
    json!({
        "resource_size_request": "CUSTOM_SIZE",
        "custom_cpu_cores": 0.5,
        "custom_gb_memory": 2,
        "custom_disk_size": 8,
        "architecture": "arm64",
        "keep_alive_time_seconds": 7200,
        "launch_commands": ["service start"],
        "user_parameters": {"username": "dev", "uid": 1001},
        "network_policy_id": "npol_1",
        "required_services": ["db"],
        "provisioning_tier": "flex",
        "available_ports": [8080],
        "after_idle": {"idle_time_seconds": 600, "on_idle": "suspend"},
        "lifecycle": {
            "after_idle": {"idle_time_seconds": 600, "on_idle": "suspend"},
            "resume_triggers": {"http": true, "axon_event": false},
            "lifecycle_hooks": {"suspend_commands": ["sync"], "suspend_deadline_ms": 45_000},
        },
    })
}

pub(super) fn code_mount() -> CodeMountParameters {
    CodeMountParameters {
        repo_owner: "o".into(),
        repo_name: "r".into(),
        token: Some("t".into()),
        git_ref: Some("main".into()),
        install_command: Some("make".into()),
    }
}

/// Every field of a snapshot's labels.
pub(super) fn label() -> SnapshotParams {
    SnapshotParams { name: Some("s".into()), metadata: metadata(), commit_message: Some("done".into()) }
}

pub(super) fn label_json() -> Value {
    json!({"name": "s", "metadata": {"team": "a"}, "commit_message": "done"})
}

/// Everything but what it is made from.
fn create() -> DevboxCreateParams {
    DevboxCreateParams {
        name: Some("box".into()),
        metadata: metadata(),
        environment_variables: map("LANG", "C.UTF-8"),
        secrets: map("TOKEN", "my-token"),
        entrypoint: Some("serve --all".into()),
        launch_parameters: Some(launch()),
        mounts: Some(vec![
            Mount::ObjectMount { object_id: "obj_1".into(), object_path: "/data".into() },
            Mount::FileMount { target: "/etc/motd".into(), content: "hä".into() },
            Mount::CodeMount(code_mount()),
            Mount::BrokerMount(BrokerMount {
                axon_id: "axn_1".into(),
                protocol: Some(BrokerProtocol::ClaudeJson),
                agent_binary: Some("claude".into()),
                launch_args: Some(vec!["-p".into()]),
                working_directory: Some("/home/user".into()),
            }),
            Mount::AgentMount(AgentMount {
                agent_id: None,
                agent_name: Some("a".into()),
                agent_path: Some("/opt/a".into()),
                auth_token: Some("t".into()),
            }),
            Mount::Other(json!({"type": "disk_mount", "disk_id": "dsk_1"})),
        ]),
        file_mounts: map("/etc/issue", "x"),
        code_mounts: Some(vec![code_mount()]),
        tunnel: Some(tunnel()),
        gateways: Some(BTreeMap::from([("OPENAI".to_owned(), gateway())])),
        mcp: Some(BTreeMap::from([("MCP_TOKEN".to_owned(), mcp())])),
        repo_connection_id: Some("repo_1".into()),
        ..DevboxCreateParams::default()
    }
}

fn create_json() -> Value {
    let code_mount = json!({"repo_owner": "o", "repo_name": "r", "token": "t", "git_ref": "main", "install_command": "make"});
    let mut typed_code_mount = code_mount.clone();
    typed_code_mount["type"] = json!("code_mount");
    json!({
        "name": "box",
        "metadata": {"team": "a"},
        "environment_variables": {"LANG": "C.UTF-8"},
        "secrets": {"TOKEN": "my-token"},
        "entrypoint": "serve --all",
        "launch_parameters": launch_json(),
        "mounts": [
            {"type": "object_mount", "object_id": "obj_1", "object_path": "/data"},
            {"type": "file_mount", "target": "/etc/motd", "content": "hä"},
            typed_code_mount,
            {
                "type": "broker_mount", "axon_id": "axn_1", "protocol": "claude_json", "agent_binary": "claude",
                "launch_args": ["-p"], "working_directory": "/home/user",
            },
            {"type": "agent_mount", "agent_name": "a", "agent_path": "/opt/a", "auth_token": "t"},
            {"type": "disk_mount", "disk_id": "dsk_1"},
        ],
        "file_mounts": {"/etc/issue": "x"},
        "code_mounts": [code_mount],
        "tunnel": {"auth_mode": "authenticated", "http_keep_alive": false, "wake_on_http": true},
        "gateways": {"OPENAI": {"gateway": "openai", "secret": "key"}},
        "mcp": {"MCP_TOKEN": {"mcp_config": "github", "secret": "pat"}},
        "repo_connection_id": "repo_1",
    })
}

fn tunnel() -> TunnelParams {
    TunnelParams {
        auth_mode: Some(TunnelAuthMode::Authenticated),
        http_keep_alive: Some(false),
        wake_on_http: Some(true),
    }
}

fn gateway() -> DevboxGateway {
    DevboxGateway { gateway: "openai".into(), secret: "key".into() }
}

fn mcp() -> DevboxMcp {
    DevboxMcp { mcp_config: "github".into(), secret: "pat".into() }
}

fn of_blueprint() -> DevboxCreateParams {
    DevboxCreateParams { blueprint_id: Some("bpt_1".into()), ..DevboxCreateParams::default() }
}

fn of_name() -> DevboxCreateParams {
    DevboxCreateParams { blueprint_name: Some("b".into()), ..DevboxCreateParams::default() }
}

fn of_snapshot() -> DevboxCreateParams {
    DevboxCreateParams { snapshot_id: Some("snp_1".into()), ..DevboxCreateParams::default() }
}

/// Without the legacy field, which was gone when this endpoint came.
fn create_now() -> DevboxCreateParams {
    DevboxCreateParams { repo_connection_id: None, ..create() }
}

fn create_now_json() -> Value {
    let mut json = create_json();
    json.as_object_mut().unwrap().remove("repo_connection_id");
    json
}

pub(crate) fn rows() -> Vec<Row> {
    [creation(), life(), commands(), files(), access()].into_iter().flatten().collect()
}

fn creation() -> Vec<Row> {
    let (blueprint, name) = (json!({"blueprint_id": "bpt_1"}), json!({"blueprint_name": "b"}));
    let snapshot = json!({"snapshot_id": "snp_1"});
    vec![
        row!("devboxes.create", "POST" "/v1/devboxes", Some(create_json()), |c| c.devboxes().create(&create())),
        row!("devboxes.create", "POST" "/v1/devboxes", Some(blueprint.clone()), |c| c.devboxes().create(&of_blueprint())),
        row!("devboxes.create", "POST" "/v1/devboxes", Some(name.clone()), |c| c.devboxes().create(&of_name())),
        row!("devboxes.create", "POST" "/v1/devboxes", Some(snapshot.clone()), |c| c.devboxes().create(&of_snapshot())),
        row!("devboxes.create", "POST" "/v1/devboxes", Some(json!({})), |c| {
            c.devboxes().create(&DevboxCreateParams::default())
        }),
        // Null is told from nothing, and a field that this version does not know can be sent.
        row!("devboxes.create", "POST" "/v1/devboxes", Some(json!({"name": null, "entrypoint": "serve"})), |c| {
            let call = c.devboxes().create(&DevboxCreateParams::default());
            call.body_field("name", Value::Null).body_field("entrypoint", "serve")
        }),
        row!("devboxes.create_and_await_running", "POST" "/v1/devboxes/create_and_await_running", Some(create_now_json()), |c| {
            c.devboxes().create_and_hold(&create_now())
        }),
        row!("devboxes.create_and_await_running", "POST" "/v1/devboxes/create_and_await_running", Some(blueprint), |c| {
            c.devboxes().create_and_hold(&of_blueprint())
        }),
        row!("devboxes.create_and_await_running", "POST" "/v1/devboxes/create_and_await_running", Some(name), |c| {
            c.devboxes().create_and_hold(&of_name())
        }),
        row!("devboxes.create_and_await_running", "POST" "/v1/devboxes/create_and_await_running", Some(snapshot), |c| {
            c.devboxes().create_and_hold(&of_snapshot())
        }),
        row!("devboxes.create_and_await_running", "POST" "/v1/devboxes/create_and_await_running", Some(json!({})), |c| {
            c.devboxes().create_and_hold(&DevboxCreateParams::default())
        }),
    ]
}

fn life() -> Vec<Row> {
    let hold = Duration::from_millis(12_500);
    vec![
        row!("devboxes.retrieve", "GET" "/v1/devboxes/dbx_1", None, |c| c.devboxes().retrieve("dbx_1")),
        row!("devboxes.retrieve", "GET" "/v1/devboxes/a%2Fb%3Fc%20%C3%A4", None, |c| c.devboxes().retrieve("a/b?c ä")),
        row!(
            "devboxes.list",
            "GET" "/v1/devboxes?status=running&limit=5&starting_after=x%2F1&include_total_count=false",
            None,
            |c| c.devboxes().list(&DevboxListParams { status: Some(DevboxStatus::Running), page: page() })
        ),
        row!("devboxes.list", "GET" "/v1/devboxes", None, |c| c.devboxes().list(&DevboxListParams::default())),
        row!("devboxes.update", "POST" "/v1/devboxes/dbx_1", Some(json!({"name": "", "metadata": {}})), |c| {
            let params = DevboxUpdateParams { name: Some(String::new()), metadata: Some(Metadata::new()) };
            c.devboxes().update("dbx_1", &params)
        }),
        row!("devboxes.update", "POST" "/v1/devboxes/dbx_1", Some(json!({})), |c| {
            c.devboxes().update("dbx_1", &DevboxUpdateParams::default())
        }),
        row!(
            "devboxes.wait_for_status",
            "POST" "/v1/devboxes/dbx_1/wait_for_status",
            Some(json!({"statuses": ["running", "failure"], "timeout_seconds": 12.5})),
            |c| c.devboxes().wait_for_status("dbx_1", &[DevboxStatus::Running, DevboxStatus::Failure], hold)
        ),
        row!("devboxes.shutdown", "POST" "/v1/devboxes/dbx_1/shutdown", None, |c| c.devboxes().shutdown("dbx_1", false)),
        row!("devboxes.shutdown", "POST" "/v1/devboxes/dbx_1/shutdown?force=true", None, |c| {
            c.devboxes().shutdown("dbx_1", true)
        }),
        row!("devboxes.suspend", "POST" "/v1/devboxes/dbx_1/suspend", None, |c| c.devboxes().suspend("dbx_1")),
        row!("devboxes.resume", "POST" "/v1/devboxes/dbx_1/resume", None, |c| c.devboxes().resume("dbx_1")),
        row!("devboxes.keep_alive", "POST" "/v1/devboxes/dbx_1/keep_alive", None, |c| c.devboxes().keep_alive("dbx_1")),
        row!("devboxes.retrieve_resource_usage", "GET" "/v1/devboxes/dbx_1/usage", None, |c| {
            c.devboxes().retrieve_resource_usage("dbx_1")
        }),
        row!("devboxes.snapshot_disk", "POST" "/v1/devboxes/dbx_1/snapshot_disk", Some(label_json()), |c| {
            c.devboxes().snapshot_disk("dbx_1", &label())
        }),
        row!("devboxes.snapshot_disk", "POST" "/v1/devboxes/dbx_1/snapshot_disk", Some(json!({})), |c| {
            c.devboxes().snapshot_disk("dbx_1", &SnapshotParams::default())
        }),
        row!("devboxes.snapshot_disk_async", "POST" "/v1/devboxes/dbx_1/snapshot_disk_async", Some(label_json()), |c| {
            c.devboxes().snapshot_disk_async("dbx_1", &label())
        }),
        row!("devboxes.snapshot_disk_async", "POST" "/v1/devboxes/dbx_1/snapshot_disk_async", Some(json!({})), |c| {
            c.devboxes().snapshot_disk_async("dbx_1", &SnapshotParams::default())
        }),
        row!("devboxes.logs.list", "GET" "/v1/devboxes/dbx_1/logs?execution_id=exec_1&shell_name=my%20shell", None, |c| {
            let params =
                DevboxLogListParams { execution_id: Some("exec_1".into()), shell_name: Some("my shell".into()) };
            c.devboxes().logs().list("dbx_1", &params)
        }),
        row!("devboxes.logs.list", "GET" "/v1/devboxes/dbx_1/logs", None, |c| {
            c.devboxes().logs().list("dbx_1", &DevboxLogListParams::default())
        }),
    ]
}

fn commands() -> Vec<Row> {
    let run = || ExecuteAsyncParams {
        command: "ls".into(),
        attach_stdin: Some(true),
        shell_name: Some("sh-1".into()),
    };
    let ls = || ExecuteAsyncParams { command: "ls".into(), ..ExecuteAsyncParams::default() };
    let run_json = json!({"command": "ls", "attach_stdin": true, "shell_name": "sh-1"});
    let execute = ExecuteParams {
        command: "ls".into(),
        command_id: "id".into(),
        optimistic_timeout: Some(3),
        shell_name: Some("sh-1".into()),
    };
    let execute_json =
        json!({"command": "ls", "command_id": "id", "optimistic_timeout": 3, "shell_name": "sh-1"});
    let least = ExecuteParams { command: "ls".into(), command_id: "id".into(), ..ExecuteParams::default() };
    let ls_json = json!({"command": "ls"});
    vec![
        row!("devboxes.execute_async", "POST" "/v1/devboxes/dbx_1/execute_async", Some(run_json.clone()), |c| {
            c.devboxes().execute_async("dbx_1", &run())
        }),
        row!("devboxes.execute_async", "POST" "/v1/devboxes/dbx_1/execute_async", Some(ls_json.clone()), |c| {
            c.devboxes().execute_async("dbx_1", &ls())
        }),
        row!("devboxes.execute_sync", "POST" "/v1/devboxes/dbx_1/execute_sync", Some(run_json), |c| {
            c.devboxes().execute_sync("dbx_1", &run())
        }),
        row!("devboxes.execute_sync", "POST" "/v1/devboxes/dbx_1/execute_sync", Some(ls_json), |c| {
            c.devboxes().execute_sync("dbx_1", &ls())
        }),
        row!("devboxes.execute", "POST" "/v1/devboxes/dbx_1/execute?last_n=7", Some(execute_json), |c| {
            c.devboxes().execute("dbx_1", &execute, Some(7))
        }),
        row!("devboxes.execute", "POST" "/v1/devboxes/dbx_1/execute", Some(json!({"command": "ls", "command_id": "id"})), |c| {
            c.devboxes().execute("dbx_1", &least, None)
        }),
    ]
}

fn files() -> Vec<Row> {
    vec![
        row!(
            "devboxes.read_file_contents",
            "POST" "/v1/devboxes/dbx_1/read_file_contents",
            Some(json!({"file_path": "a/b"})),
            |c| c.devboxes().read_file_contents("dbx_1", "a/b")
        ),
        row!(
            "devboxes.write_file_contents",
            "POST" "/v1/devboxes/dbx_1/write_file_contents",
            Some(json!({"file_path": "a/b", "contents": "ä"})),
            |c| c.devboxes().write_file_contents("dbx_1", "a/b", "ä")
        ),
        row!("devboxes.download_file", "POST" "/v1/devboxes/dbx_1/download_file", Some(json!({"path": "a/b"})), |c| {
            c.devboxes().download_file("dbx_1", "a/b")
        }),
        row!(
            "devboxes.upload_file",
            "POST" "/v1/devboxes/dbx_1/upload_file",
            Some(json!({"path": "a/ä b", "file": "some\r\nbytes\n"})),
            |c| c.devboxes().upload_file("dbx_1", "a/ä b", b"some\r\nbytes\n".to_vec())
        ),
    ]
}

fn access() -> Vec<Row> {
    let tunnel_json = json!({"auth_mode": "authenticated", "http_keep_alive": false, "wake_on_http": true});
    vec![
        row!("devboxes.enable_tunnel", "POST" "/v1/devboxes/dbx_1/enable_tunnel", Some(tunnel_json), |c| {
            c.devboxes().enable_tunnel("dbx_1", &tunnel())
        }),
        row!("devboxes.enable_tunnel", "POST" "/v1/devboxes/dbx_1/enable_tunnel", Some(json!({})), |c| {
            c.devboxes().enable_tunnel("dbx_1", &TunnelParams::default())
        }),
        row!("devboxes.remove_tunnel", "POST" "/v1/devboxes/dbx_1/remove_tunnel", None, |c| {
            c.devboxes().remove_tunnel("dbx_1")
        }),
        row!("devboxes.remove_tunnel", "POST" "/v1/devboxes/dbx_1/remove_tunnel", Some(json!({"port": 8080})), |c| {
            c.devboxes().remove_port_tunnel("dbx_1", 8080)
        }),
        row!("devboxes.create_tunnel", "POST" "/v1/devboxes/dbx_1/create_tunnel", Some(json!({"port": 8080})), |c| {
            c.devboxes().create_tunnel("dbx_1", 8080)
        }),
        row!("devboxes.create_pty_tunnel", "POST" "/v1/devboxes/dbx_1/create_pty_tunnel", None, |c| {
            c.devboxes().create_pty_tunnel("dbx_1")
        }),
        row!("devboxes.create_ssh_key", "POST" "/v1/devboxes/dbx_1/create_ssh_key", None, |c| {
            c.devboxes().create_ssh_key("dbx_1")
        }),
        row!(
            "devboxes.create_gateway_token",
            "POST" "/v1/devboxes/dbx_1/create_gateway_token",
            Some(json!({"gateway": "openai", "secret": "key"})),
            |c| c.devboxes().create_gateway_token("dbx_1", &gateway())
        ),
        row!(
            "devboxes.create_mcp_token",
            "POST" "/v1/devboxes/dbx_1/create_mcp_token",
            Some(json!({"mcp_config": "github", "secret": "pat"})),
            |c| c.devboxes().create_mcp_token("dbx_1", &mcp())
        ),
        row!("devboxes.watch_evictions", "GET" "/v1/devboxes/evictions/watch", None, |c| {
            first(c.devboxes().watch_evictions())
        }),
    ]
}

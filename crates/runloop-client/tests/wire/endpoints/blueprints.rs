//! Blueprints.

use runloop_client::BlueprintListParams;
use runloop_client::types::*;
use serde_json::{Value, json};

use super::devboxes::{code_mount, launch, launch_json};
use super::{Row, map, metadata, page, row};

/// Everything but the base.
fn create() -> BlueprintCreateParams {
    BlueprintCreateParams {
        name: "b".into(),
        dockerfile: Some("FROM scratch".into()),
        build_context: Some(BuildContext { r#type: "object".into(), object_id: "obj_1".into() }),
        build_args: map("VERSION", "1"),
        system_setup_commands: Some(vec!["make".into(), "make install".into()]),
        code_mounts: Some(vec![code_mount()]),
        file_mounts: map("/etc/motd", "hä"),
        launch_parameters: Some(launch()),
        metadata: metadata(),
        network_policy_id: Some("npol_1".into()),
        secrets: map("NPM", "npm-token"),
        services: Some(vec![ContainerizedService {
            name: "db".into(),
            image: "postgres:17".into(),
            credentials: Some(ContainerizedServiceCredentials { username: "u".into(), password: "p".into() }),
            env: map("POSTGRES_PASSWORD", "x"),
            options: Some("--shm-size=1g".into()),
            port_mappings: Some(vec!["5432:5432".into()]),
        }]),
        ..BlueprintCreateParams::default()
    }
}

fn create_json() -> Value {
    json!({
        "name": "b",
        "dockerfile": "FROM scratch",
        "build_context": {"type": "object", "object_id": "obj_1"},
        "build_args": {"VERSION": "1"},
        "system_setup_commands": ["make", "make install"],
        "code_mounts": [{
            "repo_owner": "o", "repo_name": "r", "token": "t", "git_ref": "main", "install_command": "make",
        }],
        "file_mounts": {"/etc/motd": "hä"},
        "launch_parameters": launch_json(),
        "metadata": {"team": "a"},
        "network_policy_id": "npol_1",
        "secrets": {"NPM": "npm-token"},
        "services": [{
            "name": "db",
            "image": "postgres:17",
            "credentials": {"username": "u", "password": "p"},
            "env": {"POSTGRES_PASSWORD": "x"},
            "options": "--shm-size=1g",
            "port_mappings": ["5432:5432"],
        }],
    })
}

fn on_id() -> BlueprintCreateParams {
    BlueprintCreateParams {
        name: "b".into(),
        base_blueprint_id: Some("bpt_0".into()),
        ..BlueprintCreateParams::default()
    }
}

fn on_name() -> BlueprintCreateParams {
    BlueprintCreateParams {
        name: "b".into(),
        base_blueprint_name: Some("base".into()),
        ..BlueprintCreateParams::default()
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let filters = || BlueprintListParams {
        name: Some("b".into()),
        status: Some(BlueprintStatus::BuildComplete),
        page: page(),
    };
    let on_id_json = json!({"name": "b", "base_blueprint_id": "bpt_0"});
    let on_name_json = json!({"name": "b", "base_blueprint_name": "base"});
    let inspected = |github_auth_token| BlueprintCreateFromInspectionParams {
        name: "b".into(),
        inspection_source: InspectionSource { inspection_id: "insp_1".into(), github_auth_token },
        ..BlueprintCreateFromInspectionParams::default()
    };
    let inspected_whole = BlueprintCreateFromInspectionParams {
        file_mounts: map("/etc/motd", "hä"),
        launch_parameters: Some(launch()),
        metadata: metadata(),
        network_policy_id: Some("npol_1".into()),
        secrets: map("NPM", "npm-token"),
        system_setup_commands: Some(vec!["make".into()]),
        ..inspected(Some("t".into()))
    };
    let inspected_whole_json = json!({
        "name": "b",
        "inspection_source": {"inspection_id": "insp_1", "github_auth_token": "t"},
        "file_mounts": {"/etc/motd": "hä"},
        "launch_parameters": launch_json(),
        "metadata": {"team": "a"},
        "network_policy_id": "npol_1",
        "secrets": {"NPM": "npm-token"},
        "system_setup_commands": ["make"],
    });
    let inspected_least = inspected(None);
    let inspected_least_json = json!({"name": "b", "inspection_source": {"inspection_id": "insp_1"}});
    vec![
        row!("blueprints.create", "POST" "/v1/blueprints", Some(create_json()), |c| c.blueprints().create(&create())),
        row!("blueprints.create", "POST" "/v1/blueprints", Some(on_id_json.clone()), |c| c.blueprints().create(&on_id())),
        row!("blueprints.create", "POST" "/v1/blueprints", Some(on_name_json.clone()), |c| c.blueprints().create(&on_name())),
        row!("blueprints.preview", "POST" "/v1/blueprints/preview", Some(create_json()), |c| c.blueprints().preview(&create())),
        row!("blueprints.preview", "POST" "/v1/blueprints/preview", Some(on_id_json), |c| c.blueprints().preview(&on_id())),
        row!("blueprints.preview", "POST" "/v1/blueprints/preview", Some(on_name_json), |c| c.blueprints().preview(&on_name())),
        row!("blueprints.create_from_inspection", "POST" "/v1/blueprints/create_from_inspection", Some(inspected_whole_json), |c| {
            c.blueprints().create_from_inspection(&inspected_whole)
        }),
        row!("blueprints.create_from_inspection", "POST" "/v1/blueprints/create_from_inspection", Some(inspected_least_json), |c| {
            c.blueprints().create_from_inspection(&inspected_least)
        }),
        row!("blueprints.retrieve", "GET" "/v1/blueprints/bpt_1", None, |c| c.blueprints().retrieve("bpt_1")),
        row!(
            "blueprints.list",
            "GET" "/v1/blueprints?name=b&status=build_complete&limit=5&starting_after=x%2F1&include_total_count=false",
            None,
            |c| c.blueprints().list(&filters())
        ),
        row!("blueprints.list", "GET" "/v1/blueprints", None, |c| c.blueprints().list(&BlueprintListParams::default())),
        row!(
            "blueprints.list_public",
            "GET" "/v1/blueprints/list_public?name=b&status=build_complete&limit=5&starting_after=x%2F1&include_total_count=false",
            None,
            |c| c.blueprints().list_public(&filters())
        ),
        row!("blueprints.list_public", "GET" "/v1/blueprints/list_public", None, |c| {
            c.blueprints().list_public(&BlueprintListParams::default())
        }),
        row!("blueprints.logs", "GET" "/v1/blueprints/bpt_1/logs", None, |c| c.blueprints().logs("bpt_1")),
        row!("blueprints.delete", "POST" "/v1/blueprints/bpt_1/delete", None, |c| c.blueprints().delete("bpt_1")),
    ]
}

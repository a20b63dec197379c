//! From a create request to what is to be made: every reference looked up, every value checked.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runloop_sandbox::{BoxSpec, Limits, Network, SnapshotId as LayerId, User};
use runloop_types::{
    Architecture, BlueprintId, BlueprintState, BlueprintStatus, DevboxCreateParams, DevboxId,
    DevboxShutdownReason, DevboxStatus, LaunchParameters, LifecycleConfiguration, Metadata, Mount,
    NetworkPolicyId, ObjectState, OnIdle, ProvisioningTier, SnapshotStatus,
};
use secrecy::{ExposeSecret, SecretString};

use super::devbox::{Devbox, Identity};
use super::idle::{IdleAction, IdlePolicy};
use super::network::network_of;
use super::size::Size;
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, shown};
use crate::new_id::new_id;
use crate::state::App;
use crate::store::{BlueprintRow, Store};

/// Longest text that the kernel takes as one argument or variable, without its end.
pub(crate) const LONGEST_ARGUMENT: usize = 128 * 1024 - 1;

const DEFAULT_KEEP_ALIVE_SECONDS: i64 = 3600;
const MAX_KEEP_ALIVE_SECONDS: i64 = 172_800;
const DEFAULT_SUSPEND_MS: u64 = 30_000;
const MAX_SUSPEND_MS: u64 = 60_000;

/// What is to be made.
pub(crate) struct Plan {
    pub(crate) devbox: Arc<Devbox>,
    pub(crate) spec: BoxSpec,
    pub(crate) mounts: Vec<Mount>,
}

/// Reads a create request.
///
/// # Errors
/// 400 for what cannot be, 404 for a reference that names nothing.
pub(crate) async fn plan(app: &App, params: DevboxCreateParams) -> ApiResult<Plan> {
    refuse_unserved(&params)?;
    let origin = origin(&app.store, &params).await?;
    let launch = merged(origin.launch, params.launch_parameters.unwrap_or_default());
    check_launch(&launch)?;
    let lifecycle = served_lifecycle(&launch)?;
    let idle = idle_policy(&launch, &lifecycle)?;
    let hooks = lifecycle.lifecycle_hooks.unwrap_or_default();
    let user = launch_user(&launch, origin.user)?;
    let limits = Size::requested(&launch)?.map_or_else(Limits::default, Size::limits);
    let network = network(&app.store, launch.network_policy_id.as_ref()).await?;
    let (env, secrets) =
        environment(&app.store, &params.environment_variables.unwrap_or_default(), params.secrets.as_ref())
            .await?;

    let mut mounts = params.mounts.unwrap_or_default();
    mounts.extend(
        params
            .file_mounts
            .into_iter()
            .flatten()
            .map(|(target, content)| Mount::FileMount { target, content }),
    );
    for mount in &mounts {
        check_mount(&app.store, mount).await?;
    }
    let suspend_budget = suspend_budget(hooks.suspend_deadline_ms)?;
    let suspend_commands = hooks.suspend_commands.unwrap_or_default();
    let launch_commands = launch.launch_commands.clone().unwrap_or_default();
    let entrypoint = params.entrypoint.filter(|command| !command.trim().is_empty());
    for command in launch_commands.iter().chain(&suspend_commands).chain(&entrypoint) {
        check_command(command)?;
    }

    let id = DevboxId::new(new_id(DevboxId::PREFIX));
    let spec = BoxSpec {
        base: app.base.clone(),
        snapshot: origin.layer,
        network,
        hostname: hostname(&id),
        user: user.clone(),
        env,
        limits,
        expose: app.expose.clone(),
    };
    let first = match launch.provisioning_tier {
        Some(ProvisioningTier::Flex) => DevboxStatus::Queued,
        _ => DevboxStatus::Provisioning,
    };
    let identity = Identity {
        launch,
        blueprint_id: origin.blueprint_id,
        snapshot_id: params.snapshot_id,
        user,
        launch_commands,
        entrypoint,
        suspend_commands,
        suspend_budget,
        secrets,
    };
    let name = params.name.filter(|name| !name.is_empty());
    let devbox = Devbox::new(id, identity, name, params.metadata.unwrap_or_default(), idle, first);
    Ok(Plan { devbox: Arc::new(devbox), spec, mounts })
}

/// Says no to what would otherwise be silently left out.
fn refuse_unserved(params: &DevboxCreateParams) -> ApiResult<()> {
    let unserved = [
        ("`tunnel`", params.tunnel.is_some()),
        ("`gateways`", params.gateways.as_ref().is_some_and(|gateways| !gateways.is_empty())),
        ("`mcp`", params.mcp.as_ref().is_some_and(|mcp| !mcp.is_empty())),
        ("`code_mounts`", params.code_mounts.as_ref().is_some_and(|mounts| !mounts.is_empty())),
    ];
    match unserved.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(not_served(name)),
        None => Ok(()),
    }
}

fn not_served(name: &str) -> ApiError {
    let instead = match name {
        "`code_mounts`" | "`code_mount`" => {
            ": mount an archive of the repository with `object_mount`, or run `git clone` in `launch_commands`"
        }
        "`agent_mount`" => {
            ": install the agent in `launch_commands`, or in the `system_setup_commands` of a blueprint"
        }
        _ => "",
    };
    ApiError::bad_request(format!("{name} is not served by this version{instead}"))
}

/// Where a devbox starts from.
#[derive(Default)]
struct Origin {
    layer: Option<LayerId>,
    launch: LaunchParameters,
    blueprint_id: Option<BlueprintId>,
    user: Option<User>,
}

async fn origin(store: &Store, params: &DevboxCreateParams) -> ApiResult<Origin> {
    let blueprint_name = params.blueprint_name.as_deref().filter(|name| !name.is_empty());
    match (&params.blueprint_id, blueprint_name, &params.snapshot_id) {
        (None, None, None) => Ok(Origin::default()),
        (Some(id), None, None) => from_blueprint(usable_blueprint(store, id.as_str()).await?),
        (None, Some(name), None) => from_blueprint(named_blueprint(store, name).await?),
        (None, None, Some(id)) => {
            let row = store
                .snapshot(id.as_str())
                .await?
                .ok_or_else(|| ApiError::not_found("snapshot", id.as_str()))?;
            if row.status != SnapshotStatus::Complete {
                return Err(ApiError::bad_request(format!(
                    "snapshot `{id}` is {}: it must be complete",
                    row.status
                )));
            }
            Ok(Origin {
                layer: row.layer.as_deref().map(layer_id).transpose()?,
                launch: LaunchParameters::default(),
                blueprint_id: row.view.source_blueprint_id,
                user: Some(row.user),
            })
        }
        _ => Err(ApiError::bad_request(
            "give one of `blueprint_id`, `blueprint_name` and `snapshot_id`, not several",
        )),
    }
}

fn from_blueprint(row: BlueprintRow) -> ApiResult<Origin> {
    Ok(Origin {
        layer: row.layer.as_deref().map(layer_id).transpose()?,
        launch: row.view.parameters.launch_parameters.unwrap_or_default(),
        blueprint_id: Some(row.view.id),
        user: None,
    })
}

/// The blueprint with this id, if devboxes can be made from it.
pub(crate) async fn usable_blueprint(store: &Store, id: &str) -> ApiResult<BlueprintRow> {
    let row = store.blueprint(id).await?.ok_or_else(|| ApiError::not_found("blueprint", id))?;
    if row.view.state == BlueprintState::Deleted {
        return Err(ApiError::bad_request(format!("blueprint `{}` was deleted", shown(id))));
    }
    if row.view.status != BlueprintStatus::BuildComplete {
        return Err(ApiError::bad_request(format!(
            "blueprint `{}` is {}: it must be build_complete",
            shown(id),
            row.view.status
        )));
    }
    Ok(row)
}

/// The newest successful build of this name.
pub(crate) async fn named_blueprint(store: &Store, name: &str) -> ApiResult<BlueprintRow> {
    store
        .blueprint_by_name(name)
        .await?
        .ok_or_else(|| ApiError::not_found("successfully built blueprint of the name", name))
}

/// Reads the name that the store keeps for a layer.
pub(crate) fn layer_id(text: &str) -> ApiResult<LayerId> {
    LayerId::parse(text).ok_or_else(|| {
        ApiError::internal("a stored layer name cannot be read", &std::io::Error::other(text.to_owned()))
    })
}

/// The blueprint's launch parameters with the request's over them, field by field.
fn merged(below: LaunchParameters, over: LaunchParameters) -> LaunchParameters {
    // A size is one thing: custom numbers of one do not mix with the name of the other.
    let sized = if over.resource_size_request.is_some() { &over } else { &below };
    let size = (
        sized.resource_size_request.clone(),
        sized.custom_cpu_cores,
        sized.custom_gb_memory,
        sized.custom_disk_size,
    );
    LaunchParameters {
        resource_size_request: size.0,
        custom_cpu_cores: size.1,
        custom_gb_memory: size.2,
        custom_disk_size: size.3,
        architecture: over.architecture.or(below.architecture),
        keep_alive_time_seconds: over.keep_alive_time_seconds.or(below.keep_alive_time_seconds),
        launch_commands: over.launch_commands.or(below.launch_commands),
        user_parameters: over.user_parameters.or(below.user_parameters),
        network_policy_id: over.network_policy_id.or(below.network_policy_id),
        required_services: over.required_services.or(below.required_services),
        provisioning_tier: over.provisioning_tier.or(below.provisioning_tier),
        available_ports: over.available_ports.or(below.available_ports),
        after_idle: over.after_idle.or(below.after_idle),
        lifecycle: over.lifecycle.or(below.lifecycle),
    }
}

/// Checks the values that nothing else looks at.
pub(crate) fn check_launch(launch: &LaunchParameters) -> ApiResult<()> {
    Size::requested(launch)?;
    match &launch.architecture {
        None => {}
        Some(Architecture::Other(other)) => {
            return Err(ApiError::bad_request(format!(
                "`architecture` is `{}`: give `x86_64` or `arm64`",
                shown(other)
            )));
        }
        Some(asked) => {
            let ours = if std::env::consts::ARCH == "aarch64" { "arm64" } else { std::env::consts::ARCH };
            if asked.as_str() != ours {
                return Err(ApiError::bad_request(format!(
                    "`architecture` is {asked}, but this machine is {ours}"
                )));
            }
        }
    }
    if let Some(ProvisioningTier::Other(other)) = &launch.provisioning_tier {
        return Err(ApiError::bad_request(format!(
            "`provisioning_tier` is `{}`: give `standard` or `flex`",
            shown(other)
        )));
    }
    if launch.required_services.as_ref().is_some_and(|services| !services.is_empty()) {
        return Err(not_served("`required_services`"));
    }
    if let Some(seconds) = launch.keep_alive_time_seconds
        && !(1..=MAX_KEEP_ALIVE_SECONDS).contains(&seconds)
    {
        return Err(ApiError::bad_request(format!(
            "`keep_alive_time_seconds` is {seconds}: give 1 to {MAX_KEEP_ALIVE_SECONDS}"
        )));
    }
    launch_user(launch, None)?;
    idle_policy(launch, &served_lifecycle(launch)?)?;
    Ok(())
}

/// The `lifecycle` of launch parameters, if this server can keep it.
fn served_lifecycle(launch: &LaunchParameters) -> ApiResult<LifecycleConfiguration> {
    let lifecycle = launch.lifecycle.clone().unwrap_or_default();
    let triggers = lifecycle.resume_triggers.as_ref();
    if triggers.is_some_and(|triggers| triggers.http == Some(true) || triggers.axon_event == Some(true)) {
        return Err(not_served("`resume_triggers`"));
    }
    Ok(lifecycle)
}

fn suspend_budget(deadline_ms: Option<i64>) -> ApiResult<Duration> {
    let Some(asked) = deadline_ms else { return Ok(Duration::from_millis(DEFAULT_SUSPEND_MS)) };
    match u64::try_from(asked) {
        Ok(asked) => Ok(Duration::from_millis(asked.min(MAX_SUSPEND_MS))),
        Err(_) => Err(ApiError::bad_request(format!("`suspend_deadline_ms` is {asked}: give 0 or more"))),
    }
}

fn idle_policy(launch: &LaunchParameters, lifecycle: &LifecycleConfiguration) -> ApiResult<IdlePolicy> {
    let after_idle = match (&launch.after_idle, &lifecycle.after_idle) {
        (Some(top), Some(inner)) if top != inner => {
            return Err(ApiError::bad_request(
                "`after_idle` and `lifecycle.after_idle` do not agree: give one of them",
            ));
        }
        (top, inner) => top.as_ref().or(inner.as_ref()),
    };
    let Some(after_idle) = after_idle else {
        let seconds = launch.keep_alive_time_seconds.unwrap_or(DEFAULT_KEEP_ALIVE_SECONDS);
        return Ok(keep_alive(seconds));
    };
    let action = match &after_idle.on_idle {
        OnIdle::Shutdown => IdleAction::Shutdown(DevboxShutdownReason::Idle),
        OnIdle::Suspend => IdleAction::Suspend,
        OnIdle::Other(other) => {
            return Err(ApiError::bad_request(format!(
                "`on_idle` is `{}`: give `shutdown` or `suspend`",
                shown(other)
            )));
        }
    };
    let seconds = after_idle.idle_time_seconds;
    if seconds < 1 {
        return Err(ApiError::bad_request(format!("`idle_time_seconds` is {seconds}: give at least 1")));
    }
    Ok(IdlePolicy { after: whole_seconds(seconds), action, activity_counts: true })
}

/// The policy of a devbox that must be kept alive by request.
pub(crate) fn keep_alive(seconds: i64) -> IdlePolicy {
    IdlePolicy {
        after: whole_seconds(seconds),
        action: IdleAction::Shutdown(DevboxShutdownReason::KeepAliveTimeout),
        activity_counts: false,
    }
}

fn whole_seconds(seconds: i64) -> Duration {
    // Ten years: enough for anyone, and far from what a clock cannot add.
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(315_360_000))
}

/// Who runs the commands: as asked, else the user of the snapshot, else the API's default.
///
/// # Errors
/// 400 for a name that is no login name.
pub(crate) fn launch_user(launch: &LaunchParameters, inherited: Option<User>) -> ApiResult<User> {
    let Some(asked) = &launch.user_parameters else { return Ok(inherited.unwrap_or_default()) };
    let name = &asked.username;
    let fits = !name.is_empty()
        && name.len() <= 32
        && !name.starts_with(['-', '.'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if !fits {
        return Err(ApiError::bad_request(format!(
            "`username` is `{}`: give 1 to 32 letters, digits, `_`, `-` or `.`",
            shown(name)
        )));
    }
    let home = if name == "root" { "/root".into() } else { Path::new("/home").join(name) };
    Ok(User { name: name.clone(), uid: asked.uid, home })
}

/// The network under a policy; none means everything.
pub(crate) async fn network(store: &Store, policy: Option<&NetworkPolicyId>) -> ApiResult<Network> {
    let Some(id) = policy else { return Ok(Network::All) };
    let policy =
        store.policy(id.as_str()).await?.ok_or_else(|| ApiError::not_found("network policy", id.as_str()))?;
    network_of(&policy.egress).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Plain variables and secrets as one environment, and the secrets' values.
///
/// # Errors
/// 400 for what cannot be a variable, 404 for a secret that is not there.
pub(crate) async fn environment(
    store: &Store,
    variables: &Metadata,
    secrets: Option<&Metadata>,
) -> ApiResult<(Vec<(OsString, OsString)>, Vec<SecretString>)> {
    let mut env = Vec::new();
    for (name, value) in variables {
        check_variable(name, value)?;
        env.push((name.into(), value.into()));
    }
    let mut values = Vec::new();
    for (name, secret) in secrets.into_iter().flatten() {
        let value = store.secret_value(secret).await?.ok_or_else(|| ApiError::not_found("secret", secret))?;
        check_variable(name, value.expose_secret())?;
        env.push((name.into(), value.expose_secret().into()));
        values.push(value);
    }
    Ok((env, values))
}

fn check_variable(name: &str, value: &str) -> ApiResult<()> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(ApiError::bad_request(format!(
            "`{}` cannot be the name of an environment variable: it is empty or has `=` or NUL in it",
            shown(name)
        )));
    }
    if value.contains('\0') {
        return Err(ApiError::bad_request(format!(
            "the value of the environment variable `{}` has a NUL byte",
            shown(name)
        )));
    }
    if name.len() + value.len() + 1 > LONGEST_ARGUMENT {
        return Err(ApiError::bad_request(format!(
            "the environment variable `{}` has {} bytes, the kernel takes {LONGEST_ARGUMENT}: mount a file instead",
            shown(name),
            value.len()
        )));
    }
    Ok(())
}

/// Checks a command line.
///
/// # Errors
/// 400 for one that is empty or that the kernel would not take.
pub(crate) fn check_command(line: &str) -> ApiResult<()> {
    if line.trim().is_empty() {
        return Err(ApiError::bad_request("the command is empty"));
    }
    if line.contains('\0') {
        return Err(ApiError::bad_request("the command has a NUL byte"));
    }
    if line.len() > LONGEST_ARGUMENT {
        return Err(ApiError::bad_request(format!(
            "the command has {} bytes, the kernel takes {LONGEST_ARGUMENT}: write it to a file and run that",
            line.len()
        )));
    }
    Ok(())
}

async fn check_mount(store: &Store, mount: &Mount) -> ApiResult<()> {
    match mount {
        Mount::FileMount { target, .. } => super::box_path(target, Path::new("/")).map(|_| ()),
        Mount::ObjectMount { object_id, object_path } => {
            super::box_path(object_path, Path::new("/"))?;
            let object = store
                .object(object_id.as_str(), now_ms())
                .await?
                .ok_or_else(|| ApiError::not_found("object", object_id.as_str()))?;
            if object.state != ObjectState::ReadOnly {
                return Err(ApiError::bad_request(format!(
                    "object `{object_id}` is {}: upload and complete it before it is mounted",
                    object.state
                )));
            }
            Ok(())
        }
        Mount::CodeMount(_) => Err(not_served("`code_mount`")),
        Mount::BrokerMount(_) => Err(not_served("`broker_mount`")),
        Mount::AgentMount(_) => Err(not_served("`agent_mount`")),
        Mount::Other(value) => Err(ApiError::bad_request(match value.get("type") {
            Some(kind) => format!("a mount is of the unknown type {}", shown(&kind.to_string())),
            None => "a mount lacks its `type`".to_owned(),
        })),
        _ => Err(ApiError::bad_request("a mount of this type is not served by this version")),
    }
}

fn hostname(id: &DevboxId) -> String {
    id.as_str().replace('_', "-")
}

/// What a login finds in its environment, for a user at home.
pub(crate) fn shell_env(user: &User, home: &Path) -> Vec<(OsString, OsString)> {
    [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
        ("HOME", home.as_os_str().to_owned()),
        ("USER", user.name.clone().into()),
        ("LOGNAME", user.name.clone().into()),
        ("SHELL", "/bin/bash".into()),
        // Not LANG: of C.UTF-8 only the characters differ from what is built in, and LANG has each program open a
        // dozen files.
        ("LC_CTYPE", "C.UTF-8".into()),
    ]
    .map(|(name, value)| (OsString::from(name), value))
    .to_vec()
}

/// The login's environment without what the creator of the devbox set: a command's own environment stands above the
/// box's.
pub(crate) fn command_env(
    mut login: Vec<(OsString, OsString)>,
    set: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let has = |name: &OsStr| set.iter().any(|(other, _)| other == name);
    // Who sets a language means the characters too.
    let has_language = has(OsStr::new("LANG"));
    login.retain(|(name, _)| !has(name) && (name != "LC_CTYPE" || !has_language));
    login
}

#[cfg(test)]
mod tests {
    use runloop_types::{ResourceSize, UserParameters};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_request_stands_above_the_blueprint_field_by_field() {
        let below = LaunchParameters {
            resource_size_request: Some(ResourceSize::CustomSize),
            custom_cpu_cores: Some(2.0),
            keep_alive_time_seconds: Some(60),
            network_policy_id: Some("npol_1".into()),
            ..LaunchParameters::default()
        };
        let over = LaunchParameters {
            resource_size_request: Some(ResourceSize::Small),
            keep_alive_time_seconds: Some(90),
            ..LaunchParameters::default()
        };
        let merged = merged(below, over);
        assert_eq!(merged.keep_alive_time_seconds, Some(90));
        assert_eq!(merged.network_policy_id, Some("npol_1".into()));
        assert_eq!(
            (merged.resource_size_request, merged.custom_cpu_cores),
            (Some(ResourceSize::Small), None)
        );
    }

    fn policy(launch: serde_json::Value) -> ApiResult<IdlePolicy> {
        let launch: LaunchParameters = serde_json::from_value(launch).unwrap();
        idle_policy(&launch, &served_lifecycle(&launch)?)
    }

    #[test]
    fn the_default_is_an_hour_of_keep_alive() {
        assert_eq!(policy(json!({})).unwrap(), keep_alive(3600));
    }

    #[test]
    fn after_idle_replaces_keep_alive() {
        let idle = json!({"idle_time_seconds": 5, "on_idle": "suspend"});
        for launch in [
            json!({"after_idle": idle, "keep_alive_time_seconds": 1}),
            json!({"lifecycle": {"after_idle": idle}}),
            json!({"after_idle": idle, "lifecycle": {"after_idle": idle}}),
        ] {
            let policy = policy(launch).unwrap();
            assert_eq!((policy.after, policy.action), (Duration::from_secs(5), IdleAction::Suspend));
        }
    }

    #[test]
    fn what_does_not_agree_or_exist_is_refused() {
        let idle = |seconds, on_idle| json!({"idle_time_seconds": seconds, "on_idle": on_idle});
        for launch in [
            json!({"after_idle": idle(5, "suspend"), "lifecycle": {"after_idle": idle(6, "suspend")}}),
            json!({"after_idle": idle(5, "explode")}),
            json!({"after_idle": idle(0, "suspend")}),
            json!({"lifecycle": {"resume_triggers": {"http": true}}}),
        ] {
            assert_eq!(policy(launch.clone()).unwrap_err().status(), 400, "{launch}");
        }
    }

    #[test]
    fn launch_parameters_are_checked() {
        for launch in [
            json!({"keep_alive_time_seconds": 0}),
            json!({"keep_alive_time_seconds": 172_801}),
            json!({"architecture": "vax"}),
            json!({"provisioning_tier": "gold"}),
            json!({"required_services": ["db"]}),
            json!({"user_parameters": {"username": "a b", "uid": 1}}),
        ] {
            let read: LaunchParameters = serde_json::from_value(launch.clone()).unwrap();
            assert_eq!(check_launch(&read).unwrap_err().status(), 400, "{launch}");
        }
    }

    #[test]
    fn users_live_where_users_live() {
        let user = |name: &str, uid| {
            let user_parameters = Some(UserParameters { username: name.into(), uid });
            launch_user(&LaunchParameters { user_parameters, ..LaunchParameters::default() }, None).unwrap()
        };
        assert_eq!(user("root", 0).home, Path::new("/root"));
        assert_eq!(user("dev", 1001).home, Path::new("/home/dev"));
        assert_eq!(launch_user(&LaunchParameters::default(), None).unwrap(), User::default());
    }

    #[test]
    fn variables_and_commands_that_the_kernel_refuses_are_refused_first() {
        assert!(check_variable("A", "b").is_ok());
        for (name, value) in [("", "x"), ("A=B", "x"), ("A", "x\0"), ("A", &*"x".repeat(LONGEST_ARGUMENT))] {
            assert!(check_variable(name, value).is_err());
        }
        assert!(check_command("true").is_ok());
        for line in ["", " \n", "a\0", &"x".repeat(LONGEST_ARGUMENT + 1)] {
            assert!(check_command(line).is_err());
        }
    }

    #[test]
    fn what_the_creator_set_is_not_overridden_by_the_login() {
        let login = shell_env(&User::default(), Path::new("/home/user"));
        let env = command_env(login, &[("HOME".into(), "/elsewhere".into())]);
        assert!(env.iter().all(|(name, _)| name != "HOME") && env.iter().any(|(name, _)| name == "PATH"));
    }

    #[test]
    fn who_sets_a_language_gets_its_characters() {
        let characters = |set: &[(OsString, OsString)]| {
            let env = command_env(shell_env(&User::default(), Path::new("/home/user")), set);
            env.into_iter().find(|(name, _)| name == "LC_CTYPE").map(|(_, value)| value)
        };
        assert_eq!(characters(&[]), Some("C.UTF-8".into()));
        assert_eq!(characters(&[("LANG".into(), "C".into())]), None);
    }
}

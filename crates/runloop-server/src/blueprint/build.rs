//! Builds a blueprint: a box, its files, its setup commands, a snapshot.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runloop_sandbox::{BoxFailure, BoxSpec, Limits, LinuxBox, Network, SnapshotId as LayerId, User};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, BlueprintState, BlueprintStatus, BlueprintView, DevboxId,
    ExecutionId, Mount,
};
use secrecy::SecretString;

use crate::clock::now_ms;
use crate::devbox::{
    box_path, check_command, check_launch, command_env, environment, launch_user, layer_id, mask,
    named_blueprint, network, place, shell_env, usable_blueprint,
};
use crate::error::{ApiError, ApiResult, chain};
use crate::execution::{Command, Execution, OutputStream, Source};
use crate::new_id::new_id;
use crate::state::Shared;

/// How long a create waits for a build that is done at once.
const FAST_PATH: Duration = Duration::from_millis(250);

/// Longest build.
const LONGEST_BUILD: Duration = Duration::from_secs(2 * 3600);

/// Lines of each command's output that go into the log.
const LINES: usize = 2000;

struct Build {
    id: BlueprintId,
    spec: BoxSpec,
    files: Vec<Mount>,
    commands: Vec<String>,
    user: User,
    secrets: Vec<SecretString>,
}

/// Asks for a blueprint: checks the request, then builds in the background.
///
/// # Errors
/// 400 for what cannot be built, 404 for a reference that names nothing.
pub(crate) async fn create(app: &Shared, params: BlueprintCreateParams) -> ApiResult<BlueprintView> {
    if app.stop.is_cancelled() {
        return Err(ApiError::shutting_down());
    }
    check(&params)?;
    let launch = params.launch_parameters.clone().unwrap_or_default();
    check_launch(&launch)?;
    let base = match (&params.base_blueprint_id, params.base_blueprint_name.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("give `base_blueprint_id` or `base_blueprint_name`, not both"));
        }
        (Some(id), None) => Some(usable_blueprint(&app.store, id.as_str()).await?),
        (None, Some(name)) => Some(named_blueprint(&app.store, name).await?),
        (None, None) => None,
    };
    // A policy of the blueprint's devboxes that cannot be held had better be known now.
    network(&app.store, launch.network_policy_id.as_ref()).await?;
    let build_network = network(&app.store, params.network_policy_id.as_ref()).await?;
    let (env, secrets) = environment(&app.store, &BTreeMap::new(), params.secrets.as_ref()).await?;
    let user = launch_user(&launch, None)?;
    let snapshot = base.as_ref().and_then(|base| base.layer.as_deref()).map(layer_id).transpose()?;

    let id = BlueprintId::new(new_id(BlueprintId::PREFIX));
    let build = Build {
        id: id.clone(),
        spec: spec(app, &id, snapshot, build_network, env, user.clone()),
        files: params
            .file_mounts
            .iter()
            .flatten()
            .map(|(target, content)| Mount::FileMount { target: target.clone(), content: content.clone() })
            .collect(),
        commands: params.system_setup_commands.clone().unwrap_or_default(),
        user,
        secrets,
    };
    let view = BlueprintView {
        id: id.clone(),
        name: params.name.clone(),
        create_time_ms: now_ms(),
        state: BlueprintState::Created,
        status: BlueprintStatus::Queued,
        build_finish_time_ms: None,
        failure_reason: None,
        containerized_services: None,
        devbox_capabilities: None,
        base_blueprint_id: base.map(|base| base.view.id),
        is_public: Some(false),
        metadata: params.metadata.clone(),
        parameters: params,
    };
    app.store.insert_blueprint(view.clone()).await?;
    let work = app.tasks.spawn(see_through(Arc::clone(app), build));
    // Clients poll by the second; a build that is done by then costs them none.
    let _ = tokio::time::timeout(FAST_PATH, work).await;
    Ok(app.store.blueprint(id.as_str()).await?.map_or(view, |row| row.view))
}

fn check(params: &BlueprintCreateParams) -> ApiResult<()> {
    if params.name.trim().is_empty() {
        return Err(ApiError::bad_request("`name` is missing: give the blueprint a name"));
    }
    if params.dockerfile.as_deref().is_some_and(|text| !text.trim().is_empty()) {
        return Err(ApiError::bad_request(
            "`dockerfile` is not supported yet by this version: give its RUN steps as `system_setup_commands` and its \
             COPY steps as `file_mounts`, or mount an archive with `object_mount` when the devbox is created",
        ));
    }
    let unserved = [
        ("`build_context`", params.build_context.is_some()),
        ("`build_args`", params.build_args.as_ref().is_some_and(|args| !args.is_empty())),
        ("`services`", params.services.as_ref().is_some_and(|services| !services.is_empty())),
        ("`code_mounts`", params.code_mounts.as_ref().is_some_and(|mounts| !mounts.is_empty())),
    ];
    if let Some((name, _)) = unserved.iter().find(|(_, given)| *given) {
        return Err(ApiError::bad_request(format!(
            "{name} is not served by this version: fetch what is needed in `system_setup_commands`"
        )));
    }
    for command in params.system_setup_commands.iter().flatten() {
        check_command(command)?;
    }
    for target in params.file_mounts.iter().flatten().map(|(target, _)| target) {
        box_path(target, Path::new("/"))?;
    }
    Ok(())
}

fn spec(
    app: &Shared,
    id: &BlueprintId,
    snapshot: Option<LayerId>,
    network: Network,
    env: Vec<(OsString, OsString)>,
    user: User,
) -> BoxSpec {
    BoxSpec {
        base: app.base.clone(),
        snapshot,
        network,
        hostname: id.as_str().replace('_', "-"),
        user,
        env,
        limits: Limits::default(),
        expose: app.expose.clone(),
    }
}

/// Why a build failed, in the API's word and for people.
struct Failed {
    reason: &'static str,
    message: String,
}

async fn see_through(app: Shared, build: Build) {
    let id = build.id.clone();
    let secrets = build.secrets.clone();
    let outcome = tokio::select! {
        outcome = build_in_turn(&app, build) => outcome,
        () = tokio::time::sleep(LONGEST_BUILD) => Err(Failed {
            reason: "build_failed",
            message: format!("the build took longer than {} minutes", LONGEST_BUILD.as_secs() / 60),
        }),
        () = app.stop.cancelled() => Err(Failed {
            reason: "build_failed",
            message: "the server ended during the build: create the blueprint again".into(),
        }),
    };
    let (layer, failure) = match outcome {
        Ok(layer) => (layer.map(|layer| layer.as_str().to_owned()), None),
        Err(failed) => {
            app.builds.add(&id, "error", &mask(&failed.message, &secrets));
            (None, Some(failed.reason))
        }
    };
    let logs = app.builds.get(&id).unwrap_or_default();
    let stored = app
        .store
        .finish_blueprint(id.as_str(), layer, logs, move |view| {
            view.status = match failure {
                None => BlueprintStatus::BuildComplete,
                Some(reason) => {
                    view.failure_reason = Some(reason.into());
                    BlueprintStatus::Failed
                }
            };
            view.build_finish_time_ms = Some(now_ms());
        })
        .await;
    if let Err(error) = stored {
        tracing::error!(blueprint = %id, error = %chain(&error), "the end of a build could not be stored");
    }
    app.builds.remove(&id);
}

async fn build_in_turn(app: &Shared, build: Build) -> Result<Option<LayerId>, Failed> {
    let failed = |message: String| Failed { reason: "build_failed", message };
    if build.files.is_empty() && build.commands.is_empty() && build.spec.snapshot.is_none() {
        // Nothing to put on top of the base.
        return Ok(None);
    }
    let _turn = app.builds.turns.acquire().await.map_err(|error| failed(chain(&error)))?;
    let building =
        app.store.change_blueprint(build.id.as_str(), |view| view.status = BlueprintStatus::Building).await;
    building.map_err(|error| failed(chain(&error)))?;
    let set = build.spec.env.clone();
    let linux_box = app
        .sandbox
        .create(build.spec.clone())
        .await
        .map_err(|error| failed(format!("the machine could not be made: {}", chain(&error))))?;
    // Also a build that is cut off leaves no machine behind.
    let doomed = Doomed { app, linux_box: Some(linux_box.clone()) };
    let env = command_env(shell_env(&build.user, linux_box.home()), &set);
    let outcome = fill(app, &build, &linux_box, env).await;
    let outcome = outcome.map_err(|message| match linux_box.failure() {
        Some(BoxFailure::OutOfMemory) => Failed { reason: "out_of_memory", message },
        Some(BoxFailure::OutOfDisk) => Failed { reason: "out_of_disk", message },
        _ => failed(message),
    });
    drop(doomed);
    outcome.map(Some)
}

/// Destroys a box when dropped.
struct Doomed<'a> {
    app: &'a Shared,
    linux_box: Option<LinuxBox>,
}

impl Drop for Doomed<'_> {
    fn drop(&mut self) {
        if let Some(linux_box) = self.linux_box.take() {
            self.app.tasks.spawn(async move { linux_box.destroy().await });
        }
    }
}

async fn fill(
    app: &Shared,
    build: &Build,
    linux_box: &LinuxBox,
    env: Vec<(OsString, OsString)>,
) -> Result<LayerId, String> {
    place(app, linux_box, &build.files).await?;
    let count = build.commands.len();
    for (n, line) in (1..).zip(&build.commands) {
        app.builds.add(&build.id, "info", &mask(&format!("[{n}/{count}] {line}"), &build.secrets));
        let command = Command {
            line: line.clone(),
            attach_stdin: false,
            source: Source::SetupCommands,
            env: env.clone(),
            user: None,
        };
        let execution = Execution::start(
            &app.sandbox,
            linux_box,
            DevboxId::new(build.id.as_str()),
            ExecutionId::new(new_id(ExecutionId::PREFIX)),
            command,
            &app.scratch_dir,
            &app.tasks,
        )
        .await
        .map_err(|error| chain(&error))?;
        let code = execution.completed().await;
        for (level, stream) in [("info", OutputStream::Stdout), ("error", OutputStream::Stderr)] {
            let output = execution.output(stream).tail(LINES).text;
            app.builds.add(&build.id, level, &mask(&output, &build.secrets));
        }
        if code != 0 {
            return Err(format!("setup command {n} of {count} ended with status {code}"));
        }
    }
    // With no process left the snapshot takes constant time, and nothing of the build is running in it.
    linux_box.kill_all().await.map_err(|error| chain(&error))?;
    linux_box.snapshot().await.map_err(|error| chain(&error))
}

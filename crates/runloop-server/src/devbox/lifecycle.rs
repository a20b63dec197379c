//! What moves a devbox from one state to the next.

use std::sync::Arc;
use std::time::Duration;

use runloop_sandbox::{BoxFailure, BoxSpec, LinuxBox};
use runloop_types::{
    DevboxCreateParams, DevboxFailureReason, DevboxShutdownReason, DevboxStatus, DevboxView, ExecutionId,
    Mount,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::devbox::{Devbox, End, Live};
use super::idle::IdleAction;
use super::mask::mask;
use super::mounts::place;
use super::plan::{Plan, check_command, command_env, keep_alive, plan, shell_env};
use super::registry::MOST_ENDED;
use crate::error::{ApiError, ApiResult, chain};
use crate::execution::{Command, Execution, OutputStream, Source, StartError};
use crate::new_id::new_id;
use crate::state::{App, Shared};
use crate::store::StoreError;

/// How long a request waits for what normally takes milliseconds, before it answers with the state on the way.
const FAST_PATH: Duration = Duration::from_secs(1);

/// How long a shutdown waits until the machine is gone. It goes on in the background after that.
const LONGEST_GOODBYE: Duration = Duration::from_millis(100);

/// Asks for a devbox: checks the request, then makes it in the background.
pub(crate) async fn create(app: &Shared, params: DevboxCreateParams) -> ApiResult<Arc<Devbox>> {
    if app.stop.is_cancelled() {
        return Err(ApiError::shutting_down());
    }
    let Plan { devbox, spec, mounts } = plan(app, params).await?;
    app.devboxes.insert(Arc::clone(&devbox))?;
    app.store.put_devbox(devbox.view());
    app.tasks.spawn(bring_up(Arc::clone(app), Arc::clone(&devbox), spec, mounts));
    Ok(devbox)
}

/// Makes the machine, fills it, boots it.
async fn bring_up(app: Shared, devbox: Arc<Devbox>, spec: BoxSpec, mounts: Vec<Mount>) {
    devbox.enter_if(|status| *status == DevboxStatus::Queued, DevboxStatus::Provisioning);
    let set = spec.env.clone();
    // Not cancelled by a shutdown: a machine that is half made could not be destroyed.
    let linux_box = match app.sandbox.create(spec).await {
        Ok(linux_box) => linux_box,
        Err(error) => {
            let message = format!("the machine could not be made: {}", chain(&error));
            return fail(&app, &devbox, DevboxFailureReason::HealthCheckFailed, message);
        }
    };
    let env = command_env(shell_env(&devbox.identity.user, linux_box.home()), &set);
    let live = Live { linux_box, shell_env: Arc::new(env) };
    if let Err(live) = devbox.attach(live.clone()) {
        return live.linux_box.destroy().await;
    }
    app.tasks.spawn(watch(Arc::clone(&app), Arc::clone(&devbox), live.linux_box.clone()));
    devbox.enter(DevboxStatus::Initializing);
    let up = async {
        place(&app, &live.linux_box, &mounts).await?;
        boot(&app, &devbox, &live).await
    };
    tokio::select! {
        () = devbox.ended.cancelled() => {}
        outcome = up => if let Err(message) = outcome {
            fail(&app, &devbox, DevboxFailureReason::ExecutionFailed, message);
        },
    }
}

/// Runs the launch commands and starts the main process: at creation, and again at each resume.
async fn boot(app: &Shared, devbox: &Arc<Devbox>, live: &Live) -> Result<(), String> {
    let count = devbox.identity.launch_commands.len();
    for (n, line) in (1..).zip(&devbox.identity.launch_commands) {
        let execution = run_setup(app, devbox, live, line).await?;
        let code = execution.completed().await;
        if code != 0 {
            let stderr = execution.output(OutputStream::Stderr).tail(3).text;
            let hint = if stderr.trim().is_empty() { String::new() } else { format!(": {}", stderr.trim()) };
            return Err(format!("launch command {n} of {count} ended with status {code}{hint}"));
        }
    }
    if let Some(line) = &devbox.identity.entrypoint {
        let execution = start(app, devbox, live, internal_id(), line.clone(), false, Source::Entrypoint)
            .await
            .map_err(|error| format!("the entrypoint: {}", chain(&error)))?;
        devbox.set_entrypoint(Some(execution));
    }
    devbox.clock.reset();
    devbox.enter(DevboxStatus::Running);
    Ok(())
}

async fn run_setup(
    app: &Shared,
    devbox: &Arc<Devbox>,
    live: &Live,
    line: &str,
) -> Result<Arc<Execution>, String> {
    start(app, devbox, live, internal_id(), line.to_owned(), false, Source::SetupCommands)
        .await
        .map_err(|error| chain(&error))
}

fn internal_id() -> ExecutionId {
    ExecutionId::new(new_id(ExecutionId::PREFIX))
}

async fn start(
    app: &App,
    devbox: &Devbox,
    live: &Live,
    id: ExecutionId,
    line: String,
    attach_stdin: bool,
    source: Source,
) -> Result<Arc<Execution>, StartError> {
    let command =
        Command { line: line.clone(), attach_stdin, source, env: live.shell_env.to_vec(), user: None };
    devbox
        .executions
        .get_or_start(&id, &line, || {
            Execution::start(
                &app.sandbox,
                &live.linux_box,
                devbox.id.clone(),
                id.clone(),
                command,
                &app.scratch_dir,
                &app.tasks,
            )
        })
        .await
}

/// A command that a client wants to run.
#[derive(Debug)]
pub(crate) struct NewExecution {
    /// Chosen by the client, or none.
    pub(crate) id: Option<ExecutionId>,
    pub(crate) line: String,
    pub(crate) attach_stdin: bool,
}

/// Starts a command, or finds the one that was started under this id.
pub(crate) async fn exec(app: &Shared, devbox: &Arc<Devbox>, new: NewExecution) -> ApiResult<Arc<Execution>> {
    check_command(&new.line)?;
    let known = new.id.as_ref().and_then(|id| devbox.executions.get(id.as_str()));
    if let Some(known) = known {
        return if known.line() == new.line {
            Ok(known)
        } else {
            Err(ApiError::conflict(StartError::IdTaken.to_string()))
        };
    }
    let started = {
        let _starting = devbox.starting.read().await;
        let live = devbox.running()?;
        let id = new.id.unwrap_or_else(internal_id);
        start(app, devbox, &live, id, new.line, new.attach_stdin, Source::Exec).await
    };
    let execution = match started {
        Ok(execution) => execution,
        Err(StartError::TooMany) => return Err(ApiError::too_many(StartError::TooMany.to_string())),
        Err(StartError::IdTaken) => return Err(ApiError::conflict(StartError::IdTaken.to_string())),
        Err(error) => {
            // A machine that has just gone says so in its own words.
            devbox.running()?;
            return Err(ApiError::internal("the command could not be started", &error));
        }
    };
    if devbox.clock.counts_activity() {
        let (devbox, execution) = (Arc::clone(devbox), Arc::clone(&execution));
        app.tasks.spawn(async move {
            let _in_use = devbox.clock.in_use();
            execution.completed().await;
        });
    }
    Ok(execution)
}

/// Kills all processes and keeps the disk.
pub(crate) async fn suspend(app: &Shared, devbox: &Arc<Devbox>) -> ApiResult<DevboxView> {
    if !devbox.enter_if(|status| *status == DevboxStatus::Running, DevboxStatus::Suspending) {
        return Err(ApiError::bad_request(format!(
            "devbox `{}` is {}: only a running one can be suspended",
            devbox.id,
            devbox.status()
        )));
    }
    let work = app.tasks.spawn(fall_asleep(Arc::clone(app), Arc::clone(devbox)));
    wait_a_moment(work).await;
    Ok(devbox.view())
}

async fn fall_asleep(app: Shared, devbox: Arc<Devbox>) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let _turn = devbox.one_at_a_time.lock().await;
    // From here on no command of a client is half started, and none will start: the status refuses them.
    drop(devbox.starting.write().await);
    let Some(live) = devbox.live() else { return };
    say_goodbye(&app, &devbox, &live).await;
    devbox.set_entrypoint(None);
    if let Err(error) = live.linux_box.kill_all().await {
        let message = format!("the machine could not be suspended: {}", chain(&error));
        return fail(&app, &devbox, failure_of(&live.linux_box), message);
    }
    if tokio::time::timeout(PATIENCE, devbox.executions.all_completed()).await.is_err() {
        tracing::warn!(devbox = %devbox.id, "a killed command has not completed");
    }
    devbox.enter_if(|status| *status == DevboxStatus::Suspending, DevboxStatus::Suspended);
}

/// Runs the suspend commands within their time. Failures are logged only.
async fn say_goodbye(app: &Shared, devbox: &Arc<Devbox>, live: &Live) {
    let deadline = Instant::now() + devbox.identity.suspend_budget;
    for line in &devbox.identity.suspend_commands {
        let outcome = tokio::time::timeout_at(deadline, async {
            match run_setup(app, devbox, live, line).await {
                Ok(execution) => match execution.completed().await {
                    0 => Ok(()),
                    code => Err(format!("it ended with status {code}")),
                },
                Err(error) => Err(error),
            }
        });
        match outcome.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(devbox = %devbox.id, "a suspend command failed: {why}"),
            Err(_) => return tracing::warn!(devbox = %devbox.id, "the suspend commands took too long"),
        }
    }
}

/// Boots a suspended devbox.
pub(crate) async fn resume(app: &Shared, devbox: &Arc<Devbox>) -> ApiResult<DevboxView> {
    if !devbox.enter_if(|status| *status == DevboxStatus::Suspended, DevboxStatus::Resuming) {
        return Err(ApiError::bad_request(format!(
            "devbox `{}` is {}: only a suspended one can be resumed",
            devbox.id,
            devbox.status()
        )));
    }
    let (app_, devbox_) = (Arc::clone(app), Arc::clone(devbox));
    let work = app.tasks.spawn(async move {
        let _turn = devbox_.one_at_a_time.lock().await;
        let Some(live) = devbox_.live() else { return };
        // Whoever resumes a devbox is about to use it: it starts while the answer and the next request are on their way.
        live.linux_box.warm_up();
        tokio::select! {
            () = devbox_.ended.cancelled() => {}
            outcome = boot(&app_, &devbox_, &live) => if let Err(message) = outcome {
                fail(&app_, &devbox_, DevboxFailureReason::ExecutionFailed, message);
            },
        }
    });
    wait_a_moment(work).await;
    Ok(devbox.view())
}

async fn wait_a_moment(work: JoinHandle<()>) {
    if let Ok(Err(error)) = tokio::time::timeout(FAST_PATH, work).await {
        tracing::error!(%error, "a devbox could not change its state");
    }
}

/// Ends a devbox. Ending one that has ended is no error.
///
/// # Errors
/// 409 while a snapshot is being taken, unless forced.
pub(crate) async fn shutdown(
    app: &Shared,
    devbox: &Arc<Devbox>,
    reason: DevboxShutdownReason,
    force: bool,
) -> ApiResult<DevboxView> {
    if devbox.is_being_snapshot() && !force {
        return Err(ApiError::conflict(format!(
            "a snapshot of devbox `{}` is being taken: wait for it, or send `?force=true`",
            devbox.id
        ))
        .should_retry(true));
    }
    if let Some(gone) = end(app, devbox, End::Shutdown(reason)) {
        let _ = tokio::time::timeout(LONGEST_GOODBYE, gone).await;
    }
    Ok(devbox.view())
}

/// Ends every devbox and waits until all are gone.
pub(crate) async fn end_all(app: &Shared) {
    let ending: Vec<_> = app
        .devboxes
        .all()
        .iter()
        .filter_map(|devbox| end(app, devbox, End::Shutdown(DevboxShutdownReason::ApiShutdown)))
        .collect();
    for gone in ending {
        if let Err(error) = gone.await {
            tracing::error!(%error, "a machine could not be ended");
        }
    }
}

fn fail(app: &Shared, devbox: &Arc<Devbox>, reason: DevboxFailureReason, message: String) {
    // It may quote what a command said.
    let message = mask(&message, &devbox.identity.secrets);
    tracing::warn!(devbox = %devbox.id, "failed: {message}");
    // The machine goes in the background.
    drop(end(app, devbox, End::Failure { reason, message }));
}

/// Enters the final state; answers the destruction of the machine, if that is ours to do.
fn end(app: &Shared, devbox: &Arc<Devbox>, end: End) -> Option<JoinHandle<()>> {
    let linux_box = devbox.end(end)?;
    app.store.put_devbox(devbox.view());
    app.devboxes.note_end(devbox);
    let linux_box = linux_box?;
    Some(app.tasks.spawn(async move { linux_box.destroy().await }))
}

/// Looks after a devbox for all its life: its machine, its main process, its idle time.
async fn watch(app: Shared, devbox: Arc<Devbox>, linux_box: LinuxBox) {
    let mut status = devbox.subscribe();
    loop {
        let now = status.borrow_and_update().clone();
        if now.is_final() {
            return;
        }
        let running = now == DevboxStatus::Running;
        let entrypoint = devbox.entrypoint().filter(|_| running);
        let main_process = async {
            match &entrypoint {
                Some(execution) => execution.completed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A change of state stands above what it causes: a suspend kills the main process.
            biased;
            changed = status.changed() => if changed.is_err() {
                return;
            },
            () = linux_box.gone() => {
                return fail(&app, &devbox, failure_of(&linux_box), "the machine is gone".into());
            }
            _ = main_process => {
                if devbox.status() == DevboxStatus::Running {
                    drop(end(&app, &devbox, End::Shutdown(DevboxShutdownReason::EntrypointExit)));
                }
            }
            () = devbox.clock.expired(), if running => match devbox.clock.action() {
                IdleAction::Shutdown(reason) => drop(end(&app, &devbox, End::Shutdown(reason.clone()))),
                IdleAction::Suspend => if let Err(error) = suspend(&app, &devbox).await {
                    tracing::debug!(devbox = %devbox.id, "not suspended: {}", error.message());
                },
            },
        }
    }
}

fn failure_of(linux_box: &LinuxBox) -> DevboxFailureReason {
    match linux_box.failure() {
        Some(BoxFailure::OutOfMemory) => DevboxFailureReason::OutOfMemory,
        Some(BoxFailure::OutOfDisk) => DevboxFailureReason::OutOfDisk,
        Some(BoxFailure::Lost) | None => DevboxFailureReason::HealthCheckFailed,
    }
}

/// Brings back what the last server knew of its devboxes.
pub(crate) async fn restore(app: &Shared) -> Result<(), StoreError> {
    for view in app.store.take_devboxes(MOST_ENDED).await? {
        let alive = !view.status.is_final();
        let devbox = Arc::new(Devbox::of_dead_server(view, keep_alive(0)));
        if alive {
            app.store.put_devbox(devbox.view());
        }
        if let Err(error) = app.devboxes.insert(devbox) {
            tracing::warn!("a devbox of the last server was forgotten: {}", error.message());
        }
    }
    Ok(())
}

//! /v1/devboxes/{id}/execute*, /v1/devboxes/{id}/executions

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{
    DevboxExecutionDetailView, DevboxSendStdInResult, ExecuteAsyncParams, ExecutionId, ExecutionStatus,
    KillParams, SendStdInParams, StdinSignal, WaitForStatusParams,
};
use serde::Deserialize;

use crate::body::{Json, json};
use crate::devbox::{Devbox, NewExecution, exec};
use crate::error::{ApiError, ApiResult, chain, shown};
use crate::execution::{DEFAULT_LINES, Execution, OutputStream, output_events, parse_last_n};
use crate::new_id::is_well_formed;
use crate::query::Query;
use crate::state::{App, Shared};
use crate::wait::hold;

/// Default and longest hold of `execute` and of a wait.
const HOLD: Duration = Duration::from_secs(25);

/// Bytes of each output that `execute_sync` can answer.
const MOST_SYNC_OUTPUT: u64 = 32 * 1024 * 1024;

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/execute_async", post(execute_async))
        .route("/v1/devboxes/{id}/execute", post(execute))
        .route("/v1/devboxes/{id}/execute_sync", post(execute_sync))
        .route("/v1/devboxes/{id}/executions/{execution_id}/kill", post(kill))
        .route("/v1/devboxes/{id}/executions/{execution_id}/send_std_in", post(send_std_in))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/executions/{execution_id}", get(retrieve))
        .route("/v1/devboxes/{id}/executions/{execution_id}/wait_for_status", post(wait_for_status))
        .route("/v1/devboxes/{id}/executions/{execution_id}/stream_stdout_updates", get(stream_stdout))
        .route("/v1/devboxes/{id}/executions/{execution_id}/stream_stderr_updates", get(stream_stderr))
}

/// As [`runloop_types::ExecuteParams`], but clients send the timeout with and without a fraction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Execute {
    command: String,
    command_id: String,
    optimistic_timeout: Option<f64>,
    shell_name: Option<String>,
}

fn refuse_shell(name: Option<&str>) -> ApiResult<()> {
    match name {
        None | Some("") => Ok(()),
        Some(name) => Err(ApiError::bad_request(format!(
            "named shells (`{}`) are not served by this version: leave `shell_name` out and begin each command with \
             its own `cd` and `export`",
            shown(name)
        ))),
    }
}

fn last_n(query: &Query) -> ApiResult<usize> {
    let text = query.get("last_n");
    parse_last_n(text).ok_or_else(|| {
        ApiError::bad_request(format!(
            "`last_n` is `{}`: give a number of lines",
            shown(text.unwrap_or_default())
        ))
    })
}

async fn execute_async(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ExecuteAsyncParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let execution = start(&app, &devbox, params).await?;
    json(&execution.view(DEFAULT_LINES)?)
}

async fn start(app: &Shared, devbox: &Arc<Devbox>, params: ExecuteAsyncParams) -> ApiResult<Arc<Execution>> {
    refuse_shell(params.shell_name.as_deref())?;
    let attach_stdin = params.attach_stdin.unwrap_or(false);
    exec(app, devbox, NewExecution { id: None, line: params.command, attach_stdin }).await
}

async fn execute(
    State(app): State<Shared>,
    Path(id): Path<String>,
    query: Query,
    Json(params): Json<Execute>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let lines = last_n(&query)?;
    refuse_shell(params.shell_name.as_deref())?;
    let hold = hold(params.optimistic_timeout, HOLD, HOLD)?;
    if !is_well_formed(&params.command_id) {
        return Err(ApiError::bad_request(
            "`command_id` is missing or no id: give each command a new UUIDv7, so that a retry does not run it twice",
        ));
    }
    let id = Some(ExecutionId::new(params.command_id));
    let execution =
        exec(&app, &devbox, NewExecution { id, line: params.command, attach_stdin: false }).await?;
    // A command that runs on is not an error: the client waits by its id.
    wait(&app, &execution, hold).await;
    json(&execution.view(lines)?)
}

/// Waits for the completion, or for what makes it worthless: lost output. False when the time is over or the server
/// stops.
async fn wait(app: &App, execution: &Execution, hold: Duration) -> bool {
    if execution.exit_status().is_some() {
        return true;
    }
    tokio::select! {
        _ = execution.completed() => true,
        () = execution.output_lost() => true,
        () = tokio::time::sleep(hold) => false,
        () = app.stop.cancelled() => false,
    }
}

async fn execute_sync(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ExecuteAsyncParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let execution = start(&app, &devbox, params).await?;
    tokio::select! {
        _ = execution.completed() => {}
        () = execution.output_lost() => {}
    }
    execution.check_output()?;
    let exit_status = execution.completed().await;
    json(&DevboxExecutionDetailView {
        devbox_id: devbox.id.clone(),
        exit_status,
        stdout: whole(&execution, OutputStream::Stdout).await?,
        stderr: whole(&execution, OutputStream::Stderr).await?,
        shell_name: None,
    })
}

/// All of an output. There is no flag that could say that something is missing, so it is all or an error.
async fn whole(execution: &Execution, which: OutputStream) -> ApiResult<String> {
    let log = execution.output(which);
    let len = log.progress().len;
    if len > MOST_SYNC_OUTPUT {
        return Err(ApiError::too_large(
            &format!("the output of execution `{}` (stream it, or use execute_async)", execution.id),
            MOST_SYNC_OUTPUT,
        ));
    }
    let bytes = log
        .read_at(0, usize::try_from(len).unwrap_or(usize::MAX))
        .await
        .map_err(|error| ApiError::internal("the output could not be read", &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn find(app: &App, id: &str, execution_id: &str) -> ApiResult<(Arc<Devbox>, Arc<Execution>)> {
    let devbox = app.devboxes.get(id)?;
    if !is_well_formed(execution_id) {
        return Err(ApiError::bad_request(format!("`{}` is no execution id", shown(execution_id))));
    }
    let execution =
        devbox.executions.get(execution_id).ok_or_else(|| ApiError::not_found("execution", execution_id))?;
    Ok((devbox, execution))
}

async fn retrieve(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Response> {
    let (_, execution) = find(&app, &id, &execution_id)?;
    json(&execution.view(last_n(&query)?)?)
}

async fn wait_for_status(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    query: Query,
    Json(params): Json<WaitForStatusParams<ExecutionStatus>>,
) -> ApiResult<Response> {
    let (_, execution) = find(&app, &id, &execution_id)?;
    let lines = last_n(&query)?;
    if params.statuses.is_empty() {
        return Err(ApiError::bad_request("`statuses` is empty: give at least one status to wait for"));
    }
    if let Some(other) = params.statuses.iter().find(|status| matches!(status, ExecutionStatus::Other(_))) {
        return Err(ApiError::bad_request(format!(
            "`{}` is no status: give one of {}",
            shown(other.as_str()),
            ExecutionStatus::KNOWN.join(", ")
        )));
    }
    let hold = hold(params.timeout_seconds, HOLD, HOLD)?;
    let view = execution.view(lines)?;
    if params.statuses.contains(&view.status) {
        return json(&view);
    }
    // What runs can only complete, and what has completed stays so.
    if wait(&app, &execution, hold).await && params.statuses.contains(&ExecutionStatus::Completed) {
        return json(&execution.view(lines)?);
    }
    execution.check_output()?;
    if app.stop.is_cancelled() {
        return Err(ApiError::shutting_down());
    }
    if execution.exit_status().is_some() {
        // Answering at once would make clients ask again at once.
        tokio::time::sleep(hold).await;
    }
    Err(ApiError::wait_expired(format!(
        "execution `{execution_id}` is not in one of the statuses that were asked for: wait again"
    ))
    .should_retry(true))
}

async fn kill(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    Json(params): Json<KillParams>,
) -> ApiResult<Response> {
    let (devbox, execution) = find(&app, &id, &execution_id)?;
    if let Err(error) = execution.kill(params.kill_process_group.unwrap_or(false)).await {
        // With the box gone the command is, too.
        tracing::debug!(devbox = %devbox.id, error = %chain(&error), "nothing left to kill");
    }
    json(&execution.view(DEFAULT_LINES)?)
}

async fn send_std_in(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    Json(params): Json<SendStdInParams>,
) -> ApiResult<Response> {
    let (devbox, execution) = find(&app, &id, &execution_id)?;
    if !execution.has_stdin() {
        return Err(ApiError::bad_request(
            "the command was started without `attach_stdin: true`: it reads nothing",
        ));
    }
    let success = match (params.text, params.signal) {
        (Some(text), None) if !text.is_empty() => execution.send_text(&text).await,
        (None, Some(StdinSignal::Eof)) => execution.close_stdin().await,
        (None, Some(StdinSignal::Interrupt)) => execution.interrupt().await,
        _ => {
            return Err(ApiError::bad_request(
                "give exactly one of `text` (not empty) and `signal` (EOF, INTERRUPT)",
            ));
        }
    };
    json(&DevboxSendStdInResult { devbox_id: devbox.id.clone(), execution_id: execution.id.clone(), success })
}

async fn stream_stdout(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Response> {
    stream(&app, &id, &execution_id, &query, OutputStream::Stdout)
}

async fn stream_stderr(
    State(app): State<Shared>,
    Path((id, execution_id)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Response> {
    stream(&app, &id, &execution_id, &query, OutputStream::Stderr)
}

fn stream(
    app: &App,
    id: &str,
    execution_id: &str,
    query: &Query,
    which: OutputStream,
) -> ApiResult<Response> {
    let (_, execution) = find(app, id, execution_id)?;
    let offset = query.number("offset")?.unwrap_or(0);
    Ok(output_events(execution, which, offset, app.stop.clone()))
}

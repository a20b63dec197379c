//! Disk snapshots of devboxes.

use std::sync::Arc;

use runloop_types::{DevboxSnapshotView, DevboxStatus, SnapshotId, SnapshotParams, SnapshotStatus};
use tokio::sync::oneshot;

use super::devbox::Devbox;
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, chain};
use crate::new_id::new_id;
use crate::state::Shared;
use crate::store::SnapshotRow;

const LONGEST_MESSAGE: usize = 1000;

/// Starts to take a snapshot; the receiver tells how it ended.
///
/// # Errors
/// 400 when the devbox is neither running nor suspended.
pub(crate) fn snapshot(
    app: &Shared,
    devbox: &Arc<Devbox>,
    params: SnapshotParams,
) -> ApiResult<(DevboxSnapshotView, oneshot::Receiver<Result<(), String>>)> {
    check_message(params.commit_message.as_deref())?;
    let status = devbox.status();
    if !matches!(status, DevboxStatus::Running | DevboxStatus::Suspended) {
        return Err(ApiError::bad_request(format!(
            "devbox `{}` is {status}: only a running or suspended one can be snapshot",
            devbox.id
        )));
    }
    let view = DevboxSnapshotView {
        id: SnapshotId::new(new_id(SnapshotId::PREFIX)),
        create_time_ms: now_ms(),
        metadata: params.metadata.unwrap_or_default(),
        source_devbox_id: devbox.id.clone(),
        source_blueprint_id: devbox.identity.blueprint_id.clone(),
        name: params.name.filter(|name| !name.is_empty()),
        commit_message: params.commit_message.filter(|message| !message.is_empty()),
        size_bytes: None,
    };
    app.store.insert_snapshot(SnapshotRow {
        view: view.clone(),
        status: SnapshotStatus::InProgress,
        error: None,
        layer: None,
        user: devbox.identity.user.clone(),
    });
    let (tell, told) = oneshot::channel();
    let under_way = devbox.begin_snapshot();
    let (app_, devbox, id) = (Arc::clone(app), Arc::clone(devbox), view.id.clone());
    app.tasks.spawn(async move {
        let outcome = take(&devbox).await;
        let failed = outcome.as_ref().err().cloned();
        if let Err(error) = app_.store.finish_snapshot(id.as_str(), outcome).await {
            tracing::error!(snapshot = %id, error = %chain(&error), "the end of a snapshot could not be stored");
        }
        drop(under_way);
        // Nobody waits when it was asked for asynchronously.
        let _ = tell.send(failed.map_or(Ok(()), Err));
    });
    Ok((view, told))
}

async fn take(devbox: &Arc<Devbox>) -> Result<String, String> {
    let _turn = devbox.one_at_a_time.lock().await;
    let live = devbox.live().ok_or("the devbox has ended")?;
    match live.linux_box.snapshot().await {
        Ok(layer) => Ok(layer.as_str().to_owned()),
        Err(error) => Err(chain(&error)),
    }
}

/// Checks a commit message.
pub(crate) fn check_message(message: Option<&str>) -> ApiResult<()> {
    let length = message.map_or(0, |message| message.chars().count());
    if length > LONGEST_MESSAGE {
        return Err(ApiError::bad_request(format!(
            "`commit_message` has {length} characters: at most {LONGEST_MESSAGE} are kept"
        )));
    }
    Ok(())
}

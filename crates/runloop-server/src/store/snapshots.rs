//! Disk snapshots: the API's record of each, and the layer of the sandbox that holds it.

use std::collections::{BTreeMap, HashSet};

use runloop_sandbox::User;
use runloop_types::{DevboxSnapshotView, SnapshotParams, SnapshotStatus};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::list::{Conditions, MaybePage, get, list};
use super::{Store, StoreError, from_json, to_json};
use crate::pagination::PageRequest;

const TABLE: &str = "snapshots";

/// A snapshot as stored.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotRow {
    pub(crate) view: DevboxSnapshotView,
    pub(crate) status: SnapshotStatus,
    pub(crate) error: Option<String>,
    /// Names the snapshot to the sandbox, once it is complete.
    pub(crate) layer: Option<String>,
    /// The user of the devbox it was taken of, whose home is in it.
    pub(crate) user: User,
}

/// What a list of snapshots is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotFilter {
    pub(crate) devbox_id: Option<String>,
    pub(crate) source_blueprint_id: Option<String>,
    pub(crate) metadata: BTreeMap<String, Vec<String>>,
}

impl Store {
    /// Writes a new snapshot, soon: reads that follow see it.
    pub(crate) fn insert_snapshot(&self, row: SnapshotRow) {
        self.submit("a snapshot", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO snapshots (id, view, status, error, layer, user) VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    row.view.id.as_str(),
                    to_json(TABLE, &row.view)?,
                    row.status.as_str(),
                    row.error,
                    row.layer,
                    to_json(TABLE, &row.user)?,
                ])?;
            Ok(())
        });
    }

    /// Writes how taking a snapshot ended: its layer, or why there is none.
    pub(crate) async fn finish_snapshot(
        &self,
        id: &str,
        outcome: Result<String, String>,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let (status, layer, error) = match outcome {
                Ok(layer) => (SnapshotStatus::Complete, Some(layer), None),
                Err(error) => (SnapshotStatus::Error, None, Some(error)),
            };
            connection
                .prepare_cached("UPDATE snapshots SET status = ?2, layer = ?3, error = ?4 WHERE id = ?1")?
                .execute(params![id, status.as_str(), layer, error])?;
            Ok(())
        })
        .await
    }

    /// Snapshots that a dead server was taking can no longer be completed.
    pub(crate) async fn fail_unfinished_snapshots(&self) -> Result<(), StoreError> {
        self.call(|connection| {
            connection.execute(
                "UPDATE snapshots SET status = 'error', error = 'the server ended while the snapshot was taken'
                 WHERE status = 'in_progress'",
                [],
            )?;
            Ok(())
        })
        .await
    }

    /// The snapshot with this id, also a deleted one.
    pub(crate) async fn snapshot(&self, id: &str) -> Result<Option<SnapshotRow>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| read(connection, &id)).await
    }

    /// Changes name, metadata and message where given; metadata is replaced whole.
    pub(crate) async fn update_snapshot(
        &self,
        id: &str,
        changes: SnapshotParams,
    ) -> Result<Option<DevboxSnapshotView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<DevboxSnapshotView>(connection, TABLE, &id)? else { return Ok(None) };
            if let Some(name) = changes.name {
                view.name = Some(name).filter(|name| !name.is_empty());
            }
            if let Some(metadata) = changes.metadata {
                view.metadata = metadata;
            }
            if let Some(message) = changes.commit_message {
                view.commit_message = Some(message).filter(|message| !message.is_empty());
            }
            connection.execute(
                "UPDATE snapshots SET view = ?2 WHERE id = ?1",
                params![id, to_json(TABLE, &view)?],
            )?;
            Ok(Some(view))
        })
        .await
    }

    /// Marks a completed snapshot deleted; answers the row as it was before.
    pub(crate) async fn delete_snapshot(&self, id: &str) -> Result<Option<SnapshotRow>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let row = read(connection, &id)?;
            connection.execute(
                "UPDATE snapshots SET status = 'deleted', layer = NULL WHERE id = ? AND status = 'complete'",
                [&id],
            )?;
            Ok(row)
        })
        .await
    }

    /// A page of the snapshots that are not deleted.
    pub(crate) async fn snapshots(
        &self,
        filter: SnapshotFilter,
        request: PageRequest,
    ) -> Result<MaybePage<DevboxSnapshotView>, StoreError> {
        self.call(move |connection| {
            let mut conditions = Conditions::default();
            conditions.fixed("status <> 'deleted'");
            if let Some(devbox) = filter.devbox_id {
                conditions.add("view ->> '$.source_devbox_id' = ?", devbox);
            }
            if let Some(blueprint) = filter.source_blueprint_id {
                conditions.add("view ->> '$.source_blueprint_id' = ?", blueprint);
            }
            for (key, wanted) in filter.metadata {
                let marks = vec!["?"; wanted.len()].join(", ");
                conditions.add_all(
                    format!(
                        "EXISTS (SELECT 1 FROM json_each(view, '$.metadata') AS m WHERE m.key = ? AND m.value IN ({marks}))"
                    ),
                    std::iter::once(key).chain(wanted).map(Value::from),
                );
            }
            list(connection, TABLE, conditions, &request)
        })
        .await
    }

    /// Names of all the layers that snapshots and blueprints stand for.
    pub(crate) async fn layers(&self) -> Result<HashSet<String>, StoreError> {
        self.call(|connection| {
            let mut statement = connection.prepare(
                "SELECT layer FROM snapshots WHERE layer IS NOT NULL
                 UNION SELECT layer FROM blueprints WHERE layer IS NOT NULL",
            )?;
            let layers = statement.query_map([], |row| row.get(0))?;
            Ok(layers.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Ids of the snapshots that were taken of devboxes of this blueprint and are still there.
    pub(crate) async fn snapshots_of_blueprint(&self, blueprint: &str) -> Result<Vec<String>, StoreError> {
        let blueprint = blueprint.to_owned();
        self.call(move |connection| {
            let mut statement = connection.prepare(
                "SELECT id FROM snapshots
                 WHERE status IN ('complete', 'in_progress') AND view ->> '$.source_blueprint_id' = ?
                 ORDER BY id LIMIT 100",
            )?;
            let ids = statement.query_map([blueprint], |row| row.get(0))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn read(connection: &Connection, id: &str) -> Result<Option<SnapshotRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT view, status, error, layer, user FROM snapshots WHERE id = ?")?;
    let row = statement
        .query_row([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, String>(4)?,
            ))
        })
        .optional()?;
    let Some((view, status, error, layer, user)) = row else { return Ok(None) };
    Ok(Some(SnapshotRow {
        view: from_json(TABLE, &view)?,
        status: SnapshotStatus::from(status.as_str()),
        error,
        layer,
        user: from_json(TABLE, &user)?,
    }))
}

//! Blueprints, their build logs, and the layer of the sandbox that each build left.

use runloop_types::{
    BlueprintBuildLog, BlueprintBuildLogsListView, BlueprintState, BlueprintStatus, BlueprintView,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::list::{Conditions, MaybePage, get, list};
use super::{Store, StoreError, from_json, to_json};
use crate::pagination::PageRequest;

const TABLE: &str = "blueprints";

/// A blueprint as stored.
#[derive(Debug, Clone)]
pub(crate) struct BlueprintRow {
    pub(crate) view: BlueprintView,
    /// Names the built disk to the sandbox; `None` for one that adds nothing to the base.
    pub(crate) layer: Option<String>,
}

/// A build's log as the API answers it.
pub(crate) fn build_log_view(id: &str, logs: Vec<BlueprintBuildLog>) -> BlueprintBuildLogsListView {
    BlueprintBuildLogsListView { blueprint_id: id.into(), logs }
}

impl Store {
    /// Writes a new blueprint.
    pub(crate) async fn insert_blueprint(&self, view: BlueprintView) -> Result<(), StoreError> {
        self.call(move |connection| {
            connection.execute(
                "INSERT INTO blueprints (id, view, layer, logs) VALUES (?, ?, NULL, '[]')",
                params![view.id.as_str(), to_json(TABLE, &view)?],
            )?;
            Ok(())
        })
        .await
    }

    /// Changes the view of a blueprint; answers it as it is afterwards.
    pub(crate) async fn change_blueprint(
        &self,
        id: &str,
        change: impl FnOnce(&mut BlueprintView) + Send + 'static,
    ) -> Result<Option<BlueprintView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<BlueprintView>(connection, TABLE, &id)? else { return Ok(None) };
            change(&mut view);
            connection.execute(
                "UPDATE blueprints SET view = ?2 WHERE id = ?1",
                params![id, to_json(TABLE, &view)?],
            )?;
            Ok(Some(view))
        })
        .await
    }

    /// Writes how a build ended.
    pub(crate) async fn finish_blueprint(
        &self,
        id: &str,
        layer: Option<String>,
        logs: Vec<BlueprintBuildLog>,
        change: impl FnOnce(&mut BlueprintView) + Send + 'static,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<BlueprintView>(connection, TABLE, &id)? else { return Ok(()) };
            change(&mut view);
            connection.execute(
                "UPDATE blueprints SET view = ?2, layer = ?3, logs = ?4 WHERE id = ?1",
                params![id, to_json(TABLE, &view)?, layer, to_json(TABLE, &logs)?],
            )?;
            Ok(())
        })
        .await
    }

    /// Builds of a dead server cannot go on.
    pub(crate) async fn fail_unfinished_blueprints(&self, now_ms: i64) -> Result<(), StoreError> {
        self.call(move |connection| {
            let unfinished: Vec<String> = {
                let mut statement = connection.prepare(
                    "SELECT view FROM blueprints
                     WHERE view ->> '$.status' NOT IN ('failed', 'build_complete')",
                )?;
                let rows = statement.query_map([], |row| row.get(0))?;
                rows.collect::<Result<_, _>>()?
            };
            for text in unfinished {
                let mut view: BlueprintView = from_json(TABLE, &text)?;
                view.status = BlueprintStatus::Failed;
                view.failure_reason = Some("build_failed".into());
                view.build_finish_time_ms = Some(now_ms);
                let log = BlueprintBuildLog {
                    level: "error".into(),
                    message: "the server ended during the build: create the blueprint again".into(),
                    timestamp_ms: now_ms,
                };
                connection.execute(
                    "UPDATE blueprints SET view = ?2, logs = ?3 WHERE id = ?1",
                    params![view.id.as_str(), to_json(TABLE, &view)?, to_json(TABLE, &vec![log])?],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// The blueprint with this id, also a deleted one.
    pub(crate) async fn blueprint(&self, id: &str) -> Result<Option<BlueprintRow>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| read(connection, "id = ?", &id)).await
    }

    /// The newest successful build of this name that is not deleted.
    pub(crate) async fn blueprint_by_name(&self, name: &str) -> Result<Option<BlueprintRow>, StoreError> {
        let name = name.to_owned();
        self.call(move |connection| {
            let condition = "view ->> '$.name' = ? AND view ->> '$.status' = 'build_complete'
                             AND view ->> '$.state' = 'created'";
            read(connection, condition, &name)
        })
        .await
    }

    /// The log of a build, once it has ended.
    pub(crate) async fn blueprint_logs(
        &self,
        id: &str,
    ) -> Result<Option<Vec<BlueprintBuildLog>>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let text: Option<String> = connection
                .query_row("SELECT logs FROM blueprints WHERE id = ?", [id], |row| row.get(0))
                .optional()?;
            text.map(|text| from_json(TABLE, &text)).transpose()
        })
        .await
    }

    /// Marks a blueprint deleted; answers the row as it was before.
    pub(crate) async fn delete_blueprint(&self, id: &str) -> Result<Option<BlueprintRow>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(row) = read(connection, "id = ?", &id)? else { return Ok(None) };
            let mut deleted = row.view.clone();
            deleted.state = BlueprintState::Deleted;
            connection.execute(
                "UPDATE blueprints SET view = ?2, layer = NULL WHERE id = ?1",
                params![id, to_json(TABLE, &deleted)?],
            )?;
            Ok(Some(row))
        })
        .await
    }

    /// A page of the blueprints that are not deleted.
    pub(crate) async fn blueprints(
        &self,
        name: Option<String>,
        status: Option<String>,
        request: PageRequest,
    ) -> Result<MaybePage<BlueprintView>, StoreError> {
        self.call(move |connection| {
            let mut conditions = Conditions::default();
            conditions.fixed("view ->> '$.state' = 'created'");
            if let Some(name) = name {
                conditions.add("view ->> '$.name' = ?", name);
            }
            if let Some(status) = status {
                conditions.add("view ->> '$.status' = ?", status);
            }
            list(connection, TABLE, conditions, &request)
        })
        .await
    }
}

fn read(connection: &Connection, condition: &str, value: &str) -> Result<Option<BlueprintRow>, StoreError> {
    let sql = format!("SELECT view, layer FROM blueprints WHERE {condition} ORDER BY id DESC LIMIT 1");
    let mut statement = connection.prepare(&sql)?;
    let row = statement
        .query_row([value], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))
        .optional()?;
    let Some((view, layer)) = row else { return Ok(None) };
    Ok(Some(BlueprintRow { view: from_json(TABLE, &view)?, layer }))
}

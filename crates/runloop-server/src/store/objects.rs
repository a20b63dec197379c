//! Stored objects; their bytes are files beside the database.

use runloop_types::{ObjectState, ObjectView};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::list::{Conditions, MaybePage, get, list};
use super::{Store, StoreError, from_json, to_json};
use crate::pagination::PageRequest;

const TABLE: &str = "objects";

/// What a list of objects is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectFilter {
    pub(crate) content_type: Option<String>,
    pub(crate) state: Option<String>,
    /// Part of the name.
    pub(crate) name: Option<String>,
    /// The id, or part of the name.
    pub(crate) search: Option<String>,
}

impl Store {
    /// Writes a new object.
    pub(crate) async fn insert_object(&self, view: ObjectView) -> Result<(), StoreError> {
        self.call(move |connection| {
            connection.execute(
                "INSERT INTO objects (id, view, delete_after_ms) VALUES (?, ?, ?)",
                params![view.id.as_str(), to_json(TABLE, &view)?, view.delete_after_time_ms],
            )?;
            Ok(())
        })
        .await
    }

    /// The object with this id, also a deleted one. One whose time is over is deleted, whether or not it was removed yet.
    pub(crate) async fn object(&self, id: &str, now_ms: i64) -> Result<Option<ObjectView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let object: Option<ObjectView> = get(connection, TABLE, &id)?;
            Ok(object.map(|mut view| {
                if view.delete_after_time_ms.is_some_and(|end| end <= now_ms) {
                    view.state = ObjectState::Deleted;
                }
                view
            }))
        })
        .await
    }

    /// Changes an object if it is in one of these states; answers it as it is afterwards and whether it was changed.
    pub(crate) async fn change_object(
        &self,
        id: &str,
        from: &'static [ObjectState],
        change: impl FnOnce(&mut ObjectView) + Send + 'static,
    ) -> Result<Option<(ObjectView, bool)>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<ObjectView>(connection, TABLE, &id)? else { return Ok(None) };
            let changes = from.contains(&view.state);
            if changes {
                change(&mut view);
                write(connection, &view)?;
            }
            Ok(Some((view, changes)))
        })
        .await
    }

    /// Marks the objects whose time is over deleted; answers their ids.
    pub(crate) async fn expire_objects(&self, now_ms: i64) -> Result<Vec<String>, StoreError> {
        self.call(move |connection| {
            let due: Vec<String> = {
                let mut statement =
                    connection.prepare("SELECT view FROM objects WHERE delete_after_ms <= ?")?;
                let rows = statement.query_map([now_ms], |row| row.get(0))?;
                rows.collect::<Result<_, _>>()?
            };
            let mut ids = Vec::new();
            for text in due {
                let mut view: ObjectView = from_json(TABLE, &text)?;
                view.state = ObjectState::Deleted;
                write(connection, &view)?;
                ids.push(view.id.to_string());
            }
            Ok(ids)
        })
        .await
    }

    /// A page of objects. Deleted ones are listed only when that state is asked for.
    pub(crate) async fn objects(
        &self,
        filter: ObjectFilter,
        request: PageRequest,
    ) -> Result<MaybePage<ObjectView>, StoreError> {
        self.call(move |connection| {
            let mut conditions = Conditions::default();
            match filter.state {
                Some(state) => conditions.add("view ->> '$.state' = ?", state),
                None => conditions.fixed("view ->> '$.state' <> 'DELETED'"),
            }
            if let Some(content_type) = filter.content_type {
                conditions.add("view ->> '$.content_type' = ?", content_type);
            }
            if let Some(name) = filter.name {
                conditions.add("instr(lower(view ->> '$.name'), lower(?)) > 0", name);
            }
            if let Some(search) = filter.search {
                conditions.add_all(
                    "(id = ? OR instr(lower(view ->> '$.name'), lower(?)) > 0)",
                    [Value::from(search.clone()), Value::from(search)],
                );
            }
            list(connection, TABLE, conditions, &request)
        })
        .await
    }
}

fn write(connection: &Connection, view: &ObjectView) -> Result<(), StoreError> {
    // A deleted object has nothing left to expire.
    let delete_after = view.delete_after_time_ms.filter(|_| view.state != ObjectState::Deleted);
    connection.execute(
        "UPDATE objects SET view = ?2, delete_after_ms = ?3 WHERE id = ?1",
        params![view.id.as_str(), to_json(TABLE, view)?, delete_after],
    )?;
    Ok(())
}

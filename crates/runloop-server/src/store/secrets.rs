//! Secrets. Values leave this file only into the environment of devboxes and builds.

use runloop_types::SecretView;
use rusqlite::{Connection, OptionalExtension, params};
use secrecy::{ExposeSecret, SecretString};

use super::list::{Conditions, MaybePage, get, list};
use super::{Store, StoreError, from_json, to_json};
use crate::pagination::PageRequest;

const TABLE: &str = "secrets";

impl Store {
    /// Writes a new secret; false if the name is taken.
    pub(crate) async fn insert_secret(
        &self,
        view: SecretView,
        value: SecretString,
    ) -> Result<bool, StoreError> {
        self.call(move |connection| {
            if by_name(connection, &view.name)?.is_some() {
                return Ok(false);
            }
            connection.execute(
                "INSERT INTO secrets (id, name, value, view) VALUES (?, ?, ?, ?)",
                params![view.id.as_str(), view.name, value.expose_secret(), to_json(TABLE, &view)?],
            )?;
            Ok(true)
        })
        .await
    }

    /// The secret with this id.
    pub(crate) async fn secret(&self, id: &str) -> Result<Option<SecretView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| get(connection, TABLE, &id)).await
    }

    /// The secret with this name; of several, the one with the greatest id.
    pub(crate) async fn secret_by_name(&self, name: &str) -> Result<Option<SecretView>, StoreError> {
        let name = name.to_owned();
        self.call(move |connection| by_name(connection, &name)).await
    }

    /// The value of the secret with this name.
    pub(crate) async fn secret_value(&self, name: &str) -> Result<Option<SecretString>, StoreError> {
        let name = name.to_owned();
        self.call(move |connection| {
            let value: Option<String> = connection
                .prepare("SELECT value FROM secrets WHERE name = ? ORDER BY id DESC LIMIT 1")?
                .query_row([name], |row| row.get(0))
                .optional()?;
            Ok(value.map(SecretString::from))
        })
        .await
    }

    /// Gives a secret a new value.
    pub(crate) async fn update_secret(
        &self,
        id: &str,
        value: SecretString,
        now_ms: i64,
    ) -> Result<Option<SecretView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<SecretView>(connection, TABLE, &id)? else { return Ok(None) };
            view.update_time_ms = now_ms;
            connection.execute(
                "UPDATE secrets SET value = ?2, view = ?3 WHERE id = ?1",
                params![id, value.expose_secret(), to_json(TABLE, &view)?],
            )?;
            Ok(Some(view))
        })
        .await
    }

    /// Deletes one secret.
    pub(crate) async fn delete_secret(&self, id: &str) -> Result<Option<SecretView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let view = get(connection, TABLE, &id)?;
            connection.execute("DELETE FROM secrets WHERE id = ?", [id])?;
            Ok(view)
        })
        .await
    }

    /// Deletes every secret of a name; answers the one with the greatest id.
    pub(crate) async fn delete_secrets_by_name(&self, name: &str) -> Result<Option<SecretView>, StoreError> {
        let name = name.to_owned();
        self.call(move |connection| {
            let view = by_name(connection, &name)?;
            connection.execute("DELETE FROM secrets WHERE name = ?", [name])?;
            Ok(view)
        })
        .await
    }

    /// A page of secrets, without values.
    pub(crate) async fn secrets(&self, request: PageRequest) -> Result<MaybePage<SecretView>, StoreError> {
        self.call(move |connection| list(connection, TABLE, Conditions::default(), &request)).await
    }
}

fn by_name(connection: &Connection, name: &str) -> Result<Option<SecretView>, StoreError> {
    let text: Option<String> = connection
        .prepare("SELECT view FROM secrets WHERE name = ? ORDER BY id DESC LIMIT 1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    text.map(|text| from_json(TABLE, &text)).transpose()
}

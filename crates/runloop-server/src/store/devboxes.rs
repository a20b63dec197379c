//! The last view of each devbox, so that the next server can still tell of it.

use runloop_types::DevboxView;
use rusqlite::params;

use super::{Store, StoreError, from_json, to_json};

const TABLE: &str = "devboxes";

impl Store {
    /// Writes a devbox's view, soon.
    pub(crate) fn put_devbox(&self, view: DevboxView) {
        self.submit("a devbox", move |connection| {
            let json = to_json(TABLE, &view)?;
            connection
                .prepare_cached("INSERT INTO devboxes (id, view) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET view = ?2")?
                .execute(params![view.id.as_str(), json])?;
            Ok(())
        });
    }

    /// The newest views, oldest of them first; all others are forgotten.
    pub(crate) async fn take_devboxes(&self, newest: usize) -> Result<Vec<DevboxView>, StoreError> {
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        self.call(move |connection| {
            connection.execute(
                "DELETE FROM devboxes WHERE id NOT IN (SELECT id FROM devboxes ORDER BY id DESC LIMIT ?)",
                [newest],
            )?;
            let mut statement = connection.prepare("SELECT view FROM devboxes ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut views = Vec::new();
            while let Some(row) = rows.next()? {
                views.push(from_json(TABLE, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
            }
            Ok(views)
        })
        .await
    }
}

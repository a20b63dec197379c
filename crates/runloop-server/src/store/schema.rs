//! Tables, and how an older file becomes a current one.

use rusqlite::Connection;

use super::StoreError;

/// Each entry takes the file from one format to the next; the number of entries is the current format.
const STEPS: &[&str] = &["
    CREATE TABLE devboxes (id TEXT PRIMARY KEY, view TEXT NOT NULL) STRICT;
    CREATE TABLE snapshots (
        id TEXT PRIMARY KEY, view TEXT NOT NULL, status TEXT NOT NULL, error TEXT, layer TEXT, user TEXT NOT NULL
    ) STRICT;
    CREATE TABLE objects (id TEXT PRIMARY KEY, view TEXT NOT NULL, delete_after_ms INTEGER) STRICT;
    CREATE INDEX objects_expiry ON objects (delete_after_ms) WHERE delete_after_ms IS NOT NULL;
    CREATE TABLE blueprints (id TEXT PRIMARY KEY, view TEXT NOT NULL, layer TEXT, logs TEXT NOT NULL) STRICT;
    CREATE TABLE secrets (id TEXT PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, view TEXT NOT NULL) STRICT;
    CREATE INDEX secrets_name ON secrets (name);
    CREATE TABLE network_policies (id TEXT PRIMARY KEY, view TEXT NOT NULL) STRICT;
"];

/// A table of this connection's own, in memory, that stands before the one in the file.
const SECRETS_IN_MEMORY: &str = "
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE secrets (id TEXT PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, view TEXT NOT NULL) STRICT;
    CREATE INDEX temp.secrets_name ON secrets (name);
";

/// Makes the connection fast and safe, and the tables current. Without `keeps_secrets`, secrets end with the connection
/// and never reach the disk.
pub(super) fn prepare(connection: &mut Connection, keeps_secrets: bool) -> Result<(), StoreError> {
    // With a write-ahead log, a killed server loses nothing; a power cut may lose the last moments.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, step) in (1_i64..).zip(STEPS).skip_while(|(version, _)| *version <= found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    if !keeps_secrets {
        connection.execute_batch(SECRETS_IN_MEMORY)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_prepared_once_and_then_left_as_it_is() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection, true).unwrap();
        prepare(&mut connection, true).unwrap();
    }

    #[test]
    fn secrets_that_are_not_kept_are_not_in_the_file() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection, false).unwrap();
        connection.execute("INSERT INTO secrets VALUES ('sec_1', 'KEY', 'value', '{}')", []).unwrap();
        let count = |table: &str| -> i64 {
            connection.query_one(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("secrets"), count("temp.secrets"), count("main.secrets")), (1, 1, 0));
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(prepare(&mut connection, true), Err(StoreError::Newer { found: 999, .. })));
    }
}

//! What outlives a restart: one SQLite database, one thread that uses it.
//!
//! Every table holds the API's view as JSON beside what the view does not tell. Devboxes and executions live in memory;
//! of devboxes only the last view is written here, for the server after this one.

mod blueprints;
mod devboxes;
mod list;
mod network_policies;
mod objects;
mod schema;
mod secrets;
mod snapshots;

use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

pub(crate) use blueprints::{BlueprintRow, build_log_view};
pub(crate) use objects::ObjectFilter;
pub(crate) use snapshots::{SnapshotFilter, SnapshotRow};

use crate::error::ApiError;
use crate::lock::lock;

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database refused")]
    Sqlite(#[from] rusqlite::Error),
    /// A row does not hold what this version writes.
    #[error("a stored `{table}` row cannot be read")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "the database has format {found}, this version knows up to {known}: use the version that wrote it, or another data directory"
    )]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest format this version knows.
        known: i64,
    },
    /// The thread could not be started.
    #[error("the database thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The store was closed, as the server is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::shutting_down(),
            error => Self::internal("the database failed", &error),
        }
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The database and its thread. Jobs run one after the other, in the order they are handed in.
#[derive(Debug)]
pub(crate) struct Store {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database file, and makes or updates its tables. Without `keeps_secrets`, secrets are in memory only.
    pub(crate) fn open(path: &Path, keeps_secrets: bool) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        schema::prepare(&mut connection, keeps_secrets)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&mut connection);
                }
            })
            .map_err(StoreError::Thread)?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs a job on the store's thread and waits for it.
    async fn call<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        self.send(Box::new(move |connection| {
            // Nobody waits any more when the request was dropped.
            let _ = answer.send(job(connection));
        }))?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs a job on the store's thread without waiting; a failure is logged.
    fn submit<F>(&self, what: &'static str, job: F)
    where
        F: FnOnce(&mut Connection) -> Result<(), StoreError> + Send + 'static,
    {
        let sent = self.send(Box::new(move |connection| {
            if let Err(error) = job(connection) {
                tracing::error!(error = %crate::error::chain(&error), "{what} could not be stored");
            }
        }));
        if sent.is_err() {
            tracing::debug!("{what} was not stored: the database is closed");
        }
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        lock(&self.jobs).as_ref().ok_or(StoreError::Closed)?.send(job).map_err(|_| StoreError::Closed)
    }

    /// Finishes the jobs that were handed in and closes the file. Blocks.
    pub(crate) fn close(&self) {
        drop(lock(&self.jobs).take());
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the database thread ended badly");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn to_json<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Row { table, source })
}

fn from_json<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Row { table, source })
}

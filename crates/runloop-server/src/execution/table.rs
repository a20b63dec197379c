//! The executions of one devbox.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};

use runloop_sandbox::ExecError;
use runloop_types::ExecutionId;
use tokio::sync::OnceCell;

use super::execution::Execution;
use crate::lock::lock;

/// Executions kept of one devbox: beyond it the oldest that have completed are forgotten.
const KEPT: usize = 1000;

/// Executions that may run at once in one devbox.
const MOST_RUNNING: usize = 256;

/// Why an execution was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The box did not start it.
    #[error("the command could not be started")]
    Exec(#[from] ExecError),
    /// Too many run already.
    #[error("{MOST_RUNNING} commands are running in this devbox already: wait for one to end")]
    TooMany,
    /// The id belongs to another command.
    #[error("this command_id was used for another command: give each command a new one")]
    IdTaken,
}

/// All executions of a devbox, by id and in order. An id is started at most once.
#[derive(Debug, Default)]
pub(crate) struct Executions {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    by_id: HashMap<ExecutionId, Arc<OnceCell<Arc<Execution>>>>,
    order: VecDeque<ExecutionId>,
}

impl Executions {
    /// The execution with this id, started by `start` if there is none yet. Concurrent calls with one id share one start.
    ///
    /// # Errors
    /// When it cannot be started, or the id was used for another command line.
    pub(crate) async fn get_or_start<F>(
        &self,
        id: &ExecutionId,
        line: &str,
        start: impl FnOnce() -> F,
    ) -> Result<Arc<Execution>, StartError>
    where
        F: Future<Output = Result<Arc<Execution>, ExecError>>,
    {
        let slot = {
            let mut slots = lock(&self.slots);
            match slots.by_id.get(id) {
                Some(slot) => Arc::clone(slot),
                None => {
                    slots.make_room()?;
                    let slot = Arc::new(OnceCell::new());
                    slots.by_id.insert(id.clone(), Arc::clone(&slot));
                    slots.order.push_back(id.clone());
                    slot
                }
            }
        };
        match slot.get_or_try_init(start).await {
            Ok(execution) if execution.line() == line => Ok(Arc::clone(execution)),
            Ok(_) => Err(StartError::IdTaken),
            Err(error) => {
                let mut slots = lock(&self.slots);
                slots.by_id.remove(id);
                slots.order.retain(|other| other != id);
                Err(error.into())
            }
        }
    }

    /// The execution with this id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Execution>> {
        lock(&self.slots).by_id.get(&ExecutionId::from(id)).and_then(|slot| slot.get().cloned())
    }

    /// All executions, in the order they were started.
    pub(crate) fn all(&self) -> Vec<Arc<Execution>> {
        let slots = lock(&self.slots);
        slots.order.iter().filter_map(|id| slots.by_id.get(id)?.get().cloned()).collect()
    }

    /// Forgets everything, files of long outputs included. Whoever still reads one keeps it.
    pub(crate) fn clear(&self) {
        *lock(&self.slots) = Slots::default();
    }

    /// Waits until none of the executions there are now is running.
    pub(crate) async fn all_completed(&self) {
        for execution in self.all() {
            execution.completed().await;
        }
    }
}

impl Slots {
    /// Forgets the oldest completed executions, and refuses when too many run.
    fn make_room(&mut self) -> Result<(), StartError> {
        // Counting is needed only when the table could hold that many running ones.
        if self.order.len() >= MOST_RUNNING {
            let running = self.by_id.values().filter(|slot| !is_completed(slot)).count();
            if running >= MOST_RUNNING {
                return Err(StartError::TooMany);
            }
        }
        while self.order.len() >= KEPT {
            let by_id = &self.by_id;
            let Some(oldest) = self.order.iter().position(|id| by_id.get(id).is_none_or(is_completed)) else {
                break;
            };
            if let Some(id) = self.order.remove(oldest) {
                self.by_id.remove(&id);
            }
        }
        Ok(())
    }
}

fn is_completed(slot: &Arc<OnceCell<Arc<Execution>>>) -> bool {
    slot.get().is_some_and(|execution| execution.exit_status().is_some())
}

//! All devboxes of the server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use runloop_types::{DevboxId, DevboxStatus, DevboxView};

use super::devbox::Devbox;
use crate::error::{ApiError, ApiResult};
use crate::lock::lock;
use crate::new_id::is_well_formed;
use crate::pagination::{Page, PageRequest, page};

/// Devboxes that may be alive at once.
const MOST_ALIVE: usize = 1024;

/// Devboxes that are still told of after their end.
pub(crate) const MOST_ENDED: usize = 1000;

/// Ended devboxes whose executions can still be read: their outputs take memory and disk.
const MOST_READABLE: usize = 64;

/// All devboxes, by id: their ids are in order of creation.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    devboxes: Mutex<BTreeMap<DevboxId, Arc<Devbox>>>,
    /// The last that ended, oldest first.
    readable: Mutex<VecDeque<Arc<Devbox>>>,
}

impl Registry {
    /// Adds a devbox, and forgets the oldest that have ended when there are many.
    ///
    /// # Errors
    /// 429 when too many are alive.
    pub(crate) fn insert(&self, devbox: Arc<Devbox>) -> ApiResult<()> {
        let mut devboxes = lock(&self.devboxes);
        // Counting is needed only when there could be too many.
        if devboxes.len() >= MOST_ALIVE.min(MOST_ENDED) {
            let ended: Vec<DevboxId> = devboxes
                .iter()
                .filter(|(_, devbox)| devbox.status().is_final())
                .map(|(id, _)| id.clone())
                .collect();
            if !devbox.status().is_final() && devboxes.len() - ended.len() >= MOST_ALIVE {
                return Err(ApiError::too_many(format!(
                    "{MOST_ALIVE} devboxes are alive: shut some down, or wait for them to end"
                )));
            }
            let surplus = (ended.len() + 1).saturating_sub(MOST_ENDED);
            for id in ended.iter().take(surplus) {
                devboxes.remove(id);
            }
        }
        devboxes.insert(devbox.id.clone(), devbox);
        Ok(())
    }

    /// The devbox with this id.
    ///
    /// # Errors
    /// 404 when there is none, 400 when it could not be an id.
    pub(crate) fn get(&self, id: &str) -> ApiResult<Arc<Devbox>> {
        if !is_well_formed(id) {
            return Err(ApiError::bad_request(format!("`{}` is no devbox id", crate::error::shown(id))));
        }
        lock(&self.devboxes)
            .get(&DevboxId::from(id))
            .cloned()
            .ok_or_else(|| ApiError::not_found("devbox", id))
    }

    /// Notes that a devbox has ended, and forgets the executions of one that ended long ago.
    pub(crate) fn note_end(&self, devbox: &Arc<Devbox>) {
        let mut readable = lock(&self.readable);
        readable.push_back(Arc::clone(devbox));
        if readable.len() > MOST_READABLE
            && let Some(oldest) = readable.pop_front()
        {
            oldest.executions.clear();
        }
    }

    /// All devboxes, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Devbox>> {
        lock(&self.devboxes).values().cloned().collect()
    }

    /// A page of views, narrowed to a status.
    ///
    /// # Errors
    /// 400 for a cursor that names no devbox.
    pub(crate) fn page(
        &self,
        status: Option<&DevboxStatus>,
        request: &PageRequest,
    ) -> ApiResult<Page<DevboxView>> {
        let all = self.all();
        let known = request
            .starting_after
            .as_deref()
            .is_none_or(|cursor| all.iter().any(|devbox| devbox.id.as_str() == cursor));
        let matching =
            all.iter().rev().filter(|devbox| status.is_none_or(|status| devbox.status() == *status));
        let Page { items, has_more, total_count } =
            page(request, matching, |devbox| devbox.id.as_str(), known)?;
        Ok(Page { items: items.into_iter().map(|devbox| devbox.view()).collect(), has_more, total_count })
    }
}

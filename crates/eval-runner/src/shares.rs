//! Things that many wait for and one task makes.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use crate::failure::Failure;
use crate::platform::Platform;
use crate::scope::Scope;

type Making<T> = Shared<BoxFuture<'static, Result<T, Failure>>>;

/// One thing per key. The task that makes it belongs to nobody who waits: it goes on when one of them is canceled, and its
/// failure is everybody's. A failure that may pass is forgotten, so that the next one who asks tries anew.
pub(crate) struct Shares<T: Clone>(Mutex<HashMap<String, Making<T>>>);

impl<T: Clone + Send + Sync + 'static> Shares<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    pub(crate) async fn get<P: Platform, F>(
        &self,
        scope: &Arc<Scope<P>>,
        key: &str,
        make: impl FnOnce() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let making = self.map().get(key).cloned();
        let making = making.unwrap_or_else(|| self.begin(scope, key, make()));
        let outcome = making.clone().await;
        if matches!(&outcome, Err(failure) if failure.retry) {
            let mut map = self.map();
            if map.get(key).is_some_and(|present| present.ptr_eq(&making)) {
                map.remove(key);
            }
        }
        outcome
    }

    /// Forgets what is known of a thing that was made, so that the next one who asks makes it anew; whether it was known.
    pub(crate) fn forget(&self, is_it: impl Fn(&T) -> bool) -> bool {
        let mut map = self.map();
        let before = map.len();
        map.retain(|_, making| !matches!(making.peek(), Some(Ok(made)) if is_it(made)));
        map.len() < before
    }

    fn begin<P: Platform>(
        &self,
        scope: &Arc<Scope<P>>,
        key: &str,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Making<T> {
        let mut map = self.map();
        if let Some(present) = map.get(key) {
            return present.clone();
        }
        let halt = scope.session.halt.clone();
        let task = scope.spawn(async move {
            tokio::select! {
                outcome = work => outcome,
                () = halt.cancelled() => Err(Failure { retry: true, ..Failure::harness("the run was interrupted") }),
            }
        });
        let making = task
            .map(|joined| {
                joined
                    .unwrap_or_else(|error| Err(Failure::harness(format!("the preparation broke: {error}"))))
            })
            .boxed()
            .shared();
        map.insert(key.to_owned(), making.clone());
        making
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, Making<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

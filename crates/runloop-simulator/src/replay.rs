//! What is asked twice under one `x-request-id` is done once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use tokio::sync::watch;

use crate::error::ApiError;
use crate::world::Shared;

/// Answers that are kept.
const MOST: usize = 50_000;

/// Most bytes of a request or answer that is repeated.
const LONGEST: usize = 64 << 20;

/// The answers so far.
#[derive(Default)]
pub(crate) struct Replays(Mutex<Table>);

#[derive(Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// Oldest first.
    order: VecDeque<String>,
}

#[derive(Clone)]
enum Entry {
    UnderWay(watch::Receiver<()>),
    Done { target: String, status: StatusCode, body: Bytes },
}

/// Runs a request that changes something: once per id, and to its end though the client hangs up.
pub(crate) async fn once(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let Some(id) = id else { return to_the_end(next.run(request)).await };
    let target = format!("{} {}", request.method(), request.uri());
    loop {
        let (mine, under_way) = watch::channel(());
        let known = {
            let mut table = world.replays.table();
            match table.entries.get(&id).cloned() {
                None => {
                    table.entries.insert(id.clone(), Entry::UnderWay(under_way));
                    None
                }
                known => known,
            }
        };
        match known {
            None => {
                let first = First { world: Arc::clone(&world), id, target, _done: mine };
                return to_the_end(async move { first.settle(next.run(request).await).await }).await;
            }
            Some(Entry::UnderWay(mut first)) => {
                // An error means that the first one is done.
                let _ = first.changed().await;
            }
            Some(Entry::Done { target: first, .. }) if first != target => {
                return ApiError::unprocessable("this x-request-id was used for another request")
                    .into_response();
            }
            Some(Entry::Done { status, body, .. }) => {
                return (status, [("content-type", "application/json")], body).into_response();
            }
        }
    }
}

/// The first request under an id, on its way. Those that wait for it go on when it is dropped; one that came to no good
/// answer, or to none at all, leaves nothing behind and is asked again.
struct First {
    world: Shared,
    id: String,
    target: String,
    _done: watch::Sender<()>,
}

impl First {
    /// Keeps a good answer.
    async fn settle(self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let Ok(body) = axum::body::to_bytes(body, LONGEST).await else {
            return ApiError::broke("the answer is too large to be repeated").into_response();
        };
        if parts.status.is_success() {
            let done = Entry::Done { target: self.target.clone(), status: parts.status, body: body.clone() };
            self.world.replays.table().keep(self.id.clone(), done);
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut table = self.world.replays.table();
        if let Some(Entry::UnderWay(_)) = table.entries.get(&self.id) {
            table.entries.remove(&self.id);
        }
    }
}

impl Table {
    fn keep(&mut self, id: String, done: Entry) {
        self.entries.insert(id.clone(), done);
        self.order.push_back(id);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

async fn to_the_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(work).await {
        Ok(response) => response,
        Err(error) => ApiError::broke(format!("the request broke the server: {error}")).into_response(),
    }
}

impl Replays {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

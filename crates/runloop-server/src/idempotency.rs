//! Replays of finished requests, by the `x-request-id` that a client repeats with each retry.
//!
//! Only completed 2xx answers are replayed. A duplicate that arrives while the first is still at work waits for it. The
//! work itself runs in a task of its own, so that a client that hangs up and retries finds it done.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::body::{body_limit, read_body};
use crate::error::ApiError;
use crate::lock::lock;
use crate::state::Shared;

const REQUEST_ID: &str = "x-request-id";

/// Longest id that is remembered.
const LONGEST_ID: usize = 256;

/// How long an answer is kept: longer than any client goes on retrying one call.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Answers kept at once.
const MOST_ANSWERS: usize = 4096;

/// Bytes of answers kept at once.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Runs a request that changes something: once per id, and to its end.
pub(crate) async fn once(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let limit = body_limit(parts.uri.path());
    let body = match read_body(body, limit).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let id = parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID).map(str::to_owned) else {
        return to_the_end(&app, next.run(Request::from_parts(parts, Body::from(body)))).await;
    };
    let mut fingerprint = Sha256::new();
    fingerprint.update(parts.method.as_str());
    fingerprint.update([0]);
    fingerprint.update(parts.uri.path_and_query().map_or("", |path| path.as_str()));
    fingerprint.update([0]);
    fingerprint.update(&body);
    let fingerprint: Fingerprint = fingerprint.finalize().into();

    loop {
        match app.replays.claim(&id, fingerprint) {
            Claim::Mine(claim) => {
                let request = Request::from_parts(parts, Body::from(body));
                return to_the_end(&app, async move { claim.settle(next.run(request).await).await }).await;
            }
            Claim::Done(answer) => return answer.into_response(),
            Claim::Busy(mut first) => {
                // Either it left an answer, or the next turn of the loop is ours to take.
                let _ = first.changed().await;
            }
            Claim::Different => {
                return ApiError::unprocessable(format!(
                    "`{REQUEST_ID}` was used for a different request: give each call a new one"
                ))
                .into_response();
            }
        }
    }
}

/// Does the work in a task that does not end when the client hangs up.
async fn to_the_end(app: &Shared, work: impl Future<Output = Response> + Send + 'static) -> Response {
    match app.tasks.spawn(work).await {
        Ok(response) => response,
        Err(error) => ApiError::internal("the request broke the server", &error).into_response(),
    }
}

type Fingerprint = [u8; 32];

/// A finished answer.
#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        response
    }
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    state: EntryState,
}

#[derive(Debug)]
enum EntryState {
    Busy(watch::Receiver<()>),
    Done(Answer, Instant),
}

/// The answers that can be replayed.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// Ids of finished answers, oldest first.
    finished: VecDeque<String>,
    bytes: usize,
}

enum Claim {
    Mine(OwnClaim),
    Done(Answer),
    Busy(watch::Receiver<()>),
    Different,
}

impl Replays {
    fn claim(self: &Arc<Self>, id: &str, fingerprint: Fingerprint) -> Claim {
        let mut table = lock(&self.0);
        table.expire(Instant::now());
        match table.entries.get(id) {
            Some(entry) if entry.fingerprint != fingerprint => Claim::Different,
            Some(Entry { state: EntryState::Done(answer, _), .. }) => Claim::Done(answer.clone()),
            Some(Entry { state: EntryState::Busy(first), .. }) => Claim::Busy(first.clone()),
            None => {
                let (done, busy) = watch::channel(());
                table.entries.insert(id.to_owned(), Entry { fingerprint, state: EntryState::Busy(busy) });
                Claim::Mine(OwnClaim { replays: Arc::clone(self), id: id.to_owned(), done })
            }
        }
    }
}

impl Table {
    fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.finished.front() {
            let stale = match self.entries.get(oldest) {
                Some(Entry { state: EntryState::Done(_, since), .. }) => {
                    now.duration_since(*since) > LIFETIME
                }
                _ => true,
            };
            if !stale && self.finished.len() <= MOST_ANSWERS && self.bytes <= MOST_BYTES {
                break;
            }
            if let Some(id) = self.finished.pop_front()
                && let Some(Entry { state: EntryState::Done(answer, _), .. }) = self.entries.remove(&id)
            {
                self.bytes -= answer.body.len();
            }
        }
    }

    fn finish(&mut self, id: &str, answer: Answer) {
        if let Some(entry) = self.entries.get_mut(id) {
            self.bytes += answer.body.len();
            entry.state = EntryState::Done(answer, Instant::now());
            self.finished.push_back(id.to_owned());
        }
        self.expire(Instant::now());
    }
}

/// The right to do the work of an id. Dropped without an answer, it lets the next duplicate try.
struct OwnClaim {
    replays: Arc<Replays>,
    id: String,
    /// Wakes the duplicates when dropped.
    done: watch::Sender<()>,
}

impl OwnClaim {
    /// Keeps a 2xx answer for duplicates.
    async fn settle(self, response: Response) -> Response {
        if !response.status().is_success() {
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = match to_bytes(body, MOST_BYTES).await {
            Ok(body) => body,
            Err(error) => {
                return ApiError::internal("the answer could not be written", &error).into_response();
            }
        };
        let answer = Answer {
            status: parts.status,
            content_type: parts.headers.get(header::CONTENT_TYPE).cloned(),
            body,
        };
        lock(&self.replays.0).finish(&self.id, answer.clone());
        answer.into_response()
    }
}

impl Drop for OwnClaim {
    fn drop(&mut self) {
        let mut table = lock(&self.replays.0);
        if let Some(Entry { state: EntryState::Busy(_), .. }) = table.entries.get(&self.id) {
            table.entries.remove(&self.id);
        }
        // `done` is dropped after this: whoever wakes finds the table as it is to be.
        drop(table);
        let _ = self.done.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &'static str) -> Response {
        (StatusCode::OK, text).into_response()
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 1000).await.unwrap().to_vec()).unwrap()
    }

    fn mine(replays: &Arc<Replays>, id: &str) -> OwnClaim {
        match replays.claim(id, [1; 32]) {
            Claim::Mine(claim) => claim,
            _ => panic!("the claim is not ours"),
        }
    }

    #[tokio::test]
    async fn a_finished_answer_is_replayed() {
        let replays = Arc::new(Replays::default());
        mine(&replays, "a").settle(ok("first")).await;
        let Claim::Done(answer) = replays.claim("a", [1; 32]) else { panic!("no answer") };
        assert_eq!(text(answer.into_response()).await, "first");
    }

    #[tokio::test]
    async fn a_failure_is_not_replayed() {
        let replays = Arc::new(Replays::default());
        for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::BAD_GATEWAY] {
            mine(&replays, "a").settle(status.into_response()).await;
        }
        mine(&replays, "a");
    }

    #[tokio::test]
    async fn another_request_under_the_same_id_is_refused() {
        let replays = Arc::new(Replays::default());
        mine(&replays, "a").settle(ok("first")).await;
        assert!(matches!(replays.claim("a", [2; 32]), Claim::Different));
    }

    #[tokio::test]
    async fn a_duplicate_waits_for_the_first_and_takes_over_if_it_fails() {
        let replays = Arc::new(Replays::default());
        let first = mine(&replays, "a");
        let Claim::Busy(mut wait) = replays.claim("a", [1; 32]) else { panic!("not busy") };
        drop(first);
        let _ = wait.changed().await;
        let second = mine(&replays, "a");
        let Claim::Busy(mut wait) = replays.claim("a", [1; 32]) else { panic!("not busy") };
        second.settle(ok("second")).await;
        let _ = wait.changed().await;
        assert!(matches!(replays.claim("a", [1; 32]), Claim::Done(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_forgotten_by_age_and_by_number() {
        let replays = Arc::new(Replays::default());
        mine(&replays, "old").settle(ok("x")).await;
        tokio::time::advance(LIFETIME + Duration::from_secs(1)).await;
        mine(&replays, "old").settle(ok("x")).await;
        for n in 0..MOST_ANSWERS {
            mine(&replays, &format!("n{n}")).settle(ok("y")).await;
        }
        let table = lock(&replays.0);
        assert_eq!(
            (table.entries.len(), table.finished.len(), table.bytes),
            (MOST_ANSWERS, MOST_ANSWERS, MOST_ANSWERS)
        );
        assert!(!table.entries.contains_key("old"));
    }
}

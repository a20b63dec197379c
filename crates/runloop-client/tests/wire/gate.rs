//! A gate sees every attempt, makes it wait, and learns what came of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use runloop_client::types::{DevboxStatus, ExecuteParams};
use runloop_client::{Attempt, Error, Gate, Outcome, Pass, Traffic, TransportKind};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{always, builder, json as answer, passing, requests, sequence};

/// What passed, each with what came of it; `None` as long as nothing did.
pub(crate) type Entries = Arc<Mutex<Vec<(String, Traffic, Option<Outcome>)>>>;

#[derive(Default)]
pub(crate) struct Book(pub(crate) Entries);

struct Entry(Entries, usize);

impl Gate for Book {
    fn admit(&self, attempt: Attempt<'_>) -> BoxFuture<'static, Box<dyn Pass>> {
        let mut entries = self.0.lock().unwrap();
        entries.push((format!("{} {}", attempt.method, attempt.path), attempt.traffic, None));
        let entry = Entry(Arc::clone(&self.0), entries.len() - 1);
        std::future::ready(Box::new(entry) as Box<dyn Pass>).boxed()
    }
}

impl Pass for Entry {
    fn done(self: Box<Self>, outcome: Outcome) {
        self.0.lock().unwrap()[self.1].2 = Some(outcome);
    }
}

fn status(status: u16, retry_after_ms: Option<u64>) -> Option<Outcome> {
    Some(Outcome::Answered { status, retry_after: retry_after_ms.map(Duration::from_millis) })
}

#[tokio::test]
async fn every_attempt_passes_with_its_outcome() {
    let server = sequence(vec![passing(429), passing(503), answer(200, json!({"id": "dbx_1"}))]).await;
    let book = Book::default();
    let entries = Arc::clone(&book.0);
    let client = builder(&server.uri()).gate(Arc::new(book)).build().unwrap();
    client.devboxes().retrieve("dbx_1").await.unwrap();
    let entries = entries.lock().unwrap();
    let outcomes: Vec<_> = entries.iter().map(|entry| entry.2).collect();
    assert_eq!(outcomes, [status(429, Some(1)), status(503, Some(1)), status(200, None)]);
    assert_eq!((entries[0].0.as_str(), entries[0].1), ("GET /v1/devboxes/dbx_1", Traffic::Call));
}

#[tokio::test]
async fn long_polls_and_work_are_told_apart_from_short_calls() {
    let server = always(answer(404, json!({}))).await;
    let book = Book::default();
    let entries = Arc::clone(&book.0);
    let client = builder(&server.uri()).gate(Arc::new(book)).build().unwrap();
    let devboxes = client.devboxes();
    let _ = devboxes.wait_for_status("dbx_1", &[DevboxStatus::Running], Duration::from_secs(1)).await;
    let _ = devboxes.execute("dbx_1", &ExecuteParams::default(), None).await;
    let _ = devboxes.upload_file("dbx_1", "a", vec![1]).await;
    let kinds: Vec<_> = entries.lock().unwrap().iter().map(|entry| entry.1).collect();
    assert_eq!(kinds, [Traffic::Hold, Traffic::Work, Traffic::Call]);
}

#[tokio::test]
async fn no_answer_is_told_with_its_reason() {
    let book = Book::default();
    let entries = Arc::clone(&book.0);
    // Nobody listens on port 1.
    let client = builder("http://127.0.0.1:1").max_retries(0).gate(Arc::new(book)).build().unwrap();
    client.accounts().me().await.unwrap_err();
    assert_eq!(entries.lock().unwrap()[0].2, Some(Outcome::Failed(TransportKind::Connect)));
}

/// Lets nothing through before it is opened.
struct Shut(Arc<Notify>);

struct Free;

impl Gate for Shut {
    fn admit(&self, _: Attempt<'_>) -> BoxFuture<'static, Box<dyn Pass>> {
        let open = Arc::clone(&self.0);
        async move {
            open.notified().await;
            Box::new(Free) as Box<dyn Pass>
        }
        .boxed()
    }
}

impl Pass for Free {
    fn done(self: Box<Self>, _: Outcome) {}
}

#[tokio::test]
async fn nothing_is_sent_before_the_gate_opens_and_the_total_timeout_holds_there_too() {
    let server = always(answer(200, json!({"id": "acc_1"}))).await;
    let open = Arc::new(Notify::new());
    let client = builder(&server.uri()).gate(Arc::new(Shut(Arc::clone(&open)))).build().unwrap();
    let late = client.accounts().me().total_timeout(Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(&late, Error::Transport(error) if error.kind == TransportKind::TotalTimeout), "{late}");
    assert_eq!(late.attempts(), Some(0));
    assert!(requests(&server).await.is_empty());
    open.notify_one();
    assert_eq!(client.accounts().me().await.unwrap().id, "acc_1");
}

#[tokio::test]
async fn a_call_that_ends_before_the_gate_says_what_went_wrong_with_what_was_sent() {
    let server = always(passing(503)).await;
    let open = Arc::new(Notify::new());
    let client = builder(&server.uri()).gate(Arc::new(Shut(Arc::clone(&open)))).build().unwrap();
    open.notify_one();
    let failed = client.accounts().me().total_timeout(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!((failed.status(), failed.attempts()), (Some(503), Some(1)), "{failed}");
    assert_eq!(requests(&server).await.len(), 1);
}

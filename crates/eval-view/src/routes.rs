//! Addresses and what is there.
//!
//! - `/`: the list, with `benchmark`, `agent` and `page` in the query.
//! - `/runs/KEY/`: the report of a run; `now` is the part of it that changes all the time, `files/…` what is in its directory.
//! - `/compare?run=KEY&run=KEY`: two runs side by side, with `agent-a` and `agent-b` in the query.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use eval_report::html::Document;

use crate::etag::{etag, has};
use crate::guard::guard;
use crate::library::Library;
use crate::pages::{self, Failure};

type Shared = Arc<Mutex<Library>>;

/// Names and values, in their order.
type Asked = Query<Vec<(String, String)>>;

pub(crate) fn router(library: Library, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/compare", get(compare))
        .route(
            "/runs/{key}",
            get(async |Path(key): Path<String>| Redirect::permanent(&pages::run_link(&key))),
        )
        .route("/runs/{key}/", get(run))
        .route("/runs/{key}/now", get(now))
        .route("/runs/{key}/files/", get(directory))
        .route("/runs/{key}/files/{*path}", get(file))
        .fallback(async || page(StatusCode::NOT_FOUND, pages::failure(&Failure::nothing_here())))
        .with_state(Arc::new(Mutex::new(library)))
        .layer(from_fn_with_state(address, guard))
}

/// Does what takes time where it holds up nobody.
async fn with(
    library: Shared,
    work: impl FnOnce(&Mutex<Library>) -> Result<Response, Failure> + Send + 'static,
) -> Response {
    let answer = tokio::task::spawn_blocking(move || work(&library)).await;
    match answer {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => page(failure.status, pages::failure(&failure)),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The library, for as long as something is taken out of it.
fn locked<T>(library: &Mutex<Library>, take: impl FnOnce(&mut Library) -> T) -> T {
    // A panic elsewhere leaves at worst a run half read, and that is read again.
    take(&mut library.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn list(State(library): State<Shared>, Query(asked): Asked, headers: HeaderMap) -> Response {
    with(library, move |library| {
        let (listing, roots) = locked(library, |library| (library.list(), library.roots().to_vec()));
        let document = pages::list(&listing, &roots, &asked);
        let tag = etag(document.body.as_str());
        if has(&headers, &tag) {
            return Ok(unchanged(&tag));
        }
        Ok(tagged(content(document, &headers), &tag))
    })
    .await
}

async fn run(State(library): State<Shared>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    with(library, move |library| {
        let look = locked(library, |library| library.look(&key)).ok_or_else(Failure::no_run)?;
        let tag = etag((look.revision, look.state, look.judged));
        if has(&headers, &tag) {
            return Ok(unchanged(&tag));
        }
        Ok(tagged(content(pages::run(&look)?, &headers), &tag))
    })
    .await
}

async fn now(State(library): State<Shared>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    with(library, move |library| {
        let look = locked(library, |library| library.look(&key)).ok_or_else(Failure::no_run)?;
        let tag = etag((look.revision, look.state, look.judged, &look.running));
        if has(&headers, &tag) {
            return Ok(unchanged(&tag));
        }
        let document = Document { body: pages::now(&look), ..Document::default() };
        Ok(tagged(page(StatusCode::OK, document), &tag))
    })
    .await
}

async fn directory(State(library): State<Shared>, Path(key): Path<String>) -> Response {
    files(library, key, String::new()).await
}

async fn file(State(library): State<Shared>, Path((key, path)): Path<(String, String)>) -> Response {
    files(library, key, path).await
}

async fn files(library: Shared, key: String, path: String) -> Response {
    with(library, move |library| {
        let found = locked(library, |library| library.place(&key)).ok_or_else(Failure::no_run)?;
        Ok(match pages::file(&found, &path)? {
            pages::File::Text(text) => {
                let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
                (kind, text).into_response()
            }
            pages::File::Directory(document) => page(StatusCode::OK, document),
        })
    })
    .await
}

async fn compare(State(library): State<Shared>, Query(asked): Asked) -> Response {
    with(library, move |library| {
        let keys: Vec<&str> = values(&asked, "run").collect();
        let [one, other] = keys.as_slice() else { return Err(Failure::not_two()) };
        let look = |key: &str| locked(library, |library| library.look(key)).ok_or_else(Failure::no_run);
        let mut sides = [look(one)?, look(other)?];
        sides.sort_by_key(|look| look.summary.run.started_at_ms);
        let agent = |name| values(&asked, name).next().filter(|agent| !agent.is_empty());
        Ok(page(StatusCode::OK, pages::compare(&sides, agent("agent-a"), agent("agent-b"))))
    })
    .await
}

/// The page for a browser; without styles and scripts for the script, which has them.
fn content(mut document: Document, headers: &HeaderMap) -> Response {
    if headers.contains_key("x-content-only") {
        document.styles.clear();
        document.scripts.clear();
    }
    page(StatusCode::OK, document)
}

/// The values of a name in a query.
fn values<'a>(asked: &'a [(String, String)], name: &'static str) -> impl Iterator<Item = &'a str> {
    asked.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn page(status: StatusCode, document: Document) -> Response {
    let html = document.html();
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, kind, html.as_str().to_owned()).into_response();
    let policy = format!("{}; frame-ancestors 'none'", document.policy());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn unchanged(tag: &str) -> Response {
    tagged(StatusCode::NOT_MODIFIED.into_response(), tag)
}

fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

//! One connection of a client, request by request.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::State;
use super::faults::Fault;

type Answer = Response<BoxBody<Bytes, Broken>>;

/// The connection breaks here.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection breaks here")
    }
}

impl std::error::Error for Broken {}

/// Serves a connection until it ends, one way or the other.
pub(super) async fn connection(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { relay(&state, request).await }
    });
    // An error is what was wanted: hyper drops the connection without another byte.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn relay(state: &State, request: Request<Incoming>) -> Result<Answer, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let (delay, fault) = state.next();
    tokio::time::sleep(delay).await;
    match fault {
        None => Ok(whole(pass(state, &parts, &body).await?)),
        Some(Fault::TooMany) => Ok(refusal(StatusCode::TOO_MANY_REQUESTS)),
        Some(Fault::Error) => Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR)),
        Some(Fault::Reset) => Err(Broken),
        Some(Fault::ErrorAfter) => {
            pass(state, &parts, &body).await?;
            Ok(refusal(StatusCode::BAD_GATEWAY))
        }
        Some(Fault::ResetAfter) => {
            pass(state, &parts, &body).await?;
            Err(Broken)
        }
        Some(Fault::Cut) => cut(pass(state, &parts, &body).await?),
        Some(Fault::Twice) => {
            let (first, second) = tokio::join!(pass(state, &parts, &body), pass(state, &parts, &body));
            Ok(whole(first.or(second)?))
        }
        Some(Fault::Hang) => {
            pass(state, &parts, &body).await?;
            tokio::time::sleep(state.faults.silence).await;
            Err(Broken)
        }
    }
}

/// Asks the server.
async fn pass(state: &State, parts: &Parts, body: &Bytes) -> Result<Response<Bytes>, Broken> {
    let answer = async {
        let stream = TcpStream::connect(state.upstream).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        // The server answers to its own name only.
        let host = HeaderValue::try_from(state.upstream.to_string()).map_err(io::Error::other)?;
        request.headers_mut().insert(HOST, host);
        let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        connection.abort();
        io::Result::Ok(here(state, Response::from_parts(head, body)))
    };
    answer.await.map_err(|_| Broken)
}

/// Addresses in an answer that are the server's become the proxy's, so that what goes to a presigned URL meets faults too.
fn here(state: &State, mut answer: Response<Bytes>) -> Response<Bytes> {
    let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let there = format!("http://{}/", state.upstream);
    if let Some(text) = str::from_utf8(answer.body()).ok().filter(|text| is_json && text.contains(&there)) {
        let text = text.replace(&there, &format!("{}/", state.url));
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        *answer.body_mut() = text.into();
    }
    answer
}

fn whole(answer: Response<Bytes>) -> Answer {
    answer.map(|body| Full::new(body).map_err(|never| match never {}).boxed())
}

/// The first half of an answer whose head promises all of it.
fn cut(answer: Response<Bytes>) -> Result<Answer, Broken> {
    let (mut head, body) = answer.into_parts();
    if body.is_empty() {
        return Err(Broken);
    }
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.headers.remove(TRANSFER_ENCODING);
    let half = body.slice(..body.len() / 2);
    let frames = stream::iter([Ok(Frame::data(half)), Err(Broken)]);
    Ok(Response::from_parts(head, StreamBody::new(frames).boxed()))
}

fn refusal(status: StatusCode) -> Answer {
    let body = format!("{{\"code\": {}, \"message\": \"a fault of the proxy\"}}", status.as_u16());
    let mut answer = Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    if status == StatusCode::TOO_MANY_REQUESTS {
        answer.headers_mut().insert("retry-after-ms", HeaderValue::from_static("20"));
    }
    answer
}

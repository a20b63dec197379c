//! What an error says, whatever the server answered.

use std::error::Error as _;
use std::time::Duration;

use runloop_client::{Error, ErrorKind, Method, StatusError, TransportKind};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{RawServer, Step, always, builder, client, json as answer};

async fn status_error(answer: ResponseTemplate) -> StatusError {
    let server = always(answer).await;
    let client = builder(&server.uri()).max_retries(0).build().unwrap();
    match client.devboxes().suspend("dbx_1").idempotency_key("key-1").await.unwrap_err() {
        Error::Status(error) => *error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_json_body_gives_everything() {
    let error = status_error(
        answer(409, json!({"code": "snapshot_in_progress", "message": "wait for it"}))
            .insert_header("x-request-id", "srv-7")
            .insert_header("x-should-retry", "false")
            .insert_header("retry-after", "3"),
    )
    .await;
    assert_eq!(error.method, Method::Post);
    assert_eq!(error.path, "/v1/devboxes/dbx_1/suspend");
    assert_eq!((error.status, error.attempts), (409, 1));
    assert_eq!(error.code.as_deref(), Some("snapshot_in_progress"));
    assert_eq!(error.message, "wait for it");
    assert_eq!(error.request_id.as_deref(), Some("srv-7"));
    let error = Error::Status(Box::new(error));
    assert!(error.is_conflict() && !error.is_retryable() && !error.is_not_found());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert_eq!(
        error.to_string(),
        "POST /v1/devboxes/dbx_1/suspend: 409 wait for it (request srv-7, 1 attempt)"
    );
}

#[tokio::test]
async fn the_request_id_is_ours_when_the_server_gives_none() {
    let error = status_error(answer(404, json!({"message": "no such devbox"}))).await;
    assert_eq!(error.request_id.as_deref(), Some("key-1"));
    assert!(Error::Status(Box::new(error)).is_not_found());
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    assert_eq!(
        status_error(ResponseTemplate::new(502).set_body_string("upstream died\n")).await.message,
        "upstream died"
    );
    let page = "<html><head><title>504 Gateway Timeout</title></head></html>";
    assert_eq!(
        status_error(ResponseTemplate::new(504).set_body_string(page)).await.message,
        "504 Gateway Timeout"
    );
    let empty = status_error(ResponseTemplate::new(503)).await;
    assert_eq!((empty.message.as_str(), empty.body.as_str()), ("Service Unavailable", ""));
    assert!(empty.retryable);
}

#[tokio::test]
async fn huge_bodies_are_cut() {
    let error = status_error(ResponseTemplate::new(500).set_body_string("x".repeat(5_000_000))).await;
    assert_eq!(error.body.len(), 64 * 1024);
    assert!(error.message.len() < 1000);
}

#[tokio::test]
async fn an_answer_that_is_not_the_expected_json() {
    let server = always(ResponseTemplate::new(200).set_body_string("<html>login</html>")).await;
    let error = client(&server.uri()).accounts().me().await.unwrap_err();
    assert!(
        matches!(&error, Error::Decode(error) if error.status == 200 && error.excerpt.contains("login")),
        "{error}"
    );
    assert!(error.source().is_some());
    assert!(!error.is_retryable());
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, Some(1)));
    assert!(error.to_string().contains("(status 200, 1 attempt): \"<html>login</html>\""), "{error}");

    let server = always(ResponseTemplate::new(200).set_body_bytes([0xff])).await;
    let error = client(&server.uri()).devboxes().read_file_contents("dbx_1", "a").await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error}");
}

#[tokio::test]
async fn unknown_fields_and_values_are_no_error() {
    let body =
        json!({"id": "dbx_1", "status": "hibernating", "new_field": [1], "failure_reason": "cosmic_ray"});
    let server = always(answer(200, body)).await;
    let view = client(&server.uri()).devboxes().retrieve("dbx_1").await.unwrap();
    assert_eq!(view.status.as_str(), "hibernating");
}

#[tokio::test]
async fn empty_results_need_no_body() {
    let server = always(ResponseTemplate::new(200)).await;
    client(&server.uri()).devboxes().keep_alive("dbx_1").await.unwrap();
}

#[tokio::test]
async fn answers_beyond_the_limit_are_refused() {
    let server = always(ResponseTemplate::new(200).set_body_string("x".repeat(5000))).await;
    let client = builder(&server.uri()).max_response_bytes(1000).build().unwrap();
    let error = client.devboxes().read_file_contents("dbx_1", "a").await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::TooLarge));
    let stream = client.devboxes().download_file("dbx_1", "a").await.unwrap();
    assert_eq!(stream.bytes().await.unwrap().len(), 5000);
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    // Bound and dropped: nobody listens there now.
    let url = format!("http://{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let client = builder(&url).max_retries(0).build().unwrap();
    let error = client.devboxes().suspend("dbx_1").await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::Connect));
    assert!(error.is_connect() && error.is_retryable() && !error.is_timeout());
    assert!(error.request_id().is_some());
    let text = format!("{error} {:?}", error.source());
    assert!(text.starts_with("POST /v1/devboxes/dbx_1/suspend: could not connect (1 attempt)"), "{text}");
    assert!(!text.contains("ak_test"), "{text}");
}

#[tokio::test]
async fn tls_is_set_up_for_https_and_a_server_that_does_not_speak_it_is_an_error() {
    let server = RawServer::start(vec![Step::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let client = builder(&server.url.replace("http://", "https://")).max_retries(0).build().unwrap();
    let error = client.accounts().me().timeout(Duration::from_millis(200)).await.unwrap_err();
    assert!(error.transport_kind().is_some(), "{error}");
}

#[tokio::test]
async fn silence_is_a_read_timeout() {
    let server = RawServer::start(vec![Step::Hang]).await;
    let client = builder(&server.url).max_retries(0).build().unwrap();
    let error = client.accounts().me().timeout(Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::ReadTimeout));
    assert!(error.is_timeout() && !error.is_connect());
}

#[tokio::test]
async fn a_cut_answer_is_an_interruption() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":".to_vec();
    let server = RawServer::start(vec![Step::Say(cut.clone()), Step::Say(cut)]).await;
    let client = builder(&server.url).max_retries(0).build().unwrap();
    let error = client.accounts().me().await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::Interrupted));
    let stream = client.devboxes().download_file("dbx_1", "a").await.unwrap();
    let error = stream.bytes().await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::Interrupted));
}

#[tokio::test]
async fn a_redirect_to_https_is_an_error_and_one_on_the_same_host_is_followed() {
    let to = |location: &str| ResponseTemplate::new(307).insert_header("location", location);
    let error = status_error(to("https://127.0.0.1:1/x")).await;
    assert_eq!(error.status, 307);
    let server = crate::support::sequence(vec![to("/elsewhere"), answer(200, json!({"id": "acc_1"}))]).await;
    let account = client(&server.uri()).accounts().me().await.unwrap();
    assert_eq!(account.id, "acc_1");
}

#[tokio::test]
async fn each_status_has_its_kind() {
    for (status, kind) in [
        (400, ErrorKind::BadRequest),
        (401, ErrorKind::Authentication),
        (403, ErrorKind::PermissionDenied),
        (404, ErrorKind::NotFound),
        (408, ErrorKind::OtherStatus),
        (409, ErrorKind::Conflict),
        (418, ErrorKind::OtherStatus),
        (422, ErrorKind::UnprocessableEntity),
        (429, ErrorKind::RateLimit),
        (500, ErrorKind::InternalServer),
        (599, ErrorKind::InternalServer),
    ] {
        let error = status_error(answer(status, json!({"code": "why", "message": "because"}))).await;
        let error = Error::Status(Box::new(error));
        assert_eq!((error.kind(), error.code(), error.attempts()), (kind, Some("why"), Some(1)), "{status}");
        assert_eq!(error.is_server_error(), status >= 500);
    }
}

/// Everything that an error shows, with its causes.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn no_error_shows_a_credential() {
    let url = "https://store.example/a?X-Signature=hunter2";
    let objects =
        async |answer| client(&always(answer).await.uri()).objects().download("obj_1").await.unwrap_err();
    // The URL has the wrong type, stands where a number is expected, or the answer is cut.
    for error in [
        objects(answer(200, json!({"download_url": {"url": url}}))).await,
        objects(ResponseTemplate::new(200).set_body_string(format!("\"{url}\""))).await,
        objects(ResponseTemplate::new(200).set_body_string(format!("{{\"download_url\": \"{url}"))).await,
        objects(answer(403, json!({"message": format!("{url} has expired")}))).await,
        objects(answer(200, json!({"download_url": format!("nonsense {url}")}))).await,
    ] {
        assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));
    }
    let server = always(answer(200, json!({"id": "acc_1", "name": {"token": "hunter2"}}))).await;
    let raw = client(&server.uri()).accounts().me().send_raw().await.unwrap();
    let error = raw.json::<u32>().unwrap_err();
    assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));
    let server = always(ResponseTemplate::new(200).set_body_bytes(b"hunter2 \xff")).await;
    let error = client(&server.uri()).devboxes().read_file_contents("dbx_1", "key").await.unwrap_err();
    assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));
}

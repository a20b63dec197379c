//! Uploads and downloads of objects through presigned URLs.

use std::error::Error as _;
use std::io::Read;

use futures::stream;
use runloop_client::types::{Metadata, ObjectContentType, ObjectState};
use runloop_client::{
    ArchiveOptions, Error, FileSource, ObjectUpload, PresignedKind, ProgressHook, TransferProgress,
};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{RawServer, Step, client, header, json as answer, requests, target};

const SIGNATURE: &str = "X-Signature=topsecret";

/// An API with its object store on one port; the store answers PUT and GET with `stored`.
async fn server(stored: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let url = format!("{}/store/obj_1?{SIGNATURE}", server.uri());
    let view = |state: &str| json!({"id": "obj_1", "name": "o", "state": state});
    let mut created = view("UPLOADING");
    created["upload_url"] = json!(url);
    created["upload_headers"] = json!({"x-store-class": "fast"});
    let mounts = [
        ("POST", "^/v1/objects$", answer(200, created)),
        ("POST", "^/v1/objects/obj_1/complete$", answer(200, view("READ_ONLY"))),
        ("POST", "^/v1/objects/obj_1/delete$", answer(200, view("DELETED"))),
        ("GET", "^/v1/objects/obj_1/download$", answer(200, json!({"download_url": url}))),
        ("PUT", "^/store/obj_1$", stored.clone()),
        ("GET", "^/store/obj_1$", stored),
    ];
    for (verb, pattern, answer) in mounts {
        Mock::given(method(verb)).and(path_regex(pattern)).respond_with(answer).mount(&server).await;
    }
    server
}

fn ok() -> ResponseTemplate {
    ResponseTemplate::new(200)
}

fn steps(requests: &[wiremock::Request]) -> Vec<String> {
    requests.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
}

#[tokio::test]
async fn bytes_are_created_put_and_completed() {
    let server = server(ok()).await;
    let upload = ObjectUpload {
        name: Some("data".into()),
        metadata: Some(Metadata::from([("run".into(), "r1".into())])),
        ttl: Some(std::time::Duration::from_secs(5)),
        idempotency_key: Some("key-1".into()),
        ..Default::default()
    };
    let view = client(&server.uri()).objects().upload_from_bytes(vec![7u8; 600_000], &upload).await.unwrap();
    assert_eq!(view.state, ObjectState::ReadOnly);
    let requests = requests(&server).await;
    assert_eq!(steps(&requests), ["POST /v1/objects", "PUT /store/obj_1", "POST /v1/objects/obj_1/complete"]);
    let created: Value = requests[0].body_json().unwrap();
    assert_eq!(
        created,
        json!({"name": "data", "content_type": "binary", "metadata": {"run": "r1"}, "ttl_ms": 5000})
    );
    assert_eq!(header(&requests[0], "x-request-id").as_deref(), Some("key-1"));

    let put = &requests[1];
    assert_eq!(target(put), format!("/store/obj_1?{SIGNATURE}"));
    assert_eq!(put.body, vec![7u8; 600_000]);
    assert_eq!(header(put, "content-length").as_deref(), Some("600000"));
    assert_eq!(header(put, "x-store-class").as_deref(), Some("fast"));
    for ours in ["authorization", "user-agent", "content-type", "x-request-id", "cookie", "transfer-encoding"]
    {
        assert_eq!(header(put, ours), None, "{ours}");
    }
}

#[tokio::test]
async fn a_refused_upload_is_tried_once_deleted_and_shows_no_url() {
    let refusal = "<Error><Code>SignatureDoesNotMatch</Code><Url>topsecret</Url></Error>";
    let server = server(ResponseTemplate::new(503).set_body_string(refusal)).await;
    let error =
        client(&server.uri()).objects().upload_from_text("x", &ObjectUpload::named("t")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot upload the object's bytes: the store answered 503 SignatureDoesNotMatch"
    );
    assert!(!format!("{error:?} {error} {:?}", error.source()).contains("topsecret"));
    let steps = steps(&requests(&server).await);
    assert_eq!(steps, ["POST /v1/objects", "PUT /store/obj_1", "POST /v1/objects/obj_1/delete"]);
}

#[tokio::test]
async fn redirects_of_the_store_are_not_followed() {
    let server = server(ResponseTemplate::new(307).insert_header("location", "/elsewhere")).await;
    let error = client(&server.uri()).objects().download("obj_1").await.unwrap_err();
    assert!(
        matches!(&error, Error::Presigned(error) if matches!(error.kind, PresignedKind::Status { status: 307, .. }))
    );
    assert!(!requests(&server).await.iter().any(|request| request.url.path() == "/elsewhere"));
}

#[tokio::test]
async fn an_unreachable_store_shows_no_url() {
    let server = MockServer::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = json!({"download_url": format!("http://{nobody}/obj_1?{SIGNATURE}")});
    Mock::given(path("/v1/objects/obj_1/download")).respond_with(answer(200, url)).mount(&server).await;
    let objects = client(&server.uri()).objects();
    let error = objects.download("obj_1").await.unwrap_err();
    assert!(!format!("{error:?} {error} {:?}", error.source()).contains("topsecret"), "{error:?}");
    let view = objects.download_url("obj_1", None).await.unwrap();
    assert!(!format!("{view:?}").contains("topsecret"));
}

#[tokio::test]
async fn a_server_without_an_upload_url_is_an_error() {
    let server = MockServer::start().await;
    let view = answer(200, json!({"id": "obj_1", "state": "UPLOADING"}));
    Mock::given(method("POST")).respond_with(view).mount(&server).await;
    let error =
        client(&server.uri()).objects().upload_from_text("x", &ObjectUpload::default()).await.unwrap_err();
    assert!(matches!(error, Error::Presigned(error) if matches!(error.kind, PresignedKind::BadUrl)));
}

#[tokio::test]
async fn downloads_carry_no_credentials() {
    let server = server(ok().set_body_bytes(vec![9u8; 300_000])).await;
    let bytes = client(&server.uri()).objects().download_as_bytes("obj_1").await.unwrap();
    assert_eq!(bytes, vec![9u8; 300_000]);
    let get = requests(&server).await.pop().unwrap();
    assert_eq!(header(&get, "authorization"), None);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("copy");
    let stream = client(&server.uri()).objects().download("obj_1").await.unwrap();
    assert_eq!(stream.save_to(&file).await.unwrap(), 300_000);
    assert_eq!(std::fs::read(file).unwrap(), bytes);
}

#[tokio::test]
async fn files_and_streams_are_sent_with_their_length() {
    let server = server(ok()).await;
    let objects = client(&server.uri()).objects();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.md");
    std::fs::write(&file, "hello").unwrap();
    objects.upload_from_file(&file, &ObjectUpload::default()).await.unwrap();
    let pieces = || stream::iter([Ok(bytes::Bytes::from_static(b"ab")), Ok(bytes::Bytes::from_static(b"c"))]);
    objects.upload_from_stream(pieces(), Some(3), &ObjectUpload::named("known")).await.unwrap();
    objects.upload_from_stream(pieces(), None, &ObjectUpload::named("unknown")).await.unwrap();

    let requests = requests(&server).await;
    let created: Value = requests[0].body_json().unwrap();
    assert_eq!(created, json!({"name": "notes.md", "content_type": "text"}));
    let puts: Vec<_> = requests.iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(puts[0].body, b"hello");
    for put in &puts[1..] {
        assert_eq!(put.body, b"abc");
        assert_eq!(header(put, "content-length").as_deref(), Some("3"));
    }
}

#[tokio::test]
async fn progress_is_told_of_each_piece_in_both_directions() {
    use std::sync::{Arc, Mutex};

    let size = 600_000;
    let server = server(ok().set_body_bytes(vec![9u8; size])).await;
    let objects = client(&server.uri()).objects();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = || {
        let told = Arc::clone(&told);
        move |progress: TransferProgress| told.lock().unwrap().push((progress.done, progress.total))
    };
    let check = |total: Option<u64>| {
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert!(told.len() >= 2 && told.is_sorted(), "{told:?}");
        assert!(told.iter().all(|(_, known)| *known == total), "{told:?}");
        assert_eq!(told.last().unwrap().0, size as u64);
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("big");
    std::fs::write(&file, vec![7u8; size]).unwrap();

    objects.upload_from_file(&file, &ObjectUpload::named("o").on_progress(hear())).await.unwrap();
    check(Some(size as u64));
    objects.upload_from_bytes(vec![7u8; size], &ObjectUpload::named("o").on_progress(hear())).await.unwrap();
    check(Some(size as u64));
    let source = FileSource::path(&file).on_progress(ProgressHook::new(hear()));
    client(&server.uri()).devbox("dbx_1").upload("big", source).await.unwrap_err();
    check(Some(size as u64));
    let hook = ProgressHook::new(hear());
    objects.download("obj_1").await.unwrap().on_progress(hook).save_to(&file).await.unwrap();
    check(Some(size as u64));
}

#[tokio::test]
async fn a_download_that_breaks_or_cannot_be_written_is_an_error() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhalf".to_vec();
    let raw = RawServer::start(vec![Step::Say(cut)]).await;
    let url = json!({"download_url": format!("{}/x?{SIGNATURE}", raw.url)});
    let server = MockServer::start().await;
    Mock::given(path("/v1/objects/obj_1/download")).respond_with(answer(200, url)).mount(&server).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("copy");
    let download = client(&server.uri()).objects().download("obj_1").await.unwrap();
    let error = download.save_to(&file).await.unwrap_err();
    assert!(matches!(error, Error::Presigned(_)), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"half");

    let server = self::server(ok().set_body_bytes("x")).await;
    let download = client(&server.uri()).objects().download("obj_1").await.unwrap();
    let nowhere = directory.path().join("missing/copy");
    let error = download.save_to(&nowhere).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}", nowhere.display()));
}

#[tokio::test]
async fn text_is_read_as_text_or_refused() {
    let good = server(ok().set_body_bytes("häßlich")).await;
    assert_eq!(client(&good.uri()).objects().download_as_text("obj_1").await.unwrap(), "häßlich");
    let bad = server(ok().set_body_bytes([0xff])).await;
    let error = client(&bad.uri()).objects().download_as_text("obj_1").await.unwrap_err();
    assert_eq!(error.to_string(), "object obj_1 is not UTF-8 text");
}

#[tokio::test]
async fn a_directory_is_sent_as_an_archive_named_after_it() {
    let server = server(ok()).await;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("project");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("a.txt"), "hello").unwrap();
    let objects = client(&server.uri()).objects();
    objects.upload_from_dir(&root, &ObjectUpload::default()).await.unwrap();
    let requests = requests(&server).await;
    let created: Value = requests[0].body_json().unwrap();
    assert_eq!(created, json!({"name": "project.tar.gz", "content_type": ObjectContentType::Tgz}));
    assert_eq!(names(&requests[1].body), [".", "a.txt"]);

    // The name of a path that has none of its own, and a directory's own rules, if asked for.
    std::fs::create_dir(root.join("deep")).unwrap();
    std::fs::write(root.join(".dockerignore"), "*.txt").unwrap();
    let options = ArchiveOptions::default().dockerignore();
    objects.upload_from_dir_with(root.join("deep/.."), &ObjectUpload::default(), options).await.unwrap();
    let requests = self::requests(&server).await;
    let created: Value = requests[3].body_json().unwrap();
    assert_eq!(created["name"], "project.tar.gz");
    assert_eq!(names(&requests[4].body), [".", ".dockerignore", "deep"]);
}

/// The names in a gzipped tar archive.
fn names(archive: &[u8]) -> Vec<String> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(archive).read_to_end(&mut tar).unwrap();
    let mut tar = tar::Archive::new(&tar[..]);
    let entries = tar.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
}

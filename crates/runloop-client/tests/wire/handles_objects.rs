//! Handles on stored objects: their upload step by step, and in one go.

use futures::stream;
use runloop_client::types::{Mount, ObjectContentType, ObjectCreateParams, ObjectState};
use runloop_client::{ArchiveOptions, Client, Error, FileSource, ObjectUpload, StorageObject};
use serde_json::json;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{client, header, json as answer, requests, sent};

const SIGNATURE: &str = "X-Signature=topsecret";

/// An API with its object store on one port; the store answers PUTs with `stored`, and GETs with a text.
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
        ("GET", "^/v1/objects/obj_1$", answer(200, view("READ_ONLY"))),
        ("GET", "^/v1/objects/obj_1/download$", answer(200, json!({"download_url": url}))),
        ("PUT", "^/store/obj_1$", stored),
        ("GET", "^/store/obj_1$", ResponseTemplate::new(200).set_body_string("hello")),
    ];
    for (verb, pattern, answer) in mounts {
        Mock::given(method(verb)).and(path_regex(pattern)).respond_with(answer).mount(&server).await;
    }
    server
}

async fn create(client: &Client) -> StorageObject {
    let params =
        ObjectCreateParams { name: "o".into(), content_type: ObjectContentType::Text, ..Default::default() };
    client.create_object(&params).await.unwrap()
}

fn ok() -> ResponseTemplate {
    ResponseTemplate::new(200)
}

async fn steps(server: &MockServer) -> Vec<String> {
    sent(server).await.into_iter().map(|(step, _)| step).collect()
}

#[tokio::test]
async fn an_object_is_created_filled_and_completed() {
    let server = server(ok()).await;
    let client = client(&server.uri());
    let object = create(&client).await;
    assert_eq!(object.id().as_str(), "obj_1");
    object.upload_content("hello".to_owned()).await.unwrap();
    assert_eq!(object.complete().await.unwrap().state, ObjectState::ReadOnly);
    let put = format!("PUT /store/obj_1?{SIGNATURE}");
    let expected = ["POST /v1/objects", put.as_str(), "POST /v1/objects/obj_1/complete"];
    assert_eq!(steps(&server).await, expected);
    let requests = requests(&server).await;
    assert_eq!(
        requests[0].body_json::<serde_json::Value>().unwrap(),
        json!({"name": "o", "content_type": "text"})
    );
    assert_eq!(requests[1].body, b"hello");
    assert_eq!(header(&requests[1], "x-store-class").as_deref(), Some("fast"));
    assert_eq!(header(&requests[1], "authorization"), None);
}

#[tokio::test]
async fn chunks_of_unknown_number_are_sent_with_their_length() {
    let server = server(ok()).await;
    let object = create(&client(&server.uri())).await;
    let chunks = stream::iter([Ok("hel".into()), Ok("lo".into())]);
    object.upload_content(FileSource::stream(chunks, None)).await.unwrap();
    let put = &requests(&server).await[1];
    assert_eq!(
        (put.body.as_slice(), header(put, "content-length").as_deref()),
        (b"hello".as_slice(), Some("5"))
    );
}

#[tokio::test]
async fn only_a_handle_that_knows_where_uploads() {
    let server = server(ok()).await;
    let client = client(&server.uri());
    let refused = |error: Error| {
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
        assert!(error.to_string().contains("object obj_1 has no upload URL"), "{error}");
    };
    refused(client.storage_object("obj_1").upload_content("x".to_owned()).await.unwrap_err());
    assert_eq!(requests(&server).await.len(), 0);

    let object = create(&client).await;
    let clone = object.clone();
    object.complete().await.unwrap();
    refused(object.upload_content("x".to_owned()).await.unwrap_err());
    refused(clone.upload_content("x".to_owned()).await.unwrap_err());
    assert_eq!(steps(&server).await, ["POST /v1/objects", "POST /v1/objects/obj_1/complete"]);
}

#[tokio::test]
async fn a_store_that_refuses_may_be_asked_again() {
    let server = server(ResponseTemplate::new(503)).await;
    let object = create(&client(&server.uri())).await;
    for puts in 1..=2 {
        let error = object.upload_content("x".to_owned()).await.unwrap_err();
        assert!(matches!(error, Error::Presigned(_)), "{error}");
        // Tried once each time, and nothing of the URL is told.
        assert_eq!(requests(&server).await.len(), 1 + puts);
        assert!(!format!("{error} {error:?} {object:?}").contains("topsecret"));
    }
}

#[tokio::test]
async fn what_is_uploaded_in_one_go_is_a_handle() {
    let server = server(ok()).await;
    let client = client(&server.uri());
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("note.md"), "x").unwrap();
    let named = ObjectUpload::named("n");
    let chunks = stream::iter([Ok("x".into())]);
    let archive = runloop_client::archive_dir(directory.path()).await.unwrap();
    let objects = [
        client.upload_object_from_file(directory.path().join("note.md"), &ObjectUpload::default()).await,
        client.upload_object_from_text("x", &named).await,
        client.upload_object_from_bytes(vec![1], &named).await,
        client.upload_object_from_dir(directory.path(), &named, ArchiveOptions::default()).await,
        client.upload_object_from_archive(archive, "a.tar.gz", &ObjectUpload::default()).await,
        client.upload_object_from_stream(chunks, Some(1), &named).await,
    ];
    for object in objects {
        // It is complete: there is nothing to upload any more.
        let object = object.unwrap();
        assert_eq!(object.id().as_str(), "obj_1");
        object.upload_content("x".to_owned()).await.unwrap_err();
    }
    let creations: Vec<_> = sent(&server)
        .await
        .into_iter()
        .filter(|(step, _)| step == "POST /v1/objects")
        .map(|(_, body)| body)
        .collect();
    let expected = [
        ("note.md", "text"),
        ("n", "text"),
        ("n", "binary"),
        ("n", "tgz"),
        ("a.tar.gz", "tgz"),
        ("n", "binary"),
    ];
    assert_eq!(creations, expected.map(|(name, kind)| json!({"name": name, "content_type": kind})));
    assert_eq!(requests(&server).await.len(), 6 * 3);
}

#[tokio::test]
async fn an_object_is_read_mounted_built_from_and_deleted() {
    let server = server(ok()).await;
    let object = client(&server.uri()).storage_object("obj_1");
    assert_eq!(object.info().await.unwrap().state, ObjectState::ReadOnly);
    assert_eq!(object.download_as_text().await.unwrap(), "hello");
    assert_eq!(&object.download_as_bytes().await.unwrap()[..], b"hello");
    assert_eq!(&object.download().await.unwrap().bytes().await.unwrap()[..], b"hello");
    let url = object.download_url(Some(std::time::Duration::from_secs(60))).await.unwrap().download_url;
    assert!(url.ends_with(SIGNATURE));
    assert_eq!(object.delete().await.unwrap().state, ObjectState::Deleted);
    let steps = steps(&server).await;
    assert_eq!(
        steps[steps.len() - 2..],
        ["GET /v1/objects/obj_1/download?duration_seconds=60", "POST /v1/objects/obj_1/delete"]
    );

    let context = serde_json::to_value(object.as_build_context()).unwrap();
    assert_eq!(context, json!({"type": "object", "object_id": "obj_1"}));
    let mount = object.as_mount("/data");
    assert_eq!(mount, Mount::ObjectMount { object_id: "obj_1".into(), object_path: "/data".into() });
}

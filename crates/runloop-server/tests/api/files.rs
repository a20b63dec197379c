//! Files in and out of a devbox.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Answer, Api};

async fn write(api: &Api, id: &str, path: &str, contents: &str) -> Answer {
    api.post(
        &format!("/v1/devboxes/{id}/write_file_contents"),
        json!({"file_path": path, "contents": contents}),
    )
    .await
}

async fn read(api: &Api, id: &str, path: &str) -> Answer {
    api.post(&format!("/v1/devboxes/{id}/read_file_contents"), json!({"file_path": path})).await
}

async fn download(api: &Api, id: &str, path: &str) -> Answer {
    api.post(&format!("/v1/devboxes/{id}/download_file"), json!({"path": path})).await
}

async fn send(api: &Api, id: &str, form: Form) -> Answer {
    Answer::of(api.request(Method::POST, &format!("/v1/devboxes/{id}/upload_file")).multipart(form)).await
}

async fn upload(api: &Api, id: &str, path: &str, bytes: Vec<u8>) -> Answer {
    let file = Part::bytes(bytes).file_name("any name.bin");
    send(api, id, Form::new().text("path", path.to_owned()).part("file", file)).await
}

pub(crate) async fn text_is_written_and_read(api: Api) {
    let id = api.devbox(json!({})).await;
    let view = write(&api, &id, "deep/er/note.txt", "líne\n\"2\"\n").await.ok();
    assert_eq!((&view["exit_status"], &view["devbox_id"]), (&json!(0), &json!(id)));
    let answer = read(&api, &id, "deep/er/note.txt").await;
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!((answer.status, answer.text()), (200, "líne\n\"2\"\n".into()));
    write(&api, &id, "deep/er/note.txt", "").await.ok();
    assert_eq!(read(&api, &id, "deep/er/note.txt").await.text(), "", "what was there is replaced");
    assert_eq!(api.stdout(&id, "stat -c %a deep/er/note.txt").await, "644\n");
    assert_eq!(
        api.stdout(&id, "echo more >> deep/er/note.txt && cat deep/er/note.txt").await,
        "more\n",
        "it is the user's own"
    );
    api.shutdown(&id).await;
}

pub(crate) async fn bytes_are_uploaded_and_downloaded(api: Api) {
    let id = api.devbox(json!({})).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    assert_eq!(upload(&api, &id, "bin/data", bytes.clone()).await.ok(), json!({}));
    let answer = download(&api, &id, "bin/data").await;
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert!(answer.body == bytes);
    assert_eq!(api.stdout(&id, "wc -c < bin/data").await.trim(), "70000");
    upload(&api, &id, "empty", Vec::new()).await.ok();
    assert_eq!(download(&api, &id, "empty").await.body, b"");
    api.shutdown(&id).await;
}

pub(crate) async fn paths_are_resolved_as_the_api_says(api: Api) {
    let id = api.devbox(json!({})).await;
    let home = api.stdout(&id, "printf %s \"$HOME\"").await;
    write(&api, &id, "relative", "r").await.ok();
    write(&api, &id, "~/tilde", "t").await.ok();
    write(&api, &id, &format!("{home}/absolute"), "a").await.ok();
    write(&api, &id, "x/../up", "u").await;
    assert_eq!(api.stdout(&id, "cat relative tilde absolute").await, "rta");
    assert_eq!(read(&api, &id, &format!("{home}/tilde")).await.text(), "t");
    api.stdout(&id, "ln -s relative link").await;
    assert_eq!(read(&api, &id, "link").await.text(), "r", "links inside the box are links");
    api.shutdown(&id).await;
}

pub(crate) async fn names_with_newlines_and_spaces_are_names(api: Api) {
    let id = api.devbox(json!({})).await;
    for name in ["two\nlines", " spaces ", "quote'\"$(touch x)`", "-rf", "ünïcode", "a;b&c|d"] {
        write(&api, &id, name, name).await.ok();
        assert_eq!(read(&api, &id, name).await.text(), name);
        upload(&api, &id, &format!("{name}/below"), b"up".to_vec()).await.error(400);
        upload(&api, &id, &format!("up/{name}"), name.as_bytes().to_vec()).await.ok();
        assert_eq!(download(&api, &id, &format!("up/{name}")).await.body, name.as_bytes());
    }
    assert_eq!(
        api.stdout(&id, "ls -A up | wc -l; ls x 2>/dev/null | wc -l")
            .await
            .split_whitespace()
            .collect::<Vec<_>>(),
        ["7", "0"]
    );
    api.shutdown(&id).await;
}

pub(crate) async fn what_is_not_there_is_a_404(api: Api) {
    let id = api.devbox(json!({})).await;
    assert!(read(&api, &id, "no/such file").await.error(404).contains("no/such file"));
    download(&api, &id, "nothing").await.error(404);
    read(&api, "dbx_none", "x").await.error(404);
    api.shutdown(&id).await;
}

pub(crate) async fn what_is_no_file_is_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    api.stdout(&id, "mkdir dir; mkfifo pipe; ln -s loop loop").await;
    for path in ["dir", "pipe", "loop", "."] {
        read(&api, &id, path).await.error(400);
    }
    for path in ["dir", ".", "~", "/"] {
        let said = format!("`{path}` is a directory: give the path of a file");
        assert_eq!(read(&api, &id, path).await.error(400), said);
        assert_eq!(download(&api, &id, path).await.error(400), said);
        assert_eq!(write(&api, &id, path, "x").await.error(400), said);
    }
    for path in ["", "a\0b", &"x".repeat(5000)] {
        read(&api, &id, path).await.error(400);
        write(&api, &id, path, "x").await.error(400);
    }
    assert_eq!(
        read(&api, &id, "/proc/self/stat").await.status,
        200,
        "a file without a size still has content"
    );
    api.shutdown(&id).await;
}

pub(crate) async fn hostile_paths_stay_in_the_box(api: Api) {
    let id = api.devbox(json!({})).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "of the host").unwrap();
    let host_path = secret.path().to_str().unwrap();
    api.stdout(&id, &format!("ln -s {host_path} link; ln -s / root")).await;
    let up = "../".repeat(40);
    for path in [host_path.to_owned(), "link".into(), format!("{up}{host_path}"), format!("root{host_path}")]
    {
        assert_ne!(read(&api, &id, &path).await.text(), "of the host", "{path}");
        write(&api, &id, &path, "from the box").await;
    }
    assert_eq!(std::fs::read_to_string(secret.path()).unwrap(), "of the host");
    api.shutdown(&id).await;
}

pub(crate) async fn an_upload_may_tell_its_path_last(api: Api) {
    let id = api.devbox(json!({})).await;
    let form = Form::new().part("file", Part::bytes(b"bytes first".to_vec())).text("path", "late");
    send(&api, &id, form).await.ok();
    assert_eq!(read(&api, &id, "late").await.text(), "bytes first");
    api.shutdown(&id).await;
}

pub(crate) async fn uploads_without_their_parts_are_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let file = || Part::bytes(b"x".to_vec());
    assert!(send(&api, &id, Form::new().part("file", file())).await.error(400).contains("`path`"));
    assert!(send(&api, &id, Form::new().text("path", "x")).await.error(400).contains("`file`"));
    send(&api, &id, Form::new().text("path", "").part("file", file())).await.error(400);
    api.post(&format!("/v1/devboxes/{id}/upload_file"), json!({"path": "x"})).await.error(400);
    api.shutdown(&id).await;
}

pub(crate) async fn files_of_five_megabytes_come_back_whole(api: Api) {
    let id = api.devbox(json!({})).await;
    let text: String = (0..700_000).map(|n| format!("{n}\n")).collect();
    write(&api, &id, "big", &text).await.ok();
    assert!(read(&api, &id, "big").await.text() == text);
    let answer = download(&api, &id, "big").await;
    assert_eq!(answer.header("content-length"), Some(&*text.len().to_string()));
    assert!(answer.text() == text);
    upload(&api, &id, "big2", text.clone().into_bytes()).await.ok();
    assert_eq!(api.run(&id, "cmp big big2").await["exit_status"], 0);
    api.shutdown(&id).await;
}

pub(crate) async fn what_is_too_large_is_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    api.stdout(&id, "truncate -s 101M big").await;
    assert!(read(&api, &id, "big").await.error(413).contains("download_file"));
    assert_eq!(download(&api, &id, "big").await.body.len(), 101 << 20);
    let answer = upload(&api, &id, "up", vec![0; 101 << 20]).await;
    assert!(answer.error(413).contains("104857600"), "{}", answer.text());
    api.shutdown(&id).await;
}

//! Memory stays constant, however large an upload, a download or an archive is. In a process of its own, whose memory
//! is nobody else's.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the failure report")]

use runloop_client::{Client, ObjectUpload};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const SIZE: u64 = 192 * 1024 * 1024;

/// Far less than the size, far more than all buffers.
const MOST: u64 = 48 * 1024 * 1024;

/// Most memory this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// An API with its store: swallows every body, and gives `SIZE` bytes to whoever asks for the object.
async fn serve(listener: TcpListener, url: String) {
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let url = url.clone();
        tokio::spawn(async move { answer(connection, &url).await.unwrap() });
    }
}

async fn answer(connection: TcpStream, url: &str) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let (mut target, mut length) = (String::new(), 0);
    connection.read_line(&mut target).await?;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut piece = vec![0; 64 * 1024];
    let mut body = (&mut connection).take(length);
    let mut taken = 0;
    while taken < length {
        taken += body.read(&mut piece).await? as u64;
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
    if target.starts_with("GET /store") {
        connection.write_all(format!("{head}: {SIZE}\r\n\r\n").as_bytes()).await?;
        for _ in 0..SIZE / piece.len() as u64 {
            connection.write_all(&piece).await?;
        }
    } else {
        // The size that was stored, so that the test sees that all of it came.
        let view = format!(
            r#"{{"id": "obj_1", "upload_url": "{url}/store", "download_url": "{url}/store", "size_bytes": {taken}}}"#
        );
        connection.write_all(format!("{head}: {}\r\n\r\n{view}", view.len()).as_bytes()).await?;
    }
    connection.shutdown().await
}

#[tokio::test]
async fn transfers_and_archives_take_little_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, url.clone()));
    let objects = Client::builder().base_url(&url).api_key("ak_test").build().unwrap().objects();
    let directory = tempfile::tempdir().unwrap();
    let big = directory.path().join("big");
    std::fs::File::create(&big).unwrap().set_len(SIZE).unwrap();
    // Whatever is made once, is made now.
    objects.upload_from_text("x", &ObjectUpload::default()).await.unwrap();
    let before = peak();
    let check = |what: &str| {
        let grown = peak() - before;
        assert!(grown < MOST, "{what} took {grown} bytes of memory");
    };

    let told = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let hear = std::sync::Arc::clone(&told);
    let upload = ObjectUpload::default()
        .on_progress(move |progress| hear.store(progress.done, std::sync::atomic::Ordering::Relaxed));
    objects.upload_from_file(&big, &upload).await.unwrap();
    assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), SIZE);
    check("an upload");

    let copy = directory.path().join("copy");
    assert_eq!(objects.download("obj_1").await.unwrap().save_to(&copy).await.unwrap(), SIZE);
    assert_eq!(std::fs::metadata(&copy).unwrap().len(), SIZE);
    std::fs::remove_file(copy).unwrap();
    check("a download");

    let stream = objects.download("obj_1").await.unwrap();
    let stream = futures::TryStreamExt::map_err(stream, std::io::Error::other);
    objects.upload_from_stream(stream, None, &ObjectUpload::default()).await.unwrap();
    check("a stream");

    std::fs::File::options().write(true).open(&big).unwrap().set_len(SIZE / 8).unwrap();
    runloop_client::archive_dir(directory.path()).await.unwrap();
    check("an archive");
}

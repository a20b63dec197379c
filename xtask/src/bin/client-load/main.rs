//! The loads that `cargo xtask bench client` puts on our client. Each runs in a process of its own and prints its figures.
//!
//! A program with nothing else in it, so that its memory is what a program takes that uses the client.

mod own;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use runloop_client::types::{DevboxId, ExecuteParams};
use runloop_client::{Client, ObjectUpload, WaitOptions, archive_dir};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text:?}: {error}"));
    runtime.block_on(async {
        match words {
            ["requests", url, concurrency, count] => {
                requests(client(url, false)?, number(concurrency)?, number(count)?).await
            }
            ["requests-h2c", url, concurrency, count] => {
                requests(client(url, true)?, number(concurrency)?, number(count)?).await
            }
            ["waits", url, count] => waits(client(url, false)?, number(count)?).await,
            ["waits-h2c", url, count] => waits(client(url, true)?, number(count)?).await,
            ["upload", url, path] => upload(client(url, false)?, path).await,
            ["download", url, size] => download(client(url, false)?, number(size)? as u64).await,
            ["archive", _, path] => archive(path).await,
            _ => Err(format!("there is no load {words:?}")),
        }
    })
}

fn client(url: &str, http2: bool) -> Result<Client, String> {
    let builder = Client::builder().base_url(url).api_key("ak_bench").max_retries(0);
    let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
    builder.build().map_err(|error| error.to_string())
}

fn told(error: runloop_client::Error) -> String {
    error.to_string()
}

async fn requests(client: Client, concurrency: usize, count: usize) -> Result<(), String> {
    let round = |count: usize| {
        let left = Arc::new(AtomicUsize::new(count));
        let workers: Vec<_> = (0..concurrency)
            .map(|_| {
                let (client, left) = (client.clone(), Arc::clone(&left));
                tokio::spawn(async move {
                    let devboxes = client.devboxes();
                    let params = ExecuteParams { command: "echo hello".into(), ..ExecuteParams::default() };
                    let take = |left: usize| left.checked_sub(1);
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                        devboxes.execute("dbx_1", &params, None).send().await?;
                    }
                    Ok::<_, runloop_client::Error>(())
                })
            })
            .collect();
        async move {
            for worker in workers {
                worker.await.map_err(|error| error.to_string())?.map_err(told)?;
            }
            Ok::<_, String>(())
        }
    };
    // Connections are there before the clock starts.
    round(concurrency * 2).await?;
    let (begun, before) = (Instant::now(), own::cpu_seconds()?);
    round(count).await?;
    println!("wall {}\ncpu {}", begun.elapsed().as_secs_f64(), own::cpu_seconds()? - before);
    Ok(())
}

async fn waits(client: Client, count: usize) -> Result<(), String> {
    // With one connection made and used, as a program has that is about to wait.
    let held = async |client: &Client| {
        let request = runloop_client::Request::<usize>::get("/held", &[]).map_err(told)?;
        client.send(request).send().await.map_err(told)
    };
    held(&client).await?;
    let waits: Vec<_> = (0..count)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let id = DevboxId::new(format!("dbx_{number}"));
                client.devboxes().await_running(&id, WaitOptions::within(Duration::from_secs(120))).await
            })
        })
        .collect();
    let patience = Instant::now() + Duration::from_secs(10);
    let mut open = 0;
    while open < count && Instant::now() < patience {
        open = held(&client).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (resident, anonymous) = own::resident_kib()?;
    println!("open {open}\nresident_kib {resident}\nanonymous_kib {anonymous}");
    for wait in waits {
        wait.abort();
    }
    Ok(())
}

async fn upload(client: Client, path: &str) -> Result<(), String> {
    let begun = Instant::now();
    client.objects().upload_from_file(path, &ObjectUpload::default()).await.map_err(told)?;
    println!("wall {}\npeak_kib {}", begun.elapsed().as_secs_f64(), own::peak_kib()?);
    Ok(())
}

async fn download(client: Client, size: u64) -> Result<(), String> {
    let begun = Instant::now();
    let mut pieces = client.objects().download("obj_1").await.map_err(told)?;
    let mut taken = 0;
    while let Some(piece) = pieces.try_next().await.map_err(told)? {
        taken += piece.len() as u64;
    }
    if taken != size {
        return Err(format!("{taken} bytes came instead of {size}"));
    }
    println!("wall {}\npeak_kib {}", begun.elapsed().as_secs_f64(), own::peak_kib()?);
    Ok(())
}

async fn archive(path: &str) -> Result<(), String> {
    let (begun, before) = (Instant::now(), own::cpu_seconds()?);
    archive_dir(path).await.map_err(told)?;
    println!("wall {}\ncpu {}", begun.elapsed().as_secs_f64(), own::cpu_seconds()? - before);
    Ok(())
}

//! Errors: what they say, what is tried again by itself, and how to try again longer.
//!
//! ```text
//! $ cargo run -p runloop-client --example error_handling
//! GET /v1/devboxes/dbx_none: 404 there is no devbox dbx_none (request req-7, 1 attempt)
//! refused before anything was sent: a devbox is made from one of `blueprint_id`, `blueprint_name` and `snapshot_id`
//! running after 3 attempts
//! attempt 1: RateLimit, again in 20ms
//! attempt 2: InternalServer, again in 100ms
//! running in the end
//! ```

use std::time::Duration;

use runloop_client::types::{DevboxCreateParams, DevboxView};
use runloop_client::{Client, Error};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;

    match client.devboxes().retrieve("dbx_none").await {
        // It says what was asked, what the server said, and what the request is called in the server's logs.
        Err(error) if error.is_not_found() => println!("{error}"),
        other => println!("not expected: {other:?}"),
    }

    let params = DevboxCreateParams {
        blueprint_name: Some("base".into()),
        snapshot_id: Some("snp_1".into()),
        ..Default::default()
    };
    if let Err(Error::InvalidRequest { reason }) = client.devboxes().create(&params).await {
        println!("refused before anything was sent: {reason}");
    }

    // 408, 409, 429, 5xx and broken connections are tried again by the client, up to 5 times.
    let answer = client.devboxes().retrieve("dbx_1").with_response().await?;
    println!("{} after {} attempts", answer.value.status, answer.raw.attempts);

    let view = patiently(&client, "dbx_1").await?;
    println!("{} in the end", view.status);
    Ok(())
}

/// Tries for as long as it may help, and says so each time.
async fn patiently(client: &Client, id: &str) -> Result<DevboxView, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match client.devboxes().retrieve(id).max_retries(0).await {
            Err(error) if error.is_retryable() && attempt < 20 => {
                // The server's wish, or a pause of our own.
                let pause = error.retry_after().unwrap_or(Duration::from_millis(100));
                println!("attempt {attempt}: {:?}, again in {pause:?}", error.kind());
                tokio::time::sleep(pause).await;
            }
            answer => return answer,
        }
    }
}

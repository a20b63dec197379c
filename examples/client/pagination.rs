//! Lists: page by page, or as one stream over all pages.
//!
//! ```text
//! $ cargo run -p runloop-client --example pagination
//! page 1: item-5, item-4
//! page 2: item-3, item-2
//! page 3: item-1
//! all of them: 5
//! the first one whose name ends in 2: item-2
//! ```

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future};
use runloop_client::types::{ObjectView, PageParams};
use runloop_client::{Client, Error, ObjectListParams, ObjectUpload};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let run = format!("pagination-{}-", std::process::id());
    let mut objects = Vec::new();
    for number in 1..=5 {
        let name = format!("{run}item-{number}");
        let upload = ObjectUpload { ttl: Some(Duration::from_secs(600)), ..ObjectUpload::named(name) };
        objects.push(client.upload_object_from_text("x", &upload).await?);
    }
    let outcome = list(&client, &run).await;
    for object in objects {
        object.delete().await?;
    }
    Ok(outcome?)
}

async fn list(client: &Client, run: &str) -> Result<(), Error> {
    let page = PageParams { limit: Some(2), ..Default::default() };
    let params = ObjectListParams { name: Some(run.into()), page, ..Default::default() };
    let name = |object: &ObjectView| object.name.replace(run, "");

    let mut next = Some(client.objects().list(&params).await?);
    for number in 1.. {
        let Some(page) = next else { break };
        println!("page {number}: {}", page.items.iter().map(name).collect::<Vec<_>>().join(", "));
        next = page.next_page().await?;
    }

    let all: Vec<_> = client.objects().list(&params).items().try_collect().await?;
    println!("all of them: {}", all.len());

    // A stream asks for a page when it is needed: this one never asks for the third.
    let twos =
        client.objects().list(&params).items().try_filter(|object| future::ready(object.name.ends_with('2')));
    if let Some(found) = std::pin::pin!(twos).next().await {
        println!("the first one whose name ends in 2: {}", name(&found?));
    }
    Ok(())
}

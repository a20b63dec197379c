//! Lists, page by page.

use futures::TryStreamExt;
use runloop_client::DevboxListParams;
use runloop_client::types::{DevboxStatus, PageParams};
use serde_json::json;

use crate::support::{always, client, json as answer, requests, sequence, target};

fn running() -> DevboxListParams {
    DevboxListParams {
        status: Some(DevboxStatus::Running),
        page: PageParams { limit: Some(2), ..Default::default() },
    }
}

#[tokio::test]
async fn the_next_page_repeats_the_query_after_the_last_item() {
    let server = sequence(vec![
        answer(200, json!({"devboxes": [{"id": "a"}, {"id": "b"}], "has_more": true, "total_count": 3})),
        answer(200, json!({"devboxes": [{"id": "c"}], "has_more": false, "remaining_count": 0})),
    ])
    .await;
    let first = client(&server.uri()).devboxes().list(&running()).await.unwrap();
    assert_eq!(first.items.len(), 2);
    assert_eq!(first.total_count, Some(3));
    assert!(first.has_next());
    let second = first.next_page().await.unwrap().unwrap();
    assert_eq!(second.items[0].id.as_str(), "c");
    assert!(second.next_page().await.unwrap().is_none());
    let targets: Vec<_> = requests(&server).await.iter().map(target).collect();
    assert_eq!(
        targets,
        ["/v1/devboxes?status=running&limit=2", "/v1/devboxes?status=running&limit=2&starting_after=b"]
    );
}

#[tokio::test]
async fn items_go_through_all_pages() {
    let server = sequence(vec![
        answer(200, json!({"devboxes": [{"id": "a"}, {"id": "b"}], "has_more": true})),
        answer(200, json!({"devboxes": [{"id": "c"}]})),
        answer(200, json!({"devboxes": []})),
    ])
    .await;
    let items: Vec<_> =
        client(&server.uri()).devboxes().list(&running()).items().try_collect().await.unwrap();
    let ids: Vec<_> = items.iter().map(|view| view.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    // Without `has_more`, only an empty page ends a list.
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_server_that_repeats_itself_does_not_make_an_endless_list() {
    let server = always(answer(200, json!({"devboxes": [{"id": "a"}], "has_more": true}))).await;
    let items: Vec<_> =
        client(&server.uri()).devboxes().list(&running()).items().try_collect().await.unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn an_error_ends_the_items() {
    let server = sequence(vec![
        answer(200, json!({"devboxes": [{"id": "a"}], "has_more": true})),
        answer(403, json!({"message": "no"})),
    ])
    .await;
    let items = client(&server.uri()).devboxes().list(&running()).items();
    let results: Vec<_> = futures::StreamExt::collect(items).await;
    assert_eq!(results.len(), 2);
    assert_eq!(results[1].as_ref().unwrap_err().status(), Some(403));
}

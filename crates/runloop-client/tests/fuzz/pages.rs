//! Lists whose pages lead anywhere.

use futures::StreamExt;
use proptest::prelude::*;
use runloop_client::DevboxListParams;
use serde_json::{Value, json};

use crate::support::{Server, json as answer, parameter, whole};

#[test]
fn pages_that_lead_anywhere_come_to_an_end() {
    let server = Server::start(|builder| builder.max_retries(0));
    // To each cursor (0 is the beginning) the ids of a page, the last of which is the next cursor.
    let page = prop::collection::vec(0usize..8, 0..4);
    proptest!(ProptestConfig::with_cases(64), |(
        pages in prop::collection::vec((page, prop::option::of(any::<bool>())), 8),
    )| {
        let count = pages.len();
        let serve = move |target: &str| {
            let at = parameter(target, "starting_after").map_or(0, |cursor| cursor.parse::<usize>().unwrap());
            let (ids, has_more) = &pages[at];
            let items: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
            answer(&json!({"devboxes": items, "has_more": has_more}))
        };
        let items = server.client.devboxes().list(&DevboxListParams::default()).items();
        let items: Vec<_> = server.run(serve, items.collect());
        prop_assert!(items.iter().all(Result::is_ok));
        // Each page once, and a few times the cycle at most, of at most three items each.
        prop_assert!(items.len() <= 3 * 5 * count, "{} items", items.len());
    });
}

#[test]
fn pages_of_any_shape_are_survived() {
    let server = Server::start(|builder| builder.max_retries(0));
    let body = prop_oneof![
        crate::views::any_json().prop_map(|items| json!({"devboxes": items, "has_more": false}).to_string()),
        (crate::views::any_json(), crate::views::any_json()).prop_map(|(more, count)| {
            json!({"devboxes": [{"id": "a"}], "has_more": more, "total_count": count}).to_string()
        }),
        crate::views::any_json().prop_map(|page| page.to_string()),
        ".{0,60}",
    ];
    proptest!(ProptestConfig::with_cases(64), |(body in body)| {
        let serve = move |_: &str| whole(200, "application/json", body.as_bytes());
        let items = server.client.devboxes().list(&DevboxListParams::default()).items();
        let items: Vec<_> = server.run(serve, items.take(50).collect());
        prop_assert!(items.len() < 50);
    });
}

//! Output as server-sent events.

use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::Method;
use serde_json::json;

use crate::support::Api;

fn path(devbox: &str, execution: &str, stream: &str) -> String {
    format!("/v1/devboxes/{devbox}/executions/{execution}/stream_{stream}_updates")
}

pub(crate) async fn a_stream_replays_and_ends(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "seq 3; echo err >&2").await;
    api.completed(&id, &execution).await;
    assert_eq!(api.stream(&path(&id, &execution, "stdout")).await, ("1\n2\n3\n".into(), 6));
    assert_eq!(api.stream(&path(&id, &execution, "stderr")).await, ("err\n".into(), 4));
    let silent = api.start(&id, "true").await;
    assert_eq!(api.stream(&path(&id, &silent, "stdout")).await, (String::new(), 0));
    api.get(&path(&id, "exec_none", "stdout")).await.error(404);
    api.shutdown(&id).await;
}

pub(crate) async fn a_stream_follows_a_running_command(api: Api) {
    let id = api.devbox(json!({})).await;
    let command = json!({"command": "while read line; do echo \"got $line\"; done", "attach_stdin": true});
    let execution = api.start_with(&id, command).await;
    let request =
        api.request(Method::GET, &path(&id, &execution, "stdout")).header("accept", "text/event-stream");
    let mut events = request.send().await.unwrap().bytes_stream();
    let send = format!("/v1/devboxes/{id}/executions/{execution}/send_std_in");
    for n in 1..=3 {
        api.post(&send, json!({"text": format!("{n}\n")})).await.ok();
        let event = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(event, format!("data: {{\"output\":\"got {n}\\n\",\"offset\":{}}}\n\n", n * 6));
    }
    api.post(&send, json!({"signal": "EOF"})).await.ok();
    assert!(events.next().await.is_none(), "the stream ends with the command");
    api.shutdown(&id).await;
}

pub(crate) async fn a_stream_resumes_at_exactly_the_byte(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "printf 0123456789").await;
    api.completed(&id, &execution).await;
    let stdout = path(&id, &execution, "stdout");
    for offset in [0, 1, 9, 10, 1000] {
        let (text, _) = api.stream(&format!("{stdout}?offset={offset}")).await;
        assert_eq!(text, "0123456789".get(offset..).unwrap_or_default());
    }
    api.shutdown(&id).await;
}

pub(crate) async fn characters_are_never_split(api: Api) {
    let id = api.devbox(json!({})).await;
    // Written byte by byte with pauses, so that reads end within characters; longer than one chunk in all.
    let slow =
        "for b in '\\xe2' '\\x82' '\\xac' '\\xf0' '\\x9d' '\\x84' '\\x9e'; do printf $b; sleep 0.02; done";
    let long = "for i in $(seq 20000); do printf '\\xe2\\x82\\xac'; done";
    let execution = api.start(&id, &format!("{slow}; {long}; printf '\\xe2\\x82'")).await;
    let (text, offset) = api.stream(&path(&id, &execution, "stdout")).await;
    assert_eq!(offset, 7 + 60_000 + 2);
    let expected = format!("€𝄞{}\u{fffd}", "€".repeat(20_000));
    assert!(text == expected, "the only replacement is for what stays unfinished at the end");
    api.shutdown(&id).await;
}

pub(crate) async fn twenty_megabytes_come_through_whole(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "seq 1 2700000; echo end >&2").await;
    let (text, offset) = api.stream(&path(&id, &execution, "stdout")).await;
    assert!(offset > 20_000_000 && offset == text.len() as u64);
    assert!(text.lines().zip(1..).all(|(line, n): (_, u32)| line == n.to_string()));
    let view = api.completed(&id, &execution).await;
    assert_eq!((&view["stdout_truncated"], &view["stderr"]), (&json!(true), &json!("end\n")));
    assert!(view["stdout"].as_str().unwrap().ends_with("2699999\n2700000\n"));
    let (text, _) = api.stream(&format!("{}?offset={}", path(&id, &execution, "stdout"), 10_000_000)).await;
    assert_eq!(text.len() as u64, offset - 10_000_000);
    // More lines than are kept: cut, and said to be.
    let view = api.get(&format!("/v1/devboxes/{id}/executions/{execution}?last_n=2700000")).await.ok();
    assert!(view["stdout"].as_str().unwrap().len() < 2_000_000 && view["stdout_truncated"] == true);
    api.shutdown(&id).await;
}

pub(crate) async fn malformed_offsets_are_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "true").await;
    for offset in ["-1", "x", "1.5"] {
        api.get(&format!("{}?offset={offset}", path(&id, &execution, "stdout"))).await.error(400);
    }
    api.shutdown(&id).await;
}

pub(crate) async fn a_silent_stream_has_heartbeats(api: Api) {
    let id = api.devbox(json!({})).await;
    let execution = api.start(&id, "sleep 1000").await;
    let start = Instant::now();
    let request = api.request(Method::GET, &path(&id, &execution, "stdout"));
    let mut events = request.send().await.unwrap().bytes_stream();
    let beat = events.next().await.unwrap().unwrap();
    assert!(beat.starts_with(b":") && !beat.contains(&b'{'), "{beat:?}");
    assert!(start.elapsed() < Duration::from_secs(25));
    api.shutdown(&id).await;
    assert!(events.next().await.is_none_or(|rest| rest.is_ok()), "the end of the devbox ends the stream");
}

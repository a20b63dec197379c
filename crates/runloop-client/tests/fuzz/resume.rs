//! Streams over a network that cuts anywhere: inside a character, inside a line, inside an event; and a service that
//! ends them with 408 or without a word.

use futures::{StreamExt, TryStreamExt};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Server, json as answer, parameter, whole};

/// How one connection ends.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// After this part of 256 of its bytes, in the middle of the HTTP body.
    Cut(u8),
    /// The same, but as if it were the end of the body.
    End(u8),
    /// 408 instead of an answer.
    Status,
    /// A 408 event after this many events; its code is a text or a number.
    Event(usize, bool),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => any::<u8>().prop_map(Fault::Cut),
        3 => any::<u8>().prop_map(Fault::End),
        1 => Just(Fault::Status),
        2 => (0usize..4, any::<bool>()).prop_map(|(events, text)| Fault::Event(events, text)),
    ]
}

/// How a service numbers its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offsets {
    Begin,
    End,
    None,
    /// As `End`, but every connection begins with the first byte.
    Deaf,
}

/// Answers with the faults, one after the other, and then without.
struct Script {
    faults: std::vec::IntoIter<Fault>,
    /// Whether the next connection may bring nothing new. Only the first one may: else the client makes a pause.
    fruitless: bool,
}

impl Script {
    fn new(faults: Vec<Fault>) -> Self {
        Self { faults: faults.into_iter(), fruitless: true }
    }

    fn is_over(&self) -> bool {
        self.faults.len() == 0
    }

    /// The answer that holds these events, as far as the next fault lets it. The client knows the first `known`.
    fn answer(&mut self, events: &[String], known: usize) -> Vec<u8> {
        let body = events.concat().into_bytes();
        // Up to here it brings nothing new.
        let first = events.iter().take(known + 1).map(String::len).sum();
        let (body, ended) = match self.faults.next() {
            None => (body, true),
            Some(Fault::Status) if self.fruitless => {
                self.fruitless = false;
                return whole(408, "text/plain", b"");
            }
            Some(_) if !self.fruitless && events.len() <= known => {
                // There is nothing left to lose.
                self.faults = Vec::new().into_iter();
                (body, true)
            }
            Some(fault @ (Fault::Event(..) | Fault::Status)) => {
                let (count, text) = match fault {
                    Fault::Event(count, text) => (count, text),
                    _ => (0, false),
                };
                let count = if self.fruitless { count } else { count.max(known + 1) };
                let code = if text { json!("408") } else { json!(408) };
                let idle = format!("event: error\ndata: {}\n\n", json!({"code": code, "message": "idle"}));
                let mut events = events[..count.min(events.len())].to_vec();
                events.push(idle);
                (events.concat().into_bytes(), true)
            }
            Some(fault @ (Fault::Cut(part) | Fault::End(part))) => {
                let least = if self.fruitless { 0 } else { first };
                let at = (body.len() * usize::from(part) / 256).max(least);
                (body[..at].to_vec(), matches!(fault, Fault::End(_)))
            }
        };
        self.fruitless = false;
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        if !body.is_empty() {
            bytes.extend(format!("{:x}\r\n", body.len()).into_bytes());
            bytes.extend(&body);
            bytes.extend(b"\r\n");
        }
        if ended || body.is_empty() {
            bytes.extend(b"0\r\n\r\n");
        }
        bytes
    }
}

/// The events from byte `from` of a text, in chunks of up to `size` characters.
fn output(text: &str, from: usize, size: usize, offsets: Offsets, end: &str) -> Vec<String> {
    let letters: Vec<(usize, char)> = text.char_indices().filter(|(at, _)| *at >= from).collect();
    letters
        .chunks(size)
        .map(|letters| {
            let piece: String = letters.iter().map(|(_, letter)| letter).collect();
            let begin = letters[0].0;
            let chunk = match offsets {
                Offsets::Begin => json!({"output": piece, "offset": begin}),
                Offsets::End | Offsets::Deaf => json!({"output": piece, "offset": begin + piece.len()}),
                Offsets::None => json!({"output": piece}),
            };
            format!(": ping{end}{end}data: {chunk}{end}{end}")
        })
        .collect()
}

#[test]
fn output_is_neither_lost_nor_doubled() {
    let server = Server::start(|builder| builder.max_retries(2));
    let offsets = prop::sample::select(vec![Offsets::Begin, Offsets::End, Offsets::None, Offsets::Deaf]);
    proptest!(ProptestConfig::with_cases(64), |(
        text in "[ab\nä😀]{0,40}",
        size in 1usize..6,
        offsets in offsets,
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        faults in prop::collection::vec(fault(), 0..7),
        by_line in any::<bool>(),
    )| {
        let mut script = Script::new(faults);
        let served = text.clone();
        let serve = move |target: &str| {
            if !target.contains("stream_stderr_updates") {
                let status = if script.is_over() { "completed" } else { "running" };
                return answer(&json!({"execution_id": "exec_1", "status": status}));
            }
            let from = parameter(target, "offset").map_or(0, |offset| offset.parse().unwrap());
            assert!(served.is_char_boundary(from), "{target} is inside a character");
            let known = if offsets == Offsets::Deaf { served[..from].chars().count().div_ceil(size) } else { 0 };
            let from = if offsets == Offsets::Deaf { 0 } else { from };
            script.answer(&output(&served, from, size, offsets, end), known)
        };
        let stream = server.client.executions().stream_stderr_updates(&"dbx_1".into(), &"exec_1".into());
        if by_line {
            let lines: Vec<String> = server.run(serve, stream.lines().try_collect()).unwrap();
            prop_assert_eq!(lines, text.split_terminator('\n').collect::<Vec<_>>());
        } else {
            let chunks: Vec<_> = server.run(serve, stream.try_collect()).unwrap();
            let mut position = 0;
            for chunk in &chunks {
                position += chunk.output.len() as u64;
                prop_assert_eq!(chunk.offset, Some(position));
            }
            prop_assert_eq!(chunks.iter().map(|chunk| chunk.output.as_str()).collect::<String>(), text);
        }
    });
}

#[test]
fn axon_events_are_neither_lost_nor_doubled() {
    let server = Server::start(|builder| builder.max_retries(2));
    proptest!(ProptestConfig::with_cases(48), |(
        steps in prop::collection::vec(1i64..4, 1..12),
        after in prop::option::of(0i64..10),
        deaf in any::<bool>(),
        faults in prop::collection::vec(fault(), 0..7),
    )| {
        let sequences: Vec<i64> = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect();
        let expected: Vec<i64> = sequences.iter().copied().filter(|at| after.is_none_or(|after| *at > after)).collect();
        let mut script = Script::new(faults);
        let serve = move |target: &str| {
            assert!(target.starts_with("/v1/axons/axn_1/subscribe/sse"), "{target}");
            let after = parameter(target, "after_sequence").map_or(i64::MIN, |after| after.parse().unwrap());
            let known = if deaf { sequences.iter().filter(|sequence| **sequence <= after).count() } else { 0 };
            let events: Vec<String> = sequences
                .iter()
                .filter(|sequence| deaf || **sequence > after)
                .map(|sequence| format!("data: {}\n\n", json!({"sequence": sequence, "payload": "ä😀"})))
                .collect();
            script.answer(&events, known)
        };
        let events = server.client.axons().subscribe_sse("axn_1", after).take(expected.len());
        let events: Vec<_> = server.run(serve, events.try_collect()).unwrap();
        let seen: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        prop_assert_eq!(seen, expected);
    });
}

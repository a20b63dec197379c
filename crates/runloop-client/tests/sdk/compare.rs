//! The comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use libtest_mimic::Failed;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::differences::{DIFFERENCES, Difference, as_the_sdks_have_it, in_one_order, without_nulls};
use crate::ours::{Ours, Recorded, Sent};
use crate::table::{Endpoint, Release, endpoints};
use crate::theirs::{TheirChain, Theirs, record};

/// A call to make with the SDK.
struct Case<'a> {
    method: String,
    ours: &'a Sent,
    /// `None` for a helper of the SDK.
    endpoint: Option<&'a Endpoint>,
    /// As `record.py` wants it.
    call: Value,
}

/// Makes every call of ours that the release has, and compares.
pub(crate) fn compare(release: Release, python: &Path, recorded: &Recorded) -> Result<(), Failed> {
    let table = endpoints();
    let cases = cases(release, &table, recorded);
    let calls: Vec<_> = cases.iter().map(|case| case.call.clone()).collect();
    let chains = recorded.chains.iter().filter(|(chain, _)| chain.release == release).collect::<Vec<_>>();
    let steps: Vec<_> = chains.iter().map(|(chain, _)| chain.steps.clone()).collect();
    let theirs = record(python, &calls, &steps)?;
    let mut faults = Vec::new();
    for ((chain, ours), theirs) in chains.iter().zip(&theirs.chains) {
        let found = faults_of_chain(ours, theirs);
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", chain.name)));
    }
    let mut met = BTreeMap::new();
    for (case, theirs) in cases.iter().zip(&theirs.calls) {
        let found = faults_of(case, theirs, release);
        match difference(&case.method, &found) {
            Some(difference) => drop(met.insert(difference.method, difference.reason)),
            None => {
                let call = format!("{}: {} {}", case.method, case.ours.method, case.ours.target);
                faults.extend(found.iter().map(|fault| format!("{call}: {fault}")));
            }
        }
    }
    for difference in DIFFERENCES.iter().filter(|_| !release.is_legacy()) {
        if !met.contains_key(difference.method) {
            faults
                .push(format!("{}: listed as different, but it agrees or is not called", difference.method));
        }
    }
    let methods: BTreeSet<_> = cases.iter().map(|case| case.method.as_str()).collect();
    for endpoint in table.iter().filter(|endpoint| endpoint.is_compared_with(release, &[])) {
        let name = endpoint.full_name();
        if !methods.contains(name.as_str()) {
            faults.push(format!("{name}: no call of ours is compared"));
        }
    }
    let release = release.0;
    let (calls, methods, chains) = (cases.len(), methods.len(), chains.len());
    let verbs = if chains > 0 { format!(", {chains} verbs of handles") } else { String::new() };
    println!("requests of official SDK {release}: {calls} calls of {methods} methods{verbs}");
    for (method, reason) in met {
        println!("requests of official SDK {release}: {method} not compared: {reason}");
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The entry that says why a call is not compared.
fn difference(method: &str, faults: &[String]) -> Option<&'static Difference> {
    let known = |difference: &&Difference| {
        difference.method == method && faults.iter().any(|fault| fault.starts_with(difference.finds))
    };
    DIFFERENCES.iter().find(known)
}

fn cases<'a>(release: Release, table: &'a [Endpoint], recorded: &'a Recorded) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for Ours { name, sent } in &recorded.rows {
        let named = table.iter().find(|endpoint| endpoint.full_name() == *name).expect("an endpoint");
        let (path, query) = parts(sent);
        let query: Map<_, _> =
            query.into_iter().map(|(name, value)| (as_the_sdks_have_it(&name), value.into())).collect();
        let fields = sent.body.as_ref().and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let fields: Vec<_> = query.keys().chain(fields).map(String::as_str).collect();
        for endpoint in table.iter().filter(|endpoint| endpoint.is_alias_of(named)) {
            if !endpoint.is_compared_with(release, &fields) {
                continue;
            }
            let places: Map<_, _> = endpoint
                .places(&path)
                .map(|(name, value)| (name.to_owned(), decoded(value).into()))
                .collect();
            let method = endpoint.full_name();
            let call = json!({
                "method": method, "path": places, "query": query, "body": sent.body, "endpoint": endpoint.row,
            });
            cases.push(Case { method, ours: sent, endpoint: Some(endpoint), call });
        }
    }
    if !release.is_legacy() {
        cases.extend(recorded.waits.iter().map(|(ours, path)| {
            let call = json!({
                "method": ours.name, "path": path, "query": {}, "body": null, "endpoint": null,
            });
            Case { method: ours.name.to_owned(), ours: &ours.sent, endpoint: None, call }
        }));
    }
    cases
}

fn faults_of(case: &Case, theirs: &Theirs, release: Release) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(error) = &theirs.error {
        faults.push(error.clone());
    }
    let (our_path, our_query) = parts(case.ours);
    let mut our_body = case.ours.body.clone();
    if let Some(endpoint) = case.endpoint {
        for field in theirs.missing.iter().filter(|_| theirs.sent.is_some()) {
            if endpoint.has(field, release) {
                faults.push(format!("the SDK does not take {field}, but the table says so"));
            }
        }
        // Of the oldest release the table has only what is gone since.
        if !release.is_legacy() {
            faults.extend(
                theirs.unknown.iter().map(|name| format!("the SDK takes {name}, which the table lacks")),
            );
        }
    } else if !theirs.dropped.is_empty() {
        faults.push(format!("the SDK does not take {}", theirs.dropped.join(", ")));
    }
    let Some(sent) = &theirs.sent else { return faults };
    // What the release does not know cannot be compared.
    let mut our_query: Vec<_> =
        our_query.into_iter().map(|(name, value)| (as_the_sdks_have_it(&name), value)).collect();
    our_query.retain(|(name, _)| !theirs.dropped.contains(name));
    if let Some(Value::Object(fields)) = &mut our_body {
        let before = fields.len();
        fields.retain(|name, _| !theirs.dropped.contains(name));
        // A body of nothing but what is gone is gone itself.
        if fields.is_empty() && before > 0 && sent.body.is_none() {
            our_body = None;
        }
    }
    faults.extend(differ(&our_path, our_query, our_body, case.ours, sent));
    faults
}

/// How two requests differ; of ours, path, query and body may be less than what was sent.
fn differ(
    our_path: &str,
    mut our_query: Vec<(String, String)>,
    mut our_body: Option<Value>,
    ours: &Sent,
    theirs: &Sent,
) -> Vec<String> {
    let mut faults = Vec::new();
    let (their_path, mut their_query) = parts(theirs);
    let mut their_body = theirs.body.clone();
    in_one_order(&mut our_body);
    in_one_order(&mut their_body);
    our_query.sort();
    their_query.sort();
    if ours.method != theirs.method {
        faults.push(format!("method: ours {}, theirs {}", ours.method, theirs.method));
    }
    let segments = |path: &str| path.split('/').map(decoded).collect::<Vec<_>>();
    if segments(our_path) != segments(&their_path) {
        faults.push(format!("path: ours {our_path}, theirs {their_path}"));
    }
    if our_query != their_query {
        faults.push(format!("query: ours {our_query:?}, theirs {their_query:?}"));
    }
    if !equal(our_body.as_ref(), their_body.as_ref()) {
        let text = |body: &Option<Value>| body.as_ref().map_or("none".to_owned(), Value::to_string);
        faults.push(format!("body: ours {}, theirs {}", text(&our_body), text(&their_body)));
    }
    faults
}

/// How the requests of a chain differ.
fn faults_of_chain(ours: &[Sent], theirs: &TheirChain) -> Vec<String> {
    if let Some(error) = &theirs.error {
        return vec![error.clone()];
    }
    let lines = |sent: &[Sent]| {
        sent.iter().map(|sent| format!("{} {}", sent.method, sent.target)).collect::<Vec<_>>()
    };
    if ours.len() != theirs.sent.len() {
        return vec![format!("requests: ours {:?}, theirs {:?}", lines(ours), lines(&theirs.sent))];
    }
    let pairs = ours.iter().zip(&theirs.sent);
    pairs
        .flat_map(|(ours, theirs)| {
            let (path, query) = parts(ours);
            let mut theirs = theirs.clone();
            without_nulls(&mut theirs.body);
            differ(&path, query, ours.body.clone(), ours, &theirs)
        })
        .collect()
}

/// Path as sent; names and values of the query, decoded.
fn parts(sent: &Sent) -> (String, Vec<(String, String)>) {
    let (path, query) = sent.target.split_once('?').unwrap_or((&sent.target, ""));
    (path.to_owned(), url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Equality of JSON, where 30 and 30.0 are one number and the order of fields is nothing.
fn equal(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            one.len() == other.len() && one.iter().all(|(name, value)| equal(Some(value), other.get(name)))
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| equal(Some(one), Some(other)))
        }
        (Some(Value::Number(one)), Some(Value::Number(other))) => one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}

//! JSON Schemas of the files, for editors. Made from the same description as the checks.

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::duration;
use crate::keys::{AGENT, BENCHMARK, SCENARIO, SCORER_FILE};
use crate::shape::{NameRule, Object, Presence, Shape};

/// The JSON Schema (draft 2020-12) of a benchmark file.
pub fn benchmark_schema() -> Json {
    schema(&BENCHMARK)
}

/// The JSON Schema (draft 2020-12) of a scenario file.
pub fn scenario_schema() -> Json {
    schema(&SCENARIO)
}

/// The JSON Schema (draft 2020-12) of a scorer file.
pub fn scorer_schema() -> Json {
    schema(&SCORER_FILE)
}

/// The JSON Schema (draft 2020-12) of an agent file.
pub fn agent_schema() -> Json {
    schema(&AGENT)
}

fn schema(root: &'static Object) -> Json {
    let mut definitions = JsonMap::new();
    let mut top = JsonMap::new();
    top.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    if let Json::Object(body) = object(root, None, &mut definitions) {
        top.extend(body);
    }
    definitions.sort_keys();
    if !definitions.is_empty() {
        top.insert("$defs".into(), Json::Object(definitions));
    }
    Json::Object(top)
}

/// A mapping with fixed keys; `tag` is the value of `type` that selects it.
fn object(object: &'static Object, tag: Option<&str>, definitions: &mut JsonMap<String, Json>) -> Json {
    let mut properties = JsonMap::new();
    let mut required = Vec::new();
    if let Some(tag) = tag {
        properties.insert("type".into(), json!({ "const": tag }));
        required.push("type");
    }
    for field in object.fields() {
        let mut value = shape(&field.shape, definitions);
        if field.presence == Presence::Nullable {
            value = json!({ "anyOf": [value, { "type": "null" }] });
        }
        if let Some(map) = value.as_object_mut() {
            map.insert("description".into(), field.about.into());
        }
        properties.insert(field.key.into(), value);
        if field.presence == Presence::Required {
            required.push(field.key);
        }
    }
    let mut json = json!({
        "title": object.name,
        "description": object.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(map) = json.as_object_mut() {
        if !required.is_empty() {
            map.insert("required".into(), json!(required));
        }
        if !object.one_of.is_empty() {
            let kinds: Vec<Json> = object.one_of.iter().map(|key| json!({ "required": [key] })).collect();
            map.insert("oneOf".into(), kinds.into());
        }
    }
    json
}

fn reference(target: &'static Object, definitions: &mut JsonMap<String, Json>) -> Json {
    if !definitions.contains_key(target.name) {
        // First a placeholder, in case it refers to itself.
        definitions.insert(target.name.into(), Json::Null);
        let body = object(target, None, definitions);
        definitions.insert(target.name.into(), body);
    }
    json!({ "$ref": format!("#/$defs/{}", target.name) })
}

fn shape(value: &Shape, definitions: &mut JsonMap<String, Json>) -> Json {
    match value {
        Shape::Text => json!({ "type": "string" }),
        Shape::Name(rule) => json!({ "type": "string", "pattern": rule.pattern() }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Duration => json!({
            "anyOf": [
                { "type": "string", "pattern": duration::PATTERN },
                { "type": "number", "exclusiveMinimum": 0 },
            ],
        }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer { min, max } if *max == i64::MAX => json!({ "type": "integer", "minimum": min }),
        Shape::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Shape::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Shape::Anything => json!({}),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::List(item) => json!({ "type": "array", "items": shape(item, definitions) }),
        Shape::FullList(item) => json!({ "type": "array", "items": shape(item, definitions), "minItems": 1 }),
        Shape::Map(value) => json!({ "type": "object", "additionalProperties": shape(value, definitions) }),
        Shape::VariableMap(value) => json!({
            "type": "object",
            "propertyNames": { "pattern": NameRule::Variable.pattern() },
            "additionalProperties": shape(value, definitions),
        }),
        Shape::Object(target) => reference(target, definitions),
        Shape::Tagged(variants) => {
            let one: Vec<Json> =
                variants.iter().map(|(tag, target)| object(target, Some(tag), definitions)).collect();
            json!({ "oneOf": one })
        }
        Shape::Either(shapes) => {
            let one: Vec<Json> = shapes.iter().map(|one| shape(one, definitions)).collect();
            json!({ "anyOf": one })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::shape::check;
    use crate::source::{SourceFile, read_source};
    use crate::yaml::{Node, parse};

    /// The part of JSON Schema that these schemas use. What it does not know makes a test fail.
    fn complaints(root: &Json, schema: &Json, value: &Json, at: &str, found: &mut Vec<String>) {
        let Some(map) = schema.as_object() else { panic!("{schema} is not a schema") };
        let valid = |schema: &Json| {
            let mut inner = Vec::new();
            complaints(root, schema, value, at, &mut inner);
            inner.is_empty()
        };
        let all = |schema: &Json| schema.as_array().expect("schemas").clone();
        let number = |limit: &Json| limit.as_f64().expect("a number");
        for (key, rule) in map {
            let ok = match key.as_str() {
                "$schema" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    let name =
                        rule.as_str().and_then(|name| name.strip_prefix("#/$defs/")).expect("a reference");
                    complaints(root, &root["$defs"][name], value, at, found);
                    true
                }
                "type" => {
                    let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                    names.iter().any(|name| has_type(value, name.as_str().expect("a type")))
                }
                "enum" => rule.as_array().expect("words").contains(value),
                "const" => rule == value,
                "pattern" => value.as_str().is_none_or(|text| {
                    regex::Regex::new(rule.as_str().expect("a pattern")).expect("a regex").is_match(text)
                }),
                "minimum" => value.as_f64().is_none_or(|value| value >= number(rule)),
                "maximum" => value.as_f64().is_none_or(|value| value <= number(rule)),
                "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number(rule)),
                "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= number(rule)),
                "anyOf" => all(rule).iter().any(valid),
                "oneOf" => all(rule).iter().filter(|one| valid(one)).count() == 1,
                "required" => value.as_object().is_none_or(|map| {
                    all(rule).iter().all(|key| map.contains_key(key.as_str().expect("a key")))
                }),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        complaints(root, rule, item, at, found);
                    }
                    true
                }
                "propertyNames" => {
                    for (key, _) in value.as_object().into_iter().flatten() {
                        complaints(root, rule, &Json::String(key.clone()), key, found);
                    }
                    true
                }
                "properties" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        if let Some(rule) = rule.get(key) {
                            complaints(root, rule, value, key, found);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = map.get("properties").and_then(Json::as_object);
                    let more = value.as_object().into_iter().flatten();
                    for (key, value) in
                        more.filter(|(key, _)| !known.is_some_and(|known| known.contains_key(*key)))
                    {
                        match rule {
                            Json::Bool(false) => found.push(format!("{at}: unknown key {key}")),
                            schema => complaints(root, schema, value, key, found),
                        }
                    }
                    true
                }
                other => panic!("the keyword {other} is not known here"),
            };
            if !ok {
                found.push(format!("{at}: {value} breaks {key} {rule}"));
            }
        }
    }

    fn has_type(value: &Json, name: &str) -> bool {
        match name {
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("the type {other} is not known here"),
        }
    }

    fn validate(schema: &Json, value: &Json) -> Vec<String> {
        let mut found = Vec::new();
        complaints(schema, schema, value, "top", &mut found);
        found
    }

    fn read(path: &Path) -> Node {
        let file = read_source(path).expect("a file");
        let mut diagnostics = Diagnostics::default();
        let node = parse(&file, &mut diagnostics).expect("YAML");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        node
    }

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// All YAML files below a directory of the repository that are definitions, not content of some task.
    fn definitions(directory: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = walkdir::WalkDir::new(repository().join(directory))
            .max_depth(3)
            .into_iter()
            .filter_map(Result::ok)
            .map(walkdir::DirEntry::into_path)
            .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn the_committed_schemas_are_up_to_date() {
        let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
        for (name, schema) in [
            ("benchmark", benchmark_schema()),
            ("scenario", scenario_schema()),
            ("scorer", scorer_schema()),
            ("agent", agent_schema()),
        ] {
            let path = repository().join(format!("schemas/{name}.json"));
            let text = format!("{schema:#}\n");
            if update {
                std::fs::create_dir_all(repository().join("schemas")).expect("a directory");
                std::fs::write(&path, &text).expect("a schema");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "schemas/{name}.json is old: run with UPDATE_SCHEMAS=1 and commit it");
        }
    }

    #[test]
    fn shipped_definitions_keep_to_the_schemas() {
        let mut checked = 0;
        for path in definitions("benchmarks") {
            let value = read(&path).to_json();
            let schema =
                if value.get("scenarios").is_some() { benchmark_schema() } else { scenario_schema() };
            assert_eq!(validate(&schema, &value), Vec::<String>::new(), "{}", path.display());
            checked += 1;
        }
        assert!(checked > 3, "only {checked} files were found");
    }

    /// A file with every key of an object: what the schema and the checks must both accept.
    fn example(object: &'static Object, depth: usize) -> Json {
        let skip = |key: &str| object.one_of.contains(&key) && key != object.one_of[0];
        let fields = object.fields().filter(|field| !skip(field.key));
        // Blueprints with an id are another kind of mapping for the checks, but not for the schema.
        let fields = fields.map(|field| (field.key.to_owned(), example_of(&field.shape, depth)));
        Json::Object(fields.collect())
    }

    fn example_of(shape: &Shape, depth: usize) -> Json {
        match shape {
            Shape::Text | Shape::Name(_) | Shape::Scalar => "x".into(),
            Shape::Duration => "10m".into(),
            Shape::Boolean => true.into(),
            Shape::Integer { min, .. } => (*min).into(),
            Shape::Number { max, .. } => (*max).into(),
            Shape::Positive => 1.into(),
            Shape::Anything => json!({ "any": ["thing", 1, null] }),
            Shape::Choice(words) => words[0].into(),
            Shape::List(item) | Shape::FullList(item) => json!([example_of(item, depth)]),
            Shape::Map(value) | Shape::VariableMap(value) => json!({ "KEY": example_of(value, depth) }),
            Shape::Object(object) => example(object, depth + 1),
            Shape::Tagged(variants) => {
                let (tag, object) = variants[0];
                let mut value = example(object, depth + 1);
                value["type"] = tag.into();
                value
            }
            // The last one: the mapping, where there is one.
            Shape::Either(shapes) => example_of(&shapes[shapes.len() - 1], depth),
        }
    }

    /// What the checks say about a value; JSON is YAML.
    fn checked(object: &'static Object, value: &Json) -> String {
        let file = Arc::new(SourceFile { path: "example.yaml".into(), text: value.to_string() });
        let mut diagnostics = Diagnostics::default();
        let node = parse(&file, &mut diagnostics).expect("YAML");
        check(&node, &Shape::Object(object), object.noun, &mut diagnostics);
        diagnostics.to_string()
    }

    /// Every mapping in a value, by JSON pointer.
    fn mappings(value: &Json, at: &str, found: &mut Vec<String>) {
        match value {
            Json::Object(map) => {
                found.push(at.to_owned());
                map.iter().for_each(|(key, value)| mappings(value, &format!("{at}/{key}"), found));
            }
            Json::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| mappings(item, &format!("{at}/{index}"), found));
            }
            _ => {}
        }
    }

    #[test]
    fn the_schemas_and_the_checks_agree_on_every_key() {
        for (object, schema) in [
            (&BENCHMARK, benchmark_schema()),
            (&SCENARIO, scenario_schema()),
            (&SCORER_FILE, scorer_schema()),
            (&AGENT, agent_schema()),
        ] {
            let good = example(object, 0);
            assert_eq!(validate(&schema, &good), Vec::<String>::new(), "{}", object.name);
            assert_eq!(checked(object, &good), "", "{}", object.name);
            let mut pointers = Vec::new();
            mappings(&good, "", &mut pointers);
            for pointer in pointers {
                let mut bad = good.clone();
                let map = bad.pointer_mut(&pointer).and_then(Json::as_object_mut).expect("a mapping");
                map.insert("unknown key".to_owned(), json!([[]]));
                let refused_by_schema = !validate(&schema, &bad).is_empty();
                let refused_by_checks = !checked(object, &bad).is_empty();
                assert_eq!(refused_by_schema, refused_by_checks, "{} at {pointer}", object.name);
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_the_schema() {
        let scenario = json!({ "name": "a", "problem_statment": "x" });
        assert_eq!(validate(&scenario_schema(), &scenario), ["top: unknown key problem_statment"]);
        let scorer =
            json!({ "name": "a", "scorers": [{ "name": "t", "shell_command": "x", "bash_script": "y" }] });
        assert!(!validate(&scenario_schema(), &scorer).is_empty(), "two kinds in one scorer");
    }
}

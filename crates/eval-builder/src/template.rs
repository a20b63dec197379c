//! Templates in texts: minijinja with strict variables.
//!
//! A text is rendered once. What a variable brings in is never rendered again, so braces in a matrix value or in a
//! problem statement stay what they are. Nothing is escaped; `{{ value | sh }}` quotes a value for a shell.

use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::{Map, Number, Value as Json};

use crate::diagnostic::nearest;
use crate::source::Span;
use crate::yaml::Node;

/// Work a template may do: enough for any text, too little to hang on a loop.
const FUEL: u64 = 1_000_000;

/// The variables that templates see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    variables: Map<String, Json>,
    /// Ready-made shell words, which `sh` leaves alone.
    shell_words: Vec<(&'static str, &'static str)>,
    /// Variables of `env` that may be used, but are not set.
    unset: Vec<String>,
}

impl Scope {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// A variable that is a piece of shell source, such as a quoted reference to an environment variable.
    pub(crate) fn set_shell_word(&mut self, name: &'static str, source: &'static str) {
        self.shell_words.push((name, source));
    }

    /// Variables of the environment that are allowed but not set, for better help.
    pub(crate) fn set_unset(&mut self, names: Vec<String>) {
        self.unset = names;
    }

    fn to_value(&self) -> Value {
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), to_value(value)));
        let words =
            self.shell_words.iter().map(|(name, source)| (*name, Value::from_safe_string((*source).into())));
        Value::from_pairs(variables.chain(words))
    }

    /// Help for a variable that does not exist: what is near, or what there is.
    fn help(&self, path: &str) -> Option<String> {
        let mut scope = &self.variables;
        let mut prefix = String::new();
        for part in path.split('.') {
            let names = scope.keys().map(String::as_str);
            let words = self.shell_words.iter().map(|(name, _)| *name).filter(|_| prefix.is_empty());
            match scope.get(part) {
                Some(Json::Object(inner)) => {
                    scope = inner;
                    prefix.push_str(part);
                    prefix.push('.');
                }
                Some(_) => return None,
                None if prefix == "env." && self.unset.iter().any(|name| name == part) => {
                    return Some(format!("set the environment variable {part}"));
                }
                None if prefix == "env." => {
                    return Some("list the variable under `required_environment_variables`".to_owned());
                }
                None => {
                    let names: Vec<&str> = names.chain(words).collect();
                    if let Some(near) = nearest(part, names.iter().copied()) {
                        return Some(format!("did you mean `{prefix}{near}`?"));
                    }
                    let all: Vec<String> = names.iter().map(|name| format!("`{prefix}{name}`")).collect();
                    return Some(match all.as_slice() {
                        [] => format!("`{}` is empty", prefix.trim_end_matches('.')),
                        all => format!("there are {}", all.join(", ")),
                    });
                }
            }
        }
        None
    }
}

/// Why a template could not be rendered.
#[derive(Debug)]
pub(crate) struct TemplateError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Bytes of the template.
    range: Option<Range<usize>>,
    /// Line of the template from 1.
    line: Option<usize>,
}

impl TemplateError {
    fn new(error: &Error, template: &str, scope: &Scope) -> Self {
        let mut range = error.range().filter(|range| template.get(range.clone()).is_some());
        if let (ErrorKind::UndefinedError, Some(filter)) = (error.kind(), &range) {
            range = Some(filtered(template, filter.start).unwrap_or_else(|| filter.clone()));
        }
        let at = range.clone().and_then(|range| template.get(range)).unwrap_or_default();
        let (message, help) = match error.kind() {
            ErrorKind::UndefinedError if !at.is_empty() => {
                let path: String = at.chars().filter(|letter| !letter.is_whitespace()).collect();
                (format!("`{path}` is not defined"), scope.help(&path))
            }
            ErrorKind::OutOfFuel => ("this template does too much".to_owned(), None),
            ErrorKind::SyntaxError => (
                format!("template syntax error: {}", error.detail().unwrap_or("cannot be read")),
                Some("to write braces as they are, use {% raw %}...{% endraw %}".to_owned()),
            ),
            kind => match error.detail() {
                Some(detail) => (format!("{kind}: {detail}"), None),
                None => (kind.to_string(), None),
            },
        };
        Self { message, help, range, line: error.line() }
    }

    /// Where the mistake stands in the file, given the node that holds the template.
    ///
    /// The value of a node differs from its source by indentation, folding and escapes, so the line or the piece of
    /// the template is looked up in the source; if it is not there as it is, the whole node is shown.
    pub(crate) fn locate(&self, node: &Node) -> Span {
        let (Some(template), source) = (node.as_text(), node.span.text()) else { return node.span.clone() };
        let piece = self.range.clone().filter(|range| !range.is_empty()).unwrap_or_else(|| {
            let line = self.line.unwrap_or(1).saturating_sub(1);
            let start: usize = template.split_inclusive('\n').take(line).map(str::len).sum();
            let text = template[start..].lines().next().unwrap_or_default();
            start..start + text.len()
        });
        let text = template[piece.clone()].trim();
        if text.is_empty() {
            return node.span.clone();
        }
        // The n-th occurrence in the value is the n-th in the source.
        let before = template[..piece.start].matches(text).count();
        match source.match_indices(text).nth(before) {
            Some((offset, _)) => {
                let start = node.span.range.start + offset;
                Span::new(&node.span.file, start..start + text.len())
            }
            None => node.span.clone(),
        }
    }
}

/// The variable before a filter at `filter`, if there is one: a filter that refuses it is blamed itself otherwise.
fn filtered(template: &str, filter: usize) -> Option<Range<usize>> {
    let before = template.get(..filter)?.trim_end().strip_suffix('|')?.trim_end();
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let start = before.len()
        - before.chars().rev().take_while(|letter| is_path(*letter)).map(char::len_utf8).sum::<usize>();
    (start < before.len()).then_some(start..before.len())
}

/// Renders a text.
pub(crate) fn render(template: &str, scope: &Scope) -> Result<String, TemplateError> {
    if !has_syntax(template) {
        return Ok(template.to_owned());
    }
    environment()
        .render_str(template, scope.to_value())
        .map_err(|error| TemplateError::new(&error, template, scope))
}

/// What is wrong with a text whatever the values of its variables are: its syntax, and variables that there are not.
pub(crate) fn check_names(template: &str, scope: &Scope) -> Vec<TemplateError> {
    let environment = environment();
    let parsed = match environment.template_from_str(template) {
        Ok(parsed) => parsed,
        Err(error) => return vec![TemplateError::new(&error, template, scope)],
    };
    let is_known = |name: &String| {
        scope.variables.contains_key(name) || scope.shell_words.iter().any(|(word, _)| word == name)
    };
    let mut unknown: Vec<String> =
        parsed.undeclared_variables(false).into_iter().filter(|name| !is_known(name)).collect();
    unknown.sort();
    let error = |name: String| TemplateError {
        message: format!("`{name}` is not defined"),
        help: scope.help(&name),
        range: template.find(&name).map(|start| start..start + name.len()),
        line: None,
    };
    unknown.into_iter().map(error).collect()
}

/// Renders a text to JSON: a text that is nothing but one `{{ expression }}` keeps the type of its value.
pub(crate) fn render_json(template: &str, scope: &Scope) -> Result<Json, TemplateError> {
    let expression = template
        .trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .filter(|expression| !expression.contains("}}") && !expression.contains("{{"));
    if let Some(expression) = expression {
        // First as a text, for errors with places in it.
        let text = render(template, scope)?;
        let environment = environment();
        let value =
            environment.compile_expression(expression).and_then(|compiled| compiled.eval(scope.to_value()));
        return Ok(value.map_or(Json::String(text), |value| to_json(&value)));
    }
    render(template, scope).map(Json::String)
}

fn has_syntax(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("sh", |value: Value| {
        if value.is_undefined() {
            // Strictness ends at filters, and an empty word is not what was meant.
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        Ok(if value.is_safe() { value } else { Value::from_safe_string(shell_quote(&value.to_string())) })
    });
    environment
}

/// Quotes a text as one word of a POSIX shell.
pub(crate) fn shell_quote(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (_, Some(number), _) => Value::from(number),
            (_, _, Some(number)) => Value::from(number),
            _ => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(to_value).collect(),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), to_value(value))))
        }
    }
}

fn to_json(value: &Value) -> Json {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => i64::try_from(value.clone())
            .map(Number::from)
            .ok()
            .or_else(|| f64::try_from(value.clone()).ok().and_then(Number::from_f64))
            .map_or(Json::Null, Json::Number),
        ValueKind::Seq => {
            Json::Array(value.try_iter().into_iter().flatten().map(|item| to_json(&item)).collect())
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let entry = |key: Value| {
                (key.to_string(), value.get_item(&key).map_or(Json::Null, |item| to_json(&item)))
            };
            Json::Object(keys.map(entry).collect())
        }
        _ => Json::String(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.set("name", "fix");
        scope.set("env", json!({}));
        scope.set_unset(vec!["HOST".into()]);
        scope.set("matrix", json!({"size": "small", "count": 3, "ratio": 0.5, "tricky": "{{ name }}"}));
        scope.set_shell_word("problem_statement_file", "\"$PROBLEM_STATEMENT_FILE\"");
        scope
    }

    #[test]
    fn texts_without_syntax_are_left_alone() {
        let text = "awk '{ print $1 }' # 100 %\n";
        assert_eq!(render(text, &scope()).expect("text"), text);
    }

    #[test]
    fn variables_are_filled_in_once_and_line_ends_stay() {
        assert_eq!(render("{{ matrix.size }}\n", &scope()).expect("text"), "small\n");
        assert_eq!(render("{{ matrix.tricky }}", &scope()).expect("text"), "{{ name }}");
        assert_eq!(render("{{ '<&>' }}", &scope()).expect("text"), "<&>");
    }

    #[test]
    fn values_are_quoted_for_a_shell() {
        for (text, quoted) in
            [("it's $HOME", r"'it'\''s $HOME'"), ("plain-1.0", "plain-1.0"), ("", "''"), ("a\nb", "'a\nb'")]
        {
            let mut scope = scope();
            scope.set("text", text);
            assert_eq!(render("{{ text | sh }}", &scope).expect("text"), quoted);
            assert_eq!(render("{{ text | sh | sh }}", &scope).expect("text"), quoted);
        }
        let word = render("{{ problem_statement_file | sh }}", &scope()).expect("text");
        assert_eq!(word, "\"$PROBLEM_STATEMENT_FILE\"");
    }

    #[test]
    fn a_lone_expression_keeps_its_type() {
        assert_eq!(render_json("{{ matrix.count }}", &scope()).expect("value"), json!(3));
        assert_eq!(render_json("{{ matrix.ratio }}", &scope()).expect("value"), json!(0.5));
        assert_eq!(render_json(" {{ [1, 'a'] }} ", &scope()).expect("value"), json!([1, "a"]));
        assert_eq!(render_json("{{ {'a': true} }}", &scope()).expect("value"), json!({"a": true}));
        assert_eq!(render_json("n={{ matrix.count }}", &scope()).expect("value"), json!("n=3"));
    }

    #[test]
    fn unknown_variables_are_named_with_the_nearest() {
        let complain = |text| {
            let error = render(text, &scope()).expect_err(text);
            (error.message, error.help.unwrap_or_default())
        };
        let (message, help) = complain("{{ matrix.siez }}");
        assert_eq!(
            (message.as_str(), help.as_str()),
            ("`matrix.siez` is not defined", "did you mean `matrix.size`?")
        );
        let (message, _) = complain("{{ nmae | sh }}");
        assert_eq!(message, "`nmae` is not defined");
        let (_, help) = complain("{{ nmae }}");
        assert_eq!(help, "did you mean `name`?");
        let (_, help) = complain("{{ env.TOKEN }}");
        assert!(help.contains("required_environment_variables"), "{help}");
        let (_, help) = complain("{{ env.HOST }}");
        assert_eq!(help, "set the environment variable HOST");
        let (_, help) = complain("{{ whatever }}");
        assert!(help.contains("there are `name`, `env`, `matrix`, `problem_statement_file`"), "{help}");
    }

    #[test]
    fn endless_and_huge_templates_stop() {
        for text in [
            "{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 1000000000 }}",
        ] {
            render(text, &scope()).expect_err(text);
        }
    }

    #[test]
    fn a_broken_template_says_so() {
        let error = render("{{ anything", &scope()).expect_err("bad");
        assert!(error.message.starts_with("template syntax error"), "{}", error.message);
        let error = render("{{ name | nothing }}", &scope()).expect_err("bad");
        assert_eq!(error.message, "unknown filter: filter nothing is unknown");
    }
}

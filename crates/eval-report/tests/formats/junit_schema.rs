//! The schema that CI systems use for JUnit XML, as far as its elements and attributes go (after `junit-10.xsd` of the
//! Jenkins xUnit plugin), and what it cannot say: that counts are those of the cases. `junit.xsd` beside this file says the
//! same to `xmllint`.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element as a parser sees it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

/// Element, its required and its optional attributes, its children, whether it holds text.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str], bool);

const RULES: [Rule; 9] = [
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"], false),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
        false,
    ),
    ("properties", &[], &[], &["property"], false),
    ("property", &["name", "value"], &[], &[], false),
    (
        "testcase",
        &["name"],
        &["time", "classname", "group"],
        &["skipped", "error", "failure", "system-out", "system-err"],
        false,
    ),
    ("failure", &[], &["type", "message"], &[], true),
    ("error", &[], &["type", "message"], &[], true),
    ("skipped", &[], &["type", "message"], &[], true),
    ("system-out", &[], &[], &[], true),
];

/// Parses a document that must have one root.
pub(crate) fn parse(xml: &str) -> Element {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    let forbidden = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    assert!(!xml.contains(forbidden), "XML has no such character");
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("not XML: {error}\n{xml}"));
        match event {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => {
                let empty = element(&start);
                open.last_mut().expect("the document").children.push(empty);
            }
            Event::End(_) => {
                let ended = open.pop().expect("a start");
                open.last_mut().expect("a parent").children.push(ended);
            }
            Event::Text(text) => {
                let parent = open.last_mut().expect("the document");
                parent.text += &text.xml_content(XmlVersion::Implicit1_0);
            }
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().expect("a character");
                let named = match &*reference {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    name => c.unwrap_or_else(|| panic!("no such entity: {name}")),
                };
                open.last_mut().expect("the document").text.push(named);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("neither wanted nor harmful: {other:?}"),
        }
    }
    let mut document = open.pop().expect("the document");
    assert!(open.is_empty() && document.children.len() == 1, "one root:\n{xml}");
    document.children.remove(0)
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.expect("an attribute");
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).expect("a value").into_owned();
        (attribute.key.as_ref().to_owned(), value)
    });
    Element { name: start.name().as_ref().to_owned(), attributes: attributes.collect(), ..Element::default() }
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn number(&self, name: &str) -> u64 {
        self.attribute(name).parse().unwrap_or_else(|_| panic!("`{name}` of {} is no number", self.name))
    }

    fn ms(&self) -> u64 {
        let (seconds, ms) = self.attribute("time").split_once('.').expect("seconds with a fraction");
        assert_eq!(ms.len(), 3, "milliseconds");
        seconds.parse::<u64>().expect("seconds") * 1000 + ms.parse::<u64>().expect("milliseconds")
    }
}

/// Everything that is wrong with a report; nothing of one that CI systems take.
pub(crate) fn violations(root: &Element) -> Vec<String> {
    let mut wrong = Vec::new();
    if root.name != "testsuites" {
        wrong.push(format!("the root is {}", root.name));
    }
    structure(root, &mut wrong);
    let mut sums = [0; 3];
    let mut ms = 0;
    for suite in root.all("testsuite") {
        let cases: Vec<&Element> = suite.all("testcase").collect();
        let count = |name: &str| cases.iter().filter(|case| case.all(name).next().is_some()).count() as u64;
        let counted = [cases.len() as u64, count("failure"), count("error")];
        let told = ["tests", "failures", "errors"].map(|name| suite.number(name));
        if counted != told || suite.number("skipped") != count("skipped") {
            wrong.push(format!("{} says {told:?}, it has {counted:?}", suite.attribute("name")));
        }
        let long: u64 = cases.iter().map(|case| case.ms()).sum();
        if long != suite.ms() {
            wrong.push(format!("{} says {} ms, its cases {long}", suite.attribute("name"), suite.ms()));
        }
        for case in &cases {
            if case.children.iter().filter(|child| child.name != "system-out").count() > 1 {
                wrong.push(format!("{} came out in two ways", case.attribute("name")));
            }
        }
        sums.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
        ms += long;
    }
    if ["tests", "failures", "errors"].map(|name| root.number(name)) != sums || root.ms() != ms {
        wrong.push(format!("the suites sum up to {sums:?} and {ms} ms"));
    }
    wrong
}

fn structure(element: &Element, wrong: &mut Vec<String>) {
    let Some((name, required, optional, children, text)) = RULES.iter().find(|rule| rule.0 == element.name)
    else {
        wrong.push(format!("there is no element {}", element.name));
        return;
    };
    for attribute in *required {
        if !element.attributes.contains_key(*attribute) {
            wrong.push(format!("{name} lacks {attribute}"));
        }
    }
    for attribute in element.attributes.keys().map(String::as_str) {
        if !required.contains(&attribute) && !optional.contains(&attribute) {
            wrong.push(format!("{name} has no attribute {attribute}"));
        }
    }
    if !text && !element.text.trim().is_empty() {
        wrong.push(format!("{name} holds no text: {:?}", element.text));
    }
    for child in &element.children {
        if !children.contains(&child.name.as_str()) {
            wrong.push(format!("{name} holds no {}", child.name));
        }
        structure(child, wrong);
    }
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let good = r#"<testsuites tests="2" failures="1" errors="0" time="0.002"><testsuite name="a" tests="2" failures="1"
        errors="0" skipped="0" time="0.002"><testcase name="x" time="0.001"/><testcase name="y" time="0.001"><failure/></testcase>
        </testsuite></testsuites>"#;
    assert_eq!(violations(&parse(good)), [""; 0]);
    for (from, to) in [
        ("<testsuite name=\"a\"", "<testsuite"),
        ("tests=\"2\"", "tests=\"3\""),
        ("<failure/>", "<error/>"),
        ("<failure/>", "<failed/>"),
        ("<failure/>", "<failure/>text"),
        ("<failure/>", "<failure/><error/>"),
        ("name=\"y\"", "name=\"y\" file=\"f\""),
        ("time=\"0.001\"", "time=\"0.002\""),
        ("<testcase name=\"x\" time=\"0.001\"/>", ""),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(!violations(&parse(&good.replacen(from, to, 1))).is_empty(), "{from} as {to}");
    }
}

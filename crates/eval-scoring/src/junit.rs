//! Reads JUnit XML reports as far as a count of tests goes.

use quick_xml::Reader;
use quick_xml::events::Event;
use thiserror::Error;

use crate::tally::Tally;

/// Longest report that is read.
const LONGEST: usize = 32 * 1024 * 1024;

/// Deepest nesting that is followed; reports have five levels or so.
const DEEPEST: usize = 256;

/// Why a file is no JUnit report.
#[derive(Debug, Error)]
pub(crate) enum NotJunit {
    /// Too long.
    #[error("it has {0} bytes, and {LONGEST} is the most that is read")]
    TooLong(usize),
    /// Nested too deeply.
    #[error("it is nested deeper than {DEEPEST} elements")]
    TooDeep,
    /// It declares a document type; reports have none, and entities are an attack.
    #[error("it declares a document type, which a report has no use for")]
    DocumentType,
    /// Another root than `testsuites` or `testsuite`.
    #[error("its root element is `{0}`, not `testsuites` or `testsuite`")]
    Root(String),
    /// It ends in the middle.
    #[error("it ends in the middle")]
    Unfinished,
    /// Not XML.
    #[error("it is not XML at byte {position}")]
    NotXml {
        /// Where.
        position: u64,
        /// What the reader says.
        source: quick_xml::Error,
    },
}

#[derive(Default)]
struct TestCase {
    depth: usize,
    failed: bool,
    skipped: bool,
}

/// Counts the `testcase` elements, wherever they stand: failed with a `failure` or `error` below it, left out with
/// `skipped`, else passed. Counts that the file itself claims are not looked at. Nothing is expanded or fetched.
pub(crate) fn parse(content: &[u8]) -> Result<Tally, NotJunit> {
    if content.len() > LONGEST {
        return Err(NotJunit::TooLong(content.len()));
    }
    // Captured output may be anything; only the markup matters here.
    let text = String::from_utf8_lossy(content);
    let mut reader = Reader::from_str(&text);
    let mut tally = Tally::default();
    let mut depth = 0_usize;
    let mut case: Option<TestCase> = None;
    let mut saw_root = false;
    loop {
        let event = reader
            .read_event()
            .map_err(|source| NotJunit::NotXml { position: reader.error_position(), source })?;
        match event {
            Event::Start(element) => {
                enter(element.local_name().as_ref(), depth, &mut saw_root, &mut case)?;
                depth += 1;
                if depth > DEEPEST {
                    return Err(NotJunit::TooDeep);
                }
            }
            Event::Empty(element) => {
                enter(element.local_name().as_ref(), depth, &mut saw_root, &mut case)?;
                leave(depth, &mut case, &mut tally);
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                leave(depth, &mut case, &mut tally);
            }
            Event::DocType(_) => return Err(NotJunit::DocumentType),
            Event::Eof => break,
            _ => {}
        }
    }
    if depth > 0 || !saw_root {
        return Err(NotJunit::Unfinished);
    }
    Ok(tally)
}

fn enter(name: &str, depth: usize, saw_root: &mut bool, case: &mut Option<TestCase>) -> Result<(), NotJunit> {
    if depth == 0 {
        if !matches!(name, "testsuites" | "testsuite") {
            return Err(NotJunit::Root(name.chars().take(40).collect()));
        }
        *saw_root = true;
    }
    match (case.as_mut(), name) {
        (Some(case), "failure" | "error") => case.failed = true,
        (Some(case), "skipped") => case.skipped = true,
        (None, "testcase") => *case = Some(TestCase { depth, ..TestCase::default() }),
        _ => {}
    }
    Ok(())
}

fn leave(depth: usize, case: &mut Option<TestCase>, tally: &mut Tally) {
    let Some(ended) = case.take_if(|case| case.depth == depth) else { return };
    match ended {
        TestCase { failed: true, .. } => tally.failed += 1,
        TestCase { skipped: true, .. } => tally.left_out += 1,
        TestCase { .. } => tally.passed += 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(xml: &str) -> (u64, u64, u64) {
        let tally = parse(xml.as_bytes()).expect(xml);
        (tally.passed, tally.failed, tally.left_out)
    }

    #[test]
    fn cases_are_counted_wherever_they_stand() {
        let report = r#"<?xml version="1.0" encoding="utf-8"?>
            <!-- made by a test -->
            <testsuites name="all" tests="99">
              <testsuite name="a" tests="99" failures="0">
                <properties><property name="x" value="1 &gt; 0"/></properties>
                <testcase classname="t" name="passes" time="0.1"/>
                <testcase classname="t" name="speaks"><system-out><![CDATA[<failure/>]]></system-out></testcase>
                <testcase classname="t" name="fails"><failure message="no">trace</failure></testcase>
                <testcase classname="t" name="breaks"><error/></testcase>
                <testcase classname="t" name="waits"><skipped/></testcase>
                <testsuite><testcase name="nested"/></testsuite>
              </testsuite>
            </testsuites>"#;
        assert_eq!(tally(report), (3, 2, 1));
    }

    #[test]
    fn a_report_without_cases_counts_nothing() {
        assert_eq!(tally("<testsuite tests='3'/>"), (0, 0, 0));
    }

    #[test]
    fn a_failure_in_a_nested_case_counts_for_the_outer_one() {
        assert_eq!(
            tally("<testsuite><testcase><testcase><failure/></testcase></testcase></testsuite>"),
            (0, 1, 0)
        );
    }

    #[test]
    fn what_is_cut_off_is_no_report() {
        for xml in ["", "<testsuite><testcase/>", "<testsuite><testcase", "<!-- <testsuite/> -->", "not xml"]
        {
            assert!(parse(xml.as_bytes()).is_err(), "{xml}");
        }
    }

    #[test]
    fn entities_are_refused_before_they_are_defined() {
        let bomb = "<!DOCTYPE t [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><testsuite>&b;</testsuite>";
        assert!(matches!(parse(bomb.as_bytes()), Err(NotJunit::DocumentType)));
    }

    #[test]
    fn other_files_are_told_by_their_root() {
        let error = parse(b"<coverage/>").expect_err("not a report");
        assert_eq!(error.to_string(), "its root element is `coverage`, not `testsuites` or `testsuite`");
    }

    #[test]
    fn hostile_files_end_quickly() {
        let deep = "<testsuite>".repeat(1_000_000);
        assert!(matches!(parse(deep.as_bytes()), Err(NotJunit::TooDeep)));
        let wide = format!("<testsuite {}/>", "a='1' ".repeat(500_000));
        assert_eq!(tally(&wide), (0, 0, 0));
        let open = format!("<testsuite a='{}", "<".repeat(1_000_000));
        assert!(parse(open.as_bytes()).is_err());
        assert!(parse(&[0xff, 0xfe, b'<', 0]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&content);
        }

        #[test]
        fn no_markup_makes_it_panic(parts in proptest::collection::vec("<testsuite>|</testsuite>|<testcase>|</testcase>|<failure/>|<skipped>|<!\\[CDATA\\[|]]>|<!--|-->|<\\?|&|\"|x", 0..20)) {
            let _ = parse(parts.concat().as_bytes());
        }
    }
}

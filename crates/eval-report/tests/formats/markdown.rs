use eval_report::Summary;
use eval_report::markdown::{LIMIT, render, render_gate};

use crate::runs::{HOSTILE, finished, gated, hostile, key, large, mixed, scored, started};

#[test]
fn it_reads_well() {
    let expected = "\
### ⚠️ `swe.small`: 1 of 5 trials passed, 1 failed, 1 invalid, 1 canceled, 1 unfinished

| agent | mean score | pass rate | passed | failed | no score |
| --- | --- | --- | --: | --: | --: |
| `oracle` | **1.000**, bounds 0.500 to 1.000 | 100.0 % (95 %: 20.7 % to 100.0 %) | 1 | 0 | 1 |
| `mine` | **0.500**, bounds 0.167 to 0.833 | 0.0 % (95 %: 0.0 % to 79.3 %) | 0 | 1 | 2 |

| scenario | `oracle` | `mine` |
| --- | --- | --- |
| `login` | ✅ 1.000 | ❌ 0.500 |
| `query` | ⚠️ no score | ⚠️ no score |
| `queue` |  | ⚠️ no score |

**Failed (1)**

- `login` with `mine`: `score 0.500, agent exited with 127, by tests`; logs: `trials/login/mine/1/attempt-1`

**Invalid (1)**

- `query` with `oracle`: `devbox_lost after 2 attempts`, `the devbox ended by itself`; logs: `trials/query/oracle/1/attempt-1`

An invalid trial is the fault of the infrastructure. It has no score, and the bounds say what the result could be.

Run `r1` on `local` in 2.0 s, incomplete, seed 7, runloop-eval `0.1.0`.
";
    assert_eq!(render(&mixed()), expected);
}

#[test]
fn the_gate_says_what_it_decided_and_on_what_that_rests() {
    let keys = [key("login", "mine", 1), key("query", "mine", 1)];
    let events = [started(&keys), finished(scored(&keys[0], 0.25)), finished(scored(&keys[1], 1.0))];
    let summary = Summary::from_events(&events);
    let verdict = gated(&summary, "login");
    let expected = "\
- mean score 1.000 in the baseline, **0.625** now (-0.375, 95 %: -0.750 to +0.000), 2 scenarios
- `the mean score is 0.625, below 0.900` (`login:4`)
  - `login`, repetition 1: `fail 0.250`; scenario: `evals/login/scenario.yaml:3`; logs: `trials/login/mine/1/attempt-1`
- `login scores 0.250, below 1.000`
  - `login`, repetition 1: `fail 0.250`; scenario: `evals/login/scenario.yaml:3`; logs: `trials/login/mine/1/attempt-1`
- `the mean score dropped by 0.375 against the baseline, more than 0.000, and with so few trials it could be chance (p = 0.500): run more`
  - `login`, repetition 1: `1.000 of 1 → 0.250 of 1`; scenario: `evals/login/scenario.yaml:3`; logs: `trials/login/mine/1/attempt-1`
";
    let alone = render_gate(&verdict);
    assert!(alone.starts_with(&format!("### ❌ Gate failed\n\n{expected}")), "{alone}");
    let whole = render(&Summary { gate: Some(verdict), ..summary });
    assert!(whole.contains(&format!("\n\n**❌ Gate failed**\n\n{expected}")), "{whole}");
}

#[test]
fn a_run_that_passed_says_so_and_no_more() {
    let keys = [key("login", "mine", 1), key("login", "mine", 2)];
    let events = [started(&keys), finished(scored(&keys[0], 1.0)), finished(scored(&keys[1], 1.0))];
    let text = render(&Summary::from_events(&events));
    assert!(text.starts_with("### ✅ `swe.small`: 2 of 2 trials passed\n"), "{text}");
    assert!(text.contains("| `login` | ✅ 1.000 (2/2) |"), "{text}");
    assert!(!text.contains("Failed") && !text.contains("Invalid"), "{text}");
    assert!(render(&Summary::from_events(&[])).starts_with("### ⚪ `?`: 0 of 0 trials passed\n"));
}

#[test]
fn of_many_scenarios_only_those_that_failed_are_shown() {
    let keys: Vec<_> = (0..100).map(|n| key(&format!("s{n}"), "mine", 1)).collect();
    let score = |n: usize| if n == 42 { 0.0 } else { 1.0 };
    let finished = keys.iter().enumerate().map(|(n, key)| finished(scored(key, score(n))));
    let events: Vec<_> = std::iter::once(started(&keys)).chain(finished).collect();
    let text = render(&Summary::from_events(&events));
    assert!(text.contains("| `s42` | ❌ 0.000 |") && !text.contains("`s41`"), "{text}");
    assert!(text.contains("Not shown: 99 scenarios that every agent passed every time.\n"), "{text}");
}

/// What stands outside of code spans. Spans begin and end with one backtick and hold none.
fn outside(line: &str) -> String {
    assert_eq!(line.matches('`').count() % 2, 0, "every span ends: {line}");
    line.split('`').step_by(2).collect()
}

#[test]
fn hostile_text_stays_within_its_code_span() {
    let plain = render(&hostile("harmless")).lines().map(outside).collect::<Vec<_>>();
    for text in HOSTILE {
        // A scorer without a printable name is not named, and a message without text is left out.
        if text.trim().is_empty() {
            continue;
        }
        let lines = render(&hostile(text)).lines().map(outside).collect::<Vec<_>>();
        assert_eq!(lines, plain, "{text:?}");
    }
}

#[test]
fn cells_stay_cells() {
    for text in HOSTILE {
        let rendered = render(&hostile(text));
        for line in rendered.lines().filter(|line| line.starts_with('|')) {
            // A table counts every bar, also in a code span.
            let cells = line.matches('|').count() - 1;
            assert!([6, 3].contains(&cells), "{cells} cells: {line}");
        }
        assert!(!rendered.contains(['\u{1b}', '\0', '\r', '\u{202e}', '\u{2028}']), "{rendered:?}");
        assert!(!rendered.contains("``"), "an empty span is none: {rendered}");
    }
}

#[test]
fn a_comment_takes_it_however_large_the_run() {
    for (failures, invalids) in [(0, 0), (5_000, 0), (0, 5_000), (3_000, 3_000)] {
        let summary = large(failures, invalids);
        let gate = Some(gated(&summary, &"0123456789".repeat(1_000)));
        let text = render(&Summary { gate, ..summary });
        assert!(text.len() <= LIMIT, "{} bytes of {failures} and {invalids}", text.len());
        for (count, heading) in [(failures, "Failed"), (invalids, "Invalid")] {
            assert_eq!(text.contains(&format!("**{heading} ({count})**")), count > 0, "{text}");
        }
        assert_eq!(text.contains(" more, see `results.csv`"), failures + invalids > 0);
        assert!(text.ends_with("runloop-eval `0.1.0`.\n"), "the end is there");
    }
}

#[test]
fn many_agents_do_not_make_it_long() {
    let keys: Vec<_> = (0..2_000).map(|n| key("login", &format!("{n}{}", "agent".repeat(50)), 1)).collect();
    let events: Vec<_> =
        std::iter::once(started(&keys)).chain(keys.iter().map(|key| finished(scored(key, 0.0)))).collect();
    let text = render(&Summary::from_events(&events));
    assert!(text.len() <= LIMIT, "{} bytes", text.len());
    assert!(text.contains("1960 agents more in `results.csv`."), "{text}");
}

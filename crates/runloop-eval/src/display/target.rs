//! What is told of the target: that it is down, that it is back, that it asks for less.

use eval_record::{Event, EventKind, Throttle};

use super::line::printable;

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[1;32m";
const YELLOW: &str = "\x1b[1;33m";
const PLAIN: &str = "\x1b[0m";

/// One line about the target, if the event is about it and worth one. `concurrency` is how many trials were asked for at
/// once: a limit above it limits nobody. In colours of a terminal.
pub(super) fn line(event: &Event, concurrency: Option<u32>) -> Option<String> {
    match &event.kind {
        EventKind::TargetDown { since_ms, error, next_try_ms } => Some(format!(
            "{RED}{:>9}{PLAIN} the target does not answer since {}: {}; next try in {}",
            "DOWN",
            seconds(event.at_ms - since_ms),
            printable(error),
            seconds(next_try_ms - event.at_ms),
        )),
        EventKind::TargetBack { since_ms } => Some(format!(
            "{GREEN}{:>9}{PLAIN} the target answers again after {}",
            "BACK",
            seconds(event.at_ms - since_ms)
        )),
        EventKind::Throttled { what, limit } if concurrency.is_none_or(|asked| *limit < asked) => {
            Some(format!(
                "{YELLOW}{:>9}{PLAIN} the target asks for less: at most {limit} {} at once",
                "SLOWER",
                named(*what)
            ))
        }
        EventKind::ThrottleLifted { what } => {
            Some(format!("{:>9} {} are not limited any more", "FASTER", named(*what)))
        }
        _ => None,
    }
}

fn named(what: Throttle) -> &'static str {
    match what {
        Throttle::Requests => "requests",
        Throttle::Creations => "creations of devboxes",
    }
}

/// Whole seconds, rounded up.
fn seconds(milliseconds: i64) -> String {
    format!("{} s", (milliseconds.max(0) + 999) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: EventKind) -> Option<String> {
        let event = Event { at_ms: 100_000, kind };
        line(&event, Some(8)).map(|line| anstream::adapter::strip_str(&line).to_string())
    }

    #[test]
    fn an_outage_says_since_when_why_and_when_it_is_tried_again() {
        let down = EventKind::TargetDown {
            since_ms: 58_000,
            error: "GET /v1/devboxes:\ncould not connect".to_owned(),
            next_try_ms: 107_500,
        };
        assert_eq!(
            told(down).unwrap(),
            "     DOWN the target does not answer since 42 s: GET /v1/devboxes: could not connect; next try in 8 s"
        );
        let back = EventKind::TargetBack { since_ms: 58_000 };
        assert_eq!(told(back).unwrap(), "     BACK the target answers again after 42 s");
    }

    #[test]
    fn a_limit_is_told_only_where_it_limits() {
        let throttled = |limit| told(EventKind::Throttled { what: Throttle::Requests, limit });
        assert_eq!(throttled(4).unwrap(), "   SLOWER the target asks for less: at most 4 requests at once");
        assert_eq!(throttled(8), None);
    }
}

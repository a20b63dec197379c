//! File names for scenarios and agents, whose own names may hold anything.

use crate::TrialKey;

/// Longest name that is kept as it is.
const LONGEST: usize = 80;

/// A name that is safe in every file system: letters, digits and `-_.=,+` only, no leading dot or dash. A name that had to
/// be changed ends in `~` and a hash of the original, so two different names never become one.
pub fn safe_name(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.=,+".contains(c) { c } else { '-' })
        .take(LONGEST)
        .collect();
    if safe.starts_with(['.', '-']) {
        safe.replace_range(..1, "_");
    }
    if safe == name && !safe.is_empty() {
        return safe;
    }
    format!("{}~{:016x}", safe.trim_end_matches('-'), fnv1a(name.as_bytes()))
}

/// Where an attempt's logs are, relative to the run directory, with forward slashes.
pub fn attempt_directory(trial: &TrialKey, attempt: u32) -> String {
    format!(
        "trials/{}/{}/{}/attempt-{attempt}",
        safe_name(&trial.scenario),
        safe_name(&trial.agent),
        trial.repetition
    )
}

/// Where a scenario's problem statement is, relative to the run directory, with forward slashes.
pub fn problem_file(scenario: &str) -> String {
    format!("problems/{}.md", safe_name(scenario))
}

/// FNV-1a: the same on every machine and in every version, which the standard hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay() {
        assert_eq!(safe_name("fix-login_bug.2"), "fix-login_bug.2");
    }

    #[test]
    fn odd_names_cannot_leave_the_directory_or_hide() {
        for name in [
            "..",
            ".",
            "../../etc/passwd",
            "/etc",
            ".hidden",
            "-rf",
            "a/b",
            "a\\b",
            "a\0b",
            "",
            "ü",
            "name\n",
        ] {
            let safe = safe_name(name);
            assert!(!safe.is_empty() && !safe.starts_with(['.', '-']), "{name:?} became {safe:?}");
            assert!(
                safe.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=,+~".contains(c)),
                "{name:?} became {safe:?}"
            );
        }
    }

    #[test]
    fn different_names_never_become_one() {
        let names = ["a/b", "a-b", "a b", "a_b", "m[size=small]", "m-size=small", "m-size=small-"];
        let safe: std::collections::BTreeSet<String> = names.iter().map(|name| safe_name(name)).collect();
        assert_eq!(safe.len(), names.len());
    }

    #[test]
    fn long_names_are_cut_and_still_differ() {
        let (a, b) = (format!("{}a", "x".repeat(300)), format!("{}b", "x".repeat(300)));
        assert!(safe_name(&a).len() <= LONGEST + 17);
        assert_ne!(safe_name(&a), safe_name(&b));
    }
}

//! Version constraints of Python scripts: the part of PEP 440 that release versions need.

use std::cmp::Ordering;
use std::str::FromStr;

use thiserror::Error;

use crate::bound::quoted;

/// Why a text is not a constraint that is understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is not a version constraint such as `==3.12.*` or `>=3.10,<3.14`", quoted(.clause))]
pub(crate) struct BadConstraint {
    clause: String,
}

/// A release version: `3.11.7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release(Vec<u64>);

impl Release {
    /// Compares as PEP 440 does: missing parts are 0.
    fn compare(&self, other: &Self) -> Ordering {
        let part = |release: &Self, index| release.0.get(index).copied().unwrap_or(0);
        (0..self.0.len().max(other.0.len()))
            .map(|index| part(self, index).cmp(&part(other, index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Whether the first parts are those of `prefix`.
    fn starts_with(&self, prefix: &[u64]) -> bool {
        prefix.iter().enumerate().all(|(index, part)| self.0.get(index).copied().unwrap_or(0) == *part)
    }
}

impl FromStr for Release {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Result<Vec<u64>, _> = text
            .split('.')
            .map(|part| {
                // `u64::from_str` takes a plus sign.
                if part.bytes().all(|byte| byte.is_ascii_digit()) {
                    part.parse().map_err(drop)
                } else {
                    Err(())
                }
            })
            .collect();
        parts.map(Self)
    }
}

/// Whether a version fulfils every clause of a constraint (`>=3.10,<3.14`). No clause is always fulfilled.
pub(crate) fn fulfils(version: &Release, constraint: &str) -> Result<bool, BadConstraint> {
    let mut all = true;
    for clause in constraint.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        all &= fulfils_clause(version, clause).ok_or_else(|| BadConstraint { clause: clause.to_owned() })?;
    }
    Ok(all)
}

fn fulfils_clause(version: &Release, clause: &str) -> Option<bool> {
    const OPERATORS: [&str; 8] = ["===", "==", "!=", "~=", "<=", ">=", "<", ">"];
    let operator = OPERATORS.into_iter().find(|operator| clause.starts_with(operator))?;
    let wanted = clause[operator.len()..].trim();
    if let Some(prefix) = wanted.strip_suffix(".*") {
        let prefix: Release = prefix.parse().ok()?;
        return match operator {
            "==" => Some(version.starts_with(&prefix.0)),
            "!=" => Some(!version.starts_with(&prefix.0)),
            _ => None,
        };
    }
    let wanted: Release = wanted.parse().ok()?;
    let order = version.compare(&wanted);
    Some(match operator {
        "==" | "===" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        // `~=3.11` is `>=3.11,==3.*`; one part alone has nothing to be compatible with.
        _ => {
            let (_, prefix) = wanted.0.split_last()?;
            if prefix.is_empty() {
                return None;
            }
            order.is_ge() && version.starts_with(prefix)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(version: &str, constraint: &str) -> Result<bool, BadConstraint> {
        fulfils(&version.parse().expect("a release"), constraint)
    }

    #[test]
    fn clauses_are_compared_as_pep_440_says() {
        for (version, constraint, expected) in [
            ("3.12.10", "==3.12.10", true),
            ("3.11.7", "==3.12.10", false),
            ("3.11.7", "==3.11.*", true),
            ("3.1.1", "==3.11.*", false),
            ("3.11.7", "!=3.11.*", false),
            ("3.12.0", "==3.12", true),
            ("3.9.18", ">=3.10", false),
            ("3.10.0", ">=3.9", true),
            ("3.11.7", ">= 3.10, < 3.13", true),
            ("3.13.0", ">=3.10,<3.13", false),
            ("3.14.1", "~=3.11", true),
            ("3.12.0", "~=3.11.2", false),
            ("3.11.7", "~=3.11.2", true),
            ("3.11.1", "~=3.11.2", false),
            ("3.11.7", ">3.11.7", false),
            ("3.11.7", "<=3.11.7", true),
            ("3.11.7", "===3.11.7", true),
            ("3.11.7", "", true),
        ] {
            assert_eq!(holds(version, constraint), Ok(expected), "{version} {constraint}");
        }
    }

    #[test]
    fn what_is_not_a_constraint_is_named() {
        for constraint in
            ["3.12", "=3.12", "==", "==3.x", ">=3.*", "~=3", "==+3.1", ">=3.10,foo", "==3.12rc1"]
        {
            let error = holds("3.11.7", constraint).expect_err(constraint);
            assert!(error.to_string().contains("is not a version constraint"), "{error}");
        }
    }
}

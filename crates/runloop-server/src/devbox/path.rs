//! Paths inside a devbox as requests give them.

use std::path::{Path, PathBuf};

use crate::error::{ApiError, ApiResult, shown};

/// Longest path the kernel takes.
const LONGEST: usize = 4095;

/// Reads a path: absolute, below `~/`, or relative to the home directory. It is resolved inside the box, so that `..`
/// and links lead nowhere else.
pub(crate) fn box_path(text: &str, home: &Path) -> ApiResult<PathBuf> {
    if text.is_empty() {
        return Err(ApiError::bad_request("the path is empty: give the file's path in the devbox"));
    }
    if text.contains('\0') {
        return Err(ApiError::bad_request("the path has a NUL byte"));
    }
    if text.len() > LONGEST {
        return Err(ApiError::bad_request(format!(
            "the path `{}` has {} bytes: at most {LONGEST} are possible",
            shown(text),
            text.len()
        )));
    }
    let path = match text.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => home.join(text),
    };
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> PathBuf {
        box_path(text, Path::new("/home/user")).unwrap()
    }

    #[test]
    fn paths_start_at_home_unless_they_are_absolute() {
        assert_eq!(resolve("a/b"), Path::new("/home/user/a/b"));
        assert_eq!(resolve("~/a"), Path::new("/home/user/a"));
        assert_eq!(resolve("~//etc/passwd"), Path::new("/home/user/etc/passwd"));
        assert_eq!(resolve("~"), Path::new("/home/user"));
        assert_eq!(resolve("/etc/hosts"), Path::new("/etc/hosts"));
        assert_eq!(resolve("~other/x"), Path::new("/home/user/~other/x"));
        assert_eq!(resolve("a\nb"), Path::new("/home/user/a\nb"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", "a\0b", &"x".repeat(5000)] {
            assert!(box_path(bad, Path::new("/home/user")).is_err());
        }
    }
}

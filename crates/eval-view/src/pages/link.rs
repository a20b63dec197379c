//! Addresses of pages, from the root of the server.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is not itself in a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is not itself in a value of a query.
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'/');

/// The page of a run.
pub(crate) fn run_link(key: &str) -> String {
    format!("/runs/{}/", utf8_percent_encode(key, IN_PATH))
}

/// A file or directory of a run; its path is relative to that of the run.
pub(crate) fn file_link(key: &str, path: &str) -> String {
    format!("{}files/{}", run_link(key), utf8_percent_encode(path, IN_PATH))
}

/// The list with these values of its query.
pub(crate) fn list_link(query: &[(&str, &str)]) -> String {
    let mut link = "/".to_owned();
    for (nth, (name, value)) in query.iter().enumerate() {
        link.push(if nth == 0 { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(value, IN_QUERY));
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_it_stays_in_its_place() {
        assert_eq!(run_link("a~1"), "/runs/a~1/");
        assert_eq!(file_link("a", "trials/x?y#z/\"<b"), "/runs/a/files/trials/x%3Fy%23z/%22%3Cb");
        assert_eq!(list_link(&[("agent", "a&b=c/ü"), ("page", "2")]), "/?agent=a%26b%3Dc%2F%C3%BC&page=2");
        assert_eq!(list_link(&[]), "/");
    }
}

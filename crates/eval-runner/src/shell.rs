//! Pieces of bash command lines.

use std::fmt::Write as _;

/// A text as one word.
pub(crate) fn quote(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=,:+@%".contains(&b)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Goes to the working directory, which is made if it is not there. A relative one is below the home directory, where
/// commands start.
pub(crate) fn enter(working_directory: &str) -> String {
    match working_directory {
        "" | "." | "~" => "cd || exit 125\n".to_owned(),
        directory => {
            let word = match directory.strip_prefix("~/") {
                Some(rest) => format!("\"$HOME\"/{}", quote(rest)),
                None if directory.starts_with('/') => quote(directory),
                // The prefix keeps a name with a leading dash from being read as an option.
                None => format!("./{}", quote(directory)),
            };
            format!("mkdir -p {word} && cd {word} || exit 125\n")
        }
    }
}

/// Export lines; names that bash does not take are left out.
pub(crate) fn exports<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines = String::new();
    for (name, value) in variables {
        if is_variable_name(name) {
            let _ = writeln!(lines, "export {name}={}", quote(value));
        }
    }
    lines
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(quote("repo/src"), "repo/src");
        assert_eq!(quote("it's; rm -rf /"), r"'it'\''s; rm -rf /'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("~"), "'~'");
    }

    #[test]
    fn the_working_directory_is_entered_wherever_it_is() {
        assert_eq!(enter(""), "cd || exit 125\n");
        assert_eq!(enter("repo"), "mkdir -p ./repo && cd ./repo || exit 125\n");
        assert_eq!(enter("-x y"), "mkdir -p ./'-x y' && cd ./'-x y' || exit 125\n");
        assert_eq!(enter("/srv/app"), "mkdir -p /srv/app && cd /srv/app || exit 125\n");
    }

    #[test]
    fn what_is_no_variable_name_is_not_exported() {
        let all = [("A", "x y"), ("1B", "x"), ("C;rm", "x"), ("", "x")];
        assert_eq!(exports(all), "export A='x y'\n");
    }
}

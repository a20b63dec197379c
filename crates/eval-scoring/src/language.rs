//! The languages that patterns can be written in.

use ast_grep_language::SupportLang;

/// A language whose grammar is compiled in.
///
/// The library knows more languages than it has grammars for, and asking for one without would panic, so this table is
/// the only way to a language. It has to match the `tree-sitter-*` features of `ast-grep-language`; a test parses with
/// each.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) grammar: SupportLang,
    /// The first one is the usual one; compared without case.
    names: &'static [&'static str],
    pub(crate) extensions: &'static [&'static str],
}

const LANGUAGES: &[Language] = &[
    Language { grammar: SupportLang::Bash, names: &["bash", "sh"], extensions: &[".sh", ".bash", ".bats"] },
    Language { grammar: SupportLang::C, names: &["c"], extensions: &[".c", ".h"] },
    Language { grammar: SupportLang::Css, names: &["css"], extensions: &[".css"] },
    Language { grammar: SupportLang::Go, names: &["go", "golang"], extensions: &[".go"] },
    Language { grammar: SupportLang::Html, names: &["html"], extensions: &[".html", ".htm", ".xhtml"] },
    Language { grammar: SupportLang::Java, names: &["java"], extensions: &[".java"] },
    Language {
        grammar: SupportLang::JavaScript,
        names: &["javascript", "js", "jsx"],
        extensions: &[".js", ".cjs", ".mjs", ".jsx"],
    },
    Language { grammar: SupportLang::Json, names: &["json"], extensions: &[".json"] },
    Language {
        grammar: SupportLang::Python,
        names: &["python", "py", "python3"],
        extensions: &[".py", ".py3", ".pyi"],
    },
    Language { grammar: SupportLang::Rust, names: &["rust", "rs"], extensions: &[".rs"] },
    Language {
        grammar: SupportLang::TypeScript,
        names: &["typescript", "ts"],
        extensions: &[".ts", ".cts", ".mts"],
    },
    Language { grammar: SupportLang::Tsx, names: &["tsx"], extensions: &[".tsx"] },
    Language { grammar: SupportLang::Yaml, names: &["yaml", "yml"], extensions: &[".yaml", ".yml"] },
];

impl Language {
    pub(crate) fn all() -> &'static [Self] {
        LANGUAGES
    }

    pub(crate) fn by_name(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// The usual name.
    pub(crate) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether a file of this name is written in it.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.extensions.iter().any(|extension| path.ends_with(extension))
    }

    /// The usual names, for a message.
    pub(crate) fn known_names() -> String {
        LANGUAGES.iter().map(Self::name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use ast_grep_language::LanguageExt;

    use super::*;

    #[test]
    fn every_language_has_its_grammar() {
        for language in Language::all() {
            let root = language.grammar.ast_grep("x");
            assert!(root.root().range().end <= 1, "{}", language.name());
        }
    }

    #[test]
    fn languages_are_found_by_name_without_case() {
        assert_eq!(Language::by_name("Python").map(Language::name), Some("python"));
        assert_eq!(Language::by_name("tS").map(Language::name), Some("typescript"));
        assert!(Language::by_name("cobol").is_none());
    }

    #[test]
    fn extensions_belong_to_one_language() {
        let all: Vec<_> = Language::all().iter().flat_map(|language| language.extensions).collect();
        let mut once = all.clone();
        once.sort();
        once.dedup();
        assert_eq!(all.len(), once.len());
    }
}

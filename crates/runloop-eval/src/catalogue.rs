//! The usual agent CLIs, by name. Their files are a part of the program.

/// Name and YAML text of each.
const AGENTS: [(&str, &str); 8] = [
    ("aider", include_str!("../agents/aider.yaml")),
    ("claude-code", include_str!("../agents/claude-code.yaml")),
    ("codex", include_str!("../agents/codex.yaml")),
    ("gemini", include_str!("../agents/gemini.yaml")),
    ("goose", include_str!("../agents/goose.yaml")),
    ("mini-swe-agent", include_str!("../agents/mini-swe-agent.yaml")),
    ("opencode", include_str!("../agents/opencode.yaml")),
    ("qwen-code", include_str!("../agents/qwen-code.yaml")),
];

/// All of them, as loading definitions takes them.
pub(crate) fn agents() -> Vec<(String, String)> {
    AGENTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

//! git in a devbox, kept from doing anything but what it is asked to.

/// Defines `g`: git without hooks, monitors, attributes or configuration from outside of the repository, with an index of
/// its own so that the repository's stays as it is, in the current directory only.
pub(crate) const QUIET_GIT: &str = r#"export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0
g() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.untrackedCache=false -c core.attributesFile=/dev/null \
    -c core.autocrlf=false -c core.safecrlf=false -c core.fileMode=true -c core.symlinks=true -c core.quotePath=true \
    -c diff.external= -c safe.directory='*' -c advice.addEmbeddedRepo=false -c protocol.allow=never \
    --git-dir="$PWD/.git" --work-tree="$PWD" "$@"
}
stage() { g add -A -- . ':(exclude,top).runloop-eval'; }
"#;

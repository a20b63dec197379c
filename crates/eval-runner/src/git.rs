//! git in a devbox, kept from doing anything but what it is asked to.

use crate::work::PLACE;

/// Defines `g`, git with the directory `$git` as its repository and the current directory as its work tree, and what goes
/// with it.
///
/// The checkout's own `.git` is never git's repository here: its configuration can name programs (filters, monitors,
/// hooks), other work trees and files that never end, and an agent can write it. Of `.git` only the objects are used. Attributes
/// that files in the checkout give are overruled: everything travels byte by byte, whatever line ends or encodings it is
/// declared to have.
pub(crate) const QUIET_GIT: &str = r#"unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE \
  GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_INDEX_FILE GIT_LITERAL_PATHSPECS \
  GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS GIT_ATTR_SOURCE
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0
g() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.untrackedCache=false -c core.attributesFile=/dev/null \
    -c core.autocrlf=false -c core.safecrlf=false -c core.fileMode=true -c core.symlinks=true -c core.quotePath=true \
    -c core.bare=false -c diff.external= -c safe.directory='*' -c advice.addEmbeddedRepo=false -c protocol.allow=never \
    --git-dir="$git" --work-tree="$PWD" "$@"
}
stage() { g add -A -- . ':(exclude,top).runloop-eval'; }
changes() {
  g diff --cached --binary --full-index --no-ext-diff --no-textconv --no-renames --no-color --no-relative \
    --submodule=short --src-prefix=a/ --dst-prefix=b/ "$1"
}
# A repository in directory $1 that leaves out what file $2 says, with objects named as $3 says.
repository() {
  git=$1
  git init -q --bare --template= --object-format="${3:-sha1}" "$git" 2>/dev/null || git init -q --bare --template= "$git" || return
  mkdir -p "$git/info" || return
  echo '* -text !eol !crlf -ident -filter -working-tree-encoding !diff !merge -export-subst' >"$git/info/attributes" || return
  [ ! -f "$2" ] || cp -- "$2" "$git/info/exclude"
}
# Uses objects of the checkout in the current directory, and of repository $1. By their places of this moment: a devbox
# that is forked need not have its home where the first one had it.
borrow() {
  export GIT_ALTERNATE_OBJECT_DIRECTORIES="\"$PWD/.git/objects\"${1:+:\"$1/objects\"}"
}
"#;

/// Where the prepared environment keeps what its checkout held, below the home directory.
pub(crate) fn store() -> String {
    format!("$HOME/{PLACE}/git")
}

/// How a repository with this tree names its objects.
pub(crate) fn object_format(tree: &str) -> &'static str {
    if tree.len() == 64 { "sha256" } else { "sha1" }
}

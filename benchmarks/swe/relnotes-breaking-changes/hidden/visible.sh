#!/bin/sh
# Runs relnotes in a temporary repository. Prints one line for each check; exit status 1 if one failed.
set -u
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t.example GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t.example

relnotes() { sh "$root/bin/relnotes" "$@"; }

commit() { git commit -q --allow-empty -m "$1"; }

check() { # check NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', found '$3'"
        failed=1
    fi
}

git init -q -b main
commit 'chore: begin'
git tag start
check 'nothing to tell' '# Release notes' "$(relnotes)"
check 'no part has to grow' none "$(relnotes -b)"

commit 'fix: do not crash on empty input'
check 'a fix asks for a patch' patch "$(relnotes -b)"
commit 'feat(parser):  accept trailing commas '
commit 'Feat: not lower case'
commit 'docs: explain <b> & co'
commit 'feat: show <b> & co'
git tag features
commit 'perf: read in blocks'

expected='# 1.0

## Features

- **parser:** accept trailing commas (@)
- show &lt;b> &amp; co (@)

## Fixes

- do not crash on empty input (@)

## Performance

- read in blocks (@)'
check 'the notes' "$expected" "$(relnotes -t 1.0 | sed 's/([0-9a-f]\{10\})$/(@)/')"
check 'a feature asks for a minor version' minor "$(relnotes -b)"
check 'a range' patch "$(relnotes -b features..HEAD)"
check 'the hash' "- read in blocks ($(git rev-parse HEAD | cut -c 1-10))" "$(relnotes features.. | tail -n 1)"

relnotes no-such-range > /dev/null 2>&1
check 'an unknown range is exit status 2' 2 $?
relnotes start features > /dev/null 2>&1
check 'two ranges are exit status 2' 2 $?

exit $failed

#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Bram de Wit' GIT_AUTHOR_EMAIL=bram@relnotes.example
export GIT_COMMITTER_NAME='Bram de Wit' GIT_COMMITTER_EMAIL=bram@relnotes.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

chmod +x bin/relnotes tests/run.sh
final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./*

git init -q -b main
mkdir bin lib
cp "$final/lib/notes.awk" lib/
sed -e '/perf/d' "$final/lib/commits.awk" > lib/commits.awk
sed -e '/"Performance"/d' "$final/lib/notes.awk" > lib/notes.awk
sed -e '/-b \[/d' -e '/mode=bump/d' -e 's/getopts bt:/getopts t:/' "$final/bin/relnotes" > bin/relnotes
chmod +x bin/relnotes
commit '2024-01-08T19:12:00 +0000' 'feat: print features and fixes in Markdown'

cp "$final/lib/commits.awk" "$final/lib/notes.awk" lib/
commit '2024-01-14T10:40:00 +0000' 'feat: a section for performance'

cp "$final/lib/bump.awk" lib/
cp "$final/bin/relnotes" bin/
commit '2024-01-21T14:03:00 +0000' 'feat: -b prints which part of the version has to grow'

cp -R "$final/tests" "$final/README.md" .
commit '2024-01-27T09:28:00 +0000' 'docs: explain headers, notes and -b; add tests'

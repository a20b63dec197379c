#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Oskar Brandt' GIT_AUTHOR_EMAIL=oskar@benc.example
export GIT_COMMITTER_NAME='Oskar Brandt' GIT_COMMITTER_EMAIL=oskar@benc.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

chmod +x tests/run.sh
final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./* .gitignore

git init -q -b main
cp -R "$final/include" "$final/src" .
commit '2023-11-05T13:00:00 +0000' 'A pull parser for bencoding'

cp -R "$final/cmd" "$final/Makefile" "$final/.gitignore" .
commit '2023-11-11T17:25:00 +0000' 'bendump prints the items of a file'

cp -R "$final/tests" "$final/README.md" .
commit '2023-11-12T10:08:00 +0000' 'Tests and a description'

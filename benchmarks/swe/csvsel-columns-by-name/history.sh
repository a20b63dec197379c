#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Paulo Teixeira' GIT_AUTHOR_EMAIL=paulo@csvsel.example
export GIT_COMMITTER_NAME='Paulo Teixeira' GIT_COMMITTER_EMAIL=paulo@csvsel.example

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
mkdir src
cp "$final/src/csv.h" "$final/src/csv.c" "$final/src/columns.h" "$final/src/columns.c" src/
cp "$final/.gitignore" .
commit '2024-04-01T08:00:00 +0000' 'Read CSV records and lists of columns'

cp "$final/src/main.c" src/
cp "$final/Makefile" .
commit '2024-04-01T21:36:00 +0000' 'Print chosen columns'

cp -R "$final/tests" "$final/README.md" .
commit '2024-04-06T12:12:00 +0000' 'Tests and README'

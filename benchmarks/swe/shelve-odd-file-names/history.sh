#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Ines Halloran' GIT_AUTHOR_EMAIL=ines@shelve.example
export GIT_COMMITTER_NAME='Ines Halloran' GIT_COMMITTER_EMAIL=ines@shelve.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

chmod +x bin/shelve tests/run.sh
final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./*

git init -q -b main
cp -R "$final/bin" "$final/lib" .
sed -i -e '/list_names$/,$d' lib/commands.sh
commit '2024-02-03T10:00:00 +0000' 'Store numbered copies of files'

cp "$final/lib/commands.sh" lib/
cp "$final/README.md" .
sed -e '/^## 0.3/,/^$/d' "$final/CHANGELOG.md" > CHANGELOG.md
commit '2024-02-17T15:20:00 +0000' 'List and restore generations'

cp -R "$final/tests" .
commit '2024-03-02T09:45:00 +0000' 'Test the commands on a temporary shelf'

cp "$final/CHANGELOG.md" .
commit '2024-05-11T18:05:00 +0000' 'Release 0.3.0'

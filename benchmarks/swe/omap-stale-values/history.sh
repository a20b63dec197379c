#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Leonie Achterberg' GIT_AUTHOR_EMAIL=leonie@omap.example
export GIT_COMMITTER_NAME='Leonie Achterberg' GIT_COMMITTER_EMAIL=leonie@omap.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./* .gitignore

git init -q -b main
mkdir src
cp "$final/src/hash.h" "$final/src/hash.c" src/
cp "$final/Makefile" "$final/.gitignore" .
commit '2024-02-10T09:00:00 +0000' 'Hash bytes'

cp -R "$final/include" .
cp "$final/src/omap.c" src/
commit '2024-02-11T15:42:00 +0000' 'A map with open addressing'

cp -R "$final/tests" .
commit '2024-02-18T11:17:00 +0000' 'Test the map'

cp "$final/README.md" .
commit '2024-02-18T11:30:00 +0000' 'Describe the map'

#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Tove Lindqvist' GIT_AUTHOR_EMAIL=tove@stencil.example
export GIT_COMMITTER_NAME='Tove Lindqvist' GIT_COMMITTER_EMAIL=tove@stencil.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

chmod +x bin/stencil tests/run.sh
final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./*

git init -q -b main
mkdir bin lib
cp "$final/lib/messages.sh" "$final/lib/fill.sh" lib/
cat > lib/values.sh <<'TEXT'
# Where values come from: VARFILEs.

# load_file FILE: takes the values of a VARFILE
load_file() {
    [ -r "$1" ] || fail 1 "cannot read $1"
    . "$1"
}
TEXT
sed -e '/s) keep_assignment/d' -e '/assignments/d' -e 's/v:s:o:/v:o:/' "$final/bin/stencil" > bin/stencil
chmod +x bin/stencil
commit '2023-09-12T08:30:00 +0000' 'Fill templates with the values of files'

cp "$final/lib/values.sh" lib/
cp "$final/bin/stencil" bin/
commit '2023-09-20T16:02:00 +0000' 'Values on the command line; check names and lines'

cp -R "$final/examples" "$final/tests" .
commit '2023-10-04T11:47:00 +0000' 'Add an example and tests'

cp "$final/README.md" .
commit '2023-10-05T09:10:00 +0000' 'Document what is text and what is not'

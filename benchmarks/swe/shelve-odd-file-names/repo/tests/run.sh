#!/bin/sh
# Runs shelve on a temporary shelf. Prints one line for each check; exit status 1 if one failed.
set -u
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

shelve() { sh "$root/bin/shelve" "$@"; }

check() { # check NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', found '$3'"
        failed=1
    fi
}

for day in monday tuesday wednesday thursday; do
    echo $day > notes.txt
    shelve store -k 3 -d shelf notes.txt
done
check 'the newest copy is generation 1' thursday "$(cat shelf/notes.txt.1)"
check 'the oldest kept copy is generation 3' tuesday "$(cat shelf/notes.txt.3)"
check 'older copies are gone' '3 notes.txt' "$(shelve list -d shelf)"

echo one > a
echo two > b
shelve store -d pair a b
check 'two files at once' '1 a,1 b,' "$(shelve list -d pair | sort | tr '\n' ,)"
check 'list -0 ends records with NUL' '1 a@1 b@' "$(shelve list -0 -d pair | tr '\000' @)"

shelve restore -g 2 -d shelf notes.txt back
check 'restore brings back a generation' wednesday "$(cat back)"
shelve restore -g 9 -d shelf notes.txt back 2> /dev/null
check 'restore says that there is none' 1 $?
check 'restore leaves the target alone then' wednesday "$(cat back)"

echo keep > shelf/README
echo keep > shelf/notes.txt.01
shelve prune -k 1 -d shelf
check 'prune removes all above' '1 notes.txt' "$(shelve list -d shelf)"
check 'prune leaves other files alone' 'keep keep' "$(echo $(cat shelf/README shelf/notes.txt.01))"

shelve store -d shelf missing a 2> /dev/null
check 'a missing file is exit status 1' 1 $?
check 'the files beside it are stored' one "$(cat shelf/a.1)"
shelve store -k 0 a 2> /dev/null
check 'KEEP 0 is a usage error' 2 $?

exit $failed

#!/bin/sh
# Runs build/weir. Prints one line for each check; exit status 1 if one failed.
cd -- "$(dirname -- "$0")/.." || exit 1
failed=0

check() { # check NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', found '$3'"
        failed=1
    fi
}

check 'three measurements' 'count 3 min 500.000 ms mean 1500.000 ms max 3000.000 ms' \
    "$(echo $(printf '1s 500ms\n3s' | build/weir -u ms))"
check 'seconds are the unit' 'count 1 min 5400.000 s mean 5400.000 s max 5400.000 s' "$(echo $(echo 1.5h | build/weir))"
check 'nothing' 'count 0' "$(build/weir < /dev/null)"
echo 12parsecs | build/weir 2> /dev/null
check 'an unknown unit in the input' 1 $?
build/weir -u parsecs < /dev/null 2> /dev/null
check 'an unknown unit for the output' 2 $?

exit $failed

#!/bin/sh
# Runs build/bendump. Prints one line for each check; exit status 1 if one failed.
cd -- "$(dirname -- "$0")/.." || exit 1
failed=0

check() { # check INPUT OUTPUT STATUS
    output=$(printf '%s' "$1" | build/bendump 2> /dev/null)
    status=$?
    output=$(echo $output)
    if [ "$output" = "$2" ] && [ $status -eq $3 ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2' and $3, found '$output' and $status"
        failed=1
    fi
}

check i42e 42 0
check i-7e -7 0
check i0e 0 0
check 4:spam '"spam"' 0
check 0: '""' 0
check l1:ai2ee '[ "a" 2 end' 0
check d3:agei7e4:tagsl1:a1:bee '{ "age" 7 "tags" [ "a" "b" end end' 0
check lld1:xleeee '[ [ { "x" [ end end end end' 0
check i042e '' 1
check i-0e '' 1
check ie '' 1
check 03:abc '' 1
check di1ei2ee '{' 1
check d1:ae '{ "a"' 1
check i1ei2e 1 1
check x '' 1
check 9:short '' 1

exit $failed

#!/bin/sh
# Runs build/csvsel. Prints one line for each check; exit status 1 if one failed.
cd -- "$(dirname -- "$0")/.." || exit 1
failed=0

check() { # check NAME INPUT OUTPUT ARGUMENT...
    name=$1 input=$2 expected=$3
    shift 3
    output=$(printf "$input" | build/csvsel "$@")
    if [ "$output" = "$(printf "$expected")" ]; then
        echo "ok - $name"
    else
        echo "not ok - $name: expected '$expected', found '$output'"
        failed=1
    fi
}

check 'columns in another order' 'a,b,c\n1,2,3\n' 'c,a\n3,1' -c 3,1
check 'a range and a repetition' 'a,b,c,d\n' 'b,c,d,b' -c 2-4,2
check 'a short record' 'a,b\n1\n' 'b,a\n,1' -c 2,1
check 'quotes are kept where they are needed' '"a,b","c""d","e"\n' '"c""d",e,"a,b"' -c 2,3,1
check 'a line break in a field' '"a\nb",c\nd,e\n' '"a\nb"\nd' -c 1
check 'CR LF' 'a,b\r\nc,d\r\n' 'b\nd' -c 2
check 'no line end at the end' 'a,b' 'b' -c 2
check 'another delimiter' 'a;b,c;d' 'b,c;a' -c 2,1 -d ';'
for columns in '' 0 3-2 1,,2 x 1x; do
    build/csvsel -c "$columns" < /dev/null 2> /dev/null
    [ $? -eq 2 ] && echo "ok - usage: -c '$columns'" || { echo "not ok - usage: -c '$columns'"; failed=1; }
done
build/csvsel -c 1 no-such-file 2> /dev/null
[ $? -eq 1 ] && echo 'ok - a missing file' || { echo 'not ok - a missing file'; failed=1; }

exit $failed

#!/bin/sh
# Runs stencil in a temporary directory. Prints one line for each check; exit status 1 if one failed.
set -u
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

stencil() { sh "$root/bin/stencil" "$@"; }

check() { # check NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', found '$3'"
        failed=1
    fi
}

stencil -v "$root/examples/production.vars" -o app.conf "$root/examples/app.conf.tmpl"
check 'the example is filled in' 0 $?
check 'quotes around a value are taken off' 'name = Order Desk' "$(sed -n 3p app.conf)"
check 'values and defaults' 'listen = 0.0.0.0:8080' "$(sed -n 4p app.conf)"
check 'an escaped placeholder stays' 'format = "${time} ${level} ${message}"' "$(sed -n 8p app.conf)"

echo '${A}-${B:-b}' > t
printf 'A=1\n# a comment\n\nB=\n' > first
printf 'A=2\n' > second
check 'an empty value gets the default' 1-b "$(stencil -v first t)"
check 'a later file has precedence' 2-b "$(stencil -v first -v second t)"
check 'a value on the command line has precedence' 3-x "$(stencil -s A=3 -s B=x -v first -v second t)"
check 'two templates' '1-b 1-b' "$(echo $(stencil -v first t t))"

echo before > out
stencil -o out t 2> message
check 'a placeholder without a value is exit status 3' 3 $?
check 'the message has its name' 'stencil: no value for A' "$(cat message)"
check 'the output is left alone then' before "$(cat out)"

stencil -s 1A=x t 2> /dev/null
check 'a wrong name is exit status 2' 2 $?
echo 'no assignment' > broken
stencil -v broken t 2> message
check 'a wrong line is exit status 2' 2 $?
check 'the message has its place' 'stencil: broken: line 1: expected NAME=VALUE' "$(cat message)"
stencil missing 2> /dev/null
check 'a missing template is exit status 1' 1 $?

exit $failed

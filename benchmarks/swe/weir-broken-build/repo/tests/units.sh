#!/bin/sh
# Looks at data/units.txt: every line is a unit and a number, no unit is there twice.
cd -- "$(dirname -- "$0")/.." || exit 1
awk '
    /^#/ || NF == 0 { next }
    NF != 2 || $1 !~ /^[a-z]+$/ || $2 !~ /^[0-9.]+$/ || $2 <= 0 { print "not ok - line " NR ": " $0; bad = 1; next }
    $1 in seen { print "not ok - " $1 " is there twice"; bad = 1; next }
    { seen[$1]; print "ok - " $1 }
    END { exit bad }
' data/units.txt

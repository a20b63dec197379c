# Where values come from. A value becomes a shell variable of its name.

# proper_name TEXT: whether TEXT can be the name of a value
proper_name() {
    case $1 in
        '' | [0-9]* | *[!A-Za-z0-9_]*) return 1 ;;
    esac
}

# load_file FILE: takes the values of a VARFILE
load_file() {
    [ -r "$1" ] || fail 1 "cannot read $1"
    line=0
    while read -r text; do
        line=$((line + 1))
        case $text in
            '' | '#'*) ;;
            *=*) proper_name "${text%%=*}" || fail 2 "$1: line $line: not a name" ;;
            *) fail 2 "$1: line $line: expected NAME=VALUE" ;;
        esac
    done < "$1"
    case $1 in
        /*) . "$1" ;;
        *) . "./$1" ;;
    esac
}

# keep_assignment NAME=VALUE: remembers a -s for after the files
keep_assignment() {
    case $1 in
        *=*) proper_name "${1%%=*}" || usage ;;
        *) usage ;;
    esac
    printf '%s="%s"\n' "${1%%=*}" "${1#*=}" >> "$work/assignments"
}

# apply_assignments: takes the values of all -s
apply_assignments() {
    . "$work/assignments"
}

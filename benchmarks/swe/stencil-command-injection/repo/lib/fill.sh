# Filling a template: the shell knows how to expand ${NAME} and ${NAME:-default}, so it does the work.

# fill TEMPLATE: prints TEMPLATE with its placeholders filled in
fill() {
    text=$(cat "$1")
    (eval "cat <<END_OF_TEMPLATE
$text
END_OF_TEMPLATE") 2> "$work/trouble" || {
        missing=$(sed -n 's/.*: \([A-Za-z_0-9]*\): .*/\1/p' "$work/trouble")
        fail 3 "no value for ${missing:-a placeholder}"
    }
}

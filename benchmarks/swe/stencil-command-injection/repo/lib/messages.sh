# What stencil tells its user.

# fail STATUS MESSAGE
fail() {
    printf 'stencil: %s\n' "$2" >&2
    exit "$1"
}

usage() {
    echo 'usage: stencil [-v VARFILE]... [-s NAME=VALUE]... [-o OUTPUT] TEMPLATE...' >&2
    exit 2
}

# The commands. They use the variables `shelf` and `terminator` of bin/shelve.

# store_files KEEP FILE...
store_files() {
    keep=$1
    shift
    mkdir -p $shelf || return 1
    status=0
    for file in $*; do
        if [ ! -f $file ]; then
            echo "shelve: not a regular file: $file" >&2
            status=1
            continue
        fi
        name=$(basename $file)
        push_down $keep $name
        cp -p $file $shelf/$name.1 || status=1
    done
    return $status
}

# list_names
list_names() {
    [ -d $shelf ] || return 0
    for name in $(names); do
        count=$(numbers_of $name | wc -l)
        echo $count $name
    done | tr '\n' "$terminator"
}

# restore_file GENERATION NAME TARGET
restore_file() {
    if [ ! -f $shelf/$2.$1 ]; then
        echo "shelve: no generation $1 of $2" >&2
        return 1
    fi
    cp -p $shelf/$2.$1 $3
}

# prune_all KEEP
prune_all() {
    [ -d $shelf ] || return 0
    for name in $(names); do
        cut_off $1 $name
    done
}

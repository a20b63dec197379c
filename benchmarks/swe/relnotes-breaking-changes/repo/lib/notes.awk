# Prints the notes.

END {
    print "# " safe(ENVIRON["TITLE"])
    print_section("Features")
    print_section("Fixes")
    print_section("Performance")
}

function print_section(name) {
    if (name in entries)
        printf "\n## %s\n\n%s", name, entries[name]
}

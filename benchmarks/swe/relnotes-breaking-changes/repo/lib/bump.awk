# Prints which part of the version has to grow.

END {
    if ("Features" in entries)
        print "minor"
    else if ("Fixes" in entries || "Performance" in entries)
        print "patch"
    else
        print "none"
}

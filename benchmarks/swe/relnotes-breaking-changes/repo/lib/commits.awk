# Reads the log, one commit a line: "HASH HEADER". Collects the entries of each section in `entries`.

BEGIN {
    section["feat"] = "Features"
    section["fix"] = "Fixes"
    section["perf"] = "Performance"
}

{
    hash = substr($1, 1, 10)
    header = substr($0, length($1) + 2)
    if (take_apart(header) && type in section)
        add(section[type], scope, description, hash)
}

# take_apart(header): sets `type`, `scope` and `description`; 0 if the header has another form
function take_apart(header,    head) {
    if (!match(header, /^[a-z]+(\([^()]+\))?:[ \t]/))
        return 0
    head = substr(header, 1, RLENGTH - 2)
    description = trimmed(substr(header, RLENGTH + 1))
    scope = ""
    type = head
    if (index(head, "(")) {
        type = substr(head, 1, index(head, "(") - 1)
        scope = substr(head, length(type) + 2, length(head) - length(type) - 2)
    }
    return description != ""
}

# add(name, scope, text, hash): one more entry for the section `name`
function add(name, scope, text, hash) {
    entries[name] = entries[name] "- " (scope == "" ? "" : "**" safe(scope) ":** ") safe(text) " (" hash ")\n"
}

function trimmed(text) {
    sub(/^[ \t]+/, "", text)
    sub(/[ \t]+$/, "", text)
    return text
}

# safe(text): text that no Markdown processor takes for HTML
function safe(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    return text
}

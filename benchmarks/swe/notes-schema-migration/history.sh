# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Milan Novak' GIT_AUTHOR_EMAIL='milan@jotter.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2021-06-30T08:15:00+02:00' 'Layout 1' .gitignore jotter/schema.py
commit '2021-07-02T19:00:00+02:00' 'Notes' jotter/notes.py jotter/__init__.py tests
commit '2021-07-03T10:20:00+02:00' 'Command line' jotter/__main__.py
commit '2023-01-15T17:17:00+01:00' 'Write down what is found in old files' README.md

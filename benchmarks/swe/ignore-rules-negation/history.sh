# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Kerstin Lund' GIT_AUTHOR_EMAIL='kerstin@packrat.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2024-05-02T19:20:00+02:00' 'Walk a directory' .gitignore packrat/tree.py
commit '2024-05-03T20:05:00+02:00' 'Leave out what .packignore names' packrat/rules.py tests/__init__.py tests/test_rules.py
commit '2024-05-09T09:58:00+02:00' 'Reproducible archives' packrat/__init__.py packrat/archive.py tests/test_pack.py
commit '2024-05-09T11:30:00+02:00' 'Command line, README' packrat/__main__.py README.md

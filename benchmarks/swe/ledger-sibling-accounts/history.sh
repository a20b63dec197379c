# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Ines Moreau' GIT_AUTHOR_EMAIL='ines@tally.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2024-01-06T10:12:00+01:00' 'Read journals' .gitignore tally/amounts.py tally/journal.py tests/__init__.py tests/test_journal.py
commit '2024-01-13T16:40:00+01:00' 'Balance, register and account list' tally/report.py tally/__init__.py
commit '2024-01-14T11:05:00+01:00' 'Command line' tally/cli.py tally/__main__.py tests/test_report.py
commit '2024-02-02T20:31:00+01:00' 'Describe the journal format' README.md

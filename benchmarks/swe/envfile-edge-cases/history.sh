# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Femi Okoro' GIT_AUTHOR_EMAIL='femi@dotfile.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2024-02-10T12:00:00+01:00' 'Parse settings files' .gitignore dotfile/errors.py dotfile/parser.py dotfile/__init__.py tests
commit '2024-02-10T15:30:00+01:00' 'show and run' dotfile/__main__.py
commit '2024-02-17T09:00:00+01:00' 'README' README.md

# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Bram de Wit' GIT_AUTHOR_EMAIL='bram@depot.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2023-06-12T08:50:00+02:00' 'Registry of packages in a directory' .gitignore depot/errors.py depot/registry.py tests/__init__.py
commit '2023-06-12T15:33:00+02:00' 'Plan installations' depot/planner.py depot/__init__.py tests/test_planner.py tests/test_registry.py
commit '2023-06-20T10:15:00+02:00' 'Command line' depot/__main__.py
commit '2023-07-01T12:00:00+02:00' 'README: nothing is kept between calls' README.md

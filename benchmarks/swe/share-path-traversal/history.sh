# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Yuki Tan' GIT_AUTHOR_EMAIL='yuki@sharebox.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2024-04-22T21:14:00+02:00' 'Store: read, list, write, delete' .gitignore sharebox/store.py
commit '2024-04-23T20:40:00+02:00' 'Answer requests' sharebox/handler.py sharebox/__init__.py tests
commit '2024-04-24T07:55:00+02:00' 'Server' sharebox/__main__.py
commit '2024-05-11T16:20:00+02:00' 'README, with the meaning of each status' README.md

# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Paula Reyes' GIT_AUTHOR_EMAIL='paula@jobq.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2023-09-04T10:00:00+02:00' 'A queue of jobs on threads' .gitignore jobq
commit '2023-09-05T11:30:00+02:00' 'Write down what it promises' README.md
commit '2023-09-05T17:02:00+02:00' 'Tests

test_queue passes on my machine. Numbered, because they build on each other.' tests

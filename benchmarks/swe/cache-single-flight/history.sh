# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Sanne Visser' GIT_AUTHOR_EMAIL='sanne@larder.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2024-08-01T09:41:00+02:00' 'A cache with a lifetime' .gitignore larder/cache.py tests/__init__.py tests/test_cache.py
commit '2024-08-02T13:13:00+02:00' 'Names and aliases' larder/names.py larder/__init__.py tests/test_names.py
commit '2024-08-05T18:25:00+02:00' 'README' README.md

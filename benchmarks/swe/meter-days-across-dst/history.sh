# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Tarek Haddad' GIT_AUTHOR_EMAIL='tarek@wattlog.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2023-11-04T09:30:00+01:00' 'Parse the file the meter writes' .gitignore wattlog/readings.py
commit '2023-11-11T18:02:00+01:00' 'POSIX time zones

The gateway has no zone database and no room for one.' wattlog/zones.py tests/__init__.py tests/test_zones.py
commit '2023-11-18T14:47:00+01:00' 'Daily energy, mean power and completeness' wattlog/__init__.py wattlog/days.py tests/test_days.py
commit '2023-11-19T10:10:00+01:00' 'Command line and README' wattlog/__main__.py README.md

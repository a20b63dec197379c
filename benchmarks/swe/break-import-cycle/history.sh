# Makes the repository's history from the files that are already in place.
set -eu
export GIT_AUTHOR_NAME='Noor Aziz' GIT_AUTHOR_EMAIL='noor@shop.example'
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # DATE MESSAGE PATH...
    export GIT_AUTHOR_DATE="$1" GIT_COMMITTER_DATE="$1"
    message=$2
    shift 2
    git add -- "$@"
    git -c commit.gpgsign=false commit -q -m "$message"
}

git init -q -b main
commit '2022-02-01T09:00:00+01:00' 'Customers and money' .gitignore shop/money.py shop/customers.py
commit '2022-02-03T17:45:00+01:00' 'Orders' shop/orders.py
commit '2022-02-08T13:10:00+01:00' 'Invoices, credit and reminders

The imports inside of functions are not pretty, but at module level they fail.' shop/billing.py shop/__init__.py tests
commit '2022-03-15T08:20:00+01:00' 'Say what other programs rely on' README.md CONTRIBUTING.md

"""Questions to a journal."""

from .amounts import add


def accounts(journal, account=None):
    """The names of all accounts with postings, sorted; with `account` that one and those below it."""
    names = {posting.account for transaction in journal.transactions for posting in transaction.postings}
    return sorted(name for name in names if account is None or name.startswith(account))


def balance(journal, account=None, depth=None):
    """Sums per account: {account: {currency: Decimal}}, accounts that come out at zero left out.

    With `account` only that account and those below it. With `depth` accounts with more than that many names are added
    to their ancestor with that many.
    """
    if depth is not None and depth < 1:
        raise ValueError("depth must be at least 1")
    wanted = set(accounts(journal, account))
    totals = {}
    for transaction in journal.transactions:
        for posting in transaction.postings:
            if posting.account in wanted:
                name = ":".join(posting.account.split(":")[:depth])
                add(totals.setdefault(name, {}), posting.currency, posting.value)
    return {name: total for name, total in sorted(totals.items()) if total}


def register(journal, account):
    """The postings of an account and those below it by date: (date, description, posting, running total) tuples."""
    rows, running = [], {}
    for transaction in sorted(journal.transactions, key=lambda t: t.date):
        for posting in transaction.postings:
            if posting.account[: len(account)] == account:
                add(running, posting.currency, posting.value)
                rows.append((transaction.date, transaction.description, posting, dict(running)))
    return rows

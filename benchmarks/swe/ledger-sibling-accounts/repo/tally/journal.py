"""The journal format: transactions of postings."""

import datetime
import re
from collections import namedtuple

from .amounts import add, parse_amount

Posting = namedtuple("Posting", "account value currency")
Transaction = namedtuple("Transaction", "date description postings")
Journal = namedtuple("Journal", "transactions")

_HEAD = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\S.*)")
_POSTING = re.compile(r"\s+(\S+)(?:\s+(\S.*))?$")


class JournalError(ValueError):
    """The journal cannot be read; the message names the line."""


def parse(text):
    """Read a journal. Raises JournalError."""
    transactions, head, postings, start = [], None, [], 0

    def finish():
        if head is not None:
            transactions.append(Transaction(*head, _balanced(postings, start)))

    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        if line[0].isspace():
            if head is None:
                raise JournalError(f"line {number}: a posting before any transaction")
            postings.append(_posting(line, number))
            continue
        match = _HEAD.match(line)
        if match is None:
            raise JournalError(f"line {number}: expected a date and a description")
        finish()
        try:
            date = datetime.date.fromisoformat(match.group(1))
        except ValueError as error:
            raise JournalError(f"line {number}: {error}") from None
        head, postings, start = (date, match.group(2).strip()), [], number
    finish()
    return Journal(transactions)


def _posting(line, number):
    account, amount = _POSTING.match(line).groups()
    if "" in account.split(":"):
        raise JournalError(f"line {number}: an empty name in the account {account!r}")
    if amount is None:
        return Posting(account, None, None)
    try:
        return Posting(account, *parse_amount(amount))
    except ValueError as error:
        raise JournalError(f"line {number}: {error}") from None


def _balanced(postings, line):
    """The postings with the missing amount filled in; several currencies give several postings."""
    if len(postings) < 2:
        raise JournalError(f"line {line}: a transaction needs at least two postings")
    total, open_accounts = {}, []
    for posting in postings:
        if posting.value is None:
            open_accounts.append(posting.account)
        else:
            add(total, posting.currency, posting.value)
    if len(open_accounts) > 1:
        raise JournalError(f"line {line}: more than one posting without an amount")
    if not open_accounts:
        if total:
            raise JournalError(f"line {line}: the transaction does not balance")
        return postings
    known = [posting for posting in postings if posting.value is not None]
    return known + [Posting(open_accounts[0], -value, currency) for currency, value in sorted(total.items())]

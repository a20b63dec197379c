"""The command line."""

import argparse
import sys

from . import report
from .amounts import show
from .journal import JournalError, parse


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="tally", description="Plain-text bookkeeping.")
    commands = parser.add_subparsers(dest="command", required=True)
    balance = commands.add_parser("balance", help="sums per account")
    balance.add_argument("journal")
    balance.add_argument("account", nargs="?")
    balance.add_argument("--depth", type=int)
    register = commands.add_parser("register", help="postings with a running total")
    register.add_argument("journal")
    register.add_argument("account")
    accounts = commands.add_parser("accounts", help="names only")
    accounts.add_argument("journal")
    accounts.add_argument("account", nargs="?")
    return parser.parse_args(argv)


def main(argv, out=None):
    """Run one command; returns the exit status."""
    out = out or sys.stdout
    arguments = _arguments(argv)
    try:
        with open(arguments.journal, encoding="utf-8") as file:
            journal = parse(file.read())
    except (OSError, JournalError) as error:
        print(f"tally: {arguments.journal}: {error}", file=sys.stderr)
        return 1
    if arguments.command == "balance":
        for name, total in report.balance(journal, arguments.account, arguments.depth).items():
            print(f"{show(total):>20}  {name}", file=out)
    elif arguments.command == "register":
        for date, description, posting, running in report.register(journal, arguments.account):
            amount = show({posting.currency: posting.value})
            print(f"{date}  {description:<24}  {posting.account:<24} {amount:>14} {show(running):>14}", file=out)
    else:
        for name in report.accounts(journal, arguments.account):
            print(name, file=out)
    return 0

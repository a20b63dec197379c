"""Plain-text bookkeeping."""

from .journal import Journal, JournalError, Posting, Transaction, parse
from .report import accounts, balance, register

__all__ = ["Journal", "JournalError", "Posting", "Transaction", "accounts", "balance", "parse", "register"]

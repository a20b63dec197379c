"""Reads settings from `.env` files."""

from .errors import ParseError
from .parser import parse

__all__ = ["ParseError", "parse"]

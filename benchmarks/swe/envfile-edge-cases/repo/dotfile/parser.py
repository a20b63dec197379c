"""The format."""

import re

from .errors import ParseError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse(text):
    """{name: value} in the order of the text. Raises ParseError."""
    settings = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals:
            raise ParseError(number, f"expected NAME=value: {line!r}")
        if not _NAME.fullmatch(name):
            raise ParseError(number, f"not a name: {name!r}")
        settings[name] = _value(value.strip())
    return settings


def _value(text):
    """A value without its quotes, or without a comment behind it."""
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        return text[1:-1]
    return text.split("#")[0].strip()

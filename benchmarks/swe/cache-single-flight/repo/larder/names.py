"""Names that stand for addresses or for other names."""

import re

from .cache import Cache

_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_MOST_STEPS = 16


class UnknownName(LookupError):
    """Nothing is known about the name."""


class NameLoop(LookupError):
    """The name leads to too many other names."""


class Names:
    """`lookup(name)` returns an address, another name, or None."""

    def __init__(self, lookup, lifetime=300.0):
        self._lookup = lookup
        self._cache = Cache(self._load, lifetime)

    def address(self, name):
        """The address that a name leads to. Raises UnknownName and NameLoop."""
        return self._cache.get((name, 0))

    def refresh(self, name):
        """Look the name up again when it is asked for next."""
        for step in range(_MOST_STEPS):
            self._cache.invalidate((name, step))

    def _load(self, key):
        name, step = key
        if step == _MOST_STEPS:
            raise NameLoop(name)
        found = self._lookup(name)
        if found is None:
            raise UnknownName(name)
        if _ADDRESS.fullmatch(found):
            return found
        return self._cache.get((found, step + 1))

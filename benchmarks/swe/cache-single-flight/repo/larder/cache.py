"""A cache that loads what it does not have."""

import threading
import time
from collections import namedtuple

_Kept = namedtuple("_Kept", "value until")


class Cache:
    def __init__(self, load, lifetime=60.0, clock=time.monotonic):
        if lifetime <= 0:
            raise ValueError("a lifetime must be positive")
        self._load = load
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = {}
        self._hits = self._misses = 0

    def get(self, key):
        """The value for a key: the one that is kept, or a newly loaded one."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept.until:
                self._hits += 1
                return kept.value
            self._misses += 1
        value = self._load(key)
        with self._lock:
            self._kept[key] = _Kept(value, self._clock() + self._lifetime)
        return value

    def invalidate(self, key):
        """Forget the value for a key, if there is one."""
        with self._lock:
            self._kept.pop(key, None)

    def stats(self):
        """How many calls of `get` were answered without loading, and how many loaded."""
        with self._lock:
            return {"hits": self._hits, "misses": self._misses}

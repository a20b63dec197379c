"""Keeps what is expensive to get."""

from .cache import Cache
from .names import NameLoop, Names, UnknownName

__all__ = ["Cache", "NameLoop", "Names", "UnknownName"]

"""Packs directories."""

from .archive import pack
from .rules import Rules, load
from .tree import walk

__all__ = ["Rules", "load", "pack", "walk"]

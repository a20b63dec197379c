"""Notes in one SQLite file."""

from .notes import Note, Notebook
from .schema import LAYOUT, LayoutError

__all__ = ["LAYOUT", "LayoutError", "Note", "Notebook"]

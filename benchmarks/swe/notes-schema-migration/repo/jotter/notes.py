"""Reading and writing notes."""

import datetime
import sqlite3
from collections import namedtuple

from .schema import prepare

#: `tags` is a sorted list, `created` an aware datetime in UTC, `parent` the id of a note or None.
Note = namedtuple("Note", "id title body tags created parent")

UTC = datetime.timezone.utc


class Notebook:
    """An open file; use it in a `with` statement. Raises LayoutError."""

    def __init__(self, path):
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            prepare(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def add(self, title, body="", tags=(), created=None, parent=None):
        """Write a note; returns its id."""
        created = (created or datetime.datetime.now(UTC)).astimezone(UTC)
        row = (title, body, _join(tags), created.isoformat(" ", "seconds"), parent)
        cursor = self._connection.execute("INSERT INTO notes (title, body, tags, created, parent) VALUES (?, ?, ?, ?, ?)", row)
        return cursor.lastrowid

    def get(self, id):
        """The note with that id. Raises KeyError."""
        rows = self._connection.execute("SELECT id, title, body, tags, created, parent FROM notes WHERE id = ?", (id,))
        for row in rows:
            return _note(row)
        raise KeyError(id)

    def list(self, tag=None):
        """All notes, or those with a tag, oldest first."""
        rows = self._connection.execute("SELECT id, title, body, tags, created, parent FROM notes")
        notes = [_note(row) for row in rows]
        wanted = None if tag is None else _clean([tag])
        return sorted(
            (note for note in notes if wanted is None or set(wanted) <= set(note.tags)),
            key=lambda note: (note.created, note.id),
        )


def _clean(tags):
    """Tags in lower case without white space around them, each once, sorted; empty ones left out."""
    return sorted({tag.strip().lower() for tag in tags} - {""})


def _join(tags):
    tags = _clean(tags)
    if any("," in tag for tag in tags):
        raise ValueError("a tag cannot contain a comma")
    return ",".join(tags) or None


def _note(row):
    id, title, body, tags, created, parent = row
    moment = datetime.datetime.fromisoformat(created)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return Note(id, title, body, _clean((tags or "").split(",")), moment, parent)

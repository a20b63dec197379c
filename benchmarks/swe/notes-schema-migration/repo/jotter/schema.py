"""The layout of a file."""

import sqlite3

#: The layout that this program reads and writes.
LAYOUT = 1

LAYOUT_1 = """
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    tags TEXT,
    created TEXT NOT NULL,
    parent INTEGER
)
"""


class LayoutError(Exception):
    """The file is no notebook, or has a layout that this program does not know."""


def layout(connection):
    """The layout of an open file; 0 for a new one. Raises LayoutError if it is no SQLite file."""
    try:
        return connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise LayoutError(str(error)) from None


def prepare(connection):
    """Make the tables of a new file. Raises LayoutError unless the file has our layout then."""
    found = layout(connection)
    if found == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise LayoutError("a database of another program")
        with connection:
            connection.execute("BEGIN")
            connection.execute(LAYOUT_1)
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
    elif found != LAYOUT:
        raise LayoutError(f"layout {found}; this program knows {LAYOUT}")

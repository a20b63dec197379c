"""Which paths stay out of the archive."""

import fnmatch
import os

FILE_NAME = ".packignore"


class Rules:
    """The patterns of one ignore file."""

    def __init__(self, lines=()):
        self._patterns = []
        for line in lines:
            line = line.strip()
            if line and not line.startswith("#"):
                self._patterns.append(line)

    def ignored(self, path, is_directory):
        """Whether `path` (relative, `/` between names) or a directory above it matches a pattern."""
        return any(self._matches(name) for name in path.split("/"))

    def _matches(self, name):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)


def load(directory):
    """The rules of a directory; none where it has no ignore file."""
    try:
        with open(os.path.join(directory, FILE_NAME), encoding="utf-8") as lines:
            return Rules(lines)
    except FileNotFoundError:
        return Rules()

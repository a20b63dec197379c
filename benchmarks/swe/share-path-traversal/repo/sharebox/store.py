"""The shared directory. Names are paths with `/` between names, relative to the root."""

import os


class Forbidden(Exception):
    """The name leads out of the shared directory."""


class Missing(Exception):
    """There is nothing of that name, or something of another kind."""


class Store:
    def __init__(self, root):
        self._root = os.path.abspath(root)

    def read(self, name):
        """The content of a file."""
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise Missing(name) from None

    def list(self, name):
        """The names in a directory, sorted; those of directories end with a slash."""
        path = os.path.join(self._root, name.lstrip("/"))
        try:
            names = os.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(name) from None
        return sorted(entry + "/" if os.path.isdir(os.path.join(path, entry)) else entry for entry in names)

    def write(self, name, content):
        """Make or replace a file, with the directories on the way."""
        path = self._path(name)
        if name.endswith("/") or os.path.isdir(path):
            raise Missing(name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".part", "wb") as file:
                file.write(content)
            os.replace(path + ".part", path)
        except (FileExistsError, NotADirectoryError):
            raise Missing(name) from None

    def delete(self, name):
        """Remove a file."""
        try:
            os.unlink(os.path.join(self._root, name))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
            raise Missing(name) from None

    def _path(self, name):
        """Where a file is."""
        if name.startswith("/"):
            raise Forbidden(name)
        path = os.path.normpath(os.path.join(self._root, name))
        if not path.startswith(self._root):
            raise Forbidden(name)
        return path

"""Where metadata comes from."""

import json
import os
import re
from collections import namedtuple

from .errors import UnknownPackage

#: `size` in bytes, `requires` the names of packages that must be there before.
Metadata = namedtuple("Metadata", "name size requires")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class DirectoryRegistry:
    """One file NAME.json per package: {"size": 1200, "requires": ["libc"]}."""

    def __init__(self, directory):
        self._directory = directory

    def metadata(self, name):
        if not _NAME.fullmatch(name):
            raise UnknownPackage(name)
        try:
            with open(os.path.join(self._directory, f"{name}.json"), encoding="utf-8") as file:
                content = json.load(file)
        except FileNotFoundError:
            raise UnknownPackage(name) from None
        return Metadata(name, int(content["size"]), tuple(content.get("requires", ())))

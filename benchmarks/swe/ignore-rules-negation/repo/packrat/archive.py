"""Reproducible archives."""

import os
import tarfile

from .rules import load
from .tree import walk


def pack(directory, target):
    """Write the files of `directory` to the open binary file `target`: the same files always give the same bytes."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in walk(directory, load(directory)):
            archive.add(os.path.join(directory, path), arcname=path, recursive=False, filter=_anonymous)


def _anonymous(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
    return entry

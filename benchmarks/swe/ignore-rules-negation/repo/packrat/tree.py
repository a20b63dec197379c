"""What is in a directory."""

import os


def walk(root, rules):
    """The files below `root` that `rules` let through: relative paths with `/` between names, sorted.

    Symbolic links are listed and not followed. Ignored directories are not entered.
    """
    found, pending = [], [""]
    while pending:
        directory = pending.pop()
        with os.scandir(os.path.join(root, directory)) as entries:
            for entry in entries:
                path = f"{directory}/{entry.name}" if directory else entry.name
                is_directory = entry.is_dir(follow_symlinks=False)
                if rules.ignored(path, is_directory):
                    continue
                (pending if is_directory else found).append(path)
    return sorted(found)

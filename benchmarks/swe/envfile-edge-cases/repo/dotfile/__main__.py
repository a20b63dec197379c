import os
import sys

from . import ParseError, parse

USAGE = "usage: python3 -m dotfile show FILE... | run FILE -- PROGRAM [ARGUMENT...]"


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        try:
            return parse(file.read())
        except ParseError as error:
            raise SystemExit(f"dotfile: {path}: {error}") from None


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "show":
        settings = {}
        for path in arguments[1:]:
            settings.update(read(path))
        for name, value in settings.items():
            print(f"{name}={value}")
    elif len(arguments) >= 4 and arguments[0] == "run" and arguments[2] == "--":
        os.execvpe(arguments[3], arguments[3:], {**os.environ, **read(arguments[1])})
    else:
        raise SystemExit(USAGE)


main(sys.argv[1:])

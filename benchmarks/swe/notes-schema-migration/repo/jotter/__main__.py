import argparse
import sys

from . import LayoutError, Notebook


def main():
    parser = argparse.ArgumentParser(prog="jotter", description="Notes in one SQLite file.")
    parser.add_argument("file")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="write a note")
    add.add_argument("title")
    add.add_argument("--tag", action="append", default=[])
    listing = commands.add_parser("list", help="one line per note")
    listing.add_argument("--tag")
    show = commands.add_parser("show", help="one note")
    show.add_argument("id", type=int)
    arguments = parser.parse_args()
    try:
        with Notebook(arguments.file) as notebook:
            return run(notebook, arguments)
    except LayoutError as error:
        print(f"jotter: {arguments.file}: {error}", file=sys.stderr)
        return 1


def run(notebook, arguments):
    if arguments.command == "add":
        print(notebook.add(arguments.title, sys.stdin.read(), arguments.tag))
    elif arguments.command == "list":
        for note in notebook.list(arguments.tag):
            print(f"{note.id:4}  {note.created:%Y-%m-%d %H:%M}  {note.title}  {' '.join('#' + tag for tag in note.tags)}".rstrip())
    else:
        try:
            note = notebook.get(arguments.id)
        except KeyError:
            print(f"jotter: there is no note {arguments.id}", file=sys.stderr)
            return 1
        print(f"{note.title}\n\n{note.body}", end="")
    return 0


sys.exit(main())

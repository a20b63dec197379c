import argparse
import sys

from . import load, pack, walk


def main():
    parser = argparse.ArgumentParser(prog="packrat", description="Packs directories.")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what would be packed")
    listing.add_argument("directory")
    packing = commands.add_parser("pack", help="write a tar archive")
    packing.add_argument("directory")
    packing.add_argument("out")
    arguments = parser.parse_args()
    try:
        if arguments.command == "list":
            for path in walk(arguments.directory, load(arguments.directory)):
                print(path)
        else:
            with open(arguments.out, "wb") as target:
                pack(arguments.directory, target)
    except OSError as error:
        print(f"packrat: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())

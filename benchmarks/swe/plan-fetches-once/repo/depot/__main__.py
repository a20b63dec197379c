import argparse
import sys

from . import CycleError, DirectoryRegistry, UnknownPackage, needed_by, plan, total_size


def main():
    parser = argparse.ArgumentParser(prog="depot", description="Plans the installation of packages.")
    parser.add_argument("command", choices=["plan", "size", "why"])
    parser.add_argument("registry")
    parser.add_argument("packages", nargs="+")
    arguments = parser.parse_args()
    registry = DirectoryRegistry(arguments.registry)
    try:
        if arguments.command == "plan":
            print("\n".join(plan(arguments.packages, registry)))
        elif arguments.command == "size":
            print(total_size(arguments.packages, registry))
        else:
            for name, others in needed_by(arguments.packages, registry).items():
                print(f"{name}: {', '.join(others) or 'asked for'}")
    except (CycleError, UnknownPackage) as error:
        print(f"depot: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())

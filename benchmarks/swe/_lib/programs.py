"""What checks of shell scripts, C sources and Makefiles share, on top of `judge.py`, which it needs loaded first:

    import pathlib, sys, types
    HERE = pathlib.Path(__file__).resolve().parent

    def load(name):
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile((HERE / (name + ".py")).read_bytes(), name + ".py", "exec"), module.__dict__)
        return module

    judge, programs = load("judge"), load("programs")

Like there, the parent only ever reads what a program printed and wrote: it links, sources and trusts nothing of it.
"""

import os
import stat
import sys

judge = sys.modules["judge"]


def run(argv, cwd, code=0, **options):
    """`judge.run`, failing unless the program ended by itself with the exit status `code` (None: any)."""
    result = judge.run(argv, cwd, **options)
    if result.timed_out or (code is not None and result.code != code):
        words = " ".join(repr(os.fsdecode(word)) for word in argv)
        raise judge.Failure("%s: expected exit status %s, got %r" % (words, code, result))
    return result


def tree(path):
    """The files below `path` (str, bytes or path): {name relative to it, as bytes: content as bytes}.

    A symbolic link counts by its target (b"-> target"), a directory only if it is empty (b"<dir>").
    """
    root = os.fsencode(path)
    found = {}
    for folder, folders, files in os.walk(root):
        if folder != root and not folders and not files:
            found[os.path.relpath(folder, root)] = b"<dir>"
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            full = os.path.join(folder, name)
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                content = b"-> " + os.readlink(full)
            elif stat.S_ISREG(mode):
                with open(full, "rb") as file:
                    content = file.read()
            else:
                content = b"<special>"
            found[os.path.relpath(full, root)] = content
    return found


def plant(path, files):
    """Writes `files` ({relative name: content}, both bytes) below `path`."""
    for name, content in files.items():
        full = os.path.join(os.fsencode(path), name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)


def same_tree(actual, wanted, what):
    """Fails, showing the differences, unless two results of `tree` are equal."""
    lines = [
        "%r: expected %s, found %s" % (name, _short(wanted.get(name)), _short(actual.get(name)))
        for name in sorted(set(actual) | set(wanted))
        if actual.get(name) != wanted.get(name)
    ]
    if lines:
        raise judge.Failure("%s:\n%s" % (what, "\n".join(lines[:12])))


def compile_c(sources, output, include=(), flags=(), std="c11"):
    """Compiles and links C sources to the program `output` with `cc`; fails with the compiler's words if that fails."""
    argv = ["cc", "-std=" + std, "-O1", "-g", "-D_POSIX_C_SOURCE=200809L", "-o", output]
    argv += ["-I%s" % folder for folder in include] + list(flags) + list(sources)
    run(argv, os.path.dirname(os.fspath(output)), timeout=40)
    return output


def sanitizers():
    """The flags with which `cc` instruments for memory and arithmetic errors, or none where that does not work."""
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    folder = judge.scratch()
    (folder / "probe.c").write_text("int main(void) { return 0; }\n")
    try:
        compile_c([folder / "probe.c"], folder / "probe", flags=flags)
        # Some kernels and containers refuse the address space it wants: only what runs is used.
        run([folder / "probe"], folder)
    except judge.Failure:
        return []
    return flags


def _short(value):
    shown = repr(value)
    return shown if len(shown) <= 200 else shown[:100] + " ... " + shown[-100:]

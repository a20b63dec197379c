"""Drives bin/shelve with random file names and compares every shelf with a model of it."""

import os
import pathlib
import re
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent


def load(name):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile((HERE / (name + ".py")).read_bytes(), name + ".py", "exec"), module.__dict__)
    return module


judge, programs = load("judge"), load("programs")
suite = judge.Suite()
rng = judge.rng()

GENERATION = re.compile(rb"\A([^/]+)\.([1-9][0-9]{0,3})\Z")


class Shelf:
    """A shelf on the disk, driven through the program, beside a model of what it must hold."""

    def __init__(self, name=b"shelf"):
        self.program = os.fsencode(judge.checkout(HERE.parent))
        self.work = os.fsencode(judge.scratch())
        self.name = name
        self.path = os.path.join(self.work, name)
        self.model = {}

    def shelve(self, command, *words, env=None, code=0):
        script = os.path.join(self.program, b"bin", b"shelve")
        shelf = [] if env else [b"-d", self.name]
        return programs.run([b"sh", script, command, *shelf, *words], self.work, env=env, code=code)

    def store(self, keep, files, dashes=True):
        """Writes {path relative to the work directory: content}, stores them in one command."""
        programs.plant(self.work, files)
        words = [b"-k", b"%d" % keep] + ([b"--"] if dashes else []) + list(files)
        self.shelve(b"store", *words)
        for path, content in files.items():
            name = path.rsplit(b"/", 1)[-1]
            moved = {}
            for on_shelf in list(self.model):
                found = GENERATION.match(on_shelf)
                if found and found.group(1) == name:
                    number, old = int(found.group(2)) + 1, self.model.pop(on_shelf)
                    if number <= keep:
                        moved[b"%s.%d" % (name, number)] = old
            self.model.update(moved)
            self.model[name + b".1"] = content
        self.compare("the shelf after store of %r" % list(files))
        for path, content in files.items():
            with open(os.path.join(self.work, path), "rb") as file:
                judge.equal(file.read(), content, "store changed the file that it stores, %r" % path)

    def prune(self, keep):
        self.shelve(b"prune", b"-k", b"%d" % keep)
        for on_shelf in list(self.model):
            found = GENERATION.match(on_shelf)
            if found and int(found.group(2)) > keep:
                del self.model[on_shelf]
        self.compare("the shelf after prune")

    def list(self):
        counts = {}
        for on_shelf in self.model:
            found = GENERATION.match(on_shelf)
            if found:
                counts[found.group(1)] = counts.get(found.group(1), 0) + 1
        wanted = sorted(b"%d %s" % (count, name) for name, count in counts.items())
        for flag, end in ((b"-0", b"\0"), (None, b"\n")):
            out = self.shelve(b"list", *([flag] if flag else [])).stdout
            judge.equal(sorted(out), sorted(b"".join(w + end for w in wanted)), "the characters of list")
            if flag or not any(b"\n" in w for w in wanted):
                judge.equal(sorted(out.split(end)), sorted(wanted + [b""]), "the records of list")

    def restore(self, name, generation, target):
        self.shelve(b"restore", b"-g", b"%d" % generation, b"--", name, target)
        with open(os.path.join(self.work, target), "rb") as file:
            judge.equal(file.read(), self.model[b"%s.%d" % (name, generation)], "restored %r" % name)

    def compare(self, what):
        programs.same_tree(programs.tree(self.path), self.model, what)

    def foreign(self, name, content):
        """A file that is not shelve's."""
        programs.plant(self.path, {name: content})
        self.model[name] = content


def token():
    return b"%08x" % rng.getrandbits(32)


def exercise(names, shelf_name=b"shelf"):
    """Stores, lists, prunes and restores `names` in random order on one shelf."""
    shelf = Shelf(shelf_name)
    for _ in range(3):
        some = rng.sample(names, rng.randint(1, len(names)))
        shelf.store(rng.randint(2, 4), {name: token() for name in some})
    shelf.store(3, {name: token() for name in names})
    shelf.list()
    shelf.store(3, {rng.choice(names): token()})
    generations = [GENERATION.match(path) for path in shelf.model]
    for found in rng.sample(generations, min(3, len(generations))):
        shelf.restore(found.group(1), int(found.group(2)), b"- back " + token())
    shelf.prune(2)
    shelf.prune(1)
    shelf.list()


@suite.check("names with blanks and tabs")
def blanks():
    word = token()
    exercise([b"Summer 2019.jpg", b"Summer", b"2019.jpg", b" " + word, word + b" ", word + b"  x", b"a\tb", b" "])


@suite.check("names with line breaks, also at the end")
def line_breaks():
    word = token()
    exercise([word, word + b"\n", word + b"\n\n", b"\n" + word, b"\n", b"a.1\nb", b"a", b"b", b"x\n.2"])


@suite.check("names that look like options")
def dashes():
    exercise([b"-draft.txt", b"-n", b"--", b"-", b"-rf", b"--help", b"-" + token(), b"draft.txt"])


@suite.check("names with pattern characters, beside names that the patterns match")
def patterns():
    exercise([b"a.c", b"abc", b"[1].png", b"1.png", b"*", b"what?", b"whats", b"a+", b"aa", b"^a", b"a$", b"x[", b"]",
                   b"\\.", b"a\\b"])


@suite.check("hidden files")
def hidden():
    exercise([b".profile", b"...", b".x y", b"profile", b".\n", b"..a", b".." + token()])


@suite.check("names with quotes, commands and bytes that are not ASCII")
def commands():
    exercise([b"$(touch owned)", b"`touch owned`", b"it's", b'"', b"a;touch owned", b"$HOME", b"%s%d\\n", b"\xff\xfe",
              "café ü".encode(), b"a&b|c", b"!", b"#", b"~", b"\\n"])


@suite.check("names that end like a generation, and names that begin with another's")
def generations():
    exercise([b"report", b"report.2", b"report.2.1", b"report.x", b"report 2", b"a", b"a.b", b"a.b.c", b"7", b"1.1"])


@suite.check("random names")
def random_names():
    alphabet = b" \n\t-.*?[]\\'\"$`;&|<>(){}~#%=+^!,:@a1Z\x01\x7f\x80\xc3\xa9\xff"
    for _ in range(2):
        names = set()
        while len(names) < 8:
            name = bytes(rng.choice(alphabet) for _ in range(rng.randint(1, 6)))
            if name not in (b".", b".."):
                names.add(name)
        exercise(sorted(names))


@suite.check("shelves with odd paths")
def shelves():
    for name in (b"my shelf", b"a*b", b"-shelf", b"-n", b"new\nline", b"$(touch owned)", b"deep/er/[x]/ y", b"trailing\n"):
        shelf = Shelf(name)
        programs.plant(shelf.work, {b"aXb/f.1": b"another directory", b"my/f.1": b"another directory"})
        for _ in range(2):
            shelf.store(2, {b"f": token(), b"a b": token()})
        shelf.list()
        shelf.restore(b"a b", 2, b"back")
        shelf.prune(1)
        beside = programs.tree(shelf.work)
        judge.equal((beside[b"aXb/f.1"], beside[b"my/f.1"]), (b"another directory",) * 2, "files beside the shelf")


@suite.check("what is not shelve's is not touched, listed or counted")
def others():
    shelf = Shelf()
    shelf.store(5, {b"n": token(), b"a b": token()})
    for name in (b"README", b"n.bak", b"n.01", b"n.0", b"n.12345", b"n.1x", b"n. 1", b"n.1\n", b"n.\n1", b"a b.1.bak",
                 b"sub/n.7", b"n.9/inner", b"n.x.y"):
        shelf.foreign(name, token())
    shelf.foreign(b"n.5", token())
    shelf.foreign(b"n.1234", token())
    shelf.foreign(b"old.30", token())
    shelf.list()
    shelf.prune(4)
    shelf.list()
    shelf.store(5, {b"n": token()})
    shelf.store(2, {b"a b": token()})
    shelf.list()


@suite.check("files in other directories are stored under their last component, without -- too")
def paths():
    shelf = Shelf()
    shelf.store(4, {b"in here/-x": token(), b"in here/a b": token()}, dashes=False)
    shelf.store(4, {b"-dir/a b": token(), b"./-x": token()})
    shelf.list()


@suite.check("missing files are reported, skipped and make exit status 1")
def missing():
    shelf = Shelf()
    programs.plant(shelf.work, {b"a b": b"1", b"dir ectory/x": b"", b"-c": b"2"})
    result = shelf.shelve(b"store", b"--", b"no\n such", b"a b", b"dir ectory", b"-c", code=1)
    judge.true(b"no\n such" in result.stderr and b"dir ectory" in result.stderr, "the missing are not named\n%r" % result)
    shelf.model = {b"a b.1": b"1", b"-c.1": b"2"}
    shelf.compare("the shelf after some files were missing")
    programs.plant(shelf.work, {b"keep me": b"before"})
    for name, number in ((b"a b", b"2"), (b"a*", b"1"), (b"", b"1"), (b"a", b"1")):
        shelf.shelve(b"restore", b"-g", number, b"--", name, b"keep me", code=1)
    judge.equal(programs.tree(shelf.work)[b"keep me"], b"before", "the target of a failed restore")


@suite.check("SHELVE_DIR, list and prune of a shelf that is not there, usage errors")
def usage():
    shelf = Shelf(b"by variable")
    programs.plant(shelf.work, {b"a b": b"1"})
    shelf.shelve(b"store", b"a b", env={"SHELVE_DIR": "by variable"})
    shelf.model = {b"a b.1": b"1"}
    shelf.compare("the shelf of SHELVE_DIR")
    shelf.name = b"not there"
    judge.equal(shelf.shelve(b"list").stdout, b"", "list of no shelf")
    shelf.shelve(b"prune", b"-k", b"1")
    for words in ((b"store",), (b"store", b"-k", b"0", b"a b"), (b"store", b"-k", b"1 2", b"a b"), (b"prune",),
                  (b"restore", b"a b"), (b"restore", b"-g", b"1000000", b"a b", b"x"), (b"list", b"x"), (b"burn",)):
        shelf.shelve(*words, code=2)
    judge.true(not os.path.exists(os.path.join(shelf.work, b"not there")), "a usage error made a shelf")


@suite.check("the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests/run.sh": HERE / "visible.sh"})
    lines = programs.run(["sh", "tests/run.sh"], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (13, 13), "lines of the tests")


suite.main(plan=14)

"""Makes repositories with random commit messages and compares the notes with a model of the specification."""

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

HEADER = re.compile(r"([a-z]+)(?:\(([^()]+)\))?(!?):[ \t](.*)")
START = re.compile(r"BREAKING[ -]CHANGE: (.*)")
FOOTER = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|BREAKING CHANGE)(?:: | #)")
SECTIONS = {"feat": "Features", "fix": "Fixes", "perf": "Performance"}
ORDER = ["Breaking changes", "Features", "Fixes", "Performance"]


class Repository:
    """A git repository with the given messages, oldest first. `side` messages are on a branch that is merged at the end."""

    def __init__(self, messages, side=()):
        self.path = judge.scratch()
        self.program = judge.checkout(HERE.parent) / "bin" / "relnotes"
        self.git("init", "-q", "-b", "main")
        stream, number = [], 0

        def commit(branch, message, parents):
            nonlocal number
            number += 1
            data = message.encode()
            stream.append(b"commit refs/heads/%s\nmark :%d\ncommitter T <t@t.example> %d +0000\ndata %d\n%s\n" % (
                branch, number, 1700000000 + 60 * number, len(data), data))
            stream.extend(b"%s :%d\n" % (b"merge" if i else b"from", p) for i, p in enumerate(parents))
            return number

        last = None
        for message in messages:
            last = commit(b"main", message, [last] if last else [])
        if side:
            branch = 1
            for message in side:
                branch = commit(b"side", message, [branch])
            commit(b"main", "feat!: the merge itself\n\nBREAKING CHANGE: is left out\n", [last, branch])
        self.git("fast-import", "--quiet", input=b"".join(stream))

    def git(self, *words, input=b""):
        return programs.run(["git", "-c", "core.fsync=none", *words], self.path, input=input).text

    def commits(self, range):
        """(hash, message) of the commits of a range, in the order of the notes."""
        out = self.git("log", "--no-merges", "--topo-order", "--reverse", "--format=%H%n%B%x00", range, "--")
        return [tuple(record.lstrip("\n").split("\n", 1)) for record in out.split("\0")[:-1]]

    def relnotes(self, *words, code=0):
        return programs.run(["sh", self.program, *words], self.path, code=code).text

    def check(self, range="HEAD", title=None):
        """Compares notes and bump of a range with the model."""
        entries = model(self.commits(range))
        given = [] if title is None else ["-t", title]
        words = [] if range == "HEAD" and rng.random() < 0.5 else [range]
        judge.equal(self.relnotes(*given, *words), printed(entries, title or "Release notes"), "notes of %s" % range)
        bump = "major" if entries["Breaking changes"] else "minor" if entries["Features"] else (
            "patch" if entries["Fixes"] or entries["Performance"] else "none")
        judge.equal(self.relnotes("-b", *words), bump + "\n", "relnotes -b of %s" % range)


def model(commits):
    """The entries of each section, as the specification has it."""
    entries = {name: [] for name in ORDER}
    for hash, message in commits:
        header, *body = message.split("\n")
        kind = scope = ""
        found = HEADER.fullmatch(header)
        description = found.group(4).strip(" \t") if found else ""
        if description:
            kind, scope = found.group(1), found.group(2) or ""
        texts, open_text = [], False
        for line in body[1:]:
            start = START.match(line)
            if start and start.group(1).strip(" \t"):
                texts.append(start.group(1).strip(" \t"))
                open_text = True
            elif not line.strip(" \t") or FOOTER.match(line):
                open_text = False
            elif open_text:
                texts[-1] += " " + line.strip(" \t")
        if not texts and kind and found.group(3):
            texts = [description]
        for text in texts:
            entries["Breaking changes"].append(entry(scope, text, hash))
        if kind in SECTIONS:
            entries[SECTIONS[kind]].append(entry(scope, description, hash))
    return entries


def safe(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def entry(scope, text, hash):
    return "- %s%s (%s)\n" % ("**%s:** " % safe(scope) if scope else "", safe(text), hash[:10])


def printed(entries, title):
    return "# %s\n" % safe(title) + "".join(
        "\n## %s\n\n%s" % (name, "".join(entries[name])) for name in ORDER if entries[name])


def words(least=1, most=5):
    pool = ["drop", "version", "1", "the", "<b>", "&", "&amp;", "a\\tb", "\\1", "%s", "C:", "(x)", "!", "feat:", "é", "api/v2",
            "'quoted'", '"so"', "$HOME", "`x`", "#12", "not BREAKING CHANGE: here", "end."]
    return " ".join(rng.choice(pool) for _ in range(rng.randint(least, most)))


def header():
    kind = rng.choice(["feat", "fix", "perf", "chore", "refactor", "docs", "x", "feature"])
    scope = rng.choice(["", "", "(api)", "(a b)", "(<core> & co)", "(x!)", "(ü)"])
    return rng.choice([
        "%s%s%s: %s" % (kind, scope, rng.choice(["", "", "!"]), words()),
        "%s%s!:   %s" % (kind, scope, words()),
        "Merge %s" % words(), "Feat!: %s" % words(), "feat !: %s" % words(), "feat!!: %s" % words(), "feat!%s: %s" % (scope or "(a)", words()),
        "feat(): %s" % words(), "feat!:%s" % words(), "fix: %s" % words(), "feat: %s!" % words(), "note! see %s" % words(),
    ])


def body():
    lines = []
    for _ in range(rng.randint(0, 9)):
        lines.append(rng.choice([
            "", "", "Some text, %s" % words(), "  indented %s  " % words(), "BREAKING CHANGE: %s" % words(), "BREAKING-CHANGE: %s" % words(),
            "BREAKING CHANGE:   %s" % words(), "Signed-off-by: A <a@a.example>", "Fixes #12", "Co-authored-by: %s" % words(),
            "BREAKING CHANGE #4", "breaking change: %s" % words(), "BREAKING CHANGE in %s" % words(), " BREAKING CHANGE: %s" % words(),
            "BREAKING CHANGES: %s" % words(), "BREAKING_CHANGE: %s" % words(), "two words: %s" % words(), "http://x.example", "- item: %s" % words(), "9a: %s" % words(),
        ]))
    return "\n".join(lines)


def message():
    text = body().strip("\n")
    return header() + ("\n\n" + text if text.strip() else "") + "\n"


@suite.check("a ! before the colon")
def exclamation():
    a, b, c = words(), words(), words()
    Repository(["feat!: " + a, "refactor(core)!: " + b, "fix(api): " + c, "chore: x", "perf(y)!: z"]).check()


@suite.check("one footer, with and without a !, in either spelling")
def footers():
    for sign in ("", "!"):
        for spelling in ("BREAKING CHANGE", "BREAKING-CHANGE"):
            Repository(["fix(io)%s: %s\n\nWhy and how.\n\n%s: %s\n" % (sign, words(), spelling, words())]).check()


@suite.check("several footers, over several lines, among other footers")
def many():
    Repository([
        "feat(cli)!: %s\n\nText.\n\nBREAKING CHANGE: %s\n  %s\n%s\nReviewed-by: A\nnot: more\nBREAKING-CHANGE: %s\n%s\n\nnot any more\n" % (
            words(), words(), words(), words(), words(), words()),
        "docs: %s\n\nBREAKING CHANGE: %s\nBREAKING CHANGE: %s\nFixes #7\nand this belongs to #7\n" % (words(), words(), words()),
    ]).check()


@suite.check("what looks like a footer and is none")
def lookalikes():
    Repository([
        "chore: %s\n\nbreaking change: a\nBREAKING CHANGES: b\n BREAKING CHANGE: c\nBREAKING CHANGE d\nBREAKING CHANGE:e\n" % words(),
        "chore: mention BREAKING CHANGE: in the header", "feat: really!", "docs: feat!: quoted", "feat! : x", "feat(!): x", "feat!(api): x"
    ]).check()


@suite.check("headers of other forms count by their footers and have no scope")
def other_headers():
    Repository(["fix(scope)!: %s" % words(), "Update the parser\n\nBREAKING CHANGE: %s\n" % words(),
                "Feat(api): %s\n\nBREAKING-CHANGE: %s\n" % (words(), words()), "wip!!: x"]).check()


@suite.check("-b asks for a major version only if the range breaks something")
def bump():
    repository = Repository(["feat!: first", "docs: second", "fix: third", "feat: fourth", "chore: fifth\n\nBREAKING CHANGE: sixth\n"])
    for range, wanted in (("HEAD", "major"), ("HEAD~4", "major"), ("HEAD~4..HEAD~3", "none"), ("HEAD~4..HEAD~2", "patch"),
                          ("HEAD~4..HEAD~1", "minor"), ("HEAD~1..", "major")):
        judge.equal(repository.relnotes("-b", range), wanted + "\n", "relnotes -b %s" % range)
        repository.check(range)


@suite.check("random histories")
def random_histories():
    for _ in range(8):
        repository = Repository([message() for _ in range(rng.randint(2, 30))])
        repository.check(title=words())
        repository.check("HEAD~1..HEAD")


@suite.check("histories with merges")
def merges():
    for _ in range(2):
        repository = Repository([message() for _ in range(8)], side=[message() for _ in range(5)])
        repository.check()
        repository.check("HEAD^1..HEAD")


@suite.check("long histories and long messages")
def long():
    text = "\n".join("line %d & more" % number for number in range(400))
    Repository(["feat!: %d" % number for number in range(300)] + ["fix: x\n\nBREAKING CHANGE: begin\n%s\n" % text]).check()


@suite.check("usage errors are as before")
def usage():
    repository = Repository(["feat!: x"])
    for given in (("no-such-range",), ("HEAD", "HEAD"), ("-x",)):
        repository.relnotes(*given, code=2)


@suite.check("the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests/run.sh": HERE / "visible.sh"})
    lines = programs.run(["sh", "tests/run.sh"], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (9, 9), "lines of the tests")


suite.main(plan=11)

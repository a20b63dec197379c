"""Ignore rules compared with a model that matches character by character and name by name."""

import pathlib
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()


# -- the model ------------------------------------------------------------------------------------------------------

def name_matches(pattern, name):
    if not pattern:
        return not name
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return name_matches(rest, name) or bool(name) and name_matches(pattern, name[1:])
    if not name:
        return False
    if head == "?":
        return name_matches(rest, name[1:])
    # A set has at least one member, so its closing bracket is not right behind the opening one.
    close = rest.find("]", 2 if rest.startswith("!") else 1) if head == "[" else -1
    if close < 0:
        return head == name[0] and name_matches(rest, name[1:])
    members, wanted = rest[:close], True
    if members.startswith("!"):
        members, wanted = members[1:], False
    chars = set()
    while members:
        if len(members) >= 3 and members[1] == "-":
            chars |= {chr(c) for c in range(ord(members[0]), ord(members[2]) + 1)}
            members = members[3:]
        else:
            chars.add(members[0])
            members = members[1:]
    return (name[0] in chars) == wanted and name_matches(rest[close + 1 :], name[1:])


def names_match(patterns, names):
    if not patterns:
        return not names
    if patterns == ["**"]:
        return bool(names)
    if patterns[0] == "**":
        return names_match(patterns[1:], names) or bool(names) and names_match(patterns, names[1:])
    return bool(names) and name_matches(patterns[0], names[0]) and names_match(patterns[1:], names[1:])


def decision(lines, names, is_directory):
    left_out = False
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        exception = line.startswith("!")
        if exception or line.startswith(("\\#", "\\!")):
            line = line[1:]
        only_directories = line.endswith("/")
        line = line[:-1] if only_directories else line
        if only_directories and not is_directory:
            continue
        if "/" in line:
            hit = names_match(line[1:].split("/") if line.startswith("/") else line.split("/"), names)
        else:
            hit = name_matches(line, names[-1])
        if hit:
            left_out = not exception
    return left_out


def ignored(lines, path, is_directory):
    names = path.split("/")
    return any(
        decision(lines, names[:n], is_directory or n < len(names)) for n in range(1, len(names) + 1)
    )


# -- questions ------------------------------------------------------------------------------------------------------

def ask(cases):
    """[(lines, path, is_directory)] -> what the code under test answers."""
    with judge.Session(repo) as python:
        return python.run(
            "import packrat\nreturn [packrat.Rules(l).ignored(p, is_directory=d) for l, p, d in cases]",
            cases=[list(case) for case in cases],
        )


def compare(cases):
    for case, answer in judge.paired(cases, ask(cases)):
        judge.equal(answer, ignored(*case), f"ignored with {case[0]}: {case[1]!r}, is_directory={case[2]}")


PATHS = ["a", "b", "ab", "ba", "abc", "a.b", "c", "a/b", "b/a", "a/b/c", "a/a/b", "a/c/b", "a/c/c/b", "b/a/b", "c/a/b/a", "c/b", "A", "a/B"]
PATHS += ["!a", "#a", "c/#a", "c/!a", "[a", "c/[b", "a-b", "(a)", "a+", "b/a+", "a$", "ab/c/ab/a", "ab/ab", "b/c/a.b", "^a", "a|b", ".a", "c/.a"]


def over(*rule_sets):
    compare([(lines, path, kind) for lines in rule_sets for path in PATHS for kind in (False, True)])


@suite.check("comments, blanks, white space and backslashes")
def _():
    over(["", "   ", "#a", "  b  "], ["\\#a"], ["\\!a"], ["# a", "\\#a", "!#a"], ["\ta\t"], ["*", "!\\!a", "!#a"], ["!!a"], ["*", "!!a"])


@suite.check("exceptions: the last match decides")
def _():
    over(["a*", "!ab"], ["!ab", "a*"], ["*b", "!a/b", "b"], ["*", "!c"], ["a", "!a", "a", "!b"], ["*", "!*b", "ab"], ["!a"])


@suite.check("directories only")
def _():
    over(["a/"], ["a/", "!a"], ["a", "!a/"], ["a/b/"], ["/b/"], ["*/", "!c/"], ["*", "!*/"], ["**/a/"])


@suite.check("anchored patterns")
def _():
    over(["/a"], ["/a/b"], ["a/b"], ["b/a"], ["/*"], ["*/b"], ["/*/*"], ["a/*/b"], ["?/a"], ["/ab", "!/ab"], ["c/*", "!c/b"])


@suite.check("wildcards never stand for a slash; other characters stand for themselves")
def _():
    over(["a*b"], ["/a*b"], ["/a?b"], ["a/[!x]"], ["/a[!x]b"], ["[a-b]b"], ["[!a]*"], ["a.b"], ["(a)"], ["a+"], ["a$"], ["^a"], ["a|b"], ["[a"])
    over(["A"], ["a/b*"], ["c/[b"], ["c/[!"], ["[ac]/b"], ["/[ab]/[!b]"], ["?"], ["*.b"], [".*"], ["a[+-.]b"], ["a[.-]b"])


@suite.check("two stars")
def _():
    over(["**/b"], ["a/**"], ["a/**/b"], ["/**/a/b"], ["**"], ["a**"], ["/a**/b"], ["**b/c"], ["**/**/b"], ["a/**/**"], ["**/"], ["c/**/a/"])
    over(["a/**", "!a/c"], ["a/**", "!a/c/", "!a/c/c/", "!**/b"], ["/**", "!/a"], ["*/**"], ["**/a/**"], ["**/*b"], ["/**/"])


@suite.check("nothing comes back below a directory that is left out")
def _():
    over(["a", "!a/b"], ["a/", "!b"], ["/a/c", "!a/c/c/b", "!b"], ["c/a/", "!**"], ["*", "!*/", "!b"], ["a/*", "!a/c", "a/c/*", "!a/c/c"])


def any_pattern():
    def piece():
        return random.choice(["a", "b", "c", "ab", "*", "?", "a*", "*b", "[ab]", "[!a]", "[a-b]*", "**", "a**", ".", "?b", "a.b"])

    names = [piece() for _ in range(random.choice([1, 1, 2, 2, 3]))]
    slash = random.choice(["", "", "", "/"]), random.choice(["", "", "/"])
    return random.choice(["", "", "!"]) + slash[0] + "/".join(names) + slash[1]


@suite.check("random rules")
def _():
    cases = []
    for _ in range(700):
        lines = [any_pattern() for _ in range(random.randint(1, 5))]
        for _ in range(6):
            path = "/".join(random.choice(["a", "b", "c", "ab", "abb", "a.b", ".b", "ac"]) for _ in range(random.randint(1, 4)))
            cases.append((lines, path, random.random() < 0.5))
    compare(cases)


@suite.check("list follows the ignore file of a directory")
def _():
    for number in range(3):
        root = judge.scratch()
        files = {"/".join(random.choice(["a", "b", "ab", "d"]) for _ in range(random.randint(0, 3))) + f"/f{n}.{random.choice('ab')}" for n in range(40)}
        files = sorted(path.lstrip("/") for path in files) + [".packignore"]
        for path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("")
        lines = ["/d/", "*.a", "!f1*.a", "ab/**", "!/ab/a", random.choice(["b/a/", "/b/a", "**/a/b"])]
        (root / ".packignore").write_text("\n".join(lines) + "\n")
        done = judge.ok(judge.run([sys.executable, "-B", "-m", "packrat", "list", root], cwd=repo))
        judge.equal(done.text.splitlines(), sorted(path for path in files if not ignored(lines, path, False)), f"list with {lines}")


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=10)

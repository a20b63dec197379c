"""Requests to a shared directory; what lies around it is compared before and after, from outside of the code under test."""

import os
import pathlib
import sys
import types
from urllib.parse import quote

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()


def word():
    return "".join(random.choices("abcdefghijklmnop", k=6))


class Place:
    """A directory with a share in it and things around it; `word`s keep all names new for each check."""

    def __init__(self):
        self.outside = judge.scratch()
        self.name, self.inner, self.file, self.secret = word(), word(), word(), word()
        self.share = self.outside / self.name
        self.put(f"{self.name}/{self.file}", "file")
        self.put(f"{self.name}/{self.inner}/{self.file}", "inner file")
        self.put(f"{self.name}/{self.inner}/deep/{self.file}", "deep file")
        self.put(f"{self.name}-private/{self.secret}", "secret")
        self.put(f"archive/{self.secret}", "archived")
        self.put(f"archive/deep/{self.secret}", "archived too")
        self.put(self.secret, "secret")

    def put(self, path, content):
        path = self.outside / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def link(self, name, target):
        os.symlink(target, self.share / name)

    def state(self, share):
        """Everything in the share, or everything around it."""
        found = {}
        for top, directories, files in os.walk(self.outside):
            if pathlib.Path(top) == self.outside and not share:
                directories.remove(self.name)
            if share and pathlib.Path(top) == self.outside:
                directories[:], files = [self.name], []
            for name in directories + files:
                path = os.path.join(top, name)
                kind = os.readlink(path) if os.path.islink(path) else "directory" if os.path.isdir(path) else pathlib.Path(path).read_bytes()
                found[os.path.relpath(path, self.outside)] = kind
        return found

    def ask(self, *requests, root=None):
        """Answers to (method, kind, name, body) requests. Nothing around the share may change."""
        before = self.state(share=False)
        asked = [[method, target(kind, name), body.encode()] for method, kind, name, body in requests]
        with judge.Session(repo) as python:
            answers = python.run(
                """
                import sharebox
                answers = []
                for method, target, body in asked:
                    try:
                        status, content = sharebox.handle(root, method, target, body)
                        answers.append([int(status), bytes(content)])
                    except Exception as error:
                        answers.append([500, repr(error).encode()])
                return answers
                """,
                asked=asked,
                root=str(root or self.share),
            )
        judge.equal(self.state(share=False), before, "what is around the shared directory")
        return judge.paired(requests, answers)


def target(kind, name):
    """The address of a name, encoded in one of several ways."""
    way = random.randrange(3)
    if way == 0:
        return f"/{kind}/" + quote(name)
    if way == 1:
        return f"/{kind}/" + quote(name, safe="").replace(".", "%2e")
    return f"/{kind}/" + "".join(f"%{byte:02X}" for byte in name.encode())


def forbidden(place, names, **options):
    """All four operations on each name give 403 and change nothing inside either."""
    before = place.state(share=True)
    requests = [r for name in names for r in (("GET", "files", name, ""), ("GET", "list", name, ""), ("PUT", "files", name, "x"), ("DELETE", "files", name, ""))]
    for request, (status, _) in place.ask(*requests, **options):
        judge.equal(status, 403, f"status of {request}")
    judge.equal(place.state(share=True), before, "the shared directory after requests that lead out of it")


@suite.check("dots that lead out")
def _():
    p = Place()
    names = [f"../{p.secret}", f"{p.inner}/../../{p.secret}", f"../../{p.outside.name}/{p.secret}", f"../{p.name}/../{p.secret}", "../" * 30 + "etc/hostname"]
    forbidden(p, [*names, f"../{word()}", f"{p.inner}/../../{word()}/{word()}", f"../{word()}/"])
    for (method, kind, name, _), (status, _) in p.ask(*[("GET", k, n, "") for k in ("list", "files") for n in ("..", "../", f"{p.inner}/../..")]):
        judge.equal(status, 403, f"{method} {kind} {name}")


@suite.check("a directory beside the shared one with a longer name")
def _():
    p = Place()
    forbidden(p, [f"../{p.name}-private/{p.secret}", f"{p.inner}/../../{p.name}-private/{p.secret}", f"../{p.name}-private/{word()}", f"../{p.name}{word()}"])


@suite.check("names that begin with a slash")
def _():
    p = Place()
    forbidden(p, [f"/{p.file}", f"{p.outside}/{p.secret}", f"{p.share}/{p.file}", "//etc/hostname", f"/{word()}"])


@suite.check("links on the way that lead out")
def _():
    p = Place()
    absolute, relative, chain, upper = word(), word(), word(), word()
    p.link(absolute, p.outside / "archive")
    p.link(f"{p.inner}/{relative}", "../../archive")
    p.link(chain, absolute)
    p.link(upper, "..")
    names = [f"{absolute}/{p.secret}", f"{absolute}/deep/{p.secret}", f"{p.inner}/{relative}/{p.secret}", f"{chain}/{p.secret}", f"{chain}/{word()}/{word()}"]
    forbidden(p, [*names, f"{absolute}/{word()}", f"{upper}/{p.secret}", f"{upper}/archive/{p.secret}", f"{upper}/{p.name}-private/{p.secret}"])
    for request, (status, _) in p.ask(*[("GET", "list", name, "") for name in (absolute, f"{p.inner}/{relative}", chain, upper, f"{absolute}/deep")]):
        judge.equal(status, 403, f"{request}")


@suite.check("links at the end that lead out: no reading, listing, writing; deleting removes the link")
def _():
    p = Place()
    links = {word(): p.outside / p.secret, word(): f"../{p.name}-private/{p.secret}", word(): p.outside / "archive", word(): f"../{word()}"}
    for name, where in links.items():
        p.link(name, where)
    before = p.state(share=True)
    requests = [r for name in links for r in (("GET", "files", name, ""), ("GET", "list", name, ""), ("PUT", "files", name, "x"))]
    for request, (status, _) in p.ask(*requests):
        judge.equal(status, 403, f"status of {request}")
    judge.equal(p.state(share=True), before, "the shared directory")
    for request, (status, _) in p.ask(*[("DELETE", "files", name, "") for name in links]):
        judge.equal(status, 200, f"status of {request}")
    judge.equal(p.state(share=True), {k: v for k, v in before.items() if k.rpartition("/")[2] not in links}, "the shared directory")


@suite.check("deleting a link that leads inside removes the link, not its target")
def _():
    p = Place()
    one, two = word(), word()
    p.link(one, p.file)
    p.link(f"{p.inner}/{two}", p.share / p.inner / "deep")
    before = p.state(share=True)
    for request, (status, _) in p.ask(("DELETE", "files", one, ""), ("DELETE", "files", f"{p.inner}/{two}", "")):
        judge.equal(status, 200, f"status of {request}")
    judge.equal(p.state(share=True), {k: v for k, v in before.items() if k.rpartition("/")[2] not in (one, two)}, "the shared directory")


@suite.check("writing goes to the named file and nowhere else")
def _():
    p = Place()
    new = word()
    for suffix in (".part", ".tmp", "~"):
        p.link(new + suffix, p.outside / p.secret)
        p.link(f"{p.inner}/{new}{suffix}", p.outside / word())
    requests = [("PUT", "files", new, "one"), ("PUT", "files", f"{p.inner}/{new}", "two"), ("PUT", "files", p.file, "three")]
    for request, (status, _) in p.ask(*requests):
        judge.equal(status, 200, f"status of {request}")
    state = p.state(share=True)
    judge.equal([state.get(f"{p.name}/{n}") for n in (new, f"{p.inner}/{new}", p.file)], [b"one", b"two", b"three"], "the files")
    files = [name for name, kind in state.items() if isinstance(kind, bytes)]
    judge.equal(len(files), 5, f"number of files ({files})")


@suite.check("listing shows all entries and keeps quiet about what is outside")
def _():
    p = Place()
    names = sorted(word() for _ in range(5))
    for name, where in zip(names, [p.outside / "archive", p.outside / p.secret, p.inner, p.share / p.inner / "deep", word()]):
        p.link(name, where)
    expected = sorted([names[0], names[1], names[2] + "/", names[3] + "/", names[4], p.file, p.inner + "/"])
    for request, (status, body) in p.ask(("GET", "list", "", "")):
        judge.equal((status, body.decode().splitlines()), (200, expected), f"{request}")


@suite.check("dots that are harmless")
def _():
    p = Place()
    odd = ["..notes", "a..b", "...", "..", "b.."]
    for name in odd:
        if name != "..":
            p.put(f"{p.name}/{name}", f"odd {name}")
            p.put(f"{p.name}/{p.inner}/{name}x/{name}", f"inner {name}")
    requests = [("GET", "files", n, "") for n in odd if n != ".."] + [("GET", "files", f"{p.inner}/{n}x/{n}", "") for n in odd if n != ".."]
    expected = [f"odd {n}" for n in odd if n != ".."] + [f"inner {n}" for n in odd if n != ".."]
    requests += [("GET", "files", f"{p.inner}/../{p.file}", ""), ("GET", "files", f"./{p.inner}/./deep/../{p.file}", "")]
    for (request, (status, body)), wanted in judge.paired(p.ask(*requests), [*expected, "file", "inner file"]):
        judge.equal((status, body), (200, wanted.encode()), f"{request}")
    for request, (status, _) in p.ask(("GET", "list", f"{p.inner}/..", ""), ("PUT", "files", f"{p.inner}/../..new", "x"), ("DELETE", "files", f"{p.inner}/../...", "")):
        judge.equal(status, 200, f"{request}")
    judge.true((p.share / "..new").is_file() and not (p.share / "...").exists(), "writing ..new and deleting ...")


@suite.check("links that lead inside, and a shared directory reached through one")
def _():
    p = Place()
    one, two, three, entrance = word(), word(), word(), p.outside / word()
    p.link(one, p.inner)
    p.link(two, p.share / one)
    p.link(f"{p.inner}/{three}", f"../{p.file}")
    os.symlink(p.name, entrance)
    for root in (p.share, entrance, f"{entrance}/", os.path.join(entrance, ".")):
        requests = [
            ("GET", "files", f"{one}/{p.file}", ""),
            ("GET", "files", f"{two}/deep/{p.file}", ""),
            ("GET", "files", f"{two}/{three}", ""),
            ("GET", "files", p.file, ""),
            ("PUT", "files", f"{two}/new/{one}", "new"),
            ("GET", "files", f"{p.inner}/new/{one}", ""),
            ("DELETE", "files", f"{one}/new/{one}", ""),
            ("GET", "files", f"{p.inner}/new/{one}", ""),
            ("GET", "list", f"{two}/new", ""),
        ]
        answers = [answer for _, answer in p.ask(*requests, root=root)]
        judge.equal([a[0] for a in answers], [200] * 7 + [404, 200], f"statuses with the root {root}")
        judge.equal([answers[n][1] for n in (0, 1, 2, 3, 5, 8)], [b"inner file", b"deep file", b"file", b"file", b"new", b""], "contents")
        forbidden(p, [f"../{p.name}-private/{p.secret}", f"../{entrance.name}-x", f"{one}/../../{p.secret}"], root=root)


@suite.check("what is not there, or cannot be, is a status and not an exception")
def _():
    p = Place()
    loop = word()
    p.link(loop, loop)
    for request, (status, _) in p.ask(*[("GET", kind, name, "") for kind in ("files", "list") for name in (word(), f"{word()}/{word()}", f"{p.file}/x")]):
        judge.equal(status, 404, f"{request}")
    for request, (status, _) in p.ask(("GET", "files", "", ""), ("PUT", "files", p.inner, "x"), ("PUT", "files", "", "x"), ("DELETE", "files", p.inner, ""), ("DELETE", "files", word(), "")):
        judge.equal(status, 404, f"{request}")
    odd = [(m, k, n, "") for m, k in (("GET", "files"), ("GET", "list"), ("PUT", "files"), ("DELETE", "files")) for n in (f"{loop}/x", "n" * 5000, f"{p.file}/x/y")]
    for request, (status, _) in p.ask(*odd, ("GET", "files", loop, ""), ("GET", "list", loop, "")):
        judge.true(status in (400, 403, 404), f"{request[0]} {request[1]} {request[2][:20]}: status {status}")


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=12)

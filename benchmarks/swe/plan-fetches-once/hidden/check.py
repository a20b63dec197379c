"""Plans, with every question for metadata answered and counted here, outside of the code under test."""

import pathlib
import sys
import types
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()
FUNCTIONS = ("plan", "total_size", "needed_by")
TOO_MANY = 2000


class Registry:
    """The registry that the child asks: {name: (size, requires)}. Counts the questions of each call."""

    def __init__(self, packages):
        self.packages, self.questions, self.broken = packages, Counter(), set()

    def answer(self, name):
        self.questions[name] += 1
        if sum(self.questions.values()) > TOO_MANY:
            raise RuntimeError("too many questions")
        if name in self.broken:
            return "broken"
        return self.packages.get(name)


def draw(layers, width, density):
    """Random packages without circles whose names say nothing about the order."""
    names = [f"p{n}" for n in random.sample(range(10_000), layers * width)]
    packages = {}
    for n, name in enumerate(names):
        candidates = names[max(0, n - 3 * width) : n]
        packages[name] = (random.randint(1, 10**6), random.sample(candidates, min(len(candidates), random.randint(0, density))))
    return packages


def model(packages, roots):
    order, requires = [], {name: required for name, (_, required) in packages.items()}

    def visit(name):
        if name not in order:
            for requirement in requires[name]:
                visit(requirement)
            order.append(name)

    for root in roots:
        visit(root)
    return {
        "plan": order,
        "total_size": sum(packages[name][0] for name in order),
        # As a list: the order of the packages is part of the answer.
        "needed_by": [[name, sorted(other for other in order if name in requires[other])] for name in order],
    }


# One registry object for all calls of a session. The child answers with what the call returned or what its error says.
CALLS = """
    import depot

    class Asking:
        def metadata(self, name):
            answer = ask("metadata", name)
            if answer == "broken":
                raise OSError("no link")
            if answer is None:
                raise depot.UnknownPackage(name)
            return depot.Metadata(name, answer[0], tuple(answer[1]))

    registry = Asking()
    answers = []
    for function, roots in calls:
        ask("next")
        try:
            result = getattr(depot, function)(roots, registry)
            answers.append(["ok", [list(pair) for pair in result.items()] if isinstance(result, dict) else result])
        except depot.CycleError as error:
            answers.append(["circle", error.circle])
        except depot.UnknownPackage as error:
            answers.append(["unknown", [error.name, error.required_by]])
        except OSError as error:
            answers.append(["OSError", str(error)])
    return answers
"""


def ask(registry, calls, before=None, timeout=8):
    """The answers to the calls and, for each, how often which name was asked for. `before(n)` runs ahead of call n."""
    counts = []

    def next_call():
        if before:
            before(len(counts))
        registry.questions = Counter()
        counts.append(registry.questions)

    with judge.Session(repo, timeout=timeout) as python:
        answers = python.run(CALLS, calls=calls, callbacks={"metadata": registry.answer, "next": next_call})
    return judge.paired(judge.paired(calls, answers), counts)


def once(call, count, allowed):
    often = {name: n for name, n in count.items() if n > 1}
    judge.true(not often, f"{call}: asked more than once: {often}")
    judge.true(set(count) <= set(allowed), f"{call}: asked for packages that are not part of it: {set(count) - set(allowed)}")


@suite.check("forty layers are planned in moments, with one question for each package")
def _():
    packages, below = {}, []
    for layer in range(40):
        names = [f"l{layer}a", f"l{layer}b"]
        packages.update({name: (layer + 1, list(below)) for name in names})
        below = names
    expected = model(packages, below)
    for ((function, roots), answer), count in ask(Registry(packages), [[f, below] for f in FUNCTIONS]):
        judge.equal(answer, ["ok", expected[function]], function)
        once(function, count, packages)


@suite.check("random packages: results as ever, each asked for once")
def _():
    for _ in range(12):
        packages = draw(random.randint(1, 12), random.randint(1, 5), random.randint(1, 4))
        calls = [[f, random.choices(list(packages), k=random.randint(0, 4))] for f in FUNCTIONS * 2]
        for ((function, roots), answer), count in ask(Registry(packages), calls):
            expected = model(packages, roots)
            judge.equal(answer, ["ok", expected[function]], f"{function}({roots})")
            once(function, count, expected["plan"])


@suite.check("a circle is named as before, without asking twice")
def _():
    a, b, c, d, e, f = (f"q{n}" for n in random.sample(range(1000), 6))
    packages = {a: (1, [e, b]), b: (1, [e, c]), c: (1, [e, f, d]), d: (1, [e, b]), e: (1, []), f: (1, [e])}
    for ((function, _), answer), count in ask(Registry(packages), [[f, [e, a]] for f in FUNCTIONS]):
        judge.equal(answer, ["circle", [b, c, d, b]], function)
        once(function, count, packages)
    packages = {a: (1, [b, a]), b: (1, [])}
    for (_, answer), count in ask(Registry(packages), [["plan", [b, a]]]):
        judge.equal(answer, ["circle", [a, a]], "a package that requires itself")
        once("plan", count, packages)


@suite.check("an unknown package is reported as before, without asking twice")
def _():
    a, b, c, lost = (f"r{n}" for n in random.sample(range(1000), 4))
    packages = {a: (1, [b, c]), b: (1, []), c: (1, [b, lost])}
    calls = [[f, roots] for f in FUNCTIONS for roots in ([b, a], [lost, a])]
    for ((function, roots), answer), count in ask(Registry(packages), calls):
        judge.equal(answer, ["unknown", [lost, c if roots[0] == b else None]], function)
        once(function, count, [a, b, c, lost])


@suite.check("the next call sees what was published, changed and withdrawn")
def _():
    registry = Registry({"app": (10, ["lib"]), "lib": (5, [])})

    def publish(call):
        if call >= 3:
            registry.packages = {"app": (20, ["lib", "new"]), "lib": (7, ["new"]), "new": (1, [])}
        if call >= 6:
            registry.packages = {"app": (20, ["lib", "new"]), "lib": (7, [])}

    answers = [answer for (_, answer), _ in ask(registry, [[f, ["app"]] for f in FUNCTIONS * 3], before=publish)]
    first = model({"app": (10, ["lib"]), "lib": (5, [])}, ["app"])
    second = model({"app": (20, ["lib", "new"]), "lib": (7, ["new"]), "new": (1, [])}, ["app"])
    judge.equal(answers[:3], [["ok", first[f]] for f in FUNCTIONS], "at first")
    judge.equal(answers[3:6], [["ok", second[f]] for f in FUNCTIONS], "after publishing")
    judge.equal(answers[6:], [["unknown", ["new", "app"]]] * 3, "after withdrawing")


@suite.check("an error of the registry goes through and is not remembered")
def _():
    packages = {"app": (10, ["lib", "log"]), "lib": (5, []), "log": (3, ["lib"])}
    registry = Registry(packages)

    def link(call):
        registry.broken = {"lib"} if call % 2 == 0 else set()

    calls = [[f, ["app"]] for f in FUNCTIONS for _ in range(2)]
    for number, (((function, roots), answer), count) in enumerate(ask(registry, calls, before=link)):
        judge.equal(answer, ["ok", model(packages, roots)[function]] if number % 2 else ["OSError", "no link"], function)
        once(function, count, packages)


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=7)

"""The structure is read from the source text here; the behaviour is compared with the code as it was."""

import ast
import pathlib
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
original = judge.checkout(HERE / "original")
suite = judge.Suite()
random = judge.rng()

PUBLIC = {
    "shop": "CreditError Customer Invoice Line Order OrderBook",
    "shop.customers": "Customer discount_rate LOYAL_AFTER",
    "shop.orders": "Line Order OrderBook total_spent",
    "shop.billing": "CreditError Invoice VAT check_credit outstanding reminders",
    "shop.money": "percent show",
}


def modules():
    """{dotted name: (syntax tree, source text)} of all Python files in shop/."""
    found = {}
    for file in sorted((repo / "shop").rglob("*.py")):
        parts = file.relative_to(repo).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = file.read_text()
        found[name] = ast.parse(text), text
    judge.true(set(PUBLIC) <= set(found), f"modules are missing: {set(PUBLIC) - set(found)}")
    return found


def is_package(name):
    return (repo / name.replace(".", "/") / "__init__.py").is_file()


def imported(name, node, known):
    """The modules of the package that an import statement of the module `name` names."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names} & set(known)
    base = node.module or ""
    if node.level:
        parts = name.split(".") if is_package(name) else name.split(".")[:-1]
        parts = parts[: len(parts) - (node.level - 1)]
        base = ".".join(parts + ([node.module] if node.module else []))
    targets = set()
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        targets.add(inner if inner in known else base)
    return targets & set(known)


@suite.check("every import stands at module level")
def _():
    for name, (tree, _) in modules().items():
        direct = set(map(id, tree.body))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                judge.true(id(node) in direct, f"{name}, line {node.lineno}: an import that is not at module level")


@suite.check("the imports form no cycle")
def _():
    trees = modules()
    graph = {
        name: set().union(*(imported(name, n, trees) for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))))
        for name, (tree, _) in trees.items()
    }
    done = set()

    def visit(name, path):
        judge.true(name not in path, "a cycle: " + " -> ".join([*path, name]))
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])


@suite.check("nothing takes the place of an import statement")
def _():
    banned = {"importlib", "__import__", "exec", "eval", "runpy", "pkgutil", "imp", "__builtins__", "builtins"}
    for name, (tree, _) in modules().items():
        for node in ast.walk(tree):
            where = f"{name}, line {getattr(node, 'lineno', '?')}"
            if isinstance(node, ast.Name):
                judge.true(node.id not in banned, f"{where}: {node.id}")
            elif isinstance(node, ast.Attribute):
                judge.true(node.attr not in banned | {"modules"}, f"{where}: .{node.attr}")
            elif isinstance(node, ast.Import):
                judge.true(not {a.name.split(".")[0] for a in node.names} & banned, f"{where}: import")
            elif isinstance(node, ast.ImportFrom):
                judge.true((node.module or "").split(".")[0] not in banned, f"{where}: import")
                judge.true(not {a.name for a in node.names} & {"modules", "import_module"}, f"{where}: import")
            elif isinstance(node, ast.FunctionDef):
                judge.true(node.name != "__getattr__" or node not in tree.body, f"{where}: module __getattr__")


@suite.check("no module has more than 120 lines")
def _():
    for name, (_, text) in modules().items():
        judge.true(len(text.splitlines()) <= 120, f"{name} has {len(text.splitlines())} lines")


@suite.check("each module can be imported first, and has its names")
def _():
    for name in modules():
        with judge.Session(repo) as python:
            names = python.run("import importlib\nreturn dir(importlib.import_module(name))", name=name)
            judge.true(set(PUBLIC.get(name, "").split()) <= set(names), f"{name} lacks {set(PUBLIC.get(name, '').split()) - set(names)}")
    with judge.Session(repo) as python:
        identities = python.run(
            "import importlib\nreturn [[n, id(getattr(importlib.import_module(m), n))] for m, names in public.items() for n in names.split()]",
            public=PUBLIC,
        )
    judge.equal(len(identities), sum(len(names.split()) for names in PUBLIC.values()))
    judge.equal(len({tuple(pair) for pair in identities}), len({pair[0] for pair in identities}), "number of different objects")


# A story is a list of steps; the child answers each with its result or its error, as text and numbers.
STORY = """
    import shop, shop.billing, shop.customers, shop.orders
    book, people, answers = shop.OrderBook(), {}, []

    def attempt(step):
        kind, *rest = step
        if kind == "customer":
            people[rest[0]] = shop.Customer(*rest)
            return repr(people[rest[0]])
        if kind == "place":
            order = book.place(people[rest[0]], [shop.Line(*line) for line in rest[1]])
            return [repr(order), order.number, order.discount, order.net(), order.invoice().render()]
        if kind == "pay":
            order = book.orders[rest[0] % len(book.orders)]
            return order.pay(shop.Invoice(order).total() + rest[1])
        if kind == "look":
            who = people[rest[0]]
            return [
                who.label(), who.statement(book), shop.customers.discount_rate(who, book), shop.orders.total_spent(who, book),
                shop.billing.outstanding(who, book), [o.number for o in who.orders(book)], shop.billing.reminders(book),
                who == shop.Customer(who.name, "FR"), who == who.name, len({who, shop.Customer(who.name, "FR")}),
            ]
        if kind == "wrong":
            who = people[rest[0]]
            return [
                lambda: shop.Invoice(who), lambda: shop.Order(1, "Ada", [1]), lambda: shop.Order(1, who, []), lambda: who.orders([]),
                lambda: who.statement(None), lambda: shop.Line("x", -1), lambda: shop.Customer(" ", "DE"), lambda: book.place(who.name, []),
            ][rest[1]]()

    for step in story:
        try:
            answers.append(attempt(step))
        except Exception as error:
            answer = [type(error).__name__, str(error), isinstance(error, shop.CreditError)]
            if isinstance(error, shop.billing.CreditError):
                answer += [error.excess, error.customer.name]
            answers.append(answer)
    answers.append([shop.billing.VAT, shop.customers.LOYAL_AFTER])
    return answers
"""


def draw():
    names = ["Ada", "Ben", "Cleo", "Dan"]
    story = [["customer", n, random.choice(["DE", "FR", "US", "LU", "DK"]), random.choice([0, 60_000, 700_000])] for n in names]
    story.append(["customer", "Eve", "de", 1])
    for _ in range(60):
        name = random.choice(names)
        lines = [[f"article {random.randrange(9)}", random.randrange(90_000), random.randint(1, 3)] for _ in range(random.randint(0, 3))]
        story.append(
            random.choice(
                [["place", name, lines]] * 4
                + [["pay", random.randrange(99), random.choice([0, 0, 0, 1])]] * 3
                + [["look", name]] * 2
                + [["wrong", name, random.randrange(8)]]
            )
        )
    return story


@suite.check("random stories end as they did")
def _():
    for _ in range(12):
        story = draw()
        with judge.Session(original) as python:
            expected = python.run(STORY, story=story)
        with judge.Session(repo) as python:
            answers = python.run(STORY, story=story)
        for (step, answer), wanted in judge.paired(judge.paired([*story, "constants"], answers), expected):
            judge.equal(answer, wanted, f"{step}")


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=7)

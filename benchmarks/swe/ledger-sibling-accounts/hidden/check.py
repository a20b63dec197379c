"""An account argument means that account and those below it: compared with a model over random journals."""

import pathlib
import sys
import types
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()

REPORTED = """\
2024-03-01 Opening
    assets:bank            900.00 EUR
    assets:bank:savings    100.00 EUR
    assets:bankjar          35.00 EUR
    equity:opening
"""


def below(name, account):
    names, wanted = name.split(":"), account.split(":")
    return names[: len(wanted)] == wanted


def draw():
    """A journal as [(date, description, [(account, cents)])] whose account names are prefixes of each other."""
    stem = "".join(random.choices("abcdefgh", k=4))
    names = [stem, stem + "s", stem + "-old", stem + "2", stem[:2], stem + stem, stem.upper(), stem + "."]
    pool = {":".join(random.choices(names, k=random.randint(1, 3))) for _ in range(14)} | {stem, f"{stem}:{stem}s"}
    pool, days = sorted(pool), random.sample(range(1, 29), 12)
    journal = []
    for day in days:
        accounts = random.sample(pool, 3)
        cents = [random.randint(-9999, 9999) or 1, random.randint(-9999, 9999) or 2]
        journal.append((f"2024-05-{day:02}", f"entry {day}", list(zip(accounts, [*cents, -sum(cents)]))))
    return journal, pool


def text(journal):
    lines = []
    for date, description, postings in journal:
        lines.append(f"{date} {description}")
        lines += [f"    {account}  {Decimal(cents) / 100:.2f} EUR" for account, cents in postings]
    return "\n".join(lines) + "\n"


def arguments(pool):
    """Accounts, ancestors, beginnings of names, and names that do not exist."""
    chosen = set(pool)
    for name in pool:
        parts = name.split(":")
        chosen |= {":".join(parts[:n]) for n in range(1, len(parts) + 1)} | {name[:-1].rstrip(":"), name + "x"}
    return sorted(a for a in chosen if a and not a.startswith(":"))


def model_balance(journal, account, depth):
    totals = {}
    for _, _, postings in journal:
        for name, cents in postings:
            if account is None or below(name, account):
                key = ":".join(name.split(":")[:depth])
                totals[key] = totals.get(key, 0) + cents
    return {name: {"EUR": Decimal(c) / 100} for name, c in totals.items() if c}


def asked(source, cases, journal):
    with judge.Session(repo) as python:
        return python.run(f"import tally\njournal = tally.parse(text)\nreturn [{source} for case in cases]", text=text(journal), cases=cases)


@suite.check("balance takes an account and those below it")
def _():
    for _ in range(3):
        journal, pool = draw()
        cases = [[a, d] for a in [None, *arguments(pool)] for d in (None, 1, 2)]
        for case, result in judge.paired(cases, asked("tally.balance(journal, *case)", cases, journal)):
            judge.equal(result, model_balance(journal, *case), f"balance{tuple(case)}")


@suite.check("accounts lists an account and those below it")
def _():
    journal, pool = draw()
    used = {name for _, _, postings in journal for name, _ in postings}
    cases = arguments(pool)
    for case, result in judge.paired(cases, asked("tally.accounts(journal, case)", cases, journal)):
        judge.equal(result, sorted(n for n in used if below(n, case)), f"accounts {case}")


@suite.check("register runs over an account and those below it")
def _():
    journal, pool = draw()
    cases = arguments(pool)
    source = "[[row[1], row[2].account, row[2].value, row[3].get('EUR', 0)] for row in tally.register(journal, case)]"
    for case, result in judge.paired(cases, asked(source, cases, journal)):
        expected, running = [], 0
        for _, description, postings in sorted(journal):
            for name, cents in postings:
                if below(name, case):
                    running += cents
                    expected.append([description, name, Decimal(cents) / 100, Decimal(running) / 100])
        judge.equal(result, expected, f"register {case}")


@suite.check("the reported journal on the command line")
def _():
    (repo / "flat.journal").write_text(REPORTED)

    def tally(*arguments):
        return judge.ok(judge.run([sys.executable, "-B", "-m", "tally", *arguments], cwd=repo)).text

    lines = [line.split() for line in tally("balance", "flat.journal", "assets:bank").splitlines()]
    judge.equal(lines, [["900.00", "EUR", "assets:bank"], ["100.00", "EUR", "assets:bank:savings"]])
    judge.equal(tally("accounts", "flat.journal", "assets:bank").split(), ["assets:bank", "assets:bank:savings"])
    judge.equal(tally("register", "flat.journal", "assets:bank").split()[-2:], ["1000.00", "EUR"])
    judge.equal(tally("balance", "flat.journal", "assets:ba"), "")


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=5)

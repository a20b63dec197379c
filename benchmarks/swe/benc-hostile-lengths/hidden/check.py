"""Feeds the parser with hostile data between two guard pages and compares what it says with a model of the format."""

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

DONE, TRUNCATED, SYNTAX, RANGE, NESTING = "0", "-1", "-2", "-3", "-4"
DEPTH = 32
INT = re.compile(rb"i(0|-?[1-9][0-9]*)e")
LENGTH = re.compile(rb"(0|[1-9][0-9]*):")
repo = judge.checkout(HERE.parent)


class Stop(Exception):
    pass


def model(data):
    """(items as the driver prints them, how it ends). Of a syntax error and a truncation only one is possible in our cases."""
    items, states, at = [], [], 0

    def value_read():
        if states and states[-1] != "list":
            states[-1] = "value" if states[-1] == "key" else "key"

    def partial(pattern):
        # Whether more data could make it fit: then it is truncated, else wrong.
        return TRUNCATED if re.compile(pattern).fullmatch(data, at) else SYNTAX

    try:
        while not items or states:
            state = states[-1] if states else "list"
            first = data[at:at + 1]
            if not first:
                raise Stop(TRUNCATED)
            if first.isdigit():
                found = LENGTH.match(data, at)
                if not found:
                    raise Stop(partial(rb"0|[1-9][0-9]*"))
                length = int(found.group(1)[:30]) if len(found.group(1)) < 30 else 10**30
                if length > len(data) - found.end():
                    raise Stop(TRUNCATED)
                items.append("s%d+%d" % (found.end(), length))
                at = found.end() + length
                value_read()
            elif first == b"e" and states and state != "value":
                at += 1
                states.pop()
                items.append("]")
            elif state == "key":
                raise Stop(SYNTAX)
            elif first == b"i":
                found = INT.match(data, at)
                if not found:
                    raise Stop(partial(rb"i(-|0|-?[1-9][0-9]*)?"))
                digits = found.group(1)
                if len(digits) > 30 or not -2**63 <= int(digits) < 2**63:
                    raise Stop(RANGE)
                items.append("i%d" % int(digits))
                at = found.end()
                value_read()
            elif first in (b"l", b"d"):
                if len(states) >= DEPTH:
                    raise Stop(NESTING)
                at += 1
                value_read()
                states.append("list" if first == b"l" else "key")
                items.append("[" if first == b"l" else "{")
            else:
                raise Stop(SYNTAX)
    except Stop as stop:
        return items, stop.args[0]
    return items, DONE if at == len(data) else SYNTAX


_drivers = []


def drivers():
    """The driver with the sources of the library, compiled as it is and with all instruments that there are."""
    if not _drivers:
        sources = sorted((repo / "src").glob("*.c"))
        for flags in {(), tuple(programs.sanitizers())}:
            target = judge.scratch() / "driver"
            _drivers.append(programs.compile_c([HERE / "driver.c", *sources], target, [repo / "include", repo / "src"], flags))
    return _drivers


def check(cases):
    """Compares what the parser says of each of the cases with the model."""
    cases = list(cases)
    for driver in drivers():
        result = judge.run([driver], repo, input="".join(case.hex() + "\n" for case in cases))
        lines = result.text.splitlines()
        for number, case in enumerate(cases):
            items, end = model(case)
            wanted = " ".join(items + [end] * 4)
            for place in (2 * number, 2 * number + 1):
                if place >= len(lines):
                    raise judge.Failure("the parser ended the process on %r: %r" % (case[:200], result))
                judge.equal(lines[place], wanted, "items and status for %r" % case[:200])
        judge.equal((result.code, len(lines)), (0, 2 * len(cases)), "exit status and lines of the driver")


def valid(depth=0):
    """A random valid value."""
    kind = rng.choice("iisss" if depth > 4 else "iissld")
    if kind == "i":
        return b"i%de" % rng.choice([0, rng.randint(-99, 99), rng.randint(-2**63, 2**63 - 1), 2**63 - 1, -2**63])
    if kind == "s":
        text = bytes(rng.choice(b"ei0:ld9-\0\xff a") for _ in range(rng.choice([0, 1, 2, 5, 12])))
        return b"%d:%s" % (len(text), text)
    count = rng.randint(0, 4)
    if kind == "l":
        return b"l" + b"".join(valid(depth + 1) for _ in range(count)) + b"e"
    return b"d" + b"".join(b"%d:%s" % (n, b"k" * n) + valid(depth + 1) for n in rng.sample(range(20), count)) + b"e"


@suite.check("lengths that overflow are truncated data")
def lengths():
    lengths = [2**64 - k for k in range(1, 40)] + [2**64 + k for k in range(0, 40)] + [2**63 + k for k in (-1, 0, 1)]
    lengths += [2**32 + k for k in range(8)] + [2**31, 10**19, 10**25, 2**65 + 3, 2**128 + 1, 10 * 2**64 + 2]
    lengths += [rng.getrandbits(rng.randint(8, 200)) | 2**8 for _ in range(50)]
    cases = []
    for length in lengths:
        tail = bytes(rng.choice(b"abc1:e") for _ in range(rng.randint(0, 9)))
        cases += [b"%d:%s" % (length, tail), b"l1:a%d:%see" % (length, tail), b"d%d:%s" % (length, tail)]
    check(cases)


@suite.check("lengths around the end of the data")
def ends():
    cases = []
    for _ in range(30):
        size = rng.randint(0, 30)
        for off in (-2, -1, 0, 1, 2):
            if size + off >= 0:
                cases += [b"%d:%s" % (size + off, b"x" * size), b"l%d:%s" % (size + off, b"e" * size), b"d1:a%d:%see" % (size + off, b"x" * size)]
    check(cases)


@suite.check("integers up to the limits of 64 bits, and out of range beyond")
def integers():
    numbers = [sign * (edge + off) for edge in (2**63, 2**64, 2**31, 2**32, 10**18, 10**19, 10 * 2**63) for off in range(-3, 4) for sign in (1, -1)]
    numbers += [2**64 * k + rng.randint(-9, 9) for k in (1, 2, 3, 7, -1, -2)] + [10**k for k in range(0, 60, 3)] + [-(10**40)]
    numbers += [rng.randint(-2**63, 2**63 - 1) for _ in range(40)]
    check(case for n in numbers for case in (b"i%de" % n, b"li%dei1ee" % n, b"d1:ai%dee" % n))


@suite.check("data that end anywhere")
def truncated():
    cases = [b"", b"i", b"i-", b"i0", b"i1", b"i-1", b"1", b"0", b"12", b"l", b"d", b"li", b"d1", b"d1:", b"d1:a", b"2:a", b"i%d" % 2**70, b"%d" % 2**70]
    while len(cases) < 300:
        data = valid()
        cases += [data[:cut] for cut in range(min(len(data), 40))]
    check(cases)


@suite.check("nesting up to the limit, and beyond it")
def nesting():
    cases = []
    for depth in (1, 2, 30, 31, 32, 33, 34, 64, 200, 5000):
        cases += [b"l" * depth + b"e" * depth, b"l" * depth, b"d1:a" * depth + b"i1e" + b"e" * depth, b"d1:a" * depth]
        mixed = [rng.choice([(b"l", b"e"), (b"d1:k", b"e")]) for _ in range(depth)]
        cases.append(b"".join(o for o, _ in mixed) + b"le" + b"".join(c for _, c in mixed))
        # The depth counts what is open, not what there has been.
        cases.append(b"l" + (b"l" * min(depth, 31) + b"e" * min(depth, 31)) * 3 + b"e")
    check(cases)


@suite.check("what is valid, and what is not")
def format():
    cases = [valid() for _ in range(200)]
    cases += [case + extra for case in cases[:40] for extra in (b"e", b"i1e", b" ", b"0:", b"\0")]
    cases += [b"i01e", b"i-0e", b"i-01e", b"i00e", b"ie", b"i-e", b"i--1e", b"i+1e", b"i 1e", b"i1 e", b"i1.0e", b"01:a", b"00:", b"-1:a", b"1;a", b"e",
              b"le", b"de", b"d1:ae", b"di1e1:ae", b"dle1:ae", b"d1:a1:b1:ce", b"d1:ai1ei2ee", b"x", b"\xb1:a", b"i\xb2e", b"l\xffe", b"\0", b"1 :a"]
    check(cases)


@suite.check("valid data with a byte changed")
def mutated():
    cases = []
    while len(cases) < 400:
        data = bytearray(valid())
        data[rng.randrange(len(data))] = rng.choice(b"ei0123456789:ld-x\0\xff")
        # Where a number has a leading zero and the data end in it, two errors would be right.
        if not re.search(rb"(i-?|\A|[^0-9])0[0-9]+\Z|i-0[0-9]*\Z", bytes(data)):
            cases.append(bytes(data))
    check(cases)


@suite.check("make builds bendump, and the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests": HERE / "tests"})
    programs.run(["make"], copy, timeout=30)
    lines = programs.run(["sh", "tests/run.sh"], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (17, 17), "lines of the tests")
    for _ in range(20):
        number = rng.randint(-2**63, 2**63 - 1)
        judge.equal(programs.run(["build/bendump"], copy, input="i%de" % number).text, "%d\n" % number)
    for text in (b"18446744073709551615:", b"i9223372036854775808e", b"l" * 33):
        programs.run(["build/bendump"], copy, input=text, code=1)


suite.main(plan=8)

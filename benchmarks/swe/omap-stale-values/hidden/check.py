"""Lets the map and a model of it obey the same random commands, with hash functions that collide, and compares the answers."""

import pathlib
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
repo = judge.checkout(HERE.parent)

OWN, ALL_THE_SAME, FEW, AT_THE_END = range(4)
_drivers = []


def drivers():
    """The driver with the sources of the library, compiled as it is and with all instruments that there are."""
    if not _drivers:
        sources = sorted((repo / "src").glob("*.c"))
        for flags in {(), tuple(programs.sanitizers())}:
            target = judge.scratch() / "driver"
            _drivers.append(programs.compile_c([HERE / "driver.c", *sources], target, [repo / "include", repo / "src"], flags))
    return _drivers


class Script:
    """Commands for the driver, each with what has to be true of the answer."""

    def __init__(self):
        self.commands, self.tests = [], []
        self.model, self.largest = {}, 0

    def add(self, command, test):
        self.commands.append(command)
        self.tests.append(test)

    def exactly(self, command, answer):
        self.add(command, lambda got: judge.equal(got, answer, "answer to %s" % command[:80]))

    def put(self, key, value):
        self.exactly("put k%s %d" % (key.hex(), value), "%d" % (key not in self.model))
        self.model[key] = value
        self.largest = max(self.largest, len(self.model))

    def get(self, key):
        self.exactly("get k%s" % key.hex(), "1 %d" % self.model[key] if key in self.model else "0 -12345")

    def remove(self, key):
        self.exactly("remove k%s" % key.hex(), "%d" % (key in self.model))
        self.model.pop(key, None)

    def counts(self):
        self.exactly("size", "%d" % len(self.model))
        bound = max(8, 4 * self.largest)

        def bounded(got):
            judge.true(got.isdigit() and int(got) <= bound, "a capacity of %s, at most %d are allowed" % (got, bound))
        self.add("capacity", bounded)

    def list(self):
        wanted = dict(self.model)
        self.add("list", lambda got: judge.equal(sorted(visits(got)), sorted(wanted.items()), "the keys that are visited"))

    def thin(self, divisor):
        wanted = dict(self.model)
        self.add("thin %d" % divisor, lambda got: judge.equal(sorted(visits(got)), sorted(wanted.items()), "the keys visited while some are removed"))
        self.model = {key: value for key, value in self.model.items() if value % divisor}

    def visit(self, at, gone):
        """At the key `at`, removes `gone`, which may have been visited before; replaces the values of all others."""
        wanted = dict(self.model)

        def right(got):
            seen = visits(got)
            keys = [key for key, _ in seen]
            judge.equal(len(keys), len(set(keys)), "different keys among those visited")
            late = gone != at and gone in keys and keys.index(gone) > keys.index(at)
            judge.true(not late, "a key is visited after its removal")
            if gone != at and gone in wanted and gone not in keys:
                del wanted[gone]
            judge.equal(sorted(seen), sorted(wanted.items()), "the keys visited while another is removed")
        self.add("visit k%s k%s" % (at.hex(), gone.hex()), right)
        self.model = {key: value if key == at else -value for key, value in self.model.items() if key != gone}

    def run(self, hash):
        for driver in drivers():
            result = judge.run([driver, str(hash)], repo, input="\n".join(self.commands) + "\n", timeout=6,
                               env={"ASAN_OPTIONS": "detect_leaks=0"})
            lines = result.text.split("\n")
            if result.timed_out:
                # What was not flushed is lost: it hangs in one of the commands.
                raise judge.Failure("the map does not come to an end")
            for number, test in enumerate(self.tests):
                if number >= len(lines) - 1:
                    raise judge.Failure("no answer to %r: %r" % (self.commands[number][:80], result))
                test(lines[number])
            judge.equal((result.code, len(lines) - 1), (0, len(self.commands)), "exit status and number of answers")


def visits(line):
    words = line.split()
    judge.true(len(words) % 2 == 0 and all(word.startswith("k") for word in words[::2]), "not a list of keys: %r" % line[:200])
    return [(bytes.fromhex(key[1:]), int(value)) for key, value in zip(words[::2], words[1::2])]


def some_keys(count):
    keys = {b""}
    while len(keys) < count:
        keys.add(bytes(rng.randrange(256) for _ in range(rng.randint(1, 6))))
    return rng.sample(sorted(keys), count)


@suite.check("a replaced value does not come back when its key is removed")
def stale():
    for hash in (OWN, ALL_THE_SAME, FEW, AT_THE_END):
        script = Script()
        a, b, c, d = some_keys(4)
        for removed in ((a,), (b,), (a, b), (b, a), (a, c)):
            for key in (a, b, c, d):
                script.put(key, rng.randint(-99, 99))
            for key in removed:
                script.remove(key)
            script.put(d, rng.randint(100, 199))
            script.counts()
            script.get(d)
            script.list()
            script.remove(d)
            script.get(d)
            script.remove(d)
            script.counts()
            script.list()
        script.run(hash)


@suite.check("a map through which many keys pass stays usable and small")
def churn():
    for hash in (OWN, FEW, AT_THE_END):
        script = Script()
        live = []
        for number in range(2000):
            key = b"%d/%d" % (rng.randrange(10), number)
            script.put(key, number)
            live.append(key)
            if len(live) > 5:
                script.remove(live.pop(rng.randrange(len(live))))
            if number % 50 == 0:
                script.get(b"missing %d" % number)
                script.remove(b"missing")
                script.counts()
                script.list()
        for key in live:
            script.get(key)
        script.run(hash)


@suite.check("a map that was large and was emptied, again and again")
def waves():
    for hash in (OWN, AT_THE_END):
        script = Script()
        for wave in range(6):
            keys = some_keys(150)
            for number, key in enumerate(keys):
                script.put(key, number)
            for key in rng.sample(keys, len(keys)):
                script.remove(key)
            script.get(keys[0])
            script.counts()
            script.list()
        script.run(hash)


@suite.check("keys may be removed and values replaced while the keys are visited")
def iteration():
    for hash in (OWN, ALL_THE_SAME, FEW, AT_THE_END):
        script = Script()
        for _ in range(40):
            for key in some_keys(rng.randint(1, 12)):
                script.put(key, rng.randint(1, 1000))
            keys = sorted(script.model)
            at = rng.choice(keys)
            script.visit(at, rng.choice(keys))
            script.list()
            if rng.random() < 0.4:
                script.thin(rng.choice([1, 2, 2, 3]))
                script.counts()
                script.list()
        script.run(hash)


@suite.check("replacing values in a full table while the keys are visited")
def full():
    for hash in (OWN, ALL_THE_SAME, FEW, AT_THE_END):
        # Around the sizes at which a table may grow.
        for count in (1, 5, 6, 7, 11, 12, 13, 24) if hash == OWN else (6, 12):
            script = Script()
            keys = some_keys(count + 1)
            for number, key in enumerate(keys):
                script.put(key, number + 1)
            script.visit(keys[0], keys[-1])
            script.counts()
            script.list()
            script.run(hash)


@suite.check("random commands")
def random_commands():
    for hash in (OWN, ALL_THE_SAME, FEW, AT_THE_END):
        script = Script()
        keys = some_keys(rng.choice([5, 9, 20, 60]))
        for number in range(1500):
            key = rng.choice(keys)
            command = rng.choices(["put", "get", "remove", "counts", "list", "thin", "visit"], [40, 20, 36, 2, 1, 0.5, 0.5])[0]
            if command == "put":
                script.put(key, rng.randint(-2**63, 2**63 - 1) if rng.random() < 0.02 else rng.randint(-50, 50))
            elif command in ("get", "remove"):
                getattr(script, command)(key)
            elif command == "thin":
                script.thin(rng.randint(2, 5))
            elif command == "visit":
                # The smallest number has no negative.
                if script.model and -2**63 not in script.model.values():
                    script.visit(rng.choice(sorted(script.model)), key)
            else:
                getattr(script, command)()
        script.run(hash)


@suite.check("the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests": HERE / "tests"})
    programs.run(["make"], copy, timeout=30)
    target = judge.scratch() / "test"
    programs.compile_c([HERE / "tests" / "test_omap.c", copy / "build" / "libomap.a"], target, [copy / "include"])
    lines = programs.run([target], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (12, 12), "lines of the tests")


suite.main(plan=7)

"""The repaired test has to pass with queues that keep the promises, however slow, and to fail with each that breaks one."""

import pathlib
import sys
import time
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

judge.budget(100)
suite = judge.Suite()
random = judge.rng()
SOURCE = (HERE / "original/jobq/queue.py").read_text()


def queue(*changes):
    """The source of the queue with (old, new) text changes."""
    text = SOURCE
    for old, new in changes:
        assert text.count(old) == 1, f"the original has changed: {old!r}"
        text = text.replace(old, new)
    return text


# Every few times a worker that comes by loses half a second; otherwise some milliseconds.
STALL = (
    "class JobQueue:",
    '''_passes = 0


def _stall():
    global _passes
    _passes += 1
    threading.Event().wait(0.5 if _passes % 8 == 3 else 0.02)


class JobQueue:''',
)
RUN = "            outcome = self._attempt(function, args)\n"
RECORD = "            with self._change:\n                self._outcomes[job] = outcome\n"
CALL = "            if self._on_done is not None:\n                self._on_done(job)\n"
LINE = "            _stall()\n"

# Other text, same promises: so that a test cannot tell good from bad by looking at the source.
RENAMED = (
    SOURCE.replace("_pending", "_todo").replace("_outcomes", "_found").replace("_change", "_news")
    .replace("_done", "_finished").replace("on_finished", "on_done").replace("_attempt", "_call").replace("_work", "_loop")
)

GOOD = {
    "written differently": RENAMED,
    "stalls before a job": queue(STALL, (RUN, LINE + RUN)),
    "stalls before the result": queue(STALL, (RECORD, LINE + RECORD)),
    "stalls around on_done": queue(STALL, (CALL, LINE + CALL + LINE)),
    # The job gets its chance to be done first. Not longer: it may be waiting for something that the test does next.
    "submit returns late": queue(("        return job\n", "        self.wait(job, 0.1)\n        return job\n")),
}

BAD = {
    "a job runs twice": queue((RUN, RUN + RUN)),
    "results are mixed up": queue(("self._outcomes[job] = outcome", "self._outcomes[job] = (job, outcome[1])")),
    "one retry too few": queue(("range(1 + self._retries)", "range(max(1, self._retries))")),
    "one retry too many": queue(("range(1 + self._retries)", "range(2 + self._retries)")),
    "an error is lost": queue(("        return None, last\n", "        return None, None\n")),
    "the cause is lost": queue((" from error\n        return value", " from None\n        return value")),
    "the first error instead of the last": queue(("                last = error\n", "                last = error if attempt == 0 else last\n")),
    "a result before its time": queue(("                raise NotReady(job)\n", "                return None\n")),
    "one worker too many": queue(("range(workers)]", "range(workers + 1)]")),
    "one worker too few": queue(("range(workers)]", "range(max(1, workers - 1))]")),
    "the last job first": queue(("popleft()", "pop()")),
    "on_done is called twice": queue((CALL, CALL + "                self._on_done(job)\n")),
    "on_done is not called for failed jobs": queue(("if self._on_done is not None:", "if self._on_done is not None and outcome[1] is None:")),
    "on_done is called too early": queue((RECORD + CALL, CALL + RECORD)),
    "wait does not wait": queue(("self._change.wait_for(lambda: job in self._done, timeout)", "True")),
    "wait never says no": queue(("lambda: job in self._done, timeout)", "lambda: job in self._done, timeout) or timeout is not None")),
    "wait returns before on_done": queue(("lambda: job in self._done, timeout", "lambda: job in self._outcomes, timeout"), ("self._outcomes[job] = outcome\n", "self._outcomes[job] = outcome\n                self._change.notify_all()\n")),
    "join looks at the first job only": queue(("lambda: len(self._done) == self._submitted, timeout", "lambda: bool(self._done) or not self._submitted, timeout")),
    "join does not wait": queue(("self._change.wait_for(lambda: len(self._done) == self._submitted, timeout)", "True")),
    "close drops jobs": queue(("            self._closed = True\n", "            self._closed = True\n            self._pending.clear()\n")),
    "close returns too early": queue(("        for thread in self._threads:\n            thread.join()\n", "        return\n")),
    "submit after close": queue(('                raise RuntimeError("the queue is closed")\n', "                return -1\n")),
    "close fails the second time": queue(("            self._closed = True\n", "            if self._closed:\n                raise RuntimeError('closed')\n            self._closed = True\n")),
}

# Runs the tests in the order drawn here and says what became of each.
RUNNER = """
    import random, sys, time, unittest
    real = time.sleep
    if no_pauses:
        time.sleep = lambda seconds: real(0)
    sys.setswitchinterval(interval)

    class Outcomes(unittest.TestResult):
        def __init__(self):
            super().__init__()
            self.passed = []
        def addSuccess(self, test):
            self.passed.append(test.id())

    def flat(suite):
        for item in suite:
            yield from flat(item) if isinstance(item, unittest.TestSuite) else [item]

    tests = list(flat(unittest.TestLoader().loadTestsFromName("tests.test_queue")))
    if alone:
        tests = [random.Random(seed).choice(tests)]
    random.Random(seed).shuffle(tests)
    result = Outcomes()
    for test in tests:
        test.run(result)
        if failfast and (result.failures or result.errors):
            break
    trouble = [[test.id(), text] for test, text in result.failures + result.errors]
    return {"found": [t.id() for t in tests], "passed": result.passed, "trouble": trouble,
            "skipped": len(result.skipped) + len(result.expectedFailures) + len(result.unexpectedSuccesses)}
"""


def begin(source, seconds, **options):
    """Start the agent's test module with a queue. The rest of the repository is as it was."""
    place = judge.checkout(HERE / "original", without=())
    (place / "tests").mkdir()
    (place / "tests/__init__.py").write_text("")
    (place / "tests/test_queue.py").write_bytes((HERE.parent / "tests/test_queue.py").read_bytes())
    (place / "jobq/queue.py").write_text(source)
    options = {"no_pauses": False, "alone": False, "failfast": False, "interval": 0.005, "seed": random.randrange(10**9), **options}
    python = judge.Session(place, timeout=seconds, hash_seed=random.randrange(1, 10**6), preload=["unittest"])
    python.begin(RUNNER, **options)
    return python


# Seconds in which a run with a good queue has to be over on an idle machine, and after which a test that still waits for a
# bad one has noticed.
SECONDS, PATIENCE = 5, 6


def judged(python):
    """Fail unless the run that was begun in the child comes to a good end."""
    with python:
        outcome = python.collect()
    trouble = "\n".join(f"{name}: {text}" for name, text in outcome["trouble"])
    judge.true(not outcome["trouble"], f"the test fails:\n{trouble}")
    judge.true(outcome["found"], "there are no tests")
    judge.true(not outcome["skipped"], "tests are skipped")
    judge.equal(sorted(outcome["passed"]), sorted(outcome["found"]), "the tests that pass")


@suite.check("passes with the queue as it is")
def _():
    judged(begin(SOURCE, SECONDS))


# Children that must pass are started together, as they wait more than they work.
begun = {}


def all_begun():
    if not begun:
        for name, source in GOOD.items():
            begun[name] = begin(source, 30, no_pauses=True, interval=random.choice([1e-6, 0.005, 0.05]))
        for n in range(4):
            begun["order", n] = begin(SOURCE, 30, no_pauses=n % 2 == 0, interval=10.0 ** -random.randint(2, 6))
        for n in range(5):
            begun["alone", n] = begin(SOURCE, 30, alone=True)
    return begun


def good(name):
    @suite.check(f"passes with a good queue: {name}")
    def _():
        judged(all_begun()[name])


for name in GOOD:
    good(name)


@suite.check("passes in any order, with any order of sets, with pauses and without")
def _():
    for n in range(4):
        judged(all_begun()["order", n])


@suite.check("each test passes alone")
def _():
    for n in range(5):
        judged(all_begun()["alone", n])


def notices(python, seconds=PATIENCE):
    """Whether the test fails: True, False, or None if it is still at it."""
    with python:
        try:
            return bool(python.collect(timeout=max(seconds, 0.01))["trouble"])
        except judge.TimedOut:
            return None
        except (judge.Raised, judge.Died):
            return True


noticed = {}


def all_tried():
    """What the test makes of all bad queues, tried at the same time: True where it has noticed beyond doubt."""
    if not noticed:
        started = {name: begin(source, PATIENCE, failfast=True) for name, source in BAD.items()}
        # A good queue is the last to be started. If even that is over in time, the machine is quick enough for a test that
        # is not over to be one that waits for something.
        measure = begin(SOURCE, PATIENCE, failfast=True)
        until = time.monotonic() + PATIENCE
        quick = notices(measure) is False
        for name, python in started.items():
            answer = notices(python, until - time.monotonic())
            noticed[name] = quick if answer is None else answer
    return noticed


def bad(name):
    @suite.check(f"fails with a bad queue: {name}")
    def _():
        # The test is promised an idle machine, so what was missed in company is tried again alone.
        if not any(all_tried()[name] or notices(begin(BAD[name], PATIENCE, failfast=True)) in (True, None) for _ in range(2)):
            raise judge.Failure("the test does not notice")


for name in BAD:
    bad(name)

suite.main(plan=len(GOOD) + len(BAD) + 3)

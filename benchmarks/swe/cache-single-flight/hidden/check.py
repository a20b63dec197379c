"""A cache used by threads that meet at gates in `load`: who is where is arranged, not left to luck.

A cache that is right passes at any speed of the machine. Where something must *not* happen (a second load), there is a
moment in which a wrong cache does it.
"""

import pathlib
import sys
import textwrap
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
judge.budget(40)
suite = judge.Suite()
random = judge.rng()

STAGE = """
import sys, threading, time
from larder import Cache
sys.setswitchinterval(interval)
LONG, MOMENT = 6, moment

class Stage:
    '''A `load` whose nth call returns values[n], after it was let through its gate. Negative values are raised.'''

    def __init__(self):
        self.count, self.lock = 0, threading.Lock()
        self.begun = [threading.Event() for _ in values]
        self.gates = [threading.Event() for _ in values]
        self.now = 0.0
        self.cache = Cache(self.load, lifetime=10, clock=lambda: self.now)
        self.outcomes = {}

    def load(self, key):
        with self.lock:
            n, self.count = self.count, self.count + 1
        self.begun[n].set()
        self.gates[n].wait(LONG)
        if values[n] < 0:
            raise (KeyboardInterrupt if values[n] % 2 else OSError)(str(values[n]))
        return values[n]

    def open(self, *numbers):
        for n in numbers or range(len(values)):
            self.gates[n].set()

    def start(self, name, key):
        def work():
            try:
                self.outcomes[name] = self.cache.get(key)
            except BaseException as error:
                self.outcomes[name] = [type(error).__name__, str(error)]

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def second(self, n):
        '''Whether the nth load begins although it should not.'''
        return self.begun[n].wait(MOMENT)

    def result(self, threads, **more):
        until = time.monotonic() + LONG
        for thread in threads:
            thread.join(max(0, until - time.monotonic()))
        stuck = sum(thread.is_alive() for thread in threads)
        return {"outcomes": self.outcomes, "loads": self.count, "stuck": stuck, "stats": self.cache.stats(), **more}

stage = Stage()
"""


def play(source, values, moment=0.25):
    """Run a play in a child of its own; what it tells must not include a stuck thread."""
    with judge.Session(repo, timeout=12) as python:
        result = python.run(STAGE + textwrap.dedent(source).strip('\n') + '\n', values=values, moment=moment, interval=random.choice([1e-6, 1e-4, 0.005]))
    judge.equal(result["stuck"], 0, "number of threads that never came back")
    return result


def numbers(count):
    return random.sample(range(1, 10**6), count)


@suite.check("threads that want the same new key share one load")
def _():
    values = numbers(6)
    result = play(
        """
        threads = [stage.start("0", "key")]
        stage.begun[0].wait(LONG)
        threads += [stage.start(str(n), "key") for n in range(1, 5)]
        again = stage.second(1)
        stage.open()
        return stage.result(threads, again=again)
        """,
        values,
    )
    judge.equal((result["again"], result["loads"]), (False, 1), "a second load, loads")
    judge.equal(result["outcomes"], {str(n): values[0] for n in range(5)}, "values")
    judge.equal(result["stats"], {"hits": 4, "misses": 1}, "stats")


@suite.check("threads that want the same expired key share one load")
def _():
    values = numbers(6)
    result = play(
        """
        stage.open(0)
        first = stage.cache.get("key")
        stage.now = 10.5
        threads = [stage.start("0", "key")]
        stage.begun[1].wait(LONG)
        threads += [stage.start(str(n), "key") for n in range(1, 4)]
        again = stage.second(2)
        stage.now = 25.0
        stage.open()
        result = stage.result(threads, again=again, first=first)
        stage.now = 34.9
        return {**result, "kept": stage.cache.get("key"), "loads": stage.count}
        """,
        values,
    )
    judge.equal((result["first"], result["again"], result["loads"]), (values[0], False, 2), "first value, a further load, loads")
    judge.equal(result["outcomes"], {str(n): values[1] for n in range(4)}, "values")
    judge.equal(result["kept"], values[1], "the value at the end of its lifetime")


@suite.check("different keys load at the same time")
def _():
    values = numbers(3)
    result = play(
        """
        threads = [stage.start(key, key) for key in "abc"]
        together = [event.wait(LONG / 2) for event in stage.begun]
        stage.open()
        return stage.result(threads, together=together)
        """,
        values,
    )
    judge.equal(result["together"], [True] * 3, "loads that began while the others were under way")
    judge.equal(sorted(result["outcomes"].values()), sorted(values), "values")


@suite.check("a kept value is there while another key, or nothing else, is loaded")
def _():
    values = numbers(3)
    result = play(
        """
        stage.open(0)
        stage.cache.get("warm")
        threads = [stage.start("cold", "cold")]
        stage.begun[1].wait(LONG)
        hit = stage.start("warm", "warm")
        hit.join(LONG / 2)
        at_once = not hit.is_alive()
        stage.cache.invalidate("other")
        stats = stage.cache.stats()
        stage.open()
        return stage.result(threads + [hit], at_once=at_once, early=stats)
        """,
        values,
    )
    judge.equal((result["at_once"], result["outcomes"]), (True, {"warm": values[0], "cold": values[1]}), "hit at once, values")
    judge.equal((result["early"], result["stats"]), ({"hits": 1, "misses": 2},) * 2, "stats")


@suite.check("load may ask for other keys")
def _():
    with judge.Session(repo, timeout=8) as python:
        result = python.run(
            """
            import threading
            from larder import Cache
            loaded = []

            def load(key):
                loaded.append(key)
                return key if key == 0 else [cache.get(key - 1), key]

            cache, got = Cache(load), []
            thread = threading.Thread(target=lambda: got.append(cache.get(depth)), daemon=True)
            thread.start()
            thread.join(5)
            return [len(got), loaded, cache.get(depth - 2) if got else None]
            """,
            depth=5,
        )
    judge.equal(result, [1, [5, 4, 3, 2, 1, 0], [[[0, 1], 2], 3]], "done, keys loaded, value of a key on the way")


@suite.check("an exception reaches all who wait, and is not kept")
def _():
    for value, kind in ((-random.randrange(2, 10**6, 2), "OSError"), (-random.randrange(1, 10**6, 2), "KeyboardInterrupt")):
        values = [value, *numbers(4)]
        # Those who wait have to be inside of `get` when the load fails: they are given more and more time for the last steps.
        for moment in (0.2, 0.6, 1.5):
            result = play(
                """
                threads = [stage.start("0", "key")]
                stage.begun[0].wait(LONG)
                threads += [stage.start(str(n), "key") for n in range(1, 4)]
                again = stage.second(1)
                stage.open()
                result = stage.result(threads, again=again)
                return {**result, "next": stage.cache.get("key"), "then": stage.cache.get("key"), "after": stage.count}
                """,
                values,
                moment=moment,
            )
            if result["loads"] == 1:
                break
        judge.equal((result["again"], result["loads"]), (False, 1), "a second load, loads")
        judge.equal(result["outcomes"], {str(n): [kind, str(value)] for n in range(4)}, "exceptions")
        judge.equal((result["next"], result["then"], result["after"]), (values[1], values[1], 2), "next value, the one after, loads")
        judge.equal(result["stats"], {"hits": 3, "misses": 1}, "stats")


INVALIDATED = """
    threads = [stage.start("old", "key")]
    stage.begun[0].wait(LONG)
    stage.cache.invalidate("key")
    threads.append(stage.start("new", "key"))
    fresh = stage.begun[1].wait(LONG / 2)
"""


@suite.check("after invalidate a new load begins; the new one ends first")
def _():
    values = numbers(4)
    result = play(
        INVALIDATED + """
    stage.open(1)
    threads[1].join(LONG)
    middle = stage.cache.get("key") if fresh else None
    stage.open(0)
    threads[0].join(LONG)
    stage.open()
    return stage.result(threads, fresh=fresh, middle=middle, kept=stage.cache.get("key"))
        """,
        values,
    )
    judge.true(result["fresh"], "a get after invalidate waits for the old load")
    judge.equal((result["outcomes"]["new"], result["middle"], result["kept"], result["loads"]), (values[1], values[1], values[1], 2), "values, loads")
    judge.true(result["outcomes"]["old"] in values[:2], "the get from before invalidate")


@suite.check("after invalidate a new load begins; the old one ends first")
def _():
    values = numbers(5)
    result = play(
        INVALIDATED + """
    stage.open(0)
    threads[0].join(LONG)
    threads.append(stage.start("later", "key"))
    again = stage.second(2)
    stage.open()
    for thread in threads:
        thread.join(LONG)
    return stage.result(threads, fresh=fresh, again=again, kept=stage.cache.get("key"))
        """,
        values,
    )
    judge.true(result["fresh"], "a get after invalidate waits for the old load")
    judge.equal((result["outcomes"]["new"], result["outcomes"]["later"], result["kept"]), (values[1],) * 3, "values")
    judge.equal((result["again"], result["loads"]), (False, 2), "a third load, loads")


@suite.check("what was being loaded when it was invalidated is not kept, even if nobody asks meanwhile")
def _():
    values = numbers(3)
    result = play(
        """
        threads = [stage.start("old", "key")]
        stage.begun[0].wait(LONG)
        stage.cache.invalidate("key")
        stage.open()
        threads[0].join(LONG)
        return stage.result(threads, then=stage.cache.get("key"), after=stage.cache.get("key"))
        """,
        values,
    )
    judge.equal(result["outcomes"]["old"] in values[:2], True, "the get from before invalidate")
    judge.true(result["then"] != values[0], "a value from before invalidate was kept")
    judge.equal(result["after"], result["then"], "the value after")


@suite.check("an old load that fails after invalidate leaves the new one alone")
def _():
    values = [-2, *numbers(4)]
    result = play(
        INVALIDATED + """
    stage.open(0)
    threads[0].join(LONG)
    threads.append(stage.start("later", "key"))
    again = stage.second(2)
    stage.open()
    for thread in threads:
        thread.join(LONG)
    return stage.result(threads, fresh=fresh, again=again, kept=stage.cache.get("key"))
        """,
        values,
    )
    judge.true(result["fresh"], "a get after invalidate waits for the old load")
    judge.equal([result["outcomes"]["new"], result["outcomes"]["later"], result["kept"], result["again"]], [values[1]] * 3 + [False], "values")


@suite.check("one thread: as before")
def _():
    keys = [random.choice("abc") for _ in range(60)]
    steps = [[key, random.choice(["get", "get", "get", "invalidate"]), random.randint(0, 4)] for key in keys]
    with judge.Session(repo) as python:
        answers = python.run(
            """
            from larder import Cache
            state = {"now": 0, "count": 0}

            def load(key):
                state["count"] += 1
                state["now"] += 1
                return [key, state["count"]]

            cache, answers = Cache(load, lifetime=10, clock=lambda: state["now"]), []
            for key, method, later in steps:
                state["now"] += later
                answers.append([getattr(cache, method)(key), cache.stats()])
            return answers
            """,
            steps=steps,
        )
    kept, now, count, hits = {}, 0, 0, 0
    for (key, method, later), answer in judge.paired(steps, answers):
        now += later
        if method == "invalidate":
            kept.pop(key, None)
            judge.equal(answer[0], None)
        elif key in kept and now < kept[key][1]:
            hits += 1
            judge.equal(answer[0], kept[key][0], "kept value")
        else:
            count, now = count + 1, now + 1
            kept[key] = [key, count], now + 10
            judge.equal(answer[0], [key, count], "loaded value")
        judge.equal(answer[1], {"hits": hits, "misses": count}, "stats")


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=12)

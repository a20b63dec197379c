"""A small library for hidden checks that a cheating change cannot talk to.

A check script is the *parent*: it never imports, sources or loads the code under test. It runs that code in child
processes, takes plain data back, and asserts in its own process. What a child can forge is only data, and data helps it
only when it equals the right answer, so ask for values ("what does f return for these inputs?"), never for verdicts
("did it work?"), and draw the inputs from `rng()` so that they cannot be known beforehand.

How a check script begins (the library is read as source text, so that neither a module of the same name nor a planted
byte-code cache in the working directory can take its place; run it with `python3 -I hidden/check.py`):

    import pathlib, sys, types
    HERE = pathlib.Path(__file__).resolve().parent
    judge = sys.modules["judge"] = types.ModuleType("judge")
    exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

    repo = judge.checkout(HERE.parent)             # a private copy without hidden/ and .git
    suite = judge.Suite()

    @suite.check("adds numbers")                   # one TAP line; a check fails by raising
    def _():
        with judge.Session(repo) as python:        # one child interpreter, many calls
            judge.equal(python.call("calc:add", 2, 3), 5)
            with judge.raises("ValueError", "empty"):
                python.call("calc:parse", "")
            total = python.run('''
                from calc import Sum               # the body of a function: inputs are names, `return` is the answer
                s = Sum()
                for n in numbers:
                    s.add(n)
                return s.total
            ''', numbers=[1, 2, 3])
            judge.equal(total, 6)

    @suite.check("the program prints its version")
    def _():
        done = judge.run(["sh", "tool.sh", "--version"], cwd=repo)     # any program: C, shell, make ...
        judge.equal((done.code, done.text), (0, "1.2\\n"))

    suite.main(plan=2)                             # exits 0 only if all 2 checks ran and passed

Once a check has failed, the verdict is decided and further checks only explain it: they are run while that is quick. Where
each check counts (`pass_rate: tap`), `suite.main(plan=2, graded=True)` runs them all.

What passes between parent and child: None, bool, int, float, str, bytes, list, tuple, set, frozenset, dict, Decimal, date,
datetime and timedelta; anything else arrives as an `Opaque`. `run(..., callbacks={"fetch": f})` lets the child call back
into the parent by `ask("fetch", name)`: what the parent counts there, the child cannot miscount.

Children get a timeout each and share one budget (`budget(seconds)`, 60 s at first), a fresh HOME and TMPDIR, a fixed environment and a
session of their own; when a child is done, everything it started is killed. `JUDGE_SEED=n` repeats a run.
"""

import ast
import atexit
import base64
import contextlib
import ctypes
import datetime
import decimal
import json
import os
import pathlib
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

PATH = "/usr/local/bin:/usr/bin:/bin"
OUTPUT_LIMIT = 1 << 20          # bytes of standard output or error that are read back
REPLY_LIMIT = 64 << 20          # bytes of one reply of a session
FILE_LIMIT = 256 << 20          # bytes of the largest file a child may write
EXPLANATION = 2                 # seconds from the start in which checks are run although one has failed


# -- failures -------------------------------------------------------------------------------------------------------

class Failure(AssertionError):
    """A check does not hold. The message says what was seen."""


class Raised(Failure):
    """The code under test raised: `type` is the class name, `mro` the names of its bases too, `message` is str(error)."""

    def __init__(self, type, mro, message, trace):
        super().__init__(f"{type}: {message}\n{trace}")
        self.type, self.mro, self.message, self.trace = type, mro, message, trace


class Died(Failure):
    """The child ended before it answered."""


class TimedOut(Failure):
    """The child did not answer in time and was killed."""


class Opaque:
    """A value of a type that does not travel: the name of its class and its repr()."""

    def __init__(self, type, text):
        self.type, self.text = type, text

    def __repr__(self):
        return f"<{self.type} {self.text}>"


def equal(actual, expected, what="value"):
    """Fail unless `actual == expected`."""
    if actual != expected:
        raise Failure(f"{what}: expected {_short(expected)}, got {_short(actual)}")


def true(condition, message):
    """Fail with `message` unless `condition`."""
    if not condition:
        raise Failure(message)


def paired(questions, answers):
    """`zip` that fails unless `answers` is a list with one answer for each question: a short answer hides nothing."""
    if not isinstance(answers, (list, tuple)) or len(answers) != len(questions):
        raise Failure(f"expected a list of {len(questions)} answers, got {_short(answers)}")
    return list(zip(questions, answers))


@contextlib.contextmanager
def raises(type, containing=""):
    """Hold if the code under test raises `type` (a class name; its subclasses count) and the message contains the text."""
    try:
        yield
    except Raised as error:
        if type not in error.mro:
            raise Failure(f"expected {type}, but it raised {error}") from None
        if containing not in error.message:
            raise Failure(f"{type} should mention {containing!r}: {error.message!r}") from None
    else:
        raise Failure(f"expected {type}, but nothing was raised")


def _short(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2:]}"


# -- time and chance ------------------------------------------------------------------------------------------------

_deadline = time.monotonic() + 60


def budget(seconds):
    """Give all children together `seconds` from now; afterwards no child is waited for."""
    global _deadline
    _deadline = time.monotonic() + seconds


def _allowance(timeout):
    left = _deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("the time for all children together is used up")
    return min(timeout, left)


_seed = int(os.environ.get("JUDGE_SEED") or int.from_bytes(os.urandom(6), "big"))


def rng(salt=""):
    """Random numbers from a seed drawn when the check starts (printed as a TAP comment); `salt` makes streams independent."""
    return random.Random(f"{_seed}/{salt}")


# -- the shield around the parent -----------------------------------------------------------------------------------

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 4, 24, 36
_CAP_SYS_PTRACE = 19
_DAC_CAPS = (1, 2)              # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: so that a read-only file is read-only for root too


def _prctl():
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


_prctl = _prctl()
if _prctl is not None:
    # Not dumpable: a child of the same user can neither trace this process nor open its memory or descriptors.
    _prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Orphans of a child come to us instead of to init, so that they can be found and killed.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _confine(drop):
    """What a child does to itself before it starts. For root the ban on tracing holds only without the capability."""

    def confine():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        limit = FILE_LIMIT if hard == resource.RLIM_INFINITY else min(FILE_LIMIT, hard)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if _prctl is not None:
            for capability in drop:
                _prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)

    return confine


_live = {}                      # process id -> Popen of children that are still wanted


def _start(argv, cwd, env, obey_modes=False, **streams):
    drop = (_CAP_SYS_PTRACE, *_DAC_CAPS) if obey_modes else (_CAP_SYS_PTRACE,)
    child = subprocess.Popen(
        [os.fspath(a) for a in argv], cwd=cwd, env=env, start_new_session=True, preexec_fn=_confine(drop), **streams
    )
    _live[child.pid] = child
    return child


def _wait(child, timeout):
    """Wait for the end of a child; False if it did not come in time."""
    # `Popen.wait` with a timeout sleeps between looks. A descriptor of the process wakes us at its end.
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):       # an older Python or kernel, or a container that refuses it
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True
    try:
        ended = select.select([descriptor], [], [], timeout)[0]
    finally:
        os.close(descriptor)
    if ended:
        child.wait()
    return bool(ended)


def _end(child):
    """Kill a child, its process group, and whatever it left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    child.wait()
    _live.pop(child.pid, None)
    for _ in range(100):
        strays = [pid for pid in _children() if pid not in _live]
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children():
    me, found = os.getpid(), []
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return found
    for name in processes:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{name}/stat", "rb") as stat:
                if int(stat.read().rpartition(b")")[2].split()[1]) == me:
                    found.append(int(name))
    return found


# -- places ---------------------------------------------------------------------------------------------------------

_root = None


def scratch():
    """A new empty directory, removed when the check ends."""
    global _root
    if _root is None:
        _root = tempfile.mkdtemp(prefix="judge-")
    return pathlib.Path(tempfile.mkdtemp(dir=_root))


@atexit.register
def _tidy():
    for child in list(_live.values()):
        _end(child)
    if _root is not None:
        shutil.rmtree(_root, ignore_errors=True)


# A check that is told to stop still tidies up.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def checkout(source, overlay=None, without=("hidden", ".git")):
    """A private copy of the directory `source`, less the entries `without` at its top.

    `overlay` is {relative target: local file or directory} and replaces what the copy has at that place, e.g.
    {"tests": HERE / "tests"} for the visible tests as they were before the change.
    """
    copy = scratch() / "repo"

    def skip(directory, names):
        return set(without) & set(names) if pathlib.Path(directory) == pathlib.Path(source) else set()

    shutil.copytree(source, copy, symlinks=True, ignore=skip)
    for target, replacement in (overlay or {}).items():
        place = copy
        for part in pathlib.PurePosixPath(target).parts[:-1]:
            place = place / part
            if place.is_symlink() or place.is_file():       # never write through a link that the change may have made
                place.unlink()
            place.mkdir(exist_ok=True)
        place = copy / target
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        replacement = pathlib.Path(replacement)
        (shutil.copytree if replacement.is_dir() else shutil.copyfile)(replacement, place)
    return copy


def environment(extra=None):
    """The environment of a child: nothing but this, `extra` added; HOME and TMPDIR are empty and its own."""
    # Not /tmp: where a devbox has no file system of its own, that one belongs to others.
    own = {"HOME": str(scratch()), "TMPDIR": str(scratch())}
    return {"PATH": PATH, **own, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", **(extra or {})}


# -- programs -------------------------------------------------------------------------------------------------------

class Result:
    """How a program ended: `code` (negative: killed by that signal), `stdout` and `stderr` (bytes, the first MiB), `timed_out`."""

    def __init__(self, code, stdout, stderr, timed_out):
        self.code, self.stdout, self.stderr, self.timed_out = code, stdout, stderr, timed_out

    @property
    def text(self):
        """Standard output as text; bytes that are not UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error(self):
        """Standard error as text."""
        return self.stderr.decode("utf-8", "replace")

    def __repr__(self):
        return f"exit {self.code}{' (timed out)' if self.timed_out else ''}, stdout {_short(self.text)}, stderr {_short(self.error)}"


def run(argv, cwd, input=b"", env=None, timeout=10, obey_modes=False):
    """Run a program to its end and return a `Result`. It is killed at the timeout. `env` is added to `environment()`.

    With `obey_modes` file permissions hold for the child even where it runs as root.
    """
    timeout = _allowance(timeout)
    if isinstance(input, str):
        input = input.encode()
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(input)
        stdin.seek(0)
        child = _start(argv, cwd, environment(env), obey_modes, stdin=stdin, stdout=stdout, stderr=stderr)
        try:
            timed_out = not _wait(child, timeout)
        finally:
            _end(child)
        stdout.seek(0)
        stderr.seek(0)
        return Result(child.returncode, stdout.read(OUTPUT_LIMIT), stderr.read(OUTPUT_LIMIT), timed_out)


def ok(result):
    """The `Result` again; fail unless it exited with 0."""
    if result.code != 0 or result.timed_out:
        raise Failure(f"expected success, got {result!r}")
    return result


# -- Python ---------------------------------------------------------------------------------------------------------

# Used by both sides, so it is text: the child receives it as part of its program.
_CODEC = r'''
def _encode(v):
    t = type(v)
    if v is None or t in (bool, int, float, str):
        return v
    if t is list:
        return [_encode(x) for x in v]
    if isinstance(v, dict) and all(type(k) is str and k != "$" for k in v):
        return {k: _encode(x) for k, x in v.items()}
    if isinstance(v, dict):
        return {"$": "dict", "v": [[_encode(k), _encode(x)] for k, x in v.items()]}
    if isinstance(v, (tuple, list)):
        return {"$": "tuple" if isinstance(v, tuple) else "list", "v": [_encode(x) for x in v]}
    if isinstance(v, (set, frozenset)):
        return {"$": "set", "v": [_encode(x) for x in v]}
    if isinstance(v, (bytes, bytearray)):
        return {"$": "bytes", "v": base64.b64encode(v).decode()}
    if isinstance(v, str):
        return str.__str__(v)
    if isinstance(v, int):
        return int(v)
    if isinstance(v, float):
        return float(v)
    if isinstance(v, decimal.Decimal):
        return {"$": "decimal", "v": str(v)}
    if isinstance(v, datetime.datetime):
        return {"$": "datetime", "v": v.isoformat(), "fold": v.fold}
    if isinstance(v, datetime.date):
        return {"$": "date", "v": v.isoformat()}
    if isinstance(v, datetime.timedelta):
        return {"$": "timedelta", "v": [v.days, v.seconds, v.microseconds]}
    return {"$": "opaque", "v": [t.__name__, repr(v)]}


def _decode(v):
    if isinstance(v, list):
        return [_decode(x) for x in v]
    if not isinstance(v, dict):
        return v
    if "$" not in v:
        return {k: _decode(x) for k, x in v.items()}
    kind, v, fold = v["$"], v["v"], v.get("fold", 0)
    if kind == "dict":
        return {_decode(k): _decode(x) for k, x in v}
    if kind == "list":
        return [_decode(x) for x in v]
    if kind == "tuple":
        return tuple(_decode(x) for x in v)
    if kind == "set":
        return frozenset(_decode(x) for x in v)
    if kind == "bytes":
        return base64.b64decode(v)
    if kind == "decimal":
        return decimal.Decimal(v)
    if kind == "datetime":
        return datetime.datetime.fromisoformat(v).replace(fold=fold)
    if kind == "date":
        return datetime.date.fromisoformat(v)
    if kind == "timedelta":
        return datetime.timedelta(*v)
    return Opaque(*v)
'''
exec(_CODEC)

_DRIVER = _CODEC + r'''

def _main():
    requests, replies = os.fdopen(int(sys.argv[1]), "r"), os.fdopen(int(sys.argv[2]), "w")
    setup = json.loads(requests.readline())
    for name in setup["preload"]:
        importlib.import_module(name)
    sys.argv[:] = ["judge"]
    sys.path[:0] = setup["path"]

    def send(message):
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    def ask(name, *args):
        send({"ask": name, "args": _encode(list(args))})
        answer = json.loads(requests.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return _decode(answer["answer"])

    for line in requests:
        request = json.loads(line)
        try:
            names = {}
            exec(compile(request["source"], "<check>", "exec"), names)
            reply = {"answer": _encode(names["_body"](ask, **_decode(request["inputs"])))}
        except BaseException as error:
            try:
                message = str(error)
            except BaseException:
                message = "(no message)"
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__)[-6:])
            reply = {"raised": [type(error).__name__, [c.__name__ for c in type(error).__mro__], message, trace]}
        send(reply)

_main()
'''
_IMPORTS = "import base64, datetime, decimal, importlib, json, os, sys, traceback\n"


class Session:
    """One child interpreter that imports the code under test from `repo` (and `path` below it) and answers calls.

    `hash_seed` fixes the order of sets; without it each session has its own. `preload` are standard modules to import before
    the code under test can shadow them. Standard output and error of the child go nowhere; `log()` shows their end.
    """

    def __init__(self, repo, path=(".",), timeout=10, env=None, hash_seed=None, preload=(), cwd=None):
        self.timeout = timeout
        self._log = tempfile.TemporaryFile()
        env = environment(env)
        flags = ["-I", "-B"]
        if hash_seed is not None:
            env["PYTHONHASHSEED"] = str(hash_seed)
            flags = ["-s", "-B"]            # -I would ignore the variable
        program = "import sys\nsys.path[:] = [p for p in sys.path if p]\n" + _IMPORTS + _DRIVER
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        try:
            self._child = _start(
                [sys.executable, *flags, "-c", program, str(theirs_in), str(theirs_out)], cwd or repo, env,
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, pass_fds=(theirs_in, theirs_out),
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._buffer = b""
        self._closed = False
        self._send({"path": [os.path.normpath(os.path.join(repo, p)) for p in path], "preload": list(preload)})

    def call(self, target, *args, **kwargs):
        """Call `package.module:function` (dots reach into classes) and return its value."""
        module, _, name = target.partition(":")
        source = f"""
            import functools, importlib
            function = functools.reduce(getattr, {name.split('.')!r}, importlib.import_module({module!r}))
            return function(*args, **kwargs)
        """
        return self.run(source, args=list(args), kwargs=kwargs)

    def run(self, source, callbacks=None, timeout=None, **inputs):
        """Run the body of a function in the child; `inputs` are its parameters, what it returns comes back.

        Names do not live on from one `run` to the next, imported modules do. `ask(name, *args)` calls `callbacks[name]` here.
        Raises `Raised`, `Died` or `TimedOut`.
        """
        self.begin(source, **inputs)
        return self.collect(callbacks, timeout)

    def begin(self, source, **inputs):
        """The first half of `run`: send the work and come back at once, so that several children work at the same time."""
        body = textwrap.indent(textwrap.dedent(source), "    ")
        self._send({"source": f"def _body({', '.join(['ask', *inputs])}):\n{body}\n", "inputs": _encode(inputs)})

    def collect(self, callbacks=None, timeout=None):
        """The second half of `run`: the answer to what was begun. The timeout counts from here."""
        deadline = time.monotonic() + _allowance(timeout or self.timeout)
        while True:
            reply = self._receive(deadline)
            try:
                if "ask" in reply:
                    name, args = reply["ask"], _decode(reply["args"])
                elif "raised" in reply:
                    kind, mro, message, trace = reply["raised"]
                    raise Raised(str(kind), [str(name) for name in mro], str(message), str(trace))
                else:
                    return _decode(reply["answer"])
            except Raised:
                raise
            except Exception as error:
                raise Failure(f"the child sent something unreadable: {error!r}") from None
            try:
                answer = {"answer": _encode(callbacks[name](*args))}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            self._send(answer)

    def log(self):
        """The end of what the child printed."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 2000))
        return self._log.read(2000).decode("utf-8", "replace")

    def close(self):
        """End the child and everything it started."""
        if not self._closed:
            self._closed = True
            _end(self._child)
            os.close(self._in)
            os.close(self._out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self._log.close()

    def _send(self, message):
        if self._closed:
            raise Died("the child has already ended")
        data = json.dumps(message).encode() + b"\n"
        try:
            while data:
                if not select.select([], [self._out], [], _allowance(self.timeout))[1]:
                    self.close()
                    raise TimedOut("the child does not listen")
                data = data[os.write(self._out, data[:4096]):]
        except BrokenPipeError:
            self._gone()

    def _receive(self, deadline):
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                self.close()
                raise TimedOut("no answer in time")
            data = os.read(self._in, 1 << 16)
            if not data:
                self._gone()
            self._buffer += data
            if len(self._buffer) > REPLY_LIMIT:
                self.close()
                raise Failure("the answer is too long")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            reply = json.loads(line)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict):
            raise Failure(f"the child sent something unreadable: {_short(line)}")
        return reply

    def _gone(self):
        _wait(self._child, 1)
        self.close()
        raise Died(f"the child ended without an answer (exit {self._child.returncode})\n{self.log()}")


def visible_tests(source, tests, at="tests", timeout=20):
    """Run the unit tests in the local directory `tests`, placed at `at` in a copy of `source`, and fail unless each passes.

    Which tests there are is read from the files here, so none can be dropped by the code that they import.
    """
    expected = set()
    for file in sorted(pathlib.Path(tests).rglob("test*.py")):
        module = ".".join(pathlib.PurePosixPath(at, file.relative_to(tests)).with_suffix("").parts)
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                expected |= {
                    f"{module}.{node.name}.{item.name}"
                    for item in node.body
                    if isinstance(item, ast.FunctionDef) and item.name.startswith("test")
                }
    true(expected, f"no tests found in {tests}")
    with Session(checkout(source, {at: tests}), timeout=timeout, preload=["unittest", "tempfile"]) as python:
        outcome = python.run(
            """
            import os, unittest

            class Collected(unittest.TestResult):
                def __init__(self):
                    super().__init__()
                    self.passed = []

                def addSuccess(self, test):
                    self.passed.append(test.id())

            result = Collected()
            unittest.TestLoader().discover(at, top_level_dir=os.getcwd()).run(result)
            trouble = [f"{test.id()}: {text}" for test, text in result.failures + result.errors]
            return {"passed": result.passed, "trouble": trouble}
            """,
            at=at,
        )
    missing = expected - set(outcome["passed"])
    if missing:
        raise Failure(f"these tests no longer pass: {sorted(missing)}\n" + "\n".join(map(str, outcome["trouble"][:3])))


# -- the collector --------------------------------------------------------------------------------------------------

class Suite:
    """Checks in the order in which they are written; each prints one line of TAP."""

    def __init__(self):
        self._checks = []

    def check(self, name):
        """Register a check under `name`. It holds unless it raises."""

        def register(function):
            self._checks.append((name, function))
            return function

        return register

    def main(self, plan, graded=False):
        """Run the checks and exit: 0 only if there were exactly `plan` of them and all held.

        Unless it is `graded`, nothing changes the verdict once a check has failed, and checks that would take long are left out.
        """
        print(f"1..{plan}\n# JUDGE_SEED={_seed}", flush=True)
        start, passed = time.monotonic(), 0
        for number, (name, function) in enumerate(self._checks, 1):
            if passed < number - 1 and not graded and time.monotonic() > start + EXPLANATION:
                print(f"# the verdict is decided: checks {number} to {len(self._checks)} were not run", flush=True)
                break
            try:
                function()
            except Exception as error:
                print(f"not ok {number} - {_line(name)}", flush=True)
                for line in _explain(error).splitlines()[:25]:
                    print(f"# {_line(line)}", flush=True)
            else:
                passed += 1
                print(f"ok {number} - {_line(name)}", flush=True)
        sys.exit(0 if passed == len(self._checks) == plan else 1)


def _explain(error):
    return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"


def _line(text):
    """One printable line: what a child says must not look like a line of ours."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:400].replace("#", "\\#")

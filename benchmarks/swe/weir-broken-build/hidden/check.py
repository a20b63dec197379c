"""Builds copies of the repository in many ways, with a compiler that writes down what it is asked for, and runs the result.

The exit status of make is never enough: what counts is what the built program answers, and what was compiled.
"""

import os
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
judge.budget(100)

UNITS = {"us": 0.000001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

# A compiler that writes down what it is asked for, dawdles as it is told, then compiles. To see whether make runs several at
# once, it can wait for another call to show up; the first that has waited in vain says so to all later ones.
COMPILER = r"""#!%(python)s -IS
import os, random, sys, time
log = %(log)r
with open("%%s/calls.%%d" %% (log, os.getpid()), "w") as file:
    file.write(" ".join(sys.argv[1:]))
if any("mkunits" in word for word in sys.argv):
    time.sleep(%(generator)r)
else:
    time.sleep(random.Random(os.getpid() + %(seed)d).uniform(0, %(others)r))
    if %(meet)r and "-c" in sys.argv:
        mine = "%%s/running.%%d" %% (log, os.getpid())
        open(mine, "w").close()
        until = time.monotonic() + 10
        while not os.path.exists(log + "/met") and not os.path.exists(log + "/alone"):
            if sum(name.startswith("running.") for name in os.listdir(log)) > 1:
                open(log + "/met", "w").close()
            elif time.monotonic() > until:
                open(log + "/alone", "w").close()
            else:
                time.sleep(0.01)
        os.unlink(mine)
os.execvp("cc", ["cc"] + sys.argv[1:])
"""


# What the sources become when the check changes them: other answers, the same interface.
OTHER_SUMMARY = """#include "weir/summary.h"

void summary_add(struct summary *summary, double seconds)
{
    summary->count++;
    summary->max = seconds;
}

double summary_mean(const struct summary *summary)
{
    return summary->count > 0 ? 42 : 0;
}
"""
OTHER_GENERATOR = """#include <stdio.h>

int main(void)
{
    puts("{ \\"other\\", 7 }, { \\"s\\", 1 },");
    return 0;
}
"""


class Build:
    """A copy of the repository that is built with a compiler of ours."""

    def __init__(self):
        self.path = judge.checkout(HERE.parent)
        self.log = judge.scratch()
        self.compiler()

    def compiler(self, generator=0.0, others=0.0, meet=False):
        """Makes the compiler take up to so many seconds for the generator and for all else."""
        self.cc = self.log / "compiler"
        self.cc.write_text(COMPILER % {"python": sys.executable, "log": str(self.log), "generator": generator, "others": others,
                                       "meet": meet, "seed": rng.getrandbits(16)})
        self.cc.chmod(0o755)

    def make(self, *words, code=0):
        """Runs make; returns the calls of the compiler."""
        for old in self.log.glob("calls.*"):
            old.unlink()
        self.result = programs.run(["make", "CC=%s" % self.cc, *words], self.path, code=None, timeout=30)
        if (self.result.code == 0) != (code == 0) or self.result.timed_out:
            raise judge.Failure("make %s: %r" % (" ".join(words), self.result))
        return sorted(file.read_text(errors="replace") for file in self.log.glob("calls.*"))

    def settle(self):
        """Makes everything so far a minute older, in its order, so that what changes from now on is newer for certain."""
        for folder, folders, files in os.walk(self.path):
            for name in folders + files:
                full = os.path.join(folder, name)
                if not os.path.islink(full):
                    state = os.stat(full)
                    os.utime(full, ns=(state.st_atime_ns - 60 * 10**9, state.st_mtime_ns - 60 * 10**9))

    def define(self, name, value):
        """Gives a macro of limits.h another value."""
        file = self.path / "include" / "weir" / "limits.h"
        text, count = re.subn(r"(#define %s) .*" % name, r"\1 %d" % value, file.read_text())
        judge.equal(count, 1, "definitions of %s in limits.h" % name)
        file.write_text(text)

    def add_unit(self, line):
        with open(self.path / "data" / "units.txt", "a") as file:
            file.write(line + "\n")

    def touch(self, name):
        os.utime(self.path / name)

    def works(self, digits=3, units=UNITS):
        """Fails unless the built program gives the right answers."""
        for _ in range(3):
            words, values = [], []
            for _ in range(rng.randint(1, 40)):
                number = rng.choice(["%d", "%.2f", "%.6f"]) % rng.uniform(0, 1000)
                unit = rng.choice(sorted(units))
                words.append(number + unit)
                values.append(float(number) * units[unit])
            unit = rng.choice(sorted(units))
            total = 0.0
            for value in values:
                total += value
            shown = [(name, value / units[unit]) for name, value in (
                ("min", min(values)), ("mean", total / len(values)), ("max", max(values)))]
            wanted = "count %d\n" % len(values) + "".join("%s %.*f %s\n" % (n, digits, v, unit) for n, v in shown)
            result = programs.run([self.path / "build" / "weir", "-u", unit], self.path, input=" ".join(words))
            judge.equal(result.text, wanted, "output of build/weir -u %s for %s" % (unit, words))
        programs.run([self.path / "build" / "weir"], self.path, input="1s 2furlongs", code=1)
        programs.run([self.path / "build" / "weir", "-u", "furlong"], self.path, code=2)


_shared = []


def shared():
    """A tree that several checks build on in turn, each leaving it in the state in which it found it."""
    if not _shared:
        build = Build()
        build.make("-j4")
        _shared.append(build)
    _shared[0].settle()
    return _shared[0]


def compiled(calls):
    """The names of the sources that the calls compile."""
    return sorted({os.path.basename(word) for call in calls for word in call.split() if word.endswith(".c")})


@suite.check("make in a fresh clone builds a program that works, without warnings")
def fresh():
    build = Build()
    calls = build.make()
    build.works()
    judge.true("warning" not in build.result.error and "implicit" not in build.result.error, "there are warnings: %r" % build.result)
    judge.true({"main.c", "report.c", "summary.c", "units.c", "mkunits.c"} <= set(compiled(calls)), "not all was compiled: %s" % calls)
    judge.true(all(len(compiled([call])) <= 1 for call in calls), "one call compiles several sources: %s" % calls)


@suite.check("the library can be linked and has what its headers declare")
def library():
    build = Build()
    build.make("build/libweir.a")
    driver = judge.scratch() / "driver.c"
    a, b = rng.randint(1, 999), rng.randint(1, 999)
    driver.write_text('#include "weir/summary.h"\n#include "weir/units.h"\n#include <stdio.h>\nint main(void)\n{\n'
                      "    struct summary s = { 0 };\n    summary_add(&s, measure_parse(\"%dms\"));\n"
                      "    summary_add(&s, measure_parse(\"%dh\"));\n"
                      '    printf("%%.6f %%g\\n", summary_mean(&s), measure_parse("x"));\n    return 0;\n}\n' % (a, b))
    program = driver.with_suffix("")
    programs.compile_c([driver, build.path / "build" / "libweir.a"], program, include=[build.path / "include"],
                       flags=["-Werror=implicit-function-declaration"])
    judge.equal(programs.run([program], build.path).text, "%.6f -1\n" % ((a * 0.001 + b * 3600.0) / 2))


@suite.check("make -j8 in a fresh clone and after changes, with a compiler that takes its time here and there")
def parallel():
    for generator, others in ((0.4, 0.0), (0.0, 0.2)):
        build = Build()
        build.compiler(generator=generator, others=others)
        build.make("-j8")
        build.works()
    build.settle()
    build.compiler(generator=0.3, others=0.1)
    build.add_unit("week 604800")
    build.touch("tools/mkunits.c")
    build.make("-j8")
    build.works(units={**UNITS, "week": 604800.0})


@suite.check("make -j8 compiles independent sources at the same time")
def at_once():
    build = Build()
    build.compiler(meet=True)
    build.make("-j8")
    judge.true((build.log / "met").exists(), "no two sources were compiled at the same time")
    build.works()


@suite.check("nothing is done if nothing has changed")
def nothing():
    build = shared()
    build.make()
    before = {name: (build.path / "build" / name).stat().st_mtime_ns for name in ("weir", "libweir.a")}
    for words in ((), ("-j4",), ("build/weir",)):
        judge.equal(build.make(*words), [], "calls of the compiler by a second make")
    after = {name: (build.path / "build" / name).stat().st_mtime_ns for name in before}
    judge.equal(after, before, "times of what is built")


@suite.check("a changed header is noticed everywhere")
def headers():
    build = shared()
    digits = rng.choice([0, 1, 2, 4, 5, 6, 7])
    build.define("WEIR_DIGITS", digits)
    calls = build.make()
    judge.true(not {"mkunits.c", "units.c"} & set(compiled(calls)), "too much was compiled: %s" % calls)
    build.works(digits=digits)
    # A word of six characters does not fit any more: its first five are not a measurement.
    programs.run([build.path / "build" / "weir"], build.path, input="00012s")
    build.settle()
    build.define("WEIR_WORD_MAX", 5)
    build.make("-j4")
    programs.run([build.path / "build" / "weir"], build.path, input="00012s", code=1)
    build.define("WEIR_DIGITS", 3)
    build.define("WEIR_WORD_MAX", 63)
    for header, sources in (("include/weir/units.h", {"units.c", "main.c", "report.c"}), ("src/report.h", {"main.c", "report.c"}),
                            ("include/weir/summary.h", {"summary.c", "main.c", "report.c"})):
        build.settle()
        build.touch(header)
        judge.true(sources <= set(compiled(build.make())), "%s was touched, and not all of %s compiled" % (header, sorted(sources)))


@suite.check("one changed source is compiled alone")
def one_source():
    build = shared()
    for source in ("src/report.c", "src/main.c", "lib/summary.c", "lib/units.c"):
        build.settle()
        build.touch(source)
        judge.equal(compiled(build.make("-j4")), [os.path.basename(source)], "compiled after %s was touched" % source)
    build.settle()
    source = build.path / "lib" / "summary.c"
    before = source.read_text()
    source.write_text(OTHER_SUMMARY)
    build.make()
    out = programs.run([build.path / "build" / "weir"], build.path, input="3s 5s").text
    judge.equal(out.split("\n")[2], "mean 42.000 s", "the mean after a change of the library")
    build.settle()
    source.write_text(before)
    build.make()
    build.works()


@suite.check("changed units arrive, and so does a changed generator")
def units():
    build = shared()
    week = rng.randint(500000, 700000)
    build.add_unit("week %d" % week)
    calls = build.make()
    judge.equal(compiled(calls), ["units.c"], "compiled after a change of the units")
    build.works(units={**UNITS, "week": float(week)})
    build.settle()
    (build.path / "tools" / "mkunits.c").write_text(OTHER_GENERATOR)
    calls = build.make()
    judge.true("mkunits.c" in compiled(calls), "the generator was not compiled: %s" % calls)
    judge.equal(programs.run([build.path / "build" / "weir", "-u", "other"], build.path, input="2other").text.split("\n")[1],
                "min 2.000 other")


@suite.check("a mistake in the units makes every make fail until it is gone")
def broken_units():
    build = Build()
    file = build.path / "data" / "units.txt"
    good = file.read_text()
    file.write_text(good + "fortnight two weeks\n")
    for words in ((), ("-j4",), ()):
        build.make(*words, code=2)
    file.write_text(good + "fortnight 1209600\n")
    build.make("-j4")
    build.works(units={**UNITS, "fortnight": 1209600.0})
    build.settle()
    file.write_text(good + "fortnight -1\n")
    for words in (("-j4",), ()):
        build.make(*words, code=2)


@suite.check("CC, CFLAGS and LDFLAGS are used; an undeclared function is an error whatever CFLAGS are")
def flags():
    build = Build()
    macro = "-DMARK_%08x" % rng.getrandbits(32)
    calls = build.make("CFLAGS=-O1 " + macro, "LDFLAGS=-L" + str(build.log))
    compiles = [call for call in calls if compiled([call])]
    judge.true(compiles and all(macro in call.split() for call in compiles), "CFLAGS is not used everywhere: %s" % calls)
    links = [call for call in calls if " -c " not in call and "mkunits" not in call]
    judge.true(links and all("-L" + str(build.log) in call.split() for call in links), "LDFLAGS is not used: %s" % calls)
    build.works()
    build.settle()
    with open(build.path / "src" / "report.c", "a") as file:
        file.write("\nint another(void);\nint another(void)\n{\n    return undeclared_%08x(1);\n}\n" % rng.getrandbits(32))
    build.make("CFLAGS=-O1", code=2)
    judge.true("implicit declaration" in build.result.error, "the compiler did not refuse it, the linker did: %r" % build.result)


@suite.check("make build/weir in a fresh clone, make check with the tests as they were, make clean")
def visible():
    build = Build()
    build.path = judge.checkout(HERE.parent, {"tests": HERE / "tests"})
    build.make("clean")
    before = programs.tree(build.path)
    build.make("build/weir")
    build.works()
    build.make("-j4", "check")
    for script, lines in (("units.sh", 6), ("run.sh", 5)):
        out = programs.run(["sh", "tests/" + script], build.path).text.splitlines()
        judge.equal((sum(line.startswith("ok - ") for line in out), len(out)), (lines, lines), "lines of tests/%s" % script)
    judge.true(set(programs.tree(build.path)) - set(before) >= {b"build/weir", b"build/libweir.a"}, "the build is not in build/")
    build.make("clean")
    programs.same_tree(programs.tree(build.path), before, "the tree after make clean")


suite.main(plan=11)

"""Fills random templates with hostile values and compares the output with a model of the README."""

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

FORM = re.compile(rb"\\\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}\n]*))?\}")
MESSAGE = re.compile(rb"no value for ([A-Za-z_0-9]+)")

# Text that a shell, sed, awk or printf would take for something other than text.
NASTY = [
    b"$(touch owned)", b"`touch owned`", b"$((6*7))", b"$5", b"$$", b"$HOME", b"$", b"\\", b"\\\\", b"\\n", b"\\1", b"&", b"\\&",
    b"/", b"|", b"#", b"%s", b"%d%%", b"'", b'"', b"''", b'""', b"'\"'\"'", b";touch owned;", b"&& touch owned", b"> owned",
    b"<owned", b"*", b"?", b"[a-z]", b"~", b"!", b"!!", b" ", b"  ", b"\t", b"=", b"END_OF_TEMPLATE", b"EOF", b"{", b"@A@",
    b"\xff", "é".encode(), b"word", b"$(", b"`", b"${", b"${}", b"${ A}", b"${1}", b"${#A}", b"${A-x}", b"${A:=x}", b"${A%b}", b"\\$",
    b"\\`", b"\\\"", b"-n", b"--", b"a b", b"x" * 300, b"${A:-", b"\x01", b"\r", b"^", b".", b"+", b"(", b")",
]
# Names that mean something to a shell, to awk or to the program itself are names like all others.
NAMES = [b"A", b"B", b"MOTD", b"PATH", b"IFS", b"HOME", b"PS4", b"ENV", b"work", b"output", b"here", b"line", b"OPTIND",
         b"_", b"a1", b"LC_ALL", b"name", b"text", b"NR", b"FS", b"getline", b"value", b"x_y_Z9"]


def nasty(pieces=4, lines=False):
    """Random text of one line (or more), with the characters that matter."""
    text = b"".join(rng.choice(NASTY) for _ in range(rng.randint(0, pieces)))
    if lines and rng.random() < 0.3:
        text += rng.choice([b"\n", b"\n$(touch owned)\n", b"\nEND_OF_TEMPLATE\ntouch owned\n"]) + nasty(2)
    return text


def placeholder(names):
    name = rng.choice(names)
    if rng.random() < 0.4:
        return b"${" + name + b":-" + nasty(2).replace(b"}", b"") + b"}"
    return b"${" + name + b"}"


def template(names, known):
    """A random template whose placeholders without a default are all of `known`."""
    lines = []
    for _ in range(rng.randint(1, 5)):
        parts = []
        for _ in range(rng.randint(0, 6)):
            roll = rng.random()
            if roll < 0.3:
                parts.append(placeholder(known))
            elif roll < 0.45:
                parts.append(b"${" + rng.choice(names) + b":-" + nasty(2).replace(b"}", b"") + b"}")
            elif roll < 0.55:
                parts.append(b"\\${" + rng.choice(names) + b"}")
            else:
                parts.append(rng.choice(NASTY))
        lines.append(b"".join(parts))
    return b"\n".join(lines) + rng.choice([b"", b"\n"])


def filled(text, values):
    """What the README says comes out; fails with KeyError for a placeholder without a value."""
    def one(found):
        if found.group(1) is None:
            return b"${"
        if found.group(2) is None:
            return values[found.group(1)]
        return values.get(found.group(1)) or found.group(3)
    out = FORM.sub(one, text)
    return out if not text or text.endswith(b"\n") else out + b"\n"


def written(value):
    """A line of a VARFILE that stands for `value`: quoted where that is needed, and sometimes where it is not."""
    looks_quoted = len(value) > 1 and value[:1] == value[-1:] and value[:1] in (b"'", b'"')
    if looks_quoted or rng.random() < 0.4:
        quote = rng.choice([b"'", b'"'])
        return quote + value + quote
    return value


class Desk:
    """A directory with a copy of the program beside it; remembers what must be in it."""

    def __init__(self):
        self.script = judge.checkout(HERE.parent) / "bin" / "stencil"
        self.work = judge.scratch()
        self.files = {}

    def write(self, name, content):
        programs.plant(self.work, {name: content})
        self.files[name] = content

    def stencil(self, *words, code=0, env=None):
        return programs.run([b"sh", self.script, *words], self.work, code=code, env=env)

    def untouched(self):
        """Fails if anything but what was asked for has been written."""
        programs.same_tree(programs.tree(self.work), self.files, "the directory in which stencil ran")


@suite.check("the report: values, -s, templates, defaults and the output's name are not run")
def report():
    desk = Desk()
    desk.write(b"evil.vars", b'MOTD="hello $(touch owned)"\nB=`touch owned`\nC=x; touch owned\nD=two words\n')
    desk.write(b"motd.tmpl", b"motd = ${MOTD} ${B} ${C} ${D}\n$(touch owned) `touch owned` ${E:-$(touch owned)}\n")
    wanted = b"motd = hello $(touch owned) `touch owned` x; touch owned two words\n$(touch owned) `touch owned` $(touch owned)\n"
    judge.equal(desk.stencil(b"-v", b"evil.vars", b"motd.tmpl").stdout, wanted)
    desk.untouched()
    desk.write(b"s", b"${A}\n")
    for value in (b'"; touch owned; "', b"$(touch owned)", b'\\"', b"x\ntouch owned", b"`touch owned`", b'"a"', b"'a'", b""):
        judge.equal(desk.stencil(b"-s", b"A=" + value, b"s").stdout, value + b"\n", "output for -s %r" % (b"A=" + value))
        desk.untouched()
    for name in (b"a b", b"$(touch owned)", b"x; touch owned", b"`touch owned`", b"-o", b"a'b", b"&", b"new\nline", b"*"):
        desk.stencil(b"-o", name, b"-s", b"A=" + name, b"s")
        desk.files[name] = name + b"\n"
        desk.untouched()


@suite.check("random values from files and from the command line")
def random_values():
    desk = Desk()
    for _ in range(25):
        names = rng.sample(NAMES, 6)
        known, values, words = names[:4], {}, []
        for number in range(rng.randint(1, 2)):
            lines = []
            for name in known:
                value = nasty()
                lines.append(name + b"=" + written(value))
                values[name] = value
            lines[1:1] = [b"# $(touch owned)", b"", b"#" + nasty()]
            file = b"v%d" % number
            desk.write(file, b"\n".join(lines) + rng.choice([b"", b"\n"]))
            words += [b"-v", file]
        given = {name: nasty(lines=True) for name in rng.sample(known, 2)}
        values.update(given)
        options = [[b"-s", name + b"=" + value] for name, value in given.items()]
        for option in options:
            # In front of the files or behind them: -s has precedence all the same.
            words = words + option if rng.random() < 0.5 else option + words
        texts = [template(names, known) for _ in range(rng.randint(1, 2))]
        for number, text in enumerate(texts):
            desk.write(b"t%d" % number, text)
            words.append(b"t%d" % number)
        wanted = b"".join(filled(text, values) for text in texts)
        result = desk.stencil(*words)
        judge.equal(result.stdout, wanted, "output of %r with the files %r" % (words, desk.files))
        desk.untouched()


@suite.check("what was put in is not looked at again")
def once():
    desk = Desk()
    desk.write(b"v", b"A=${B}\nB=\\${A}\nC=$\nD={A}\nE=END_OF_TEMPLATE\n")
    desk.write(b"t", b"${A} ${B} ${C}{A} ${C}${D} $${A} ${N:-${A} \\\n${E}\nEND_OF_TEMPLATE\ntouch owned\n\\\\${A}")
    judge.equal(desk.stencil(b"-v", b"v", b"t").stdout,
                b"${B} \\${A} ${A} ${A} $${B} ${A \\\nEND_OF_TEMPLATE\nEND_OF_TEMPLATE\ntouch owned\n\\${A}\n")
    desk.untouched()


@suite.check("precedence: later lines, later files, later -s, -s over files wherever it stands")
def precedence():
    desk = Desk()
    a, b, c = (b"%06x" % rng.getrandbits(24) for _ in range(3))
    desk.write(b"one", b"A=" + a + b"\nA=" + b + b"\nB=" + a)
    desk.write(b"two", b"A=" + c + b"\nB=\nC=x\n")
    desk.write(b"t", b"${A} ${B:-none} ${C:-}|${D:-}|")
    for words, wanted in (
        ([b"-v", b"one"], b + b" " + a + b" ||\n"),
        ([b"-v", b"one", b"-v", b"two"], c + b" none x||\n"),
        ([b"-v", b"two", b"-v", b"one"], b + b" " + a + b" x||\n"),
        ([b"-s", b"A=s", b"-v", b"one", b"-s", b"D=$D", b"-v", b"two"], b"s none x|$D|\n"),
        ([b"-sA=1", b"-vone", b"-sA=2 = 3"], b"2 = 3 " + a + b" ||\n"),
    ):
        judge.equal(desk.stencil(*words, b"t").stdout, wanted, "output of %r" % words)


@suite.check("the environment gives no values and does not disturb")
def environment():
    desk = Desk()
    secret = "%08x" % rng.getrandbits(32)
    env = {"AWS_SECRET_ACCESS_KEY": secret, "A": secret, "value": secret, "output": "owned", "template": secret, "files": "1",
           "MOTD": secret}
    desk.write(b"t", b"${AWS_SECRET_ACCESS_KEY:-none} ${A:-none} ${HOME:-none} ${PATH:-none} ${template:-none} ${IFS:-none}\n")
    result = desk.stencil(b"t", env=env)
    judge.equal(result.stdout, b"none none none none none none\n")
    for name in (b"HOME", b"A", b"PATH", b"MOTD", b"PWD", b"OPTIND", b"value"):
        desk.write(b"t", b"ok\n${" + name + b"}\n")
        result = desk.stencil(b"t", env=env, code=3)
        judge.equal((result.stdout, MESSAGE.findall(result.stderr)), (b"", [name]), "output and message for %r" % name)
    desk.untouched()


@suite.check("a placeholder without a value is exit status 3 and leaves the output alone")
def missing():
    desk = Desk()
    desk.write(b"out", b"before")
    desk.write(b"good", b"$(touch owned)\n")
    for text, name in ((b"${X}", b"X"), (b"$(touch owned)${_9}", b"_9"), (b"${A} ${B}", b"B"), (b"a\nb\n${A}${Cc} ${D}\n", b"Cc")):
        desk.write(b"t", text)
        result = desk.stencil(b"-s", b"A=$(touch owned)", b"-o", b"out", b"good", b"t", code=3)
        judge.equal(MESSAGE.findall(result.stderr), [name], "names in the message for %r" % text)
        desk.untouched()


@suite.check("wrong names and lines are exit status 2, unreadable files 1, and nothing is run or written")
def refused():
    desk = Desk()
    desk.write(b"t", b"text\n")
    desk.write(b"out", b"before")
    for word in (b"1A=x", b"=x", b"A", b"", b"a b=x", b"$(touch owned)=x", b"A;touch owned;=x", b"a-b=x", b"x\nA=1"):
        desk.stencil(b"-o", b"out", b"-s", word, b"t", code=2)
        desk.untouched()
    for line in (b"touch owned", b"1A=x", b"$(touch owned)=x", b"`touch owned`", b"export A=x", b"A-B=x", b"=x", b"A;B=1"):
        desk.write(b"v", b"OK=1\n\n" + line + b"\nB=2\n")
        result = desk.stencil(b"-o", b"out", b"-v", b"v", b"t", code=2)
        judge.true(b"v: line 3: " in result.stderr, "the message does not have the place: %r" % result)
        desk.untouched()
    for words in ((b"missing",), (b"-v", b"missing", b"t"), (b"-v", b"$(touch owned)", b"t"), (b"t", b"`touch owned`")):
        desk.stencil(b"-o", b"out", *words, code=1)
        desk.untouched()
    for words in ((), (b"-x", b"t"), (b"-s", b"A=1"), (b"-o", b"out")):
        desk.stencil(*words, code=2)
        desk.untouched()


@suite.check("odd names of files")
def file_names():
    desk = Desk()
    for name in (b"a b", b"-t", b"$(touch owned)", b"x;touch owned", b"A=1", b"new\nline", b"*", b"in/si de/t"):
        desk.write(name, b"A=" + name.replace(b"\n", b"") + b"\n")
        out = desk.stencil(b"-v", name, b"--", name).stdout
        judge.equal(out, desk.files[name], "output for the template %r" % name)
    desk.untouched()


@suite.check("the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests/run.sh": HERE / "visible.sh"})
    programs.plant(copy, {
        b"examples/" + name.encode(): (HERE / "examples" / name).read_bytes() for name in os.listdir(HERE / "examples")
    })
    lines = programs.run(["sh", "tests/run.sh"], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (15, 15), "lines of the tests")


suite.main(plan=9)

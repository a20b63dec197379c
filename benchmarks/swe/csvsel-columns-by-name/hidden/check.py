"""Runs csvsel on random tables and compares its output with a model of the specification."""

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
MARK = b"\xef\xbb\xbf"

repo = judge.checkout(HERE.parent)
_programs = []


def builds():
    """csvsel as it is made by its Makefile, and compiled from its sources with all instruments that there are."""
    if not _programs:
        programs.run(["make"], repo, timeout=30)
        _programs.append(repo / "build" / "csvsel")
        flags = programs.sanitizers()
        if flags:
            target = judge.scratch() / "csvsel"
            _programs.append(programs.compile_c(sorted((repo / "src").glob("*.c")), target, [repo / "src"], flags))
    return _programs


def csvsel(words, data, code=0):
    """The output. Half of the time, at random, all builds are run, which have to agree."""
    outputs = []
    for program in builds() if rng.random() < 0.5 else builds()[:1]:
        result = programs.run([program, *words], repo, input=data, code=code, env={"ASAN_OPTIONS": "detect_leaks=0"})
        if code == 0:
            judge.equal(result.stderr, b"", "standard error for %r" % words)
        outputs.append(result)
    judge.equal({result.stdout for result in outputs}, {outputs[0].stdout}, "outputs of several builds")
    return outputs[0]


def quoted(field, delimiter, more=False):
    if more or any(special in field for special in (delimiter, b'"', b"\r", b"\n")):
        return b'"' + field.replace(b'"', b'""') + b'"'
    return field


def line(fields, delimiter=b","):
    return delimiter.join(quoted(field, delimiter) for field in fields) + b"\n"


def written(records, delimiter=b","):
    """The records as a file that somebody else may have written: more quotes, either line end, perhaps none at the end."""
    out = b""
    for number, record in enumerate(records):
        out += delimiter.join(quoted(field, delimiter, rng.random() < 0.2) for field in record)
        if number < len(records) - 1 or rng.random() < 0.7 or record[-1:] == [b""]:
            out += rng.choice([b"\n", b"\r\n"])
    return out


def names_of(names):
    return b",".join(quoted(name, b",", rng.random() < 0.2) for name in names)


def chosen(records, indices, others, delimiter):
    out = b""
    for record in records:
        if others:
            fields = [field for index, field in enumerate(record) if index not in indices]
        else:
            fields = [record[index] if index < len(record) else b"" for index in indices]
        out += line(fields, delimiter)
    return out


def text():
    pieces = [b"a", b"b", b"name", b" ", b",", b";", b'"', b"\n", b"\r\n", b"\r", b"\t", "é".encode(), b"\xff", b"1", b"%s", b"-", MARK, b"\xef", b"x" * 300]
    return b"".join(rng.choice(pieces) for _ in range(rng.choice([0, 1, 1, 2, 3])))


def header(columns):
    """Names, some of them twice; the first does not begin as a byte order mark does."""
    names = [text() for _ in range(columns)]
    if rng.random() < 0.4 and columns > 2:
        names[rng.randrange(1, columns)] = names[0]
    if names[0][:1] == b"\xef":
        names[0] = b"z" + names[0]
    return names


def table(columns):
    records = [header(columns)]
    for _ in range(rng.randint(0, 8)):
        records.append([text() for _ in range(columns if rng.random() < 0.6 else rng.randint(1, columns + 3))])
    return records


@suite.check("columns by name, in the order of the names, as often as they are given")
def by_name():
    data = b"id,first,last\n1,Ada,Lovelace\n2,Alan\n"
    for names, wanted in ((b"last,id", b"last,id\nLovelace,1\n,2\n"), (b"id,id", b"id,id\n1,1\n2,2\n"), (b"first", b"first\nAda\nAlan\n")):
        judge.equal(csvsel([b"-n", names], data).stdout, wanted, "output for -n %r" % names)
    for _ in range(14):
        records, delimiter = table(rng.randint(1, 8)), rng.choice([b",", b",", b";", b"\t", b"|"])
        names = [rng.choice(records[0]) for _ in range(rng.randint(1, 4))]
        indices = [records[0].index(name) for name in names]
        others = rng.random() < 0.4
        data = rng.choice([b"", MARK]) + written(records, delimiter)
        given = names_of(names)
        words = [b"-n" + given] if given and rng.random() < 0.3 else [b"-n", given]
        words += ([b"-x"] if others else []) + ([b"-d", delimiter] if delimiter != b"," or rng.random() < 0.2 else [])
        judge.equal(csvsel(words, data).stdout, chosen(records, indices, others, delimiter), "output of csvsel %r for %r" % (words, data))


@suite.check("names with commas and quotes; commas between names whatever the delimiter")
def odd_names():
    records = [[b"last, first", b'the "best"', b"a;b", b"", b"two\nlines"], [b"1", b"2", b"3", b"4", b"5"]]
    for delimiter in (b",", b";"):
        data = written(records, delimiter)
        for names, indices in ((b'"last, first"', [0]), (b'"the ""best""",a;b', [1, 2]), (b'a;b,"a;b"', [2, 2]), (b"", [3]), (b'""', [3]),
                               (b"a;b,", [2, 3]), (b'"two\nlines","last, first"', [4, 0])):
            judge.equal(csvsel([b"-d", delimiter, b"-n", names], data).stdout, chosen(records, indices, False, delimiter), "output for -n %r" % names)


@suite.check("a name is the first column that is called exactly so")
def exactly():
    data = b"ab,a,A,a ,a\n1,2,3,4,5\n"
    for name, wanted in ((b"a", b"2"), (b"A", b"3"), (b"a ", b"4"), (b"ab", b"1")):
        judge.equal(csvsel([b"-n", name], data).stdout, name + b"\n" + wanted + b"\n")
    judge.equal(csvsel([b"-x", b"-n", b"a"], data).stdout, b"ab,A,a ,a\n1,3,4,5\n")


@suite.check("a byte order mark is skipped with -n, before a quote too, and kept with -c")
def mark():
    for first in (b"id", b'"id"', b'"i,""d"'):
        name = {b'"i,""d"': b'i,"d'}.get(first, b"id")
        data = MARK + first + b",b\n1,2\n"
        judge.equal(csvsel([b"-n", names_of([name, b"b"])], data).stdout, line([name, b"b"]) + b"1,2\n")
        judge.equal(csvsel([b"-n", b"b", b"-x"], data).stdout, line([name]) + b"1\n")
    judge.equal(csvsel([b"-c", b"2,1"], MARK + b"a,b\n").stdout, b"b," + MARK + b"a\n")
    judge.equal(csvsel([b"-c", b"2", b"-x"], MARK + b"a,b\n").stdout, MARK + b"a\n")
    # Only one, and only at the beginning of the input.
    judge.equal(csvsel([b"-n", MARK + b"b,a"], b"a," + MARK + b"b\n1,2\n").stdout, MARK + b"b,a\n2,1\n")
    judge.equal(csvsel([b"-n", b"a"], MARK + b"a\n" + MARK + b"1\n").stdout, b"a\n" + MARK + b"1\n")


@suite.check("a name that is not there is exit status 3, with its name, and nothing is printed")
def missing():
    for names, first in ((b"x", b"x"), (b"a,y,z", b"y"), (b'"p,q",a', b"p,q"), (b"", b""), (b"A", b"A"), (b"a,b,a ", b"a ")):
        for data in (b"a,b\n1,2\n", MARK + b"a,b"):
            for more in ([], [b"-x"]):
                result = csvsel([b"-n", names, *more], data, code=3)
                judge.equal((result.stdout, result.stderr), (b"", b"csvsel: no column " + first + b"\n"), "output and message for -n %r" % names)
    result = csvsel([b"-n", b"a,b"], b"", code=3)
    judge.equal((result.stdout, result.stderr), (b"", b"csvsel: no column a\n"), "output and message without a header")


@suite.check("-x with columns by number")
def others():
    for _ in range(14):
        records = table(rng.randint(1, 7))
        numbers = [rng.randint(1, 9) for _ in range(rng.randint(1, 3))]
        words = [[b"-c", ",".join(map(str, numbers)).encode()], [b"-x"]]
        rng.shuffle(words)
        data = written(records)
        judge.equal(csvsel(sum(words, []), data).stdout, chosen(records, [n - 1 for n in numbers], True, b","), "output of %r for %r" % (words, data))
    judge.equal(csvsel([b"-xc", b"2-3"], b"a,b,c,d\n1\n1,2,3,4,5\n").stdout, b"a,d\n1\n1,4,5\n")
    judge.equal(csvsel([b"-x", b"-c", b"1-3"], b"a,b,c\n\n1,2,3,4\n").stdout, b"\n\n4\n")


@suite.check("columns by number are as before; usage errors and missing files too")
def as_before():
    for _ in range(8):
        records = table(rng.randint(1, 7))
        numbers = [rng.randint(1, 9) for _ in range(rng.randint(1, 4))]
        data = written(records)
        wanted = chosen(records, [n - 1 for n in numbers], False, b",")
        judge.equal(csvsel([b"-c", ",".join(map(str, numbers)).encode()], data).stdout, wanted, "output of -c %s for %r" % (numbers, data))
    for words in ([], [b"-x"], [b"-n"], [b"-c", b"1", b"-n", b"a"], [b"-n", b"a", b"-c", b"1"], [b"-d", b";"], [b"-n", b"a", b"-d", b""],
                  [b"-n", b"a", b"one", b"two"], [b"-c", b"0", b"-x"], [b"-q", b"-n", b"a"]):
        judge.equal(csvsel(words, b"a\n1\n", code=2).stdout, b"", "output of %r" % words)
    judge.equal(csvsel([b"-n", b"a", b"no-such-file"], b"a\n", code=1).stdout, b"")
    file = judge.scratch() / "a file"
    file.write_bytes(MARK + b"a,b\n1,2\n")
    judge.equal(csvsel([b"-n", b"b", file], b"").stdout, b"b\n2\n")


@suite.check("many records, wide records, long fields")
def large():
    width = 3000
    records = [[b"c%d" % index for index in range(width)]] + [[b"%d" % (row * index) for index in range(width)] for row in range(20)]
    indices = [rng.randrange(width) for _ in range(200)]
    judge.equal(csvsel([b"-n", b",".join(b"c%d" % index for index in indices)], b"".join(map(line, records))).stdout, chosen(records, indices, False, b","))
    rows = [[b"k", b"v"]] + [[b"%d" % row, b"v" * (row % 7)] for row in range(20000)]
    judge.equal(csvsel([b"-n", b"k", b"-x"], b"".join(map(line, rows))).stdout, chosen(rows, [0], True, b","))
    judge.equal(csvsel([b"-n", b"n" * 70000], b"a," + b"n" * 70000 + b"\n1," + b"y" * 100000).stdout, b"n" * 70000 + b"\n" + b"y" * 100000 + b"\n")


@suite.check("the tests of the repository pass as they were")
def visible():
    copy = judge.checkout(HERE.parent, {"tests": HERE / "tests"})
    programs.run(["make"], copy, timeout=30)
    lines = programs.run(["sh", "tests/run.sh"], copy).text.splitlines()
    judge.equal((sum(line.startswith("ok - ") for line in lines), len(lines)), (15, 15), "lines of the tests")


suite.main(plan=9)

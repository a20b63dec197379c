"""Files put together from parts whose meaning is known here: one check for each rule, as the score is the share that holds."""

import pathlib
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()
ERROR = object()


def word(least=1):
    return "".join(random.choices("abcxyzABC0123456789_.:/@é", k=random.randint(least, 8)))


def name():
    return random.choice("ABCxyz_") + "".join(random.choices("ABCxyz_019", k=random.randint(2, 6)))


def blank():
    return random.choice(["", " ", "\t", "  \t"])


def space():
    return random.choice([" ", "\t", " \t "])


def answers(texts):
    """For each text [[name, value], ...] in order, or the number of the line with the mistake."""
    with judge.Session(repo, timeout=10) as python:
        return python.run(
            """
            from dotfile import ParseError, parse
            answers = []
            for text in texts:
                try:
                    answers.append([list(pair) for pair in parse(text).items()])
                except ParseError as error:
                    answers.append(int(error.line))
                except Exception as error:
                    answers.append(repr(error))
            return answers
            """,
            texts=texts,
        )


def holds(cases):
    """Each case is (text, what it means): a list of pairs, or the line of the mistake."""
    for (text, expected), answer in judge.paired(cases, answers([text for text, _ in cases])):
        expected = expected if isinstance(expected, int) else [list(pair) for pair in expected]
        judge.equal(answer, expected, f"parse({text!r})")


def values(make, count=12):
    """Cases with one setting: `make()` gives what stands behind the `=` and what it means."""
    cases = []
    for _ in range(count):
        key, (text, value) = name(), make()
        cases.append((f"{key}={text}\n", [(key, value)]))
        cases.append((f"{key}{blank()}={blank()}{text}{blank()}\nlast=1", [(key, value), ("last", "1")]))
    holds(cases)


@suite.check("line endings of three kinds, and only those")
def _():
    cases = []
    for _ in range(8):
        n, v = [name() + str(i) for i in range(4)], [word() for _ in range(4)]
        ends = random.sample(["\n", "\r\n", "\r"], 3)
        cases.append(("".join(f"{a}={b}{e}" for a, b, e in zip(n, v, [*ends, ""])), zip(n, v)))
        cases.append((f"{n[0]}={v[0]}\u2028x\x0by\x0cz\x85{v[1]}\r{n[1]}=2", [(n[0], f"{v[0]}\u2028x\x0by\x0cz\x85{v[1]}"), (n[1], "2")]))
    holds([(text, list(pairs)) for text, pairs in cases])


@suite.check("a byte order mark at the beginning")
def _():
    n, v = name(), word()
    holds([(f"\ufeff{n}={v}", [(n, v)]), (f"\ufeff# x\n{n}={v}", [(n, v)]), ("\ufeff", []), (f"\ufeff\n{n}={v}", [(n, v)]), (f"{n}=\ufeff{v}", [(n, "\ufeff" + v)])])


@suite.check("export")
def _():
    n, v = name(), word()
    cases = [(f"{blank()}export{space()}{n}{blank()}={blank()}{v}\n", [(n, v)]) for _ in range(6)]
    cases += [(f"export={v}", [("export", v)]), (f"export ={v}", [("export", v)]), (f"exported={v}", [("exported", v)]), (f"export export={v}", [("export", v)])]
    holds([*cases, (f"export {n}", 1), (f"a=1\nexport {n} {n}=1", 2), (f"export 1{n}={v}", 1)])


@suite.check("lines that are no assignments")
def _():
    n = name()
    bad = ["x", "1a=2", "=", f"{n} {n}=1", "a-b=1", "é=1", "a.b=1", "export", "'a'=1", "²=1", "a\u00a0=1", "; x=1"]
    holds([(f"# one\r\nok=1\r{line}\nz=1", 3) for line in bad] + [(f"{blank()}#{word()}='\n{blank()}\n{n}=1", [(n, "1")])])


@suite.check("unquoted values and comments")
def _():
    def make():
        a, b = word(), word()
        return random.choice(
            [
                (f"{a}#{b}", f"{a}#{b}"),
                (f"{a}{space()}#{b}", a),
                (f"{a}#{b} # c", f"{a}#{b}"),
                (f"#{a}", ""),
                (f" #{a}", ""),
                (f"{a} {b}\t#", f"{a} {b}"),
                (f"{a}##{b}", f"{a}##{b}"),
            ]
        )

    values(make, 20)


@suite.check("unquoted values: quotes, equals signs and backslashes inside")
def _():
    def make():
        a, b = word(), word()
        text = a + random.choice(["'", '"', "=", "\\", "\\n", '\\"', "''", '="x"', "it's", "\\\\"]) + b
        return text + random.choice(["", " # x'", ' # "']), text

    values(make, 20)


@suite.check("empty values")
def _():
    n, m = name(), name() + "2"
    holds([(f"{n}=", [(n, "")]), (f"{n}= \t\n{m}=''", [(n, ""), (m, "")]), (f'{n}=""\n{m}= # c', [(n, ""), (m, "")]), (f"{n}=\r\n{m}=1", [(n, ""), (m, "1")])])


@suite.check("single quotes: everything stands for itself")
def _():
    def make():
        inner = "".join(random.choices([word(), " ", "\t", "#", " # ", '"', "\\", "\\n", "$", "${HOME}", "=", "\\\\"], k=4))
        return f"'{inner}'", inner

    values(make, 20)


@suite.check("double quotes: escapes")
def _():
    escapes = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", '\\"': '"', "\\$": "$"}
    others = {"\\x": "\\x", "\\'": "\\'", "\\ ": "\\ ", "\\0": "\\0", "#": "#", " # ": " # ", "'": "'", "=": "=", " ": " ", "\\N": "\\N"}
    known = {**escapes, **others}

    def make():
        parts = random.choices(list(known), k=random.randint(1, 6))
        a, b = word(), word()
        return f'"{a}{"".join(parts)}{b}"', a + "".join(known[p] for p in parts) + b

    values(make, 25)
    holds([('a="\\\\"\nb=1', [("a", "\\"), ("b", "1")]), ('a="\\\\\\""', [("a", '\\"')]), ('a="\\\\n"', [("a", "\\n")])])


@suite.check("quoted values across lines")
def _():
    cases = []
    for quote in "'\"":
        for end in ("\n", "\r\n", "\r"):
            n, a, b = name(), word(), word()
            cases.append((f"{n}={quote}{a}{end}{end} {b} # no=comment{end}{quote}{end}z=1", [(n, f"{a}\n\n {b} # no=comment\n"), ("z", "1")]))
            cases.append((f"{n}={quote}{end}{a}={b}{quote} # c{end}z=1", [(n, f"\n{a}={b}"), ("z", "1")]))
            # The mistake on the line after it shows whether lines inside of the value are counted.
            cases.append((f"{n}={quote}{a}{end}{b}{quote}{end}wrong", 3))
    holds(cases)


@suite.check("a backslash at the end of a line in double quotes")
def _():
    cases = []
    for end in ("\n", "\r\n", "\r"):
        n, a, b = name(), word(), word()
        cases += [(f'{n}="{a}\\{end}  {b}"', [(n, f"{a}  {b}")]), (f'{n}="{a}\\\\{end}{b}"', [(n, f"{a}\\\n{b}")]), (f"{n}='{a}\\{end}{b}'", [(n, f"{a}\\\n{b}")])]
        cases += [(f'{n}="\\{end}\\{end}"{end}wrong', 4), (f"{n}={a}\\{end}z={b}", [(n, a + "\\"), ("z", b)])]
    holds(cases)


@suite.check("what follows a closing quote")
def _():
    n, a = name(), word()
    good = [(f"{n}={q}{a}{q}{after}\nz=1", [(n, a), ("z", "1")]) for q in "'\"" for after in ("", " ", "\t # c", "#c", " #'", '# "')]
    bad = [(f"y=1\n{n}={q}{a}{q}{after}\nz=1", 2) for q in "'\"" for after in ("x", " x", q, f"{q}{q}", "=", " 'b'")]
    late = [(f"y=1\n{n}={q}{a}\n\r\n{q} x # c\nz=1", 4) for q in "'\""]
    holds(good + bad + late)


@suite.check("quotes that are never closed")
def _():
    n, a = name(), word()
    holds([(f"y=1\n{n}={text}", 2) for text in (f"'{a}", f'"{a}', f"'{a}\nz=1\n", f'"{a}\\"\nz=1', "'", '"', '"\\', f"'{a}\n\n\"\n", f'"{a}\n\n\'')])


@suite.check("substitution in unquoted and in double-quoted values, not in single quotes")
def _():
    cases = []
    for _ in range(10):
        n, v, a, b = name(), word(), word(), word()
        cases.append((f"{n}={v}\nR={a}${{{n}}}{b}", [(n, v), ("R", a + v + b)]))
        cases.append((f'{n}={v}\nR="{a}${{{n}}}${{{n}}} {b}"', [(n, v), ("R", f"{a}{v}{v} {b}")]))
        cases.append((f"{n}={v}\nR='{a}${{{n}}}{b}'", [(n, v), ("R", f"{a}${{{n}}}{b}")]))
        cases.append((f'{n}={v}\nR="\\${{{n}}}"', [(n, v), ("R", f"${{{n}}}")]))
        cases.append((f"R=[${{{n}}}]\n{n}={v}\nR2=${{{n}}}\n{n}=${{{n}}}{a}", [("R", "[]"), (n, v + a), ("R2", v)]))
    holds(cases)


@suite.check("substitution with a default")
def _():
    n, v, t = name(), word(), word()
    cases = [
        (f"R=${{{n}:-{t}}}", [("R", t)]),
        (f"{n}=\nR=${{{n}:-{t}}}", [(n, ""), ("R", t)]),
        (f"{n}={v}\nR=${{{n}:-{t}}}", [(n, v), ("R", v)]),
        (f"R=a${{{n}:-}}b", [("R", "ab")]),
        (f"R=${{{n}:-x y # z}} # c", [("R", "x y # z")]),
        (f'R="${{{n}:-{t} "q" \'}}"', [("R", f"{t} \"q\" '")]),
        (f"R=${{{n}:-${{B}}", [("R", "${B")]),
        (f"R=${{{n}:-a\\n$B}}", [("R", "a\\n$B")]),
        (f'R="${{{n}:-\\}}"', [("R", "\\")]),
        (f"R=${{{n}:--}}-", [("R", "--")]),
    ]
    holds(cases)


@suite.check("what is put in is not looked at again")
def _():
    n = name()
    cases = []
    for value in ["a # b", "'q'", '"', "${X}", "$X", "\\n", " a ", "#", "x\\"]:
        quoted = "'" + value + "'" if "'" not in value else '"' + value + '"'
        cases.append((f"{n}={quoted}\nR=${{{n}}}\nS=\"${{{n}}}\"\nT=${{{n}}} # c", [(n, value), ("R", value), ("S", value), ("T", value)]))
        cases.append((f"X=1\n{n}={quoted}\nR=${{{n}}}${{{n}}} \t", [("X", "1"), (n, value), ("R", value + value)]))
    holds(cases)


@suite.check("dollar signs that are only dollar signs")
def _():
    n, v = name(), word()
    texts = [f"${n}", "$", "$$", "a$b", "${", "${}", "${1}", f"${{{n}", f"${{{n}-x}}", f"${{{n}:x}}", "${ a}", f"$({n})", f"${{{n}:=x}}", "${é}"]
    cases = [(f"{n}={v}\nR=x{text}\nS=\"{text}\"", [(n, v), ("R", f"x{text}"), ("S", text)]) for text in texts]
    holds([*cases, (f"{n}={v}\nR=$${{{n}}}", [(n, v), ("R", "$" + v)]), (f"{n}={v}\nR=${{x${{{n}}}", [(n, v), ("R", "${x" + v)])])


@suite.check("the last assignment counts, in the order of first appearance; and all of it in one file")
def _():
    holds([("B=1\nA=2\nB=3\nexport A='4'", [("B", "3"), ("A", "4")])])
    for _ in range(5):
        text, expected = "\ufeff", {}
        for number in range(40):
            n, a, b = random.choice([name(), f"N{number % 9}"]), word(), word()
            other = random.choice([*expected, "NONE"])
            old, end = expected.get(other, ""), random.choice(["\n", "\r\n", "\r"])
            piece, value = random.choice(
                [
                    (f"{a}#{b} # c", f"{a}#{b}"),
                    (f"'{a}{end}# {b}\\'", f"{a}\n# {b}\\"),
                    (f'"{a}\\"\\t{end}${{{other}}}\\\\"#c', f'{a}"\t\n{old}\\'),
                    (f"{a}${{{other}:-{b} #}}", a + (old or f"{b} #")),
                    (f"${{{other}}}${n}", f"{old}${n}"),
                ]
            )
            text += random.choice(["", "  ", "export "]) + f"{n}{blank()}={blank()}{piece}{end}" + random.choice(["", f" # '{a}{end}", end])
            expected[n] = value
        holds([(text, list(expected.items()))])


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=19, graded=True)

"""Daily figures compared with a model that walks over every quarter hour of the days around a clock change."""

import datetime
import functools
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
QUARTER = datetime.timedelta(minutes=15)


class Place:
    """A zone written down twice: as text for the code under test, as numbers for the model."""

    def __init__(self, text, standard, daylight=None, start=None, end=None):
        self.text, self.standard, self.daylight, self.start, self.end = text, standard, daylight, start, end

    @functools.lru_cache(maxsize=None)
    def changes(self, year):
        """The two moments (UTC) when the clocks go forward and back."""

        def moment(month, week, hour, offset):  # Sundays only; the hour may be negative or beyond 24
            days = [datetime.datetime(year, month, 1) + datetime.timedelta(days=n) for n in range(31)]
            sundays = [d for d in days if d.month == month and d.isoweekday() == 7]
            return sundays[week - 1 if week < 5 else -1] + datetime.timedelta(hours=hour - offset)

        return moment(*self.start, self.standard), moment(*self.end, self.daylight)

    def offset(self, utc):
        if self.start is None:
            return datetime.timedelta(hours=self.standard)
        forward, back = self.changes(utc.year)
        summer = forward <= utc < back if forward < back else not back <= utc < forward
        return datetime.timedelta(hours=self.daylight if summer else self.standard)

    def date(self, utc):
        return (utc + self.offset(utc)).date()


PLACES = {
    "Berlin": Place("CET-1CEST,M3.5.0,M10.5.0/3", 1, 2, (3, 5, 2), (10, 5, 3)),
    "New York": Place("EST5EDT,M3.2.0,M11.1.0", -5, -4, (3, 2, 2), (11, 1, 2)),
    "Sydney": Place("AEST-10AEDT,M10.1.0,M4.1.0/3", 10, 11, (10, 1, 2), (4, 1, 3)),
    "Azores": Place("<-01>1<+00>,M3.5.0/0,M10.5.0/1", -1, 0, (3, 5, 0), (10, 5, 1)),
    "Lord Howe": Place("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 10.5, 11, (10, 1, 2), (4, 1, 2)),
    "Asuncion": Place("<-04>4<-03>,M10.1.0/0,M3.4.0/0", -4, -3, (10, 1, 0), (3, 4, 0)),
    "Kolkata": Place("IST-5:30", 5.5),
}


def stretch(place, year, forward, days):
    """All quarter hours (UTC) from some days before a clock change until some days after it."""
    middle = datetime.datetime(year, 3, 30) if place.start is None else place.changes(year)[0 if forward else 1]
    first = middle.replace(hour=random.randrange(24), minute=15 * random.randrange(4)) - datetime.timedelta(days=days)
    return [first + n * QUARTER for n in range(days * 2 * 96)]


def draw(moments):
    return [(moment, Decimal(random.randrange(4000)) / 1000) for moment in moments]


def model(place, readings):
    known = {}
    for moment, kwh in readings:
        known.setdefault(place.date(moment), []).append(kwh)
    expected = []
    for date, energies in sorted(known.items()):
        around = datetime.datetime(date.year, date.month, date.day) - datetime.timedelta(days=1)
        length = sum(place.date(around + n * QUARTER) == date for n in range(3 * 96))
        kwh = sum(energies)
        expected.append((date, kwh, len(energies), length, kwh * 4 / length))
    return expected


def compare(place, readings):
    lines = [f"{moment:%Y-%m-%dT%H:%M:%S}Z,{kwh}" for moment, kwh in readings]
    with judge.Session(repo) as python:
        days = python.run(
            """
            import wattlog
            days = wattlog.daily(wattlog.parse_readings(lines), wattlog.Zone(zone))
            return [[day.date, day.kwh, day.known, day.quarters, day.mean_kw] for day in days]
            """,
            lines=lines,
            zone=place.text,
        )
    for day, expected in judge.paired(days, model(place, readings)):
        judge.equal(tuple(day[:4]), expected[:4], "date, kwh, known, quarters")
        judge.true(abs(Decimal(day[4]) - expected[4]) < Decimal("1e-9"), f"{day[0]}: mean_kw {day[4]}, not {expected[4]}")


def changes_in(name):
    @suite.check(f"{name}: complete days around both changes")
    def _():
        year = random.randrange(2015, 2036)
        for forward in (True, False):
            compare(PLACES[name], draw(stretch(PLACES[name], year, forward, 3)))


for name in PLACES:
    changes_in(name)


@suite.check("gaps, and readings in any order")
def _():
    for name in ("Berlin", "Asuncion", "Lord Howe"):
        readings = draw(stretch(PLACES[name], random.randrange(2015, 2036), random.random() < 0.5, 2))
        compare(PLACES[name], random.sample(readings, 150))


@suite.check("a year in one file")
def _():
    first = datetime.datetime(random.randrange(2015, 2036), 1, 1, 5)
    compare(PLACES["Berlin"], draw([first + n * QUARTER * 4 for n in range(366 * 24)]))


@suite.check("the report says incomplete only where something is missing")
def _():
    place, lines = PLACES["Berlin"], []
    for first, hours in [("2024-03-30T23:00:00", 23), ("2024-10-26T22:00:00", 25), ("2024-11-01T23:00:00", 24)]:
        first = datetime.datetime.fromisoformat(first)
        lines += [f"{first + n * QUARTER:%Y-%m-%dT%H:%M:%S}Z,0.5" for n in range(hours * 4)]
    lines.pop()
    (repo / "readings.csv").write_text("\n".join(lines) + "\n")
    done = judge.ok(judge.run([sys.executable, "-B", "-m", "wattlog", "readings.csv", place.text], cwd=repo))
    judge.equal(
        [line.split() for line in done.text.splitlines()],
        [
            "2024-03-31 46.000 kWh 2.000 kW 92 of 92".split(),
            "2024-10-27 50.000 kWh 2.000 kW 100 of 100".split(),
            "2024-11-02 47.500 kWh 1.979 kW 95 of 96 incomplete".split(),
        ],
    )


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=len(PLACES) + 4)

import datetime
import unittest
from decimal import Decimal

from wattlog import ReadingError, Zone, daily, parse_readings


def quarters(first, count, kwh="0.25"):
    time = datetime.datetime.fromisoformat(first)
    return [f"{time + datetime.timedelta(minutes=15 * n):%Y-%m-%dT%H:%M:%S}Z,{kwh}" for n in range(count)]


class DailyTest(unittest.TestCase):
    def test_an_ordinary_day(self):
        day, rest = daily(parse_readings(quarters("2024-02-01T23:00:00", 97)), Zone("CET-1"))
        self.assertEqual(day.date, datetime.date(2024, 2, 2))
        self.assertEqual((day.kwh, day.mean_kw), (Decimal(24), Decimal(1)))
        self.assertEqual((day.known, day.quarters), (96, 96))
        self.assertEqual((rest.date, rest.known), (datetime.date(2024, 2, 3), 1))

    def test_west_of_greenwich(self):
        days = daily(parse_readings(quarters("2024-02-01T02:00:00", 12)), Zone("EST5"))
        self.assertEqual([(day.date.day, day.known) for day in days], [(31, 12)])

    def test_a_quarter_hour_sent_twice(self):
        lines = ["2024-02-01T10:00:00Z,1", "2024-02-01T10:00:00Z,2"]
        self.assertEqual(daily(parse_readings(lines), Zone("CET-1"))[0].kwh, Decimal(2))

    def test_errors_name_the_line(self):
        for line in ["x", "2024-02-01T10:00:00Z", "2024-02-01T10:05:00Z,1", "2024-02-01T10:00:00Z,NaN", "2024-02-01T10:00:00Z,-1"]:
            with self.subTest(line=line), self.assertRaisesRegex(ReadingError, "line 2"):
                parse_readings(["# meter 7", line])

    def test_nothing(self):
        self.assertEqual(daily([], Zone("CET-1")), [])


if __name__ == "__main__":
    unittest.main()

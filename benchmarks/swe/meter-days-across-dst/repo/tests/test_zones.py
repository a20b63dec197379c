import datetime
import unittest

from wattlog import Zone, ZoneError

UTC = datetime.timezone.utc


class ZoneTest(unittest.TestCase):
    def local(self, zone, *moment):
        return datetime.datetime(*moment, tzinfo=UTC).astimezone(Zone(zone)).strftime("%d %H:%M %Z")

    def test_north(self):
        berlin = "CET-1CEST,M3.5.0,M10.5.0/3"
        self.assertEqual(self.local(berlin, 2024, 3, 31, 0, 59), "31 01:59 CET")
        self.assertEqual(self.local(berlin, 2024, 3, 31, 1, 0), "31 03:00 CEST")
        self.assertEqual(self.local(berlin, 2024, 10, 27, 0, 59), "27 02:59 CEST")
        self.assertEqual(self.local(berlin, 2024, 10, 27, 1, 0), "27 02:00 CET")

    def test_south(self):
        sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3"
        self.assertEqual(self.local(sydney, 2024, 1, 1, 0, 0), "01 11:00 AEDT")
        self.assertEqual(self.local(sydney, 2024, 7, 1, 0, 0), "01 10:00 AEST")

    def test_there_and_back(self):
        zone = Zone("<-04>4<-03>,M9.1.6/24,M4.1.6/24")
        moment = datetime.datetime(2024, 4, 6, tzinfo=UTC)
        for _ in range(96):
            self.assertEqual(moment.astimezone(zone).astimezone(UTC), moment)
            moment += datetime.timedelta(minutes=30)

    def test_errors(self):
        for text in ["", "CET", "CET-1CEST", "CET-1CEST,M3.6.0,M10.5.0", "CET-1 "]:
            with self.subTest(text=text), self.assertRaises(ZoneError):
                Zone(text)


if __name__ == "__main__":
    unittest.main()

"""Time zones in the notation of the POSIX TZ variable, e.g. `CET-1CEST,M3.5.0,M10.5.0/3`."""

import datetime
import re

_NAME = r"(<[A-Za-z0-9+-]+>|[A-Za-z]{3,})"
_TIME = r"([+-]?\d{1,3}(?::\d{2}(?::\d{2})?)?)"
_RULE = rf",M(\d{{1,2}})\.([1-5])\.([0-6])(?:/{_TIME})?"
_ZONE = re.compile(rf"{_NAME}{_TIME}(?:{_NAME}{_TIME}?{_RULE}{_RULE})?")
_ZERO = datetime.timedelta(0)


class ZoneError(ValueError):
    """Not a zone in POSIX notation."""


def _duration(text):
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")] + [0, 0]
    return sign * datetime.timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])


class Zone(datetime.tzinfo):
    """A zone with at most one switch to daylight saving time and one back per year."""

    def __init__(self, text):
        match = _ZONE.fullmatch(text)
        if match is None:
            raise ZoneError(f"not a time zone: {text!r}")
        groups = match.groups()
        self._text = text
        self._names = groups[0].strip("<>"), (groups[2] or "").strip("<>")
        self._standard = self._daylight = -_duration(groups[1])
        self._rules = None
        if groups[2]:
            self._daylight = -_duration(groups[3]) if groups[3] else self._standard + datetime.timedelta(hours=1)
            self._rules = groups[4:8], groups[8:12]

    def __repr__(self):
        return f"Zone({self._text!r})"

    def utcoffset(self, moment):
        return self._daylight if moment is not None and self._is_daylight(moment) else self._standard

    def dst(self, moment):
        return self.utcoffset(moment) - self._standard

    def tzname(self, moment):
        return self._names[self.dst(moment) != _ZERO]

    def fromutc(self, moment):
        utc = moment.replace(tzinfo=None)
        if self._rules is None:
            return (utc + self._standard).replace(tzinfo=self)
        start, end = self._switches(utc.year)
        start, end = start - self._standard, end - self._daylight
        daylight = start <= utc < end if start < end else not end <= utc < start
        local = (utc + (self._daylight if daylight else self._standard)).replace(tzinfo=self)
        # The hour before a switch back comes twice; the second time is marked.
        repeated = not daylight and end <= utc < end + (self._daylight - self._standard)
        return local.replace(fold=1) if repeated else local

    def _is_daylight(self, moment):
        if self._rules is None:
            return False
        wall = moment.replace(tzinfo=None, fold=0)
        start, end = self._switches(wall.year)
        saved = self._daylight - self._standard
        if start <= wall < start + saved:  # skipped by the clocks
            return moment.fold == 1
        if end - saved <= wall < end:  # shown twice
            return moment.fold == 0
        return start <= wall < end if start < end else not end <= wall < start

    def _switches(self, year):
        """When the clocks change in that year, by the clocks as they are just before."""
        return tuple(_nth_weekday(year, *rule) for rule in self._rules)


def _nth_weekday(year, month, week, weekday, time):
    """`week` 5 is the last one; `weekday` 0 is Sunday; `time` may lie outside of the day."""
    first = datetime.datetime(year, int(month), 1)
    day = first + datetime.timedelta(days=(int(weekday) - first.isoweekday()) % 7 + 7 * (int(week) - 1))
    while day.month != first.month:
        day -= datetime.timedelta(days=7)
    return day + _duration(time or "2")

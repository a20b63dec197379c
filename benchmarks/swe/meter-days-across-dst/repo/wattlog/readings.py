"""What the meter sends."""

import datetime
from collections import namedtuple
from decimal import Decimal, InvalidOperation

#: `time` is the beginning of the quarter hour (aware, UTC), `kwh` the energy used in it.
Reading = namedtuple("Reading", "time kwh")


class ReadingError(ValueError):
    """A line that is no reading; the message names it."""


def parse_readings(lines):
    """Readings in the order of the lines; a quarter hour sent twice counts once (the later line wins)."""
    readings = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        stamp, comma, energy = line.partition(",")
        try:
            time = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
            kwh = Decimal(energy.strip())
        except (ValueError, InvalidOperation):
            raise ReadingError(f"line {number}: not a reading: {line!r}") from None
        if time.minute % 15 or time.second:
            raise ReadingError(f"line {number}: {stamp} is not the beginning of a quarter hour")
        if not kwh.is_finite() or kwh < 0:
            raise ReadingError(f"line {number}: not an energy: {energy.strip()!r}")
        readings[time] = Reading(time, kwh)
    return list(readings.values())

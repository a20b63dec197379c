"""Figures per local calendar day."""

from collections import namedtuple
from decimal import Decimal

#: `kwh` is the energy of the day, `mean_kw` the mean power over it, `known` of its `quarters` quarter hours are known.
Day = namedtuple("Day", "date kwh mean_kw known quarters")

HOURS = 24
QUARTERS_PER_HOUR = 4


def daily(readings, zone):
    """One `Day` for each local calendar day on which a reading begins, in order. The readings may come in any order."""
    readings = sorted(readings)
    if not readings:
        return []
    offset = readings[0].time.astimezone(zone).utcoffset()
    by_date = {}
    for reading in readings:
        local = reading.time + offset
        by_date.setdefault(local.date(), []).append(reading.kwh)
    return [_day(date, energies) for date, energies in by_date.items()]


def _day(date, energies):
    kwh = sum(energies, Decimal(0))
    return Day(date, kwh, kwh / HOURS, len(energies), HOURS * QUARTERS_PER_HOUR)

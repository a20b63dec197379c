"""Daily figures from quarter-hour meter readings."""

from .days import Day, daily
from .readings import Reading, ReadingError, parse_readings
from .zones import Zone, ZoneError

__all__ = ["Day", "Reading", "ReadingError", "Zone", "ZoneError", "daily", "parse_readings"]

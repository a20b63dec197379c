import sys

from . import ReadingError, Zone, ZoneError, daily, parse_readings


def main(arguments):
    if len(arguments) != 2:
        print("usage: python3 -m wattlog READINGS.csv ZONE", file=sys.stderr)
        return 2
    path, zone = arguments
    try:
        with open(path, encoding="ascii") as lines:
            days = daily(parse_readings(lines), Zone(zone))
    except (OSError, ReadingError, ZoneError) as error:
        print(f"wattlog: {error}", file=sys.stderr)
        return 1
    for day in days:
        note = "" if day.known == day.quarters else "  incomplete"
        print(f"{day.date}  {day.kwh:9.3f} kWh  {day.mean_kw:7.3f} kW  {day.known:3} of {day.quarters}{note}")
    return 0


sys.exit(main(sys.argv[1:]))

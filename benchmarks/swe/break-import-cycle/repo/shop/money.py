"""Amounts in whole cents."""


def percent(amount, rate):
    """`rate` percent of an amount, rounded half away from zero to whole cents."""
    doubled = abs(amount) * rate * 2
    cents = (doubled // 100 + 1) // 2
    return cents if amount >= 0 else -cents


def show(amount):
    """`123456` -> `"1,234.56"`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02}"

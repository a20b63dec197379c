"""Amounts in several currencies: a dict of currency -> Decimal without zero entries."""

from decimal import Decimal, InvalidOperation


def parse_amount(text):
    """`"1,250.00 EUR"` -> (Decimal("1250.00"), "EUR"). Raises ValueError."""
    number, _, currency = text.strip().partition(" ")
    currency = currency.strip()
    if not currency.isalpha():
        raise ValueError(f"an amount needs a currency: {text.strip()!r}")
    try:
        value = Decimal(number.replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"not a number: {number!r}") from None
    if not value.is_finite():
        raise ValueError(f"not a number: {number!r}")
    return value, currency.upper()


def add(total, currency, value):
    """Add to `total` in place and drop the currency when it comes out at zero."""
    total[currency] = total.get(currency, Decimal(0)) + value
    if not total[currency]:
        del total[currency]


def show(total):
    """`{"EUR": Decimal("3.5")}` -> `"3.50 EUR"`; currencies in order."""
    return ", ".join(f"{value:.2f} {currency}" for currency, value in sorted(total.items())) or "0"

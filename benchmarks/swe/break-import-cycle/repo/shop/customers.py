"""Who buys."""

from .money import show

#: What a customer must have spent, in cents, for each percent of discount.
LOYAL_AFTER = 100_000
MOST_DISCOUNT = 5


class Customer:
    """A customer; two are the same if their names are the same."""

    def __init__(self, name, country, credit_limit=0):
        if not name.strip():
            raise ValueError("a customer needs a name")
        if len(country) != 2 or not country.isupper():
            raise ValueError(f"not a country code: {country!r}")
        self.name = name
        self.country = country
        self.credit_limit = credit_limit

    def __eq__(self, other):
        return isinstance(other, Customer) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f"Customer({self.name!r}, {self.country!r}, {self.credit_limit})"

    def label(self):
        """How the customer is addressed on paper."""
        return f"{self.name.upper()} ({self.country})"

    def orders(self, book):
        """The orders of the customer, oldest first."""
        from .orders import OrderBook

        if not isinstance(book, OrderBook):
            raise TypeError("orders are kept in an OrderBook")
        return book.of(self)

    def statement(self, book):
        """A line for each open order, then what is owed in all."""
        from .billing import Invoice, outstanding

        lines = [self.label()]
        for order in self.orders(book):
            if not order.paid:
                lines.append(f"  {order.number:04}  {show(Invoice(order).total()):>12}")
        lines.append(f"  owed  {show(outstanding(self, book)):>12}")
        return "\n".join(lines)


def discount_rate(customer, book):
    """Percent of discount on the next order: one for each LOYAL_AFTER spent, at most MOST_DISCOUNT; none with debts."""
    from .billing import outstanding
    from .orders import total_spent

    if outstanding(customer, book) > customer.credit_limit // 2:
        return 0
    return min(total_spent(customer, book) // LOYAL_AFTER, MOST_DISCOUNT)

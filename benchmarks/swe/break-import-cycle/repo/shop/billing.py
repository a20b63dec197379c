"""What is owed."""

from .money import percent, show

#: Percent of value added tax by country.
VAT = {"AT": 20, "DE": 19, "DK": 25, "FR": 20, "LU": 17}


class CreditError(Exception):
    """A customer would owe more than the credit limit. `customer`, and `excess` in cents."""

    def __init__(self, customer, excess):
        super().__init__(f"{customer.name} would exceed the credit limit by {show(excess)}")
        self.customer, self.excess = customer, excess


class Invoice:
    """The bill for an order, with the tax of the customer's country; abroad from our point of view there is none."""

    def __init__(self, order):
        from .orders import Order

        if not isinstance(order, Order):
            raise TypeError("an invoice needs an Order")
        self.order = order

    def tax(self):
        return percent(self.order.net(), VAT.get(self.order.customer.country, 0))

    def total(self):
        return self.order.net() + self.tax()

    def render(self):
        """The bill as text."""
        rows = [f"INVOICE {self.order.number:04}", self.order.customer.label(), ""]
        for line in self.order.lines:
            rows.append(f"{line.pieces:3} x {line.article:<20} {show(line.amount()):>12}")
        if self.order.discount:
            gross = sum(line.amount() for line in self.order.lines)
            rows.append(f"{'discount ' + str(self.order.discount) + ' %':<26} {show(self.order.net() - gross):>12}")
        rows.append(f"{'tax':<26} {show(self.tax()):>12}")
        rows.append(f"{'total':<26} {show(self.total()):>12}")
        return "\n".join(rows)


def outstanding(customer, book):
    """What a customer owes, tax included, in cents."""
    return sum(Invoice(order).total() for order in book.of(customer) if not order.paid)


def check_credit(order, book):
    """Raise CreditError if the order and what is owed already exceed the customer's credit limit."""
    excess = outstanding(order.customer, book) + Invoice(order).total() - order.customer.credit_limit
    if excess > 0:
        raise CreditError(order.customer, excess)


def reminders(book):
    """The statements of all customers who use more than half of their credit, the largest debt first."""
    from .customers import Customer

    debtors = {}
    for order in book.orders:
        customer = order.customer
        assert isinstance(customer, Customer)
        owed = outstanding(customer, book)
        if owed * 2 > customer.credit_limit:
            debtors[customer] = owed
    ranked = sorted(debtors, key=lambda customer: (-debtors[customer], customer.name))
    return [customer.statement(book) for customer in ranked]

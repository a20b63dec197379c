"""What is bought."""

from .money import percent, show


class Line:
    """A number of pieces of one article at a price in cents."""

    def __init__(self, article, price, pieces=1):
        if price < 0 or pieces < 1:
            raise ValueError(f"{article}: a line needs a price and at least one piece")
        self.article, self.price, self.pieces = article, price, pieces

    def amount(self):
        return self.price * self.pieces


class Order:
    """Lines for a customer, with a discount in percent."""

    def __init__(self, number, customer, lines, discount=0):
        from .customers import Customer

        if not isinstance(customer, Customer):
            raise TypeError("an order needs a Customer")
        if not lines:
            raise ValueError("an order needs at least one line")
        self.number, self.customer, self.lines, self.discount = number, customer, list(lines), discount
        self.paid = False

    def __repr__(self):
        return f"<Order {self.number} {self.customer.name} {show(self.net())}>"

    def net(self):
        """The sum of the lines less the discount, in cents, without tax."""
        amount = sum(line.amount() for line in self.lines)
        return amount - percent(amount, self.discount)

    def invoice(self):
        """The bill for this order."""
        from .billing import Invoice

        return Invoice(self)

    def pay(self, amount):
        """Settle the order; only the exact sum of its invoice is taken."""
        due = self.invoice().total()
        if self.paid:
            raise ValueError(f"order {self.number} is paid")
        if amount != due:
            raise ValueError(f"order {self.number}: {show(due)} are due, not {show(amount)}")
        self.paid = True


class OrderBook:
    """All orders, numbered from 1."""

    def __init__(self):
        self.orders = []

    def of(self, customer):
        """The orders of a customer, oldest first."""
        return [order for order in self.orders if order.customer == customer]

    def place(self, customer, lines):
        """Take an order. Raises CreditError if the customer would owe more than the credit limit."""
        from .billing import check_credit
        from .customers import discount_rate

        order = Order(len(self.orders) + 1, customer, lines, discount_rate(customer, self))
        check_credit(order, self)
        self.orders.append(order)
        return order


def total_spent(customer, book):
    """The net sum of all paid orders of a customer, in cents."""
    return sum(order.net() for order in book.of(customer) if order.paid)

import unittest

from shop import CreditError, Customer, Invoice, Line, OrderBook
from shop.billing import outstanding, reminders
from shop.customers import discount_rate
from shop.money import percent, show
from shop.orders import total_spent


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.book = OrderBook()
        self.ada = Customer("Ada", "DE", credit_limit=50_000)

    def test_money(self):
        self.assertEqual([percent(50, 19), percent(-50, 19), percent(10, 25)], [10, -10, 3])
        self.assertEqual([show(123456), show(-5)], ["1,234.56", "-0.05"])

    def test_invoice(self):
        order = self.book.place(self.ada, [Line("lamp", 4_500, 2), Line("bulb", 199)])
        self.assertEqual(order.invoice().total(), 9_199 + 1_748)
        self.assertIn("INVOICE 0001\nADA (DE)\n", order.invoice().render())

    def test_credit(self):
        self.book.place(self.ada, [Line("lamp", 40_000)])
        with self.assertRaises(CreditError) as caught:
            self.book.place(self.ada, [Line("lamp", 4_500)])
        self.assertEqual(caught.exception.excess, 47_600 + 5_355 - 50_000)
        self.assertEqual(len(self.book.orders), 1)

    def test_loyalty(self):
        ada = Customer("Ada", "US", credit_limit=300_000)
        order = self.book.place(ada, [Line("sofa", 250_000)])
        self.assertEqual(discount_rate(ada, self.book), 0)
        order.pay(250_000)
        self.assertEqual(total_spent(ada, self.book), 250_000)
        self.assertEqual(self.book.place(ada, [Line("lamp", 1_000)]).net(), 980)

    def test_statement_and_reminders(self):
        self.book.place(self.ada, [Line("lamp", 30_000)])
        self.assertEqual(outstanding(self.ada, self.book), 35_700)
        self.assertEqual(self.ada.statement(self.book), "ADA (DE)\n  0001        357.00\n  owed        357.00")
        self.assertEqual(reminders(self.book), [self.ada.statement(self.book)])

    def test_types(self):
        with self.assertRaises(TypeError):
            Invoice("order")
        with self.assertRaises(TypeError):
            self.ada.orders([])
        with self.assertRaises(TypeError):
            Invoice(self.ada)


if __name__ == "__main__":
    unittest.main()

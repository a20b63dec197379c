import unittest
from decimal import Decimal

from tally import JournalError, parse


class ParseTest(unittest.TestCase):
    def test_fills_in_the_missing_amount(self):
        journal = parse("2024-03-01 Rent\n    expenses:rent  800.00 EUR\n    assets:bank\n")
        posting = journal.transactions[0].postings[1]
        self.assertEqual((posting.account, posting.value, posting.currency), ("assets:bank", Decimal("-800.00"), "EUR"))

    def test_thousands_and_comments(self):
        journal = parse("; opening\n2024-01-01 Start\n  assets:bank  1,250.00 eur\n  ; noted\n  equity:opening\n")
        self.assertEqual(journal.transactions[0].postings[0].value, Decimal("1250.00"))
        self.assertEqual(journal.transactions[0].postings[0].currency, "EUR")

    def test_errors_name_the_line(self):
        for text, where in [
            ("2024-03-01 Rent\n  a  1 EUR\n  b  1 EUR\n", "line 1: the transaction does not balance"),
            ("2024-02-30 Rent\n  a  1 EUR\n  b\n", "line 1: "),
            ("  a  1 EUR\n", "line 1: a posting before"),
            ("2024-03-01 Rent\n  a  x EUR\n  b\n", "line 2: not a number"),
            ("2024-03-01 Rent\n  a::b  1 EUR\n  b\n", "line 2: an empty name"),
        ]:
            with self.subTest(text=text), self.assertRaises(JournalError) as caught:
                parse(text)
            self.assertIn(where, str(caught.exception))


if __name__ == "__main__":
    unittest.main()

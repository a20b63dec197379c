import io
import tempfile
import unittest
from decimal import Decimal

from tally import accounts, balance, parse, register
from tally.cli import main

TEXT = """\
2024-01-01 Opening
    assets:bank:giro       1000.00 EUR
    assets:cash              50.00 EUR
    equity:opening

2024-01-05 Groceries
    expenses:food            30.00 EUR
    assets:cash

2024-01-03 Saving
    assets:bank:savings     400.00 EUR
    assets:bank:giro
"""


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.journal = parse(TEXT)

    def test_balance_of_everything(self):
        result = balance(self.journal)
        self.assertEqual(result["assets:cash"], {"EUR": Decimal("20.00")})
        self.assertEqual(result["equity:opening"], {"EUR": Decimal("-1050.00")})

    def test_balance_below_an_account(self):
        self.assertEqual(
            balance(self.journal, "assets:bank"),
            {"assets:bank:giro": {"EUR": Decimal("600.00")}, "assets:bank:savings": {"EUR": Decimal("400.00")}},
        )

    def test_depth_adds_up(self):
        self.assertEqual(balance(self.journal, "assets", depth=1), {"assets": {"EUR": Decimal("1020.00")}})

    def test_register_runs_by_date(self):
        rows = register(self.journal, "assets:bank:giro")
        self.assertEqual([row[1] for row in rows], ["Opening", "Saving"])
        self.assertEqual(rows[-1][3], {"EUR": Decimal("600.00")})

    def test_accounts(self):
        self.assertEqual(accounts(self.journal, "expenses"), ["expenses:food"])

    def test_command_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".journal") as file:
            file.write(TEXT)
            file.flush()
            out = io.StringIO()
            self.assertEqual(main(["balance", file.name, "assets:cash"], out), 0)
        self.assertEqual(out.getvalue().split(), ["20.00", "EUR", "assets:cash"])


if __name__ == "__main__":
    unittest.main()

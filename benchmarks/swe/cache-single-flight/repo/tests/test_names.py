import unittest

from larder import NameLoop, Names, UnknownName


class NamesTest(unittest.TestCase):
    def test_aliases(self):
        table = {"www": "web", "web": "web1", "web1": "10.0.0.7", "loop": "loop", "lost": "nowhere"}
        names = Names(table.get)
        self.assertEqual(names.address("www"), "10.0.0.7")
        self.assertRaises(NameLoop, names.address, "loop")
        self.assertRaises(UnknownName, names.address, "lost")
        table["www"] = "10.0.0.8"
        self.assertEqual(names.address("www"), "10.0.0.7")
        names.refresh("www")
        self.assertEqual(names.address("www"), "10.0.0.8")


if __name__ == "__main__":
    unittest.main()

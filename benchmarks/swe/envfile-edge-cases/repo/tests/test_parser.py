import unittest

from dotfile import ParseError, parse


class ParseTest(unittest.TestCase):
    def test_names_and_values(self):
        self.assertEqual(parse("A=1\n\n# comment\nB_2 = two words \n"), {"A": "1", "B_2": "two words"})

    def test_quotes(self):
        self.assertEqual(parse("A=' x '\nB=\" y \"\n"), {"A": " x ", "B": " y "})

    def test_comments(self):
        self.assertEqual(parse("A=1 # one\n"), {"A": "1"})

    def test_the_last_one_counts(self):
        self.assertEqual(parse("A=1\nA=2"), {"A": "2"})

    def test_mistakes(self):
        for text, line in [("A=1\nB", 2), ("\n\n1A=x", 3), ("=x", 1)]:
            with self.subTest(text=text), self.assertRaises(ParseError) as caught:
                parse(text)
            self.assertEqual(caught.exception.line, line)


if __name__ == "__main__":
    unittest.main()

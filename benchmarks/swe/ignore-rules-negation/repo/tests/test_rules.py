import unittest

from packrat import Rules


class RulesTest(unittest.TestCase):
    def test_names_at_any_depth(self):
        rules = Rules(["# logs", "", "*.log", "core.[0-9]", "node_modules"])
        for path in ["a.log", "var/log/b.log", "core.7", "node_modules", "web/node_modules/x/index.js"]:
            self.assertTrue(rules.ignored(path, False), path)
        for path in ["log", "a.log.txt", "core.x", "node_modules.md", "a/b/c"]:
            self.assertFalse(rules.ignored(path, False), path)

    def test_no_rules(self):
        self.assertFalse(Rules().ignored("a", True))

    def test_question_mark_and_sets(self):
        rules = Rules(["?.tmp", "[!a]z"])
        self.assertTrue(rules.ignored("x.tmp", False))
        self.assertFalse(rules.ignored("xx.tmp", False))
        self.assertTrue(rules.ignored("bz", False))
        self.assertFalse(rules.ignored("az", False))


if __name__ == "__main__":
    unittest.main()

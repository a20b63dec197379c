import unittest

from depot import CycleError, Metadata, UnknownPackage, needed_by, plan, total_size


class Shelf:
    """A registry in memory."""

    def __init__(self, **requires):
        self.requires = requires

    def metadata(self, name):
        if name not in self.requires:
            raise UnknownPackage(name)
        return Metadata(name, 100, tuple(self.requires[name].split()))


class PlannerTest(unittest.TestCase):
    def test_requirements_come_first_in_their_order(self):
        shelf = Shelf(gateway="radio log", radio="libc", log="libc", libc="")
        self.assertEqual(plan(["gateway"], shelf), ["libc", "radio", "log", "gateway"])

    def test_several_packages(self):
        shelf = Shelf(a="", b="c", c="")
        self.assertEqual(plan(["a", "b", "c", "a"], shelf), ["a", "c", "b"])

    def test_size_counts_a_package_once(self):
        self.assertEqual(total_size(["a", "b"], Shelf(a="c", b="c", c="")), 300)

    def test_needed_by(self):
        shelf = Shelf(b="c", a="c", c="")
        self.assertEqual(needed_by(["b", "a"], shelf), {"c": ["a", "b"], "b": [], "a": []})

    def test_a_circle(self):
        with self.assertRaises(CycleError) as caught:
            plan(["start"], Shelf(start="a", a="b", b="c", c="a"))
        self.assertEqual(caught.exception.circle, ["a", "b", "c", "a"])

    def test_unknown_packages(self):
        with self.assertRaises(UnknownPackage) as caught:
            plan(["a"], Shelf(a="b", b="lost"))
        self.assertEqual((caught.exception.name, caught.exception.required_by), ("lost", "b"))
        with self.assertRaises(UnknownPackage) as caught:
            plan(["lost"], Shelf())
        self.assertIsNone(caught.exception.required_by)


if __name__ == "__main__":
    unittest.main()

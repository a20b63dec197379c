import unittest

from larder import Cache


class CacheTest(unittest.TestCase):
    def setUp(self):
        self.now, self.loaded = 0.0, []
        self.cache = Cache(self.load, lifetime=10, clock=lambda: self.now)

    def load(self, key):
        self.loaded.append(key)
        if key == "bad":
            raise OSError("gone")
        return f"{key} {len(self.loaded)}"

    def test_keeps_values(self):
        self.assertEqual([self.cache.get("a"), self.cache.get("b"), self.cache.get("a")], ["a 1", "b 2", "a 1"])
        self.assertEqual(self.cache.stats(), {"hits": 1, "misses": 2})

    def test_lifetime(self):
        self.cache.get("a")
        self.now = 9.9
        self.assertEqual(self.cache.get("a"), "a 1")
        self.now = 10.0
        self.assertEqual(self.cache.get("a"), "a 2")

    def test_invalidate(self):
        self.cache.get("a")
        self.cache.invalidate("a")
        self.cache.invalidate("never seen")
        self.assertEqual(self.cache.get("a"), "a 2")

    def test_errors_are_not_kept(self):
        for _ in range(2):
            with self.assertRaises(OSError):
                self.cache.get("bad")
        self.assertEqual(self.loaded, ["bad", "bad"])

    def test_a_lifetime_must_be_positive(self):
        with self.assertRaises(ValueError):
            Cache(self.load, lifetime=0)


if __name__ == "__main__":
    unittest.main()

import json
import pathlib
import tempfile
import unittest

from depot import DirectoryRegistry, UnknownPackage, plan


class DirectoryRegistryTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = pathlib.Path(place.name)

    def publish(self, name, *requires):
        (self.root / f"{name}.json").write_text(json.dumps({"size": 10, "requires": requires}))

    def test_reads_files(self):
        self.publish("libc")
        self.publish("radio", "libc")
        self.assertEqual(plan(["radio"], DirectoryRegistry(self.root)), ["libc", "radio"])

    def test_names_are_no_paths(self):
        for name in ["../radio", "", ".hidden", "a/b"]:
            with self.subTest(name=name), self.assertRaises(UnknownPackage):
                DirectoryRegistry(self.root).metadata(name)


if __name__ == "__main__":
    unittest.main()

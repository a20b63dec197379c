import os
import pathlib
import tempfile
import unittest

from sharebox import handle


class HandlerTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = pathlib.Path(place.name) / "share"
        (self.root / "2024-05").mkdir(parents=True)
        (self.root / "2024-05" / "plan b.txt").write_text("plan")
        (self.root / "notes.txt").write_text("notes")
        os.symlink("2024-05", self.root / "latest")

    def test_read(self):
        self.assertEqual(handle(self.root, "GET", "/files/notes.txt"), (200, b"notes"))
        self.assertEqual(handle(self.root, "GET", "/files/2024-05/plan%20b.txt"), (200, b"plan"))
        self.assertEqual(handle(self.root, "GET", "/files/latest/plan%20b.txt?x=1"), (200, b"plan"))
        self.assertEqual(handle(self.root, "GET", "/files/lost")[0], 404)
        self.assertEqual(handle(self.root, "GET", "/files/latest")[0], 404)

    def test_list(self):
        self.assertEqual(handle(self.root, "GET", "/list/"), (200, b"2024-05/\nlatest/\nnotes.txt\n"))
        self.assertEqual(handle(self.root, "GET", "/list/2024-05"), (200, b"plan b.txt\n"))
        self.assertEqual(handle(self.root, "GET", "/list/notes.txt")[0], 404)

    def test_write_and_delete(self):
        self.assertEqual(handle(self.root, "PUT", "/files/new/deep/a.bin", b"\0\1"), (200, b""))
        self.assertEqual((self.root / "new/deep/a.bin").read_bytes(), b"\0\1")
        self.assertEqual(handle(self.root, "DELETE", "/files/new/deep/a.bin"), (200, b""))
        self.assertFalse((self.root / "new/deep/a.bin").exists())
        self.assertEqual(handle(self.root, "DELETE", "/files/new")[0], 404)

    def test_leading_out(self):
        self.assertEqual(handle(self.root, "GET", "/files/../secret")[0], 403)
        self.assertEqual(handle(self.root, "GET", "/files//etc/hostname")[0], 403)

    def test_nonsense(self):
        for method, target in [("GET", "/"), ("POST", "/files/x"), ("GET", "/files/a%00b"), ("PUT", "/list/x")]:
            self.assertEqual(handle(self.root, method, target)[0], 400)


if __name__ == "__main__":
    unittest.main()

import io
import os
import pathlib
import tarfile
import tempfile
import unittest

from packrat import Rules, load, pack, walk


class PackTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = pathlib.Path(place.name)
        for path in ["index.html", "build/out.js", "src/app.js", "src/app.log", "src/deep/x.log"]:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(path)

    def test_walk(self):
        self.assertEqual(walk(self.root, Rules(["*.log", "build"])), ["index.html", "src/app.js"])

    def test_links_are_not_followed(self):
        os.symlink("src", self.root / "link")
        self.assertIn("link", walk(self.root, Rules()))

    def test_pack_uses_the_ignore_file(self):
        (self.root / ".packignore").write_text("*.log\n.packignore\n")
        out = io.BytesIO()
        pack(self.root, out)
        again = io.BytesIO()
        pack(self.root, again)
        self.assertEqual(out.getvalue(), again.getvalue())
        with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as archive:
            self.assertEqual(archive.getnames(), ["build/out.js", "index.html", "src/app.js"])

    def test_no_ignore_file(self):
        self.assertFalse(load(self.root).ignored("index.html", False))


if __name__ == "__main__":
    unittest.main()

import datetime
import pathlib
import sqlite3
import tempfile
import unittest

from jotter import LayoutError, Notebook

UTC = datetime.timezone.utc


class NotebookTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.path = str(pathlib.Path(place.name) / "notes.sqlite")

    def test_write_and_read(self):
        moment = datetime.datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
        with Notebook(self.path) as notebook:
            first = notebook.add("Milk", "two bottles\n", [" Shop ", "urgent", "shop", ""], moment)
            second = notebook.add("Re: Milk", parent=first)
        with Notebook(self.path) as notebook:
            note = notebook.get(first)
            self.assertEqual(note, (first, "Milk", "two bottles\n", ["shop", "urgent"], moment, None))
            self.assertEqual(notebook.get(second).parent, first)
            with self.assertRaises(KeyError):
                notebook.get(99)

    def test_list(self):
        with Notebook(self.path) as notebook:
            late = notebook.add("late", created=datetime.datetime(2024, 5, 1, tzinfo=UTC), tags=["a", "b"])
            early = notebook.add("early", created=datetime.datetime(2023, 5, 1, tzinfo=UTC), tags=["b"])
            self.assertEqual([note.id for note in notebook.list()], [early, late])
            self.assertEqual([note.id for note in notebook.list("A ")], [late])
            self.assertEqual(notebook.list("c"), [])

    def test_a_tag_with_a_comma(self):
        with Notebook(self.path) as notebook, self.assertRaises(ValueError):
            notebook.add("x", tags=["a,b"])

    def test_files_of_others(self):
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE t (x)")
        connection.close()
        with self.assertRaises(LayoutError):
            Notebook(self.path)

    def test_newer_files(self):
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        with self.assertRaises(LayoutError):
            Notebook(self.path)


if __name__ == "__main__":
    unittest.main()

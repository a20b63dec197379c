"""Files of layout 1 are made here, migrated by the code under test in a child, and read here again."""

import datetime
import pathlib
import sqlite3
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
judge = sys.modules["judge"] = types.ModuleType("judge")
exec(compile((HERE / "judge.py").read_bytes(), "judge.py", "exec"), judge.__dict__)

repo = judge.checkout(HERE.parent)
suite = judge.Suite()
random = judge.rng()

LAYOUT_1 = """CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    tags TEXT,
    created TEXT NOT NULL,
    parent INTEGER
)"""
COLUMNS = {
    "notes": [("id", "INTEGER", 0, 1), ("title", "TEXT", 1, 0), ("body", "TEXT", 1, 0), ("created", "INTEGER", 1, 0), ("parent", "INTEGER", 0, 0)],
    "tags": [("id", "INTEGER", 0, 1), ("name", "TEXT", 1, 0)],
    "note_tags": [("note", "INTEGER", 1, 1), ("tag", "INTEGER", 1, 2)],
}


def make(rows, *more, create=LAYOUT_1, version=1):
    """A file with these rows, after further statements."""
    path = judge.scratch() / "notes.sqlite"
    connection = sqlite3.connect(path)
    if create:
        connection.execute(create)
    if rows:
        connection.executemany("INSERT INTO notes (id, title, body, tags, created, parent) VALUES (?, ?, ?, ?, ?, ?)", rows)
    for statement in more:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    return path


def query(path, sql, *arguments):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql, arguments).fetchall()
    except sqlite3.Error as error:
        raise judge.Failure(f"{sql}: {error}") from None
    finally:
        connection.close()


def dump(path):
    """The content of a file as SQL, with its layout."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [connection.execute("PRAGMA user_version").fetchone(), *connection.iterdump()]
    finally:
        connection.close()


def draw(count):
    """Rows of layout 1 as old versions wrote them."""
    rows, ids = [], random.sample(range(1, 100_000), count)
    for id in ids:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=random.randint(-(10**9), 3 * 10**9))
        offset = random.choice(["", "+00:00", "+02:00", "-09:30", "+05:45", "-00:30"])
        words = random.choices(["Home", "home ", " HOME", "work", "", "  ", "Äpfel", "two words", "a'b", "x" + str(id % 7)], k=random.randint(0, 5))
        rows.append(
            (
                id,
                random.choice(["", "Milk", "naïve 'title'", "日本語", " spaces "]),
                random.choice(["", "body\n", "line\r\nline", "\U0001f600", "%_;--"]) * random.randint(0, 3),
                None if random.random() < 0.2 else ",".join(words),
                f"{moment}{offset}",
                random.choice([None, random.choice(ids), 100_000 + id]),
            )
        )
    return rows


def seconds(created):
    moment = datetime.datetime.fromisoformat(created)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(seconds=1)


def clean(tags):
    return sorted({tag.strip().lower() for tag in (tags or "").split(",")} - {""})


def open_in_child(path, then="return None"):
    with judge.Session(repo) as python:
        return python.run(f"import datetime, jotter\nwith jotter.Notebook(path) as notebook:\n    {then}", path=str(path))


def command(path, *arguments, input=""):
    return judge.run([sys.executable, "-B", "-m", "jotter", path, *arguments], cwd=repo, input=input)


def has_layout_2(path):
    judge.equal(query(path, "PRAGMA user_version"), [(2,)], "user_version")
    for table, columns in COLUMNS.items():
        found = [(name, kind.upper(), required, key) for _, name, kind, required, _, key in query(path, f"PRAGMA table_info({table})")]
        judge.equal(found, columns, f"columns of {table}")
    judge.equal(query(path, "PRAGMA integrity_check"), [("ok",)], "integrity")
    unique = [name for _, name, unique, *_ in query(path, "PRAGMA index_list(tags)") if unique]
    judge.true(any([row[2] for row in query(path, f"PRAGMA index_info('{name}')")] == ["name"] for name in unique), "tags.name is not unique")
    judge.equal(query(path, "SELECT name FROM tags WHERE id NOT IN (SELECT tag FROM note_tags)"), [], "tags of no note")
    known = [name for (name,) in query(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    judge.true(set(COLUMNS) <= set(known), f"tables: {known}")


def holds(path, rows):
    """The file has layout 2 and says what the rows of layout 1 said."""
    has_layout_2(path)
    ids = {row[0] for row in rows}
    expected = sorted((id, title, body, seconds(created), parent if parent in ids else None) for id, title, body, _, created, parent in rows)
    for found, wanted in judge.paired(query(path, "SELECT id, title, body, created, parent FROM notes ORDER BY id"), expected):
        judge.equal(found, wanted, "note")
    judge.equal(query(path, "SELECT DISTINCT typeof(created) FROM notes"), [("integer",)] if rows else [], "type of created")
    found = query(path, "SELECT note, name FROM note_tags JOIN tags ON tags.id = tag ORDER BY note, name")
    judge.equal(len(found), query(path, "SELECT count(*) FROM note_tags")[0][0], "tags that can be found")
    judge.equal(sorted(found), sorted((row[0], tag) for row in rows for tag in clean(row[3])), "tags of notes")


@suite.check("old files are migrated when they are opened, and lose nothing")
def _():
    for count in (0, 1, 3, 60):
        rows = draw(count)
        path = make(rows)
        open_in_child(path)
        holds(path, rows)


@suite.check("the notes of a migrated file read as before")
def _():
    rows = draw(40)
    path = make(rows)
    listing = "return [[list(note) for note in notebook.list(tag)] for tag in tags]"
    with judge.Session(repo) as python:
        answers = python.run(
            f"import jotter\nwith jotter.Notebook(path) as notebook:\n    {listing}", path=str(path), tags=[None, "Home", " two words", "ÄPFEL", "none"]
        )
    ids = {row[0] for row in rows}
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    notes = sorted(
        ([id, title, body, clean(tags), epoch + datetime.timedelta(seconds=seconds(created)), parent if parent in ids else None] for id, title, body, tags, created, parent in rows),
        key=lambda note: (note[4], note[0]),
    )
    wanted = [notes] + [[note for note in notes if tag in note[3]] for tag in ("home", "two words", "äpfel", "none")]
    for answer, expected in judge.paired(answers, wanted):
        judge.equal(answer, expected, "list")


@suite.check("new files have layout 2, and everything works on them")
def _():
    path = judge.scratch() / "new.sqlite"
    first = judge.ok(command(path, "add", "Milk", "--tag", " Shop", "--tag", "shop", "--tag", "Urgent", input="two bottles\n")).text.strip()
    judge.ok(command(path, "add", "Bread"))
    holds_tags = query(path, "SELECT name FROM tags ORDER BY name")
    has_layout_2(path)
    judge.equal(holds_tags, [("shop",), ("urgent",)], "tags")
    judge.equal(judge.ok(command(path, "show", first)).text, "Milk\n\ntwo bottles\n", "show")
    judge.true(judge.ok(command(path, "list", "--tag", "SHOP")).text.rstrip().endswith("Milk  #shop #urgent"), "list --tag")
    judge.equal(len(judge.ok(command(path, "list")).text.splitlines()), 2, "lines of list")
    result = open_in_child(path, "return [jotter.LAYOUT, list(notebook.get(notebook.add('t', created=datetime.datetime(1965, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))))))]")
    judge.equal(result, [2, [3, "t", "", [], datetime.datetime(1965, 1, 1, tzinfo=datetime.timezone.utc), None]], "a note of 1965")
    judge.equal(query(path, "SELECT created FROM notes WHERE id = 3"), [(-157766400,)], "seconds of 1965")
    with judge.raises("ValueError"):
        open_in_child(path, "notebook.add('x', tags=['y', 'a,b'])")
    judge.equal(query(path, "SELECT count(*) FROM notes"), [(3,)], "notes after an add that failed")
    judge.equal(query(path, "SELECT name FROM tags ORDER BY name"), holds_tags, "tags after an add that failed")


@suite.check("opening a migrated file again changes nothing")
def _():
    rows = draw(25)
    path = make(rows)
    open_in_child(path)
    before, content = dump(path), path.read_bytes()
    for _ in range(2):
        open_in_child(path, "notebook.list()")
    judge.equal(judge.ok(command(path, "migrate")).text, "layout 2\n", "migrate")
    judge.equal(dump(path), before, "content")
    judge.equal(path.read_bytes(), content, "bytes of the file")
    holds(path, rows)


@suite.check("the migrate command")
def _():
    rows = draw(10)
    path, new = make(rows), judge.scratch() / "new.sqlite"
    judge.equal(judge.ok(command(path, "migrate")).text, "layout 2\n", "an old file")
    holds(path, rows)
    judge.equal(judge.ok(command(new, "migrate")).text, "layout 2\n", "a new file")
    has_layout_2(new)
    for bad in (make([(7, "t", "", None, "soon", None)]), make([], version=3), make([], create="CREATE TABLE other (x)", version=0)):
        before = dump(bad)
        done = command(bad, "migrate")
        judge.equal((done.code, len(done.error.splitlines()), done.text), (1, 1, ""), f"exit, lines of errors, output ({done.error})")
        judge.equal(dump(bad), before, "the refused file")


@suite.check("what belongs to the user stays")
def _():
    rows = draw(10)
    path = make(
        rows,
        "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)",
        "INSERT INTO books VALUES (1, 'tags')",
        "CREATE VIEW titles AS SELECT title FROM books",
        "CREATE INDEX by_title ON books (title)",
        "CREATE TRIGGER shout AFTER INSERT ON books BEGIN UPDATE books SET title = upper(title); END",
    )
    mine = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ('books', 'titles') ORDER BY name"
    before = query(path, mine), query(path, "SELECT * FROM titles")
    open_in_child(path)
    holds(path, rows)
    judge.equal((query(path, mine), query(path, "SELECT * FROM titles")), before, "what belongs to the user")


@suite.check("files that we cannot be sure about are refused and stay as they are")
def _():
    rows = draw(5)
    cases = [
        ["ALTER TABLE notes ADD COLUMN colour TEXT"],
        ["ALTER TABLE notes ADD COLUMN stars INTEGER DEFAULT 3"],
        ["CREATE VIEW short AS SELECT id, title FROM notes"],
        ["CREATE TABLE tags (x)"],
        ["CREATE VIEW short AS SELECT id, title FROM NOTES"],
        ["CREATE TABLE log (x)", "CREATE TRIGGER watch AFTER DELETE ON notes BEGIN INSERT INTO log VALUES (old.id); END"],
        ["CREATE TABLE log (x)", "CREATE TRIGGER sweep AFTER INSERT ON log BEGIN DELETE FROM Notes; END"],
    ]
    for statements in cases:
        path = make(rows, *statements)
        before = dump(path)
        with judge.raises("LayoutError"):
            open_in_child(path)
        judge.equal(dump(path), before, f"a file after {statements}")


@suite.check("a time that cannot be understood: nothing is changed, and the note is named")
def _():
    for wrong in ("yesterday", "", "2021-13-01 00:00:00", "2021-02-30 10:00:00+01:00"):
        rows = draw(30)
        place = random.choice([0, 15, 29])
        id, title, body, tags, _, parent = rows[place]
        rows[place] = (id, title, body, tags, wrong, parent)
        path = make(rows)
        before = dump(path)
        with judge.raises("LayoutError", str(id)):
            open_in_child(path)
        judge.equal(dump(path), before, "the file")
        connection = sqlite3.connect(path)
        connection.execute("UPDATE notes SET created = '2020-02-29 23:59:59-01:00' WHERE id = ?", (id,))
        connection.commit()
        connection.close()
        rows[place] = (id, title, body, tags, "2020-02-29 23:59:59-01:00", parent)
        open_in_child(path)
        holds(path, rows)


@suite.check("a process that is killed on the way leaves layout 1 or layout 2, complete")
def _():
    rows = draw(30)
    path = make(rows)
    before = dump(path)
    # The child dies at the nth statement of the migration; sqlite itself tells when.
    source = """
        import os, sqlite3
        connect, left = sqlite3.connect, [at]

        def connecting(*arguments, **options):
            connection = connect(*arguments, **options)

            def spoken(statement):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), 9)

            connection.set_trace_callback(spoken)
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = connecting
        import jotter
        with jotter.Notebook(path):
            return at - left[0]
    """
    spare = make(rows)
    with judge.Session(repo) as python:
        steps = python.run(source, path=str(spare), at=10**6)
    judge.true(isinstance(steps, int) and steps > 3, "the migration makes no statements")
    for at in sorted({0, 1, 2, 3, steps - 1, steps - 2, steps - 3, *random.sample(range(steps), min(steps, 5))}):
        try:
            with judge.Session(repo) as python:
                python.run(source, path=str(path), at=at)
        except judge.Died:
            pass
        if query_after_crash(path) == [(1,)]:
            judge.equal(dump(path), before, f"the file after a kill at statement {at} of {steps}")
        else:
            holds(path, rows)
            path = make(rows)
    open_in_child(path)
    holds(path, rows)


def query_after_crash(path):
    # Opened for writing, so that sqlite rolls back what the dead process left half done.
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA user_version").fetchall()
    finally:
        connection.close()


@suite.check("the visible tests still pass")
def _():
    judge.visible_tests(repo, HERE / "tests")


suite.main(plan=10)

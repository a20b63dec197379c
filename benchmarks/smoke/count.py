"""Scores the share of the expected lines that numbers.txt has, in order."""

import pathlib

EXPECTED = ["one", "two", "three", "four"]

file = pathlib.Path("numbers.txt")
lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
right = sum(line == wanted for line, wanted in zip(lines, EXPECTED))
print(right / max(len(EXPECTED), len(lines)))

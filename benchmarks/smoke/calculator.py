"""Adds up what it is given."""

import sys


def value(text):
    return eval(text)


print(sum(value(text) for text in sys.argv[1:]))

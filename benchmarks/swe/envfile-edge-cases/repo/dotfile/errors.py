class ParseError(ValueError):
    """The text is not a settings file. `line` is where the mistake begins, from 1."""

    def __init__(self, line, problem):
        super().__init__(f"line {line}: {problem}")
        self.line, self.problem = line, problem

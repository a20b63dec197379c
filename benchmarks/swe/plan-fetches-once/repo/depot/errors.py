"""What can be wrong with a request."""


class UnknownPackage(LookupError):
    """There is no such package. `name` is the package, `required_by` what asked for it (None: the caller did)."""

    def __init__(self, name, required_by=None):
        self.name, self.required_by = name, required_by
        super().__init__(f"no package {name!r}" + (f", required by {required_by!r}" if required_by else ""))


class CycleError(ValueError):
    """Packages require each other in a circle. `circle` names them; the first is also the last."""

    def __init__(self, circle):
        self.circle = list(circle)
        super().__init__("requirements in a circle: " + " -> ".join(self.circle))

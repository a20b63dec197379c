"""What to install, and in which order."""

from .errors import CycleError, UnknownPackage


def plan(names, registry):
    """The names of all packages to install, requirements first. Raises UnknownPackage and CycleError."""
    order = []
    for name in names:
        for needed in _with_requirements(name, registry, ()):
            if needed not in order:
                order.append(needed)
    return order


def total_size(names, registry):
    """How many bytes a plan installs."""
    return sum(registry.metadata(name).size for name in plan(names, registry))


def needed_by(names, registry):
    """{package: sorted names of the packages of the plan that require it}, in the order of the plan."""
    order = plan(names, registry)
    return {
        name: sorted(other for other in order if name in registry.metadata(other).requires)
        for name in order
    }


def _with_requirements(name, registry, path):
    """A package after everything that it requires, directly or not. `path` is how we got here."""
    if name in path:
        raise CycleError(path[path.index(name) :] + (name,))
    try:
        metadata = registry.metadata(name)
    except UnknownPackage:
        raise UnknownPackage(name, path[-1] if path else None) from None
    needed = []
    for requirement in metadata.requires:
        needed += _with_requirements(requirement, registry, path + (name,))
    return needed + [name]

"""Plans the installation of packages."""

from .errors import CycleError, UnknownPackage
from .planner import needed_by, plan, total_size
from .registry import DirectoryRegistry, Metadata

__all__ = ["CycleError", "DirectoryRegistry", "Metadata", "UnknownPackage", "needed_by", "plan", "total_size"]

"""A directory shared over HTTP."""

from .handler import handle
from .store import Forbidden, Missing, Store

__all__ = ["Forbidden", "Missing", "Store", "handle"]

"""Runs jobs on threads."""

from .errors import JobFailed, NotReady
from .queue import JobQueue

__all__ = ["JobFailed", "JobQueue", "NotReady"]

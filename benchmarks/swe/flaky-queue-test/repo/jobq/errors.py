"""What `JobQueue.result` raises."""


class NotReady(Exception):
    """The job has not come to its end yet."""


class JobFailed(Exception):
    """The job's function raised each time. The last error is the `__cause__`."""

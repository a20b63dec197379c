"""The queue. README.md says what it promises."""

import collections
import threading

from .errors import JobFailed, NotReady


class JobQueue:
    def __init__(self, workers=1, retries=0, on_done=None):
        if workers < 1 or retries < 0:
            raise ValueError("a queue needs at least one worker, and retries cannot be negative")
        self._retries = retries
        self._on_done = on_done
        self._change = threading.Condition()
        self._pending = collections.deque()
        self._outcomes = {}
        self._done = set()
        self._submitted = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, function, *args):
        """Queue a call; returns the number of the job."""
        with self._change:
            if self._closed:
                raise RuntimeError("the queue is closed")
            job = self._submitted
            self._submitted += 1
            self._pending.append((job, function, args))
            self._change.notify_all()
        return job

    def result(self, job):
        """What the function returned. Raises NotReady, JobFailed, or KeyError for a job that was never submitted."""
        with self._change:
            self._check(job)
            if job not in self._outcomes:
                raise NotReady(job)
            value, error = self._outcomes[job]
        if error is not None:
            raise JobFailed(f"job {job} failed") from error
        return value

    def wait(self, job, timeout=None):
        """Whether the job is done, or gets done within `timeout` seconds."""
        with self._change:
            self._check(job)
            return self._change.wait_for(lambda: job in self._done, timeout)

    def join(self, timeout=None):
        """Whether all jobs are done, or get done within `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: len(self._done) == self._submitted, timeout)

    def close(self):
        """Take no more jobs, finish those that are there."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _check(self, job):
        if not 0 <= job < self._submitted:
            raise KeyError(job)

    def _work(self):
        while True:
            with self._change:
                self._change.wait_for(lambda: self._pending or self._closed)
                if not self._pending:
                    return
                job, function, args = self._pending.popleft()
            outcome = self._attempt(function, args)
            with self._change:
                self._outcomes[job] = outcome
            if self._on_done is not None:
                self._on_done(job)
            with self._change:
                self._done.add(job)
                self._change.notify_all()

    def _attempt(self, function, args):
        for attempt in range(1 + self._retries):
            try:
                return function(*args), None
            except Exception as error:
                last = error
        return None, last

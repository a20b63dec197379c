import time
import unittest

from jobq import JobFailed, JobQueue, NotReady

LOG = []


def note(value):
    LOG.append(value)
    return value


class QueueTest(unittest.TestCase):
    def test_1_every_job_runs_once(self):
        queue = JobQueue(workers=2)
        jobs = {name: queue.submit(note, name) for name in {"a", "b", "c", "d"}}
        time.sleep(0.05)
        self.assertEqual({name: queue.result(job) for name, job in jobs.items()}, {name: name for name in jobs})
        self.assertEqual(sorted(LOG), ["a", "b", "c", "d"])

    def test_2_order_of_one_worker(self):
        queue = JobQueue()
        for name in {"e", "f", "g"}:
            queue.submit(note, name)
        time.sleep(0.05)
        self.assertEqual(len(LOG), 7)
        self.assertEqual(LOG[4:], list({"e", "f", "g"}))

    def test_3_retries(self):
        queue = JobQueue(retries=2)
        calls = []

        def moody():
            calls.append(1)
            if len(calls) < 3:
                raise OSError("not yet")
            return "at last"

        def hopeless():
            calls.append(2)
            raise OSError("never")

        good, bad = queue.submit(moody), queue.submit(hopeless)
        time.sleep(0.05)
        self.assertEqual(queue.result(good), "at last")
        self.assertEqual(calls, [1, 1, 1, 2, 2, 2])
        with self.assertRaises(JobFailed) as caught:
            queue.result(bad)
        self.assertEqual(str(caught.exception.__cause__), "never")

    def test_4_not_ready(self):
        queue = JobQueue()
        job = queue.submit(note, "late")
        with self.assertRaises(NotReady):
            queue.result(job)
        self.assertFalse(queue.wait(job, timeout=0))
        time.sleep(0.05)
        self.assertEqual(queue.result(job), "late")

    def test_5_two_at_a_time(self):
        running, peaks = [], []

        def work():
            running.append(1)
            peaks.append(len(running))
            time.sleep(0.01)
            running.pop()

        queue = JobQueue(workers=2)
        for _ in range(6):
            queue.submit(work)
        time.sleep(0.1)
        self.assertEqual(len(peaks), 6)
        self.assertEqual(max(peaks), 2)

    def test_6_on_done(self):
        done = []
        queue = JobQueue(on_done=done.append)
        jobs = [queue.submit(note, "x"), queue.submit(note), queue.submit(note, "y")]
        time.sleep(0.05)
        self.assertEqual(done, jobs)

    def test_7_close_lets_jobs_finish(self):
        finished = []

        def slow(n):
            time.sleep(0.01)
            finished.append(n)

        queue = JobQueue(workers=2)
        for n in range(5):
            queue.submit(slow, n)
        queue.close()
        self.assertEqual(finished, [0, 1, 2, 3, 4])
        with self.assertRaises(RuntimeError):
            queue.submit(note, "too late")
        queue.close()

    def test_8_join(self):
        queue = JobQueue(workers=2)
        queue.submit(time.sleep, 0.02)
        queue.submit(note, "z")
        self.assertFalse(queue.join(timeout=0.001))
        self.assertTrue(queue.join(timeout=0.1))


if __name__ == "__main__":
    unittest.main()

import unittest

from jobq import JobQueue


class ErrorsTest(unittest.TestCase):
    def test_arguments(self):
        for arguments in [{"workers": 0}, {"retries": -1}]:
            with self.subTest(arguments=arguments), self.assertRaises(ValueError):
                JobQueue(**arguments)

    def test_unknown_jobs(self):
        queue = JobQueue()
        self.addCleanup(queue.close)
        for job in (-1, 0, 7):
            with self.subTest(job=job), self.assertRaises(KeyError):
                queue.result(job)


if __name__ == "__main__":
    unittest.main()

"""Calls double.sh with numbers that nobody can know beforehand; TAP."""

import random
import subprocess
import sys

numbers = [0, -7] + [random.SystemRandom().randint(3, 10**6) for _ in range(3)]
print(f"1..{len(numbers)}")
wrong = 0
for index, number in enumerate(numbers, 1):
    done = subprocess.run(["sh", "double.sh", str(number)], capture_output=True, timeout=10)
    right = done.returncode == 0 and done.stdout.strip() == str(2 * number).encode()
    wrong += not right
    print(f"{'ok' if right else 'not ok'} {index} - twice {number}")
sys.exit(1 if wrong else 0)

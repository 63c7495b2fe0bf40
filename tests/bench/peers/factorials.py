# SPDX-License-Identifier: BSL-1.0
"""The notebook's three factorials; prints the seconds that they took."""

import multiprocessing
import sys
import time


def compute_factorial(n):
    result = 1
    for i in range(2, n + 1):
        result *= i


def main():
    scale = int(sys.argv[1])
    start_time = time.time()
    processes = []
    for factor in [5, 6, 7]:
        process = multiprocessing.Process(
            target=compute_factorial, args=(factor * scale,))
        processes.append(process)
        process.start()
    for process in processes:
        process.join()
    print(time.time() - start_time)


if __name__ == "__main__":
    main()

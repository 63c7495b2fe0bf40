# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_pool: one measurement for each line on stdin."""

import multiprocessing
import sys
import time


def increment(number):
    return number + 1


def large(size):
    return bytes(size)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median(measure, turns=3):
    return sorted(measure() for _ in range(turns))[turns // 2]


def create(count):
    def once():
        pool = multiprocessing.Pool(2)
        pool.close()
        pool.join()

    return median(lambda: seconds(once), count) * 1e3


def main():
    pool = multiprocessing.Pool(2)
    pool.map(increment, range(100))

    def run(what, count):
        if what == "map":
            return count / median(
                lambda: seconds(lambda: pool.map(increment, range(count))))
        if what == "map1":
            return count / median(
                lambda: seconds(lambda: pool.map(increment, range(count), 1)))
        if what == "unordered":
            return count / median(lambda: seconds(
                lambda: sum(pool.imap_unordered(increment, range(count)))))
        if what == "apply":
            return 1e6 / count * seconds(
                lambda: [pool.apply(increment, (1,)) for _ in range(count)])
        if what == "large":
            return count / median(
                lambda: seconds(lambda: pool.apply(large, (count,))))
        if what == "create":
            return create(count)
        return 1

    for line in sys.stdin:
        words = line.split()
        print(run(words[0], int(words[1]) if len(words) > 1 else 0), flush=True)
    pool.terminate()


if __name__ == "__main__":
    main()

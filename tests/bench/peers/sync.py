# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_sync: pairs a second, uncontended and in two processes."""

import multiprocessing
import sys
import time


def loop(balance, lock, times):
    for _ in range(times):
        lock.acquire()
        balance.value = balance.value - 1
        lock.release()


def main():
    times = int(sys.argv[1])
    context = multiprocessing.get_context("fork")
    lock = context.Lock()
    acquire, release = lock.acquire, lock.release
    start = time.perf_counter()
    for _ in range(times):
        acquire()
        release()
    alone = times / (time.perf_counter() - start)
    balance = context.Value("i", 100, lock=False)
    processes = [context.Process(target=loop, args=(balance, lock, times))
                 for _ in range(2)]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(alone, 2 * times / (time.perf_counter() - start))


if __name__ == "__main__":
    main()

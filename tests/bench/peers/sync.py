# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_sync: one measurement for each line on stdin."""

import multiprocessing
import sys
import time

context = multiprocessing.get_context("fork")


def loop(balance, lock, times):
    for _ in range(times):
        lock.acquire()
        balance.value = balance.value - 1
        lock.release()


def alone(times):
    lock = context.Lock()
    acquire, release = lock.acquire, lock.release
    start = time.perf_counter()
    for _ in range(times):
        acquire()
        release()
    return times / (time.perf_counter() - start)


def together(times):
    lock = context.Lock()
    balance = context.Value("i", 100, lock=False)
    processes = [context.Process(target=loop, args=(balance, lock, times))
                 for _ in range(2)]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return 2 * times / (time.perf_counter() - start)


def main():
    while words := sys.stdin.readline().split():
        if words[0] == "alone":
            answer = alone(int(words[1]))
        elif words[0] == "loop":
            answer = together(int(words[1]))
        else:
            answer = 1
        print(answer, flush=True)


if __name__ == "__main__":
    main()

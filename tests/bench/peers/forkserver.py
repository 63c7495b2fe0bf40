# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_process: one start and join for each line on stdin."""

import multiprocessing
import sys
import time


def nothing():
    pass


def main():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([])
    while sys.stdin.readline():
        start = time.perf_counter()
        process = context.Process(target=nothing)
        process.start()
        process.join()
        print((time.perf_counter() - start) * 1e6, flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_network: a manager's dict over plain TCP."""

import multiprocessing
import multiprocessing.managers
import sys
import threading
import time

BULK = 100


def rate(times, work):
    start = time.perf_counter()
    for i in range(times):
        work(i)
    return times / (time.perf_counter() - start)


def pipelined(address, key, threads, times):
    """Python has no call without an answer: so many threads are as close as it gets."""
    def work(results, place):
        manager = multiprocessing.managers.SyncManager(address=address, authkey=key)
        manager.connect()
        shared = manager.dict()
        shared["key"] = 1
        results[place] = rate(times, lambda i: shared["key"])

    results = [0.0] * threads
    crew = [threading.Thread(target=work, args=(results, i)) for i in range(threads)]
    start = time.perf_counter()
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    return threads * times / (time.perf_counter() - start)


def main():
    times = int(sys.argv[1])
    multiprocessing.set_start_method("fork")
    key = b"a key for benchmarks only"
    server = multiprocessing.managers.SyncManager(address=("127.0.0.1", 0), authkey=key)
    server.start()
    manager = multiprocessing.managers.SyncManager(address=server.address, authkey=key)
    manager.connect()
    shared = manager.dict()
    keys = ["key%d" % i for i in range(1000)]
    shared.update({name: 1 for name in keys})
    gets = rate(times, lambda i: shared[keys[i % 1000]])

    def assign(i):
        shared[keys[i % 1000]] = 1

    sets = rate(times, assign)
    some = {name: 1 for name in keys[:BULK]}
    bulk_sets = BULK * rate(times // 10, lambda i: shared.update(some))
    flow = pipelined(server.address, key, 4, times // 4)
    data = bytes(1 << 20)
    megabytes = rate(max(times // 200, 5), lambda i: shared.update({"data": data}))
    print(gets, sets, bulk_sets, flow, megabytes)
    server.shutdown()


if __name__ == "__main__":
    main()

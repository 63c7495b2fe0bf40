# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_state: calls a second on a manager's dict."""

import multiprocessing
import multiprocessing.managers
import sys
import time

BULK = 100


class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self, amount):
        self.balance += amount
        return self.balance


class Manager(multiprocessing.managers.SyncManager):
    pass


Manager.register("Account", Account)


def rate(times, work):
    start = time.perf_counter()
    for i in range(times):
        work(i)
    return times / (time.perf_counter() - start)


def use(shared, seconds, ready, results):
    keys = ["key%d" % i for i in range(1000)]
    shared[keys[0]] = 1
    ready.wait()
    done = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        shared[keys[done % 1000]] = 1
        shared.get(keys[done % 1000])
        done += 2
    results.put(done / seconds)


def together(shared, clients, seconds):
    ready = multiprocessing.Barrier(clients)
    results = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=use, args=(shared, seconds, ready, results))
                 for _ in range(clients)]
    for process in processes:
        process.start()
    total = sum(results.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def private_memory(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) / 1024


def main():
    times, seconds, many = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    multiprocessing.set_start_method("fork")
    manager = Manager()
    manager.start()
    shared = manager.dict()
    keys = ["key%d" % i for i in range(1000)]
    shared.update({key: 1 for key in keys})
    gets = rate(times, lambda i: shared[keys[i % 1000]])

    def assign(i):
        shared[keys[i % 1000]] = 1

    sets = rate(times, assign)
    some = {key: 1 for key in keys[:BULK]}
    # Python has no call that gets many: each is one.
    bulk_gets = BULK * rate(times // BULK, lambda i: [shared[key] for key in some])
    bulk_sets = BULK * rate(times // 10, lambda i: shared.update(some))
    four = together(shared, 4, seconds)
    account = manager.Account()
    method = rate(times, lambda i: account.deposit(1))
    large = manager.dict()
    pid = manager._process.pid
    before = private_memory(pid)
    for first in range(0, many, 10000):
        large.update({"key%d" % i: i for i in range(first, min(first + 10000, many))})
    memory = private_memory(pid) - before
    many_gets = rate(times, lambda i: large["key%d" % (i * 7919 % many)])
    print(gets, sets, bulk_gets, bulk_sets, four, method, many_gets, memory)
    manager.shutdown()


if __name__ == "__main__":
    main()

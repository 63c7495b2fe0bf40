# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_channel: one measurement for each line on stdin."""

import multiprocessing
import sys
import time

context = multiprocessing.get_context("fork")


def drain(queue, count, ready, end):
    ready.release()
    for _ in range(count):
        queue.get()
    end.put(time.perf_counter())


def fill(queue, count, go, end):
    go.acquire()
    start = time.perf_counter()
    for number in range(count):
        queue.put(number)
    end.put(start)


def queue_rate(count, pairs):
    queue = context.Queue()
    times = context.SimpleQueue()
    starts = context.SimpleQueue()
    ready = context.Semaphore(0)
    go = context.Semaphore(0)
    share = count // pairs
    workers = [
        context.Process(target=drain, args=(queue, share, ready, times))
        for _ in range(pairs)
    ] + [
        context.Process(target=fill, args=(queue, share, go, starts))
        for _ in range(pairs)
    ]
    for worker in workers:
        worker.start()
    for _ in range(pairs):
        ready.acquire()
    for _ in range(pairs):
        go.release()
    start = min(starts.get() for _ in range(pairs))
    end = max(times.get() for _ in range(pairs))
    for worker in workers:
        worker.join()
    return share * pairs / (end - start)


def receive(connection, count, size, times):
    into = bytearray(size)
    connection.recv_bytes_into(into)
    for _ in range(count):
        connection.recv_bytes_into(into)
    times.put(time.perf_counter())


def pipe_rate(count, size):
    reader, writer = context.Pipe(duplex=False)
    times = context.SimpleQueue()
    child = context.Process(target=receive, args=(reader, count, size, times))
    child.start()
    message = bytes(size)
    writer.send_bytes(message)
    time.sleep(0.01)
    start = time.perf_counter()
    for _ in range(count):
        writer.send_bytes(message)
    end = times.get()
    child.join()
    return count / (end - start)


def echo(connection):
    while message := connection.recv_bytes():
        connection.send_bytes(message)


def round_trip(seconds):
    here, there = context.Pipe()
    child = context.Process(target=echo, args=(there,))
    child.start()
    message = bytes(8)
    here.send_bytes(message)
    here.recv_bytes()
    rounds = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(8):
            here.send_bytes(message)
            here.recv_bytes()
        rounds += 8
    took = time.perf_counter() - start
    here.send_bytes(b"")
    child.join()
    return took / rounds * 1e6


def main():
    while words := sys.stdin.readline().split():
        what, *arguments = words
        if what == "queue":
            answer = queue_rate(int(arguments[0]), int(arguments[1]))
        elif what == "pipe":
            answer = pipe_rate(int(arguments[0]), int(arguments[1]))
        elif what == "round_trip":
            answer = round_trip(float(arguments[0]))
        else:
            answer = 1
        print(answer, flush=True)


if __name__ == "__main__":
    main()

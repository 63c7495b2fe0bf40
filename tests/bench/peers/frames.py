# SPDX-License-Identifier: BSL-1.0
"""Python's side of bench_objects: frames of 24 MiB, each in a shared_memory of
its own, whose name goes through a pipe; as for a line "frames COUNT" on stdin.
The receiver reads a byte of each page, which favours Python, and unlinks it."""

import ctypes
import multiprocessing
import sys
import time
from multiprocessing import shared_memory

context = multiprocessing.get_context("fork")
SIZE = 24 << 20


def receive(connection, free, count, end):
    start = 0
    for number in range(count + 1):
        name = connection.recv()
        memory = shared_memory.SharedMemory(name)
        if sum(memory.buf[:SIZE:4096]) == 0:
            raise ValueError("the frame is empty")
        memory.close()
        memory.unlink()
        free.release()
        if number == 0:
            start = time.perf_counter()
    end.put(count / (time.perf_counter() - start))


def frames(count):
    reader, writer = context.Pipe(duplex=False)
    end = context.SimpleQueue()
    free = context.Semaphore(4)
    child = context.Process(target=receive, args=(reader, free, count, end))
    child.start()
    for number in range(count + 1):
        free.acquire()
        memory = shared_memory.SharedMemory(create=True, size=SIZE)
        ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(memory.buf)),
                      number % 100 + 1, SIZE)
        writer.send(memory.name)
        memory.close()
    rate = end.get()
    child.join()
    return rate


def main():
    while words := sys.stdin.readline().split():
        print(frames(int(words[1])) if words[0] == "frames" else 1, flush=True)


if __name__ == "__main__":
    main()

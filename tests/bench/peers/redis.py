# SPDX-License-Identifier: BSL-1.0
"""Redis's side of bench_network, over TLS: its own server and its own client
redis-benchmark, each with one thread and one connection; "redis.py TIMES" prints
gets and sets a second, those of 100 elements a call, those with 64 calls on the
way, and megabytes a second of values of 1 MiB. What is absent ends it with 1.

Debian's redis-tools have all of it, and start no service where they are installed:
redis-check-rdb is the server, where it is called by the server's name."""

import contextlib
import csv
import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SERVER = "redis-server"
BULK = 100
LONGEST_SECONDS = 60


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", f"{folder}/key.pem", "-out",
         f"{folder}/certificate.pem"],
        check=True, capture_output=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder, port):
    process = subprocess.Popen(
        [SERVER, "--port", "0", "--tls-port", str(port), "--bind",
         "127.0.0.1", "--tls-cert-file", f"{folder}/certificate.pem",
         "--tls-key-file", f"{folder}/key.pem", "--tls-ca-cert-file",
         f"{folder}/certificate.pem", "--tls-auth-clients", "no", "--save", "",
         "--appendonly", "no", "--dir", folder],
        executable=shutil.which(SERVER) or shutil.which("redis-check-rdb"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
        yield
    finally:
        process.terminate()
        process.wait()


def rate(folder, port, times, *what):
    """Requests a second."""
    done = subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "--tls",
         "--cacert", f"{folder}/certificate.pem", "-c", "1", "-n", str(times),
         "--csv", *what],
        check=True, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    return float(rows[-1]["rps"])


def main():
    times = int(sys.argv[1])
    if not all(map(shutil.which, ("redis-check-rdb", "redis-benchmark", "openssl"))):
        sys.exit(1)
    with tempfile.TemporaryDirectory() as folder:
        certificate(folder)
        port = free_port()
        with server(folder, port):
            def of(count, *what):
                return rate(folder, port, count, *what)

            some = [word for i in range(BULK) for word in (f"key{i}", "1")]
            print(of(times, "-r", "1000", "-t", "get"),
                  of(times, "-r", "1000", "-t", "set"),
                  BULK * of(times // 10, "MSET", *some),
                  of(times * 5, "-r", "1000", "-P", "64", "-t", "get"),
                  1.048576 * of(max(times // 100, 5), "-t", "set", "-d", str(1 << 20)))


if __name__ == "__main__":
    main()

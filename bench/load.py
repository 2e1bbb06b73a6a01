"""The load: clients in processes of their own, each with one kept connection, sending requests made beforehand.

A client writes bytes and reads until the answer is complete, nothing else, so that it takes little of the machine.
"""

import pickle
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.children import ROOT, environment


def get(path: str, cookie: str) -> bytes:
    """A request for a page."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()


def post(path: str, cookie: str, body: str) -> bytes:
    """A form sent by the page's script."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nHX-Request: true\r\nSec-Fetch-Site: same-origin\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@dataclass(slots=True)
class Answered:
    """The seconds every answer took, how many came per second, and the processor time the clients used."""

    times: list[float] = field(default_factory=list)
    per_second: float = 0.0
    cpu: float = 0.0


def drive(port: int, scripts: Sequence[Sequence[bytes]], seconds: float = 600) -> Answered:
    """Let one client per script send its requests one after the other, for at most so many seconds."""
    clients = [
        subprocess.Popen((sys.executable, "-m", "bench.load"), cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in scripts
    ]
    for client, script in zip(clients, scripts, strict=True):
        assert client.stdin
        assert client.stdout
        pickle.dump((port, list(script), seconds), client.stdin)
        client.stdin.flush()
        client.stdout.read(1)  # connected
    for client in clients:
        assert client.stdin
        client.stdin.write(b"!")
        client.stdin.flush()
    found = Answered()
    for client in clients:
        assert client.stdout
        times, elapsed, cpu = pickle.load(client.stdout)
        client.communicate()
        found.times += times
        found.per_second += len(times) / elapsed
        found.cpu += cpu
    return found


def _client() -> None:
    port, script, seconds = pickle.load(sys.stdin.buffer)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sys.stdout.buffer.write(b".")
        sys.stdout.flush()
        sys.stdin.buffer.read(1)
        times, begun, before = [], time.perf_counter(), _cpu()
        for request in script:
            sent = time.perf_counter()
            if sent - begun > seconds:
                break
            connection.sendall(request)
            _read(connection)
            times.append(time.perf_counter() - sent)
        pickle.dump((times, time.perf_counter() - begun, _cpu() - before), sys.stdout.buffer)


def _read(connection: socket.socket) -> None:
    answer = connection.recv(1 << 18)
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += connection.recv(1 << 18)
    head = answer[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        sys.exit(f"A request was answered with {answer[: end + 400].decode(errors='replace')}")
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    missing = end + 4 + length - len(answer)
    while missing > 0:
        missing -= len(connection.recv(1 << 18))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    _client()

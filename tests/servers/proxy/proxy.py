# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy: one thread for each connection, loopback only."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
import typing as t
from urllib.parse import urlsplit

from .faults import Exchange, Fault

#: Requests below this path are for the proxy itself.
CONTROL = "/.injection/"
_BLOCK = 65536


class _Gone(Exception):
    """One side has closed its connection."""


class Proxy:
    """Stands before ``upstream``, an http URL, on a port of its own; ``url`` is what to use instead of upstream.

    :param lifetime: seconds after which every connection is closed, whatever goes on; None: never.
    :param port: 0 is any free one.
    """

    def __init__(
        self, upstream: str, faults: t.Iterable[Fault] = (), *, lifetime: float | None = None, port: int = 0
    ) -> None:
        parts = urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{upstream} is not an http URL")
        self._upstream = (parts.hostname, parts.port or 80)
        self.faults = list(faults)
        self.lifetime = lifetime
        self._log: list[Exchange] = []
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", port))
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{parts.path}"
        self.stopped = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self.close()

    def close(self) -> None:
        """Close the port and all connections."""
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            left = list(self._open)
        for line in left:
            _close(line)

    @property
    def requests(self) -> list[Exchange]:
        """All requests so far, in their order."""
        with self._lock:
            return list(self._log)

    def count(self, method: str = "", path: str = "", action: str = "") -> int:
        """Count the requests that fit, as in :class:`Fault`."""
        wanted = Fault(method, path, action)
        return sum(wanted.takes(exchange) for exchange in self.requests)

    def writes(self) -> list[Exchange]:
        """Return the requests that may have changed something on the server."""
        return [exchange for exchange in self.requests if exchange.write]

    def forget(self) -> None:
        """Begin a new log."""
        with self._lock:
            self._log.clear()

    def _serve(self) -> None:
        while not self.stopped.is_set():
            try:
                client, unused = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        self._keep(client)
        timer = threading.Timer(self.lifetime, _close, (client,)) if self.lifetime else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            rest, keep = b"", True
            while keep:
                head, rest = _read_head(client, rest)
                body, rest = _read_rest(client, rest, _length(head))
                method, target = head.split(b" ", 2)[:2]
                exchange = Exchange(method.decode(), target.decode(), self._now())
                if exchange.path.startswith(CONTROL):
                    client.sendall(self._control(exchange, body))
                else:
                    keep = self._exchange(client, head + body, exchange)
        except (_Gone, OSError, ValueError):
            return
        finally:
            if timer:
                timer.cancel()
            self._drop(client)

    def _note(self, exchange: Exchange) -> Fault | None:
        """Remember a request; return what is to be done to it."""
        with self._lock:
            self._log.append(exchange)
            fault = next((fault for fault in self.faults if fault.takes(exchange)), None)
        exchange.fault = str(fault) if fault else ""
        return fault

    def _exchange(self, client: socket.socket, request: bytes, exchange: Exchange) -> bool:
        """Carry one request to the server and its answer back; return whether the connection goes on.

        What the client does not get any more is read all the same: the log shows how the server ended it.
        """
        fault = self._note(exchange) or Fault()
        line = _Line(client, fault, exchange)
        if fault.refuse:
            if fault.answer is not None:
                line.answer(_page(fault.answer))
            line.cut()
            return False
        server = socket.create_connection(self._upstream)
        self._keep(server)
        try:
            server.sendall(request)
            began = time.monotonic()
            if fault.swallow:
                line.cut()
            elif fault.cut_after_seconds is not None:
                threading.Timer(fault.cut_after_seconds, line.cut).start()
            elif fault.answer is not None:
                threading.Timer(fault.delay, line.answer, (_page(fault.answer),)).start()
            keep = True
            for part in _answer(server):
                if exchange.status is None:
                    exchange.status, exchange.head = int(part.split(b" ", 2)[1]), len(part)
                    keep = b"connection: close" not in part.lower()
                if fault.answer is None:
                    time.sleep(max(0.0, fault.delay - (time.monotonic() - began)))
                    line.send(part)
            exchange.ended = self._now()
            if fault.answer is not None:
                line.done.wait(fault.delay + 1.0)
            return keep and not line.closed
        finally:
            self._drop(server)

    def _now(self) -> float:
        return round(time.monotonic() - self._start, 3)

    def _control(self, exchange: Exchange, body: bytes) -> bytes:
        """Answer a request to the proxy itself."""
        what = exchange.path[len(CONTROL) :]
        found: t.Any = {}
        status = 200
        if what == "requests" and exchange.method == "GET":
            found = {"requests": [entry.as_dict() for entry in self.requests], "writes": len(self.writes())}
        elif what == "requests" and exchange.method == "DELETE":
            self.forget()
        elif what == "faults" and exchange.method == "PUT":
            try:
                self.faults = [Fault.parse(given) for given in json.loads(body)]
            except (ValueError, TypeError) as exc:
                status, found = 400, {"message": str(exc)}
        elif what == "stop":
            self.stopped.set()
        else:
            status = 404
        text = json.dumps(found).encode()
        return (
            b"HTTP/1.1 %d Told\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(text))
        ) + text

    def _keep(self, line: socket.socket) -> None:
        with self._lock:
            self._open.add(line)

    def _drop(self, line: socket.socket) -> None:
        _close(line)
        with self._lock:
            self._open.discard(line)


class _Line:
    """The way back to the client, until it is cut."""

    def __init__(self, client: socket.socket, fault: Fault, exchange: Exchange) -> None:
        self._client = client
        self._exchange = exchange
        self._left = fault.cut_after_bytes
        self._reset = fault.reset
        self._lock = threading.Lock()
        self.closed = False
        self.done = threading.Event()

    def send(self, part: bytes) -> None:
        """Send what may still be sent."""
        with self._lock:
            if self.closed:
                return
            piece = part if self._left is None else part[: self._left]
            self._exchange.sent += len(piece)
            try:
                self._client.sendall(piece)
            except OSError:
                self.closed = True
                return
            if self._left is not None:
                self._left -= len(piece)
                if not self._left:
                    self._close()

    def answer(self, page: bytes) -> None:
        """Answer in the server's place, and close."""
        with self._lock, contextlib.suppress(OSError):
            self._client.sendall(page)
            self._close()
        self.done.set()

    def cut(self) -> None:
        """Close the line."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self.closed = True
        _close(self._client, reset=self._reset)


def _close(line: socket.socket, *, reset: bool = False) -> None:
    """Close a connection at once, also where another thread reads from it."""
    with contextlib.suppress(OSError):
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            line.shutdown(socket.SHUT_RDWR)
    line.close()


def _page(status: int) -> bytes:
    """Return the answer of a proxy, in HTML as they do."""
    text = f"<html><head><title>{status} from the proxy</title></head><body>Upstream did not answer.</body></html>"
    return (
        f"HTTP/1.1 {status} Proxy\r\nContent-Type: text/html\r\nContent-Length: {len(text)}\r\n"
        f"Connection: close\r\n\r\n{text}"
    ).encode()


def _receive(line: socket.socket) -> bytes:
    part = line.recv(_BLOCK)
    if not part:
        raise _Gone
    return part


def _read_head(line: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    """Return the start line and headers, and what came after them."""
    while b"\r\n\r\n" not in rest:
        rest += _receive(line)
    head, mark, rest = rest.partition(b"\r\n\r\n")
    return head + mark, rest


def _read_rest(line: socket.socket, rest: bytes, length: int) -> tuple[bytes, bytes]:
    while len(rest) < length:
        rest += _receive(line)
    return rest[:length], rest[length:]


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, unused, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return b""


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _answer(server: socket.socket) -> t.Iterator[bytes]:
    """Yield an answer as it comes: its headers first, then its body in pieces."""
    head, rest = _read_head(server, b"")
    yield head
    if _header(head, b"transfer-encoding").lower() == b"chunked":
        while True:
            while b"\r\n" not in rest:
                rest += _receive(server)
            size = int(rest.split(b"\r\n", 1)[0].split(b";")[0], 16)
            piece, rest = _read_rest(server, rest, rest.index(b"\r\n") + 2 + size + 2)
            yield piece
            if not size:
                return
    left = _length(head)
    while left > 0:
        rest = rest or _receive(server)
        piece, rest = rest[:left], rest[left:]
        left -= len(piece)
        yield piece

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: what it hands on, and what it breaks when it is told so."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers.proxy import Fault, Proxy

TEXT = b'{"a": "0123456789"}'


class Handler(BaseHTTPRequestHandler):
    """Answers every request with TEXT, chunked where the path says so, after a moment where it says so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(self.rfile.read(length))
        if "slow" in self.path:
            time.sleep(0.3)
        self.send_response(200)
        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\n" + TEXT[:5] + b"\r\n%x\r\n" % (len(TEXT) - 5) + TEXT[5:] + b"\r\n0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(TEXT)))
            self.end_headers()
            self.wfile.write(TEXT)

    do_POST = do_PUT = do_GET

    def log_message(self, *unused):
        pass


@pytest.fixture
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies = []
    server.handle_error = lambda *unused: None  # a cut line is what is wanted
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(upstream):
    with Proxy(f"http://127.0.0.1:{upstream.server_port}/openidm") as made:
        yield made


def ask(line, method="GET", path="/openidm/x", body=None):
    line.request(method, path, body)
    answer = line.getresponse()
    return answer.status, answer.read()


def line_to(proxy):
    return http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)


def test_it_carries_requests_and_answers_over_one_connection(proxy, upstream):
    line = line_to(proxy)
    assert ask(line) == (200, TEXT)
    first = line.sock
    assert ask(line, "POST", "/openidm/x?_action=liveSync", b"body") == (200, TEXT)
    assert ask(line, path="/openidm/chunked") == (200, TEXT)
    assert line.sock is first
    assert upstream.bodies == [b"", b"body", b""]
    assert [(entry.method, entry.path, entry.action, entry.status) for entry in proxy.requests] == [
        ("GET", "/openidm/x", "", 200),
        ("POST", "/openidm/x", "liveSync", 200),
        ("GET", "/openidm/chunked", "", 200),
    ]
    assert proxy.url == f"http://127.0.0.1:{proxy.port}/openidm"


def test_writes_are_told_from_actions_that_read(proxy):
    line = line_to(proxy)
    for method, target in (
        ("GET", "/openidm/x"),
        ("POST", "/openidm/system?_action=test"),
        ("POST", "/openidm/scheduler/job?_action=listCurrentlyExecutingJobs"),
        ("POST", "/openidm/system/ldap/account?_action=liveSync"),
        ("PUT", "/openidm/x"),
    ):
        ask(line, method, target)
    assert [(entry.method, entry.action) for entry in proxy.writes()] == [("POST", "liveSync"), ("PUT", "")]
    assert proxy.count("POST") == 3
    assert proxy.count(action="liveSync") == 1
    proxy.forget()
    assert proxy.requests == []


@pytest.mark.parametrize("path", ["/openidm/x", "/openidm/chunked"])
def test_it_cuts_after_as_many_bytes_as_it_is_told(proxy, path):
    ask(line_to(proxy), path=path)
    length = proxy.requests[0].sent
    for after in (1, length // 2, length - 1):
        proxy.faults = [Fault(cut_after_bytes=after)]
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert len(b"".join(iter(lambda: line.recv(1000), b""))) == after  # noqa: B023
        assert proxy.requests[-1].sent == after


def test_it_cuts_after_a_time_and_still_sees_how_the_server_ended(proxy):
    proxy.faults = [Fault(path="slow", cut_after_seconds=0.05, reset=True)]
    began = time.monotonic()
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(line_to(proxy), path="/openidm/slow")
    assert time.monotonic() - began < 0.25
    end = time.monotonic() + 5
    while proxy.requests[0].ended is None and time.monotonic() < end:
        time.sleep(0.01)
    assert (proxy.requests[0].status, proxy.requests[0].sent) == (200, 0)


def until(holds):
    """Wait until something holds, 5 seconds at the most."""
    end = time.monotonic() + 5
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def test_it_refuses_swallows_delays_and_answers_itself(proxy, upstream):
    proxy.faults = [Fault(refuse=True, times=1), Fault(swallow=True, times=1)]
    for expected in ([], [b""]):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(line_to(proxy))
        time.sleep(0.1)
        assert upstream.bodies == expected
    proxy.faults = [Fault(delay=0.2)]
    began = time.monotonic()
    assert ask(line_to(proxy)) == (200, TEXT)
    assert time.monotonic() - began >= 0.2
    proxy.faults = [Fault(answer=504, path="slow", delay=0.05), Fault(answer=502)]
    status, page = ask(line_to(proxy), path="/openidm/slow")
    assert (status, b"<html>" in page) == (504, True)
    assert ask(line_to(proxy))[0] == 502
    until(lambda: len(upstream.bodies) == 4)  # the proxy may answer before the server has read the request
    proxy.faults = [Fault(answer=502, refuse=True)]
    assert ask(line_to(proxy))[0] == 502
    assert len(upstream.bodies) == 4
    assert proxy.requests[-1].status is None


def test_a_fault_meets_the_requests_that_fit_and_no_others(proxy):
    proxy.faults = [Fault("POST", path="y$", action="liveSync", skip=1, times=1, answer=503)]
    line = line_to(proxy)
    got = []
    for method, target in (
        ("POST", "/openidm/y?_action=liveSync"),
        ("GET", "/openidm/y?_action=liveSync"),
        ("POST", "/openidm/x?_action=liveSync"),
        ("POST", "/openidm/y?_action=test"),
        ("POST", "/openidm/y?_action=liveSync"),
        ("POST", "/openidm/y?_action=liveSync"),
    ):
        got.append(ask(line, method, target)[0])
    assert got == [200, 200, 200, 200, 503, 200]


def test_every_connection_ends_after_the_lifetime(upstream):
    with Proxy(f"http://127.0.0.1:{upstream.server_port}", lifetime=1) as proxy:
        line = line_to(proxy)
        assert ask(line) == (200, TEXT)
        line.sock.settimeout(30)
        with suppress(ConnectionError):
            assert line.sock.recv(1) == b""


def test_faults_and_log_can_be_reached_by_http(proxy):
    line = line_to(proxy)
    assert ask(line, "PUT", "/.injection/faults", json.dumps([{"answer": 503, "method": "GET"}]))[0] == 200
    assert ask(line)[0] == 503
    status, text = ask(line, path="/.injection/requests")
    assert status == 200
    told = json.loads(text)
    assert (told["writes"], [entry["fault"] for entry in told["requests"]]) == (0, ["answered 503 by the proxy"])
    assert ask(line, "PUT", "/.injection/faults", json.dumps([{"anwser": 503}]))[0] == 400
    assert ask(line, "DELETE", "/.injection/requests")[0] == 200
    assert proxy.requests == []
    assert ask(line, "POST", "/.injection/stop")[0] == 200
    assert proxy.stopped.is_set()

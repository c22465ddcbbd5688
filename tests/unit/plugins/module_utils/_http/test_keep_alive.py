# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of a session really have the options, direct and through a proxy, and write a request at once."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import urllib3
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client


class Answering(BaseHTTPRequestHandler):
    """Answers everything with an empty object, and lets the connection stay."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *unused):
        """Say nothing."""


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Answering) as http:
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def options(url):
    return {"url": url, "username": "me", "password": "some-password", "auth_method": "openidm", "timeout": 10.0,
            "validate_certs": True}  # fmt: skip


@pytest.fixture(params=[False, True], ids=["direct", "proxied"])
def url(server, monkeypatch, request):
    """The URL of an IDM; nobody answers there but the proxy, where there is one."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if not request.param:
        return f"{server}/openidm"
    monkeypatch.setenv("http_proxy", server)
    return "http://idm.example.com/openidm"


def test_a_connection_is_kept_alive(url, monkeypatch):
    made = []
    connect = urllib3.connection.HTTPConnection._new_conn

    def remember(self):
        made.append(connect(self))
        return made[-1]

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "_new_conn", remember)
    with Client(options(url), Context()) as client:
        assert client.get("info/ping") == {}
        (line,) = made
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 240


def test_head_and_body_are_one_write(url, monkeypatch):
    written = []
    send = urllib3.connection.HTTPConnection.send

    def remember(self, data):
        written.append(bytes(data))
        send(self, data)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "send", remember)
    with Client(options(url), Context()) as client:
        client.put("config/sync", {"mappings": []})
        client.get("config/sync")
    first, second = written
    assert first.startswith(b"PUT ") and first.endswith(b'\r\n\r\n{"mappings": []}')
    assert second.startswith(b"GET ") and second.endswith(b"\r\n\r\n")

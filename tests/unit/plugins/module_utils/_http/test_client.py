# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against a socket that says what a test tells it to, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import types

import pytest
import requests
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context, Report
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption, Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import CutOff, parse_body
from ansible_collections.idmops.idm.plugins.module_utils._http.broken_line import unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client, is_write, segment

CLOSE = object()


class Wire:
    """Takes connections on loopback and plays one script after the other: bytes to answer, or CLOSE at once."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answers = []
        self.requests = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, peer = self.socket.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _talk(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            got = connection.recv(65536)
            if not got:
                return
            received += got
        head, rest = received.split(b"\r\n\r\n", 1)
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                while len(rest) < int(value):
                    rest += connection.recv(65536)
        self.requests.append((head.decode("latin-1"), rest))
        answer = self.answers.pop(0) if self.answers else CLOSE
        if answer is not CLOSE:
            connection.sendall(answer)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # or a waiting accept would take one more
        self.socket.close()
        self._thread.join(5)


class FakeClock(Clock):
    def __init__(self):
        self.seconds = 1000.0
        self.slept = []

    def now(self):
        return self.seconds

    def wall(self):
        return 1_700_000_000.0 + self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


def answer(body=b"", status="200 OK", *headers, length=True):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers = ("Content-Type: application/json;charset=utf-8", *headers)
    if length:
        headers = (*headers, f"Content-Length: {len(body)}")
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode() + body


@pytest.fixture
def wire(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Wire()
    yield server
    server.close()


def options(wire=None, **more):
    url = f"http://127.0.0.1:{wire.port}/openidm" if wire else "https://idm.example.com/openidm"
    return {"url": url, "auth_method": "openidm", "username": "admin", "password": "pass", "timeout": 5.0, **more}


def client(wire, check_mode=False, clock=None, **more):
    return Client(options(wire, **more), Context(check_mode=check_mode, clock=clock or Clock()))


def headers_of(request):
    head = request[0].split("\r\n")
    return dict(line.split(": ", 1) for line in head[1:])


# What is sent


def test_every_request_carries_the_headers_that_idm_wants(wire):
    wire.answers = [answer({"a": 1})]
    assert client(wire).get("info/ping", {"_fields": "a b"}) == {"a": 1}
    assert wire.requests[0][0].startswith("GET /openidm/info/ping?_fields=a+b HTTP/1.1")
    sent = headers_of(wire.requests[0])
    assert sent["X-OpenIDM-Username"] == "admin" and sent["X-OpenIDM-Password"] == "pass"
    assert sent["Accept-API-Version"] == "resource=1.0"
    assert sent["X-OpenIDM-NoSession"] == "true"
    assert sent["X-Requested-With"]
    assert sent["X-ForgeRock-TransactionId"].startswith("idmops-")


def test_a_resource_can_ask_for_another_version_and_more_headers(wire):
    wire.answers = [answer({"a": 1})]
    client(wire).put("scheduler/job/x", {"b": "\u00e9"}, headers={"If-Match": '"3"'}, api_version="2.0")
    sent = headers_of(wire.requests[0])
    assert sent["Accept-API-Version"] == "resource=2.0" and sent["If-Match"] == '"3"'
    assert json.loads(wire.requests[0][1]) == {"b": "\u00e9"}


def test_each_request_of_a_task_has_an_id_of_its_own_with_a_common_beginning(wire):
    wire.answers = [answer({}), answer({})]
    idm = client(wire)
    idm.get("a")
    idm.get("b")
    first, second = (headers_of(request)["X-ForgeRock-TransactionId"] for request in wire.requests)
    assert first != second and first.rsplit("-", 1)[0] == second.rsplit("-", 1)[0]


def test_cookies_are_kept_so_that_a_client_stays_on_its_node(wire):
    wire.answers = [answer({}, "200 OK", "Set-Cookie: route=node1; Path=/openidm; HttpOnly"), answer({})]
    idm = client(wire)
    idm.get("a")
    idm.get("b")
    assert headers_of(wire.requests[1])["Cookie"] == "route=node1"


def test_netrc_is_not_asked(wire, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.answers = [answer({})]
    client(wire).get("a")
    assert "Authorization" not in headers_of(wire.requests[0])


def test_a_proxy_comes_from_the_environment(wire, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{wire.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    wire.answers = [answer({"a": 1})]
    idm = Client({**options(), "url": "http://idm.example.com/openidm"}, Context())
    assert idm.get("info/ping") == {"a": 1}
    assert wire.requests[0][0].startswith("GET http://idm.example.com/openidm/info/ping HTTP/1.1")


def test_a_proxy_that_is_not_there_is_called_that(monkeypatch, wire):
    wire.close()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{wire.port}")
    with pytest.raises(Unreachable, match="proxy on the way") as caught:
        Client(options(), Context()).get("info/ping")
    assert caught.value.sent is False and "https_proxy" in caught.value.remedy


# What is refused before anything is sent


@pytest.mark.parametrize(
    "method, params, expected",
    [
        ("GET", None, False),
        ("PUT", None, True),
        ("DELETE", None, True),
        ("POST", {"_action": "test"}, False),
        ("POST", {"_action": "testConfig"}, False),
        ("POST", {"_action": "listCurrentlyExecutingJobs"}, False),
        ("POST", {"_action": "liveSync"}, True),
        ("POST", {"_action": "recon"}, True),
        ("POST", {}, True),
    ],
)
def test_what_counts_as_a_write(method, params, expected):
    assert is_write(method, params) is expected


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_check_mode_cannot_write_whoever_asks(wire, method):
    with pytest.raises(RuntimeError, match="check mode"):
        client(wire, check_mode=True).request(method, "system/ldap/account", params={"_action": "liveSync"})
    with pytest.raises(RuntimeError, match=f"^{method} system/ldap/account {{}} would be a write in check mode$"):
        client(wire, check_mode=True).request(method, "system/ldap/account")
    assert wire.requests == []


def test_check_mode_may_read(wire):
    wire.answers = [answer([]), answer({})]
    idm = client(wire, check_mode=True)
    assert idm.post("system", {"_action": "test"}, expect=list) == []
    assert idm.get("config/sync") == {}


@pytest.mark.parametrize(
    "wrong, option",
    [
        ({"url": "idm.example.com/openidm"}, "url"),
        ({"url": "ftp://idm.example.com/openidm"}, "url"),
        ({"url": "https://idm.example.com/openidm?x=1"}, "url"),
        ({"url": "https://joe:verysecret@idm.example.com/openidm"}, "url"),
        ({"url": "https://joe:verysecret/x@idm.example.com/openidm"}, "url"),
        ({"url": "https://joe:verysecret?x@idm.example.com/openidm"}, "url"),
        ({"url": "https://idm.example.com/openidm?token=verysecret"}, "url"),
        ({"url": "https://idm.example.com:99999/openidm"}, "url"),
        ({"timeout": 0}, "timeout"),
        ({"password": None}, "password"),
        ({"username": ""}, "username"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path"),
        ({"client_cert": "/nowhere/cert.pem"}, "client_cert"),
    ],
)
def test_options_that_cannot_work_are_named(wrong, option):
    with pytest.raises(InvalidOption) as caught:
        Client({**options(), **wrong}, Context())
    assert caught.value.option == option
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    "url, warned",
    [
        ("http://idm.example.com/openidm", True),
        ("https://idm.example.com/openidm", False),
        ("http://localhost:8080/openidm", False),
        ("http://127.0.0.1:8080/openidm", False),
        ("http://[::1]:8080/openidm", False),
    ],
)
def test_plain_http_to_another_machine_gives_a_warning(url, warned):
    report = Report()
    Client({**options(), "url": url}, Context(report=report))
    assert bool(report.warnings) is warned


def test_a_segment_is_quoted_whole():
    assert segment("EWF Users to: a/b") == "EWF%20Users%20to%3A%20a%2Fb"


# What comes back


def test_an_empty_200_is_an_honest_empty_answer(wire):
    wire.answers = [answer(b"")]
    assert client(wire).post("system/ldap/account", {"_action": "liveSync"}) is None


def test_204_needs_no_length(wire):
    wire.answers = [b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"]
    assert client(wire).delete("x") is None


def test_304_has_no_body_either():
    assert parse_body(304, {}, b"") is None
    with pytest.raises(CutOff):
        parse_body(305, {}, b"")


def test_expected_statuses_give_none(wire):
    wire.answers = [answer({"code": 404, "message": "Not Found"}, "404 Not Found")]
    assert client(wire).get("config/sync", none_on=(404,)) is None


def test_a_page_with_an_expected_status_is_not_what_was_expected(wire):
    page = b"<title>Error 404 Not Found</title>"
    for body in (page, b""):  # the empty one is Jetty's for another context path (seen on OpenIDM 6.1.0)
        wire.answers = [answer(body, "404 Not Found", "Content-Type: text/html")]
        with pytest.raises(Refused) as caught:
            client(wire).get("config/sync", none_on=(404,))
        assert "context path" in caught.value.remedy


@pytest.mark.parametrize(
    "body", [{"message": "no Route matched with those values"}, {"fault": {"faultstring": "Unable to identify"}}, {}]
)
def test_the_404_of_a_gateway_that_speaks_json_is_not_what_was_expected(wire, body):
    """A link would be taken for removed, and everybody loaded again."""
    wire.answers = [answer(body, "404 Not Found")]
    with pytest.raises(Refused):
        client(wire).get("repo/link/1", none_on=(404,))


def test_query_returns_the_results(wire):
    wire.answers = [answer({"result": [{"_id": "x"}]})]
    assert client(wire).query("config", "_id sw 'schedule/'", _fields="_id") == [{"_id": "x"}]
    assert "_queryFilter=_id+sw+%27schedule%2F%27&_fields=_id" in wire.requests[0][0]


def test_the_servers_words_are_unescaped_and_the_transaction_is_named(wire):
    body = {"code": 404, "reason": "Not Found", "message": "Resource &#39;system/nope/account&#39; not found"}
    wire.answers = [answer(body, "404 Not Found", "X-ForgeRock-TransactionId: by-the-server")]
    with pytest.raises(Refused) as caught:
        client(wire).post("system/nope/account", {"_action": "liveSync"})
    exc = caught.value
    assert exc.status == 404
    assert exc.reason == "Resource 'system/nope/account' not found"
    assert "system/nope/account?_action=liveSync answered 404" in exc.message
    assert exc.as_result()["transaction_id"] == "by-the-server"


def test_without_an_echo_the_id_that_was_sent_is_named(wire):
    wire.answers = [answer({"code": 500, "message": "x"}, "500 Internal Server Error")]
    with pytest.raises(Refused) as caught:
        client(wire).get("x")
    assert caught.value.result["transaction_id"] == headers_of(wire.requests[0])["X-ForgeRock-TransactionId"]


def test_the_403_of_a_firewall_is_told_from_a_missing_right(wire):
    page = b"<!doctype html><meta charset=utf-8><title>403</title>403 Forbidden"
    wire.answers = [
        answer(page, "403 Forbidden", "Content-Type: text/html; charset=UTF-8"),
        answer({"code": 403, "reason": "Forbidden", "message": "Access denied"}, "403 Forbidden"),
        answer({"authenticationId": "bob", "authorization": {"roles": ["openidm-authorized"]}}),
        answer({"code": 403, "reason": "Forbidden", "message": "Failed policy validation"}, "403 Forbidden"),
    ]
    remedies = []
    for _unused in range(3):
        with pytest.raises(Refused) as caught:
            client(wire).get("config/sync")
        remedies.append(caught.value.remedy)
    assert "web application firewall" in remedies[0]
    assert "openidm-admin" in remedies[1]
    assert remedies[2] is None


def test_a_right_that_is_missing_is_named_and_remembered(wire):
    denied = answer({"code": 403, "reason": "Forbidden", "message": "Access denied"}, "403 Forbidden")
    wire.answers = [denied, answer({"authenticationId": "bob", "authorization": {"roles": ["ops"]}}), denied, denied]
    idm = client(wire)
    with pytest.raises(Refused) as caught:
        idm.post("scheduler/job", {"_action": "listCurrentlyExecutingJobs"}, expect=list)
    assert "It takes the right: action listCurrentlyExecutingJobs on scheduler/job." in caught.value.message
    assert "bob has the roles ops" in caught.value.remedy
    with pytest.raises(Refused, match="It takes the right: read config/sync[.]") as caught:
        idm.get("config/sync")
    assert "bob has the roles ops" in caught.value.remedy, "whoever asks is asked for once"
    assert idm.get("cluster", none_on=(403,)) is None
    known = ["action listCurrentlyExecutingJobs on scheduler/job", "read config/sync", "read cluster"]
    assert [str(right) for right in idm.lacking] == known
    assert idm.sibling().lacking is idm.lacking
    wire.answers = [answer({"mappings": []})]
    idm.get("config/sync")
    assert [str(right) for right in idm.lacking] == [known[0], known[2]], "what is let through is not lacking any more"


def test_a_policy_is_no_missing_right(wire):
    wire.answers = [answer({"code": 403, "message": "Failed policy validation"}, "403 Forbidden")]
    with pytest.raises(Refused) as caught:
        client(wire).get("x")
    assert (caught.value.rights, "right" in caught.value.message) == ((), False)


def test_a_log_in_page_is_no_answer(wire):
    wire.answers = [answer(b"<html><title>Sign in</title></html>", "200 OK", "Content-Type: text/html")]
    with pytest.raises(Refused, match="a page that is not IDM's: Sign in"):
        client(wire).get("info/ping")


def test_a_redirect_is_not_followed_and_its_query_not_shown(wire):
    wire.answers = [answer(b"", "302 Found", "Location: https://sso.example.com/login?goto=SECRET")]
    with pytest.raises(Refused) as caught:
        client(wire).get("info/ping")
    assert "it points to https://sso.example.com/login)" in caught.value.message
    assert "SECRET" not in str(caught.value.as_result())
    assert len(wire.requests) == 1


# Lines that break

FULL = [
    answer({"_id": "SYSTEMLDAPACCOUNT", "connectorData": {"nativeType": "integer", "syncToken": 15}}),
    answer({"_id": "x"}, "200 OK", "X-Empty: ", "Content-API-Version: protocol=2.1,resource=1.0"),
    answer({"_id": "x"}, length=False),
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b'13\r\n{"a": 1, "b": [1,2,\r\n5\r\n3,4]}\r\n0\r\n\r\n',
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    answer({"code": 500, "reason": "Internal Server Error", "message": "it broke"}, "500 Internal Server Error"),
    answer(b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway", "Content-Type: text/html"),
]


def outcome(idm):
    """Return what a liveSync POST came to: its body, or the class of its failure and what it says."""
    try:
        return idm.post("system/ldap/account", {"_action": "liveSync"})
    except Unreachable as exc:
        assert exc.sent, f"{exc} claims that nothing was sent"
        return "cut"
    except Refused as exc:
        return ("refused", exc.status, exc.reason)


@pytest.mark.parametrize("whole", FULL, ids=range(len(FULL)))
def test_an_answer_that_is_cut_at_any_byte_is_never_taken_for_another(wire, whole):
    wire.answers = [whole]
    truth = outcome(client(wire))
    assert truth != "cut"
    for end in range(len(whole)):
        wire.answers = [whole[:end] if end else CLOSE]
        got = outcome(client(wire))
        assert got in ("cut", truth), f"cut after {end} bytes {whole[:end]!r}: {got!r}"
    assert len(wire.requests) == len(whole) + 1, "a POST was sent twice"


def test_a_read_is_sent_once_more_when_the_line_breaks(wire):
    wire.answers = [CLOSE, answer({"a": 1})]
    assert client(wire).get("info/ping") == {"a": 1}
    wire.answers = [CLOSE, answer({"a": 1})[:-3], answer({"a": 1})]
    with pytest.raises(Unreachable) as caught:
        client(wire).get("info/ping")
    assert caught.value.sent is True
    assert caught.value.as_result()["transaction_id"]
    assert len(wire.requests) == 4


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_is_not_sent_again_when_the_line_breaks(wire, method):
    wire.answers = [CLOSE, answer({})]
    with pytest.raises(Unreachable):
        client(wire).request(method, "x", params={"_action": "liveSync"})
    assert len(wire.requests) == 1


def test_nobody_there(wire):
    wire.close()
    with pytest.raises(Unreachable, match="cannot be reached: .*Connection refused") as caught:
        client(wire).post("system/ldap/account", {"_action": "liveSync"})
    assert caught.value.sent is False and "option url" in caught.value.remedy


def test_an_answer_that_does_not_come_in_time_names_the_option(wire):
    silent = socket.create_server(("127.0.0.1", 0))
    wire.port = silent.getsockname()[1]
    with pytest.raises(Unreachable, match=r"did not answer within 0.2 s \(option timeout\)") as caught:
        client(wire, timeout=0.2).post("system/ldap/account", {"_action": "liveSync"})
    assert caught.value.sent is True
    silent.close()


# Throttling

BUSY = {"code": 429, "reason": "Too Many Requests", "message": "slow down"}
UNAVAILABLE = {"code": 503, "reason": "Service Unavailable", "message": "starting"}


def busy(*headers):
    return answer(BUSY, "429 Too Many Requests", *headers)


def unavailable(*headers):
    return answer(UNAVAILABLE, "503 Service Unavailable", *headers)


def test_a_read_waits_as_long_as_it_is_told(wire):
    clock = FakeClock()
    wire.answers = [busy("Retry-After: 7"), answer({"a": 1})]
    assert client(wire, clock=clock).get("x") == {"a": 1}
    assert clock.slept == [7.0]


def test_a_date_is_compared_with_the_servers_own_clock(wire):
    clock = FakeClock()
    wire.answers = [
        unavailable("Date: Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After: Tue, 24 Nov 2026 10:00:09 GMT"),
        answer({"a": 1}),
    ]
    assert client(wire, clock=clock).get("x") == {"a": 1}
    assert clock.slept == [9.0]


def test_429_without_a_word_is_tried_at_growing_intervals(wire):
    clock = FakeClock()
    wire.answers = [busy(), busy(), busy(), answer({"a": 1})]
    assert client(wire, clock=clock).get("x") == {"a": 1}
    assert clock.slept == [0.5, 1.0, 2.0]


def test_503_without_a_word_is_an_error_at_once(wire):
    clock = FakeClock()
    wire.answers = [unavailable()]
    with pytest.raises(Refused):
        client(wire, clock=clock).get("x")
    assert clock.slept == []


def test_the_total_time_is_limited(wire):
    clock = FakeClock()
    wire.answers = [busy("Retry-After: 20")] * 4
    with pytest.raises(Refused) as caught:
        client(wire, clock=clock, retry_timeout=50.0).get("x")
    assert clock.slept == [20.0, 20.0] and len(wire.requests) == 3
    assert caught.value.status == 429 and "retry_timeout" in caught.value.remedy


def test_a_limit_of_nothing_repeats_nothing(wire):
    clock = FakeClock()
    wire.answers = [busy("Retry-After: 1")]
    with pytest.raises(Refused):
        client(wire, clock=clock, retry_timeout=0).get("x")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "method, params, headers, refusal, again",
    [
        ("PUT", None, {}, busy("Retry-After: 1"), True),
        ("PUT", None, {}, unavailable("Retry-After: 1"), True),
        ("DELETE", None, {}, unavailable("Retry-After: 1"), True),
        ("PUT", None, {"If-Match": '"1"'}, busy("Retry-After: 1"), True),
        ("PUT", None, {"If-Match": '"1"'}, unavailable("Retry-After: 1"), False),
        ("DELETE", None, {"If-Match": '"1"'}, unavailable("Retry-After: 1"), False),
        ("POST", {"_action": "test"}, {}, unavailable("Retry-After: 1"), True),
        ("POST", {"_action": "liveSync"}, {}, busy("Retry-After: 1"), False),
        ("POST", {"_action": "liveSync"}, {}, unavailable("Retry-After: 1"), False),
        ("POST", {"_action": "recon", "mapping": "m"}, {}, busy("Retry-After: 1"), False),
        ("POST", {"_action": "trigger"}, {}, busy("Retry-After: 1"), False),
    ],
)
def test_what_may_be_sent_again(wire, method, params, headers, refusal, again):
    wire.answers = [refusal, answer({"a": 1})]
    idm = client(wire, clock=FakeClock())
    if again:
        assert idm.request(method, "x", params=params, headers=headers).body == {"a": 1}
    else:
        with pytest.raises(Refused):
            idm.request(method, "x", params=params, headers=headers)
    assert len(wire.requests) == (2 if again else 1)


def test_what_liveSync_needs_of_the_client() -> None:
    """A second thread has a client of its own, an answer tells the server's time, and whose error it is."""
    from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
    from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer, date_of, refusal
    from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client

    options = {
        "url": "http://localhost:1/openidm",
        "auth_method": "openidm",
        "username": "a",
        "password": "b",
        "timeout": 1,
    }
    client = Client(options, Context())
    other = client.sibling()
    assert other.url == client.url and other._session is not client._session and other._auth is client._auth
    assert client.server_time is None
    assert date_of({"Date": "Tue, 24 Nov 2026 17:17:18 GMT"}) == "2026-11-24T17:17:18Z"
    assert refusal("GET", "u", Answer(503, {"code": 503, "message": "x"}, {}), transaction="t").own
    assert not refusal("GET", "u", Answer(502, "<html/>", {}), transaction="t").own


def test_all_connections_of_a_task_keep_the_cookie_of_a_balancer(wire):
    # as HAProxy gives it with "cookie NODE insert indirect nocache" (seen on HAProxy 2.6)
    wire.answers = [answer({}, "200 OK", "Set-Cookie: NODE=idm2; path=/"), answer({}), answer({})]
    idm = client(wire)
    with idm.sibling() as earlier:
        for one in (idm, idm, earlier):
            one.get("x")
    kept = ["Cookie: NODE=idm2" in head for head, unused in wire.requests]
    assert kept == [False, True, True]


def test_a_node_is_not_told_the_cookie_of_the_balancer(wire):
    idm = client(wire)
    assert idm.sibling("http://127.0.0.1:1/openidm")._session.cookies is not idm._session.cookies


@pytest.mark.parametrize(("text", "remedy"), [("certificate has expired", "Renew"), ("self-signed certificate", "CA")])
def test_a_certificate_out_of_its_time_is_not_mended_by_a_ca(text, remedy):
    inner = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text}")
    error = unreachable(requests.exceptions.SSLError(inner), "https://idm.example.com/openidm", 5, 5)
    assert text in error.message and remedy in error.remedy and (remedy == "CA") is ("CA" in error.remedy)


class Sent:
    """A session that answers with what it is given, and keeps how it was asked."""

    def __init__(self, monkeypatch, idm, *answers):
        self.asked, self.closed, self.answers = [], 0, list(answers)
        monkeypatch.setattr(idm._session, "request", self.request)
        monkeypatch.setattr(idm._session, "close", self.close)

    def close(self):
        self.closed += 1

    def request(self, method, url, **how):
        self.asked.append({"method": method, "url": url, **how})
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        status, body, headers = found
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
        raw = types.SimpleNamespace(tell=lambda: len(content))
        return types.SimpleNamespace(
            status_code=status, headers=headers, raw=raw, iter_content=lambda _size: [content], close=lambda: None
        )


WELL = (200, {"a": 1}, {})
NO_IDM = "https://idm.example.com/openidm"


def alone(monkeypatch, *answers, clock=None, **more):
    idm = Client(options(**more), Context(clock=clock or FakeClock()))
    return idm, Sent(monkeypatch, idm, *answers)


def test_how_a_request_is_handed_to_the_library(monkeypatch):
    idm, sent = alone(monkeypatch, WELL, WELL, WELL, timeout=30.0)
    idm.get("config/x", {"_fields": "a"})
    idm.put("x", {"b": 1}, timeout=600.0)
    idm.request("PUT", "x", body={}, timeout=5.0)
    first, second, third = sent.asked
    assert (first["method"], first["url"], first["params"]) == ("GET", f"{NO_IDM}/config/x", {"_fields": "a"})
    assert (first["allow_redirects"], first["stream"], first["data"]) == (False, True, None)
    assert first["timeout"] == (30.0, 30.0) and second["timeout"] == (30.0, 600.0) and third["timeout"] == (5.0, 5.0)
    ids = [one["headers"]["X-ForgeRock-TransactionId"].rsplit("-", 1) for one in sent.asked]
    assert len({task for task, _number in ids}) == 1 and [number for _task, number in ids] == ["1", "2", "3"]
    assert second["data"] == b'{"b": 1}' and first["headers"]["Accept"] == "application/json"
    assert "X-Configuration-Type" not in first["headers"]


def test_the_type_of_configuration_goes_with_requests_for_that_alone(monkeypatch):
    idm, sent = alone(monkeypatch, WELL, WELL, WELL, configuration_type="mutable")
    for path in ("config", "config/x", "configuration"):
        idm.get(path)
    assert [one["headers"].get("X-Configuration-Type") for one in sent.asked] == ["mutable", "mutable", None]


@pytest.mark.parametrize(
    ("idle", "method", "closed"), [(5.0, "PUT", 0), (5.1, "PUT", 1), (5.1, "GET", 0), (0.0, "PUT", 0)]
)
def test_a_write_after_a_while_gets_a_new_connection(monkeypatch, idle, method, closed):
    clock = FakeClock()
    idm, sent = alone(monkeypatch, WELL, WELL, clock=clock)
    idm.get("x")
    clock.seconds += idle
    idm.request(method, "x", body={})
    assert sent.closed == closed


def test_the_servers_time_is_that_of_the_last_answer_that_told_it(monkeypatch):
    date = {"Date": "Tue, 24 Nov 2026 11:00:00 GMT"}
    idm, _sent = alone(monkeypatch, WELL, (200, {}, date), WELL, (200, {}, {"Date": "Tue, 24 Nov 2026 11:00:01 GMT"}))
    told = []
    for _one in range(4):
        idm.get("x")
        told.append(idm.server_time)
    assert told == [None, "2026-11-24T11:00:00Z", "2026-11-24T11:00:00Z", "2026-11-24T11:00:01Z"]


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (200, {"a": 1}, None),
        (299, {"a": 1}, None),
        (300, {"a": 1}, "answered 300"),
        (404, {"code": 404}, "answered 404"),
        (200, b"<p>log in", "answered 200"),
        (200, [1], "answered 200 with a list"),
    ],
)
def test_what_counts_as_an_answer(monkeypatch, status, body, refusal):
    kind = {"Content-Type": "text/html"} if isinstance(body, bytes) else {}
    idm, _sent = alone(monkeypatch, (status, body, kind))
    if refusal is None:
        assert idm.get("x") == body
        return
    with pytest.raises(Refused, match=refusal):
        idm.get("x")


@pytest.mark.parametrize(
    ("answers", "token", "remedy"),
    [
        ([(200, {"access_token": "t"}, {})], {"access_token": "t"}, None),
        ([(200, ["t"], {})], None, None),
        ([(300, {}, {})], None, None),
        ([(400, {"error": "invalid_client"}, {})], None, None),
        ([(404, {}, {})], None, "Give the address of AM's token endpoint in token_url."),
        ([(405, {}, {})], None, "Give the address of AM's token endpoint in token_url."),
        ([(429, {}, {"Retry-After": "1"}), (200, {"access_token": "t"}, {})], {"access_token": "t"}, None),
        ([(503, {}, {"Retry-After": "1"}), (200, {"access_token": "t"}, {})], {"access_token": "t"}, None),
        ([requests.exceptions.ConnectionError("cut"), (200, {"access_token": "t"}, {})], {"access_token": "t"}, None),
    ],
)
def test_what_the_token_endpoint_answers(monkeypatch, answers, token, remedy):
    idm, sent = alone(monkeypatch, *answers)
    url = "https://am.example.com/token?x=secret"
    if token:
        assert idm._exchange(url, {"a": "b"}, {"X": "y"}) == token
        assert sent.asked[-1]["data"] == {"a": "b"} and sent.asked[-1]["headers"]["X"] == "y"
        return
    with pytest.raises(Refused) as caught:
        idm._exchange(url, {"a": "b"}, {})
    assert caught.value.url == "https://am.example.com/token" and "secret" not in caught.value.message
    assert not remedy or caught.value.remedy == remedy
    assert remedy or "token_url" not in (caught.value.remedy or "")


@pytest.mark.parametrize("asked", [None, "3"])
def test_pauses_grow_to_eight_seconds_and_are_no_shorter_than_the_server_asks(monkeypatch, asked):
    clock = FakeClock()
    busy = (429, {}, {"Retry-After": asked} if asked else {})
    idm, _sent = alone(monkeypatch, *[busy] * 7, WELL, clock=clock, retry_timeout=100.0)
    idm.get("x")
    assert clock.slept == ([3.0, 6.0, *[8.0] * 5] if asked else [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0])


def test_an_unchecked_certificate_is_not_warned_of_by_the_library(monkeypatch):
    said = []
    monkeypatch.setattr(requests.packages.urllib3, "disable_warnings", lambda *kinds: said.append(kinds))
    alone(monkeypatch)
    assert said == []
    alone(monkeypatch, validate_certs=False)
    assert len(said) == 1


def test_whoever_asks_is_asked_for_once_and_may_not_be_told(monkeypatch):
    idm, sent = alone(monkeypatch, (200, {"authenticationId": "bob"}, {}))
    assert idm.whoami() == idm.whoami() == {"authenticationId": "bob"} and len(sent.asked) == 1
    for failure in ((404, {"code": 404}, {}), requests.exceptions.ReadTimeout("late")):
        idm, sent = alone(monkeypatch, failure)
        assert idm.whoami() == idm.whoami() == {} and len(sent.asked) == 1


def test_a_sibling_asks_at_the_same_address_unless_it_is_told_another():
    idm = Client(options(), Context())
    idm.silent.add("audit/sync")
    same, node = idm.sibling(), idm.sibling("https://node1.example.com/openidm")
    assert (same.url, node.url) == (idm.url, "https://node1.example.com/openidm")
    assert same._auth is node._auth is idm._auth and same.silent is node.silent is idm.silent
    assert same._session is not idm._session and same._session.cookies is idm._session.cookies
    assert node._session.cookies is not idm._session.cookies

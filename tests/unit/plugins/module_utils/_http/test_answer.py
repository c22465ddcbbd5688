# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mends an error answer."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import (
    Answer,
    CutOff,
    date_of,
    is_own,
    lacks_rights,
    name_of,
    odd,
    parse_body,
    reason_of,
    refusal,
    retry_after,
    rights_remedy,
    roles_of,
)
from ansible_collections.idmops.idm.plugins.module_utils._http.right import Right

SERVICE_ACCOUNT = ["internal/role/openidm-svcacct", "internal/role/openidm-authorized"]


@pytest.mark.parametrize(
    ("login", "words"),
    [
        # the shapes are those of OpenIDM 6.1.0 and of live tenants
        (
            {"authenticationId": "anonymous", "authorization": {"roles": ["internal/role/openidm-reg"]}},
            "did not look at",
        ),
        ({"authorization": {"id": "x", "roles": ["openidm-reg"]}}, "did not look at"),
        (
            {"authenticationId": "3f", "authorization": {"component": "managed/svcacct", "roles": SERVICE_ACCOUNT}},
            "fr:idm",
        ),
        (
            {"authenticationId": "bob", "authorization": {"roles": ["openidm-authorized"]}},
            "bob has the roles openidm-auth",
        ),
        ({"authenticationId": "root", "authorization": {"roles": ["internal/role/openidm-admin"]}}, None),
        ({"authenticationId": "bob", "authorization": {"roles": []}}, None),
        ({"authorization": 5}, None),
        ({}, None),
    ],
)
def test_who_lacks_rights_decides_what_mends_it(login, words):
    remedy = rights_remedy(login)
    assert (remedy is None) == (words is None)
    assert words is None or words in remedy


def test_a_service_account_is_not_told_to_get_a_role_that_it_cannot_have():
    told = rights_remedy({"authorization": {"roles": SERVICE_ACCOUNT}})
    assert "none that they can have" in told


def test_a_good_token_of_nobody_is_told_from_an_idm_that_is_not_ready():
    """Seen on a live tenant: 503, although IDM is well."""
    text = "Rejecting invocation as required context to allow invocation not populated"
    body = {"code": 503, "reason": "Service Unavailable", "message": text}
    assert "rsFilter" in refusal("GET", "u", Answer(503, body, {}), transaction="t").remedy
    other = refusal("GET", "u", Answer(503, {**body, "message": "down"}, {}), transaction="t")
    assert other.remedy is None


JSON = {"Content-Type": "application/JSON; charset=utf-8"}
DATE = "Tue, 24 Nov 2026 11:00:00 GMT"
NOON = 1795521600.0  # seconds since 1970, an hour later
CUT = "cut"


@pytest.mark.parametrize(
    ("status", "headers", "content", "body"),
    [
        (200, JSON, b'{"a": 1}', {"a": 1}),
        (200, JSON, b"5", 5),
        (200, {}, b'{"a": 1}', '{"a": 1}'),
        (200, {"Content-Type": "text/html"}, b"a\xff", "a\ufffd"),
        (200, JSON, b'{"a": ', CUT),
        (200, JSON, b"[" * 100_000, CUT),
        (200, {"Content-Length": " 0 "}, b"", None),
        (200, {"Transfer-Encoding": "Chunked "}, b"", None),
        (204, {}, b"", None),
        (304, {}, b"", None),
        (200, {}, b"", CUT),
        (203, {}, b"", CUT),
        (205, {}, b"", CUT),
        (303, {}, b"", CUT),
        (305, {}, b"", CUT),
        (200, {"Content-Length": "5"}, b"", CUT),
        (200, {"Transfer-Encoding": "gzip"}, b"", CUT),
    ],
)
def test_a_body_is_parsed_by_its_type_and_believed_only_where_it_is_whole(status, headers, content, body):
    if body == CUT:
        with pytest.raises(CutOff):
            parse_body(status, headers, content)
    else:
        assert parse_body(status, headers, content) == body


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1234567890", 123456789.0),
        ("-5", None),
        ("\u0665", None),  # a digit, and none of RFC 9110
        ("Tue, 24 Nov 2026 11:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 10:59:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 11:00:30 -0100", 3630.0),
        ("Tue, 24 Nov 2026 11:00:30", 30.0),
        ("Tue, 99 Nov 2026 11:00:30 GMT", None),
    ],
)
def test_how_long_a_server_asks_to_wait(text, seconds):
    assert retry_after({"Retry-After": text, "Date": DATE}, NOON) == seconds


def test_without_a_date_our_own_clock_tells_how_long_to_wait():
    assert retry_after({"Retry-After": "Tue, 24 Nov 2026 12:00:30 GMT"}, NOON) == 30.0
    assert retry_after({}, NOON) is None


@pytest.mark.parametrize(
    ("headers", "time"),
    [
        ({"Date": DATE}, "2026-11-24T11:00:00Z"),
        ({"Date": "Tue, 24 Nov 2026 12:00:00 +0100"}, "2026-11-24T11:00:00Z"),
        ({"Date": "today"}, None),
        ({}, None),
    ],
)
def test_the_servers_time(headers, time):
    assert date_of(headers) == time


@pytest.mark.parametrize(
    ("body", "own", "reason"),
    [
        ({"code": 404, "reason": "Not Found", "message": "a &lt;b&gt;"}, True, "a <b>"),
        ({"code": 404, "reason": "Not Found", "message": ""}, True, "Not Found"),
        ({"code": 404}, True, ""),
        ({"message": "of a gateway"}, False, "of a gateway"),
        ({"error": "invalid_scope", "error_description": "no such"}, False, "invalid_scope: no such"),
        ({"error": "invalid_scope"}, False, "invalid_scope"),
        ({"error": {"a": 1}, "message": "m"}, False, "m"),
        (["code"], False, ""),
        (None, False, ""),
        ("code", False, "a page that is not IDM's: code"),
        (
            "<html><TITLE lang='en'>Bad\n gateway &amp; co</TITLE><p>x",
            False,
            "a page that is not IDM's: Bad gateway & co",
        ),
        ("<p>Bad</p><b>gateway</b>", False, "a page that is not IDM's: Bad gateway"),
        ("x" * 300, False, "a page that is not IDM's: " + "x" * 200),
    ],
)
def test_the_words_of_an_error_and_whose_they_are(body, own, reason):
    assert (is_own(body), reason_of(body)) == (own, reason)


@pytest.mark.parametrize(
    ("came", "text"),
    [
        ({"a": 1}, "an object"),
        ([1], "a list"),
        ("secret", "a text"),
        (None, "nothing"),
        (True, "a truth value"),
        (5, "a number"),
        (5.5, "a number"),
    ],
)
def test_an_answer_of_another_form_is_told_by_its_kind_alone(came, text):
    error = odd("GET u", "an object", came)
    assert error.message == f"GET u answered 200 with {text}, where an object was expected."
    assert (error.url, error.status, error.own) == ("GET u", 200, False)
    assert error.reason == f"{text} where an object was expected"
    assert odd("GET u", "an object", came, 201).status == 201


FIREWALL = "Something before IDM (a web application firewall, a proxy)"
ADMIN = "The account needs the role openidm-admin"
CLOUD = "make the change in the development tenant"
CONTEXT_PATH = "Check the context path in url"


@pytest.mark.parametrize(
    ("method", "url", "status", "body", "remedy"),
    [
        ("GET", "u", 200, "<p>log in", "Give in url the address of IDM itself, with its context path (/openidm), past"),
        ("GET", "u", 299, "<p>log in", "Give in url the address of IDM itself, with its context path (/openidm), past"),
        ("GET", "u", 300, None, "Give in url the address that IDM itself answers at"),
        ("GET", "u", 399, None, "Give in url the address that IDM itself answers at"),
        ("GET", "u", 400, None, None),
        ("GET", "u", 403, "<p>blocked", FIREWALL),
        ("GET", "u", 403, None, FIREWALL),
        ("GET", "u", 403, {"code": 403, "message": "Access denied"}, ADMIN),
        ("GET", "u", 403, {"code": 403, "message": "Policy validation failed"}, None),
        ("GET", "u", 403, [], None),
        ("GET", "u", 402, "<p>", None),
        ("GET", "u", 404, "<p>no such", CONTEXT_PATH),
        ("GET", "u", 404, {"code": 404}, None),
        ("GET", "u", 404, [], None),
        ("GET", "u", 405, "<p>no such", None),
        ("GET", "u", 400, "Invalid SNI", "Give in url the host name that stands in the server's certificate."),
        ("GET", "u", 400, {"code": 400, "message": "Invalid SNI"}, None),
        ("GET", "u", 401, "Invalid SNI", None),
        ("GET", "u", 429, None, "The server is throttling requests."),
        ("GET", "u", 428, None, None),
        ("GET", "u", 430, None, None),
        ("GET", "u", 503, None, None),
        ("GET", "u", 502, "context to allow invocation not populated", None),
    ],
)
def test_what_mends_an_answer(method, url, status, body, remedy):
    told = refusal(method, url, Answer(status, body, {}), transaction="t").remedy
    assert (told or "").startswith(remedy or "") and (told is None) == (remedy is None)


@pytest.mark.parametrize(
    ("method", "url", "cloud"),
    [("PUT", "x/config/sync", True), ("GET", "x/config/sync", False), ("PUT", "x/managed/user", False)],
)
def test_configuration_that_is_not_to_be_written_is_told_of_its_tenant(method, url, cloud):
    told = refusal(method, url, Answer(403, {"code": 403}, {}), transaction="t").remedy
    assert told.startswith(ADMIN) and (CLOUD in told) is cloud


def test_a_refusal_has_all_that_is_known_of_it():
    body = {"code": 403, "message": "Access denied."}
    there = {"Location": "https://login/x?goto=secret#part", "X-ForgeRock-TransactionId": "theirs"}
    rights = (Right("READ", "config/sync"), Right("ACTION", "recon", "recon"), Right("READ", "config/sync"))
    error = refusal("GET", "https://idm/x", Answer(403, body, there), transaction="ours", rights=rights)
    assert error.message == (
        "GET https://idm/x answered 403: Access denied. (it points to https://login/x)."
        " It takes the right: READ config/sync, action recon on recon."
    )
    assert (error.method, error.url, error.status, error.own) == ("GET", "https://idm/x", 403, True)
    assert (error.reason, error.rights) == ("Access denied.", rights)
    assert error.result["transaction_id"] == "theirs"
    plain = refusal("GET", "u", Answer(500, None, {}), transaction="ours", remedy="Wait.")
    assert (plain.message, plain.remedy, plain.rights) == ("GET u answered 500: no reason given.", "Wait.", ())
    assert (plain.own, plain.result["transaction_id"]) == (False, "ours")


@pytest.mark.parametrize(
    ("status", "body", "lacks"),
    [
        (403, {"code": 403, "message": "Access denied"}, True),
        (403, {}, True),
        (403, {"message": "POLICY"}, False),
        (403, ["a"], False),
        (403, "denied", False),
        (401, {"code": 401}, False),
        (404, {"code": 404}, False),
    ],
)
def test_a_lack_of_rights_is_told_from_other_refusals(status, body, lacks):
    assert lacks_rights(Answer(status, body, {})) is lacks


@pytest.mark.parametrize(
    ("login", "name", "roles"),
    [
        (
            {"authenticationId": "bob", "authorization": {"id": "x", "roles": ["internal/role/a", "b"]}},
            "bob",
            ["a", "b"],
        ),
        ({"authorization": {"id": "x", "roles": "a"}}, "x", []),
        ({"authorization": "x"}, "", []),
        ({}, "", []),
    ],
)
def test_who_asks(login, name, roles):
    assert (name_of(login), roles_of(login)) == (name, roles)

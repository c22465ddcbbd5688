# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to a directory: options refused early, check mode, what errors say. libldap is played by a script."""

from __future__ import annotations

import sys

import ldap
import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    DirectoryError,
    InvalidOption,
    MissingLibrary,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap import directory as module
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import (
    Directory,
    Entry,
    Modification,
    NoAnswer,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.lines import Lines
from ansible_collections.idmops.idm.plugins.module_utils._ldap.url import host_and_port

OPTIONS = {"bind_dn": "uid=admin", "bind_password": "s3cret", "timeout": 5.0}


class Script:
    """What ldap.initialize returns: answers from a list, exceptions are raised; keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []
        self.set = {}

    def set_option(self, option, value):
        self.set[option] = value

    def get_option(self, option):
        return self.set.get(option)

    def _play(self, name, *given):
        self.calls.append((name, *given))
        if self.answers and isinstance(self.answers[0], Exception):
            raise self.answers.pop(0)
        return self.answers.pop(0) if self.answers else None

    def simple_bind_s(self, *given):
        return self._play("bind", *given)

    def start_tls_s(self):
        return self._play("start_tls")

    def search_ext(self, *given, **more):
        self.calls.append(("search", *given))
        return 7

    def result3(self, *given, **more):
        return self._play("result")

    def modify_ext_s(self, *given):
        return self._play("modify", *given)

    def unbind_s(self):
        self.calls.append(("unbind",))


@pytest.fixture
def script(monkeypatch):
    def play(*answers):
        made = Script(*answers)
        monkeypatch.setattr(module.ldap, "initialize", lambda uri: made)
        monkeypatch.setattr(module, "explain", lambda *given, **more: None)
        return made

    return play


def directory(uri="ldap://localhost:1389", context=None, **options):
    return Directory({**OPTIONS, **options}, uri, context or Context())


def ldap_error(kind, result, info="why"):
    return kind({"result": result, "desc": "desc", "info": info})


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        ("ldaps://ds1.example.com", "ds1.example.com", 636),
        ("ldap://ds1.example.com/", "ds1.example.com", 389),
        ("LDAPS://DS1:4444", "ds1", 4444),
        ("ldap://[::1]:1389", "::1", 1389),
    ],
)
def test_host_and_port(uri, host, port):
    assert host_and_port(uri) == (host, port)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "ds1:636",
        "http://ds1",
        "ldap://",
        "ldap://ds1:x",
        "ldap://ds1:99999",
        "ldap://ds1/dc=x",
        "ldap://u:p@ds1",
        "ldap://h?x",
        "ldaps://ds2..example.com:4444",
        "ldaps://.example.com",
        "ldap://ds1 :389",
        "ldap://" + 64 * "x",
    ],
)
def test_other_urls_are_refused(uri):
    with pytest.raises(InvalidOption):
        directory(uri)


@pytest.mark.parametrize(
    "uri", ["ldap://u:secret@ds1", "ldaps://u:secret@ds1:99999", "ldap://u:se/secret@ds1:636", "http://secret@ds1"]
)
def test_a_password_in_a_url_is_not_shown(uri):
    with pytest.raises(InvalidOption) as caught:
        directory(uri)
    assert "secret" not in caught.value.message and "@ds1" in caught.value.message


@pytest.mark.parametrize(
    ("uri", "words"),
    [("ldaps://ds1:99999", "up to 65535"), ("ldaps:/ds1", "ldaps://host:port"), ("ldap://ds1..x", "no host's name")],
)
def test_a_url_is_told_what_is_wrong_with_it(uri, words):
    with pytest.raises(InvalidOption, match=words):
        directory(uri)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bind_password": ""}, "empty password"),
        ({"bind_password": None}, "empty password"),
        ({"bind_dn": ""}, "bind_dn"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": -1.0}, "timeout"),
    ],
)
def test_options_that_cannot_work(options, words):
    with pytest.raises(InvalidOption, match=words):
        directory(**options)


def test_start_tls_is_not_for_ldaps():
    with pytest.raises(InvalidOption, match="start_tls"):
        directory("ldaps://ds1", start_tls=True)


@pytest.mark.parametrize(
    ("uri", "start_tls", "warned"),
    [
        ("ldap://ds1.example.com", False, True),
        ("ldap://ds1.example.com", True, False),
        ("ldaps://ds1.example.com", False, False),
        ("ldap://localhost", False, False),
        ("ldap://127.0.0.1", False, False),
        ("ldap://[::1]", False, False),
    ],
)
def test_a_password_in_the_open_is_warned_of(uri, start_tls, warned):
    context = Context()
    directory(uri, context, start_tls=start_tls)
    assert bool(context.report.warnings) is warned
    assert "s3cret" not in "".join(context.report.warnings)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "ldap", None)
    with pytest.raises(MissingLibrary, match="python-ldap"):
        directory()


@pytest.mark.parametrize("context", [None, Context(check_mode=True)])
def test_check_mode_and_no_context_refuse_to_write(script, context):
    played = script()
    with pytest.raises(RuntimeError, match="check mode"):
        Directory(OPTIONS, "ldap://localhost", context).modify("dc=x", [Modification("add", "cn", (b"a",))])
    assert played.calls == []


def test_one_bind_serves_all_and_nothing_is_sent_before_the_first_use(script):
    end = (ldap.RES_SEARCH_RESULT, [], 1, [])
    entry = (ldap.RES_SEARCH_ENTRY, [("dc=x", {"numSubordinates": [b"3"]})], 1, [])
    referral = (ldap.RES_SEARCH_REFERENCE, [(None, ["ldap://other"])], 1, [])
    played = script(None, entry, referral, end, None)
    with directory() as one:
        assert played.calls == []
        assert one.search("dc=x", "sub", "(cn=*)", ["cn"]) == [Entry("dc=x", {"numsubordinates": (b"3",)})]
        one.modify("dc=x", [Modification("replace", "cn", (b"a",)), Modification("delete", "sn")])
    assert [call[0] for call in played.calls] == ["bind", "search", "result", "result", "result", "modify", "unbind"]
    assert played.calls[0] == ("bind", "uid=admin", "s3cret")
    assert played.calls[5] == ("modify", "dc=x", [(ldap.MOD_REPLACE, "cn", [b"a"]), (ldap.MOD_DELETE, "sn", None)])


def test_what_does_not_exist_reads_as_none(script):
    script(None, ldap_error(ldap.NO_SUCH_OBJECT, 32))
    assert directory().read("dc=x", ["cn"]) is None


def test_tls_options_are_the_connections_own(script, monkeypatch):
    def no_global(*given):
        raise AssertionError(f"a global option was set: {given}")

    monkeypatch.setattr(module.ldap, "set_option", no_global)
    played = script(None, (ldap.RES_SEARCH_RESULT, [], 1, []))
    directory("ldaps://ds1.example.com", ca_path="/ca.pem").read("", [])
    options = list(played.set)
    assert played.set[ldap.OPT_X_TLS_CACERTFILE] == "/ca.pem"
    assert played.set[ldap.OPT_X_TLS_REQUIRE_CERT] == ldap.OPT_X_TLS_DEMAND
    assert options.index(ldap.OPT_X_TLS_NEWCTX) > options.index(ldap.OPT_X_TLS_CACERTFILE)
    assert played.set[ldap.OPT_NETWORK_TIMEOUT] == played.set[ldap.OPT_TIMEOUT] == 5.0
    assert (played.set[ldap.OPT_REFERRALS], played.set[ldap.OPT_X_TLS_NEWCTX]) == (0, 0)


@pytest.mark.parametrize(("validate", "wanted"), [(True, ldap.OPT_X_TLS_DEMAND), (False, ldap.OPT_X_TLS_ALLOW)])
def test_a_certificate_is_checked_unless_it_shall_not_be(script, validate, wanted):
    played = script(None, (ldap.RES_SEARCH_RESULT, [], 1, []))
    directory("ldaps://ds1.example.com", validate_certs=validate).read("", [])
    assert played.set[ldap.OPT_X_TLS_REQUIRE_CERT] == wanted


def test_without_tls_no_option_of_it_is_set(script):
    played = script(None, (ldap.RES_SEARCH_RESULT, [], 1, []))
    directory("ldap://localhost:1389").read("", [])
    assert ldap.OPT_X_TLS_REQUIRE_CERT not in played.set and ldap.OPT_X_TLS_NEWCTX not in played.set


def test_start_tls_comes_before_the_password(script):
    played = script(None, None, (ldap.RES_SEARCH_RESULT, [], 1, []))
    directory("ldap://ds1.example.com", start_tls=True).read("", [])
    assert [call[0] for call in played.calls][:2] == ["start_tls", "bind"]


def test_a_server_that_is_silent_gets_no_password_and_is_said_to_hang(script, monkeypatch):
    played = script()
    monkeypatch.setattr(module, "explain", lambda *given, **more: "it took the connection and says nothing within 5 s")
    with pytest.raises(NoAnswer, match="ldap://localhost:1389 hangs: it took the connection") as caught:
        directory().read("", [])
    assert played.calls == [] and caught.value.uri == "ldap://localhost:1389"


def test_the_remedy_for_a_ca_file_is_not_the_url(script, monkeypatch):
    script()
    monkeypatch.setattr(module, "explain", lambda *given, **more: "the file in ca_path, /x, cannot be used: it is gone")
    with pytest.raises(DirectoryError, match="was not asked: the file in ca_path, /x") as caught:
        directory("ldaps://ds1").read("", [])
    assert "URL" not in caught.value.remedy and "ca_path" in caught.value.remedy


@pytest.mark.parametrize("dates", ["certificate has expired", "certificate is not yet valid"])
def test_a_certificate_out_of_its_time_is_not_mended_by_a_ca(script, monkeypatch, dates):
    script()
    monkeypatch.setattr(module, "explain", lambda *given, **more: f"its certificate is refused: {dates} (subject x)")
    with pytest.raises(NoAnswer, match=dates) as caught:
        directory("ldaps://ds1").read("", [])
    assert "Renew" in caught.value.remedy and "ca_path" not in caught.value.remedy


@pytest.mark.parametrize("uri", ["localhost:4444", "ds1.example.com", "DS1:1389"])
def test_a_url_without_a_scheme_is_told_with_one(uri):
    with pytest.raises(InvalidOption, match=f"Write it as ldaps://{uri}, or ldap://{uri}"):
        directory(uri)


def test_a_server_is_greeted_once(script, monkeypatch):
    script(None, (ldap.RES_SEARCH_RESULT, [], 1, []), (ldap.RES_SEARCH_RESULT, [], 1, []))
    asked = []
    monkeypatch.setattr(module, "explain", lambda *given, **more: asked.append(given))
    it = directory()
    it.greet()
    it.read("", [])
    it.read("", [])
    assert asked == [("localhost", 1389)]


def test_a_server_that_is_gone_since_it_was_greeted_is_not_reached(script, monkeypatch):
    """Seen where an OpenDJ was killed just then: the refused connection itself came through."""
    script()
    monkeypatch.setattr(module, "explain", lambda *given, **more: None)

    def refused(*given, **more):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(module, "connect_tls", refused)
    with pytest.raises(NoAnswer, match="ldaps://localhost cannot be reached: Connection refused"):
        directory("ldaps://localhost").read("", [])


def test_another_certificate_on_localhost_gets_no_password(script, monkeypatch):
    played = script()
    played.search_s = lambda *given: None
    played.set[ldap.OPT_X_TLS_PEERCERT] = b"another"
    monkeypatch.setattr(module, "connect_tls", lambda *given, **more: b"verified")
    with pytest.raises(DirectoryError, match="differs from one connection to the next"):
        directory("ldaps://localhost").read("", [])
    assert "bind" not in [call[0] for call in played.calls]


@pytest.mark.parametrize(
    ("error", "status", "words", "remedy"),
    [
        (
            ldap_error(ldap.INVALID_CREDENTIALS, 49),
            49,
            "Binding as uid=admin on ldap://localhost:1389 answered 49",
            "bind_password",
        ),
        (ldap_error(ldap.CONFIDENTIALITY_REQUIRED, 13), 13, "13", "ldaps://"),
        (ldap_error(ldap.SERVER_DOWN, -1), None, "cannot be reached", "Check the URL"),
        (ldap.TIMEOUT({"result": -5, "desc": "Timed out"}), None, "no answer within 5 s", "well"),
        (ldap.SERVER_DOWN(), None, "cannot be reached", "Check the URL"),
        # seen on two OpenDJ 4.6.5, from the search below cn=changelog
        (
            ldap.OTHER({"result": 80, "desc": "Other", "info": "NullPointerException(ChangelogBackend.java:1100)"}),
            80,
            "ChangelogBackend",
            "Make one more change",
        ),
    ],
)
def test_errors_say_where_and_what_to_do(script, error, status, words, remedy):
    script(error)
    with pytest.raises(DirectoryError) as caught:
        directory().read("", [])
    assert caught.value.status == status
    assert words in caught.value.message
    assert remedy in caught.value.remedy
    assert "s3cret" not in str(caught.value.as_result())


@pytest.mark.parametrize(
    ("base", "info", "privilege"),
    [
        ("cn=config", "no", "config-read"),
        ("cn=Backends,cn=config", "no", "config-read"),
        ("cn=changelog", "no", "changelog-read"),
        ("dc=x", "You do not have sufficient privileges to perform an unindexed search", "unindexed-search"),
    ],
)
def test_a_refused_search_names_the_privilege(script, base, info, privilege):
    script(None, ldap_error(ldap.INSUFFICIENT_ACCESS, 50, info))
    with pytest.raises(DirectoryError) as caught:
        directory().search(base, "sub", "(cn=*)", [])
    assert privilege in caught.value.remedy


def test_entry():
    entry = Entry("dc=x", {"a": (b"1", b"2"), "b": (b"\xff",)})
    assert entry.texts("A") == ("1", "2")
    assert entry.number("a") == 1
    assert entry.number("b") is None
    assert entry.number("c") is None
    assert entry.text("c") is None


def test_a_task_that_reads_for_a_moment_asks_once(script):
    made = script(None, (ldap.RES_SEARCH_RESULT, [], 7, []), (ldap.RES_SEARCH_RESULT, [], 7, []))
    lines = Lines(Context(check_mode=True), Directory)
    options = {**OPTIONS, "servers": ["ldap://localhost"]}
    with lines:
        line = lines.connect(options, "ldap://localhost")
        for _again in range(2):
            assert line.once("rights", lambda: line.search("", "base", "(a=*)", ["a"])) == []
        assert line.search("", "base", "(a=*)", ["a"]) == []
        assert lines.connect(dict(options), "ldap://localhost") is line
    assert len([call for call in made.calls if call[0] == "search"]) == 2
    assert [call[0] for call in made.calls].count("bind") == 1 and made.calls[-1] == ("unbind",)


def test_who_reads_on_for_long_asks_anew(script):
    made = script(None, *[(ldap.RES_SEARCH_RESULT, [], 7, [])] * 2)
    with directory() as line:
        for _again in range(2):
            assert line.once("rights", lambda: line.search("", "base", "(a=*)", ["a"])) == []
    assert len([call for call in made.calls if call[0] == "search"]) == 2

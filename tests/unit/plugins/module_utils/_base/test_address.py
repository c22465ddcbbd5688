# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host names mean this machine, and which mean the same one."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.address import (
    is_loopback,
    one_spelling,
    same_host,
    same_machine,
    share_a_host,
)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "::1"])
def test_this_machine(host):
    assert is_loopback(host) and same_host(host, "localhost") and same_host("[::1]", host)


@pytest.mark.parametrize("host", [None, "", "localhost.example.com", "128.0.0.1", "::2", "127.0.0.1.example.com"])
def test_another_machine(host):
    assert not is_loopback(host)


def test_case_brackets_and_a_dot_at_the_end_make_no_other_host():
    assert same_host("DS1.example.com.", "ds1.example.com")
    assert same_host("[2001:db8::1]", "2001:db8::1")
    assert not same_host("ds1.example.com", "ds1.example.org") and not same_host("ds1", "ds1.example.com")


def test_two_lists():
    assert share_a_host(["a", "DS1"], iter(["b", "ds1."]))
    assert not share_a_host(["a"], ["b"]) and not share_a_host([], ["a"]) and not share_a_host(["a"], [])


def test_names_of_one_address(monkeypatch):
    known = {"ds1": ["192.0.2.1"], "alias": ["192.0.2.1"], "ds2": ["192.0.2.2"], "mine": ["127.0.1.1"]}
    known |= {"localhost": ["127.0.0.1"], "here.example.com": ["192.0.2.7"]}

    def look_up(host, *unused, **more):
        if host not in known:
            raise socket.gaierror("unknown")
        return [(None, None, None, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "gethostname", lambda: "here.example.com")
    assert same_machine("ds1", "alias") and share_a_host(["ds2", "ds1"], ["alias"])
    assert not same_machine("ds1", "ds2") and not same_machine("ds1", "nowhere") and not same_machine("x", "y")
    assert same_machine("mine", "localhost") and same_machine("localhost", "here.example.com")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_has_one_spelling_in_a_url(host):
    assert one_spelling(f"http://{host}:8080/openidm/") == "http://localhost:8080/openidm"


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("https://IDM.example.com/openidm", "https://idm.example.com:443/openidm"),
        ("http://idm.example.com//open%69dm/./", "http://idm.example.com:80/openidm"),
        ("https://b\u00fccher.example.com:8443", "https://xn--bcher-kva.example.com:8443"),
        ("https://[2001:0db8::0001]/openidm", "https://2001:db8::1:443/openidm"),
    ],
)
def test_so_has_another(url, spelling):
    assert one_spelling(url) == spelling

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CA a server's certificate is checked against, and which certificate is shown to it."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._http.trust import certificate, trusted


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Let the system have no list of CAs until a test says otherwise."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    paths = SimpleNamespace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return paths


def test_the_ca_that_is_given_comes_before_the_systems(system, tmp_path):
    file = tmp_path / "ca.pem"
    file.touch()
    system.cafile = "/etc/ca.pem"
    assert trusted({"validate_certs": True, "ca_path": str(file)}) == str(file)
    assert trusted({"validate_certs": False, "ca_path": str(file)}) is False
    assert trusted({"ca_path": None}) == "/etc/ca.pem"
    with pytest.raises(InvalidOption, match="ca_path.*There is no such file"):
        trusted({"ca_path": str(tmp_path / "none")})


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_what_the_environment_names_is_left_to_requests(system, monkeypatch, name):
    system.cafile = "/etc/ca.pem"
    monkeypatch.setenv(name, "/own.pem")
    assert trusted({}) is True


def test_a_folder_of_the_systems_counts_where_something_is_in_it(system, tmp_path):
    assert trusted({}) is True
    system.capath = str(tmp_path)
    assert trusted({}) is True
    (tmp_path / "ca.pem").touch()
    assert trusted({}) == str(tmp_path)


def test_a_certificate_of_the_clients_own(tmp_path):
    file, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    file.touch()
    key.touch()
    assert certificate({}) is None
    assert certificate({"client_key": str(key)}) is None
    assert certificate({"client_cert": str(file)}) == str(file)
    assert certificate({"client_cert": str(file), "client_key": str(key)}) == (str(file), str(key))
    for options, name in (
        ({"client_cert": str(tmp_path / "none")}, "client_cert"),
        ({"client_cert": str(file), "client_key": str(tmp_path / "none")}, "client_key"),
    ):
        with pytest.raises(InvalidOption, match=f"{name}.*There is no such file"):
            certificate(options)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment stands in for options that are not given."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import (
    access_spec,
    connection_options,
    directory_option,
    idm_spec,
)
from ansible_collections.idmops.idm.plugins.module_utils._ansible.secrets import hidden_values
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import given

SPEC = idm_spec(directory=True)
URL = {"url": "https://idm.example.com/openidm"}
SERVERS = "ldaps://ds1.example.com:4444, ldaps://ds2.example.com:4444,"


def read(spec, options):
    validated = ArgumentSpecValidator(**spec.as_arguments()).validate(options)
    assert validated.error_messages == []
    secrets = hidden_values(spec, validated.validated_parameters, validated._no_log_values)
    return validated.validated_parameters, secrets


@pytest.fixture
def environment(monkeypatch):
    for name, value in (("SERVERS", SERVERS), ("BIND_DN", "uid=admin"), ("BIND_PASSWORD", "hunter2")):
        monkeypatch.setenv(f"IDM_DIRECTORY_{name}", value)


def test_a_directory_comes_from_the_environment(environment, monkeypatch):
    monkeypatch.setenv("IDM_DIRECTORY_CA_PATH", "/etc/ca.pem")
    options, secrets = read(SPEC, URL)
    directory = given(options["directory"])
    assert directory["servers"] == ["ldaps://ds1.example.com:4444", "ldaps://ds2.example.com:4444"]
    assert (directory["bind_dn"], directory["bind_password"]) == ("uid=admin", "hunter2")
    assert (directory["ca_path"], directory["timeout"]) == ("/etc/ca.pem", 30)
    assert secrets == {"hunter2"}


@pytest.mark.parametrize("name", ["BIND_DN", "BIND_PASSWORD"])
def test_what_the_environment_lacks_is_named_as_there(environment, monkeypatch, name):
    monkeypatch.delenv(f"IDM_DIRECTORY_{name}")
    for option in ("directory", "livesync_directory"):
        with pytest.raises(
            InvalidOption, match=f"{option}.{name.lower()}: is needed.* comes from IDM_DIRECTORY_{name}"
        ):
            given(read(SPEC, URL)[0]["directory"], option)
    with pytest.raises(InvalidOption) as caught:
        given(read(SPEC, URL)[0]["directory"], "livesync_sources[0].directory")
    assert "IDM_DIRECTORY" not in caught.value.message


def test_one_that_is_given_wins_whole(environment):
    options, unused = read(SPEC, {**URL, "directory": {"servers": ["ldap://own"], "bind_dn": "a"}})
    assert options["directory"]["servers"] == ["ldap://own"] and options["directory"]["bind_password"] is None


@pytest.mark.parametrize("none", [{}, {"directory": None}])
def test_without_servers_there_is_none(monkeypatch, none):
    monkeypatch.delenv("IDM_DIRECTORY_SERVERS", raising=False)
    monkeypatch.setenv("IDM_DIRECTORY_BIND_DN", "uid=admin")
    assert given(read(SPEC, {**URL, **none})[0]["directory"]) is None


def test_an_empty_dictionary_says_that_there_is_none_whatever_the_environment_holds(environment):
    assert given(read(SPEC, {**URL, "directory": {}})[0]["directory"]) is None


def test_tls_options_come_from_the_environment(monkeypatch):
    for name, value in (("VALIDATE_CERTS", "no"), ("CLIENT_CERT", "/c.pem"), ("CLIENT_KEY", "/k.pem")):
        monkeypatch.setenv(f"IDM_{name}", value)
    options, unused = read(SPEC, {"url": "https://idm.example.com/openidm"})
    assert (options["validate_certs"], options["client_cert"], options["client_key"]) == (False, "/c.pem", "/k.pem")


def test_the_module_that_grants_takes_the_same_from_the_environment(environment):
    options, secrets = read(access_spec({"state": {"type": "str"}}), {"principal": "uid=idm"})
    assert options["servers"][:2] == ["ldaps://ds1.example.com:4444", "ldaps://ds2.example.com:4444"]
    assert (options["bind_dn"], options["bind_password"], secrets) == ("uid=admin", "hunter2", {"hunter2"})


def test_no_secret_is_shown_and_nothing_else_is_hidden():
    options = {**connection_options(), **directory_option()["directory"]["options"]}
    hidden = {name for name, option in options.items() if option.get("no_log")}
    assert hidden == {
        "password",
        "access_token",
        "service_account_jwk",
        "client_secret",
        "bind_password",
        "principal_password",
    }
    kept = {name for name, option in options.items() if option.get("no_log") is False}
    assert kept == {"token_url", "client_key"}, "Ansible takes these for secrets by their names"


def test_what_holds_where_nothing_is_given(monkeypatch):
    monkeypatch.delenv("IDM_VALIDATE_CERTS", raising=False)
    options, unused = read(SPEC, URL)
    stated = {name: value for name, value in options.items() if value is not None and name != "directory"}
    assert stated == {
        **URL,
        "auth_method": "openidm",
        "scope": "fr:idm:*",
        "validate_certs": True,
        "timeout": 30,
        "retry_timeout": 60,
    }
    assert not ArgumentSpecValidator(**SPEC.as_arguments()).validate(URL).error_messages
    assert "url" in str(ArgumentSpecValidator(**SPEC.as_arguments()).validate({}).error_messages)

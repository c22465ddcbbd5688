# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not appear in an output, and how a piece of work ends as a module."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone

import pytest
from ansible.module_utils import basic
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import idm_spec
from ansible_collections.idmops.idm.plugins.module_utils._ansible.run import run_module
from ansible_collections.idmops.idm.plugins.module_utils._ansible.secrets import Secrets, hidden_values, readable
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, MissingLibrary

try:
    from ansible.module_utils import secrets
except ImportError:
    secrets = None

SPEC = idm_spec(
    {
        "directory": {"type": "dict", "options": {"bind_password": {"type": "str", "no_log": True}}},
        "sources": {"type": "list", "elements": "dict", "options": {"secret": {"type": "str", "no_log": True}}},
    }
)
GIVEN = {"url": "https://idm.example.com/openidm", "username": "admin", "password": "verysecret"}


def as_printed(text):
    """Return an output as ansible-core prints it: from 2.22 on it masks what it was told of."""
    return secrets.mask_secrets(text, mask_placeholder="********") if secrets else text


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an operation as a module with options; return its result as a user sees it, and its exit code."""

    def go(operate, check_mode=False, **options):
        arguments = {**GIVEN, **options, "_ansible_check_mode": check_mode}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", text)
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as end:
            run_module(SPEC, operate)
        printed = as_printed(capsys.readouterr().out)
        assert "verysecret" not in printed
        return json.loads(printed), end.value.code

    return go


def test_a_result_comes_out(run):
    result, code = run(lambda params, context: {"changed": True, "seen": params["timeout"]})
    assert (code, result["changed"], result["seen"]) == (0, True, 30.0)


def test_check_mode_is_handed_on(run):
    result, unused = run(lambda params, context: {"changed": False, "check": context.check_mode}, check_mode=True)
    assert result["check"] is True


def test_a_failure_keeps_what_was_found_and_says_how_to_mend_it(run, monkeypatch):
    heard = []  # where AnsibleModule puts a warning depends on what else the process has imported of Ansible
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.warn", lambda module, text: heard.append(text))

    def operate(params, context):
        context.report.warn("look out")
        raise IdmopsError("It broke.", status=500, remedy="Mend it.", result={"runs": [1]})

    result, code = run(operate)
    assert code == 1 and result["failed"] is True
    assert (result["msg"], result["status"], result["runs"]) == ("It broke. Mend it.", 500, [1])
    assert heard == ["look out"]


def test_a_missing_library_is_named(run):
    def operate(params, context):
        raise MissingLibrary("PyJWT[crypto]", "No module named 'jwt'")

    result, unused = run(operate)
    assert "PyJWT[crypto]" in result["msg"]


def test_a_fault_of_ours_carries_no_secret_out(run):
    def operate(params, context):
        context.report.keep_secret("minted-on-the-way")
        raise KeyError(f"{params['password']} minted-on-the-way")

    result, code = run(operate)
    assert code == 1 and result["msg"].startswith("Unexpected KeyError")
    assert "minted-on-the-way" not in json.dumps(result)


def test_a_list_that_cannot_be_read_does_not_lay_the_secrets_open(run):
    result, code = run(lambda params, context: {}, sources="nonsense", directory={"bind_password": "verysecret2"})
    assert code == 1 and "sources: a text cannot be used" in result["msg"]
    assert "verysecret2" not in json.dumps(result)


def test_the_public_words_of_a_key_are_not_struck_out(run):
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "n": "modulus", "d": "privatepart"}
    result, unused = run(lambda params, context: {"changed": False, "text": "UNIVERSAL sig privatepart"},
                         service_account_jwk=key)  # fmt: skip
    assert result["text"] == "UNIVERSAL sig ********"


def test_values_that_are_encrypted_in_the_playbook_are_texts():
    class Encrypted:  # as ansible-core up to 2.18 has them
        __ENCRYPTED__ = True

        def __str__(self):
            return "plain"

    given = {"password": Encrypted(), "directory": {"bind_password": Encrypted(), "servers": ["a", Encrypted()]}}
    assert readable(given) == {
        "password": "plain",
        "directory": {"bind_password": "plain", "servers": ["a", "plain"]},
    }


def test_values_of_yaml_are_what_a_module_gets():
    moment = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
    given = {"raw": moment, "day": date(2026, 11, 24), "m": {1: [True, 2, 2.5]}}
    assert readable(given) == {"raw": "2026-11-24T12:00:00+00:00", "day": "2026-11-24", "m": {"1": [True, 2, 2.5]}}


def test_of_a_secret_that_begins_with_another_one_nothing_is_left():
    assert list(Secrets({"Summer", "Summer2026!", "x"})) == ["Summer2026!", "Summer", "x"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"changelog": {"servers": ["ldaps://one"], "bind_password": "othersecret"}},
        {"directory": {"bind_pasword": "othersecret"}},
        {"passwd": "othersecret"},
        {"sources": [{"clientSecret": ["othersecret"]}]},
    ],
)
def test_a_secret_under_a_name_that_there_is_not_is_not_shown(run, wrong):
    result, code = run(lambda params, context: {}, **wrong)
    assert code == 1 and any(said in result["msg"] for said in ("Unsupported parameters", "there is no such option"))
    assert "othersecret" not in json.dumps(result)


def test_what_is_hidden():
    params = {
        "password": "p1",
        "access_token": None,
        "service_account_jwk": '{"kty": "RSA", "use": "sig", "key_ops": ["sign"], "d": "d1"}',
        "directory": {"bind_password": "b1"},
        "sources": [{"secret": "s1", "name": "n"}, "broken"],
        "username": "admin",
    }
    jwk = params["service_account_jwk"]
    assert hidden_values(SPEC, params, {"x"}) == {"p1", jwk, "d1", "b1", "s1", "x"}

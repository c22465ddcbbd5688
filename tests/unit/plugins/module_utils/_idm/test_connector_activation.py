# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activating a connector again, and seeing that it answers."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    Refused,
    TimedOut,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_activation import activate_again, reactivate
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_remedy import IMMUTABLE
from ansible_collections.idmops.idm.tests.unit.doubles.connectors import (
    ALONE,
    GONE,
    LDAP,
    OK,
    REFUSED,
    found,
    not_ok,
    trial,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, context, cut, refused


def test_a_connector_whose_system_is_down_comes_with_the_error():
    idm = ScriptedClient(*found(), trial(not_ok(REFUSED)))
    with pytest.raises(IdmopsError) as caught:
        activate_again(idm, "ldap", context(), timeout=60)
    assert "ds1.example.com:1636" in caught.value.message
    shown = caught.value.as_result()["connector"]
    assert (shown["ok"], shown["error"], shown["host"]) == (False, REFUSED, "ds1.example.com")


def test_a_disabled_connector_is_called_that():
    idm = ScriptedClient(
        found()[0], call("GET", "config/provisioner.openicf/ldap", {**LDAP, "enabled": False}), trial(GONE)
    )
    with pytest.raises(IdmopsError) as caught:
        activate_again(idm, "ldap", context(), timeout=60)
    assert "is disabled" in caught.value.message
    idm.finished()


# -- activating one again --


def written(answer=None):
    """Expect the configuration to be written back exactly as it was read."""
    return [
        call("GET", "config/provisioner.openicf/ldap", LDAP),
        call("PUT", "config/provisioner.openicf/ldap", answer or LDAP, params={"waitForCompletion": "true"}, body=LDAP),
    ]


def test_the_answer_counts_that_comes_after_the_gap():
    idm = ScriptedClient(*found(), trial(OK), *written(), trial(OK), trial(GONE), trial(cut()), trial(OK), ALONE)
    seen = context()
    assert reactivate(idm, "ldap", seen).ok
    assert seen.clock.slept < 1
    idm.finished()


def test_without_a_gap_answers_are_trusted_after_some_seconds():
    idm = ScriptedClient(*found(), trial(OK), *written(), *[trial(OK)] * 11, ALONE)
    seen = context()
    assert reactivate(idm, "ldap", seen).ok
    assert seen.clock.slept >= 3
    idm.finished()


def test_a_connector_whose_system_is_down_is_left_alone():
    idm = ScriptedClient(*found(), trial(not_ok(REFUSED)))
    with pytest.raises(IdmopsError) as caught:
        reactivate(idm, "ldap", context())
    assert "was not activated again" in caught.value.message
    idm.finished()


def test_one_that_does_not_run_is_activated():
    idm = ScriptedClient(*found(), trial(not_ok("connector not available")), *written(), trial(GONE), trial(OK), ALONE)
    assert reactivate(idm, "ldap", context()).ok


def test_check_mode_writes_nothing():
    idm = ScriptedClient(*found(), trial(OK), check_mode=True)
    result = activate_again(idm, "ldap", context(check_mode=True), timeout=60)
    assert result["changed"] is True
    assert result["diff"]["after"] == {"activated_again": "ldap"}
    idm.finished()


@pytest.mark.parametrize("answer", [None, {}, {"code": 500, "message": "boom"}])
def test_a_test_without_a_verdict_lets_nothing_be_written(answer):
    idm = ScriptedClient(*found(), trial(answer))
    with pytest.raises(Refused):
        reactivate(idm, "ldap", context())
    idm.finished()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"code": 500, "message": "boom"},
        {**LDAP, "configurationProperties": None},
        {**LDAP, "objectTypes": {}},
        {**LDAP, "configurationProperties": {**LDAP["configurationProperties"], "baseContexts": []}},
    ],
)
def test_a_configuration_that_comes_otherwise_the_second_time_is_not_written_back(document):
    idm = ScriptedClient(*found(), trial(OK), call("GET", "config/provisioner.openicf/ldap", document))
    with pytest.raises(IdmopsError):
        reactivate(idm, "ldap", context())
    idm.finished()


def test_an_odd_answer_while_it_is_activated_is_waited_out():
    page = refused(403, "a page that is not IDM's", own=False)
    idm = ScriptedClient(*found(), trial(OK), *written(), trial({}), trial(page), trial(OK), ALONE)
    assert reactivate(idm, "ldap", context()).ok


@pytest.mark.parametrize("status", [403, 405, 501])
def test_an_immutable_configuration_comes_with_the_remedy(status):
    idm = ScriptedClient(*found(), trial(OK), *written(refused(status, "Access denied")))
    with pytest.raises(Refused) as caught:
        activate_again(idm, "ldap", context(), timeout=60)
    assert caught.value.remedy == IMMUTABLE
    assert caught.value.result["connector"]["name"] == "ldap"


def test_other_refusals_keep_their_own_words():
    idm = ScriptedClient(*found(), trial(OK), *written(refused(500, "broken")))
    with pytest.raises(Refused) as caught:
        reactivate(idm, "ldap", context())
    assert caught.value.remedy is None


def test_one_that_does_not_come_back_is_told_with_its_last_words():
    idm = ScriptedClient(*found(), trial(OK), *written(), *[trial(not_ok(REFUSED))] * 200)
    seen = context()
    with pytest.raises(TimedOut) as caught:
        reactivate(idm, "ldap", seen, timeout=60)
    assert REFUSED in caught.value.message
    assert seen.clock.slept == pytest.approx(60)


def test_a_refusal_that_is_no_activation_is_not_waited_out():
    idm = ScriptedClient(*found(), trial(OK), *written(), trial(refused(403, "Access denied")))
    with pytest.raises(Refused):
        reactivate(idm, "ldap", context())


def test_a_wait_of_no_time_is_refused_before_anything_is_sent():
    with pytest.raises(InvalidOption):
        activate_again(ScriptedClient(), "ldap", context(), timeout=0)

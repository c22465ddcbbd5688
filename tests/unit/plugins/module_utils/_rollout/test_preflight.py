# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a whole: what cannot be read is a finding, and the rest is read all the same."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._health.status import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import directory_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout import preflight as module
from ansible_collections.idmops.idm.plugins.module_utils._rollout.preflight import preflight
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    SOURCE,
    finished,
    job,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import (
    ScriptedClient,
    call,
    context,
    down,
    refused,
)

READY = call("GET", "info/ping", {"state": "ACTIVE_READY"})
REACHED = {"servers": ["ldap://x"], "bind_dn": "uid=admin", "bind_password": "x"}
ENTRY = {"source": SOURCE}


def raised(error):
    raise error


@pytest.fixture
def idm(monkeypatch):
    """Let IDM tell of one source on which nothing is left to do; return what may be spoilt."""
    told = {"evidence": finished()}
    lists = Snapshot({"ldap": CONNECTOR}, {}, {}, (job(),), (), frozenset())
    monkeypatch.setattr(module, "read_snapshot", lambda client: lists)
    monkeypatch.setattr(module, "ask_server", lambda client: Server("openidm", "6.1.0"))

    class Gatherer:
        def __init__(self, *unused):
            pass

        def source(self, request):
            evidence = told["evidence"]
            return raised(evidence) if isinstance(evidence, Exception) else evidence

    monkeypatch.setattr(module, "Gatherer", Gatherer)
    return told


def codes(report):
    return [finding.code for finding in report.findings]


def test_nothing_left_to_do(idm):
    result = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context()).as_result()
    assert (result["changed"], result["findings"], result["blocking"]) == (False, [], 0)
    assert result["report"] == ["Nothing was found."]
    assert [plan["blocked"] for plan in result["plans"]] == [False]


@pytest.mark.parametrize(
    "answer, code",
    [
        (down(), "idm_unreachable"),
        (refused(401, "Access Denied"), "idm_credentials"),
        (refused(403, "Access denied"), "idm_rights"),
        ({"state": "STARTING", "shortDesc": "OpenIDM starting"}, "idm_not_ready"),
    ],
)
def test_an_idm_that_says_nothing_blocks_every_source(answer, code):
    report = preflight(ScriptedClient(call("GET", "info/ping", answer)), [ENTRY], None, "enabled", context())
    assert codes(report) == [code]
    assert [plan.blocked for plan in report.plans] == [True]


def test_the_directory_is_tried_although_idm_says_nothing(monkeypatch):
    class Refusing:
        def __init__(self, options, uri, unused):
            self.uri = uri

        def __enter__(self):
            return self

        def __exit__(self, *unused):
            pass

        def read(self, *unused):
            raise DirectoryError(f"{self.uri} refuses.", status=49 if "one" in self.uri else None, remedy="Mend it.")

    monkeypatch.setattr(module, "Directory", Refusing)
    ds = {"servers": ["ldaps://two", "ldaps://one"], "bind_dn": "uid=admin", "bind_password": "x"}
    report = preflight(ScriptedClient(call("GET", "info/ping", down())), [ENTRY, ENTRY], ds, "enabled", context())
    assert codes(report) == ["source_twice", "idm_unreachable", "directory_unreachable", "directory_credentials"]
    # a password that was refused is not tried on the next server: that would count as another failure of the account
    other = {
        **ENTRY,
        "source": "system/other/account",
        "directory": {**ds, "servers": ["ldaps://three"], "bind_password": "y"},
    }
    ds = {**ds, "servers": ["ldaps://one", "ldaps://two"]}
    report = preflight(ScriptedClient(call("GET", "info/ping", down())), [ENTRY, other], ds, "enabled", context())
    assert [finding.message for finding in report.findings[1:]] == [
        "ldaps://one refuses.",
        "ldaps://two was not tried, since uid=admin was refused elsewhere.",
        "ldaps://three refuses.",
    ]


@pytest.mark.parametrize(
    ("general", "own"),
    [
        (REACHED, {"principal": "uid=b"}),
        ({"raise_limits": True}, None),
        (None, {"raise_limits": True}),
        ({**REACHED, "bind_dn": None}, None),
        ({**REACHED, "bind_password": ""}, None),
    ],
)
def test_a_directory_that_cannot_be_reached_is_not_taken_for_none(idm, general, own):
    report = preflight(ScriptedClient(READY), [{**ENTRY, "directory": own}], general, "enabled", context())
    assert codes(report) == ["source_invalid"]
    assert "A directory takes servers, bind_dn and bind_password" in report.findings[0].message
    # what the module makes of {}
    filled = {name: option.get("default") for name, option in directory_options().items()}
    for nothing in ({}, filled):
        entry = {**ENTRY, "directory": nothing}
        report = preflight(ScriptedClient(READY), [entry], REACHED, "enabled", context())
        assert codes(report) == []


def test_an_idm_without_a_ping_is_asked_all_the_same(idm):
    assert (
        codes(preflight(ScriptedClient(call("GET", "info/ping", refused(404))), [ENTRY], None, "enabled", context()))
        == []
    )


def test_a_source_that_is_none_does_not_keep_the_other_from_being_read(idm):
    report = preflight(ScriptedClient(READY), [{"source": "managed/user"}, ENTRY], None, "enabled", context())
    assert codes(report) == ["source_invalid"]
    assert [(plan.index, plan.blocked) for plan in report.plans] == [(0, True), (1, False)]


def test_an_error_in_the_midst_is_a_finding_of_that_source(idm):
    idm["evidence"] = refused(500, "broken")
    report = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context())
    assert codes(report) == ["idm_error"]
    assert report.plans[0].blocked


@pytest.mark.parametrize(
    "state, wanted", [("disabled", ("liveSync_ldap_account",)), ("absent", ("liveSync_ldap_account",))]
)
def test_other_states_need_no_evidence_of_the_directory(idm, state, wanted):
    report = preflight(ScriptedClient(READY), [ENTRY], None, state, context())
    assert report.findings == []
    assert report.plans[0].switch_off == wanted


def test_the_report_has_the_worst_first_and_each_with_its_remedy(idm):
    idm["evidence"] = finished(token=None, strangers={"x": "IDM has none of this name"})
    lines = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context()).lines()
    assert lines[0] == "What blocks (1):"
    assert lines[1].startswith("  [mapping_unknown]") and lines[2].startswith("      ")
    assert any(line.startswith("What the role mends") for line in lines)


def test_a_directory_of_its_own_and_none_at_all():
    general = {**REACHED, "servers": ["ldaps://general"]}
    own = SourceRequest.parse({"source": SOURCE, "directory": REACHED}, general)
    none = SourceRequest.parse({"source": SOURCE, "directory": {"servers": None}}, general)
    assert SourceRequest.parse(ENTRY, general).directory == general
    assert own.directory == REACHED and own.own_directory
    assert none.directory is None and none.own_directory
    assert SourceRequest.parse(ENTRY, {"servers": None}).directory is None


def test_secrets_are_no_part_of_what_a_request_shows_of_itself():
    assert "hunter2" not in repr(SourceRequest.parse(ENTRY, {**REACHED, "bind_password": "hunter2"}))

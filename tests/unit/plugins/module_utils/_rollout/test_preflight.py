# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a whole: what cannot be read is a finding, and the rest is read all the same."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import Facts
from ansible_collections.idmops.idm.plugins.module_utils._health.source_status import SourceStatus
from ansible_collections.idmops.idm.plugins.module_utils._health.status import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer
from ansible_collections.idmops.idm.plugins.module_utils._http.right import rights_asked
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import directory_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout import preflight as module
from ansible_collections.idmops.idm.plugins.module_utils._rollout.gather import Gatherer
from ansible_collections.idmops.idm.plugins.module_utils._rollout.preflight import preflight
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import Found
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
    told = {"evidence": finished(), "documents": None, "brief": []}
    lists = Snapshot({"ldap": CONNECTOR}, {}, {}, (job(),), (), frozenset(), server=Server("openidm", "6.1.0"))

    def read(client, brief):
        told["brief"].append(brief)
        return replace(lists, documents=told["documents"])

    monkeypatch.setattr(module, "read_snapshot", read)
    monkeypatch.setattr(module, "ask_server", lambda client: pytest.fail("asked twice"))

    class Gatherer:
        lines = nullcontext(SimpleNamespace(connect=None))

        def __init__(self, client, server, snapshot, state, context, brief):
            assert brief is told["brief"][-1]

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
        ({"state": "STARTING", "shortDesc": "OpenIDM starting"}, "idm_not_ready"),
    ],
)
def test_an_idm_that_says_nothing_blocks_every_source(answer, code):
    report = preflight(ScriptedClient(call("GET", "info/ping", answer)), [ENTRY], None, "enabled", context())
    assert codes(report) == [code]
    assert [plan.blocked for plan in report.plans] == [True]
    (unknown,) = report.not_compared
    assert (unknown.source, unknown.field, unknown.reason) == (None, "everything", report.findings[0].message)
    assert report.differences == []  # what cannot be known is not taken for equal, nor for different


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"shortDesc": "OpenIDM starting"}, "STARTING (OpenIDM starting)."),
        ({"shortDesc": None}, "STARTING."),
        ({}, "STARTING."),
    ],
)
def test_an_idm_that_is_not_ready_is_told_in_its_own_words(told, said):
    client = ScriptedClient(call("GET", "info/ping", {"state": "STARTING", **told}))
    report = preflight(client, [ENTRY], None, "enabled", context())
    assert [one.message for one in report.findings] == [f"IDM is not ready: it calls itself {said}"]


@pytest.mark.parametrize("status", [403, 404, 410, 501])
def test_a_ping_that_is_not_there_says_nothing(status):
    """It is deprecated, and closed or gone in places; what follows tells of rights."""
    closed = [call("GET", "config", refused(403, "Access denied"))] * 2
    client = ScriptedClient(call("GET", "info/ping", refused(status)), *closed)
    assert codes(preflight(client, [ENTRY], None, "enabled", context())) == ["idm_rights"]
    client.finished()


class ClosedClient(ScriptedClient):
    """Refuses some rights as IDM's access rules do, and answers everything else with nothing."""

    def __init__(self, *closed):
        super().__init__()
        self.closed = closed

    def _answer(self, method, path, params, body, none_on, **how):
        (right,) = rights_asked(method, path, params)
        if str(right) not in self.closed:
            empty = dict.fromkeys(("result", "mappings", "reconciliations", "results"), [])
            empty["configurations"] = [{"_id": "sync"}]
            return {"info/ping": {"state": "ACTIVE_READY"}, "system": []}.get(path, empty)
        if 403 in none_on:
            return None
        exc = refused(403, "Access denied")
        exc.message, exc.rights = f"It takes the right: {right}.", (right,)
        raise exc

    def request(self, method, path, params=None, none_on=(), **unused):
        return Answer(200, self._answer(method, path, params, None, none_on), {})


def test_all_rights_that_are_missing_to_read_with_are_named_at_once():
    closed = (
        "query config",
        "query repo/synchronisation/pooledSyncStage",
        "action listCurrentlyExecutingJobs on scheduler/job",
    )
    report = preflight(ClosedClient(*closed), [ENTRY], None, "enabled", context())
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("idm_rights", "blocking")
    assert all(right in finding.message for right in closed)
    assert [plan.blocked for plan in report.plans] == [True]


@pytest.mark.parametrize(
    ("roles", "warned"),
    [
        (["livesync-operator", "openidm-authorized"], True),
        (["internal/role/openidm-admin", "openidm-authorized"], False),
        (["internal/role/openidm-svcacct"], False),
        ([], False),
    ],
)
def test_what_may_be_written_shows_only_when_it_is(idm, roles, warned):
    client = ScriptedClient(READY)
    client.login = {"authenticationId": "bob", "authorization": {"roles": roles}}
    report = preflight(client, [ENTRY], None, "enabled", context())
    assert codes(report) == ["idm_rights_unproved"] * warned
    assert report.blocking == []
    if warned:
        assert "bob" in report.findings[0].message
        assert "action liveSync on system/*" in report.findings[0].message


def test_the_directory_is_tried_although_idm_says_nothing(monkeypatch):
    class Refusing:
        def __init__(self, options, uri, unused):
            self.uri = uri

        def __enter__(self):
            return self

        def __exit__(self, *unused):
            pass

        def greet(self):
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


NONSENSE = [
    ({"schedule": {"interval": 15, "cron": "0/15 * * * * ?"}}, "schedule.interval: 15", "give one of them"),
    ({"schedule": {"interval": 0}}, "schedule.interval: 0", "Give a number of seconds above 0"),
    ({"schedule": {"interval": -15}}, "schedule.interval: -15", "Give a number of seconds above 0"),
    ({"schedule": {"interval": "often"}}, "schedule.interval: 'often'", "Give a number of seconds above 0"),
    ({"schedule": {"interval": True}}, "schedule.interval: True", "Give a number of seconds above 0"),
    ({"schedule": {"cron": "every day"}}, "schedule.cron: 'every day'", "second, minute, hour"),
    ({"schedule": {"cron": ""}}, "schedule.cron: ''", "second, minute, hour"),
    ({"schedule": {"interval": 15, "start_time": "soon"}}, "schedule.start_time: 'soon'", "Write it as in"),
    (
        {"schedule": {"interval": 15, "start_time": "2027-02-01T00:00:00", "end_time": "2027-01-01T00:00:00"}},
        "schedule.end_time: '2027-01-01T00:00:00'",
        "after start_time (2027-02-01T00:00:00)",
    ),
    ({"schedule": {"interval": 15, "name": " "}}, "schedule.name: ' '", "leave it out"),
    ({"wait_timeout": 0.0}, "wait_timeout: 0.0", "above 0"),
    ({"wait_timeout": -1.0}, "wait_timeout: -1.0", "above 0"),
    ({"wait_timeout": float("nan")}, "wait_timeout: nan", "above 0"),
    ({"max_failures": -1}, "max_failures: -1", "0 or more"),
    ({"max_failure_percent": -0.5}, "max_failure_percent: -0.5", "from 0 to 100"),
    ({"max_failure_percent": 101.0}, "max_failure_percent: 101.0", "from 0 to 100"),
    ({"max_failure_percent": float("nan")}, "max_failure_percent: nan", "from 0 to 100"),
    ({"max_age": 300}, "max_age: 300", "goes with scheduler: external"),
    ({"scheduler": "external", "max_age": -1}, "max_age: -1", "a number above 0"),
    ({"scheduler": "external", "max_age": "soon"}, "max_age: 'soon'", "a number above 0"),
    ({"mappings": []}, "mappings: []", "Name at least one"),
    ({"mappings": ["m", ""]}, "mappings: ['m', '']", "Name at least one"),
    ({"source": "managed/user"}, "source: 'managed/user'", "system/<connector>/<object type>"),
]


@pytest.mark.parametrize(("given", "named", "way_out"), NONSENSE)
@pytest.mark.parametrize("state", ["enabled", "disabled", "absent"])
def test_what_would_fail_later_blocks_by_its_name_before_anything_is_held(idm, state, given, named, way_out):
    entries = [{"source": "system/ldap/group"}, {**ENTRY, **given}]
    report = preflight(ScriptedClient(READY), entries, None, state, context())
    (finding,) = report.blocking
    assert finding.code == ("schedule_invalid" if "schedule" in given else "source_invalid")
    assert finding.message.startswith(f"livesync_sources[1].{named} cannot be used.")
    assert way_out in finding.message
    assert [(plan.index, plan.blocked) for plan in report.plans if plan.blocked] == [(1, True)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scheduler": "external"}, "livesync_sources[0].max_age: is needed."),
        (
            {"scheduler": "external", "max_age": 300, "schedule": {"storage": "auto", "interval": 15}},
            "livesync_sources[0].schedule: {'interval': 15} cannot be used. With scheduler: external",
        ),
        ({"scheduler": "external", "max_age": 300, "schedule": {"name": "mine"}}, "livesync_sources[0].schedule: "),
    ],
)
def test_an_external_scheduler_takes_an_age_and_no_schedule(idm, given, message):
    report = preflight(ScriptedClient(READY), [{**ENTRY, **given}], None, "enabled", context())
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("source_invalid", "blocking") and finding.message.startswith(message)


def test_a_schedule_of_which_nothing_is_given_is_none(idm):
    entry = {**ENTRY, "scheduler": "external", "max_age": "300"}
    for schedule in (None, {}, {"interval": None, "storage": "auto", "persisted": True}):
        assert SourceRequest.parse({**entry, "schedule": schedule}, None).errors == ()


def test_all_that_is_wrong_is_told_at_once_and_with_what_the_evidence_shows(idm):
    wrong = {"schedule": {"interval": 0, "name": " "}, "max_failures": -1, "wait_timeout": 0.0, "mappings": []}
    idm["evidence"] = replace(finished(), strangers={"nope": "IDM has none of this name"})
    report = preflight(ScriptedClient(READY), [{**ENTRY, **wrong}], None, "enabled", context())
    assert [finding.code for finding in report.blocking] == [
        *["source_invalid"] * 3,
        "schedule_invalid",
        "mapping_unknown",
    ]
    assert [plan.blocked for plan in report.plans] == [True]


def test_what_is_wrong_with_a_schedule_is_told_once(idm):
    entry = {**ENTRY, "schedule": {"interval": 0}}
    request = SourceRequest.parse(entry, None, "livesync_sources[0]")
    idm["evidence"] = replace(finished(), schedule_error=request.schedule_error)
    report = preflight(ScriptedClient(READY), [entry], None, "enabled", context())
    assert codes(report) == ["schedule_invalid"]


def test_the_evidence_takes_a_schedule_that_cannot_be_no_further():
    entry = {**ENTRY, "schedule": {"interval": 15, "cron": "0/15 * * * * ?"}}
    evidence = replace(finished(), request=SourceRequest.parse(entry, None, "livesync_sources[0]"))
    client = ScriptedClient()
    gatherer = Gatherer(client, Server("openidm", "6.1.0"), None, "enabled", context())
    seen = gatherer._with_schedule(evidence, Found("job", None, None))
    assert seen.schedule_error.option == "livesync_sources[0].schedule.interval"
    client.finished()


def test_a_placeholder_is_no_nonsense(idm):
    for schedule in ({"interval": "&{esv.interval}"}, {"cron": "&{esv.cron}"}, {"interval": "15"}, {"interval": 0.5}):
        report = preflight(ScriptedClient(READY), [{**ENTRY, "schedule": schedule}], None, "enabled", context())
        assert codes(report) == []


@pytest.mark.parametrize("state", ["enabled", "disabled", "absent"])
def test_no_source_at_all_is_refused(state):
    client = ScriptedClient()
    with pytest.raises(InvalidOption, match=r"livesync_sources: \[\] cannot be used. Name at least one"):
        preflight(client, [], None, state, context())
    client.finished()


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


def test_a_source_that_is_finished_and_well_needs_no_step(idm, monkeypatch):
    asked = []

    def judge(client, plans, requests, snapshot, connect, context):
        asked.extend(plan.finished for plan in plans)
        return [well]

    well = SourceStatus(Source.parse(SOURCE), Facts("ldap", token=50, enabled=1), None, (), (), None)
    monkeypatch.setattr(module, "judge_finished", judge)
    result = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context(), judge=True).as_result()
    assert asked == [True]
    assert [(plan["finished"], plan["settled"]) for plan in result["plans"]] == [(True, True)]
    assert result["msg"] == f"Nothing blocks. {SOURCE} is healthy."
    assert [one["state"] for one in result["livesync"]] == ["healthy"]
    idm["evidence"] = finished(token=None)
    result = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context(), judge=True).as_result()
    assert [(plan["finished"], plan["settled"]) for plan in result["plans"]] == [(False, False)]


@pytest.mark.parametrize(
    ("evidence", "documents", "brief"),
    [
        (finished(), frozenset({"sync"}), [True]),
        (finished(), None, [True]),
        # what is left to do may need a right that was not proved
        (finished(token=None), frozenset({"sync"}), [True, False]),
        (finished(token=None), None, [True]),
    ],
)
def test_what_a_finished_environment_does_not_need_is_asked_for_where_something_is_left_to_do(
    idm, monkeypatch, evidence, documents, brief
):
    judged = []
    monkeypatch.setattr(module, "judge_finished", lambda *unused: judged.append(True) or [])
    idm.update(evidence=evidence, documents=documents)
    report = preflight(ScriptedClient(*[READY] * len(brief)), [ENTRY], None, "enabled", context(), judge=True)
    assert idm["brief"] == brief and len(judged) == 1
    assert len(report.plans) == 1
    idm["brief"].clear()
    preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context())
    assert idm["brief"] == [False]  # who looks is told all that is missing


def test_nothing_is_judged_where_nobody_asks_for_it(idm, monkeypatch):
    monkeypatch.setattr(module, "judge_finished", lambda *unused: pytest.fail("judged"))
    result = preflight(ScriptedClient(READY), [ENTRY], None, "enabled", context()).as_result()
    assert [(plan["finished"], plan["settled"]) for plan in result["plans"]] == [(True, False)]

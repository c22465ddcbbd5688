# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role does with a source, decided from the evidence."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import ServerFacts
from ansible_collections.idmops.idm.plugins.module_utils._rollout.findings import findings_of, grants_unknown
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import (
    accounts_in_use,
    plan_absent,
    plan_disabled,
    plan_enabled,
    principal_key,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    PRINCIPAL,
    RECORD,
    SOURCE,
    directory,
    finished,
    grants,
    job,
)

ANEW = directory(anew="The change log has begun to count anew.")
NEVER = SourceRequest(Source.parse(SOURCE), directory={"servers": ["ldap://x"]}, initial_load="never")
TRIMMED = directory(grants(log=ChangeLog(60, 100, "change_numbers", "cn=changelog")))
REBUILT = directory(grants(log=ChangeLog(1, 7, "change_numbers", "cn=changelog")))


def plan(**spoilt):
    evidence = finished(**spoilt)
    return plan_enabled(evidence, findings_of(evidence), 0)


def steps(**spoilt):
    made = plan(**spoilt)
    assert not made.blocked
    return made.principal is not None, made.hold, bool(made.reset), made.baseline, list(made.to_load)


@pytest.mark.parametrize(
    "spoilt, wanted",
    [
        # what is spoilt                                          grant  hold   reset  base   load
        ({}, (False, False, False, False, [])),
        ({"job": None, "schedules": (), "record": {}, "token": None}, (False, False, False, True, ["m"])),
        # a job that came enabled with the configuration, with and without a token of its own making
        ({"job": job(record={}), "record": {}, "token": None}, (False, True, False, True, ["m"])),
        ({"job": job(record={}), "record": {}}, (False, True, False, False, ["m"])),
        # a crash while the job was held
        ({"job": job(enabled=False, record={}), "record": {}}, (False, False, False, False, ["m"])),
        # switched off, nothing else
        ({"job": job(enabled=False)}, (False, False, False, False, [])),
        ({"foreign": frozenset({"m"})}, (False, True, False, False, ["m"])),
        ({"token": None}, (False, True, False, True, ["m"])),
        ({"directory": TRIMMED}, (False, True, True, True, ["m"])),
        ({"directory": ANEW}, (False, True, True, True, ["m"])),
        ({"directory": REBUILT}, (False, True, True, True, ["m"])),
        ({"directory": directory(grants(missing=("privilege",)), grants())}, (True, False, False, False, [])),
    ],
)
def test_steps(spoilt, wanted):
    assert steps(**spoilt) == wanted


SECOND = job("second", enabled=False, record={})


@pytest.mark.parametrize(
    "left",
    [
        {"job": None, "schedules": (), "record": {}},
        {"job": job(enabled=False)},
        {"record": {}, "job": job(record={})},
        {"schedules": (job(), SECOND)},
        {"schedules": ()},
        {"schedule_plan": SimpleNamespace(changes=("cron",))},
        {"scheduler": Scheduler("external", 60)},
        {"token": None},
        {"directory": TRIMMED},
        {"directory": directory(grants(missing=("privilege",)), grants())},
        {"left_out": ("m",)},
        {"connector": None},
    ],
)
def test_a_plan_is_finished_only_where_each_step_would_find_all_as_it_is_wanted(left):
    assert plan().finished
    assert not plan(**left).finished


def test_a_record_that_does_not_hold_goes_before_the_base_point_is_set_anew():
    """Else a run that breaks off between the two would be taken for finished."""
    off = job(enabled=False)
    for spoilt in ({"token": None}, {"directory": TRIMMED}, {"foreign": frozenset({"m"})}):
        made = plan(job=off, schedules=(off,), **spoilt)
        assert made.hold, spoilt
        assert made.record == {}


def test_what_is_recorded_of_other_mappings_is_kept():
    second = replace(MAPPING, name="n", link_type="n")
    made = plan(mappings=(MAPPING, second))
    assert list(made.to_load) == ["n"]
    assert list(made.record) == ["m"]


def test_a_new_base_point_spoils_the_record_of_mappings_that_are_not_asked_for_too():
    known = {**RECORD, "n": Load("r-2", "", ("b",))}
    off = job(record=known)
    made = plan(job=off, schedules=(off,), record=known, directory=TRIMMED)
    assert list(made.to_load) == ["m"]
    assert made.record == {}


@pytest.mark.parametrize(
    ("spoilt", "catches_up"),
    [
        ({}, False),
        ({"record": {}}, True),
        # what has waited while a schedule was off is brought before it is on, so that its runs can be judged
        ({"job": job(enabled=False)}, True),
        ({"job": None, "schedules": (), "record": {}, "request": NEVER}, True),
        ({"job": None, "schedules": (), "record": {}, "request": NEVER, "token": None}, False),
    ],
)
def test_what_has_waited_is_brought_before_the_schedule_is_on(spoilt, catches_up):
    assert plan(**spoilt).catch_up is catches_up


def test_a_load_does_not_count_for_a_mapping_whose_changes_are_dropped():
    """Switched on again it is loaded again: what liveSync took meanwhile is lost to it."""
    off = replace(MAPPING, sync_enabled=False)
    made = plan(mappings=(off,))
    assert (made.blocked, made.forget, made.record, made.enabled) == (True, ("m",), {}, True)
    known = {**RECORD, "n": Load("r-2", "", ("b",))}
    made = plan(left_out=("n",), record=known, job=job(record=known))
    assert (made.blocked, made.forget, list(made.record)) == (False, ("n",), ["m"])
    assert plan(mappings=(off,), record={}, job=job(record={})).forget == ()
    assert list(plan(record={}).to_load) == ["m"]


def test_what_blocks_a_source_blocks_its_plan():
    assert plan(mappings=(replace(MAPPING, sync_enabled=False),)).blocked
    assert not plan(connector=replace(CONNECTOR, uid_attribute="dn")).blocked


def test_a_mapping_that_is_switched_off_and_not_asked_for_is_no_failure():
    assert plan(left_out=("n",)).tolerated == ("disabled",)
    assert plan().tolerated == ()


def test_disabled_switches_off_what_is_on():
    on, off, placeholder = job("a"), job("b", enabled=False), job("c", enabled={"$bool": "&{esv.on}"})
    made = plan_disabled(finished(schedules=(on, off, placeholder)), 3)
    assert (made.switch_off, made.index) == (("a", "c"), 3)


def test_absent_removes_the_roles_own_jobs_and_grants():
    own, ours, stranger = job(record={}), job("shipped"), job("stranger", record={})
    made = plan_absent(finished(schedules=(own, ours, stranger)), set(), 0)
    assert made.switch_off == ("liveSync_ldap_account", "shipped")
    assert made.principal is None  # the stranger's job needs what was granted
    assert plan_absent(finished(schedules=(own, ours)), set(), 0).principal == PRINCIPAL


def test_one_account_is_one_however_it_is_written():
    apps = replace(CONNECTOR, name="apps", principal=PRINCIPAL.upper().replace(",", ", "))
    in_use = accounts_in_use([job("other", source="system/apps/account")], {"apps": apps}, {SOURCE})
    assert plan_absent(finished(), in_use, 0).principal is None


def test_the_account_that_is_given_is_the_one_whose_grants_go():
    """A placeholder hides the connector's, and that of another source does not stand for it."""
    hidden = replace(CONNECTOR, principal=None)
    in_use = accounts_in_use([job("other", source="system/apps/account")], {"apps": hidden}, {SOURCE})
    given = replace(finished().request, directory={"servers": ["ldap://x"], "principal": "uid=given"})
    for connector in (hidden, None):
        assert plan_absent(finished(connector=connector, request=given), in_use, 0).principal == "uid=given"
    unknown = finished(connector=hidden)
    assert [finding.code for finding in grants_unknown(unknown)] == ["grants_unknown"]
    assert plan_absent(unknown, in_use, 0).principal is None
    assert grants_unknown(finished()) == grants_unknown(finished(connector=None, request=given)) == []


def test_grants_stay_while_another_source_uses_the_account():
    other = job("other", source="system/apps/account")
    apps = replace(CONNECTOR, name="apps")
    in_use = accounts_in_use([job(), other], {"ldap": CONNECTOR, "apps": apps}, {SOURCE})
    assert in_use == {principal_key(PRINCIPAL)}
    assert plan_absent(finished(), in_use, 0).principal is None
    assert accounts_in_use([job()], {"ldap": CONNECTOR}, {SOURCE}) == set()
    assert accounts_in_use([job("x", source="system/gone/account")], {"ldap": CONNECTOR}, {SOURCE}) == set()


@pytest.mark.parametrize("source", ["ldap", "system/ldap", "&{esv.source}"])
def test_a_job_whose_source_is_none_is_nobodys(source):
    assert accounts_in_use([job("odd", source=source)], {"ldap": CONNECTOR}, set()) == set()


def test_a_plan_is_plain_data():
    shown = plan(record={}).as_result()
    assert shown["to_load"] == [{"mapping": "m", "reason": shown["to_load"][0]["reason"]}]
    assert shown["source"] == SOURCE and shown["base_contexts"] == ["ou=People,dc=example,dc=com"]


def test_grants_are_given_on_the_servers_that_answer():
    gone = ServerFacts("ldap://ds2", error=NoAnswer("ldap://ds2 cannot be reached.", "ldap://ds2", "Check it."))
    facts = directory(before=grants(missing=("change_log",)), after=grants())
    facts = replace(facts, servers=(*facts.servers, gone))
    plan = plan_enabled(finished(directory=facts), [], 0).as_result()
    assert (plan["principal"], plan["servers"]) == (facts.principal, [facts.uri])


@pytest.mark.parametrize(
    ("verify_uri", "proves"), [(None, True), ("ldap://ds1.example.com:1389", True), ("ldap://ds2:1389", False)]
)
def test_the_account_is_not_let_bind_where_nobody_answers(verify_uri, proves):
    """The grants on the others are no worse for that; that it was not proved is said."""
    gone = ServerFacts("ldap://ds2", error=NoAnswer("ldap://ds2 cannot be reached.", "ldap://ds2", "Check it."))
    given = {"servers": ["ldap://ds1.example.com"], "principal_password": "x", "verify_uri": verify_uri}
    facts = replace(directory(), servers=(*directory().servers, gone))
    evidence = finished(directory=facts, request=replace(finished().request, directory=given))
    assert plan_enabled(evidence, [], 0).as_result()["prove"] is proves
    told = [one for one in findings_of(evidence) if one.code == "principal_unverified"]
    assert [one.severity for one in told] == ([] if proves else ["warning"])

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts in, one state and one remedy out."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import Facts, LogFacts
from ansible_collections.idmops.idm.plugins.module_utils._health.states import STATES, judge_health
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

LOG = LogFacts(first=1, last=100, missing=(), alias_search=True, pending=0, pending_inside=0)
GOOD = Facts("ldap", token=100, number=100, log=LOG, enabled=1)
BEHIND = replace(GOOD, token=90, number=90, log=replace(LOG, pending=10, pending_inside=5))

#: For each state: facts that show it, and words that its remedy must have.
SHOWN = {
    "unavailable": [
        (replace(GOOD, ok=False, error="Connection refused"), "Connection refused"),
        (replace(GOOD, ok=False, error="LDAP: error code 49"), "correct principal and credentials"),
        (replace(GOOD, ok=False, error="no answer", remote="rcs1"), "remote connector server rcs1"),
        (replace(GOOD, ok=None), "no connector ldap"),
    ],
    "unreadable": [
        (replace(GOOD, log=replace(LOG, missing=("change_log",))), "lacks: change_log"),
        (replace(GOOD, log=replace(LOG, missing=("privilege", "root_dse"))), "privilege, root_dse"),
        (replace(GOOD, log=replace(LOG, alias_search=False)), "alias dereferencing"),
        (
            replace(GOOD, log=replace(LOG, missing=("change_log",), denied_by=("No changes",))),
            "what liveSync reads: No changes.",
        ),
        (replace(GOOD, log=LogFacts(usable=False)), "ds-cfg-compute-change-number"),
        (replace(GOOD, log=LogFacts(usable=False)), "set-replication-server-prop"),
    ],
    "trimmed": [(replace(GOOD, number=3, log=replace(LOG, first=5)), "Set the token to 4")],
    "ahead": [(replace(GOOD, number=101), "beyond the end of the change log, 100")],
    "dormant": [(replace(BEHIND, unmoved=True), "state: reactivated")],
    "stalled": [
        (replace(BEHIND, unmoved=True, log=replace(BEHIND.log, missing=None)), "IDM's log"),
        (replace(BEHIND, unmoved=True, log=None), "IDM's log"),
    ],
    "disabled": [
        (
            replace(BEHIND, unmoved=True, filtered=("changeNumberAttribute is nope: nothing comes.",)),
            "changeNumberAttribute",
        ),
        (replace(GOOD, sync_disabled=("one", "two")), "enableSync is false for one, two"),
        (replace(GOOD, unmapped=True), "No mapping has this source"),
        (replace(GOOD, filtered=("A change of mail never arrives. Add it.",)), "never arrives. Add it."),
    ],
    "gapped": [(replace(GOOD, gapped=("It leaves out one.", "Start it.")), "It leaves out one. Start it.")],
    "dropping": [
        (replace(GOOD, dropped=1), "gave up on 1 changed record, and nothing has brought it over"),
        (replace(GOOD, dropped=3), "idmops.idm.recon with ids"),
        (replace(GOOD, unarrived=("1 has not arrived.",), concurrent=("a",)), "The schedule a may run beside itself"),
        (replace(GOOD, unarrived=("1 has not arrived.",), meeting=("a", "b")), "More than one schedule runs this"),
    ],
    "failing": [
        (replace(GOOD, failure="Failed"), "uses up one of the retries"),
        (replace(GOOD, failure="Failed", blocks=True), "blocks all that come after it"),
        (replace(BEHIND, failure="Failed", unmoved=True), "uses up one of the retries"),
        (replace(GOOD, misfit="The token 'x' is a text."), "native_type: integer"),
        (replace(GOOD, erring=True), "runs end in an error"),
        (replace(BEHIND, neglected="2026-11-24T09:00:00Z"), "pending since 2026-11-24T09:00:00Z"),
        (replace(GOOD, enabled=2, meeting=("a", "b")), "(a, b)"),
        (replace(GOOD, meeting=("a",), concurrent=("a",)), "The schedule a may run beside itself (concurrentExecution"),
        (replace(GOOD, failure="Failed", concurrent=("a",)), "concurrentExecution is true"),
        (replace(GOOD, external=True, meeting=("a",), on_beside=("a",)), "is on (a) beside the external scheduler"),
        (replace(GOOD, external=True, paused=1, on_beside=("a",)), "is on (a) beside the external scheduler"),
        (replace(GOOD, enabled=0, external=True, ran_badly="It went badly."), "It went badly."),
        (replace(GOOD, enabled=0, external=True, ran_badly="Badly.", overdue="And late."), "Badly. And late."),
    ],
    "unscheduled": [
        (replace(GOOD, enabled=0), "enabled: true"),
        (replace(GOOD, enabled=0, unloaded=("one",)), "Run the role livesync"),
        (replace(BEHIND, enabled=0), "enabled: true"),
    ],
    "overdue": [(replace(GOOD, enabled=0, external=True, overdue="It is late."), "It is late.")],
    "paused": [(replace(GOOD, paused=1), "resume"), (replace(GOOD, enabled=2, paused=2), "resume")],
    "never_run": [(replace(GOOD, token=None), "base point")],
    "lagging": [
        (BEHIND, "the next run takes what is pending"),
        (replace(BEHIND, untraced="That would not show."), "the next run takes what is pending. That would not show."),
        # the count was cut, or nobody knows what lies inside: there may be more
        (replace(BEHIND, log=replace(LOG, pending=9000, pending_inside=0, exact=False)), "the next run"),
        (replace(BEHIND, log=replace(LOG, pending=3, pending_inside=None)), "the next run"),
        (replace(GOOD, queued=("7 events wait in the queue of x.",)), "7 events wait"),
    ],
    "running": [(replace(GOOD, running=True), None), (replace(BEHIND, running=True), None)],
    "healthy": [
        (GOOD, None),
        (replace(GOOD, log=None), None),
        (replace(GOOD, enabled=0, external=True), None),
        (replace(GOOD, enabled=0, external=True, not_followed="Nobody knows."), "Nobody knows."),
        (replace(GOOD, enabled=2, paused=1, meeting=("a",)), None),
        (replace(GOOD, untraced="That would not show."), "would not show"),
        (replace(GOOD, sync_unknown=("one",)), "for one cannot be known"),
        (replace(GOOD, left_out=("Deletions never arrive.",), untraced="Or so."), "Deletions never arrive. Or so."),
        # a change outside of the source is pending: the next run moves the token and nothing else
        (replace(GOOD, number=95, log=replace(LOG, pending=5, pending_inside=0)), None),
        (replace(GOOD, number=4, log=replace(LOG, first=5, last=4)), None),
        (replace(GOOD, token="20260101000000Z", number=None), None),
    ],
}


@pytest.mark.parametrize(("state", "facts", "words"), [(s, *case) for s, cases in SHOWN.items() for case in cases])
def test_the_state_and_its_remedy(state, facts, words):
    health = judge_health(facts)
    assert health.state == state
    assert (words is None) == (health.remedy is None)
    assert words is None or words in health.remedy


@pytest.mark.parametrize("state", ["trimmed", "ahead"])
def test_the_numbers_of_a_server_that_may_be_another_prove_nothing(state):
    ((facts, unused),) = SHOWN[state]
    health = judge_health(replace(facts, log=replace(facts.log, doubt="Who knows whose it is.")))
    assert (health.state, health.proved) == (state, False)
    assert health.remedy.startswith("Who knows whose it is. If it is: ")


@pytest.mark.parametrize("state", ["trimmed", "ahead"])
def test_while_a_failover_is_read_nothing_is_to_be_changed_for_its_numbers(state):
    ((facts, unused),) = SHOWN[state]
    health = judge_health(replace(facts, log=replace(facts.log, doubt="ds1 is away.", meanwhile=True)))
    assert (health.state, health.proved) == (state, False)
    assert health.remedy.startswith("ds1 is away. ") and "before anything is changed" in health.remedy
    assert "livesync_token" not in health.remedy and "role" not in health.remedy


def test_what_is_healthy_says_what_keeps_it_from_going_on_elsewhere():
    health = judge_health(replace(GOOD, log=replace(LOG, doubt="ds1 is away.", meanwhile=True, standby=("ds3 too.",))))
    assert (health.state, health.remedy) == ("healthy", "ds1 is away. ds3 too.")


def test_what_may_have_been_changed_elsewhere_may_be_pending():
    health = judge_health(replace(GOOD, moved=True, log=replace(LOG, standby=("ds2 is away.",), elsewhere=("More.",))))
    assert (health.state, health.good_enough, health.proved) == ("lagging", True, False)
    assert health.remedy == "More. ds2 is away."


def test_every_state_is_shown():
    assert list(SHOWN) == list(STATES)


@pytest.mark.parametrize("state", STATES)
def test_the_worst_state_wins(state):
    """Everything that is worse than a state, added to facts that show it, hides it; and the worst of all is told."""
    everything = Facts(
        "ldap",
        ok=False,
        token=3,
        number=3,
        log=LogFacts(5, 2, missing=("x",)),
        sync_disabled=("m",),
        gapped=("g",),
        dropped=1,
        failure="f",
        unmoved=True,
        overdue="late",
    )
    mended = {
        "unavailable": {"ok": True},
        "unreadable": {"log": LogFacts(5, 2, missing=())},
        "trimmed": {"log": LogFacts(1, 2, missing=())},
        "ahead": {"log": LogFacts(1, 9, missing=(), pending=6, pending_inside=6), "failure": None},
        "dormant": {"log": LogFacts(1, 9, pending=6, pending_inside=6)},
        "stalled": {"unmoved": False},
        "disabled": {"sync_disabled": (), "failure": "f"},
        "gapped": {"gapped": ()},
        "dropping": {"dropped": 0},
        "failing": {"failure": None},
        "unscheduled": {"enabled": 1, "paused": 1},
        "overdue": {"overdue": None},
        "paused": {"paused": 0, "token": None},
        "never_run": {"token": 3, "running": False},
        "lagging": {"running": True},
        "running": {"running": False, "log": LogFacts(1, 3)},
        "healthy": {},
    }
    facts = everything
    for worse in STATES[: STATES.index(state)]:
        facts = replace(facts, **mended[worse])
    assert judge_health(facts).state == state


def test_what_is_proved():
    assert judge_health(GOOD).proved is False
    assert judge_health(replace(GOOD, moved=True)).proved is True
    assert judge_health(BEHIND).proved is False
    assert judge_health(replace(BEHIND, moved=True)).proved is True
    for state, cases in SHOWN.items():
        if state not in ("healthy", "lagging"):
            assert all(judge_health(facts).proved for facts, unused in cases), state


def test_a_run_of_which_nobody_knows_when_it_was_is_not_proved_to_be_late():
    facts = replace(GOOD, enabled=0, external=True, overdue="Nobody knows.", overdue_unknown=True)
    health = judge_health(facts)
    assert (health.state, health.proved, health.good_enough) == ("overdue", False, False)


def test_what_nobody_knows_to_have_arrived_is_not_proved():
    assert judge_health(replace(GOOD, moved=True, doubt="x")).proved
    for facts in (GOOD, BEHIND):
        assert not judge_health(replace(facts, moved=True, unproved=True)).proved


def test_what_has_to_be_mended_before_a_reconciliation_is_said_first():
    found = judge_health(replace(GOOD, dropped=1, unarrived=("Nothing before that.",), forbidding=True)).remedy
    assert found.index("Nothing before that.") < found.index("idmops.idm.recon")


def test_an_object_type_that_the_connector_does_not_have_is_called_that() -> None:
    unknown = "The connector ldap has no object type acount; it has: account."
    found = judge_health(Facts(system="ldap", unknown_type=unknown))
    assert (found.state, found.remedy) == (
        "unavailable",
        "The connector ldap has no object type acount; it has: account.",
    )


def test_who_lacks_what_and_where_is_told():
    log = replace(LOG, missing=("privilege", "change_log"), account="uid=idm,ou=apps", server="ldap://ds1:1389")
    told = judge_health(replace(GOOD, log=log)).remedy
    assert told.startswith("The connector's account uid=idm,ou=apps lacks on ldap://ds1:1389: privilege, change_log. ")


def test_a_directory_that_cannot_be_asked_is_no_comfort_but_hides_nothing_that_is_known():
    silent = replace(GOOD, log=None, log_error="It hangs.")
    health = judge_health(silent)
    assert (health.state, health.proved, health.good_enough) == ("unreadable", False, False)
    assert "It hangs." in health.remedy
    assert judge_health(replace(silent, running=True)).state == "unreadable"
    for worse, state in (({"failure": "Failed"}, "failing"), ({"enabled": 0}, "unscheduled")):
        health = judge_health(replace(silent, **worse))
        assert health.state == state and "It hangs." in health.remedy


def test_only_three_states_are_good_enough():
    good = {state for state, cases in SHOWN.items() if all(judge_health(facts).good_enough for facts, unused in cases)}
    bad = {
        state for state, cases in SHOWN.items() if not any(judge_health(facts).good_enough for facts, unused in cases)
    }
    assert good == {"lagging", "running", "healthy"}
    assert good | bad == set(STATES)


def test_what_is_lost_comes_with_what_the_connector_leaves_out():
    facts = replace(GOOD, unarrived=("1 changed entry has not arrived.",), left_out=("Changes of x never arrive.",))
    assert judge_health(facts).remedy.startswith("Changes of x never arrive. 1 changed entry")
    assert judge_health(replace(facts, forbidding=True)).remedy.startswith("1 changed entry")


LOAD = Load("r-1", "2026-11-24T12:00:00Z", ("a",))
ABOUT_LOG = {
    "it cannot be asked": None,
    "not judged": replace(LOG, missing=None),
    "nothing numbered": replace(LOG, usable=False),
    "a grant is missing": replace(LOG, missing=("privilege",), account="uid=idm", server="ldaps://a"),
    "an ACI denies it": replace(LOG, denied_by=("No",), account="uid=idm", server="ldaps://a"),
    "no aliases": replace(LOG, alias_search=False),
    "unrecorded": replace(LOG, unrecorded=("dc=x", "dc=y"), server="ldaps://a"),
    "some pending": replace(LOG, pending=3, pending_inside=2),
    "pending elsewhere alone": replace(LOG, pending=3, pending_inside=0),
    "pending, nobody knows where": replace(LOG, pending=3, pending_inside=None),
    "not all counted": replace(LOG, exact=False),
    "in doubt": replace(LOG, doubt="Who knows."),
    "in doubt, trimmed": replace(LOG, first=200, doubt="Who knows."),
    "a failover": replace(LOG, doubt="The first is away.", meanwhile=True),
    "a failover, trimmed": replace(LOG, first=200, doubt="The first is away.", meanwhile=True),
    "a failover, beyond": replace(LOG, last=7, doubt="The first is away.", meanwhile=True),
    "first behind the token": replace(LOG, first=101),
    "a gap of one": replace(LOG, first=102),
    "last before the token": replace(LOG, last=99),
    "numbers unknown": replace(LOG, first=None, last=None),
    "counted anew": replace(LOG, anew="It counts anew."),
    "standby": replace(LOG, standby=("The second is not well.",)),
    "elsewhere": replace(LOG, elsewhere=("More may be pending.",)),
}
ABOUT = {
    "connector unknown": {"ok": None},
    "connector away": {"ok": False},
    "type unknown": {"unknown_type": "No such type."},
    "token unknown": {"token": None, "number": None},
    "token void": {"token": None, "number": None, "void": True},
    "token no number": {"token": "x", "number": None},
    "misfit": {"misfit": "It does not fit."},
    "log error": {"log": None, "log_error": "It hangs."},
    "unmapped": {"unmapped": True},
    "unmapped and misnamed": {"unmapped": True, "misnamed": ("m spells it otherwise.",)},
    "misnamed": {"misnamed": ("m spells it otherwise.",)},
    "mappings refused": {"refused_mappings": "Not in force."},
    "estranged": {"estranged": "By another name."},
    "sync disabled": {"sync_disabled": ("m", "n")},
    "sync unknown": {"sync_unknown": ("m",)},
    "filtered": {"filtered": ("Mail never arrives.",)},
    "left out": {"left_out": ("Some are left out.",)},
    "queued": {"queued": ("Two wait.",)},
    "unseen": {"unseen": ("Some may wait.",)},
    "gapped": {"gapped": ("It leaves out one.",)},
    "one dropped": {"dropped": 1},
    "two dropped": {"dropped": 2},
    "unarrived": {"unarrived": ("One has not arrived.",)},
    "unarrived, left out": {"unarrived": ("One has not arrived.",), "left_out": ("Some are left out.",)},
    "forbidding": {"unarrived": ("A link is too many.",), "forbidding": True, "left_out": ("Some are left out.",)},
    "forbidding, dropped": {"unarrived": ("A link is too many.",), "forbidding": True, "dropped": 1},
    "unarrived, dropped": {"unarrived": ("One has not arrived.",), "dropped": 1},
    "unarrived, foreign": {"unarrived": ("One has not arrived.",), "foreign": (LOAD,)},
    "doubt": {"doubt": "It cannot be known."},
    "unproved": {"unproved": True},
    "untraced": {"untraced": "It would not show."},
    "refused": {"refused": ("It is not shown.", "Nor that.")},
    "failure": {"failure": "Failed"},
    "failure, blocks": {"failure": "Failed", "blocks": True},
    "failure, meeting": {"failure": "Failed", "meeting": ("a", "b")},
    "blocks alone": {"blocks": True},
    "erring": {"erring": True},
    "erring, not begun": {"erring": True, "not_begun": "No thread."},
    "not begun alone": {"not_begun": "No thread."},
    "in vain": {"in_vain": "They end in errors."},
    "neglected": {"neglected": "2026-11-24T09:00:00Z"},
    "no schedule": {"enabled": 0},
    "paused": {"paused": 1},
    "one of two paused": {"enabled": 2, "paused": 1},
    "next run": {"next_run": "2026-11-30T00:00:00Z"},
    "far": {"next_run": "2026-12-30T00:00:00Z", "far": True},
    "idle jobs": {"enabled": 0, "idle_jobs": ("The job x runs nothing.",)},
    "namesake": {"enabled": 0, "namesake": "Another job has its name."},
    "namesake, not loaded": {"enabled": 0, "namesake": "Another job has its name.", "unloaded": ("m",)},
    "void, off": {"enabled": 0, "token": None, "number": None, "void": True},
    "void, off, namesake": {"enabled": 0, "void": True, "namesake": "Another job has its name."},
    "off, not loaded": {"enabled": 0, "unloaded": ("m", "n")},
    "off, foreign": {"enabled": 0, "foreign": (LOAD,)},
    "off, foreign, not loaded": {"enabled": 0, "foreign": (LOAD,), "unloaded": ("m",)},
    "meeting": {"meeting": ("a", "b")},
    "concurrent": {"meeting": ("a",), "concurrent": ("a",)},
    "meeting, concurrent": {"meeting": ("a", "b"), "concurrent": ("b",)},
    "external": {"enabled": 0, "external": True},
    "external, on beside": {"external": True, "on_beside": ("a",)},
    "external, overdue": {"enabled": 0, "external": True, "overdue": "It is late."},
    "external, overdue, unknown": {"enabled": 0, "external": True, "overdue": "Who knows.", "overdue_unknown": True},
    "external, badly": {"enabled": 0, "external": True, "ran_badly": "Badly."},
    "not followed": {"not_followed": "Nobody knows."},
    "not loaded": {"unloaded": ("m",)},
    "not loaded, shown": {"unloaded": ("m",), "shown": frozenset({"m"})},
    "foreign": {"foreign": (LOAD,)},
    "moved": {"moved": True},
    "moved, unproved": {"moved": True, "unproved": True},
    "moved, not loaded": {"moved": True, "unloaded": ("m",)},
    "moved, foreign": {"moved": True, "foreign": (LOAD,)},
    "unmoved": {"unmoved": True},
    "unmoved, failure": {"unmoved": True, "failure": "Failed"},
    "unmoved, other numbers": {"unmoved": True, "filtered": ("changeNumberAttribute is x.",)},
    "running": {"running": True},
    **{f"log: {name}": {"log": log} for name, log in ABOUT_LOG.items()},
}
BASES = {"": GOOD, "behind": BEHIND, "running": replace(BEHIND, running=True), "moved": replace(GOOD, moved=True)}


def test_each_fact_alone_word_for_word():
    """What follows a slash is told where it is another than without."""
    found, told = {}, {}
    for name, base in BASES.items():
        for fact, spoilt in {"nothing": {}, **ABOUT}.items():
            health = judge_health(replace(base, **spoilt))
            how = "".join(word for word, so in ((", proved", health.proved), (", far", health.far)) if so)
            found[fact, name] = f"{health.state}{how}: {health.remedy}"
            usual = found.get((fact, ""), None) if name else None
            if found[fact, name] not in (usual, found["nothing", name] if fact != "nothing" else None):
                told[f"{fact} / {name}" if name else fact] = found[fact, name]
    compare(pathlib.Path(__file__).parent / "files" / "states.yml", "The state that each fact makes.", told)

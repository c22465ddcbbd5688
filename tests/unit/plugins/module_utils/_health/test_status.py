# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of all sources: few requests, one state for each, and a watch over what looks suspicious."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    DirectoryError,
    IdmopsError,
    InvalidOption,
    Unreachable,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.numbered import Pending
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Access
from ansible_collections.idmops.idm.plugins.module_utils._health import judged
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts as log_reader
from ansible_collections.idmops.idm.plugins.module_utils._health import status as module
from ansible_collections.idmops.idm.plugins.module_utils._health.arrived import Unarrived
from ansible_collections.idmops.idm.plugins.module_utils._health.directories import directories
from ansible_collections.idmops.idm.plugins.module_utils._health.dropped import Dropped
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import Facts, LogFacts
from ansible_collections.idmops.idm.plugins.module_utils._health.gapped import Gap, Gaps
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import LogReader
from ansible_collections.idmops.idm.plugins.module_utils._health.losses import STRANDING, TWO_LINKS, UNMARK
from ansible_collections.idmops.idm.plugins.module_utils._health.source_status import SourceStatus
from ansible_collections.idmops.idm.plugins.module_utils._health.states import judge_health
from ansible_collections.idmops.idm.plugins.module_utils._health.status import status, status_result
from ansible_collections.idmops.idm.plugins.module_utils._health.touched import Hidden, Touched
from ansible_collections.idmops.idm.plugins.module_utils._health.traceless import Taken
from ansible_collections.idmops.idm.plugins.module_utils._http.right import Right
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._ldap.keeping import Keeping
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    CONNECTOR,
    DN,
    NEW,
    OLD,
    SOURCE,
    UUID,
    LiveSyncClient,
    audit,
    audit_config,
    cluster,
    connectors,
    delta,
    document,
    entry,
    executing,
    failed_text,
    job,
    schedules,
    version,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, context, refused

LDAP = Source.parse(SOURCE)
STAGES = "repo/synchronisation/pooledSyncStage"
DIRECTORY = {"servers": ["ldap://localhost:1389"], "bind_dn": "uid=admin", "bind_password": "x"}


def connector_tests(*answers):
    answers = answers or ({"name": "ldap", "ok": True},)
    return call("POST", "system", list(answers), params={"_action": "test"})


def stages(*documents):
    return call("GET", STAGES, {"result": list(documents)})


def mappings(*found):
    return (call("GET", "config/sync", {"mappings": list(found)}), call("GET", "config", {"result": []}))


MAPPING = {"name": "one", "source": SOURCE, "target": "managed/user"}
#: A policy under which nothing is dropped unseen.
KEEPS = {**CONNECTOR, "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "dead-letter-queue"}}
NO_LETTERS = call("GET", "repo/synchronisation/deadLetterQueue/ldap", {"result": []})
#: A run that a schedule has done meanwhile: its end shows in the stage.
RAN = stages(document("2", 9))


def lists(*, stage=None, jobs=(), running=(), maps=(MAPPING,), connector=None, test=None, failed=(), beside=()):
    """The requests of a status, whatever its number of sources."""
    return (
        *connectors(connector),
        connector_tests(*([test] if test else [])),
        stages(*([stage] if stage else []), *beside),
        *(version(), schedules(*jobs)),
        *mappings(*maps),
        executing(*running),
        audit(*failed),
    )


class FakeLog:
    """A change log of which the test knows how it goes on."""

    made: list = []
    ends: list = []
    token_at = None
    directory = None
    touches: list = []

    def __init__(self, options, url, connector, it, sole=True, connect=None, momentary=False):
        self.made.append((connector.name, url))
        self.end = self.ends[min(len(self.made), len(self.ends)) - 1] if self.ends else None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def taken(self, token):
        return []

    def touched(self, token, most, after):
        return self.touches

    def strays(self, token, most, after=0):
        return []

    def now(self):
        return None

    def hidden(self, token, **unused):
        return Hidden()

    def recounted(self, found, token):
        return found

    def facts(self, token, anchors=(), loads=()):
        if self.end is None or token is None:
            return None
        pending = self.end - token
        return LogFacts(1, self.end, True, (), True, pending, pending)


@pytest.fixture
def log(monkeypatch):
    log = type("Log", (FakeLog,), {"made": [], "ends": [9]})
    monkeypatch.setattr(judged, "LogReader", log)
    return log


def look(*calls, sources=(), directory=None, it=None):
    client = LiveSyncClient(*calls, check_mode=True)
    found = status(client, [Source.parse(source) for source in sources], directory, it or context())
    client.finished()
    return found


def test_one_source_and_everything_that_is_told_of_it():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), RAN)
    told = found.as_result()
    schedule = told.pop("schedules")
    assert [entry["name"] for entry in schedule] == ["nightly"]
    assert told == {
        "source": SOURCE,
        "state": "healthy",
        "good_enough": True,
        "proved": False,
        "remedy": f"{UNLOADED} {found.facts.untraced}",
        "token": 9,
        "server": None,
        "native_type": "integer",
        "pending": None,
        "pending_exact": None,
        "behind": None,
        "first_change_number": None,
        "last_change_number": None,
        "last_failure": None,
        "running": False,
        "connector": {"name": "ldap", "ok": True, "error": None},
        "mappings": [{"name": "one", "target": "managed/user", "sync_enabled": True}],
        "failure_policy": {"max_retries": 5, "post_retry_action": "logged-ignore", "blocks": False, "drops": True},
        "queue": [],
        "filters": [],
        "gaps": None,
        "dropped": [],
        "dead_letters": None,
        "scheduler": "idm",
        "max_age": None,
        "last_run": None,
        "arrived": None,
        "held_by": None,
    }


def test_what_the_run_record_holds_is_shown():
    record = {
        "_id": "idmops-SYSTEMLDAPACCOUNT",
        "_rev": "3",
        "holder": {"owner": "x", "host": "ctl1", "process": 7, "work": "load", "since": OLD, "renewed": NEW},
        "last_run": {"time": OLD, "outcome": "advanced"},
        "arrived": {"by": "canary", "at": OLD, "checked": 1, "seconds": 3.1},
    }
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], beside=[record]), RAN)
    told = found.as_result()
    assert told["last_run"] == {"time": OLD, "outcome": "advanced"}
    assert told["arrived"]["seconds"] == 3.1
    assert told["held_by"] == {"host": "ctl1", "process": 7, "work": "load", "since": OLD, "renewed": NEW}
    assert "owner" not in str(told["held_by"])


@pytest.mark.parametrize("jobs", [[job()], []])
def test_a_holder_whose_last_word_is_of_a_time_to_come_is_named_in_whatever_state(jobs):
    holder = {
        "owner": "x",
        "host": "ctl1",
        "process": 7,
        "work": "load",
        "since": OLD,
        "renewed": "2027-11-28T00:00:00Z",
    }
    record = {"_id": "idmops-SYSTEMLDAPACCOUNT", "_rev": "3", "holder": holder}
    (found,) = look(*lists(stage=document("1", 9), jobs=jobs, beside=[record]), *([RAN] if jobs else []))
    assert found.as_result()["held_by"]["host"] == "ctl1" and (found.health.state == "unscheduled") == (not jobs)
    assert "load of ctl1, process 7" in found.remedy and "2027-11-28T00:00:00Z" in found.remedy
    assert "a clock of IDM ran ahead" in found.remedy and "for 40 s" in found.remedy


#: A little before the time of the server.
BEFORE = "2026-11-24T10:58:00Z"


def by_others(**more):
    record = {"_id": "idmops-SYSTEMLDAPACCOUNT", "_rev": "3", "scheduler": "external", "max_age": 300}
    return [{**record, "last_run": {"time": BEFORE, "outcome": "unchanged", "failed": False}, **more}]


def test_a_source_that_an_external_scheduler_runs_is_judged_by_its_last_run():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job(enabled=False)], beside=by_others()))
    told = found.as_result()
    assert (told["state"], told["scheduler"], told["max_age"]) == ("healthy", "external", 300)
    late = by_others(last_run={"time": "2026-01-01T00:00:00Z", "outcome": "unchanged", "failed": False})
    (found,) = look(*lists(stage=document("1", 9), jobs=[job(enabled=False)], beside=late))
    assert (found.health.state, found.health.proved) == ("overdue", True)
    bad = by_others(last_run={"time": BEFORE, "outcome": "advanced", "failed": True})
    (found,) = look(*lists(stage=document("1", 9), beside=bad))
    assert found.health.state == "failing" and "has not gone well" in found.remedy


def test_a_schedule_that_is_on_beside_an_external_scheduler_is_a_finding():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], beside=by_others()))
    assert found.health.state == "failing" and "is on (nightly) beside the external scheduler" in found.remedy


def test_a_run_is_as_old_as_when_it_was_read():
    """What is read beside it may take longer than max_age."""

    class SlowClient(LiveSyncClient):
        @property
        def server_time(self):
            return LiveSyncClient.server_time if len(self.calls) >= left else NEW

    calls = lists(stage=document("1", 9), jobs=[job(enabled=False)], beside=by_others())
    left = len(calls) - 1 - [path for unused, path, *rest in calls].index(STAGES)
    client = SlowClient(*calls, check_mode=True)
    (found,) = status(client, [LDAP], None, context())
    assert found.health.state == "healthy"


def test_who_holds_a_source_that_others_call_runs_it():
    holder = {"owner": "x", "host": "ctl1", "process": 7, "work": "liveSync", "since": OLD, "renewed": NEW}
    late = by_others(last_run={"time": OLD, "outcome": "unchanged"}, holder=holder, max_age=1)
    (found,) = look(*lists(stage=document("1", 9), beside=late))
    assert (found.health.state, found.as_result()["running"]) == ("running", True)


def test_fifty_sources_cost_as_many_requests_as_one(log):
    names = [f"type{n:02d}" for n in range(50)]
    connector = {**CONNECTOR, "objectTypes": {name: {} for name in names}}
    documents = [{**document("1", 9), "_id": f"SYSTEMLDAP{name.upper()}"} for name in names]
    calls = [
        *(
            *connectors(connector),
            connector_tests(),
            stages(*documents),
            version(),
            schedules(),
            *mappings(),
            executing(),
            audit(),
        ),
    ]
    found = look(*calls, directory=DIRECTORY)
    assert len(found) == 50
    assert len(calls) == 10
    assert log.made == [("ldap", "ldap://localhost:1389")]


def test_sources_are_found_by_their_tokens_and_schedules():
    jobs = [job("a", "system/hr/person"), job("b", "system/ldap/group"), {**job("c"), "invokeService": "taskscanner"}]
    other = {**document("1", 1), "_id": "SYSTEMGONEX"}
    calls = list(lists(jobs=jobs, maps=()))
    calls[3] = stages(document("1", 9), other)
    assert [str(found.source) for found in look(*calls)] == ["system/hr/person", SOURCE, "system/ldap/group"]


def test_a_source_without_a_connector_is_unavailable():
    (found,) = look(*lists(), sources=["system/nowhere/x"])
    assert (found.health.state, found.as_result()["connector"]["ok"]) == ("unavailable", None)


def test_where_the_connectors_test_fails_its_directory_is_not_asked(log):
    test = {"name": "ldap", "ok": False, "error": "Connection refused"}
    (found,) = look(*lists(stage=document("1", 9), test=test), directory=DIRECTORY)
    assert (found.health.state, log.made) == ("unavailable", [])


def test_a_record_that_fails_is_told_with_its_cause():
    failed = document("1", 2, failed_text(1), delta())
    cause = audit(entry(failed=True, cause="Policy validation failed"))
    (found,) = look(*lists(stage=failed, jobs=[job()], failed=[entry(failed=True)]), cause)
    told = found.as_result()
    assert told["state"] == "failing"
    assert (told["last_failure"]["dn"], told["last_failure"]["attempt"], told["last_failure"]["allowed"]) == (DN, 2, 6)
    assert told["last_failure"]["cause"] == "Policy validation failed"
    with pytest.raises(IdmopsError) as caught:
        status_result([found], ["failing"])
    for remedy in (told["remedy"], caught.value.remedy):
        assert DN in remedy and "Policy validation failed" in remedy and "attempt 2 of 6" in remedy
        assert remedy.endswith("Mend the record or the mapping before the next run.")


def test_two_links_and_what_keeps_an_entry_back_are_mended_before_any_reconciliation():
    """With two links a reconciliation fails as the change did (seen on OpenIDM 6.1.0)."""
    facts = Facts("ldap", token=9, number=9, enabled=1, dropped=1)

    def remedy(cause, *unarrived, situation=None):
        given = replace(facts, unarrived=unarrived)
        dropped = (Dropped("s1", "m", situation=situation, cause=cause),)
        return SourceStatus(LDAP, given, None, [], [], None, dropped=dropped).remedy

    said = remedy("More than one link found for source s1")
    assert said.startswith("First, where the cause is two links: ") and TWO_LINKS in said
    assert said.index(TWO_LINKS) < said.index("recon with ids")
    assert remedy("Policy validation failed").startswith("IDM gave up on 1 changed record")
    for situation, (what, mend) in STRANDING.items():
        said = remedy(f"Situation {situation} marked as EXCEPTION")
        assert said.startswith(f"First, where the situation is {situation}: {what}: {mend} Then: IDM gave up")
        assert said.index(mend) < said.index("recon with ids")
        assert remedy(f"Situation {situation} marked as EXCEPTION", f"1 has not arrived. {mend}").count(mend) == 1
    gone = {"situation": "SOURCE_MISSING"}
    assert remedy("Failed", **gone).endswith("(SOURCE_MISSING), reconcile the whole mapping instead.")
    said = remedy("Situation SOURCE_MISSING marked as EXCEPTION", **gone)
    assert said.startswith("IDM gave up on 1 changed record")
    assert said.endswith(f"Where the source is gone: {UNMARK} Then reconcile the whole mapping instead.")
    assert remedy("Situation ABSENT marked as EXCEPTION").startswith("IDM gave up on 1 changed record")
    assert remedy("More than one link found", f"1 has arrived twice, {TWO_LINKS}").count(TWO_LINKS) == 1


@pytest.mark.parametrize(
    ("letters", "number"),
    [({"result": [{"_id": "1", "uid": "a"}, {"_id": "2", "uid": "b"}]}, 2), (refused(404, "no"), 0)],
)
def test_dead_letters_are_counted_where_the_policy_makes_any(letters, number):
    asked = call("GET", "repo/synchronisation/deadLetterQueue/ldap", letters)
    follow_up = [audit(), call("GET", "audit/recon", {"result": []}), call("GET", SOURCE, refused(503))]
    later = follow_up if number else [RAN]
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=KEEPS), asked, *later)
    assert found.as_result()["dead_letters"] == number
    assert found.health.state == ("dropping" if number else "healthy")


@pytest.mark.parametrize(
    ("connector", "topic"),
    [(None, "audit/sync"), (KEEPS, "repo/synchronisation/deadLetterQueue/ldap")],
)
def test_what_the_account_may_not_ask_is_not_taken_for_nothing_dropped(connector, topic):
    """A source whose dropped changes nobody may see was called healthy."""
    answered = lists(stage=document("1", 9), jobs=[job()], connector=connector)
    client = LiveSyncClient(*answered, *([NO_LETTERS] if connector else []), RAN, check_mode=True)
    client.lacking = {Right("query", topic): None}
    (found,) = status(client, [LDAP], None, context())
    assert (found.health.state, found.health.good_enough) == ("unreadable", False)
    assert f"query {topic}" in found.remedy and "least-rights" in found.remedy


def test_a_right_that_tells_of_no_dropped_change_does_no_harm():
    client = LiveSyncClient(*lists(stage=document("1", 9), jobs=[job()]), RAN, check_mode=True)
    client.lacking = {Right("query", "audit/recon"): None, Right("read", "cluster"): None}
    assert status(client, [LDAP], None, context())[0].health.state == "healthy"


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_queue_of_dead_letters_that_cannot_be_read_is_no_empty_one(status):
    """A record that failed before the mapping is nowhere but there."""
    asked = call("GET", "repo/synchronisation/deadLetterQueue/ldap", refused(status, "no"))
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=KEEPS), asked, RAN)
    assert found.as_result()["dead_letters"] is None
    assert "dead letter queue" in found.remedy and f"HTTP {status}" in found.remedy


def test_a_placeholder_that_says_what_becomes_of_failures_is_no_promise_to_keep_them():
    handler = {"maxRetries": 5, "postRetryAction": "&{esv.action}"}
    connector = {**CONNECTOR, "syncFailureHandler": handler}
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=connector), NO_LETTERS, RAN)
    assert "cannot be known" in found.remedy and "postRetryAction" in found.remedy


def test_a_placeholder_where_a_mapping_is_switched_on_or_off_is_not_taken_for_on():
    unknown = {**MAPPING, "enableSync": "&{esv.on}"}
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], maps=[unknown], connector=KEEPS), NO_LETTERS, RAN)
    assert "enableSync is on for one cannot be known" in found.remedy


def test_a_mapping_that_spells_the_object_type_otherwise_takes_nothing():
    """Changes of system/ldap/account are consumed beside a mapping of system/ldap/Account (seen on OpenIDM 6.1.0)."""
    spelled = {**MAPPING, "source": "system/ldap/Account"}
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], maps=[spelled], connector=KEEPS), NO_LETTERS)
    assert found.health.state == "disabled" and "names system/ldap/Account, and takes no change" in found.remedy


def test_a_token_that_is_null_has_a_remedy_of_its_own():
    """Each run would end in 500, also that of livesync_trigger (seen on OpenIDM 6.1.0)."""
    (found,) = look(*lists(stage=document("1", None), jobs=[job()], connector=KEEPS), NO_LETTERS)
    assert found.health.state == "never_run" and "state: absent" in found.remedy
    (found,) = look(*lists(stage=document("1", None), connector=KEEPS), NO_LETTERS)
    assert found.health.state == "unscheduled" and "state: absent" in found.remedy  # where the role would fail


def test_states_that_must_not_be_fail_the_task():
    found = look(*lists(stage=document("1", 9)))
    result = status_result(found, ["stalled"])
    assert result["livesync"][0]["state"] == "unscheduled"
    said = f"{SOURCE} is unscheduled: {result['livesync'][0]['remedy']}"
    assert result["msg"] == said
    assert status_result([], [])["msg"] == "No source has a token or a schedule of liveSync."
    with pytest.raises(IdmopsError) as caught:
        status_result(found, ["stalled", "unscheduled"])
    assert caught.value.message == caught.value.as_result()["msg"] == said
    assert caught.value.result["livesync"][0]["state"] == "unscheduled"
    assert "role livesync" in caught.value.remedy


# The watch


UNLOADED = (
    "No load of one is recorded: who was there before the base point, and has not changed since, may be missing."
    " idmops.idm.livesync_verify compares all; the role livesync loads."
)


def due(seconds):
    loads = {"one": {"recon": "r", "time": OLD, "idm": []}}
    context = {"action": "liveSync", "source": SOURCE, "initialLoad": loads}
    return job(nextRunDate=f"2026-11-24T11:00:{seconds:02d}.000Z", invokeContext=context)


def test_a_token_that_moves_is_proof(log):
    log.ends = [12]
    moves = [stages(document("1", 9)), stages(document("2", 12)), audit()]
    it = context()
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)]), *moves, directory=DIRECTORY, it=it)
    assert (found.health.state, found.health.proved, found.facts.token) == ("healthy", True, 12)
    assert it.clock.slept == 2.0
    assert it.report.lines == [f"{SOURCE}: watching the next run"]
    log.ends = [12, 20]
    log.made.clear()
    (found,) = look(
        *lists(stage=document("1", 9), jobs=[due(5)]), stages(document("2", 12)), audit(), directory=DIRECTORY
    )
    assert (found.health.state, found.health.proved, found.as_result()["pending"]) == ("lagging", True, 8)


def test_liveSync_by_time_stamps_is_not_well_and_its_remedy_begins_anew(log):
    """The change log is not used then, and no deletion arrives (seen on OpenIDM 6.1.0)."""
    stamps = {
        **KEEPS,
        "configurationProperties": {**CONNECTOR["configurationProperties"], "useTimestampsForSync": True},
    }
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=stamps), NO_LETTERS)
    assert (found.health.good_enough, found.health.proved) == (True, False)
    assert "Deletions never arrive" in found.remedy  # nobody says that there is a change log
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=stamps), NO_LETTERS, directory=DIRECTORY)
    assert (found.health.state, found.health.good_enough) == ("disabled", False)
    steps = ("enabled: false", "useTimestampsForSync to false", "state: absent", "run the role")
    places = [found.remedy.index(step) for step in steps]
    assert places == sorted(places)


def test_a_trigger_that_hides_its_state_may_be_paused(log):
    """As OpenIDM 6.1.0 shows it to an account without the right to read triggers (seen)."""
    (found,) = look(*lists(stage=document("1", 9), jobs=[job(triggers=[{"name": "trigger-x"}])]))
    assert not found.health.proved and "is paused cannot be known" in found.remedy
    assert "read scheduler/trigger/*" in found.remedy


def test_a_time_stamp_where_the_change_log_has_numbers_is_named(log):
    stamp = {**document("1", "2026"), "connectorData": {"nativeType": "string", "syncToken": "20261127183045Z"}}
    log.facts = lambda self, *unused: LogFacts(first=1, last=12)
    (found,) = look(*lists(stage=stamp, jobs=[job()]), directory=DIRECTORY)
    assert found.health.state == "failing" and "'20261127183045Z' is stored as string" in found.remedy
    assert (
        found.remedy.index("enabled: false") < found.remedy.index("state: absent") < found.remedy.index("run the role")
    )


def test_that_nothing_tells_what_is_pending_is_said(log):
    other = {"connectorRef": {"connectorName": "org.forgerock.openicf.csvfile.CSVFileConnector"}}
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector={**KEEPS, **other}), NO_LETTERS)
    assert (found.health.state, found.health.proved) == ("healthy", False)
    assert "reads no change log" in found.health.remedy and "livesync_verify" in found.health.remedy


@pytest.mark.parametrize(("before", "after"), [(True, True), (False, True), (True, False)])
def test_a_token_that_moves_clears_nothing_that_was_dropped(log, before, after):
    """The run that moved it may have dropped more, and a reconciliation may have brought over what was told before."""
    log.ends = [12]
    failed = [entry(failed=True, record=UUID)]
    followed = (audit(), call("GET", "audit/recon", {"result": []}), call("GET", SOURCE, {"result": [{"_id": UUID}]}))
    calls = [*lists(stage=document("1", 9), jobs=[due(5)], failed=failed if before else [])]
    calls += [*(followed if before else ()), stages(document("2", 12)), audit(*(failed if after else []))]
    (found,) = look(*calls, *(followed if after else ()), directory=DIRECTORY)
    assert (found.health.state, found.facts.token) == ("dropping" if after else "healthy", 12)
    assert "may not show" in found.remedy or after


def test_a_run_that_leaves_what_has_been_pending_for_ten_seconds_is_proof_too(log):
    log.ends = [12]
    it = context()
    looks = [stages(document("2", 9))] * 10
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)]), *looks, directory=DIRECTORY, it=it)
    assert (found.health.state, found.health.proved) == ("dormant", True)
    assert it.clock.slept == 10.0


@pytest.mark.parametrize(
    ("runs", "says", "enough"),
    [
        ("2026-12-01T03:00:00.000Z", "the next run at 2026-12-01T03:00:00.000Z takes", True),
        ("2030-01-01T03:00:00.000Z", "let the schedule run sooner", False),
    ],
)
def test_when_a_slow_schedule_takes_what_is_pending_is_told(log, runs, says, enough):
    log.ends = [12]
    jobs = [job(cron="0 0 3 1 1 ? 2030", nextRunDate=runs)]
    (found,) = look(*lists(stage=document("1", 9), jobs=jobs), directory=DIRECTORY)
    assert (found.health.state, found.health.good_enough) == ("lagging", enough)
    assert says in found.remedy


@pytest.mark.parametrize("given", [DIRECTORY, None])
def test_a_schedule_that_fires_and_writes_nothing_ends_in_errors(log, given):
    """A run that ends in an error leaves the stage as it is (seen on OpenIDM 6.1.0), whatever the error is."""
    log.ends = [12]
    it = context()
    looks = [stages(document("1", 9))] * 30
    later = (*looks, executing(), schedules(due(5)), call("GET", "config/scheduler", {}), executing())
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)]), *later, directory=given, it=it)
    assert (found.health.state, found.health.proved) == ("failing", True)
    assert "runs end in an error, or none begins" in found.remedy and "livesync_trigger" in found.remedy
    assert "executePersistentSchedules" in found.remedy  # seen on OpenIDM 6.1.0: its next time moves on all the same
    assert 28 <= it.clock.slept <= 40


def test_a_scheduler_that_begins_no_job_is_named_instead(log):
    log.ends = [12]
    looks = [stages(document("1", 9))] * 30
    off = call("GET", "config/scheduler", {"scheduler": {"executePersistentSchedules": "false"}})
    later = (*looks, executing(), schedules(due(5)), off, executing())
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)]), *later, directory=DIRECTORY)
    assert found.health.state == "failing" and "executePersistentSchedules is false" in found.remedy
    assert "livesync_trigger" not in found.remedy  # which ends well there


def test_a_long_run_that_has_begun_meanwhile_is_no_error(log):
    log.ends = [12]
    looks = [stages(document("1", 9))] * 30
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)]), *looks, executing(SOURCE), directory=DIRECTORY)
    assert (found.health.state, found.facts.erring) == ("running", False)


def attempts(*transactions, minutes=3):
    """What audit tells of one record that so many runs have brought, one a minute, newest first."""
    return audit(
        *(
            {**entry(f"2026-11-24T12:{minutes + minute:02}:00.000Z"), "transactionId": name}
            for minute, name in reversed(list(enumerate(transactions)))
        )
    )


@pytest.mark.parametrize(
    ("tried", "state"),
    [
        (attempts("a", "b", "c"), "failing"),
        (attempts("a", "b"), "running"),  # one may have stored the token, and one goes on
        (attempts("a", "a", "a", "b"), "running"),
        (attempts("a", "b", "c", minutes=1), "running"),  # the first may have begun before the change had its number
        (audit(), "running"),
        (call("GET", "audit/sync", refused(501)), "running"),
    ],
)
def test_runs_that_follow_each_other_and_store_nothing_are_no_run_at_work(log, tried, state):
    """Each loses its connection in a backlog that is too long, and the next one begins at the same change."""
    log.ends, log.touches = [12], [Touched(UUID, "2026-11-24T12:00:00Z", None)]
    again = [stages(document("1", 9))] if state == "failing" else []
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    looked = (stages(document("1", 9)), executing(SOURCE))
    (found,) = look(*calls, *looked, tried, *again, directory=DIRECTORY)
    assert (found.health.state, found.facts.running) == (state, True)
    if state == "failing":
        assert "since 2026-11-24T12:03:00" in found.remedy and "java.naming.batchsize=0" in found.remedy


def test_a_token_that_moves_meanwhile_clears_them(log):
    log.ends, log.touches = [12], [Touched(UUID, "2026-11-24T12:00:00Z", None)]
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    looked = (stages(document("1", 9)), executing(SOURCE))
    (found,) = look(*calls, *looked, attempts("a", "b", "c"), stages(document("2", 12)), directory=DIRECTORY)
    assert found.health.state == "running"


def test_where_nothing_can_be_counted_a_run_that_writes_the_stage_will_do():
    it = context()
    calls = (*lists(stage=document("1", 9), jobs=[due(5)]), stages(document("1", 9)), RAN)
    (found,) = look(*calls, it=it)
    assert (found.health.state, found.health.proved, it.clock.slept) == ("healthy", False, 2.0)


@pytest.mark.parametrize(
    "more",
    [
        {"jobs": [job(nextRunDate="2026-11-24T12:00:00.000Z")]},
        {"jobs": [job(enabled=False)]},
        {"jobs": []},
    ],
)
def test_what_nobody_runs_soon_is_not_watched(log, more):
    log.ends = [12]
    it = context()
    look(*lists(stage=document("1", 9), **more), directory=DIRECTORY, it=it)
    assert it.clock.slept == 0.0


@pytest.mark.parametrize(
    ("oldest", "interval", "state"),
    [
        ("2026-11-24T09:00:00Z", "0 0/5 * * * ?", "failing"),
        ("2026-11-24T10:55:00Z", "0 0/5 * * * ?", "lagging"),
        ("2026-11-24T10:49:00Z", "0 0/5 * * * ?", "lagging"),  # and a minute
        ("2026-11-24T10:48:59Z", "0 0/5 * * * ?", "failing"),
        ("2026-11-24T09:00:00Z", "0 0 3 * * ?", "lagging"),
        (None, "0 0/5 * * * ?", "lagging"),
    ],
)
def test_what_has_been_pending_for_longer_than_two_intervals_is_not_just_late(
    log, monkeypatch, oldest, interval, state
):
    log.ends = [12]
    facts = log.facts
    monkeypatch.setattr(log, "facts", lambda self, token, *noted: replace(facts(self, token), oldest=oldest))
    jobs = [job(cron=interval, nextRunDate="2026-11-24T11:04:00.000Z")]
    (found,) = look(*lists(stage=document("1", 9), jobs=jobs), directory=DIRECTORY)
    assert found.health.state == state
    assert state == "lagging" or oldest in found.remedy


def test_a_directory_that_does_not_answer_is_no_comfort_and_stops_nobody_else(log, monkeypatch):
    def down(self, *unused):
        raise DirectoryError("ldap://localhost:1389 hangs.", remedy="Look at it.")

    monkeypatch.setattr(log, "facts", down)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), directory=DIRECTORY)
    assert (found.health.state, found.health.proved, found.health.good_enough) == ("unreadable", False, False)
    assert "hangs. Look at it." in found.remedy and "cannot be known" in found.remedy
    (found,) = look(*lists(stage=document("1", 9)), directory=DIRECTORY)
    assert found.health.state == "unscheduled"


def test_a_system_that_hangs_is_said_to_hang():
    calls = list(lists(stage=document("1", 9), jobs=[job()]))
    late = Unreachable("It did not answer within 30 s.", sent=True, timed_out=True)
    calls[2:3] = [call("POST", "system", late, params={"_action": "test"}), *connectors()]
    (found,) = look(*calls)
    assert (found.health.state, found.facts.ok) == ("unavailable", False)
    assert "hangs" in found.remedy


def test_a_token_of_another_type_is_known_before_a_run_fails_at_it():
    text = {**document("1", "9"), "connectorData": {"nativeType": "string", "syncToken": "9"}}
    (found,) = look(*lists(stage=text, jobs=[job()]))
    assert found.health.state == "failing"
    assert "stored as string" in found.remedy and "native_type: integer" in found.remedy


def test_a_number_in_quotes_is_a_number(log):
    log.ends = [8]
    seen = []
    log.facts = lambda self, token, *noted: seen.append(token) or LogFacts(1, 8, True, (), True, 0, 0)
    (found,) = look(*lists(stage=document("1", "9"), jobs=[job()]), directory=DIRECTORY)
    assert (found.health.state, seen) == ("ahead", [9])


def test_a_source_without_any_mapping_consumes_its_changes():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], maps=()))
    assert found.health.state == "disabled"
    assert "No mapping has this source" in found.remedy


def test_a_change_log_that_counts_anew_is_ahead_by_what_was_noted_of_a_load_or_a_run(log, monkeypatch):
    noted = {"number": 7, "time": "2026-11-24T17:00:07Z", "csn": "a"}
    seen = []

    def facts(self, token, anchors, loads):
        seen.append([one.number for one in anchors if one])
        return LogFacts(1, 9, True, (), True, 0, 0, anew="It has begun to count anew. Run the role livesync.")

    monkeypatch.setattr(log, "facts", facts)
    loaded = job()
    load = {"one": {"recon": "r", "time": OLD, "base_point": noted}, "two": {"recon": "r", "time": OLD}}
    loaded["invokeContext"]["initialLoad"] = load
    last = {"time": OLD, "outcome": "advanced", "anchor": {**noted, "number": 8}}
    ours = {"_id": "idmops-SYSTEMLDAPACCOUNT", "_rev": "3", "last_run": last}
    (found,) = look(*lists(stage=document("1", 9), jobs=[loaded], beside=[ours]), directory=DIRECTORY)
    told = found.as_result()
    assert seen[0] == [8, 7] and (told["state"], told["good_enough"]) == ("ahead", False)
    assert "count anew" in told["remedy"] and "role livesync" in told["remedy"]
    assert "anchor" not in told["last_run"]


def test_what_the_change_log_hides_is_told_and_never_healthy(log, monkeypatch):
    gap = Gap("s1", "left_out", "c1", None, "m")
    gaps = Gaps((gap,), "It leaves out one.", "It numbers nothing.", "Not all was looked at.")
    monkeypatch.setattr(module, "read_gaps", lambda *unused, **more: gaps)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), directory=DIRECTORY)
    told = found.as_result()
    assert (told["state"], told["good_enough"], told["gaps"]) == ("gapped", False, [gap.as_result()])
    assert told["remedy"] == "It numbers nothing. It leaves out one."
    gaps = Gaps(doubt="Not all was looked at.")
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), directory=DIRECTORY)
    assert found.health.state == "healthy" and "Not all was looked at." in found.remedy


def test_changes_that_get_their_numbers_while_status_looks_are_pending(log, monkeypatch):
    def recounted(self, found, token):
        return replace(found, last=11, pending=2, pending_inside=2)

    monkeypatch.setattr(log, "recounted", recounted)
    jobs = [job(cron="0 0 3 1 1 ? 2030", nextRunDate="2026-12-01T03:00:00.000Z")]
    (found,) = look(*lists(stage=document("1", 9), jobs=jobs), directory=DIRECTORY)
    assert (found.health.state, found.as_result()["pending"]) == ("lagging", 2)


def test_a_directory_that_goes_away_while_status_looks_is_not_healthy(log, monkeypatch):
    def recounted(self, found, token):
        raise DirectoryError("ds1 hung up.")

    monkeypatch.setattr(log, "recounted", recounted)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), directory=DIRECTORY)
    assert found.health.state == "unreadable" and "ds1 hung up." in found.remedy


def test_where_the_account_may_not_compare_what_is_hidden_that_is_said(log, monkeypatch):
    def read(*unused, **more):
        raise refused(403)

    monkeypatch.setattr(module, "read_gaps", read)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), directory=DIRECTORY)
    assert "Whether the change log hides changes cannot be known" in found.remedy


@pytest.mark.parametrize(
    ("status", "connector", "state"),
    [(503, None, "unreadable"), (500, None, "unreadable"), (501, None, "healthy"), (503, KEEPS, "healthy")],
)
def test_where_what_is_dropped_cannot_show_nothing_is_well(status, connector, state):
    """On Advanced Identity Cloud there is no audit to ask (501); a dead letter queue tells without it."""
    *asked, unused = lists(stage=document("1", 9), jobs=[job()], connector=connector)
    calls = (*asked, call("GET", "audit/sync", refused(status)), *([NO_LETTERS] if connector else [RAN]))
    if connector:
        calls = (*calls, RAN)
    (found,) = look(*calls[: len(calls) - (state == "unreadable")])
    assert (found.health.state, found.health.good_enough) == (state, state == "healthy")
    assert connector or "audit does not answer here" in found.remedy


def test_a_change_that_left_no_trace_was_dropped(log, monkeypatch):
    monkeypatch.setattr(log, "taken", lambda self, token: [Taken("a", "2026-11-24T10:30:00Z")])
    calls = (audit(entry()), audit(), call("GET", "audit/recon", {"result": []}))
    there = call("GET", SOURCE, {"result": [{"_id": "a"}]})
    calls, there = (*calls, there), audit(entry("2026-11-24T10:50:00.000Z", "another"))
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()]), *calls, there, directory=DIRECTORY)
    assert (found.health.state, [one.record for one in found.dropped]) == ("dropping", ["a"])
    assert "IDM's log tells" in found.dropped[0].cause
    kept = lists(stage=document("1", 9), jobs=[job()], connector=KEEPS)
    (found,) = look(*kept, NO_LETTERS, *calls, there, directory=DIRECTORY)
    assert found.health.state == "dropping"
    some = {**MAPPING, "sourceCondition": "x"}  # what it leaves out leaves a trace (seen on OpenIDM 6.1.0)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], maps=[some]), *calls, there, directory=DIRECTORY)
    assert found.health.state == "dropping"
    properties = {**CONNECTOR["configurationProperties"], "attributesToSynchronize": ["cn"]}
    filtered = {**CONNECTOR, "configurationProperties": properties}
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=filtered), directory=DIRECTORY)
    assert found.dropped == ()


@pytest.mark.parametrize(
    ("context", "does"),
    [
        ({"action": "liveSync", "source": "system/ldap/group"}, "runs liveSync of system/ldap/group"),
        ({"action": "testConfig", "source": SOURCE}, "runs the action testConfig of the service provisioner"),
        (
            {"action": "liveSync", "source": f"{SOURCE} "},
            f"names {SOURCE} , with blanks around it, and runs nothing",
        ),
        (
            {"action": "liveSync", "source": "system/LDAP/account"},
            "names system/LDAP/account, in another case, and runs",
        ),
    ],
)
def test_a_job_of_the_schedules_own_name_that_does_something_else_is_named(context, does):
    """The role and livesync_schedule refuse the name then; what the job keeps of the load still holds."""
    record = {"initialLoad": {"one": {"recon": "r", "time": OLD, "idm": []}}}
    taken = job("liveSync_ldap_account", invokeContext={**context, **record})
    (found,) = look(*lists(stage=document("1", 9), jobs=[taken]), sources=[SOURCE])
    assert found.health.state == "unscheduled"
    assert f"The job liveSync_ldap_account has the name of this source's schedule, and {does}" in found.remedy
    assert "the load of one is recorded there" in found.remedy and "no load is recorded" not in found.remedy
    assert found.remedy.count("The job liveSync_ldap_account") == 1
    assert f"set action to liveSync and source to {SOURCE} in its invokeContext (PUT scheduler/job/" in found.remedy
    taken["invokeContext"].pop("initialLoad")
    (found,) = look(*lists(stage=document("1", 9), jobs=[taken]), sources=[SOURCE])
    assert "The job liveSync_ldap_account" in found.remedy and "no load is recorded of one" in found.remedy


def test_a_job_of_that_name_that_invokes_what_there_is_not_is_told_what_to_set():
    odd = {**job("liveSync_ldap_account"), "invokeService": "Provisioner"}
    (found,) = look(*lists(stage=document("1", 9), jobs=[odd]), sources=[SOURCE])
    assert "invokes Provisioner, which runs nothing" in found.remedy
    assert "set invokeService to provisioner, action to liveSync and source" in found.remedy


LINKED = call("GET", "repo/link", {"result": [{"firstId": UUID}]})
BY_DN = {**KEEPS, "configurationProperties": {**KEEPS["configurationProperties"], "uidAttribute": "dn"}}


def test_a_connector_that_calls_entries_otherwise_than_their_links_is_the_cause_of_it_all():
    """Seen on OpenIDM 6.1.0: each change ends in FOUND_ALREADY_LINKED."""
    held = document("1", 9, failed_text(2), delta())
    calls = (*lists(stage=held, jobs=[job()], connector=BY_DN), NO_LETTERS, LINKED, call("GET", SOURCE, {"result": []}))
    (found,) = look(*calls, audit(entry(failed=True, cause="why")))
    assert found.health.state == "disabled"
    assert "knows entries by dn (uidAttribute), and the links of one know them by entryUUID" in found.remedy
    assert found.remedy.index("Set uidAttribute to entryUUID") < found.remedy.index("Then reconcile")


def test_a_change_that_has_arrived_was_not_dropped_whatever_audit_tells(log, monkeypatch):
    """With the topic sync switched off (config/audit) good changes leave no trace (seen on OpenIDM 6.1.0)."""
    monkeypatch.setattr(log, "taken", lambda self, token: [Taken("a", "2026-11-24T10:30:00Z")])
    found = Unarrived(compared=frozenset("a"), aside="A word.")
    monkeypatch.setattr(module, "read_unarrived", lambda *unused, **more: found)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=KEEPS), NO_LETTERS, directory=DIRECTORY)
    assert (found.health.state, found.dropped, found.remedy) == ("healthy", (), f"{UNLOADED} A word.")


def test_where_no_load_is_recorded_that_is_said_until_a_comparison_has_shown_what_is_there(log):
    """Who was there before the base point, and has not changed since, never comes by liveSync (seen on OpenIDM)."""
    log.ends = [12]
    moves = [stages(document("1", 9)), stages(document("2", 12)), audit()]
    (found,) = look(
        *lists(stage=document("1", 9), jobs=[job(nextRunDate="2026-11-24T11:00:05.000Z")]), *moves, directory=DIRECTORY
    )
    assert found.health.state == "healthy" and not found.health.proved and UNLOADED in found.remedy
    shown = judge_health(replace(found.facts, shown=frozenset({"one"})))
    assert shown.proved and UNLOADED not in (shown.remedy or "")
    of_another = judge_health(replace(found.facts, shown=frozenset({"two"})))
    assert not of_another.proved and UNLOADED in of_another.remedy


def loaded_by(*links, **more):
    load = {"one": {"recon": "r", "time": OLD, "idm": list(links)}}
    return job(**more, invokeContext={"action": "liveSync", "source": SOURCE, "initialLoad": load})


def links_there(*links):
    return call("GET", "repo/link", {"result": [{"_id": one} for one in links]})


ELSEWHERE = "The recorded load (r) was done on another IDM"


def test_a_load_that_another_idm_has_done_is_said_beside_the_state(log):
    """A configuration that was restored or promoted brings the record, and nobody whom it speaks of."""
    log.ends = [12]
    compared = {"_id": "idmops-SYSTEMLDAPACCOUNT", "_rev": "3", "arrived": {"by": "sample", "at": OLD, "checked": 9}}
    own = loaded_by("x", "y", nextRunDate="2026-11-24T11:00:05.000Z")
    moves = [stages(document("1", 9)), stages(document("2", 12)), audit()]

    def ask(*answers):
        before = lists(stage=document("1", 9), jobs=[own], beside=[compared])
        return look(*before, *answers, *moves, directory=DIRECTORY)[0].health

    found = ask(links_there(), links_there())
    assert (found.state, found.proved) == ("healthy", False)
    assert ELSEWHERE in found.remedy and "the role livesync loads" in found.remedy
    for answers in ([links_there("x")], [links_there(), links_there("y")], [call("GET", "repo/link", refused(403))]):
        found = ask(*answers)
        assert found.proved and ELSEWHERE not in (found.remedy or "")


def test_beside_what_has_not_arrived_it_is_said_too(log):
    (found,) = look(*lists(stage=document("1", 9), jobs=[loaded_by("x")]), links_there(), sources=[SOURCE])
    lost = judge_health(replace(found.facts, unarrived=("One has not arrived.",)))
    assert lost.state == "dropping" and lost.remedy.startswith("One has not arrived.") and ELSEWHERE in lost.remedy


def test_where_that_schedule_is_off_it_is_not_just_switched_on():
    calls = lists(stage=document("1", 9), jobs=[loaded_by("x", enabled=False)])
    (found,) = look(*calls, links_there())
    assert found.health.state == "unscheduled" and ELSEWHERE in found.remedy
    assert "enabled: true" not in found.remedy


def test_where_audit_is_told_to_keep_out_how_records_fared_nobody_is_called_given_up_on(log):
    policy = {**CONNECTOR, "syncFailureHandler": {"maxRetries": 0, "postRetryAction": "logged-ignore"}}
    mute = [{key: value for key, value in entry(record=one).items() if key not in TELLING} for one in ("a", "b", "c")]
    asked = lists(stage=document("1", 9), jobs=[job()], connector=policy, failed=mute)
    (found,) = look(*asked, audit_config(*(f"/sync/{name}" for name in TELLING)))
    assert found.health.state == "unreadable" and not found.health.proved and not found.dropped
    assert "status, action, situation is kept out of it" in found.remedy and "filterPolicies" in found.remedy
    assert "Which records failed cannot be known" in found.remedy and "correlation" not in found.remedy
    keeps = lists(stage=document("1", 9), jobs=[job()], connector=KEEPS, failed=mute)
    (found,) = look(*keeps, audit_config("/sync"), NO_LETTERS)
    assert found.health.state == "healthy"  # dead letters tell


TELLING = ("status", "action", "situation")


@pytest.mark.parametrize(
    ("status", "own", "state"),
    [
        *((status, True, "unreadable") for status in (403, 500, 503)),
        *((status, False, "unreadable") for status in (200, 302, 404, 500)),  # a log-in page, or a list
        *((501, own, "healthy") for own in (True, False)),
    ],
)
def test_where_the_account_may_not_read_what_would_tell_nothing_is_healthy(log, monkeypatch, status, own, state):
    def look_at(*unused, **more):
        raise refused(status, own=own)

    monkeypatch.setattr(module, "read_unarrived", look_at)
    (found,) = look(*lists(stage=document("1", 9), jobs=[job()], connector=KEEPS), NO_LETTERS, directory=DIRECTORY)
    assert found.health.state == state and not found.health.proved and "cannot be known" in found.remedy
    assert ("Look into IDM's log" in found.remedy) == (own and status in (500, 503))
    assert ("Something before IDM answers" in found.remedy) != own


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"invokeService": "provisioner.openicf"}, "The job odd invokes provisioner.openicf, which runs nothing"),
        ({"invokeService": "org.forgerock.openidm.provisioner.openicf"}, "which runs nothing"),
        ({"invokeService": "Provisioner"}, "The job odd invokes Provisioner, which runs nothing"),
        ({"invokeContext": {"action": "liveSync", "source": "system/LDAP/account"}}, "names system/LDAP/account"),
        ({"invokeContext": {"action": "activeSync", "source": "system/ldap/Account"}}, "names system/ldap/Account"),
        ({"invokeContext": {"action": "liveSync ", "source": SOURCE}}, "has the action liveSync , which runs nothing"),
        ({"invokeContext": {"action": "reconcile", "source": f"/{SOURCE}"}}, "has the action reconcile, which runs"),
        ({"invokeContext": {"source": SOURCE}}, "has the action None, which runs nothing"),
    ],
)
def test_a_job_that_seems_to_run_it_and_runs_nothing_is_named(changed, says):
    """Each seen on OpenIDM 6.1.0: it fires, and nothing happens."""
    odd = {**job("odd"), **changed}
    (found,) = look(*lists(stage=document("1", 9), jobs=[odd]), sources=[SOURCE])
    assert found.health.state == "unscheduled" and says in found.remedy
    (found,) = look(*lists(stage=document("1", 9), jobs=[{**odd, "enabled": False}]), sources=[SOURCE])
    assert says not in found.remedy


@pytest.mark.parametrize("action", ["activeSync", "livesync", "LIVESYNC"])
def test_both_words_for_the_action_run_it(action):
    """Seen on OpenIDM 6.1.0."""
    other = {**job(), "invokeContext": {"action": action, "source": f"/{SOURCE}"}}
    (found,) = look(*lists(stage=document("1", 9), jobs=[other]), RAN)
    assert found.health.state == "healthy"


def test_two_documents_of_one_connector_are_told():
    """Seen on OpenIDM 6.1.0: a copy under another alias keeps the name, and one of the two runs."""
    ids = [{"_id": f"provisioner.openicf/{alias}"} for alias in ("ldap", "ldapold")]
    calls = [
        call("GET", "config", {"configurations": ids}),
        call("GET", "config", {"result": []}),
        call("GET", "config/provisioner.openicf/ldap", CONNECTOR),
        call("GET", "config/provisioner.openicf/ldapold", CONNECTOR),
        *lists(stage=document("1", 9), jobs=[job()])[2:],
    ]
    (found,) = look(*calls)
    assert found.health.state == "unavailable"
    assert "config/provisioner.openicf/ldap, config/provisioner.openicf/ldapold" in found.remedy


@pytest.mark.parametrize(
    ("enabled", "says"),
    [(False, "The connector ldap is disabled. Set"), (True, "The test of the connector ldap (")],
)
def test_a_connector_that_is_not_tested_is_not_one_that_is_not_there(enabled, says):
    calls = list(lists(stage=document("1", 9), jobs=[job()], connector={**CONNECTOR, "enabled": enabled}))
    calls[2] = call("POST", "system", [])
    (found,) = look(*calls)
    assert found.health.state == "unavailable" and says in found.remedy
    assert "add the connector" not in found.remedy


def test_a_connector_whose_document_has_been_removed_is_told():
    calls = list(lists(stage=document("1", 9), jobs=[job()]))
    calls[:2] = [call("GET", "config", {"configurations": [{"_id": "sync"}]}), call("GET", "config", {"result": []})]
    (found,) = look(*calls)
    assert found.health.state == "unavailable" and "document has been removed" in found.remedy


@pytest.mark.parametrize(
    ("queue", "answered", "state", "says"),
    [
        ({"enabled": True}, {"totalPagedResults": 0, "result": []}, "healthy", None),
        ({"enabled": True}, refused(404), "healthy", None),
        ({"enabled": True}, refused(403), "healthy", "What waits in the queue of on cannot be known"),
        ({"enabled": False}, refused(500), "healthy", "What waits in the queue of on cannot be known"),
        (
            {"enabled": True},
            {"totalPagedResults": 7, "result": [{"_id": "1", "createDate": "2026-11-24T10:00:00.123456789Z"}]},
            "lagging",
            "7 events wait in the queue of on, the oldest since 2026-11-24T10:00:00",
        ),
        (
            {"enabled": True},
            {"totalPagedResults": 7, "result": [{"_id": "1", "createDate": "2026-11-24T10:59:00.1Z"}]},
            "healthy",
            None,
        ),
        ({"enabled": True}, refused(500), "healthy", "the queue of on cannot be known"),
        ({"enabled": True}, {"totalPagedResults": 0, "result": None}, "healthy", "the queue of on cannot be known"),
        ({"enabled": True}, {"totalPagedResults": 7, "result": [{"_id": "1"}]}, "healthy", "since when is not told"),
        ({"enabled": False}, {"totalPagedResults": 7, "result": [{"_id": "1"}]}, "disabled", "switch queuedSync on"),
    ],
)
def test_what_waits_in_a_queue_after_the_target(queue, answered, state, says):
    """The shapes are those of a live tenant ("... as others met it live", section 6)."""
    on = {"name": "on", "source": "managed/user", "target": "system/hr/person", "queuedSync": queue}
    asked = call("GET", "sync/queue", answered)
    ran = [] if state == "disabled" else [RAN]
    (found,) = look(
        *lists(stage=document("1", 9), jobs=[job()], maps=[MAPPING, on], connector=KEEPS), NO_LETTERS, asked, *ran
    )
    assert found.health.state == state
    assert says is None or says in found.remedy


def test_two_schedules_that_meet_come_before_the_record_that_fails_by_that():
    failing = document("1", 9, failed_text(1), delta())
    answered = lists(stage=failing, jobs=[job("a"), job("b")])
    (found,) = look(*answered, call("GET", "audit/sync", {"result": []}))
    assert found.health.state == "failing" and "More than one schedule" in found.remedy


def test_two_schedules_of_one_source_are_not_well():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job("a"), job("b")]))
    assert found.health.state == "failing"
    assert "a, b" in found.remedy


def test_a_schedule_that_is_off_is_not_all_that_is_needed_where_no_load_is_recorded():
    (found,) = look(*lists(stage=document("1", 9), jobs=[job(enabled=False)]))
    assert "no load is recorded of one" in found.remedy and "role livesync" in found.remedy
    record = {"one": {"recon": "r", "time": OLD, "idm": []}}
    loaded = job(enabled=False)
    loaded["invokeContext"]["initialLoad"] = record
    (found,) = look(*lists(stage=document("1", 9), jobs=[loaded]))
    assert found.remedy == "Enable the schedule of this source: idmops.idm.livesync_schedule with enabled: true."
    (found,) = look(*lists(jobs=[loaded]))
    assert found.health.state == "unscheduled" and "idmops.idm.livesync_schedule" not in found.remedy
    assert "no token is stored: enabling alone would begin at the end of the change log" in found.remedy
    assert "Run the role livesync, which takes a base point, loads, and then enables." in found.remedy


def test_a_run_that_is_still_going_on_a_second_later_is_not_watched(log):
    log.ends = [12]
    it = context()
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    second = (stages(document("1", 9)), executing(SOURCE))
    (found,) = look(*calls, *second, directory=DIRECTORY, it=it)
    assert (found.health.state, found.health.proved, it.clock.slept) == ("running", True, 1.0)


def test_a_run_seen_in_passing_does_not_hide_that_runs_leave_what_is_pending(log):
    """A schedule of a second: whoever looks meets a run now and then, and the next one a second later, too."""
    log.ends = [12]
    it = context()
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    second = (stages(document("2", 9)),)
    looks = [stages(document("3", 9))] * 10
    (found,) = look(*calls, *second, *looks, directory=DIRECTORY, it=it)
    assert (found.health.state, found.health.proved, found.as_result()["running"]) == ("dormant", True, False)


def test_a_run_that_failed_in_passing_is_over_too(log):
    log.ends = [12]
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    second = (stages(document("1", 9)), executing(), schedules(due(5)))
    (found,) = look(*calls, *second, stages(document("2", 12)), audit(), directory=DIRECTORY)
    assert (found.health.state, found.facts.running) == ("healthy", False)


def test_a_job_that_another_node_runs_shows_in_its_trigger():
    calls = lists(stage=document("1", 9), jobs=[job(triggers=[{"state": 4}])])
    (found,) = look(*calls[:-1], cluster(OLD, NEW), calls[-1])
    assert found.health.state == "running"
    (found,) = look(*calls[:-1], cluster(OLD), calls[-1], RAN)
    assert found.health.state == "healthy"


def test_a_job_whose_source_is_none_stops_nobody():
    jobs = [job("odd", "ldap"), job("older", "system/ldap"), job()]
    assert [str(found.source) for found in look(*lists(stage=document("1", 9), jobs=jobs), RAN)] == [SOURCE]


def test_a_run_seen_in_passing_that_moves_the_token_is_proof(log):
    log.ends = [12]
    calls = lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE])
    second = (stages(document("2", 12)),)
    (found,) = look(*calls, *second, stages(document("2", 12)), audit(), directory=DIRECTORY)
    assert (found.health.state, found.health.proved, found.facts.token) == ("healthy", True, 12)


def test_a_run_that_leaves_nothing_pending_is_not_looked_at_again(log):
    it = context()
    (found,) = look(*lists(stage=document("1", 9), jobs=[due(5)], running=[SOURCE]), directory=DIRECTORY, it=it)
    assert (found.health.state, it.clock.slept) == ("running", 0.0)


# Which directory is whose


def connector(name="ldap", host="ds1.example.com", **more):
    properties = {"host": host, "port": 1389, "principal": "uid=idm", "baseContexts": ["ou=People"], **more}
    return Connector.parse({**CONNECTOR, "name": name, "configurationProperties": properties})


def servers(*uris):
    return {**DIRECTORY, "servers": list(uris)}


def test_no_directory_is_none():
    assert directories(None, [connector()], context()) == {}
    assert directories(servers("ldap://a"), [], context()) == {}
    assert directories(servers("ldap://a"), [connector(useTimestampsForSync=True)], context()) == {}


def test_a_server_alone_is_that_of_a_connector_alone():
    assert directories(servers("ldap://other"), [connector()], context()) == {"ldap": "ldap://other"}


def test_with_several_connectors_the_hosts_must_fit():
    it = context()
    given = servers("ldaps://ds1.example.com:4444")
    found = directories(given, [connector(), connector("hr", "ds9.example.com")], it)
    assert found == {"ldap": "ldaps://ds1.example.com:4444"}
    assert "connector hr" in it.report.warnings[0]


def test_with_several_servers_one_must_fit():
    given = servers("ldap://ds1.example.com", "ldap://ds2.example.com")
    assert directories(given, [connector()], context()) == {"ldap": "ldap://ds1.example.com"}
    with pytest.raises(InvalidOption):
        directories(given, [connector(host="ds9.example.com")], context())


# What is read of a change log


@pytest.fixture
def directory(monkeypatch):
    """A directory whose change log holds 5 to 12; the calls to it are counted."""
    asked = []

    def answer(name, value):
        def ask(*arguments, **unused):
            asked.append(name)
            if isinstance(value, Exception):
                raise value
            return value(*arguments) if callable(value) else value

        monkeypatch.setattr(log_reader, name, ask)

    class Fake(Keeping):
        def __init__(self, options, url, it):
            self.uri = url

        def close(self):
            asked.append("close")

        def search(self, base, scope, search_filter, attributes):
            asked.append(search_filter)
            return []

    monkeypatch.setattr(log_reader, "Directory", Fake)
    answer("first_change_log", log_reader.ChangeLog(5, 12, log_reader.NUMBERS, "cn=directory"))
    answer("unrecorded", ())
    answer("alias_search_works", True)
    answer("judge_access", lambda *unused: Access(True, True, True))
    answer("judge_whose", log_reader.Whose())
    answer("pending_changes", lambda found, log, token, contexts: _log_reader_pending(log, token))
    answer.asked = asked
    return answer


def _log_reader_pending(log, token):
    return Pending(log.last - token, log.last - token - 1)


def test_facts_are_read_once_for_all_tokens(directory):
    with LogReader(DIRECTORY, "ldap://localhost:1389", connector(), context()) as log:
        assert log.facts(9) == LogFacts(
            5, 12, True, (), True, 3, 2, account="uid=idm", server="ldap://localhost:1389", doubt=""
        )
        assert log.facts(10).pending == 2
        assert log.facts(None).pending is None
        assert log.last() == 12
        assert log.target_of(7) is None
    asked = directory.asked
    assert [asked.count(name) for name in ("first_change_log", "judge_access", "alias_search_works")] == [1, 1, 1]
    assert asked[-2:] == ["(&(objectClass=changeLogEntry)(changeNumber=7))", "close"]


def test_where_placeholders_hide_the_base_contexts_nobody_knows_what_lies_inside(directory):
    hidden = connector(baseContexts=["&{esv.base}"])
    with LogReader(DIRECTORY, "ldap://localhost:1389", hidden, context()) as log:
        assert (log.facts(9).pending, log.facts(9).pending_inside) == (3, None)


def test_base_contexts_that_are_no_names_are_not_compared(directory):
    quoted = connector(baseContexts=['ou="People, Inc",dc=example,dc=com'])
    with LogReader(DIRECTORY, "ldap://localhost:1389", quoted, context()) as log:
        assert (log.facts(9).pending, log.facts(9).pending_inside) == (3, None)


def test_a_log_without_numbers_is_of_no_use(directory):
    for found in (None, log_reader.ChangeLog(0, 0, "cookies_only", "cn=changelog")):
        directory("first_change_log", found)
        with LogReader(DIRECTORY, "ldap://x", connector(), context()) as log:
            assert log.facts(9) == LogFacts(usable=False)
            assert log.last() is None


def test_an_account_that_lies_elsewhere_cannot_be_judged(directory):
    directory("judge_access", DirectoryError("no such account", status=32))
    assert LogReader(DIRECTORY, "ldap://x", connector(), context()).facts(9).missing is None
    directory("judge_access", DirectoryError("down"))
    with pytest.raises(DirectoryError):
        LogReader(DIRECTORY, "ldap://x", connector(), context()).facts(9)


def test_the_numbers_of_another_server_are_an_error(directory):
    directory("judge_whose", log_reader.Whose(log_reader.OTHER, "it is not"))
    for ask in (lambda log: log.facts(9), lambda log: log.last(), lambda log: log.target_of(7)):
        with pytest.raises(DirectoryError, match="it is not"):
            ask(LogReader(DIRECTORY, "ldap://x", connector(), context()))
    assert "read_change_log" not in directory.asked


def test_with_several_connectors_another_ones_server_is_no_error(directory):
    directory("judge_whose", log_reader.Whose(log_reader.OTHER, "it is not"))
    it = context()
    log = LogReader(DIRECTORY, "ldap://x", connector("hr"), it, sole=False)
    assert (log.facts(9), log.last(), log.target_of(7)) == (None, None, None)
    assert len(it.report.warnings) == 1 and "changes of hr. it is not" in it.report.warnings[0]


@pytest.mark.parametrize(("host", "used"), [("ds1.example.com", False), (None, True)])
def test_the_numbers_of_a_server_under_another_name_are_not_used(directory, host, used):
    """Where the connector's configuration hides its host, the user's word is all that there is."""
    directory("judge_whose", log_reader.Whose(log_reader.UNKNOWN, "who knows.", hidden=host is None))
    it = context()
    log = LogReader(DIRECTORY, "ldap://x", connector(host=host), it)
    assert (log.last() == 12, log.facts(9) is not None) == (used, used)
    assert len(it.report.warnings) == 1 and "who knows" in it.report.warnings[0]
    assert ("taken at your word" if used else "not used") in it.report.warnings[0]


@pytest.mark.parametrize("judged", [True, False])
def test_a_server_whose_ports_may_not_be_read_is_named_with_the_right_that_is_lacking(directory, judged):
    """Seen: the source was healthy, and the directory that was given was passed over beside it."""
    found = log_reader.Whose(log_reader.UNKNOWN, "It may not read.", remedy="Let it read.", lacks=True)
    directory("judge_whose", found)
    it = context()
    log = LogReader(DIRECTORY, "ldap://x", connector(), it, momentary=judged)
    if judged:
        with pytest.raises(DirectoryError, match="may not read") as caught:
            log.facts(9)
        assert caught.value.remedy == "Let it read." and not it.report.warnings
    else:
        assert log.facts(9) is None and "They are not used. Let it read." in it.report.warnings[0]


def test_without_a_directory_nothing_is_known():
    for log in (LogReader(None, None, connector(), context()), LogReader(DIRECTORY, None, connector(), context())):
        with log:
            assert (log.facts(9), log.last(), log.target_of(7), log.missing) == (None, None, None, None)


def scripted(text):
    return {**job("hr-sync"), "invokeService": "org.forgerock.openidm.script",
            "invokeContext": {"script": {"type": "text/javascript", "source": text}}}  # fmt: skip


def test_a_script_that_calls_livesync_beside_the_schedule_is_one_too_many():
    calls = scripted(f"openidm.action('{SOURCE}', 'liveSync', {{}}, {{}});")
    (found,) = look(*lists(stage=document("1", 9), jobs=[job(), calls]))
    assert found.health.state == "failing" and "hr-sync" in found.remedy
    (found,) = look(*lists(stage=document("1", 9), jobs=[calls]), sources=[SOURCE])
    assert found.health.state == "unscheduled"
    assert "The job hr-sync calls liveSync of it by a script" in found.remedy
    for harmless in (scripted(f"openidm.read('{SOURCE}/a')"), {**calls, "enabled": False}):
        (found,) = look(*lists(stage=document("1", 9), jobs=[job(), harmless]), RAN)
        assert found.health.state == "healthy"


def test_a_load_that_is_still_to_come_has_forgotten_nothing():
    """A record that was put back from elsewhere, or a clock that ran ahead (seen on OpenIDM 6.1.0)."""
    ours = {"action": "liveSync", "source": SOURCE}
    times = ("2027-11-28T00:00:00Z", "2026-11-24T10:00:00Z")
    records = [{**ours, "initialLoad": {"one": {"time": time}}} for time in times]
    schedules = [Schedule.parse(job(invokeContext=record)) for record in records]
    now = "2026-11-24T12:00:00Z"
    assert [judged.loads_of([one], now)["one"] for one in schedules] == ["", "2026-11-24T10:00:00Z"]
    assert judged.loads_of(schedules[:1])["one"].startswith("2027")

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sources, several runs, other runs: what is sent in which order, and what is told of it."""

from __future__ import annotations

import pathlib
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import Anchor
from ansible_collections.idmops.idm.plugins.module_utils._health.arrived import Unarrived
from ansible_collections.idmops.idm.plugins.module_utils._health.dropped import Dropped
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import LogFacts
from ansible_collections.idmops.idm.plugins.module_utils._health.gapped import LEFT_OUT, UNNUMBERED, Gap, Gaps
from ansible_collections.idmops.idm.plugins.module_utils._health.standby import Standby
from ansible_collections.idmops.idm.plugins.module_utils._health.states import outside, said_of_unloaded
from ansible_collections.idmops.idm.plugins.module_utils._health.touched import Hidden
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.record_failure import parse_failure
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync import catch_up
from ansible_collections.idmops.idm.plugins.module_utils._livesync import trigger as module
from ansible_collections.idmops.idm.plugins.module_utils._livesync.backlog import BY_MAPPING, Reconciled
from ansible_collections.idmops.idm.plugins.module_utils._livesync.one_run import Mark, Patience
from ansible_collections.idmops.idm.plugins.module_utils._livesync.trigger import Request, request_of, trigger
from ansible_collections.idmops.idm.plugins.module_utils._record.lock import lock_directory, run_lock
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import note, note_gaps, read_record
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    CONNECTOR,
    DN,
    OLD,
    SOURCE,
    LiveSyncClient,
    answer,
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
    no_audit,
    no_calls,
    no_stage,
    post,
    schedules,
    stage,
    version,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import Traced, call, context, cut, down, refused

LDAP = Source.parse(SOURCE)
OPTIONS = {
    "sources": [SOURCE],
    "endpoint": "resource",
    "wait": True,
    "follow": None,
    "wait_timeout": 3600.0,
    "stall_timeout": 300.0,
    "until_caught_up": False,
    "on_record_failure": "fail",
    "if_running": "wait",
    "detailed_failure": False,
    "parallel": 4,
    "reactivate": False,
    "directory": None,
    "lock": "local",
}
DIRECTORY = {"servers": ["ldap://localhost:1389"], "bind_dn": "uid=admin", "bind_password": "x"}
RACE = refused(500, "Update rejected as current Object revision is different than expected by caller")


#: A policy under which nothing is dropped unseen, so that audit is not asked whether it would show.
KEEPS = {**CONNECTOR, "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "dead-letter-queue"}}
MAPPED = {"name": "one", "source": SOURCE, "target": "managed/user"}
OFF = {**MAPPED, "name": "two", "enableSync": False}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def tested(monkeypatch):
    """The tests that connectors are given; each is well."""
    tested = []
    for where in (module, catch_up):
        monkeypatch.setattr(
            where, "checked", lambda client, it: tested.append(it.name) or ConnectorTest(it.name, True, None, True)
        )
    return tested


class FakeLog:
    """A change log that ends at ``end``; its account lacks ``missing``."""

    end = None
    directory = None
    unrecorded = ()
    denied_by: tuple = ()
    whose = None
    missing = ()
    first = 1
    others = Standby()
    anew = reached = None

    def __init__(self, *unused):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def last(self):
        return self.end

    strange = False

    def seen(self, number, anchor):
        return None if self.strange else number

    def outside(self, token, anchors=(), loads=()):
        return outside(self.first, self.end, token, self.anew if any(anchors) else None)

    def anchor(self, number):
        return Anchor(number, "2026-11-24T17:19:26Z", "csn")

    def facts(self, token):
        if self.end is None:
            return None
        return LogFacts(
            *(self.first, self.end, True, self.missing, True, self.end - token, self.end - token),
            denied_by=self.denied_by,
            account="uid=idm",
            server="ldap://ds1",
        )

    def target_of(self, number):
        return f"uid=of.{number}"

    def hidden(self, token, **unused):
        return Hidden()

    def standby(self, token):
        return self.others

    def now(self):
        return None


@pytest.fixture
def log(monkeypatch):
    log = type("Log", (FakeLog,), {})
    monkeypatch.setattr(module, "LogReader", log)
    return log


def lists(*jobs, connector=None, mappings=(MAPPED, {**MAPPED, "name": "of_groups", "source": "system/ldap/group"})):
    """What is read before any source is looked at."""
    return (*connectors(connector or KEEPS), *maps(*mappings), version(), schedules(*jobs))


def maps(*mappings):
    return (call("GET", "config/sync", {"mappings": list(mappings)}), call("GET", "config", {"result": []}))


def before(rev="1", token=5):
    """What is read before a POST."""
    return stage(rev, token), cluster(OLD)


def run(*calls, check=False, client=None, **options):
    """Trigger against these answers; return the result and the context. A failure is a result with ``failed``."""
    client = client or LiveSyncClient(*calls, check_mode=check)
    it = context(check_mode=check)
    try:
        result = trigger(client, request_of({**OPTIONS, **options}), it)
    except IdmopsError as exc:
        result = {**exc.as_result(), "failed": True}
    client.finished()
    return result, it


def shown(*calls, **how):
    """Return a client of an IDM where a comparison has shown that what was there before has arrived."""
    client = LiveSyncClient(*calls, **how)
    note(client, LDAP, arrived={"by": "sample", "mappings": ["one"]})
    return client


# Options


@pytest.mark.parametrize("name", ["wait_timeout", "stall_timeout", "parallel"])
def test_numbers_must_be_above_zero(name):
    with pytest.raises(InvalidOption, match=name):
        request_of({**OPTIONS, name: 0})


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ({"sources": ["nonsense"]}, "sources: 'nonsense'"),
        ({"sources": ["nonsense"], "source": ["nonsense"]}, "source: 'nonsense'"),
        ({"sources": [], "source": []}, "source: []"),
        ({"sources": None, "follow": []}, "follow: []"),
    ],
)
def test_an_error_calls_an_option_as_the_user_did(written, named):
    with pytest.raises(InvalidOption) as caught:
        request_of({**OPTIONS, **written})
    assert caught.value.message.startswith(f"{named} cannot be used.")


def test_a_source_that_is_named_twice_is_one():
    request = request_of({**OPTIONS, "sources": [SOURCE, f"/{SOURCE}/", "system/ldap/group", "system/LDAP/account"]})
    assert [str(source) for source in request.sources] == ["system/LDAP/account", "system/ldap/group"]


def test_no_source_is_refused():
    with pytest.raises(InvalidOption, match="Name at least one"):
        request_of({**OPTIONS, "sources": []})


def test_what_is_followed_is_a_source_too():
    follow = [{"source": SOURCE, "rev": "1", "token": 5, "startup": OLD}]
    request = request_of({**OPTIONS, "sources": None, "follow": follow})
    assert request.sources == (LDAP,)
    assert request.follow == {LDAP: Mark(rev="1", token=5, startup=OLD)}


@pytest.mark.parametrize(
    ("source", "words"), [("system/nowhere/account", "it has: ldap"), ("system/ldap/x", "it has: account, group")]
)
def test_a_source_that_is_not_there_is_refused_before_anything_is_run(source, words):
    result, unused = run(*connectors(), sources=[SOURCE, source])
    assert result["failed"]
    assert words in result["msg"]


def test_a_directory_that_is_not_the_connectors_is_refused_before_anything_is_run():
    servers = ["ldap://a.example.com", "ldap://b.example.com"]
    result, unused = run(*connectors(), directory={**DIRECTORY, "servers": servers})
    assert "local to a server" in result["msg"]


def test_check_mode_asks_whose_directory_it_is(log):
    """The run itself would fail: what is not said in check mode is a prediction of success."""

    def whose(self):
        raise DirectoryError("it is not the server that the connector reads")

    log.whose = property(whose)
    result, unused = run(*lists(), check=True, directory=DIRECTORY)
    assert result["failed"] and "it is not the server" in result["msg"]


# One run


def test_one_run_and_all_that_is_asked_for_it():
    result, it = run(*lists(), executing(), *before(), post(answer(9)))
    assert result["changed"]
    assert result["diff"] == {"before": {SOURCE: {"sync_token": 5}}, "after": {SOURCE: {"sync_token": 9}}}
    (told,) = result["runs"]
    assert told == {
        "source": SOURCE,
        "outcome": "advanced",
        "token_before": 5,
        "token_after": 9,
        "native_type": "integer",
        "failure": None,
        "skipped_records": [],
        "attributed": True,
        "restarted": False,
        "proved": False,
        "caught_up_by": "livesync",
        "reconciliation": None,
        "error": None,
        "remedy": None,
        "transaction_id": None,
        "duration_ms": 0,
        "runs": 1,
        "changes": 4,
        "rate": None,
        "lock": "local",
    }
    assert it.report.warnings == []


def test_nothing_to_do_and_the_first_run():
    result, unused = run(*lists(), executing(), *before(), post(answer(5)))
    assert (result["changed"], result["runs"][0]["outcome"]) == (False, "unchanged")
    result, unused = run(*lists(), executing(), no_stage(), cluster(OLD), post(answer(5)))
    assert (result["changed"], result["runs"][0]["outcome"]) == (True, "baseline")


def test_a_base_point_proves_nothing_of_what_was_there_before(log):
    log.end = 5
    calls = (*lists(), executing(), no_stage(), cluster(OLD), post(answer(5)))
    result, it = run(*calls, directory=DIRECTORY, until_caught_up=True)
    assert (result["runs"][0]["outcome"], result["runs"][0]["proved"]) == ("baseline", False)
    assert "comes by a load (role livesync)" in it.report.warnings[0]


def test_check_mode_reads_and_runs_nothing():
    result, unused = run(*lists(), stage("1", 5), check=True)
    assert (result["changed"], result["runs"][0]["outcome"]) == (True, "planned")
    assert result["diff"]["after"] == {SOURCE: {"sync_token": "(as the run finds it)"}}


def test_an_error_of_idm_fails_the_task_with_its_run():
    text = "Failed to get OperationOptionsBuilder: Unable to locate the replication change log"
    result, unused = run(*lists(), executing(), *before(), post(refused(500, text)))
    assert result["failed"]
    assert (result["status"], result["runs"][0]["outcome"], result["changed"]) == (500, "failed", False)
    assert "changelog_access" in result["remedy"]


def test_a_task_that_does_not_wait():
    result, unused = run(*lists(), executing(), *before(), post(cut()), wait=False)
    assert result["runs"][0]["outcome"] == "started"
    assert result["runs"][0]["follow"] == {
        "source": SOURCE,
        "rev": "1",
        "token": 5,
        "startup": OLD,
        "last_change_number": None,
        "began": "2026-11-24T11:00:00Z",
        "failing": None,
        "transaction": result["runs"][0]["follow"]["transaction"],
    }
    assert result["runs"][0]["follow"]["transaction"].startswith("idmops-")
    follow = [result["runs"][0]["follow"]]
    # the mark that the first task has left does not hold up the task that follows it
    result, unused = run(
        *(*lists(), executing(), *before("2", 9), cluster(OLD), no_calls(), stage("2", 9)), sources=None, follow=follow
    )
    assert (result["runs"][0]["outcome"], result["runs"][0]["changes"], result["changed"]) == ("advanced", 4, True)


# Several sources


def test_sources_come_out_in_their_order_and_one_failure_does_not_stop_the_others():
    group = "repo/synchronisation/pooledSyncStage/SYSTEMLDAPGROUP"
    result, unused = run(
        *lists(),
        *(executing(), *before(), post(refused(404, "no"))),
        *(executing(), call("GET", group, document("1", 1)), cluster(OLD)),
        call("POST", "system/ldap/group", answer(2), headers=Traced(), timeout=3600.0),
        sources=[SOURCE, "system/ldap/group"],
    )
    assert result["failed"]
    assert [told["outcome"] for told in result["runs"]] == ["failed", "advanced"]
    assert result["msg"].startswith("1 of 2 sources failed: answered 404")
    assert result["changed"]


def test_systems_run_side_by_side_and_sources_of_one_after_the_other(monkeypatch):
    other = {**CONNECTOR, "name": "hr"}
    running, most, lock = {"ldap": 0, "hr": 0}, {"ldap": 0, "hr": 0, "all": 0}, threading.Lock()
    both = threading.Barrier(2, timeout=5)

    def tally(task, client):
        with lock:
            running[task.source.system] += 1
            most[task.source.system] = max(most[task.source.system], running[task.source.system])
            most["all"] = max(most["all"], sum(running.values()))
        both.wait()
        with lock:
            running[task.source.system] -= 1
        return module.Tally(task.source, "advanced")

    monkeypatch.setattr(module._SourceTask, "tally", tally)
    calls = (
        call(
            "GET",
            "config",
            {"configurations": [{"_id": "provisioner.openicf/ldap"}, {"_id": "provisioner.openicf/hr"}]},
        ),
        call("GET", "config", {"result": []}),
        call("GET", "config/provisioner.openicf/hr", other),
        call("GET", "config/provisioner.openicf/ldap", CONNECTOR),
        *(*maps(), version(), schedules()),
    )
    named = ["system/ldap/account", "system/ldap/group", "system/hr/account", "system/hr/group"]
    result, unused = run(*calls, sources=named)
    assert [told["source"] for told in result["runs"]] == named
    assert most == {"ldap": 1, "hr": 1, "all": 2}


# Other runs of the same source


def test_a_running_job_is_skipped_refused_or_waited_for():
    result, unused = run(*lists(), executing(SOURCE), stage("1", 5), if_running="skip")
    assert (result["runs"][0]["outcome"], result["changed"]) == ("skipped", False)
    result, unused = run(*lists(), executing(SOURCE), stage("1", 5), if_running="fail")
    assert result["failed"]
    assert "if_running=fail" in result["msg"]
    result, it = run(*lists(), executing(SOURCE), executing(SOURCE), executing(), *before(), post(answer(9)))
    assert result["runs"][0]["outcome"] == "advanced"
    assert it.clock.slept > 0


def test_a_job_that_does_not_end_fails_the_task():
    client = LiveSyncClient(*lists())
    plain = client._answer

    def look(method, path, *rest, **how):
        if client.calls:
            return plain(method, path, *rest, **how)
        return executing(SOURCE)[-1] if method == "POST" else document("1", 5)

    client._answer = look
    result, it = run(client=client, wait_timeout=20.0)
    assert result["failed"]
    assert "longer wait_timeout" in result["remedy"]
    assert it.clock.slept == pytest.approx(20.0)


def test_a_task_on_the_same_host_is_waited_for(tmp_path):
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0):
        result, unused = run(*lists(), stage("1", 5), if_running="skip")
        assert result["runs"][0]["outcome"] == "skipped"
        result, it = run(*lists(), stage("1", 5), wait_timeout=7.0)
        assert result["failed"]
        assert it.clock.slept == pytest.approx(7.0)


@pytest.mark.parametrize("ok", [True, False])
def test_a_run_that_is_waited_for_in_vain_may_hang_with_its_system(monkeypatch, ok):
    error = None if ok else "the test has no end, as where the system hangs"
    tests = [ConnectorTest("ldap", True, None, True), ConnectorTest("ldap", ok, error, True)]
    monkeypatch.setattr(module, "checked", lambda *unused: tests.pop(0))
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0):
        result, unused = run(*lists(), stage("1", 5), wait_timeout=7.0)
    assert ("as where the system hangs" in result["remedy"]) is not ok
    assert "longer wait_timeout" in result["remedy"]


def test_a_second_schedule_is_warned_of():
    unused, it = run(*lists(job(), job("second")), executing(), schedules(job()), *before(), post(answer(9)))
    assert any("nightly, second" in said and "Remove all but one" in said for said in it.report.warnings)


def test_a_lock_that_cannot_be_had_ends_its_source_alone():
    group = "system/ldap/group"
    with run_lock(LiveSyncClient.url, Source("ldap", "group").stage_id, context(), wait=0.0):
        folder = pathlib.Path(lock_directory())
        (file,) = folder.iterdir()
    file.unlink()
    file.symlink_to("/dev/null")
    result, unused = run(*lists(), executing(), *before(), post(answer(9)), sources=[group, SOURCE])
    assert [one["outcome"] for one in result["runs"]] == ["failed", "advanced"]
    assert result["failed"] and f"{folder} for the locks" in result["runs"][0]["error"]
    assert "XDG_CACHE_HOME" in result["runs"][0]["remedy"]


def left_behind(**mark):
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0) as lock:
        lock.remember({"rev": "1", "token": 5, "startup": OLD, "began": "2026-11-24T10:59:30Z", **mark})


def test_a_run_that_an_interrupted_task_has_left_is_waited_for():
    left_behind()
    alive = (stage("1", 5), cluster(OLD), no_audit())
    result, unused = run(*lists(), *alive, stage("1", 5), if_running="skip")
    assert result["runs"][0]["outcome"] == "skipped"
    result, unused = run(*lists(), *alive, *alive, stage("2", 8), executing(), *before("2", 8), post(answer(9)))
    assert result["runs"][0]["token_before"] == 8
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0) as lock:
        assert lock.remembered() is None


def test_a_run_that_has_been_silent_for_long_is_not_waited_for():
    left_behind(began="2026-11-24T10:00:00Z")
    result, unused = run(*lists(), stage("1", 5), cluster(OLD), no_audit(), executing(), *before(), post(answer(9)))
    assert result["runs"][0]["outcome"] == "advanced"


@pytest.mark.parametrize(
    ("sent", "remembered"),
    [([post(down())], False), ([post(refused(500, "no"))], False), ([post(answer(9))], False), ([post(cut())], True)],
)
def test_a_run_is_remembered_while_its_end_is_not_known(sent, remembered):
    run(*lists(), executing(), *before(), *sent, wait=False)
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0) as lock:
        assert bool(lock.remembered()) is remembered


def test_a_lost_race_is_repeated_once_after_quiet(monkeypatch):
    waited = []
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: waited.append(timeout) or True)
    result, unused = run(*lists(), executing(), *before(), post(RACE), *before("2", 8), post(answer(9)))
    assert (result["runs"][0]["outcome"], result["runs"][0]["runs"]) == ("advanced", 2)
    assert (result["runs"][0]["token_before"], result["runs"][0]["token_after"]) == (5, 9)
    result, unused = run(*lists(), executing(), *before(), post(RACE), *before("2", 8), post(RACE))
    assert result["failed"]
    assert result["runs"][0]["attributed"] is False
    assert "Nothing is lost" in result["remedy"]
    assert len(waited) == 2


def test_without_quiet_a_lost_race_is_not_repeated(monkeypatch):
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: False)
    result, unused = run(*lists(), executing(), *before(), post(RACE))
    assert (result["failed"], result["runs"][0]["runs"]) == (True, 1)


def raced(cause="Update rejected as current Object revision is different than"):
    return (
        *(post(answer(5, failure=failed_text())), stage("2", 5, failed_text(), delta())),
        audit(entry(failed=True, cause=cause)),
    )


def test_a_failure_that_another_run_caused_and_mended_is_none(monkeypatch):
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: True)
    result, unused = run(*lists(), executing(), *before(), *raced(), stage("3", 9))
    assert "failed" not in result
    assert (result["runs"][0]["outcome"], result["runs"][0]["attributed"]) == ("advanced", False)
    assert (result["runs"][0]["token_after"], result["runs"][0]["failure"]) == (9, None)


def test_a_failure_that_another_run_caused_is_said_to_be_that(monkeypatch):
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: True)
    result, unused = run(*lists(), executing(), *before(), *raced(), stage("2", 5, failed_text(), delta()))
    assert result["failed"]
    assert result["runs"][0]["failure"]["by_race"]
    assert "caused this, not the record" in result["msg"]
    assert "no two runs of the source meet" in result["remedy"]
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: False)
    result, unused = run(*lists(), executing(), *before(), *raced("More than one link found"))
    assert result["runs"][0]["failure"]["by_race"]
    assert "twice" in result["remedy"]


def test_what_a_lost_race_has_left_is_taken_once_the_other_run_has_ended(monkeypatch, log):
    monkeypatch.setattr(catch_up.LiveSync, "quiet", lambda self, timeout: True)
    log.end = 9
    again = (stage("2", 5, failed_text(), delta()), cluster(OLD), HEARD)
    result, unused = run(*lists(), executing(), *before(), *raced(), *again, post(answer(9)), until_caught_up=True)
    assert "failed" not in result
    assert (result["runs"][0]["outcome"], result["runs"][0]["runs"]) == ("advanced", 2)


# Records that fail

#: What audit tells of the record that a stage holds, before a POST.
HEARD = audit(entry(failed=True, cause="Policy validation failed"))


def failing(retries=0):
    return (
        *(post(answer(5, failure=failed_text(retries))), stage("2", 5, failed_text(retries), delta())),
        audit(entry(failed=True, cause="Policy validation failed")),
    )


def test_a_record_failure_fails_the_task_and_nothing_is_sent_again():
    result, unused = run(*lists(), executing(), *before(), *failing(1), until_caught_up=True)
    assert result["failed"]
    told = result["runs"][0]
    assert (told["outcome"], told["runs"]) == ("record_failed", 1)
    assert (told["failure"]["dn"], told["failure"]["attempt"], told["failure"]["allowed"]) == (DN, 2, 6)
    assert result["remedy"] == told["remedy"] == "Mend the record or the mapping before the next run."
    assert result["msg"].endswith(result["remedy"])
    assert result["msg"].count(result["remedy"]) == 1


def test_a_record_failure_that_is_to_be_a_warning():
    result, it = run(*lists(), executing(), *before(), *failing(), on_record_failure="warn")
    assert "failed" not in result
    assert result["runs"][0]["failure"]["cause"] == "Policy validation failed"
    assert "attempt 1 of 6" in it.report.warnings[0]


def test_a_deleted_record_is_named_from_the_change_log(log):
    log.end = 9
    xml = delta("DELETE", name=None)
    result, unused = run(
        *(*lists(), executing(), *before(), post(answer(5, failure=failed_text()))),
        *(stage("2", 5, failed_text(), xml), no_audit()),
    )
    assert result["runs"][0]["failure"]["dn"] == "uid=of.3"


@pytest.mark.parametrize("policy", ["fail", "warn"])
def test_a_record_that_idm_gave_up_on_is_a_failure_unless_it_is_to_be_a_warning(policy):
    result, it = run(
        *(*lists(), executing(), stage("1", 5, failed_text(4), delta()), cluster(OLD), HEARD, post(answer(9))),
        audit(entry(failed=True, cause="Policy validation failed")),
        on_record_failure=policy,
    )
    told = result["runs"][0]
    assert (told["outcome"], [record["dn"] for record in told["skipped_records"]]) == ("advanced", [DN])
    assert ("failed" in result) == (policy == "fail")
    assert (len(it.report.warnings) == 1) == (policy == "warn")
    assert "reconcile" in (it.report.warnings[0] if policy == "warn" else told["remedy"])


def test_a_skipped_record_does_not_make_a_warning_of_what_is_no_records_failure(log):
    log.end = 1000
    first = (stage("1", 5, failed_text(4), delta()), cluster(OLD), HEARD, post(answer(7)))
    result, it = run(
        *(*lists(), executing(), *first, *unmoved(6, 7), audit(entry(failed=True, cause="Policy validation failed"))),
        until_caught_up=True,
        on_record_failure="warn",
    )
    assert result["failed"] and "it is dormant" in result["msg"]
    assert [record["dn"] for record in result["runs"][0]["skipped_records"]] == [DN]
    assert len(it.report.warnings) == 1 and DN in it.report.warnings[0]


def test_a_record_that_was_dropped_in_a_run_that_is_followed_is_told():
    started = (*lists(), executing(), stage("1", 5, failed_text(4), delta()), cluster(OLD), HEARD, post(cut()))
    result, unused = run(*started, wait=False)
    follow = [result["runs"][0]["follow"]]
    assert "attributes" not in follow[0]["failing"]
    dropped = audit(entry(failed=True, cause="Policy validation failed"))
    ended = (cluster(OLD), no_calls(), stage("2", 9))
    result, unused = run(*lists(), executing(), *before("2", 9), *ended, dropped, sources=None, follow=follow)
    assert result["failed"] and f"gave up on {DN}" in result["msg"]


def test_a_record_that_was_dropped_in_a_run_that_a_killed_task_has_left_is_told():
    left_behind(failing=parse_failure(Stage(failure=failed_text(4), delta=delta())).identity)
    dropped = audit(entry(failed=True, cause="Policy validation failed"))
    result, unused = run(*lists(), stage("2", 9), executing(), *before("2", 9), post(answer(9)), dropped)
    assert result["failed"] and f"gave up on {DN}" in result["msg"]


def test_no_run_is_sent_at_a_token_that_is_null():
    result, unused = run(*lists(), executing(), stage("1", None), cluster(OLD))
    assert result["failed"] and "holds no token" in result["msg"] and "state: absent" in result["remedy"]


@pytest.fixture
def arrival(monkeypatch, log):
    """What has not arrived of the changes of a run, where that was asked, and what is hidden of them."""
    seen = SimpleNamespace(found=Unarrived(), asked=[], gaps=Gaps(), after=None, noted=[], earlier=Gaps(), kept=None)

    def hidden(*unused, after, kept=None):
        if kept is not None:
            seen.kept = (after, [one["record"] for one in kept])
            return seen.earlier
        seen.after = after
        return seen.gaps

    def look(client, source, connector, mappings, known, reader, token, it, after, loaded, shown, unloaded):
        seen.asked.append((after, token))
        seen.unloaded = unloaded
        if isinstance(seen.found, Exception):
            raise seen.found
        return seen.found

    log.end = 9
    monkeypatch.setattr(module, "directories", lambda *unused: {"ldap": "ldap://ds1"})
    monkeypatch.setattr(module, "read_unarrived", look)
    monkeypatch.setattr(module, "read_gaps", hidden)
    monkeypatch.setattr(module, "note_gaps", lambda client, source, found, it: seen.noted.extend(found))
    return seen


def test_a_run_whose_changes_have_arrived_is_well(arrival):
    calls = (*lists(), executing(), *before(), post(answer(9)))
    result, unused = run(client=shown(*calls), until_caught_up=True)
    assert (result["runs"][0]["proved"], arrival.asked) == (True, [(5, 9)])


def test_a_run_proves_nothing_while_changes_of_another_server_cannot_be_seen(arrival, log):
    log.others = Standby(("It lacks a grant.",), ("ds2 is away.",))
    result, it = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert result["runs"][0]["proved"] is False and any("ds2 is away." in one for one in it.report.warnings)


def test_where_no_load_is_recorded_nothing_is_proved_and_that_is_said(arrival):
    """Who was there before the base point, and has not changed since, may be missing (seen on OpenIDM 6.1.0)."""
    calls = (*before(), post(answer(9)))
    result, it = run(*lists(), executing(), *calls, until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False
    assert it.report.warnings == [f"{SOURCE}: {said_of_unloaded(['one'])}"]
    context_of = {"action": "liveSync", "source": SOURCE, "initialLoad": {"one": {"recon": "r", "time": OLD}}}
    loaded = job(enabled=False, invokeContext=context_of)
    result, it = run(*lists(loaded), executing(), schedules(job()), *calls, until_caught_up=True)
    assert (result["runs"][0]["proved"], it.report.warnings) == (True, [])
    of_other = job(enabled=False, invokeContext={**context_of, "initialLoad": {"two": {"recon": "r", "time": OLD}}})
    result, it = run(*lists(of_other), executing(), schedules(job()), *calls, until_caught_up=True)
    assert result["runs"][0]["proved"] is False and "No load of one is recorded" in it.report.warnings[0]
    both = (MAPPED, {**MAPPED, "name": "two"})
    result, it = run(*lists(loaded, mappings=both), executing(), schedules(job()), *calls, until_caught_up=True)
    assert result["runs"][0]["proved"] is False and "No load of two is recorded" in it.report.warnings[0]


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("openidm.action('system/ldap/account', 'liveSync', {}, {});", {}, True),
        ("openidm.action('system/LDAP/account', 'ACTIVESYNC', {});", {}, True),
        ("openidm.action('system/ldap/account', 'liveSync', {}, {});", {"enabled": False}, False),
        ("openidm.action('system/ldap/group', 'liveSync', {}, {});", {}, False),
        ("openidm.read('system/ldap/account/1');", {}, False),
    ],
)
def test_a_job_whose_script_calls_livesync_of_the_source_is_named(text, more, told):
    script = job("hr-sync", invokeService="script", invokeContext={"script": {"source": text}}, **more)
    calls = (*before(), post(answer(9)))
    unused, it = run(*lists(job(), script), executing(), schedules(job()), *calls)
    said = [one for one in it.report.warnings if "More than one schedule runs this source (nightly, hr-sync)" in one]
    assert len(said) == told


def test_a_change_that_the_run_has_passed_by_is_no_success(arrival):
    hidden = Dropped("s1", "m", None, None, "the directory has it, and the connector's account does not see it")
    arrival.found = Unarrived((hidden,), ("Look for an ACI that denies it.",))
    calls = (*lists(), executing(), *before(), post(answer(9)))
    result, unused = run(*calls, until_caught_up=True)
    assert result["failed"] and "Not arrived: s1." in result["msg"] and "an ACI" in result["remedy"]
    assert [one["record"] for one in result["runs"][0]["skipped_records"]] == ["s1"]
    assert result["runs"][0]["proved"] is False
    result, it = run(*calls, on_record_failure="warn")
    assert "failed" not in result and "Not arrived: s1." in it.report.warnings[0]


def test_what_has_to_be_mended_first_is_said_of_a_record_that_is_known_to_be_skipped_too(arrival, monkeypatch):
    arrival.found = Unarrived((Dropped("s1"),), ("Reconcile nothing before.",), forbidding=True)
    monkeypatch.setattr(catch_up, "passed_over", lambda *unused, **more: [{"record": "s1", "dn": None}])
    result, it = run(*lists(), executing(), *before(), post(answer(9)), on_record_failure="warn")
    assert any("Not arrived as it should: s1. Reconcile nothing before." in said for said in it.report.warnings)
    assert len(result["runs"][0]["skipped_records"]) == 1


def test_a_change_log_that_leaves_the_source_out_proves_nothing(arrival, log):
    log.unrecorded = ("dc=example,dc=com",)
    result, it = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert result["runs"][0]["proved"] is False and "kept out of the change log" in it.report.warnings[0]


def test_that_nobody_can_tell_whether_changes_arrived_is_said(arrival):
    arrival.found = refused(403)
    result, it = run(*lists(), executing(), *before(), post(answer(9)))
    assert "failed" not in result and "cannot be known" in it.report.warnings[0]


HIDDEN = Gaps(
    (Gap("s2", LEFT_OUT, None, None, "m"), Gap("s3", UNNUMBERED, None, None, "m")), "The change log leaves out one."
)


def test_a_change_that_the_change_log_hides_from_the_run_is_no_success(arrival):
    arrival.gaps = HIDDEN
    result, unused = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert result["failed"] and "Not arrived: s2." in result["msg"] and "leaves out one" in result["remedy"]
    assert (result["runs"][0]["proved"], arrival.after) == (False, 5)
    assert arrival.noted == [{"record": "s2", "csn": None, "time": None}]


def test_a_change_without_a_number_proves_nothing(arrival):
    arrival.gaps = Gaps((Gap("s3", UNNUMBERED, None, None, "m"),), None, "1 change has got no number.")
    result, it = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False
    assert it.report.warnings == [f"{SOURCE}: 1 change has got no number."]


def test_what_the_change_log_hid_from_earlier_runs_is_warned_of(arrival):
    arrival.gaps = replace(HIDDEN, doubt="Not all was looked at.")
    calls = (*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)))
    result, it = run(*calls, until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False and arrival.after is None
    assert len(it.report.warnings) == 1 and "They are: s2." in it.report.warnings[0]


def test_what_an_earlier_run_did_not_see_keeps_a_later_one_from_being_proved(arrival):
    # two triggers, one after the other: the first failed at what the change log hid, the second was proved (seen on
    # OpenIDM 6.1.0 with two OpenDJ that were written to at the same moment)
    client = LiveSyncClient(*lists(), executing(), *before(), post(answer(9)))
    note_gaps(client, LDAP, [{"record": "s7"}], context())
    arrival.earlier = Gaps((Gap("s7", LEFT_OUT, None, None, "m"),), "The change log leaves out s7.")
    result, it = run(client=client, until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False
    assert arrival.kept == (None, ["s7"]) and [one["record"] for one in arrival.noted] == ["s7"]
    assert it.report.warnings == [f"{SOURCE}: Of earlier runs: The change log leaves out s7."]


def test_what_a_run_of_the_schedule_did_not_see_keeps_a_later_one_from_being_proved(arrival):
    """No run record tells of it (seen on OpenIDM 6.1.0 with two OpenDJ that were written to at the same moment)."""
    arrival.earlier = Gaps((Gap("s7", LEFT_OUT, None, None, "m"),), "The change log leaves out s7.")
    result, it = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False and arrival.kept == (None, [])
    assert it.report.warnings == [f"{SOURCE}: Of earlier runs: The change log leaves out s7."]


def test_what_others_have_passed_by_is_warned_of_and_proves_nothing(arrival):
    arrival.found = Unarrived((Dropped("s1"),), ("1 changed entry has not arrived.",))
    calls = (*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)))
    result, it = run(*calls, until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False and arrival.asked == [(0, 9)]
    assert len(it.report.warnings) == 1 and "They are: s1." in it.report.warnings[0]
    arrival.found = Unarrived(aside="A word.", uncompared="What is no news.")
    result, it = run(client=shown(*calls), until_caught_up=True)
    assert len(it.report.warnings) == 1
    assert result["runs"][0]["proved"] is True and "A word." in it.report.warnings[0]
    arrival.found = Unarrived(doubt="It cannot be known.")
    result, it = run(*calls, until_caught_up=True)
    assert result["runs"][0]["proved"] is False and it.report.warnings == [f"{SOURCE}: It cannot be known."]
    arrival.found = Unarrived()
    assert run(client=shown(*calls), until_caught_up=True)[0]["runs"][0]["proved"] is True


@pytest.mark.parametrize(("first", "last"), [(None, 9), (9, 9)])
def test_a_run_that_passes_no_change_is_not_asked_for_it(arrival, first, last):
    began = (stage("1", 9), cluster(OLD)) if first else (no_stage(), cluster(OLD))
    run(*lists(), executing(), *began, post(answer(last)))
    assert arrival.asked == []


def test_a_dormant_connector_that_holds_an_old_failure_is_woken(woken):
    held = (stage("2", 5, failed_text(2), delta()), cluster(OLD), HEARD)
    untried = (post(answer(5, failure=failed_text(2))), stage("3", 5, failed_text(2), delta()), HEARD, HEARD)
    result, unused = run(*lists(), executing(), *held, *untried)
    assert result["failed"] and "tried nothing" in result["msg"] and woken == []
    tried = (post(answer(9)), audit(entry(failed=False)))
    result, unused = run(*lists(), executing(), *held, *untried, *held, *tried, reactivate=True)
    assert (result["runs"][0]["outcome"], result["runs"][0]["runs"], woken) == ("advanced", 2, ["ldap"])


def test_before_every_post_a_running_job_is_waited_for():
    idle, busy = (executing(), schedules(job())), (executing(SOURCE),)
    result, it = run(
        *(*lists(job()), *idle, *before(), post(answer(9))),
        *(*busy, *busy, *idle, *before("3", 11), post(answer(11))),
        until_caught_up=True,
    )
    assert (result["runs"][0]["runs"], result["runs"][0]["token_after"]) == (2, 11)
    assert it.clock.slept > 0


def test_without_a_directory_the_connector_is_tested_before_a_run(tested, monkeypatch):
    seen = lists()
    result, it = run(*seen, executing(), *before(), post(answer(9)))
    assert (result["runs"][0]["outcome"], tested) == ("advanced", ["ldap"])
    monkeypatch.setattr(module, "checked", lambda client, it: ConnectorTest(it.name, False, "error code 49", True))
    for check in (False, True):
        result, unused = run(*seen, check=check)
        assert result["failed"] and "No run was sent" in result["msg"]
        assert "correct principal and credentials" in result["remedy"]
    follow = [{"source": SOURCE, "rev": "1", "token": 5, "startup": OLD}]
    result, unused = run(*seen, executing(), *before("2", 9), cluster(OLD), stage("2", 9), sources=None, follow=follow)
    assert result["runs"][0]["outcome"] == "advanced"


def test_with_a_directory_a_remote_connector_is_tested_before_its_first_operation(log, tested):
    reference = {**CONNECTOR["connectorRef"], "connectorHostRef": "rcs1"}
    log.end = 9

    def test(ok):
        answered = {"ok": ok} if ok else {"ok": False, "error": "Interim message missed"}
        return call("POST", "system/ldap", answered, params={"_action": "test"})

    seen = (*lists(connector={**KEEPS, "connectorRef": reference}), executing())
    for tests in ([test(True)], [test(False), test(True)], [test(False), test(False)]):
        result, unused = run(*seen, *tests, *before(), post(answer(9)), directory=DIRECTORY)
        assert result["runs"][0]["outcome"] == "advanced"  # a connector may have no test: the run tells
    assert tested == ["ldap"] * 3  # and once more, as every connector is


def test_with_a_directory_no_run_is_sent_to_a_connector_that_fails_its_test(log, monkeypatch):
    """While the directory's backend is off a run passes by what is pending, for good (seen on OpenIDM 6.1.0)."""
    log.end = 9
    away = ConnectorTest("ldap", False, "Bad Base Context: ou=People", True)
    monkeypatch.setattr(module, "checked", lambda client, it: away)
    result, idm = run(*lists(connector=KEEPS), directory=DIRECTORY)
    assert result["failed"] and "Bad Base Context: ou=People. No run was sent." in result["msg"]
    assert "the directory's backend is off" in result["runs"][0]["remedy"]


# What a run would consume for nothing


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("mappings", "options", "words"),
    [
        ([], {}, "No mapping has the source"),
        ([{**MAPPED, "source": "managed/user"}], {}, "No mapping has the source"),
        ([{**MAPPED, "source": "system/ldap/Account"}], {}, "The mapping one names system/ldap/Account"),
        ([MAPPED, {**OFF, "links": "nosuch"}], {}, "config/sync is not in force"),
        ([OFF], {}, "enableSync is false for two"),
        ([MAPPED, OFF], {"mappings": ["one", "two"]}, "enableSync is false for two"),
        ([MAPPED], {"mappings": ["three"]}, "mappings: 'three' cannot be used"),
    ],
)
def test_changes_that_no_mapping_would_take_are_not_consumed(check, mappings, options, words):
    result, unused = run(*lists(mappings=mappings), check=check, **options)
    assert result["failed"] and words in result["msg"]
    assert result["runs"][0]["outcome"] == "failed"


def test_the_remedy_of_a_mapping_that_is_off_names_what_is_needed_afterwards():
    result, unused = run(*lists(mappings=[OFF]))
    assert "reconcile the mapping once it is on" in result["remedy"]


def test_no_run_is_sent_where_an_aci_denies_some_of_the_change_log(log):
    """It would pass by what lacks its targetDN, and fail at what lacks its changes (seen on OpenDJ 4.6.5)."""
    log.end, log.denied_by = 9, ("no changes",)
    result, unused = run(*lists(), executing(), *before(), directory=DIRECTORY)
    assert result["failed"] and "An ACI denies" in result["msg"] and "none was sent" in result["msg"]
    assert "An ACI of ldap://ds1 denies uid=idm what liveSync reads: no changes" in result["runs"][0]["remedy"]


def test_what_the_account_lacks_is_the_remedy_of_a_run_that_failed(log):
    log.end, log.missing = 9, ("change_log",)
    failed = refused(500, "Cannot invoke &quot;a&quot; because &quot;b&quot; is null")
    result, unused = run(*lists(), executing(), *before(), post(failed), directory=DIRECTORY)
    assert "lacks on ldap://ds1: change_log" in result["runs"][0]["remedy"]


def test_no_run_is_sent_where_the_connector_calls_entries_otherwise_than_their_links():
    by_dn = {**KEEPS, "configurationProperties": {**KEEPS["configurationProperties"], "uidAttribute": "dn"}}
    links = (
        call("GET", "repo/link", {"result": [{"firstId": "0b072004-6d5e-3831-92df-d802a61b5f46"}]}),
        call("GET", SOURCE, {"result": []}),
    )
    result, unused = run(*lists(connector=by_dn), *links)
    assert result["failed"] and "the links of one know them by entryUUID" in result["msg"]
    assert "No run was sent" in result["runs"][0]["remedy"]


def test_links_that_do_not_fit_are_named_beside_the_record_that_fails():
    properties = {**KEEPS["configurationProperties"], "uidAttribute": "entryUUID"}
    links = (call("GET", "repo/link", {"result": [{"firstId": DN}]}), call("GET", SOURCE, {"result": []}))
    stopped = (post(answer(5, failure=failed_text(0))), stage("2", 5, failed_text(0), delta()))
    failing = (*stopped, audit(entry(failed=True, cause="Situation FOUND_ALREADY_LINKED marked as EXCEPTION")))
    seen = lists(connector={**KEEPS, "configurationProperties": properties})
    result, unused = run(*seen, executing(), *before(), *failing, *links)
    assert "FOUND_ALREADY_LINKED" in result["msg"] and "the links of one know them by dn" in result["msg"]


def test_a_disabled_connector_is_called_that_with_a_directory_too(log):
    log.end = 9
    result, unused = run(*lists(connector={**KEEPS, "enabled": "false"}), directory=DIRECTORY)
    assert "The connector ldap is disabled. No run was sent." in result["msg"]
    assert 'Set "enabled" to true' in result["msg"] + str(result["runs"][0]["remedy"])


def test_a_connector_of_two_documents_runs_nothing_that_can_be_told(log):
    """A disabled copy takes the name: 200 with an empty body on OpenIDM 6.1.0, which reactivating does not mend."""
    ids = [{"_id": f"provisioner.openicf/{alias}"} for alias in ("ldap", "ldapold")]
    found = [call("GET", "config", {"configurations": ids}), call("GET", "config", {"result": []})]
    found += [call("GET", f"config/provisioner.openicf/{alias}", KEEPS) for alias in ("ldap", "ldapold")]
    result, unused = run(*found, *lists()[2:], directory=DIRECTORY)
    assert "more than one document of the connector ldap" in result["msg"] and "No run was sent" in result["msg"]
    assert "Remove all but one" in result["runs"][0]["remedy"]


def test_changes_that_the_connector_leaves_out_are_worth_a_warning(log):
    """The token comes to the end of the change log without them (seen on OpenIDM 6.1.0)."""
    log.end = 9
    properties = {**CONNECTOR["configurationProperties"], "accountSynchronizationFilter": "(o=x)"}
    schema = {"account": {"nativeType": "__ACCOUNT__"}}
    left_out = {**KEEPS, "configurationProperties": properties, "objectTypes": schema}
    result, it = run(*lists(connector=left_out), executing(), *before(), post(answer(9)), directory=DIRECTORY)
    (one,) = result["runs"]
    assert (one["outcome"], one["proved"]) == ("advanced", False)
    assert "(o=x) does not match never arrive" in it.report.warnings[0]


def test_no_run_is_sent_that_would_take_values_from_the_target():
    """Each change that liveSync brings then empties what the mapping names wrongly (seen on OpenIDM 6.1.0)."""
    schema = {"account": {"nativeType": "__ACCOUNT__", "properties": {"sn": {}}}}
    wrong = {**MAPPED, "properties": [{"source": "surname", "target": "sn"}]}
    result, unused = run(*lists(connector={**KEEPS, "objectTypes": schema}, mappings=[wrong]))
    assert result["failed"] and "one reads surname" in result["msg"] and "No run was sent" in result["msg"]
    assert "Correct that source" in result["runs"][0]["remedy"]


def test_a_mapping_that_is_off_beside_others_is_worth_a_warning():
    result, it = run(*lists(mappings=[MAPPED, OFF]), executing(), *before(), post(answer(9)))
    assert result["runs"][0]["outcome"] == "advanced"
    assert "enableSync is false for two" in it.report.warnings[0] and "reconcile" in it.report.warnings[0]
    result, it = run(*lists(mappings=[MAPPED, OFF]), executing(), *before(), post(answer(9)), mappings=["one"])
    assert result["runs"][0]["outcome"] == "advanced"


def test_a_placeholder_where_a_mapping_is_switched_on_or_off_is_not_taken_for_on():
    unknown = {**MAPPED, "enableSync": {"$bool": "&{esv.on}"}}
    result, it = run(*lists(mappings=[unknown]), executing(), *before(), post(answer(9)))
    assert result["runs"][0]["outcome"] == "advanced"
    assert "enableSync is on for one cannot be known" in it.report.warnings[0]


@pytest.mark.parametrize(
    ("policy", "answered", "words"),
    [
        ({"maxRetries": 2, "postRetryAction": "logged-ignore"}, no_audit(), "IDM's audit does not answer here"),
        ({"maxRetries": 0, "postRetryAction": "logged-ignore"}, audit(), "leaves no entry in audit/sync"),
        ({"maxRetries": 2}, no_audit(), "postRetryAction is not set"),
        ({"maxRetries": 2, "postRetryAction": "logged-ignore"}, audit(), None),
        ({"maxRetries": 2, "postRetryAction": "dead-letter-queue"}, None, None),
        ({"maxRetries": -1, "postRetryAction": "logged-ignore"}, None, None),
    ],
)
def test_a_policy_that_drops_what_would_not_show_is_worth_a_warning(policy, answered, words):
    asked = [answered] if answered else []
    connector = {**CONNECTOR, "syncFailureHandler": policy}
    unused, it = run(*lists(connector=connector), *asked, stage("1", 5), check=True)
    assert (words is None) == (it.report.warnings == [])
    assert words is None or (words in it.report.warnings[0] and "dead-letter-queue" in it.report.warnings[0])


def test_what_a_left_run_and_this_one_have_dropped_is_told():
    left_behind()
    failed = (stage("2", 9, failed_text(4), delta()), cluster(OLD), audit(entry(failed=True, cause="x")))
    dropped = audit(entry(failed=True, cause="Policy validation failed"))
    result, unused = run(*lists(), stage("2", 9), executing(), *failed, post(answer(12)), dropped)
    assert result["failed"] and f"gave up on {DN}" in result["msg"]


def test_a_dropped_record_is_told_though_the_next_run_fails():
    failed = (stage("1", 5, failed_text(4), delta()), cluster(OLD), audit(entry(failed=True, cause="x")))
    dropped = audit(entry(failed=True, cause="Policy validation failed"))
    result, unused = run(
        *(*lists(), executing(), *failed, post(answer(7)), *before("2", 7), post(refused(500, "no")), dropped),
        until_caught_up=True,
    )
    assert result["failed"] and "HTTP 500" in result["msg"] and f"gave up on {DN}" in result["msg"]


def test_a_left_run_is_remembered_until_what_it_dropped_has_been_told():
    left_behind(failing=parse_failure(Stage(failure=failed_text(4), delta=delta())).identity)
    ended = (stage("2", 9), executing(), *before("2", 9))
    result, unused = run(*lists(), *ended, post(down()))
    assert result["failed"]
    dropped = audit(entry(failed=True, cause="Policy validation failed"))
    result, unused = run(*lists(), *ended, post(answer(9)), dropped)
    assert result["failed"] and f"gave up on {DN}" in result["msg"]


def test_the_request_that_failed_can_be_found_in_the_servers_logs():
    exc = refused(500, "no")
    exc.result["transaction_id"] = "t-1"
    result, unused = run(*lists(), executing(), *before(), post(exc))
    assert (result["transaction_id"], result["runs"][0]["transaction_id"]) == ("t-1", "t-1")
    exc.status = 403
    result, unused = run(*lists(), executing(), *before(), post(exc))
    assert (result["transaction_id"], result["runs"][0]["transaction_id"]) == ("t-1", "t-1")


# Until caught up


def test_without_a_change_log_until_a_run_moves_nothing():
    result, it = run(
        *(*lists(), executing(), *before(), post(answer(9))),
        *(*before("2", 9), post(answer(12)), *before("3", 12), post(answer(12))),
        until_caught_up=True,
    )
    assert (result["runs"][0]["outcome"], result["runs"][0]["runs"], result["runs"][0]["changes"]) == ("advanced", 3, 7)
    assert result["runs"][0]["proved"] is False
    assert "does not prove that all has arrived" in it.report.warnings[0] and "directory" in it.report.warnings[0]


def test_with_a_change_log_until_its_end_as_it_was_at_the_start(log):
    log.end = 12
    calls = (*lists(), executing(), *before(), post(answer(9)), *before("2", 9), post(answer(14)))
    result, it = run(client=shown(*calls), until_caught_up=True)
    assert (result["runs"][0]["token_after"], result["runs"][0]["runs"]) == (14, 2)
    assert (result["runs"][0]["proved"], it.report.warnings) == (True, [])


def test_a_token_that_moves_without_the_right_to_read_proves_nothing(log):
    """The account saw the numbers and not what the changes are about: they were passed by (seen on OpenIDM 6.1.0)."""
    log.end, log.missing = 9, ("change_log",)
    result, it = run(*lists(), executing(), *before(), post(answer(9)), until_caught_up=True)
    assert result["runs"][0]["proved"] is False
    (warning,) = it.report.warnings
    assert "moved on all the same" in warning and "idmops.idm.changelog_access" in warning


@pytest.mark.parametrize(("missing", "named"), [(("change_log",), True), ((), False), (None, False)])
def test_an_error_of_a_run_is_told_with_the_right_that_is_missing(log, missing, named):
    log.end, log.missing = 9, missing
    broken = refused(500, 'Cannot invoke "Object.toString()" because "value" is null')
    result, unused = run(*lists(), executing(), *before(), post(broken), until_caught_up=True)
    assert result["failed"] and ("idmops.idm.changelog_access" in (result.get("remedy") or "")) is named


def test_a_number_in_quotes_is_a_number(log):
    log.end = 12
    calls = (*lists(), executing(), *before(token="5"), post(answer("9")), *before("2", "9"), post(answer("14")))
    result, unused = run(client=shown(*calls), until_caught_up=True)
    told = result["runs"][0]
    assert (told["runs"], told["proved"], told["changes"]) == (2, True, 9)


@pytest.mark.parametrize(("there", "proved"), [(["x"], True), ([], False)])
def test_a_load_of_another_idm_proves_nothing(log, monkeypatch, there, proved):
    log.end = 9
    monkeypatch.setattr(module, "directories", lambda *unused: {"ldap": "ldap://ds1"})
    monkeypatch.setattr(module._SourceTask, "_arrival", lambda *unused: Unarrived())
    monkeypatch.setattr(module, "rouse", lambda *unused: None)
    load = {"one": {"recon": "r", "time": OLD, "idm": ["x"]}}
    own = job(enabled=False, invokeContext={"action": "liveSync", "source": SOURCE, "initialLoad": load})
    links = call("GET", "repo/link", {"result": [{"_id": one} for one in there]})
    client = shown(*lists(own), executing(), schedules(own), links, *before(), post(answer(9)))
    result, it = run(client=client, until_caught_up=True)
    assert result["runs"][0]["proved"] is proved
    assert any("was done on another IDM" in said and "role livesync" in said for said in it.report.warnings) != proved


def test_a_token_that_is_no_number_is_followed_until_a_run_moves_nothing(log):
    """A connector that makes texts, beside a directory that was given for it all the same."""
    log.end = 12
    other = {**KEEPS, "connectorRef": {"connectorName": "org.identityconnectors.databasetable.DatabaseTableConnector"}}
    result, unused = run(
        *(*lists(connector=other), executing(), *before(token="a"), post(answer("b")), *before("2", "b")),
        *(post(answer("c")), *before("3", "c"), post(answer("c"))),
        until_caught_up=True,
    )
    assert (result["runs"][0]["runs"], result["runs"][0]["proved"]) == (3, False)


@pytest.mark.parametrize("caught_up", [True, False])
def test_no_run_is_sent_at_a_token_that_the_change_log_does_not_reach(log, caught_up):
    log.end = 30
    for token in (15000, "15000"):
        result, unused = run(*lists(), executing(), *before(token=token), until_caught_up=caught_up)
        assert result["failed"] and "ahead" in result["msg"] and "role livesync" in result["remedy"]
    log.first = 8
    result, unused = run(*lists(), executing(), *before(), until_caught_up=caught_up)
    assert result["failed"] and "trimmed" in result["msg"]


def test_how_a_run_has_ended_is_left_in_the_run_record(log):
    """An external scheduler is judged by it: also a task that sent nothing, or failed after a run, failed."""
    log.end = 9

    def left(*calls, **options):
        client = LiveSyncClient(*calls)
        result, unused = run(client=client, lock="server", **options)
        return {**read_record(client, LDAP).last_run, "told": bool(result.get("failed"))}

    assert left(*lists(), executing(), *before(), post(answer(9))) == {
        "time": LiveSyncClient.server_time,
        "outcome": "advanced",
        "failed": False,
        "told": False,
    }
    beyond = left(*lists(), executing(), *before(token=15))
    assert (beyond["outcome"], beyond["failed"], beyond["told"]) == ("failed", True, True)


def test_a_comparison_of_another_mapping_stands_for_no_load(arrival):
    both = (MAPPED, {**MAPPED, "name": "two"})
    calls = (*lists(mappings=both), executing(), *before(), post(answer(9)))
    result, it = run(client=shown(*calls), until_caught_up=True)
    assert result["runs"][0]["proved"] is False and arrival.unloaded == ["two"]
    assert it.report.warnings == [f"{SOURCE}: {said_of_unloaded(['two'])}"]


def test_a_mapping_that_is_off_drops_what_the_run_takes_and_nothing_is_proved(arrival):
    both = (MAPPED, {**MAPPED, "name": "two", "enableSync": False})
    calls = (*lists(mappings=both), executing(), *before(), post(answer(9)))
    result, it = run(client=shown(*calls), until_caught_up=True)
    assert result["runs"][0]["proved"] is False


def test_a_schedule_that_may_run_beside_itself_is_named(arrival):
    calls = (*lists(job(concurrentExecution=True)), executing(), schedules(job()), *before(), post(answer(9)))
    unused, it = run(client=shown(*calls))
    assert any("concurrentExecution is true" in one for one in it.report.warnings)


def test_what_was_seen_to_have_arrived_is_kept_and_not_looked_at_again(arrival):
    client = LiveSyncClient(*lists(), executing(), *before(), post(answer(9)))
    run(client=client, lock="server")
    assert (read_record(client, LDAP).compared, arrival.asked) == (9, [(5, 9)])

    def idle(compared, **found):
        client = LiveSyncClient(*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)))
        last_run = {"time": OLD, "outcome": "advanced", "failed": False, "compared": compared}
        note(client, LDAP, last_run=last_run, arrived={"by": "sample", "mappings": ["one"]})
        arrival.asked, arrival.found = [], Unarrived(**found)
        result, unused = run(client=client, lock="server", until_caught_up=True)
        return arrival.asked, read_record(client, LDAP).compared, result["runs"][0]["proved"]

    assert idle(7) == ([(7, 9)], 9, True)  # what others have taken since is looked at
    assert idle(9) == ([(9, 9)], 9, True)
    assert idle(12) == ([(0, 9)], 9, True)  # of another change log
    assert idle(7, records=(Dropped("s1"),), sentences=("x",)) == ([(7, 9)], 7, False)
    assert idle(7, cut=True) == ([(7, 9)], 7, False)
    client = LiveSyncClient(*lists(), executing(), *before(), post(answer(9)))
    note(client, LDAP, last_run={"time": OLD, "outcome": "advanced", "failed": False, "compared": 3})
    arrival.found = Unarrived()
    run(client=client, lock="server")
    assert read_record(client, LDAP).compared == 3  # 4 and 5 others have taken, and nobody has looked


def test_what_was_seen_by_the_numbers_of_another_change_log_counts_no_more(log, arrival):
    """Seen: after a move to another server what had changed there below the old number was never looked at."""
    log.strange, log.reached = True, Anchor(9, "2026-11-24T17:00:09Z", "b")

    def go(*calls, **options):
        client = LiveSyncClient(*lists(), executing(), *calls, post(answer(9)))
        note(client, LDAP, last_run={"time": OLD, "compared": 7, "anchor": NOTED.as_document()})
        arrival.asked, arrival.found = [], Unarrived(**options.pop("found", {}))
        run(client=client, lock="server", **options)
        return arrival.asked, read_record(client, LDAP).last_run.get("compared"), read_record(client, LDAP).anchor

    idle = (stage("1", 9), cluster(OLD))
    assert go(*idle, until_caught_up=True) == ([(0, 9)], 9, log.reached)  # all was looked at, and counts from now on
    assert go(*idle, until_caught_up=True, found={"cut": True}) == ([(0, 9)], 0, log.reached)
    assert go(*before()) == ([(5, 9)], 0, log.reached)  # what came before nobody has looked at
    log.reached = None  # as while another server stands in: what was noted stays as it is, together
    assert go(*before()) == ([(5, 9)], 7, NOTED) and go(*idle, until_caught_up=True) == ([(0, 9)], 7, NOTED)


NOTED = Anchor(7, "2026-11-24T17:00:07Z", "a")


@pytest.mark.parametrize("by", ["run", "load"])
def test_at_a_change_log_that_counts_anew_no_run_is_sent(log, by):
    log.end, log.anew = 30, "It has begun to count anew. Run the role livesync."
    context = {"action": "liveSync", "source": SOURCE}
    load = {"m": {"recon": "r", "time": OLD, "base_point": NOTED.as_document()}}
    jobs = [job(enabled=False, invokeContext={**context, "initialLoad": load})] if by == "load" else []
    client = LiveSyncClient(*lists(*jobs), executing(), *([schedules(*jobs)] if jobs else []), *before())
    last = {"time": OLD, "outcome": "advanced", "failed": False, "anchor": NOTED.as_document()}
    if by == "run":
        note(client, LDAP, last_run=last)
    result, unused = run(client=client, lock="server")
    assert result["failed"] and "is ahead, so no run was sent" in result["msg"]
    assert "count anew" in result["remedy"] and "role livesync" in result["remedy"]
    assert read_record(client, LDAP).anchor == (NOTED if by == "run" else None)


def test_the_newest_change_that_was_met_is_noted_and_a_base_point_begins_afresh(arrival, log):
    log.reached = NOTED
    client = LiveSyncClient(*lists(), executing(), *before(), post(answer(9)))
    run(client=client, lock="server")
    assert read_record(client, LDAP).anchor == NOTED
    for met, compared, kept in ((None, 5, NOTED), (replace(NOTED, number=9), 5, replace(NOTED, number=9))):
        log.reached = met
        client = LiveSyncClient(*lists(), executing(), *before(), post(answer(9)))
        note(client, LDAP, last_run={"time": OLD, "compared": compared, "anchor": NOTED.as_document()})
        run(client=client, lock="server")
        assert read_record(client, LDAP).anchor == kept
    client = LiveSyncClient(*lists(), executing(), no_stage(), cluster(OLD), post(answer(5)))
    note(client, LDAP, last_run={"time": OLD, "compared": 625, "anchor": replace(NOTED, number=625).as_document()})
    run(client=client, lock="server")
    assert (read_record(client, LDAP).anchor.number, read_record(client, LDAP).compared) == (5, 0)

    def gone(self, number):
        raise DirectoryError("ds1 cannot be reached.")

    log.anchor = gone
    client = LiveSyncClient(*lists(), executing(), no_stage(), cluster(OLD), post(answer(5)))
    result, unused = run(client=client, lock="server")
    assert result["runs"][0]["outcome"] == "baseline" and read_record(client, LDAP).anchor is None


@pytest.mark.parametrize(
    ("kind", "token"),
    [("string", 5), ("string", "5"), ("string", "x"), ("integer", 5.0), ("string", "20261127183045Z")],
)
def test_no_run_is_sent_at_a_token_of_a_type_that_ends_it(log, kind, token):
    log.end = 30
    held = {**document("1", token), "connectorData": {"nativeType": kind, "syncToken": token}}
    stored = (call("GET", "repo/synchronisation/pooledSyncStage/SYSTEMLDAPACCOUNT", held), cluster(OLD))
    result, unused = run(*lists(), executing(), *stored)
    assert result["failed"] and f"stored as {kind}" in result["msg"]
    assert "native_type: integer" in result["remedy"]


def test_a_run_whose_failures_audit_keeps_out_is_not_proved(arrival):
    policy = {**CONNECTOR, "syncFailureHandler": {"maxRetries": 0, "postRetryAction": "logged-ignore"}}
    mute = [{key: value for key, value in entry(record=one).items() if key != "status"} for one in ("a", "b")]
    calls = (*lists(connector=policy), audit(), executing(), *before(), audit(), post(answer(9)))
    result, it = run(*calls, audit(*mute), audit_config("/sync/status"), lock="server", directory=DIRECTORY)
    (told,) = result["runs"]
    assert (told["outcome"], told["proved"], told["skipped_records"]) == ("advanced", False, [])
    assert "status of audit/sync is kept out of the log (filterPolicies" in it.report.warnings[-1]


def stamp(token):
    held = {**document("1", token), "connectorData": {"nativeType": "string", "syncToken": token}}
    return call("GET", "repo/synchronisation/pooledSyncStage/SYSTEMLDAPACCOUNT", held)


def test_a_source_of_time_stamps_moves_with_every_run():
    stamped = {**KEEPS, "configurationProperties": {"useTimestampsForSync": True}}
    result, unused = run(
        *(*lists(connector=stamped), executing(), stamp("2026"), cluster(OLD), post(stamp("2027")[-1])),
        until_caught_up=True,
    )
    assert (result["runs"][0]["runs"], result["runs"][0]["changes"]) == (1, None)


def test_a_token_that_is_a_time_counts_no_changes():
    """The CSV connector's is the moment of its file, in milliseconds, with a number's type (seen on OpenIDM 6.1.0)."""
    csv = {**KEEPS, "connectorRef": {"connectorName": "org.forgerock.openicf.csvfile.CSVFileConnector"}}
    moved = (before(token=1795830243174), post(answer(1795830303452, rev="2")))
    result, unused = run(*lists(connector=csv), executing(), *moved[0], moved[1])
    told = result["runs"][0]
    assert (told["outcome"], told["changes"], told["rate"]) == ("advanced", None, None)


def test_it_is_bounded_by_time(log, monkeypatch):
    log.end = 1000
    it = context()
    numbers = iter(range(6, 100))

    class Endless(LiveSyncClient):
        def _answer(self, method, path, *rest, **how):
            if self.calls:
                return super()._answer(method, path, *rest, **how)
            it.clock.sleep(1.0)
            if path == "cluster":
                return cluster(OLD)[-1]
            return answer(next(numbers)) if method == "POST" else document("1", 5)

    client = Endless(*lists(), executing())
    with pytest.raises(IdmopsError) as caught:
        trigger(client, request_of({**OPTIONS, "until_caught_up": True, "wait_timeout": 10.0}), it)
    assert "had not caught up after 10 s (wait_timeout)" in caught.value.message
    assert "of 1000" in caught.value.message
    assert caught.value.result["changed"]


# Runs that leave what is pending


def unmoved(times, token=5):
    return [step for unused in range(times) for step in (*before("2", token), post(answer(token)))]


@pytest.fixture
def woken(monkeypatch):
    calls = []
    monkeypatch.setattr(
        catch_up,
        "reactivate",
        lambda client, system, it: calls.append(system) or ConnectorTest(system, True, None, True),
    )
    return calls


def test_the_index_of_change_numbers_has_its_time(log):
    log.end = 9
    result, it = run(*lists(), executing(), *unmoved(3), *before("2", 5), post(answer(9)))
    assert (result["runs"][0]["outcome"], result["runs"][0]["runs"]) == ("advanced", 4)
    assert it.clock.slept < 10


def test_what_stays_is_a_dormant_connector_and_that_can_be_mended(log, woken):
    log.end = 9
    result, it = run(*lists(), executing(), *unmoved(6))
    assert result["failed"]
    assert "leaves the changes after 5 up to 9 where they are: it is dormant" in result["msg"]
    assert woken == []
    result, it = run(*lists(), executing(), *unmoved(6), *before("2", 5), post(answer(9)), reactivate=True)
    assert (result["runs"][0]["outcome"], woken) == ("advanced", ["ldap"])


def test_a_connector_is_activated_again_once(log, woken):
    log.end = 9
    result, it = run(*lists(), executing(), *unmoved(12), reactivate=True)
    assert (result["failed"], woken) == (True, ["ldap"])


def test_a_connector_whose_test_fails_is_not_called_dormant(log, woken, monkeypatch):
    """Seen on OpenIDM 6.1.0 with a wrong password: liveSync answers 200 and does nothing."""
    log.end = 9
    monkeypatch.setattr(catch_up, "checked", lambda client, it: ConnectorTest(it.name, False, "Connection Error", True))
    result, it = run(*lists(), executing(), *unmoved(6), reactivate=True)
    assert "it is unavailable" in result["msg"] and "could not bind" in result["remedy"]
    assert woken == []


@pytest.mark.parametrize(("missing", "state"), [(("change_log",), "unreadable")])
def test_what_another_activation_does_not_mend_is_told(log, woken, missing, state):
    log.end, log.missing = 9, missing
    result, it = run(*lists(), executing(), *unmoved(6), reactivate=True)
    assert f"it is {state}" in result["msg"]
    assert woken == []


def test_an_empty_answer_can_be_mended_without_a_change_log(woken):
    result, unused = run(*lists(), executing(), no_stage(), cluster(OLD), post(None))
    assert "empty body" in result["msg"]
    assert "reactivate: true" in result["remedy"]
    nothing = (no_stage(), cluster(OLD))
    result, unused = run(*lists(), executing(), *nothing, post(None), *nothing, post(answer(5)), reactivate=True)
    assert (result["runs"][0]["outcome"], woken) == ("baseline", ["ldap"])


def test_a_task_that_does_not_wait_does_not_wait_for_the_index_either(log):
    log.end = 9
    result, it = run(*lists(), executing(), *unmoved(1), wait=False)
    assert (result["runs"][0]["outcome"], it.clock.slept) == ("unchanged", 0.0)


# What else is told


class Slow(LiveSyncClient):
    """The POST takes a minute."""

    it = None

    def _answer(self, method, path, *rest, **how):
        if (method, path) == ("POST", SOURCE):
            self.it.clock.sleep(60.0)
        return super()._answer(method, path, *rest, **how)


@pytest.mark.parametrize(
    ("schedule", "warned"), [(job(), True), (job(enabled=False), False), (job(cron="0 0/5 * * * ?"), False)]
)
def test_a_run_that_takes_longer_than_the_schedules_interval_is_worth_a_warning(schedule, warned):
    it = context()
    client = Slow(*lists(schedule), executing(), schedules(schedule), *before(), post(answer(9)))
    client.it = it
    result = trigger(client, request_of(OPTIONS), it)
    assert result["runs"][0]["duration_ms"] == 60000
    assert result["runs"][0]["rate"] == 0.1
    assert bool(it.report.warnings) is warned
    if warned:
        assert (
            "this run took 60 s, more than the 15 s between two runs of the schedule nightly" in it.report.warnings[0]
        )


def test_where_somebody_looks_on_a_long_run_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(catch_up, "_LOOK", 0.05)
    it = context()
    it = replace(it, report=type("Live", (type(it.report),), {"live": True})())
    counted = threading.Event()

    class Counting(LiveSyncClient):
        def _answer(self, method, path, *rest, **how):
            if path == "audit/sync":
                counted.set()
                return {"result": [entry()]}
            if (method, path) == ("POST", SOURCE):
                assert counted.wait(5)
            return super()._answer(method, path, *rest, **how)

    client = Counting(*lists(), executing(), *before(), post(answer(9)))
    request = Request(sources=(LDAP,), patience=Patience(60.0, 30.0))
    assert trigger(client, request, it)["runs"][0]["outcome"] == "advanced"
    assert it.report.lines[0] == f"liveSync of {SOURCE}: started"


# A backlog that a reconciliation brings over


CUT = refused(500, "Request: 4988 cancelled; remaining name 'uid=user.796,ou=People,dc=example,dc=com'")


class Reconciler:
    """Brings everything over up to 9, or fails; IDM's stage is a script's."""

    def __init__(self, fails=None, nothing=False):
        self.fails, self.nothing, self.asked = fails, nothing, []

    def __call__(self, client, backlog, it):
        self.asked.append(backlog)
        if self.fails:
            raise self.fails
        if self.nothing:
            return None
        after = None if it.check_mode else Stage("2", 9, "integer")
        return Reconciled(BY_MAPPING, Stage("1", 5, "integer"), after, 9, seconds=1.0)


def reconciling(*calls, by, check=False, **options):
    """Trigger with a way to reconcile; return the run and the context."""
    client = LiveSyncClient(*calls, check_mode=check) if check else shown(*calls)
    it = context(check_mode=check)
    try:
        result = trigger(client, request_of({**OPTIONS, "directory": DIRECTORY, **options}), it, by)
    except IdmopsError as exc:
        result = {**exc.as_result(), "failed": True}
    client.finished()
    return result, it


@pytest.fixture
def long_log(log, monkeypatch):
    """A change log of the connector's own server that ends at 9; nothing is amiss with what has arrived."""
    log.end = 9
    monkeypatch.setattr(module, "directories", lambda *unused: {"ldap": "ldap://localhost:1389"})
    monkeypatch.setattr(module, "read_unarrived", lambda *unused, **more: Unarrived())
    return log


def test_a_backlog_is_reconciled_and_one_run_follows(long_log):
    by = Reconciler()
    result, it = reconciling(
        *(*lists(), stage("1", 5), executing(), *before("2", 9), post(answer(9))), by=by, catch_up="reconcile"
    )
    run = result["runs"][0]
    assert (run["outcome"], run["token_before"], run["token_after"], run["changes"]) == ("advanced", 5, 9, 4)
    assert (run["caught_up_by"], run["proved"], result["changed"]) == ("reconcile", True, True)
    assert run["reconciliation"] == {
        "by": "mapping",
        "through": 9,
        "records": None,
        "removed": 0,
        "duration_ms": 1000,
    }
    assert by.asked[0].allow_deletes is False and str(by.asked[0].source) == SOURCE


def test_a_reconciliation_that_fails_sends_no_run(long_log):
    by = Reconciler(IdmopsError("1 of 2 entries failed", remedy="Mend it."))
    result, unused = reconciling(*lists(), stage("1", 5), by=by, catch_up="reconcile")
    assert result["failed"] and result["msg"] == "1 of 2 entries failed Mend it." and not result["changed"]
    run = result["runs"][0]
    assert (run["caught_up_by"], run["token_before"], run["token_after"], run["runs"]) == ("livesync", 5, 5, 0)


def test_a_failure_after_the_reconciliation_does_not_hide_it(long_log):
    calls = (*lists(), stage("1", 5), executing(), *before("2", 9), post(refused(500, "Invalid credentials")))
    result, unused = reconciling(*calls, by=Reconciler(), catch_up="reconcile")
    run = result["runs"][0]
    assert result["failed"] and result["changed"] and run["outcome"] == "failed"
    assert (run["token_before"], run["token_after"], run["caught_up_by"]) == (5, 9, "reconcile")


@pytest.mark.parametrize(("token", "outcome", "how"), [(5, "planned", "reconcile"), (9, "unchanged", "livesync")])
def test_check_mode_tells_what_would_be_reconciled(long_log, token, outcome, how):
    by = Reconciler(nothing=token == 9)
    result, unused = reconciling(*lists(), *[stage("1", token)] * 2, by=by, check=True, catch_up="reconcile")
    run = result["runs"][0]
    assert (run["outcome"], run["caught_up_by"]) == (outcome, how)
    assert result["changed"] is (token == 5)


def test_nothing_pending_is_an_ordinary_run(long_log):
    calls = (*lists(), stage("1", 9), executing(), *before("1", 9), post(answer(9)))
    result, unused = reconciling(*calls, by=Reconciler(nothing=True), catch_up="reconcile")
    assert (result["changed"], result["runs"][0]["caught_up_by"]) == (False, "livesync")


@pytest.mark.parametrize(("above", "reconciled"), [(3, True), (4, False)])
def test_auto_reconciles_what_is_too_much_for_livesync(long_log, above, reconciled):
    by = Reconciler()
    token = 9 if reconciled else 5
    calls = (*lists(), stage("1", 5), executing(), *before("1", token), post(answer(9)))
    result, unused = reconciling(*calls, by=by, catch_up="auto", catch_up_above=above)
    assert result["runs"][0]["caught_up_by"] == ("reconcile" if reconciled else "livesync")
    assert result["runs"][0]["token_after"] == 9 and bool(by.asked) is reconciled


def test_auto_leaves_it_to_livesync_while_a_schedule_is_enabled_and_says_so(long_log):
    by = Reconciler()
    calls = (*lists(job()), stage("1", 5), executing(), schedules(job()), *before(), post(answer(9)))
    result, it = reconciling(*calls, by=by, catch_up="auto", catch_up_above=0)
    assert by.asked == [] and result["runs"][0]["token_after"] == 9
    assert any("nightly is enabled" in text and "catch_up_above" in text for text in it.report.warnings)


def test_auto_goes_on_by_livesync_where_a_reconciliation_must_not_be(long_log):
    by = Reconciler(IdmopsError("finds 5 of 6 entries"))
    calls = (*lists(), stage("1", 5), executing(), *before(), post(answer(9)))
    result, it = reconciling(*calls, by=by, catch_up="auto", catch_up_above=0)
    assert result["runs"][0]["token_after"] == 9
    assert any("finds 5 of 6 entries" in text for text in it.report.warnings)


def test_auto_reconciles_after_a_run_that_lost_its_connection(long_log):
    by = Reconciler()
    calls = (*lists(), stage("1", 5), executing(), *before(), post(CUT))
    again = (executing(), *before("2", 9), post(answer(9)))
    result, unused = reconciling(*calls, *again, by=by, catch_up="auto")
    run = result["runs"][0]
    assert not result.get("failed") and (run["outcome"], run["runs"], run["caught_up_by"]) == (
        "advanced",
        2,
        "reconcile",
    )
    assert (run["token_before"], run["token_after"], run["error"]) == (5, 9, None)


def test_auto_tells_both_where_that_fails_too(long_log):
    by = Reconciler(IdmopsError("nightly is enabled", remedy="Switch it off."))
    calls = (*lists(), stage("1", 5), executing(), *before(), post(CUT))
    result, unused = reconciling(*calls, by=by, catch_up="auto")
    assert result["failed"] and "4988 cancelled" in result["msg"] and "nightly is enabled" in result["msg"]
    assert result["remedy"] == "Switch it off."


@pytest.mark.parametrize("way", ["livesync", "auto"])
def test_another_error_or_another_wish_reconciles_nothing(long_log, way):
    by = Reconciler()
    error = refused(500, "Invalid credentials") if way == "auto" else CUT
    counted = [stage("1", 5)] if way == "auto" else []
    result, unused = reconciling(*lists(), *counted, executing(), *before(), post(error), by=by, catch_up=way)
    assert result["failed"] and by.asked == []
    assert ("batchsize" in result["remedy"]) is (way == "livesync")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"catch_up": "reconcile", "directory": None}, "Give directory"),
        ({"catch_up": "auto", "wait": False}, "without wait"),
        ({"catch_up": "reconcile", "sources": None, "follow": [{"source": SOURCE}]}, "With follow"),
        ({"catch_up": "auto", "catch_up_above": -1}, "0 or more"),
    ],
)
def test_what_cannot_be_combined_is_refused(options, words):
    with pytest.raises(InvalidOption, match=words):
        request_of({**OPTIONS, "directory": DIRECTORY, **options})


def test_auto_without_a_directory_is_livesync():
    by = Reconciler()
    result, unused = reconciling(
        *lists(), executing(), *before(), post(answer(9)), by=by, catch_up="auto", directory=None
    )
    assert result["runs"][0]["caught_up_by"] == "livesync" and by.asked == []


def test_a_directory_that_numbers_nothing_proves_nothing_and_is_named(arrival, log):
    """OpenDJ with compute-change-number false (seen): the directory was given, and cannot tell where changes end."""
    log.end = None
    log.facts = lambda self, token: LogFacts(usable=False)
    result, it = run(*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)), until_caught_up=True)
    assert result["failed"] and "has caught up cannot be known" in result["msg"]
    assert "compute-change-number" in result["remedy"] and "Give directory" not in str(it.report.warnings)


@pytest.mark.parametrize(("given", "says"), [(DIRECTORY, "see the warnings"), (None, "Give directory")])
def test_whoever_gave_a_directory_is_not_asked_for_one(log, monkeypatch, given, says):
    monkeypatch.setattr(module, "directories", lambda *unused: {"ldap": "ldap://ds1"})
    calls = (*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)))
    result, it = run(*calls, until_caught_up=True, directory=given)
    assert not result["runs"][0]["proved"] and says in it.report.warnings[-1]
    assert ("Give directory" in it.report.warnings[-1]) == (given is None)


def test_an_idle_run_beside_more_changes_than_are_looked_at_is_not_proved(arrival):
    arrival.found = Unarrived(aside="Only the newest were compared.", cut=True)
    result, it = run(*lists(), executing(), stage("1", 9), cluster(OLD), post(answer(9)), until_caught_up=True)
    assert "failed" not in result and result["runs"][0]["proved"] is False and len(it.report.warnings) == 1

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of liveSync: every way in which it can end, and how that is told."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.nodes import has_restarted, read_startup
from ansible_collections.idmops.idm.plugins.module_utils._idm.record_failure import parse_failure
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync.one_run import LiveSync, Mark, Patience, Surroundings
from ansible_collections.idmops.idm.plugins.module_utils._livesync.watch import Watch, may_go_on
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    DN,
    NEW,
    OLD,
    SOURCE,
    STAGE,
    UUID,
    LiveSyncClient,
    answer,
    audit,
    broken_stage,
    calls,
    cluster,
    delta,
    document,
    ended,
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
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, context, cut, down, refused

MARK = Mark(rev="1", token=5, startup=OLD, began="2026-11-24T11:00:00Z")
TEST = call("POST", "system/ldap", {"ok": True}, params={"_action": "test"})
PAGE = refused(502, "a page", own=False)


def failing(retries):
    """What a mark keeps of a stage that holds this failure."""
    return parse_failure(Stage(failure=failed_text(retries), delta=delta())).identity


def livesync(*calls, wait=3600.0, stall=300.0, scheduled=False, **more):
    client = LiveSyncClient(*calls)
    return LiveSync(
        client, Source.parse(SOURCE), context(), Patience(wait, stall), Surroundings(scheduled=scheduled), **more
    )


def run(mark, *calls, glance=False, **more):
    """Run liveSync against these answers; all of them must be asked for."""
    it = livesync(*calls, **more)
    ended = it.run(mark, glance=glance)
    it.client.finished()
    return ended, it


# What an answer tells


@pytest.mark.parametrize(
    ("mark", "token", "outcome"),
    [(MARK, 9, "advanced"), (MARK, 5, "unchanged"), (Mark(), 5, "baseline"), (Mark(rev="1"), 5, "baseline")],
)
def test_a_plain_answer(mark, token, outcome):
    ended, unused = run(mark, post(answer(token)))
    assert (ended.outcome, ended.after.token, ended.attributed, ended.error) == (outcome, token, True, None)
    assert not ended.open


@pytest.mark.parametrize("body", [{}, {"result": [], "resultCount": 0}, {"code": 500, "message": "boom"}])
def test_an_answer_that_is_no_stage_tells_nothing_and_is_not_sent_again(body):
    ended, it = run(MARK, post(body), cluster(OLD), stage("2", 9))
    assert (ended.outcome, ended.after.token, ended.dormant) == ("advanced", 9, False)
    assert [method for method, *unused in it.client.sent].count("POST") == 1


def test_an_empty_answer_is_a_dormant_connector():
    ended, unused = run(Mark(), post(None))
    assert (ended.outcome, ended.dormant) == ("unchanged", True)
    assert "empty body" in ended.error
    assert "reactivate" in ended.remedy


def test_a_record_failure_is_read_whole_from_the_stage_and_its_cause_from_audit():
    ended, unused = run(
        MARK,
        post(answer(5, failure=failed_text(2))),
        stage("2", 5, failed_text(2), delta()),
        audit(entry(failed=True, cause="Policy validation failed")),
    )
    failure = ended.failure
    assert ended.outcome == "record_failed"
    assert (failure.record, failure.dn, failure.attempt, failure.cause) == (UUID, DN, 3, "Policy validation failed")
    assert ended.after.rev == "2"


def test_a_stage_that_another_run_has_written_meanwhile_is_not_taken_for_ours():
    ended, unused = run(
        MARK, post(answer(5, failure=failed_text(2))), stage("3", 9), audit(entry(failed=True, cause="x"))
    )
    assert (ended.outcome, ended.after.rev, ended.failure.dn) == ("record_failed", "1", None)


def test_detailed_and_endpoint():
    ended, unused = run(MARK, post(answer(9), detailedFailure="true"), detailed=True)
    assert ended.outcome == "advanced"
    expected = call("POST", "system", answer(9), params={"_action": "liveSync", "source": SOURCE}, timeout=3600.0)
    ended, unused = run(MARK, expected, endpoint="system")
    assert ended.outcome == "advanced"


def test_an_error_of_idm_is_a_failure_that_says_why():
    text = "Failed to get OperationOptionsBuilder: Unable to locate the replication change log.\nFrom the admin console"
    ended, unused = run(MARK, post(refused(500, text)))
    assert (ended.outcome, ended.status, ended.attributed) == ("failed", 500, True)
    assert "OperationOptionsBuilder" not in ended.error
    assert "changelog_access" in ended.remedy


def test_a_lost_race_is_not_attributed_to_this_run():
    ended, unused = run(MARK, post(refused(500, "Update rejected as current Object revision is different than")))
    assert (ended.outcome, ended.attributed) == ("failed", False)


def test_a_refused_token_has_a_remedy():
    """3000000000 on OpenIDM 6.1.0."""
    with pytest.raises(Refused) as caught:
        run(MARK, post(refused(400, "java.lang.Long to java.lang.Integer")))
    assert "idmops.idm.livesync_token" in caught.value.remedy


def test_a_source_that_is_not_there_has_a_remedy():
    """A connector whose configuration was refused, on OpenIDM 6.1.0."""
    with pytest.raises(Refused) as caught:
        run(MARK, post(refused(404, "Resource 'system/ldap/account' not found")))
    assert "idmops.idm.connector_info" in caught.value.remedy


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_request_has_run_nothing(status):
    with pytest.raises(Refused):
        run(MARK, post(refused(status, "no")))


def test_idm_not_reached_has_run_nothing():
    with pytest.raises(Unreachable):
        run(MARK, post(down()))


# Where no answer comes


@pytest.mark.parametrize(
    "broken",
    [cut(), PAGE, *(refused(status, own=False) for status in (503, 500, 408)), refused(504, own=True)],
)
def test_a_line_that_breaks_is_followed_and_nothing_is_sent_again(broken):
    ended, it = run(MARK, post(broken), cluster(OLD), stage("1", 5), audit(), cluster(OLD), stage("2", 9))
    assert (ended.outcome, ended.after.token, ended.attributed) == ("advanced", 9, True)
    assert it.context.report.lines == [f"{SOURCE}: the line was cut; waiting for the run's end"]


def test_503_of_idms_own_is_an_error_and_no_proxys():
    ended, unused = run(MARK, post(refused(503, "Service is starting")))
    assert ended.outcome == "failed"


def test_a_first_run_that_is_followed_ends_as_baseline():
    ended, unused = run(Mark(startup=OLD), post(cut()), cluster(OLD), no_stage(), audit(), cluster(OLD), stage("1", 5))
    assert ended.outcome == "baseline"


def test_a_record_failure_is_found_behind_a_cut_line():
    ended, unused = run(
        MARK, post(cut()), cluster(OLD), stage("2", 5, failed_text(0), delta()), audit(entry(failed=True, cause="x"))
    )
    assert (ended.outcome, ended.failure.dn) == ("record_failed", DN)


def test_a_task_that_does_not_wait_gets_a_mark_to_follow():
    ended, unused = run(MARK, post(cut()), glance=True)
    assert (ended.outcome, ended.mark, ended.open) == ("started", MARK, True)
    ended, unused = run(MARK, post(answer(9)), glance=True)
    assert ended.outcome == "advanced"


def simulated(it, ends_at=None, heard_until=0.0, executing_until=0.0):
    """Let the client answer by the clock rather than in a fixed order; return the paths that are asked for.

    :param ends_at: when the stage is written, None: never.
    :param heard_until: until when audit has something new each time.
    """
    asked = []

    def look(method, path, params, *unused, **how):
        asked.append(path)
        now = it.context.clock.slept
        if path == "audit/sync":
            return {"result": [entry(timestamp=f"at {min(now, heard_until)}")]}
        if path == "scheduler/job":
            return executing(*[SOURCE] if now < executing_until else [])[-1]
        if path == "cluster":
            return cluster(OLD)[-1]
        return document("1", 5) if ends_at is None or now < ends_at else document("2", 9)

    it.client._answer = look
    return asked


def test_silence_of_audit_ends_the_waiting():
    it = livesync(stall=300.0)
    asked = simulated(it)
    ended = it.follow(MARK)
    assert (ended.outcome, ended.attributed, ended.open) == ("unknown", False, True)
    assert "nothing has been heard of it for 300 s (stall_timeout)" in ended.error
    assert "log" in ended.remedy
    assert 300 <= it.context.clock.slept < 305
    assert 50 <= asked.count("audit/sync") <= 61


def test_a_sign_of_life_prolongs_the_waiting():
    it = livesync(stall=20.0)
    simulated(it, heard_until=100.0)
    assert it.follow(MARK).outcome == "unknown"
    assert 115 <= it.context.clock.slept < 130
    it = livesync(stall=20.0)
    simulated(it, heard_until=100.0, ends_at=95.0)
    assert it.follow(MARK).outcome == "advanced"


def test_without_audit_only_wait_timeout_ends_it():
    looks = [cluster(OLD), stage("1", 5)]
    ended, it = run(MARK, post(cut()), *looks, no_audit(), *looks * 3, wait=1.0, stall=0.5)
    assert ended.outcome == "unknown"
    assert "it had not ended after 1 s (wait_timeout)" in ended.error
    assert it.context.clock.slept == pytest.approx(1.0)


def test_the_time_for_the_answer_and_for_following_is_one():
    """A POST that timed out has used up wait_timeout: there is one look, and no second hour."""
    it = livesync(cluster(OLD), stage("1", 5), audit(), wait=10.0)
    it.context.clock.sleep(10.0)
    ended = it.follow(MARK, end=it.context.clock.now())
    assert ended.outcome == "unknown"
    it.client.finished()


def test_the_end_of_a_scheduled_run_is_not_taken_for_ours_while_a_job_or_audit_is_alive():
    it = livesync(scheduled=True)
    simulated(it, ends_at=1.0, executing_until=10.0, heard_until=30.0)
    ended = it.follow(MARK)
    assert (ended.outcome, ended.attributed) == ("advanced", False)
    assert 30 < it.context.clock.slept < 45


def test_with_a_change_log_the_token_tells_the_end_though_a_schedule_is_on():
    mark = Mark(rev="1", token=5, startup=OLD, last_change_number=9)
    ended, unused = run(
        mark,
        post(cut()),
        *(cluster(OLD), stage("2", 7), executing(), schedules(job()), audit()),
        *(cluster(OLD), stage("3", 9), executing(), schedules(job())),
        scheduled=True,
    )  # fmt: skip
    assert (ended.outcome, ended.attributed, ended.after.token) == ("advanced", True, 9)


def test_a_failure_beside_a_schedule_may_be_the_other_runs():
    mark = Mark(rev="1", token=5, startup=OLD, last_change_number=9)
    ended, unused = run(
        mark,
        post(cut()),
        *(cluster(OLD), stage("2", 7, failed_text(), delta()), executing(), schedules(job()), no_audit()),
        audit(entry(failed=True, cause="x")),
        scheduled=True,
    )
    assert (ended.outcome, ended.attributed) == ("record_failed", False)


# Restarts and silence of the server


def test_a_run_that_died_with_the_server_is_sent_once_more():
    ended, unused = run(
        MARK, post(cut()), cluster(NEW), stage("1", 5), TEST, stage("1", 5), cluster(NEW), post(answer(9))
    )
    assert (ended.outcome, ended.restarted, ended.mark, ended.sent) == ("advanced", True, MARK, 2)


def test_after_a_restart_the_connector_is_waited_for():
    dead = call("POST", "system/ldap", refused(404), params={"_action": "test"})
    gone = call("POST", "system/ldap", down(), params={"_action": "test"})
    ended, unused = run(
        MARK, post(cut()), cluster(NEW), stage("1", 5), dead, gone, TEST, stage("1", 5), cluster(NEW), post(answer(9))
    )
    assert ended.outcome == "advanced"


def test_a_connector_that_stays_away_is_the_next_runs_to_tell(monkeypatch):
    monkeypatch.setattr(
        "ansible_collections.idmops.idm.plugins.module_utils._livesync.one_run.test_connector",
        lambda client, system: ConnectorTest(system, False, "no", None),
    )
    ended, it = run(
        MARK,
        *(post(cut()), cluster(NEW), stage("1", 5), stage("1", 5), cluster(NEW)),
        post(refused(500, "Connection refused")),
    )
    assert (ended.outcome, ended.restarted) == ("failed", True)
    assert it.context.clock.slept == pytest.approx(60.0)


def test_a_run_that_had_ended_before_the_restart_is_not_sent_again():
    ended, unused = run(MARK, post(cut()), cluster(NEW), stage("2", 9))
    assert (ended.outcome, ended.restarted, ended.attributed, ended.sent) == ("advanced", True, True, 1)


def test_a_second_restart_is_not_answered_with_a_third_run():
    ended, unused = run(
        MARK,
        *(post(cut()), cluster(NEW), stage("1", 5), TEST, stage("1", 5), cluster(NEW)),
        *(post(cut()), cluster("2026-11-24T13:00:00Z"), stage("1", 5)),
    )
    assert (ended.outcome, ended.restarted) == ("unknown", True)
    assert "restarted twice" in ended.error


def test_a_server_that_is_down_has_time_to_come_back():
    """Down for 110 s with a stall_timeout of 1 s: that is not yet silence."""
    it = livesync(wait=3600.0, stall=1.0)
    asked = []

    def look(method, path, params, body, none_on, **how):
        asked.append(path)
        if it.context.clock.slept < 110:
            raise down()
        return {"cluster": {"results": [{"startup": OLD}]}}.get(path) or {
            "_id": "x", "_rev": "2", "connectorData": {"syncToken": 9, "nativeType": "integer"}
        }  # fmt: skip

    it.client._answer = look
    assert it.follow(MARK).outcome == "advanced"
    assert set(asked[:-1]) == {"cluster"}


def test_silence_is_counted_from_when_the_server_came_back():
    it = livesync(wait=3600.0, stall=30.0)
    asked = simulated(it)
    plain = it.client._answer

    def look(*request, **how):
        if 5 < it.context.clock.slept < 100:
            raise down()
        return plain(*request, **how)

    it.client._answer = look
    assert it.follow(MARK).outcome == "unknown"
    assert 130 <= it.context.clock.slept < 140
    assert "audit/sync" in asked


def test_a_server_that_does_not_come_back_leaves_the_end_unknown():
    it = livesync(wait=3600.0, stall=1.0)

    def nothing(*unused, **how):
        raise refused(503, "starting")

    it.client._answer = nothing
    ended = it.follow(MARK)
    assert ended.outcome == "unknown"
    assert "IDM has not answered for 120 s (answered 503: starting)" in ended.error
    assert 120 <= it.context.clock.slept < 124


def test_a_read_that_is_refused_says_nothing_about_the_run():
    ended, unused = run(MARK, post(cut()), cluster(OLD), broken_stage(refused(403, "no")), cluster(OLD), stage("2", 9))
    assert ended.outcome == "advanced"


def test_a_run_whose_node_seems_to_have_died_is_not_waited_for_as_long_as_a_silent_one():
    """Two nodes, one of which was killed: no end and no word of the run, though the other node answers."""
    both = Mark(rev="1", token=5, startup=f"{OLD},{NEW}", began="2026-11-24T11:00:00Z")
    it = livesync(cluster(OLD, NEW), cluster(NEW), audit(), cluster(NEW), audit(), cluster(NEW), audit())
    watch = Watch(it, both)
    assert not watch.restarted()  # both are there: nothing more is asked
    assert not watch.restarted()
    it.context.clock.seconds += 59
    assert not watch.restarted()
    it.context.clock.seconds += 6
    assert watch.restarted()
    it.client.finished()


@pytest.mark.parametrize(
    ("nodes", "heard", "goes_on"),
    [
        ((NEW,), audit(entry(timestamp="2026-11-24T10:58:30.000Z")), False),
        ((NEW,), audit(entry(timestamp="2026-11-24T10:59:30.000Z")), True),  # it is heard of
        ((NEW,), no_audit(), True),  # nobody can hear of it
        ((OLD, NEW), audit(entry(timestamp="2026-11-24T10:58:30.000Z")), True),
    ],
)
def test_a_left_run_whose_node_has_gone_since_goes_on_no_more(nodes, heard, goes_on):
    it = livesync(stage("1", 5), cluster(*nodes), heard)
    left = Mark(rev="1", token=5, startup=f"{OLD},{NEW}", began="2026-11-24T10:58:00Z")
    assert may_go_on(it, left) is goes_on


@pytest.mark.parametrize(
    ("before", "now", "restarted"),
    [
        (OLD, NEW, True),
        (OLD, OLD, False),
        (f"{OLD},{NEW}", NEW, False),  # the other node has gone: ours may be the one that is left
        (f"{OLD},{NEW}", "2026-11-24T13:00:00Z", True),
        (None, NEW, False),
        (OLD, None, False),
    ],
)
def test_only_a_server_without_any_node_of_before_was_restarted(before, now, restarted):
    assert has_restarted(before, now) is restarted


def test_startup_counts_running_nodes_only():
    nodes = [
        {"instanceId": "a", "startup": NEW, "state": "running"},
        {"instanceId": "b", "startup": OLD, "state": "down"},
        {"instanceId": "c", "startup": OLD},
    ]
    assert read_startup(LiveSyncClient(call("GET", "cluster", {"results": nodes}))) == f"{OLD},{NEW}"
    assert read_startup(LiveSyncClient(call("GET", "cluster", {"results": nodes[:2]}))) == NEW
    assert read_startup(LiveSyncClient(call("GET", "cluster", refused(500)))) is None
    assert read_startup(LiveSyncClient(cluster())) is None


# A run that an earlier task has left


@pytest.mark.parametrize(
    ("calls", "goes_on"),
    [
        ([stage("2", 9)], False),
        ([stage("1", 5), cluster(NEW)], False),
        # silence proves nothing: a directory that hangs is silent too
        ([stage("1", 5), cluster(OLD), audit()], True),
        ([stage("1", 5), cluster(OLD), audit(entry(timestamp="2026-11-24T10:59:58.500Z"))], True),
        ([stage("1", 5), cluster(OLD), audit(entry(timestamp="2026-11-24T10:50:00.000Z"))], True),
        ([stage("1", 5), cluster(OLD), no_audit()], True),
    ],
)
def test_whether_a_run_may_go_on(calls, goes_on):
    it = livesync(*calls, stall=300.0)
    mark = Mark(rev="1", token=5, startup=OLD, began="2026-11-24T10:40:00Z")
    assert may_go_on(it, mark) is goes_on
    it.client.finished()


@pytest.mark.parametrize("heard", [no_audit(), audit()])
def test_a_left_run_of_which_nothing_is_known_is_given_up_after_an_hour(heard):
    it = livesync(stage("1", 5), cluster(OLD), heard, stall=300.0)
    assert not may_go_on(it, Mark(rev="1", token=5, startup=OLD, began="2026-11-24T09:59:00Z"))


def test_a_left_run_that_nothing_at_all_is_known_of_may_go_on():
    it = livesync(stage("1", 5), cluster(), no_audit())
    assert may_go_on(it, Mark(rev="1", token=5))
    it = livesync(stage("2", 5), cluster(), no_audit())
    assert not may_go_on(it, Mark(rev="1", token=5))


SENT = Mark(rev="1", token=5, startup=OLD, began="2026-11-24T10:59:00Z", transaction="idmops-t")


@pytest.mark.parametrize("call_ended", [ended("idmops-t"), ended("idmops-t", "FAILED", 500)])
def test_a_left_run_whose_call_has_ended_has_ended(call_ended):
    it = livesync(*calls(call_ended))
    assert not may_go_on(it, SENT)
    it.client.finished()


OTHERS = [call("GET", "audit/access", {"result": [ended("idmops-u")]}), call("GET", "audit/access", {"result": [{}]})]


@pytest.mark.parametrize("told", [OTHERS, calls(), calls(other=False), [no_calls()]])
def test_where_no_end_is_told_the_rest_decides(told):
    it = livesync(*told, stage("1", 5), cluster(OLD), audit())
    assert may_go_on(it, SENT)
    it.client.finished()


def test_after_a_cut_line_audit_tells_of_a_run_that_ended_in_an_error():
    """Recorded on OpenIDM 6.1.0: the entry is written at the end of the call, also when its caller has gone."""
    it = livesync(post(cut()), cluster(OLD), *calls(ended("idmops-t", "FAILED", 500)), stage("1", 5))
    ended_so = it.run(SENT)
    assert (ended_so.outcome, ended_so.status, ended_so.attributed) == ("failed", 500, True)
    assert "as audit/access tells" in ended_so.error
    it.client.finished()


def test_after_a_cut_line_audit_tells_of_the_end_beside_a_schedule():
    it = livesync(post(cut()), cluster(OLD), *calls(ended("idmops-t")), stage("2", 9), scheduled=True)
    ended_so = it.run(SENT)
    assert (ended_so.outcome, ended_so.attributed) == ("advanced", True)


@pytest.mark.parametrize(
    ("token", "target", "began", "heard", "goes_on"),
    [
        (7, 9, "10:58:00", [entry(timestamp="2026-11-24T10:59:58.500Z")], True),
        (9, 9, "10:58:00", [entry(timestamp="2026-11-24T10:59:58.500Z")], False),
        (7, None, "10:58:00", [entry(timestamp="2026-11-24T10:59:58.500Z")], True),
        (7, 9, "10:58:00", [entry(timestamp="2026-11-24T10:59:50.000Z")], False),
        # life may be that of the scheduler's runs: not for ever
        (7, 9, "10:40:00", [entry(timestamp="2026-11-24T10:59:58.500Z")], False),
        (7, 9, "10:58:00", None, False),
    ],
)
def test_beside_a_schedule_a_written_stage_alone_does_not_end_a_left_run(token, target, began, heard, goes_on):
    answers = no_audit() if heard is None else audit(*heard)
    looks = (executing(), schedules()) if goes_on else ()
    it = livesync(stage("2", token), cluster(OLD), answers, *looks, scheduled=True)
    mark = Mark(rev="1", token=5, startup=OLD, last_change_number=target, began=f"2026-11-24T{began}Z")
    assert may_go_on(it, mark) is goes_on
    it.client.finished()


def test_a_run_that_has_just_begun_may_go_on():
    it = livesync(no_stage(), cluster(OLD), no_audit())
    assert may_go_on(it, Mark(startup=OLD, began="2026-11-24T10:59:00Z"))


def test_a_mark_survives_a_template_that_makes_texts_of_it():
    assert Mark.parse({"rev": 7, "token": 5, "last_change_number": "9", "source": "x"}) == Mark(
        rev="7", token=5, last_change_number=9
    )


# Quiet


def test_quiet_is_a_stage_that_keeps_still_with_no_job_running():
    still = (executing(), schedules(), stage("2", 6))
    looks = [(executing(SOURCE), stage("1", 5)), (executing(), schedules(), stage("1", 5)), still]
    it = livesync(*(step for look in looks for step in look), *still * 14)
    assert it.quiet(60.0) is True
    assert 1.4 <= it.context.clock.slept <= 3.2


def test_beside_a_schedule_of_a_second_quiet_is_no_job_running():
    it = livesync(executing(SOURCE), *(executing(), schedules(job(cron="* * * * * ?"))) * 15, scheduled=True)
    assert it.quiet(60.0) is True
    assert 1.0 <= it.context.clock.slept <= 3.2


def test_a_job_that_another_node_runs_shows_in_its_trigger():
    busy = job(triggers=[{"state": 4}])
    it = livesync(executing(), schedules(busy), cluster(OLD, NEW), executing(), schedules(job()), scheduled=True)
    assert it.clear(60.0) is True
    assert livesync().clear(60.0) is True
    it = livesync(*(executing(), schedules(busy), cluster()) * 40, scheduled=True)
    assert it.clear(3.0) is False


def test_where_one_node_is_all_a_trigger_is_not_believed():
    """That of a job which died with IDM says that it runs until it fires again: seen on OpenIDM 6.1.0."""
    it = livesync(executing(), schedules(job(triggers=[{"state": 4}])), cluster(NEW), scheduled=True)
    assert it.clear(60.0) is True
    assert it.context.clock.slept == 0.0


TRIED = entry(timestamp="2026-11-24T10:59:59.999Z", failed=True)
AGAIN = entry(timestamp="2026-11-24T11:00:00.100Z", failed=True)


def held(retries):
    """What a mark keeps of a stage that holds this failure, with the entry of audit that tells of it."""
    return {**failing(retries), "audit": TRIED["_id"]}


def test_a_mark_keeps_the_failure_and_what_audit_last_told_of_it():
    it = livesync(stage("1", 5, failed_text(2), delta()), cluster(OLD), audit(TRIED))
    unused, mark = it.mark()
    assert mark.failing == held(2)


def test_a_failure_that_is_left_as_it_was_was_not_tried():
    """A dormant connector leaves the stage as it is, the old failure included: seen on OpenIDM 6.1.0."""
    mark = Mark(rev="1", token=5, startup=OLD, failing=held(2))
    left = document("2", 5, failed_text(2), delta())
    ended, it = run(mark, post(answer(5, failure=failed_text(2))), call("GET", STAGE, left), audit(TRIED), audit(TRIED))
    assert (ended.outcome, ended.dormant, ended.failure) == ("unchanged", True, None)
    assert "tried nothing" in ended.error and "reactivate" in ended.remedy
    assert it.context.clock.slept == 1.0  # audit may be late


@pytest.mark.parametrize("heard", [[audit(AGAIN, TRIED)], [audit(TRIED), audit(AGAIN, TRIED)], [no_audit()]])
def test_the_count_begins_anew_with_an_activation_so_audit_must_show_that_nothing_was_tried(heard):
    mark = Mark(rev="1", token=5, startup=OLD, failing=held(0))
    left = document("2", 5, failed_text(0), delta())
    ended, unused = run(mark, post(answer(5, failure=failed_text(0))), call("GET", STAGE, left), *heard, audit(AGAIN))
    assert (ended.outcome, ended.dormant, ended.failure.attempt) == ("record_failed", False, 1)


def test_without_audit_nobody_knows_whether_it_was_tried():
    mark = Mark(rev="1", token=5, startup=OLD, failing=failing(0))
    left = document("2", 5, failed_text(0), delta())
    ended, unused = run(mark, post(answer(5, failure=failed_text(0))), call("GET", STAGE, left), no_audit())
    assert (ended.outcome, ended.dormant) == ("record_failed", False)


@pytest.mark.parametrize("tried", [failed_text(3), failed_text(2, uid="another")])
def test_the_next_attempt_is_one(tried):
    mark = Mark(rev="1", token=5, startup=OLD, failing=held(2))
    ended, unused = run(
        mark, post(answer(5, failure=tried)), call("GET", STAGE, document("2", 5, tried, delta(uid="another"))), audit()
    )
    assert (ended.outcome, ended.dormant) == ("record_failed", False)


def test_a_post_that_got_no_token_is_no_lost_run():
    for exc in (Unreachable("AM: timed out", sent=False), refused(502, "<html>")):
        exc.sent = False
        with pytest.raises(type(exc)):
            run(MARK, post(exc))


def test_the_request_that_failed_can_be_found_in_the_servers_logs():
    exc = refused(500, "no")
    exc.result["transaction_id"] = "t-1"
    it = livesync(post(exc))
    it.run(MARK)
    assert it.transaction == "t-1"


def test_what_does_not_become_quiet_is_not_waited_for_for_ever():
    it = livesync()
    revisions = iter(range(1000))
    it.client._answer = lambda method, path, *unused, **how: (
        [] if path == "scheduler/job" else {"_id": "x", "_rev": str(next(revisions)), "connectorData": {}}
    )
    assert it.quiet(5.0) is False

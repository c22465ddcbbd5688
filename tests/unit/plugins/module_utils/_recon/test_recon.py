# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconciliation: what is sent in which order, and what is made of the answers."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    Refused,
    TimedOut,
    Unreachable,
)
from ansible_collections.idmops.idm.plugins.module_utils._recon import recon as module
from ansible_collections.idmops.idm.plugins.module_utils._recon import watch as watch_module
from ansible_collections.idmops.idm.plugins.module_utils._recon.recon import ReconRequest, reconcile
from ansible_collections.idmops.idm.plugins.module_utils._recon.run import EntryFailure, ReconRun, object_id, too_many
from ansible_collections.idmops.idm.plugins.module_utils._recon.watch import list_runs
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import (
    ANYTHING,
    ScriptedClient,
    Traced,
    call,
    context,
    cut,
    down,
    refused,
)

MAPPING = "systemLdapAccount_managedUser"
SYNC = {"mappings": [{"name": MAPPING, "source": "system/ldap/account", "target": "managed/user", "policies": []}]}
CLUSTER = {"results": [{"instanceId": "node1", "startup": "2026-11-24T17:17:49.512Z"}]}
RESTARTED = {"results": [{"instanceId": "node1", "startup": "2026-11-24T18:00:00.000Z"}]}
LDAP = {
    "_id": "provisioner.openicf/ldap",
    "name": "ldap",
    "connectorRef": {},
    "configurationProperties": {"host": "ds1", "port": 389},
}


def summary(run_id="r1", state="ACTIVE", done=0, total="200", ids=None, **more):
    failed = more.pop("failed", 0)
    return {
        "_id": run_id,
        "mapping": MAPPING,
        "state": state,
        "stage": "ACTIVE_RECONCILING_SOURCE" if state == "ACTIVE" else f"COMPLETED_{state}",
        "progress": {
            "source": {"existing": {"processed": done, "total": total}},
            "target": {"existing": {"processed": 0, "total": "?"}, "created": done - failed},
            "links": {"existing": {"processed": 0, "total": "?"}, "created": done - failed},
        },
        "situationSummary": {"ABSENT": done, "CONFIRMED": 0},
        "statusSummary": {"SUCCESS": done - failed, "FAILURE": failed},
        "parameters": {
            "sourceQuery": {"resourceName": "system/ldap/account", **({"_queryFilter": these(*ids)} if ids else {})}
        },
        "ended": "",
        "duration": 12,
        **more,
    }


@pytest.fixture(autouse=True)
def roused(monkeypatch):
    """The connectors that were tested before a run was started, run by run."""
    heard = []
    monkeypatch.setattr(module, "rouse", lambda client, systems: heard.append((*systems, len(client.sent))))
    return heard


@pytest.fixture(autouse=True)
def held(monkeypatch):
    """Who holds the source, attempt by attempt: nobody once the list is empty. Nothing runs on other nodes."""
    others = []

    @contextlib.contextmanager
    def hold(client, source, it, **how):
        yield None if others and others.pop() else SimpleNamespace(kind="server")

    monkeypatch.setattr(module, "hold", hold)
    monkeypatch.setattr(module._Reconciliation, "_begun_meanwhile", lambda self: False)
    monkeypatch.setattr(module, "who_holds", lambda *unused: " (load of ctl2, process 7, since 11:00)")
    monkeypatch.setattr(module, "runs_elsewhere", lambda *unused: [])
    monkeypatch.setattr(watch_module, "runs_on_another_node", lambda *unused: False)
    return others


def mappings(sync=None):
    """Expect the mappings to be read."""
    return [call("GET", "config/sync", sync or SYNC), call("GET", "config", {"result": []})]


def runs(*summaries):
    return call("GET", "recon", {"reconciliations": list(summaries)})


def started(answer=None, body=None, **params):
    wanted = {"_action": "recon", "mapping": MAPPING, **params}
    return call(
        "POST",
        "recon",
        answer or {"_id": "r1", "state": "ACTIVE"},
        params=wanted,
        body=body,
        headers=Traced(),
        timeout=ANYTHING,
    )


def these(*records):
    """Return the filter of some records."""
    told = " or ".join(f'_id eq "{record}"' for record in records)
    return f"({told})"


def by_ids(*records, answer=None):
    """Expect a run of some records alone to be started."""
    query = {"resourceName": "system/ldap/account", "_queryFilter": these(*records)}
    return started(answer, body={"sourceQuery": query, "runTargetPhase": False})


def cluster(answer=None):
    return call("GET", "cluster", answer or CLUSTER)


def polled(answer, run_id="r1"):
    return call("GET", f"recon/{run_id}", answer)


def failures(*entries, run_id="r1"):
    bad = '(status eq "FAILURE" or action eq "EXCEPTION")'
    wanted = {"_queryFilter": f'reconId eq "{run_id}" and entryType eq "entry" and {bad}', "_pageSize": "1000"}
    return call("GET", "audit/recon", {"result": list(entries)}, params=wanted)


def still_there(*records, gone=()):
    """Expect records to be looked for in the source."""
    found = [{"_id": record} for record in records if record not in gone]
    return call("GET", "system/ldap/account", {"result": found}, params={"_queryFilter": these(*records),
                "_fields": "_id", "_pageSize": "500"})  # fmt: skip


def linked(*records):
    """Expect the links of ids to be asked for that are not in the source: of either side, with those of some."""
    found = [{"_id": f"l-{record}", "firstId": record, "secondId": f"t-{record}"} for record in records]
    sides = ({"result": found}, {"result": []})
    return [call("GET", "repo/link", side, params=ANYTHING) for side in sides]


def queried(answer):
    """Expect the source to be read in search of what broke its query."""
    return call("GET", "system/ldap/account", answer, params=ANYTHING)


def entry(record="system/ldap/account/u3", **more):
    return {
        "sourceObjectId": record,
        "situation": "ABSENT",
        "action": "CREATE",
        "status": "FAILURE",
        "exception": "org.forgerock.openidm.sync.SynchronizationException: Policy validation failed\n\tat org.x",
        "message": "Policy validation failed. Root cause: [object Object]",
        "messageDetail": {"code": 409, "message": "Policy validation failed"},
        **more,
    }


def done(*calls, check_mode=False, **options):
    """Reconcile against exactly these calls."""
    idm = ScriptedClient(*calls, check_mode=check_mode)
    seen = context(check_mode)
    outcome = reconcile(idm, ReconRequest(MAPPING, **options), seen)
    idm.finished()
    return SimpleNamespace(**outcome.as_result(), started=outcome.started, diff=outcome.diff, context=seen)


def failed(*calls, kind=IdmopsError, **options):
    """Reconcile against exactly these calls and return the error."""
    idm = ScriptedClient(*calls)
    with pytest.raises(kind) as caught:
        reconcile(idm, ReconRequest(MAPPING, **options), context())
    idm.finished()
    return caught.value


# -- a run of our own --


def test_a_run_is_started_once_and_followed_to_its_end(roused):
    run = done(
        *mappings(),
        runs(summary("r0", "SUCCESS")),
        started(),
        cluster(),
        polled(summary()),
        polled(summary(done=100)),
        polled(summary(state="SUCCESS", done=200)),
    )
    assert (run.id, run.state, run.joined, run.started) == ("r1", "SUCCESS", False, True)
    assert run.progress["source"] == {"processed": 200, "total": 200}
    assert run.progress["target"] == {"processed": 0, "total": None, "created": 200}
    assert run.situations == {"ABSENT": 200}
    assert (run.succeeded, run.failed, run.failures) == (200, 0, [])
    assert run.diff == {"before": {}, "after": {"started": {"mapping": MAPPING, "ids": []}}}
    assert roused == [("ldap", len(mappings()) + 1)]  # just before the start


def test_its_id_is_shown_at_once_so_that_somebody_can_join_it():
    run = done(*mappings(), runs(), started(), cluster(), polled(summary(state="SUCCESS", done=200)))
    assert run.context.report.lines[0] == f"reconciliation r1 of {MAPPING}: started"
    assert "200 of 200 entries" in run.context.report.lines[-1]


def test_orphans_that_the_open_fork_counts_as_source_entries_do_not_exceed_the_total():
    calls = [*mappings(), runs(), started(), cluster(), *[polled(summary(done=300))] * 12]
    run = done(*calls, polled(summary(state="SUCCESS", done=300)))
    assert any("300 entries" in line for line in run.context.report.lines)
    assert not any("300 of 200" in line for line in run.context.report.lines)


def test_without_waiting_the_run_is_left_to_itself():
    run = done(*mappings(), runs(), started(), wait=False)
    assert (run.id, run.state, run.started) == ("r1", "ACTIVE", True)


def test_an_empty_source_is_allowed_in_the_body():
    done(
        *mappings(),
        runs(),
        started(body={"allowEmptySourceSet": True}),
        cluster(),
        polled(summary(state="SUCCESS", total="0")),
        allow_empty_source=True,
    )


def test_check_mode_starts_nothing():
    run = done(*mappings(), runs(), check_mode=True)
    assert (run.id, run.state, run.started) == (None, "PLANNED", True)
    assert run.diff["after"] == {"started": {"mapping": MAPPING, "ids": []}}


def test_an_unknown_mapping_is_known_before_anything_is_started():
    idm = ScriptedClient(*mappings())
    with pytest.raises(InvalidOption) as caught:
        reconcile(idm, ReconRequest("nope"), context())
    assert f"IDM has these mappings: {MAPPING}." in caught.value.message
    idm.finished()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("wait_timeout", 0),
        ("max_failures", -1),
        ("max_failure_percent", 101),
        ("max_failure_percent", -0.5),
        ("max_failure_percent", float("nan")),
        ("wait_timeout", float("inf")),
        ("ids", ("",)),
        ("ids", ()),
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_sent(option, value):
    error = failed(kind=InvalidOption, **{option: value})
    assert error.option == option


def test_more_records_than_a_run_takes_cannot_be_started_without_waiting():
    assert failed(kind=InvalidOption, ids=tuple(map(str, range(51))), wait=False).option == "ids"


# -- single records --


def test_so_many_records_are_one_run_and_the_result_is_their_sum(monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    run = done(
        *mappings(),
        still_there("u1", "u2", "u3"),
        runs(),
        by_ids("u1", "u2", answer={"_id": "r1", "state": "ACTIVE"}),
        cluster(),
        polled(summary(state="SUCCESS", done=2, total="2", ids=["u1", "u2"], failed=1)),
        failures(entry("system/ldap/account/u2"), run_id="r1"),
        runs(summary(state="SUCCESS", ids=["u1", "u2"])),
        by_ids("u3", answer={"_id": "r2", "state": "ACTIVE"}),
        cluster(),
        polled(summary("r2", "SUCCESS", done=1, total="1", ids=["u3"]), "r2"),
        ids=("system/ldap/account/u1", "u2", "u1", "u3"),
        max_failures=1,
    )
    assert (run.id, run.state, run.duration_ms) == ("r2", "SUCCESS", 24)
    assert run.progress["source"] == {"processed": 3, "total": 3}
    assert run.progress["target"]["created"] == 2
    assert [failure["record"] for failure in run.failures] == ["u2"]


def test_a_run_of_the_same_records_is_joined():
    there = [mappings(), [still_there("u1", "u2"), runs(summary("r0", ids=["u1", "u2"])), cluster()]]
    run = done(
        *(one for part in there for one in part),
        polled(summary("r0", "SUCCESS", done=2, total="2", ids=["u1", "u2"]), "r0"),
        ids=("u1", "u2"),
    )
    assert (run.id, run.joined) == ("r0", True)


def handled(done_of, *after, ids=("u1", "u2"), sync=None, **more):
    """The requests for a run of two records that takes so many of them."""
    source = (sync or SYNC)["mappings"][0].get("sourceQuery", {}).get("_queryFilter")
    wanted = f"({source}) and {these(*ids)}" if source else these(*ids)
    query = {"resourceName": "system/ldap/account", "_queryFilter": wanted}
    answer = summary(state="SUCCESS", done=done_of, total=str(done_of), **more)
    answer["parameters"] = {"sourceQuery": query}
    return [
        *mappings(sync),
        still_there(*ids),
        runs(),
        started(body={"sourceQuery": query, "runTargetPhase": False}),
        cluster(),
        polled(answer),
        *after,
    ]


def test_what_a_run_leaves_out_in_silence_is_no_success():
    error = failed(*handled(1, still_there("u1", "u2", gone=["u2"])), ids=("u1", "u2"))
    assert "1 of 2 entries failed" in error.message and "u2: it is not in the source any more" in error.message
    error = failed(*handled(1, still_there("u1", "u2")), ids=("u1", "u2"))
    assert "1 of u1, u2: the run ended well without it" in error.message


def test_what_the_mappings_own_query_leaves_out_is_named():
    sync = {"mappings": [{**SYNC["mappings"][0], "sourceQuery": {"_queryFilter": 'l eq "Oslo"'}}]}
    both = call(
        "GET",
        "system/ldap/account",
        {"result": [{"_id": "u1"}]},
        params={"_queryFilter": f'(l eq "Oslo") and {these("u1", "u2")}', "_fields": "_id", "_pageSize": "500"},
    )
    error = failed(*handled(1, still_there("u1", "u2"), both, sync=sync), ids=("u1", "u2"))
    assert "u2: the mapping's sourceQuery leaves it out" in error.message


def test_a_query_that_is_no_filter_of_the_source_makes_each_record_a_run():
    sync = {"mappings": [{**SYNC["mappings"][0], "sourceQuery": {"_queryId": "for-internal-credentials"}}]}
    run = done(
        *mappings(sync),
        still_there("u1"),
        runs(),
        started(_action="reconById", id="u1", ids="u1"),
        cluster(),
        polled({**summary(state="SUCCESS", done=1, total="1"), "parameters": {"sourceIds": ["u1"]}}),
        ids=("u1",),
    )
    assert run.id == "r1"


def test_a_run_of_other_records_is_waited_for_and_not_taken_for_ours():
    run = done(
        *mappings(),
        still_there("u1"),
        runs(summary("r0")),
        cluster(),
        polled(summary("r0", "SUCCESS", done=200), "r0"),
        runs(summary("r0", "SUCCESS")),
        by_ids("u1", answer={"_id": "r1", "state": "ACTIVE"}),
        cluster(),
        polled(summary(state="SUCCESS", done=1, total="1", ids=["u1"])),
        ids=("u1",),
    )
    assert (run.id, run.joined) == ("r1", False)


def test_a_run_of_a_single_record_is_not_joined_for_all():
    run = done(
        *mappings(),
        runs(summary("r0", ids=["u9"])),
        cluster(),
        polled(summary("r0", "SUCCESS", ids=["u9"]), "r0"),
        runs(),
        started(),
        cluster(),
        polled(summary(state="SUCCESS", done=200)),
    )
    assert run.id == "r1"


# -- one that is running --


def test_a_running_one_is_joined():
    run = done(
        *mappings(),
        runs(summary("r0", "SUCCESS"), summary(done=50), {**summary("rx"), "mapping": "other"}),
        cluster(),
        polled(summary(state="SUCCESS", done=200)),
    )
    assert (run.id, run.joined, run.started) == ("r1", True, False)
    assert run.diff == {"before": {}, "after": {}}


def test_joining_is_predicted_in_check_mode():
    run = done(*mappings(), runs(summary(done=50)), check_mode=True)
    assert (run.id, run.state, run.started) == ("r1", "ACTIVE", False)


def test_a_running_one_is_waited_for():
    run = done(
        *mappings(),
        runs(summary("r0")),
        cluster(),
        polled(summary("r0", "FAILED"), "r0"),
        runs(summary("r0", "FAILED")),
        started(),
        cluster(),
        polled(summary(state="SUCCESS", done=200)),
        if_running="wait",
    )
    assert (run.id, run.joined) == ("r1", False)


def test_check_mode_does_not_wait_for_it():
    run = done(*mappings(), runs(summary("r0")), if_running="wait", check_mode=True)
    assert (run.state, run.started) == ("PLANNED", True)


def test_a_running_one_can_be_an_error():
    error = failed(*mappings(), runs(summary("r0", done=50)), if_running="fail")
    assert "r0" in error.message
    assert error.result["recon"]["progress"]["source"]["processed"] == 50
    assert error.result["changed"] is False


def test_a_second_run_that_the_server_refuses_is_joined():
    run = done(
        *mappings(),
        runs(),
        started(refused(409, "already running")),
        runs(summary("r7")),
        runs(summary("r7")),
        cluster(),
        polled(summary("r7", "SUCCESS", done=200), "r7"),
    )
    assert (run.id, run.joined, run.started) == ("r7", True, False)


def test_another_conflict_is_an_error():
    error = failed(*mappings(), runs(), started(refused(409, "no")), runs(), kind=Refused)
    assert error.status == 409


@pytest.mark.parametrize("ids", [None, ("u1",)])
def test_a_mapping_that_idm_has_not_taken_over_is_told_with_the_way_out(ids):
    """PUT config/sync answers 200, and the sync service refuses it (a script file that is missing; seen)."""
    calls = [*mappings(), still_there("u1")] if ids else mappings()
    answer = refused(409, f"No such mapping: {MAPPING}")
    start = by_ids("u1", answer=answer) if ids else started(answer)
    error = failed(*calls, runs(), start, ids=ids)
    assert error.message.startswith(f"The configuration holds {MAPPING}, and IDM has no such mapping: config/sync is")
    assert "not in force" in error.message and "PUT config/sync again" in error.remedy and error.status == 409


# -- lines and servers that break --


@pytest.mark.parametrize("broken", [cut(), refused(502, own=False), refused(504, own=False)])
def test_the_run_that_came_of_a_cut_start_is_found_and_nothing_is_sent_twice(broken):
    run = done(
        *mappings(),
        runs(summary("r0", "SUCCESS")),
        started(broken),
        call("GET", "recon", down()),
        runs(summary("r0", "SUCCESS")),
        runs(summary("r0", "SUCCESS"), summary("r9", ids=["u1"]), summary("r1")),
        cluster(),
        polled(summary(state="SUCCESS", done=200)),
    )
    assert (run.id, run.joined, run.started) == ("r1", False, True)


@pytest.mark.parametrize("answer", [{"result": None}, {"_id": None}, {"code": 500, "message": "boom"}])
def test_the_run_is_found_that_an_unreadable_answer_does_not_name(answer):
    outcome = done(
        *mappings(), runs(), started(answer), runs(summary()), cluster(), polled(summary("r1", "SUCCESS", 3))
    )
    assert (outcome.id, outcome.succeeded) == ("r1", 3)


@pytest.mark.parametrize("item", [{}, {**summary(), "_id": None}, {**summary(), "mapping": None}, summary(state=None)])
def test_a_run_that_does_not_say_which_or_how_is_not_passed_over(item):
    # passed over, a second run would be started beside it
    with pytest.raises(Refused, match="expected"):
        done(*mappings(), runs(item))


@pytest.mark.parametrize(
    "odd", [{}, {"result": None}, {"code": 500, "message": "boom"}, {**summary("r1", "SUCCESS"), "statusSummary": None}]
)
def test_an_answer_that_is_no_run_is_neither_its_end_nor_its_failure(odd):
    begun = [*mappings(), runs(), started(), cluster()]
    outcome = done(*begun, polled(odd), polled(odd), polled(summary("r1", "SUCCESS", 3)))
    assert (outcome.state, outcome.succeeded) == ("SUCCESS", 3)
    idm = ScriptedClient(*begun, *[polled(odd)] * 400)
    with pytest.raises(IdmopsError) as caught:
        reconcile(idm, ReconRequest(MAPPING), context())
    error = caught.value
    assert "is not known" in error.message and error.result["recon"]["state"] == "UNKNOWN"


def test_a_start_that_left_no_trace_is_not_repeated():
    error = failed(*mappings(), runs(), started(cut()), *[runs()] * 13)
    assert "is not known" in error.message
    assert "sent twice" in error.remedy


def test_a_start_that_never_left_is_the_line_s_error():
    assert not failed(*mappings(), runs(), started(down()), kind=Unreachable).sent


def test_a_refused_start_is_the_server_s_error():
    assert failed(*mappings(), runs(), started(refused(403, "Access denied")), kind=Refused).status == 403


def test_ids_503_is_not_a_proxy_s():
    assert failed(*mappings(), runs(), started(refused(503, "no service")), kind=Refused).status == 503


def test_a_line_that_breaks_while_waiting_is_borne_with():
    run = done(
        *mappings(),
        runs(),
        started(),
        cluster(),
        polled(cut()),
        polled(down()),
        polled(refused(503, own=False)),
        polled(refused(401)),
        polled(summary(state="SUCCESS", done=200)),
    )
    assert run.state == "SUCCESS"


def test_a_server_that_stays_away_ends_the_wait():
    idm = ScriptedClient(*mappings(), runs(), started(), cluster(), *[polled(down())] * 200)
    seen = context()
    with pytest.raises(IdmopsError) as caught:
        reconcile(idm, ReconRequest(MAPPING), seen)
    assert caught.value.result["recon"]["state"] == "UNKNOWN"
    assert caught.value.result["changed"] is True
    assert "if_running=join" in caught.value.remedy
    assert 300 <= seen.clock.slept < 310


def test_a_right_that_is_missing_ends_the_wait_soon():
    """Five minutes passed over it, although no answer would ever come (seen on OpenIDM 6.1.0)."""
    closed = refused(403, "Access denied")
    closed.rights, closed.remedy = ("read recon/r1",), "Add a rule."
    idm = ScriptedClient(*mappings(), runs(), started(), cluster(), *[polled(closed)] * 50)
    seen = context()
    with pytest.raises(IdmopsError, match="how the reconciliation .* stands is not known") as caught:
        reconcile(idm, ReconRequest(MAPPING), seen)
    assert (caught.value.result["recon"]["state"], caught.value.remedy) == ("UNKNOWN", "Add a rule.")
    assert caught.value.result["changed"] is True
    assert 10 <= seen.clock.slept < 20


def test_a_refusal_that_no_start_explains_ends_the_wait():
    error = failed(*mappings(), runs(), started(), cluster(), polled(refused(400, "no")), kind=Refused)
    assert error.status == 400


def gone(startup=None):
    """Expect a run to be looked for everywhere, in vain."""
    wanted = {"_queryFilter": 'reconId eq "r1" and entryType eq "summary"'}
    return [
        polled(refused(404)),
        runs(),
        call("GET", "audit/recon", {"result": []}, params=wanted),
        cluster(startup),
    ]


def test_a_run_that_died_with_the_server_is_told_at_once_and_not_started_again():
    error = failed(
        *mappings(), runs(), started(), cluster(), polled(summary(done=50)), polled(down()), *gone(RESTARTED)
    )
    assert "IDM was restarted and the run died with it, at 50 of 200 source entries" in error.message
    assert error.result["recon"]["state"] == "LOST"


def test_a_run_that_another_node_knows_is_waited_for():
    run = done(*mappings(), runs(), started(), cluster(), *gone(), *gone(), polled(summary(state="SUCCESS", done=200)))
    assert run.state == "SUCCESS"


def test_a_run_that_is_nowhere_for_long_is_lost():
    idm = ScriptedClient(*mappings(), runs(), started(), cluster(), *gone() * 20)
    with pytest.raises(IdmopsError) as caught:
        reconcile(idm, ReconRequest(MAPPING), context())
    assert "does not know it any more" in caught.value.message


def test_a_run_that_only_the_list_knows():
    run = done(
        *mappings(), runs(), started(), cluster(), polled(refused(404)), runs(summary(state="SUCCESS", done=200))
    )
    assert run.state == "SUCCESS"


def test_a_run_that_was_purged_is_found_in_the_audit():
    found = {"result": [{"messageDetail": summary(state="SUCCESS", done=200)}]}
    run = done(
        *mappings(), runs(), started(), cluster(), polled(refused(404)), runs(), call("GET", "audit/recon", found)
    )
    assert run.state == "SUCCESS"


def test_a_run_that_takes_too_long_goes_on():
    idm = ScriptedClient(*mappings(), runs(), started(), cluster(), *[polled(summary(done=7))] * 50)
    with pytest.raises(TimedOut) as caught:
        reconcile(idm, ReconRequest(MAPPING, wait_timeout=30), context())
    assert "at 7 of 200 source entries. It goes on." in caught.value.message
    assert caught.value.result["recon"]["id"] == "r1"
    assert "if_running=join" in caught.value.remedy


# -- the verdict --


def ended(**more):
    """Expect a run of our own that ends like this."""
    return [*mappings(), runs(), started(), cluster(), polled(summary(**more))]


def connector(ok=True, error=None):
    """Expect the connector of the source to be tested."""
    return [
        call("GET", "config", {"configurations": [{"_id": "provisioner.openicf/ldap"}]}),
        call("GET", "config/provisioner.openicf/ldap", LDAP),
        call("POST", "system/ldap", {"name": "ldap", "ok": ok, "error": error}, params={"_action": "test"}),
    ]


def test_failed_entries_fail_the_task_and_are_named():
    error = failed(*ended(state="SUCCESS", done=200, failed=1), failures(entry()), still_there("u3"))
    assert "1 of 200 entries failed (max_failures 0)" in error.message
    assert "u3: Policy validation failed (situation ABSENT, action CREATE)" in error.message
    assert error.result["recon"]["failures"] == [
        {"record": "u3", "situation": "ABSENT", "action": "CREATE", "reason": "Policy validation failed"}
    ]
    assert error.result["changed"] is True


def test_failures_that_are_allowed_are_shown_all_the_same():
    run = done(*ended(state="SUCCESS", done=200, failed=1), failures(entry()), still_there("u3"), max_failures=1)
    assert len(run.failures) == 1


def test_entries_that_were_removed_while_the_run_went_on_are_no_failures():
    calls = [*ended(state="SUCCESS", done=200, failed=2), failures(entry(), entry("system/ldap/account/u4"))]
    run = done(*calls, still_there("u3", gone=["u3"]), still_there("u4", gone=["u4"]))
    assert (run.failed, run.gone, run.failures) == (2, 2, [])


def test_others_that_failed_beside_them_are():
    calls = [*ended(state="SUCCESS", done=200, failed=2), failures(entry(), entry("system/ldap/account/u4"))]
    error = failed(*calls, still_there("u3", gone=["u3"]), still_there("u4"))
    assert "1 of 200 entries failed (max_failures 0)" in error.message
    assert "u4: Policy validation failed" in error.message
    assert "u3" not in error.message
    assert error.result["recon"]["gone"] == 1


@pytest.mark.parametrize(
    "away",
    [refused(404, "Resource 'system/ldap/account' not found"), refused(500), down()]
    + [{"result": [{}]}, {"result": [{"_id": None}]}],
)
def test_a_source_that_does_not_answer_does_not_say_that_they_are_gone(away):
    wanted = call("GET", "system/ldap/account", away)
    error = failed(*ended(state="SUCCESS", done=200, failed=1), failures(entry()), wanted)
    assert error.result["recon"]["gone"] == 0


def test_a_target_without_a_source_that_failed_is_not_looked_for_in_the_source():
    orphan = entry(None, targetObjectId="managed/user/t1")
    error = failed(*ended(state="SUCCESS", done=200, failed=1), failures(orphan))
    assert "t1: Policy validation failed" in error.message


def one_by_one(*outcomes):
    """The requests for single records, each a run of its own that ends so: a state, and how many entries failed."""
    calls = [*mappings(), still_there(*(record for record, state, bad in outcomes))]
    for number, (record, state, bad) in enumerate(outcomes, 1):
        ended_so = summary(f"r{number}", state, done=1, total="1", ids=[record], failed=bad)
        calls += [runs(), by_ids(record, answer={"_id": f"r{number}", "state": "ACTIVE"}), cluster()]
        calls += [polled(ended_so, f"r{number}")]
        if bad:
            calls.append(failures(entry(f"system/ldap/account/{record}"), run_id=f"r{number}"))
        elif state != "SUCCESS":
            calls += connector()
    return calls


def test_each_failed_record_has_its_own_run_and_reason(monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 1)
    error = failed(*one_by_one(("u1", "FAILED", 0), ("u2", "SUCCESS", 0)), ids=("u1", "u2"))
    assert error.message.startswith(f"1 of 2 records of {MAPPING} were not reconciled. u1: The reconciliation r1 ")
    assert "r2" not in error.message and "SUCCESS" not in error.message
    error = failed(*one_by_one(("u1", "FAILED", 0), ("u2", "SUCCESS", 1), ("u3", "FAILED", 0)), ids=("u1", "u2", "u3"))
    assert "3 of 3 records" in error.message
    assert all(
        text in error.message for text in ("u1: The reconciliation r1", "u3: The reconciliation r3", "u2: Policy")
    )
    assert [failure["record"] for failure in error.result["recon"]["failures"]] == ["u2"]


def test_an_id_that_is_gone_from_the_source_is_not_called_done():
    """IDM leaves it out in silence, and the person stays (seen on OpenIDM 6.1.0)."""
    error = failed(*mappings(), still_there("u1", gone=["u1"]), *linked("u1"), ids=("u1",))
    assert "not in the source any more" in error.message and "of its deletion" in error.message
    assert error.message.startswith("No reconciliation of systemLdapAccount_managedUser was started: u1: ")
    assert error.result["recon"]["joined"] is False
    calls = [*mappings(), still_there("u1", "u2", gone=["u1"]), *linked("u1"), *one_by_one(("u2", "SUCCESS", 0))[3:]]
    error = failed(*calls, ids=("u1", "u2"))
    assert "1 of 2 records" in error.message and "u1: it is not in the source any more" in error.message


@pytest.mark.parametrize("links", [(), ("u1",), None])
def test_an_id_that_no_link_knows_is_not_called_gone(links):
    """A DN, a name or an id in capitals names nobody: the entry that is meant is still in the source."""
    ids = ("u1", "uid=user.5,dc=example,dc=com")
    calls = [*mappings(), still_there(*ids, gone=ids)]
    calls += [call("GET", "repo/link", refused(403, "no"), params=ANYTHING)] if links is None else linked(*links)
    error = failed(*calls, ids=ids)
    strange = "uid=user.5,dc=example,dc=com: no entry of the source has this id, and no link leads from it"
    assert (strange in error.message) is (links is not None)
    assert ("u1: it is not in the source any more" in error.message) is (links != ())


def test_each_of_several_that_are_gone_is_counted_as_itself():
    gone = ["u1", "u2"]
    calls = [*mappings(), still_there(*gone, "u3", gone=gone), *linked(*gone), *one_by_one(("u3", "SUCCESS", 0))[3:]]
    outcome = done(*calls, ids=("u1", "u2", "u3"), max_failures=2)
    assert outcome.diff["after"]["started"]["ids"] == ["u1", "u2", "u3"]
    assert [failure["record"] for failure in outcome.failures] == ["u1", "u2"]


def test_where_the_source_cannot_be_asked_nothing_is_taken_for_gone():
    calls = one_by_one(("u1", "SUCCESS", 0))
    calls[2] = call("GET", "system/ldap/account", refused(503), params=ANYTHING)
    assert done(*calls, ids=("u1",)).state == "SUCCESS"


@pytest.mark.parametrize("silent", [refused(403, "no"), refused(500), down()])
def test_a_run_by_id_of_which_nobody_knows_whether_it_is_gone_is_warned_of(silent):
    sync = {"mappings": [{**SYNC["mappings"][0], "sourceQuery": {"_queryId": "for-internal-credentials"}}]}
    run = done(
        *mappings(sync),
        call("GET", "system/ldap/account", silent, params=ANYTHING),
        runs(),
        started(_action="reconById", id="u1", ids="u1"),
        cluster(),
        polled({**summary(state="SUCCESS", done=1, total="1"), "parameters": {"sourceIds": ["u1"]}}),
        ids=("u1",),
    )
    assert run.state == "SUCCESS"
    assert "whether u1 is still in system/ldap/account cannot be known" in run.context.report.warnings[0]


def test_what_is_marked_as_exception_has_failed_whatever_idm_counts():
    """Recorded on OpenIDM 6.1.0: statusSummary counts it as a success, and audit calls its status so."""
    marked = entry(action="EXCEPTION", situation="FOUND_ALREADY_LINKED", status="SUCCESS")
    ended_so = ended(state="SUCCESS", done=200, situationSummary={"FOUND_ALREADY_LINKED": 1, "CONFIRMED": 199})
    error = failed(*ended_so, failures(marked))
    assert "1 of 200 entries failed" in error.message and "u3" in error.message
    assert "FOUND_ALREADY_LINKED" in error.remedy and "Run it once more" in error.remedy
    assert "Only what fails again has a stale link" in error.remedy, "what liveSync has linked meanwhile is none"
    assert error.result["recon"]["failed"] == 1 and error.result["recon"]["succeeded"] == 199
    error = failed(*ended_so, call("GET", "audit/recon", refused(501)))
    assert "1 of 200 entries failed" in error.message


@pytest.mark.parametrize("silent", [refused(501), {"result": []}])
def test_what_is_marked_counts_once_and_never_as_none_where_audit_does_not_tell(silent):
    """A server that counts it as a failure, as IDM 7 may, and one that counts it as a success."""
    marked = {"FOUND_ALREADY_LINKED": 1}
    calls = ended(state="SUCCESS", done=1, total="1", failed=1, situationSummary=marked)
    assert failed(*calls, call("GET", "audit/recon", silent)).result["recon"]["failed"] == 1
    calls = ended(state="SUCCESS", done=1, total="1", situationSummary=marked)
    assert failed(*calls, call("GET", "audit/recon", silent)).result["recon"]["failed"] == 1


@pytest.mark.parametrize("silent", [refused(501), {"result": []}])
def test_a_record_that_is_marked_has_failed_where_audit_does_not_tell(silent):
    error = failed(
        *mappings(),
        still_there("u3"),
        runs(),
        by_ids("u3", answer={"_id": "r1", "state": "ACTIVE"}),
        cluster(),
        polled(summary(state="SUCCESS", done=1, total="1", ids=["u3"], situationSummary={"FOUND_ALREADY_LINKED": 1})),
        call("GET", "audit/recon", silent),
        ids=("u3",),
    )
    assert "1 of 1 entries failed" in error.message


def test_a_policy_of_ones_own_decides_what_is_an_exception():
    sync = {**SYNC["mappings"][0], "policies": [{"situation": "FOUND_ALREADY_LINKED", "action": "IGNORE"}]}
    calls = ended(state="SUCCESS", done=200, situationSummary={"FOUND_ALREADY_LINKED": 1})
    calls[0] = call("GET", "config/sync", {"mappings": [sync]})
    assert done(*calls).failed == 0


def test_a_target_that_is_marked_has_no_entry_that_failed():
    marked = entry(None, targetObjectId="managed/user/t1", action="EXCEPTION", situation="UNASSIGNED", status="SUCCESS")
    ended_so = ended(state="SUCCESS", done=200, situationSummary={"AMBIGUOUS": 1})
    assert done(*ended_so, failures(marked)).failed == 0


def test_a_record_that_was_asked_for_and_is_not_there_is_a_failure():
    error = failed(
        *mappings(),
        still_there("u3"),
        runs(),
        by_ids("u3", answer={"_id": "r1", "state": "ACTIVE"}),
        cluster(),
        polled(summary(state="SUCCESS", done=1, total="1", ids=["u3"], failed=1)),
        failures(entry()),
        ids=("u3",),
    )
    assert "1 of 1 entries failed" in error.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [(refused(501, "Query not supported on stdout"), "does not answer"), ({"result": []}, "holds none of them")],
)
def test_an_audit_that_does_not_tell_is_said_to(answer, told):
    error = failed(*ended(state="SUCCESS", done=200, failed=2), call("GET", "audit/recon", answer))
    assert told in error.message
    assert error.result["recon"]["failed"] == 2


@pytest.mark.parametrize(
    ("count", "entries", "most", "percent", "too"),
    [
        (0, 0, 0, None, False),
        (1, 200, 0, None, True),
        (1, 200, 1, None, False),
        (2, 200, 0, 1, False),
        (3, 200, 0, 1, True),
        (3, 200, 3, 1, False),
        (1, 1, 0, 100, False),
        (1, 200, 0, 0, True),
    ],
)
def test_the_larger_limit_counts(count, entries, most, percent, too):
    assert too_many(count, entries, most, percent) is too


def test_a_cancelled_run_is_a_failure():
    error = failed(*ended(state="CANCELED", done=50), *connector())
    assert "was cancelled by somebody at 50 of 200" in error.message


def test_a_source_that_is_down_is_the_reason():
    error = failed(*ended(state="FAILED", done=50), *connector(False, "CommunicationException: ds1:389"))
    assert "system/ldap/account could not be read" in error.message
    assert "CommunicationException: ds1:389" in error.message


def test_the_three_walls_are_named_where_the_query_broke_off():
    limited = refused(500, "Operation QUERY failed with ConnectorException on system object: null")
    error = failed(*ended(state="FAILED", total="?"), *connector(), queried(limited))
    assert "broke off before it told one entry" in error.message
    for word in ("size limit", "unindexed search", "look-through", "raise_limits: true", "state: reactivated"):
        assert word in error.remedy


def test_a_record_that_the_connector_cannot_read_is_no_wall():
    """A second value of an attribute that is single breaks each query (seen on OpenIDM 6.1.0)."""
    error = failed(
        *ended(state="FAILED", total="?"),
        *connector(),
        queried(refused(500, "The cn attribute is not single value attribute.")),
    )
    assert "(The cn attribute is not single value attribute.)" in error.message
    assert "Mend that record" in error.remedy and "raise_limits" not in error.remedy
    error = failed(*ended(state="FAILED", total="?"), *connector(), queried({"result": [], "pagedResultsCookie": None}))
    assert "raise_limits" in error.remedy


@pytest.mark.parametrize("ids", [None, ("u1",)])
def test_a_mapping_that_reads_what_is_not_there_empties_nobody(ids):
    """``recon`` with ids that verify had listed emptied who was well, and called that a success (OpenIDM 6.1.0)."""
    reads = [{"source": "givenname", "target": "givenName"}]
    sync = {"mappings": [{**SYNC["mappings"][0], "properties": reads}]}
    document = {
        "name": "ldap",
        "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
        "objectTypes": {"account": {"properties": {"givenName": {"type": "string", "nativeName": "givenName"}}}},
    }
    error = failed(*mappings(sync), call("GET", "config/provisioner.openicf/ldap", document), ids=ids)
    assert "reads givenname, which account does not have" in error.message
    assert "No reconciliation was started" in error.message and "Reconcile nothing before that" in error.remedy


def test_an_empty_source_is_the_reason():
    error = failed(*ended(state="FAILED", total="0"), *connector())
    assert "is empty, or shows no entry" in error.message
    assert "allow_empty_source" in error.remedy


@pytest.mark.parametrize("total", ["?", "0"])
def test_actions_that_are_asynchronous_are_the_reason(total):
    """Before an empty source, whose remedy would take away the guard that keeps the target from being emptied."""
    policies = [{"situation": "ABSENT", "action": "ASYNC"}]
    sync = {"mappings": [{**SYNC["mappings"][0], "policies": policies}]}
    calls = [*mappings(sync), runs(), started(), cluster(), polled(summary(state="FAILED", total=total)), *connector()]
    assert "action ASYNC (ABSENT)" in failed(*calls).message


def test_a_source_that_is_no_connector_is_not_tested():
    sync = {"mappings": [{**SYNC["mappings"][0], "source": "managed/user"}]}
    error = failed(*mappings(sync), runs(), started(), cluster(), polled(summary(state="FAILED", total="?")))
    assert "IDM's log" in error.remedy


def test_the_failed_entries_of_a_failed_run_are_the_reason():
    error = failed(*ended(state="FAILED", done=50, failed=1), failures(entry()))
    assert "ended in the state FAILED. u3: Policy validation failed" in error.message


def test_a_failure_without_a_reason_says_where_to_look():
    error = failed(*ended(state="FAILED", done=50), *connector())
    assert "at 50 of 200 source and 0 of ? target entries" in error.message
    assert "r1" in error.remedy


# -- shapes --


def test_the_shape_of_later_releases():
    run = ReconRun.parse(
        {
            "_id": "r1",
            "mapping": "m",
            "state": "SUCCESS",
            "stage": "ACTIVE_RECONCILING_SOURCE_PAGE",
            "progress": {
                "source": {"existing": {"processed": "5", "total": 5}},
                "target": {
                    "existing": {"processed": 5, "total": "5"},
                    "created": 1,
                    "unchanged": 2,
                    "updated": 1,
                    "deleted": 1,
                },
            },
            "sourceProcessedByNode": {"node1": 5},
        }
    )
    assert (run.source.processed, run.source.total) == (5, 5)
    assert run.changes == {"created": 1, "unchanged": 2, "updated": 1, "deleted": 1}
    assert (run.links.total, run.duration_ms, run.source_ids) == (None, 0, ())


def test_a_run_that_waits_for_its_turn_has_no_duration():
    assert ReconRun.parse({"_id": "r1", "state": "ACTIVE", "duration": -1, "started": ""}).duration_ms == 0


def test_a_server_that_remembers_no_run():
    assert list_runs(ScriptedClient(call("GET", "recon", {"_id": "recon", "reconciliations": []}))) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("system/ldap/account/u1", "u1"),
        ("system/ldap/account/cn=a/b,dc=x", "cn=a/b,dc=x"),
        ("managed/user/7", "7"),
        ("uid=a,dc=x", "uid=a,dc=x"),
        ("a/b", "a/b"),
    ],
)
def test_the_id_of_an_object(path, found):
    assert object_id(path) == found


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Policy validation failed"),
        ({"messageDetail": None}, "Policy validation failed"),
        ({"messageDetail": None, "exception": None, "message": "first\nsecond"}, "first"),
        ({"messageDetail": None, "exception": None, "message": None}, "no reason given"),
        ({"messageDetail": {"message": "no &#39;x&#39; here"}}, "no '...' here"),
        (
            {"messageDetail": {"message": "Cannot index record managed_user{sn:Doe,mail:d@e}: duplicated key 'doe'"}},
            "Cannot index record managed_user{sn: ..., mail: ...}: duplicated key '...'",
        ),
        ({"messageDetail": {"message": "It isn't \"Doe\", it can't be"}}, "It isn't \"...\", it can't be"),
        (
            {
                "messageDetail": {
                    "message": "Failed policy validation",
                    "detail": {
                        "failedPolicyRequirements": [
                            {
                                "property": "mail",
                                "policyRequirements": [{"policyRequirement": "VALID_EMAIL", "params": {"x": "d@e"}}],
                            }
                        ]
                    },
                }
            },
            "Failed policy validation (mail: VALID_EMAIL)",
        ),
    ],
)
def test_reasons_are_one_line_without_values(fields, reason):
    assert EntryFailure.parse(entry(**fields)).reason == reason


def test_an_object_that_has_no_source_is_named_by_its_target():
    assert EntryFailure.parse(entry(None, targetObjectId="managed/user/7")).record == "7"


def test_nothing_is_started_while_another_task_has_the_source(held):
    held[:] = [True, True]
    result = done(*mappings(), runs(), runs(), runs(), started(), cluster(), polled(summary(state="SUCCESS", done=200)))
    assert result.state == "SUCCESS"


def test_what_another_task_runs_is_joined_and_not_waited_for(held):
    held[:] = [True]
    result = done(*mappings(), runs(summary()), cluster(), polled(summary(state="SUCCESS", done=200)))
    assert not result.started


def test_who_does_not_wait_is_told_who_has_the_source(held):
    held[:] = [True]
    assert "load of ctl2, process 7" in failed(*mappings(), runs(), if_running="fail").message
    held[:] = [True] * 9
    assert "no reconciliation of" in failed(*mappings(), *[runs()] * 4, wait_timeout=3).message


def test_a_load_holds_the_source_itself(held):
    held[:] = [True]
    done(*mappings(), runs(), started(), cluster(), polled(summary(state="SUCCESS", done=200)), held=True)
    assert held == [True]


def test_a_run_of_another_node_is_joined(monkeypatch):
    monkeypatch.setattr(module, "runs_elsewhere", lambda *unused: [ReconRun("r9", MAPPING, "ACTIVE")])
    monkeypatch.setattr(watch_module, "runs_on_another_node", lambda client, run_id: run_id == "r9")
    gone = (polled(refused(404), "r9"), runs(), call("GET", "audit/recon", {"result": []}), cluster())
    over = {"result": [{"entryType": "summary", "messageDetail": summary("r9", "SUCCESS", 200)}]}
    ended = (polled(refused(404), "r9"), runs(), call("GET", "audit/recon", over))
    result = done(*mappings(), runs(), cluster(), *gone * 9, *ended)
    assert (result.id, result.started) == ("r9", False)


def test_what_began_while_the_source_was_waited_for_is_joined(held, monkeypatch):
    begun = iter([True])
    monkeypatch.setattr(module._Reconciliation, "_begun_meanwhile", lambda self: next(begun))
    result = done(*mappings(), runs(), runs(summary()), cluster(), polled(summary(state="SUCCESS", done=200)))
    assert not result.started

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed entries where audit/recon does not answer: whose error it is, and whom it names."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._recon.run import EntryFailure, ReconRun
from ansible_collections.idmops.idm.plugins.module_utils._recon.single import OwnWord
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, refused

#: The words of a live tenant ("Advanced Identity Cloud as others met it live", section 4), with a record's after them.
SAID = "Unexpected Exception caught during SourceRecon: Failed policy validation"


def run(state="FAILED", ids=("u1",), **more):
    return ReconRun("r1", "m", state, source_ids=ids, **more)


def word(*calls):
    return OwnWord(ScriptedClient(*calls), "m")


def test_a_conflict_is_the_record_s_own_where_no_other_run_is_active():
    own = word()
    ended = own.ended(refused(409, SAID), ("u1",), [run()], False)
    assert (ended.id, ended.state, ended.failed) == ("r1", "FAILED", 1)
    assert own.failures(ended, True) == (EntryFailure("u1", None, None, SAID),)
    assert own.has_told(("u1",)) and not own.has_told(("u2",)) and not own.has_told(())


def test_a_run_that_calls_itself_successful_has_failed_all_the_same():
    ended = word().ended(refused(409, SAID), ("u1",), [run("SUCCESS", succeeded=1)], False)
    assert ended.failed == 1


def test_a_run_that_is_not_listed_has_failed_too():
    ended = word().ended(refused(409, SAID), ("u1",), [run(ids=("u2",))], False)
    assert (ended.id, ended.state, ended.failed, ended.source_ids) == ("", "FAILED", 1, ("u1",))


@pytest.mark.parametrize(
    ("status", "new", "others"),
    [(409, [], True), (409, [run("ACTIVE")], True), (403, [], False), (500, [run()], False)],
)
def test_another_run_in_the_way_and_other_errors_are_none_of_the_record_s(status, new, others):
    own = word()
    assert own.ended(refused(status, SAID), ("u1",), new, others) is None
    assert not own.has_told(("u1",))


def test_what_the_server_quotes_is_left_out():
    own = word()
    own.ended(
        refused(409, "Unexpected Exception caught during SourceRecon: no 'doe@example.com' here"), ("u1",), [], False
    )
    assert own.told["u1"].reason.endswith("no '...' here")


def test_entries_that_a_run_has_kept_are_told():
    kept = {"sourceObjectId": "u3", "situation": "ABSENT", "status": "FAILURE", "message": "too long"}
    wanted = {"_queryFilter": 'status eq "FAILURE" or action eq "EXCEPTION"', "_pageSize": "1000"}
    own = word(call("GET", "recon/assoc/r1/entry", {"result": [kept]}, params=wanted))
    assert own.failures(run(ids=()), True) == (EntryFailure("u3", "ABSENT", None, "too long"),)


@pytest.mark.parametrize("answer", [refused(404), refused(501), {"result": []}])
def test_a_run_that_kept_nothing_does_not_say_that_none_failed(answer):
    assert word(call("GET", "recon/assoc/r1/entry", answer)).failures(run(ids=()), True) is None


def test_a_run_that_was_told_to_keep_nothing_is_not_asked():
    assert word().failures(run(ids=()), False) is None


def test_a_single_record_is_named_though_nothing_tells_why():
    told = word(call("GET", "recon/assoc/r1/entry", refused(404))).failures(run(), True)
    assert [failure.record for failure in told] == ["u1"]


def test_servers_with_accounts_of_their_own_are_not_asked_what_they_are():
    own = word()
    assert own.is_awaited(("u1",)) is False


def test_the_cloud_is_asked_once():
    own = word(call("GET", "info/version", {}), call("GET", "sync/mappings", {"result": []}))
    own.client.auth_method = "service_account"
    own.client.request = lambda method, path, params=None, **unused: _answered(own.client, method, path, params)
    assert own.is_awaited(()) is False
    assert [own.is_awaited(("u1",)), own.is_awaited(("u2",))] == [True, True]
    own.client.finished()
    assert own.is_unwelcome(refused(409)) is False
    assert own.is_unwelcome(refused(400)) is True  # a clustered mapping: once more, without waiting
    assert own.is_awaited(("u1",)) is False
    assert own.is_unwelcome(refused(400)) is False


def _answered(client, method, path, params):
    from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer

    return Answer(200, client._answer(method, path, params, None, ()), {})

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time, from anywhere: two control hosts are two homes here, and one IDM."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._record import server_lock
from ansible_collections.idmops.idm.plugins.module_utils._record.hold import LOCAL, hold, who_holds
from ansible_collections.idmops.idm.plugins.module_utils._record.owner import Holder
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import (
    RunRecord,
    note,
    read_record,
    write_record,
)
from ansible_collections.idmops.idm.tests.unit.doubles.record import RecordClient
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import FakeClock, context, down, refused

SOURCE = Source.parse("system/ldap/account")
NOW, LATER = "2026-11-24T11:00:00Z", "2026-11-24T11:00:31Z"
ELSEWHERE = Holder("somebody", "other.example.com", 7, "load", NOW, NOW, "another place")


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    """Be another control host each time it is called."""
    hosts = iter(range(10**6))

    def another():
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(next(hosts))))

    another()
    return another


def take(client, it=None, wait=0.0, **how):
    return hold(client, SOURCE, it or context(), wait=wait, work="liveSync", **how)


def document(client):
    return read_record(client, SOURCE)


def test_it_is_held_for_everybody_and_given_free(host):
    client = RecordClient()
    with take(client) as first:
        assert first.kind == "server"
        host()
        it = context()
        with take(client, it, wait=9.0) as second:
            assert second is None
        assert it.clock.slept == pytest.approx(9.0)
        assert "liveSync of" in who_holds(client, SOURCE, "server")
        first.note("advanced", failed=False)
    assert document(client).holder is None
    assert document(client).last_run == {"time": NOW, "outcome": "advanced", "failed": False}
    with take(client) as again:
        assert again is not None


def test_a_record_that_others_note_in_all_the_time_is_tried_so_often_and_no_more(monkeypatch):
    client, tried = RecordClient(), []

    def busy(*unused, **how):
        tried.append(how)
        raise refused(412, "changed meanwhile")

    with take(client) as held:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(server_lock, "write_record", busy)
            with pytest.raises(Refused):
                held.remember({"began": NOW})
        assert len(tried) == server_lock.TRIES == 5
        assert held.remembered() is None


def test_one_host_sees_its_own_tasks_whatever_they_were_told():
    client = RecordClient()
    with take(client, where=LOCAL) as first:
        assert first.kind == "local"
        with take(client) as second:
            assert second is None
    with take(client), take(client, where=LOCAL) as second:
        assert second is None


@pytest.mark.parametrize("renewed", ["2027-11-24T11:00:00Z", "2026-11-24T11:00:31Z", NOW, "who knows", ""])
def test_a_holder_whose_last_word_is_of_a_time_to_come_is_over_when_nothing_is_heard_of_it(renewed):
    client, it = RecordClient(), context()
    write_record(client, SOURCE, RunRecord(holder=replace(ELSEWHERE, renewed=renewed), conditional=True))
    with take(client, it, wait=39.0) as lock:
        assert lock is None
    said = who_holds(client, SOURCE, "server")
    assert ELSEWHERE.host in said and ("after the server's own time" in said) == (NOW < renewed < "3")
    with take(client, it, wait=45.0) as lock:
        assert lock is not None and document(client).holder.host != ELSEWHERE.host
    assert 79.0 <= it.clock.slept <= 80.0


def test_a_holder_who_gives_word_keeps_the_source_whatever_its_clock_says():
    client = RecordClient()
    write_record(client, SOURCE, RunRecord(holder=replace(ELSEWHERE, renewed="2027-11-24T11:00:00Z"), conditional=True))

    class Clock(FakeClock):
        word = 10.0

        def sleep(self, seconds):
            super().sleep(seconds)
            if self.slept >= self.word:  # as it does every 10 seconds
                self.word += 10.0
                there = document(client)
                renewed = f"2027-11-24T11:00:{int(self.slept) % 60:02}Z"
                write_record(client, SOURCE, replace(there, holder=replace(ELSEWHERE, renewed=renewed)))

    with take(client, replace(context(), clock=Clock()), wait=200.0) as lock:
        assert lock is None
    assert document(client).holder.owner == ELSEWHERE.owner


def test_of_two_who_wait_for_such_a_holder_one_has_it(host):
    client = RecordClient()
    write_record(client, SOURCE, RunRecord(holder=replace(ELSEWHERE, renewed="2027-11-24T11:00:00Z"), conditional=True))

    class Clock(FakeClock):
        """Somebody else is faster at the end."""

        def sleep(self, seconds):
            super().sleep(seconds)
            if 39.0 < self.slept and document(client).holder == replace(ELSEWHERE, renewed="2027-11-24T11:00:00Z"):
                write_record(client, SOURCE, replace(document(client), holder=replace(ELSEWHERE, owner="faster")))

    with take(client, replace(context(), clock=Clock()), wait=60.0) as lock:
        assert lock is None  # whose word is of now
    assert document(client).holder.owner == "faster"


def test_a_server_is_seen_to_keep_conditions_once_and_is_trusted_then():
    client = RecordClient()
    with take(client):
        pass
    assert document(client).conditional
    before = len(client.records.writes)
    it = context()
    with take(client, it):
        pass
    assert (len(client.records.writes) - before, it.clock.slept) == (2, 0.0)


@pytest.mark.parametrize("deaf", [{"If-Match"}, {"If-Match", "If-None-Match"}])
def test_a_server_that_looks_at_no_condition_keeps_no_lock(deaf, host):
    client, it = RecordClient(), context()
    client.records.deaf = deaf
    with take(client, it) as lock:
        assert lock.kind == "local"
    assert "no run record" in it.report.warnings[0] and "If-Match" in it.report.warnings[0]
    assert not document(client).conditional and document(client).holder is None
    host()
    with take(client) as again:
        assert again is not None


def test_of_several_who_make_the_record_at_once_the_last_one_has_it(host):
    """A cluster answered 200 to a creation of what was there (seen on a live tenant)."""
    client = RecordClient()
    client.records.deaf = {"If-None-Match"}
    late = context()

    class Clock(FakeClock):
        def sleep(self, seconds):
            if not self.slept:
                write_record(client, SOURCE, RunRecord(holder=ELSEWHERE))
            super().sleep(seconds)

    with take(client, replace(late, clock=Clock())) as lock:
        assert lock is None
    assert document(client).holder == ELSEWHERE


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_where_idm_keeps_no_such_document_the_host_s_own_lock_is_used(status):
    client, it = RecordClient(), context()
    client.records.refusal, client.records.closed = refused(status, "no"), True
    with take(client, it) as lock:
        assert lock.kind == "local"
    assert "lock: local" in it.report.warnings[0]


@pytest.mark.parametrize("closed", [False, True])
def test_a_server_that_does_not_answer_now_is_no_reason_to_go_on(closed):
    client = RecordClient()
    client.records.refusal, client.records.closed = refused(503, "later"), closed
    with pytest.raises(Refused), take(client):
        raise AssertionError("it was held")


def test_a_gateway_s_word_is_not_idm_s():
    client = RecordClient()
    client.records.refusal, client.records.closed = refused(403, "no", own=False), True
    with pytest.raises(Refused), take(client):
        raise AssertionError("it was held")


def test_without_the_server_s_time_no_lease_can_be_known():
    it = context()
    with take(RecordClient(time=None), it) as lock:
        assert lock.kind == "local"
    assert "does not tell the time" in it.report.warnings[0]


def test_a_host_without_a_home_does_with_the_record(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with take(RecordClient()) as lock:
        assert lock.kind == "server"
    with pytest.raises(IdmopsError, match="cannot be used"), take(RecordClient(), where=LOCAL):
        raise AssertionError("it was held")


def test_who_died_is_followed_after_the_lease_and_what_was_left_is_known():
    client = RecordClient()
    write_record(client, SOURCE, RunRecord(holder=ELSEWHERE, run={"rev": "41"}, conditional=True))
    with take(client) as lock:
        assert lock is None
    client.server_time = LATER
    it = context()
    with take(client, it) as lock:
        assert lock.remembered() == {"rev": "41"}
        lock.remember(None)
    assert "load of other.example.com" in it.report.lines[0]
    assert document(client).run is None


def test_what_is_remembered_is_written_before_anything_is_sent():
    client = RecordClient()
    with take(client) as lock:
        lock.remember({"rev": "2"})
        assert document(client).run == {"rev": "2"}
        lock.remember(None)
        assert lock.remembered() is None
        assert document(client).run == {"rev": "2"}  # what a kill would leave: evidence tells that it has ended
    assert document(client).run is None


def test_who_was_taken_for_dead_sends_nothing_and_takes_nothing_back():
    client = RecordClient()
    with take(client) as lock:
        taken = write_record(client, SOURCE, replace(document(client), holder=ELSEWHERE, run={"rev": "9"}))
        with pytest.raises(IdmopsError, match="has taken over"):
            lock.remember({"rev": "2"})
        assert lock.remembered() is None
    assert document(client) == taken


def test_what_others_note_meanwhile_is_kept():
    client = RecordClient()
    with take(client) as lock:
        note(client, SOURCE, arrived={"by": "canary"})
        lock.remember({"rev": "2"})
        note(client, SOURCE, arrived={"by": "sample"})
    assert (document(client).arrived, document(client).run) == ({"by": "sample"}, {"rev": "2"})


def test_an_answer_that_got_lost_is_looked_up():
    client = RecordClient()
    with take(client) as lock:
        client.records.lost = 1
        lock.remember({"rev": "2"})
        assert document(client).run == {"rev": "2"}
        client.records.lost = 1
    assert document(client).holder is None


def test_a_server_that_is_gone_at_the_end_changes_nothing_of_the_outcome():
    client = RecordClient()
    with take(client):
        client.records.refusal, client.records.closed = down(), True
    client.records.refusal = None
    assert document(client).holder is not None


def test_a_server_that_hangs_at_the_end_is_asked_once_and_not_for_long(monkeypatch):
    client, waited = RecordClient(), []

    def hang(method, path, timeout=None, **unused):
        waited.append(timeout)
        raise Unreachable("no answer", sent=True, timed_out=True)

    with take(client):
        monkeypatch.setattr(client, "request", hang)
    assert waited == [5.0]


def test_in_check_mode_it_is_seen_and_not_held():
    client, it = RecordClient(), context(check_mode=True)
    with take(client, it) as lock:
        assert lock.kind == "server" and lock.remembered() is None
        lock.remember({"rev": "1"})
        lock.note("advanced", failed=True)
    write_record(client, SOURCE, RunRecord(holder=ELSEWHERE, run={"rev": "3"}))
    with take(client, it) as lock:
        assert lock is None
    client.server_time = LATER
    with take(client, it) as lock:
        assert lock.remembered() == {"rev": "3"}
    assert len(client.records.writes) == 1


def test_word_is_given_as_long_as_it_is_held(monkeypatch):
    monkeypatch.setattr(server_lock, "RENEWAL", 0.02)
    client = RecordClient()
    with take(client) as lock:
        client.server_time = LATER
        real = Context(clock=Clock())
        real.wait_for(lambda: document(client).holder.renewed == LATER or None, timeout=10.0, what="word")
        lock.remember({"rev": "2"})
    assert document(client).holder is None


def test_of_eight_hosts_one_has_it_at_a_time(monkeypatch):
    client = RecordClient()
    write_record(client, SOURCE, RunRecord(conditional=True))
    monkeypatch.setattr(server_lock, "_LOOK", 0.001)
    inside, met, errors = [], [], []

    def host():
        try:
            for _round in range(5):
                lock = server_lock.take(client, SOURCE, "liveSync", Context(), wait=30.0)
                with contextlib.closing(_closing(lock)):
                    inside.append(1)
                    met.append(len(inside))
                    lock.remember({"rev": "1"})
                    inside.pop()
        except BaseException as exc:  # shown by the assertion below
            errors.append(exc)

    threads = [threading.Thread(target=host) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert met == [1] * 40


class _closing:
    def __init__(self, lock):
        self._lock = lock

    def close(self):
        self._lock.release()

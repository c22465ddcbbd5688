# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the run record keeps, for how long, and who may change it."""

from __future__ import annotations

import os

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._record.owner import Holder
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import (
    RunRecord,
    forget,
    note,
    note_arrival,
    note_gaps,
    read_record,
    read_stages_and_records,
    write_record,
)
from ansible_collections.idmops.idm.tests.unit.doubles.record import RecordClient, RecordStore
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SOURCE = Source.parse("system/ldap/account")
NOW = "2026-11-24T11:00:00Z"
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
FIELDS = ["holder", "run", "last_run", "arrived", "gaps", "scheduler", "max_age", "conditional", "_rev", "x"]


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_whatever_stands_there_is_read(body):
    record = RunRecord.parse(body)
    record.held(NOW)
    assert RunRecord.parse({**record.as_document(), "_rev": record.rev}) == record


def test_it_comes_back_as_it_was_written():
    client = RecordClient()
    assert read_record(client, SOURCE) is None
    mine = Holder.here("load", NOW)
    record = RunRecord(holder=mine, run={"rev": "1", "token": 5}, last_run={"time": NOW, "outcome": "advanced"})
    written = write_record(client, SOURCE, record)
    assert read_record(client, SOURCE) == written
    assert written.held(NOW) == mine


def test_what_a_newer_release_keeps_there_stays():
    client = RecordClient()
    client.records.documents[_path()] = {"_id": "x", "_rev": "1", "of_tomorrow": [7], "arrived": None}
    note(client, SOURCE, arrived={"by": "sample"})
    assert client.records.documents[_path()]["of_tomorrow"] == [7]


def test_a_stage_is_never_taken_for_a_record_nor_a_record_for_a_stage():
    client = RecordClient()
    write_record(client, SOURCE, RunRecord(arrived={"by": "canary"}))
    client.records.documents["stage"] = {"_id": SOURCE.stage_id, "_rev": "1", "connectorData": {"syncToken": 5}}
    stages, records = read_stages_and_records(client)
    assert set(stages) == set(records) == {SOURCE.stage_id}
    assert (stages[SOURCE.stage_id].token, records[SOURCE.stage_id].arrived) == (5, {"by": "canary"})


@pytest.mark.parametrize(
    ("renewed", "now", "over"),
    [(NOW, "2026-11-24T11:00:30Z", False), (NOW, "2026-11-24T11:00:31Z", True), ("", NOW, False), (NOW, None, False)],
)
def test_who_gives_no_word_for_half_a_minute_holds_it_no_more(renewed, now, over):
    holder = Holder("a", "somewhere", 1, "liveSync", NOW, renewed, place="another")
    assert holder.is_over(now) is over


@pytest.mark.parametrize(
    ("renewed", "words"),
    [(NOW, "no word of it since 2026-11-24T11:00:00Z, 20 s ago: without any it is taken over in 10 s"), ("", "")],
)
def test_since_when_a_holder_is_silent_is_said(renewed, words):
    holder = Holder("a", "somewhere", 1, "liveSync", NOW, renewed, place="another")
    assert holder.silence("2026-11-24T11:00:20Z").lstrip("; ") == words
    assert holder.silence("2026-11-24T11:00:10Z") == "" and holder.silence(None) == ""


def test_a_process_of_this_machine_that_is_gone_holds_it_no_more():
    mine = Holder.here("liveSync", NOW)
    assert not mine.is_over(NOW)
    gone = {**mine.as_document(), "process": 2**22 + 5}
    assert Holder.parse(gone).is_over(NOW) is (mine.place is not None)
    assert not Holder.parse({**gone, "place": "another"}).is_over(NOW)
    assert not Holder.parse({**gone, "place": None}).is_over(NOW)


def test_a_process_that_has_ended_and_that_nobody_has_collected_is_gone():
    mine = Holder.here("liveSync", NOW)
    if mine.place is None:
        return  # no /proc here: the lease alone tells
    child = os.fork()
    if not child:
        os._exit(0)
    dead = Holder.parse({**mine.as_document(), "process": child})
    Context(clock=Clock()).wait_for(lambda: dead.is_over(NOW) or None, timeout=60.0, what="the child to end")
    os.waitpid(child, 0)


def test_what_has_arrived_is_noted_whoever_holds_the_source():
    client = RecordClient()
    mine = Holder.here("liveSync", NOW)
    held = write_record(client, SOURCE, RunRecord(holder=mine, run={"rev": "1"}))
    client.records.meanwhile = lambda: write_record(client, SOURCE, held)  # the holder gives word at the same time
    note_arrival(client, SOURCE, context(), "canary", checked=1, seconds=2.5)
    record = read_record(client, SOURCE)
    assert record.arrived == {"by": "canary", "at": NOW, "checked": 1, "seconds": 2.5}
    assert (record.holder, record.run) == (mine, {"rev": "1"})


def test_what_the_change_log_hid_is_kept_beside_what_is_known():
    client = RecordClient()
    mine = Holder.here("liveSync", NOW)
    write_record(client, SOURCE, RunRecord(holder=mine))
    assert "gaps" not in read_record(client, SOURCE).as_document()
    note_gaps(client, SOURCE, [{"record": "a", "csn": "1"}, {"record": "b"}], context())
    note_gaps(client, SOURCE, [{"record": "a", "csn": "2"}, {"record": "c"}], context())
    record = read_record(client, SOURCE)
    assert record.gaps == ({"record": "a", "csn": "2"}, {"record": "b"}, {"record": "c"}) and record.holder == mine
    note_gaps(client, SOURCE, [{"record": str(number)} for number in range(500)], context())
    assert len(read_record(client, SOURCE).gaps) == 400
    writes = len(client.records.writes)
    note_gaps(client, SOURCE, [{"record": "x"}], context(check_mode=True))
    it = context()
    client.records.refusal = refused(403, "no")
    note_gaps(client, SOURCE, [{"record": "x"}], it)
    assert len(client.records.writes) == writes and "hides could not be noted" in it.report.warnings[0]


def test_where_it_cannot_be_noted_that_is_said_and_nothing_else_happens():
    client, it = RecordClient(), context()
    client.records.refusal = refused(403, "no")
    note_arrival(client, SOURCE, it, "sample", checked=9, seconds=None)
    assert "could not be noted" in it.report.warnings[0]


def test_nothing_is_noted_in_check_mode():
    client = RecordClient()
    note_arrival(client, SOURCE, context(check_mode=True), "sample", checked=9, seconds=None)
    assert client.records.writes == []


@pytest.mark.parametrize(
    ("record", "gone"),
    [
        (RunRecord(arrived={"by": "sample"}), True),
        (RunRecord(holder=Holder("a", "b", 1, "load", NOW, NOW, "another")), False),
        (RunRecord(holder=Holder("a", "b", 1, "load", NOW, "2026-11-24T10:00:00Z", "another")), True),
        (RunRecord(run={"rev": "1"}), False),
    ],
)
def test_it_is_removed_when_it_is_free_and_tells_of_no_run(record, gone):
    client = RecordClient()
    write_record(client, SOURCE, record)
    forget(client, SOURCE)
    assert (read_record(client, SOURCE) is None) is gone


def test_one_that_is_taken_at_that_moment_stays():
    client = RecordClient()
    free = write_record(client, SOURCE, RunRecord())
    client.records.meanwhile = lambda: write_record(client, SOURCE, free)
    forget(client, SOURCE)
    assert read_record(client, SOURCE) is not None
    client.records.refusal = refused(403, "no")
    with pytest.raises(Refused):
        forget(client, SOURCE)


def _path():
    client = RecordClient()
    write_record(client, SOURCE, RunRecord())
    (path,) = client.records.documents
    return path


@pytest.mark.parametrize(
    ("arrived", "at"),
    [
        (None, ""),
        ({"by": "sample", "at": NOW, "checked": 1001}, NOW),
        ({"by": "sample", "at": NOW, "checked": 1000}, ""),
        ({"by": "canary", "at": NOW, "checked": 2000}, ""),
        ({"by": "sample", "at": None, "checked": "many"}, ""),
    ],
)
def test_a_comparison_of_more_than_so_many_shows_that_all_is_there(arrived, at):
    assert RunRecord(arrived=arrived).shown(1000) == at


def test_who_is_always_late_gives_up_after_five_times():
    store = RecordStore()
    store.refusal = Refused("answered 412", status=412)
    client, asked = RecordClient(store), []

    def request(method, path, body=None, headers=None, **unused):
        asked.append(path)
        return store.answer(method, path, body, headers)

    client.request = request
    with pytest.raises(Refused):
        note(client, SOURCE, run=None)
    assert len(asked) == 5
    store.refusal = Refused("answered 403", status=403)
    asked.clear()
    with pytest.raises(Refused):
        note(client, SOURCE, run=None)
    assert len(asked) == 1

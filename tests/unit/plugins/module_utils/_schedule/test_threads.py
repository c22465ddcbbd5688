# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scheduler that begins no job, and what is seen of it."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.plugins.module_utils._schedule.threads import why_none_begins
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import LiveSyncClient, executing
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, refused


def script(text, name=None):
    named = {"_id": name} if name else {}  # what runs has none (seen on OpenIDM 6.1.0)
    return {**named, "invokeService": "script", "invokeContext": {"script": {"source": text}}}


JOBS = [Schedule.parse(script(f"sleep({number})", f"slow{number}")) for number in range(5)]


def config(persisted="true", threads="4"):
    return {"scheduler": {"executePersistentSchedules": persisted}, "threadPool": {"threadCount": threads}}


def look(answer, *running):
    listed = call("POST", "scheduler/job", list(running), params={"_action": "listCurrentlyExecutingJobs"})
    client = LiveSyncClient(call("GET", "config/scheduler", answer), listed)
    found = why_none_begins(client, JOBS)
    client.finished()
    return found


@pytest.mark.parametrize("off", ["false", False, "FALSE"])
def test_a_scheduler_that_runs_no_persisted_job_is_named_by_its_property(off):
    assert "executePersistentSchedules is false (config/scheduler)" in look(config(off))


def test_jobs_that_take_all_threads_are_named():
    taking = [script(f"sleep({number})") for number in range(4)]
    said = look(config(), *taking)
    assert "All 4 threads" in said and "slow0, slow1, slow2, slow3" in said and "slow4" not in said
    assert "All 2 threads" in look(config(threads=2), script("unknown"), script("of nobody"))


@pytest.mark.parametrize(
    "answer",
    [
        config(),
        config(persisted="&{openidm.scheduler.execute.persistent.schedules}", threads="&{threads}"),
        {},
        None,
        {"scheduler": [], "threadPool": "many"},
    ],
)
def test_what_is_not_seen_is_not_said(answer):
    assert look(answer, script("sleep(1)")) is None


def test_what_the_account_may_not_read_is_not_said():
    client = LiveSyncClient(call("GET", "config/scheduler", refused(403)))
    assert why_none_begins(client, JOBS) is None
    client = LiveSyncClient(
        call("GET", "config/scheduler", config()),
        call("POST", "scheduler/job", refused(500), params={"_action": "listCurrentlyExecutingJobs"}),
    )
    assert why_none_begins(client, JOBS) is None
    assert executing()  # the answer of a scheduler at rest

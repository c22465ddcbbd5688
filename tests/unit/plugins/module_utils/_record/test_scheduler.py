# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs a source: what can be asked for, and what a run record tells."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import RunRecord, note, read_record
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import (
    EXTERNAL,
    IDM,
    Scheduler,
    checked_scheduler,
)
from ansible_collections.idmops.idm.tests.unit.doubles.record import RecordClient

SOURCE = Source.parse("system/ldap/account")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, Scheduler()),
        ({"scheduler": None, "max_age": None}, Scheduler()),
        ({"scheduler": "idm"}, Scheduler(IDM)),
        ({"scheduler": "external", "max_age": 300}, Scheduler(EXTERNAL, 300)),
        ({"scheduler": "external", "max_age": "300"}, Scheduler(EXTERNAL, 300)),
        ({"scheduler": "external", "max_age": 0.5}, Scheduler(EXTERNAL, 0.5)),
    ],
)
def test_what_can_be_asked_for(given, wanted):
    assert checked_scheduler(given) == wanted


@pytest.mark.parametrize("given", [None, 0, -1, "soon", "", True, float("inf"), float("nan"), [300], {}])
def test_an_external_scheduler_takes_a_time_after_which_a_run_is_too_old(given):
    with pytest.raises(InvalidOption, match="^max_age: .* a number above 0"):
        checked_scheduler({"scheduler": "external", "max_age": given})


@pytest.mark.parametrize("kind", [None, "idm"])
def test_idms_own_schedule_takes_none(kind):
    with pytest.raises(InvalidOption, match="^max_age: 300 cannot be used. It goes with scheduler: external"):
        checked_scheduler({"scheduler": kind, "max_age": 300})


@pytest.mark.parametrize("by", [Scheduler(), Scheduler(EXTERNAL, 300), Scheduler(EXTERNAL, 2.5)])
def test_the_record_keeps_it_beside_all_else(by):
    client = RecordClient()
    note(client, SOURCE, arrived={"by": "canary"}, scheduler=Scheduler(EXTERNAL, 7))
    note(client, SOURCE, scheduler=by)
    record = read_record(client, SOURCE)
    assert (record.scheduler, record.arrived) == (by, {"by": "canary"})
    assert not {"scheduler", "max_age"} & set(record.rest)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, Scheduler()),
        ({"scheduler": "idm", "max_age": 3}, Scheduler()),
        ({"scheduler": "external"}, Scheduler(EXTERNAL)),
        ({"scheduler": "external", "max_age": "long"}, Scheduler(EXTERNAL)),
        ({"scheduler": "another", "max_age": 300}, Scheduler(EXTERNAL)),
        ({"scheduler": ["external"]}, Scheduler(EXTERNAL)),
    ],
)
def test_what_nobody_here_has_written_is_not_taken_for_idms_schedule(body, told):
    assert RunRecord.parse(body).scheduler == told

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waiting for a reconciliation of half an hour takes of a processor; the clocks of both sides are fast."""

from __future__ import annotations

import time

from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client
from ansible_collections.idmops.idm.plugins.module_utils._recon.recon import ReconRequest, reconcile

from tests.servers.ping.stand_in import running

HALF_AN_HOUR = 1800.0
#: Seconds that go by in one.
SPEED = 300.0
#: Of a processor, for all of it, without Ansible's own.
LIMIT = 3.0
#: So often it is asked how a run stands, in seconds.
PAUSE = 3.0


class Fast(Clock):
    """A clock by which half an hour goes by in six seconds."""

    def now(self):
        return time.monotonic() * SPEED

    def sleep(self, seconds):
        time.sleep(seconds / SPEED)


def test_half_an_hour_of_waiting_takes_less_than_three_seconds_of_a_processor(tmp_path):
    with running("standalone", tmp_path / "ping", people=3, speed=SPEED) as stand_in:
        stand_in.world.switches.record_seconds = HALF_AN_HOUR / 3
        connection = {"timeout": 30, **stand_in.variables["idm_connection"]}
        with Client(connection, context := Context(clock=Fast())) as client:
            began = time.thread_time()
            outcome = reconcile(client, ReconRequest(stand_in.variables["mapping"]), context)
            worked = time.thread_time() - began
        looks = len([one for one in stand_in.world.requests if one["path"].startswith("recon/")])
    assert outcome.run.state == "SUCCESS" and looks > 20
    # a busy machine leaves room for fewer looks: what one takes tells what all of them do
    assert worked / looks * HALF_AN_HOUR / PAUSE < LIMIT, f"{worked:.2f} s for {looks} looks"

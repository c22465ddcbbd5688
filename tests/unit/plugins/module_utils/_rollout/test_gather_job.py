# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is gathered of a job: a document that the list of configurations does not name is asked for all the same, but
for an environment that seems finished."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._rollout.gather import Gatherer
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import finished, job
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, context

LINK = call("GET", "repo/link", {"result": [{"_id": "a"}]})
NAME = "liveSync_ldap_account"


def no_document():
    return call("GET", f"config/schedule/{NAME}", None)


JOBS = (job(),)


def gather(client, documents, brief, schedules=JOBS):
    snapshot = Snapshot({}, {}, {}, schedules, (), frozenset(), documents=documents)
    gatherer = Gatherer(client, Server("openidm", "6.1.0"), snapshot, "disabled", context(), brief)
    found = gatherer._with_job(replace(finished(), job=None, schedules=schedules))
    client.finished()
    return found


@pytest.mark.parametrize(
    ("documents", "brief", "left_out"),
    [
        (frozenset({"sync"}), True, True),
        (frozenset({"sync"}), False, False),
        (frozenset({"sync", f"schedule/{NAME}"}), True, False),
        (None, True, False),
    ],
)
def test_a_document_that_is_not_listed_is_left_out_where_that_is_wanted(documents, brief, left_out):
    client = ScriptedClient(*([] if left_out else [no_document()]), LINK)
    found = gather(client, documents, brief)
    assert found.job.name == NAME and found.foreign == frozenset()


def test_without_a_job_all_is_asked_for():
    client = ScriptedClient(no_document(), call("GET", f"scheduler/job/{NAME}", None))
    assert gather(client, frozenset({"sync"}), True, schedules=()).job is None

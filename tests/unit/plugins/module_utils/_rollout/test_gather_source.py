# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is gathered of a source from what has been read already, and which mappings are its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import QueuedSync
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._rollout.gather import Gatherer
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR, MAPPING, SOURCE, finished, job
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, context, refused

REQUEST = replace(finished().request, directory=None)
TEST = ConnectorTest("ldap", True, None, True)
STAGE = Stage("1", 50, "integer")
OFF = replace(MAPPING, name="off", sync_enabled=False)
ELSEWHERE = replace(MAPPING, name="elsewhere", source="system/hr/person")
QUEUE = QueuedSync.parse({"enabled": True})


def gather(*calls, mappings=(MAPPING,), connectors=None, state="disabled", schedules=(), running=(), **more):
    client = ScriptedClient(
        *calls,
        call("GET", "config/schedule/liveSync_ldap_account", None),
        call("GET", "scheduler/job/liveSync_ldap_account", None),
    )
    snapshot = Snapshot(
        {"ldap": CONNECTOR} if connectors is None else connectors,
        {"ldap": TEST},
        {"SYSTEMLDAPACCOUNT": STAGE},
        schedules,
        mappings,
        frozenset(running),
    )
    return Gatherer(client, Server("openidm", "6.1.0"), snapshot, state, context()).source(replace(REQUEST, **more))


def test_what_has_been_read_of_the_source_is_its_evidence():
    found = gather(mappings=(MAPPING, OFF, ELSEWHERE), running=[SOURCE])
    assert (found.connector, found.test, found.stage, found.running) == (CONNECTOR, TEST, STAGE, True)
    assert [one.name for one in found.mappings] == ["m", "off"] and found.left_out == () and found.unasked == ()
    assert (found.strangers, found.known_systems, found.misnamed, found.refused_mappings) == ({}, ("ldap",), (), None)
    assert gather().running is False and gather().left_out == ()


def test_mappings_that_are_asked_for_are_those_alone():
    on = replace(MAPPING, name="on")
    found = gather_named(("on", "elsewhere", "nope"), (MAPPING, on, OFF, ELSEWHERE))
    assert (
        [one.name for one in found.mappings] == ["on"] and found.unasked == ("m", "off") and found.left_out == ("off",)
    )
    assert set(found.strangers) == {"elsewhere", "nope"}


def gather_named(names, known):
    snapshot = Snapshot({"ldap": CONNECTOR}, {"ldap": TEST}, {}, (), known, frozenset())
    client = ScriptedClient(
        call("GET", "config/schedule/liveSync_ldap_account", None),
        call("GET", "scheduler/job/liveSync_ldap_account", None),
    )
    return Gatherer(client, Server("openidm", "6.1.0"), snapshot, "disabled", context()).source(
        replace(REQUEST, mappings=names)
    )


@pytest.mark.parametrize(
    ("answer", "depth"),
    [
        ({"result": [{"_id": "a"}], "totalPagedResults": 7}, 7),
        ({"result": [], "totalPagedResults": 0}, 0),
        (refused(403), None),
    ],
)
def test_what_waits_in_a_queue_that_changes_go_through(answer, depth):
    queued = replace(MAPPING, queue=QUEUE)
    client_call = call("GET", "sync/queue", answer)
    found = gather(client_call, mappings=(queued, ELSEWHERE))
    assert [(one.name, waiting) for one, waiting in found.queued] == [("m", depth)]


@pytest.mark.parametrize(
    ("servers", "own", "others", "refused_as"),
    [
        (["ldaps://ds1.example.com:4444"], False, True, None),
        (["ldaps://elsewhere:4444"], False, True, "livesync_directory.servers"),
        (["ldaps://elsewhere:4444"], True, True, None),
        (["ldaps://elsewhere:4444"], False, False, None),
    ],
)
def test_a_directory_for_all_has_to_be_on_a_host_of_the_connector(servers, own, others, refused_as):
    other = replace(CONNECTOR, name="other", host="elsewhere")
    csv = replace(other, name="csv", type="org.forgerock.openicf.csvfile.CSVFileConnector")
    known = {one.name: one for one in ([CONNECTOR, other] if others else [CONNECTOR, csv])}
    snapshot = Snapshot(known, {}, {}, (), (), frozenset())
    gatherer = Gatherer(ScriptedClient(), Server("openidm", "6.1.0"), snapshot, "enabled", context())
    request = replace(REQUEST, directory={"servers": servers}, own_directory=own)
    if refused_as is None:
        gatherer._check_whose(request, CONNECTOR)
        return
    with pytest.raises(InvalidOption) as caught:
        gatherer._check_whose(request, CONNECTOR)
    assert caught.value.option == refused_as and "connector ldap (ds1.example.com:1389)" in caught.value.message


def test_schedules_of_other_sources_are_not_its_own():
    jobs = (job(), job("other", source="system/hr/person"))
    snapshot = Snapshot({}, {}, {}, jobs, (), frozenset())
    client = ScriptedClient(
        call("GET", "config/schedule/liveSync_ldap_account", None), call("GET", "repo/link", {"result": [{"_id": "a"}]})
    )
    found = Gatherer(client, Server("openidm", "6.1.0"), snapshot, "enabled", context()).source(REQUEST)
    assert [one.name for one in found.schedules] == ["liveSync_ldap_account"] and found.connector is None

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage document: read, written with a guard, removed with a guard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import (
    Stage,
    delete_stage,
    read_stage,
    read_stages,
    write_token,
)
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    SOURCE,
    STAGE,
    LiveSyncClient,
    document,
    no_stage,
    stage,
)
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call

LDAP = Source.parse(SOURCE)


def test_a_stage_is_read():
    client = LiveSyncClient(stage("7", 42, "Failed", "<xml/>"))
    found = read_stage(client, LDAP)
    assert found == Stage("7", 42, "integer", "Failed", "<xml/>")
    assert "<xml/>" not in repr(found)
    client.finished()


def test_no_stage_is_none():
    assert read_stage(LiveSyncClient(no_stage()), LDAP) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Stage()),
        ({"_rev": 3, "connectorData": None, "lastException": None}, Stage(rev="3")),
        ({"connectorData": {"syncToken": "20260101Z", "nativeType": "string"}}, Stage(None, "20260101Z", "string")),
        ({"lastException": {"syncDelta": "x"}}, Stage(failure="unknown", delta="x")),
    ],
)
def test_what_may_be_missing(body, expected):
    assert Stage.parse(body) == expected


def test_all_stages_come_with_one_request():
    listed = {"result": [document("1", 5)]}
    client = LiveSyncClient(call("GET", "repo/synchronisation/pooledSyncStage", listed))
    assert read_stages(client) == {"SYSTEMLDAPACCOUNT": Stage("1", 5, "integer")}


@pytest.mark.parametrize(("rev", "guard"), [("7", {"If-Match": '"7"'}), (None, {"If-None-Match": "*"})])
def test_a_token_is_written_over_the_revision_that_was_read(rev, guard):
    body = {"connectorData": {"nativeType": "integer", "syncToken": 9}}
    client = LiveSyncClient(call("PUT", STAGE, document("8", 9), body=body, headers=guard))
    assert write_token(client, LDAP, 9, "integer", rev).token == 9


def test_only_201_says_that_a_token_was_created():
    """A cluster answered 200 to some of many at once with If-None-Match, and wrote over (seen on a live tenant)."""
    client = LiveSyncClient(call("PUT", STAGE, document("8", 9), headers={"If-None-Match": "*"}))
    client.put_status = 200
    with pytest.raises(IdmopsError, match="was stored over another one"):
        write_token(client, LDAP, 9, "integer", None)


@pytest.mark.parametrize(
    ("token", "kind", "number", "fits"),
    [
        (5, "integer", 5, True),
        (5, "JAVA_TYPE_LONG", 5, True),
        ("5", "integer", 5, True),
        ("5", "string", None, False),
        (5, "string", None, False),
        (5.5, "integer", None, False),
        ("\u00b2", "integer", None, False),
        (True, "integer", None, False),
        ({"a": 1}, "integer", None, False),
        ("20261127183045Z", "string", None, True),
        (None, None, None, True),
    ],
)
def test_the_number_of_a_token_and_whether_a_connector_that_counts_takes_it(token, kind, number, fits):
    held = Stage("1", token, kind)
    assert (held.number, held.misfit(CONNECTOR) is None) == (number, fits)
    assert held.misfit(None) is None and held.misfit(replace(CONNECTOR, uses_timestamps=True)) is None


def test_a_time_stamp_is_no_token_where_the_change_log_has_numbers():
    """useTimestampsForSync was true for a while: each run ends in 500 then (seen on OpenIDM 6.1.0, OpenDJ 4.6.5)."""
    held = Stage("1", "20261127183045Z", "string")
    assert "'20261127183045Z'" in str(held.misfit(CONNECTOR, numbered=True))
    assert held.misfit(replace(CONNECTOR, uses_timestamps=True), numbered=True) is None
    assert Stage("1", 5, "integer").misfit(CONNECTOR, numbered=True) is None


@pytest.mark.parametrize(
    ("vendor", "kind", "fits"),
    [
        ("openidentityplatform", "JAVA_TYPE_LONG", False),
        ("openidentityplatform", "integer", True),
        ("forgerock", "JAVA_TYPE_LONG", True),
    ],
)
def test_a_long_token_is_what_pings_connector_takes_and_the_open_one_does_not(vendor, kind, fits):
    """The bundle's names: "OpenIDM family over REST", section 5; "Recorded HTTP answers", section 6."""
    bundle = f"org.{vendor}.openicf.connectors.ldap-connector"
    reference = {"connectorName": CONNECTOR.type, "bundleName": bundle}
    connector = Connector.parse({"_id": "provisioner.openicf/ldap", "connectorRef": reference})
    assert (Stage("1", 5, kind).misfit(connector) is None) == fits


def test_a_stage_is_removed_with_its_revision():
    client = LiveSyncClient(call("DELETE", STAGE, {}, body={"If-Match": '"7"'}))
    delete_stage(client, LDAP, "7")
    client.finished()

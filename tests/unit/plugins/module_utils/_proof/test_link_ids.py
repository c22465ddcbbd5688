# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connector that calls entries otherwise than when they were linked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._proof.link_ids import by_uuid, estranged
from ansible_collections.idmops.idm.tests.unit.doubles.environment import LINKS, SOURCE, Environment

UUIDS = ["4b1fc391-cf0c-435b-8d4e-86e46d03930a", "0b072004-6d5e-3831-92df-d802a61b5f46"]
DNS = ["uid=user.1,ou=People,dc=example,dc=com", "uid=user.2,ou=People,dc=example,dc=com"]
NAMES = ["user.1", "user.2"]


def connector(uid, name="org.identityconnectors.ldap.LdapConnector"):
    properties = {"uidAttribute": uid} if uid else {}
    reference = {"connectorName": name}
    return Connector.parse(
        {"_id": "provisioner.openicf/ldap", "connectorRef": reference, "configurationProperties": properties}
    )


def asked(uid, ids, turned=False, there=None, **more):
    it = there or Environment(count=0, turned=turned)
    it.links[:] = [it.link(one, f"t{number}") for number, one in enumerate(ids)]
    return estranged(it.idm, connector(uid, **more), [it.mapping], [it.mapping])


@pytest.mark.parametrize(
    ("uid", "ids", "then"),
    [
        ("dn", UUIDS, "entryUUID"),
        ("uid", UUIDS, "entryUUID"),
        ("entryUUID", DNS, "dn"),
        ("entryDN", NAMES, "another attribute"),
        ("entryuuid", NAMES, "another attribute"),
        ("uid", DNS, "dn"),
        ("dn", DNS, None),
        ("uid", NAMES, None),
        ("employeeNumber", NAMES, None),
        ("EntryUUID", UUIDS, None),
        ("entryUUID", [UUIDS[0], DNS[1]], None),
        ("entryUUID", [], None),
        (None, DNS, None),
    ],
)
def test_links_that_know_entries_by_another_name_are_told(uid, ids, then):
    found = asked(uid, ids)
    assert bool(found) is bool(then)
    if then:
        assert f"knows entries by {uid} (uidAttribute), and the links of m know them by {then}" in found
        back = "what it was" if then == "another attribute" else then
        assert f"Set uidAttribute to {back} again in config/provisioner.openicf/ldap" in found


def test_ids_that_the_source_has_are_its_own_whatever_they_look_like():
    there = Environment(count=0)
    there.people.append({"_id": UUIDS[1]})
    assert asked("employeeNumber", UUIDS, there=there) is None


def test_what_cannot_be_read_or_is_no_directory_tells_nothing():
    there = Environment(count=0)
    del there.idm.resources[LINKS]
    assert asked("dn", UUIDS, there=there) is None
    assert asked("dn", UUIDS, name="org.forgerock.openicf.csvfile.CSVFileConnector") is None
    there = Environment(count=0)
    del there.idm.resources[SOURCE]  # the connector takes a UUID for no name at all
    assert asked("dn", UUIDS, there=there)


def test_links_of_a_mapping_that_is_not_known_are_not_judged():
    it = Environment(count=0, links="other")
    it.links.append(it.link(UUIDS[0], "t1", kind="other"))
    assert estranged(it.idm, connector("dn"), [it.mapping], [it.mapping]) is None and not it.idm.asked


@pytest.mark.parametrize("turned", [False, True])
def test_the_side_of_the_source_counts(turned):
    it = Environment(count=0, turned=turned, links="owner")
    it.links.append(it.link(UUIDS[0], "user.1", kind="owner"))
    sides = ("managed/user", SOURCE) if turned else (SOURCE, "managed/user")
    owner = replace(it.mapping, name="owner", source=sides[0], target=sides[1])
    assert "by entryUUID" in str(estranged(it.idm, connector("uid"), [it.mapping], [it.mapping, owner]))


def test_by_what_a_connector_knows_entries():
    assert [by_uuid(connector(uid)) for uid in ("entryUUID", "ENTRYUUID", None, "dn", "uid")] == [True] * 3 + [
        False
    ] * 2

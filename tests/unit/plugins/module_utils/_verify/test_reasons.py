# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reason is told where something tells it; else it is unknown."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import Difference
from ansible_collections.idmops.idm.plugins.module_utils._verify.reasons import Reasons
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment

BASE = "ou=People,dc=example,dc=com"


def connector(**properties):
    schema = {"mail": {"type": "string", "nativeName": "mail"}, "uid": {"type": "string"}}
    return Connector.parse(
        {
            "_id": "provisioner.openicf/ldap",
            "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
            "configurationProperties": {"principal": "uid=idm", "baseContexts": [BASE], **properties},
            "objectTypes": {"account": {"nativeType": "__ACCOUNT__", "properties": schema}},
        }
    )


class Own:
    """Entries of the directory; a filter finds those that a test says."""

    def __init__(self, *, passing=(), **attributes):
        stated = {"objectclass": (b"top", b"person"), "modifytimestamp": (b"20261124101500Z",), **attributes}
        self.entry = Entry(f"uid=u1,{BASE}", stated)
        self.passing = passing

    def entries(self, ids, further=""):
        return {one: self.entry for one in ids if not further or one in self.passing}


def reason(difference, own=None, there=None, **properties):
    there = there or Environment()
    found = Reasons(
        there.idm, Source.parse(SOURCE), there.mapping, there.sides.comparison, connector(**properties), own
    ).of([difference])
    assert len(found) == 1 and (found[0].kind, found[0].id) == (difference.kind, difference.id)
    return found[0].reason, found[0].detail


DIFFERING = Difference("differing", "s1", "t1", ("mail",))
MISSING = Difference("missing", "s1")


def audit(status="FAILURE", time="2026-11-24T10:00:00.000Z", **more):
    return {
        "_id": time,
        "timestamp": time,
        "sourceObjectId": f"{SOURCE}/s1",
        "status": status,
        "mapping": "m",
        "action": "UPDATE",
        "situation": "CONFIRMED",
        "message": "Policy validation failed",
        **more,
    }


def test_nothing_known_is_unknown():
    assert reason(DIFFERING) == ("unknown", None)
    assert reason(MISSING, Own()) == ("unknown", None)


def test_what_audit_refused_is_refused_until_it_came_over():
    there = Environment()
    there.idm.resources["audit/sync"] = [audit()]
    told = reason(DIFFERING, there=there)
    assert told[0] == "refused" and "Policy validation failed (audit, 2026-11-24T10:00" in told[1]
    there.idm.resources["audit/sync"].append(audit("SUCCESS", "2026-11-24T11:00:00.000Z"))
    assert reason(DIFFERING, there=there) == ("unknown", None)
    there.idm.resources["audit/recon"] = [
        audit("SUCCESS", "2026-11-24T12:00:00.000Z", entryType="entry", action="EXCEPTION", situation="AMBIGUOUS")
    ]
    assert reason(DIFFERING, there=there)[0] == "refused"
    there.idm.resources["audit/recon"][0]["mapping"] = "another"
    assert reason(DIFFERING, there=there) == ("unknown", None)


def test_a_dead_letter_is_a_refusal_too():
    there = Environment()
    letter = {"_id": "l1", "uid": "s1", "token": 7, "objectType": "account", "failureCause": "too long"}
    there.idm.resources["repo/synchronisation/deadLetterQueue/ldap"] = [letter]
    assert reason(MISSING, there=there) == ("refused", "too long (dead letter queue)")
    letter["objectType"] = "group"
    assert reason(MISSING, there=there)[0] == "unknown"


def test_a_mapping_that_is_off_takes_nothing():
    assert reason(DIFFERING, there=Environment(enableSync=False))[0] == "mapping_off"


@pytest.mark.parametrize(
    ("difference", "situation"),
    [(MISSING, "ABSENT"), (DIFFERING, "CONFIRMED"), (Difference("missing", "s1", "t1"), None)],
)
def test_what_a_policy_leaves_alone_is_filtered(difference, situation):
    policies = [{"situation": one, "action": "IGNORE"} for one in ("ABSENT", "CONFIRMED")]
    told = reason(difference, there=Environment(policies=policies))
    wanted = ("filtered", f"the mapping's policy for {situation} is IGNORE") if situation else ("unknown", None)
    assert told == wanted


def test_a_rule_that_left_an_entry_alone_says_nothing_of_a_later_change():
    there = Environment()
    there.idm.resources["audit/sync"] = [
        {"_id": "1", "timestamp": "2026-11-24T10:00:01.000Z", "sourceObjectId": f"{SOURCE}/s1", "mapping": "m",
         "status": "SUCCESS", "situation": "UNQUALIFIED", "action": "IGNORE"}
    ]  # fmt: skip
    assert reason(DIFFERING, there=there)[0] == "filtered"
    for time, wanted in (("20261124100000Z", "filtered"), ("20261124110000Z", "unknown")):
        entries = there.entries
        stamp = (time.encode(),)
        there.entries = lambda ids, further="", stamp=stamp: {
            name: Entry(f"uid={name},dc=x", {"modifytimestamp": stamp}) for name in ids
        }
        assert reason(DIFFERING, there=there, own=there)[0] == wanted
        there.entries = entries


def switched(*states):
    """Changes of the mappings, one an hour from ten o'clock on, each with whether liveSync used the mapping then."""
    sides = [{"mappings": [{"name": "m", "enableSync": on}]} for on in states]
    return [
        {"objectId": "sync", "timestamp": f"2026-11-24T{10 + at}:00:00.000Z", "before": before, "after": after}
        for at, (before, after) in enumerate(zip(sides, sides[1:]))
    ]


@pytest.mark.parametrize(
    ("states", "changed", "wanted"),
    [
        ((True, False, True), b"20261124103000Z", "mapping_off"),
        ((True, False, True), b"20261124093000Z", "unknown"),
        ((True, False, True), b"20261124113000Z", "unknown"),
        ((True, False, True), b"20261124100000Z", "unknown"),
        ((True, False, True), b"20261124110000Z", "unknown"),
        ((False, True), b"20261124093000Z", "mapping_off"),
        ((True, True), b"20261124103000Z", "unknown"),
        ((True, False, False, True), b"20261124113000Z", "mapping_off"),
    ],
)
def test_a_change_that_came_while_the_mapping_was_off_went_nowhere(states, changed, wanted):
    there = Environment()
    there.idm.resources["audit/config"] = switched(*states)
    assert reason(DIFFERING, Own(modifytimestamp=(changed,)), there)[0] == wanted


def test_the_newest_changes_of_the_mappings_are_looked_at_however_many_there_are():
    there = Environment()
    many = [dict(one, timestamp="2026-11-23T10:00:00.000Z") for one in switched(True, True) * 250]
    there.idm.resources["audit/config"] = [*many, *switched(True, False, True)]
    assert reason(DIFFERING, Own(modifytimestamp=(b"20261124103000Z",)), there)[0] == "mapping_off"


@pytest.mark.parametrize(
    ("properties", "own", "wanted"),
    [
        ({"attributesToSynchronize": ["uid", "sn"]}, Own(), "attributesToSynchronize"),
        ({"attributesToSynchronize": ["uid", "Mail"]}, Own(), None),
        ({"accountSynchronizationFilter": "(l=Oslo)"}, Own(), "accountSynchronizationFilter"),
        ({"accountSynchronizationFilter": "l=Oslo"}, Own(passing=("s1",)), None),
        ({"accountSynchronizationFilter": "(l=&{esv.l})"}, Own(), None),
        ({"objectClassesToSynchronize": ["inetOrgPerson"]}, Own(), "objectClassesToSynchronize"),
        ({"objectClassesToSynchronize": ["PERSON"]}, Own(), None),
        ({"baseContextsToSynchronize": ["ou=Staff,dc=example,dc=com"]}, Own(), "baseContextsToSynchronize"),
        ({"baseContextsToSynchronize": ["dc=Example, dc=com"]}, Own(), None),
        ({"baseContextsToSynchronize": ["&{esv.base}"]}, Own(), None),
        ({"modifiersNamesToFilterOut": ["cn=Loader"]}, Own(modifiersname=(b"cn=loader",)), "modifiersNamesToFilterOut"),
        ({"modifiersNamesToFilterOut": ["cn=Loader"]}, Own(modifiersname=(b"cn=admin",)), None),
    ],
)
def test_the_property_that_leaves_a_change_out_is_named(properties, own, wanted):
    told = reason(DIFFERING, own, **properties)
    assert told == ("unknown", None) if wanted is None else (told[0] == "filtered" and wanted in told[1])


def test_what_differs_beside_an_attribute_that_is_left_out_is_not_blamed_on_it():
    both = Difference("differing", "s1", "t1", ("mail", "userName"))
    assert reason(both, Own(), attributesToSynchronize=["uid"]) == ("unknown", None)
    assert reason(MISSING, Own(), attributesToSynchronize=["uid"]) == ("unknown", None)


def test_a_reason_that_the_look_has_found_stays():
    seen = Difference("missing", "s1", reason="hidden", detail="an ACI", in_source=False)
    assert reason(seen, Own(), Environment(enableSync=False)) == ("hidden", "an ACI")


def test_what_is_gone_is_no_riddle_and_where_it_lay_is_told():
    assert reason(Difference("orphaned", "s1", "t1", in_source=False)) == ("unknown", None)
    told = Reasons(
        (there := Environment()).idm, Source.parse(SOURCE), there.mapping, there.sides.comparison, connector(), Own()
    ).of([DIFFERING])
    assert told[0].as_result(True)["dn"] == f"uid=u1,{BASE}" and "dn" not in told[0].as_result(False)

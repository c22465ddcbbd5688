# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of each kind of difference, and of what it could not compare: word for word."""

from __future__ import annotations

import itertools
import pathlib
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import KINDS, REASONS, Difference
from ansible_collections.idmops.idm.plugins.module_utils._proof.suspects import Suspects
from ansible_collections.idmops.idm.plugins.module_utils._verify.verified import Verified, VerifyRequest, verify_result
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
SOURCE = Source("ldap", "account")
MAPPING = SyncMapping.parse({"name": "m", "source": str(SOURCE), "target": "managed/user"})
SCHEMA = TargetSchema({}, frozenset(), frozenset())
COPIES = [{"source": "uid", "target": "userName"}, {"source": "mail", "target": "mail"}]
SCRIPTED = [*COPIES, {"source": "sn", "target": "sn", "transform": {"type": "x"}}]


def comparison(properties=COPIES):
    return Comparison.of(SyncMapping.parse({"name": "m", "properties": properties}), SCHEMA, {})


def suspects(**more):
    found = Suspects()
    for name, value in {"in_source": 100, "in_target": 99, "checked": 100, "linked": 98, **more}.items():
        setattr(found, name, value)
    return found


def verified(*differences, properties=COPIES, sampled=False, seen=None, **more):
    how = {"pending": 0, "given": True, **more}
    return Verified(SOURCE, MAPPING, comparison(properties), seen or suspects(), sampled, list(differences), **how)


GONE = Difference("orphaned", None, "t1", reason="unknown")
LACKS = Difference("missing", "s1", detail="it failed", dn="uid=a")
DIFFERS = Difference("differing", "s2", "t2", ("mail",))
CASES = {
    "all is well": verified(),
    "all of a directory is well": verified(seen=suspects(in_directory=100)),
    "a sample is well": verified(sampled=True),
    "nothing there": verified(seen=suspects(in_source=0, checked=0)),
    "a sample of nothing": verified(sampled=True, seen=suspects(in_source=0, checked=0)),
    "scripts": verified(properties=SCRIPTED),
    "a sample with scripts": verified(properties=SCRIPTED, sampled=True),
    "no key": verified(properties=COPIES[1:]),
    "one left out": verified(seen=suspects(left_out={"a"})),
    "two left out": verified(seen=suspects(left_out={"a", "b"})),
    "two left out, all by audit": verified(seen=suspects(left_out={"a", "b"}), ruled_out=2),
    "two left out, one by audit": verified(seen=suspects(left_out={"a", "b"}), ruled_out=1),
    "two left out, none by audit": verified(seen=suspects(left_out={"a", "b"}), ruled_out=0),
    "a sample with one left out": verified(sampled=True, seen=suspects(left_out={"a"})),
    "one missing": verified(LACKS),
    "one missing in a sample": verified(LACKS, sampled=True),
    "several": verified(GONE, LACKS, DIFFERS, replace(DIFFERS, reason="hidden")),
    "links too many": verified(replace(LACKS, spare_links=("l1", "l2")), replace(DIFFERS, spare_links=("l2",))),
    "doubt": verified(doubt="Who knows."),
    "some pending": verified(pending=3),
    "pending unknown": verified(pending=None),
    "pending unknown, one missing": verified(LACKS, pending=None),
    "pending unknown, one missing, no directory": verified(LACKS, pending=None, given=False),
    "pending unknown, one missing, no log": verified(LACKS, pending=None, given=False, logged=False),
    "pending unknown, one missing, no log though given": verified(LACKS, pending=None, logged=False),
    "no directory": verified(given=False),
    "no directory and no log": verified(given=False, logged=False),
}


def test_what_is_said_of_a_mapping():
    found = {name: one.sentence for name, one in CASES.items()}
    compare(FILES / "sentences.yml", "What verify says of a mapping.", found)


def remedy(*differences):
    with pytest.raises(IdmopsError) as caught:
        verify_result([verified(*differences)], [], VerifyRequest(fail_on=KINDS))
    return caught.value.remedy


def test_what_mends_each_kind_for_each_reason():
    found = {}
    for kind, reason in itertools.product(KINDS, REASONS):
        for how in ({}, {"in_source": False}, {"ruled": True}, {"spare_links": ("l",)}, {"id": None}):
            one = replace(Difference(kind, "s", "t", reason=reason), **how)
            text = f"{'by id, ' if one.by_id else ''}{'by target, ' if one.by_target else ''}{remedy(one)}"
            name = ", ".join([kind, *how])
            found.setdefault(name, {}).setdefault(text, []).append(reason)
    told = {name: [f"{', '.join(why)}: {text}" for text, why in texts.items()] for name, texts in found.items()}
    told["missing and orphaned"] = [remedy(LACKS, GONE)]
    told["orphaned and hidden"] = [remedy(GONE, replace(LACKS, in_source=False, reason="hidden"))]
    compare(FILES / "remedies.yml", "What mends each kind of difference.", told)


def test_the_result_of_several_mappings():
    both = [verified(LACKS, GONE, replace(LACKS, spare_links=("l1",))), verified(DIFFERS, LACKS)]
    result = verify_result(both, [], VerifyRequest(detailed=True, most=1))
    assert (result["changed"], result["ids"], result["link_ids"], result["target_ids"]) == (
        False,
        ["s1", "s2"],
        ["l1"],
        ["t1"],
    )
    assert result["msg"] == " ".join(one.sentence for one in both)
    first = result["verified"][0]
    assert first == {
        "source": "system/ldap/account",
        "mapping": "m",
        "in_source": 100,
        "in_target": 99,
        "in_directory": None,
        "checked": 100,
        "linked": 98,
        "pending": 0,
        "not_comparable": {"properties": [], "entries": 0},
        "differences": {"missing": 2, "orphaned": 1},
        "entries": [
            {
                "id": "s1",
                "target_id": None,
                "kind": "missing",
                "reason": "unknown",
                "detail": "it failed",
                "properties": [],
                "link_ids": [],
                "dn": "uid=a",
            }
        ],
    }
    plain = verify_result(both, [], VerifyRequest(most=0))["verified"][0]
    assert plain["entries"] == [] and "dn" not in LACKS.as_result(False)


def test_without_a_source_there_is_nothing_to_say():
    assert verify_result([], [], VerifyRequest())["msg"] == "No source has a token or a schedule of liveSync."


def test_what_must_not_be_fails_and_what_could_not_be_compared_first():
    assert verify_result([verified(LACKS)], [], VerifyRequest(fail_on=("orphaned",)))["ids"] == ["s1"]
    errors = [IdmopsError("No m.", status=500, remedy="Mend m."), IdmopsError("No n.", status=404)]
    with pytest.raises(IdmopsError) as caught:
        verify_result([verified(LACKS)], errors, VerifyRequest(fail_on=("missing",)))
    assert caught.value.message == f"No m. No n. {verified(LACKS).sentence}"
    assert (caught.value.status, caught.value.remedy, caught.value.result["ids"]) == (500, "Mend m.", ["s1"])


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        ({"sample": -1}, "sample"),
        ({"most": -1}, "max_listed"),
        ({"mappings": ()}, "mappings"),
        ({"mappings": ("a", "")}, "mappings"),
        ({"recheck": -1.0}, "recheck"),
        ({"recheck": float("inf")}, "recheck"),
        ({"sample": 0, "most": 0, "mappings": ("a",), "recheck": 0}, None),
        ({"recheck": None, "mappings": None}, None),
        ({"sample": 1, "most": 1, "recheck": 0.5}, None),
    ],
)
def test_what_cannot_be_asked_for(wrong, option):
    if option is None:
        VerifyRequest(**wrong).check()
        return
    with pytest.raises(InvalidOption) as caught:
        VerifyRequest(**wrong).check()
    assert caught.value.message.startswith(f"{option}: ")

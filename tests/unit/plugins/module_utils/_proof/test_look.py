# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of difference is found by a look at everything and by a look at what was drawn, and nothing else is."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._proof import look as module
from ansible_collections.idmops.idm.plugins.module_utils._proof.look import look
from ansible_collections.idmops.idm.plugins.module_utils._proof.suspects import suspects_of_all, suspects_of_some
from ansible_collections.idmops.idm.tests.unit.doubles.environment import Environment


def found(there, sample=None, directory=False):
    """Return what differs, by kind, id of the source and id of the target; and what was counted."""
    ids = partial(there.masks, there.sides.comparison) if directory else None
    seen = suspects_of_some(there.sides, ids, sample) if sample else suspects_of_all(there.sides, ids)
    looked = look(there.sides, there if directory else None, seen.sources, seen.targets)
    return {(one.kind, one.id, one.target_id) for one in looked.differences}, seen, looked


def deleted_link(there):
    there.drop(there.links, "s1")
    return {("unlinked", "s1", "t1")}


def deleted_target(there):
    there.drop(there.users, "t1")
    return {("missing", "s1", "t1")}


def never_arrived(there):
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    return {("missing", "s1", None)}


def changed_target(there):
    there.users[1]["mail"] = "other@x"
    return {("differing", "s1", "t1")}


def changed_source(there):
    del there.people[1]["mail"]
    return {("differing", "s1", "t1")}


def gone_source(there):
    there.drop(there.people, "s1")
    return {("orphaned", "s1", "t1")}


def gone_but_for_the_link(there):
    there.drop(there.people, "s1")
    there.drop(there.users, "t1")
    return {("orphaned", "s1", None)}


def loaded_twice(there):
    there.users.append({"_id": "t99", "userName": "u1", "mail": "u1@x"})
    return {("duplicate", "s1", "t99")}


def twice_and_no_link(there):
    there.drop(there.links, "s1")
    there.users.append({"_id": "t99", "userName": "u1", "mail": "u1@x"})
    return {("unlinked", "s1", "t1"), ("duplicate", "s1", "t99")}


def twice_and_gone(there):
    there.drop(there.people, "s1")
    there.users.append({"_id": "t99", "userName": "u1", "mail": "u1@x"})
    return {("orphaned", "s1", "t1"), ("duplicate", "s1", "t99")}


def renamed_beside_a_double(there):
    there.users[1]["userName"] = "else"
    there.users.append({"_id": "t99", "userName": "u1", "mail": "u1@x"})
    return {("differing", "s1", "t1"), ("duplicate", "s1", "t99")}


def linked_twice(there):
    there.users.append({"_id": "t99", "userName": "u99"})
    there.links.append(there.link("s1", "t99"))
    return {("duplicate", "s1", "t99")}


def made_anew(there):
    """As a reconciliation leaves one whose target was gone: the old link stays (seen on OpenIDM 6.1.0)."""
    there.links.insert(0, there.link("s1", "t77"))
    return {("duplicate", "s1", "t77")}


def linked_twice_to_the_same(there):
    """As two loads at once leave some (seen on OpenIDM 6.1.0)."""
    there.links.append({**there.link("s1", "t1"), "_id": "s1-t1-again"})
    return {("duplicate", "s1", "t1")}


def made_anew_and_gone_again(there):
    there.links.append(there.link("s1", "t77"))
    there.drop(there.users, "t1")
    return {("missing", "s1", "t1")}


def hired_again(there):
    """The same person with another id, as after a directory was built anew; nobody has removed the first one's link."""
    there.drop(there.people, "s1")
    there.people.append({"_id": "s99", "uid": "u1", "mail": "u1@x"})
    return {("missing", "s99", None), ("orphaned", "s1", "t1")}


def nothing(there):
    return set()


def linked_by_two_qualifiers(there):
    there.users.append({"_id": "t99", "userName": "u1", "mail": "u1@x"})
    there.links.append(there.link("s1", "t99", "second"))
    return set()


def others_in_the_target(there):
    there.users.append({"_id": "admin", "userName": "admin"})
    there.links.append(there.link("s1", "elsewhere", kind="of another mapping"))
    return set()


FAULTS = [
    deleted_link, deleted_target, never_arrived, changed_target, changed_source, gone_source, gone_but_for_the_link,
    made_anew, made_anew_and_gone_again,
    loaded_twice, twice_and_no_link, twice_and_gone, renamed_beside_a_double, linked_twice, nothing,
    linked_twice_to_the_same, linked_by_two_qualifiers, others_in_the_target, hired_again,
]  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_named_and_nothing_else(fault, turned):
    there = Environment(turned=turned)
    wanted = fault(there)
    assert found(there)[0] == wanted


@pytest.mark.parametrize(
    "fault", sorted(set(FAULTS) - {gone_but_for_the_link}, key=str), ids=lambda fault: fault.__name__
)
def test_each_fault_is_named_where_its_objects_are_drawn(fault):
    there = Environment()
    wanted = fault(there)
    looked = look(there.sides, None, {one["_id"] for one in there.people}, {one["_id"] for one in there.users})
    assert {(one.kind, one.id, one.target_id) for one in looked.differences} == wanted


@pytest.mark.parametrize(
    "fault", [made_anew, made_anew_and_gone_again, deleted_target], ids=lambda fault: fault.__name__
)
def test_what_has_a_dead_link_is_given_to_no_reconciliation(fault):
    """It makes a second link, at which each later change fails: "More than one link found" (seen on OpenIDM 6.1.0)."""
    there = Environment()
    fault(there)
    (one,) = found(there)[2].differences
    dead = {link["_id"] for link in there.links if link["secondId"] not in {user["_id"] for user in there.users}}
    assert set(one.spare_links) == dead and not one.by_id


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_is_looked_at_in_parts_is_judged_the_same(fault, at_once, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    there = Environment()
    wanted = fault(there)
    everybody = {one["_id"] for one in there.people} | {link["firstId"] for link in there.links}
    looked = look(there.sides, None, everybody, {one["_id"] for one in there.users})
    assert {(one.kind, one.id, one.target_id) for one in looked.differences} == wanted
    assert looked.linked == len({link["firstId"] for link in there.links if link["linkType"] == "m"})


def test_a_sample_that_holds_all_is_all():
    there = Environment()
    wanted = gone_but_for_the_link(there)
    assert found(there, 8)[0] == wanted


@pytest.mark.parametrize("sample", [None, 100])
def test_what_idm_does_not_see_is_found_in_the_directory(sample):
    there = Environment()
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    for name in ("s1", "s2", "s3", "s4"):
        there.hide(name)
    there.users[1]["mail"] = "old@x"  # of s2
    there.drop(there.users, "t4")
    assert found(there, sample, directory=True)[0] == {
        ("missing", "s1", None),
        ("differing", "s2", "t2"),
        ("orphaned", "s3", "t3"),
        ("missing", "s4", "t4"),
    }
    assert {one.reason for one in found(there, sample, directory=True)[2].differences} == {"hidden"}
    assert found(there, sample)[0] == {
        ("orphaned", "s2", "t2"),
        ("orphaned", "s3", "t3"),
        ("orphaned", "s4", None),
    }


@pytest.mark.parametrize("sample", [None, 100])
def test_a_value_that_idm_does_not_see_is_found_in_the_directory(sample):
    there = Environment()
    for name in ("s1", "s2"):
        there.kept[name] = {"mail": "kept@x"}
        del next(one for one in there.people if one["_id"] == name)["mail"]
    del there.users[1]["mail"]  # as a reconciliation leaves it: equal to what IDM sees
    looked = found(there, sample, directory=True)[2]
    told = {(one.kind, one.id, one.properties, one.reason) for one in looked.differences}
    assert told == {("differing", "s1", ("mail",), "hidden"), ("differing", "s2", ("mail",), "hidden")}


def test_one_that_idm_cannot_read_hides_no_other():
    there = Environment()
    there.idm.broken = {"s1", "s6"}
    there.users[2]["mail"] = "old@x"
    there.drop(there.links, "s6")
    looked = look(there.sides, None, [f"s{one}" for one in range(8)])
    told = {(one.kind, one.id, one.reason) for one in looked.differences}
    assert told == {("differing", "s1", "refused"), ("differing", "s2", "unknown"), ("missing", "s6", "refused")}


def test_who_has_left_the_base_contexts_is_no_orphan_to_remove():
    there = Environment()
    there.drop(there.people, "s1")
    there.moved.add("s1")
    (one,) = found(there, directory=True)[2].differences
    assert (one.kind, one.id, one.reason, one.by_target) == ("orphaned", "s1", "filtered", False)
    assert "base contexts" in one.detail


@pytest.mark.parametrize("turned", [False, True])
def test_the_link_of_who_is_gone_goes_before_the_one_hired_again_is_reconciled(turned):
    """Each change and each reconciliation ends in FOUND_ALREADY_LINKED until then (seen on OpenIDM 6.1.0)."""
    there = Environment(turned=turned)
    hired_again(there)
    missing = next(one for one in found(there, directory=True)[2].differences if one.kind == "missing")
    assert missing.spare_links == ("s1-t1",) and not missing.by_id
    assert missing.detail.endswith("is linked to another entry, which is gone from the source")


def still_there(there):
    there.people.append({"_id": "s1", "uid": "renamed", "mail": "u1@x"})


def hidden_from_idm(there):
    there.hidden["s1"] = {"_id": "s1", "uid": "renamed"}


def outside(there):
    there.moved.add("s1")


def not_shown(there):
    there.doubt = "the directory does not show all"


@pytest.mark.parametrize(
    "turn", [still_there, hidden_from_idm, outside, not_shown, None], ids=lambda turn: turn and turn.__name__
)
def test_no_link_is_called_too_many_whose_entry_may_be_there(turn):
    there = Environment()
    hired_again(there)
    if turn:
        turn(there)
    looked = found(there, directory=turn is not None)[2]
    (missing,) = (one for one in looked.differences if (one.kind, one.id) == ("missing", "s99"))
    assert missing.spare_links == () and missing.detail.endswith("is linked to another entry")


@pytest.mark.parametrize("sample", [None, 100])
def test_what_a_condition_may_leave_out_is_counted_and_never_called_equal(sample):
    there = Environment(validSource={"source": "true"})
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    there.drop(there.links, "s2")
    there.drop(there.users, "t3")
    differ, seen, looked = found(there, sample)
    assert differ == {("unlinked", "s2", "t2"), ("missing", "s3", "t3")}
    assert seen.left_out | looked.left_out == {"s1"}


def test_ids_are_the_same_in_any_case_where_the_mapping_says_so():
    there = Environment(sourceIdsCaseSensitive=False)
    for link in there.links:
        link["firstId"] = link["firstId"].upper()
    assert found(there)[0] == set()
    there = Environment()
    there.links[1]["firstId"] = "S1"
    assert ("orphaned", "S1", "t1") in found(there)[0]


def test_all_is_counted():
    there = Environment()
    others_in_the_target(there)
    there.hide("s1")
    unused, seen, looked = found(there, directory=True)
    assert (seen.in_source, seen.in_target, seen.in_directory, seen.checked, seen.linked) == (7, 9, 8, 7, 7)
    unused, seen, looked = found(there, 3, directory=True)
    assert (seen.in_source, seen.in_target, seen.in_directory, seen.checked) == (7, 9, 8, 3)
    assert looked.linked >= 3


def test_each_entry_has_the_same_chance():
    drawn = Counter(
        name
        for seed in range(600)
        for name in suspects_of_some(Environment(10).sides, None, 3, random.Random(seed)).sources
    )
    assert len(drawn) == 10 and all(130 < count < 230 for count in drawn.values())


def test_no_value_is_asked_for_but_those_that_are_compared():
    there = Environment()
    found(there, directory=True)
    fields = {name for asked in there.idm.asked for name in str(asked[2].get("_fields", "_id")).split(",")}
    assert fields == {"_id", "uid", "mail", "userName", "firstId", "secondId", "linkQualifier", "linkType"}


@pytest.mark.parametrize(("target", "queries"), [("managed/user", 3), ("system/ad/account", 4)])
def test_an_object_and_another_of_its_name_are_one_query_of_a_repository(target, queries):
    there = Environment(target=target)
    there.idm.resources[target] = there.users
    there.users.append({"_id": "t9", "userName": "u1", "mail": "u1@x"})
    looked = look(there.sides, None, ["s1", "s2"], twins=True)
    assert [(one.kind, one.id, one.target_id) for one in looked.differences] == [("duplicate", "s1", "t9")]
    assert len(there.idm.asked) == queries


def test_who_has_no_name_is_found_by_the_id_where_the_repository_joins_tables_for_names(monkeypatch):
    there = Environment()
    del there.users[1]["userName"]
    query = there.idm.query

    def joined(path, query_filter="true", **params):
        named = "userName eq" in query_filter
        return [one for one in query(path, query_filter, **params) if not named or "userName" in one]

    monkeypatch.setattr(there.idm, "query", joined)
    looked = look(there.sides, None, ["s1", "s2"], twins=True)
    assert [(one.kind, one.id, one.target_id, one.properties) for one in looked.differences] == [
        ("differing", "s1", "t1", ("userName",))
    ]


def test_the_links_of_eighty_are_one_query():
    there = Environment(90)
    assert len(there.sides.links([f"s{one}" for one in range(80)])) == 80 and len(there.idm.asked) == 1
    assert len(there.sides.links([], [f"t{one}" for one in range(81)])) == 81 and len(there.idm.asked) == 3

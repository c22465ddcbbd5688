# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linked people whom a source does not list any more: who is in the directory is not taken for gone."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._proof import unlisted as module
from ansible_collections.idmops.idm.plugins.module_utils._proof.unlisted import Unlisted, read_unlisted
from ansible_collections.idmops.idm.tests.unit.doubles.environment import Environment

REMOVING = {"policies": [{"situation": "SOURCE_MISSING", "action": "DELETE"}]}


def look(there, asked=True):
    listed = {one["_id"] for one in there.people} if asked else None
    return read_unlisted(there.idm, there.mapping, [there.mapping], there, listed)


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("page", [2, 1000])
def test_who_is_left_out_by_the_search_is_counted_and_named_with_the_reason(monkeypatch, asked, page):
    monkeypatch.setattr(module, "_AT_ONCE", page)
    there = Environment(**REMOVING)
    for name in ("s1", "s2", "s3", "s4"):
        there.hide(name)
        there.narrowed.add(name)
    there.drop(there.people, "s7")
    there.moved.add("s7")
    found = look(there, asked)
    assert (found.count, found.ids) == (5, ("s1", "s2", "s3"))
    said = found.sentence(there.mapping)
    assert "s1, s2, s3 and 2 more" in said and "4: accountSearchFilter does not match it" in said
    assert "1: it lies outside" in said and "(SOURCE_MISSING)" in said


@pytest.mark.parametrize("asked", [True, False])
def test_who_is_gone_from_the_directory_may_go(asked):
    there = Environment(**REMOVING)
    assert not look(there, asked)
    there.drop(there.people, "s1")
    assert look(there, asked) == Unlisted()


def test_whom_idm_alone_does_not_see_is_told_by_its_list():
    there = Environment(**REMOVING)
    there.hide("s1")
    assert look(there).reasons == (("the directory has it, and does not show it to uid=idm", 1),)
    assert not look(there, asked=False)  # the rights of the account are compared by themselves


def test_a_directory_that_shows_nobody_proves_nothing():
    there = Environment(**REMOVING)
    there.doubt = "ldaps://ds1 does not show dc=x to uid=admin"
    assert not look(there)  # nobody is looked for
    there.drop(there.people, "s1")
    found = look(there)
    assert found and "cannot be known: ldaps://ds1 does not show dc=x" in found.sentence(there.mapping)
    assert "bypass-acl" in found.remedy


def test_links_of_the_mapping_that_goes_the_other_way_are_read_from_their_other_end():
    there = Environment(turned=True, links="back", **REMOVING)
    back = Environment(name="back", source="managed/user", target="system/ldap/account").mapping
    for link in there.links:
        link["linkType"] = "back"
    there.hide("s1")
    there.narrowed.add("s1")
    listed = {one["_id"] for one in there.people}
    assert read_unlisted(there.idm, there.mapping, [there.mapping, back], there, listed).ids == ("s1",)
    assert "IDM has no mapping back" in read_unlisted(there.idm, there.mapping, [there.mapping], there, listed).unknown


MAPPING = SyncMapping.parse({"name": "m", "policies": [{"situation": "SOURCE_MISSING", "action": "DELETE"}]})


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            Unlisted(1, ("a",), (("filtered", 1),)),
            "1 linked entry is in the directory and not listed by the source: a (1: filtered). A load of m would take"
            " them for gone (SOURCE_MISSING).",
        ),
        (
            Unlisted(3, ("a", "b"), (("filtered", 2), ("hidden", 1))),
            "3 linked entries are in the directory and not listed by the source: a, b and 1 more (2: filtered;"
            " 1: hidden). A load of m would take them for gone (SOURCE_MISSING).",
        ),
        (
            Unlisted(unknown="it hangs"),
            "Whether a load of m would take linked entries for gone (SOURCE_MISSING) cannot be known: it hangs.",
        ),
    ],
)
def test_what_is_said_of_those_who_would_be_taken_for_gone(found, sentence):
    assert found.sentence(MAPPING) == sentence and bool(found)


def test_where_nobody_would_there_is_none():
    assert not Unlisted()

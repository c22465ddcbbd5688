# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's own entries: what of them the administrator is not shown is not taken for "there is none"."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import COOKIES_ONLY, read_change_log
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import (
    BASE,
    NO_SUCH_OBJECT,
    SIZE_LIMIT_EXCEEDED,
    Entry,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.keeping import Keeping
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.plugins.module_utils._proof.own_entries import OwnEntries
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.environment import Environment


class Showing:
    """Shows some entries to whatever search."""

    uri, bind_dn = "ldaps://ds1.example.com:4444", "uid=admin"

    def __init__(self, *entries):
        self.entries = entries

    def stream(self, *unused, **more):
        return iter(self.entries)


def ids(*entries):
    own = OwnEntries(Showing(*entries), ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    comparison = Comparison.of(Environment().sides.mapping, TargetSchema.parse({}, "user"), {})
    return [name for name, unused in own.masks(comparison)]


NAMED, UNNAMED = Entry("uid=a,dc=example,dc=com", {"entryuuid": (b"1",)}), Entry("uid=b,dc=example,dc=com")


def test_entries_that_do_not_show_their_ids_are_not_none():
    with pytest.raises(DirectoryError, match="entryUUID of uid=b,dc=example,dc=com") as caught:
        ids(UNNAMED)
    assert "uid=admin" in caught.value.message and "bypass-acl" in caught.value.remedy


def test_an_entry_without_an_id_beside_others_is_none_of_the_connectors():
    assert ids(NAMED, UNNAMED) == ["1"]
    assert ids() == []


class Ruled(Keeping):
    """Finds entries by their base and by one condition of a filter, as it is allowed to show them."""

    uri, bind_dn = "ldaps://ds1.example.com:4444", "uid=admin"

    def __init__(self, *names, tops=("dc=example,dc=com",), searched=True):
        self.names, self.tops, self.searched = names, tops, searched

    def read(self, dn, attributes):
        if dn == "":
            return Entry("", {"namingcontexts": tuple(top.encode() for top in self.tops)})
        return Entry(dn, {}) if dn in self.names else None

    def stream(self, base, scope, search_filter, attributes, **how):
        if scope == BASE and base not in self.names:
            raise DirectoryError("no such entry", status=NO_SUCH_OBJECT)
        for name in self.names:
            known = name if "entryuuid" not in search_filter.lower() else f"(entryUUID=id of {name})"
            if (name == base if scope == BASE else name.endswith(base)) and (
                known == name or (self.searched and known in search_filter)
            ):
                yield Entry(name, {"entryuuid": (f"id of {name}".encode(),)})


A, TOP = "uid=a,dc=example,dc=com", "dc=example,dc=com"


def own(directory, uid="entryUUID"):
    return OwnEntries(directory, (TOP,), uid, "(objectClass=person)", None, {})


@pytest.mark.parametrize(
    ("directory", "says"),
    [
        (Ruled(TOP, A), None),
        (Ruled(A), f"does not show {TOP} to uid=admin"),
        (Ruled(TOP, A, tops=()), "its naming contexts"),
        (Ruled(TOP, A, searched=False), "entries by entryUUID"),
        (Ruled(TOP, "dc=other", tops=("dc=other",)), "entries by entryUUID"),
    ],
)
def test_that_an_entry_is_not_found_proves_something_only_where_all_is_shown(directory, says):
    found = own(directory).unproved()
    assert found is None if says is None else says in found


def test_entries_that_are_known_by_their_names_are_read_by_them():
    by_dn = own(Ruled(TOP, A), "dn")
    others = ["uid=gone,dc=example,dc=com", "no name", "uid=x,dc=elsewhere"]
    assert by_dn.passing([A, *others]) == by_dn.passing([*others, A]) == {A}
    assert by_dn.unproved() is None


@pytest.mark.parametrize(
    ("narrowing", "wanted"),
    [
        (None, "(&(objectClass=person)(|(entryUUID=1)))"),
        (("accountSearchFilter", None), "(&(objectClass=person)(|(entryUUID=1)))"),
        (("accountSearchFilter", "(!(uid=x))"), "(&(!(uid=x))(|(entryUUID=1)))"),
    ],
)
def test_a_search_filter_stands_in_place_of_the_object_classes(narrowing, wanted):
    """With (!(uid=user.1*)) the connector lists ou=People as an account (seen on OpenIDM 6.1.0)."""
    asked = []
    directory = Showing(NAMED)
    directory.stream = lambda base, scope, search_filter, *more: asked.append(search_filter) or iter([NAMED])
    assert OwnEntries(directory, (TOP,), "entryUUID", "(objectClass=person)", narrowing, {}).passing(["1"]) == {"1"}
    assert asked == [wanted]


@pytest.mark.parametrize(("now", "wanted"), [("20261124100009Z", {"s2"}), ("20261124100011Z", set()), (None, set())])
def test_a_change_that_waits_for_its_number_is_pending_for_ten_seconds(now, wanted):
    """On a busy machine numbers come seconds after the change (seen on OpenDJ 4.6.5)."""
    world, first, second = World(), f"{1:016x}{1:04x}{1:08x}", f"{2:016x}{1:04x}{2:08x}"
    dn, cookie = "uid=x,dc=example,dc=com", f"dc=example,dc=com:{first};"
    world.change(11, dn, targetEntryUUID=["s1"], replicationCSN=[first], changeLogCookie=[cookie])
    world.set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{second};")
    about = {"targetEntryUUID": ["s2"], "changeTime": ["20261124100000Z"]}
    world.change_without_number(second, f"dc=example,dc=com:{second};", dn, **about)
    if now:
        world.put("cn=monitor", currentTime=[now])
    directory = FakeDirectory(world)
    own = OwnEntries(directory, ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    log = read_change_log(directory)
    assert own.changed_after(log, 11) == own.changed_after(log, 11, {"s2"}) == wanted
    assert own.changed_after(log, 10, {"s1"}) == {"s1"}


def test_a_log_without_numbers_or_entries_by_another_id_tells_nothing_of_what_is_pending():
    world = World()
    world.change(11, "uid=x,dc=example,dc=com", targetEntryUUID=["s1"])
    directory = FakeDirectory(world)
    log = read_change_log(directory)

    def pending(change_log, uid):
        return OwnEntries(directory, (TOP,), uid, "(objectClass=person)", None, {}).changed_after(change_log, 10)

    assert pending(log, "entryUUID") == pending(log, "ENTRYUUID") == {"s1"}
    assert pending(log, "dn") is None and pending(None, "entryUUID") is None
    assert pending(replace(log, mode=COOKIES_ONLY), "entryUUID") is None


def test_pending_changes_are_read_until_all_that_are_asked_for_are_found():
    world = World()
    for number in range(1, 3501):
        world.change(number, "uid=x,dc=example,dc=com", targetEntryUUID=[f"s{number}"])
    directory = FakeDirectory(world)
    log, plain, asked = read_change_log(directory), directory.stream, []

    def stream(*how, **more):
        asked.append(more["size_limit"])
        return plain(*how, **more)

    directory.stream = stream
    own = OwnEntries(directory, ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    assert {"s900", "s7"} <= own.changed_after(log, 0, {"s900", "s7"}) and asked == [1000]
    assert "s900" not in own.changed_after(log, 900, {"s900"}) and asked[1:] == [1000, 1600]
    assert len(own.changed_after(log, 500)) == 3000 and len(asked) == 4
    assert own.changed_after(log, 3500) == set()


@pytest.mark.parametrize(("most", "count"), [(3, 3), (41, 41), (1001, 1001), (5000, 2000)])
def test_a_limit_of_the_server_cuts_no_list_of_those_below_a_name(most, count):
    class Limited:
        def stream(self, dn, scope, wanted, attributes, size_limit=0, page=0):
            for number in range(2000):
                if not page and number == min(size_limit or 600, 600):
                    raise DirectoryError("Size limit exceeded", status=SIZE_LIMIT_EXCEEDED)
                yield Entry(f"uid={number},{dn}", {"entryuuid": (str(number).encode(),)})

    own = OwnEntries(Limited(), ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    assert len(own.below("ou=many,dc=example,dc=com", most)) == count

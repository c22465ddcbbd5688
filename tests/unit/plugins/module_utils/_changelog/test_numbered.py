# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a change log by their numbers: what is pending, and what a search by number does not show."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog import numbered as module
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import ChangeLog, read_change_log
from ansible_collections.idmops.idm.plugins.module_utils._changelog.numbered import (
    Pending,
    changes_in,
    keep_newest,
    left_out,
    pending_changes,
    several_servers,
    unnumbered,
)
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World, refusal

PEOPLE = ["ou=People,dc=example,dc=com"]
#: Of servers 1 and 2, as OpenDJ 4.6.5 shows them (seen).
ONE, TWO, LATE = "000001a2200a636e000100000096", "000001a2200a636f000200000096", "000001a2200b65090001000000a0"


def test_pending_counts_all_and_those_inside():
    world = World()
    world.change(11, "uid=x,ou=Other,dc=example,dc=com")
    world.change(12, "UID=y, OU=people,dc=example,dc=com")
    world.change(13, "uid=z,ou=Other,dc=example,dc=com", newSuperior=["ou=People,dc=example,dc=com"])
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert pending_changes(directory, log, 10, PEOPLE) == Pending(3, 2)
    assert pending_changes(directory, log, 0, PEOPLE) == Pending(13, 12)
    assert pending_changes(directory, log, 13, PEOPLE) == Pending(0, 0)
    assert pending_changes(directory, log, 99, PEOPLE) == Pending(0, 0)


def test_changes_that_are_not_shown_are_not_none():
    """An account that no ACI lets read the change log sees no entry, or no targetDN, on OpenDJ 4.6.5."""
    world = World()
    world.change(11, "uid=a,ou=People,dc=example,dc=com")
    world.change(12, "uid=b,ou=People,dc=example,dc=com")
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    del world.entries["changenumber=11,cn=changelog"]
    assert pending_changes(directory, log, 10, PEOPLE) == Pending(2, 1, complete=False)
    del world.entries["changenumber=12,cn=changelog"]
    with pytest.raises(DirectoryError, match="has the changes 11 to 12, and does not show"):
        pending_changes(directory, log, 10, PEOPLE)
    world.change(13, "uid=c,ou=People,dc=example,dc=com")
    log = read_change_log(directory)
    del world.entries["changenumber=13,cn=changelog"][1]["targetdn"]
    with pytest.raises(DirectoryError, match="does not show") as caught:
        pending_changes(directory, log, 12, PEOPLE)
    assert "targetDN" in caught.value.remedy


def test_pending_is_exact_by_number_even_where_there_are_too_many_to_look_at():
    world = World()
    for number in range(11, 1301):
        world.change(number, f"uid=u{number},ou=People,dc=example,dc=com")
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert pending_changes(directory, log, 0, PEOPLE) == Pending(1300, 1300)
    assert pending_changes(directory, log, 0, PEOPLE, most=600) == Pending(1300, 600, complete=False)


def test_a_log_that_was_cut_off_counts_what_is_left():
    world = World()
    for number in range(1, 6):
        del world.entries[f"changenumber={number},cn=changelog"]
    world.set("", "firstChangeNumber", "6")
    directory = FakeDirectory(world)
    assert pending_changes(directory, read_change_log(directory), 2, PEOPLE) == Pending(5, 5)


def crowd(last):
    """A world with so many changes, one for each of as many people."""
    world = World()
    for number in range(1, last + 1):
        world.change(number, f"uid=u{number},ou=People,dc=example,dc=com", targetEntryUUID=[f"s{number}"])
    return world


def test_all_is_counted_with_one_search():
    directory = FakeDirectory(crowd(1300))
    plain, asked = directory.stream, []

    def stream(base, scope, search_filter, attributes, **how):
        asked.append(search_filter)
        return plain(base, scope, search_filter, attributes, **how)

    log = read_change_log(directory)
    directory.stream = stream
    assert pending_changes(directory, log, 0, PEOPLE) == Pending(1300, 1300)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [3, 4, 11])
def test_a_server_that_does_not_give_all_at_once_is_asked_in_windows(status):
    directory = FakeDirectory(crowd(1300))
    log, plain = read_change_log(directory), directory.stream

    def stream(base, *unused, **how):
        for count, entry in enumerate(plain(base, *unused, **how)):
            if count == 700:
                raise refusal(status)
            yield entry

    directory.stream = stream
    found = [entry.number("changeNumber") for entry in changes_in(directory, log, 1, 1300, ["targetDN"])]
    assert found == list(range(1, 1301))


def test_another_error_is_one():
    directory = FakeDirectory(crowd(3))
    log = read_change_log(directory)
    directory.world.entries.pop("cn=changelog")
    with pytest.raises(DirectoryError):
        list(changes_in(directory, log, 1, 3, ["targetDN"]))


def test_where_the_whole_change_log_is_the_sources_its_numbers_tell():
    world = crowd(1300)
    world.change(1301, "uid=x,ou=Other,dc=example,dc=com")
    for cookie, exact in ((f"dc=example,dc=com:{ONE};", True), (f"dc=example,dc=com:{ONE};cn=schema:{TWO};", False)):
        world.set("", "lastExternalChangelogCookie", cookie)
        log = read_change_log(FakeDirectory(world))
        found = pending_changes(FakeDirectory(world), log, 0, ["dc=example,dc=com"], most=1000)
        assert found == Pending(1301, 1301 if exact else 1000, complete=exact)
        assert pending_changes(FakeDirectory(world), log, 0, PEOPLE) == Pending(1301, 1300)


def test_what_a_range_leaves_out_is_counted_and_found_one_by_one():
    world = crowd(9)
    world.change(8, "uid=x,ou=Other,dc=example,dc=com", targetEntryUUID=["o"])
    world.left_out = {4, 7, 8}
    world.set("", "lastChangeNumber", "9")
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert pending_changes(directory, log, 0, PEOPLE) == Pending(9, 8)
    found = left_out(directory, log, 1, 9)
    assert [entry.text("targetEntryUUID") for entry in found.changes] == ["s4", "s7", "o"]
    assert found.unknown == 0
    assert [entry.text("targetEntryUUID") for entry in left_out(directory, log, 5, 7).changes] == ["s7"]


def test_where_very_much_is_left_out_the_count_says_at_least():
    world = crowd(60)
    world.left_out = set(range(11, 51))
    log = read_change_log(FakeDirectory(world))
    assert pending_changes(FakeDirectory(world), log, 0, PEOPLE) == Pending(60, 40, complete=False)


def test_what_a_later_change_of_the_entry_brings_is_not_left_out():
    world = crowd(9)
    world.change(10, "uid=u4,ou=People,dc=example,dc=com", targetEntryUUID=["s4"])
    world.left_out = {4, 7}
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert [entry.text("targetEntryUUID") for entry in left_out(directory, log, 1, 10).changes] == ["s7"]
    assert [entry.text("targetEntryUUID") for entry in left_out(directory, log, 1, 9).changes] == ["s4", "s7"]


def test_of_a_number_that_is_not_there_at_all_nothing_is_known():
    world = crowd(9)
    del world.entries["changenumber=4,cn=changelog"]
    found = left_out(FakeDirectory(world), read_change_log(FakeDirectory(world)), 0, 9)
    assert (found.changes, found.unknown) == ((), 1)


def test_nothing_is_left_out_of_nothing():
    log = read_change_log(FakeDirectory(crowd(9)))
    assert left_out(FakeDirectory(World()), log, 10, 9).changes == ()


def numbered(cookie=f"dc=example,dc=com:{ONE} {TWO};"):
    world = crowd(9)
    about = {"replicationCSN": [TWO], "changeLogCookie": [f"dc=example,dc=com:{ONE} {TWO};"]}
    world.change(10, "uid=u9,ou=People,dc=example,dc=com", **about)
    if cookie is not None:
        world.set("", "lastExternalChangelogCookie", cookie)
    return world


def late(world):
    directory = FakeDirectory(world)
    return unnumbered(directory, read_change_log(directory))


@pytest.mark.parametrize("cookie", [None, "", f"dc=example,dc=com:{ONE} {TWO};", f"dc=example,dc=com:{ONE};"])
def test_where_no_change_is_newer_than_the_last_number_nothing_is_without_one(cookie):
    world = numbered(cookie)
    assert late(world) == []


def test_a_change_without_a_number_is_named():
    world = numbered()
    world.change_without_number(
        LATE, f"dc=example,dc=com:{LATE} {TWO};", "uid=u3,ou=People,dc=example,dc=com", targetEntryUUID=["s3"]
    )
    assert [(entry.text("targetEntryUUID"), entry.number("changeNumber")) for entry in late(world)] == [("s3", None)]
    world.no_cookies = 53
    assert late(world) is None
    world.no_cookies = 4
    assert late(world) is None


@pytest.mark.parametrize(
    ("cookie", "several"),
    [
        (None, True),
        ("", True),
        (f"dc=example,dc=com:{ONE};", False),
        (f"dc=example,dc=com:{ONE} {TWO};", True),
        (f"dc=example,dc=com:{ONE};cn=schema:{TWO};", True),
    ],
)
def test_how_many_servers_take_changes(cookie, several):
    assert several_servers(read_change_log(FakeDirectory(numbered(cookie)))) is several


def csn(number, server=1):
    return f"{1700000000000 + number:016x}{server:04x}{number:08x}"


def replicated(last, left_out=()):
    """A world with so many changes as two servers number them; some are out of order, and left out of ranges."""
    world = World()
    for number in range(1, last + 1):
        world.change(
            number,
            f"uid=u{number},ou=People,dc=example,dc=com",
            targetEntryUUID=[f"s{number}"],
            replicationCSN=[csn(number)],
            changeLogCookie=[f"dc=example,dc=com:{csn(number)};"],
        )
    world.left_out = set(left_out)
    return world


def test_what_is_left_out_is_named_by_one_search_after_a_cookie():
    world = replicated(200, left_out=(70, 90))
    for number in (70, 90, 91, 150):  # as a search with a cookie shows them
        world.change_without_number(
            csn(number), "", f"uid=u{number},ou=People,dc=example,dc=com", targetEntryUUID=[f"s{number}"]
        )
    directory = FakeDirectory(world)
    plain, asked = directory.stream, []

    def stream(base, *unused, **how):
        asked.append(base)
        return plain(base, *unused, **how)

    directory.stream = stream
    log = read_change_log(FakeDirectory(world))
    found = left_out(directory, log, 1, 100)
    assert [entry.text("targetEntryUUID") for entry in found.changes] == ["s70", "s90"]
    assert (found.unknown, len(asked)) == (0, 3)
    world.no_cookies = 53
    assert [entry.text("targetEntryUUID") for entry in left_out(directory, log, 1, 100).changes] == ["s70", "s90"]


def test_what_a_cookie_does_not_show_is_counted():
    world = replicated(200, left_out=(70, 90))
    world.change_without_number(csn(70), "", "uid=u70,ou=People,dc=example,dc=com", targetEntryUUID=["s70"])
    directory = FakeDirectory(world)
    found = left_out(directory, read_change_log(directory), 1, 100)
    assert ([entry.text("targetEntryUUID") for entry in found.changes], found.unknown) == (["s70"], 1)


def test_no_answer_is_no_list():
    world = replicated(20, left_out=(7,))
    directory = FakeDirectory(world)
    log, plain = read_change_log(directory), directory.stream

    def stream(base, *unused, controls=(), **how):
        if controls:
            raise DirectoryError("down")
        return plain(base, *unused, **how)

    directory.stream = stream
    with pytest.raises(DirectoryError, match="down"):
        left_out(directory, log, 1, 20)


def test_changes_that_were_made_are_read_once_where_they_are_kept():
    world = World()
    directory = FakeDirectory(world)
    directory.kept = {}
    log = read_change_log(directory)
    world.operations.clear()
    for first, last in ((1, 10), (3, 10), (11, 10), (4, 7)):
        found = list(changes_in(directory, log, first, last, ["targetDN"]))
        assert [one.number("changeNumber") for one in found] == list(range(first, last + 1))
        assert all(one.text("targetDN") for one in found)
    assert len(world.operations) == 1
    world.change(11, "uid=new,ou=People,dc=example,dc=com")
    found = list(changes_in(directory, log, 8, 11, ["targetDN"]))
    assert [one.number("changeNumber") for one in found] == [8, 9, 10, 11] and len(world.operations) == 2


def test_many_changes_are_not_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST_BEHIND", 5)
    directory = FakeDirectory(World())
    directory.kept = {}
    log = read_change_log(directory)
    directory.world.operations.clear()
    for _again in range(2):
        assert len(list(changes_in(directory, log, 1, 10, ["targetDN"]))) == 10
    assert len(directory.world.operations) == 2


def test_what_lies_around_a_token_is_read_at_once_and_again_only_where_more_is_asked_for(monkeypatch):
    monkeypatch.setattr(module, "MOST_BEHIND", 4)
    directory = FakeDirectory(World())
    log = read_change_log(directory)
    directory.world.operations.clear()
    keep_newest(directory, log, 8)
    assert directory.world.operations == []  # nothing is kept, so that each has to look for itself
    directory.kept = {}
    for token in (8, 9, 8):
        keep_newest(directory, log, token)
    assert len(directory.world.operations) == 1
    assert [one.number("changeNumber") for one in changes_in(directory, log, 5, 8, ["targetDN"])] == [5, 6, 7, 8]
    assert len(list(changes_in(directory, log, 9, 10, ["targetDN"]))) == 2
    assert len(directory.world.operations) == 1
    keep_newest(directory, log, 7)
    assert len(directory.world.operations) == 2


@pytest.mark.parametrize(("first", "last", "token"), [(1, 10, 2), (1, 10, 20), (0, 0, 0), (12, 10, 11)])
def test_what_is_too_much_or_nothing_is_not_read_before_it_is_asked_for(monkeypatch, first, last, token):
    monkeypatch.setattr(module, "MOST_BEHIND", 4)
    directory = FakeDirectory(World())
    directory.kept = {}
    keep_newest(directory, ChangeLog(first, last, "change_numbers", "cn=changelog"), token)
    assert directory.world.operations == []


@pytest.mark.parametrize("status", [50, None])
def test_an_error_of_what_is_read_at_once_is_for_those_who_ask(status):
    directory = FakeDirectory(World())
    directory.kept = {}
    log = read_change_log(directory)

    def stream(*unused, **how):
        raise DirectoryError("down", status=status)

    directory.stream = stream
    with nullcontext() if status else pytest.raises(DirectoryError, match="down"):
        keep_newest(directory, log, 8)
    with pytest.raises(DirectoryError, match="down"):
        list(changes_in(directory, log, 8, 8, ["targetDN"]))

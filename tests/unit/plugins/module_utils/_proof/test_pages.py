# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All is read, each object once, whatever order the server keeps and whatever goes meanwhile."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, Refused
from ansible_collections.idmops.idm.plugins.module_utils._proof import pages
from ansible_collections.idmops.idm.plugins.module_utils._proof.pages import read_all, read_either, read_these
from ansible_collections.idmops.idm.tests.unit.doubles.repository import Repository

USERS = "managed/user"
CSV = "system/csv/account"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(pages, "_BY_KEY", 3)
    monkeypatch.setattr(pages, "_BY_COOKIE", 3)


def users(names):
    return [{"_id": str(number), "userName": name} for number, name in enumerate(names)]


def read(idm, key="userName", **more):
    return sorted(body["_id"] for body in read_all(idm, USERS, "_id,userName", key, **more))


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a"],
        ["c", "a", "b"],
        ["a", "b", "c", "d", "e", "f", "g"],
        ["a", "a", "a", "a", "a", "a", "a", "b"],
        ["x", 'with " and \\', "y", "z", "zz"],
    ],
)
def test_every_object_is_read_once(names):
    assert read(Repository({USERS: users(names)})) == [str(number) for number in range(len(names))]


def test_what_is_deleted_meanwhile_hides_nothing():
    """By offset, as many living ones would never be shown as were deleted (seen on OpenIDM 6.1.0)."""
    all_of = users("abcdefghi")
    idm = Repository({USERS: all_of})
    idm.meanwhile = {2: [lambda: all_of.remove(all_of[0]), lambda: all_of.remove(all_of[0])]}
    assert read(idm) == [str(number) for number in range(9)]


def test_an_order_that_is_not_kept_is_noticed():
    idm = Repository({USERS: users("hgfedcba")}, unsorted=["userName"])
    assert read(idm) == [str(number) for number in range(8)]
    assert "_pageSize" not in idm.asked[-1][2]


def test_objects_without_the_key_are_read_too():
    all_of = [*users("abcd"), {"_id": "x"}, {"_id": "y", "userName": None}]
    assert read(Repository({USERS: all_of}), always=False) == ["0", "1", "2", "3", "x", "y"]


def test_without_a_key_all_comes_in_one_answer():
    idm = Repository({USERS: users("abcdefgh")})
    assert len(read(idm, key=None)) == 8 and len(idm.asked) == 1


def test_a_system_goes_on_by_its_cookie():
    idm = Repository({"system/ldap/account": users("abcdefgh")})
    assert len(list(read_all(idm, "system/ldap/account", "_id"))) == 8


def test_a_cookie_that_leads_in_a_circle_is_an_error():
    class Circle(Repository):
        def get(self, path, params=None, **unused):
            return {"result": [{"_id": "1"}], "pagedResultsCookie": "again"}

    with pytest.raises(IdmopsError, match="the same page twice"):
        list(read_all(Circle({}), "system/ldap/account", "_id"))


def test_some_of_a_system_are_read_page_by_page():
    """A connector that does no paging of its own answers each other query with a cookie that leads to its beginning
    (seen with the CSV connector on OpenIDM 6.1.0)."""
    idm = Repository({CSV: [{"_id": str(number), "sn": "same"} for number in range(8)]})
    idm.restless.add(CSV)
    assert [body["_id"] for body in read_these(idm, CSV, "_id", ["1", "5", "9"], "_id")] == ["1", "5"]
    assert len(read_these(idm, CSV, "sn", ["same"], "_id")) == 8


def test_some_are_those_alone_that_a_filter_lets_pass():
    idm = Repository({USERS: users("abcd")})
    found = read_these(idm, USERS, "_id", ["0", "1"], "_id", where='userName eq "b"')
    assert [body["_id"] for body in found] == ["1"]


def test_many_ids_are_asked_for_in_parts():
    idm = Repository({USERS: users([f"u{number}" for number in range(300)])})
    found = read_these(idm, USERS, "_id", [str(number) for number in range(250)], "_id")
    assert len(found) == 250 and len(idm.asked) == 7
    idm.asked.clear()
    read_these(idm, USERS, "userName", [f"{'x' * 1000}{number}" for number in range(10)], "_id")
    assert len(idm.asked) == 4
    assert read_these(idm, USERS, "_id", [], "_id") == []


def test_two_fields_are_asked_for_at_once_in_as_many_parts_as_one():
    idm = Repository({USERS: users([f"u{number}" for number in range(300)])})
    ids, names = [str(number) for number in range(100)], [f"u{number}" for number in range(90, 110)]
    found = read_either(idm, USERS, [("_id", ids), ("userName", names)], "_id")
    assert {body["_id"] for body in found} == {str(number) for number in range(110)}
    assert len(idm.asked) == 3 and [where.count(" or ") + 1 for unused, where, more in idm.asked] == [60, 40, 20]
    idm.asked.clear()
    long = [f"{'x' * 900}{number}" for number in range(4)]
    read_either(idm, USERS, [("_id", long), ("userName", long)], "_id")
    assert len(idm.asked) == 2  # an address holds as much of both as of one
    assert read_either(idm, USERS, [("_id", []), ("userName", [])], "_id") == []


@pytest.mark.parametrize("key", ["userName", None])
@pytest.mark.parametrize("resource", [USERS, "system/ldap/account"])
@pytest.mark.parametrize("item", [{"userName": "a"}, {"_id": None, "userName": "a"}])
def test_objects_without_ids_are_not_one_that_nobody_knows(resource, key, item):
    idm = Repository({resource: [item]})
    with pytest.raises(IdmopsError, match=f"{resource}.*an object with an _id"):
        list(read_all(idm, resource, "_id,userName", key))
    with pytest.raises(IdmopsError, match=f"{resource}.*an object with an _id"):
        read_these(idm, resource, "userName", ["a"], "_id,userName")


LDAP = "system/ldap/account"


@pytest.mark.parametrize("broken", [{"3"}, {"0", "3", "7"}, {str(number) for number in range(60)}])
def test_what_the_server_cannot_show_is_found_among_the_rest(broken):
    """However many they are: a second look is at those alone that failed at the first one."""
    idm = Repository({LDAP: users([f"u{number}" for number in range(60)])})
    idm.broken, unread = broken, {}
    found = read_these(idm, LDAP, "_id", [str(number) for number in range(60)], "_id", unread)
    assert unread == dict.fromkeys(unread, "not single value") and set(unread) == broken
    assert len(found) == 60 - len(broken)
    with pytest.raises(Refused):
        read_these(idm, LDAP, "_id", [str(number) for number in range(60)], "_id")


@pytest.mark.parametrize("count", [1, 2, 40, 60])
def test_a_server_that_fails_at_any_query_says_nothing_of_the_objects(count):
    class Broken(Repository):
        def query(self, path, *given, **params):
            self.asked.append(path)
            raise Refused(f"{path} answered 500", status=500, reason="Operation QUERY failed")

    idm, unread = Broken({}), {}
    with pytest.raises(Refused, match="answered 500"):
        read_these(idm, LDAP, "_id", [str(number) for number in range(count)], "_id", unread)
    assert unread == {} and len(idm.asked) == 2

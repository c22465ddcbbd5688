# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A crowd is what its numbers say, however it is asked."""

from __future__ import annotations

import pytest

from tests.servers.ping.crest import Call, CrestError
from tests.servers.ping.crowd import Crowd
from tests.servers.ping.furniture import MAPPING, SOURCE


def asked(crowd, path, wanted="true", **params):
    return crowd.answer(Call("GET", path, {"_queryFilter": wanted, **params}, None, {})).body


def test_each_side_holds_who_it_is_said_to():
    crowd = Crowd(10, missing=2, orphaned=3, differing=1)
    there = {path: asked(crowd, path)["result"] for path in (SOURCE, "managed/user", "repo/link")}
    assert [len(found) for found in there.values()] == [7, 8, 8]
    both = {body["uid"]: body["mail"] for body in there[SOURCE]}
    users = {body["userName"]: body["mail"] for body in there["managed/user"]}
    assert len(both.keys() - users.keys()) == 2 and len(users.keys() - both.keys()) == 3
    assert [name for name in both.keys() & users.keys() if both[name] != users[name]] == ["crowd.0000006"]
    orphans = {link["firstId"] for link in there["repo/link"]} - {body["_id"] for body in there[SOURCE]}
    assert len(orphans) == 3


def test_pages_by_cookie_and_by_key_hold_everybody_once():
    crowd, seen, cookie = Crowd(10), [], ""
    while cookie is not None:
        page = asked(crowd, SOURCE, _pageSize="4", _fields="_id", _pagedResultsCookie=cookie)
        assert all(body.keys() == {"_id"} for body in page["result"])
        seen += page["result"]
        cookie = page["pagedResultsCookie"]
    assert len(seen) == len({body["_id"] for body in seen}) == 10
    wanted = 'userName ge "crowd.0000007"'
    page = asked(crowd, "managed/user", wanted, _sortKeys="userName", _pageSize="2", _fields="userName")
    assert [body["userName"] for body in page["result"]] == ["crowd.0000007", "crowd.0000008"]


def test_some_are_found_by_what_they_are():
    crowd = Crowd(10, missing=5)
    one, other, gone = (asked(Crowd(10), "repo/link")["result"][number] for number in (7, 8, 1))
    wanted = " or ".join(f'firstId eq "{link["firstId"]}"' for link in (one, other, gone))
    assert asked(crowd, "repo/link", f"({wanted})")["result"] == [one, other]
    within = f'(linkType eq "{MAPPING}") and firstId ge "{other["firstId"]}"'
    assert len(asked(crowd, "repo/link", within, _sortKeys="firstId")["result"]) == 2
    assert asked(crowd, SOURCE, f'(_id eq "{one["secondId"]}")')["result"] == []


def test_what_cannot_be_answered_at_once_is_refused():
    with pytest.raises(CrestError):
        asked(Crowd(10), "managed/user", 'mail co "x"')
    with pytest.raises(CrestError):
        asked(Crowd(10), "managed/user", _sortKeys="mail")
    assert Crowd(10).answer(Call("GET", "audit/sync", {"_queryFilter": "true"}, None, {})) is None

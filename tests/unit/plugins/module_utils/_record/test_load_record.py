# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load record: what it says, what proves it, and what has to be loaded."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import Anchor
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import Identity
from ansible_collections.idmops.idm.plugins.module_utils._record import load_record as record
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import ALWAYS, NEVER, Load
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, refused

HERE = Load("r-1", "2026-11-24T12:00:00Z", ("a", "b"))


def test_a_record_survives_storing():
    stored = record.as_document({"m": HERE})
    assert stored == {"m": {"recon": "r-1", "time": "2026-11-24T12:00:00Z", "idm": ["a", "b"]}}
    assert record.read_record(stored) == {"m": HERE}


@pytest.mark.parametrize("junk", [None, "yes", True, {}, {"time": "x"}, {"recon": ""}])
def test_what_is_no_load_proves_none(junk):
    assert record.read_record({"m": junk}) == {}


def test_one_name_of_an_idm_is_a_list_of_one():
    assert record.read_record({"m": {"recon": "r", "idm": "elsewhere"}})["m"].idm == ("elsewhere",)


def test_some_links_are_asked_for_by_their_type():
    answer = {"result": [{"_id": "b"}, {"_id": "a"}]}
    client = ScriptedClient(
        call("GET", "repo/link", answer, {"_queryFilter": 'linkType eq "a \\"b\\""', "_pageSize": 5, "_fields": "_id"})
    )
    assert record.some_links(client, 'a "b"') == ("a", "b")
    client.finished()


def test_links_that_cannot_be_read_are_none():
    assert record.some_links(ScriptedClient(call("GET", "repo/link", refused(403))), "m") == ()


OTHER = Load("r-2", "", ("c", "d"))
BOTH = {"_queryFilter": '(_id eq "a" or _id eq "c")', "_fields": "_id"}


def listed(*links):
    """What the list of links shows of the first ones of both loads, or an error."""
    found = links[0] if links and isinstance(links[0], Exception) else {"result": [{"_id": one} for one in links]}
    return call("GET", "repo/link", found, BOTH)


def test_links_that_are_there_are_found_by_one_request_however_many_loads():
    client = ScriptedClient(listed("a", "c"))
    witnesses = record.Witnesses(client, [HERE, OTHER, Load("r-3", "")])
    assert all(witnesses.made_here(load, promoted=True) for load in (HERE, OTHER))
    client.finished()


@pytest.mark.parametrize("shown", [(), (refused(403),), (refused(500),)])
def test_what_a_list_does_not_show_is_asked_for_by_its_name(shown):
    there = call("GET", "repo/link/b", {"_id": "b"})
    gone = [call("GET", f"repo/link/{one}", refused(404)) for one in ("a", "c", "d")]
    client = ScriptedClient(listed(*shown), gone[0], there, *gone[1:])
    witnesses = record.Witnesses(client, [HERE, OTHER])
    assert witnesses.made_here(HERE, promoted=True)
    assert not witnesses.made_here(OTHER, promoted=False)
    client.finished()


def test_a_load_that_nobody_knew_of_is_asked_for_by_itself():
    client = ScriptedClient(call("GET", "repo/link/a", {"_id": "a"}))
    assert record.Witnesses(client, []).made_here(HERE, promoted=True)
    client.finished()


def test_many_loads_are_looked_for_at_once():
    loads = {"m": HERE, "n": Load("r-2", "", ("c", "d")), "o": Load("r-3", "", ("e",)), "p": Load("r-4", "")}
    first = call("GET", "repo/link", {"result": [{"_id": "a"}]}, FIRST)
    client = ScriptedClient(first, call("GET", "repo/link", {"result": []}, OTHERS))
    assert record.made_elsewhere(client, loads) == {"n", "o"}
    client.finished()
    all_there = ScriptedClient(call("GET", "repo/link", {"result": [{"_id": one} for one in "ace"]}, FIRST))
    assert record.made_elsewhere(all_there, loads) == set() and not record.made_elsewhere(ScriptedClient(), {})
    all_there.finished()


FIRST = {"_queryFilter": '(_id eq "a" or _id eq "c" or _id eq "e")', "_fields": "_id"}
OTHERS = {"_queryFilter": '(_id eq "d")', "_fields": "_id"}


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_links_that_cannot_be_read_are_not_taken_for_another_idm(status):
    asked = call("GET", "repo/link/a", refused(404)), call("GET", "repo/link/b", refused(status))
    with pytest.raises(Refused):
        record.Witnesses(ScriptedClient(listed(), *asked), [HERE, OTHER]).made_here(HERE, promoted=False)


@pytest.mark.parametrize("promoted", [True, False])
def test_without_links_the_place_of_the_record_decides(promoted):
    load = Load("r", "")
    assert record.Witnesses(ScriptedClient(), [load]).made_here(load, promoted=promoted) is not promoted


def test_everything_recorded_here_needs_no_load():
    assert record.loads_to_do(["m"], {"m": HERE}, frozenset()) == {}


def test_a_mapping_that_is_not_recorded_is_loaded_and_the_other_is_not():
    loads = record.loads_to_do(["m", "n"], {"m": HERE}, frozenset())
    assert list(loads) == ["n"]
    assert "recorded" in loads["n"]


def test_a_load_on_another_idm_is_none():
    assert "another IDM" in record.loads_to_do(["m"], {"m": HERE}, {"m"})["m"]


def test_without_a_base_point_every_mapping_is_loaded_for_that_reason():
    assert record.loads_to_do(["m"], {"m": HERE}, frozenset(), no_base_point="No token.") == {"m": "No token."}


@pytest.mark.parametrize("how, count", [(ALWAYS, 1), (NEVER, 0)])
def test_always_and_never_overrule(how, count):
    for known in ({"m": HERE}, {}):
        assert len(record.loads_to_do(["m"], known, frozenset(), how=how, no_base_point="No token.")) == count


def test_the_directory_server_stands_in_the_record_where_it_is_known():
    identity = Identity({"replication server": "1"}, {"dc=example,dc=com": "7"})
    known = Load("r-1", "2026-11-24T12:00:00Z", ("a",), identity)
    assert Load.parse(known.as_document()) == known
    assert "directory" not in Load("r-1", "2026-11-24T12:00:00Z").as_document()
    assert Load.parse({"recon": "r-1", "directory": "odd"}) == Load("r-1", "")


def test_the_change_that_a_load_goes_on_from_stands_beside_it_where_it_is_known():
    anchor = Anchor(7, "2026-11-24T17:00:07Z", "a")
    known = {"m": Load("r", "2026-11-24T17:01:00Z", ("a",), base_point=anchor)}
    assert record.read_record(record.as_document(known)) == known
    older = {"recon": "r", "time": "2026-11-24T17:01:00Z", "idm": ["a"]}
    assert record.as_document(record.read_record({"m": older})) == {"m": older}  # as another release has written it


def test_a_server_that_was_exchanged_is_told_before_data_that_were():
    then = Identity({"replication server": "1"}, {"dc=x": "1"})
    other = Identity({"replication server": "2"}, {"dc=x": "1"})
    now = Identity({"replication server": "1"}, {"dc=x": "2"})
    of_data, of_server = (replace_directory(one) for one in (then, other))
    assert record.moved_from([of_data], now) == ("data", then)
    assert record.moved_from([of_data, of_server], now) == ("server", other)
    assert record.moved_from([of_server, of_data], now) == ("server", other)
    assert record.moved_from([replace_directory(now)], now) is None and record.moved_from([], now) is None


def replace_directory(identity):
    return Load("r", "2026-11-24T12:00:00Z", ("a",), directory=identity)

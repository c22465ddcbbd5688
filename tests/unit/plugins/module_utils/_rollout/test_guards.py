# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight asks before a load, so that it predicts what the load would refuse."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import SAME, UNKNOWN, Whose
from ansible_collections.idmops.idm.plugins.module_utils._rollout import gather
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.tests.unit.doubles.environment import Environment
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR, MAPPING, URI, directory, finished
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

OPTIONS = {"servers": [URI], "bind_dn": "uid=admin", "bind_password": "x", "base_contexts": ["dc=given"]}


@pytest.fixture
def there(monkeypatch):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    there.hide("s1")
    there.narrowed.add("s1")
    there.asked = []
    monkeypatch.setattr(gather, "Directory", lambda *unused: contextlib.nullcontext())
    monkeypatch.setattr(gather, "see_as", lambda *unused: Visibility(7, 7))
    monkeypatch.setattr(gather.OwnEntries, "of", lambda *how: there.asked.append(how) or there)
    return there


def unlisted(there, mapping=None, connector=CONNECTOR, allow_deletes=False):
    asked = SourceRequest.parse({"source": "system/ldap/account", "allow_deletes": allow_deletes}, OPTIONS)
    mapping = mapping or there.mapping
    return gather.compare_links(there.idm, asked, connector, [mapping], [mapping], URI, None, context())


def test_the_links_of_what_a_load_may_delete_are_compared_with_the_directory(there):
    assert unlisted(there)["m"].ids == ("s1",)
    assert there.asked[0][1].base_contexts == CONNECTOR.base_contexts
    unlisted(there, connector=replace(CONNECTOR, base_contexts=()))
    assert there.asked[1][1].base_contexts == ("dc=given",)


def test_where_none_can_go_or_all_may_nothing_is_asked(there):
    assert unlisted(there, replace(there.mapping, removing=("UNQUALIFIED",))) == {}
    assert unlisted(there, allow_deletes=True) == {}
    assert there.asked == []


def test_links_that_cannot_be_read_are_not_taken_for_none(there, monkeypatch):
    def no(*unused):
        raise Refused("GET http://idm/repo/link answered 403", status=403)

    monkeypatch.setattr(gather, "read_unlisted", no)
    assert "its links cannot be read" in unlisted(there)["m"].unknown


def test_a_search_that_is_not_known_is_not_taken_for_a_wide_one(there, monkeypatch):
    monkeypatch.setattr(gather.OwnEntries, "of", lambda *how: None)
    assert "does not tell where" in unlisted(there)["m"].unknown


@pytest.mark.parametrize(
    ("whose", "linked", "found"), [(SAME, True, True), (SAME, None, True), (SAME, False, False), (UNKNOWN, True, False)]
)
def test_preflight_compares_where_a_load_is_planned(there, monkeypatch, whose, linked, found):
    monkeypatch.setattr(gather, "has_links", lambda *unused: linked)
    monkeypatch.setattr(gather, "estranged", lambda *unused: None)
    lists = type("Lists", (), {"connectors": {"ldap": CONNECTOR}, "mappings": [there.mapping]})
    gatherer = gather.Gatherer(there.idm, None, lists, "enabled", context())
    evidence = finished(record={}, mappings=(there.mapping,), directory=directory(whose=Whose(whose)))
    evidence = replace(evidence, request=replace(evidence.request, directory=OPTIONS))
    assert bool(gatherer._with_guards(evidence, CONNECTOR).unlisted) is found
    done = replace(evidence, mappings=(MAPPING,), record={"m": finished().record["m"]})
    assert not gatherer._with_guards(done, CONNECTOR).unlisted

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backlog is brought over by a reconciliation: what by which way, and the token moves last, or not at all."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.changed import Changed
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NUMBERS, ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import UNKNOWN, Whose
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync.backlog import Backlog
from ansible_collections.idmops.idm.plugins.module_utils._rollout import backlog as module
from ansible_collections.idmops.idm.plugins.module_utils._rollout.backlog import bring_over
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, context

SOURCE = "system/ldap/account"
DOCUMENT = {
    "name": "m",
    "source": SOURCE,
    "target": "managed/user",
    "policies": [{"situation": "SOURCE_MISSING", "action": "DELETE"}],
}
MAPPING = SyncMapping.parse(DOCUMENT)
#: What IDM answers to notifyDelete of an entry whose target it deletes (seen on OpenIDM 6.1.0).
DELETED = [{"mapping": "m", "situation": "SOURCE_MISSING", "action": "DELETE", "result": "SUCCESSFUL"}]


class Log:
    """A change log that holds 1 to 20, of the connector's server."""

    whose = Whose()
    directory = object()
    log = ChangeLog(1, 20, NUMBERS, "cn=changelog")
    unrecorded = ()
    beyond = None

    def __init__(self, *unused):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def last(self):
        return self.log.last

    def outside(self, number):
        return self.beyond


class Surroundings:
    """An IDM with entries, some of which have links; a directory with entries; and all that was done, in its order."""

    def __init__(self, monkeypatch, changed=None, token=7):
        self.done = []
        self.stage = Stage("1", token, "integer")
        self.schedules = []
        self.changed = Changed({"a": "modify", "b": "add"} if changed is None else changed, frozenset())
        self.source, self.linked, self.inside, self.away = {"a", "b"}, {}, set(), set()
        self.log = type("OneLog", (Log,), {})
        self.fails = self.guard = self.estranged = None
        self.moves = True
        for name, stand_in in {
            "LogReader": self.log,
            "ask_server": lambda *unused: None,
            "read_schedules": lambda *unused: self.schedules,
            "read_stage": lambda *unused: self.stage,
            "alone": self._alone,
            "changed_entries": lambda *unused: self.changed,
            "read_these": self._read_these,
            "OwnEntries": SimpleNamespace(of=lambda *unused: self),
            "estranged": lambda *unused: self.estranged,
            "reconcile": self._reconcile,
            "guard": self._guard,
            "recon_request": lambda client, request, mapping: (mapping.name, request.source.allow_deletes),
        }.items():
            monkeypatch.setattr(module, name, stand_in)

    @contextlib.contextmanager
    def _alone(self, client, source, context, timeout, where):
        self.done.append("held")
        yield SimpleNamespace(stage=self.stage, move=self._move, keep=lambda: self.done.append("kept"))
        self.done.append("let go")

    def _move(self, token):
        self.done.append(f"token {token}")
        return Stage("2", token, "integer")

    def _read_these(self, client, resource, field, values, fields):
        if resource == SOURCE:
            return [{"_id": one} for one in values if one in self.source]
        found = [{"firstId": one, "linkType": self.linked[one]} for one in values if one in self.linked]
        if self.moves and any("remove" in one for one in self.done):
            return []
        return found

    def _reconcile(self, client, request, unused):
        ids = getattr(request, "ids", None)
        self.done.append(f"ids {','.join(ids)}" if ids else f"all of {request[0]}")
        if self.fails:
            raise self.fails

    def _guard(self, *unused):
        self.done.append("guard")
        if self.guard:
            raise self.guard

    # what the directory itself has

    def entries(self, ids):
        return {one: None for one in ids if one in self.inside}

    def elsewhere(self, ids):
        return {one: "it lies elsewhere" for one in ids if one in self.away}

    def bring(self, *calls, mapping=MAPPING, connector=CONNECTOR, check_mode=False, allow_deletes=True):
        client = Recording(self.done, *calls)
        backlog = Backlog(Source.parse(SOURCE), connector, {}, "ldap://ds1", [mapping], [mapping], allow_deletes)
        found = bring_over(client, backlog, context(check_mode))
        client.finished()
        return found


class Recording(ScriptedClient):
    """Notes which targets are removed."""

    def __init__(self, done, *calls):
        super().__init__(*calls)
        self.done = done

    def post(self, path, params, body=None, none_on=(), **unused):
        self.done.append(f"remove {params['resourceId']}")
        return super().post(path, params, body, none_on)


def removal(name):
    asked = {"_action": "notifyDelete", "resourceContainer": SOURCE, "resourceId": name}
    return call("POST", "sync", DELETED, asked, {})


def test_few_entries_are_reconciled_by_themselves_and_the_token_moves_last(monkeypatch):
    it = Surroundings(monkeypatch)
    found = it.bring()
    assert it.done == ["held", "ids a,b", "token 20", "let go"]
    assert (found.by, found.records, found.removed, found.through, found.after.token) == ("ids", 2, 0, 20, 20)


def test_many_are_a_reconciliation_of_everything_under_the_guard(monkeypatch):
    it = Surroundings(monkeypatch)
    it.changed = None
    found = it.bring()
    assert it.done == ["held", "guard", "all of m", "token 20", "let go"]
    assert (found.by, found.records) == ("mapping", None)


@pytest.mark.parametrize("by_ids", [True, False])
def test_where_an_entry_fails_the_token_stays(monkeypatch, by_ids):
    it = Surroundings(monkeypatch)
    it.changed = it.changed if by_ids else None
    it.fails = IdmopsError("1 of 2 entries failed")
    with pytest.raises(IdmopsError, match="1 of 2"):
        it.bring()
    assert not [one for one in it.done if one.startswith("token")] and it.done[-1] == "kept"


def test_what_the_guard_refuses_is_not_done(monkeypatch):
    it = Surroundings(monkeypatch)
    it.changed, it.guard = None, IdmopsError("finds 5 of 6 entries")
    with pytest.raises(IdmopsError, match="5 of 6"):
        it.bring()
    assert it.done == ["held", "guard", "kept"]


def test_an_entry_that_is_certainly_gone_takes_its_target_along(monkeypatch):
    it = Surroundings(monkeypatch, {"a": "modify", "x": "delete"})
    it.linked = {"x": "m"}
    found = it.bring(removal("x"))
    assert it.done == ["held", "ids a", "remove x", "token 20", "let go"]
    assert (found.records, found.removed) == (1, 1)


def test_where_the_link_stays_nothing_has_been_removed(monkeypatch):
    it = Surroundings(monkeypatch, {"x": "delete"})
    it.linked, it.moves = {"x": "m"}, False
    with pytest.raises(IdmopsError, match="has not let go"):
        it.bring(removal("x"))
    assert it.done == ["held", "remove x", "kept"]


def test_one_that_was_never_linked_leaves_nothing_to_remove(monkeypatch):
    it = Surroundings(monkeypatch, {"x": "delete"})
    assert it.bring(allow_deletes=False).removed == 0 and it.done == ["held", "token 20", "let go"]


@pytest.mark.parametrize("kind", ["DELETE", "UNLINK"])
def test_a_policy_that_keeps_who_is_gone_lets_them_be(monkeypatch, kind):
    it = Surroundings(monkeypatch, {"x": "delete"})
    it.linked = {"x": "m"}
    keeping = {**DOCUMENT, "policies": [{"situation": "SOURCE_MISSING", "action": "IGNORE"}]}
    assert it.bring(mapping=SyncMapping.parse(keeping)).removed == 0
    unlinking = {**DOCUMENT, "policies": [{"situation": "SOURCE_MISSING", "action": kind}]}
    assert it.bring(removal("x"), mapping=SyncMapping.parse(unlinking)).removed == 1


@pytest.mark.parametrize(
    "how",
    [
        "not allowed",
        "not called deleted",
        "hidden from IDM",
        "has left the source",
        "renamed above others",
        "a script decides",
        "known by another attribute",
        "shared links",
        "no links",
        "another source query",
        "kept out of the log",
    ],
)
def test_what_cannot_be_known_of_single_entries_is_for_the_load_to_judge(monkeypatch, how):
    it = Surroundings(monkeypatch, {"a": "modify", "x": "delete"})
    it.linked = {"x": "m"}
    mapping, connector = MAPPING, CONNECTOR
    if how == "not called deleted":
        it.changed = Changed({"x": "modify"}, frozenset())
    elif how == "hidden from IDM":
        it.inside = {"x"}
    elif how == "has left the source":
        it.away = {"x"}
    elif how == "renamed above others":
        it.away, it.linked = {"x"}, {}
        it.changed = Changed({"x": "modrdn"}, frozenset({"x"}))
    elif how == "a script decides":
        policies = [{"situation": "SOURCE_MISSING", "action": {"type": "text/javascript"}}]
        mapping = SyncMapping.parse({**DOCUMENT, "policies": policies})
    elif how == "known by another attribute":
        connector = replace(connector, uid_attribute="uid")
    elif how == "shared links":
        mapping = replace(mapping, link_type="other")
    elif how == "no links":
        mapping = replace(mapping, links_objects=False)
    elif how == "kept out of the log":
        it.log.unrecorded = ("dc=example,dc=com",)
    elif how == "another source query":
        with pytest.raises(IdmopsError, match="sourceQuery of m leaves out"):
            it.bring(mapping=replace(mapping, source_filter=None))
        assert it.done == ["held", "kept"]
        return
    assert it.bring(mapping=mapping, connector=connector, allow_deletes=how != "not allowed").by == "mapping"
    assert it.done == ["held", "guard", "all of m", "token 20", "let go"]


def test_entries_that_are_none_of_the_source_need_nothing(monkeypatch):
    it = Surroundings(monkeypatch, {"a": "modify", "ou": "modify"})
    it.away = {"ou"}
    assert it.bring().records == 1 and "guard" not in it.done


def test_entries_whose_links_know_them_by_another_name_are_not_reconciled(monkeypatch):
    it = Surroundings(monkeypatch)
    it.estranged = "the links of m know them by dn"
    with pytest.raises(IdmopsError, match="know them by dn"):
        it.bring()
    assert it.done == ["held", "kept"]


def test_one_that_has_come_back_is_not_removed(monkeypatch):
    it = Surroundings(monkeypatch, {"x": "delete"})
    it.linked = {"x": "m"}
    gone = iter([[], [{"_id": "x"}]])
    monkeypatch.setattr(
        module, "read_these", lambda client, resource, *rest: next(gone) if resource == SOURCE else [link("x")]
    )
    with pytest.raises(IdmopsError, match="has x again"):
        it.bring()


def link(name):
    return {"firstId": name, "linkType": "m"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_enabled_schedule_is_neither_switched_off_nor_ignored(monkeypatch, check_mode):
    it = Surroundings(monkeypatch)
    it.schedules = [SimpleNamespace(name="nightly", enabled=True)]
    with pytest.raises(IdmopsError, match="nightly is enabled") as caught:
        it.bring(check_mode=check_mode)
    assert it.done == [] and "enabled: false" in caught.value.remedy


@pytest.mark.parametrize(("way", "guarded"), [("ids", []), ("mapping", ["guard"])])
def test_check_mode_plans_and_writes_nothing(monkeypatch, way, guarded):
    it = Surroundings(monkeypatch)
    it.changed = it.changed if way == "ids" else None
    found = it.bring(check_mode=True)
    assert found.by == way and found.after is None and it.done == guarded


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("token", [20, None])
def test_where_nothing_is_pending_nothing_is_done(monkeypatch, check_mode, token):
    it = Surroundings(monkeypatch, token=token)
    assert it.bring(check_mode=check_mode) is None
    assert [one for one in it.done if one not in ("held", "let go")] == []


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("whose", Whose(UNKNOWN, "Who knows whose it is.", hidden=True), "Who knows"),
        ("whose", None, "cannot be known"),
        ("beyond", ("trimmed", "Set the token."), "is trimmed"),
        ("log", None, "no change log"),
    ],
)
def test_where_the_end_of_the_log_is_not_certain_nothing_is_done(monkeypatch, what, value, words):
    it = Surroundings(monkeypatch)
    setattr(it.log, what, value)
    if what == "log":
        it.log.last = lambda self: None
    with pytest.raises(IdmopsError, match=words):
        it.bring()
    assert it.done == ["held"]


def test_a_mapping_that_is_off_lets_no_token_move(monkeypatch):
    it = Surroundings(monkeypatch)
    with pytest.raises(IdmopsError, match="No enabled mapping"):
        it.bring(mapping=replace(MAPPING, sync_enabled=False))
    assert it.done == ["held"]

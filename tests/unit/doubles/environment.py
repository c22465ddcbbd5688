# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source, its links and its target, some of which are not as they should be."""

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.plugins.module_utils._proof.sides import Sides
from ansible_collections.idmops.idm.tests.unit.doubles.repository import Repository

SOURCE, TARGET, LINKS = "system/ldap/account", "managed/user", "repo/link"
MAPPING = {
    "name": "m",
    "source": SOURCE,
    "target": TARGET,
    "properties": [{"source": "uid", "target": "userName"}, {"source": "mail", "target": "mail"}],
}
SCHEMA = TargetSchema({}, frozenset(), frozenset({"userName"}))


class Environment:
    """People who are in the source and have arrived, until a test says otherwise.

    :param hidden: entries that the directory has and IDM does not see, by their ids.
    """

    def __init__(self, count=8, turned=False, **mapping):
        self.turned = turned
        self.mapping = SyncMapping.parse({**MAPPING, **mapping})
        self.people = [{"_id": f"s{one}", "uid": f"u{one}", "mail": f"u{one}@x"} for one in range(count)]
        self.users = [{"_id": f"t{one}", "userName": f"u{one}", "mail": f"u{one}@x"} for one in range(count)]
        self.links = [self.link(f"s{one}", f"t{one}") for one in range(count)]
        self.hidden: dict[str, dict] = {}
        self.kept: dict[str, dict] = {}  # values that the directory keeps to itself
        self.narrowed: set[str] = set()  # hidden ones that the connector's own search leaves out
        self.moved: set[str] = set()  # entries that have left the connector's base contexts
        self.containers: set[str] = set()  # what the connector finds and has not the object classes of an account
        self.modifiers: dict[str, str] = {}  # who has changed an entry last
        self.doubt = None  # why the directory's word proves nothing
        self.idm = Repository({SOURCE: self.people, TARGET: self.users, LINKS: self.links})
        comparison = Comparison.of(self.mapping, SCHEMA, {})
        self.sides = Sides(self.idm, self.mapping, comparison, turned, keyed=True)

    def link(self, source, target, qualifier="default", kind="m"):
        first, second = (target, source) if self.turned else (source, target)
        return {
            "_id": f"{source}-{target}",
            "linkType": kind,
            "firstId": first,
            "secondId": second,
            "linkQualifier": qualifier,
        }

    def drop(self, which, name):
        """Remove an object, or the link of an object of the source."""
        which[:] = [one for one in which if name not in (one["_id"], *one["_id"].split("-"))]

    def hide(self, name):
        """Let IDM not see an entry that the directory has."""
        self.hidden[name] = next(one for one in self.people if one["_id"] == name)
        self.drop(self.people, name)

    # what the directory itself tells, as OwnEntries does
    narrowing = None
    classes_shown = True
    directory = SimpleNamespace(bind_dn="uid=admin")

    def masks(self, comparison):
        everybody = [*self.people, *self.hidden.values()]
        return iter([(one["_id"], comparison.mask({**one, **self.kept.get(one["_id"], {})})) for one in everybody])

    def entries(self, ids, further=""):
        known = {**{one["_id"]: one for one in self.people}, **self.hidden}
        shown = [name for name in ids if name in known and name not in self.containers]
        by = {name: {"modifiersname": (self.modifiers.get(name, "uid=hr").encode(),)} for name in shown}
        return {name: Entry(f"uid={known[name]['uid']},dc=x", by[name]) for name in shown}

    def passing(self, ids):
        out = self.narrowed | self.moved
        return {name for name in self.entries(ids) if name not in out}

    def unproved(self):
        return self.doubt

    def body(self, entry):
        uid = entry.dn.split(",")[0].removeprefix("uid=")
        known = next(one for one in [*self.people, *self.hidden.values()] if one["uid"] == uid)
        shown = {**known, **self.kept.get(known["_id"], {})}
        return {name: [value] for name, value in shown.items() if name != "_id"}

    def why_unseen(self, ids):
        return {
            name: ("filtered", "accountSearchFilter does not match it")
            if name in self.narrowed
            else ("hidden", "the directory has it, and does not show it to uid=idm")
            for name in ids
        }

    classes = "accountObjectClasses"

    def elsewhere(self, ids):
        return {name: why for name, (why, unused) in self.left_out(ids).items()}

    def left_out(self, ids):
        away = ("it lies outside of the connector's base contexts", None)
        found = {name: away for name in ids if name in self.moved}
        for name in self.containers & set(ids):
            kept = self.hidden.get(name)
            other = {"objectclass": (b"organizationalUnit",)} if self.classes_shown else {}
            entry = Entry(f"uid={kept['uid']},dc=x", other) if kept else None
            found[name] = (f"it has not all object classes ({self.classes})", entry)
        return found

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A topology of an experiment's own: what is in IDM is read from its database, what is in the directory from both."""

from __future__ import annotations

import json
import pathlib
import typing as t

import ldap

from tests.servers.topology import Topology, plan
from tools import steps

from ._bed import MAPPED, Bed, Person
from ._compare import Difference, difference

_EVERYTHING = (
    "TRUNCATE managedobjects, managedobjectproperties, links, auditrecon, auditsync, auditactivity CASCADE;"
    " DELETE FROM genericobjects USING objecttypes kind"
    " WHERE kind.id = objecttypes_id AND kind.objecttype = 'synchronisation/pooledSyncStage';"
)


class TwoOfEach(Bed):
    """Two nodes behind a balancer, two directories; ``at`` says which of these is spoken to."""

    at = 0

    def _servers(self, folder: pathlib.Path) -> Topology:
        return Topology(folder, users=self.users, say=steps.say)

    def _directories(self) -> dict[str, t.Any]:
        return {"servers": self.vars["ds_admin_uris"]}

    def directory(self) -> t.Any:
        """Return a connection as the administrator of the directory ``at``."""
        line = ldap.initialize(self.vars["ds_uris"][self.at])
        line.simple_bind_s(self.vars["ds_admin_dn"], self.vars["ds_admin_password"])
        return line

    def sql(self, statements: str) -> list[list[str]]:
        """Ask IDM's database."""
        rows: list[list[str]] = self.stack.parts["postgresql"].query(statements)
        return rows

    def people_in_idm(self) -> tuple[dict[str, list[Person]], int]:
        """Return the managed users by the entryUUID that they are linked to, and how many have no link."""
        documents = [json.loads(text) for (text,) in self.sql("SELECT fullobject FROM managedobjects;")]
        users = {user["_id"]: tuple(str(user.get(name) or "") for name in MAPPED.values()) for user in documents}
        linked: dict[str, list[Person]] = {}
        for first, second in self.sql(f"SELECT firstid, secondid FROM links WHERE linktype = '{self.mapping}';"):
            linked.setdefault(first.lower(), []).append(users.pop(second, ("(a link to nobody)",)))
        return linked, len(users)

    def named(self) -> dict[str, list[tuple[str, str]]]:
        """Return the name and the description of the users that IDM has, by the entryUUID that they are linked to."""
        rows = self.sql(
            "SELECT lower(firstid), fullobject->>'userName', fullobject->>'description' FROM links"
            f" JOIN managedobjects made ON made.objectid = secondid WHERE linktype = '{self.mapping}';"
        )
        found: dict[str, list[tuple[str, str]]] = {}
        for uuid, name, description in rows:
            found.setdefault(uuid, []).append((name, description))
        return found

    def know_nodes(self) -> None:
        """Tell the playbooks the nodes' own URLs, too."""
        given = json.loads(self._variables.read_text(encoding="utf-8"))
        given["livesync_idm"]["nodes"] = self.vars["idm_nodes"]
        self._variables.write_text(json.dumps(given), encoding="utf-8")

    def unlinked(self) -> list[list[str]]:
        """Return the id, the name and the description of each user in IDM without a link."""
        return self.sql(
            "SELECT objectid, fullobject->>'userName', fullobject->>'description' FROM managedobjects"
            " WHERE objectid NOT IN (SELECT secondid FROM links);"
        )

    def both_directories(self) -> dict[str, t.Any]:
        """Return the option ``directory`` of the modules."""
        known = self.vars
        given = {"servers": "ds_admin_uris", "bind_dn": "ds_admin_dn", "bind_password": "ds_admin_password",
                 "ca_path": "ds_ca_path"}  # fmt: skip
        return {option: known[name] for option, name in given.items()}

    def described(self, description: str) -> int:
        """Return how many people in IDM have that description."""
        found = self.sql(f"SELECT COUNT(*) FROM managedobjects WHERE fullobject->>'description' = '{description}';")
        return int(found[0][0])

    def differences(self) -> dict[str, Difference]:
        """Compare all of IDM with all of each directory; those that are equal are left out."""
        idm = self.people_in_idm()
        found = {name: difference(people, *idm) for name, people in zip(plan.DIRECTORIES, self.people_in_directories())}
        return {name: one for name, one in found.items() if one}

    def people_in_directories(self) -> list[dict[str, Person]]:
        """Return the people of each directory, by entryUUID."""
        found = []
        for number in range(len(plan.DIRECTORIES)):
            self.at = number
            found.append(self.people_in_directory())
        self.at = 0
        return found

    def whereabouts(self) -> str:
        """Say how far each directory and liveSync have come, for a step that did not end."""
        told = []
        for self.at, name in enumerate(plan.DIRECTORIES):
            try:
                told.append(f"{name} at {self.last_change()}")
            except ldap.LDAPError as exc:
                told.append(f"{name}: {type(exc).__name__}")
        self.at = 0
        runs = [(one.get("state"), one.get("nodeId")) for one in self.query("scheduler/trigger")]
        return f"{', '.join(told)}, the token at {self.token()}, triggers (state, node): {runs}"

    def forget_everybody(self) -> None:
        """Make IDM one that has never seen the directory; its configuration, schedules and connectors stay."""
        self.sql(_EVERYTHING)

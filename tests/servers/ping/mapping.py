# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mapping does with one record: the situation it is in, and the action on it."""

from __future__ import annotations

import typing as t

from .world import World

#: Sources whose records are refused say so in the words of a target's policy (recorded 3).
_REFUSED = "Failed policy validation"
_DEFAULTS = {"CONFIRMED": "UPDATE", "FOUND": "UPDATE", "ABSENT": "CREATE", "SOURCE_MISSING": "DELETE"}


class RecordRefused(Exception):
    """The target did not take a record."""


def actions(mapping: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return a mapping's action for each situation; a script counts as one (recorded 6)."""
    listed = {
        policy["situation"]: policy["action"] if isinstance(policy["action"], str) else "SCRIPT"
        for policy in mapping.get("policies", [])
    }
    return {**_DEFAULTS, **listed}


def links_of(world: World, mapping: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return a mapping's links: the source's id, and the id of the link."""
    kind = mapping.get("links") or mapping["name"]
    return {link["firstId"]: link["_id"] for link in world.links.values() if link["linkType"] == kind}


def apply(world: World, mapping: t.Mapping[str, t.Any], uid: str) -> tuple[str, str]:
    """Bring one person of the source to the target; return the situation and the action.

    :raises RecordRefused: when the target does not take it.
    """
    wanted = actions(mapping)
    person = world.directory.people.get(uid)
    source_id = f"uid={uid},ou=People,dc=example,dc=com"
    link = links_of(world, mapping).get(source_id)
    if person is None:
        situation = "SOURCE_MISSING" if link else "ALL_GONE"
    elif link:
        situation = "CONFIRMED"
    else:
        situation = "FOUND" if uid in world.users else "ABSENT"
    action = wanted.get(situation, "IGNORE")
    if action in ("CREATE", "UPDATE"):
        if uid in world.switches.poisoned:
            raise RecordRefused(_REFUSED)
        properties = {**(person or {}), "userName": uid}
        world.users[uid] = world.revised({**world.users.get(uid, {}), **properties, "_id": uid})
        if not link:
            _connect(world, mapping, source_id, uid)
    elif action in ("DELETE", "UNLINK") and link:
        if action == "DELETE":
            world.users.pop(world.links[link]["secondId"], None)
        del world.links[link]
    return situation, action


def _connect(world: World, mapping: t.Mapping[str, t.Any], source_id: str, target_id: str) -> None:
    link = world.revised({})
    identifier = f"link-{len(world.links) + 1}-{target_id}"
    world.links[identifier] = {
        "_id": identifier,
        **link,
        "linkType": mapping.get("links") or mapping["name"],
        "linkQualifier": "default",
        "firstId": source_id,
        "secondId": target_id,
    }

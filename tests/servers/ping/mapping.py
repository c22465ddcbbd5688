# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mapping does with one record: the situation it is in, and the action on it."""

from __future__ import annotations

import typing as t

from .world import World

#: Sources whose records are refused say so in the words of a target's policy (recorded 3).
_REFUSED = "Failed policy validation"
_DEFAULTS = {
    "CONFIRMED": "UPDATE",
    "FOUND": "UPDATE",
    "FOUND_ALREADY_LINKED": "EXCEPTION",
    "ABSENT": "CREATE",
    "SOURCE_MISSING": "DELETE",
}


class RecordRefused(Exception):
    """The target did not take a record."""


def actions(mapping: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return a mapping's action for each situation; a script counts as one (recorded 6)."""
    listed = {
        policy["situation"]: policy["action"] if isinstance(policy["action"], str) else "SCRIPT"
        for policy in mapping.get("policies", [])
    }
    return {**_DEFAULTS, **listed}


def is_queued(mapping: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a mapping's implicit changes wait in a queue (live 6)."""
    return (mapping.get("queuedSync") or {}).get("enabled") is True


def nanoseconds(world: World, seconds: float | None = None) -> str:
    """Return a time with nine digits of a second, as sync/queue has it (live 6)."""
    return world.clock.stamp(seconds).removesuffix("Z") + "000000Z"


def links_of(world: World, mapping: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return a mapping's links: the source's id, and the id of the link."""
    kind = mapping.get("links") or mapping["name"]
    return {link["firstId"]: link["_id"] for link in world.links.values() if link["linkType"] == kind}


def apply(world: World, mapping: t.Mapping[str, t.Any], uid: str, source_id: str | None = None) -> tuple[str, str]:
    """Bring one person of the source to the target; return the situation and the action.

    :param source_id: of a link whose source may be gone; None is the person's own id.
    :raises RecordRefused: when the target does not take it.
    """
    wanted = actions(mapping)
    source_id = source_id or world.directory.id_of(uid)
    person = world.directory.people.get(uid) if source_id == world.directory.id_of(uid) else None
    links = links_of(world, mapping)
    link = links.get(source_id)
    taken = uid in {world.links[other]["secondId"] for other in links.values()}
    if person is None:
        situation = "SOURCE_MISSING" if link else "ALL_GONE"
    elif link:
        situation = "CONFIRMED"
    else:
        situation = ("FOUND_ALREADY_LINKED" if taken else "FOUND") if uid in world.users else "ABSENT"
    action = wanted.get(situation, "IGNORE")
    if action in ("CREATE", "UPDATE"):
        if uid in world.switches.poisoned:
            raise RecordRefused(_REFUSED)
        properties = {**(person or {}), "userName": uid}
        _wait_in_queues(world, mapping["target"], uid, "notifyUpdate" if uid in world.users else "notifyCreate")
        world.users[uid] = world.revised({**world.users.get(uid, {}), **properties, "_id": uid})
        if not link:
            _connect(world, mapping, source_id, uid)
    elif action in ("DELETE", "UNLINK") and link:
        if action == "DELETE":
            user = world.links[link]["secondId"]
            _wait_in_queues(world, mapping["target"], user, "notifyDelete")
            world.users.pop(user, None)
        del world.links[link]
    return situation, action


def _wait_in_queues(world: World, target: str, name: str, action: str) -> None:
    """Put a change of an object into the queue of each mapping that goes on from there, where it has one (live 6)."""
    for mapping in world.mappings():
        if mapping["source"] == target and is_queued(mapping):
            number = f"event-{len(world.queue) + 1}-{world.revisions.next()}"
            world.queue[number] = {
                **world.revised({}),
                "_id": number,
                "mapping": mapping["name"],
                "resourceId": name,
                "resourceCollection": target,
                "syncAction": action,
                "state": "PENDING",
                "nodeId": None,
                "createDate": nanoseconds(world),
                "remainingRetries": mapping["queuedSync"].get("maxRetries", -1),
            }


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

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""repo/*, audit/*, info/*, cluster: what is read beside the main routes."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from .crest import Call, CrestError, Reply, listing, not_found
from .mapping import is_queued, nanoseconds
from .world import World


class Repo:
    """repo/synchronisation/pooledSyncStage, its dead letters, and repo/link. "An internal interface" (ping 1.6)."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, call: Call, rest: str) -> Reply:
        """Answer a path below repo."""
        for prefix, documents in (
            ("synchronisation/pooledSyncStage", self._world.stages),
            ("synchronisation/deadLetterQueue", self._world.dead_letters),
            ("link", self._world.links),
        ):
            if rest == prefix:
                return listing(call, [documents[key] for key in sorted(documents)])
            if rest.startswith(prefix + "/"):
                name = rest[len(prefix) + 1 :]
                if prefix.endswith("Queue"):  # a queue for each provisioner
                    unused, slash, name = name.partition("/")
                    if not slash:
                        return listing(call, [documents[key] for key in sorted(documents)])
                return self._one(call, documents, name)
        raise not_found()

    def _one(self, call: Call, documents: dict[str, dict[str, t.Any]], name: str) -> Reply:
        there = documents.get(name)
        if call.method == "GET":
            if there is None:
                raise not_found(f"Object {name} not found")
            return Reply(copy.deepcopy(there), headers={"ETag": f'"{there["_rev"]}"'})
        expected = call.expected_rev()
        if call.method == "PUT":
            create = call.headers.get("If-None-Match") == "*" and not self._world.switches.deaf
            if create and there is not None:
                raise CrestError(412, f"Entry Already Exists: The entry '{name}' cannot be added")
            if expected is not None and (there is None or there["_rev"] != expected):
                raise CrestError(404 if there is None else 412, "Object revision is different than expected by caller")
            documents[name] = {**self._world.revised(call.body), "_id": name}
            return Reply(copy.deepcopy(documents[name]), 200 if there else 201)
        if call.method == "DELETE":
            if there is None:
                raise not_found(f"Object {name} not found")
            if expected is None:
                # the fork's rule (seen, liveSync); on 7.x and 8.x open
                raise CrestError(409, "Object passed into delete does not have revision it expects set.")
            if there["_rev"] != expected:
                raise CrestError(412, "Object revision is different than expected by caller")
            return Reply(documents.pop(name))
        raise CrestError(501, "Patch not supported yet")


def audit(world: World, call: Call, topic: str) -> Reply:
    """Answer a query of audit entries; on the cloud they are on stdout and cannot be read (ping 1.10)."""
    if not world.mode.audit_queries:
        raise CrestError(501, "Query not supported on stdout")
    name, unused, entry = topic.partition("/")
    if name not in world.audit:
        raise not_found()
    if not entry:
        if world.switches.unordered:
            asked = {key: value for key, value in call.params.items() if key not in ("_sortKeys", "_pageSize")}
            call = dataclasses.replace(call, params=asked)
        return listing(call, world.audit[name])
    for found in world.audit[name]:
        if found["_id"] == entry:
            return Reply(found)
    raise not_found()


class Queue:
    """sync/queue: what waits for mappings with queuedSync (live 6)."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, call: Call, name: str) -> Reply:
        """Answer sync/queue and sync/queue/<id>."""
        if call.method == "POST":
            raise CrestError(501, "Not Implemented")  # there is no action at all
        self._work()
        waiting = self._world.queue
        if not name:
            if "_countOnly" in call.params:
                raise CrestError(400, "_countOnly is not supported in protocol version 2.1")
            page = listing(call, list(waiting.values()), policy="EXACT").body
            # counts are wrong with "pr": the whole collection's
            total = len(waiting) if " pr" in call.params["_queryFilter"] else page["totalPagedResults"]
            return Reply({**page, "totalPagedResultsPolicy": "ESTIMATE", "totalPagedResults": total})
        if name not in waiting:
            raise not_found()
        return Reply(waiting.pop(name) if call.method == "DELETE" else waiting[name])

    def _work(self) -> None:
        """Let go what has waited long enough; of a mapping whose queue is off, or that is gone, nothing moves."""
        at_work = {item["name"] for item in self._world.mappings() if is_queued(item)}
        until = self._world.clock.now() - self._world.switches.queue_seconds
        for name, event in list(self._world.queue.items()):
            if event["mapping"] in at_work and event["createDate"] <= nanoseconds(self._world, until):
                del self._world.queue[name]


#: The rule by which IDM takes a token's subject for an account (live 1, ping 4.2).
_LOGINS = {
    "anonymous": ("internal/user", ["openidm-reg"]),
    "aic": ("managed/svcacct", ["openidm-svcacct", "openidm-authorized"]),
}


def info(world: World, name: str, account: str) -> Reply:
    """Answer info/*, which is open to everybody (live 1). Only the fork's shapes of ping and version are known (seen,
    scheduler; source 6)."""
    if name == "ping":
        if world.switches.ping_status:
            raise CrestError(world.switches.ping_status, "Not available")
        return Reply({"_id": "", "state": "ACTIVE_READY", "shortDesc": "OpenIDM ready"})
    if name == "version":
        return Reply({"_id": "version", "productVersion": world.mode.version, "productRevision": "2f8e14d"})
    if name == "login":
        kind = account if account == "anonymous" else world.mode.name
        component, roles = _LOGINS.get(kind, ("internal/user", ["openidm-authorized", "openidm-admin"]))
        authorization = {"id": account, "component": component, "roles": [f"internal/role/{role}" for role in roles]}
        return Reply({"_id": "login", "authenticationId": account, "authorization": authorization})
    raise not_found()


def cluster(world: World) -> Reply:
    """Answer GET cluster; startup is another after a restart (seen, second round)."""
    node = {"instanceId": "node1", "startup": world.started, "shutdown": "", "state": "running"}
    return Reply({"results": [node]})

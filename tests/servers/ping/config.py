# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""config/*, sync/mappings: documents as they were written (recorded 4 to 6)."""

from __future__ import annotations

import copy
import hashlib
import typing as t

from .crest import Call, CrestError, Reply, listing, not_found
from .world import World

#: For how many of the server's seconds a read may still show what a config document was ("a later GET shows the OLD
#: document", recorded 4).
_STALE_SECONDS = 3.0


def _encrypted(secret: str) -> dict[str, t.Any]:
    """Return what a secret becomes on reading (recorded 4, shortened); another one looks otherwise."""
    data = hashlib.sha256(secret.encode()).hexdigest()[:16]
    value = {"cipher": "AES/CBC/PKCS5Padding", "data": data, "iv": "aXY", "stableId": "openidm-sym-default"}
    return {"$crypto": {"type": "x-simple-encryption", "value": value}}


class Config:
    """The configuration store.

    :param changed: called with the id of each document that was written or removed.
    """

    def __init__(self, world: World, changed: t.Callable[[str], None]) -> None:
        self._world = world
        self._changed = changed

    def handle(self, call: Call, name: str) -> Reply:
        """Answer config or config/<id>."""
        documents = self._world.config
        if not name:
            if call.method != "GET":
                raise CrestError(501, "Not Implemented")
            if "_queryFilter" in call.params:
                return listing(call, (self._shown(key) for key in sorted(documents)), policy="EXACT")
            return Reply({"_id": "", "configurations": [{"_id": key} for key in sorted(documents)]})
        if call.method == "GET":
            return Reply(self._read(name))
        session = self._world.switches.controlled
        kind = call.headers.get("X-Configuration-Type", "")
        if self._world.switches.immutable or (session and (session, kind.lower()) != ("open", "mutable")):
            # that it is a 403 is seen (live 2), its body is not: open. The form is that of the authorisation layer
            # (recorded 3). What reads show before the session is applied is open too: here, what was written.
            raise CrestError(403, "Access denied")
        if self._world.switches.no_metadata and name.startswith("provisioner.openicf/"):
            # seen for a new connector; of one that exists it is said that no server is needed: open (live 3)
            raise CrestError(
                500,
                f"No meta-data provider available yet to create and encrypt configuration for {name}, retry later.",
            )
        if call.method == "PUT":
            return self._write(name, call.body)
        if call.method == "DELETE":
            removed = self._read(name)
            del documents[name]
            self._changed(name)
            return Reply(removed)  # 200 and the deleted document
        raise CrestError(501, "Not Implemented")

    def _shown(self, name: str) -> dict[str, t.Any]:
        """Return a document as a read shows it: keys sorted, no _rev."""
        document = copy.deepcopy(self._world.config[name])
        properties = document.get("configurationProperties")
        if isinstance(properties, dict) and isinstance(properties.get("credentials"), str):
            properties["credentials"] = _encrypted(properties["credentials"])
        return dict(sorted({**document, "_id": name}.items()))

    def _read(self, name: str) -> dict[str, t.Any]:
        until, old = self._world.stale.get(name, (0.0, None))
        if self._world.clock.now() < until:
            if old is None:
                raise not_found()
            return old
        if name not in self._world.config:
            raise not_found()  # not "No configuration exists for id": that is the fork's (recorded 3)
        return self._shown(name)

    def _write(self, name: str, body: t.Any) -> Reply:
        """Store it; the answer is an echo of the body and proves nothing (recorded 4)."""
        if not isinstance(body, dict):
            raise CrestError(400, "The request has no JSON content.")
        there = name in self._world.config
        if any(fault.kind == "stale" and fault.strikes("PUT", name) for fault in self._world.faults):
            old = self._shown(name) if there else None
            self._world.stale[name] = (self._world.clock.now() + _STALE_SECONDS, old)
        if any(fault.kind == "lost" and fault.strikes("PUT", name) for fault in self._world.faults):
            return Reply({**body, "_id": name}, 200 if there else 201)  # acknowledged and gone (recorded 13, Q14)
        self._world.config[name] = {key: copy.deepcopy(value) for key, value in body.items() if key != "_id"}
        self._changed(name)
        # the type stands in it twice: ignore it (recorded 4)
        headers = {} if there else {"Location": f"/openidm/config/{name.split('/')[0]}/{name}"}
        return Reply({**body, "_id": name}, 200 if there else 201, headers)

    def mappings(self, call: Call, name: str) -> Reply:
        """Answer sync/mappings, all that are configured, in order (ping 3.4)."""
        if call.method != "GET":
            raise CrestError(501, "Not Implemented")
        documents = [{"_id": item["name"], **item} for item in self._world.mappings()]
        if not name:
            return listing(call, documents)
        for document in documents:
            if document["name"] == name:
                return Reply(document)
        raise not_found()

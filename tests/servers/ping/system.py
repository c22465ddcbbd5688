# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""system/*: connectors, their tests, and liveSync (ping 1, recorded 7 and 10, source 1)."""

from __future__ import annotations

import typing as t

from .crest import Call, CrestError, Reply, listing, not_found
from .mapping import RecordRefused, apply
from .world import World

_CONFIG = "provisioner.openicf/"
_UNREADABLE = (
    "Failed to get OperationOptionsBuilder: Unable to locate the DS replication change log suffix. Please make sure"
    " it's enabled, and changelog-read access is granted."  # ping 1.5
)
_DOWN = (
    "Failed to get OperationOptionsBuilder: javax.naming.CommunicationException: ds.example.com:1636 [Root exception is"
    " java.net.ConnectException: Connection refused]"  # seen, silent states
)
_INTERIM = "Interim message missed"  # after a remote connector server was killed (recorded 3)


class System:
    """The connectors of one server."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, call: Call, rest: str) -> Reply:
        """Answer system, system/<name> and system/<name>/<type>."""
        if call.method == "GET" and rest.count("/") == 1:
            return self._listed(call, *rest.split("/"))
        if call.method != "POST":
            raise CrestError(501, "Read are not supported for resource instances")  # source 5.2
        if not rest:
            return self._all(call)
        name, unused, object_type = rest.partition("/")
        config = self._connector(name)
        if not object_type:
            if call.action != "test":
                raise CrestError(400, "Expecting String containing one of: script test livesync")
            return Reply(self._status(name))
        if object_type not in config.get("objectTypes", {}):
            raise not_found(f"Not found: {object_type}")  # seen, liveSync
        if call.action not in ("livesync", "activesync"):
            raise CrestError(400, "Expecting String containing one of: authenticate resolveUsername liveSync")
        return self.livesync(name, object_type, detailed=call.params.get("detailedFailure") == "true")

    def _listed(self, call: Call, name: str, object_type: str) -> Reply:
        """Answer a query of entries: no totals, whatever was asked for (recorded 7)."""
        if object_type not in self._connector(name).get("objectTypes", {}):
            raise not_found(f"Not found: {object_type}")
        if not self._world.switches.connector_up:
            # the words of another operation on a directory that is away (live 3); of a query they are open
            raise CrestError(503, "The required service is not available")
        return listing(call, list(self._world.directory.people.values()))

    def _all(self, call: Call) -> Reply:
        """Answer an action on all connectors."""
        if call.action == "test":
            names = sorted(key[len(_CONFIG) :] for key in self._world.config if key.startswith(_CONFIG))
            return Reply([self._status(name) for name in names])
        if call.action == "testconfig":  # any password is taken (source 5.2)
            if not isinstance(call.body, dict) or "id" in call.body or not call.body.get("name"):
                raise CrestError(400, "Invalid configuration to test: no 'name' specified")
            return Reply({"name": call.body["name"], "ok": self._world.switches.connector_up})
        if call.action == "testconnectorservers":
            info = self._world.config.get("provisioner.openicf.connectorinfoprovider", {})
            remote = [
                {"name": item["name"], "type": "remoteConnectorClient", "ok": self._world.switches.connector_up}
                for item in info.get("remoteConnectorClients", [])
            ]
            return Reply({"openicf": remote})
        if call.action in ("livesync", "activesync"):
            parts = call.params.get("source", "").split("/")
            if len(parts) != 3:
                raise CrestError(400, "liveSync action requires either an explicit source parameter")  # ping 1.1
            if f"{_CONFIG}{parts[1]}" not in self._world.config:
                raise CrestError(500, f"System: {'/'.join(parts)} is not available.")  # source 1.5
            return self.livesync(parts[1], parts[2], detailed=call.params.get("detailedFailure") == "true")
        raise CrestError(400, f"Unknown action: {call.params.get('_action')}")

    def _connector(self, name: str) -> dict[str, t.Any]:
        config = self._world.config.get(f"{_CONFIG}{name}")
        if config is None or config.get("enabled") is False:
            raise not_found(f"Resource 'system/{name}' not found")
        return config

    def _status(self, name: str) -> dict[str, t.Any]:
        """Return one item of a test (recorded 7); a test wakes a remote server that has just started."""
        config = self._world.config.get(f"{_CONFIG}{name}")
        if config is None:
            raise not_found(f"Resource 'system/{name}' not found")
        enabled = config.get("enabled", True)
        works = bool(enabled) and self._world.switches.connector_up
        if works:
            self._world.switches.fresh_remote = False
        status = {
            "name": name,
            "enabled": enabled,
            "config": f"config/{_CONFIG}{name}",
            "connectorRef": {
                **config.get("connectorRef", {}),
                "bundleVersion": "1.5.20.15",  # the resolved one; the configuration holds a range
            },
            "displayName": "LDAP Connector",
            "objectTypes": [*config.get("objectTypes", {}), "__ALL__"] if enabled else ["__ALL__"],
        }
        return {**status, "ok": True} if works else {**status, "error": "connector not available", "ok": False}

    def livesync(self, name: str, object_type: str, *, detailed: bool) -> Reply:
        """Run liveSync once; it blocks until the end (ping 1.1)."""
        world = self._world
        config = self._connector(name)
        stage_id = f"system{name}{object_type}".upper()
        for fault in world.faults:
            if fault.kind == "interim" and fault.strikes("POST", f"system/{name}/{object_type}"):
                raise CrestError(500, _INTERIM)
        with world.lock:
            before = world.stages.get(stage_id)
        if world.switches.dormant:
            # 200 and nothing moves; without a token an empty body (seen, silent states)
            return Reply(self._stored(stage_id, dict(before)) if before else None)
        if not world.switches.connector_up or world.switches.fresh_remote:
            raise CrestError(
                500,
                _DOWN
                if not world.switches.fresh_remote
                else "Failed to get OperationOptionsBuilder: "
                "org.identityconnectors.framework.common.exceptions.ConnectorException",
            )
        if not world.switches.readable:
            raise CrestError(500, _UNREADABLE)
        if before is None:
            # nothing but a base point; some answers have no _id and no _rev (ping 1.2, 1.4)
            token = world.directory.last
            stored = self._stored(stage_id, self._stage(token))
            return Reply({"connectorData": stored["connectorData"]})
        return Reply(self._answer(self._run(config, name, object_type, stage_id, before), before, detailed))

    def _run(
        self,
        config: t.Mapping[str, t.Any],
        name: str,
        object_type: str,
        stage_id: str,
        before: t.Mapping[str, t.Any],
    ) -> dict[str, t.Any]:
        world = self._world
        token = int(before["connectorData"]["syncToken"])
        failure: dict[str, str] | None = None
        number = token
        for number, uid in [change for change in world.directory.changes if change[0] > token]:
            world.clock.sleep(world.switches.record_seconds)
            try:
                with world.lock:
                    self._notify(f"system/{name}/{object_type}", uid)
            except RecordRefused as exc:
                failure = self._failure(config, name, number, uid, str(exc))
                if failure:
                    break
            token = number
        stage = self._stage(token)
        if failure:
            stage["lastException"] = failure
        with world.lock:
            if world.stages.get(stage_id, {}).get("_rev") != before.get("_rev"):
                # two runs at once: the later one loses (source 1.5; there is no lock, recorded 10)
                raise CrestError(500, "Update rejected as current Object revision is different than expected by caller")
            return self._stored(stage_id, stage)

    def _notify(self, source: str, uid: str) -> None:
        """Bring one change to every mapping of the source; one with enableSync false drops it (seen, silent states)."""
        for mapping in self._world.mappings():
            if mapping["source"] == source and mapping.get("enableSync", True) is not False:
                try:
                    situation, action = apply(self._world, mapping, uid)
                except RecordRefused as exc:
                    self._log(mapping, uid, "FAILURE", "ABSENT", "CREATE", str(exc))
                    raise
                self._log(mapping, uid, "SUCCESS", situation, action, None)

    def _log(
        self, mapping: t.Mapping[str, t.Any], uid: str, status: str, situation: str, action: str, text: str | None
    ) -> None:
        self._world.log(
            "sync",
            mapping=mapping["name"],
            sourceObjectId=f"{mapping['source']}/{self._world.directory.id_of(uid)}",
            status=status,
            situation=situation,
            action=action,
            exception=text,
        )

    def _failure(
        self, config: t.Mapping[str, t.Any], name: str, number: int, uid: str, cause: str
    ) -> dict[str, str] | None:
        """Return what blocks the run, None where the failure policy lets it pass (ping 1.3 and 1.7, source 1.4)."""
        handler = config.get("syncFailureHandler") or {}
        allowed = handler.get("maxRetries", -1)
        known = self._world.directory.id_of(uid)
        said = f"Failed to synchronize {known} object on {name}"
        delta = f"<SyncDelta><Uid>{known}</Uid><SyncToken>{number}</SyncToken></SyncDelta>"
        if allowed < 0:
            return {"throwable": f"{said}: {cause}", "syncDelta": delta}
        last, tries = self._world.retries.get(name, (None, 0))
        tries = tries if last == number else 0
        if tries < allowed:
            self._world.retries[name] = (number, tries + 1)
            return {"throwable": f"{said}, retries ({tries}) not exhausted.", "syncDelta": delta}
        self._world.retries.pop(name, None)
        if handler.get("postRetryAction") == "dead-letter-queue":
            self._world.dead_letters[str(number)] = {
                "_id": str(number),
                "token": number,
                "systemIdentifier": name,
                "objectType": "account",
                "uid": uid,
                "failedRecord": delta,
                "failureCause": cause,
            }
        return None

    def _stage(self, token: int) -> dict[str, t.Any]:
        native = self._world.mode.native_type
        return {"connectorData": {"nativeType": native, "syncToken": str(token) if native == "string" else token}}

    def _stored(self, stage_id: str, stage: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Write the stage; each run that ends in 200 does, also one that moved nothing (seen, liveSync)."""
        self._world.stages[stage_id] = {**self._world.revised(stage), "_id": stage_id}
        return self._world.stages[stage_id]

    def _answer(self, stage: t.Mapping[str, t.Any], before: t.Mapping[str, t.Any], detailed: bool) -> dict[str, t.Any]:
        """Return what the caller sees: the _rev from before the run, the record only where it was asked for."""
        shown = {**stage, "_rev": before["_rev"]}
        if "lastException" in shown and not detailed:
            shown["lastException"] = {"throwable": shown["lastException"]["throwable"]}
        return shown

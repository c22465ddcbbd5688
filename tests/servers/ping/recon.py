# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""recon/*: start, follow, cancel (ping 3, recorded 8)."""

from __future__ import annotations

import threading
import typing as t
import uuid
from dataclasses import dataclass, field

from .crest import Call, CrestError, Reply, listing, not_found, parse_filter
from .mapping import RecordRefused, actions, apply, links_of
from .world import World

_SITUATIONS = (
    "SOURCE_IGNORED TARGET_CHANGED SOURCE_TARGET_CONFLICT FOUND_ALREADY_LINKED UNQUALIFIED ABSENT TARGET_IGNORED"
    " MISSING ALL_GONE UNASSIGNED AMBIGUOUS CONFIRMED LINK_ONLY SOURCE_MISSING FOUND"
).split()
_ENDS = {"SUCCESS": "COMPLETED_SUCCESS", "FAILED": "COMPLETED_FAILED", "CANCELED": "COMPLETED_CANCELED"}


@dataclass
class Run:
    """One reconciliation."""

    id: str
    mapping: t.Mapping[str, t.Any]
    started: float
    uids: list[str]
    by_id: bool
    allow_empty: bool
    keeps: bool
    query: t.Mapping[str, t.Any]
    target_phase: bool
    asked: str = ""
    state: str = "ACTIVE"
    stage: str = "ACTIVE_INITIALIZED"
    ended: float | None = None
    total: str = "?"
    processed: int = 0
    target: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "unchanged", "updated", "deleted"), 0)
    )
    situations: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SITUATIONS, 0))
    failures: int = 0
    successes: int = 0
    cancelled: bool = False
    error: str = ""

    def end(self, state: str, now: float) -> None:
        """Come to an end."""
        self.state, self.stage, self.ended = state, _ENDS[state], now


def _overridden(call: Call) -> dict[str, t.Any]:
    """Return what the body of a start says in the mapping's place for this run (ping 3.1, recorded 8)."""
    return dict(call.body or {})


class Recon:
    """All reconciliations of one server; any node shows and cancels any run (ping 3.3)."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, call: Call, run_id: str) -> Reply:
        """Answer recon and recon/<id>."""
        if not run_id:
            if call.method == "GET":
                return Reply(
                    {"_id": "recon", "reconciliations": [self._summary(run) for run in self._world.recons.values()]}
                )
            if call.method == "POST" and call.action in ("recon", "reconbyid"):
                return self._start(call)
            raise CrestError(400, f"Unknown action {call.params.get('_action')}")
        if run_id.startswith("assoc/"):
            return self._associations(call, *run_id.split("/")[1:])
        run = self._world.recons.get(run_id)
        if run is None:
            raise not_found(f"Reconciliation with id {run_id} not found.")
        if call.method == "POST" and call.action == "cancel":
            run.cancelled = True
            return Reply({"_id": run_id, "action": "cancel", "status": "INITIATED"})  # ping 3.1
        if call.method == "DELETE":
            del self._world.recons[run_id]
        return Reply(self._summary(run))

    def _start(self, call: Call) -> Reply:
        name = call.params.get("mapping")
        if not name:
            raise CrestError(400, "Action requires mapping")
        mapping = next((item for item in self._world.mappings() if item["name"] == name), None)
        if mapping is None:
            raise CrestError(409, f"No such mapping: {name}")  # seen, initial load
        wait = call.params.get("waitForCompletion") == "true"
        if wait and mapping.get("clusteredSourceReconEnabled"):
            # "will result in an error" (ping 3.3); which one is open
            raise CrestError(400, "waitForCompletion cannot be used with a clustered reconciliation")
        if any(run.state == "ACTIVE" and run.mapping["name"] == name for run in self._world.recons.values()):
            # "you cannot launch multiple reconciliations for a single mapping" (ping 3.3); which error is open
            raise CrestError(409, f"Reconciliation of mapping {name} is already in progress")
        run = Run(
            id=f"{uuid.uuid4()}-{len(self._world.recons) + 100}",
            mapping=mapping,
            started=self._world.clock.now(),
            uids=self._uids(call),
            by_id=call.action == "reconbyid",
            asked=call.params.get("id") or call.params.get("ids") or "",
            keeps=call.params.get("persistAssociations") == "true",
            query=_overridden(call).get("sourceQuery", {}),
            target_phase=bool(_overridden(call).get("runTargetPhase", mapping.get("runTargetPhase", True))),
            allow_empty=bool((call.body or {}).get("allowEmptySourceSet", mapping.get("allowEmptySourceSet", False))),
        )
        self._world.recons[run.id] = run
        worker = threading.Thread(target=self._work, args=(run,), daemon=True)
        worker.start()
        if wait:
            worker.join()
            if run.error:
                # the record's error is the answer, and no id is in it (live 4)
                raise CrestError(409, f"Unexpected Exception caught during SourceRecon: {run.error}")
        return Reply({"_id": run.id, "state": run.state})

    def _associations(self, call: Call, run_id: str, part: str = "") -> Reply:
        """Answer recon/assoc/<id>/entry: what a run with persistAssociations=true has kept (ping 3.1, live 4).

        :raises CrestError: for any other run: what is answered then is not recorded, so it is open.
        """
        kept = self._world.associations.get(run_id)
        if kept is None or part != "entry":
            raise not_found()
        page = listing(call, kept).body
        return Reply({**page, "pagedResultsCookie": None})

    def _uids(self, call: Call) -> list[str]:
        """Return whom to reconcile: by id (documents: id; in the wild: ids, ping 3.1), or everybody."""
        if call.action != "reconbyid":
            stated = _overridden(call).get("sourceQuery", {}).get("_queryFilter", "true")
            accepts = parse_filter(stated)
            return sorted(uid for uid, person in self._world.directory.people.items() if accepts(person))
        text = call.params.get("id") or call.params.get("ids")
        if not text:
            raise CrestError(400, "Action reconById requires an id")
        return [text.split(",")[0].partition("=")[2] or text]

    def _work(self, run: Run) -> None:
        world, clock = self._world, self._world.clock
        clustered = bool(run.mapping.get("clusteredSourceReconEnabled"))
        if run.keeps:
            world.associations[run.id] = []
        if "ASYNC" in actions(run.mapping).values() or (not run.uids and not run.allow_empty):
            # at set-up, with nothing processed (ping 3.5); a total of "0" may be either (live 4; which one ASYNC
            # shows is open)
            run.total = "0"
            run.end("FAILED", clock.now())
            return
        if not world.switches.connector_up:
            run.end("FAILED", clock.now())
            return
        run.stage = "ACTIVE_RECONCILING_SOURCE_PAGE" if clustered else "ACTIVE_RECONCILING_SOURCE"
        run.total = "?" if clustered else str(len(run.uids))
        for uid in run.uids:
            if run.cancelled:
                run.end("CANCELED", clock.now())
                return
            clock.sleep(world.switches.record_seconds)
            self._one(run, uid)
        if not run.by_id and run.target_phase:
            run.stage = "ACTIVE_RECONCILING_TARGET_PAGE" if clustered else "ACTIVE_RECONCILING_TARGET"
            for source_id in list(links_of(world, run.mapping)):
                uid = source_id.split(",")[0].partition("=")[2]
                if uid not in world.directory.people or source_id != world.directory.id_of(uid):
                    self._one(run, uid, source_id, counted=False)
        # a run of one record fails with it (seen on the fork; open here)
        run.end("FAILED" if run.by_id and run.failures else "SUCCESS", clock.now())
        world.log("recon", entryType="summary", reconId=run.id, mapping=run.mapping["name"], status="SUCCESS")

    def _one(self, run: Run, uid: str, source_id: str | None = None, *, counted: bool = True) -> None:
        source_id = source_id or self._world.directory.id_of(uid)
        with self._world.lock:
            try:
                situation, action = apply(self._world, run.mapping, uid, source_id)
                if action == "EXCEPTION":  # counts as a failure (live 4)
                    raise RecordRefused("Situation marked as EXCEPTION")
            except RecordRefused as exc:
                marked = "marked as" in str(exc)
                situation, action = (situation, action) if marked else ("ABSENT", "CREATE")
                self._failed(run, source_id, situation, action, str(exc))
            else:
                run.successes += 1
                run.situations[situation] += 1
                done = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted"}.get(action)
                if done:
                    run.target[done] += 1
            if counted:
                run.processed += 1

    def _failed(self, run: Run, source_id: str, situation: str, action: str, text: str) -> None:
        run.failures += 1
        run.situations[situation] += 1
        run.error = text if run.by_id else ""
        entry = {"reconId": run.id, "status": "FAILURE", "situation": situation, "action": action}
        exception = f"org.forgerock.json.resource.ForbiddenException: {text}\n\tat x.y.z"
        self._world.log(
            "recon",
            entryType="entry",
            mapping=run.mapping["name"],
            sourceObjectId=f"{run.mapping['source']}/{source_id}",
            exception=exception,
            **entry,
        )
        if run.keeps:
            # the properties of fr-idm-reconassocentry (PingDS schema reference); whether an id stands there with its
            # collection before it is open
            kept = self._world.associations[run.id]
            kept.append(
                {
                    "_id": f"{run.id}-{len(kept)}",
                    "sourceObjectId": source_id,
                    "targetObjectId": None,
                    "linkQualifier": "default",
                    "phase": "sourcePhase",
                    "message": text,
                    "messageDetail": None,
                    "exception": exception,
                    **entry,
                }
            )

    def _summary(self, run: Run) -> dict[str, t.Any]:
        """Return all keys of the current client type (recorded 8)."""
        now = self._world.clock.now()
        users = str(len(self._world.users)) if run.state == "SUCCESS" else "?"
        return {
            "_id": run.id,
            "mapping": run.mapping["name"],
            "state": run.state,
            "stage": run.stage,
            "stageDescription": {"SUCCESS": "reconciliation completed.", "FAILED": "reconciliation failed"}.get(
                run.state, run.stage.lower()
            ),
            "progress": {
                "source": {"existing": {"processed": run.processed, "total": run.total}},
                "target": {"existing": {"processed": 0, "total": users}, **run.target, "retried": 0},
                "links": {"existing": {"processed": 0, "total": "?"}, "created": run.target["created"]},
            },
            "situationSummary": dict(run.situations),
            "statusSummary": {"SUCCESS": run.successes, "FAILURE": run.failures},
            "durationSummary": {"sourceQuery": {"min": 5, "max": 5, "mean": 5, "count": 1, "sum": 5, "stdDev": 0}},
            "parameters": {
                "sourceIds": [run.asked] if run.by_id else None,
                "sourceQuery": {
                    "resourceName": run.mapping["source"],
                    "_queryFilter": "true",
                    "_fields": "_id",
                    **run.query,
                },
                "targetQuery": {"resourceName": run.mapping["target"], "queryFilter": "true", "_fields": "_id"},
            },
            "started": self._world.clock.stamp(run.started),
            "ended": self._world.clock.stamp(run.ended) if run.ended else "",
            "duration": int(1000 * ((run.ended or now) - run.started)),  # grows while it is active
            "sourceProcessedByNode": {"node1": run.processed} if run.mapping.get("clusteredSourceReconEnabled") else {},
        }

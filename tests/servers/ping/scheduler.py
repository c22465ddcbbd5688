# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""scheduler/job, with its actions, and config/schedule; jobs run (ping 2, recorded 5 and 9)."""

from __future__ import annotations

import copy
import threading
import typing as t
import uuid
from datetime import datetime, timezone

from .crest import Call, CrestError, Reply, listing, not_found
from .cron import Cron
from .world import World

#: Per job, in API version 2.0 only; with 1.0 it is 501 (recorded 9).
_JOB_ACTIONS = ("trigger", "pause", "resume")
_ALL_ACTIONS = (
    "create, listCurrentlyExecutingJobs, pauseJobs, resumeJobs, validateQuartzCronExpression, pause, resume, trigger"
)
#: What a job has when it is read, with the defaults (ping 2.2 and 2.4). Anything else that is sent is dropped.
_KEYS: dict[str, t.Any] = {
    "enabled": True,
    "persisted": True,
    "recoverable": False,
    "misfirePolicy": "fireAndProceed",
    "schedule": None,
    "repeatInterval": 0,
    "repeatCount": -1,
    "type": "cron",
    "invokeService": None,
    "invokeContext": None,
    "invokeLogLevel": "info",
    "startTime": None,
    "endTime": None,
    "concurrentExecution": False,
}
_KNOWN_CONTEXT = {"action", "source", "mapping", "script", "task", "detailedFailure"}
_TICK_SECONDS = 0.05


class Scheduler:
    """All jobs of one server, and the thread that fires them.

    :param livesync: runs liveSync for a system and an object type.
    """

    def __init__(self, world: World, livesync: t.Callable[[str, str], None]) -> None:
        self._world = world
        self._livesync = livesync
        self._due: dict[str, float | None] = {}
        self._previous: dict[str, float] = {}
        self._paused: set[str] = set()
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Fire no more."""
        self._ended.set()

    def handle(self, call: Call, rest: str) -> Reply:
        """Answer scheduler, scheduler/job and scheduler/job/<id>."""
        kind, unused, name = rest.partition("/")
        if call.action == "validatequartzcronexpression":
            try:
                Cron(str((call.body or {}).get("cronExpression", "")))
            except ValueError:
                return Reply({"valid": False})
            return Reply({"valid": True})
        if kind != "job":
            raise not_found()
        with self._world.lock:
            return self._job(call, name) if name else self._jobs(call)

    def _jobs(self, call: Call) -> Reply:
        if call.method == "GET":
            return listing(call, [self._shown(name) for name in sorted(self._world.jobs)])
        if self._world.switches.strict_versions and call.version("2.0") == "1.0":
            raise CrestError(501, "Not Implemented")
        if call.action == "create":
            return self._put(str(uuid.uuid4()), call.body)
        if call.action == "listcurrentlyexecutingjobs":
            # of the node that answers, without _id (source 4.4)
            running = [self._shown(name) for name, count in self._world.executing.items() if count]
            return Reply([{key: value for key, value in job.items() if key != "_id"} for job in running])
        if call.action in ("pausejobs", "resumejobs"):
            self._paused = set(self._world.jobs) if call.action == "pausejobs" else set()
            return Reply({"success": True})
        raise CrestError(400, f"Expecting String containing one of: {_ALL_ACTIONS}")

    def _job(self, call: Call, name: str) -> Reply:
        if call.method == "PUT":
            return self._put(name, call.body)
        if name not in self._world.jobs:
            raise not_found("Schedule does not exist")
        if call.method == "GET":
            return Reply(self._shown(name))
        if call.method == "DELETE":
            removed = self._shown(name)
            self.forget(name)
            return Reply(removed)
        if call.action not in _JOB_ACTIONS:
            raise CrestError(400, f"Expecting String containing one of: {_ALL_ACTIONS}")
        if call.version("2.0") == "1.0":  # without the header it is 2.0 (ping 2.1)
            raise CrestError(501, "Not Implemented")
        if call.action == "trigger":  # works on disabled jobs too, and returns at once (recorded 9, 13)
            threading.Thread(target=self._fire, args=(name,), daemon=True).start()
        elif call.action == "pause":
            self._paused.add(name)
        else:
            self._paused.discard(name)
        return Reply({"success": True})

    def _put(self, name: str, body: t.Any) -> Reply:
        """Create or replace; either makes a new trigger (ping 2.4)."""
        there = name in self._world.jobs
        self.store(name, body)
        return Reply(self._shown(name), 200 if there else 201)

    def store(self, name: str, body: t.Any) -> None:
        """Keep a job as it is read back, and plan when it fires.

        :raises CrestError: for a job that cannot be one.
        """
        if not isinstance(body, dict) or not body.get("invokeService"):
            raise CrestError(
                400, "Invalid scheduler configuration, the invokeService property needs to be set but is empty."
            )
        job = {key: copy.deepcopy(body.get(key, default)) for key, default in _KEYS.items()}
        if job["type"] not in ("cron", "simple"):
            raise CrestError(400, f"Specified type value invalid: {job['type']}")
        if job["type"] == "cron":
            if not job["schedule"]:
                raise CrestError(400, "A schedule of type cron must provide a cron schedule")
            try:
                Cron(job["schedule"])
            except ValueError as exc:
                raise CrestError(500, str(exc)) from exc  # seen, scheduler
            job["repeatInterval"] = job["repeatCount"] = 0
        else:
            job["schedule"] = None
            job["repeatInterval"] = job["repeatInterval"] or 0
            job["repeatCount"] = -1 if job["repeatCount"] is None else job["repeatCount"]
        if "." not in job["invokeService"]:
            job["invokeService"] = f"org.forgerock.openidm.{job['invokeService']}"
        if self._world.switches.drop_context_keys and isinstance(job["invokeContext"], dict):
            job["invokeContext"] = {key: value for key, value in job["invokeContext"].items() if key in _KNOWN_CONTEXT}
        self._world.jobs[name] = job
        self._paused.discard(name)
        now = self._world.clock.now()
        start = max(now, _seconds(job["startTime"]) or now)
        first = self._after(job, start)
        self._due[name] = start if job["type"] == "simple" and job["enabled"] is True else first

    def forget(self, name: str) -> None:
        """Remove a job."""
        self._world.jobs.pop(name, None)
        self._due.pop(name, None)

    def config_changed(self, name: str) -> None:
        """Follow config/schedule/<name>: its document becomes the job of that name (source 4.6)."""
        if not name.startswith("schedule/"):
            return
        job = name.split("/", 1)[1]
        document = self._world.config.get(name)
        with self._world.lock:
            if document is None:
                self.forget(job)
                return
            resolved = {key: _resolved(value) for key, value in document.items()}
            try:
                self.store(job, resolved)
            except CrestError:
                self.forget(job)  # an invalid one is stored and never becomes a job (source 4.6)

    def _after(self, job: t.Mapping[str, t.Any], now: float) -> float | None:
        if job["enabled"] is not True:
            return None
        if job["type"] == "simple":
            due: float | None = now + job["repeatInterval"] / 1000 if job["repeatInterval"] else None
        else:
            due = Cron(job["schedule"]).after(now)
        end = _seconds(job["endTime"])
        return due if due is None or end is None or due <= end else None

    def _shown(self, name: str) -> dict[str, t.Any]:
        """Return a job as it is read (ping 2.4): with triggers and run dates; disabled: none. No _rev."""
        job, due, clock = self._world.jobs[name], self._due.get(name), self._world.clock
        running = bool(self._world.executing[name])
        triggers = []
        if due is not None or running:
            triggers.append(
                {
                    "name": f"trigger-{name}",
                    "group": "scheduler-service-group",
                    "nodeId": "node1" if running else None,
                    # 4 while it runs, 1 paused, 0 else (seen, scheduler, on the fork; open here)
                    "state": 4 if running else 1 if name in self._paused else 0,
                    "_rev": self._world.revisions.next(),
                }
            )
        previous = self._previous.get(name)
        return {
            "_id": name,
            **copy.deepcopy(job),
            "triggers": triggers,
            "previousRunDate": clock.stamp(previous) if previous and triggers else None,
            "nextRunDate": clock.stamp(due) if due is not None else None,
        }

    def _watch(self) -> None:
        while not self._ended.wait(_TICK_SECONDS):
            now = self._world.clock.now()
            with self._world.lock:
                due = [name for name, at in self._due.items() if at is not None and at <= now]
                for name in due:
                    self._due[name] = self._after(self._world.jobs[name], now)
                due = [name for name in due if name not in self._paused and not self._world.executing[name]]
            for name in due:
                threading.Thread(target=self._fire, args=(name,), daemon=True).start()

    def _fire(self, name: str) -> None:
        job = self._world.jobs.get(name)
        if job is None:
            return
        self._previous[name] = self._world.clock.now()
        context = job["invokeContext"] or {}
        self._world.executing[name] += 1
        try:
            if str(context.get("action", "")).lower() in ("livesync", "activesync"):
                unused, system, object_type = str(context["source"]).split("/")
                self._livesync(system, object_type)
        except CrestError:
            pass  # a scheduled run that fails is in the log only (source 4.5)
        finally:
            self._world.executing[name] -= 1


def _seconds(text: str | None) -> float | None:
    """Return seconds since 1970; a time without an offset is the server's, UTC here."""
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as exc:
        raise CrestError(500, f"Cannot parse {text}") from exc
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()


def _resolved(value: t.Any) -> t.Any:
    """Return what a placeholder stands for: nobody set a variable here, so its default, else true (recorded 4)."""
    if isinstance(value, dict) and set(value) == {"$bool"}:
        return not str(value["$bool"]).endswith("|false}")
    return value

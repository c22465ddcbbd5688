# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in remembers: people with a change log, users, links, configuration, and what is to go wrong."""

from __future__ import annotations

import collections
import copy
import re
import threading
import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .modes import Mode

if t.TYPE_CHECKING:
    from .crowd import Crowd


class Clock:
    """The server's time. With a speed of 60, 40 minutes of it go by in 40 s.

    :param speed: seconds of the server in one real second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.time()
        self._ahead = 0.0

    def now(self) -> float:
        """Return the server's seconds since 1970."""
        return self._start + self._ahead + (time.time() - self._start) * self.speed

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead += seconds

    def sleep(self, seconds: float) -> None:
        """Let that many of the server's seconds go by."""
        time.sleep(seconds / self.speed)

    def stamp(self, seconds: float | None = None) -> str:
        """Return a time as IDM writes it, as in 2026-11-24T13:00:15.000Z."""
        when = datetime.fromtimestamp(self.now() if seconds is None else seconds, timezone.utc)
        return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


class Revisions:
    """Makes _rev values, in the form of a mode."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._count = 0

    def next(self) -> str:
        """Return another one."""
        self._count += 1
        return self._form.format(self._count)


@dataclass
class Directory:
    """The connected system: people, and a change log with a number for each change."""

    people: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    changes: list[tuple[int, str]] = field(default_factory=list)
    first: int = 1
    last: int = 0
    built: int = 0

    def id_of(self, uid: str) -> str:
        """Return the id by which IDM knows a person; another one once the directory was built anew (live 4)."""
        return f"uid={uid},ou=People" + (f",o={self.built}" if self.built else "") + ",dc=example,dc=com"

    def build_anew(self) -> None:
        """Give everybody another id, as a directory does that is filled again from an export."""
        self.built += 1
        for uid, person in self.people.items():
            person["_id"] = self.id_of(uid)

    def put(self, uid: str, **attributes: t.Any) -> None:
        """Add or change a person."""
        self.people.setdefault(uid, {"_id": self.id_of(uid), "uid": uid}).update(attributes)
        self._changed(uid)

    def remove(self, uid: str) -> None:
        """Delete a person."""
        del self.people[uid]
        self._changed(uid)

    def _changed(self, uid: str) -> None:
        self.last += 1
        self.changes.append((self.last, uid))

    def trim(self) -> None:
        """Forget all changes there have been."""
        self.changes.clear()
        self.first = self.last + 1


@dataclass
class Switches:
    """What is wrong for as long as it is switched on.

    :param connector_up: the directory can be reached.
    :param dormant: the connector was activated while it could not (seen, silent states).
    :param readable: the account may read the change log.
    :param drop_context_keys: unknown keys of a job's invokeContext are not kept (open; issue 6, part 4).
    :param immutable: configuration cannot be written, as on staging and production tenants (ping 2.3).
    :param controlled: configuration can be written in a session alone, "none" or "open", and with the header
        X-Configuration-Type: mutable (live 2); "" is any other tenant.
    :param no_metadata: the remote connector server has not told IDM yet what it offers (live 3).
    :param deaf: a conditional create is carried out without a look at its condition, as a clustered tenant did to some
        of many at once (live 2).
    :param unordered: queries of audit look neither at order nor at page size, and answer all that matches, oldest
        first, as the JSON handler does ("Two IDM nodes and two replicated directories", section 4).
    :param strict_versions: all of the scheduler's actions want version 2.0. That trigger does is seen; of the others
        nobody knows: open (live 7).
    :param unmapped: IDM knows no account for the token's subject (live 1).
    :param ping_status: what info/ping, which is deprecated, answers instead of 200 (live 8; which one is open).
    :param queue_seconds: how long an event of a mapping with queuedSync waits, in the server's seconds.
    :param fresh_remote: a remote connector server that has just started fails all operations until one test
        (recorded 7).
    :param record_seconds: what one record costs, in the server's seconds.
    :param poisoned: uids whose records the target refuses.
    """

    connector_up: bool = True
    dormant: bool = False
    readable: bool = True
    drop_context_keys: bool = False
    immutable: bool = False
    controlled: str = ""
    no_metadata: bool = False
    deaf: bool = False
    unordered: bool = False
    strict_versions: bool = False
    unmapped: bool = False
    ping_status: int = 0
    queue_seconds: float = 0.0
    fresh_remote: bool = False
    record_seconds: float = 0.0
    poisoned: list[str] = field(default_factory=list)


@dataclass
class Fault:
    """Something that goes wrong a number of times.

    :param kind: one of :data:`tests.servers.ping.faults.KINDS`.
    :param method: of the requests it strikes, "" for all.
    :param path: pattern that their path (below the host) must match.
    :param times: how often.
    :param value: what the kind needs: seconds, bytes, a status.
    """

    kind: str
    method: str = ""
    path: str = ".*"
    times: int = 1
    value: t.Any = None

    def strikes(self, method: str, path: str) -> bool:
        """Tell whether it strikes a request, and count that."""
        if self.times < 1 or self.method not in ("", method) or not re.search(self.path, path):
            return False
        self.times -= 1
        return True


class World:
    """Everything that one server knows.

    :param mode: which kind of server.
    :param clock: its time.
    """

    def __init__(self, mode: Mode, clock: Clock) -> None:
        self.mode = mode
        self.clock = clock
        self.lock = threading.RLock()
        self.started = clock.stamp()
        self.revisions = Revisions(mode.rev)
        self.directory = Directory()
        self.crowd: Crowd | None = None
        self.switches = Switches()
        self.faults: list[Fault] = []
        self.config: dict[str, dict[str, t.Any]] = {}
        self.stale: dict[str, tuple[float, dict[str, t.Any] | None]] = {}
        self.stages: dict[str, dict[str, t.Any]] = {}
        self.dead_letters: dict[str, dict[str, t.Any]] = {}
        self.jobs: dict[str, dict[str, t.Any]] = {}
        self.executing: collections.Counter[str] = collections.Counter()
        self.recons: dict[str, t.Any] = {}
        self.users: dict[str, dict[str, t.Any]] = {}
        self.links: dict[str, dict[str, t.Any]] = {}
        self.queue: dict[str, dict[str, t.Any]] = {}
        self.associations: dict[str, list[dict[str, t.Any]]] = {}
        self.retries: dict[str, tuple[t.Any, int]] = {}
        self.audit: dict[str, list[dict[str, t.Any]]] = {"recon": [], "sync": [], "activity": [], "access": []}
        self.requests: list[dict[str, t.Any]] = []
        self.tokens: dict[str, float] = {}
        self.assertions: dict[str, str] = {}
        self.made: list[str] = []
        self.stopped = threading.Event()

    def log(self, topic: str, **entry: t.Any) -> None:
        """Write an audit entry."""
        number = sum(len(entries) for entries in self.audit.values()) + 1
        self.audit[topic].append({"_id": f"audit-{number}", "timestamp": self.clock.stamp(), **entry})

    def mappings(self) -> list[dict[str, t.Any]]:
        """Return all mappings: those of config/sync, then those with a document of their own (ping 3.4)."""
        found = [copy.deepcopy(item) for item in self.config.get("sync", {}).get("mappings", [])]
        names = sorted(name for name in self.config if name.startswith("mapping/"))
        return found + [{"name": name.split("/", 1)[1], **self.config[name]} for name in names]

    def revised(self, document: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return a document with a new _rev."""
        return {**document, "_rev": self.revisions.next()}

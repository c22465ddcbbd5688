# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds a source: this task, and whether the process of another one is certainly gone."""

from __future__ import annotations

import hashlib
import os
import socket
import typing as t
import uuid
from dataclasses import asdict, dataclass

from .._base.values import as_int, as_text
from .._idm.audit import seconds_between

#: For how long a source is held without word of its holder, and how often the holder gives word, in seconds.
LEASE, RENEWAL = 30.0, 10.0
#: After so many seconds without a new revision a holder is over whatever time its last word is of: who lives has given
#: word meanwhile.
UNHEARD = LEASE + RENEWAL


@dataclass(frozen=True)
class Holder:
    """Who holds a source.

    :param owner: a random text, by which a task knows itself.
    :param host, process: where it runs, for people.
    :param place: tells whether ``process`` is a number of this kernel and this container; None where nothing does.
    :param work: what it does.
    :param since, renewed: the server's time when it took the source, and when it last gave word.
    """

    owner: str
    host: str
    process: int
    work: str
    since: str
    renewed: str
    place: str | None = None

    @classmethod
    def here(cls, work: str, now: str) -> Holder:
        """Return this task.

        :param now: the server's time.
        """
        return cls(uuid.uuid4().hex, socket.gethostname(), os.getpid(), work, now, now, _place())

    @classmethod
    def parse(cls, given: t.Any) -> Holder | None:
        """Return the holder that a document names, None where it names none."""
        if not isinstance(given, dict) or not given.get("owner"):
            return None
        known = {name: as_text(given.get(name)) or "" for name in ("owner", "host", "work", "since", "renewed")}
        return cls(**known, process=as_int(given.get("process")) or 0, place=as_text(given.get("place")))

    def as_document(self) -> dict[str, t.Any]:
        """Return it as the run record keeps it."""
        return asdict(self)

    def as_result(self) -> dict[str, t.Any]:
        """Return it as users see it."""
        return {name: getattr(self, name) for name in ("host", "process", "work", "since", "renewed")}

    @property
    def name(self) -> str:
        """What people know it by."""
        return f"{self.work} of {self.host}, process {self.process}, since {self.since}"

    def silence(self, now: str | None) -> str:
        """Return since when it has given no word, and until when it holds the source then, "" where it gives word.

        :param now: the server's time.
        """
        silent = seconds_between(self.renewed, now)
        if silent is not None and self.is_ahead(now):
            return (
                f"; its last word, of {self.renewed}, is after the server's own time, {now}: a clock of IDM ran ahead."
                f" Whoever waits has the source once nothing has been heard of it for {UNHEARD:g} s"
            )
        if silent is None or silent <= 1.5 * RENEWAL:
            return ""
        left = max(0.0, LEASE - silent)
        return f"; no word of it since {self.renewed}, {silent:.0f} s ago: without any it is taken over in {left:.0f} s"

    def is_ahead(self, now: str | None) -> bool:
        """Tell whether its word is of a time that has not come yet, or of none, so that it would never be too old.

        :param now: the server's time.
        """
        silent = seconds_between(self.renewed, now)
        return now is not None and (silent is None or silent < -LEASE)

    def is_over(self, now: str | None) -> bool:
        """Tell whether it holds the source no more: it has given no word for too long, or its process is gone.

        :param now: the server's time.
        """
        silent = seconds_between(self.renewed, now)
        if silent is not None and silent > LEASE:
            return True
        return self.place is not None and self.place == _place() and _is_gone(self.process)


def _place() -> str | None:
    """Return what the processes of one kernel and one container have in common, None where the system does not say.

    The number of a process tells nothing in another container, and hosts may have the same name.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return hashlib.sha256(f"{boot} {os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:16]
    except (OSError, ValueError):
        return None


def _is_gone(process: int) -> bool:
    """Tell whether there is no such process here; one that has ended and that nobody has collected is gone too."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[:1] == ["Z"]
    except FileNotFoundError:
        return os.path.isdir("/proc/self")
    except OSError:
        return False

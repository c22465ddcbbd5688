# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who runs liveSync of a source: IDM's own schedule, or an external scheduler that calls livesync_trigger. No I/O.

IDM knows nothing of the second, so that the run record keeps it, with how old the last run may be.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from .._base.errors import InvalidOption

IDM, EXTERNAL = "idm", "external"


@dataclass(frozen=True)
class Scheduler:
    """Who runs liveSync of a source.

    :param kind: IDM or EXTERNAL.
    :param max_age: with EXTERNAL, how long ago the last run may have ended, in seconds; None where that is not known.
    """

    kind: str = IDM
    max_age: float | None = None

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any]) -> Scheduler:
        """Return what a run record tells; what nobody here has written is an external one of which nothing is known."""
        kind = body.get("scheduler")
        if kind is None or kind == IDM:
            return cls()
        return cls(EXTERNAL, _seconds(body.get("max_age")) if kind == EXTERNAL else None)

    @property
    def external(self) -> bool:
        """Whether somebody else than IDM calls."""
        return self.kind == EXTERNAL

    def as_document(self) -> dict[str, t.Any]:
        """Return what the run record keeps of it: nothing where IDM's own schedule runs it."""
        return {"scheduler": EXTERNAL, "max_age": self.max_age} if self.external else {}

    def as_result(self) -> dict[str, t.Any]:
        """Return it as users see it."""
        return {"scheduler": self.kind, "max_age": self.max_age}

    @property
    def name(self) -> str:
        """What people know it by."""
        if not self.external:
            return "IDM's own schedule"
        return f"an external scheduler{'' if self.max_age is None else f' (max_age {self.max_age:g})'}"


def checked_scheduler(options: t.Mapping[str, t.Any]) -> Scheduler:
    """Return what ``scheduler`` and ``max_age`` ask for; without ``scheduler``, IDM's own schedule.

    :raises InvalidOption: where one does not go with the other, or ``max_age`` is no time.
    """
    given = options.get("max_age")
    if options.get("scheduler") != EXTERNAL:
        if given is not None:
            raise InvalidOption("max_age", given, "It goes with scheduler: external alone.")
        return Scheduler()
    seconds = _seconds(given)
    if seconds is None:
        raise InvalidOption(
            "max_age",
            given,
            "Give the seconds after which a last run is too old, a number above 0: a few times what lies between two"
            " runs of the external scheduler.",
        )
    return Scheduler(EXTERNAL, seconds)


def _seconds(given: t.Any) -> float | None:
    """Return a time in seconds, as a whole number where it is one; None for what is none."""
    try:
        seconds = 0.0 if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        return None
    if not 0 < seconds < math.inf:
        return None
    return int(seconds) if seconds == int(seconds) else seconds

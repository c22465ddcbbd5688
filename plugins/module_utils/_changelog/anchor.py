# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that is known by its number and by what it is: it shows when a change log has begun to count anew.

A server that has lost its changelogDb (restored without it, a replication server built anew) gives its numbers from 1
again, with the same ids and the same generation of its data (seen on OpenDJ 4.6.5). Once they have overtaken a token,
liveSync goes on from it as if nothing had been, and the changes up to there never arrive.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from .._base.values import as_dict, as_int, as_text
from .._ldap.directory import Directory, Entry
from .log import ChangeLog, as_time
from .numbered import changes_in, keep_newest, several_servers

#: What it is kept as beside a load: the change that the load goes on from.
BASE_POINT = "base_point"
#: Changes that were made on two servers at the same time are numbered in another order by each: within so many seconds
#: a number may stand for another change, and the log is the same (seen on two OpenDJ 4.6.5 that replicate).
_SAME_TIME = 10.0
_ASKED = ("replicationCSN", "changeTime")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Anchor:
    """One change of a change log, which liveSync has stood at.

    :param time: when it was made, as in 2026-11-24T17:19:26Z.
    :param csn: its replicationCSN, which names a change on all servers; None where that is not told.
    """

    number: int
    time: str
    csn: str | None = None

    @classmethod
    def parse(cls, document: t.Any) -> Anchor | None:
        """Return the change that a document tells of, None where it tells of none."""
        found = as_dict(document)
        number, time = as_int(found.get("number")), as_text(found.get("time"))
        return cls(number, time, as_text(found.get("csn"))) if number and time else None

    @classmethod
    def of(cls, entry: Entry) -> Anchor | None:
        """Return the change that an entry of the change log is, None where it does not tell enough."""
        number, time = entry.number("changeNumber"), as_time(entry.text("changeTime"))
        return cls(number, time, entry.text("replicationCSN")) if number and time else None

    def as_document(self) -> dict[str, t.Any]:
        """Return it as it is stored."""
        return dict(vars(self))


def newest(anchors: t.Iterable[Anchor | None]) -> Anchor | None:
    """Return the one of the newest change, None for none: older ones may be of an earlier count, and are done with."""
    return max((one for one in anchors if one), key=lambda one: (one.time, one.number), default=None)


def read_anchor(directory: Directory, log: ChangeLog, number: int | None) -> Anchor | None:
    """Return the change of a number, None where it is not shown, or does not tell enough.

    :raises DirectoryError: no answer, or an error.
    """
    if number is None or not max(1, log.first) <= number <= log.last:
        return None
    return next((Anchor.of(entry) for entry in changes_in(directory, log, number, number, _ASKED)), None)


def counted_anew(directory: Directory, log: ChangeLog, anchor: Anchor | None, token: int | None = None) -> str | None:
    """Return what shows that a change log has begun to count anew since a change was noted.

    :param token: behind which all is looked at after this, so that it can be read at once; None where it is not.
    :returns: a sentence; None where nothing shows it, as where that number has been removed from the log.
    :raises DirectoryError: no answer, or an error.
    """
    if token is not None:
        keep_newest(directory, log, token)
    there = read_anchor(directory, log, anchor.number) if anchor else None
    return said_anew(anchor, there) if anchor and there and not is_same(log, anchor, there) else None


def is_same(log: ChangeLog, anchor: Anchor, there: Anchor) -> bool:
    """Tell whether the change that has a number now is the one that was noted with it, as far as both tell.

    :param there: the change that has the number of ``anchor`` now.
    """
    if anchor.csn and anchor.csn == there.csn:
        return True
    apart = _apart(anchor.time, there.time)
    exact = anchor.csn and there.csn and not several_servers(log)
    return not exact and (apart is None or apart <= _SAME_TIME)


def said_anew(anchor: Anchor, there: Anchor) -> str:
    """Return what is to be said where the change that has a number now is not the one that was noted with it."""
    return (
        "The change log has begun to count anew, as after a restore without it (changelogDb), or is another server's"
        f" than before: its change {anchor.number} was made at {there.time}, and was another one, of {anchor.time},"
        " when that was noted. So the token belongs to numbers that are no more, and changes that were given them since"
        " are lost to liveSync."
    )


def _apart(one: str, other: str) -> float | None:
    """Return how many seconds lie between two times, None where one is none."""
    try:
        return abs((datetime.strptime(one, _TIME) - datetime.strptime(other, _TIME)).total_seconds())
    except ValueError:
        return None

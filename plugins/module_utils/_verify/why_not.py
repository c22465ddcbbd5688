# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a change that was made on purpose has not arrived, as far as that can be known."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import IdmopsError
from .._health.states import HEALTHY, LAGGING, OVERDUE, PAUSED, UNSCHEDULED
from .._health.status import status
from .._http.client import Client
from .._idm.connector_config import Connector
from .._idm.mapped_property import value_at
from .._idm.source import Source
from .._proof.comparison import canonical
from .._proof.difference import DIFFERING, HIDDEN, MISSING, UNKNOWN, Difference
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .reasons import Reasons


@dataclass(frozen=True)
class Why:
    """Why it has not arrived.

    :param sentences: what was found; none where nothing tells.
    :param remedy: what mends it; None where that stands in a sentence, or is not known.
    """

    sentences: tuple[str, ...] = ()
    remedy: str | None = None

    @property
    def text(self) -> str:
        """What was found, and what mends it."""
        said = " ".join(self.sentences)
        return f"{said} {self.remedy}" if self.remedy and self.remedy not in said else said


@dataclass(frozen=True)
class Witness:
    """Looks for the reason.

    :param sides: of the mapping, of which nothing but one property is compared.
    :param own: the directory itself, None where the configuration does not tell which entries are meant.
    :param url: of the directory.
    """

    sides: Sides
    source: Source
    connector: Connector
    own: OwnEntries | None
    url: str

    def look(self, record: str, sent: str) -> Why:
        """Return what keeps this entry, or this attribute of it, from liveSync; asked while the new value is there.

        :raises Unreachable, Refused, DirectoryError: as the servers.
        """
        prop = self.sides.comparison.copied[0]
        unread: dict[str, str] = {}
        seen = self.sides.sources([record], unread).get(self.sides.source_id(record))
        if seen is None:
            return self._unseen(record, unread.get(record))
        if canonical(value_at(seen, prop.source)) != canonical(sent):
            return Why(
                (
                    f"The connector does not read the new value, which {self.url} has: that directory does not"
                    " replicate with the connector's, or an ACI hides the attribute from its account.",
                ),
                "Give in servers the server that the connector reads, and look for such an ACI.",
            )
        links = self.sides.links([record])
        kind = DIFFERING if links else MISSING
        target = links[0].target if links else None
        reasons = Reasons(
            self.sides.client, self.source, self.sides.mapping, self.sides.comparison, self.connector, self.own
        )
        (found,) = reasons.of([Difference(kind, record, target, (prop.target,))])
        return Why() if found.reason == UNKNOWN else Why((_told(found.reason, found.detail),))

    def _unseen(self, record: str, said: str | None) -> Why:
        """Return why IDM does not see the entry."""
        if said:
            return Why((f"IDM cannot show the entry: {said.rstrip('.')}.",), "Mend the entry.")
        where = self.own.elsewhere([record]) if self.own and not self.own.entries([record]) else {}
        if where:
            return Why(
                (f"The connector does not look for the entry: {where[record]}.",),
                "Set an entry aside that it looks for.",
            )
        if self.own is None:
            return Why((f"IDM does not see the entry that {self.url} has.",), "Set an entry aside that IDM sees.")
        reason, detail = self.own.why_unseen([record])[record]
        remedy = (
            "Let the account see it: look for an ACI that denies it. Where there is none, the directory is not the"
            " connector's: give in servers the server that it reads."
            if reason == HIDDEN
            else "Let the connector not leave it out, or set another entry aside."
        )
        return Why((_told(reason, detail),), remedy)


def _told(reason: str, detail: str | None) -> str:
    return f"The entry is {reason}: {(detail or 'no detail is told').rstrip('.')}."


def of_source(
    client: Client,
    source: Source,
    directory: t.Mapping[str, t.Any],
    context: Context,
    *,
    scheduled: bool,
    known: bool,
) -> Why:
    """Return what is wrong with the source as a whole.

    :param scheduled: whether its schedule was to bring the change.
    :param known: whether a reason is known already, so that what may be wrong beside it is not told.
    :raises IdmopsError: as :func:`.status.status`.
    """
    (entry,) = status(client, [source], directory, context)
    state, remedy = entry.health.state, entry.remedy
    if not scheduled and state in (UNSCHEDULED, OVERDUE, PAUSED):
        return Why()
    if not entry.health.good_enough:
        return Why((entry.sentence,), remedy)
    usual = remedy is None if state == HEALTHY else state == LAGGING and not entry.facts.queued
    return Why() if known or usual else Why((entry.sentence,), remedy)


def asked(what: t.Callable[[], Why]) -> Why:
    """Return a reason; what keeps it from being known is one, too."""
    try:
        return what()
    except IdmopsError as exc:
        return Why((f"Why cannot be told: {exc.message}",), exc.remedy)

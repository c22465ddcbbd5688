# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run record: a document of ours beside the stage of a source, which all control hosts see.

It says who runs the source, which run was begun and not seen to end, how the last one ended, and what was seen to
arrive. It is given free by writing, never by deleting: the revisions of a document that is made anew begin again, and
somebody who held the old one would go on (seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.context import Context
from .._base.errors import Refused, Unreachable
from .._base.values import as_dict, as_int, as_list, as_text, as_texts
from .._changelog.anchor import Anchor
from .._http.client import Client, segment
from .._http.form import id_of
from .._idm.source import Source
from .._idm.stage import OURS, STAGES, Stage, parse_stages
from .owner import Holder
from .scheduler import Scheduler

#: How often a change is tried where others change the record at the same time.
TRIES = 5
#: So many records that the change log hid are kept.
MOST_GAPS = 400
#: In ``last_run``: up to which change number all was seen to have arrived.
COMPARED = "compared"
#: There, too: the newest change that a task of ours has met behind the token (:mod:`.._changelog.anchor`).
ANCHOR = "anchor"
#: What is said where the revision is another one, or the document came or went meanwhile.
CHANGED = (404, 409, 412)


@dataclass(frozen=True)
class RunRecord:
    """What is kept of a source.

    :param rev: the document's revision, None where there is none yet.
    :param holder: who runs it, None where nobody does.
    :param run: the mark of a run that was begun and not seen to end, None for none.
    :param last_run: of the last run of ours its end (``time``), its ``outcome``, and whether it ``failed``; None where
        there was none. Beside these COMPARED and ANCHOR.
    :param arrived: by what, when, of how many and after how many seconds something was last seen to arrive.
    :param gaps: the records whose changes the change log was seen to hide from a run: ``record``, ``csn``, ``time``.
    :param scheduler: who runs the source.
    :param conditional: whether the server was seen to refuse a change under a condition that does not hold.
    :param rest: what another release of the collection keeps there.
    """

    rev: str | None = None
    holder: Holder | None = None
    run: t.Mapping[str, t.Any] | None = None
    last_run: t.Mapping[str, t.Any] | None = None
    arrived: t.Mapping[str, t.Any] | None = None
    gaps: tuple[t.Mapping[str, t.Any], ...] = ()
    scheduler: Scheduler = Scheduler()
    conditional: bool = False
    rest: t.Mapping[str, t.Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any]) -> RunRecord:
        """Return the record that a document holds."""
        known = ("holder", "run", "last_run", "arrived", "gaps", "scheduler", "max_age", "conditional")
        return cls(
            rev=str(body["_rev"]) if body.get("_rev") is not None else None,
            holder=Holder.parse(body.get("holder")),
            run=as_dict(body.get("run")) or None,
            last_run=as_dict(body.get("last_run")) or None,
            arrived=as_dict(body.get("arrived")) or None,
            gaps=tuple(one for one in as_list(body.get("gaps")) if as_text(as_dict(one).get("record"))),
            scheduler=Scheduler.parse(body),
            conditional=body.get("conditional") is True,
            rest={name: body[name] for name in body if name not in known and not name.startswith("_")},
        )

    def as_document(self) -> dict[str, t.Any]:
        """Return the document that holds it."""
        return {
            **self.rest,
            "holder": self.holder.as_document() if self.holder else None,
            "run": dict(self.run) if self.run else None,
            "last_run": dict(self.last_run) if self.last_run else None,
            "arrived": dict(self.arrived) if self.arrived else None,
            **({"gaps": [dict(one) for one in self.gaps]} if self.gaps else {}),
            **self.scheduler.as_document(),
            "conditional": self.conditional,
        }

    @property
    def sampled(self) -> frozenset[str]:
        """The mappings of which a comparison has shown that what was there has arrived."""
        found = self.arrived or {}
        return frozenset(as_texts(found.get("mappings")) if found.get("by") == "sample" else ())

    @property
    def compared(self) -> int:
        """Up to which change number a task of ours has seen all arrive, 0 where that is not known."""
        known = (self.last_run or {}).get(COMPARED)
        return known if isinstance(known, int) and not isinstance(known, bool) and known > 0 else 0

    def shown(self, more_than: int) -> str:
        """Return when a comparison of more entries than that has shown that they are as they should be, "": never."""
        found = self.arrived or {}
        checked = as_int(found.get("checked"))
        return str(found.get("at") or "") if found.get("by") == "sample" and checked and checked > more_than else ""

    @property
    def anchor(self) -> Anchor | None:
        """The newest change that a task of ours has met behind the token, None where that is not known."""
        return Anchor.parse((self.last_run or {}).get(ANCHOR))

    def held(self, now: str | None) -> Holder | None:
        """Return who holds the source, None where nobody does any more.

        :param now: the server's time.
        """
        return None if self.holder is None or self.holder.is_over(now) else self.holder


def read_record(client: Client, source: Source) -> RunRecord | None:
    """Return the record of a source, None where there is none.

    :raises Unreachable, Refused: as the client.
    """
    body = client.get(_path(source), none_on=(404,))
    if body is None:
        return None
    id_of(body, f"GET {client.url}/{_path(source)}")
    return RunRecord.parse(body)


def read_stages_and_records(client: Client) -> tuple[dict[str, Stage], dict[str, RunRecord]]:
    """Return all stages and all records by the ids of the stages, with one request.

    :raises Unreachable, Refused: as the client; for an entry that does not say whose it is, too.
    """
    bodies = client.query(STAGES)
    ours = {id_of(body, f"GET {client.url}/{STAGES}"): body for body in bodies}
    records = {name[len(OURS) :]: RunRecord.parse(body) for name, body in ours.items() if name.startswith(OURS)}
    return parse_stages(client, bodies), records


def write_record(client: Client, source: Source, record: RunRecord, *, timeout: float | None = None) -> RunRecord:
    """Store a record where it still has the revision that it was read with; return it with its new one.

    :param timeout: seconds to wait for the answer; None is the client's own.
    :raises Unreachable: as the client.
    :raises Refused: with a status of ``CHANGED`` where somebody else was faster.
    """
    guard = {"If-None-Match": "*"} if record.rev is None else {"If-Match": f'"{record.rev}"'}
    answer = client.request("PUT", _path(source), body=record.as_document(), headers=guard, timeout=timeout)
    rev = as_dict(answer.body).get("_rev")
    return replace(record, rev=None if rev is None else str(rev))


def note(client: Client, source: Source, **facts: t.Any) -> None:
    """Change some fields of a record, whoever holds it, and leave the others as they are.

    :raises Unreachable, Refused: as the client.
    """
    for tries in range(1, TRIES + 1):
        record = replace(read_record(client, source) or RunRecord(), **facts)
        try:
            write_record(client, source, record)
            return
        except Refused as exc:
            if exc.status not in CHANGED or tries == TRIES:
                raise


def note_arrival(client: Client, source: Source, context: Context, by: str, **facts: t.Any) -> None:
    """Note that something of a source was seen to arrive, for livesync_status; never in check mode.

    :param by: canary or sample.
    """
    if context.check_mode:
        return
    try:
        note(client, source, arrived={"by": by, "at": client.server_time, **facts})
    except (Refused, Unreachable) as exc:
        context.report.warn(f"{source}: that it has arrived could not be noted in IDM's run record. {exc.message}")


def note_gaps(client: Client, source: Source, found: t.Sequence[t.Mapping[str, t.Any]], context: Context) -> None:
    """Add records whose changes the change log hid from a run to those that are known; never in check mode.

    Whether they have arrived since is looked at each time, so that none is taken out here.
    """
    if context.check_mode:
        return
    try:
        known = read_record(client, source) or RunRecord()
        kept = {str(one["record"]): one for one in (*known.gaps, *found)}
        note(client, source, gaps=tuple(kept.values())[-MOST_GAPS:])
    except (Refused, Unreachable) as exc:
        context.report.warn(
            f"{source}: what the change log hides could not be noted in IDM's run record. {exc.message}"
        )


def forget(client: Client, source: Source) -> None:
    """Remove a record that nobody holds and that tells of no run which may be going on.

    :raises Unreachable, Refused: as the client.
    """
    record = read_record(client, source)
    if record is None or record.held(client.server_time) or record.run:
        return
    try:
        client.delete(_path(source), headers={"If-Match": f'"{record.rev}"'})
    except Refused as exc:
        if exc.status not in CHANGED:  # somebody has just taken it
            raise


def _path(source: Source) -> str:
    return f"{STAGES}/{segment(OURS + source.stage_id)}"

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary: one harmless change to an entry that is set aside for it, seen to arrive, and put back.

The new value is the old one with a mark of ours behind it, so that a run that finds the mark of an interrupted one
knows what to put back without having written that down anywhere.
"""

from __future__ import annotations

import re
import typing as t
import uuid
from dataclasses import dataclass, replace

from .._base.context import Context
from .._base.errors import DirectoryError, IdmopsError, InvalidOption, TimedOut
from .._base.limits import check_seconds
from .._base.values import as_text
from .._health.log_facts import directories
from .._health.snapshot import Snapshot, read_snapshot
from .._http.client import Client
from .._idm.connector import Connector
from .._idm.mapped_property import MappedProperty, value_at
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._idm.stage import read_stage
from .._ldap.directory import Directory, Modification
from .._ldap.dn import is_name
from .._livesync.trigger import Request, trigger
from .._proof.comparison import Comparison, TargetSchema
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .._record.run_record import note_arrival

#: What the value of an entry begins with that may be changed: its owner has written that there.
MARK = "idmops canary"
_OURS = re.compile(r" \[idmops [0-9a-f]{8}\]$")
#: How long a run that the canary itself triggers may take, in seconds.
_WITHIN = 60.0
_LOOK = 1.0


@dataclass(frozen=True)
class CanaryRequest:
    """What is asked for.

    :param mapping: its name; None where the source has one alone.
    :param dn: of the entry.
    :param attribute: as the directory calls it.
    :param within: seconds; None is two intervals of the schedule.
    :param run_livesync: whether liveSync is run, rather than its schedule waited for.
    """

    source: Source
    dn: str
    directory: t.Mapping[str, t.Any] | None
    mapping: str | None = None
    attribute: str = "description"
    within: float | None = None
    run_livesync: bool = False

    def check(self) -> None:
        """Refuse what cannot be used.

        :raises InvalidOption: before anything is sent.
        """
        if not is_name(self.dn):
            raise InvalidOption("dn", self.dn, "Give the DN of an entry that is set aside for this.")
        if self.directory is None:
            raise InvalidOption("directory", None, "The change is made in the directory, as its administrator.")
        if self.within is not None:
            check_seconds("within", self.within)


@dataclass
class Canary:
    """What became of it.

    :param arrived: None in check mode, where it does not fly.
    :param seconds: from the change to its arrival.
    """

    arrived: bool | None = None
    seconds: float | None = None
    token_before: t.Any = None
    token_after: t.Any = None

    def as_result(self) -> dict[str, t.Any]:
        """Return it as the module shows it."""
        return dict(vars(self))


def fly(client: Client, request: CanaryRequest, context: Context) -> dict[str, t.Any]:
    """Make the change, wait until the target has it, put the old value back; return the module's result.

    :raises InvalidOption: before anything is written, for what cannot be done.
    :raises IdmopsError: where it did not arrive, with the result.
    """
    request.check()
    snapshot = read_snapshot(client)
    known = {name: one.object_types for name, one in snapshot.connectors.items()}
    request.source.check(known)
    connector = snapshot.connectors[request.source.system]
    mapping = _mapping(request, snapshot)
    if mapping.sync_enabled is False:
        raise IdmopsError(
            f"enableSync is false for {mapping.name}, so that the change would not arrive. Nothing was changed.",
            remedy="Set it to true, then reconcile the mapping.",
            result={"canary": Canary(arrived=False).as_result()},
        )
    within = _within(request, snapshot)
    options = t.cast("t.Mapping[str, t.Any]", request.directory)
    url = directories(options, [connector], context).get(connector.name) or str(options["servers"][0])
    with Directory(options, url, context) as directory:
        one = _Flight(client, context, request, snapshot, connector, mapping, directory, within)
        return one.go()


def _mapping(request: CanaryRequest, snapshot: Snapshot) -> SyncMapping:
    own = [one for one in snapshot.mappings if request.source.is_named_by(one.source)]
    names = ", ".join(one.name for one in own) or "none"
    chosen = [one for one in own if request.mapping in (None, one.name)]
    if len(chosen) != 1:
        raise InvalidOption("mapping", request.mapping, f"Name one of those of {request.source}: {names}.")
    return chosen[0]


def _within(request: CanaryRequest, snapshot: Snapshot) -> float:
    """Return how long the change may take."""
    if request.within is not None:
        return request.within
    if request.run_livesync:
        return _WITHIN
    jobs = [one for one in snapshot.schedules if one.source == str(request.source) and one.enabled and not one.paused]
    known = [seconds for one in jobs if (seconds := one.interval_seconds)]
    if not known:
        raise InvalidOption(
            "within", None, "No schedule tells how soon a change is taken: give the seconds, or set run_livesync."
        )
    return 2 * min(known) + _LOOK


@dataclass
class _Flight:
    client: Client
    context: Context
    request: CanaryRequest
    snapshot: Snapshot
    connector: Connector
    mapping: SyncMapping
    directory: Directory
    within: float
    ran: IdmopsError | None = None

    def go(self) -> dict[str, t.Any]:
        own = OwnEntries.of(self.directory, self.connector, self.request.source.object_type)
        uid = own.uid if own else self.connector.uid_attribute or "entryUUID"
        sides = self._sides()
        base, record = self._marked(uid)
        canary = Canary(token_before=self._token())
        if self.context.check_mode:
            return self._result(canary)
        sent = f"{base} [idmops {uuid.uuid4().hex[:8]}]"
        started = self.context.clock.now()
        try:
            self._write(sent)
            canary.arrived = self._awaited(sides, record, sent)
            canary.seconds = round(self.context.clock.now() - started, 1) if canary.arrived else None
        finally:
            self._put_back(base)
        canary.token_after = self._token()
        if canary.arrived:
            note_arrival(self.client, self.request.source, self.context, "canary", checked=1, seconds=canary.seconds)
            return self._result(canary)
        why = f" liveSync said: {self.ran.message}" if self.ran else ""
        raise IdmopsError(
            f"The change of {self.request.dn} has not arrived in {self.mapping.target} within {self.within:g} s.{why}",
            remedy="idmops.idm.livesync_status looks for the reason; idmops.idm.livesync_verify whether all else has"
            " arrived.",
            result=self._result(canary),
        )

    def _sides(self) -> Sides:
        """Return the sides of the mapping, of which nothing but the attribute is asked for."""
        mapping, source = self.mapping, self.request.source
        managed = self.client.get("config/managed", none_on=(404,)) or {}
        schema = TargetSchema.parse(managed, mapping.target.strip("/").partition("/")[2])
        comparison = Comparison.of(mapping, schema, self.connector.json_types.get(source.object_type, {}))
        names = self.connector.native_names.get(source.object_type, {})
        wanted = self.request.attribute.lower()
        copied = [one for one in comparison.copied if names.get(one.source, one.source).lower() == wanted]
        if not copied or not mapping.links_objects:
            plain = sorted({names.get(one.source, one.source) for one in comparison.copied})
            raise InvalidOption(
                "attribute",
                self.request.attribute,
                f"{mapping.name} copies these plainly: {', '.join(plain) or 'none'}.",
            )
        return Sides.of(self.client, mapping, replace(comparison, copied=tuple(copied)), self.snapshot.mappings)

    def _marked(self, uid: str) -> tuple[str, str]:
        """Return what the attribute holds without a mark of ours, and the id by which IDM knows the entry.

        :raises IdmopsError: where it is no entry for this.
        """
        request = self.request
        entry = self.directory.read(request.dn, [request.attribute, uid])
        if entry is None:
            raise IdmopsError(
                f"{self.directory.uri} has no entry {request.dn}.",
                remedy=f"Add one whose {request.attribute} begins with {MARK!r}, and let the mapping load it.",
            )
        values = entry.texts(request.attribute)
        if len(values) != 1 or not values[0].startswith(MARK):
            raise IdmopsError(
                f"{request.attribute} of {request.dn} is not one value that begins with {MARK!r}, so the entry is taken"
                " for somebody's own. Nothing was changed.",
                remedy=f"Set it so once, of an entry that is there for this: {request.attribute}: {MARK}.",
            )
        record = entry.dn if uid.lower() in ("dn", "entrydn") else entry.text(uid)
        if record is None:
            raise IdmopsError(f"{request.dn} has no {uid}, by which IDM would know it.")
        return _OURS.sub("", values[0]), record

    def _run(self) -> IdmopsError | None:
        """Run liveSync once; what goes wrong is told with the outcome."""
        try:
            trigger(self.client, Request((self.request.source,), warn_on_record=True), self.context)
        except IdmopsError as exc:
            return exc
        return None

    def _awaited(self, sides: Sides, record: str, sent: str) -> bool:
        prop: MappedProperty = sides.comparison.copied[0]

        def probe() -> bool | None:
            if self.request.run_livesync:  # again each time: a change gets its number a moment later
                self.ran = self._run()
            links = sides.links([record])
            for body in sides.targets(link.target for link in links).values():
                if as_text(value_at(body, prop.target)) == sent:
                    return True
            return None

        try:
            return self.context.wait_for(
                probe, timeout=self.within, what=f"the change of {self.request.dn} to arrive", longest_pause=_LOOK
            )
        except TimedOut:
            return False

    def _put_back(self, base: str) -> None:
        try:
            self._write(base)
        except DirectoryError as exc:
            raise IdmopsError(
                f"{self.request.attribute} of {self.request.dn} could not be put back: {exc.message}",
                status=exc.status,
                remedy="Run the task again: it knows its own mark, and puts the old value back.",
            ) from exc

    def _write(self, value: str) -> None:
        change = Modification("replace", self.request.attribute, (value.encode(),))
        self.directory.modify(self.request.dn, [change])

    def _token(self) -> t.Any:
        stage = read_stage(self.client, self.request.source)
        return stage.token if stage else None

    def _result(self, canary: Canary) -> dict[str, t.Any]:
        arrived = {True: f"The change arrived after {canary.seconds} s.", None: "In check mode nothing flies."}
        return {
            "changed": True,
            "msg": f"{self.request.source}: {arrived.get(canary.arrived, 'The change did not arrive.')}",
            "canary": canary.as_result(),
        }

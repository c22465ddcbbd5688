# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary: one harmless change to an entry that is set aside for it, seen to arrive, and put back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.context import Context
from .._base.errors import DirectoryError, IdmopsError, InvalidOption, TimedOut
from .._base.limits import check_seconds
from .._changelog.whose import OTHER, REMEDY, UNKNOWN, Whose, judge_whose
from .._health.directories import directories
from .._health.log_facts import LogReader
from .._health.snapshot import Snapshot, read_snapshot
from .._http.client import Client
from .._idm.connector import Connector, check_source
from .._idm.mapped_property import value_at
from .._idm.mapping import SyncMapping, read_managed
from .._idm.source import Source
from .._idm.stage import read_stage
from .._ldap.directory import Directory
from .._ldap.dn import is_name
from .._ldap.set_aside import SetAside
from .._livesync.outcome import PATIENCE, Patience
from .._livesync.trigger import Request, trigger
from .._proof.comparison import Comparison, TargetSchema
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .._record.run_record import note_arrival
from .why_not import Why, Witness, asked, of_source

#: How long a run that the canary itself triggers may take, in seconds.
_WITHIN = 60.0
_LOOK = 1.0
#: How long the token gets to be stored once the change is there, in seconds: a run stores it at its end.
_STORED = 5.0
_NOTHING_TOLD = Why(
    ("Nothing was found that keeps it from arriving.",),
    "Give it longer (within), where liveSync has much to bring; idmops.idm.livesync_verify tells whether all else has"
    " arrived.",
)


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

    :param arrived: None in check mode, where it does not fly, and where it cannot be known.
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

    :raises InvalidOption: for what cannot be done; no change was made then.
    :raises IdmopsError: where it did not arrive, or that cannot be known, with the result.
    """
    request.check()
    snapshot = read_snapshot(client)
    check_source(request.source, snapshot.connectors.values())
    connector = snapshot.connectors[request.source.system]
    mapping = _mapping(request, snapshot)
    options = t.cast("t.Mapping[str, t.Any]", request.directory)
    url = directories(options, [connector], context).get(connector.name)
    with LogReader(options, url, connector, context) as log:  # of several servers the one that the connector reads
        url = log.directory.uri if log.directory else str(options["servers"][0])
    with Directory(options, url, context) as directory:
        one = _Flight(client, context, request, snapshot, connector, mapping, directory)
        try:
            return one.go()
        except InvalidOption:
            raise
        except IdmopsError as exc:
            exc.result = {"changed": one.wrote, "canary": one.canary.as_result(), **exc.result}
            raise


def _mapping(request: CanaryRequest, snapshot: Snapshot) -> SyncMapping:
    own = [one for one in snapshot.mappings if request.source.is_named_by(one.source)]
    names = ", ".join(one.name for one in own) or "none"
    chosen = [one for one in own if request.mapping in (None, one.name)]
    if len(chosen) != 1:
        raise InvalidOption("mapping", request.mapping, f"Name one of those of {request.source}: {names}.")
    return chosen[0]


@dataclass
class _Flight:
    client: Client
    context: Context
    request: CanaryRequest
    snapshot: Snapshot
    connector: Connector
    mapping: SyncMapping
    directory: Directory
    canary: Canary = field(default_factory=Canary)
    wrote: bool = False
    ran: IdmopsError | None = None

    def go(self) -> dict[str, t.Any]:
        whose = self._whose()
        own = OwnEntries.of(self.directory, self.connector, self.request.source.object_type)
        uid = own.uid if own else self.connector.uid_attribute or "entryUUID"
        entry = SetAside.read(self.directory, self.request.dn, self.request.attribute, uid)
        self._restore(entry)
        within, sides = self._within(), self._sides()
        self._require_sight(whose, sides, entry)
        self.canary.token_before = self._token()
        if self.context.check_mode:
            left = " A run that may write puts back what an interrupted one has left." if entry.left_over else ""
            return self._result(f"In check mode nothing flies.{left}")
        witness = Witness(sides, self.request.source, self.connector, own, self.directory.uri)
        why = self._fly(entry, sides, witness, within)
        if self.canary.arrived:
            if not self._doubted(entry):
                seconds = self.canary.seconds
                note_arrival(self.client, self.request.source, self.context, "canary", checked=1, seconds=seconds)
            return self._result(f"The change arrived after {self.canary.seconds} s.")
        self.canary.token_after = self._token()
        raise self._lost(entry, why, within)

    # before anything is written

    def _whose(self) -> Whose:
        """Return whether the directory is the connector's.

        :raises IdmopsError: where it is shown not to be.
        """
        whose = judge_whose(self.directory, self.connector.servers)
        if whose.answer == OTHER:
            self.canary.arrived = False
            raise IdmopsError(
                f"{whose.sentence} A change there would prove nothing. Nothing was changed.", remedy=REMEDY
            )
        return whose

    def _require_sight(self, whose: Whose, sides: Sides, entry: SetAside) -> None:
        """See that IDM knows the entry, where nothing else tells that the directory is the connector's.

        :raises IdmopsError: where it does not.
        """
        if whose.answer == UNKNOWN and not sides.sources([entry.record], {}):
            raise IdmopsError(
                f"{whose.sentence.rstrip('.')}, and IDM does not see {entry.dn} through it. Nothing was changed.",
                remedy=REMEDY,
            )

    def _restore(self, entry: SetAside) -> None:
        """Put back what an interrupted run has left, whatever keeps this one from flying."""
        if entry.left_over and not self.context.check_mode:
            entry.restore()
            self.wrote = True
            self.context.report.warn(
                f"{entry.attribute} of {entry.dn} had the mark of a canary that was interrupted, or that flies at the"
                " same time. The old value was put back."
            )

    def _within(self) -> float:
        """Return how long the change may take.

        :raises IdmopsError: where it would be taken and lost.
        """
        if self.mapping.sync_enabled is False:
            self.canary.arrived = False
            raise IdmopsError(
                f"enableSync is false for {self.mapping.name}, so that the change would not arrive. It was not made.",
                remedy="Set it to true, then reconcile the mapping.",
            )
        if self.request.within is not None:
            return self.request.within
        if self.request.run_livesync:
            return _WITHIN
        if (interval := self._interval()) is None:
            raise InvalidOption(
                "within", None, "No schedule tells how soon a change is taken: give the seconds, or set run_livesync."
            )
        return 2 * interval + _LOOK

    def _interval(self) -> float | None:
        """Return the seconds between two runs, None where neither a schedule that is on nor the run record tells."""
        scheduler = self.snapshot.record(self.request.source).scheduler
        if scheduler.external:
            return scheduler.max_age
        jobs = [one for one in self.snapshot.schedules if one.source == str(self.request.source)]
        known = [one.interval_seconds for one in jobs if one.enabled and not one.paused]
        return min((seconds for seconds in known if seconds), default=None)

    def _sides(self) -> Sides:
        """Return the sides of the mapping, of which nothing but the attribute is asked for."""
        mapping, source = self.mapping, self.request.source
        managed = read_managed(self.client)
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
        return Sides.of(self.client, mapping, replace(comparison, copied=(copied[0],)), self.snapshot.mappings)

    # the flight

    def _fly(self, entry: SetAside, sides: Sides, witness: Witness, within: float) -> Why:
        """Make the change, wait, and put the old value back; return what keeps it from arriving, if anything does."""
        failure: IdmopsError | None = None
        why = Why()
        try:
            started = self.context.clock.now()
            sent = entry.mark()
            arrived = self._awaited(sides, entry.record, sent, within)
            if arrived:
                self.canary.seconds = round(self.context.clock.now() - started, 1)
            else:
                why = asked(lambda: witness.look(entry.record, sent) if entry.still_there() else Why())
            self.canary.arrived = arrived
        except IdmopsError as exc:
            failure = exc
            raise
        finally:
            self.wrote = self.wrote or entry.sent is not None
            self._put_back(entry, failure)
        return why

    def _awaited(self, sides: Sides, record: str, sent: str, within: float) -> bool:
        target = sides.comparison.copied[0].target
        end = self.context.clock.now() + within

        def probe() -> bool | None:
            if self.request.run_livesync:  # again each time: a change gets its number a moment later
                self.ran = self._run(max(_LOOK, end - self.context.clock.now()))
            links = sides.links([record])
            for body in sides.targets(link.target for link in links).values():
                if value_at(body, target) in (sent, [sent]):
                    return True
            return False if self.ran else None  # a run that fails is not repeated: it may use up a record's retries

        try:
            return self.context.wait_for(
                probe, timeout=within, what=f"the change of {self.request.dn} to arrive", longest_pause=_LOOK
            )
        except TimedOut:
            return False

    def _run(self, patience: float) -> IdmopsError | None:
        """Run liveSync once; what goes wrong is told with the outcome."""
        request = Request(
            (self.request.source,),
            patience=Patience(patience, min(patience, PATIENCE.stall)),
            mappings=(self.mapping.name,),
        )
        try:
            trigger(self.client, request, self.context)
        except IdmopsError as exc:
            return exc
        return None

    def _put_back(self, entry: SetAside, failure: IdmopsError | None) -> None:
        try:
            entry.put_back()
        except DirectoryError as exc:
            arrived = "The change has arrived" if self.canary.arrived else "The change has not arrived in time"
            before = f" Before that: {failure.message if failure else f'{arrived}.'}"
            raise IdmopsError(
                f"{entry.attribute} of {entry.dn} could not be put back: {exc.message}{before}",
                status=exc.status,
                remedy="Run the task again: it knows its own mark, and puts the old value back.",
            ) from exc

    # what is said of it

    def _doubted(self, entry: SetAside) -> bool:
        """Warn where somebody else has changed the value meanwhile, or something else may have brought the change.

        :returns: whether it may be that liveSync has not brought it.
        """
        if entry.others:
            self.context.report.warn(f"Somebody else has changed {entry.attribute} of {entry.dn} meanwhile.")
        before = self.canary.token_before

        def moved() -> bool | None:
            self.canary.token_after = self._token()
            return True if self.canary.token_after != before else None

        try:
            self.context.wait_for(moved, timeout=_STORED, what="the token to be stored", longest_pause=_LOOK)
        except TimedOut:
            self.context.report.warn(
                f"{self.request.source}: the change arrived, and the token of liveSync has not moved since: something"
                " else may have brought it, as a reconciliation does."
            )
            return True
        return False

    def _lost(self, entry: SetAside, why: Why, within: float) -> IdmopsError:
        """Return the error that says why the change has not arrived, as far as that can be known."""
        if entry.others:
            self.canary.arrived = None
            return IdmopsError(
                f"Whether a change of {entry.dn} arrives cannot be known: somebody else has changed {entry.attribute}"
                " meanwhile, or removed the entry, and that was left alone.",
                remedy="Let no two canaries fly with one entry at once, and nobody else change it. Then run it again.",
            )
        told = [f"The change of {entry.dn} has not arrived in {self.mapping.target} within {within:g} s."]
        found = [why]
        if self.ran:
            found.insert(0, Why((f"liveSync said: {self.ran.message}",), self.ran.remedy))
        scheduled = not self.request.run_livesync
        interval = self._interval() if scheduled else None
        if interval and within < interval:
            early = f"It is run every {interval:g} s, so that {within:g} s prove nothing."
            found.append(Why((early,), f"Give within more than {2 * interval:g} s."))
        known = any(one.sentences for one in found)
        found.insert(0, asked(lambda: self._of_source(scheduled=scheduled, known=known)))
        if not any(one.sentences for one in found):
            found.append(_NOTHING_TOLD)
        told += [one.text for one in found if one.sentences]
        return IdmopsError(" ".join(told), remedy=next(filter(None, (one.remedy for one in found)), None))

    def _of_source(self, **how: bool) -> Why:
        options = t.cast("t.Mapping[str, t.Any]", self.request.directory)
        return of_source(self.client, self.request.source, options, self.context, **how)

    def _token(self) -> t.Any:
        stage = read_stage(self.client, self.request.source)
        return stage.token if stage else None

    def _result(self, said: str) -> dict[str, t.Any]:
        return {"changed": True, "msg": f"{self.request.source}: {said}", "canary": self.canary.as_result()}

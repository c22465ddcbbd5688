# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change log behind a connector, as the health of a source needs it."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import cached_property

from .._base.context import Context
from .._base.errors import DirectoryError
from .._changelog.anchor import Anchor, newest, read_anchor
from .._changelog.in_use import InUse, find_in_use
from .._changelog.log import (
    NUMBERS,
    Access,
    ChangeLog,
    alias_search_works,
    as_time,
    connector_servers,
    first_change_log,
    judge_access,
    read_change_log,
    time_of,
)
from .._changelog.numbered import (
    MOST_BEHIND,
    OF_A_CHANGE,
    changes_in,
    left_out,
    pending_changes,
    several_servers,
    text_of_change,
    unnumbered,
)
from .._changelog.server_config import unrecorded
from .._changelog.whose import FAILOVER, OTHER, REMEDY, UNKNOWN, Whose, judge_whose
from .._idm.connector import Connector
from .._ldap.directory import INSUFFICIENT_ACCESS, NO_SUCH_OBJECT, Directory, Entry
from .._ldap.dn import Name, is_name, is_within_any
from .._ldap.lines import Connect
from .._record.load_record import Load
from .facts import LogFacts
from .noted import Noted
from .standby import Standby, look_at_standby
from .states import BACK_FIRST, outside
from .touched import Hidden, Touched, part_by
from .traceless import Taken

#: So many changes behind the token are looked through for numbers that the change log leaves out: about a second.
_MOST_BEHIND = 5000


class LogReader:
    """The change log behind one connector. What it has read once it does not read again.

    The numbers of a server that is shown not to be the connector's are an error. Where another name keeps that from
    being known, they are not used, as if no directory had been given; where the connector's configuration hides its
    host, they are taken at the user's word. Both are warned of.

    Of several servers that may be the connector's the first that answers is asked. One that does not is warned of, and
    stops nothing.

    :param options: connection options of the directory.
    :param url: of the directory, None where none is known: then nothing is known of the change log.
    :param sole: whether the directory can be of no other connector, so that it is an error if it is not of this one.
    :param connect: gives the connections; without it they are its own.
    :param momentary: whether all is read within a moment, to be judged: nothing that stays as it is is asked for twice,
        and a server whose account may not read whose it is is an error, as one that refuses its password.
    """

    def __init__(
        self,
        options: t.Mapping[str, t.Any] | None,
        url: str | None,
        connector: Connector | None,
        context: Context,
        *,
        sole: bool = True,
        connect: Connect | None = None,
        momentary: bool = False,
    ) -> None:
        self._connector = connector
        self._sole, self._strict = sole, momentary
        self._context = context
        urls = [url] if options and url and connector else []
        if options and connector and urls and len(set(options["servers"])) > 1:
            urls = connector_servers(options, connector.servers)
        #: How far the change log reached when it was last looked at for what it hides.
        self._end: ChangeLog | None = None
        self._given = [(connect or Directory)(options, one, context) for one in urls] if options else []
        self._reached: Anchor | None = None
        #: The changes that were read last, and from which number to which.
        self._read: tuple[tuple[int, int], list[Entry]] | None = None
        if momentary and not connect:
            for given in self._given:
                given.kept = {}

    def __enter__(self) -> LogReader:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        for directory in self._given:
            directory.close()

    @cached_property
    def directory(self) -> Directory | None:
        """The server that is asked, None where none is known.

        :raises DirectoryError: of several, none can be asked.
        """
        if len(self._given) > 1:
            return self._in_use.directory
        return self._given[0] if self._given else None

    @cached_property
    def _in_use(self) -> InUse:
        """The one of several servers that the connector reads."""
        return find_in_use(self._given, self._connector.servers if self._connector else ())

    def facts(
        self, token: int | None, anchors: t.Iterable[Anchor | None] = (), loads: t.Sequence[Load] = ()
    ) -> LogFacts | None:
        """Return what the change log tells, relative to a token.

        :param token: the change number that liveSync stands at, None where it stands at none.
        :param anchors: changes that were noted behind it.
        :param loads: the loads that it goes on from; their servers are compared where no change tells.
        :raises DirectoryError: no answer, or an error.
        """
        log = self.log
        if self.directory is None or self._connector is None or not self._usable:
            return None
        if log is None or log.mode != NUMBERS:
            return LogFacts(usable=False)
        standby = self.standby(token)
        found = LogFacts(
            first=log.first,
            missing=self.missing,
            denied_by=self._access.denied_by if self._access else (),
            alias_search=self._alias_search,
            account=self._connector.principal,
            server=self.directory.uri,
            doubt=self.whose.sentence if self.whose else None,
            unrecorded=self.unrecorded,
            meanwhile=self.whose is not None and self.whose.answer == FAILOVER,
            standby=standby.said,
            elsewhere=standby.elsewhere,
            anew=self._counted_anew(token, anchors, loads) if token is not None else None,
        )
        return self._counted(found, log, token)

    def recounted(self, found: LogFacts, token: int | None) -> LogFacts:
        """Count what is pending again, where the change log has moved on until :meth:`hidden` looked into it.

        Changes that had waited for a number may all have got it in between: they were not pending before, and are
        hidden no more.

        :raises DirectoryError: no answer, or an error.
        """
        moved = self._end is not None and self._end.last != found.last
        return self._counted(found, self._end, token) if moved and self._end else found

    def _counted(self, found: LogFacts, log: ChangeLog, token: int | None) -> LogFacts:
        contexts = self._connector.sync_base_contexts if self._connector else ()
        if not all(map(is_name, contexts)):
            contexts = ()  # written as LDAP servers took it before RFC 4514: nothing can be compared with it
        found = replace(found, last=log.last)
        if token is None or self.directory is None:
            return found
        pending = pending_changes(self.directory, log, token, contexts)
        inside = pending.inside if contexts else None
        return replace(
            found, pending=pending.total, pending_inside=inside, exact=pending.complete, oldest=pending.oldest
        )

    def standby(self, token: int | None) -> Standby:
        """Look at the other servers that the connector may go over to.

        :raises DirectoryError: an error of the server that is asked.
        """
        asked, connector, whose = self.directory, self._connector, self.whose
        if asked is None or connector is None or whose is None or len(connector.servers) < 2:
            return Standby()
        others = [one for one in self._given if one is not asked]
        silent = {one.uri for one in self._in_use.away} if others else set()
        return look_at_standby(asked, whose.place, others, silent, connector, token, self._context)

    def last(self) -> int | None:
        """Return the newest change number, None where it cannot be known."""
        return self.log.last if self.log and self.log.mode == NUMBERS else None

    def outside(
        self, token: int | None, anchors: t.Iterable[Anchor | None] = (), loads: t.Sequence[Load] = ()
    ) -> tuple[str, str] | None:
        """Return the state of a token that the change log does not reach, and what mends it; None where it does.

        What looks so is looked at once more: a run may have moved the token after the change log was read.

        :param anchors: changes that were noted behind it; ``loads``: see :meth:`facts`.
        """
        found = anew = None
        for again in (False, True):
            log = self.again() if again else self.log
            if log is None or log.mode != NUMBERS:
                return None
            anew = anew or self._counted_anew(token, anchors, loads)
            found = outside(log.first, log.last, token, anew)
            if found is None or anew:
                return found
        if found and self.whose and self.whose.answer == FAILOVER:
            return found[0], f"{self.whose.sentence} {BACK_FIRST}"
        return found

    def anchor(self, number: int | None) -> Anchor | None:
        """Return the change of a number as it is to be noted, None where that is not known for certain.

        :raises DirectoryError: no answer, or an error.
        """
        if self.directory is None or self.log is None or not self._its_own:
            return None
        return read_anchor(self.directory, self.log, number)

    @property
    def reached(self) -> Anchor | None:
        """The newest change that :meth:`touched` has met, as it is to be noted; None where that is not known."""
        return self._reached if self._its_own else None

    @property
    def _its_own(self) -> bool:
        """Whether the numbers are those of the server that the connector reads as a rule."""
        return self._usable and self.whose is not None and self.whose.answer != FAILOVER

    def seen(self, number: int, anchor: Anchor | None) -> int | None:
        """Return the number up to which all was seen to have arrived, where it is one of this change log.

        :param number: as it was noted, 0 for none; ``anchor``: the change that was noted with it.
        :returns: None where nobody knows that it is.
        :raises DirectoryError: no answer, or an error.
        """
        known = not number or (self._noted is not None and self._noted.has(anchor))
        return number if known else None

    @cached_property
    def _noted(self) -> Noted | None:
        log = self.log
        usable = log is not None and log.mode == NUMBERS and self._its_own
        return Noted(self.directory, log) if usable and self.directory and log else None

    def _counted_anew(
        self, token: int | None, anchors: t.Iterable[Anchor | None], loads: t.Sequence[Load]
    ) -> str | None:
        return self._noted.counts_anew(token, anchors, loads) if self._noted and token is not None else None

    def target_of(self, change_number: t.Any) -> str | None:
        """Return the DN of the entry that a change touched, None where that cannot be known."""
        return self._text_of(change_number, "targetDN")

    def time_of(self, change_number: int) -> str | None:
        """Return when a change was made, as in 2026-11-24T17:19:26Z, None where that cannot be known."""
        return as_time(self._text_of(change_number, "changeTime"))

    def now(self) -> str | None:
        """Return the directory's time, None where it does not tell."""
        return time_of(self.directory) if self.directory else None

    def taken(self, token: int, most: int = 100) -> list[Taken]:
        """Return the newest additions and changes behind a token, oldest first, where the connector knows entries by
        their entryUUID; none where it does not.

        :param most: how many changes are looked at.
        :raises DirectoryError: no answer, or an error.
        """
        connector, log = self._connector, self.log
        by_uuid = connector is not None and (connector.uid_attribute or "").lower() == "entryuuid"
        if self.directory is None or log is None or log.mode != NUMBERS or not by_uuid or connector is None:
            return []
        if not all(map(is_name, connector.sync_base_contexts)):
            return []
        bases = [Name.parse(base) for base in connector.sync_base_contexts]
        start = max(log.first, token - most + 1)  # from before the first one OpenDJ 4.6.5 finds nothing (seen)
        names = ["targetDN", "changeType", "changeTime", "targetEntryUUID"]
        found = []
        for entry in changes_in(self.directory, log, start, token, names):
            record, time = entry.text("targetEntryUUID"), as_time(entry.text("changeTime"))
            inside = any(is_within_any(text, bases) for text in entry.texts("targetDN"))
            if record and time and inside and entry.text("changeType") in ("add", "modify"):
                found.append(Taken(record, time))
        return found

    def touched(self, token: int, most: int, after: int = 0) -> list[Touched]:
        """Return the newest changes behind a token within the base contexts, or that were before; one of each
        entry.

        :param most: how many entries at the most.
        :param after: the change number that they come after.
        :raises DirectoryError: no answer, or an error.
        """
        entries = self._behind(token, after)
        self._reached = newest([self._reached, *(Anchor.of(one) for one in entries[-1:])])
        touched: dict[str, Touched] = {}
        for one in reversed(self._parted(entries)[0]):
            if one.moved_to or one.record not in touched:
                touched[one.record] = one
            if len(touched) == most:
                break
        return list(touched.values())

    def strays(self, token: int, most: int, after: int = 0) -> list[Touched]:
        """Return as :meth:`touched` the newest changes outside of the base contexts, one of each entry: the changes of
        others, unless somebody there has a link.

        :raises DirectoryError: no answer, or an error.
        """
        found: dict[str, Touched] = {}
        for one in reversed(self._parted(self._behind(token, after))[1]):
            found.setdefault(one.record, one)
        return list(found.values())[:most]

    def _behind(self, token: int, after: int) -> list[Entry]:
        """Return the changes behind a token that are looked through, oldest first, read once for all who ask."""
        if self.directory is None or self.log is None or not self._placed:
            return []
        start = max(self.log.first, token - MOST_BEHIND + 1, after + 1)
        if self._read is None or self._read[0] != (start, token):
            self._read = (start, token), list(changes_in(self.directory, self.log, start, token, OF_A_CHANGE))
        return self._read[1]

    @property
    def _placed(self) -> bool:
        """Whether the change log has numbers, and it can be told which changes are within the base contexts."""
        numbered = self.log is not None and self.log.mode == NUMBERS
        return numbered and self._connector is not None and all(map(is_name, self._connector.base_contexts))

    def _parted(self, entries: t.Iterable[Entry]) -> tuple[list[Touched], list[Touched]]:
        # where they cannot be placed there are none, and the base contexts may be no names
        return part_by(self._connector.base_contexts if self._connector and self._placed else (), entries)

    def hidden(self, token: int, after: int | None = None) -> Hidden:
        """Return what a search by number does not show of the changes that a token has passed.

        What is still to come is pending, and is looked at when the token has passed it.

        :param after: look at all from this change number on; None: at so many before the token as take about a second.
        :raises DirectoryError: no answer, or an error.
        """
        log = self._end = self.log if self._momentary else self.again()
        if self.directory is None or log is None or not self._placed:
            return Hidden()
        late = unnumbered(self.directory, log)
        if late != [] and self._momentary:
            # an older end would show what has been numbered since as without a number
            log = self._end = self.again() or log
            late = unnumbered(self.directory, log)
        unnumbered_ones = None if late is None else tuple(self._parted(late)[0])
        if not several_servers(log):
            return Hidden((), unnumbered_ones)
        start = max(log.first, token - _MOST_BEHIND + 1) if after is None else max(log.first, after + 1)
        found = left_out(self.directory, log, start, min(token, log.last))
        return Hidden(
            tuple(self._parted(found.changes)[0]),
            unnumbered_ones,
            found.unknown,
            start if after is None and start > log.first else None,
        )

    def _text_of(self, change_number: t.Any, attribute: str) -> str | None:
        if self.directory is None or self.log is None or not isinstance(change_number, int):
            return None
        return text_of_change(self.directory, self.log, change_number, attribute)

    @cached_property
    def log(self) -> ChangeLog | None:
        """How far the change log reached when it was first asked; None where there is none, or no way to it."""
        return first_change_log(self.directory) if self.directory and self._usable else None

    def again(self) -> ChangeLog | None:
        """Return how far the change log reaches now; None where there is none, or no way to it."""
        return read_change_log(self.directory) if self.directory and self._usable else None

    @cached_property
    def whose(self) -> Whose | None:
        """Whether the server is the connector's; None where there is no directory.

        :raises DirectoryError: no answer, an error, or it is shown not to be, and can be of no other one.
        """
        if self.directory is None or self._connector is None:
            return None
        several = len(self._given) > 1
        found = self._in_use.whose if several else judge_whose(self.directory, self._connector.servers)
        if found.answer == FAILOVER:
            self._context.report.warn(found.sentence)
        if found.answer == OTHER and self._sole:
            raise DirectoryError(found.sentence, remedy=REMEDY)
        if found.answer == OTHER:
            name = self._connector.name
            self._context.report.warn(f"directory: nothing is known of pending changes of {name}. {found.sentence}")
        if found.lacks and self._strict:
            raise DirectoryError(found.sentence, status=INSUFFICIENT_ACCESS, remedy=found.remedy)
        if found.answer == UNKNOWN:
            used = "They are taken at your word." if found.usable else "They are not used."
            self._context.report.warn(f"{found.sentence} So it is for its change numbers. {used} {found.remedy}")
        return found

    @property
    def _momentary(self) -> bool:
        """Whether all this is read within a moment, so that an end that was read is one of now."""
        return self.directory is not None and self.directory.kept is not None

    @property
    def _usable(self) -> bool:
        """Whether the numbers mean something, as far as is known."""
        return self.whose is not None and self.whose.usable

    @cached_property
    def missing(self) -> tuple[str, ...] | None:
        """The grants that the connector's account lacks, by name; None where that cannot be judged."""
        return self._access.missing if self._access else None

    @property
    def denied_by(self) -> tuple[str, ...]:
        """The names of the ACIs that deny the account the change log, or some of it; none where that is not known."""
        try:
            return self._access.denied_by if self._usable and self._access else ()
        except DirectoryError:  # bind_dn may not read what tells it
            return ()

    @cached_property
    def _access(self) -> Access | None:
        if self.directory is None or self._connector is None or not self._connector.principal:
            return None
        try:
            return judge_access(self.directory, self._connector.principal, self.log)
        except DirectoryError as exc:
            if exc.status == NO_SUCH_OBJECT:  # the account lies elsewhere: nothing can be judged here
                return None
            raise

    @cached_property
    def unrecorded(self) -> tuple[str, ...]:
        """The suffixes of the connector whose changes the server keeps out of its change log, as far as it tells."""
        if self.directory is None or self._connector is None or not all(map(is_name, self._connector.base_contexts)):
            return ()
        return unrecorded(self.directory, self._connector.base_contexts)

    @cached_property
    def _alias_search(self) -> bool | None:
        return alias_search_works(self.directory, self.log) if self.directory and self.log else None

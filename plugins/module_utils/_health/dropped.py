# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that IDM gave up on and that nothing has brought over since.

audit/sync names the records that failed, the dead letter queue those that were put aside. A record counts until a later
entry of audit/sync or of audit/recon shows that it was brought over, until a load of its mapping is recorded, or until
neither it nor a link of it is there any more.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.errors import Refused
from .._base.filters import any_of, equals, starts_with
from .._base.text import reason_in
from .._base.values import as_int, as_text
from .._http.client import Client, segment
from .._idm.audit import (
    FAILED,
    RACE_SECONDS,
    RECON_TOPIC,
    RECONCILED,
    SYNC_FAILED,
    SYNC_TOPIC,
    AuditEntry,
    ask_sync,
    second_of,
    seconds_between,
)
from .._idm.connector import FailurePolicy
from .._idm.error_texts import DOUBLED, RACE, read_reason
from .._idm.source import Source
from .._proof.pages import read_these

DEAD_LETTERS = "repo/synchronisation/deadLetterQueue"
_LINKS = "repo/link"
#: So many failed entries are read at once, so many times for each source, and so many records are followed up.
_MOST_FAILURES, _MOST_PAGES, _MOST_RECORDS = 1000, 10, 400
#: So many ids fit into one filter: 200 answer 414 (seen on OpenIDM 6.1.0).
_IDS = 40
_TOO_MANY = (
    "audit/sync holds more failures of this source than are looked at: older records that IDM gave up on would not"
    " show. Run the role livesync with initial_load: always, which loads all and records it."
)
_LINK_ONLY = "LINK_ONLY"
#: Actions that leave the target as it is.
_REPORTED = ("REPORT", "NOREPORT", "ASYNC")


@dataclass(frozen=True)
class Dropped:
    """One record whose change was dropped.

    :param record: its id within the source.
    :param time: when it failed last, by the server's clock; None where that is not known.
    :param dead_letter: the id of its entry in the dead letter queue, None where it has none.
    """

    record: str
    mapping: str | None = None
    time: str | None = None
    situation: str | None = None
    cause: str | None = None
    dead_letter: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return the record as modules show it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Watched:
    """What is known of a source whose dropped records are sought.

    :param loaded: when each mapping's recorded load ended, by its name.
    :param failing: the record that the token stands before, which IDM has not given up on yet.
    :param time_of: tells when the change of a number was made, None where that cannot be known.
    """

    source: Source
    policy: FailurePolicy
    loaded: t.Mapping[str, str]
    failing: str | None
    time_of: t.Callable[[int], str | None]


@dataclass(frozen=True)
class Found:
    """What was found of one source.

    :param records: what was dropped; None where neither audit nor a dead letter queue tells of it.
    :param unread: a sentence about dead letters that cannot be read, None where they can, or there are none to read.
    """

    records: tuple[Dropped, ...] | None
    unread: str | None = None


def newest_failures(client: Client) -> list[AuditEntry] | None:
    """Return the newest failures of all sources together, and entries that do not tell whether they are such; None
    where audit/sync does not answer.

    :raises Unreachable: as the client.
    """
    return ask_sync(client, SYNC_FAILED, size=_MOST_FAILURES)


def untold(failures: t.Iterable[AuditEntry], source: Source, loaded: str, without: t.Collection[str]) -> str | None:
    """Return what is to be said where entries of a source do not tell how their records fared, None where all do.

    :param failures: as :func:`newest_failures` returned them.
    :param loaded: when the last load of the source ended, "" for never: what failed before it is done with.
    :param without: the fields that audit is told to keep out.
    """
    since = second_of(loaded)
    if not any(not one.told and one.timestamp >= since and (one.is_of(source) or not one.source) for one in failures):
        return None
    return (
        f"Which records failed cannot be known: audit/sync does not tell. {', '.join(without) or 'status'} is kept out"
        " of it, or was when its entries were written (filterPolicies of config/audit), and IDM drops a record that"
        " fails. Take that out of excludeIf there, then run the role livesync with initial_load: always, which loads"
        " all and records it. Or set postRetryAction to dead-letter-queue in the connector's syncFailureHandler."
    )


def read_dropped(
    client: Client, failures: t.Sequence[AuditEntry] | None, watched: t.Sequence[Watched]
) -> dict[Source, Found]:
    """Return the dropped records of each source.

    :param failures: as :func:`newest_failures` returned them.
    :raises Unreachable: as the client.
    """
    found: dict[Source, Found] = {}
    for one in watched:
        letters: list[Dropped] | None = None
        unread = None
        if one.policy.may_keep_letters:
            try:
                letters = _letters(client, one)
            except Refused as exc:
                unread = _unread(exc) if one.policy.keeps_letters else None
        if failures is None and letters is None:
            found[one.source] = Found(None, unread)
            continue
        entries, complete = _with_older(client, failures or (), one)
        unread = unread if complete else _TOO_MANY
        known = _with_letters(_failed(entries, one), letters or ())
        left = _left(client, one.source, [drop for drop in known if drop.record != one.failing])
        found[one.source] = Found(left, unread)
    return found


def _with_older(client: Client, newest: t.Sequence[AuditEntry], one: Watched) -> tuple[list[AuditEntry], bool]:
    """Return the newest failures, with the older ones of a source where they are not all, and whether these are.

    A record that blocks a source makes a thousand in an hour or two, and is left out: it was not given up on yet.
    """
    found = list(newest)
    read = len(found)
    loaded = second_of(min(one.loaded.values(), default=""))
    what = f"{starts_with('sourceObjectId', f'{one.source}/')} and {SYNC_FAILED}"
    if one.failing:
        what += f" and !({equals('sourceObjectId', f'{one.source}/{one.failing}')})"
    for _page in range(_MOST_PAGES):
        if read < _MOST_FAILURES or found[-1].timestamp < loaded:
            return found, True
        older = ask_sync(client, f'{what} and timestamp le "{found[-1].timestamp}"', size=_MOST_FAILURES)
        if older is None:
            return found, False
        found += older
        read = len(older)
    return found, False


def _failed(failures: t.Iterable[AuditEntry], one: Watched) -> list[Dropped]:
    """Return the newest failure of each record of a source in each mapping that no recorded load has overtaken."""
    found: dict[tuple[str, str | None], Dropped] = {}
    for entry in failures:
        loaded = second_of(one.loaded.get(entry.mapping or "", ""))
        if not entry.failed or not entry.is_of(one.source) or entry.timestamp < loaded:
            continue
        key = entry.record, entry.mapping
        if key not in found or str(found[key].time) < entry.timestamp:
            found[key] = Dropped(entry.record, entry.mapping, entry.timestamp, entry.situation, entry.cause)
    return list(found.values())


def _with_letters(failed: list[Dropped], letters: t.Iterable[Dropped]) -> list[Dropped]:
    """Return what failed with the dead letters of the same records, and those of other records after it."""
    by_record = {letter.record: letter for letter in letters}
    known = {one.record for one in failed}
    named = [
        replace(one, dead_letter=by_record[one.record].dead_letter) if one.record in by_record else one
        for one in failed
    ]
    return [*named, *(letter for record, letter in by_record.items() if record not in known)]


def _unread(exc: Refused) -> str | None:
    """Return what is to be said where the dead letter queue was not to be read; None where there is no such thing."""
    if exc.status in (404, 501):
        return None
    return (
        f"IDM's dead letter queue cannot be read ({DEAD_LETTERS}: HTTP {exc.status}), and a record that failed before"
        " the mapping shows nowhere else: look there with an account that may read it."
    )


def _letters(client: Client, one: Watched) -> list[Dropped]:
    """Return what the dead letter queue holds of a source.

    :raises Unreachable, Refused: as the client.
    """
    letters = read_dead_letters(client, one.source)
    loaded = second_of(min(one.loaded.values(), default=""))
    found = []
    for number, letter in letters:
        time = one.time_of(number) if number is not None else None
        if not (time and time < loaded):
            found.append(replace(letter, time=time))
    return found


def read_dead_letters(client: Client, source: Source) -> list[tuple[int | None, Dropped]]:
    """Return what the dead letter queue holds of a source, each with its change number.

    :raises Unreachable, Refused: as the client.
    """
    letters = client.query(f"{DEAD_LETTERS}/{segment(source.system)}")
    return [
        (
            as_int(letter.get("token")),
            Dropped(
                record=str(letter.get("uid")),
                cause=reason_in(as_text(letter.get("failureCause")) or ""),
                dead_letter=str(letter.get("_id")),
            ),
        )
        for letter in letters
        if letter.get("objectType") in (None, source.object_type)
    ]


def _left(client: Client, source: Source, dropped: list[Dropped]) -> tuple[Dropped, ...]:
    """Return those of the records that nothing has brought over."""
    followed, others = dropped[:_MOST_RECORDS], dropped[_MOST_RECORDS:]
    left: list[Dropped] = []
    for start in range(0, len(followed), _IDS):
        part = followed[start : start + _IDS]
        successes = successes_of(client, source, [one.record for one in part]) or []
        part = [one for one in part if not any(_mends(success, one) for success in successes)]
        gone = _gone(client, source, part)
        left += [one for one in part if one.record not in gone]
    return (*left, *others)


def successes_of(
    client: Client, source: Source, records: t.Sequence[str], *, failures: bool = False
) -> list[AuditEntry] | None:
    """Return the newest entries of audit, of liveSync and of reconciliations, that tell of a success of some records.

    :param failures: those that tell of a failure too.
    :returns: None where audit/sync does not answer.
    :raises Unreachable: as the client.
    """
    found: list[AuditEntry] = []
    which = "" if failures else f" and !({FAILED})"
    for start in range(0, len(records), _IDS):
        part = records[start : start + _IDS]
        synchronised = _newest_of_each(client, source, part, which)
        if synchronised is None and failures:
            return None
        found += synchronised or []
        found += _newest_of_each(client, source, part, f" and {RECONCILED}{which}", RECON_TOPIC) or []
    return [entry for entry in found if (failures or not entry.failed) and entry.is_of(source)]


def _newest_of_each(
    client: Client, source: Source, records: t.Sequence[str], more: str, topic: str = SYNC_TOPIC
) -> list[AuditEntry] | None:
    """Return entries of audit about some records, the newest of each among them; None where it does not answer.

    :param more: what else holds for them, to go on in a filter.
    """
    found: list[AuditEntry] = []
    while records:
        ids = any_of("sourceObjectId", [f"{source}/{record}" for record in records])
        entries = ask_sync(client, f"{ids}{more}", size=_MOST_FAILURES, topic=topic)
        if entries is None:
            return None
        found += entries
        if len(entries) < _MOST_FAILURES:
            break
        # a record that was tried a thousand times hides the others
        told = {entry.record for entry in entries}
        records = [record for record in records if record not in told] if told & {*records} else []
    return found


def _mends(success: AuditEntry, one: Dropped) -> bool:
    """Tell whether a success has brought over what was dropped."""
    if success.record != one.record or one.time is None or success.action in _REPORTED or not success.told:
        return False
    if one.mapping and success.mapping and one.mapping != success.mapping:
        return False
    if success.timestamp > one.time:
        return True
    before = seconds_between(success.timestamp, one.time)
    return before is not None and before <= RACE_SECONDS and read_reason(one.cause or "").kind in (RACE, DOUBLED)


def there_in(client: Client, source: Source, records: t.Sequence[str]) -> set[str]:
    """Return those of some records that the source has.

    :raises Unreachable, Refused: as the client.
    """
    return {str(item.get("_id")) for item in read_these(client, source.path, "_id", records, "_id")}


def _gone(client: Client, source: Source, part: t.Sequence[Dropped]) -> set[str]:
    """Return the records of which neither the source nor a link knows any more: there is nothing to bring over.

    Neither is there where only the link is left (LINK_ONLY): no reconciliation clears that (seen on OpenIDM 6.1.0).
    """
    records = [one.record for one in part]
    if not records:
        return set()
    try:
        there = there_in(client, source, records)
        link_only = {one.record for one in part if one.situation == _LINK_ONLY and one.record not in there}
        missing = [record for record in records if record not in there and record not in link_only]
        if not missing:
            return link_only
        # the source is the second side where a mapping shares the links of the opposite one
        for side in ("firstId", "secondId"):
            linked = {str(link.get(side)) for link in client.query(_LINKS, any_of(side, missing), _fields=side)}
            missing = [record for record in missing if record not in linked]
            if not missing:
                break
    except Refused:
        return set()
    return {*missing, *link_only}

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a change log by their numbers: what is pending, and what a search by number does not show.

Where several directory servers take changes, some are given numbers out of the order of their replicationCSN, and a
search for a range of numbers leaves those out; a search for that one entry finds it. Once a server was killed, the
others number no change until it is back, and only the cookie of the change log tells of them (both seen on two OpenDJ
4.6.5 that replicate). liveSync searches by ranges of numbers, so that it never sees either.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.errors import DirectoryError
from .._ldap.directory import INSUFFICIENT_ACCESS, ONE_LEVEL, SIZE_LIMIT_EXCEEDED, SUBTREE, Control, Directory, Entry
from .._ldap.dn import Name, is_name, is_within_any
from .log import ChangeLog, as_time

#: What is read of a change whose entry is looked for.
OF_A_CHANGE = ("replicationCSN", "targetDN", "changeType", "changeTime", "targetEntryUUID", "newRDN", "newSuperior")
#: What is read of the newest changes by all who look at them.
_OF_THE_NEWEST = (*OF_A_CHANGE, "changeLogCookie")
#: So many changes behind a token are looked through for those of different entries, some of which change all the time.
MOST_BEHIND = 1000
#: By this name they are among what a connection keeps.
_KEPT = "changes"
#: Seconds within which a change gets its number; one without is nothing odd until then.
NUMBERED_WITHIN = 10.0
#: So many are looked at where their numbers tell how many there are: when the first was made, and whether they show.
_SAMPLE = 100
#: What it answers then (RFC 4511, appendix A): a limit of time, of size, of an administrator.
_TOO_MANY = (3, SIZE_LIMIT_EXCEEDED, 11)
#: So many changes are looked for one by one, where there is no other way.
_MOST_ALONE = 400
#: So many of them for a count that may say "at least".
_MOST_COUNTED = 20
#: So many numbers before the first one that is left out the cookie is taken from: the order is lost around it.
_BEFORE = 50
#: "External changelog cookie" of OpenDJ and its relatives; its value is the cookie as it is (seen on OpenDJ 4.6.5).
_COOKIE = "1.3.6.1.4.1.26027.1.5.4"


@dataclass(frozen=True)
class Pending:
    """Changes behind a token.

    :param total: all of them, by number.
    :param inside: those to entries within the base contexts; the others move the token and nothing else.
    :param complete: whether all were looked at; else ``inside`` is so many at the least.
    :param oldest: when the first of those inside was made, as in 2026-11-24T17:19:26Z; None where it is not told.
    """

    total: int
    inside: int
    complete: bool = True
    oldest: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """What a search for a range of numbers leaves out.

    :param changes: the changes themselves, but for those whose entry a later number that is shown touches too: with
        that one, liveSync brings the entry as it is.
    :param unknown: of how many more numbers nothing can be known.
    """

    changes: tuple[Entry, ...] = ()
    unknown: int = 0


def several_servers(log: ChangeLog) -> bool:
    """Tell whether changes of more than one server are in the change log, or may be."""
    return log.cookie is None or len(_csns(log.cookie)) != 1


def lags(cookie: str | None, other: str | None) -> bool:
    """Tell whether a cookie lacks changes that another server's cookie has: they have not been replicated."""
    there, here = _newest(other), _newest(cookie)
    return any(order > here.get(server, "") for server, order in there.items())


def _newest(cookie: str | None) -> dict[str, str]:
    """Return what sorts the newest change of each server that a cookie names, by suffix and the server's id."""
    return {f"{suffix}:{order[-4:]}": order for suffix, csn in _changes(cookie or "") if (order := _order(csn))}


def _csns(cookie: str) -> list[str]:
    """Return the newest change of each server that a cookie names."""
    return [csn for _suffix, csn in _changes(cookie)]


def _changes(cookie: str) -> list[tuple[str, str]]:
    """Return the suffixes and changes that a cookie names: ``<suffix>:<CSN> <CSN>;<suffix>:...``."""
    parts = [part.rpartition(":") for part in cookie.split(";")]
    return [(suffix, csn) for suffix, _colon, csns in parts for csn in csns.split()]


@dataclass(frozen=True)
class _Kept:
    """The changes from one number to another, as they were read."""

    first: int
    last: int
    changes: tuple[Entry, ...]


def changes_in(
    directory: Directory, log: ChangeLog, first: int, last: int, attributes: t.Sequence[str]
) -> t.Iterator[Entry]:
    """Yield the changes from one number to another, with as few searches as the server's limits allow.

    A task that only reads looks several times at the newest ones, and reads them once: a change stays as it is.

    :param first: not before the first one of the log: OpenDJ 4.6.5 finds nothing then (seen).
    :raises DirectoryError: no answer, or an error.
    """
    if directory.kept is None or last - first >= MOST_BEHIND or not {*attributes} <= {*_OF_THE_NEWEST}:
        yield from _read_changes(directory, log, first, last, attributes)
        return
    if first > last:
        return
    kept = directory.kept.get(_KEPT)
    if kept is None or not kept.first <= first <= last <= kept.last:
        kept = _Kept(first, last, tuple(_read_changes(directory, log, first, last, _OF_THE_NEWEST)))
        directory.keep(_KEPT, kept)
    yield from (one for one in kept.changes if first <= (one.number("changeNumber") or 0) <= last)


def keep_newest(directory: Directory, log: ChangeLog, token: int) -> None:
    """Read at once what a task that only reads looks at behind a token, and after it; whoever asks for it finds it.

    Where that is too much, or fails, each is left to ask for its own, and to meet the error.

    :raises DirectoryError: no answer.
    """
    first, last = max(log.first, token - MOST_BEHIND + 1), log.last
    kept = directory.kept.get(_KEPT) if directory.kept is not None else None
    known = kept is not None and kept.first <= first and last <= kept.last
    if directory.kept is None or known or not last or not 0 <= last - first < 2 * MOST_BEHIND:
        return
    try:
        directory.keep(_KEPT, _Kept(first, last, tuple(_read_changes(directory, log, first, last, _OF_THE_NEWEST))))
    except DirectoryError as exc:
        if exc.status is None:
            raise


def _read_changes(
    directory: Directory, log: ChangeLog, first: int, last: int, attributes: t.Sequence[str]
) -> t.Iterator[Entry]:
    """Yield as :func:`changes_in`, from the server.

    The search has no upper end and asks for as many as there are: OpenDJ 4.6.5 reads on to the end of its log for one
    that has an upper end (seen: 100 of the oldest of 20,000 changes took 3.2 s so, and 0.02 s without it).
    """
    reached = first - 1
    while reached < last:
        start = reached + 1
        wanted = f"(&(objectClass=changeLogEntry)(changeNumber>={start}))"
        suffix, names = log.suffix, ["changeNumber", *attributes]
        try:
            for entry in directory.stream(suffix, ONE_LEVEL, wanted, names, size_limit=last - reached):
                number = entry.number("changeNumber") or 0
                reached = max(reached, number)
                if number <= last:
                    yield entry
        except DirectoryError as exc:
            if exc.status not in _TOO_MANY or reached < start:
                raise
        else:
            return


def text_of_change(directory: Directory, log: ChangeLog, number: int, attribute: str) -> str | None:
    """Return what an attribute of one change says, None where the change is not shown, or does not say it.

    :raises DirectoryError: no answer, or an error.
    """
    wanted = f"(&(objectClass=changeLogEntry)(changeNumber={number}))"
    found = directory.search(log.suffix, ONE_LEVEL, wanted, [attribute])
    return next((one.text(attribute) for one in found), None)


def pending_changes(
    directory: Directory, log: ChangeLog, token: int, base_contexts: t.Sequence[str], most: int = 5000
) -> Pending:
    """Count the changes after ``token``, and how many of them touch entries within ``base_contexts``.

    A rename counts as inside where either end of it is. Of what the change log leaves out a few are looked for one
    by one. Where all suffixes of the change log lie within the base contexts, the numbers tell all.

    :param most: how many changes are looked at otherwise: a quarter of a second for each thousand on OpenDJ 4.6.5.
    :raises DirectoryError: no answer, or the account may not read the change log. A server shows no entry, or an entry
        without its targetDN, to an account that no ACI lets read it (seen on OpenDJ 4.6.5): that is not "nothing".
    """
    start = max(token + 1, log.first)
    total = max(0, log.last - start + 1)
    if not total:
        return Pending(0, 0)
    bases = [Name.parse(base) for base in base_contexts]
    everywhere = _lies_within(log, bases)
    end = min(log.last, start + (_SAMPLE if everywhere else most) - 1)
    shown: set[int] = set()
    inside = 0
    oldest: str | None = None

    def count(entries: t.Iterable[Entry]) -> None:
        nonlocal inside, oldest
        for entry in entries:
            shown.add(entry.number("changeNumber") or 0)
            if not entry.text("targetDN"):
                raise _not_shown(directory, start, end)
            touched = (*entry.texts("targetDN"), *entry.texts("newSuperior"))
            if any(is_within_any(text, bases) for text in touched):
                inside += 1
                oldest = oldest or as_time(entry.text("changeTime"))

    about = ("targetDN", "newSuperior", "changeTime")
    count(changes_in(directory, log, start, end, about))
    hidden = [number for number in range(start, end + 1) if number not in shown]
    count(_alone(directory, log, hidden[:_MOST_COUNTED], about))
    if not shown:
        raise _not_shown(directory, start, end)
    if everywhere:
        return Pending(total=total, inside=total, oldest=oldest)
    return Pending(total=total, inside=inside, complete=len(shown) == total, oldest=oldest)


def _lies_within(log: ChangeLog, bases: t.Sequence[Name]) -> bool:
    """Tell whether all suffixes whose changes are in the change log are known, and lie within some names."""
    suffixes = [part.rpartition(":")[0] for part in (log.cookie or "").split(";") if part.strip()]
    return bool(suffixes) and all(is_name(one) and is_within_any(one, bases) for one in suffixes)


def _alone(directory: Directory, log: ChangeLog, numbers: t.Iterable[int], attributes: t.Sequence[str]) -> list[Entry]:
    """Return the changes of some numbers, each looked for by its name."""
    names = [f"changeNumber={number},{log.suffix}" for number in numbers]
    found = [directory.read(name, ["changeNumber", *attributes]) for name in names]
    return [entry for entry in found if entry is not None and entry.number("changeNumber") is not None]


def _not_shown(directory: Directory, start: int, end: int) -> DirectoryError:
    return DirectoryError(
        f"{directory.uri} has the changes {start} to {end}, and does not show to {directory.bind_dn} what they are.",
        status=INSUFFICIENT_ACCESS,
        remedy="The account in bind_dn needs the privilege bypass-acl, or an ACI that lets it read changeNumber,"
        " targetDN, newSuperior and changeTime of the entries below cn=changelog.",
    )


def left_out(directory: Directory, log: ChangeLog, first: int, last: int) -> LeftOut:
    """Return the changes that a search from one number to another leaves out.

    They are found among all changes after a cookie, which shows each: to look for their numbers one by one takes
    OpenDJ 4.6.5 a quarter of a second each in a log of 20,000 (seen).

    :raises DirectoryError: no answer, or an error.
    """
    first = max(log.first, first)
    if first > last or not log.last:
        return LeftOut()
    missing = set(range(first, last + 1))
    shown: set[str] = set()
    newest: dict[str, str] = {}
    for entry in changes_in(directory, log, first, last, ["targetEntryUUID", "replicationCSN"]):
        missing.discard(entry.number("changeNumber") or 0)
        shown.add(_order(entry.text("replicationCSN")))
        record = entry.text("targetEntryUUID") or ""
        newest[record] = max(_place(entry), newest.get(record, ""))
    if not missing:
        return LeftOut()
    found = None
    if shown and "" not in shown:
        start = max(first, min(missing) - _BEFORE)
        before = _alone(directory, log, [start], ["changeLogCookie"])
        cookie = next((one.text("changeLogCookie") for one in before), None)
        found = _after(directory, log, cookie, last - start + _MOST_ALONE) if cookie else None
    if found is None:
        found = _alone(directory, log, sorted(missing)[-_MOST_ALONE:], OF_A_CHANGE)
    else:
        end = max(shown)
        found = [one for one in found if (csn := _order(one.text("replicationCSN"))) < end and csn not in shown]
    left = [
        one for one in found if _order(one.text("replicationCSN")) >= newest.get(one.text("targetEntryUUID") or "", "")
    ]
    return LeftOut(tuple(left), max(0, len(missing) - len(found)))


def _place(entry: Entry) -> str:
    """Return what sorts the changes of one log by their time, or else by their numbers."""
    return _order(entry.text("replicationCSN")) or f"{entry.number('changeNumber') or 0:028d}"


def _after(directory: Directory, log: ChangeLog, cookie: str, most: int) -> list[Entry] | None:
    """Return the changes after a cookie, oldest first, with or without a number; None where none is to be had.

    :raises DirectoryError: no answer.
    """
    found: list[Entry] = []
    control = Control(_COOKIE, cookie.encode())
    wanted, suffix = "(objectClass=changeLogEntry)", log.suffix
    try:
        for entry in directory.stream(suffix, SUBTREE, wanted, OF_A_CHANGE, controls=[control], size_limit=most):
            found.append(entry)
    except DirectoryError as exc:
        if exc.status is None:
            raise
        if exc.status not in _TOO_MANY or not found:
            return None
    return found


def unnumbered(directory: Directory, log: ChangeLog) -> list[Entry] | None:
    """Return the changes that have no number yet, oldest first; None where there are some, and none is shown.

    Numbering is asynchronous: a change without a number is nothing odd within :data:`NUMBERED_WITHIN`.

    :param log: how far the change log reaches now.
    :raises DirectoryError: no answer.
    """
    if not log.cookie or not log.last:
        return []
    newest, after = "", None
    for entry in changes_in(
        directory, log, max(log.first, log.last - _SAMPLE + 1), log.last, ["replicationCSN", "changeLogCookie"]
    ):
        if (csn := _order(entry.text("replicationCSN"))) and csn > newest:
            newest, after = csn, entry.text("changeLogCookie")
    if (
        not after
        or after.strip(";") == log.cookie.strip(";")
        or max(map(_order, _csns(log.cookie)), default="") <= newest
    ):
        return []
    found = _after(directory, log, after, _MOST_ALONE)
    return None if found is None else [one for one in found if _order(one.text("replicationCSN")) > newest]


def _order(csn: str | None) -> str:
    """Return what sorts the CSNs of OpenDJ by time, then by count; empty for another form.

    Sixteen digits are the time in milliseconds, four the server, eight its count (seen on OpenDJ 4.6.5).
    """
    parts = re.fullmatch(r"([0-9a-f]{16})([0-9a-f]{4})([0-9a-f]{8})", (csn or "").lower())
    return f"{parts[1]}{parts[3]}{parts[2]}" if parts else ""


def inside_of(entry: Entry, bases: t.Sequence[Name]) -> tuple[bool, str | None]:
    """Tell whether a change touches an entry within some names; and return the name that a rename gave it."""
    dn = entry.text("targetDN") or ""
    moved = None
    if entry.text("newRDN") and is_name(dn):
        moved = f"{entry.text('newRDN')},{entry.text('newSuperior') or Name.parse(dn).parent}"
    return any(is_within_any(name, bases) for name in (dn, moved or "") if is_name(name)), moved

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IDM's audit of synchronisation tells of liveSync: signs of life, causes, and how far a run is.

Each record that liveSync handles leaves an entry in audit/sync (seen on OpenIDM 6.1.0). The cloud service writes its
audit elsewhere and answers 501, newer servers may not keep the topic: everything here can also not be known.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._base.errors import Refused
from .._base.filters import equals, starts_with
from .._base.text import reason_in
from .._base.values import as_bool, as_dict, as_int, as_list, as_text, as_texts
from .._http.client import Client
from .source import Source

SYNC_TOPIC, RECON_TOPIC, CONFIG_TOPIC = "audit/sync", "audit/recon", "audit/config"
_CONFIG = "config/audit"
_FRACTION = re.compile(r"\.(\d+)", re.ASCII)
_CALLS = "audit/access"
#: So many calls are looked through for the one that was sent.
_MOST_CALLS = 1000
#: So many entries of one record tell how its last attempts ended.
_FEW = 5
#: A run that lost a race failed within so many seconds of the success of the one that won it.
RACE_SECONDS = 60.0
#: The filter of entries that tell of a record which was not brought over; that of a reconciliation's records.
FAILED = '(status eq "FAILURE" or action eq "EXCEPTION")'
RECONCILED = 'entryType eq "entry"'
#: The same filter for audit/sync, where one without action and situation failed too, and one without status tells that
#: audit keeps it out.
SYNC_FAILED = f"({FAILED.strip('()')} or (!(action pr) and !(situation pr)) or !(status pr))"
#: What tells whether a record was brought over; config/audit may keep it out of the log (filterPolicies).
_TELLING = ("status", "action", "situation")
#: Among what is known of a server: that this has been asked.
_ASKED = f"{_CONFIG}/filterPolicies"
#: Why it did. Scripts that keep a record out (validSource) leave a FAILURE with their words (seen on OpenIDM 6.1.0).
NO_SITUATION = (
    "IDM has found no situation for it, without a word: the correlationQuery or correlationScript of the mapping ends"
    " in an error"
)
#: What mends that. Until then a reconciliation ends in the state FAILED, "Synchronization failed" (seen there).
NO_SITUATION_REMEDY = (
    "Mend the correlationQuery (or correlationScript) of the mapping: IDM's log has the error of the script or of its"
    " filter, beside the id of the record."
)


@dataclass(frozen=True)
class AuditEntry:
    """One record that was synchronised, or was not.

    :param record: the record's id within its source.
    :param failed: whether it was not brought over. A situation whose action is EXCEPTION is not, nor is a record for
        which neither situation nor action was found (the keys are null, or missing), as where the correlation query
        breaks: audit calls their status SUCCESS all the same (seen on OpenIDM 6.1.0).
    :param cause: why it failed, one line, None where it did not.
    :param mapping: the name of the mapping, None where the entry does not tell.
    :param source: what the record is of, as in system/ldap/account.
    :param action: what the mapping's policy made of it; REPORT, NOREPORT and ASYNC do nothing, and succeed.
    :param transaction: what all entries of one run share, those of a job's too (seen on OpenIDM 6.1.0).
    :param told: whether it tells how the record fared: audit may keep the fields out that do.
    """

    id: str
    timestamp: str
    record: str
    failed: bool
    cause: str | None
    mapping: str | None = None
    situation: str | None = None
    source: str = ""
    action: str | None = None
    transaction: str | None = None
    told: bool = True

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any], without: t.Collection[str] = ()) -> AuditEntry:
        """Return the entry that an answer holds.

        :param without: the fields that audit keeps out of such entries.
        """
        path = str(body.get("sourceObjectId") or "")
        source = next(iter(re.findall(r"^system/[^/]+/[^/]+(?=/)", path)), "")
        status = body.get("status")
        unfound = _unfound(body) and not without
        return cls(
            id=str(body.get("_id")),
            timestamp=str(body.get("timestamp")),
            record=path.removeprefix(f"{source}/"),
            failed=status == "FAILURE" or body.get("action") == "EXCEPTION" or unfound,
            cause=reason_in(str(body.get("exception") or body.get("message") or ""))
            or (NO_SITUATION if unfound else None),
            mapping=as_text(body.get("mapping")),
            situation=as_text(body.get("situation")),
            source=source,
            action=as_text(body.get("action")),
            transaction=as_text(body.get("transactionId")),
            told=bool(status) and not (_unfound(body) and without),
        )

    def is_of(self, source: Source) -> bool:
        """Tell whether the record is one of a source."""
        return self.source == str(source)


def _unfound(body: t.Mapping[str, t.Any]) -> bool:
    """Tell whether an entry says that a record was handled, and neither in which situation nor what was done."""
    return bool(body.get("status")) and not body.get("action") and not body.get("situation")


def ask_sync(
    client: Client, what: str, *, order: str = "-timestamp", size: int = 1, topic: str = SYNC_TOPIC
) -> list[AuditEntry] | None:
    """Return entries of audit, None where it does not answer.

    :param what: a filter.
    :param order: by which key, "-" before it for descending.
    :param size: how many at the most.
    :raises Unreachable: as the client.
    """
    found = ask_audit(client, topic, what, order=order, size=size)
    if found is None:
        return None
    if topic == SYNC_TOPIC and any(not body.get("status") or _unfound(body) for body in found):
        _see_what_is_kept_out(client, found)
    return [AuditEntry.parse(body, kept_out(client)) for body in found]


def kept_out(client: Client) -> tuple[str, ...]:
    """Return which fields that tell how a record fared are kept out of audit/sync, as far as its entries have shown."""
    return tuple(name for name in _TELLING if f"{SYNC_TOPIC}/{name}" in client.silent)


def _see_what_is_kept_out(client: Client, found: t.Iterable[t.Mapping[str, t.Any]]) -> None:
    """Find out, once, whether a policy of audit is why entries of audit/sync do not tell how a record fared.

    (filterPolicies, as in /sync/status below value.excludeIf: the entries come without it, seen on OpenIDM 6.1.0.)

    :raises Unreachable: as the client.
    """
    if _ASKED in client.silent:
        return
    client.silent.add(_ASKED)
    try:
        config = as_dict(client.get(_CONFIG))
    except Refused:
        config = {}
    policies = as_dict(as_dict(config.get("auditServiceConfig")).get("filterPolicies"))
    stated = {path for policy in policies.values() for path in as_texts(as_dict(policy).get("excludeIf"))}
    names = [name for name in _TELLING if stated & {f"/sync/{name}", "/sync"}]
    if not config and not all(body.get("status") for body in found):
        names = ["status"]  # which each entry has otherwise
    client.silent.update(f"{SYNC_TOPIC}/{name}" for name in names)


def ask_audit(
    client: Client, topic: str, what: str, *, size: int, order: str | None = None
) -> list[dict[str, t.Any]] | None:
    """Return what a topic of audit holds, None where it does not answer.

    Order and number are kept here, too: the JSON handler, which newer releases ask by default, looks at neither, and
    answers all that matches, oldest first (seen on OpenIDM 7.0).

    :param order: by which key, "-" before it for descending; None for any.
    :param size: how many at the most.
    :raises Unreachable: as the client.
    """
    if topic in client.silent:
        return None
    try:
        found = client.query(topic, what, _pageSize=str(size), **({"_sortKeys": order} if order else {}))
    except Refused as exc:
        if exc.status == 501:  # there is no such thing here (seen on a live tenant): asked once is enough
            client.silent.add(topic)
        return None
    if order:
        found.sort(key=lambda entry: str(entry.get(order.lstrip("-"))), reverse=order.startswith("-"))
    return found[:size]


def kept_topics(client: Client) -> frozenset[str]:
    """Return the topics that are known to be written, whole, to where audit is asked; none where that cannot be read.

    :raises Unreachable: as the client.
    """
    try:
        stated = client.get(_CONFIG)
    except Refused:
        return frozenset()
    service = as_dict(stated.get("auditServiceConfig"))
    kept_out = as_texts(as_dict(as_dict(service.get("filterPolicies")).get("value")).get("excludeIf"))
    partly = {name.strip("/").partition("/")[0] for name in kept_out}
    handlers = [as_dict(as_dict(one).get("config")) for one in as_list(stated.get("eventHandlers"))]
    asked = [one for one in handlers if one.get("name") == service.get("handlerForQueries")]
    on = [one for one in asked if as_bool(one.get("enabled", True)) is True]
    return frozenset(name for one in on for name in as_texts(one.get("topics"))) - partly


def has_reconciled(client: Client, source: Source) -> bool:
    """Tell whether audit/recon has an entry about a source: a newer release need not keep any.

    :raises Unreachable: as the client.
    """
    return bool(ask_sync(client, f"{_about(source)} and {RECONCILED}", topic=RECON_TOPIC))


def newest_entry(client: Client, source: Source, since: str | None = None) -> list[AuditEntry] | None:
    """Return the newest entry about a source in a list, which is empty for none; None where audit does not answer.

    :param since: entries before this moment are not looked for: the server's time, None for all that there are.
    """
    after = f' and timestamp ge "{second_of(since)}"' if since else ""
    return ask_sync(client, f"{_about(source)}{after}")


def entries_since(client: Client, source: Source, since: str, most: int = 1000) -> list[AuditEntry] | None:
    """Return the newest entries about a source from a moment on, newest first; None where audit does not answer.

    :param since: the server's time, as in 2026-11-24T17:19:26Z.
    """
    return ask_sync(client, f'{_about(source)} and timestamp ge "{second_of(since)}"', size=most)


def oldest_entry(client: Client, source: Source) -> AuditEntry | None:
    """Return the oldest entry about a source, None where there is none, or audit does not answer."""
    return next(iter(ask_sync(client, _about(source), order="timestamp") or []), None)


def entries_of_record(client: Client, source: Source, record: str) -> list[AuditEntry]:
    """Return the newest entries about one record, newest first; none where audit does not answer."""
    return ask_sync(client, equals("sourceObjectId", f"{source}/{record}"), size=_FEW) or []


def since(entries: t.Iterable[AuditEntry], moment: str | None) -> list[AuditEntry]:
    """Return those of some entries that were made at a moment or after it.

    :param moment: the server's time, as in 2026-11-24T17:19:26Z; None is the beginning of time.
    """
    return [entry for entry in entries if moment is None or entry.timestamp >= second_of(moment)]


def failures_since(client: Client, source: Source, since: str, most: int = 100) -> list[AuditEntry]:
    """Return the failed entries about a source from a moment on, oldest first.

    :param since: the server's time, as in 2026-11-24T17:19:26Z.
    """
    what = f'{_about(source)} and {SYNC_FAILED} and timestamp ge "{second_of(since)}"'
    return [entry for entry in ask_sync(client, what, order="timestamp", size=most) or [] if entry.failed]


@dataclass(frozen=True)
class Ended:
    """A call that has ended, as audit/access tells: also one whose caller had gone (seen on OpenIDM 6.1.0).

    :param status: the HTTP status of an error, None where it is not told.
    """

    ok: bool
    status: int | None


def end_of_call(client: Client, transaction: str, began: str) -> Ended | bool | None:
    """Tell how a POST below system/ has ended.

    :param transaction: the id that it carried.
    :param began: the server's time before it was sent.
    :returns: False while it goes on, None where audit/access does not tell of calls.
    :raises Unreachable: as the client.
    """
    after = f'timestamp ge "{second_of(began)}"'
    calls = ask_audit(client, _CALLS, f'/http/request/path co "/system" and {after}', size=_MOST_CALLS)
    if calls is None:
        return None
    ended = next((call for call in calls if _carries(call, transaction)), None)
    if ended is None:
        return False if ask_audit(client, _CALLS, after, size=1) else None
    response = as_dict(ended.get("response"))
    return Ended(response.get("status") == "SUCCESSFUL", as_int(response.get("statusCode")))


def _carries(call: t.Mapping[str, t.Any], transaction: str) -> bool:
    """Tell whether a call carried an id: in its headers, or as its own where the server trusts such ids."""
    request = as_dict(as_dict(call.get("http")).get("request"))
    sent = [value for values in as_dict(request.get("headers")).values() for value in as_texts(values)]
    return transaction in sent or str(call.get("transactionId")).startswith(transaction)


class Counter:
    """Counts the records that a run has handled so far; each call asks for the new ones alone.

    :param since: the server's time when the run began.
    """

    _PAGE = 1000

    def __init__(self, client: Client, source: Source, since: str) -> None:
        self._client = client
        self._source = source
        self._since = second_of(since)
        self.count = 0

    def update(self) -> int | None:
        """Return how many records have been handled, None where audit does not answer."""
        while True:
            what = f'{_about(self._source)} and timestamp gt "{self._since}"'
            found = ask_sync(self._client, what, order="timestamp", size=self._PAGE)
            if found is None:
                return None
            self.count += len(found)
            if found:
                self._since = found[-1].timestamp
            if len(found) < self._PAGE:
                return self.count


def _about(source: Source) -> str:
    return starts_with("sourceObjectId", f"{source}/")


def second_of(moment: str) -> str:
    """Return a time that audit's times of the same second do not come before: they are compared as texts.

    "11:00:00.898Z" comes before "11:00:00Z" and after "11:00:00".
    """
    return moment.removesuffix("Z")


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Return how much time lies between two of the server's times, as in 2026-11-24T17:19:26.898Z."""
    try:
        first, second = (datetime.fromisoformat(_iso(str(text))) for text in (earlier, later))
        return (second - first).total_seconds()
    except (ValueError, TypeError):
        return None


def before(moment: str | None, seconds: float) -> str | None:
    """Return the moment that lies so many seconds before another one, both of the server's; None where it is none."""
    try:
        found = datetime.fromisoformat(_iso(str(moment))) - timedelta(seconds=seconds)
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, TypeError, OverflowError):
        return None


def _iso(text: str) -> str:
    """Return a time as each Python reads it: 3.10 takes three or six digits of a second, and IDM has up to nine."""
    whole = _FRACTION.sub(lambda found: f".{found.group(1)[:6]:0<6}", text)
    return whole.replace("Z", "+00:00")

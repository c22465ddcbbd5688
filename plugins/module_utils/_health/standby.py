# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers that a connector may go over to, and what would keep liveSync from going on there.

A server's ACIs are its own: where it lacks them, liveSync answers 200 for ever without a change arriving ("Letting an
LDAP account read cn=changelog"). So nothing is well without a word while that is so, or cannot be known.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import DirectoryError
from .._changelog.in_use import same_numbers
from .._changelog.log import NUMBERS, judge_access, read_change_log
from .._changelog.numbered import lags
from .._changelog.whose import OTHER, judge_whose
from .._idm.connector import Connector
from .._idm.error_texts import GRANT
from .._ldap.directory import NO_SUCH_OBJECT, Directory, NoAnswer

#: How often it is looked whether changes have been replicated, and what lies between two looks, in seconds: OpenDJ
#: 4.6.5 takes some milliseconds (seen).
_LOOKS, _BETWEEN = 4, 1.0


@dataclass(frozen=True)
class Standby:
    """What is known of the servers that a connector may go over to.

    :param said: what speaks against them, or cannot be known of them, a sentence or two each.
    :param elsewhere: what keeps changes that were made there from being seen where the connector reads, a sentence
        for each server: while there is one, nobody knows what is pending.
    """

    said: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def look_at_standby(
    asked: Directory,
    place: int | None,
    others: t.Sequence[Directory],
    silent: t.Collection[str],
    connector: Connector,
    token: int | None,
    context: Context,
) -> Standby:
    """Look at the other servers of a connector.

    :param asked: the server that the connector reads now; ``place``: which of the connector's it is.
    :param others: those that were given and may be the connector's; they are closed.
    :param silent: the URLs of those of them that do not answer.
    :param token: where liveSync stands.
    :raises DirectoryError: an error of the server that was asked.
    """
    said: list[str] = []
    elsewhere: list[str] = []
    unjudged = 0
    known = {place}
    for other in others:
        with other:
            try:
                if other.uri in silent:
                    raise NoAnswer(f"{other.uri} does not answer.", other.uri, "")
                whose = judge_whose(other, connector.servers)
                known.add(whose.place)
                if whose.answer != OTHER:
                    about = _Pair(asked, other)
                    said += _of(about, connector, token)
                    elsewhere += about.unreplicated(context)
            except NoAnswer as exc:
                unjudged += 1
                elsewhere.append(
                    f"What was changed at {other.uri}, and not replicated before it went away, cannot be seen."
                )
                said.append(
                    f"{exc.message} Whether {connector.principal or 'the account'} may read the change log there cannot"
                    " be known meanwhile, and the connector goes over to it without a word: look again when it is back."
                )
            except DirectoryError as exc:
                unjudged += 1
                said.append(f"Whether liveSync could go on at {other.uri} cannot be known: {exc.message}")
    unlisted = [f"{name}:{port}" for number, (name, port) in enumerate(connector.servers) if number not in known]
    if len(unlisted) > unjudged:
        said.append(
            f"The connector may go over to {', '.join(unlisted)}; whether its account may read the change log there is"
            " known only where all its servers are in servers."
        )
    return Standby(tuple(said), tuple(elsewhere))


class _Pair:
    """The server that the connector reads, and another one that answers; the other's change log is read first."""

    def __init__(self, asked: Directory, other: Directory) -> None:
        self.asked, self.other = asked, other
        self.log = read_change_log(other)
        self.here = read_change_log(asked)

    def unreplicated(self, context: Context) -> t.Iterator[str]:
        """Yield what is to be said where changes of the other one do not come over."""
        cookie = self.log.cookie if self.log else None
        here = self.here
        for _look in range(_LOOKS):
            if here is None or here.cookie is None or not lags(here.cookie, cookie):
                return
            context.clock.sleep(_BETWEEN)
            here = read_change_log(self.asked)
        yield (
            f"{self.other.uri} has changes that {self.asked.uri} has not got yet: liveSync sees them when they have"
            " been replicated. Where that lasts, see to the replication of the two."
        )


def _of(pair: _Pair, connector: Connector, token: int | None) -> t.Iterator[str]:
    """Yield what speaks against one server that answers."""
    asked, other, log = pair.asked, pair.other, pair.log
    if log is None or log.mode != NUMBERS:
        yield f"{other.uri} has no change log with change numbers: liveSync ends when the connector goes over to it."
        return
    if connector.principal:
        try:
            access = judge_access(other, connector.principal, log)
        except DirectoryError as exc:
            if exc.status != NO_SUCH_OBJECT:
                raise
            yield f"{other.uri} has no account {connector.principal}: liveSync ends when the connector goes over to it."
            return
        if access.denied_by:
            names = ", ".join(access.denied_by)
            yield f"An ACI of {other.uri} denies {connector.principal} what liveSync reads: {names}."
        if access.missing:
            yield (
                f"{connector.principal} lacks on {other.uri}: {', '.join(access.missing)}. When the connector goes over"
                f" to it, changes stop arriving without a word. {GRANT}"
            )
    alike = same_numbers(asked, other, token, (pair.here, log))
    if alike is None:
        yield f"Whether {other.uri} numbers changes as {asked.uri} does cannot be known."
    elif not alike:
        yield (
            f"{other.uri} numbers changes otherwise than {asked.uri}: when the connector goes over to it, liveSync goes"
            " on at another change, and some may never arrive. Reconcile after that (idmops.idm.recon)."
        )

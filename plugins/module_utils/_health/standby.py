# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers that a connector may go over to, and what would keep liveSync from going on there.

A server's ACIs are its own: where it lacks them, liveSync answers 200 for ever without a change arriving ("Letting an
LDAP account read cn=changelog"). So nothing is well without a word while that is so, or cannot be known.
"""

from __future__ import annotations

import typing as t

from .._base.errors import DirectoryError
from .._changelog.in_use import same_numbers
from .._changelog.log import NUMBERS, judge_access, read_change_log
from .._changelog.whose import OTHER, judge_whose
from .._idm.connector import Connector
from .._idm.error_texts import GRANT
from .._ldap.directory import NO_SUCH_OBJECT, Directory, NoAnswer


def doubts_of_standby(
    asked: Directory,
    place: int | None,
    others: t.Sequence[Directory],
    silent: t.Collection[str],
    connector: Connector,
    token: int | None,
) -> tuple[str, ...]:
    """Return what speaks against the other servers of a connector, or cannot be known of them, a sentence or two each.

    :param asked: the server that the connector reads now; ``place``: which of the connector's it is.
    :param others: those that were given and may be the connector's; they are closed.
    :param silent: the URLs of those of them that do not answer.
    :param token: where liveSync stands.
    :raises DirectoryError: an error of the server that was asked.
    """
    said: list[str] = []
    unjudged = 0
    known = {place}
    for other in others:
        with other:
            try:
                if other.uri in silent:
                    raise NoAnswer(f"{other.uri} does not answer.", other.uri, "")
                whose = judge_whose(other, connector.servers)
                known.add(whose.place)
                said += [] if whose.answer == OTHER else _of(asked, other, connector, token)
            except NoAnswer as exc:
                unjudged += 1
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
    return tuple(said)


def _of(asked: Directory, other: Directory, connector: Connector, token: int | None) -> t.Iterator[str]:
    """Yield what speaks against one server that answers."""
    log = read_change_log(other)
    if log is None or log.mode != NUMBERS:
        yield f"{other.uri} has no change log with change numbers: liveSync ends when the connector goes over to it."
        return
    if connector.principal:
        try:
            access = judge_access(other, connector.principal)
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
    alike = same_numbers(asked, other, token)
    if alike is None:
        yield f"Whether {other.uri} numbers changes as {asked.uri} does cannot be known."
    elif not alike:
        yield (
            f"{other.uri} numbers changes otherwise than {asked.uri}: when the connector goes over to it, liveSync goes"
            " on at another change, and some may never arrive. Reconcile after that (idmops.idm.recon)."
        )

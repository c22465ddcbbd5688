# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of several directory servers the connector reads now, and whether they number changes alike.

A connector reads its host, and while that does not answer the servers of its failover, in their order; the token goes
with it. So it is right only while all give a change the same number, which OpenDJ's replicas do, but for changes that
were made on both within a millisecond (seen on OpenDJ 4.6.5).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.address import same_machine
from .._ldap.directory import Directory, NoAnswer
from .._ldap.refused_binds import RefusedBinds
from .._ldap.url import host_and_port
from .log import ChangeLog, read_change_log
from .numbered import text_of_change
from .whose import FAILOVER, OTHER, Whose, judge_whose, read_identity


@dataclass(frozen=True)
class InUse:
    """The server that the connector reads, as far as the servers tell.

    :param directory: it, which may be open.
    :param away: those that do not answer.
    """

    directory: Directory
    whose: Whose
    away: tuple[NoAnswer, ...] = ()


def find_in_use(
    directories: t.Sequence[Directory], hosts: t.Sequence[tuple[str, int]], tried: RefusedBinds | None = None
) -> InUse:
    """Return the first of the connector's servers that answers. All but that one are closed.

    :param directories: those that may be the connector's, as :func:`.log.connector_servers` puts them.
    :param hosts: host and port of the connector, then those of its failover.
    :param tried: what is known of servers that do not answer; they are not asked.
    :raises NoAnswer: none answers that is the connector's, and one does not that may be.
    :raises DirectoryError: an error other than a refusal of one that answers.
    """
    tried = tried or RefusedBinds()
    tried.greet(directories)
    away = {one.uri: silent for one in directories if (silent := tried.silent(one.uri))}
    found: list[tuple[Directory, Whose]] = []
    for directory in directories:
        if directory.uri in away:
            continue
        try:
            found.append((directory, judge_whose(directory, hosts)))
        except NoAnswer as exc:
            away[exc.uri] = exc
            continue
        if found[-1][1].place == 0:
            break
    # none of them: rather one of which it is not known than one that is shown to be none
    found.sort(key=lambda one: (len(hosts) if one[1].place is None else one[1].place, one[1].answer == OTHER))
    for directory, _whose in found[1:]:
        directory.close()
    if not found or (found[0][1].place is None and directories[0].uri in away):
        raise away[directories[0].uri]
    directory, whose = found[0]
    gone = tuple(away[one.uri] for one in directories if one.uri in away)
    return InUse(directory, _meanwhile(directory, whose, gone, hosts), gone)


def _meanwhile(
    directory: Directory, whose: Whose, away: t.Sequence[NoAnswer], hosts: t.Sequence[tuple[str, int]]
) -> Whose:
    """Take a server of the failover for the one that the connector reads where each one before it was found away."""
    if not whose.place:
        return whose
    left, gone = [one.uri for one in away], []
    for name, _port in hosts[: whose.place]:
        uri = next((uri for uri in left if same_machine(host_and_port(uri)[0], name)), None)
        if uri is None:
            return whose
        left.remove(uri)
        gone.append(uri)
    before = [one for one in away if one.uri in gone]
    said = " ".join(one.message for one in before)
    return replace(
        whose,
        answer=FAILOVER,
        sentence=f"{said} So {directory.uri} was asked, which the connector goes over to. Whether both give a change"
        " the same number cannot be compared meanwhile.",
    )


def same_numbers(
    one: Directory, other: Directory, token: int | None, logs: t.Sequence[ChangeLog | None] = ()
) -> bool | None:
    """Tell whether two servers give a change the same number; None where that cannot be known.

    They do where the number of the token, or else the last that both have, stands for the same change (its CSN, which
    names a change everywhere), and where their data are the same (ds-sync-generation-id).

    :param logs: how far the change logs of the two reach, where that has just been read.
    :raises DirectoryError: no answer, or an error.
    """
    first, second = logs or [read_change_log(directory) for directory in (one, other)]
    if first is None or second is None:
        return None
    data = [read_identity(directory).data for directory in (one, other)]
    if any(data[0][name] != data[1][name] for name in set(data[0]) & set(data[1])):
        return False
    number = min(first.last, second.last)
    if number == 0:
        return first.last == second.last or None
    if token is not None and max(first.first, second.first) <= token <= number:
        number = token
    asked = ((one, first), (other, second))
    names = [text_of_change(directory, log, number, "replicationCSN") for directory, log in asked]
    return None if None in names else names[0] == names[1]

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a source in, one state and one remedy out. No I/O at all."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._idm.connector_remedy import remedy_for
from .._idm.error_texts import ALIAS, GRANT

UNAVAILABLE, UNREADABLE, TRIMMED, AHEAD = "unavailable", "unreadable", "trimmed", "ahead"
DORMANT, STALLED, DISABLED, FAILING = "dormant", "stalled", "disabled", "failing"
UNSCHEDULED, PAUSED, NEVER_RUN = "unscheduled", "paused", "never_run"
LAGGING, RUNNING, HEALTHY = "lagging", "running", "healthy"

#: Changes that have been pending for this long and that a run leaves behind do not just lag: the index of change
#: numbers is filled some seconds after a change (seen on OpenDJ 4.6.5: about 1 s).
PENDING_SECONDS = 10.0

#: All states, worst first.
STATES = (
    UNAVAILABLE,
    UNREADABLE,
    TRIMMED,
    AHEAD,
    DORMANT,
    STALLED,
    DISABLED,
    FAILING,
    UNSCHEDULED,
    PAUSED,
    NEVER_RUN,
    LAGGING,
    RUNNING,
    HEALTHY,
)


@dataclass(frozen=True)
class LogFacts:
    """What is known of the change log behind a source.

    :param first: the oldest change number that is still there.
    :param last: the newest.
    :param usable: whether there is a change log with change numbers at all.
    :param missing: the grants that the connector's account lacks, by name; None where that cannot be judged.
    :param alias_search: whether the directory can search the change log the way the connector does; None: not tried.
    :param pending: changes behind the token.
    :param pending_inside: those of them that lie below the connector's base contexts, None where these are not known.
    :param account: the connector's account, for sentences about it.
    :param server: the URL of the directory server that was asked.
    """

    first: int | None = None
    last: int | None = None
    usable: bool = True
    missing: tuple[str, ...] | None = None
    alias_search: bool | None = None
    pending: int | None = None
    pending_inside: int | None = None
    account: str | None = None
    server: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a source at one moment.

    :param system: the connector's name.
    :param ok: whether the connector's test succeeded; None where there is no such connector.
    :param unknown_type: what is wrong with the source where the connector has no such object type, else None.
    :param error: what the test said.
    :param remote: the remote connector server that the connector runs on, None for IDM itself.
    :param log: of the directory, None where none was given or the connector reads none.
    :param sync_disabled: the mappings of the source whose enableSync is false.
    :param failure: IDM's text about the record that stopped the last run.
    :param blocks: whether a failing record blocks all others for ever.
    :param enabled: how many of its schedules are; ``paused`` counts among them.
    :param unmoved: a run came and went while changes had been pending for more than 10 seconds, and left them.
    :param moved: the token has been seen moving.
    """

    system: str
    ok: bool | None = True
    unknown_type: str | None = None
    error: str | None = None
    remote: str | None = None
    token: t.Any = None
    log: LogFacts | None = None
    sync_disabled: tuple[str, ...] = ()
    failure: str | None = None
    blocks: bool = False
    enabled: int = 0
    paused: int = 0
    running: bool = False
    unmoved: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Health:
    """One state, whether it is proved, and what mends it."""

    state: str
    proved: bool
    remedy: str | None


def judge_health(facts: Facts) -> Health:
    """Return the worst state that the facts show.

    A state is proved when something was seen that no other state looks like. Where nothing is pending, a healthy
    connector and a dormant one look alike from outside ("Seen on real servers": silent states).
    """
    log = facts.log
    number = facts.token if isinstance(facts.token, int) else None
    for state, remedy in _bad_states(facts, log, number):
        if remedy is not None:
            return Health(state, True, remedy)
    if facts.running:
        return Health(RUNNING, True, None)
    if log and log.pending_inside:
        return Health(LAGGING, facts.moved, "Nothing to mend yet: the next run takes what is pending.")
    return Health(HEALTHY, facts.moved, None)


def _bad_states(facts: Facts, log: LogFacts | None, number: int | None) -> t.Iterator[tuple[str, str | None]]:
    """Yield each state that needs mending with its remedy, None for those that do not hold; worst first."""
    yield UNAVAILABLE, _unavailable(facts)
    yield UNREADABLE, _unreadable(log)
    trimmed = log and log.first is not None and number is not None and log.first > number + 1
    yield (
        TRIMMED,
        f"The change log begins at {log.first}, after the token {number}: changes in between are lost to liveSync. Set"
        f" the token to {log.first - 1} (idmops.idm.livesync_token) and reconcile, or run the role livesync again."
        if trimmed and log and log.first is not None
        else None,
    )
    ahead = log and log.last is not None and number is not None and number > log.last
    yield (
        AHEAD,
        f"The token {number} lies beyond the end of the change log, {log.last if log else ''}: the directory was built"
        " anew, or the connector talks to another server than before. Run the role livesync, which takes a new base"
        " point and loads again."
        if ahead
        else None,
    )
    readable = log is not None and log.missing == () and log.alias_search is not False
    yield (
        DORMANT,
        f"The connector {facts.system} was activated while its system was down or refused its account: everything works"
        " but liveSync. Activate it again: idmops.idm.connector with state: reactivated."
        if facts.unmoved and readable and not facts.failure
        else None,
    )
    yield (
        STALLED,
        "Runs come and go, and the changes that are pending stay. Look at IDM's log for this source; see that the"
        " connector reads the same directory server whose change log was looked at, with an account that may read it."
        if facts.unmoved and not facts.failure
        else None,
    )
    yield (
        DISABLED,
        f"enableSync is false for {', '.join(facts.sync_disabled)}: liveSync consumes the changes and drops them."
        " Set it to true, then reconcile: what was dropped does not come back."
        if facts.sync_disabled
        else None,
    )
    yield FAILING, _failing(facts)
    yield (
        UNSCHEDULED,
        "Enable the schedule of this source: idmops.idm.livesync_schedule with enabled: true."
        if not facts.enabled
        else None,
    )
    yield (
        PAUSED,
        "The schedule's trigger is paused: resume the scheduler's jobs."
        if facts.enabled and facts.paused >= facts.enabled
        else None,
    )
    yield (
        NEVER_RUN,
        "Run idmops.idm.livesync_trigger once to store a base point; load the data after that (role livesync)."
        if facts.token is None
        else None,
    )


def _unavailable(facts: Facts) -> str | None:
    if facts.unknown_type:
        return facts.unknown_type
    if facts.ok:
        return None
    if facts.ok is None:
        return f"IDM has no connector {facts.system}: correct the source, or add the connector."
    error = (facts.error or "no reason given").rstrip(".")
    return f"The test of the connector {facts.system} fails: {error}. {remedy_for(error, facts.remote)}"


def _unreadable(log: LogFacts | None) -> str | None:
    if log is None:
        return None
    if not log.usable:
        return (
            "The directory has no change log with change numbers: it needs a replication server (PingDS 7.4 and later:"
            " with changelog-enabled set to enabled, not to enabled-cookie-mode-only)."
        )
    if log.alias_search is False:
        return ALIAS
    if log.missing:
        who = f"The connector's account{f' {log.account}' if log.account else ''}"
        return f"{who} lacks{f' on {log.server}' if log.server else ''}: {', '.join(log.missing)}. {GRANT}"
    return None


def _failing(facts: Facts) -> str | None:
    if not facts.failure:
        return None
    if facts.blocks:
        return (
            "One record fails and blocks all that come after it, for ever: the connector has no syncFailureHandler"
            " that gives up. Mend the record or the mapping, and set maxRetries and postRetryAction."
        )
    return (
        "A record fails; each run uses up one of the retries, after which IDM drops the change. Mend the record or the"
        " mapping, then run idmops.idm.livesync_trigger."
    )

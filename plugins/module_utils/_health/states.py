# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a source in, one state and one remedy out. No I/O at all."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._changelog.log import COOKIES_ONLY_REMEDY
from .._idm.connector_remedy import remedy_for
from .._idm.error_texts import ALIAS, GRANT, MISFIT_REMEDY, VOID_REMEDY
from .._idm.mapping import REFUSED_REMEDY, switch_unknown
from .._record.load_record import Load, said_of_foreign
from .facts import Facts, LogFacts

UNAVAILABLE, UNREADABLE, TRIMMED, AHEAD = "unavailable", "unreadable", "trimmed", "ahead"
DORMANT, STALLED, DISABLED = "dormant", "stalled", "disabled"
GAPPED, DROPPING, FAILING = "gapped", "dropping", "failing"
UNSCHEDULED, OVERDUE, PAUSED, NEVER_RUN = "unscheduled", "overdue", "paused", "never_run"
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
    GAPPED,
    DROPPING,
    FAILING,
    UNSCHEDULED,
    OVERDUE,
    PAUSED,
    NEVER_RUN,
    LAGGING,
    RUNNING,
    HEALTHY,
)
#: The states in which liveSync can be left alone. Whoever asks whether all is well asks here.
GOOD_ENOUGH = frozenset({LAGGING, RUNNING, HEALTHY})

#: What is to be done where the numbers of a failover speak against a token: anything else may make it worse.
BACK_FIRST = (
    "By its numbers liveSync cannot go on from the token there: it may be behind the first server, or number changes"
    " otherwise. Bring the first server back before anything is changed, then look again."
)

#: What mends a token whose numbers are no more.
NEW_BASE_POINT = "Run the role livesync, which takes a new base point and loads again."

_AFTERWARDS = "Then reconcile: what was left out meanwhile does not come back by itself."
_TRIGGER = "Run idmops.idm.livesync_trigger to see it."


@dataclass(frozen=True)
class Health:
    """One state, whether it is proved, and what mends it."""

    state: str
    proved: bool
    remedy: str | None
    far: bool = False

    @property
    def good_enough(self) -> bool:
        """Whether liveSync can be left alone; a next run that is weeks away is as good as none for what is pending."""
        return self.state in GOOD_ENOUGH and not self.far


def judge_health(facts: Facts) -> Health:
    """Return the worst state that the facts show.

    A state is proved when something was seen that no other state looks like. Where nothing is pending, a healthy
    connector and a dormant one look alike from outside ("Seen on real servers": silent states).
    """
    log = facts.log
    unasked = (
        f"The directory that was given cannot be asked, so what is pending cannot be known: {facts.log_error}"
        if facts.log_error
        else None
    )
    for state, remedy in _bad_states(facts, log, facts.number):
        if remedy is not None:
            if log and log.meanwhile and state in (TRIMMED, AHEAD):
                return Health(state, False, f"{log.doubt} {BACK_FIRST}")
            if log and log.doubt and state in (TRIMMED, AHEAD):
                return Health(state, False, f"{log.doubt} If it is: {remedy} If it is not, these numbers mean nothing.")
            said = f"{remedy} {unasked}" if unasked else remedy
            return Health(state, not (state == OVERDUE and facts.overdue_unknown), said)
    if unasked:
        return Health(UNREADABLE, False, unasked)
    if facts.refused:
        return Health(UNREADABLE, False, " ".join([*([facts.breaks_off] if facts.breaks_off else []), *facts.refused]))
    doubts = [switch_unknown(facts.sync_unknown)] if facts.sync_unknown else []
    doubts += [*([log.doubt] if log.meanwhile and log.doubt else []), *log.standby] if log else []
    doubts += [*facts.left_out, *facts.unseen]
    if facts.unshown:
        doubts.append(said_of_unloaded(facts.unshown))
    if facts.foreign:
        doubts.append(said_of_elsewhere(facts.foreign))
    doubts += [text for text in (facts.untraced, facts.doubt, facts.not_followed) if text]
    proved = facts.moved and not facts.unproved and not facts.unshown and not facts.foreign
    if facts.running:
        return Health(RUNNING, not facts.unproved and not facts.foreign, " ".join(doubts) or None)
    if facts.queued:
        return Health(LAGGING, True, " ".join([*facts.queued, *doubts]))
    if log and (log.pending_inside or not log.exact or (log.pending and log.pending_inside is None)):
        when = f" at {facts.next_run}" if facts.next_run else ""
        said = f"Nothing to mend yet: the next run{when} takes what is pending."
        if facts.far:
            said = (
                f"The next run is at {facts.next_run}, and takes what is pending no sooner: let the schedule run sooner"
                " (idmops.idm.livesync_schedule), or run idmops.idm.livesync_trigger."
            )
        return Health(LAGGING, proved, " ".join([said, *doubts]), facts.far)
    if log and log.elsewhere:
        return Health(LAGGING, False, " ".join([*log.elsewhere, *doubts]))
    return Health(HEALTHY, proved, " ".join(doubts) or None)


def outside(first: int | None, last: int | None, number: int | None, anew: str | None = None) -> tuple[str, str] | None:
    """Return the state of a token that the change log does not reach and what mends it, None where it does.

    :param first: the oldest change number that is still there, None where that is not known; ``last``: the newest.
    :param anew: what shows that the numbers are not those that the token is of, and what mends it; None: nothing does.
    """
    if anew is not None and number is not None:
        return AHEAD, anew
    if first is not None and number is not None and first > number + 1:
        return (
            TRIMMED,
            f"The change log begins at {first}, after the token {number}: changes in between are lost to liveSync. Set"
            f" the token to {first - 1} (idmops.idm.livesync_token) and reconcile, or run the role livesync again.",
        )
    if last is not None and number is not None and number > last:
        return (
            AHEAD,
            f"The token {number} lies beyond the end of the change log, {last}: the directory was built anew, or the"
            f" connector talks to another server than before. {NEW_BASE_POINT}",
        )
    return None


def _bad_states(facts: Facts, log: LogFacts | None, number: int | None) -> t.Iterator[tuple[str, str | None]]:
    """Yield each state that needs mending with its remedy, None for those that do not hold; worst first."""
    yield UNAVAILABLE, _unavailable(facts)
    yield UNREADABLE, unreadable(log)
    if log and (found := outside(log.first, log.last, number, log.anew)):
        yield found
    readable = log is not None and log.missing == () and log.alias_search is not False
    # a connector that does not know the numbers of the change log cannot move, however often it is activated
    still = facts.unmoved and not facts.failure and not any("changeNumberAttribute" in one for one in facts.filtered)
    yield (
        DORMANT,
        f"The connector {facts.system} was activated while its system was down or refused its account: everything works"
        " but liveSync. Activate it again: idmops.idm.connector with state: reactivated."
        if still and readable
        else None,
    )
    yield (
        STALLED,
        "Runs come and go, and the changes that are pending stay. Look at IDM's log for this source; see that the"
        " connector reads the same directory server whose change log was looked at, with an account that may read it."
        if still
        else None,
    )
    yield DISABLED, _disabled(facts)
    yield GAPPED, " ".join(facts.gapped) or None
    yield DROPPING, _dropping(facts)
    yield FAILING, _failing(facts)
    yield UNSCHEDULED, None if facts.enabled or facts.external else _unscheduled(facts)
    yield OVERDUE, facts.overdue
    yield (
        PAUSED,
        "The schedule's trigger is paused, which may be meant: ask who paused it. idmops.idm.scheduler with state:"
        " running resumes all jobs of the server; on IDM 7 and later idmops.idm.livesync_schedule with paused: false"
        " resumes this one."
        if facts.enabled and facts.paused >= facts.enabled
        else None,
    )
    yield (
        NEVER_RUN,
        _never_run(facts) if facts.token is None else None,
    )


def _never_run(facts: Facts) -> str:
    base = "Run idmops.idm.livesync_trigger once to store a base point; load the data after that (role livesync)."
    return f"{VOID_REMEDY} {base}" if facts.void else base


def _unavailable(facts: Facts) -> str | None:
    if facts.unknown_type:
        return facts.unknown_type
    if facts.ok:
        return None
    if facts.ok is None:
        return f"IDM has no connector {facts.system}: correct the source, or add the connector."
    error = (facts.error or "no reason given").rstrip(".")
    return f"The test of the connector {facts.system} fails: {error}. {remedy_for(error, facts.remote)}"


def unreadable(log: LogFacts | None) -> str | None:
    """Return what keeps liveSync from the change log and what mends it, None where nothing does."""
    if log is None:
        return None
    if not log.usable:
        return (
            "The directory has no change log with change numbers: it needs a replication server that numbers changes"
            f" (ds-cfg-compute-change-number, or changelog-enabled). {COOKIES_ONLY_REMEDY} Changes that are in its log"
            " are numbered then, and arrive."
        )
    if log.unrecorded:
        return (
            f"{log.server} keeps changes of {', '.join(log.unrecorded)} out of its change log: the external change log"
            " of that replication domain is switched off (cn=external changelog below the domain, ds-cfg-enabled)."
            " Switch it on: dsconfig set-external-changelog-domain-prop --set enabled:true. What was changed meanwhile"
            " is brought then; idmops.idm.livesync_verify shows whether it was."
        )
    if log.alias_search is False:
        return ALIAS
    if log.denied_by:
        return (
            f"An ACI of {log.server} denies {log.account} what liveSync reads: {', '.join(log.denied_by)}."
            " Remove it there, or take the account out of it; no grant outweighs it. Then look with"
            " idmops.idm.livesync_verify: what liveSync passed by meanwhile does not come back by itself."
        )
    if log.missing:
        who = f"The connector's account{f' {log.account}' if log.account else ''}"
        return f"{who} lacks{f' on {log.server}' if log.server else ''}: {', '.join(log.missing)}. {GRANT}"
    return None


def _dropping(facts: Facts) -> str | None:
    said = [*(facts.left_out if facts.unarrived and not facts.forbidding else ()), *facts.unarrived]
    if facts.dropped:
        said.insert(
            len(said) if facts.forbidding else 0,
            f"IDM gave up on {facts.dropped} changed record{'' if facts.dropped == 1 else 's'}, and nothing has brought"
            f" {'it' if facts.dropped == 1 else 'them'} over since (dropped). Mend the records or the mapping, then"
            " reconcile them: idmops.idm.recon with ids.",
        )
    if said and (meeting := meeting_of(facts)):
        said.insert(0, meeting)  # which may be why
    if said and facts.foreign:
        said.append(said_of_elsewhere(facts.foreign))  # so that more may be missing than these
    return " ".join(said) or None


def _disabled(facts: Facts) -> str | None:
    if facts.refused_mappings:
        return f"{facts.refused_mappings} {REFUSED_REMEDY}"
    if facts.estranged:
        return f"{facts.estranged} {_AFTERWARDS}"
    if facts.unmapped:
        return (
            "No mapping has this source: liveSync consumes its changes for nothing. "
            + "".join(f"{one} " for one in facts.misnamed)
            + f"{'Correct that' if facts.misnamed else 'Add the'} mapping (config/sync, or config/mapping/<name>), then"
            " reconcile it (idmops.idm.recon; the role livesync loads one whose load is not recorded): what was"
            " consumed does not come back by itself."
        )
    if not facts.sync_disabled:
        said = " ".join((*facts.misnamed, *facts.filtered))
        return f"{said} {_AFTERWARDS}" if said else None
    return (
        f"enableSync is false for {', '.join(facts.sync_disabled)}: liveSync consumes the changes and drops them."
        " Set it to true, then reconcile: what was dropped does not come back."
    )


def _failing(facts: Facts) -> str | None:
    meeting = meeting_of(facts)
    if meeting and facts.failure:
        return meeting  # which may be why it fails
    if facts.failure and facts.blocks:
        return (
            "One record fails and blocks all that come after it, for ever: the connector has no syncFailureHandler"
            " that gives up. Mend the record or the mapping, and set maxRetries and postRetryAction."
        )
    if facts.failure:
        return (
            "A record fails; each run uses up one of the retries, after which IDM drops the change. Mend the record or"
            " the mapping before the next run."
        )
    if facts.misfit:
        return f"{facts.misfit} {MISFIT_REMEDY}"
    if facts.in_vain:
        return facts.in_vain
    if facts.erring and facts.not_begun:
        return facts.not_begun
    if facts.erring:
        return (
            f"The schedule's runs end in an error, or none begins: nothing is stored. {_look(facts)} Where that ends"
            " well, see that IDM's scheduler runs on each node (executePersistentSchedules in config/scheduler), and"
            " has a thread that is free (threadPool there; POST scheduler/job?_action=listCurrentlyExecutingJobs)."
        )
    if facts.ran_badly:
        return " ".join(text for text in (facts.ran_badly, facts.overdue) if text)
    if facts.neglected:
        return (
            f"Changes have been pending since {facts.neglected}, for longer than two intervals of the schedule: its"
            f" runs end in an error, or do nothing. {_look(facts)}"
        )
    return meeting


def _look(facts: Facts) -> str:
    """Return where to look for the error that a run ends in, with what may be the cause of it."""
    return " ".join(text for text in (facts.breaks_off, _TRIGGER) if text)


def meeting_of(facts: Facts) -> str | None:
    """Return what is to be said of runs that meet, None where none do."""
    if facts.on_beside:
        return (
            f"IDM's own schedule is on ({', '.join(facts.on_beside)}) beside the external scheduler: their runs meet,"
            " and damage each other. Run the role livesync, which switches it off (scheduler: external), or makes it"
            " the only one (scheduler: idm, once the external one is stopped)."
        )
    return said_of_runs(facts.meeting, facts.concurrent)


def said_of_unloaded(names: t.Iterable[str]) -> str:
    """Return what is to be said of mappings of which no load is recorded."""
    return (
        f"No load of {', '.join(names)} is recorded: who was there before the base point, and has not changed since,"
        " may be missing. idmops.idm.livesync_verify compares all; the role livesync loads."
    )


def said_of_elsewhere(loads: t.Iterable[Load]) -> str:
    """Return what is to be said of recorded loads that were done on another IDM."""
    return (
        f"{' '.join(map(said_of_foreign, loads))} Such a record proves nothing: who was not loaded here may be missing."
        " idmops.idm.livesync_verify compares all; the role livesync loads."
    )


def said_of_runs(firing: t.Collection[str], concurrent: t.Collection[str]) -> str | None:
    """Return what is to be said of the enabled schedules of one source, None where their runs cannot meet.

    :param concurrent: those that may run beside themselves.
    """
    said = [_said_of_meeting(firing)] if len(firing) > 1 else []
    said += [_said_of_concurrent(concurrent)] if concurrent else []
    return " ".join(said) or None


def _said_of_meeting(names: t.Iterable[str]) -> str:
    return (
        f"More than one schedule runs this source ({', '.join(names)}): their runs meet, and damage each other. Remove"
        " all but one: idmops.idm.livesync_schedule with state: absent (a job that runs a script: DELETE"
        " scheduler/job/<id>)."
    )


def _said_of_concurrent(names: t.Iterable[str]) -> str:
    return (
        f"The schedule {', '.join(names)} may run beside itself (concurrentExecution is true): a run that takes longer"
        " than its interval meets the next one, and they damage each other (two links, objects that are there twice)."
        " Set it to false: idmops.idm.livesync_schedule, or the role livesync. Then see with idmops.idm.livesync_verify"
        " whom that has hit."
    )


def _unscheduled(facts: Facts) -> str:
    first = [VOID_REMEDY] if facts.void else []
    if facts.namesake and not facts.unloaded:
        return " ".join([*first, "No schedule of this source is enabled.", *facts.idle_jobs, facts.namesake])
    first += [facts.namesake] if facts.namesake else []
    idle = "".join(f"{sentence} " for sentence in [*first, *facts.idle_jobs])
    if facts.foreign and not facts.unloaded:
        return (
            f"{idle}No schedule of this source is enabled. {said_of_elsewhere(facts.foreign)} Run that: it loads, and"
            " then enables."
        )
    if facts.unloaded:
        return (
            f"{idle}No schedule of this source is enabled, and no load is recorded of {', '.join(facts.unloaded)}:"
            " enabling alone would leave out what was not loaded. Run the role livesync, which loads and then enables"
            " (with initial_load: never where all has been loaded by hand)."
        )
    if facts.token is None:
        return (
            f"{idle}No schedule of this source is enabled, and no token is stored: enabling alone would begin at the"
            " end of the change log, and leave out what has changed until then. Run the role livesync, which takes a"
            " base point, loads, and then enables."
        )
    return f"{idle}Enable the schedule of this source: idmops.idm.livesync_schedule with enabled: true."

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role does with a source, decided from the evidence. No I/O.

("From nothing to scheduled liveSync without losing a change": the order, and why it loses nothing.)
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._health.states import DISABLED
from .._idm.connector import Connector
from .._idm.source import Source
from .._ldap.dn import Name
from .._record.load_record import as_document
from .._record.scheduler import Scheduler
from .._schedule.document import Schedule
from .._schedule.plan import ANY_INTERVAL, own_name
from .evidence import SourceEvidence
from .findings import BLOCKING, Finding


@dataclass(frozen=True)
class SourcePlan:
    """The steps of one source.

    :param index: of the source in livesync_sources.
    :param blocked: whether something stands in the way, so that nothing is done.
    :param change_log: whether the change log can be read, so that steps may use it.
    :param principal: the account to grant, None where there is nothing to grant.
    :param servers: the directory servers to grant on; those that do not answer are left out, and reported.
    :param prove: whether the account can be let bind with its password, where that is given.
    :param hold: whether the job is switched off, and with it what of the record does not hold any more.
    :param enable: whether the job is on in the end.
    :param run_by: what is written down of who runs the source, empty where nothing is.
    :param reset: why the token is forgotten; None: it stays.
    :param baseline: whether a first liveSync stores the base point.
    :param to_load: the mappings to load, with the reasons.
    :param catch_up: whether what has changed is brought over before the schedule is switched on.
    :param forget: the mappings whose load does not count any more, since what liveSync takes is lost to them: taken
        out of the record also where something stands in the way, so that switching them on again loads them.
    :param enabled: whether the job is on now, as it stands there.
    :param record: the load record as far as it holds during the loads.
    :param schedule: what was given for the schedule.
    :param options: of the source, for the steps.
    :param tolerated: states of the source that are no failure in the end.
    :param switch_off: names of schedules to switch off (livesync_state disabled) or to remove (absent).
    :param finished: whether nothing is left to do, so that the steps would find all as it is wanted.
    :param settled: whether the source was found well besides, so that no step is needed.
    """

    source: str
    index: int
    blocked: bool = False
    change_log: bool = False
    principal: str | None = None
    servers: tuple[str, ...] = ()
    prove: bool = True
    base_contexts: tuple[str, ...] = ()
    job: str = ""
    hold: bool = False
    enable: bool = True
    run_by: t.Mapping[str, t.Any] = field(default_factory=dict)
    reset: str | None = None
    baseline: bool = False
    to_load: t.Mapping[str, str] = field(default_factory=dict)
    catch_up: bool = False
    forget: tuple[str, ...] = ()
    enabled: t.Any = False
    record: t.Mapping[str, t.Any] = field(default_factory=dict)
    schedule: t.Mapping[str, t.Any] = field(default_factory=dict)
    options: t.Mapping[str, t.Any] = field(default_factory=dict)
    switch_off: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    finished: bool = False
    settled: bool = False

    def as_result(self) -> dict[str, t.Any]:
        """Return the plan as modules show it."""
        return {
            **vars(self),
            "base_contexts": list(self.base_contexts),
            "servers": list(self.servers),
            "to_load": [{"mapping": name, "reason": reason} for name, reason in self.to_load.items()],
            "run_by": dict(self.run_by),
            "forget": list(self.forget),
            "record": dict(self.record),
            "schedule": dict(self.schedule),
            "options": dict(self.options),
            "switch_off": list(self.switch_off),
            "tolerated": list(self.tolerated),
        }


def plan_enabled(evidence: SourceEvidence, findings: t.Sequence[Finding], index: int) -> SourcePlan:
    """Decide how a source comes to run on its schedule with nothing lost.

    A schedule is held while the base point is set or a load is done: it would race with both. What of the record does
    not hold any more goes with the same write, so that a run that breaks off later is not taken for finished.

    Where somebody else is to run the source, its schedule is off before the run that proves it, and that somebody is
    written down after it: a run of the role that breaks off in between is not taken for finished either.
    """
    facts, loads, reset = evidence.directory, evidence.loads, evidence.gap
    baseline = evidence.token is None or reset is not None
    kept = as_document(evidence.kept_record)
    job, external = evidence.job, evidence.request.scheduler.external
    told = external or evidence.scheduler.external
    stale = job is not None and job.load_record != kept
    plan = SourcePlan(
        source=evidence.name,
        index=index,
        blocked=any(finding.severity == BLOCKING for finding in findings),
        change_log=facts is not None,
        principal=facts.principal if facts and any(server.to_grant for server in facts.servers) else None,
        servers=tuple(server.uri for server in facts.servers if not server.away) if facts else (),
        prove=evidence.proof_away is None,
        base_contexts=evidence.connector.base_contexts if evidence.connector else (),
        job=evidence.job_name,
        hold=job is not None
        and (((bool(loads) or baseline) and (bool(job.enabled) or stale)) or (external and job.enabled is not False)),
        enable=not external,
        run_by=_run_by(evidence.request.scheduler) if told else {},
        reset=reset,
        baseline=baseline,
        to_load=loads,
        # a schedule that is switched on leaves no trace of when that was: what has waited till now is not its fault
        catch_up=bool(loads) or (not baseline and not evidence.is_on),
        forget=tuple(name for name in evidence.switched_off if name in evidence.record),
        enabled=job.enabled if job else False,
        record=kept,
        schedule=dict(evidence.request.schedule) if job or not external else {"interval": ANY_INTERVAL},
        options=dict(evidence.request.others),
        tolerated=(DISABLED,) if evidence.left_out else (),
    )
    return replace(plan, finished=_is_finished(plan, evidence))


def _is_finished(plan: SourcePlan, evidence: SourceEvidence) -> bool:
    """Tell whether nothing is left to do: neither a step of the plan nor anything about the schedule."""
    steps = plan.principal, plan.hold, plan.reset, plan.baseline, plan.to_load, plan.catch_up, plan.forget
    job = evidence.job
    if plan.blocked or any(steps) or job is None or evidence.schedule_error or evidence.schedule_changes:
        return False
    return (
        job.load_record == plan.record
        and [one.name for one in evidence.schedules] == [job.name]
        and evidence.scheduler == evidence.request.scheduler
    )


def plan_disabled(evidence: SourceEvidence, index: int) -> SourcePlan:
    """Decide which schedules of a source are switched off. Token, record and grants stay."""
    on = tuple(schedule.name for schedule in evidence.schedules if schedule.enabled is not False)
    return SourcePlan(source=evidence.name, index=index, **_without_others(evidence, on))


def plan_absent(evidence: SourceEvidence, accounts_in_use: t.Collection[str], index: int) -> SourcePlan:
    """Decide which jobs of a source are the role's own, to be removed, and whether the grants go with them.

    The role's own job is the one that it would manage, or one that holds a load record. The grants belong to the
    connector's account: they stay while it is the account of another source that has a schedule.

    :param accounts_in_use: the accounts of the connectors of such sources, as :func:`principal_key` writes them.
    """
    own = tuple(
        schedule.name for schedule in evidence.schedules if schedule.load_record or schedule.name == evidence.job_name
    )
    others = [schedule for schedule in evidence.schedules if schedule.name not in own]
    account = evidence.granted_account
    used = bool(others) or (account is not None and principal_key(account) in accounts_in_use)
    return SourcePlan(
        source=evidence.name,
        index=index,
        change_log=evidence.request.directory is not None,
        principal=None if used else account,
        job=evidence.job_name,
        **_without_others(evidence, own),
    )


def _run_by(scheduler: Scheduler) -> dict[str, t.Any]:
    return {name: value for name, value in scheduler.as_result().items() if value is not None}


def _without_others(evidence: SourceEvidence, jobs: tuple[str, ...]) -> dict[str, t.Any]:
    """Return which jobs are dealt with, and that no external scheduler runs the source any more, where one did."""
    if not evidence.scheduler.external:
        return {"switch_off": jobs}
    name = evidence.job_name or next((one.name for one in evidence.schedules), own_name(evidence.request.source))
    return {"switch_off": jobs or (name,), "run_by": _run_by(Scheduler())}


def principal_key(principal: str) -> str:
    """Return what is the same for all spellings of a DN."""
    try:
        return Name.parse(principal).normal
    except ValueError:
        return principal.strip().lower()


def accounts_in_use(
    schedules: t.Iterable[Schedule], connectors: t.Mapping[str, Connector], removed: t.Collection[str]
) -> set[str]:
    """Return the accounts of the connectors whose sources keep a schedule, as :func:`principal_key` writes them.

    :param schedules: all of liveSync.
    :param removed: the sources whose schedules are to be removed.
    """
    kept = (Source.of(schedule.source) for schedule in schedules if schedule.source not in removed)
    users = (connectors.get(source.system) for source in kept if source)
    return {principal_key(user.principal) for user in users if user and user.principal}

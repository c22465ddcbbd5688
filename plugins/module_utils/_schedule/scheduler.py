# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's scheduler as a whole: whether its jobs are paused, pausing them and letting them go on.

No server has a word for it: what is paused are the triggers of jobs that are enabled. On OpenIDM 6.1.0 (seen) a pause
reaches all jobs that are there, kept in the repository or in memory, and those that are made, changed or enabled later,
until jobs are resumed; one that comes when no job has a trigger reaches nothing. What runs goes on to its end. What the
scheduler had taken for its next firing before, up to 30 s ahead, fires once more: that is waited for. A job that may
run beside itself (concurrentExecution) fires on and on then, whatever its trigger shows.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Unreachable
from .._http.client import Client
from .._idm.nodes import running_nodes
from .._idm.server import Server, ask_server
from .document import SEE_STATE, Schedule
from .store import act_on_job, pause_or_resume_jobs, read_all_jobs

PAUSED, RUNNING, PARTLY, UNKNOWN = "paused", "running", "partly", "unknown"
#: Seconds that the server may take until its triggers show what it was told; OpenIDM 6.1.0 shows it at once (seen).
_PATIENCE = 15.0
#: Seconds more for what was taken for its next firing before, and for how long nothing of that kind is to be seen.
_TAKEN, _CALM = 30.0, 2.0


@dataclass(frozen=True)
class Wish:
    """What a task wants of the scheduler.

    :param paused: whether its jobs shall be paused; else they shall fire.
    :param names: the jobs that are meant; empty for all.
    """

    paused: bool
    names: tuple[str, ...] = ()

    def met_by(self, jobs: t.Iterable[Schedule]) -> bool:
        """Tell whether there is nothing to do, as far as the triggers show."""
        return all(job.paused == self.paused for job in self.meant(jobs))

    def meant(self, jobs: t.Iterable[Schedule]) -> list[Schedule]:
        """Return the jobs with a trigger that are meant."""
        return [job for job in with_trigger(jobs) if not self.names or job.name in self.names]

    def fulfilled(self, jobs: t.Iterable[Schedule]) -> list[Schedule]:
        """Return the jobs as they are once there is nothing to do."""
        jobs = list(jobs)
        meant = {job.name for job in self.meant(jobs)}
        return [replace(job, paused=self.paused) if job.name in meant else job for job in jobs]


def wish_of(options: t.Mapping[str, t.Any]) -> Wish:
    """Return what the options of the module ask for.

    :raises InvalidOption: for an empty list of jobs, which would otherwise mean all of them.
    """
    names = options["jobs"]
    if names is not None and not names:
        raise InvalidOption("jobs", names, "Name jobs, or leave it out for all of them.")
    return Wish(options["state"] == PAUSED, tuple(dict.fromkeys(names or ())))


def with_trigger(jobs: t.Iterable[Schedule]) -> list[Schedule]:
    """Return the jobs that can be paused: one that is disabled has no trigger (seen on OpenIDM 6.1.0)."""
    return [job for job in jobs if any("state" in entry for entry in job.triggers)]


def state_of(jobs: t.Iterable[Schedule]) -> str:
    """Return whether the jobs that can fire are paused; UNKNOWN where there are none."""
    found = {job.paused for job in with_trigger(jobs)}
    if len(found) > 1:
        return PARTLY
    return UNKNOWN if not found else PAUSED if found.pop() else RUNNING


def keep_scheduler(client: Client, wish: Wish, context: Context) -> dict[str, t.Any]:
    """Pause jobs, or let them go on; return the module's result.

    :raises InvalidOption: for jobs that there are none of, or that cannot be paused one by one.
    :raises IdmopsError: where nothing shows whether they are paused.
    :raises TimedOut: when the server does not show what it was told.
    :raises Unreachable, Refused: as the client.
    """
    server = ask_server(client)
    if wish.names and not server.job_actions:
        raise InvalidOption(
            "jobs",
            list(wish.names),
            "This server pauses all its jobs together: leave it out, or use enabled of livesync_schedule for one.",
        )
    jobs = read_all_jobs(client, server)
    _check(jobs, wish)
    changed = not wish.met_by(jobs)
    after = wish.fulfilled(jobs)
    if changed:
        _warn_of_other_nodes(client, wish.meant(jobs), context)
    if not context.check_mode:
        if changed:
            _send(client, server, wish, jobs)
        if changed or any(job.fires_once_more for job in wish.meant(jobs)):
            after = _shown_by_triggers(client, server, wish, context)
    return {
        "changed": changed,
        "scheduler": _shown(after),
        "diff": {"before": _managed(jobs), "after": _managed(after)},
    }


def _check(jobs: t.Sequence[Schedule], wish: Wish) -> None:
    known = sorted(job.name for job in jobs)
    strange = [name for name in wish.names if name not in known]
    if strange:
        raise InvalidOption("jobs", strange, f"There are: {', '.join(known) or 'none'}.")
    if blind := sorted(job.name for job in jobs if job.mute):
        raise IdmopsError(
            f"Whether the job {', '.join(blind)} is paused cannot be known: IDM does not show the state of its trigger."
            " Nothing was sent.",
            remedy=SEE_STATE,
            result={"changed": False},
        )
    seen = {job.name for job in wish.meant(jobs)}
    mute = [name for name in wish.names if name not in seen]
    if mute or not seen:
        which = f"the job {', '.join(mute)}" if mute else "a job of this scheduler"
        error = IdmopsError(
            f"Whether {which} is paused cannot be known: only a job that is enabled has a trigger that shows it."
            " Nothing was sent.",
            remedy="What is not enabled does not fire. Enable it, then run this again: a pause that finds no enabled"
            " job does not reach one that is enabled later.",
        )
        error.result.update({"changed": False, "scheduler": _shown(jobs)})
        raise error


def _warn_of_other_nodes(client: Client, meant: t.Iterable[Schedule], context: Context) -> None:
    """Warn of jobs that each node keeps for itself: one node was asked, and shows no other's."""
    own = sorted(job.name for job in meant if job.persisted is not True)
    if not own:
        return
    nodes = running_nodes(client)
    if nodes is None or len(nodes) != 1:
        several = "has several nodes" if nodes else "does not tell its nodes"
        context.report.warn(
            f"This server {several}, and a job that is not persisted ({', '.join(own)}) is kept by each node for"
            " itself: on other nodes than the one that answered it is as it was. Give their own addresses as url, one"
            " after the other."
        )


def _send(client: Client, server: Server, wish: Wish, jobs: t.Iterable[Schedule]) -> None:
    try:
        if wish.names:
            for job in wish.meant(jobs):
                if job.paused != wish.paused:
                    act_on_job(client, server, job.name, "pause" if wish.paused else "resume")
        else:
            pause_or_resume_jobs(client, server, wish.paused)
    except Unreachable as exc:
        if not exc.sent:  # else it may have arrived: reading will tell
            raise


def _shown_by_triggers(client: Client, server: Server, wish: Wish, context: Context) -> list[Schedule]:
    """Wait until the triggers show it, and until what fires once more has fired; return the jobs.

    :raises TimedOut: when they do not.
    :raises IdmopsError: where a pause does not hold.
    """
    last: list[str] = []
    calm: float | None = None

    def probe() -> list[Schedule] | None:
        nonlocal calm
        found = read_all_jobs(client, server)
        meant = wish.meant(found)
        if wish.paused:
            _check_that_it_holds(found, [job.name for job in meant if job.goes_on])
        last[:] = [f"{job.name} not so" for job in meant if job.paused != wish.paused]
        last.extend(f"{job.name} fires once more at {job.next_run}" for job in meant if job.fires_once_more)
        now = context.clock.now()
        calm = None if last else now if calm is None else calm
        return None if calm is None or now < calm + (_CALM if wish.paused else 0.0) else found

    return context.wait_for(
        probe,
        timeout=_PATIENCE + (_TAKEN if wish.paused else 0.0),
        what=f"the triggers of the jobs to be {'paused' if wish.paused else 'resumed'}",
        seen=lambda: ", ".join(last) or "nothing that speaks against it",
    )


def _check_that_it_holds(jobs: t.Sequence[Schedule], going_on: t.Sequence[str]) -> None:
    """Let nobody believe in a pause that does not hold.

    :raises IdmopsError: where jobs go on.
    """
    if going_on:
        raise IdmopsError(
            f"The pause does not hold for the job {', '.join(going_on)}: it may run beside itself"
            " (concurrentExecution), the scheduler had taken it for its next firing, and it fires on and on, although"
            " its trigger is shown as paused. All other jobs are paused.",
            remedy="Disable it (enabled: false), then run this again.",
            result={"changed": True, "scheduler": _shown(jobs)},
        )


def _managed(jobs: t.Iterable[Schedule]) -> dict[str, t.Any]:
    jobs = list(jobs)
    return {"state": state_of(jobs), "paused": sorted(job.name for job in with_trigger(jobs) if job.paused)}


def _shown(jobs: t.Iterable[Schedule]) -> dict[str, t.Any]:
    jobs = sorted(jobs, key=lambda job: job.name)
    triggered = {job.name for job in with_trigger(jobs)}
    return {
        "state": state_of(jobs),
        "jobs": [
            {
                "name": job.name,
                "source": job.source,
                "enabled": job.enabled,
                "paused": job.paused if job.name in triggered else None,
                "next_run": job.next_run,
            }
            for job in jobs
        ],
    }

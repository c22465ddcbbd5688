# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where schedules are kept: scheduler/job/<name>, and config/schedule/<name> that makes a job of the same name.

Reads and writes, no decisions.
"""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import InvalidOption, Refused
from .._base.values import as_bool, as_dict
from .._http.answer import odd
from .._http.client import Client, segment
from .._http.form import id_of
from .._idm.nodes import running_nodes
from .._idm.server import Server
from .._idm.source import Source
from .cron import CRON_SHAPE, is_cron_shaped
from .document import CONFIG, JOB, Schedule

_JOBS = "scheduler/job"
#: What both versions of the scheduler's API have.
_COMMON_VERSION, _LATER_VERSION = "1.0", "2.0"
_WAIT = {"waitForCompletion": "true"}
#: What is left to do where the configuration cannot be written.
_NO_DOCUMENT = (
    "Where the configuration cannot be changed, as in staging and production of Advanced Identity Cloud, use"
    " storage: job."
)
_PROMOTED = (
    "This schedule is part of a configuration that cannot be changed here, as in staging and production of Advanced"
    " Identity Cloud: change or remove it where the configuration can be written, and promote that. Once it is gone,"
    " storage: job keeps a schedule beside the configuration."
)


def read_jobs(client: Client, api_version: str) -> list[Schedule]:
    """Return all jobs of the scheduler, whatever they do, with one list request.

    OpenIDM 6.1.0 answers the list with 404 "Schedule does not exist" for good once a job with a blank or another
    character that must be percent-encoded in its name has been deleted (seen), and with 500 when a job ends while it is
    being listed: then each is read by itself.

    :raises Unreachable, Refused: as the client.
    """
    try:
        found = client.query(_JOBS, api_version=api_version)
    except Refused as exc:
        if not _is_gone(exc):
            raise
        listed = client.query(_JOBS, None, api_version=api_version, _queryId="query-all-ids")
        each = (_document(client, id_of(entry, f"GET {client.url}/{_JOBS}"), api_version) for entry in listed)
        found = [document for document in each if document]
    for document in found:  # a job that says nothing might be that of any source
        id_of(document, f"GET {client.url}/{_JOBS}")
    return [Schedule.parse(document) for document in found]


def read_all_jobs(client: Client, server: Server) -> list[Schedule]:
    """Return all jobs of the scheduler, as :func:`read_jobs`."""
    return read_jobs(client, server.scheduler_version)


def read_schedules(client: Client, server: Server, source: Source | str | None = None) -> list[Schedule]:
    """Return the schedules that run liveSync, of one source or of all, with one list request.

    Their ``storage`` is None: the list does not tell which of them a config document has made.

    :raises Unreachable, Refused: as the client.
    """
    found = [schedule for schedule in read_jobs(client, server.scheduler_version) if schedule.source is not None]
    return found if source is None else [schedule for schedule in found if schedule.source == str(source)]


def executing_sources(client: Client) -> list[str]:
    """Return the sources that jobs run liveSync of now, on the node that answers.

    :raises Unreachable, Refused: as the client.
    """
    return [job.source for job in executing_jobs(client) if job.source is not None]


def executing_jobs(client: Client) -> list[Schedule]:
    """Return what jobs run now, on the node that answers.

    The answer's entries have no id and are known by their invokeContext (seen on OpenIDM 6.1.0).

    :raises Unreachable, Refused: as the client.
    """
    asked = {"_action": "listCurrentlyExecutingJobs"}
    try:
        running = client.post(_JOBS, asked, expect=list, api_version=_COMMON_VERSION) or []
    except Refused as exc:
        if exc.status not in (400, 404, 501):  # what a live tenant answers to an action in the version that it lacks
            raise
        running = client.post(_JOBS, asked, expect=list, api_version=_LATER_VERSION) or []
    return [Schedule.parse(entry) for entry in running]


def is_running(client: Client, source: Source | str) -> bool:
    """Tell whether a job runs liveSync of a source now, on whichever node.

    :raises Unreachable, Refused: as the client.
    """
    return bool(which_run(client, [source]))


def which_run(client: Client, sources: t.Iterable[Source | str]) -> set[str]:
    """Return those of some sources that jobs run liveSync of now, on whichever node.

    :raises Unreachable, Refused: as the client.
    """
    asked = set(map(str, sources))
    here = asked.intersection(executing_sources(client))
    return here if here == asked else here | (asked & running_elsewhere(client, read_jobs(client, _COMMON_VERSION)))


def running_elsewhere(client: Client, jobs: t.Iterable[Schedule]) -> set[str]:
    """Return the sources of jobs that other nodes run: their triggers say so, for as long as the jobs are enabled.

    Where one node is the whole server its executing jobs are all there are. A trigger means nothing there: that of a
    job which died with IDM says that it is running until it fires again (seen on OpenIDM 6.1.0).

    :param jobs: as read with the executing jobs.
    :raises Unreachable, Refused: as the client.
    """
    claimed = {job.source for job in jobs if job.running and job.source}
    if claimed:
        nodes = running_nodes(client)
        if nodes is not None and len(nodes) == 1:
            return set()
    return claimed


def wait_until_idle(client: Client, source: Source | str, context: Context, timeout: float) -> None:
    """Wait until no job runs liveSync of a source.

    :param timeout: seconds.
    :raises TimedOut: when a job still runs then.
    :raises Unreachable, Refused: as the client.
    """
    idle = 0

    def probe() -> bool | None:
        nonlocal idle
        busy = is_running(client, source)
        # Twice, because a trigger may have been taken up an instant before its job shows.
        idle = 0 if busy else idle + 1
        return True if idle > 1 else None

    context.wait_for(
        probe,
        timeout=timeout,
        what=f"the running liveSync of {source} to end",
        seen=lambda: "a job was still running it" if not idle else "it had just ended",
        first_pause=0.2,
    )


def read_job(client: Client, server: Server, name: str) -> Schedule | None:
    """Return a job, None where there is none.

    :raises Unreachable, Refused: as the client.
    """
    document = _document(client, name, server.scheduler_version)
    return Schedule.parse(document) if document else None


def read_config(client: Client, name: str) -> Schedule | None:
    """Return the schedule of a config document, None where there is none.

    :raises Unreachable, Refused: as the client.
    """
    document = client.get(f"config/schedule/{segment(name)}", none_on=(404,))
    if document is None:
        return None
    id_of(document, f"GET {client.url}/config/schedule/{segment(name)}")
    return Schedule.parse({**document, "_id": f"schedule/{name}"}, CONFIG)


def write(client: Client, server: Server, storage: str, name: str, body: t.Mapping[str, t.Any]) -> None:
    """Create or replace a schedule where it is kept.

    :raises Unreachable, Refused: as the client.
    """
    if storage == JOB:
        client.put(f"{_JOBS}/{segment(name)}", body, api_version=server.scheduler_version)
        return
    try:
        client.put(f"config/schedule/{segment(name)}", body, _WAIT)
    except Refused as exc:
        if exc.status == 403 and exc.own:
            exc.remedy = _PROMOTED if read_config(client, name) else _NO_DOCUMENT
        raise


def delete(client: Client, server: Server, storage: str, name: str) -> None:
    """Delete a schedule where it is kept; one that is gone already is no error.

    :raises Unreachable, Refused: as the client.
    """
    if storage == JOB:
        client.delete(f"{_JOBS}/{segment(name)}", none_on=(404,), api_version=server.scheduler_version)
        return
    try:
        client.delete(f"config/schedule/{segment(name)}", params=_WAIT, none_on=(404,))
    except Refused as exc:
        if exc.status == 403 and exc.own:
            exc.remedy = _PROMOTED
        raise


def act_on_job(client: Client, server: Server, name: str, action: str) -> None:
    """Pause or resume one job, where the server can (``server.job_actions``).

    :raises Unreachable, Refused: as the client.
    """
    client.post(f"{_JOBS}/{segment(name)}", {"_action": action}, api_version=server.scheduler_version)


def pause_or_resume_jobs(client: Client, server: Server, paused: bool) -> None:
    """Pause all jobs of the server, or let all go on; both do nothing to what is so already (seen on OpenIDM 6.1.0).

    :raises Unreachable, Refused: as the client.
    """
    action = "pauseJobs" if paused else "resumeJobs"
    client.post(_JOBS, {"_action": action}, api_version=server.scheduler_version)


def check_cron(client: Client, server: Server, expression: str) -> None:
    """Have the server judge a cron expression. It does not tell whether the expression ever fires.

    :raises InvalidOption: when it is not one.
    :raises Unreachable, Refused: as the client.
    """
    if not is_cron_shaped(expression):
        raise InvalidOption("cron", expression, CRON_SHAPE)
    answer = client.post(
        _JOBS,
        {"_action": "validateQuartzCronExpression"},
        {"cronExpression": expression},
        api_version=server.scheduler_version,
    )
    valid = as_bool(as_dict(answer).get("valid"))
    if valid is None:
        raise odd(f"POST {client.url}/{_JOBS}?_action=validateQuartzCronExpression", "a truth value (valid)", answer)
    if not valid:
        raise InvalidOption("cron", expression, CRON_SHAPE)


def _document(client: Client, name: str, api_version: str) -> dict[str, t.Any] | None:
    try:
        document = client.get(f"{_JOBS}/{segment(name)}", none_on=(404,), api_version=api_version)
    except Refused as exc:
        if not _is_gone(exc):
            raise
        return None
    # The fork encodes its own answer: GET of the job "a b" has the _id "a%20b" (seen on OpenIDM 6.1.0).
    if document is None:
        return None
    id_of(document, f"GET {client.url}/{_JOBS}/{segment(name)}")
    return {**document, "_id": name}


def _is_gone(exc: Refused) -> bool:
    """Tell whether an answer means that a job is not there.

    One that ends between being found and being read makes 500 'Cannot invoke "org.quartz.JobDetail.getJobDataMap()"
    because "job" is null' (seen on OpenIDM 6.1.0, while a config document was activated).
    """
    return (exc.status == 404 and exc.own) or (exc.status == 500 and '"job" is null' in exc.reason)

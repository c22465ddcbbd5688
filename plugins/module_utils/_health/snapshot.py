# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server tells about all sources at once: lists, not items."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.errors import Refused
from .._http.client import Client
from .._idm.connector import Connector, ConnectorTest, list_configurations, read_connectors, test_connectors
from .._idm.mapping import SyncMapping, read_mappings
from .._idm.server import Server, ask_server
from .._idm.source import Source
from .._idm.stage import Stage
from .._record.run_record import RunRecord, read_stages_and_records
from .._schedule.plan import own_name
from .._schedule.schedule import Schedule, executing_sources, read_all_jobs, running_elsewhere


@dataclass(frozen=True)
class Snapshot:
    """What there is on a server at one moment.

    :param documents: the ids of all documents of the configuration, None where they are not known for certain.
    :param elsewhere: of the loads that jobs record, the reconciliations that were done on another IDM.
    :param time: the server's, when stages and run records were read: what they tell ages while the rest is read.
    """

    connectors: t.Mapping[str, Connector]
    tests: t.Mapping[str, ConnectorTest]
    stages: t.Mapping[str, Stage]
    schedules: t.Sequence[Schedule]
    mappings: t.Sequence[SyncMapping]
    running: frozenset[str]
    jobs: t.Sequence[Schedule] = ()
    records: t.Mapping[str, RunRecord] = field(default_factory=dict)
    time: str | None = None
    server: Server | None = None
    documents: frozenset[str] | None = None
    elsewhere: frozenset[str] = frozenset()

    def lacks(self, document: str) -> bool:
        """Tell whether it is certain that there is no document of the configuration with this id."""
        return self.documents is not None and document not in self.documents

    def record(self, source: Source) -> RunRecord:
        """Return the run record of a source, an empty one where there is none."""
        return self.records.get(source.stage_id) or RunRecord()

    def idle_jobs(self, source: Source) -> tuple[str, ...]:
        """Return what the enabled jobs are that seem to run liveSync of a source and run nothing, a sentence each.

        Only the service provisioner is one that the scheduler can invoke, it does nothing of an action that it does not
        know, and a source is taken as it is written (seen on OpenIDM 6.1.0: such a job fires, and nothing happens).
        """
        found = [
            f"The job {name} calls liveSync of it by a script: two would meet, so remove that job, or let it be the"
            " external scheduler (scheduler: external)."
            for name in self.scripts(source)
        ]
        for job in self.jobs:
            if job.enabled is False or job == self.namesake(source):
                continue  # of the latter more is to be said
            if job.does_nothing and source.resembles(job.names):
                action = job.invoke_context.get("action")
                found.append(f"The job {job.name} has the action {action}, which runs nothing: it has to be liveSync.")
            if not source.resembles(job.meant):
                continue
            if job.source is None:
                service = job.document.get("invokeService")
                found.append(f"The job {job.name} invokes {service}, which runs nothing: it has to be provisioner.")
            elif job.source != str(source):
                found.append(
                    f"The job {job.name} names {job.source}, {source.otherwise(job.source)}, and runs nothing. Set"
                    f" source to {source} in its invokeContext (PUT scheduler/job/{job.name}), or remove the job."
                )
        return tuple(found)

    def scripts(self, source: Source) -> tuple[str, ...]:
        """Return the names of the enabled jobs whose script seems to call liveSync of a source."""
        return tuple(job.name for job in self.jobs if job.enabled and not job.paused and job.calls(str(source)))

    def namesake(self, source: Source) -> Schedule | None:
        """Return the job that has the name of a source's own schedule and is not that, None where none has.

        One that writes the source in another case, or names another service, runs nothing: neither the role nor
        livesync_schedule takes it for their own.
        """
        return next((job for job in self.jobs if job.name == own_name(source) and job.source != str(source)), None)

    def known_sources(self) -> list[Source]:
        """Return the sources that have a token or a schedule of liveSync."""
        found = {source for schedule in self.schedules if (source := Source.of(schedule.source))}
        for connector in self.connectors.values():
            for object_type in connector.object_types:
                source = Source(connector.name, object_type)
                if source.stage_id in self.stages:
                    found.add(source)
        return sorted(found, key=str)


def read_snapshot(client: Client, brief: bool = False) -> Snapshot:
    """Read what there is, with one request for each kind of thing.

    :param brief: whether what is listed nowhere is not asked for; nobody knows then whether the account may ask it.
    :raises Unreachable, Refused: as the client.
    """
    listed = _listed(client)
    connectors = {connector.name: connector for connector in read_connectors(client, listed)}
    tests = {test.name: test for test in test_connectors(client)}
    stages, records = read_stages_and_records(client)
    time = client.server_time
    server = ask_server(client)
    jobs = read_all_jobs(client, server)
    schedules = [job for job in jobs if job.source is not None]
    documents = listed if server.lists_documents and not isinstance(listed, Refused) else None
    mappings = read_mappings(client, listed=documents if brief else None)
    running = _running(client, schedules)
    return Snapshot(connectors, tests, stages, schedules, mappings, running, jobs, records, time, server, documents)


def _listed(client: Client) -> frozenset[str] | Refused:
    """Return the ids of all documents of the configuration, or why they are not told."""
    try:
        return list_configurations(client)
    except Refused as exc:
        return exc


def _running(client: Client, schedules: t.Iterable[Schedule]) -> frozenset[str]:
    """Return the sources that jobs run liveSync of, on whichever node."""
    return frozenset([*executing_sources(client), *running_elsewhere(client, schedules)])

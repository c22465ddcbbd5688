# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the evidence: lists, not items, and nothing that is not needed. Writes nothing."""

from __future__ import annotations

import typing as t
from dataclasses import fields, replace
from datetime import datetime, timezone
from functools import cached_property

from .._base.address import share_a_host
from .._base.context import Context
from .._base.errors import DirectoryError, InvalidOption, Refused
from .._changelog.access import proof_connection, prove
from .._changelog.aci import principal_name
from .._changelog.anchor import counted_anew, newest
from .._changelog.grants import WantedGrants, apply_grants
from .._changelog.in_use import find_in_use, same_numbers
from .._changelog.limits import checked_limits, outermost
from .._changelog.log import NUMBERS, alias_search_works, connector_servers, see_as, unlisted_servers
from .._changelog.rights import Visibility
from .._changelog.server_config import purge_seconds
from .._changelog.verify import Verification
from .._changelog.whose import SAME, Identity, Whose, identity_for, judge_whose
from .._health.judged import recorded, said_of_namesake
from .._health.snapshot import Snapshot
from .._http.client import Client
from .._idm.connector import Connector
from .._idm.connector_config import renamed
from .._idm.connector_filters import entry_filter
from .._idm.mapping import SyncMapping, has_links, misnamed, queued_after
from .._idm.queue import read_waiting
from .._idm.server import Server
from .._ldap.directory import Directory
from .._ldap.lines import Lines
from .._ldap.refused_binds import RefusedBinds
from .._ldap.set_aside import why_unfit
from .._ldap.url import host_and_port
from .._proof.link_ids import estranged
from .._proof.own_entries import OwnEntries
from .._proof.unlisted import Unlisted, read_unlisted
from .._record.load_record import Witnesses, read_record
from .._schedule.document import is_placeholder
from .._schedule.plan import Found, decide_schedule, pick_name
from .._schedule.store import check_cron, read_config, read_job
from .._schedule.wanted import WantedSchedule
from .evidence import DirectoryFacts, ServerFacts, SourceEvidence
from .request import ENABLED, SourceRequest

#: The suboptions of ``schedule`` that say what a schedule shall be.
_SCHEDULE_OPTIONS = {field.name for field in fields(WantedSchedule)} - {"source", "enabled", "load_record", "idle"}


class Gatherer:
    """Gathers the evidence of several sources from one IDM and the directories behind it.

    :param snapshot: what IDM told about all of them.
    :param brief: whether what is known already is not asked for; nobody knows then whether the account may ask it.
    :param context: of the task; it is asked for warnings and progress alone, since nothing is ever written.
    """

    def __init__(
        self, client: Client, server: Server, snapshot: Snapshot, state: str, context: Context, brief: bool = False
    ) -> None:
        self._client = client
        self._server = server
        self._snapshot = snapshot
        self._state = state
        self._brief = brief
        self._context = context
        self._reading = Context(check_mode=True, report=context.report, clock=context.clock)
        self._refused = RefusedBinds()
        self._proved: dict[tuple[str, ...], Verification] = {}
        #: The connections to directories, for whoever reads on after this.
        self.lines = Lines(self._reading, Directory)

    def source(self, request: SourceRequest) -> SourceEvidence:
        """Return what is known of one source.

        :raises Unreachable, Refused: as the client. What the directory answers is part of the evidence.
        """
        snapshot, source = self._snapshot, request.source
        connector = snapshot.connectors.get(source.system)
        stage = snapshot.stages.get(source.stage_id)
        schedules = tuple(schedule for schedule in snapshot.schedules if schedule.source == str(source))
        own = [mapping for mapping in snapshot.mappings if source.is_named_by(mapping.source)]
        mappings, strangers = self._mappings(request, own)
        namesake = snapshot.namesake(source)
        evidence = SourceEvidence(
            request=request,
            connector=connector,
            test=snapshot.tests.get(source.system),
            mappings=mappings,
            unasked=tuple(one.name for one in own if one not in mappings),
            left_out=tuple(one.name for one in own if one not in mappings and one.sync_enabled is False),
            queued=tuple(
                (one, waiting.depth if (waiting := read_waiting(self._client, one.name)) else None)
                for one in queued_after(own, snapshot.mappings)
            ),
            refused_mappings=next((one.refused for one in snapshot.mappings if one.refused), None),
            misnamed=misnamed(source, snapshot.mappings) if not connector or connector.has(source.object_type) else (),
            strangers=strangers,
            known_systems=tuple(sorted(snapshot.connectors)),
            renamed=renamed(source.system, snapshot.connectors.values()),
            schedules=schedules,
            idle_jobs=snapshot.idle_jobs(source),
            namesake=said_of_namesake(source, namesake, own) if namesake else None,
            scheduler=snapshot.record(source).scheduler,
            anchor=snapshot.record(source).anchor,
            stage=stage,
            running=str(source) in snapshot.running,
        )
        evidence = self._with_job(evidence)
        if self._state != ENABLED or connector is None:
            return evidence
        evidence = self._with_directory(evidence, connector)
        return self._with_guards(evidence, connector)

    def _mappings(
        self, request: SourceRequest, own: t.Sequence[SyncMapping]
    ) -> tuple[tuple[SyncMapping, ...], dict[str, str]]:
        """Return the mappings to load, and what is wrong with those that were asked for and are none of the source."""
        if request.mappings is None:
            return tuple(own), {}
        known = {mapping.name: mapping for mapping in self._snapshot.mappings}
        chosen = tuple(mapping for mapping in own if mapping.name in request.mappings)
        strangers = {
            name: f"its source is {known[name].source}" if name in known else "IDM has none of this name"
            for name in request.mappings
            if name not in {mapping.name for mapping in chosen}
        }
        return chosen, strangers

    def _with_job(self, evidence: SourceEvidence) -> SourceEvidence:
        """Add the job that the role manages, what it records, and what becomes of it."""
        request = evidence.request
        try:
            name = pick_name(evidence.schedules, request.source, request.schedule_name, self._server)
        except InvalidOption as exc:
            return replace(evidence, schedule_error=exc.within(f"{request.place}.schedule"))
        listed = next((schedule for schedule in evidence.schedules if schedule.name == name), None)
        known = self._brief and listed is not None and self._snapshot.lacks(f"schedule/{name}")
        config = None if known else read_config(self._client, name)
        found = Found(name, listed or read_job(self._client, self._server, name), config)
        job = found.current if found.source == evidence.name else None
        record = read_record(job.load_record) if job else {}
        here = self._witnesses.made_here
        evidence = replace(
            evidence,
            job=job,
            job_name=name,
            record=record,
            foreign=frozenset(name for name, load in record.items() if not here(load, promoted=config is not None)),
        )
        return self._with_schedule(evidence, found) if self._state == ENABLED else evidence

    @cached_property
    def _witnesses(self) -> Witnesses:
        return Witnesses(self._client, recorded(self._snapshot.schedules).values())

    def _with_schedule(self, evidence: SourceEvidence, found: Found) -> SourceEvidence:
        """Add what livesync_schedule would say to the wanted schedule."""
        request = evidence.request
        if request.schedule_error:
            return replace(evidence, schedule_error=request.schedule_error)
        given = {name: value for name, value in request.schedule.items() if name in _SCHEDULE_OPTIONS}
        off = request.scheduler.external
        wanted = WantedSchedule(source=request.source, enabled=not off, idle=off, concurrent=False, **given)
        try:
            if wanted.cron is not None and not is_placeholder(wanted.cron):
                check_cron(self._client, self._server, wanted.cron)
            plan = decide_schedule(found, wanted, self._server, datetime.now(timezone.utc))
        except InvalidOption as exc:
            return replace(evidence, schedule_error=exc.within(f"{request.place}.schedule"))
        return replace(evidence, schedule_plan=plan)

    def _with_directory(self, evidence: SourceEvidence, connector: Connector) -> SourceEvidence:
        """Add what the directory behind the connector says."""
        options = evidence.request.directory
        if not options or not connector.reads_change_log:
            return evidence
        principal = options.get("principal") or connector.principal
        try:
            self._check_whose(evidence.request, connector)
            own = connector_servers(options, connector.servers)
            if not principal:
                raise InvalidOption(
                    "principal",
                    principal,
                    f"{connector.nobody} Where a placeholder stands for it, give its DN in livesync_directory.",
                )
            wanted = WantedGrants(
                principal=principal_name(principal),
                raise_limits=bool(options.get("raise_limits")),
                limits=checked_limits(options),
                unindexed_search=options.get("unindexed_search"),
                base_contexts=tuple(outermost(options.get("base_contexts") or connector.base_contexts)),
            )
            given = {uri: self.lines.connect(options, uri) for uri in options["servers"]}
            self._refused.greet(list(given.values()))
            servers = tuple(self._on_server(one, options, wanted) for one in given.values())
            facts = DirectoryFacts(
                uri=own[0],
                principal=principal,
                servers=servers,
                unlisted=unlisted_servers(options["servers"], connector.servers),
            )
            facts = replace(facts, verification=self._verification(facts, options, wanted))
            facts = self._with_server(facts, [given[uri] for uri in own], connector, evidence)
            facts = replace(facts, canary=why_unfit(given[own[0]], evidence.request.canary, connector.uid_attribute))
            return replace(evidence, directory=facts)
        except (DirectoryError, InvalidOption) as exc:
            self._refused.note(options, exc)
            return replace(evidence, directory_error=exc)

    def _check_whose(self, request: SourceRequest, connector: Connector) -> None:
        """Check that the directory that holds for all sources is this connector's, where there are several.

        The numbers of another directory's change log mean nothing here, and its account is another one.

        :raises InvalidOption: when it is not.
        """
        known = self._snapshot.connectors.values()
        others = [one for one in known if one.reads_change_log and one.name != connector.name]
        given = None if request.own_directory or not others or not connector.servers else request.directory
        servers = given["servers"] if given else []
        hosts = [host_and_port(uri)[0] for uri in servers]
        if hosts and not share_a_host(hosts, connector.hosts):
            names = ", ".join(f"{host}:{port}" for host, port in connector.servers)
            raise InvalidOption(
                "livesync_directory.servers",
                servers,
                f"None is on the host of the connector {connector.name} ({names}), and IDM has other connectors to"
                f" directories: give directory for {request.source} with its own servers.",
            )

    def _on_server(self, directory: Directory, options: t.Mapping[str, t.Any], wanted: WantedGrants) -> ServerFacts:
        """Return what one server grants, and what it would grant after this run."""
        uri = directory.uri
        if error := self._refused.again(options, uri):
            return ServerFacts(uri, error=error)
        try:
            before, after, unused = apply_grants(directory, wanted, self._reading)
        except DirectoryError as exc:
            self._refused.note(options, exc)
            return ServerFacts(uri, error=exc)
        return ServerFacts(uri, before, after)

    def _verification(
        self, facts: DirectoryFacts, options: t.Mapping[str, t.Any], wanted: WantedGrants
    ) -> Verification | None:
        """Let the account itself look where nothing is to be granted; once, however many sources it has."""
        proof = proof_connection(options, wanted, self._reading, Directory)
        if proof is None or any(server.error or server.to_grant for server in facts.servers):
            return None
        key = (proof.uri, wanted.principal.normal, str(options["principal_password"]))
        if key not in self._proved:
            self._proved[key] = prove(proof, self._reading, wait=False)
        return self._proved[key]

    def _with_server(
        self,
        facts: DirectoryFacts,
        own: t.Sequence[Directory],
        connector: Connector,
        evidence: SourceEvidence,
    ) -> DirectoryFacts:
        """Add what the server that the connector reads now says of itself and of its change log.

        :param own: the servers that may be the connector's.
        :param evidence: what is known of the source.
        """
        token = evidence.stage.number if evidence.stage else None
        uris = {one.uri for one in own}
        if any(server.error and not server.away for server in facts.servers if server.uri in uris):
            return facts  # its password may have been refused
        if all(server.away for server in facts.servers if server.uri in uris):
            return facts
        found = find_in_use(own, connector.servers, self._refused)
        directory = found.directory
        facts = replace(facts, uri=directory.uri, whose=found.whose, identity=identity_for(directory, found.whose))
        log = facts.change_log
        if log is None or log.mode != NUMBERS:
            return facts
        behind = token if self._brief else None
        others = [one for one in own if one is not directory and one.uri not in {gone.uri for gone in found.away}]
        return replace(
            facts,
            alias_search=alias_search_works(directory, log),
            purge_seconds=purge_seconds(directory),
            anew=counted_anew(directory, log, newest(evidence.anchors), behind) if found.whose.answer == SAME else None,
            misnumbered=tuple(
                other.uri
                for other in others
                if judge_whose(other, connector.servers).place is not None
                and same_numbers(directory, other, token) is False
            ),
        )

    def _with_guards(self, evidence: SourceEvidence, connector: Connector) -> SourceEvidence:
        """Add what must be known before a load: that it deletes nobody by surprise."""
        loads = evidence.loads
        if not loads:
            return evidence
        linked = {
            mapping.name: has_links(self._client, mapping)
            for mapping in evidence.mappings
            if mapping.deletes and mapping.name in loads
        }
        may_go = [mapping for mapping in evidence.mappings if linked.get(mapping.name)]
        evidence = replace(
            evidence,
            linked=linked,
            estranged=estranged(self._client, connector, may_go, self._snapshot.mappings) if may_go else None,
        )
        facts, options = evidence.directory, evidence.request.directory
        server = facts.server if facts else None
        if facts and options and server and not server.error:
            try:
                seen = compare(evidence.request, connector, facts.principal, facts.uri, self._reading)
                evidence = replace(evidence, directory=replace(facts, seen=seen))
                if seen is None or facts.whose.answer != SAME:
                    return evidence  # what is to be said of that says unguarded
                maybe = [one for one in evidence.mappings if linked.get(one.name, False) is not False]
                known = self._snapshot.mappings
                unlisted = compare_links(
                    self._client, evidence.request, connector, maybe, known, facts.uri, None, self._reading
                )
                return replace(evidence, unlisted=unlisted)
            except DirectoryError as exc:
                return replace(evidence, directory_error=exc)
        return evidence


def compare(
    request: SourceRequest, connector: Connector, principal: str | None, uri: str, context: Context
) -> Visibility | None:
    """Count the entries that the connector would search for, and those of them that its account may read.

    :param principal: the account.
    :param uri: of the directory server.
    :returns: None where a placeholder of the connector's configuration hides what to compare.
    :raises DirectoryError: no answer, or an error.
    """
    options = t.cast("t.Mapping[str, t.Any]", request.directory)
    contexts = connector.base_contexts or options.get("base_contexts")
    search_filter = entry_filter(connector, request.source.object_type)
    if not (principal and contexts and search_filter):
        return None
    with Directory(options, uri, context) as directory:
        return see_as(directory, principal, contexts, search_filter)


def compare_links(
    client: Client,
    request: SourceRequest,
    connector: Connector,
    mappings: t.Iterable[SyncMapping],
    known: t.Sequence[SyncMapping],
    uri: str,
    listed: t.AbstractSet[str] | None,
    context: Context,
) -> dict[str, Unlisted]:
    """Return which mappings a load would delete of what the directory has, or might.

    :param mappings: those to load.
    :param known: all mappings.
    :param uri: of the directory server.
    :param listed: the ids that IDM lists, None where it was not asked.
    :raises Unreachable: as the client.
    :raises DirectoryError: no answer, or an error.
    """
    removing = [one for one in mappings if one.removes and one.links_objects]
    if request.allow_deletes or not removing:
        return {}
    options = t.cast("t.Mapping[str, t.Any]", request.directory)
    connector = replace(connector, base_contexts=connector.base_contexts or tuple(options.get("base_contexts") or ()))
    found = {}
    with Directory(options, uri, context) as directory:
        own = OwnEntries.of(directory, connector, request.source.object_type)
        for mapping in removing:
            if own is None:
                found[mapping.name] = Unlisted(unknown="the configuration does not tell where the connector looks")
                continue
            try:
                found[mapping.name] = read_unlisted(client, mapping, known, own, listed)
            except Refused as exc:
                found[mapping.name] = Unlisted(unknown=f"its links cannot be read: {exc.message.rstrip('.')}")
    return {name: one for name, one in found.items() if one}


def ask_whose(options: t.Mapping[str, t.Any], connector: Connector, context: Context) -> tuple[str, Whose, Identity]:
    """Return the URL of the server that the connector reads, whether it is, and the identity to record a load with.

    :raises InvalidOption: none of several servers is on a host of the connector.
    :raises DirectoryError: no answer, or an error.
    """
    given = [Directory(options, uri, context) for uri in connector_servers(options, connector.servers)]
    found = find_in_use(given, connector.servers)
    with found.directory as directory:
        return directory.uri, found.whose, identity_for(directory, found.whose)

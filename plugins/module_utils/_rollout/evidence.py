# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a source before the role does anything, and what follows from it. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.address import same_machine
from .._base.errors import IdmopsError
from .._changelog.anchor import Anchor
from .._changelog.grants import Grants
from .._changelog.log import NUMBERS, ChangeLog
from .._changelog.rights import Visibility
from .._changelog.verify import Verification
from .._changelog.whose import FAILOVER, SAME, SERVER, Identity, Whose
from .._health.states import TRIMMED, outside
from .._idm.connector import Connector, ConnectorTest
from .._idm.mapping import SyncMapping
from .._idm.stage import Stage
from .._ldap.directory import NoAnswer
from .._ldap.dn import Name, is_within_any
from .._ldap.url import host_and_port
from .._proof.unlisted import Unlisted
from .._record.load_record import Load, loads_to_do, moved_from
from .._record.scheduler import Scheduler
from .._schedule.document import Schedule
from .._schedule.plan import SchedulePlan
from .request import SourceRequest

#: How many entries a load brings over in a second at the least; seen: 40 to 70 on two cores.
_SLOWEST_LOAD = 10
#: What a load takes at the least, with what comes before and after it, in seconds.
_SHORTEST_LOAD = 300


@dataclass(frozen=True)
class ServerFacts:
    """One directory server.

    :param before: what the account may there, None where that could not be read.
    :param after: what it may once this run has granted what is missing.
    """

    uri: str
    before: Grants | None = None
    after: Grants | None = None
    error: IdmopsError | None = None

    @property
    def away(self) -> bool:
        """Whether it does not answer."""
        return isinstance(self.error, NoAnswer)

    @property
    def to_grant(self) -> bool:
        """Whether this run has something to grant here."""
        return self.before != self.after


@dataclass(frozen=True)
class DirectoryFacts:
    """The directory behind a connector.

    :param uri: of the server that the connector reads, that of its failover while its host does not answer.
    :param principal: the account that the grants are for.
    :param servers: all that were given, that one included.
    :param alias_search: whether it can search the change log the way the connector does; None where not tried.
    :param purge_seconds: for how long changes stay in the change log; None where that cannot be read.
    :param seen: how many entries there are and how many of them the account may read; None where not compared.
    :param whose: whether it is the connector's, as far as that is known.
    :param identity: what tells it from other servers, as far as it may be read.
    :param misnumbered: the other servers of the connector that are shown to give changes other numbers.
    :param unlisted: servers of the connector on whose hosts none of those that were given is, as host:port.
    :param anew: what shows that the change log has begun to count anew since the token was taken, None as far as known.
    :param canary: why the canary's entry is none that is set aside, None where it is, or there is none.
    :param verification: what the account itself found with its password; None where that was not given, or where
        something is still to be granted, after which changelog_access lets it look.
    """

    uri: str
    principal: str
    servers: tuple[ServerFacts, ...] = ()
    alias_search: bool | None = None
    purge_seconds: int | None = None
    seen: Visibility | None = None
    whose: Whose = Whose()
    identity: Identity = Identity()
    misnumbered: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    anew: str | None = None
    verification: Verification | None = None
    canary: IdmopsError | None = None

    @property
    def server(self) -> ServerFacts | None:
        """The server that the connector reads."""
        return next((server for server in self.servers if server.uri == self.uri), None)

    @property
    def change_log(self) -> ChangeLog | None:
        """Its change log as it was read, None where it has none or none could be read."""
        server = self.server
        return server.before.change_log if server and server.before else None

    @property
    def entries(self) -> int | None:
        """How many entries lie below the connector's base contexts."""
        server = self.server
        return server.before.limits.entries if server and server.before and server.before.limits else None

    @property
    def load_seconds(self) -> int:
        """How long a load may take, by the number of entries."""
        return max(_SHORTEST_LOAD, (self.entries or 0) // _SLOWEST_LOAD)


@dataclass(frozen=True)
class SourceEvidence:
    """What is known of one source.

    :param connector: None where IDM has none of this name.
    :param test: None where IDM does not test it: there is none, or it is disabled.
    :param mappings: those to load.
    :param unasked: mappings of the source that are not asked for.
    :param left_out: those of them whose enableSync is false.
    :param queued: the mappings with a queue that its changes go through, each with how many events wait there, None
        where that is not known.
    :param refused_mappings: why the mappings as they are written are not in force, None as far as is known.
    :param misnamed: mappings that spell the source in another case, a sentence each.
    :param strangers: mappings that were asked for and are none of this source, each with what it is instead.
    :param schedules: that run liveSync of this source.
    :param idle_jobs: what the jobs are that seem to run it and run nothing, in sentences.
    :param namesake: what the job is that has the name of its schedule and does something else, None where none has.
    :param job: the one of them that the role manages.
    :param job_name: its name, also where it is still to be made.
    :param schedule_error: why the wanted schedule cannot be.
    :param schedule_plan: what has to become of the job, None where that is not known or not asked.
    :param scheduler: who runs it, as the run record has it.
    :param anchor: the newest change that a run of ours has met, as the run record has it.
    :param stage: what IDM keeps of the source between two runs, None where it has never run.
    :param foreign: the recorded mappings whose load was done elsewhere.
    :param linked: for mappings that can delete, whether they have links; None where that cannot be read.
    :param estranged: what has happened to these links since the connector's uidAttribute was changed.
    :param directory: None where none is known, or the connector reads no change log.
    :param directory_error: why nothing is known of the directory that was given.
    """

    request: SourceRequest
    connector: Connector | None = None
    test: ConnectorTest | None = None
    mappings: tuple[SyncMapping, ...] = ()
    unasked: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    queued: tuple[tuple[SyncMapping, int | None], ...] = ()
    refused_mappings: str | None = None
    misnamed: tuple[str, ...] = ()
    strangers: t.Mapping[str, str] = field(default_factory=dict)
    known_systems: tuple[str, ...] = ()
    renamed: str | None = None
    schedules: tuple[Schedule, ...] = ()
    idle_jobs: tuple[str, ...] = ()
    namesake: str | None = None
    job: Schedule | None = None
    job_name: str = ""
    schedule_error: IdmopsError | None = None
    schedule_plan: SchedulePlan | None = None
    scheduler: Scheduler = Scheduler()
    anchor: Anchor | None = None
    stage: Stage | None = None
    running: bool = False
    record: t.Mapping[str, Load] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    linked: t.Mapping[str, bool | None] = field(default_factory=dict)
    estranged: str | None = None
    unlisted: t.Mapping[str, Unlisted] = field(default_factory=dict)
    directory: DirectoryFacts | None = None
    directory_error: IdmopsError | None = None

    @property
    def name(self) -> str:
        """The source as users write it."""
        return str(self.request.source)

    @property
    def schedule_changes(self) -> tuple[str, ...]:
        """In what the job differs from what is wanted."""
        return tuple(self.schedule_plan.changes) if self.schedule_plan else ()

    @property
    def token(self) -> t.Any:
        """Where liveSync stands, None where it has never stored a token."""
        return self.stage.token if self.stage else None

    @property
    def anchors(self) -> list[Anchor | None]:
        """The changes that were noted behind the token on this IDM."""
        return [self.anchor, *(load.base_point for name, load in self.record.items() if name not in self.foreign)]

    @property
    def is_on(self) -> bool:
        """Whether it is run already by whoever shall run it, so that nothing has waited for that."""
        if self.request.scheduler.external:
            return self.scheduler.external
        return self.job is not None and bool(self.job.enabled)

    @property
    def misfit(self) -> str | None:
        """What keeps the connector from going on at the token, None where nothing does."""
        log = self.directory.change_log if self.directory else None
        numbered = log is not None and log.mode == NUMBERS
        return self.stage.misfit(self.connector, numbered=numbered) if self.stage else None

    @property
    def moved_from(self) -> tuple[str, Identity] | None:
        """What has changed (SERVER or DATA) since a load was recorded, and the identity then; None as far as known.

        Without a token nothing goes on from those loads, so that it does not matter.
        """
        if self.directory is None or self.token is None:
            return None
        return moved_from(self.record.values(), self.directory.identity)

    @property
    def gap(self) -> str | None:
        """Why the changes after the token cannot be had from the change log; None: they can, as far as is known.

        Only the numbers of the server that the connector reads, and read before, tell that.
        """
        if self.directory is None or self.directory.whose.answer != SAME:
            return None
        moved = self.moved_from
        return None if moved and moved[0] == SERVER else self.out_of_range

    @property
    def out_of_range(self) -> str | None:
        """Why the token is none that the change log goes on from, by the numbers; None: it is.

        ("From nothing to scheduled liveSync without losing a change", step 5.) A token that is no number is none of
        the change log's.
        """
        log = self.directory.change_log if self.directory else None
        number = self.stage.number if self.stage else None
        if log is None or log.mode != NUMBERS or number is None:
            return None
        bad = outside(log.first, log.last, number)
        if bad is None:
            return self.directory.anew if self.directory else None
        if bad[0] == TRIMMED:
            return (
                f"The change log begins at {log.first}, after the token {number}: the changes in between have been"
                " removed from it."
            )
        return (
            f"The token {number} lies beyond the end of the change log, {log.last}: the directory was built"
            " anew, or the connector talks to another server than before."
        )

    @property
    def loads(self) -> dict[str, str]:
        """The mappings to load, with the reasons."""
        missing = None if self.token is not None else "liveSync has no base point, so that nobody knows what it missed."
        return loads_to_do(
            [mapping.name for mapping in self.mappings],
            self.record,
            self.foreign,
            how=self.request.initial_load,
            no_base_point=missing or self.gap,
        )

    @property
    def switched_off(self) -> tuple[str, ...]:
        """The mappings of the source whose enableSync is false: what liveSync takes meanwhile is lost to them."""
        return (*(mapping.name for mapping in self.mappings if mapping.sync_enabled is False), *self.left_out)

    @property
    def kept_record(self) -> dict[str, Load]:
        """What of the record still holds while the loads are being done."""
        if self.token is None or self.gap:
            return {}
        over = {*self.loads, *self.foreign, *self.switched_off}
        return {name: load for name, load in self.record.items() if name not in over}

    @property
    def granted_account(self) -> str | None:
        """The account whose grants belong to the source; None where there are none, or nobody knows whose they are."""
        options = self.request.directory
        if options is None or (self.connector is not None and not self.connector.reads_change_log):
            return None
        return options.get("principal") or (self.connector.principal if self.connector else None)

    @property
    def binds_as(self) -> str | None:
        """The account that the connector binds as, where another one is granted; None where it is the same."""
        own = self.connector.principal if self.connector else None
        if not (self.directory and own):
            return None
        try:
            differ = Name.parse(own).normal != Name.parse(self.directory.principal).normal
        except ValueError:  # a placeholder, or a name that is no DN
            return None
        return own if differ else None

    @property
    def principal_inside(self) -> bool:
        """Whether the account lies where liveSync takes changes from, so that its own changes are records."""
        if not (self.directory and self.connector):
            return False
        try:
            bases = [Name.parse(base) for base in self.connector.sync_base_contexts]
        except ValueError:
            return False
        return is_within_any(self.directory.principal, bases)

    @property
    def proof_away(self) -> str | None:
        """The URL that the account shall bind to, where a server on its host does not answer; None where all do."""
        uri = (self.request.directory or {}).get("verify_uri")
        if not uri or self.directory is None:
            return None
        host = host_and_port(uri, "verify_uri")[0]
        gone = [host_and_port(server.uri)[0] for server in self.directory.servers if server.away]
        return str(uri) if any(same_machine(host, one) for one in gone) else None

    @property
    def first_away(self) -> str:
        """What is to be done first where the connector reads its failover meanwhile, "" where it does not."""
        over = self.directory is not None and self.directory.whose.answer == FAILOVER
        return "Bring back the first server, which is away, and run this again; else: " if over else ""

    @property
    def unguarded(self) -> list[SyncMapping]:
        """The mappings whose load could delete people by surprise, since nothing can be compared before it."""
        compared = self.directory and self.directory.seen and self.directory.whose.answer == SAME
        if self.request.allow_deletes or compared:
            return []
        loads = self.loads
        return [
            mapping
            for mapping in self.mappings
            if mapping.name in loads and mapping.deletes and self.linked.get(mapping.name) is not False
        ]

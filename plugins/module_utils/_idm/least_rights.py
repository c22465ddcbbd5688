# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least rights in IDM that each module needs: the one table that preflight, the page and the tests go by. No I/O.

docs/least-rights.md shows it, a unit test compares them; the target least_rights proves it on a real server.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._http.right import ACTION, CREATE, DELETE, QUERY, READ, UPDATE, Right, spoken

STATUS, PREFLIGHT, TRIGGER = "livesync_status", "livesync_preflight", "livesync_trigger"
SCHEDULE, TOKEN, LOAD, RECON = "livesync_schedule", "livesync_token", "livesync_load", "recon"
INFO, CONNECTOR, CREDENTIALS, ADOPT = "connector_info", "connector", "connector_credentials", "livesync_adopt"
VERIFY, CANARY, SCHEDULER = "livesync_verify", "livesync_canary", "scheduler"
#: Those that ask IDM; idm_token asks AM alone, changelog_access the directory alone.
MODULES = (
    *(STATUS, PREFLIGHT, TRIGGER, SCHEDULE, TOKEN, LOAD, RECON),
    *(INFO, CONNECTOR, CREDENTIALS, VERIFY, CANARY, SCHEDULER, ADOPT),
)
#: Those that the role livesync runs.
ROLE = (PREFLIGHT, SCHEDULE, TRIGGER, TOKEN, LOAD, STATUS, CONNECTOR, VERIFY, CANARY)

_KNOW_CONNECTORS = (STATUS, PREFLIGHT, TRIGGER, TOKEN, LOAD, INFO, CONNECTOR, CREDENTIALS, VERIFY, CANARY, ADOPT)
_KNOW_MAPPINGS = (STATUS, PREFLIGHT, TRIGGER, LOAD, RECON, VERIFY, CANARY, ADOPT)
_KNOW_JOBS = (STATUS, PREFLIGHT, TRIGGER, SCHEDULE, TOKEN, LOAD, VERIFY, CANARY, SCHEDULER, ADOPT)
_KNOW_RUNS = (STATUS, PREFLIGHT, TRIGGER, TOKEN, LOAD, VERIFY, CANARY, ADOPT)
_KNOW_SERVER = (STATUS, PREFLIGHT, TRIGGER, SCHEDULE, TOKEN, VERIFY, CANARY, SCHEDULER, ADOPT)
_RECONCILE = (LOAD, RECON)

#: IDM 7 and later alone ask for it.
LATER = "IDM 7 and later"


@dataclass(frozen=True)
class Need:
    """A right, and who needs it.

    :param right: as an access rule grants it.
    :param when: the case in which it is asked for, "" for always.
    :param unknown: what is then unknown, and how that is told, where it may be refused; "" where the module fails.
    """

    right: Right
    modules: tuple[str, ...]
    when: str = ""
    unknown: str = ""

    @property
    def required(self) -> bool:
        """Whether the module fails without it."""
        return not self.unknown


_STAGES, _LETTERS = "repo/synchronisation/pooledSyncStage", "repo/synchronisation/deadLetterQueue"
_ARRIVAL = "whether the newest changes have arrived"
_HELD = "whether another control host runs the source: tasks of one host alone are kept apart"
_BACKLOG = "`catch_up: reconcile`, or `auto` and a long backlog"
_NOTED = "nothing now: `livesync_status` does not tell later that it has arrived"
_WHY = "why something did not arrive: its reason is `unknown`"
_UNCOMPARED = "`directory`, and a change cannot be compared"
_LOST, _WHY_LOST = "the change does not arrive", "why it did not arrive"

NEEDS: tuple[Need, ...] = (
    # what there is
    Need(
        Right(READ, "info/ping"),
        (PREFLIGHT, ADOPT),
        unknown="nothing: that IDM is not ready then shows in what comes after it",
    ),
    Need(
        Right(READ, "info/login"),
        MODULES,
        "something is refused, and in preflight and adopt",
        unknown="nothing that a module goes by: the error does not say whom IDM takes the request for, and preflight"
        " does not warn of rights to write",
    ),
    Need(
        Right(READ, "info/version"),
        (*_KNOW_SERVER, RECON),
        unknown="nothing: `sync/mappings` then tells which IDM it is",
    ),
    Need(
        Right(READ, "info/version"),
        (CONNECTOR, CREDENTIALS),
        "there are several nodes",
        unknown="nothing: `sync/mappings` then tells which IDM it is",
    ),
    Need(
        Right(QUERY, "sync/mappings"),
        (CONNECTOR, CREDENTIALS),
        "there are several nodes, and `info/version` tells no version",
    ),
    Need(
        Right(QUERY, "sync/mappings"),
        (*_KNOW_SERVER, RECON),
        "`info/version` tells no version below 7; in recon with a token of AM alone",
    ),
    Need(Right(READ, "config"), _KNOW_CONNECTORS),
    Need(Right(READ, "config/provisioner.openicf/*"), _KNOW_CONNECTORS),
    Need(Right(READ, "config"), (SCHEDULE,), "the schedule is made"),
    Need(Right(READ, "config/provisioner.openicf/*"), (SCHEDULE,), "the schedule is made"),
    Need(Right(READ, "config/provisioner.openicf/*"), (RECON,)),
    Need(Right(READ, "config/sync"), _KNOW_MAPPINGS),
    Need(Right(QUERY, "config"), _KNOW_MAPPINGS),
    Need(Right(QUERY, "config"), (SCHEDULE, TOKEN, INFO, CONNECTOR, CREDENTIALS), "there are several connectors"),
    # connectors
    Need(Right(ACTION, "system", "test"), (STATUS, PREFLIGHT, INFO, VERIFY, CANARY, ADOPT)),
    Need(
        Right(ACTION, "system/*", "test"),
        (STATUS, PREFLIGHT, INFO, VERIFY, CANARY, ADOPT),
        "the test of all connectors does not end; in connector_info with `systems`",
    ),
    Need(Right(ACTION, "system/*", "test"), (CONNECTOR, CREDENTIALS)),
    Need(Right(ACTION, "system", "testConfig"), (CREDENTIALS,)),
    Need(
        Right(ACTION, "system/*", "test"),
        _RECONCILE,
        unknown="nothing: only the first operation of a connector server that has just been started may fail",
    ),
    Need(Right(ACTION, "system/*", "test"), (TRIGGER,), "the connector has to be waited for, or `reactivate`"),
    Need(Right(CREATE, "config/provisioner.openicf"), (CONNECTOR, CREDENTIALS)),
    Need(Right(UPDATE, "config/provisioner.openicf/*"), (CONNECTOR, CREDENTIALS)),
    Need(Right(CREATE, "config/provisioner.openicf"), (TRIGGER, LOAD), "`reactivate`"),
    Need(Right(UPDATE, "config/provisioner.openicf/*"), (TRIGGER, LOAD), "`reactivate`"),
    # sync tokens and liveSync
    Need(Right(QUERY, _STAGES), (STATUS, PREFLIGHT, VERIFY, CANARY, ADOPT)),
    Need(Right(READ, f"{_STAGES}/*"), (TRIGGER, TOKEN, LOAD, VERIFY, CANARY)),
    Need(Right(CREATE, _STAGES), (TOKEN,), "there is no token yet"),
    Need(Right(UPDATE, f"{_STAGES}/*"), (TOKEN,), "another token is there"),
    Need(Right(UPDATE, f"{_STAGES}/*"), (LOAD,), "another liveSync moved the token during the load"),
    Need(Right(UPDATE, f"{_STAGES}/*"), (TRIGGER,), _BACKLOG),
    Need(Right(DELETE, f"{_STAGES}/*"), (TOKEN,), "`state: absent`"),
    Need(Right(READ, f"{_STAGES}/*"), (RECON,), unknown=_HELD),
    Need(Right(CREATE, _STAGES), (TRIGGER, LOAD, TOKEN, RECON), "there is no run record yet", _HELD),
    Need(Right(UPDATE, f"{_STAGES}/*"), (TRIGGER, LOAD, TOKEN, RECON), unknown=_HELD),
    Need(Right(CREATE, _STAGES), (VERIFY, CANARY), "there is no run record yet; in verify with `note`", _NOTED),
    Need(Right(UPDATE, f"{_STAGES}/*"), (VERIFY, CANARY), "in verify with `note`", _NOTED),
    Need(Right(READ, f"{_STAGES}/*"), (SCHEDULE,), "`state: absent`", "nothing: the run record stays in IDM"),
    Need(Right(DELETE, f"{_STAGES}/*"), (SCHEDULE,), "`state: absent`", "nothing: the run record stays in IDM"),
    Need(Right(READ, f"{_STAGES}/*"), (SCHEDULE,), "`scheduler` is given"),
    Need(Right(CREATE, _STAGES), (SCHEDULE,), "`scheduler` is given, and there is no run record yet"),
    Need(Right(UPDATE, f"{_STAGES}/*"), (SCHEDULE,), "`scheduler` is given, and the run record tells of another"),
    Need(Right(ACTION, "system/*", "liveSync"), (TRIGGER,)),
    Need(Right(ACTION, "system/*", "liveSync"), (CANARY,), "`run_livesync`"),
    Need(Right(ACTION, "system", "liveSync"), (TRIGGER,), "`endpoint: system`"),
    Need(Right(ACTION, "system", "liveSync"), (SCHEDULE,), "`test: true`"),
    # schedules and what runs
    Need(Right(QUERY, "scheduler/job"), _KNOW_JOBS),
    Need(Right(READ, "scheduler/job/*"), (SCHEDULE, PREFLIGHT)),
    Need(Right(READ, "scheduler/job/*"), (ADOPT,), "a source has no schedule"),
    Need(
        Right(READ, "scheduler/job/*"),
        (STATUS, TRIGGER, TOKEN, LOAD, VERIFY, CANARY, SCHEDULER),
        "a job ends while all are listed",
    ),
    Need(Right(ACTION, "scheduler/job", "listCurrentlyExecutingJobs"), _KNOW_RUNS),
    Need(
        Right(ACTION, "scheduler/job", "listCurrentlyExecutingJobs"),
        (SCHEDULE,),
        "`idle_timeout`, or a schedule is switched off",
    ),
    Need(
        Right(ACTION, "scheduler/job", "validateQuartzCronExpression"), (SCHEDULE, PREFLIGHT, ADOPT), "`cron` is given"
    ),
    Need(Right(CREATE, "scheduler/job"), (SCHEDULE,), "the schedule is made, or differs"),
    Need(Right(UPDATE, "scheduler/job/*"), (SCHEDULE,), "the schedule is there and differs"),
    Need(Right(DELETE, "scheduler/job/*"), (SCHEDULE,), "`state: absent`"),
    Need(Right(ACTION, "scheduler/job/*", "pause"), (SCHEDULE,), f"`paused: true` ({LATER})"),
    Need(Right(ACTION, "scheduler/job/*", "resume"), (SCHEDULE,), f"`paused: false` ({LATER})"),
    # OpenIDM 6.1.0 shows the state of a trigger to whom has both; with the first alone it was seen to and not to
    Need(Right(READ, "scheduler/trigger/*"), (SCHEDULER,)),
    Need(Right(READ, "repo/scheduler/triggers/*"), (SCHEDULER,)),
    Need(Right(ACTION, "scheduler/job", "pauseJobs"), (SCHEDULER,), "`state: paused`, a job is not"),
    Need(Right(ACTION, "scheduler/job", "resumeJobs"), (SCHEDULER,), "`state: running`, a job is paused"),
    Need(Right(ACTION, "scheduler/job/*", "pause"), (SCHEDULER,), f"`jobs`, `state: paused` ({LATER})"),
    Need(Right(ACTION, "scheduler/job/*", "resume"), (SCHEDULER,), f"`jobs`, `state: running` ({LATER})"),
    Need(Right(READ, "config/schedule/*"), (SCHEDULE, PREFLIGHT, ADOPT)),
    Need(Right(CREATE, "config/schedule"), (SCHEDULE,), "`storage: config`, the schedule is made, or differs"),
    Need(Right(UPDATE, "config/schedule/*"), (SCHEDULE,), "`storage: config`, the schedule is there and differs"),
    Need(Right(DELETE, "config/schedule/*"), (SCHEDULE,), "`storage: config`, `state: absent`"),
    Need(
        Right(READ, "cluster"),
        (SCHEDULER,),
        "a job that is not persisted is to be paused or resumed",
        "whether there are other nodes, which keep such a job for themselves",
    ),
    Need(
        Right(READ, "cluster"),
        (STATUS, PREFLIGHT, TRIGGER, TOKEN, LOAD, RECON, SCHEDULE, CONNECTOR, CREDENTIALS, VERIFY, CANARY, ADOPT),
        unknown="whether IDM was started again, and whether it has one node: a run whose end is not seen stays unknown,"
        " a job that its trigger calls running counts as running",
    ),
    # reconciliation, and what is there
    Need(Right(READ, "recon"), _RECONCILE),
    Need(Right(READ, "recon/*"), _RECONCILE),
    Need(Right(ACTION, "recon", "recon"), _RECONCILE),
    Need(Right(READ, "recon"), (TRIGGER,), _BACKLOG),
    Need(Right(READ, "recon/*"), (TRIGGER,), _BACKLOG),
    Need(Right(ACTION, "recon", "recon"), (TRIGGER,), _BACKLOG),
    Need(Right(QUERY, "system/*"), (TRIGGER,), _BACKLOG),
    Need(Right(QUERY, "repo/link"), (TRIGGER,), f"{_BACKLOG}, and a deletion in it"),
    Need(Right(ACTION, "sync", "notifyDelete"), (TRIGGER,), f"{_BACKLOG}, a deletion in it, and `allow_deletes`"),
    Need(
        Right(QUERY, "audit/recon"),
        (TRIGGER,),
        _BACKLOG,
        "which entries failed, and why; a run that IDM has forgotten",
    ),
    Need(Right(ACTION, "recon", "reconById"), (RECON,), f"`ids`, and audit/recon cannot be read ({LATER})"),
    Need(
        Right(QUERY, "recon/assoc/*"),
        (RECON, LOAD, VERIFY),
        f"audit/recon cannot be read ({LATER})",
        "which entries failed",
    ),
    Need(
        Right(READ, "recon"),
        (VERIFY,),
        f"something differs, and audit cannot be read ({LATER})",
        "why a reconciliation refused it: its reason is `unknown`",
    ),
    Need(Right(QUERY, "system/*"), (LOAD,), "`directory`"),
    Need(
        Right(QUERY, "system/*"),
        (STATUS, RECON),
        "a record was dropped; `ids`",
        "whether the source still has a record: it counts as there",
    ),
    # whether it arrived
    Need(Right(QUERY, "system/*"), (VERIFY,)),
    Need(Right(QUERY, "system/*"), (CANARY,), "nothing else tells that the directory is the connector's"),
    Need(Right(QUERY, "system/*"), (CANARY,), _LOST, _WHY_LOST),
    Need(Right(QUERY, "managed/*"), (VERIFY, CANARY)),
    Need(Right(QUERY, "repo/link"), (VERIFY, CANARY)),
    Need(Right(READ, "config/managed"), (VERIFY, CANARY)),
    Need(Right(QUERY, "system/*"), (TRIGGER,), "`directory`", _ARRIVAL),
    Need(Right(QUERY, "managed/*"), (STATUS, TRIGGER), "`directory`", _ARRIVAL),
    Need(Right(QUERY, "repo/link"), (TRIGGER,), "`directory`", _ARRIVAL),
    Need(Right(READ, "config/managed"), (STATUS, TRIGGER), "`directory`", _ARRIVAL),
    Need(
        Right(QUERY, "audit/config"),
        (VERIFY,),
        "`directory`, and something differs",
        "whether a mapping was off when an entry changed",
    ),
    Need(Right(QUERY, "audit/sync"), (VERIFY,), "something differs", _WHY),
    Need(Right(QUERY, "audit/recon"), (VERIFY,), "something differs", _WHY),
    Need(Right(QUERY, f"{_LETTERS}/*"), (VERIFY,), "something differs", _WHY),
    Need(Right(QUERY, "audit/sync"), (CANARY,), _LOST, _WHY_LOST),
    Need(Right(QUERY, "audit/recon"), (CANARY,), _LOST, _WHY_LOST),
    Need(Right(QUERY, "audit/config"), (CANARY,), _LOST, _WHY_LOST),
    Need(Right(QUERY, f"{_LETTERS}/*"), (CANARY,), f"{_LOST}, and `postRetryAction: dead-letter-queue`", _WHY_LOST),
    Need(Right(QUERY, "sync/queue"), (CANARY,), f"{_LOST}, and a mapping has queuedSync ({LATER})", _WHY_LOST),
    Need(Right(READ, "repo/link/*"), (PREFLIGHT, ADOPT), "a load is recorded"),
    Need(
        Right(QUERY, "repo/link"),
        (STATUS, PREFLIGHT, LOAD, ADOPT),
        unknown="whether a mapping has links: it counts as having some; whether a recorded load was done here",
    ),
    Need(Right(QUERY, "repo/link"), (PREFLIGHT, LOAD, ADOPT), "a mapping that can delete is to be loaded"),
    # what went wrong
    Need(
        Right(QUERY, "audit/sync"),
        (STATUS, TRIGGER),
        unknown="why a record failed, and which were dropped: `livesync_status` calls the source `unreadable`, and"
        " `livesync_trigger` tells a run whose answer got lost by the token alone",
    ),
    Need(
        Right(READ, "config/audit"),
        (STATUS, TRIGGER, VERIFY, CANARY),
        "an entry of audit/sync does not tell how its record fared",
        "that audit is told to keep that out: the entry counts as a record that no situation was found for",
    ),
    Need(
        Right(READ, "config/scheduler"),
        (STATUS,),
        "no run of a schedule is seen",
        "whether IDM's scheduler runs, and how many jobs at once",
    ),
    Need(
        Right(QUERY, "audit/recon"),
        (STATUS, RECON, LOAD),
        unknown="which entries failed, and why; a run that IDM has forgotten",
    ),
    Need(
        Right(QUERY, "audit/recon"),
        (TRIGGER,),
        _UNCOMPARED,
        "whether a reconciliation has brought it over",
    ),
    Need(
        Right(READ, "config/audit"),
        (STATUS, TRIGGER, VERIFY),
        f"{_UNCOMPARED}, and audit has no later entry",
        "whether audit/sync would have a word of it",
    ),
    Need(
        Right(QUERY, "audit/access"),
        (TRIGGER,),
        "no answer came",
        "whether that call has ended: the token, the jobs and IDM's starts tell it, or the run stays unknown",
    ),
    Need(
        Right(QUERY, f"{_LETTERS}/*"),
        (STATUS,),
        "`postRetryAction: dead-letter-queue`",
        "which records IDM gave up on: `livesync_status` calls the source `unreadable`",
    ),
    Need(
        Right(QUERY, "sync/queue"),
        (STATUS, PREFLIGHT, ADOPT),
        f"a mapping has queuedSync ({LATER})",
        "what waits in the queue: `livesync_status` calls the source `unreadable`",
    ),
)


def needs_of(module: str) -> list[Need]:
    """Return what a module needs, or may need."""
    return [need for need in NEEDS if module in need.modules]


def unknown_without(module: str, lacking: t.Iterable[Right]) -> list[str]:
    """Return what a module did not get to know for want of rights, a sentence for each."""
    found = []
    for need in needs_of(module):
        if need.unknown and not need.unknown.startswith("nothing"):
            missing = [right for right in lacking if need.right.covers(right)]
            found += (
                [f"The account has not the right: {spoken(missing)}. Unknown is {need.unknown}."] if missing else []
            )
    return found


def is_known(right: Right) -> bool:
    """Tell whether the table has a line that lets a request through."""
    return any(need.right.covers(right) for need in NEEDS)


def rights_to_write() -> list[Right]:
    """Return the rights that the role needs always and that no reading shows."""
    harmless = {"test", "listCurrentlyExecutingJobs", "validateQuartzCronExpression"}
    return [
        need.right
        for need in NEEDS
        if need.required
        and set(need.modules) & set(ROLE) - {CONNECTOR}
        and (not need.when or need.right in _ROLE_WRITES)
        and need.right.method not in (READ, QUERY)
        and need.right.action not in harmless
    ]


#: What the role comes to need on its way.
_ROLE_WRITES = (Right(CREATE, "scheduler/job"), Right(UPDATE, "scheduler/job/*"), Right(DELETE, f"{_STAGES}/*"))


def rules(role: str, rights: t.Iterable[Right]) -> list[dict[str, str]]:
    """Return the access rules that grant rights to a role, as script/access.js and conf/access.json write them."""
    return [
        {"pattern": one.resource, "roles": role, "methods": one.method, "actions": one.action}
        for one in dict.fromkeys(rights)
    ]

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of liveSync, what the role mends by itself, and what deserves a look. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.errors import IdmopsError
from .._changelog.log import ALIAS_REMEDY, COOKIES_ONLY_REMEDY, NO_CHANGE_LOG_REMEDY, NUMBERS
from .._idm.connector_remedy import remedy_for
from .evidence import DirectoryFacts, ServerFacts, SourceEvidence
from .load_record import NEVER

BLOCKING, MENDED, WARNING = "blocking", "mended", "warning"

#: The grants, and where their lack is told.
_GRANTS = {"privilege": "the privilege changelog-read", "root_dse": "the root DSE", "change_log": "cn=changelog"}


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    :param code: its name, for programs.
    :param severity: BLOCKING: the source is left alone. MENDED: this run mends it. WARNING: it works all the same.
    :param remedy: what mends it, with the variable or the command that does.
    """

    code: str
    severity: str
    message: str
    remedy: str
    source: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return the finding as modules show it."""
        return dict(vars(self))


def idm_finding(exc: IdmopsError) -> Finding:
    """Return the finding of an error that reading from IDM ended in."""
    remedy = exc.remedy or "Look at IDM's log."
    codes = {None: "idm_unreachable", 401: "idm_credentials", 403: "idm_rights", 503: "idm_not_ready"}
    return Finding(codes.get(exc.status, "idm_error"), BLOCKING, exc.message, f"{remedy} (livesync_idm)")


def not_ready(state: str, text: str) -> Finding:
    """Return the finding of an IDM that answers and is not ready."""
    return Finding(
        "idm_not_ready",
        BLOCKING,
        f"IDM is not ready: it calls itself {state}{f' ({text})' if text else ''}.",
        "Wait until GET info/ping says ACTIVE_READY; if it does not, look at IDM's log.",
    )


def findings_of(evidence: SourceEvidence) -> list[Finding]:
    """Return everything that was found about one source."""
    found = [*_connector(evidence), *_mappings(evidence), *_schedule(evidence)]
    if evidence.connector:
        found += [*_directory(evidence), *_load(evidence)]
    return found


def grants_unknown(evidence: SourceEvidence) -> list[Finding]:
    """Return the finding of grants that cannot be taken away, since nobody knows whose they are."""
    if evidence.request.directory is None or evidence.granted_account:
        return []
    if evidence.connector is not None and not evidence.connector.reads_change_log:
        return []
    return [
        Finding(
            "grants_unknown",
            WARNING,
            f"The account of the connector {evidence.request.source.system} is not known: what it was granted stays.",
            "Give its DN as principal in livesync_directory, and run this again.",
            evidence.name,
        )
    ]


class _Say:
    """Makes the findings of one source."""

    def __init__(self, evidence: SourceEvidence) -> None:
        self._source = evidence.name

    def __call__(self, code: str, severity: str, message: str, remedy: str) -> Finding:
        return Finding(code, severity, message, remedy, self._source)


def _connector(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say, source, connector = _Say(evidence), evidence.request.source, evidence.connector
    if connector is None:
        known = ", ".join(evidence.known_systems) or "none"
        yield say(
            "system_unknown",
            BLOCKING,
            f"IDM has no connector {source.system}; it has: {known}.",
            "Correct the source in livesync_sources, or add the connector (PUT config/provisioner.openicf/<name>).",
        )
        return
    if connector.object_types and source.object_type not in connector.object_types:
        yield say(
            "object_type_unknown",
            BLOCKING,
            f"The connector {connector.name} has no object type {source.object_type};"
            f" it has: {', '.join(connector.object_types)}.",
            "Correct the source in livesync_sources, or add the object type to the connector's configuration.",
        )
    if connector.enabled is False:
        yield say(
            "connector_disabled",
            BLOCKING,
            f"The connector {connector.name} is disabled.",
            f'Set "enabled" to true in config/{connector.config_id}.',
        )
    elif evidence.test is None or not evidence.test.ok:
        error = (evidence.test.error if evidence.test else None) or "it is not available"
        yield say(
            "connector_test_failed",
            BLOCKING,
            f"The test of the connector {connector.name} fails: {error.rstrip('.')}.",
            remedy_for(error, connector.remote) or f"Look at config/{connector.config_id} and at IDM's log.",
        )
    if source.object_type in connector.sync_denied:
        yield say(
            "sync_denied",
            BLOCKING,
            f"The connector {connector.name} denies liveSync of {source.object_type} (operationOptions).",
            f"Set operationOptions.SYNC.denied to false in config/{connector.config_id}; where IDM refuses to store"
            " operationOptions, as a tenant of Advanced Identity Cloud did, leave operationOptions out.",
        )
    if connector.failure_policy.blocks:
        yield say(
            "no_failure_policy",
            WARNING,
            f"The connector {connector.name} has no syncFailureHandler that gives up: one bad record blocks all that"
            " come after it, for ever.",
            'Set "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "dead-letter-queue"} in'
            f" config/{connector.config_id}.",
        )
    if connector.reads_change_log and (connector.uid_attribute or "").lower() == "dn":
        yield say(
            "uid_attribute_dn",
            WARNING,
            f"The connector {connector.name} knows entries by their dn: a rename leaves a second person in IDM.",
            f'Set "uidAttribute" to "entryUUID" in config/{connector.config_id} before the load.',
        )


def _mappings(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say = _Say(evidence)
    for name, reason in evidence.strangers.items():
        yield say(
            "mapping_unknown",
            BLOCKING,
            f"The mapping {name} is none of {evidence.name}: {reason}.",
            "Correct mappings in livesync_sources; without it all mappings of the source are taken.",
        )
    if evidence.connector and not evidence.mappings and not evidence.strangers:
        yield say(
            "no_mapping",
            BLOCKING,
            f"No mapping has the source {evidence.name}: liveSync would consume its changes for nothing.",
            "Add a mapping to config/sync (or config/mapping/<name>).",
        )
    for name in evidence.left_out:
        yield say(
            "mapping_left_out",
            WARNING,
            f"enableSync of the mapping {name} is false, and it is not asked for: its target gets no changes.",
            f"Add {name} to mappings in livesync_sources once enableSync is true, so that it is loaded.",
        )
    for mapping in evidence.mappings:
        if mapping.sync_enabled is False:
            yield say(
                "mapping_disabled",
                BLOCKING,
                f"enableSync of the mapping {mapping.name} is false: liveSync consumes the changes and drops them.",
                f"Set enableSync of {mapping.name} to true (config/sync or config/mapping/{mapping.name}).",
            )
        if not mapping.correlates:
            yield say(
                "no_correlation",
                WARNING,
                f"The mapping {mapping.name} has no correlation: what {mapping.target} holds already without a link is"
                " made once more, which goes for what IDM was making when it died, too.",
                f"Give {mapping.name} a correlationQuery or a correlationScript before the load (config/sync or"
                f" config/mapping/{mapping.name}).",
            )


def _schedule(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say = _Say(evidence)
    others = [schedule for schedule in evidence.schedules if schedule.name != evidence.job_name]
    active = [schedule.name for schedule in others if schedule.enabled is not False]
    if evidence.job_name and active:
        yield say(
            "schedule_duplicate",
            BLOCKING,
            f"Another schedule runs liveSync of {evidence.name}: {', '.join(active)}. Two runs at once damage each"
            " other.",
            "Remove it (livesync_schedule with state: absent), or leave schedule.name out to take it over.",
        )
    if evidence.schedule_error:
        yield say(
            "schedule_invalid",
            BLOCKING,
            evidence.schedule_error.message,
            "Correct schedule of this source in livesync_sources; remove a schedule too many with livesync_schedule,"
            " state: absent.",
        )
    elif evidence.connector is None:
        return  # nothing is made for a source that there is not
    elif evidence.job is None:
        yield say(
            "schedule_missing",
            MENDED,
            f"{evidence.name} has no schedule {evidence.job_name}.",
            "The role makes it (schedule in livesync_sources).",
        )
    elif evidence.schedule_changes:
        yield say(
            "schedule_differs",
            MENDED,
            f"The schedule {evidence.job_name} differs from what is wanted: {', '.join(evidence.schedule_changes)}.",
            "The role changes it (schedule in livesync_sources, livesync_state).",
        )


def _directory(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say, connector = _Say(evidence), evidence.connector
    if evidence.directory_error:
        yield say(
            "directory",
            BLOCKING,
            evidence.directory_error.message,
            f"{evidence.directory_error.remedy or 'Correct it there.'} (livesync_directory)",
        )
    facts = evidence.directory
    if facts is None:
        if (
            connector
            and connector.reads_change_log
            and not evidence.directory_error
            and not evidence.request.own_directory
        ):
            yield say(
                "directory_not_given",
                WARNING,
                "Without livesync_directory nothing is known of the change log: whether the account may read it, how"
                " far it reaches, whether the account sees all entries.",
                "Give livesync_directory, or directory: {} for this source to say that there is none.",
            )
        return
    for server in facts.servers:
        yield from _server(say, server, facts, loads=bool(evidence.loads))
    if evidence.principal_inside:
        yield say(
            "principal_inside",
            WARNING,
            f"The account {facts.principal} lies within the base contexts that are synchronised: what changes in it"
            " becomes a record of liveSync.",
            "Move the account elsewhere, or take it out with accountSynchronizationFilter of the connector.",
        )
    yield from _change_log(say, evidence, facts)


def _server(say: _Say, server: ServerFacts, facts: DirectoryFacts, *, loads: bool) -> t.Iterator[Finding]:
    """Say what one directory server grants, and what it does not.

    :param loads: whether a load is to be done, which small limits would stop.
    """
    if server.error or server.before is None or server.after is None:
        error = server.error or IdmopsError(f"{server.uri} says nothing.")
        codes = {None: "directory_unreachable", 49: "directory_credentials", 32: "principal_unknown"}
        code = "change_log_off" if error.remedy == NO_CHANGE_LOG_REMEDY else codes.get(error.status, "directory")
        yield say(code, BLOCKING, error.message, f"{error.remedy or 'Look at the server.'} (livesync_directory)")
        return
    before, after = server.before, server.after
    if before.access and before.access.missing:
        lacks = ", ".join(_GRANTS[name] for name in before.access.missing)
        yield say(
            "grants_missing",
            MENDED,
            f"{facts.principal} may not read the change log of {server.uri}: {lacks}.",
            "The role grants it (livesync_directory).",
        )
    for name in before.limits.missing if before.limits else ():
        still = after.limits is not None and name in after.limits.missing
        severity = MENDED if not still else BLOCKING if loads else WARNING
        yield say(name, severity, *_limit(name, server, facts, still=still))


def _limit(name: str, server: ServerFacts, facts: DirectoryFacts, *, still: bool) -> tuple[str, str]:
    limits = server.before.limits if server.before else None
    entries = limits.entries if limits else "?"
    if name == "unindexed_search":
        bound = limits.index_entry_limit if limits else "?"
        message = (
            f"{facts.principal} may not search without an index on {server.uri}, which a load of {entries} entries"
            f" does: the index entry limit is {bound}."
        )
    else:
        limit = next((one for one in limits.limits if one.name == name), None) if limits else None
        message = (
            f"The {name.replace('_', ' ')} of {facts.principal} on {server.uri} is {limit.effective if limit else '?'};"
            f" a load of {entries} entries needs {limit.needed if limit else '?'}."
        )
    option = f"raise_limits: true, or {name}, in livesync_directory"
    return message, f"Give {option}." if still else "The role raises it (raise_limits: true in livesync_directory)."


def _change_log(say: _Say, evidence: SourceEvidence, facts: DirectoryFacts) -> t.Iterator[Finding]:
    log = facts.change_log
    if log is None:
        return
    if log.mode != NUMBERS:
        yield say(
            "change_log_cookies_only",
            BLOCKING,
            f"{facts.uri} keeps its change log without change numbers, which liveSync needs.",
            COOKIES_ONLY_REMEDY,
        )
        return
    if facts.alias_search is False:
        yield say("alias_search", BLOCKING, f"{facts.uri} cannot be searched as the connector does it.", ALIAS_REMEDY)
    if evidence.gap:
        never = evidence.request.initial_load == NEVER
        yield say(
            "change_log_trimmed",
            BLOCKING if never else MENDED,
            evidence.gap,
            "Set initial_load to once in livesync_sources: a load brings what liveSync cannot."
            if never
            else "The role stores a new base point and loads again (initial_load in livesync_sources).",
        )
    needed = facts.load_seconds
    if facts.purge_seconds and facts.purge_seconds < needed:
        yield say(
            "change_log_short",
            BLOCKING if evidence.loads else WARNING,
            f"Changes stay in the change log of {facts.uri} for {facts.purge_seconds} s, and a load of"
            f" {facts.entries} entries may take {needed} s: what changes meanwhile would be lost.",
            "Raise replication-purge-delay: dsconfig set-replication-server-prop"
            ' --provider-name "Multimaster Synchronization" --set replication-purge-delay:3d.',
        )


def _load(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say = _Say(evidence)
    if evidence.token is None:
        yield say(
            "no_base_point",
            MENDED,
            f"liveSync of {evidence.name} has no base point.",
            "The role stores it with a first liveSync, before the load.",
        )
    for name, reason in evidence.loads.items():
        yield say(
            "load_needed", MENDED, f"The mapping {name} has to be loaded. {reason}", "The role loads it (initial_load)."
        )
    seen = evidence.directory.seen if evidence.directory else None
    if seen and evidence.directory and seen.visible < seen.total:
        yield say(
            "sees_fewer",
            BLOCKING,
            f"{evidence.directory.principal} may read {seen.visible} of {seen.total} entries below the connector's base"
            " contexts: a load would take the others for deleted.",
            "Let the account read them (an ACI on the base context), or narrow baseContexts or the search filter of the"
            " connector to what it may read.",
        )
    for mapping in evidence.unguarded:
        links = "has links" if evidence.linked.get(mapping.name) else "may have links"
        yield say(
            "load_may_delete",
            BLOCKING,
            f"The mapping {mapping.name} can delete ({', '.join(mapping.removing)}) and {links}, and what the connector"
            " sees cannot be compared with what is there.",
            "Give livesync_directory (with principal and base_contexts where placeholders stand in the connector's"
            " configuration), or set allow_deletes: true for this source in livesync_sources.",
        )

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of liveSync, what the role mends by itself, and what deserves a look. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.address import is_open_http
from .._base.errors import IdmopsError, Refused
from .._http.answer import name_of, roles_of
from .._http.right import Right, spoken
from .._idm.connector import TWINS_REMEDY
from .._idm.connector_filters import filters_of
from .._idm.connector_remedy import remedy_for
from .._idm.error_texts import MISFIT_REMEDY
from .._idm.least_rights import rights_to_write
from .._idm.mapping import REFUSED_REMEDY, SyncMapping
from .directory_findings import directory_findings
from .evidence import SourceEvidence
from .finding import BLOCKING, MENDED, WARNING, Finding, Say
from .load_findings import load_findings
from .schedule_findings import schedule_finding, schedule_findings

__all__ = [
    "BLOCKING",
    "MENDED",
    "WARNING",
    "Finding",
    "findings_of",
    "grants_unknown",
    "idm_finding",
    "not_ready",
    "rights_finding",
    "rights_unproved",
    "schedule_finding",
    "unencrypted",
]


def idm_finding(exc: IdmopsError) -> Finding:
    """Return the finding of an error that reading from IDM ended in."""
    remedy = exc.remedy or "Look at IDM's log."
    if exc.status == 404 and not exc.remedy:  # what every IDM has is not there
        remedy = "See that url ends with IDM's context path, as in https://idm.example.com/openidm, and nothing more."
    codes = {None: "idm_unreachable", 401: "idm_credentials", 403: "idm_rights", 503: "idm_not_ready"}
    return Finding(codes.get(exc.status, "idm_error"), BLOCKING, exc.message, f"{remedy} (livesync_idm)")


def rights_finding(exc: Refused, refused: t.Iterable[Right]) -> Finding:
    """Return the finding of rights that the account has not.

    :param exc: the first error that their lack ended in.
    :param refused: all that are known to be lacking.
    """
    finding = idm_finding(exc)
    further = [right for right in refused if right not in exc.rights]
    return replace(finding, message=f"{finding.message} Refused too: {spoken(further)}.") if further else finding


def rights_unproved(login: t.Mapping[str, t.Any]) -> list[Finding]:
    """Return the finding of an account of which it shows only when the role writes whether it may.

    A service account has rights that stand in no rule and come with its scope (seen on live tenants).

    :param login: what info/login says, nothing where it says nothing.
    """
    roles = roles_of(login)
    if not roles or {"openidm-admin", "openidm-svcacct", "openidm-reg"} & set(roles):
        return []
    return [
        Finding(
            "idm_rights_unproved",
            WARNING,
            f"The account {name_of(login)} has not the role openidm-admin (it has {', '.join(roles)}). What it may read"
            " was tried; what it may write shows only when the role does it. That takes the rights:"
            f" {spoken(rights_to_write())}.",
            "See that an access rule grants them to one of these roles (docs/least-rights.md has all of them).",
        )
    ]


def unencrypted(url: str) -> list[Finding]:
    """Return the finding of an IDM whose credentials can be read on the way."""
    if not is_open_http(url):
        return []
    return [
        Finding(
            "idm_unencrypted",
            WARNING,
            f"{url} is not encrypted: the credentials can be read on the way.",
            "Write https:// with the port for that. (livesync_idm)",
        )
    ]


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
    found = [*_connector(evidence), *_mappings(evidence), *schedule_findings(evidence)]
    if evidence.connector:
        found += [*directory_findings(evidence), *_load(evidence), *load_findings(evidence)]
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


def _connector(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say, source, connector = Say(evidence.name), evidence.request.source, evidence.connector
    if connector is None and evidence.test is not None:
        yield say(
            "connector_undocumented",
            BLOCKING,
            f"The connector {source.system} runs, and its configuration document has been removed: nothing can be known"
            " of it, and it will be gone when IDM is started again.",
            "Put the document back (PUT config/provisioner.openicf/<name>).",
        )
        return
    if connector is None:
        known = ", ".join(evidence.known_systems) or "none"
        yield say(
            "system_unknown",
            BLOCKING,
            f"IDM has no connector {source.system}; it has: {known}.",
            evidence.renamed
            or "Correct the source in livesync_sources, or add the connector (PUT config/provisioner.openicf/<name>).",
        )
        return
    if connector.ambiguity:
        yield say("connector_twice", BLOCKING, connector.ambiguity, TWINS_REMEDY)
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
    logged = evidence.request.directory is not None
    for one in filters_of(connector, source.object_type, evidence.mappings, logged=logged):
        yield say(
            "changes_filtered",
            BLOCKING if one.against else WARNING,
            f"{one.property} of the connector {connector.name}: {one.effect}",
            one.remedy,
        )
    if connector.failure_policy.drops:
        yield say(
            "failures_dropped",
            WARNING,
            f"The connector {connector.name} gives up on a record that fails, and drops its change without a trace but"
            " for a line in IDM's log.",
            'Set "postRetryAction" to "dead-letter-queue" in syncFailureHandler of'
            f" config/{connector.config_id}: then IDM keeps what it gave up on, and livesync_status tells it.",
        )
    if connector.reads_change_log and (connector.uid_attribute or "").lower() == "dn":
        yield say(
            "uid_attribute_dn",
            WARNING,
            f"The connector {connector.name} knows entries by their dn: a rename leaves a second person in IDM.",
            f'Set "uidAttribute" to "entryUUID" in config/{connector.config_id} before the load.',
        )


def _mappings(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say = Say(evidence.name)
    if evidence.refused_mappings:
        yield say("mappings_refused", BLOCKING, evidence.refused_mappings, REFUSED_REMEDY)
        return
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
            f"No mapping has the source {evidence.name}: liveSync would consume its changes for nothing."
            + "".join(f" {one}" for one in evidence.misnamed),
            f"{'Correct that mapping in' if evidence.misnamed else 'Add a mapping to'} config/sync (or"
            " config/mapping/<name>). Where it had one, reconcile that: what was consumed meanwhile does not come"
            " back.",
        )
    for name in evidence.left_out:
        yield say(
            "mapping_left_out",
            WARNING,
            f"enableSync of the mapping {name} is false, and it is not asked for: its target gets no changes.",
            f"Add {name} to mappings in livesync_sources once enableSync is true, so that it is loaded.",
        )
    for mapping, waiting in evidence.queued:
        yield from _queue(say, mapping, waiting)
    for mapping in evidence.mappings:
        if mapping.sync_enabled is False:
            yield say(
                "mapping_disabled",
                BLOCKING,
                f"enableSync of the mapping {mapping.name} is false: liveSync consumes the changes and drops them.",
                f"Set enableSync of {mapping.name} to true (config/sync or config/mapping/{mapping.name}).",
            )
        if mapping.sync_enabled is None:
            yield say(
                "mapping_sync_unknown",
                WARNING,
                f"Whether enableSync of the mapping {mapping.name} is on cannot be known: a placeholder stands there.",
                "See that it stands for true: where it is off, liveSync consumes the changes and drops them.",
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


def _queue(say: Say, mapping: SyncMapping, waiting: int | None) -> t.Iterator[Finding]:
    """Say what becomes of changes in the queue of a mapping (queuedSync)."""
    queue = mapping.queue
    where = f"queuedSync of {mapping.name} (config/sync or config/mapping/{mapping.name})"
    if queue is None:
        return
    if queue.enabled is False:
        if waiting:
            yield say(
                "queue_off",
                WARNING,
                f"The queue of the mapping {mapping.name} is off, and {waiting} events wait in it: they are neither"
                " done nor dropped.",
                f"Switch {where} on, or delete the events (sync/queue) and reconcile the mapping.",
            )
        return
    if queue.drops:
        yield say(
            "queue_drops",
            WARNING,
            f"The queue of the mapping {mapping.name} drops an event that used up its retries, without a trace.",
            f"Set postRetryAction to dead-letter-queue in {where}; reconcile the mapping for what was dropped before.",
        )
    if queue.blocks:
        yield say(
            "queue_blocks",
            WARNING,
            f"The queue of the mapping {mapping.name} tries an event that fails for ever, and holds up all others.",
            f"Set maxRetries, and postRetryAction to dead-letter-queue, in {where}.",
        )


def _load(evidence: SourceEvidence) -> t.Iterator[Finding]:
    say = Say(evidence.name)
    if evidence.token is None:
        yield say(
            "no_base_point",
            MENDED,
            f"liveSync of {evidence.name} has no base point.",
            "The role stores it with a first liveSync, before the load.",
        )
    if evidence.misfit:
        yield say("token_type", BLOCKING, evidence.misfit, MISFIT_REMEDY)
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
    if evidence.estranged:
        yield say("links_estranged", BLOCKING, evidence.estranged, "Load nothing before that.")
    for mapping in evidence.unguarded:
        links = "has links" if evidence.linked.get(mapping.name) else "may have links"
        yield say(
            "load_may_delete",
            BLOCKING,
            f"The mapping {mapping.name} can delete ({', '.join(mapping.removing)}) and {links}, and what the connector"
            " sees cannot be compared with what is there.",
            f"{evidence.first_away}Give livesync_directory (with principal and base_contexts where placeholders stand"
            " in the connector's configuration), or set allow_deletes: true for this source in livesync_sources.",
        )

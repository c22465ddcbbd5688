# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of liveSync on the side of the directory. No I/O."""

from __future__ import annotations

import typing as t

from .._base.errors import IdmopsError
from .._changelog.grants import DeniedByAci
from .._changelog.log import ALIAS_REMEDY, COOKIES_ONLY_REMEDY, NO_CHANGE_LOG_REMEDY, NUMBERS
from .._changelog.whose import BEGIN_ANEW, FAILOVER, OTHER, REMEDY, SERVER, UNKNOWN, said_of_move
from .._health.states import BACK_FIRST
from .._ldap.url import is_open
from .._record.load_record import NEVER
from .evidence import DirectoryFacts, ServerFacts, SourceEvidence
from .finding import BLOCKING, MENDED, WARNING, Finding, Say

#: The grants, and where their lack is told.
GRANTS = {"privilege": "the privilege changelog-read", "root_dse": "the root DSE", "change_log": "cn=changelog"}


def directory_findings(evidence: SourceEvidence) -> t.Iterator[Finding]:
    """Yield what was found about the directory behind a source, and about its change log."""
    say, connector = Say(evidence.name), evidence.connector
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
    start_tls = bool((evidence.request.directory or {}).get("start_tls"))
    for server in facts.servers:
        if is_open(server.uri, start_tls=start_tls):
            yield say(
                "directory_unencrypted",
                WARNING,
                f"{server.uri} is not encrypted: the administrator's password can be read on the way.",
                "Write ldaps:// with the port for that, or give start_tls: true. (livesync_directory)",
            )
        yield from _server(say, server, facts, loads=bool(evidence.loads))
    if facts.canary:
        yield say(
            "canary_unfit",
            BLOCKING,
            f"The canary cannot fly: {facts.canary.message}",
            f"{facts.canary.remedy or 'Name another entry.'} (livesync_sources, canary.dn)",
        )
    if evidence.binds_as:
        yield say(
            "principal_differs",
            WARNING,
            f"The connector binds as {evidence.binds_as}, and {facts.principal} is given what liveSync needs: the"
            " former is granted nothing.",
            "Leave principal out, unless the connector is about to use that account. (livesync_directory)",
        )
    if evidence.principal_inside:
        yield say(
            "principal_inside",
            WARNING,
            f"The account {facts.principal} lies within the base contexts that are synchronised: what changes in it"
            " becomes a record of liveSync.",
            "Move the account elsewhere, or take it out with accountSynchronizationFilter of the connector.",
        )
    if facts.verification and facts.verification.verified is False:
        yield say(
            "principal_unverified",
            BLOCKING,
            f"With principal_password, {facts.principal} does not read the change log: {facts.verification.found}",
            f"{facts.verification.remedy or 'Look at the server.'} (livesync_directory)",
        )
    if evidence.proof_away:
        yield say(
            "principal_unverified",
            WARNING,
            f"principal_password is not tried: {evidence.proof_away} (verify_uri) is on the host of a server that does"
            " not answer.",
            "Run this again when it is back. (livesync_directory)",
        )
    for uri in facts.misnumbered:
        yield say(
            "directory_numbers",
            WARNING,
            f"{uri} numbers changes otherwise than {facts.uri}: when the connector goes over to it, liveSync goes on at"
            " another change, and some may never arrive.",
            "Reconcile after the connector has gone over (idmops.idm.recon). (livesync_directory)",
        )
    yield from _whose(say, evidence, facts)
    yield from _change_log(say, evidence, facts)


def _whose(say: Say, evidence: SourceEvidence, facts: DirectoryFacts) -> t.Iterator[Finding]:
    """Say what speaks against the server being the one that the connector reads, and that the token is from."""
    whose, moved = facts.whose, evidence.moved_from
    if whose.answer == OTHER:
        yield say("directory_differs", BLOCKING, whose.sentence, f"{REMEDY} (livesync_directory)")
        return
    if whose.answer == FAILOVER and evidence.out_of_range:
        yield say(
            "directory_differs",
            BLOCKING,
            f"{evidence.out_of_range} But that is by the numbers of a server of the failover: {whose.sentence}",
            f"{BACK_FIRST} (livesync_directory)",
        )
    elif whose.answer == FAILOVER:
        yield say(
            "directory_unproved",
            WARNING,
            whose.sentence,
            "Bring the first server back, and run this again then. (livesync_directory)",
        )
    elif whose.answer == UNKNOWN and evidence.out_of_range:
        yield say(
            "directory_differs",
            BLOCKING,
            f"{evidence.out_of_range} Or it is from another server than was asked: {whose.sentence}",
            f"{whose.remedy} (livesync_directory) {BEGIN_ANEW}",
        )
    elif whose.answer == UNKNOWN:
        yield say("directory_unproved", WARNING, whose.sentence, f"{whose.remedy} (livesync_directory)")
    if moved and (moved[0] == SERVER or not evidence.gap):
        yield say(
            "directory_differs",
            BLOCKING,
            said_of_move(evidence.token, facts.uri, *moved, facts.identity),
            f"{REMEDY} (livesync_directory) {BEGIN_ANEW}",
        )


def _server(say: Say, server: ServerFacts, facts: DirectoryFacts, *, loads: bool) -> t.Iterator[Finding]:
    """Say what one directory server grants, and what it does not.

    :param loads: whether a load is to be done, which small limits would stop.
    """
    if server.away and server.error and facts.server and not facts.server.error:
        yield say(
            "directory_unreachable",
            WARNING,
            f"{server.error.message} It is given nothing in this run: {facts.principal} may lack there what liveSync"
            " needs, and the connector goes over to it without a word.",
            "Run this again when it is back. (livesync_directory)",
        )
        return
    if server.error or server.before is None or server.after is None:
        error = server.error or IdmopsError(f"{server.uri} says nothing.")
        codes = {None: "directory_unreachable", 49: "directory_credentials", 32: "principal_unknown"}
        code = "change_log_off" if error.remedy == NO_CHANGE_LOG_REMEDY else codes.get(error.status, "directory")
        code = "aci_denies" if isinstance(error, DeniedByAci) else code
        yield say(code, BLOCKING, error.message, f"{error.remedy or 'Look at the server.'} (livesync_directory)")
        return
    before, after = server.before, server.after
    if before.access and before.access.missing:
        lacks = ", ".join(GRANTS[name] for name in before.access.missing)
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


def _change_log(say: Say, evidence: SourceEvidence, facts: DirectoryFacts) -> t.Iterator[Finding]:
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

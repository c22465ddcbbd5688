# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants on several directory servers, and the proof of them by the account itself.

The configuration of a server, with its ACIs, is its own; the account's entry is replicated, so that a second server
may show the privilege already.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._base.address import same_host
from .._base.context import Context
from .._base.errors import DirectoryError, InvalidOption
from .._ldap.directory import INVALID_CREDENTIALS, Directory
from .._ldap.refused_binds import RefusedBinds
from .._ldap.url import host_and_port
from .grants import Grants, WantedGrants, apply_grants, managed_state
from .log import ALIAS_REMEDY, NUMBERS, alias_search_works
from .rights import LIMITS
from .verify import Verification, verify

#: Makes a connection; tests bring their own.
Connect = t.Callable[[t.Mapping[str, t.Any], str, t.Optional[Context]], Directory]


@dataclass(frozen=True)
class Outcome:
    """What became of one server: either an error, or what was there and what is there.

    :param before: of the diff.
    :param after: of the diff.
    """

    uri: str
    error: DirectoryError | None = None
    grants: Grants | None = None
    changed: bool = False
    limits_raised: bool = False
    before: t.Mapping[str, t.Any] | None = None
    after: t.Mapping[str, t.Any] | None = None


def grant_everywhere(
    options: t.Mapping[str, t.Any], wanted: WantedGrants, context: Context, connect: Connect = Directory
) -> dict[str, t.Any]:
    """Bring every server to what is wanted, then let the account prove it; return the module's result.

    :param options: the module's, validated.
    :raises InvalidOption: before anything is sent.
    :raises DirectoryError: when one server failed; the others are done, and its result says so.
    """
    uris = list(dict.fromkeys(options["servers"]))
    if not uris:
        raise InvalidOption("servers", uris, "Give at least one URL.")
    directories = [connect(options, uri, context) for uri in uris]
    proof = proof_connection(options, wanted, context, connect)
    tried = RefusedBinds()
    tried.greet(directories)
    outcomes = [_on_one(directory, options, wanted, context, tried) for directory in directories]
    verification = _prove(proof, outcomes, context) if proof else None
    result = _result(outcomes, wanted, proof, verification)
    _raise_failures(outcomes, verification, result)
    return result


def _on_one(
    directory: Directory, options: t.Mapping[str, t.Any], wanted: WantedGrants, context: Context, tried: RefusedBinds
) -> Outcome:
    if again := tried.again(options, directory.uri):
        return Outcome(directory.uri, error=again)
    with directory:
        try:
            before, after, changed = apply_grants(directory, wanted, context)
            _warn(directory, after, wanted, context)
        except DirectoryError as exc:
            tried.note(options, exc)
            return Outcome(directory.uri, error=exc, changed=bool(exc.result.pop("changed", False)))
    old, new = managed_state(before, wanted.principal), managed_state(after, wanted.principal)
    raised = any(old[attribute] != new[attribute] for attribute in LIMITS.values())
    return Outcome(directory.uri, None, after, changed, raised, old, new)


def _warn(directory: Directory, grants: Grants, wanted: WantedGrants, context: Context) -> None:
    """Say what no grant can mend."""
    log = grants.change_log
    if not wanted.present or log is None:
        return
    if log.mode != NUMBERS:
        context.report.warn(f"{directory.uri} keeps its change log without change numbers. {log.remedy}")
    elif not alias_search_works(directory, log):
        context.report.warn(f"{directory.uri}: {ALIAS_REMEDY}")


def proof_connection(
    options: t.Mapping[str, t.Any], wanted: WantedGrants, context: Context, connect: Connect
) -> Directory | None:
    """Return a connection to bind as the account itself, None where that was not asked for.

    :raises InvalidOption: for options that prove nothing.
    """
    if options.get("principal_password") is None:
        if options.get("verify_uri"):
            raise InvalidOption(
                "verify_uri", options["verify_uri"], "It needs principal_password, to bind as the account."
            )
        return None
    if not options["principal_password"]:
        raise InvalidOption("principal_password", "", "A bind with an empty password proves nothing (RFC 4513, 5.1.2).")
    if not wanted.present:
        return None
    uri = options.get("verify_uri") or options["servers"][0]
    host_and_port(uri, "verify_uri")
    own = {
        **options,
        "bind_dn": str(wanted.principal),
        "bind_password": options["principal_password"],
        "start_tls": bool(options.get("start_tls")) and urlsplit(uri).scheme.lower() == "ldap",
    }
    return connect(own, uri, context)


def _concerned(proof: Directory, outcomes: t.Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of the server that the account binds to: by URL, else by host."""
    if len(outcomes) == 1:
        return list(outcomes)
    exact = [one for one in outcomes if one.uri == proof.uri]
    host = host_and_port(proof.uri, "verify_uri")[0]
    return exact or [one for one in outcomes if same_host(host_and_port(one.uri)[0], host)]


def _prove(proof: Directory, outcomes: t.Sequence[Outcome], context: Context) -> Verification | None:
    """Let the account look, once what it needs is there; None where it is not (yet)."""
    concerned = _concerned(proof, outcomes) or outcomes
    if any(one.error or (context.check_mode and one.changed) for one in concerned):
        return None
    return prove(proof, context, wait=any(one.changed for one in outcomes))


def prove(proof: Directory, context: Context, *, wait: bool) -> Verification:
    """Let the account look; whatever keeps it from that is part of the answer. It binds once, whatever comes.

    :param proof: see :func:`proof_connection`.
    :param wait: whether a grant may still be on its way.
    """
    with proof:
        try:
            return verify(proof, context, wait=wait)
        except DirectoryError as exc:
            remedy = exc.remedy
            if exc.status == INVALID_CREDENTIALS:
                remedy = "Check principal_password. It is not tried again: failed binds lock accounts."
            return Verification(False, exc.message, remedy)


def _result(
    outcomes: t.Sequence[Outcome], wanted: WantedGrants, proof: Directory | None, verification: Verification | None
) -> dict[str, t.Any]:
    concerned = _concerned(proof, outcomes) if proof else []
    clear = len(concerned) == 1
    result: dict[str, t.Any] = {
        "changed": any(one.changed for one in outcomes),
        "diff": {
            "before": {one.uri: one.before for one in outcomes if one.before is not None},
            "after": {one.uri: one.after for one in outcomes if one.after is not None},
        },
        "servers": [_shown(one, wanted, verification if clear and one in concerned else None) for one in outcomes],
        "limits_raised": any(one.limits_raised for one in outcomes),
    }
    if proof:
        result["verification"] = {
            "uri": proof.uri,
            "verified": verification.verified if verification else None,
            "found": verification.found if verification else "Not tried, since the grants are not there yet.",
        }
    return result


def _shown(outcome: Outcome, wanted: WantedGrants, verification: Verification | None) -> dict[str, t.Any]:
    shown: dict[str, t.Any] = {
        "uri": outcome.uri,
        "granted": [],
        "missing": [],
        "change_log": None,
        "limits": None,
        "entries": None,
        "verified": verification.verified if verification else None,
    }
    grants = outcome.grants
    if grants is None:
        return {**shown, "error": outcome.error.as_result()["msg"] if outcome.error else None}
    log = grants.change_log
    shown["granted"] = _granted(grants, wanted)
    shown["missing"] = list(grants.missing)
    shown["change_log"] = {"first": log.first, "last": log.last, "mode": log.mode} if log else None
    shown["limits"] = grants.limits.shown() if grants.limits else None
    shown["entries"] = grants.limits.entries if grants.limits else None
    if not wanted.present:
        shown["left"] = left_behind(outcome.after or {})
    return shown


def _granted(grants: Grants, wanted: WantedGrants) -> list[str] | None:
    """Return what the account may; None where only the directory could tell, once our grants are gone."""
    if grants.access:
        return list(grants.access.granted)
    return None if grants.account and not wanted.present else []


def left_behind(state: t.Mapping[str, t.Any]) -> list[str]:
    """Return what the account keeps after its grants were taken away: nothing records who gave it."""
    privileges = [f"ds-privilege-name: {name}" for name in state.get("privileges", ())]
    limits = [f"{name}: {state[name]}" for name in LIMITS.values() if state.get(name) is not None]
    return privileges + limits


def _raise_failures(
    outcomes: t.Sequence[Outcome], verification: Verification | None, result: t.Mapping[str, t.Any]
) -> None:
    failed = [one.error for one in outcomes if one.error]
    if failed:
        done = [one.uri for one in outcomes if not one.error]
        text = " ".join(str(error.as_result()["msg"]) for error in failed)
        if done:
            text += f" The others are done: {', '.join(done)}."
        raise DirectoryError(text, status=failed[0].status, remedy=failed[0].remedy, result=result)
    if verification and verification.verified is False:
        raise DirectoryError(verification.found, remedy=verification.remedy, result=result)

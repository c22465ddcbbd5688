# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describes a live IDM in the variables of the role, and says what the role would do with them.

Nothing is written to IDM or to a directory. What the role would do is not foretold here but asked: the report that the
role itself begins with is made of the variables that are about to be written.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace

from .._base.address import share_a_host
from .._base.context import Context
from .._base.errors import Refused
from .._health.snapshot import Snapshot, read_snapshot
from .._http.client import Client
from .._idm.server import ask_server
from .._idm.source import Source
from .._ldap.options import directory_options, given
from .._ldap.url import host_and_port
from .._record.load_record import NEVER
from .adopted import Adopted, adopted_of, options_of, pick, servers_told
from .gather import Gatherer
from .preflight import PreflightReport, preflight
from .request import DISABLED, ENABLED, SourceRequest, with_defaults
from .vars_file import as_comment, as_yaml, is_there, write_new

#: The variables that stand for the secrets of a directory, as the examples call them.
_DIRECTORY_SECRETS = {"bind_password": "vault_ds_password", "principal_password": "vault_ds_principal_password"}


@dataclass(frozen=True)
class _Found:
    """What is there, and what the role would do with it."""

    sources: tuple[Adopted, ...]
    state: str = ENABLED
    report: PreflightReport = field(default_factory=PreflightReport)

    @property
    def entries(self) -> list[Adopted]:
        return [one for one in self.sources if one.entry is not None]

    @property
    def left(self) -> list[Adopted]:
        return [one for one in self.sources if one.entry is None]


def adopt(
    client: Client,
    params: t.Mapping[str, t.Any],
    connection: t.Mapping[str, t.Mapping[str, t.Any]],
    context: Context,
) -> dict[str, t.Any]:
    """Write the file, unless there is one, and return the module's result.

    :param params: the module's, validated.
    :param connection: the specification of the options that say how to reach IDM.
    :raises InvalidOption: before anything is read.
    :raises Unreachable, Refused: as the client, and nothing is written.
    """
    path = str(params["dest"])
    if is_there(path):
        said = f"{path} is there already, and was left as it is. Remove it, or give another name, to write it anew."
        context.report.warn(said)
        return {"changed": False, "msg": said, "dest": path, "sources": [], "differences": [], "not_compared": []}
    directory = given(params["directory"])
    snapshot = read_snapshot(client)
    found = _look(client, snapshot, directory, context)
    result = {
        "dest": path,
        "sources": [one.as_result() for one in found.sources],
        "differences": [one.as_result() for one in found.report.differences],
        "not_compared": [one.as_result() for one in found.report.not_compared],
    }
    if not found.entries:
        return {"changed": False, "msg": f"Nobody runs liveSync there: {path} was not written.", **result}
    text = _text(found, snapshot, params, connection, directory)
    if not context.check_mode:
        write_new(path, text)
    return {
        "changed": True,
        "msg": _sentence(path, found),
        "diff": {"before": "", "after": text, "after_header": path},
        **result,
    }


def _look(client: Client, snapshot: Snapshot, directory: t.Mapping[str, t.Any] | None, context: Context) -> _Found:
    """Describe each source, and have the role's report of the whole."""
    server = snapshot.server or ask_server(client)
    gatherer = Gatherer(client, server, snapshot, ENABLED, context)
    sources, unread = [], None
    for source in snapshot.known_sources():
        external = snapshot.record(source).scheduler.external
        live = pick([one for one in snapshot.schedules if one.source == str(source)])
        schedule = {"name": live.name} if live and not external else {}
        request = SourceRequest(source, schedule=schedule, initial_load=NEVER)
        try:
            sources.append(adopted_of(gatherer.source(request), live, server))
        except Refused as exc:
            unread = exc
            sources.append(Adopted(str(source), remarks=(f"It could not be read: {exc.message}",)))
    if unread and not any(one.entry for one in sources):
        raise unread  # nobody knows whether there is something
    found = _Found(tuple(_with_directory(one, snapshot, directory) for one in sources))
    if not any(one.on for one in found.entries):
        found = replace(found, state=DISABLED)
    else:
        found = replace(found, sources=tuple(_left_if_off(one) for one in found.sources))
    if not found.entries:
        return found
    entries = [with_defaults(one.entry or {}) for one in found.entries]
    return replace(found, report=preflight(client, entries, directory, found.state, context))


def _left_if_off(one: Adopted) -> Adopted:
    if one.entry is None or one.on:
        return one
    reason = (
        f"Its schedule {one.schedule} is off and others are on; livesync_state is for all sources together. Put it into"
        " livesync_sources to have it switched on."
    )
    return replace(one, entry=None, remarks=(reason,))


def _with_directory(one: Adopted, snapshot: Snapshot, directory: t.Mapping[str, t.Any] | None) -> Adopted:
    """Say that the general directory is not the one behind a source, where its connector reads another."""
    source = Source.of(one.source)
    connector = snapshot.connectors.get(source.system) if source else None
    if not directory or one.entry is None or connector is None or not connector.reads_change_log:
        return one
    hosts = [host_and_port(uri)[0] for uri in directory["servers"]]
    others = [other for other in snapshot.connectors.values() if other.reads_change_log and other != connector]
    if not others or not connector.servers or share_a_host(hosts, connector.hosts):
        return one
    remark = (
        f"Its connector reads another directory than livesync_directory ({servers_told([connector])[0]}): fill it in."
    )
    return replace(one, entry={**one.entry, "directory": {}}, remarks=(*one.remarks, remark))


def _sentence(path: str, found: _Found) -> str:
    """Return what was written, and whether the role would change something."""
    named = ", ".join(one.source for one in found.entries)
    left = ", ".join(one.source for one in found.left)
    mended = list(dict.fromkeys(one.field for one in found.report.differences if one.mended))
    would = f"would change {', '.join(mended)}" if mended else "would change nothing"
    if found.report.blocking:
        would += f", and is blocked: {' '.join(one.message for one in found.report.blocking)}"
    return (
        f"{path} describes {named}{f', and leaves out {left}' if left else ''}. The role run with it"
        f" {would.rstrip('.')}."
    )


def _text(
    found: _Found,
    snapshot: Snapshot,
    params: t.Mapping[str, t.Any],
    connection: t.Mapping[str, t.Mapping[str, t.Any]],
    directory: t.Mapping[str, t.Any] | None,
) -> str:
    """Return the file."""
    parts = [
        as_comment(
            f"What liveSync of {params['url']} was at {snapshot.time or 'a time that it does not tell'}, as variables"
            " of the role idmops.idm.livesync; written by idmops.idm.adopt. No secret is in it: give the variables"
            " whose names begin with vault_ in a vault."
        )
    ]
    report = found.report
    whole = [*(one.message for one in report.blocking if one.source is None)]
    whole += [one.reason for one in report.not_compared if one.source is None and one.reason not in whole]
    parts += [as_comment(f"Not known: {one}") for one in whole]
    parts += ["---\n", as_yaml({"livesync_idm": options_of(params, connection, {})}), "\n"]
    if directory:
        described = options_of(directory, directory_options(), _DIRECTORY_SECRETS)
        parts.append(as_yaml({"livesync_directory": described}))
    else:
        parts += _directory_to_fill_in(snapshot, found)
    if found.state != ENABLED:
        parts += ["\n", as_comment("All of its schedules are off."), as_yaml({"livesync_state": found.state})]
    parts.append("\nlivesync_sources:\n")
    for one in found.entries:
        parts += [as_comment(text, "  ") for text in (*one.remarks, *_told_by_role(one, report))]
        parts.append(as_yaml([one.entry], "  "))
    if found.left:
        parts += ["\n", as_comment("Left out:")]
        parts += [as_comment(f"{one.source}: {' '.join(one.remarks)}") for one in found.left]
    return "".join(parts)


def _directory_to_fill_in(snapshot: Snapshot, found: _Found) -> list[str]:
    """Return a comment that says what to give of the directory, and what the connectors tell of it."""
    systems = {source.system for one in found.entries if (source := Source.of(one.source))}
    told = servers_told(one for name, one in sorted(snapshot.connectors.items()) if name in systems)
    if not told:
        return []
    sentence = (
        "To be filled in: the directory behind the connectors, and an administrator of it. Without it nothing is known"
        " of the change log, and nothing is granted. The servers, as the connectors' configuration has them:"
    )
    example = ["livesync_directory:", "  servers: []", "  bind_dn:", '  bind_password: "{{ vault_ds_password }}"']
    return [
        as_comment(sentence),
        *(as_comment(line) for line in told),
        *(f"# {line}\n" for line in example),
    ]


def _told_by_role(one: Adopted, report: PreflightReport) -> list[str]:
    """Return what the role would do with an entry, and what it would stop at, in sentences."""
    said = []
    for difference in report.differences:
        if difference.source == one.source:
            does = "The role would change" if difference.mended else "It differs, and the role leaves it:"
            values = f"Wanted: {_shown(difference.wanted)}. Found: {_shown(difference.found)}"
            said.append(f"{does} {difference.field}. {values.rstrip('.')}.")
    said += [f"The role would stop: {finding.message}" for finding in report.blocking if finding.source == one.source]
    said += [
        f"Not known: {unknown.field}: {unknown.reason}"
        for unknown in report.not_compared
        if unknown.source == one.source and unknown.reason not in " ".join(said)
    ]
    return said


def _shown(value: t.Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)

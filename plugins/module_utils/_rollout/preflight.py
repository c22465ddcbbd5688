# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of all sources, what was found, and what the role does about it. Writes nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from functools import partial

from .._base.context import Context
from .._base.errors import DirectoryError, InvalidOption, Refused, Unreachable
from .._base.values import as_dict
from .._health.snapshot import Snapshot, read_snapshot
from .._health.source_status import SourceStatus
from .._http.client import Client
from .._idm.server import ask_server
from .._ldap.directory import INVALID_CREDENTIALS, Directory
from .._ldap.refused_binds import RefusedBinds
from .drift import Difference, NotCompared, differences_of, not_compared_of, unlisted
from .findings import (
    BLOCKING,
    MENDED,
    WARNING,
    Finding,
    findings_of,
    grants_unknown,
    idm_finding,
    not_ready,
    rights_finding,
    rights_unproved,
    schedule_finding,
    unencrypted,
)
from .gather import Gatherer
from .plan import SourcePlan, accounts_in_use, plan_absent, plan_disabled, plan_enabled
from .readable import refused_rights
from .request import ABSENT, DISABLED, ENABLED, SourceRequest
from .settled import judge_finished

_READY = "ACTIVE_READY"
_HEADINGS = {
    BLOCKING: "What blocks",
    MENDED: "What the role mends or does",
    WARNING: "What deserves a look",
}


@dataclass
class PreflightReport:
    """What was found, what is planned for each source, and which of them need nothing.

    :param differences: in what the variables and what is there differ.
    :param not_compared: what could not be compared.
    :param well: the sources that need nothing.
    :param brief: whether something was left out that a finished environment does not need.
    """

    findings: list[Finding] = field(default_factory=list)
    plans: list[SourcePlan] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    well: list[SourceStatus] = field(default_factory=list)
    brief: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do for any source."""
        return all(plan.finished for plan in self.plans)

    @property
    def blocking(self) -> list[Finding]:
        """The findings that keep a source from being dealt with."""
        return [finding for finding in self.findings if finding.severity == BLOCKING]

    def as_result(self) -> dict[str, t.Any]:
        """Return the module's result."""
        blocking = [finding.message for finding in self.blocking] or ["Nothing blocks."]
        return {
            "changed": False,
            "msg": " ".join([*blocking, *(one.sentence for one in self.well)]),
            "findings": [finding.as_result() for finding in self.findings],
            "blocking": len(self.blocking),
            "plans": [plan.as_result() for plan in self.plans],
            "livesync": [one.as_result() for one in self.well],
            "report": self.lines(),
            "differences": [one.as_result() for one in self.differences],
            "not_compared": [one.as_result() for one in self.not_compared],
        }

    def lines(self) -> list[str]:
        """Return the findings as people read them: the worst first, each with its remedy."""
        text = []
        for severity, heading in _HEADINGS.items():
            found = [finding for finding in self.findings if finding.severity == severity]
            if found:
                text.append(f"{heading} ({len(found)}):")
            for finding in found:
                where = f"{finding.source}: " if finding.source else ""
                text.append(f"  [{finding.code}] {where}{finding.message}")
                text.append(f"      {finding.remedy}")
        return text or ["Nothing was found."]


def preflight(
    client: Client,
    sources: t.Sequence[t.Mapping[str, t.Any]],
    directory: t.Mapping[str, t.Any] | None,
    state: str,
    context: Context,
    judge: bool = False,
) -> PreflightReport:
    """Read all evidence and decide.

    What cannot be read is a finding, and does not keep the rest from being read.

    :param sources: the entries of livesync_sources.
    :param directory: the option ``directory``, None where none is given.
    :param state: ENABLED, DISABLED or ABSENT.
    :param judge: whether those on which nothing is left to do are judged too.
    :raises InvalidOption: when there are no sources, since then nothing could be in the way of anything.
    """
    if not sources:
        raise InvalidOption("livesync_sources", list(sources), "Name at least one source, as in system/ldap/account.")
    look = partial(_look, client, sources, directory, state, context, judge)
    report = look(brief=judge)
    # what is left to do may need what was left out
    return look(brief=False) if report.brief and not report.finished else report


def _look(
    client: Client,
    sources: t.Sequence[t.Mapping[str, t.Any]],
    directory: t.Mapping[str, t.Any] | None,
    state: str,
    context: Context,
    judge: bool,
    brief: bool,
) -> PreflightReport:
    """Read all evidence and decide.

    :param brief: whether what a finished environment does not need is left out.
    """
    report = PreflightReport(findings=unencrypted(client.url))
    requests = _requests(sources, directory, report)
    report.not_compared = [NotCompared(one.source, "livesync_sources", one.message) for one in report.blocking]
    snapshot = _snapshot(client, report, brief)
    if snapshot is None:
        report.not_compared.append(NotCompared(None, "everything", report.blocking[-1].message))
        if state == ENABLED:
            report.findings += _reach_directories(requests.values(), context)
        report.plans = [SourcePlan(str(request.source), index, blocked=True) for index, request in requests.items()]
        return report
    gatherer = Gatherer(client, snapshot.server or ask_server(client), snapshot, state, context, brief)
    with gatherer.lines as lines:
        _plan(gatherer, requests, snapshot, state, report)
        report.brief = brief and snapshot.documents is not None
        if judge and (report.finished or not report.brief):
            report.well = judge_finished(client, report.plans, requests, snapshot, lines.connect, context)
    well = {str(one.source) for one in report.well}
    report.plans = [replace(plan, settled=plan.finished and plan.source in well) for plan in report.plans]
    return report


def _plan(
    gatherer: Gatherer,
    requests: t.Mapping[int, SourceRequest],
    snapshot: Snapshot,
    state: str,
    report: PreflightReport,
) -> None:
    """Add what is found about each source, and what is done about it."""
    asked = {str(request.source) for request in requests.values()}
    in_use = accounts_in_use(snapshot.schedules, snapshot.connectors, asked)
    report.differences = unlisted(snapshot, asked)
    for index, request in requests.items():
        try:
            evidence = gatherer.source(request)
        except (Unreachable, Refused) as exc:
            finding = idm_finding(exc)
            report.findings += [finding] if finding not in report.findings else []
            report.plans.append(SourcePlan(str(request.source), index, blocked=True))
            report.not_compared.append(NotCompared(str(request.source), "everything", exc.message))
            continue
        if state == DISABLED:
            plan = plan_disabled(evidence, index)
        elif state == ABSENT:
            report.findings += grants_unknown(evidence)
            plan = plan_absent(evidence, in_use, index)
        else:
            found = findings_of(evidence)
            report.findings += [finding for finding in found if finding not in report.findings]
            plan = plan_enabled(evidence, found, index)
        blocked = plan.blocked or bool(request.errors)
        report.plans.append(replace(plan, blocked=blocked, finished=plan.finished and not blocked))
        report.differences += differences_of(evidence, plan, state)
        report.not_compared += not_compared_of(evidence, state)


def _requests(
    sources: t.Sequence[t.Mapping[str, t.Any]], directory: t.Mapping[str, t.Any] | None, report: PreflightReport
) -> dict[int, SourceRequest]:
    """Return the requests by their place in livesync_sources; what cannot be used is a finding."""
    requests: dict[int, SourceRequest] = {}
    for index, entry in enumerate(sources):
        try:
            request = SourceRequest.parse(entry, directory, f"livesync_sources[{index}]")
        except InvalidOption as exc:
            finding = Finding("source_invalid", BLOCKING, exc.message, "Correct it there.")
            report.findings += [finding] if finding not in report.findings else []
            report.plans.append(SourcePlan(str(entry.get("source")), index, blocked=True))
            continue
        if any(other.source.stage_id == request.source.stage_id for other in requests.values()):
            report.findings.append(
                Finding(
                    "source_twice",
                    BLOCKING,
                    f"{request.source} is given twice.",
                    "Leave one of them in livesync_sources.",
                    str(request.source),
                )
            )
            continue
        requests[index] = request
        report.findings += _wrong_options(request)
    return requests


def _wrong_options(request: SourceRequest) -> list[Finding]:
    """Return a finding for each option that could only fail later, when the schedule is held and the load done."""
    source = str(request.source)
    return [
        schedule_finding(error, source)
        if error is request.schedule_error
        else Finding("source_invalid", BLOCKING, error.message, "Correct it there.", source)
        for error in request.errors
    ]


def _snapshot(client: Client, report: PreflightReport, brief: bool) -> Snapshot | None:
    """Return what IDM tells about all sources at once, None where it does not."""
    try:
        ping = as_dict(client.get("info/ping", none_on=(403, 404, 410, 501)))
        state = ping.get("state", _READY)
        if state != _READY:
            report.findings.append(not_ready(str(state), str(ping.get("shortDesc") or "")))
            return None
        snapshot = read_snapshot(client, brief)
    except Refused as exc:
        report.findings.append(rights_finding(exc, refused_rights(client)) if exc.rights else idm_finding(exc))
        return None
    except Unreachable as exc:
        report.findings.append(idm_finding(exc))
        return None
    report.findings += rights_unproved(client.whoami())
    return snapshot


def _reach_directories(requests: t.Iterable[SourceRequest], context: Context) -> list[Finding]:
    """Try the directories by themselves: without IDM nobody knows for whom and for what they would be asked."""
    given: dict[str, t.Mapping[str, t.Any]] = {}
    for request in requests:
        options = request.directory
        given.update({uri: options for uri in options["servers"] if uri not in given} if options else {})
    found, tried = [], RefusedBinds()
    directories: dict[str, Directory] = {}
    for uri, options in given.items():
        try:
            directories[uri] = Directory(options, uri, context)
        except InvalidOption as exc:
            found.append(_unreached(exc))
    tried.greet(list(directories.values()))
    for uri, directory in directories.items():
        try:
            if again := tried.again(given[uri], uri):
                raise again
            with directory:
                directory.read("", ["vendorName"])
        except DirectoryError as exc:
            tried.note(given[uri], exc)
            found.append(_unreached(exc))
    return found


def _unreached(exc: DirectoryError | InvalidOption) -> Finding:
    code = "directory_credentials" if exc.status == INVALID_CREDENTIALS else "directory_unreachable"
    return Finding(code, BLOCKING, exc.message, f"{exc.remedy or 'Correct it there.'} (livesync_directory)")

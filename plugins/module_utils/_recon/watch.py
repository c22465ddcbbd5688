# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for reconciliations, and for the end of one, through cut lines and a server that comes and goes."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.context import Context
from .._base.errors import IdmopsError, Refused, Unreachable
from .._base.progress import Progress
from .._base.values import as_dict, as_text
from .._http.answer import odd
from .._http.client import Client, segment
from .._http.form import id_of, objects
from .._idm.audit import RECON_TOPIC
from .._idm.nodes import has_restarted, read_startup
from .elsewhere import runs_on_another_node
from .run import ACTIVE, LOST, SUCCESS, ReconRun
from .verdict import JOIN_AGAIN, lost

PROXY_ERRORS = (502, 503, 504)
#: What a server answers that is just starting: no account store yet, no route yet.
_STARTING = (401, 403, 404, 500, *PROXY_ERRORS)
#: How long IDM may be away before a wait for a run is given up, in seconds: a restart takes 10 to 60.
_OUTAGE = 300.0
#: How long IDM's access rules may refuse to tell of a run, in seconds: a server that is just starting knows nobody yet.
_REFUSED = 10.0
#: How long a run may be found nowhere on a server that answers (another node may have it), in seconds.
_NOWHERE = 15.0


def list_runs(client: Client, mapping: str | None = None) -> list[ReconRun]:
    """Return the runs that IDM remembers, oldest first: the active ones and the last hundred or so.

    :param mapping: return the runs of this mapping alone.
    :raises Unreachable, Refused: as the client.
    """
    where = f"GET {client.url}/recon"
    found = objects(client.get("recon").get("reconciliations"), where, "reconciliations")
    runs = [_run_of(item, where) for item in found]
    return [run for run in runs if mapping in (None, run.mapping)]


def read_run(client: Client, run_id: str) -> ReconRun | None:
    """Return a run, None where IDM does not know it (any more).

    :raises Unreachable, Refused: as the client.
    """
    path = f"recon/{segment(run_id)}"
    body = client.get(path, none_on=(404,))
    return None if body is None else _run_of(body, f"GET {client.url}/{path}")


def _run_of(summary: t.Mapping[str, t.Any], where: str) -> ReconRun:
    """Return the run that a summary tells of.

    :raises Refused: for an object that does not say which run it is, how it stands, or how many entries failed: it
        would be passed over, or taken for one that has failed, or for one in which nobody failed.
    """
    id_of(summary, where)
    for name in ("mapping", "state"):
        if not as_text(summary.get(name)):
            raise odd(where, f"an object with a {name}", summary.get(name))
    run = ReconRun.parse(summary)
    if run.state == SUCCESS and not isinstance(summary.get("statusSummary"), dict):
        raise odd(where, "an object (statusSummary)", summary.get("statusSummary"))
    return run


class ReconWatch:
    """Asks for one run until it has ended, through cut lines and a server that comes and goes."""

    def __init__(self, client: Client, context: Context, run: ReconRun, what: str) -> None:
        self.seen = run
        self._client = client
        self._context = context
        self._what = what
        self._startup = _startup(client)
        self._progress = Progress(context, what, done=run.source.processed)
        self._away_since: float | None = None
        self._nowhere_since: float | None = None
        self._refused_since: float | None = None

    def probe(self) -> ReconRun | None:
        """Return the run if it has ended.

        :raises IdmopsError: when it never will, or nobody can tell.
        """
        try:
            run = read_run(self._client, self.seen.id) or self._elsewhere()
        except (Unreachable, Refused) as exc:
            if isinstance(exc, Refused) and exc.own and exc.status not in _STARTING:
                raise
            self._away(exc)
            return None
        self._away_since = self._refused_since = None
        if run is None:
            self._nowhere()
            return None
        self._nowhere_since = None
        self.seen = run
        done, total = run.source.processed, run.source.total
        # the open fork counts targets without a source among the source entries too (seen on OpenIDM 6.1.0)
        self._progress.update(done, total if total is None or done <= total else None)
        return None if run.state == ACTIVE else run

    def _elsewhere(self) -> ReconRun | None:
        """Return a run that GET recon/<id> does not find: from the list, or from the audit after it was purged."""
        for run in list_runs(self._client):
            if run.id == self.seen.id:
                return run
        try:
            found = self._client.query(RECON_TOPIC, f'reconId eq "{self.seen.id}" and entryType eq "summary"')
        except Refused:
            return None
        details = [as_dict(entry.get("messageDetail")) for entry in found]
        return next((ReconRun.parse(detail) for detail in details if detail.get("_id") == self.seen.id), None)

    def _nowhere(self) -> None:
        """Give up a run that no longer exists, at once after a restart, else when it has been missing for a while."""
        now = self._context.clock.now()
        restarted = has_restarted(self._startup, _startup(self._client))
        if not restarted and runs_on_another_node(self._client, self.seen.id):
            self._nowhere_since = None
            return
        self._nowhere_since = now if self._nowhere_since is None else self._nowhere_since
        if restarted or now - self._nowhere_since >= _NOWHERE:
            raise lost(replace(self.seen, state=LOST), restarted=restarted)

    def _away(self, exc: IdmopsError) -> None:
        """Bear with a server that does not answer, for a while."""
        now = self._context.clock.now()
        if self._away_since is None:
            self._away_since = now
            self._context.report.progress(f"{self._what}: IDM does not answer now; the run goes on if IDM does")
        if not (isinstance(exc, Refused) and exc.rights):
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = now
        elif now - self._refused_since >= _REFUSED:
            raise self._not_known(exc, "So ", exc.remedy) from exc
        if now - self._away_since >= _OUTAGE:
            raise self._not_known(exc, f"IDM has not answered for {_OUTAGE:g} s; ", JOIN_AGAIN) from exc

    def _not_known(self, exc: IdmopsError, why: str, remedy: str | None) -> IdmopsError:
        return IdmopsError(
            f"{exc.message} {why}how the {self._what} stands is not known.",
            status=exc.status,
            remedy=remedy,
            result={"recon": replace(self.seen, state="UNKNOWN").as_result()},
        )


def _startup(client: Client) -> str | None:
    try:
        return read_startup(client)
    except Unreachable:
        return None

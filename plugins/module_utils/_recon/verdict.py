# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a reconciliation did not end well, and what to do: facts in, an error out. No I/O.

A run that FAILED gives no reason over REST ("Seen on real servers", initial load); the numbers in its summary do.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.errors import IdmopsError, Refused
from .._base.text import reason_in
from .._idm.connector import Connector, ConnectorTest, failed_test
from .._idm.mapping import ALL, REFUSED_REMEDY, SyncMapping
from .run import CANCELED, SUCCESS, EntryFailure, ReconRun, too_many

#: Why an id is not reconciled.
GONE = (
    "it is not in the source any more, and a reconciliation by id leaves the target of such a record as it is; liveSync"
    " of its deletion, or a reconciliation of the whole mapping, removes it"
)
NO_SUCH_ID = (
    "no entry of the source has this id, and no link leads from it: an id is the _id that IDM gives an entry (with an"
    " LDAP connector its uidAttribute, mostly entryUUID in lower case), no name and no DN"
)
JOIN_AGAIN = "Run the task again: with if_running=join it finds the run and waits for it."
_MEND = (
    "Mend these entries, or the mapping, and reconcile them alone with ids; or allow that many failures with"
    " max_failures or max_failure_percent."
)
LOAD = (
    "An LDAP directory stops a search by an ordinary account at one of three walls: its size limit (more than 1,000"
    " entries by default), an unindexed search (more than 4,000), the look-through limit (more than 5,000). The module"
    " idmops.idm.changelog_access with raise_limits: true lets the connector's account pass them; then activate the"
    " connector again (idmops.idm.connector with state: reactivated), since pooled connections keep the limits of their"
    " bind."
)


#: What is told of a query that a limit of the directory has stopped, and of one of which nothing is told.
_LIMITED = re.compile(r"QUERY failed|error code (3|4|11)\b|^\s*(null)?\s*$", re.IGNORECASE)
_BROKEN = (
    "IDM cannot read a record of the source, and as long as that is so each reconciliation, load and comparison of the"
    " mapping breaks off. Mend that record in the source (idmops.idm.livesync_status with directory names it in dropped"
    " where it has changed lately), or the object type in the connector's configuration."
)


def remedy_for_query(reason: str) -> str:
    """Return what mends a query of a connector that is answered with an error.

    Over REST each limit of the directory looks alike: "Operation QUERY failed with ConnectorException". A second value
    of an attribute that the connector knows as single breaks the query of everybody, and is named (both seen on
    OpenIDM 6.1.0).
    """
    return LOAD if _LIMITED.search(reason) else _BROKEN


@dataclass(frozen=True)
class ReconFindings:
    """What was found out about a run that has ended.

    :param failures: entries that failed, as far as audit/recon told; None where it does not answer.
    :param gone: how many more failed because somebody had removed them from the source since the run began: what
        IDM made of them, nothing, is right.
    :param connector: that of the mapping's source, with its test, where there was a reason to test it.
    :param unread: what a query of the source is answered with, None where it goes well or was not sent.
    :param transaction: the id by which IDM's logs know the run, None where another task has started it.
    """

    run: ReconRun
    mapping: SyncMapping
    failures: tuple[EntryFailure, ...] | None = ()
    gone: int = 0
    connector: Connector | None = None
    test: ConnectorTest | None = None
    unread: str | None = None
    transaction: str | None = None

    @property
    def failed(self) -> int:
        """How many entries failed that should not have."""
        return self.run.failed - self.gone


def verdict(runs: t.Sequence[ReconFindings], most: int, most_percent: float | None) -> IdmopsError | None:
    """Return the error that the end of one run, or of one for each record, is; None where all ended well.

    :param most: how many entries may fail, in spite of ``most_percent``.
    :param most_percent: what share of the entries may fail, in spite of ``most``.
    """
    if len(runs) == 1:
        return _of_one(runs[0], most, most_percent)
    failed = [found for found in runs if found.run.state != SUCCESS]
    errors = [t.cast(IdmopsError, _of_one(found, most, most_percent)) for found in failed]
    entries = sum(found.failed for found in runs if found.run.state == SUCCESS)
    records = sum(len(found.run.source_ids) for found in runs)
    if not errors and not too_many(entries, records, most, most_percent):
        return None
    told = [f"{_ids(found.run)}: {error.message}" for found, error in zip(failed, errors)]
    told += [f"{failure}." for found in runs if found.run.state == SUCCESS for failure in found.failures or ()]
    remedies = dict.fromkeys([error.remedy for error in errors if error.remedy] + ([_MEND] if entries else []))
    entries += sum(len(found.run.source_ids) for found in failed)
    head = f"{entries} of {records} records of {runs[0].run.mapping} were not reconciled."
    return IdmopsError(f"{head} {' '.join(told)}", remedy=" ".join(remedies))


def _ids(run: ReconRun, most: int = 3) -> str:
    """Return the records of a run, the first of many."""
    more = len(run.source_ids) - most
    return ", ".join(run.source_ids[:most]) + (f" and {more} more" if more > 0 else "")


def _of_one(found: ReconFindings, most: int, most_percent: float | None) -> IdmopsError | None:
    run = found.run
    if run.state == CANCELED:
        return IdmopsError(
            f"{_named(run)} was cancelled by somebody at {run.source} source entries.",
            remedy="Run it again when nobody needs it to stop any more; what it has done stays done.",
        )
    if run.state != SUCCESS:
        return _failed(found)
    entries = run.succeeded + run.failed
    if too_many(found.failed, entries, most, most_percent) and not run.id:
        return IdmopsError(f"No reconciliation of {run.mapping} was started: {_examples(found)}", remedy=_MEND)
    if too_many(found.failed, entries, most, most_percent):
        limits = f"max_failures {most}" + ("" if most_percent is None else f", max_failure_percent {most_percent:g}")
        return IdmopsError(
            f"{_named(run)} ended, and {found.failed} of {entries} entries failed ({limits}). {_examples(found)}",
            remedy=_MEND + _stale(found),
        )
    return None


def _stale(found: ReconFindings) -> str:
    """Return what is to be said of entries whose targets are linked to others (seen on live tenants)."""
    if not found.run.situations.get("FOUND_ALREADY_LINKED"):
        return ""
    return (
        " FOUND_ALREADY_LINKED: liveSync has made and linked the target while this run went on, or it is linked to"
        " another id, as after the directory was built anew. Run it once more: the former are in order then, and so are"
        " the latter where the mapping removes links of entries that are gone (SOURCE_MISSING: UNLINK or DELETE). Only"
        " what fails again has a stale link (repo/link; livesync_verify with directory names it in link_ids), to an id"
        " that the source has no more: remove that first."
    )


def _failed(found: ReconFindings) -> IdmopsError:
    """Return the error for a run that IDM itself calls failed."""
    run, source = found.run, found.mapping.source
    head = f"{_named(run)} ended in the state {run.state}"
    nothing = run.source.processed == 0
    if run.failed:
        return IdmopsError(
            f"{head}. {_examples(found)}", remedy="Mend these entries, or the mapping, then run it again."
        )
    if found.connector and found.test and not found.test.ok:
        cause = failed_test(found.connector, found.test)
        return IdmopsError(f"{head}: {source} could not be read. {cause.message}", remedy=cause.remedy)
    if nothing and found.mapping.asynchronous:
        return IdmopsError(
            f"{head} before it read an entry: policies of the mapping have the action ASYNC"
            f" ({', '.join(found.mapping.asynchronous)}).",
            remedy="Give these situations an action of their own in the mapping: with ASYNC a reconciliation fails at"
            " its start.",
        )
    if nothing and run.source.total == 0 and run.source_ids and found.mapping.source_filter != ALL:
        return IdmopsError(
            f"{head}: the mapping's own sourceQuery selects none of these ids, or they are not in {source}.",
            remedy="See what sourceQuery of the mapping leaves out: a reconciliation never brings that.",
        )
    if nothing and run.source.total == 0:
        return IdmopsError(
            f"{head}: the source {source} is empty, or shows no entry to IDM's account. IDM then stops before it"
            " takes all targets for orphans.",
            remedy="Check what the connector's account may read and the base contexts and filters of its"
            " configuration; where the source is rightly empty, set allow_empty_source.",
        )
    if nothing and run.source.total is None:
        what = (
            remedy_for_query(found.unread or "")
            if source.startswith("system/")
            else "Look into IDM's log at the time of the run: the query of the source failed."
        )
        why = f" ({reason_in(found.unread)})" if found.unread else ""
        return IdmopsError(
            f"{head}: the query of the source {source} broke off before it told one entry{why}.", remedy=what
        )
    return IdmopsError(
        f"{head} at {run.source} source and {run.target} target entries (stage {run.stage or 'unknown'}).",
        remedy=f"IDM's log tells the reason: look for the reconciliation's id {run.id}."
        if run.id
        else "IDM's log tells the reason, at the time of the run.",
    )


def not_in_force(mapping: SyncMapping, refused: Refused) -> IdmopsError | None:
    """Return the error where IDM does not know a mapping that its configuration holds; None for any other refusal.

    It answers 200 to a PUT of a document that its sync service then refuses, as for a script file that is missing, and
    goes on with the mappings from before (seen on OpenIDM 6.1.0).
    """
    if refused.status not in (404, 409) or "no such mapping" not in refused.reason.lower():
        return None
    return IdmopsError(
        f"The configuration holds {mapping.name}, and IDM has no such mapping: config/sync is not in force. IDM has"
        " refused it, as for a script file that is not there, and goes on with the mappings from before.",
        status=refused.status,
        remedy=REFUSED_REMEDY,
    )


def lost(run: ReconRun, *, restarted: bool) -> IdmopsError:
    """Return the error for a run that is not found any more."""
    why = "IDM was restarted and the run died with it" if restarted else "IDM does not know it any more"
    return IdmopsError(
        f"{_named(run)} did not end: {why}, at {run.source} source entries.",
        remedy="Run the task again: entries that were done are confirmed, not done twice. Nothing was started in its"
        " place.",
        result={"recon": run.as_result()},
    )


def _named(run: ReconRun) -> str:
    return f"The reconciliation {run.id} of {run.mapping}" if run.id else f"A reconciliation of {run.mapping}"


def _examples(found: ReconFindings, most: int = 3) -> str:
    """Return the first failures, or where to look for them."""
    if not found.failures:
        if found.failures is not None:
            return "Which ones is not known: audit/recon holds none of them; IDM's log names them."
        which = f", transactionId {found.transaction}" if found.transaction else ""
        return (
            "Which ones is not known: audit/recon does not answer here, and the run kept no associations. IDM's log"
            " names them (on Advanced Identity Cloud GET /monitoring/logs with an API key of the log API, source"
            f" idm-sync or idm-everything{which}); so does idmops.idm.recon with persist_associations: true, which"
            " makes a large run slower."
        )
    shown: t.Iterable[EntryFailure] = found.failures[:most]
    more = found.failed - most
    return "; ".join(map(str, shown)) + (f"; and {more} more." if more > 0 else ".")

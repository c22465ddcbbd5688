# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initial load of a source: see that it deletes nobody by surprise, reconcile, and say what proves it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .._base.context import Context
from .._base.errors import DirectoryError, IdmopsError, InvalidOption, Refused
from .._base.text import reason_in
from .._changelog.anchor import Anchor
from .._changelog.rights import Visibility
from .._changelog.whose import FAILOVER, OTHER, SAME, Identity
from .._health.log_facts import LogReader
from .._http.client import Client
from .._http.form import id_of, results
from .._idm.connector import TWINS_REMEDY, Connector, read_connector
from .._idm.connector_activation import reactivate
from .._idm.error_texts import MISFIT_REMEDY
from .._idm.mapping import ASYNC_REMEDY, SyncMapping, has_links, read_mappings
from .._idm.source import Source
from .._idm.stage import Stage, read_stage
from .._livesync.beside_load import alone
from .._proof.link_ids import estranged
from .._recon.recon import WAIT, ReconRequest, reconcile
from .._record.load_record import Load, some_links
from .gather import ask_whose, compare, compare_links
from .request import SourceRequest

#: How often the connector is asked for its entries: others add and remove entries while these are counted.
_COUNTS = 3
#: How long counting the entries through IDM may take at the least, in seconds.
_COUNT_TIMEOUT = 600.0


@dataclass(frozen=True)
class LoadRequest:
    """What is asked for.

    :param source: with the directory, the time a load may take, and whether deletions are allowed unguarded.
    :param mappings: to load, in this order.
    :param may_reactivate: whether the connector may be activated again where its connections hold old limits.
    """

    source: SourceRequest
    mappings: tuple[str, ...]
    max_failures: int = 0
    max_failure_percent: float | None = None
    may_reactivate: bool = False


@dataclass
class Loaded:
    """What has been done so far.

    :param seen: entries there are, and how many the account may read; None where that was not compared.
    :param through_idm: how many IDM finds through the connector.
    :param directory: the server whose change log goes on from the load; empty where none is known.
    :param base_point: the change that it goes on from, None where that is not known.
    """

    record: dict[str, Load] = field(default_factory=dict)
    runs: list[dict[str, t.Any]] = field(default_factory=list)
    seen: Visibility | None = None
    through_idm: int | None = None
    reactivated: bool = False
    directory: Identity = Identity()
    base_point: Anchor | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return the module's result."""
        record = {mapping: load.as_document() for mapping, load in self.record.items()}
        return {
            "changed": bool(self.runs) or self.reactivated,
            "diff": {"before": {}, "after": {"loaded": [run["mapping"] for run in self.runs]} if self.runs else {}},
            "record": record,
            "loads": self.runs,
            "reactivated": self.reactivated,
            "entries": {
                "total": self.seen.total if self.seen else None,
                "readable": self.seen.visible if self.seen else None,
                "through_idm": self.through_idm,
            },
        }


def load(client: Client, request: LoadRequest, context: Context) -> Loaded:
    """Load the mappings of a source, one after the other.

    A reconciliation that is going on already is waited for and not joined: it may have begun before the base point,
    and what changed between would be lost.

    :raises InvalidOption: for a source or a mapping that is not there.
    :raises IdmopsError: when a load would delete by surprise, or did not end well; its result holds what was done.
    """
    source = request.source.source
    connector = read_connector(client, source.system, "source")
    if connector.ambiguity:
        raise IdmopsError(f"{connector.ambiguity} Nothing was loaded.", remedy=TWINS_REMEDY)
    known = read_mappings(client)
    mappings = _chosen(request, known)
    done = Loaded()
    stage = read_stage(client, source)
    if useless := _without_base_point(source, stage, connector):
        _refuse(useless, context)
    elif context.check_mode:
        guard(client, request, connector, mappings, known, done, stage, context)
    if context.check_mode:
        done.record = {mapping.name: Load("(planned)", "") for mapping in mappings}
        done.runs = [{"mapping": mapping.name, "recon": None, "state": "planned"} for mapping in mappings]
        return done
    try:
        with alone(client, source, context, request.source.wait_timeout):
            guard(client, request, connector, mappings, known, done, stage, context)
            for mapping in mappings:
                context.report.progress(f"{source}: loading {mapping.name}")
                outcome = reconcile(client, recon_request(client, request, mapping), context)
                # by the server's clock, since it is compared with the times of its audit
                ended = client.server_time or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
                links = some_links(client, mapping.link_type)
                if not links and mapping.links_objects and outcome.run.succeeded:
                    context.report.warn(
                        f"{mapping.name}: no link that its load has made can be read (repo/link), so that the record"
                        " of it names none. In a schedule of storage config such a record proves nothing, and the next"
                        " run of the role loads again."
                    )
                done.record[mapping.name] = Load(outcome.run.id, ended, links, done.directory, done.base_point)
                done.runs.append({"mapping": mapping.name, "recon": outcome.as_result(), "state": outcome.run.state})
    except IdmopsError as exc:
        exc.result = {**done.as_result(), **exc.result}
        raise
    return done


def _without_base_point(source: Source, stage: Stage | None, connector: Connector) -> IdmopsError | None:
    """Return what is wrong with the point that liveSync would go on from, None where nothing is.

    What changes during the load would be lost.
    """
    if stage is None or stage.token is None:
        return IdmopsError(
            f"liveSync of {source} has no base point: what changes while it is loaded would be lost.",
            remedy="Run idmops.idm.livesync_trigger first, which stores the end of the change log as the point to go on"
            " from, then load; the role livesync does both.",
        )
    if misfit := stage.misfit(connector):
        return IdmopsError(f"{source}: {misfit}", remedy=MISFIT_REMEDY)
    return None


def _refuse(exc: IdmopsError, context: Context) -> None:
    """Let nothing be loaded; in check mode a task before this one may be going to mend it.

    :raises IdmopsError: the error.
    """
    if not context.check_mode:
        raise exc
    context.report.warn(f"{exc.message} {exc.remedy}")


def base_point_of(
    source: Source,
    options: t.Mapping[str, t.Any],
    uri: str,
    connector: Connector,
    stage: Stage | None,
    context: Context,
) -> tuple[Anchor | None, IdmopsError | None]:
    """Return the change that liveSync stands at, and why the change log does not go on from it, None where it does.

    :raises DirectoryError: no answer, or an error.
    """
    number = stage.number if stage else None
    with LogReader(options, uri, connector, context) as log:
        if stage and (misfit := stage.misfit(connector, numbered=log.last() is not None)):
            return None, IdmopsError(f"{source}: {misfit} Nothing was loaded.", remedy=MISFIT_REMEDY)
        if bad := log.outside(number):
            return None, IdmopsError(f"liveSync of {source} is {bad[0]}, so nothing was loaded.", remedy=bad[1])
        return log.anchor(number), None


def recon_request(client: Client, request: LoadRequest, mapping: SyncMapping) -> ReconRequest:
    # An empty source that has had people once is more likely a mistake than a wish to delete them all.
    harmless = request.source.allow_deletes or not mapping.deletes or has_links(client, mapping) is False
    return ReconRequest(
        mapping=mapping.name,
        wait_timeout=request.source.wait_timeout,
        if_running=WAIT,
        held=True,
        allow_empty_source=harmless,
        max_failures=request.max_failures,
        max_failure_percent=request.max_failure_percent,
    )


def _chosen(request: LoadRequest, all_mappings: t.Iterable[SyncMapping]) -> list[SyncMapping]:
    known = {one.name: one for one in all_mappings if request.source.source.is_named_by(one.source)}
    for name in request.mappings:
        if name not in known:
            raise InvalidOption(
                "mappings", name, f"{request.source.source} has these mappings: {', '.join(sorted(known)) or 'none'}."
            )
    return [known[name] for name in request.mappings]


def guard(
    client: Client,
    request: LoadRequest,
    connector: Connector,
    mappings: t.Sequence[SyncMapping],
    known: t.Sequence[SyncMapping],
    done: Loaded,
    stage: Stage | None,
    context: Context,
) -> None:
    """See that liveSync can go on from here, and that the connector finds everybody: nobody is taken for deleted.

    :raises IdmopsError: when it does not, or when that cannot be compared and something could be deleted.
    """
    if said := estranged(client, connector, [one for one in mappings if one.deletes], known):
        raise IdmopsError(said, remedy="Nothing was loaded. Load nothing before that.")
    for mapping in mappings:
        if mapping.left_undone:
            raise IdmopsError(f"{mapping.left_undone} Nothing was loaded.", remedy=ASYNC_REMEDY)
    options = request.source.directory
    if not options or not connector.reads_change_log:
        _refuse_unguarded(client, request, mappings)
        return
    principal = options.get("principal") or connector.principal
    uri, whose, done.directory = ask_whose(options, connector, context)
    if whose.answer == OTHER:
        raise DirectoryError(whose.sentence, remedy=whose.remedy)
    if whose.answer != SAME:
        # what is seen there proves nothing of what the connector sees
        _refuse_unguarded(client, request, mappings, f" {whose.sentence}")
    if whose.answer in (SAME, FAILOVER):
        done.base_point, useless = base_point_of(request.source.source, options, uri, connector, stage, context)
        if useless:
            _refuse(useless, context)
    error: IdmopsError | None = None
    for _count in range(_COUNTS):
        done.seen = compare(request.source, connector, principal, uri, context)
        if done.seen is None:
            _refuse_unguarded(client, request, mappings)
            return
        if done.seen.visible < done.seen.total:
            raise _fewer(done.seen.visible, done.seen.total, f"The account {principal} may read")
        # counting through IDM may need limits that are to be raised before, which check mode cannot wait for
        listed = None if context.check_mode else _listed(client, request, connector, done, context)
        done.through_idm = None if listed is None else len(listed)
        if listed is not None and len(listed) < done.seen.total:
            error = _fewer(len(listed), done.seen.total, "IDM finds through its connector")
            continue
        error = None
        if whose.answer == SAME:
            found = compare_links(client, request.source, connector, mappings, known, uri, listed, context)
            error = next(
                (
                    IdmopsError(f"{found[one.name].sentence(one)} Nothing was loaded.", remedy=found[one.name].remedy)
                    for one in mappings
                    if one.name in found
                ),
                None,
            )
        if error is None:
            return
    raise t.cast(IdmopsError, error)


def _refuse_unguarded(client: Client, request: LoadRequest, mappings: t.Sequence[SyncMapping], why: str = "") -> None:
    """Let nothing be loaded that could delete, where nothing can be compared before it.

    :param why: it cannot, with a blank before it.
    :raises IdmopsError: when a mapping can delete and has links, unless that is allowed.
    """
    for mapping in mappings if not request.source.allow_deletes else ():
        if mapping.deletes and has_links(client, mapping) is not False:
            raise IdmopsError(
                f"The mapping {mapping.name} can delete ({', '.join(mapping.removing)}) and has links, and what the"
                f" connector sees cannot be compared with what is there.{why}",
                remedy="Give the directory (with principal and base_contexts where placeholders stand in the"
                " connector's configuration), or allow_deletes: true.",
            )


def _fewer(found: int, total: int, who: str) -> IdmopsError:
    return IdmopsError(
        f"{who} {found} of {total} entries: the load would take the others for deleted, so it was not started.",
        remedy="Let the account read them all (ACIs, limits), and see that the connector talks to this directory"
        " server; or narrow the connector's baseContexts and search filter to what it may read.",
    )


#: Seen on two nodes of OpenIDM 6.1.0 behind a round robin: the other one goes on with the old limits.
_ONE_OF_SEVERAL = (
    " Of several nodes each has connections of its own: list their own URLs (nodes of livesync_idm), so that it is done"
    " on all."
)


def _listed(
    client: Client, request: LoadRequest, connector: Connector, done: Loaded, context: Context
) -> frozenset[str]:
    """Return the ids of the entries that IDM finds; activate the connector again where its connections hold old limits.

    Over REST every limit looks alike: 500 "Operation QUERY failed with ConnectorException" (seen on OpenIDM 6.1.0).
    Connections of the connector's pool keep the limits that held when they were bound.
    """
    path, params = request.source.source.path, {"_queryFilter": "true", "_fields": "_id"}
    timeout = max(_COUNT_TIMEOUT, client.timeout)
    while True:
        try:
            where = f"GET {client.url}/{path}?_queryFilter"
            found = results(client.get(path, params, timeout=timeout), where, page=False)
            return frozenset(id_of(one, where) for one in found)
        except Refused as exc:
            if exc.status != 500:
                raise
            if done.reactivated or not request.may_reactivate:
                raise IdmopsError(
                    f"IDM cannot list the entries of {request.source.source} through its connector:"
                    f" {reason_in(exc.reason)} A limit of its account on the directory is too small, or the connector's"
                    " pooled connections were bound before it was raised.",
                    status=exc.status,
                    remedy="Raise the limits (raise_limits: true in livesync_directory), and let the connector be"
                    " activated again (livesync_reactivate: true, or idmops.idm.connector with state: reactivated)."
                    + ("" if client.nodes else _ONE_OF_SEVERAL),
                ) from exc
        context.report.progress(
            f"{connector.name}: activating the connector again, since its connections hold old limits"
        )
        reactivate(client, connector.name, context)
        done.reactivated = True

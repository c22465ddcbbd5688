# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load record: which mappings of a source have been loaded on this IDM, and what proves it.

It stands in the invokeContext of the job that the role manages, where IDM keeps unknown keys verbatim (seen on
OpenIDM 6.1.0).

What names an IDM installation? Not its node id (``node1`` everywhere), not the start time of a node (another one
after a restart), not its keys (templates and promotions copy them), not its URL (load balancers, aliases). The
record therefore names a few of the links that the load made. Links live in the repository, beside the loaded data;
IDM makes their ids at random; configuration that is promoted to another IDM does not carry them; and a repository
that was emptied or put back to an older state has lost them together with the load that the record speaks of.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property

from .._base.errors import Refused
from .._base.filters import any_of, equals
from .._changelog.anchor import BASE_POINT, Anchor
from .._changelog.whose import SERVER, Identity
from .._http.client import Client, segment

ONCE, ALWAYS, NEVER = "once", "always", "never"

#: So many links are named that at least one of them outlives the people who leave.
_WITNESSES = 5
_LINKS = "repo/link"
#: So many ids are asked for at once: they stand in the URL.
_AT_ONCE = 40


@dataclass(frozen=True)
class Load:
    """One mapping's load.

    :param recon: the id of the reconciliation that did it.
    :param time: when it ended, ISO 8601.
    :param idm: ids of some of the links that were there after it; none where the source was empty or links cannot
        be read.
    :param directory: the directory server whose change log goes on from the load; empty where none is known.
    :param base_point: the change that liveSync stood at before it, None where that is not known.
    """

    recon: str
    time: str
    idm: tuple[str, ...] = ()
    directory: Identity = Identity()
    base_point: Anchor | None = None

    @classmethod
    def parse(cls, document: t.Any) -> Load | None:
        """Return the load that a value of the record tells of, None where it tells of none."""
        if not isinstance(document, dict) or not document.get("recon"):
            return None
        idm = document.get("idm") or ()
        return cls(
            recon=str(document["recon"]),
            time=str(document.get("time") or ""),
            idm=(idm,) if isinstance(idm, str) else tuple(str(link) for link in idm),
            directory=Identity.parse(document.get("directory")),
            base_point=Anchor.parse(document.get(BASE_POINT)),
        )

    def as_document(self) -> dict[str, t.Any]:
        """Return the load as it is stored."""
        directory = {"directory": self.directory.as_document()} if self.directory else {}
        base_point = {BASE_POINT: self.base_point.as_document()} if self.base_point else {}
        return {"recon": self.recon, "time": self.time, "idm": list(self.idm), **directory, **base_point}


def read_record(stored: t.Mapping[str, t.Any]) -> dict[str, Load]:
    """Return the loads that a job records (``load_record`` of its schedule), by mapping."""
    loads = {str(mapping): Load.parse(document) for mapping, document in stored.items()}
    return {mapping: load for mapping, load in loads.items() if load is not None}


def as_document(record: t.Mapping[str, Load]) -> dict[str, t.Any]:
    """Return the record as it is stored in the job."""
    return {mapping: record[mapping].as_document() for mapping in sorted(record)}


def some_links(client: Client, link_type: str) -> tuple[str, ...]:
    """Return the ids of some links of a mapping, none where IDM does not let them be read.

    :param link_type: the mapping's name, or that of the mapping whose links it shares (its ``links``).
    :raises Unreachable: as the client.
    """
    try:
        found = client.query(_LINKS, equals("linkType", link_type), _pageSize=_WITNESSES, _fields="_id")
    except Refused:
        return ()
    return tuple(sorted(str(link["_id"]) for link in found[:_WITNESSES] if link.get("_id")))


class Witnesses:
    """Tells which recorded loads were done on the IDM that the client talks to, with one request where all were.

    A record that names no link is believed where only this IDM can have written it: in its own scheduler. In a
    configuration document (``promoted``), which is carried from one IDM to another, it proves nothing. Links that
    cannot be read tell nothing: that is an error, never "another IDM", which would load everybody again. So a list
    proves that a link is here, and only IDM's own word on that link that it is not.

    :param loads: all that may be asked about: one link of each is looked for together.
    """

    def __init__(self, client: Client, loads: t.Iterable[Load]) -> None:
        self._client = client
        self._loads = tuple(loads)

    def made_here(self, load: Load, *, promoted: bool) -> bool:
        """Tell whether a load was done here.

        :raises Unreachable, Refused: as the client.
        """
        if not load.idm:
            return not promoted
        return load.idm[0] in self._here or any(_exists(self._client, link) for link in load.idm)

    @cached_property
    def _here(self) -> set[str]:
        try:
            return _present(self._client, [load.idm[0] for load in self._loads if load.idm])
        except Refused:
            return set()


def made_elsewhere(client: Client, loads: t.Mapping[str, Load]) -> frozenset[str]:
    """Return the names of those of some loads none of whose links is here, with one request where all are.

    A load that names no link, and links that cannot be read, tell nothing.

    :raises Unreachable: as the client.
    """
    named = {name: load.idm for name, load in loads.items() if load.idm}
    try:
        here = _present(client, [links[0] for links in named.values()])
        left = {name: links for name, links in named.items() if links[0] not in here}
        here = _present(client, [link for links in left.values() for link in links[1:]])
    except Refused:
        return frozenset()
    return frozenset(name for name, links in left.items() if not here & set(links))


def _present(client: Client, links: t.Sequence[str]) -> set[str]:
    """Return the ids of those links that are there."""
    wanted = sorted(set(links))
    parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    return {str(one.get("_id")) for part in parts for one in client.query(_LINKS, any_of("_id", part), _fields="_id")}


def said_of_foreign(load: Load) -> str:
    """Return what a recorded load is that was done elsewhere."""
    return (
        f"The recorded load ({load.recon}) was done on another IDM, or what it loaded has been removed: none of the"
        " links that it made is here."
    )


def moved_from(loads: t.Iterable[Load], identity: Identity) -> tuple[str, Identity] | None:
    """Return what has changed (SERVER or DATA) since a load was recorded, and the identity then; None for nothing.

    :param identity: of the server that the connector reads now.
    """
    found = [(what, load.directory) for load in loads if (what := identity.changed_since(load.directory))]
    return next((one for one in found if one[0] == SERVER), found[0] if found else None)


def _exists(client: Client, link: str) -> bool:
    return client.get(f"{_LINKS}/{segment(link)}", {"_fields": "_id"}, none_on=(404,)) is not None


def loads_to_do(
    mappings: t.Sequence[str],
    record: t.Mapping[str, Load],
    foreign: t.Collection[str],
    *,
    how: str = ONCE,
    no_base_point: str | None = None,
) -> dict[str, str]:
    """Decide which mappings have to be loaded, and why. Pure.

    :param foreign: the mappings whose recorded load was done elsewhere (see :class:`Witnesses`).
    :param how: ONCE, ALWAYS or NEVER.
    :param no_base_point: why the changes since the recorded loads cannot be had from the change log; None: they can.
    """
    if how == NEVER:
        return {}
    reasons = {}
    for mapping in mappings:
        if how == ALWAYS:
            reasons[mapping] = "initial_load is always."
        elif mapping not in record:
            reasons[mapping] = "No load of this mapping is recorded, and a schedule or a token alone proves none."
        elif mapping in foreign:
            reasons[mapping] = said_of_foreign(record[mapping])
        elif no_base_point:
            reasons[mapping] = no_base_point
    return reasons

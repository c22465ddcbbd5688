# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the links of a mapping still know the entries of its source by what the connector calls them.

Where the connector's uidAttribute was changed after a load they do not: IDM finds no link of any entry, and no entry of
any link. Each change ends in FOUND_ALREADY_LINKED (seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import re
import typing as t

from .._base.errors import Refused
from .._base.filters import equals
from .._http.client import Client
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._ldap.dn import is_name
from .pages import read_these

_LINKS = "repo/link"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BY_UUID, _BY_DN, _BY_OTHER = "entryUUID", "dn", "another attribute"
#: So many links are looked at.
_FEW = "5"


def by_uuid(connector: Connector) -> bool:
    """Tell whether a connector knows entries by their entryUUID, as far as it tells."""
    return (connector.uid_attribute or _BY_UUID).lower() == _BY_UUID.lower()


def estranged(
    client: Client, connector: Connector, mappings: t.Iterable[SyncMapping], known: t.Sequence[SyncMapping]
) -> str | None:
    """Return what has happened to the links of one of some mappings of a source, None where nothing speaks for it.

    :param mappings: of a source that the connector is of.
    :param known: all mappings, one of which may own the links.
    :raises Unreachable: as the client.
    """
    if connector.uid_attribute is None or not connector.reads_change_log:
        return None
    now = _kind_of_attribute(connector.uid_attribute)
    for mapping in mappings:
        ids = _linked(client, mapping, known) if mapping.links_objects else []
        then = {_kind_of(one) for one in ids}
        if now == _BY_OTHER:
            then.discard(_BY_OTHER)  # which of the others cannot be told
        if len(then) == 1 and now not in then and not _there(client, mapping, ids):
            return _sentence(connector, mapping, then.pop())
    return None


def _sentence(connector: Connector, mapping: SyncMapping, then: str) -> str:
    back = "what it was" if then == _BY_OTHER else then
    return (
        f"The connector {connector.name} knows entries by {connector.uid_attribute} (uidAttribute), and the links of"
        f" {mapping.name} know them by {then}, as it was when they were made: IDM takes each entry for a new one"
        " (FOUND_ALREADY_LINKED), and a reconciliation of the whole mapping would take all who are linked for gone"
        f" (SOURCE_MISSING). Set uidAttribute to {back} again in config/{connector.config_id} before anything else."
    )


def _linked(client: Client, mapping: SyncMapping, known: t.Iterable[SyncMapping]) -> list[str]:
    """Return the ids of the source in some links of a mapping, none where they cannot be read."""
    owner = next((one for one in known if one.name == mapping.link_type), None)
    if owner is None:
        return []  # on which side of them the source is cannot be known
    turned = owner.source.strip("/").lower() != mapping.source.strip("/").lower()
    side = "secondId" if turned else "firstId"
    try:
        found = client.query(_LINKS, equals("linkType", mapping.link_type), _fields=side, _pageSize=_FEW)
    except Refused:
        return []
    return [str(link[side]) for link in found[: int(_FEW)] if link.get(side)]


def _there(client: Client, mapping: SyncMapping, ids: t.Sequence[str]) -> bool:
    """Tell whether the source has one of some ids all the same."""
    try:
        return bool(read_these(client, mapping.source.strip("/"), "_id", ids, "_id"))
    except Refused:
        return False  # the connector may take them for no ids at all


def _kind_of(one: str) -> str:
    if _UUID.fullmatch(one):
        return _BY_UUID
    return _BY_DN if "=" in one and is_name(one) else _BY_OTHER


def _kind_of_attribute(name: str) -> str:
    return {"entryuuid": _BY_UUID, "dn": _BY_DN, "entrydn": _BY_DN}.get(name.lower(), _BY_OTHER)

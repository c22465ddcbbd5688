# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches below cn=config. A task that only reads gets it all by one search, and looks there for the rest."""

from __future__ import annotations

import re
import typing as t

from .._base.errors import DirectoryError
from .._ldap.directory import (
    BASE,
    INSUFFICIENT_ACCESS,
    NO_SUCH_OBJECT,
    ONE_LEVEL,
    SIZE_LIMIT_EXCEEDED,
    SUBTREE,
    Directory,
    Entry,
)
from .._ldap.dn import Name

CONFIG = "cn=config"
#: What is read of it, never more: passwords stand there too.
_READ = (
    "objectClass",
    "ds-cfg-base-dn",
    "ds-cfg-changelog-enabled",
    "ds-cfg-compute-change-number",
    "ds-cfg-disabled-privilege",
    "ds-cfg-enabled",
    "ds-cfg-global-aci",
    "ds-cfg-idle-time-limit",
    "ds-cfg-index-entry-limit",
    "ds-cfg-listen-port",
    "ds-cfg-lookthrough-limit",
    "ds-cfg-replication-purge-delay",
    "ds-cfg-replication-server-id",
    "ds-cfg-server-id",
    "ds-cfg-size-limit",
    "ds-cfg-time-limit",
)
#: What it answers where all of it is too much, or not for this account: a limit of time, of size, of an administrator.
_NOT_AT_ONCE = (3, SIZE_LIMIT_EXCEEDED, 11, NO_SUCH_OBJECT, INSUFFICIENT_ACCESS)
_DEPTHS = {BASE: (0,), ONE_LEVEL: (1,)}
_Place = t.Tuple[str, ...]
_KNOWN = frozenset(name.lower() for name in _READ)
#: What can be told of an entry without the server's schema: that it has an attribute, or an object class.
_TOLD = re.compile(r"\((?:(?P<there>[\w-]+)=\*|objectClass=(?P<kind>[\w-]+))\)")


def find_config(
    directory: Directory, base: str, scope: str, search_filter: str, attributes: t.Sequence[str]
) -> list[Entry]:
    """Return what a search below cn=config finds.

    :raises DirectoryError: as :meth:`Directory.search`.
    """
    wanted = _TOLD.fullmatch(search_filter)
    if directory.kept is not None and wanted and {*map(str.lower, attributes), *_named(wanted)} <= _KNOWN:
        found = _among(directory.once(CONFIG, lambda: _read_all(directory)), base, scope, wanted, attributes)
        if found is not None:
            return found
    asked = (base.lower(), scope, search_filter, tuple(attributes))
    return directory.once(asked, lambda: directory.search(base, scope, search_filter, attributes))


def read_config_entry(directory: Directory, dn: str, attributes: t.Sequence[str]) -> Entry | None:
    """Return one entry below cn=config, None where it does not exist or is not shown."""
    return directory.once((dn.lower(), *attributes), lambda: _read_entry(directory, dn, attributes))


def _read_entry(directory: Directory, dn: str, attributes: t.Sequence[str]) -> Entry | None:
    try:
        return next(iter(find_config(directory, dn, BASE, "(objectClass=*)", attributes)), None)
    except DirectoryError as exc:
        if exc.status == NO_SUCH_OBJECT:
            return None
        raise


def _named(wanted: re.Match[str]) -> set[str]:
    return {wanted["there"].lower()} if wanted["there"] else set()


def _read_all(directory: Directory) -> dict[_Place, Entry]:
    """Return all entries by their names; none where they cannot be had at once: then each is asked for."""
    try:
        found = directory.search(CONFIG, SUBTREE, "(objectClass=*)", _READ)
        return {_place(entry.dn): entry for entry in found}
    except DirectoryError as exc:
        if exc.status not in _NOT_AT_ONCE:
            raise
        return {}
    except ValueError:  # a name that cannot be compared
        return {}


def _place(dn: str) -> _Place:
    """Return a name as equal names have it, from the entry up.

    :raises ValueError: for a text that is none.
    """
    return tuple(Name((rdn,)).normal for rdn in Name.parse(dn).rdns)


def _among(
    known: t.Mapping[_Place, Entry], base: str, scope: str, wanted: re.Match[str], attributes: t.Sequence[str]
) -> list[Entry] | None:
    """Return what a search would have found, None where its base is not among the entries: the server tells why."""
    top = _place(base)
    if top not in known:
        return None
    names = {name.lower() for name in attributes}
    found = []
    for place, entry in known.items():
        depth = len(place) - len(top)
        if place[depth:] == top and depth in _DEPTHS.get(scope, range(len(place))) and _fits(entry, wanted):
            shown = {name: values for name, values in entry.attributes.items() if name in names}
            found.append(Entry(entry.dn, shown))
    return found


def _fits(entry: Entry, wanted: re.Match[str]) -> bool:
    if wanted["kind"]:
        return wanted["kind"].lower() in [text.lower() for text in entry.texts("objectClass")]
    return wanted["there"].lower() == "objectclass" or bool(entry.values(wanted["there"]))

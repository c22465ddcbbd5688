# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a directory server's configuration (cn=config, which is not replicated) says about change log and limits."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._base.errors import DirectoryError
from .._ldap.directory import BASE, INSUFFICIENT_ACCESS, ONE_LEVEL, SUBTREE, Directory, Entry
from .._ldap.dn import Name, is_name, is_within_any
from .configuration import CONFIG, find_config, read_config_entry

ACCESS_HANDLER = "cn=Access Control Handler,cn=config"
GLOBAL_ACI = "ds-cfg-global-aci"
SYNCHRONIZATION = "cn=Synchronization Providers,cn=config"
BACKENDS = "cn=Backends,cn=config"
ROOT_DNS = "cn=Root DNs,cn=config"

#: The defaults of OpenDJ's and DS's configuration for what is not set ("Letting an LDAP account read cn=changelog").
_DEFAULT_LIMITS = {"size_limit": 1000, "lookthrough_limit": 5000, "time_limit": 60, "idle_time_limit": 0}
_DEFAULT_INDEX_ENTRY_LIMIT = 4000
#: How long changes stay in the change log where nothing else is configured ("OpenDJ and PingDS", purge delay).
_DEFAULT_PURGE_SECONDS = 3 * 86400

_UNIT_SECONDS = {
    "ms": 0.001,
    "milliseconds": 0.001,
    "s": 1,
    "seconds": 1,
    "m": 60,
    "minutes": 60,
    "h": 3600,
    "hours": 3600,
    "d": 86400,
    "days": 86400,
    "w": 604800,
    "weeks": 604800,
}


@dataclass(frozen=True)
class ServerDefaults:
    """What holds for every account that has no value of its own.

    :param limits: size_limit and lookthrough_limit in entries, time_limit and idle_time_limit in seconds; 0 is none.
    :param disabled_privileges: privileges that are not checked, so that every account has them.
    """

    limits: t.Mapping[str, int] = field(default_factory=lambda: dict(_DEFAULT_LIMITS))
    disabled_privileges: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReplicationServer:
    """The part of a server that keeps the change log.

    :param change_numbers: whether it numbers the changes; the connector can use no others.
    :param off: whether replication as a whole is switched off, so that it runs no more.
    """

    dn: str
    change_numbers: bool
    off: bool = False


def seconds(text: str) -> int:
    """Return a duration of the configuration, as in "60 seconds", in whole seconds, rounded up.

    :raises ValueError: when it is not one.
    """
    total = 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text)
    if not parts:
        raise ValueError(f"{text!r} is not a duration")
    for number, unit in parts:
        name = unit.lower() if unit.lower() in _UNIT_SECONDS else f"{unit.lower()}s"
        if name not in _UNIT_SECONDS:
            raise ValueError(f"{text!r} is not a duration")
        total += float(number) * _UNIT_SECONDS[name]
    return int(-(-total // 1))


def read_server_defaults(directory: Directory) -> ServerDefaults:
    """Read what holds for every account.

    :raises DirectoryError: the bind account may not read the configuration, or no answer.
    """
    names = {name: f"ds-cfg-{name.replace('_', '-')}" for name in _DEFAULT_LIMITS}
    entries = search_config(directory, CONFIG, BASE, "(objectClass=*)", [*names.values(), "ds-cfg-disabled-privilege"])
    entry = entries[0]
    limits = {}
    for name, attribute in names.items():
        text = entry.text(attribute)
        try:
            limits[name] = _DEFAULT_LIMITS[name] if text is None else _limit(text)
        except ValueError as exc:
            raise odd_value(directory, entry, attribute, "a limit") from exc
    return ServerDefaults(
        limits=limits,
        disabled_privileges=frozenset(text.lower() for text in entry.texts("ds-cfg-disabled-privilege")),
    )


def read_index_entry_limit(directory: Directory, base: str, attribute: str = "objectClass") -> int:
    """Return how many entries an index key of the backend that holds ``base`` may have; above, it is not used."""
    found = search_config(
        directory, BACKENDS, ONE_LEVEL, "(ds-cfg-base-dn=*)", ["ds-cfg-base-dn", "ds-cfg-index-entry-limit"]
    )
    for backend in found:
        if not is_within_any(base, [Name.parse(text) for text in names_in(directory, backend, "ds-cfg-base-dn")]):
            continue
        name = f"ds-cfg-attribute={attribute},cn=Index,{backend.dn}"
        index = read_config_entry(directory, name, ["ds-cfg-index-entry-limit"])
        own = index.number("ds-cfg-index-entry-limit") if index else None
        general = backend.number("ds-cfg-index-entry-limit")
        limit = own if own is not None else general
        return _DEFAULT_INDEX_ENTRY_LIMIT if limit is None else limit
    return _DEFAULT_INDEX_ENTRY_LIMIT


def read_replication_servers(directory: Directory) -> list[ReplicationServer]:
    """Return the enabled replication servers of this directory server; without one there is no change log."""
    entries = search_config(
        directory,
        SYNCHRONIZATION,
        SUBTREE,
        "(objectClass=*)",
        ["objectClass", "ds-cfg-enabled", "ds-cfg-changelog-enabled", "ds-cfg-compute-change-number"],
    )
    off = [
        Name.parse(entry.dn)
        for entry in entries
        if "ds-cfg-synchronization-provider" in [text.lower() for text in entry.texts("objectClass")]
        and (entry.text("ds-cfg-enabled") or "true").lower() == "false"
    ]
    found = []
    for entry in entries:
        if "ds-cfg-replication-server" not in [text.lower() for text in entry.texts("objectClass")]:
            continue
        mode = (entry.text("ds-cfg-changelog-enabled") or "enabled").lower()
        computed = (entry.text("ds-cfg-compute-change-number") or "true").lower() == "true"
        if mode != "disabled":
            found.append(ReplicationServer(entry.dn, mode == "enabled" and computed, off=is_within_any(entry.dn, off)))
    return found


def unrecorded(directory: Directory, bases: t.Iterable[str]) -> tuple[str, ...]:
    """Return the replicated suffixes around some base contexts whose changes the server keeps out of its change log.

    Each replication domain has a switch of its own, and nothing else tells of it: the log merely stays where it is
    (seen on OpenDJ 4.6.5).

    :returns: none where the configuration may not be read.
    :raises DirectoryError: no answer, or an error.
    """
    names = ["objectClass", "ds-cfg-enabled", "ds-cfg-base-dn"]
    try:
        entries = search_config(directory, SYNCHRONIZATION, SUBTREE, "(objectClass=*)", names)
    except DirectoryError as exc:
        if exc.status != INSUFFICIENT_ACCESS:
            raise
        return ()
    suffixes = {Name.parse(entry.dn).normal: entry.text("ds-cfg-base-dn") for entry in entries if is_name(entry.dn)}
    found = []
    for entry in entries:
        classes = [text.lower() for text in entry.texts("objectClass")]
        if "ds-cfg-external-changelog-domain" not in classes or (entry.text("ds-cfg-enabled") or "").lower() != "false":
            continue
        above = Name.parse(entry.dn).parent if is_name(entry.dn) else ""
        suffix = suffixes.get(Name.parse(above).normal) if above else None
        if suffix and any(is_within_any(base, [Name.parse(suffix)]) for base in bases):
            found.append(suffix)
    return tuple(found)


def search_config(
    directory: Directory, base: str, scope: str, search_filter: str, attributes: t.Sequence[str]
) -> list[Entry]:
    """Search below cn=config.

    :raises DirectoryError: no answer, an error, or nothing is shown: without the right to read it, and without the
        privilege bypass-acl, the server leaves entries out silently.
    """
    found = find_config(directory, base, scope, search_filter, attributes)
    if not found:
        raise DirectoryError(
            f"{directory.uri} does not show {base} to {directory.bind_dn}.",
            status=INSUFFICIENT_ACCESS,
            remedy="The account in bind_dn needs the privileges config-read and bypass-acl, or an ACI that lets it read"
            " cn=config.",
        )
    return found


def names_in(directory: Directory, entry: Entry, attribute: str) -> list[str]:
    """Return the DNs that an attribute holds, without empty ones.

    :raises DirectoryError: for a value that is none: what it names is searched next.
    """
    found = [text for text in entry.texts(attribute) if text]
    if not all(map(is_name, found)):
        raise odd_value(directory, entry, attribute, "a DN")
    return found


def number_in(directory: Directory, entry: Entry, attribute: str) -> int | None:
    """Return the number that an attribute holds, None where it has no value.

    :raises DirectoryError: for a value that is none.
    """
    found = entry.number(attribute)
    if found is None and entry.text(attribute) is not None:
        raise odd_value(directory, entry, attribute, "a number")
    return found


def odd_value(directory: Directory, entry: Entry, attribute: str, wanted: str) -> DirectoryError:
    """Return the error for an attribute that holds something else than it must."""
    return DirectoryError(
        f"{directory.uri} answers {(entry.text(attribute) or '')[:80]!r} for {attribute} of"
        f" {entry.dn or 'the root DSE'}, where {wanted} was expected.",
        remedy="Mend that value; or see that this is the directory server itself, with nothing before it that changes"
        " its answers.",
    )


def _limit(text: str) -> int:
    """Return a limit as a number; what means "no limit" is 0."""
    try:
        return max(0, int(text))
    except ValueError:
        pass
    if text.strip().lower() == "unlimited":
        return 0
    return seconds(text)


def purge_seconds(directory: Directory) -> int | None:
    """Return for how long changes stay in the change log, None where the configuration may not be read."""
    try:
        entries = search_config(
            directory,
            SYNCHRONIZATION,
            SUBTREE,
            "(objectClass=ds-cfg-replication-server)",
            ["ds-cfg-replication-purge-delay"],
        )
        stated = [entry.text("ds-cfg-replication-purge-delay") for entry in entries]
        return min((_DEFAULT_PURGE_SECONDS if text is None else seconds(text) for text in stated), default=None)
    except (DirectoryError, ValueError):
        return None

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change log of a directory server, read: how far it reaches, what is pending, who may read it.

Change numbers are local to a server: two servers of one topology number the same change differently.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.address import same_host, same_machine
from .._base.errors import DirectoryError, InvalidOption
from .._ldap.directory import INSUFFICIENT_ACCESS, ONE_LEVEL, OTHER, Directory
from .._ldap.url import host_and_port
from .limits import NAMING_CONTEXTS, ROOT, entry_counts, outermost
from .rights import (
    ALIASES,
    ROOT_DSE_ATTRIBUTES,
    Access,
    Account,
    Visibility,
    changes_between,
    judge_rights,
    read_account,
    read_root,
    visibility,
)
from .server_config import (
    SYNCHRONIZATION,
    ServerDefaults,
    names_in,
    number_in,
    read_replication_servers,
    read_server_defaults,
)

__all__ = [
    "Access",
    "ChangeLog",
    "Visibility",
    "alias_search_works",
    "changes_between",
    "connector_servers",
    "entry_counts",
    "judge_access",
    "read_change_log",
    "see_as",
    "unlisted_servers",
]

NUMBERS, COOKIES_ONLY = "change_numbers", "cookies_only"
SUFFIX = "cn=changelog"
#: What tells of the newest change, numbered or not.
_COOKIE = "lastExternalChangelogCookie"

NO_CHANGE_LOG_REMEDY = (
    "Switch the change log on with a replication server. OpenDJ: dsconfig create-replication-server"
    ' --provider-name "Multimaster Synchronization" --set replication-port:8989 --set replication-server-id:1'
    " --type generic, then dsconfig create-replication-domain with base-dn, replication-server and server-id."
    " DS 7 and later: dsconfig set-synchronization-provider-prop --set bootstrap-replication-server:<host>:8989,"
    " dsconfig create-replication-server --set replication-port:8989,"
    " dsconfig create-replication-domain --set base-dn:<DN>."
)
COOKIES_ONLY_REMEDY = (
    "liveSync needs change numbers. DS 7.4 and later: dsconfig set-replication-server-prop"
    ' --provider-name "Multimaster Synchronization" --set changelog-enabled:enabled;'
    " OpenDJ and earlier DS: the same with --set compute-change-number:true."
)


@dataclass(frozen=True)
class ChangeLog:
    """A change log as it was when it was read.

    :param first: the lowest change number in it; 0 where it holds none.
    :param last: the highest.
    :param mode: NUMBERS, or COOKIES_ONLY where changes get no numbers, so that liveSync sees none.
    :param suffix: the name that it is searched at.
    :param cookie: up to which change of each server it reaches, numbered or not; None where that is not told.
    """

    first: int
    last: int
    mode: str
    suffix: str
    cookie: str | None = None

    @property
    def remedy(self) -> str | None:
        """What makes it usable for liveSync, None if it is."""
        return None if self.mode == NUMBERS else COOKIES_ONLY_REMEDY


def read_change_log(directory: Directory, dn: str | None = None) -> ChangeLog | None:
    """Read how far the change log reaches, None where the server keeps none.

    The account needs to read the root DSE; where it may read cn=config too, a log without change numbers is told.

    :param dn: of an account whose rights are asked for after this.
    :raises DirectoryError: no answer, or an error.
    """
    root = read_root(directory, [*ROOT_DSE_ATTRIBUTES, _COOKIE, NAMING_CONTEXTS], dn)
    directory.keep(ROOT, root)
    suffix = next(iter(names_in(directory, root, "changelog")), None)
    first, last = (number_in(directory, root, name) for name in ("firstChangeNumber", "lastChangeNumber"))
    shown = suffix is not None or first is not None or last is not None
    try:
        servers = read_replication_servers(directory)
    except DirectoryError as exc:
        if exc.status != INSUFFICIENT_ACCESS:
            raise
        if not shown:
            return None
        numbered = first is not None and last is not None
    else:
        if not servers:
            return None
        numbered = any(server.change_numbers for server in servers)
        if shown and (first is None or last is None):
            numbered = False  # PingDS since 7.4 numbers nothing unless it is told to, and the attribute may be unset
        if numbered and not shown and all(server.off for server in servers):
            raise DirectoryError(
                f"{directory.uri} has its replication switched off (ds-cfg-enabled below {SYNCHRONIZATION}): what"
                " changes now gets no change number, neither now nor later, so that liveSync never brings it.",
                remedy="Switch it on (dsconfig set-synchronization-provider-prop --provider-name"
                ' "Multimaster Synchronization" --set enabled:true). Then idmops.idm.livesync_verify with sample: 0'
                " finds what has changed meanwhile, and recon with ids brings it.",
            )
        if numbered and not shown:
            raise DirectoryError(
                f"{directory.uri} keeps a change log but does not show it in its root DSE to {directory.bind_dn}.",
                status=INSUFFICIENT_ACCESS,
                remedy="The account in bind_dn needs the privilege bypass-acl, or an ACI that lets it read "
                f"{', '.join(ROOT_DSE_ATTRIBUTES)} there.",
            )
    return ChangeLog(
        first=max(0, first or 0),
        last=max(0, last or 0),
        mode=NUMBERS if numbered else COOKIES_ONLY,
        suffix=suffix or SUFFIX,
        cookie=root.text(_COOKIE),
    )


def first_change_log(directory: Directory, dn: str | None = None) -> ChangeLog | None:
    """Return how far the change log reached when a task that only reads first asked; else how far it reaches now.

    :param dn: of an account whose rights are asked for after this.
    :raises DirectoryError: as :func:`read_change_log`.
    """
    return directory.once("change log", lambda: read_change_log(directory, dn))


def connector_servers(options: t.Mapping[str, t.Any], hosts: t.Sequence[tuple[str, int]]) -> list[str]:
    """Return the URLs that may be of the servers that the connector reads, its host first, then its failover.

    The change numbers of others mean nothing to it. By their names these may be its own; the servers themselves tell
    more (:mod:`.in_use`).

    :param options: with ``servers``; a single one is taken, and has yet to be judged (:mod:`.whose`).
    :param hosts: host and port of the connector, then those of its failover.
    :raises InvalidOption: none of several fits.
    """
    servers = [str(uri) for uri in dict.fromkeys(options["servers"])]
    if len(servers) == 1:
        return servers
    if not hosts:
        raise InvalidOption(
            "servers", servers, "The connector's configuration does not tell its host: give only the server it uses."
        )
    given = {uri: host_and_port(uri) for uri in servers}
    found: list[str] = []
    for host, port in hosts:
        here = [uri for uri in servers if same_host(given[uri][0], host)]
        here = here or [uri for uri in servers if same_machine(given[uri][0], host)]
        exact = [uri for uri in here if given[uri][1] == port]
        found += exact + [uri for uri in here if uri not in exact]
    if found:
        return list(dict.fromkeys(found))
    names = ", ".join(f"{host}:{port}" for host, port in hosts)
    raise InvalidOption(
        "servers", servers, f"None is on the connector's host ({names}), and change numbers are local to a server."
    )


def unlisted_servers(servers: t.Iterable[str], hosts: t.Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Return the connector's servers on whose hosts none of the given ones is, as host:port.

    Where none of all is, the names are others than the connector's, and tell nothing.

    :param servers: URLs.
    :param hosts: as for :func:`connector_servers`.
    """
    given = [host_and_port(uri)[0] for uri in servers]
    strange = [(host, port) for host, port in hosts if not any(same_machine(one, host) for one in given)]
    return () if len(strange) == len(hosts) else tuple(f"{host}:{port}" for host, port in strange)


def time_of(directory: Directory) -> str | None:
    """Return the directory's time, as in 2026-11-24T17:19:26Z, None where it does not tell (OpenDJ does).

    :raises DirectoryError: no answer.
    """
    monitor = directory.read("cn=monitor", ["currentTime"])
    return as_time(monitor.text("currentTime")) if monitor else None


def as_time(text: str | None) -> str | None:
    """Return a directory's time, as in 20261124171926Z or 20261124171926.123Z, as IDM writes times; None for others."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z", text or "", re.ASCII)
    return "{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else None


def alias_search_works(directory: Directory, change_log: ChangeLog) -> bool:
    """Tell whether the change log can be searched as the connector's library does it: following aliases always.

    OpenDJ 4.8 to 5.0.3 answer 80 "Not implemented" to that (seen on 5.0.3), so that liveSync cannot work there.

    :raises DirectoryError: any other error.
    """
    return directory.once(ALIASES, lambda: _follows_aliases(directory, change_log))


def _follows_aliases(directory: Directory, change_log: ChangeLog) -> bool:
    try:
        directory.search(
            change_log.suffix,
            ONE_LEVEL,
            changes_between(change_log.last, change_log.last),
            ["changeNumber"],
            deref="always",
        )
    except DirectoryError as exc:
        if exc.status == OTHER:
            return False
        raise
    return True


ALIAS_REMEDY = (
    "This server answers error 80 to a search below cn=changelog that follows aliases, which the connector's library"
    " asks for. OpenDJ 4.8 to 5.0.3 do; use OpenDJ 4.6.5 or a version after 5.0.3."
)


def judge_access(directory: Directory, principal: str, log: ChangeLog | None) -> Access:
    """Return which of privilege, root DSE and change log the account may use, by the directory's own judgement.

    :param log: as it was read; None where the server keeps none.
    :raises DirectoryError: no answer, an error, or there is no such account.
    """
    account = known_account(directory, principal, defaults_or_none(directory))
    return judge_rights(directory, account, log.suffix if log else SUFFIX, log.last if log else 0)


def see_as(
    directory: Directory, principal: str, base_contexts: t.Sequence[str], search_filter: str = "(objectClass=*)"
) -> Visibility:
    """Compare how many entries the administrator sees below ``base_contexts`` with how many the account may read.

    :param search_filter: which entries count, as the connector's own object class filter.
    :raises DirectoryError: no answer, an error, or there is no such account.
    """
    account = known_account(directory, principal, defaults_or_none(directory))
    return visibility(directory, account.dn, outermost(base_contexts), search_filter)


def known_account(directory: Directory, principal: str, defaults: ServerDefaults) -> Account:
    """Return the account.

    :raises DirectoryError: when the directory has none of that name.
    """
    return there(directory, principal, read_account(directory, principal, defaults))


def there(directory: Directory, principal: str, account: Account | None) -> Account:
    """Return an account that was read.

    :raises DirectoryError: when the directory has none of that name.
    """
    if account is None:
        raise DirectoryError(
            f"{directory.uri} has no account {principal}, or does not show it to the account in bind_dn.",
            status=32,
            remedy="Check the DN; on a replica, that the entry has arrived.",
        )
    return account


def defaults_or_none(directory: Directory) -> ServerDefaults:
    """Return the server's defaults, the product's own where the configuration may not be read."""
    try:
        return read_server_defaults(directory)
    except DirectoryError as exc:
        if exc.status != INSUFFICIENT_ACCESS:
            raise
        return ServerDefaults()

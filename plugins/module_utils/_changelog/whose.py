# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a directory server is the one that a connector reads, and what tells it from others.

Change numbers are local to a server. Those of another one make a token look trimmed or ahead, or, worse, in order.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.address import same_machine
from .._base.errors import DirectoryError
from .._base.values import as_dict
from .._ldap.directory import BASE, INSUFFICIENT_ACCESS, NO_SUCH_OBJECT, ONE_LEVEL, SUBTREE, Directory
from .._ldap.url import host_and_port
from .configuration import CONFIG, read_config_entry
from .limits import generation, naming_contexts
from .server_config import SYNCHRONIZATION, search_config

SAME, OTHER, UNKNOWN = "same", "other", "unknown"
#: It is one that the connector goes over to, and those before it do not answer: see :mod:`.in_use`.
FAILOVER = "failover"
SERVER, DATA = "server", "data"

_HANDLERS = f"cn=Connection Handlers,{CONFIG}"
_ADMIN_CONNECTOR = f"cn=Administration Connector,{CONFIG}"
#: No port has more.
_DIGITS = 5

REMEDY = (
    "Give in servers the server that the connector reads, by the host name that the connector has for it; its"
    " administration port will do."
)
#: What makes it right where a token is from elsewhere: without one the role begins anew, and loses nothing.
BEGIN_ANEW = (
    "Where the connector does read this server now: remove the token (idmops.idm.livesync_token with state: absent)"
    " and run the role livesync again, which then stores a new base point and loads again."
)


@dataclass(frozen=True)
class Whose:
    """Whether a server is the one that a connector reads.

    :param answer: SAME where that was shown, OTHER where the contrary was, FAILOVER where it reads this one meanwhile,
        else UNKNOWN.
    :param sentence: why it is not, or why that cannot be known; empty for SAME.
    :param hidden: whether the connector's configuration hides its host, so that the user's word is all that there is.
    :param remedy: what mends that.
    :param lacks: whether the account that asks may not read what would show it.
    :param place: which of the connector's servers it is: 0 its host, then those of its failover; None: not known, none.
    """

    answer: str = SAME
    sentence: str = ""
    hidden: bool = False
    place: int | None = None
    remedy: str = REMEDY
    lacks: bool = False

    @property
    def usable(self) -> bool:
        """Whether its change numbers may be taken for those that the connector meets."""
        return self.answer in (SAME, FAILOVER) or self.hidden


@dataclass(frozen=True)
class Identity:
    """What tells a server from its replicas, and its data from data imported later.

    :param ids: of the server, each by what it is the id for: replication gives every server its own (seen on OpenDJ
        4.6.5: ds-cfg-replication-server-id, and ds-cfg-server-id of each domain). A copy of a server keeps its keys
        and certificates, so that these tell nothing.
    :param data: the generation ids of its base DNs (ds-sync-generation-id): equal on all replicas, another one after
        an import of other entries.
    """

    ids: t.Mapping[str, str] = field(default_factory=dict)
    data: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: t.Any) -> Identity:
        """Return the identity that a document tells of; one that tells nothing is like no other and like all."""
        found = as_dict(document)
        return cls(
            *({str(name): str(one) for name, one in as_dict(found.get(part)).items()} for part in ("ids", "data"))
        )

    def as_document(self) -> dict[str, dict[str, str]]:
        """Return the identity as it is stored."""
        return {"ids": dict(self.ids), "data": dict(self.data)}

    def __bool__(self) -> bool:
        return bool(self.ids or self.data)

    def changed_since(self, earlier: Identity) -> str | None:
        """Return what differs from an earlier identity: SERVER, DATA, or None as far as both of them tell."""
        if _contradict(self.ids, earlier.ids):
            return SERVER
        return DATA if _contradict(self.data, earlier.data) else None


def said_of_move(token: t.Any, uri: str, what: str, then: Identity, now: Identity) -> str:
    """Return what is to be said of a token that another server has given, or the same one with other data.

    :param what: SERVER or DATA.
    """
    difference = (
        f"was {_spoken(then.ids)} when the load was recorded, and {uri} is {_spoken(now.ids)}"
        if what == SERVER
        else f"had the generation {_spoken(then.data)} of its data when the load was recorded, and {uri} has"
        f" {_spoken(now.data)}"
    )
    return f"The token {token} belongs to another change log: the server {difference}."


def _spoken(ids: t.Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(ids.items()))


def _contradict(one: t.Mapping[str, str], other: t.Mapping[str, str]) -> bool:
    return any(one[name] != other[name] for name in set(one) & set(other))


def read_identity(directory: Directory) -> Identity:
    """Return what a server tells of its identity, as much as the bind account may read.

    :raises DirectoryError: no answer, or an error other than a refusal.
    """
    ids: dict[str, str] = {}
    for base, scope in ((CONFIG, BASE), (SYNCHRONIZATION, SUBTREE)):
        try:
            found = search_config(
                directory,
                base,
                scope,
                "(objectClass=*)",
                ["ds-cfg-server-id", "ds-cfg-replication-server-id", "ds-cfg-base-dn"],
            )
        except DirectoryError as exc:
            if exc.status not in (INSUFFICIENT_ACCESS, NO_SUCH_OBJECT):
                raise
            continue
        for entry in found:
            named = {
                "replication server": entry.text("ds-cfg-replication-server-id"),
                (entry.text("ds-cfg-base-dn") or "server").lower(): entry.text("ds-cfg-server-id"),
            }
            ids.update({name: text for name, text in named.items() if text})
    data = {}
    for base in naming_contexts(directory):
        if told := generation(directory, base):
            data[base.lower()] = told
    return Identity(ids, data)


def identity_for(directory: Directory, whose: Whose) -> Identity:
    """Return the identity that a load is recorded with, or compared with the recorded one.

    That of a server of which it is not known whose it is is not worth it, unless its word is all that there is. Of one
    that the connector reads meanwhile the data tell, which are the same on all replicas; its ids would accuse the
    first.

    :raises DirectoryError: no answer, or an error other than a refusal.
    """
    if not whose.usable:
        return Identity()
    found = read_identity(directory)
    return Identity(data=found.data) if whose.answer == FAILOVER else found


def judge_whose(directory: Directory, hosts: t.Sequence[tuple[str, int]]) -> Whose:
    """Tell whether a server is the one that a connector reads.

    It is where host and port are the connector's, and where the host is and the server says that the port is one of
    its own, as the administration port is beside it. What a host name stands for is looked up from here.

    :param hosts: host and port of the connector, then those of its failover; none where its configuration hides them.
    :raises DirectoryError: no answer, or an error other than a refusal.
    """
    unknown = f"Whether {directory.uri} is the server that the connector reads cannot be known: "
    if not hosts:
        return Whose(UNKNOWN, f"{unknown}the connector's configuration does not tell its host.", hidden=True)
    host, port = host_and_port(directory.uri)
    names = ", ".join(f"{name}:{number}" for name, number in hosts)
    here = [number for name, number in hosts if same_machine(host, name)]
    first = bool(here) and same_machine(host, hosts[0][0])
    if not here:
        return Whose(UNKNOWN, f"{unknown}the connector has {names}, which is no name and no address of that host.")
    if port == hosts[0][1] and first:
        return Whose(place=0)
    ports = _read_ports(directory)
    if ports is None:
        return Whose(
            UNKNOWN,
            f"{unknown}the connector has {names}, and {directory.bind_dn} may not read which ports it has.",
            remedy=f"Let {directory.bind_dn} read ds-cfg-listen-port below {CONFIG} (the privilege config-read:"
            " docs/least-rights.md, In the directory), or give in servers that port of the connector's.",
            lacks=True,
        )
    own = ", ".join(str(number) for number in sorted(ports))
    if first and hosts[0][1] in ports:
        return Whose(place=0)
    if ports & set(here):
        return Whose(
            UNKNOWN,
            f"{unknown}the connector reads it while {hosts[0][0]}:{hosts[0][1]} is away, and that alone.",
            place=next(n for n, (name, number) in enumerate(hosts) if number in ports and same_machine(host, name)),
        )
    if port not in ports:
        return Whose(UNKNOWN, f"{unknown}the connector has {names}, and its own ports ({own}) are reached by others.")
    return Whose(
        OTHER,
        f"{directory.uri} is not the server that the connector reads: that is {names}, and this one has the ports"
        f" {own} (one whose listener is off is not among them). Change numbers are local to a server.",
    )


def _read_ports(directory: Directory) -> frozenset[int] | None:
    """Return the ports that a server listens on, None where the bind account may not read them."""
    wanted = ["ds-cfg-listen-port", "ds-cfg-enabled"]
    try:
        found = search_config(directory, _HANDLERS, ONE_LEVEL, "(ds-cfg-listen-port=*)", wanted)
    except DirectoryError as exc:
        if exc.status not in (INSUFFICIENT_ACCESS, NO_SUCH_OBJECT):
            raise
        return None
    admin = read_config_entry(directory, _ADMIN_CONNECTOR, wanted)
    entries = [*found, *([admin] if admin else [])]
    ports = {
        int(text)
        for entry in entries
        if (entry.text("ds-cfg-enabled") or "true").lower() == "true"
        for text in entry.texts("ds-cfg-listen-port")
        if text.isdecimal() and len(text) <= _DIGITS
    }
    return frozenset(ports) or None

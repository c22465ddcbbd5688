# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a connector's configuration says. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .._base.values import as_bool, as_dict, as_int, as_list, as_text, as_texts, as_whole

#: How the open fork's own, in-process connector server is called.
_LOCAL = "#LOCAL"
#: The pseudo object type that stands for all of them.
_ALL = "__ALL__"
#: Post-retry actions that keep a record that has failed for the last time, or hand it on.
_DEAD_LETTERS, _SCRIPT = "dead-letter-queue", "script"
#: Properties of the LDAP connector that decide which changes it takes, and which entries a search finds ("OpenIDM
#: family over REST", section 5.4).
_SYNC_SETTINGS = (
    "attributesToSynchronize",
    "accountSynchronizationFilter",
    "groupSynchronizationFilter",
    "accountSearchFilter",
    "groupSearchFilter",
    "modifiersNamesToFilterOut",
    "objectClassesToSynchronize",
    "accountObjectClasses",
    "groupObjectClasses",
    "baseContextsToSynchronize",
    "useTimestampsForSync",
    "changeNumberAttribute",
)
#: The flags of a property whose value comes only where it is asked for by name, or never: a record of liveSync or of a
#: reconciliation has none (seen on OpenIDM 6.1.0).
WITHHOLDING = frozenset({"NOT_RETURNED_BY_DEFAULT", "NOT_READABLE"})
#: What the names of the open fork's bundles begin with; those of Ping's begin with org.forgerock.
_OPEN = "org.openidentityplatform."
_LDAP_PORT, _LDAPS_PORT = 389, 636
#: What the ids of connectors' documents begin with.
DOCUMENTS = "provisioner.openicf/"
#: Milliseconds that a limit has to leave to a run, so that it is not taken for why runs end.
_LONG = 60_000


@dataclass(frozen=True)
class FailurePolicy:
    """What liveSync does with a record that fails (syncFailureHandler; "OpenIDM family over REST", section 1.7).

    :param max_retries: how often a record is tried again, one retry each run; None where none or a placeholder stands.
    :param post_retry_action: logged-ignore, dead-letter-queue, script, another text as it stands, or None.
    :param blocks: whether a failing record holds up all that come after it for ever.
    :param drops: whether a record that used up its retries is gone but for a line in IDM's log.
    :param untold: whether a placeholder stands where that would be said.
    """

    max_retries: int | None = None
    post_retry_action: str | None = None
    blocks: bool = True
    drops: bool = False
    untold: bool = False

    @classmethod
    def parse(cls, handler: t.Any) -> FailurePolicy:
        """Return the policy of a configuration's syncFailureHandler, which may be missing."""
        handler = as_dict(handler)
        stated = handler.get("maxRetries")
        retries = as_int(stated)
        action = handler.get("postRetryAction")
        known = _SCRIPT if isinstance(action, dict) and "script" in action else as_text(action)
        placeholder = action is not None and known is None
        blocks = stated is None or (retries is not None and retries < 0)
        return cls(
            max_retries=retries,
            post_retry_action=known,
            blocks=blocks,
            drops=not blocks and not placeholder and known not in (_DEAD_LETTERS, _SCRIPT),
            untold=not blocks and placeholder,
        )

    @property
    def keeps_letters(self) -> bool:
        """Whether records that used up their retries are put aside, where they can be looked at."""
        return self.post_retry_action == _DEAD_LETTERS

    @property
    def may_keep_letters(self) -> bool:
        """Whether they are, or a placeholder leaves that open."""
        return self.keeps_letters or self.untold

    def untraced(self, *, audited: bool, without: t.Collection[str] = ()) -> str | None:
        """Return a sentence about failures that would not show, with its remedy; None where all would.

        audit/sync has no entry of a record that failed before the mapping (seen on OpenIDM 6.1.0).

        :param audited: whether audit/sync answers, and tells.
        :param without: the fields that are kept out of it.
        """
        if self.untold:
            return (
                "Whether IDM drops a record that fails cannot be known here: a placeholder stands for postRetryAction"
                " in the connector's syncFailureHandler. See that it is dead-letter-queue."
            )
        if not self.drops:
            return None
        attempts = "" if self.max_retries is None else f" after attempt {self.max_retries + 1}"
        action = f"postRetryAction {self.post_retry_action or 'is not set'}"
        hidden = (
            "one that fails before the mapping leaves no entry in audit/sync"
            if audited
            else f"{', '.join(without)} of audit/sync is kept out of the log (filterPolicies of config/audit), so that"
            " which records failed cannot be known"
            if without
            else "IDM's audit does not answer here"
        )
        return (
            f"IDM drops a record that fails{attempts} ({action}), and that may not show: {hidden}. Set"
            " postRetryAction to dead-letter-queue in the connector's syncFailureHandler."
        )

    def as_result(self) -> dict[str, t.Any]:
        """Return the policy as modules show it."""
        return {
            "max_retries": self.max_retries,
            "post_retry_action": self.post_retry_action,
            "blocks": self.blocks,
            "drops": self.drops,
        }


@dataclass(frozen=True)
class Connector:
    """What a connector's configuration says. What a placeholder stands for is None; a list with one is empty.

    :param name: as in system/<name>.
    :param config_id: of its document, as in provisioner.openicf/ldap.
    :param type: the connector's class, as in org.identityconnectors.ldap.LdapConnector.
    :param port_hidden: whether a placeholder stands for the port, which without one would be LDAP's own.
    :param failover: further servers, as host and port.
    :param ssl: whether it uses TLS from the beginning; None where a placeholder stands there.
    :param sync_base_contexts: the base contexts whose changes liveSync takes.
    :param sync_denied: object types whose configuration denies liveSync.
    :param remote: the remote connector server or group it runs on, None for IDM itself.
    :param twins: the documents of the same name, its own included, where there are several: which of them runs, nobody
        can tell.
    :param sync_settings: the properties that decide which changes liveSync takes, as they stand there.
    :param native_types: the native type of each object type.
    :param native_names: for each object type how the connected system calls a property, by its name.
    :param withheld: for each object type the properties that liveSync and a reconciliation get no value of, by their
        flags.
    :param json_types: for each object type the JSON type of a property, by its name, as far as it is told.
    :param open_bundle: whether its code is the Open Identity Platform's, as far as it is told.
    :param sync_limit: after how many milliseconds IDM breaks a run of liveSync off, None where it does not, or that is
        not known.
    :param uses_timestamps: whether liveSync searches by time stamps rather than in the change log.
    """

    name: str
    config_id: str
    enabled: bool | None
    type: str
    principal: str | None
    host: str | None
    port: int | None
    failover: tuple[tuple[str, int], ...]
    base_contexts: tuple[str, ...]
    sync_base_contexts: tuple[str, ...]
    uid_attribute: str | None
    object_types: tuple[str, ...]
    sync_denied: tuple[str, ...]
    failure_policy: FailurePolicy
    remote: str | None
    change_log_block_size: int | None
    uses_timestamps: bool
    twins: tuple[str, ...] = ()
    sync_settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    native_types: t.Mapping[str, str] = field(default_factory=dict)
    native_names: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    withheld: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    json_types: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    open_bundle: bool = False
    port_hidden: bool = False
    ssl: bool | None = None
    sync_limit: int | None = None

    @classmethod
    def parse(cls, document: t.Mapping[str, t.Any]) -> Connector:
        """Return the connector of a configuration document."""
        properties = as_dict(document.get("configurationProperties"))
        reference = as_dict(document.get("connectorRef"))
        config_id = str(document.get("_id", ""))
        contexts = as_whole(properties.get("baseContexts"))
        timestamps = bool(as_bool(properties.get("useTimestampsForSync")))
        sync_contexts = properties.get("baseContextsToSynchronize")
        ssl = as_bool(properties.get("ssl", False))
        remote = as_text(reference.get("connectorHostRef"))
        return cls(
            name=as_text(document.get("name")) or config_id.partition("/")[2],
            config_id=config_id,
            enabled=as_bool(document.get("enabled", True)),
            type=as_text(reference.get("connectorName")) or "",
            open_bundle=(as_text(reference.get("bundleName")) or "").startswith(_OPEN),
            principal=as_text(properties.get("principal")),
            host=as_text(properties.get("host")),
            port=as_int(properties.get("port")),
            ssl=ssl,
            port_hidden=properties.get("port") is not None and as_int(properties.get("port")) is None,
            failover=tuple(_servers(properties.get("failover"), bool(ssl))),
            base_contexts=contexts,
            # the change log falls back to the base contexts, the time stamps do not ("OpenIDM family over REST", 5.4)
            sync_base_contexts=as_whole(sync_contexts) if sync_contexts else (() if timestamps else contexts),
            uid_attribute=as_text(properties.get("uidAttribute")),
            object_types=tuple(sorted(_object_types(document))),
            sync_denied=tuple(sorted(_sync_denied(document))),
            failure_policy=FailurePolicy.parse(document.get("syncFailureHandler")),
            remote=None if remote == _LOCAL else remote,
            sync_limit=_limit(as_dict(document.get("operationTimeout")).get("SYNC")),
            change_log_block_size=as_int(properties.get("changeLogBlockSize")),
            uses_timestamps=timestamps,
            sync_settings={name: properties[name] for name in _SYNC_SETTINGS if properties.get(name)},
            native_types={name: _native(schema) for name, schema in _object_types(document).items()},
            native_names={
                name: {key: as_text(described.get("nativeName")) or key for key, described in _properties(schema)}
                for name, schema in _object_types(document).items()
            },
            withheld={
                name: frozenset(
                    key for key, described in _properties(schema) if WITHHOLDING & set(as_texts(described.get("flags")))
                )
                for name, schema in _object_types(document).items()
            },
            json_types={
                name: {key: kind for key, described in _properties(schema) if (kind := as_text(described.get("type")))}
                for name, schema in _object_types(document).items()
            },
        )

    @property
    def ambiguity(self) -> str | None:
        """Why what is known of it may be of another one, None where nothing speaks for that."""
        if not self.twins:
            return None
        return (
            f"IDM has more than one document of the connector {self.name}: config/{', config/'.join(self.twins)}. Which"
            " of them runs cannot be known."
        )

    @property
    def nobody(self) -> str | None:
        """What is to be said of a directory's connector that names no account, None of any other."""
        if self.principal or not self.reads_change_log:
            return None
        return (
            f"The connector {self.name} has no principal, so that IDM reads the directory as nobody: set principal and"
            f" credentials in config/{self.config_id}."
        )

    def has(self, object_type: str) -> bool:
        """Tell whether it has an object type, as far as its object types are known."""
        return object_type in self.object_types or not self.object_types

    @property
    def breaks_off(self) -> str | None:
        """What is to be said of runs that IDM may break off before they have stored anything, None where it does not.

        With SYNC at 1 each run ends in 500 "Failed to get OperationOptionsBuilder: null" (seen on OpenIDM 6.1.0).
        """
        if self.sync_limit is None or self.sync_limit >= _LONG:
            return None
        return (
            f"IDM breaks a run off after {self.sync_limit} ms, and what the run had done is not stored: set"
            f" operationTimeout.SYNC in config/{self.config_id} to -1 (no limit), or to more than the longest backlog"
            " takes."
        )

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """The servers that the connector may be connected to, as host and port, the first one first.

        None where the first one is hidden: a server of the failover would be taken for it.
        """
        if not self.host or self.port_hidden:
            return ()
        return ((self.host, self.port or _LDAP_PORT), *self.failover)

    @property
    def reads_change_log(self) -> bool:
        """Whether liveSync reads a directory's change log: the LDAP connector does, unless told to use time stamps."""
        return "ldap" in self.type.lower() and not self.uses_timestamps

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of those servers."""
        return tuple(host for host, unused in self.servers)

    def as_result(self) -> dict[str, t.Any]:
        """Return the connector as modules show it; it holds no secret."""
        return {
            "name": self.name,
            "enabled": self.enabled,
            "type": self.type,
            "principal": self.principal,
            "host": self.host,
            "port": self.port,
            "failover": [f"{host}:{port}" for host, port in self.failover],
            "base_contexts": list(self.base_contexts),
            "uid_attribute": self.uid_attribute,
            "object_types": list(self.object_types),
            "failure_policy": self.failure_policy.as_result(),
            "remote": self.remote,
        }


def renamed(system: str, connectors: t.Iterable[Connector]) -> str | None:
    """Return what is so where a connector is missing whose own document calls itself otherwise, None where none does.

    IDM knows a connector by the name within its document, not by the document's (seen on OpenIDM 6.1.0).
    """
    known = list(connectors)
    if any(one.name == system for one in known):
        return None
    document = f"{DOCUMENTS}{system}"
    other = next((one.name for one in known if one.config_id == document), None)
    return other and (
        f"The document config/{document} has the name {other}, so that IDM has no system/{system}, and what mappings"
        f" and jobs say of it finds nothing: set name to {system} there."
    )


def _limit(stated: t.Any) -> int | None:
    """Return a limit of time in milliseconds, None where there is none: -1, or nothing that is a number."""
    limit = as_int(stated)
    return limit if limit is not None and limit >= 0 else None


def _servers(urls: t.Any, ssl: bool) -> t.Iterator[tuple[str, int]]:
    """Yield host and port of servers written as ldap://host:port or host:port, up to the first that is hidden.

    The place of those after it is not known: whether the connector goes over to them depends on that one.
    """
    for item in [urls] if isinstance(urls, str) else as_list(urls):
        url = as_text(item)
        if url is None:
            return
        parts = urlsplit(url if "://" in url else f"//{url}")
        try:
            port = parts.port
        except ValueError:
            continue
        secure = parts.scheme == "ldaps" or (not parts.scheme and ssl)
        if parts.hostname:
            yield parts.hostname, port or (_LDAPS_PORT if secure else _LDAP_PORT)


def _object_types(document: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the object types by name."""
    return {name: schema for name, schema in as_dict(document.get("objectTypes")).items() if name != _ALL}


def _properties(schema: t.Any) -> list[tuple[str, dict[str, t.Any]]]:
    """Return the properties of an object type, each by its name."""
    return [(key, as_dict(described)) for key, described in as_dict(as_dict(schema).get("properties")).items()]


def _native(schema: t.Any) -> str:
    described = as_dict(schema)
    return as_text(described.get("nativeType")) or as_text(described.get("id")) or ""


def _sync_denied(document: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the object types that operationOptions keeps from liveSync ("OpenIDM family over REST", section 5.3)."""
    sync = as_dict(as_dict(document.get("operationOptions")).get("SYNC"))
    features = as_dict(sync.get("objectFeatures"))
    supported = as_texts(sync.get("supportedObjectTypes"))
    for name, schema in _object_types(document).items():
        names = {name, as_text(as_dict(schema).get("id")), as_text(as_dict(schema).get("nativeType"))}
        stated = [as_bool(as_dict(features[key]).get("denied")) for key in names if key in features]
        denied = stated[0] if stated else as_bool(sync.get("denied"))
        if denied or (supported and not names & set(supported)):
            yield name

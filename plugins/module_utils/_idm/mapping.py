# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mappings: from which source to which target IDM synchronises, and what that can do to the target's objects."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

from .._base.errors import InvalidOption, Refused
from .._base.filters import equals
from .._base.values import as_bool, as_dict, as_list, as_text
from .._http.client import Client
from .._http.form import objects
from .mapped_property import MappedProperty
from .queue import QueuedSync
from .source import Source

#: Actions that take nothing from the target. DELETE and UNLINK do; a script or a placeholder may.
_HARMLESS = frozenset({"CREATE", "UPDATE", "LINK", "EXCEPTION", "IGNORE", "REPORT", "NOREPORT", "ASYNC"})
#: The situations whose action is EXCEPTION where no policy says otherwise, and those of a target without a source.
_EXCEPTIONS = frozenset({"AMBIGUOUS", "FOUND_ALREADY_LINKED", "LINK_ONLY", "MISSING"})
_OF_TARGETS = frozenset({"SOURCE_MISSING", "UNASSIGNED"})
#: What can take a source object out of a mapping, so that the situation UNQUALIFIED comes up.
_QUALIFYING = ("validSource", "sourceCondition", "linkQualifiers")
#: The filter of everything.
ALL = "true"
#: What a server answers that does not query its configuration at all.
_NO_SUCH_QUERY = (400, 404, 501)
#: What stands where a server's property or secret is to be filled in.
_PLACEHOLDER = "&{"
#: What mends a document that IDM refuses.
REFUSED_REMEDY = (
    "Correct it, and PUT config/sync again; IDM's log says whether it was taken (\"activate method has thrown an"
    ' exception" where it was not). Then look with idmops.idm.livesync_verify.'
)
#: What mends policies whose action is ASYNC.
ASYNC_REMEDY = (
    "Give these situations an action of their own in the mapping (config/sync or config/mapping/<name>); IGNORE where"
    " they shall be left alone."
)
#: One item of a query is enough, and of that the id.
_ANY = {"_fields": "_id", "_pageSize": "1"}


@dataclass(frozen=True)
class SyncMapping:
    """One mapping.

    :param source: as it stands there, as in system/ldap/account.
    :param sync_enabled: whether liveSync and implicit synchronisation use it; None where a placeholder stands there.
    :param deletes: whether a policy can delete or unlink: an object of the target that has no source any more, or
        none that qualifies, may be removed by a reconciliation.
    :param removing: the situations in which that can happen.
    :param asynchronous: the situations whose action is ASYNC, which makes a reconciliation fail at its start on
        Ping's releases ("ForgeRock / Ping IDM", section 3.5), and do nothing on OpenIDM 6.1.0 (seen).
    :param excepting: the situations of a source object whose action is, or may be, EXCEPTION: IDM leaves such an object
        as it is and audits it as a success (seen on OpenIDM 6.1.0).
    :param correlates: whether an object of the target that has no link yet is looked for before one is made.
    :param link_type: the name that its links carry: its own, or that of the mapping that it shares them with.
    :param queue: what its queuedSync says, None where it has none.
    :param selective: whether a script or a condition keeps some source objects out of it.
    :param qualified: whether a script names link qualifiers: for whom it names none nothing is done, and nothing
        audited (seen on OpenIDM 6.1.0).
    :param condition: the filter that objects of the source have to match, None where it has none, or a script.
    :param actions: what the policies say of each situation, where one alone does, and no condition goes with it.
    :param source_filter: by which a reconciliation finds the objects of the source, None where it is no filter of it.
    :param properties: what it copies, as far as it names it.
    :param links_objects: whether it keeps links; without them it correlates anew each time.
    :param folds: whether it takes the ids of its source, and those of its target, for the same in any case.
    :param refused: why the document that it stands in is not in force, in sentences; None as far as is known.
    :param reads_more: whether a script of it is given the whole source object, so that nobody knows what else it reads.
    """

    name: str
    source: str
    target: str
    sync_enabled: bool | None
    deletes: bool
    removing: tuple[str, ...]
    asynchronous: tuple[str, ...]
    excepting: tuple[str, ...]
    correlates: bool
    link_type: str
    reads_more: bool = False
    queue: QueuedSync | None = None
    selective: bool = False
    qualified: bool = False
    condition: str | None = None
    actions: t.Mapping[str, str] = field(default_factory=dict)
    source_filter: str | None = ALL
    properties: tuple[MappedProperty, ...] = ()
    links_objects: bool = True
    folds: tuple[bool, bool] = (False, False)
    refused: str | None = None

    @classmethod
    def parse(cls, document: t.Mapping[str, t.Any]) -> SyncMapping:
        """Return the mapping that a configuration document or an item of config/sync holds."""
        name = as_text(document.get("name")) or str(document.get("_id", "")).partition("/")[2]
        policies = [as_dict(policy) for policy in as_list(document.get("policies"))]
        removing = _removing(document, policies)
        return cls(
            name=name,
            source=as_text(document.get("source")) or "",
            target=as_text(document.get("target")) or "",
            sync_enabled=as_bool(document.get("enableSync", True)),
            deletes=bool(removing),
            removing=removing,
            asynchronous=tuple(str(policy.get("situation")) for policy in policies if policy.get("action") == "ASYNC"),
            excepting=_excepting(policies),
            correlates=bool(document.get("correlationQuery") or document.get("correlationScript")),
            link_type=as_text(document.get("links")) or name,
            selective=any(document.get(key) for key in _QUALIFYING),
            reads_more=any(
                as_dict(item).get("transform") and not as_dict(item).get("source")
                for item in as_list(document.get("properties"))
            ),
            qualified=bool(as_dict(document.get("linkQualifiers"))),
            condition=as_text(document.get("sourceCondition")),
            queue=QueuedSync.parse(document.get("queuedSync")),
            actions={
                str(policy.get("situation")): str(policy.get("action"))
                for policy in policies
                if not policy.get("condition")
                and isinstance(policy.get("action"), str)
                and [other.get("situation") for other in policies].count(policy.get("situation")) == 1
            },
            source_filter=_source_filter(document),
            properties=MappedProperty.parse_all(document),
            links_objects=as_bool(document.get("enableLinking", True)) is not False,
            folds=(
                as_bool(document.get("sourceIdsCaseSensitive", True)) is False,
                as_bool(document.get("targetIdsCaseSensitive", True)) is False,
            ),
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The properties of the source that it copies, as far as it names them."""
        return tuple(dict.fromkeys(one.source.partition("/")[0] for one in self.properties if one.source))

    @property
    def creates(self) -> bool:
        """Whether an object of the source that is new makes one in the target, as it does where no policy says else."""
        return self.actions.get("ABSENT", "CREATE") == "CREATE"

    @property
    def updates(self) -> bool:
        """Whether an object of the target follows that of the source."""
        return self.actions.get("CONFIRMED", "UPDATE") == "UPDATE"

    @property
    def removes(self) -> bool:
        """Whether an object of the target whose source is gone is dealt with."""
        return "SOURCE_MISSING" in self.removing

    def marks(self, situation: str) -> bool:
        """Tell whether a policy without a condition makes an error of a situation."""
        return self.actions.get(situation) == "EXCEPTION"

    @property
    def left_undone(self) -> str | None:
        """What policies with the action ASYNC keep from being done, None where there are none.

        On OpenIDM 6.1.0 a reconciliation with them ends in SUCCESS, and nobody is made, changed or removed (seen).
        """
        if not self.asynchronous:
            return None
        return (
            f"Policies of the mapping {self.name} have the action ASYNC ({', '.join(self.asynchronous)}): a load fails"
            " at its start, or leaves such entries undone and calls itself successful (OpenIDM), and liveSync leaves"
            " them undone too."
        )

    @property
    def ignored(self) -> tuple[str, ...]:
        """What its policies keep from arriving, as they are meant to or not, a sentence each."""
        said = []
        if not self.creates:
            said.append(f"The policy of {self.name} for ABSENT is {self.actions['ABSENT']}: who is new never arrives.")
        if not self.updates:
            said.append(f"The policy of {self.name} for CONFIRMED is {self.actions['CONFIRMED']}: no change arrives.")
        if not self.removes and self.actions.get("SOURCE_MISSING"):
            action = self.actions["SOURCE_MISSING"]
            said.append(f"The policy of {self.name} for SOURCE_MISSING is {action}: who is deleted stays.")
        if self.actions.get("SOURCE_MISSING") == "UNLINK":
            said.append(
                f"The policy of {self.name} for SOURCE_MISSING is UNLINK: who is deleted stays, without a link."
            )
        return tuple(said)

    @property
    def systems(self) -> tuple[str, ...]:
        """The names of the connectors on either side."""
        sides = (Source.of(self.source), Source.of(self.target))
        return tuple(dict.fromkeys(side.system for side in sides if side))


def read_mappings(
    client: Client, source: Source | None = None, listed: t.Collection[str] | None = None
) -> list[SyncMapping]:
    """Return all mappings in the order in which IDM uses them, in two requests at the most.

    They stand in config/sync (missing where there are none) and, since IDM 7, in documents config/mapping/<name>
    ("Recorded HTTP answers", section 6). The open fork has the first alone and answers an empty list to the second.

    :param source: return those of this source alone.
    :param listed: the ids of all documents of the configuration; None where they are not known for certain.
    :raises Unreachable, Refused: as the client.
    """
    stated = client.get("config/sync", none_on=(404,))
    if stated is None or (stated.get("_id") == "sync" and "mappings" not in stated):
        documents = []  # IDM takes such a document for one without mappings (seen on OpenIDM 6.1.0)
    else:
        documents = objects(stated.get("mappings"), f"GET {client.url}/config/sync", "mappings")
    try:
        there = listed is None or any(name.startswith("mapping/") for name in listed)
        files = client.query("config", '_id sw "mapping/"') if there else []
    except Refused as exc:
        if exc.status not in _NO_SUCH_QUERY or not exc.own:
            raise  # fewer mappings than there are would be taken for all of them
        files = []
    files = [item for item in files if "source" in item and "target" in item]
    refused = _refused(documents, [SyncMapping.parse(item) for item in files])
    parsed = [replace(SyncMapping.parse(item), refused=refused) for item in documents]
    found = {mapping.name: mapping for mapping in [*parsed, *map(SyncMapping.parse, files)] if mapping.name}
    return [mapping for mapping in found.values() if source is None or source.is_named_by(mapping.source)]


def _refused(stated: t.Sequence[t.Mapping[str, t.Any]], elsewhere: t.Sequence[SyncMapping]) -> str | None:
    """Return why IDM does not take config/sync as it stands, None where nothing is known against it.

    A PUT of such a document answers 200, a GET shows it, and IDM goes on with the mappings from before (seen on OpenIDM
    6.1.0: each of these; nothing over REST tells which mappings are in force there).

    :param stated: the mappings of config/sync.
    :param elsewhere: those in documents of their own.
    """
    if any(_PLACEHOLDER in str(item.get(key)) for item in stated for key in ("name", "source", "target", "links")):
        return None
    own = [SyncMapping.parse(item) for item in stated]
    why = next(_clashes(own, {one.name: one for one in [*elsewhere, *own]}), None)
    if why is None:
        return None
    return (
        f"config/sync is not in force: IDM refuses it, since {why}. It goes on with the mappings from before, or with"
        " none once it has been started again; which these are cannot be read."
    )


def _clashes(own: t.Sequence[SyncMapping], known: t.Mapping[str, SyncMapping]) -> t.Iterator[str]:
    """Yield what IDM does not take in a document of mappings."""
    for name, count in Counter(one.name for one in own).items():
        if count > 1:
            yield f"two mappings have the name {name}"
    for one in own:
        if not one.source or not one.target:
            yield f"{one.name} has no {'target' if one.source else 'source'}"
        if one.link_type == one.name:
            continue
        other = known.get(one.link_type)
        shares = f"{one.name} shares the links of {one.link_type}, and"
        if other is None:
            yield f"{shares} there is no such mapping"
        elif other.link_type != other.name:
            yield f"{shares} that shares those of {other.link_type}"
        elif (one.source, one.target) not in ((other.source, other.target), (other.target, other.source)):
            yield f"{shares} that is from {other.source} to {other.target}, not between {one.source} and {one.target}"


def misnamed(source: Source, known: t.Iterable[SyncMapping]) -> tuple[str, ...]:
    """Return which mappings spell a source in another case, a sentence each."""
    return tuple(
        f"The mapping {mapping.name} names {mapping.source}, and takes no change: it is {source}, in this case."
        for mapping in known
        if not source.is_named_by(mapping.source) and source.resembles(mapping.source)
    )


def read_mapping(client: Client, name: str, option: str = "mapping") -> SyncMapping:
    """Return one mapping.

    :param option: the option that the name came with, for the error.
    :raises InvalidOption: when there is none of that name; it lists those there are.
    """
    mappings = read_mappings(client)
    for mapping in mappings:
        if mapping.name == name:
            return mapping
    known = ", ".join(sorted(mapping.name for mapping in mappings))
    raise InvalidOption(option, name, f"IDM has these mappings: {known}." if known else "IDM has no mapping at all.")


def queued_after(own: t.Sequence[SyncMapping], known: t.Iterable[SyncMapping]) -> tuple[SyncMapping, ...]:
    """Return the mappings with a queue of their own that changes of a source go through.

    :param own: the mappings of the source.
    :param known: all mappings: those that go on from the targets of these count too.
    """
    targets = {mapping.target.strip("/").lower() for mapping in own}
    names = {mapping.name for mapping in own}
    through = (one for one in known if one.name in names or one.source.strip("/").lower() in targets)
    return tuple(one for one in through if one.queue)


def switch_unknown(names: t.Iterable[str]) -> str:
    """Return what is to be said of mappings of which it cannot be known whether they are on."""
    return (
        f"Whether enableSync is on for {', '.join(names)} cannot be known here, since a placeholder stands there: where"
        " it is off, liveSync consumes the changes and drops them. See that it stands for true."
    )


def read_managed(client: Client) -> dict[str, t.Any]:
    """Return config/managed, which describes the objects of targets; nothing where there is no such document.

    :raises Unreachable, Refused: as the client.
    """
    return client.get("config/managed", none_on=(404,)) or {}


def has_links(client: Client, mapping: SyncMapping) -> bool | None:
    """Tell whether a mapping has linked anything yet, in one request; None where the links cannot be read."""
    try:
        return bool(client.query("repo/link", equals("linkType", mapping.link_type), **_ANY))
    except Refused:
        return None


def _excepting(policies: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    """Return the situations of a source object whose action is EXCEPTION, said or by default.

    (The enumeration Situation of OpenIDM's source.)
    """
    stated = {str(policy.get("situation")) for policy in policies if policy.get("action") == "EXCEPTION"}
    decided = {policy.get("situation") for policy in policies if not policy.get("condition")}
    return tuple(sorted((stated - _OF_TARGETS) | (_EXCEPTIONS - decided)))


def _source_filter(document: t.Mapping[str, t.Any]) -> str | None:
    """Return the filter that a mapping's sourceQuery is, None where it is none of the source."""
    stated = document.get("sourceQuery")
    if not stated:
        return ALL
    query = as_dict(stated)
    resource = str(query.get("resourceName") or document.get("source") or "").strip("/").lower()
    if resource != str(document.get("source") or "").strip("/").lower():
        return None
    if (query.get("_queryId") or query.get("queryId")) == "query-all-ids":
        return ALL
    return as_text(query.get("_queryFilter") or query.get("queryFilter"))


def _removing(document: t.Mapping[str, t.Any], policies: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    """Return the situations in which something is deleted or unlinked, or might be.

    Where no policy says otherwise the target of an UNQUALIFIED source object is deleted; no other situation deletes
    by default (the enumeration Situation of OpenIDM's source).
    """
    found = set()
    for policy in policies:
        action = policy.get("action")
        if not isinstance(action, str) or action not in _HARMLESS:
            found.add(str(policy.get("situation")))
    decided = {policy.get("situation") for policy in policies if not policy.get("condition")}
    if "UNQUALIFIED" not in decided and any(document.get(key) for key in _QUALIFYING):
        found.add("UNQUALIFIED")
    return tuple(sorted(found))

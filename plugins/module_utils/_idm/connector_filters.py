# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an LDAP connector keeps from liveSync by its configuration. No I/O.

A change that one of these properties leaves out moves the token and goes nowhere; a reconciliation brings it all the
same ("OpenIDM family over REST", sections 5.4 and 5.6; each seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.values import as_bool, as_text, as_texts, as_whole
from .._ldap.dn import Name, escape_filter, is_within_any
from .connector_config import WITHHOLDING, Connector
from .error_texts import ANEW
from .mapping import SyncMapping

#: The properties whose placeholders hide what is left out. (That of a search filter is told with the filter.)
_NAMES = (
    "attributesToSynchronize",
    "objectClassesToSynchronize",
    "baseContextsToSynchronize",
    "modifiersNamesToFilterOut",
    "useTimestampsForSync",
    "changeNumberAttribute",
)
_CHANGE_NUMBER = "changeNumber"
#: A text in a filter of CREST, and what is asked of a property: its pointer stands before the operator.
#: The property that names whose changes are left out.
MODIFIERS = "modifiersNamesToFilterOut"
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_POINTER = re.compile(r"(/?[\w&{}][\w/.&{}-]*)\s+(?:eq|co|sw|lt|le|gt|ge|pr|in)\b")
_ACCOUNT, _GROUP = "__ACCOUNT__", "__GROUP__"
#: What the connector takes for a person or a group where its configuration does not say (LdapConfiguration).
_CLASSES = {
    "account": ["top", "person", "organizationalPerson", "inetOrgPerson"],
    "group": ["top", "groupOfUniqueNames"],
}


@dataclass(frozen=True)
class SyncFilter:
    """One property that leaves changes out.

    :param value: as it stands there.
    :param effect: what never arrives, in a sentence.
    :param against: whether a load brings what liveSync leaves out, so that both contradict each other. Where not, the
        property may be meant so.
    :param remedy: what mends it.
    :param empties: whether what arrives takes good values from the target, so that each run does harm.
    """

    property: str
    value: t.Any
    effect: str
    against: bool
    remedy: str
    empties: bool = False

    def as_result(self) -> dict[str, t.Any]:
        """Return the filter as modules show it."""
        return {"property": self.property, "value": self.value, "effect": self.effect, "remedy": self.remedy}


def filters_of(
    connector: Connector, object_type: str, mappings: t.Iterable[SyncMapping], *, logged: bool
) -> tuple[SyncFilter, ...]:
    """Return what a connector leaves out of the changes of an object type.

    :param mappings: those of the source: a change of an attribute that none of them reads is not missed.
    :param logged: whether a directory with a change log is said to be behind the connector. Where there is none,
        nothing but time stamps is left to liveSync.
    """
    mappings = tuple(mappings)
    whatever = (_unread(connector, object_type, mappings), _condition(connector, object_type, mappings))
    if "ldap" not in connector.type.lower():
        return tuple(one for one in whatever if one)
    found = (
        *whatever,
        _attributes(connector, object_type, mappings),
        _synchronization_filter(connector, object_type),
        _object_classes(connector, object_type),
        _base_contexts(connector),
        _modifiers(connector),
        _timestamps(connector, logged),
        _change_number(connector),
    )
    hidden = tuple(_hidden(connector, name) for name in _NAMES if _is_hidden(connector.sync_settings.get(name)))
    known = {one.property for one in hidden}
    return (*hidden, *(one for one in found if one and one.property not in known))


def _is_hidden(stated: t.Any) -> bool:
    """Tell whether a placeholder stands in a property, or in its list."""
    return bool(stated) and as_bool(stated) is None and not as_whole(stated)


def _hidden(connector: Connector, name: str) -> SyncFilter:
    return SyncFilter(
        name,
        connector.sync_settings[name],
        f"Whether {name} leaves changes out cannot be known: a placeholder stands there.",
        False,
        f"See what it stands for, in config/{connector.config_id}.",
    )


def classes_filter(connector: Connector, object_type: str) -> str | None:
    """Return the LDAP filter of all entries of an object type's object classes, None where a placeholder stands."""
    kind = _kind(connector, object_type)
    named: t.Any = [connector.native_types.get(object_type) or object_type]
    if kind:
        named = connector.sync_settings.get(f"{kind}ObjectClasses") or _CLASSES[kind]
    classes = as_whole(named)
    return f"(&{''.join(f'(objectClass={escape_filter(name)})' for name in classes)})" if classes else None


def classes_named_by(connector: Connector, object_type: str) -> str:
    """Return what names those object classes: a property of the connector, or the object type's nativeType."""
    native = connector.native_types.get(object_type) or object_type
    kind = _kind(connector, object_type)
    return f"{kind}ObjectClasses" if kind else f"the nativeType of {object_type} is {native}"


def search_filter(connector: Connector, object_type: str) -> tuple[str, str | None] | None:
    """Return the further filter of an object type: the property, and the filter as LDAP writes it.

    :returns: None where there is none; the filter is None where a placeholder stands.
    """
    kind = _kind(connector, object_type)
    name = f"{kind}SearchFilter"
    stated = connector.sync_settings.get(name) if kind else None
    return (name, bracketed(as_text(stated))) if stated else None


def entry_filter(connector: Connector, object_type: str) -> str | None:
    """Return the LDAP filter of the entries that an object type stands for, None where a placeholder stands in it."""
    classes, further = classes_filter(connector, object_type), search_filter(connector, object_type)
    if classes is None or (further and further[1] is None):
        return None
    return f"{classes[:-1]}{further[1]})" if further else classes


def bracketed(text: str | None) -> str | None:
    """Return a filter of LDAP in its brackets, which a configuration may leave out."""
    return text if text is None or text.startswith("(") else f"({text})"


def _unread(connector: Connector, object_type: str, mappings: t.Iterable[SyncMapping]) -> SyncFilter | None:
    """Return what the mappings read of an object type that it does not have: IDM takes it for empty, without a word.

    (A plain copy of it then empties the target's, by liveSync and by a reconciliation: seen on OpenIDM 6.1.0.)
    """
    known = connector.native_names.get(object_type)
    withheld = connector.withheld.get(object_type, frozenset())
    taking = [mapping for mapping in mappings if mapping.sync_enabled is not False]
    read = [(mapping.name, one) for mapping in taking for one in mapping.properties]
    missing = [(name, one, one.source.partition("/")[0]) for name, one in read if one.source]
    missing = [
        item
        for item in missing
        if known and (item[2] not in known or item[2] in withheld) and not item[2].startswith("_")
    ]
    if not missing:
        return None
    emptied = sorted({one.target for unused, one, top in missing if one.plain and one.default is None})
    names = ", ".join(sorted({top for unused, one, top in missing}))
    flagged = {top for unused, one, top in missing} & withheld
    effect = (
        f"{', '.join(sorted({name for name, one, top in missing}))} reads {names}, which {object_type} does not have"
    )
    if flagged:
        effect += f", or withholds from liveSync and reconciliations by its flags ({', '.join(sorted(flagged))})"
    return SyncFilter(
        f"objectTypes.{object_type}.properties",
        sorted(known or ()),
        f"{effect}: {', '.join(emptied)} of each target that is written is emptied, by a reconciliation too."
        if emptied
        else f"{effect}, and gets nothing for it.",
        any(one.default is None for unused, one, top in missing),
        f"Correct that source in the mapping, or add it to the object type in config/{connector.config_id}"
        + (f" without the flags {' and '.join(sorted(WITHHOLDING))}." if flagged else ".")
        + (" Reconcile nothing before that." if emptied else ""),
        empties=bool(emptied),
    )


def _condition(connector: Connector, object_type: str, mappings: t.Iterable[SyncMapping]) -> SyncFilter | None:
    """Return what a sourceCondition asks of the source that is not there: nobody meets it then, without a word.

    It is asked of an object with ``source`` and ``linkQualifier`` (seen on OpenIDM 6.1.0: /source/uid is the uid of an
    entry, /object/uid and /uid are nothing).
    """
    known = connector.native_names.get(object_type)
    for mapping in mappings:
        if mapping.sync_enabled is False or not mapping.condition or not known:
            continue
        pointers = [name.strip("/").split("/") for name in _POINTER.findall(_QUOTED.sub('""', mapping.condition))]
        strange = sorted({"/".join(parts) for parts in pointers if not _leads_somewhere(parts, known)})
        if strange:
            return SyncFilter(
                "sourceCondition",
                mapping.condition,
                f"sourceCondition of {mapping.name} asks for {', '.join(strange)}, which {object_type} does not have:"
                " nobody may meet it, and whoever does not is left alone, or removed (UNQUALIFIED).",
                True,
                f"Correct it in {mapping.name}: an entry's property is /source/<name>. Reconcile nothing before that.",
                empties=True,
            )
    return None


def _leads_somewhere(parts: t.Sequence[str], known: t.Container[str]) -> bool:
    if parts[0] == "source" and len(parts) > 1:
        return parts[1] in known or parts[1].startswith("_")
    return parts[0] in ("source", "linkQualifier") or "&{" in parts[0]


def _attributes(connector: Connector, object_type: str, mappings: t.Iterable[SyncMapping]) -> SyncFilter | None:
    taken = as_texts(connector.sync_settings.get("attributesToSynchronize"))
    if not taken:
        return None
    natives = connector.native_names.get(object_type, {})
    mappings = list(mappings)
    read = {natives.get(name, name) for mapping in mappings for name in mapping.reads}
    missed = sorted(read - {name for name in read if name.lower() in map(str.lower, taken) or name.startswith("__")})
    more = ", ".join(mapping.name for mapping in mappings if mapping.reads_more)
    if not missed and more:
        return SyncFilter(
            "attributesToSynchronize",
            list(taken),
            f"A change of nothing but other attributes never arrives, and which of them a script of {more} reads cannot"
            " be known.",
            False,
            f"See that each is in attributesToSynchronize, or empty it, in config/{connector.config_id}.",
        )
    if not missed:
        return None
    return SyncFilter(
        "attributesToSynchronize",
        list(taken),
        f"A change of nothing but {', '.join(missed)} never arrives, though the mapping reads it.",
        True,
        f"Add {', '.join(missed)} to attributesToSynchronize, or empty it, in config/{connector.config_id}.",
    )


def _synchronization_filter(connector: Connector, object_type: str) -> SyncFilter | None:
    found = sync_filter(connector, object_type)
    if found is None:
        return None
    name, stated = found
    search = name.replace("Synchronization", "Search")
    return SyncFilter(
        name,
        stated,
        f"Changes of entries that {as_text(stated) or 'a placeholder'} does not match never arrive, though a load"
        " brings them.",
        True,
        f"Empty {name} in config/{connector.config_id}, or let {search} be the same.",
    )


def sync_filter(connector: Connector, object_type: str) -> tuple[str, t.Any] | None:
    """Return the filter that only liveSync looks through: the property, and what stands there; None without one."""
    kind = _kind(connector, object_type)
    name = f"{kind}SynchronizationFilter"
    stated = connector.sync_settings.get(name) if kind else None
    if not stated or stated == connector.sync_settings.get(f"{kind}SearchFilter"):
        return None
    return name, stated


def _object_classes(connector: Connector, object_type: str) -> SyncFilter | None:
    taken = as_texts(connector.sync_settings.get("objectClassesToSynchronize"))
    kind = _kind(connector, object_type)
    all_have = as_texts(connector.sync_settings.get(f"{kind}ObjectClasses")) if kind else ()
    if not taken or not all_have or {name.lower() for name in taken} & {name.lower() for name in all_have}:
        return None
    return SyncFilter(
        "objectClassesToSynchronize",
        list(taken),
        f"Changes of entries that are none of {', '.join(taken)} never arrive, though a load brings all that are"
        f" {', '.join(all_have)}.",
        True,
        f"Add one of {', '.join(all_have)} to objectClassesToSynchronize in config/{connector.config_id}.",
    )


def _base_contexts(connector: Connector) -> SyncFilter | None:
    stated = as_texts(connector.sync_settings.get("baseContextsToSynchronize"))
    if not stated or not connector.base_contexts:
        return None
    try:
        bases = [Name.parse(base) for base in stated]
        left_out = [base for base in connector.base_contexts if not is_within_any(base, bases)]
        known = [Name.parse(base) for base in connector.base_contexts]
        beyond = [base for base in stated if not is_within_any(base, known)]
    except ValueError:
        return None
    if beyond and not left_out:  # seen on OpenIDM 6.1.0
        return SyncFilter(
            "baseContextsToSynchronize",
            list(stated),
            f"Who lies below {'; '.join(beyond)} and outside of baseContexts arrives by liveSync, and a reconciliation"
            " takes him for gone (SOURCE_MISSING).",
            True,
            "Let both name the same places: empty baseContextsToSynchronize, or add them to baseContexts, in"
            f" config/{connector.config_id}. Reconcile nothing before that.",
        )
    if not left_out:
        return None
    return SyncFilter(
        "baseContextsToSynchronize",
        list(stated),
        f"Changes below {'; '.join(left_out)} that lie outside of these never arrive, though a load brings them.",
        True,
        f"Add {'; '.join(left_out)} to baseContextsToSynchronize, or empty it, in config/{connector.config_id}.",
    )


def normal_name(name: str) -> str:
    """Return the name of an entry in the one spelling that equal names share."""
    try:
        return Name.parse(name).normal
    except ValueError:
        return name.strip().lower()


def _modifiers(connector: Connector) -> SyncFilter | None:
    stated = as_texts(connector.sync_settings.get(MODIFIERS))
    own = normal_name(connector.principal or "")
    others = [name for name in stated if normal_name(name) != own]
    if not others:
        return None
    return SyncFilter(
        MODIFIERS,
        list(stated),
        f"Changes that {'; '.join(others)} makes never arrive.",
        False,
        f"Leave only the connector's own account there, in config/{connector.config_id}, unless that is meant.",
    )


def _timestamps(connector: Connector, logged: bool) -> SyncFilter | None:
    if not connector.uses_timestamps:
        return None
    return SyncFilter(
        "useTimestampsForSync",
        True,
        "Deletions never arrive: liveSync looks for entries by their time stamps, and the change log is not used. At a"
        " token that is a change number the next run takes the time of day as a new base point: what was changed until"
        " then never arrives either.",
        logged,
        "Where the directory has a change log, in this order: switch the schedule off (idmops.idm.livesync_schedule"
        " with enabled: false), set useTimestampsForSync to false in"
        f" config/{connector.config_id}, remove the token, which is a time stamp (idmops.idm.livesync_token with"
        " state: absent), then run the role livesync, which"
        f" {ANEW} Where it has none, only a reconciliation finds who has gone.",
    )


def _change_number(connector: Connector) -> SyncFilter | None:
    stated = as_text(connector.sync_settings.get("changeNumberAttribute"))
    if stated is None or stated.lower() == _CHANGE_NUMBER.lower() or connector.uses_timestamps:
        return None
    return SyncFilter(
        "changeNumberAttribute",
        stated,
        f"No change ever arrives where the change log's entries have no {stated}: OpenDJ, ForgeRock DS and PingDS count"
        f" them by {_CHANGE_NUMBER}.",
        True,
        f"Set changeNumberAttribute to {_CHANGE_NUMBER}, or remove it, in config/{connector.config_id}.",
    )


def _kind(connector: Connector, object_type: str) -> str | None:
    """Return what the names of the properties for an object type begin with, None where it has none of its own."""
    return {_ACCOUNT: "account", _GROUP: "group"}.get(connector.native_types.get(object_type, ""))

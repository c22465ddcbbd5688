# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a mapping can be compared, and how. No I/O.

Values are compared as the mapping copies them: several values in any order, one value like a list of it, nothing like
an empty list ("Experiments", section 3).
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass

from .._base.values import as_bool, as_dict, as_list, as_text
from .._idm.mapped_property import MappedProperty, value_at
from .._idm.mapping import SyncMapping

#: What recognises a person in the target where the mapping copies it.
_KEY = "userName"
_SECRET = "password"


@dataclass(frozen=True)
class TargetSchema:
    """What the target says of its properties.

    :param types: the JSON type of each, as far as it is known.
    :param made: those that are made, encrypted or hashed there, or are relationships.
    :param required: those that each object has.
    :param unique: those whose value no two objects share.
    """

    types: t.Mapping[str, str]
    made: frozenset[str]
    required: frozenset[str]
    unique: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, managed: t.Mapping[str, t.Any], name: str) -> TargetSchema:
        """Return the schema of a managed object out of config/managed; an empty one where it is not there."""
        described = next(
            (as_dict(one) for one in as_list(managed.get("objects")) if as_dict(one).get("name") == name), {}
        )
        schema = as_dict(described.get("schema"))
        types, made = {}, set()
        properties = {**as_dict(schema.get("properties"))}
        for one in map(as_dict, as_list(described.get("properties"))):  # where older releases keep the encryption
            properties[str(one.get("name"))] = {**as_dict(properties.get(str(one.get("name")))), **one}
        for key, one in properties.items():
            kind = as_dict(one).get("type")
            kinds = [kind] if isinstance(kind, str) else [text for text in as_list(kind) if text != "null"]
            if len(kinds) == 1:
                types[key] = str(kinds[0])
            if "relationship" in kinds or _is_made(as_dict(one)):
                made.add(key)
        required = frozenset(map(str, as_list(schema.get("required"))))
        unique = frozenset(key for key, one in properties.items() if _is_unique(as_dict(one)))
        return cls(types, frozenset(made), required, unique)


def _is_secret(one: MappedProperty) -> bool:
    """Tell whether a property may hold a password; a plain copy of something about one, as a date, may not."""
    names = {one.source.strip("_").lower(), one.target.strip("_").lower()}
    return _SECRET in names or (not one.plain and any(_SECRET in name for name in names))


def _is_made(described: t.Mapping[str, t.Any]) -> bool:
    return (
        as_bool(described.get("isVirtual")) is True
        or bool(described.get("encryption") or described.get("secureHash"))
        or as_text(described.get("scope")) == "private"
    )


def _is_unique(described: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a property has the policy unique, as userName of managed/user has (its config/managed)."""
    return any(as_dict(one).get("policyId") == "unique" for one in as_list(described.get("policies")))


@dataclass(frozen=True)
class Comparison:
    """What of a mapping's objects is compared.

    :param copied: the properties that the mapping copies plainly.
    :param not_comparable: the other properties of the target that it writes.
    :param key: the one that an object is recognised by, None where none is copied.
    :param unique: whether no two objects of the target may share what it holds.
    :param seen: the properties that read one of the source, whatever is made of it, but for passwords.
    :param conditioned: those that the mapping copies plainly where a condition is met.
    :param made: the other properties of the target that come from the source, a password among them.
    :param loose: those whose types differ on purpose, so that values are compared as texts.
    """

    copied: tuple[MappedProperty, ...]
    not_comparable: tuple[str, ...]
    key: MappedProperty | None
    loose: frozenset[str] = frozenset()
    unique: bool = False
    seen: tuple[MappedProperty, ...] = ()
    conditioned: tuple[MappedProperty, ...] = ()
    made: frozenset[str] = frozenset()

    @classmethod
    def of(cls, mapping: SyncMapping, schema: TargetSchema, source_types: t.Mapping[str, str]) -> Comparison:
        """Return what can be compared.

        :param source_types: the JSON types of the source's properties, as far as they are known.
        """
        open_ones = [one for one in mapping.properties if not _is_secret(one)]
        targets = [one.target for one in mapping.properties]  # which of two for one target wins is the mapping's secret
        told = [
            one
            for one in open_ones
            if one.target.partition("/")[0] not in schema.made and targets.count(one.target) == 1
        ]
        copied, conditioned = [one for one in told if one.plain], [one for one in told if one.conditioned]
        rest = {one.target for one in mapping.properties if one.target} - {one.target for one in copied}
        loose = {one.target for one in copied if _differ(source_types.get(one.source), schema.types.get(one.target))}
        key = _key(copied, schema)
        unique = key is not None and (key.target == _KEY or key.target in schema.unique)
        return cls(
            tuple(copied),
            tuple(sorted(rest)),
            key,
            frozenset(loose),
            unique,
            seen=tuple(one for one in open_ones if one.source),
            conditioned=tuple(conditioned),
            made=frozenset(one.target for one in mapping.properties if one.target and (one.source or one.scripted))
            - {one.target for one in (*copied, *conditioned)},
        )

    @property
    def source_fields(self) -> str:
        """What is asked for of a source object."""
        return ",".join(dict.fromkeys(["_id", *(one.source for one in self.seen)]))

    @property
    def target_fields(self) -> str:
        """What is asked for of a target object."""
        return ",".join(dict.fromkeys(["_id", *(one.target for one in (*self.copied, *self.conditioned))]))

    def differing(
        self, source: t.Mapping[str, t.Any], target: t.Mapping[str, t.Any], *, loose: bool = False
    ) -> tuple[str, ...]:
        """Return the properties of the target that are not what the mapping copies into them.

        :param loose: whether the source tells texts alone, as a directory does.
        """
        return tuple(
            one.target
            for one in self.copied
            if self._expected(one, source, loose)
            != canonical(value_at(target, one.target), loose or one.target in self.loose)
        )

    def emptied(self, source: t.Mapping[str, t.Any], target: t.Mapping[str, t.Any]) -> tuple[str, ...]:
        """Return the properties of the target that have a value, and for which the source has none."""
        return tuple(
            one.target
            for one in self.copied
            if not self._expected(one, source) and canonical(value_at(target, one.target))
        )

    def left_alone(self, source: t.Mapping[str, t.Any], target: t.Mapping[str, t.Any]) -> tuple[str, ...]:
        """Return the properties of the target that a condition has left as they were, or that were never written."""
        return tuple(
            one.target
            for one in self.conditioned
            if self._expected(one, source) != canonical(value_at(target, one.target), one.target in self.loose)
        )

    def hidden(self, source: t.Mapping[str, t.Any], own: t.Mapping[str, t.Any]) -> tuple[str, ...]:
        """Return the properties of the target whose values the directory has, and IDM does not see in the source.

        :param own: the entry as the directory has it.
        """
        return tuple(
            one.target
            for one in self.seen
            if canonical(value_at(own, one.source)) and not canonical(value_at(source, one.source))
        )

    def mask(self, body: t.Mapping[str, t.Any]) -> int:
        """Return a number whose bits tell which properties of the source there are."""
        return sum(1 << at for at, one in enumerate(self.seen) if canonical(value_at(body, one.source)))

    def digest_of_source(self, body: t.Mapping[str, t.Any]) -> bytes:
        """Return eight bytes that stand for what an object of the source shall become."""
        return _digest([self._expected(one, body) for one in self.copied])

    def digest_of_target(self, body: t.Mapping[str, t.Any]) -> bytes:
        """Return eight bytes that stand for what an object of the target is."""
        return _digest([canonical(value_at(body, one.target), one.target in self.loose) for one in self.copied])

    def key_of_source(self, body: t.Mapping[str, t.Any]) -> str | None:
        """Return what an object of the source is recognised by, None where it has nothing."""
        return as_text(value_at(body, self.key.source)) if self.key else None

    def key_of_target(self, body: t.Mapping[str, t.Any]) -> str | None:
        """Return what an object of the target is recognised by, None where it has nothing."""
        return as_text(value_at(body, self.key.target)) if self.key else None

    def _expected(self, one: MappedProperty, source: t.Mapping[str, t.Any], loose: bool = False) -> tuple[str, ...]:
        loose = loose or one.target in self.loose
        return canonical(value_at(source, one.source), loose) or canonical(one.default, loose)


def canonical(value: t.Any, loose: bool = False) -> tuple[str, ...]:
    """Return a value so that what is the same to a mapping is equal.

    :param loose: whether 7 is "7", and true "true".
    """
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(sorted(_text(item, loose) for item in values if item is not None))


def _text(item: t.Any, loose: bool) -> str:
    if loose and isinstance(item, (str, int, float)):
        return str(item).lower() if isinstance(item, bool) else str(item)
    return json.dumps(item, sort_keys=True)


def _digest(values: t.Sequence[tuple[str, ...]]) -> bytes:
    return hashlib.sha256(json.dumps(values).encode()).digest()[:8]


def _key(copied: t.Sequence[MappedProperty], schema: TargetSchema) -> MappedProperty | None:
    """Return the property to recognise an object by: userName, else one that is unique, else one that each has."""
    named = [one for one in copied if one.target == _KEY or one.target in schema.unique]
    named.sort(key=lambda one: one.target != _KEY)
    required = [one for one in copied if one.target in schema.required]
    return next(iter([*named, *required]), None)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other and "array" not in (one, other)


def most_differing(checked: int) -> float:
    """Return what share of all differs at the most, at 95 %, where so many were drawn and all of them are equal."""
    return 1 - 0.05 ** (1 / checked) if checked else 1.0

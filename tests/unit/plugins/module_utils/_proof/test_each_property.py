# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mapping is compared: each way to write a property, and each that the target has one."""

from __future__ import annotations

import pathlib

from ansible_collections.idmops.idm.plugins.module_utils._idm.mapped_property import MappedProperty
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
COPIED = {"source": "a", "target": "b"}
PROPERTIES = {
    "copied": [COPIED],
    "in slashes": [{"source": "/a/c/", "target": "/b/"}],
    "with a default": [{**COPIED, "default": "x"}],
    "made by a script": [{**COPIED, "transform": {"type": "x"}}],
    "made of nothing by a script": [{"target": "b", "transform": {"type": "x"}}],
    "of nothing": [{"target": "b"}],
    "into nothing": [{"source": "a"}],
    "on a condition": [{**COPIED, "condition": "/object/c eq 1 and /object/d pr and /object/c pr"}],
    "on the condition of a script": [
        {**COPIED, "condition": {"source": "object.c && object['d'] && object.e() // object.f"}}
    ],
    "on no condition": [{**COPIED, "condition": {"file": "x"}}],
    "made, on a condition": [{**COPIED, "condition": "/object/c pr", "transform": {"type": "x"}}],
    "twice into the same": [COPIED, {"source": "c", "target": "b"}],
    "a password": [{"source": "password", "target": "b"}],
    "of a password's name": [{"source": "__PASSWORD__", "target": "b"}],
    "into a password": [{"source": "a", "target": "password"}],
    "about a password": [{"source": "passwordDate", "target": "b"}],
    "made about a password": [{"source": "passwordDate", "target": "b", "transform": {"type": "x"}}],
    "into a user's name": [COPIED, {"source": "uid", "target": "userName"}],
    "none": [],
    "none of that form": ["x"],
}
TARGETS = {
    "as usual": {"type": "string"},
    "a number": {"type": "number"},
    "a list": {"type": "array"},
    "a text or nothing": {"type": ["string", "null"]},
    "a text or a number": {"type": ["string", "number"]},
    "of no type": {},
    "virtual": {"isVirtual": True},
    "virtual as a text": {"isVirtual": "true"},
    "not virtual": {"isVirtual": False},
    "encrypted": {"encryption": {"purpose": "x"}},
    "hashed": {"secureHash": {"algorithm": "x"}},
    "private": {"scope": "private"},
    "public": {"scope": "public"},
    "a relationship": {"type": "relationship"},
    "a relationship or nothing": {"type": ["relationship", "null"]},
    "unique": {"policies": [{"policyId": "x"}, {"policyId": "unique"}]},
    "of another policy": {"policies": [{"policyId": "x"}]},
}


def told(properties, schema):
    mapping = SyncMapping.parse(
        {"name": "m", "source": "system/ldap/account", "target": "managed/user", "properties": properties}
    )
    found = vars(Comparison.of(mapping, schema, {"a": "string"}))
    lines = [f"asks: {' '.join(one.asks)}" for one in mapping.properties if one.asks]
    for name, value in found.items():
        if isinstance(value, MappedProperty):
            value = value.target
        if isinstance(value, (tuple, frozenset)):
            value = " ".join(sorted(one.target if isinstance(one, MappedProperty) else one for one in value))
        if value not in ("", None, False):
            lines.append(f"{name}: {value}")
    return lines


def test_what_is_compared():
    found = {
        name: told(properties, TargetSchema({}, frozenset(), frozenset())) for name, properties in PROPERTIES.items()
    }
    for name, described in TARGETS.items():
        managed = {
            "objects": [{"name": "x"}, {"name": "user", "schema": {"properties": {"b": described}, "required": ["c"]}}]
        }
        schema = TargetSchema.parse(managed, "user")
        found[f"target: {name}"] = [
            *told([COPIED], schema),
            f"schema: {schema.types} {sorted(schema.made)} {sorted(schema.unique)}",
        ]
    required = TargetSchema.parse({"objects": [{"name": "user", "schema": {"required": ["b"]}}]}, "user")
    found["target: required"] = told([COPIED], required)
    found["target: required, beside a user's name"] = told(PROPERTIES["into a user's name"], required)
    beside = {"objects": [{"name": "user", "properties": [{"name": "b", "encryption": {"purpose": "x"}}]}]}
    found["target: encrypted beside the schema"] = told([COPIED], TargetSchema.parse(beside, "user"))
    found["target: of another object"] = told([COPIED], TargetSchema.parse(beside, "role"))
    compare(FILES / "properties.yml", "What is compared of a property of a mapping.", found)

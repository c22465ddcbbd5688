# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same to a mapping is equal, and what cannot be compared never is."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import (
    Comparison,
    TargetSchema,
    canonical,
    most_differing,
)

NO_SCHEMA = TargetSchema({}, frozenset(), frozenset())


def comparison(*properties, schema=NO_SCHEMA, types=None, **more):
    document = {"name": "m", "source": "system/ldap/account", "target": "managed/user", "properties": list(properties)}
    return Comparison.of(SyncMapping.parse({**document, **more}), schema, types or {})


UID = {"source": "uid", "target": "userName"}
MAIL = {"source": "mail", "target": "mail"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, [], True),
        ("a", ["a"], True),
        (["b", "a"], ["a", "b"], True),
        (["a", "a"], ["a"], False),
        ("a", "A", False),
        ("7", 7, False),
        (True, "true", False),
        ("", None, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_values_are_the_same_as_a_mapping_takes_them(one, other, same):
    assert (canonical(one) == canonical(other)) is same


def test_types_that_the_schemas_say_differ_are_compared_as_texts():
    managed = {"objects": [{"name": "user", "schema": {"properties": {"age": {"type": "integer"}}}}]}
    age = {"source": "age", "target": "age"}
    loose = comparison(age, schema=TargetSchema.parse(managed, "user"), types={"age": "string"})
    assert loose.differing({"age": "7"}, {"age": 7}) == ()
    strict = comparison(age, schema=TargetSchema.parse(managed, "user"), types={"age": "integer"})
    assert strict.differing({"age": "7"}, {"age": 7}) == ("age",)


@pytest.mark.parametrize(
    "made",
    [
        {**MAIL, "transform": {"type": "text/javascript", "source": "source.toLowerCase()"}},
        {**MAIL, "condition": "/mail pr"},
        {"target": "mail", "transform": {"source": "1"}},
        {"target": "mail", "default": "x@example.com"},
        {"source": "__PASSWORD__", "target": "mail"},
        {"source": "&{esv.source}", "target": "mail"},
    ],
)
def test_what_is_made_is_not_compared(made):
    found = comparison(UID, made)
    assert found.not_comparable == ("mail",)
    assert found.differing({"uid": "a", "mail": "x"}, {"userName": "a", "mail": "y"}) == ()
    assert ("mail" in found.target_fields.split(",")) == bool(made.get("condition"))


def test_what_is_read_is_asked_for_whatever_is_made_of_it_but_no_password():
    """So that a value is missed that the connector's account does not see."""
    made = {**MAIL, "transform": {"type": "text/javascript", "source": "source.toLowerCase()"}}
    secrets = [
        {"source": "__PASSWORD__", "target": "password"},
        {"source": "userPassword", "target": "secret", "transform": {"source": "source"}},
        {"source": "mark", "target": "password"},
    ]
    found = comparison(UID, made, *secrets)
    assert found.source_fields == "_id,uid,mail"
    assert found.hidden({"uid": "a"}, {"uid": "a", "mail": "x"}) == ("mail",)
    assert found.hidden({"uid": "a", "mail": ""}, {"uid": "a", "mail": "x"}) == ()
    assert found.mask({"uid": "a", "mail": "x"}) == 0b11 and found.mask({"uid": "a"}) == 0b01


def test_what_a_condition_has_left_alone_is_told_apart_from_what_it_let_through():
    found = comparison(UID, {**MAIL, "condition": "/object/mail pr"})
    assert found.left_alone({"uid": "a", "mail": "x"}, {"userName": "a", "mail": "x"}) == ()
    assert found.left_alone({"uid": "a", "mail": "x"}, {"userName": "a", "mail": "y"}) == ("mail",)
    both = comparison(UID, {**MAIL, "condition": "/object/mail pr", "transform": {"source": "1"}})
    assert both.left_alone({"uid": "a", "mail": "x"}, {"userName": "a"}) == ()


@pytest.mark.parametrize(
    "described",
    [
        {"type": "string", "isVirtual": True},
        {"type": "string", "encryption": {"purpose": "idm.password.encryption"}},
        {"type": "string", "secureHash": {"algorithm": "SHA-256"}},
        {"type": "string", "scope": "private"},
        {"type": "relationship"},
        {"type": ["relationship", "null"]},
    ],
)
def test_what_the_target_makes_of_it_is_not_compared(described):
    managed = {"objects": [{"name": "user", "schema": {"properties": {"mail": described}}}]}
    assert comparison(UID, MAIL, schema=TargetSchema.parse(managed, "user")).not_comparable == ("mail",)


def test_encryption_may_stand_beside_the_schema():
    managed = {"objects": [{"name": "user", "properties": [{"name": "mail", "encryption": {}}, {"name": "ssn",
               "encryption": {"key": "k"}}]}]}  # fmt: skip
    ssn = {"source": "ssn", "target": "ssn"}
    assert comparison(UID, MAIL, ssn, schema=TargetSchema.parse(managed, "user")).not_comparable == ("ssn",)


def test_a_property_that_two_lines_write_is_not_compared():
    assert comparison(UID, MAIL, {"source": "other", "target": "mail"}).not_comparable == ("mail",)


def test_a_default_stands_for_what_is_not_there():
    found = comparison(UID, {**MAIL, "default": "none@example.com"})
    assert found.differing({"uid": "a"}, {"userName": "a", "mail": "none@example.com"}) == ()
    assert found.differing({"uid": "a"}, {"userName": "a"}) == ("mail",)
    assert found.differing({"uid": "a", "mail": "x"}, {"userName": "a", "mail": "none@example.com"}) == ("mail",)


def test_names_may_be_pointers():
    found = comparison(UID, {"source": "/name/given", "target": "givenName"})
    assert found.differing({"uid": "a", "name": {"given": "A"}}, {"userName": "a", "givenName": "A"}) == ()
    assert found.source_fields == "_id,uid,name/given"


def test_digests_are_equal_where_nothing_differs():
    found = comparison(UID, MAIL)
    source, target = {"uid": "a", "mail": ["x"]}, {"userName": "a", "mail": "x"}
    assert found.digest_of_source(source) == found.digest_of_target(target)
    assert found.digest_of_source(source) != found.digest_of_target({**target, "mail": "y"})


@pytest.mark.parametrize(
    ("properties", "required", "key"),
    [
        ([MAIL, UID], (), "userName"),
        ([MAIL], ("mail",), "mail"),
        ([MAIL], (), None),
        ([{**UID, "transform": {"source": "x"}}, MAIL], ("userName",), None),
    ],
)
def test_an_object_is_recognised_by_what_each_has(properties, required, key):
    found = comparison(*properties, schema=TargetSchema({}, frozenset(), frozenset(required)))
    assert (found.key.target if found.key else None) == key


@pytest.mark.parametrize(
    ("properties", "schema", "key", "unique"),
    [
        ([MAIL, UID], {}, "userName", True),
        ([MAIL, {"source": "cn", "target": "name"}], {"name": {"policies": [{"policyId": "unique"}]}}, "name", True),
        ([MAIL, {"source": "cn", "target": "name"}], {"name": {"policies": [{"policyId": "required"}]}}, "mail", False),
        ([{**MAIL, "condition": "x"}], {}, None, False),
    ],
)
def test_whether_the_key_belongs_to_one_alone(properties, schema, key, unique):
    described = {"objects": [{"name": "user", "schema": {"properties": schema, "required": ["mail"]}}]}
    found = comparison(*properties, schema=TargetSchema.parse(described, "user"))
    assert (found.key.target if found.key else None, found.unique) == (key, unique)


def test_how_much_may_differ_where_nothing_did():
    assert 0.0029 < most_differing(1000) < 0.003
    assert most_differing(0) == 1.0


def test_a_key_belongs_to_one_alone_where_that_is_known_and_not_otherwise():
    assert Comparison((), (), None).unique is False

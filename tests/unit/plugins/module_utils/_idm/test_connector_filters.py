# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a connector's configuration keeps from liveSync."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_filters import filters_of
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping

PROPERTIES = {
    "principal": "uid=idm,ou=apps,dc=example,dc=com",
    "baseContexts": ["ou=People,dc=example,dc=com"],
    "accountObjectClasses": ["top", "person", "inetOrgPerson"],
}
SCHEMA = {
    "nativeType": "__ACCOUNT__",
    "properties": {"dn": {"nativeName": "__NAME__"}, "email": {"nativeName": "mail"}, "sn": {}},
}
MAPPING = SyncMapping.parse(
    {
        "name": "one",
        "source": "system/ldap/account",
        "target": "managed/user",
        "properties": [{"source": "email", "target": "mail"}, {"source": "sn", "target": "sn"}, {"target": "x"}]
        + [{"source": "dn", "target": "dn"}, {"source": "", "target": "y"}],
    }
)


def found(
    mappings=(MAPPING,), kind="org.identityconnectors.ldap.LdapConnector", schema=None, logged=True, **properties
):
    connector = Connector.parse(
        {
            "_id": "provisioner.openicf/ldap",
            "connectorRef": {"connectorName": kind},
            "configurationProperties": {**PROPERTIES, **properties},
            "objectTypes": {"account": schema or SCHEMA},
        }
    )
    return [
        (one.property, one.against, one.effect) for one in filters_of(connector, "account", mappings, logged=logged)
    ]


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"attributesToSynchronize": []},
        {"attributesToSynchronize": ["MAIL", "sn", "cn"]},
        {"accountSynchronizationFilter": "(o=x)", "accountSearchFilter": "(o=x)"},
        {"groupSynchronizationFilter": "(o=x)"},
        {"objectClassesToSynchronize": ["INETORGPERSON"]},
        {"baseContextsToSynchronize": ["OU=people, DC=example,DC=com"]},
        {"modifiersNamesToFilterOut": ["uid=IDM, ou=apps,dc=example,dc=com"]},
        {"useTimestampsForSync": False},
        {"changeNumberAttribute": "CHANGENUMBER"},
    ],
)
def test_what_leaves_nothing_out_that_is_read(properties):
    assert found(**properties) == []


@pytest.mark.parametrize(
    ("properties", "against", "words"),
    [
        ({"attributesToSynchronize": ["uid", "cn"]}, True, "nothing but mail, sn"),
        ({"attributesToSynchronize": ["sn"]}, True, "nothing but mail never"),
        ({"accountSynchronizationFilter": "(employeeType=staff)"}, True, "(employeeType=staff) does not match"),
        ({"accountSynchronizationFilter": "(o=x)", "accountSearchFilter": "(o=y)"}, True, "(o=x) does not match"),
        ({"accountSynchronizationFilter": "(o=&{esv.o})"}, True, "a placeholder does not match"),
        ({"objectClassesToSynchronize": ["groupOfNames"]}, True, "none of groupOfNames"),
        ({"objectClassesToSynchronize": ["staff", "guest"]}, True, "none of staff, guest"),
        ({"baseContextsToSynchronize": ["ou=Staff,ou=People,dc=example,dc=com"]}, True, "below ou=People"),
        ({"baseContextsToSynchronize": ["dc=example,dc=com"]}, True, "a reconciliation takes him for gone"),
        (
            {"modifiersNamesToFilterOut": ["cn=Directory Manager", PROPERTIES["principal"]]},
            False,
            "cn=Directory Manager",
        ),
        ({"modifiersNamesToFilterOut": ["uid=sync,ou=apps,dc=example,dc=com"]}, False, "uid=sync"),
        ({"useTimestampsForSync": True}, True, "Deletions never arrive"),
        ({"useTimestampsForSync": True}, True, "the time of day as a new base point"),
        ({"changeNumberAttribute": "changeId"}, True, "have no changeId"),
    ],
)
def test_what_leaves_out_what_is_missed(properties, against, words):
    ((name, contradicts, effect),) = found(**properties)
    assert (name, contradicts) == (next(iter(properties)), against)
    assert words in effect


MADE = {"type": "text/javascript", "source": "source"}


@pytest.mark.parametrize(
    ("line", "against", "words"),
    [
        (
            {"source": "surname", "target": "sn"},
            True,
            "one reads surname, which account does not have: sn of each target",
        ),
        ({"source": "SN/0", "target": "sn"}, True, "reads SN, which"),
        ({"source": "surname", "target": "sn", "default": "-"}, False, "gets nothing for it"),
        ({"source": "surname", "target": "sn", "transform": MADE}, True, "gets nothing for it"),
    ],
)
def test_what_an_object_type_does_not_have_is_no_source_of_anything(line, against, words):
    mapping = {"name": "one", "source": "system/ldap/account", "target": "managed/user", "properties": [line]}
    for kind in ("org.identityconnectors.ldap.LdapConnector", "org.forgerock.openicf.connectors.scriptedsql.X"):
        ((name, told, effect),) = found([SyncMapping.parse(mapping)], kind)
        assert (name, told) == ("objectTypes.account.properties", against) and words in effect
    assert found([SyncMapping.parse({**mapping, "enableSync": False})]) == []
    assert found([SyncMapping.parse({**mapping, "properties": [{"source": "_id", "target": "x"}]})]) == []
    assert found([SyncMapping.parse(mapping)], schema={"nativeType": "__ACCOUNT__"}) == []


@pytest.mark.parametrize("flag", ["NOT_RETURNED_BY_DEFAULT", "NOT_READABLE"])
def test_what_its_flags_withhold_is_as_good_as_not_there(flag):
    """A query that names it shows it, and liveSync and a reconciliation take it for empty (seen on OpenIDM 6.1.0)."""
    properties = {**SCHEMA["properties"], "sn": {"flags": [flag]}}
    ((name, against, effect),) = found(schema={**SCHEMA, "properties": properties})
    assert name == "objectTypes.account.properties" and against
    assert "withholds from liveSync and reconciliations by its flags (sn): sn of each target" in effect
    assert found(schema={**SCHEMA, "properties": {**properties, "sn": {"flags": ["NOT_UPDATEABLE"]}}}) == []


@pytest.mark.parametrize(
    ("condition", "strange"),
    [
        ('/employeeTyp eq "staff"', "employeeTyp"),
        ('/object/sn sw "A"', "object/sn"),
        ('/source/surname sw "A"', "source/surname"),
        ('source/surname pr and /source/sn eq "/uid eq 1"', "source/surname"),
        ('!(/source/sn eq "a" or (/mail pr))', "mail"),
        ('/source/sn eq "a"', None),
        ('/linkQualifier eq "x" and /source/email co "@" and /source/_id pr', None),
        ('/source/sn/0 eq "a \\" /uid eq b"', None),
        ("true", None),
        ({"type": "text/javascript", "source": "uid eq 1"}, None),
    ],
)
def test_a_condition_that_asks_for_what_is_not_there_is_met_by_nobody(condition, strange):
    """Seen on OpenIDM 6.1.0: /uid and /object/uid are nothing, /source/uid is the entry's."""
    document = {"name": "one", "source": "system/ldap/account", "target": "managed/user", "sourceCondition": condition}
    told = found([SyncMapping.parse(document)])
    assert [(name, against) for name, against, unused in told] == ([("sourceCondition", True)] if strange else [])
    assert not strange or f"asks for {strange}, which account does not have" in told[0][2]
    assert found([SyncMapping.parse({**document, "enableSync": False})]) == []


def test_several_at_once():
    names = [name for name, *unused in found(attributesToSynchronize=["x"], useTimestampsForSync="true")]
    assert names == ["attributesToSynchronize", "useTimestampsForSync"]


def test_a_system_that_is_no_directory_has_other_properties():
    assert found(kind="org.forgerock.openicf.csvfile.CSVFileConnector", attributesToSynchronize=["x"]) == []


def test_attributes_that_no_mapping_reads_are_not_missed():
    assert found(mappings=(), attributesToSynchronize=["x"]) == []


def test_contexts_that_are_no_names_are_not_compared():
    assert found(baseContextsToSynchronize=['ou="People, Inc",dc=example,dc=com']) == []


@pytest.mark.parametrize(
    "properties",
    [
        {"attributesToSynchronize": ["&{esv.attributes}"]},
        {"attributesToSynchronize": ["cn", "&{esv.more}"]},
        {"attributesToSynchronize": {"$list": "&{esv.attributes}"}},
        {"objectClassesToSynchronize": ["&{esv.class}"]},
        {"baseContextsToSynchronize": "&{esv.base}"},
        {"modifiersNamesToFilterOut": ["&{esv.who}", PROPERTIES["principal"]]},
        {"useTimestampsForSync": {"$bool": "&{esv.stamps|false}"}},
        {"changeNumberAttribute": "&{esv.number}"},
    ],
)
def test_what_a_placeholder_leaves_out_cannot_be_known(properties):
    ((name, against, effect),) = found(**properties)
    assert (name, against) == (next(iter(properties)), False)
    assert "cannot be known: a placeholder" in effect


def test_what_a_script_reads_of_the_whole_source_cannot_be_known():
    script = {"target": "name", "transform": {"type": "text/javascript", "source": "source.title + source.sn"}}
    mapping = SyncMapping.parse({"name": "one", "properties": [{"source": "sn", "target": "sn"}, script]})
    ((name, against, effect),) = found([mapping], attributesToSynchronize=["sn"])
    assert (name, against) == ("attributesToSynchronize", False) and "a script of one reads cannot be known" in effect
    assert found([mapping]) == []
    of_its_own = {"source": "sn", "target": "sn", "transform": {"source": "source.toUpperCase()"}}
    assert found([SyncMapping.parse({"name": "two", "properties": [of_its_own]})], attributesToSynchronize=["sn"]) == []


def test_time_stamps_may_be_meant_where_there_is_no_change_log():
    assert [one[:2] for one in found(useTimestampsForSync=True, logged=False)] == [("useTimestampsForSync", False)]

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each setting of a connector's configuration means, and what it keeps from liveSync: word for word."""

from __future__ import annotations

import copy
import pathlib
from dataclasses import replace

from ansible_collections.idmops.idm.plugins.module_utils._idm import connector_filters
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.tests.unit.doubles.connectors import LDAP
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
HIDDEN = "&{esv.x}"
PROPERTIES = {
    "uid": {"type": "string", "nativeName": "uid"},
    "mail": {"type": "string"},
    "sn": {"nativeName": "surname"},
}
BASE = {
    **LDAP,
    "configurationProperties": {**LDAP["configurationProperties"], "baseContextsToSynchronize": None},
    "objectTypes": {"account": {"nativeType": "__ACCOUNT__", "properties": PROPERTIES}, "group": {"id": "__GROUP__"}},
}
COPIES = [{"source": "uid", "target": "userName"}, {"source": "sn", "target": "sn"}]
MAPPING = {"name": "m", "source": "system/ldap/account", "target": "managed/user", "properties": COPIES}


def conf(**properties):
    return {"configurationProperties": {**BASE["configurationProperties"], **properties}}


def reference(**more):
    return {"connectorRef": {**LDAP["connectorRef"], **more}}


def typed(**more):
    return {"objectTypes": {"account": {"nativeType": "__ACCOUNT__", "properties": PROPERTIES, **more}}}


def described(**more):
    return typed(properties={**PROPERTIES, **more})


DOCUMENTS = {
    "as usual": {},
    "enabled: false": {"enabled": False},
    "enabled hidden": {"enabled": HIDDEN},
    "enabled not stated": {"enabled": None},
    "no name": {"name": None},
    "no document id": {"_id": None},
    "no reference": {"connectorRef": None},
    "remote": reference(connectorHostRef="rcs1"),
    "open bundle": reference(bundleName="org.openidentityplatform.openicf.connectors.ldap-connector"),
    "another bundle": reference(bundleName="com.forgerock.ldap-connector"),
    "a CSV file": reference(connectorName="org.forgerock.openicf.csvfile.CSVFileConnector"),
    "no properties": {"configurationProperties": None},
    "host hidden": conf(host=HIDDEN),
    "port hidden": conf(port=HIDDEN),
    "no port": conf(port=None),
    "no ssl": conf(ssl=None),
    "ssl hidden": conf(ssl=HIDDEN),
    "ssl off": conf(ssl=False),
    "one failover": conf(failover="ldap://ds2.example.com"),
    "a failover with a strange port": conf(failover=["ldap://ds2.example.com:x", "ds3.example.com"]),
    "a failover without a host": conf(failover=["ldap://", "ds3.example.com:7"]),
    "no base contexts": conf(baseContexts=[]),
    "a base context hidden": conf(baseContexts=["dc=a", HIDDEN]),
    "narrower contexts to synchronise": conf(baseContextsToSynchronize=["ou=People,dc=example,dc=com"]),
    "time stamps": conf(useTimestampsForSync=True),
    "time stamps, no contexts to synchronise": conf(useTimestampsForSync="true", baseContextsToSynchronize=None),
    "time stamps hidden": conf(useTimestampsForSync=HIDDEN),
    "wider contexts to synchronise": conf(baseContextsToSynchronize=["dc=com"]),
    "the same contexts to synchronise": conf(baseContextsToSynchronize=["DC=example, dc=com"]),
    "contexts to synchronise that are no names": conf(baseContextsToSynchronize=["x"]),
    "contexts to synchronise hidden": conf(baseContextsToSynchronize=[HIDDEN]),
    "attributes, all that are read": conf(attributesToSynchronize=["UID", "surname"]),
    "attributes, not all": conf(attributesToSynchronize=["mail"]),
    "attributes hidden": conf(attributesToSynchronize=["mail", HIDDEN]),
    "a filter": conf(accountSynchronizationFilter="(mail=*)"),
    "a filter, the same as of the search": conf(
        accountSynchronizationFilter="(mail=*)", accountSearchFilter="(mail=*)"
    ),
    "a filter of the search alone": conf(accountSearchFilter="mail=*"),
    "a filter of the search in brackets": conf(accountSearchFilter="(mail=*)"),
    "a filter hidden": conf(accountSynchronizationFilter=HIDDEN),
    "a filter of the search hidden": conf(accountSearchFilter=HIDDEN),
    "a filter of groups": conf(groupSynchronizationFilter="(cn=*)"),
    "classes": conf(objectClassesToSynchronize=["person"], accountObjectClasses=["inetOrgPerson"]),
    "classes, one of them": conf(objectClassesToSynchronize=["Person"], accountObjectClasses=["top", "person"]),
    "classes to synchronise alone": conf(objectClassesToSynchronize=["x"]),
    "classes of accounts alone": conf(accountObjectClasses=["a(b"]),
    "classes hidden": conf(accountObjectClasses=["a", HIDDEN]),
    "modifiers": conf(modifiersNamesToFilterOut=["UID=idm,ou=apps,dc=example,dc=com", "uid=hr"]),
    "its own modifier": conf(modifiersNamesToFilterOut=["uid=IDM, ou=apps,dc=example,dc=com"]),
    "a modifier that is no name": conf(modifiersNamesToFilterOut=["x "]),
    "no principal": conf(principal=None, modifiersNamesToFilterOut=["uid=hr"]),
    "a change number": conf(changeNumberAttribute="x"),
    "the usual change number": conf(changeNumberAttribute="changeNumber"),
    "a block size that is none": conf(changeLogBlockSize="x"),
    "uid attribute hidden": conf(uidAttribute=HIDDEN),
    "no policy": {"syncFailureHandler": None},
    "a policy that never gives up": {"syncFailureHandler": {"maxRetries": -1, "postRetryAction": "logged-ignore"}},
    "a policy without retries": {"syncFailureHandler": {"maxRetries": 0, "postRetryAction": "dead-letter-queue"}},
    "a policy hidden": {"syncFailureHandler": {"maxRetries": HIDDEN, "postRetryAction": "logged-ignore"}},
    "a policy with a script": {"syncFailureHandler": {"maxRetries": 2, "postRetryAction": {"script": {"type": "x"}}}},
    "liveSync denied": {"operationOptions": {"SYNC": {"denied": True}}},
    "liveSync denied hidden": {"operationOptions": {"SYNC": {"denied": HIDDEN}}},
    "liveSync denied to accounts": {
        "operationOptions": {"SYNC": {"objectFeatures": {"__ACCOUNT__": {"denied": True}}}}
    },
    "liveSync denied to all but accounts": {
        "operationOptions": {"SYNC": {"denied": True, "objectFeatures": {"account": {"denied": "false"}}}}
    },
    "liveSync of accounts alone": {"operationOptions": {"SYNC": {"supportedObjectTypes": ["__ACCOUNT__"]}}},
    "another native type": typed(nativeType="inetOrgPerson"),
    "no native type": typed(nativeType=None, id="__ACCOUNT__"),
    "no type at all": typed(nativeType=None),
    "a property withheld": described(sn={"flags": ["NOT_RETURNED_BY_DEFAULT"]}),
    "a property that is not there": typed(properties={"uid": {}}),
    "no object types": {"objectTypes": None},
}
MAPPINGS = {
    "as usual": {},
    "off": {"enableSync": False, "properties": [{"source": "nope", "target": "x"}]},
    "reads what is not there": {"properties": [{"source": "nope/a", "target": "x"}]},
    "reads what is not there, with a default": {"properties": [{"source": "nope", "target": "x", "default": "y"}]},
    "reads what is not there, by a script": {"properties": [{"source": "nope", "target": "x", "transform": {"a": 1}}]},
    "reads what begins with an underscore": {"properties": [{"source": "_id", "target": "x"}]},
    "a script reads all": {"properties": [{"target": "x", "transform": {"type": "x"}}]},
    "a condition": {"sourceCondition": '/source/mail eq "a co b" and /source/_id pr'},
    "a condition of what is not there": {"sourceCondition": '/source/nope eq "x" or /object/mail pr'},
    "a condition of the qualifier": {"sourceCondition": '/linkQualifier eq "x"'},
    "a condition hidden": {"sourceCondition": '/&{x}/mail eq "x"'},
    "a condition, off": {"sourceCondition": "/nope pr", "enableSync": False},
}


def parsed(**more):
    return Connector.parse({**copy.deepcopy(BASE), **more})


def told(connector):
    shown = {**vars(connector), "failure_policy": connector.failure_policy.as_result()}
    shown.update(servers=connector.servers, reads_change_log=connector.reads_change_log)
    shown.update((f"result {name}", value) for name, value in connector.as_result().items())
    shown["withheld"] = {name: sorted(keys) for name, keys in connector.withheld.items()}
    del shown["sync_settings"]
    for kind in ("account", "group"):
        for name in ("classes_filter", "classes_named_by", "search_filter", "entry_filter", "sync_filter"):
            shown[f"{name} of {kind}"] = getattr(connector_filters, name)(connector, kind)
    return [f"{name}: {value}" for name, value in shown.items()]


def test_what_each_setting_means():
    usual = told(parsed())
    found = {name: [one for one in told(parsed(**more)) if one not in usual] for name, more in DOCUMENTS.items()}
    compare(
        FILES / "connectors.yml",
        "What a connector is, and what each setting makes another.",
        {**found, "as usual": usual},
    )


def test_what_each_setting_keeps_from_livesync():
    plain = SyncMapping.parse(MAPPING)
    found = {}
    for name, more in DOCUMENTS.items():
        for logged in (True, False):
            said = connector_filters.filters_of(parsed(**more), "account", [plain], logged=logged)
            found[name if logged else f"{name}, without a log"] = list(map(line, said))
    for name, more in MAPPINGS.items():
        for document in ("as usual", "attributes, not all", "a property withheld"):
            one = SyncMapping.parse({**MAPPING, **more})
            said = connector_filters.filters_of(
                parsed(**DOCUMENTS[document]), "account", [plain, replace(one, name="n")], logged=True
            )
            found[f"mapping: {name} / {document}"] = [text for text in map(line, said) if text not in found[document]]
    logless = ", without a log"
    same = {name for name in found if name.endswith(logless) and found[name] == found[name.removesuffix(logless)]}
    told = {name: said for name, said in found.items() if said and name not in same}
    compare(FILES / "filters.yml", "What each setting of a connector or a mapping keeps from liveSync.", told)


def line(one):
    against = f"{'against' if one.against else 'maybe meant'}{', empties' if one.empties else ''}"
    return f"{one.property} ({one.value}), {against}: {one.effect} -> {one.remedy}"

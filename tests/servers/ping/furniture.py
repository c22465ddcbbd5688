# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server has at its start: one LDAP connector, two mappings, the product's own schedules, some people."""

from __future__ import annotations

import typing as t

from .world import World

SOURCE = "system/ldap/account"
MAPPING = "systemLdapAccount_managedUser"

#: The cloud's LDAP connector, shortened to what is read of it (recorded 7): numbers are strings, there is no "name",
#: the principal has no failure policy unless somebody gave it one.
_LDAP: dict[str, t.Any] = {
    "connectorRef": {
        "bundleName": "org.forgerock.openicf.connectors.ldap-connector",
        "bundleVersion": "[1.5.0.0,1.6.0.0)",
        "connectorHostRef": "rcs1",
        "connectorName": "org.identityconnectors.ldap.LdapConnector",
        "displayName": "LDAP Connector",
        "systemType": "provisioner.openicf",
    },
    "configurationProperties": {
        "accountObjectClasses": ["top", "person", "organizationalPerson", "inetOrgPerson"],
        "baseContexts": ["dc=example,dc=com"],
        "baseContextsToSynchronize": ["dc=example,dc=com"],
        "changeLogBlockSize": "100",
        "changeNumberAttribute": "changeNumber",
        "credentials": "connector-password",
        "failover": [],
        "host": "ds.example.com",
        "objectClassesToSynchronize": ["inetOrgPerson"],
        "port": "1636",
        "principal": "uid=idm,ou=apps,dc=example,dc=com",
        "resetSyncToken": "never",
        "ssl": True,
        "uidAttribute": "entryUUID",
        "useTimestampsForSync": False,
    },
    "enabled": True,
    "objectTypes": {
        "account": {
            "$schema": "http://json-schema.org/draft-03/schema",
            "id": "__ACCOUNT__",
            "nativeType": "__ACCOUNT__",
        }
    },
    "operationTimeout": {"SYNC": -1, "SEARCH": -1, "TEST": -1},
    "poolConfigOption": {"maxIdle": 10, "maxObjects": 10, "maxWait": 150000, "minIdle": 1},
    "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "logged-ignore"},  # recorded 7, CHC
}
_POLICIES = [
    {"situation": situation, "action": action}
    for situation, action in (
        ("ABSENT", "CREATE"),
        ("ALL_GONE", "IGNORE"),
        ("AMBIGUOUS", "IGNORE"),
        ("CONFIRMED", "UPDATE"),
        ("FOUND", "UPDATE"),
        ("SOURCE_MISSING", "IGNORE"),
        ("UNASSIGNED", "IGNORE"),
        ("UNQUALIFIED", "IGNORE"),
    )
]


def furnish(world: World, people: int) -> None:
    """Put all of it in.

    :param people: how many there are in the directory.
    """
    inbound = {"name": MAPPING, "source": SOURCE, "target": "managed/user", "properties": [], "policies": _POLICIES}
    outbound = {
        "name": "managedUser_systemLdapAccount",
        "source": "managed/user",
        "target": SOURCE,
        "enableSync": {"$bool": "&{esv.gac.enable.mapping}"},  # a placeholder where a boolean stands (recorded 6)
        "links": MAPPING,
        "properties": [],
        "policies": _POLICIES,
    }
    world.config["provisioner.openicf/ldap"] = _LDAP
    world.config["provisioner.openicf.connectorinfoprovider"] = {
        "connectorsLocation": "connectors",
        "remoteConnectorClients": [{"name": "rcs1", "enabled": True, "useSSL": True}],
        "remoteConnectorServers": [],
    }
    if world.mode.name == "standalone":  # both homes of mappings occur (recorded 6)
        world.config["sync"] = {"mappings": [inbound, outbound]}
    else:
        world.config[f"mapping/{MAPPING}"] = inbound
        world.config["sync"] = {"mappings": [{**outbound, "_id": "sync/managedUser_systemLdapAccount"}]}
    world.config["schedule/taskscan_activate"] = {  # the product's own: eight keys only (recorded 5, F)
        "concurrentExecution": False,
        "enabled": False,
        "invokeContext": {"task": {"script": {"type": "text/javascript", "file": "x.js"}}, "waitForCompletion": False},
        "invokeService": "taskscanner",
        "persisted": True,
        "repeatInterval": 86400000,
        "type": "simple",
    }
    for number in range(people):
        uid = f"user.{number}"
        world.directory.put(uid, givenName=f"Given {number}", sn=f"Surname {number}", mail=f"{uid}@example.com")

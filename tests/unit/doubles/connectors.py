# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of an LDAP connector, and the requests that find and test it."""

from __future__ import annotations

from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, refused

CRYPTO = {"$crypto": {"type": "x-simple-encryption", "value": {"data": "abc"}}}
LDAP = {
    "_id": "provisioner.openicf/ldap",
    "name": "ldap",
    "enabled": True,
    "connectorRef": {"connectorHostRef": "#LOCAL", "connectorName": "org.identityconnectors.ldap.LdapConnector"},
    "configurationProperties": {
        "host": "ds1.example.com",
        "port": "1636",
        "ssl": True,
        "principal": "uid=idm,ou=apps,dc=example,dc=com",
        "credentials": CRYPTO,
        "baseContexts": ["dc=example,dc=com"],
        "baseContextsToSynchronize": ["ou=People,dc=example,dc=com"],
        "failover": ["ldaps://ds2.example.com:2636", "ldap://ds3.example.com", "ds4.example.com", "&{esv.ds5}"],
        "uidAttribute": "entryUUID",
        "changeLogBlockSize": "100",
    },
    "objectTypes": {"group": {"id": "__GROUP__"}, "account": {"id": "__ACCOUNT__"}, "__ALL__": {}},
    "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "logged-ignore"},
}
OK = {"name": "ldap", "enabled": True, "config": "config/provisioner.openicf/ldap", "ok": True}
REFUSED = "javax.naming.CommunicationException: ds1.example.com:1636 [Root exception is Connection refused]"
GONE = refused(404, "Resource 'system/ldap' not found")


def not_ok(error):
    return {**OK, "ok": False, "error": error}


def listed(*ids):
    return call("GET", "config", {"configurations": [{"_id": item} for item in ("sync", *ids)]}, params=None)


def queried(*documents):
    return call("GET", "config", {"result": list(documents)}, {"_queryFilter": '_id sw "provisioner.openicf/"'})


def found():
    """Expect the two requests that find the only connector."""
    return [listed("provisioner.openicf/ldap"), call("GET", "config/provisioner.openicf/ldap", LDAP)]


def trial(answer):
    return call("POST", "system/ldap", answer, params={"_action": "test"})


def nodes(*states):
    return call(
        "GET", "cluster", {"results": [{"state": state, "startup": "2026-11-24T10:00:00Z"} for state in states]}
    )


ALONE = nodes("running")

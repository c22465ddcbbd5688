# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of a source on which nothing is left to do, and ways to spoil it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import Grants
from ansible_collections.idmops.idm.plugins.module_utils._changelog.limits import assess
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Access, Account, Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.server_config import ServerDefaults
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector, ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load, as_document
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import (
    DirectoryFacts,
    ServerFacts,
    SourceEvidence,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule

SOURCE = "system/ldap/account"
URI = "ldaps://ds1.example.com:4444"
PRINCIPAL = "uid=idm,ou=apps,dc=example,dc=com"
RECORD = {"m": Load("r-1", "2026-11-24T12:00:00Z", ("a",))}
LOG = ChangeLog(1, 100, "change_numbers", "cn=changelog")

CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "name": "ldap",
        "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
        "configurationProperties": {
            "host": "ds1.example.com",
            "port": 1389,
            "principal": PRINCIPAL,
            "baseContexts": ["ou=People,dc=example,dc=com"],
            "uidAttribute": "entryUUID",
        },
        "objectTypes": {"account": {}, "group": {}},
        "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "dead-letter-queue"},
    }
)

MAPPING = SyncMapping.parse(
    {
        "name": "m",
        "source": SOURCE,
        "target": "managed/user",
        "correlationQuery": {"type": "text/javascript", "file": "correlate.js"},
        "policies": [
            {"situation": "SOURCE_MISSING", "action": "DELETE"},
            {"situation": "UNQUALIFIED", "action": "IGNORE"},
        ],
    }
)


def job(name="liveSync_ldap_account", enabled=True, record=None, source=SOURCE, storage="job"):
    context = {"action": "liveSync", "source": source}
    record = RECORD if record is None else record
    if record:
        context["initialLoad"] = as_document(record)
    document = {
        "_id": name,
        "enabled": enabled,
        "type": "cron",
        "schedule": "0/15 * * * * ?",
        "invokeService": "provisioner",
        "invokeContext": context,
    }
    return Schedule.parse(document, storage)


def grants(entries=100, missing=(), log=LOG, size_limit=0, lookthrough_limit=0, index_entry_limit=4000):
    limits = {"size_limit": size_limit, "lookthrough_limit": lookthrough_limit, "time_limit": 0}
    account = Account(PRINCIPAL, limits=limits)
    return Grants(
        account=account,
        acis=(),
        change_log=log,
        access=Access(*(name not in missing for name in ("privilege", "root_dse", "change_log"))),
        limits=assess(account, ServerDefaults(), entries=entries, indexed=entries, index_entry_limit=index_entry_limit),
    )


def directory(before=None, after=None, **facts):
    before = before or grants()
    server = ServerFacts(URI, before, after or before)
    known = {"uri": URI, "principal": PRINCIPAL, "servers": (server,), "alias_search": True}
    return DirectoryFacts(**{**known, "seen": Visibility(100, 100), **facts})


def finished(token=50, native_type="integer", **spoilt):
    """Return the evidence of a finished source, with some of it replaced."""
    evidence = SourceEvidence(
        request=SourceRequest(Source.parse(SOURCE), directory={"servers": [URI]}),
        connector=CONNECTOR,
        test=ConnectorTest("ldap", True, None, True),
        mappings=(MAPPING,),
        known_systems=("ldap",),
        schedules=(job(),),
        job=job(),
        job_name="liveSync_ldap_account",
        stage=None if token is None else Stage("1", token, native_type),
        record=RECORD,
        directory=directory(),
    )
    return replace(evidence, **spoilt)

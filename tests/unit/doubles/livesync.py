# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of liveSync, as a scripted client expects them, and the answers of OpenIDM 6.1.0 to them."""

from __future__ import annotations

from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer
from ansible_collections.idmops.idm.tests.unit.doubles.record import RECORDS, RecordStore
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ANYTHING, ScriptedClient, Traced, call, refused

SOURCE = "system/ldap/account"
STAGE = "repo/synchronisation/pooledSyncStage/SYSTEMLDAPACCOUNT"
UUID = "60483ab6-d26a-34fe-acab-cdeed50f12a4"
DN = "uid=user.3,ou=People,dc=example,dc=com"
CONNECTOR = {
    "name": "ldap",
    "enabled": True,
    "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector", "connectorHostRef": "#LOCAL"},
    "configurationProperties": {
        "host": "localhost",
        "port": 1389,
        "principal": "uid=idm",
        "baseContexts": ["ou=People"],
    },
    "objectTypes": {"account": {}, "group": {}},
    "syncFailureHandler": {"maxRetries": 5, "postRetryAction": "logged-ignore"},
}
OLD, NEW = "2026-11-24T10:00:00.000Z", "2026-11-24T12:00:00.000Z"


class LiveSyncClient(ScriptedClient):
    """A scripted client with all that runs of liveSync use of a client; its siblings are itself.

    The run records it keeps by itself, so that no script has to tell of them.
    """

    url = "https://idm.example.com/openidm"
    server_time = "2026-11-24T11:00:00Z"
    auth_method = "openidm"
    timeout = 30
    #: the status of a PUT that was taken; None: 201 where it was to create something
    put_status = None

    def __init__(self, *calls, **how):
        super().__init__(*calls, **how)
        self.records = RecordStore()

    def get(self, path, params=None, none_on=(), **how):
        if path.startswith(RECORDS):
            return self.records.answer("GET", path, none_on=none_on).body
        return super().get(path, params, none_on, **how)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def sibling(self):
        return self

    def delete(self, path, headers=None, none_on=(), **how):
        if path.startswith(RECORDS):
            return self._kept("DELETE", path, None, headers, none_on).body
        return self._answer("DELETE", path, None, headers, none_on, **how)

    def request(self, method, path, params=None, none_on=(), body=None, headers=None, **how):
        if path.startswith(RECORDS):
            return self._kept(method, path, body, headers, none_on)
        answered = self._answer(method, path, params, body, none_on, headers, **how)
        created = 201 if "If-None-Match" in (headers or {}) else 200
        return Answer(404 if answered is None else self.put_status or created, answered, {})

    def _kept(self, method, path, body, headers, none_on):
        assert not self.check_mode, f"a write in check mode: {method} {path}"
        return self.records.answer(method, path, body, headers, none_on)


def delta(kind="UPDATE", token=3, uid=UUID, name=DN, attributes=""):
    """The record that a stage keeps, as XML."""
    named = f"<Name>{name}</Name>" if name else ""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<!DOCTYPE SyncDelta PUBLIC 'connectors.dtd' 'connectors.dtd'>\n"
        f"<SyncDelta><SyncDeltaType value='{kind}'/><SyncToken><value><Integer>{token}</Integer></value></SyncToken>"
        f"<ObjectClass type='__ACCOUNT__'/><Uid uid='{uid}'/><ConnectorObject><ObjectClass type='__ACCOUNT__'/>"
        f"<Attributes>{named}{attributes}<Uid uid='{uid}'/></Attributes></ConnectorObject></SyncDelta>"
    )


def failed_text(retries=0, uid=UUID):
    return f"Failed to synchronize {uid} object on ldap, retries ({retries}) not exhausted."


def document(rev, token, failure=None, xml=None):
    """A stage as the repository shows it."""
    body = {"_id": "SYSTEMLDAPACCOUNT", "_rev": rev, "connectorData": {"nativeType": "integer", "syncToken": token}}
    if failure:
        body["lastException"] = {"throwable": failure, **({"syncDelta": xml} if xml else {})}
    return body


def stage(rev, token, failure=None, xml=None):
    return call("GET", STAGE, document(rev, token, failure, xml))


def no_stage():
    return call("GET", STAGE, refused(404))


def broken_stage(exc):
    return call("GET", STAGE, exc)


def cluster(*startups):
    nodes = [{"instanceId": f"node{n}", "startup": text, "state": "running"} for n, text in enumerate(startups)]
    return call("GET", "cluster", {"results": nodes} if startups else refused(404))


def post(answer, **params):
    return call("POST", SOURCE, answer, params={"_action": "liveSync", **params}, headers=Traced(), timeout=ANYTHING)


def answer(token, rev="1", failure=None):
    """What liveSync answers: the revision is that from before the run."""
    return document(rev, token, failure)


def executing(*sources):
    jobs = [{"invokeService": "provisioner", "invokeContext": {"action": "liveSync", "source": s}} for s in sources]
    return call("POST", "scheduler/job", jobs, params={"_action": "listCurrentlyExecutingJobs"})


def entry(timestamp=OLD, record=UUID, failed=False, cause=None):
    return {
        "_id": f"{record}-{timestamp}",
        "timestamp": timestamp,
        "sourceObjectId": f"{SOURCE}/{record}",
        "action": "UPDATE",
        "situation": "CONFIRMED",
        "status": "FAILURE" if failed else "SUCCESS",
        "exception": f"org.forgerock.openidm.sync.SynchronizationException: {cause}\n\tat x" if cause else None,
    }


def audit(*entries, **params):
    """An answer of audit/sync; none given: it does not answer."""
    return call("GET", "audit/sync", {"result": list(entries)}, **({"params": params} if params else {}))


def audit_config(*kept_out):
    """What config/audit keeps out of the log."""
    policies = {"field": {"excludeIf": [], "includeIf": []}, "value": {"excludeIf": list(kept_out), "includeIf": []}}
    return call("GET", "config/audit", {"auditServiceConfig": {"filterPolicies": policies}})


def calls(*found, other=True):
    """What audit/access answers; ``other``: it tells of calls, and not of the one that is sought."""
    looks = [call("GET", "audit/access", {"result": list(found)})]
    return looks if found else [*looks, call("GET", "audit/access", {"result": [{"_id": "another"}] if other else []})]


def no_calls():
    """audit/access does not answer."""
    return call("GET", "audit/access", refused(501))


def ended(transaction, status="SUCCESSFUL", code=None):
    """A call of ours as audit/access of OpenIDM 6.1.0 tells of it once it has ended."""
    headers = {"X-ForgeRock-TransactionId": [transaction], "Host": ["localhost"]}
    path = "https://idm.example.com/openidm/system/ldap/account"
    return {
        "_id": "call",
        "timestamp": "2026-11-24T11:00:09.511Z",
        "transactionId": "0274174d-1291",
        "http": {"request": {"method": "POST", "path": path, "headers": headers}},
        "response": {"status": status, "statusCode": code, "elapsedTime": 11039},
    }


def no_audit():
    return call("GET", "audit/sync", refused(503))


def connectors(document=None):
    document = document or CONNECTOR
    return (
        call("GET", "config", {"configurations": [{"_id": "provisioner.openicf/ldap"}]}),
        call("GET", "config/provisioner.openicf/ldap", document),
    )


def version():
    return call("GET", "info/version", {"productVersion": "6.1.0"})


def job(name="nightly", source=SOURCE, enabled=True, cron="0/15 * * * * ?", **more):
    return {
        "_id": name,
        "enabled": enabled,
        "persisted": True,
        "type": "cron",
        "schedule": cron,
        "invokeService": "org.forgerock.openidm.provisioner",
        "invokeContext": {"action": "liveSync", "source": source},
        **more,
    }


def schedules(*jobs):
    return call("GET", "scheduler/job", {"result": list(jobs)})

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""OpenIDM's repository in PostgreSQL: from one description its tables, and the mapping that the nodes read.

An object is either a row of a generic table (all of it as JSON; what can be searched by is in a table of properties
too) or of a table of its own with a column for each field. The object types, their fields and the identifiers of
queries that the server asks for are those of OpenIDM 6.1.0 ("events.json" of the audit service and "auditTopics.json"
of its bundle for the events; the others as seen on a running server).
"""

from ..stack.settings import ANONYMOUS_PASSWORD, ANONYMOUS_USERNAME, IDM_PASSWORD, IDM_USERNAME

SCHEMA = "openidm"

#: Object types that are kept as JSON, and their tables. "default" is for all that is named nowhere.
GENERIC = {
    "default": "genericobjects", "managed/*": "managedobjects", "managed/user": "managedobjects",
    "scheduler": "schedulerobjects", "cluster": "clusterobjects", "config": "configobjects",
    "relationship": "relationships",
}
LIST, MAP = "JSON_LIST", "JSON_MAP"

_EVENT = {"_id": "", "transactionId": "", "timestamp": "", "eventName": "", "userId": "", "trackingIds": LIST}
_CHANGE = {**_EVENT, "runAs": "", "objectId": "", "operation": "", "before": MAP, "after": MAP, "changedFields": LIST,
           "revision": ""}
_SYNC = {**_EVENT, "action": "", "exception": "", "linkQualifier": "", "mapping": "", "message": "",
         "messageDetail": MAP, "situation": "", "sourceObjectId": "", "status": "", "targetObjectId": ""}

#: Object types with a column for each field: the field's type, "" for plain text.
EXPLICIT = {
    "link": {"_id": "", "_rev": "", "linkType": "", "firstId": "", "secondId": "", "linkQualifier": ""},
    "internal/user": {"_id": "", "_rev": "", "password": "", "roles": LIST},
    "internal/role": {"_id": "", "_rev": "", "description": ""},
    "security/keys": {"_id": "", "_rev": "", "keyPair": ""},
    "audit/access": {
        **_EVENT, "server/ip": "", "server/port": "", "client/ip": "", "client/port": "", "request/protocol": "",
        "request/operation": "", "request/detail": MAP, "http/request/secure": "", "http/request/method": "",
        "http/request/path": "", "http/request/queryParameters": MAP, "http/request/headers": MAP,
        "http/request/cookies": MAP, "http/response/headers": MAP, "response/status": "", "response/statusCode": "",
        "response/detail": MAP, "response/elapsedTime": "", "response/elapsedTimeUnits": "", "roles": LIST},
    "audit/activity": {**_CHANGE, "status": "", "message": "", "passwordChanged": ""},
    "audit/authentication": {**_EVENT, "result": "", "principal": LIST, "context": MAP, "entries": LIST},
    "audit/config": _CHANGE,
    "audit/recon": {**_SYNC, "reconciling": "", "ambiguousTargetObjectIds": "", "reconAction": "", "entryType": "",
                    "reconId": ""},
    "audit/sync": _SYNC,
}

#: Columns that are not named as their field.
_COLUMNS = {"_id": "objectid", "_rev": "rev", "password": "pwd", "objectId": "changedobject"}
_PAGE = " LIMIT ${int:_pageSize} OFFSET ${int:_pagedResultsOffset}"


def table(kind):
    """The table of an object type that has its own."""
    return "links" if kind == "link" else kind.replace("/", "")


def column(field):
    """The column of a field."""
    return _COLUMNS.get(field, field.replace("/", "_").lower())


def _properties(main):
    return main[:-1] + "properties" if main.endswith("objects") else main + "properties"


def _json_field(name):
    return "json_extract_path_text(fullobject, '%s')" % name


def _queries():
    """The named queries and commands that the server asks for."""
    one = ("FROM ${_dbSchema}.${_mainTable} obj JOIN ${_dbSchema}.objecttypes kind ON kind.id = obj.objecttypes_id"
           " WHERE kind.objecttype = ${_resource}")
    every = "FROM ${_dbSchema}.${_table}"
    state = "SELECT fullobject::text FROM ${_dbSchema}.${_mainTable} WHERE "
    return {
        "genericTables": {
            "query-all-ids": "SELECT obj.objectid %s%s" % (one, _PAGE),
            "query-all-ids-count": "SELECT COUNT(obj.objectid) AS total %s" % one,
            "query-all": "SELECT obj.fullobject::text %s%s" % (one, _PAGE),
            "query-all-count": "SELECT COUNT(obj.objectid) AS total %s" % one,
            "query-cluster-instances": state + _json_field("type") + " = 'state'",
            "query-cluster-events": "%s%s = 'event' AND %s = ${instanceId}" % (
                state, _json_field("type"), _json_field("instanceId")),
            "query-cluster-failed-instances": "%s%s <= ${timestamp} AND %s IN ('1', '2')" % (
                state, _json_field("timestamp"), _json_field("state")),
        },
        "explicitTables": {
            "query-all-ids": "SELECT objectid %s%s" % (every, _PAGE),
            "query-all-ids-count": "SELECT COUNT(objectid) AS total %s" % every,
            "query-all": "SELECT * %s%s" % (every, _PAGE),
            "query-all-count": "SELECT COUNT(objectid) AS total %s" % every,
            "credential-internaluser-query": "SELECT objectid, pwd, roles %s WHERE objectid = ${username}" % every,
            "links-for-firstId": "SELECT * %s WHERE linktype = ${linkType} AND firstid = ${firstId}%s" % (every, _PAGE),
            "links-for-linkType": "SELECT * %s WHERE linktype = ${linkType}%s" % (every, _PAGE),
        },
    }


def configuration():
    """The content of repo.jdbc.json."""
    def generic(main):
        return {"mainTable": main, "propertiesTable": _properties(main)}

    def field(name, kind):
        return {"column": column(name), "type": kind} if kind else column(name)

    kinds = {kind: main for kind, main in GENERIC.items() if kind != "default"}
    return {
        "dbType": "POSTGRESQL", "useDataSource": "default", "maxBatchSize": 100, "maxTxRetry": 5,
        "queries": _queries(),
        "commands": {"explicitTables": {
            "delete-mapping-links": "DELETE FROM ${_dbSchema}.${_table} WHERE linktype = ${mapping}"}},
        "resourceMapping": {
            "default": {**generic(GENERIC["default"]), "searchableDefault": True},
            "genericMapping": {kind: {**generic(main), "searchableDefault": False} for kind, main in kinds.items()},
            "explicitMapping": {
                kind: {"table": table(kind), "objectToColumn": {name: field(name, of) for name, of in fields.items()}}
                for kind, fields in EXPLICIT.items()},
        },
    }


def _quoted(text):
    return "'%s'" % text.replace("'", "''")


def sql():
    """The statements that make the tables, and the two users that the server makes on its own repository alone."""
    made = ["CREATE SCHEMA %s" % SCHEMA, "SET search_path TO %s" % SCHEMA,
            "CREATE TABLE objecttypes (id BIGSERIAL PRIMARY KEY, objecttype TEXT NOT NULL UNIQUE)"]
    for main in sorted(set(GENERIC.values())):
        values = _properties(main)
        made += [
            "CREATE TABLE %s (id BIGSERIAL PRIMARY KEY, objecttypes_id BIGINT NOT NULL REFERENCES objecttypes"
            " ON DELETE CASCADE, objectid TEXT NOT NULL, rev TEXT NOT NULL, fullobject JSON,"
            " UNIQUE (objecttypes_id, objectid))" % main,
            "CREATE TABLE %s (%s_id BIGINT NOT NULL REFERENCES %s ON DELETE CASCADE, propkey TEXT NOT NULL,"
            " proptype TEXT, propvalue TEXT)" % (values, main, main),
            "CREATE INDEX ON %s (%s_id)" % (values, main),
            "CREATE INDEX ON %s (propkey, propvalue)" % values,
        ]
    for kind, fields in EXPLICIT.items():
        columns = ["%s TEXT%s" % (column(name), " PRIMARY KEY" if name == "_id" else "") for name in fields]
        made.append("CREATE TABLE %s (%s)" % (table(kind), ", ".join(columns)))
    made += ["CREATE UNIQUE INDEX ON links (linktype, linkqualifier, %s)" % end for end in ("firstid", "secondid")]
    # What the mapping correlates by.
    made.append("CREATE INDEX ON managedobjects ((%s))" % _json_field("userName"))
    for name, password, role in ((IDM_USERNAME, IDM_PASSWORD, "openidm-admin"),
                                 (ANONYMOUS_USERNAME, ANONYMOUS_PASSWORD, "openidm-reg")):
        made.append("INSERT INTO internaluser (objectid, rev, pwd, roles) VALUES (%s, '0', %s, %s)" % (
            _quoted(name), _quoted(password), _quoted('[{"_ref":"repo/internal/role/%s"}]' % role)))
        made.append("INSERT INTO internalrole (objectid, rev) VALUES (%s, '0')" % _quoted(role))
    return "".join(statement + ";\n" for statement in made)

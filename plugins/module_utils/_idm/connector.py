# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connectors: find them, and test them.

A connector has two names: <alias> of config/provisioner.openicf/<alias>, and the field "name" of that document, which
is the one in system/<name> ("OpenIDM family over REST", section 5.1). Releases since IDM 7 have no such field: there
the alias is both.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from functools import partial

from .._base.errors import IdmopsError, InvalidOption, Refused, Unreachable
from .._base.filters import starts_with
from .._base.threads import side_by_side
from .._base.values import as_bool, as_dict, as_text
from .._http.answer import odd
from .._http.client import Client, segment
from .._http.form import id_of, objects
from .connector_config import DOCUMENTS, Connector, FailurePolicy, renamed
from .connector_remedy import remedy_for
from .source import Source

__all__ = [
    "NOT_AVAILABLE",
    "TWINS_REMEDY",
    "Connector",
    "ConnectorTest",
    "FailurePolicy",
    "as_shown",
    "checked",
    "config_path",
    "connector_document",
    "describe_connectors",
    "failed_test",
    "not_tested",
    "read_connector",
    "read_connectors",
    "test_connector",
    "test_connectors",
]

TWINS_REMEDY = "Remove all but one of them (DELETE config/provisioner.openicf/<alias>); then activate that one again."
#: How many connectors are tested at a time.
_AT_ONCE = 8
#: What the test says of a connector that IDM knows and does not run.
NOT_AVAILABLE = "connector not available"


@dataclass(frozen=True)
class ConnectorTest:
    """How a connector's test ended.

    :param error: the connector's own words where it is not ok.
    """

    name: str
    ok: bool
    error: str | None
    enabled: bool | None

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any]) -> ConnectorTest:
        """Return the test that an answer, or an item of an answer, holds."""
        ok = body.get("ok") is True
        error = None if ok else as_text(body.get("error")) or "no reason given"
        return cls(name=str(body.get("name")), ok=ok, error=error, enabled=as_bool(body.get("enabled")))


def list_configurations(client: Client) -> frozenset[str]:
    """Return the ids of all documents of the configuration, as in provisioner.openicf/ldap.

    :raises Unreachable, Refused: as the client.
    """
    where = f"GET {client.url}/config"
    items = objects(as_dict(client.get("config")).get("configurations"), where, "configurations")
    if not items:  # an IDM without any configuration does not answer at all
        raise odd(where, "a list of at least one object (configurations)", items)
    return frozenset(id_of(item, where) for item in items)


def read_connectors(client: Client, listed: t.Collection[str] | Refused | None = None) -> list[Connector]:
    """Return all connectors, sorted by name.

    Since IDM 7 one query returns whole documents ("Recorded HTTP answers", section 4); OpenIDM 6.1.0 answers an empty
    list to it, so what the list of configurations holds beyond that is read one by one.

    :param listed: what :func:`list_configurations` returned, or raised; None: it is asked.
    :raises Unreachable, Refused: as the client.
    """
    refused: Refused | None = None
    ids: set[str] = set()
    try:
        if isinstance(listed, Refused):
            raise listed
        known = list_configurations(client) if listed is None else listed
        ids = {name for name in known if name.startswith(DOCUMENTS)}
    except Refused as exc:
        if exc.status not in (403, 404, 501):
            raise
        refused = exc
    found = {} if len(ids) == 1 else {str(item["_id"]): item for item in _queried(client, alone=refused is not None)}
    if refused and not found:  # a refused list is no empty one, and the open fork answers the query with nothing
        raise refused
    for config_id in sorted(ids - set(found)):
        document = client.get(config_path(config_id), none_on=(404,))
        if document is not None:
            found[config_id] = {**connector_document(client, document, config_id), "_id": config_id}
    return sorted(_with_twins([Connector.parse(document) for document in found.values()]), key=lambda one: one.name)


def connector_of(client: Client, system: str) -> Connector | None:
    """Return one connector, None where there is none: its own document first, which mostly has its name.

    :param system: its name, as in system/<name>.
    :raises Unreachable, Refused: as the client.
    """
    config_id = f"{DOCUMENTS}{system}"
    document = client.get(config_path(config_id), none_on=(404,))
    if document is not None:
        found = Connector.parse({**connector_document(client, document, config_id), "_id": config_id})
        if found.name == system:
            return found
    return next((one for one in read_connectors(client) if one.name == system), None)


def _with_twins(connectors: t.Sequence[Connector]) -> list[Connector]:
    """Note the connectors that have more than one document (a copy under another alias keeps the name)."""
    ids: dict[str, list[str]] = {}
    for connector in connectors:
        ids.setdefault(connector.name, []).append(connector.config_id)
    return [
        replace(connector, twins=tuple(sorted(ids[connector.name]))) if len(ids[connector.name]) > 1 else connector
        for connector in connectors
    ]


def read_connector(client: Client, system: str, option: str = "system") -> Connector:
    """Return one connector.

    :param system: its name, as in system/<name>.
    :param option: the option that the name came with, for the error.
    :raises InvalidOption: when there is none of that name; it lists those there are.
    """
    connectors = read_connectors(client)
    for connector in connectors:
        if connector.name == system:
            return connector
    raise _no_such(system, [connector.name for connector in connectors], option)


def check_source(source: Source, connectors: t.Iterable[Connector], option: str = "source") -> None:
    """Check that IDM has a source.

    :param connectors: all that there are.
    :param option: the option that the source came with, for the error.
    :raises InvalidOption: when it has not; it names what there is.
    """
    known = list(connectors)
    if said := renamed(source.system, known):
        raise InvalidOption(option, str(source), said)
    source.check({one.name: one.object_types for one in known}, option)


def _no_such(system: str, known: t.Iterable[str], option: str) -> InvalidOption:
    names = ", ".join(known)
    return InvalidOption(option, system, f"IDM has these connectors: {names}." if names else "IDM has no connector.")


def test_connectors(client: Client) -> list[ConnectorTest]:
    """Test all connectors in one request; one that is disabled may be missing.

    IDM answers when the last of them has (seen on OpenIDM 6.1.0 with a directory that was stopped): where no answer
    comes, each is tested by itself, so that a system that hangs is known by its name and hides no other.

    :raises Unreachable, Refused: as the client.
    """
    try:
        return [ConnectorTest.parse(item) for item in client.post("system", {"_action": "test"}, expect=list) or []]
    except Unreachable as exc:
        if not exc.timed_out:
            raise
        names = [connector.name for connector in read_connectors(client) if connector.enabled is not False]
        if len(names) == 1:
            return [_hanging(names[0], exc)]
        return side_by_side([partial(_test_alone, client, name) for name in names], _AT_ONCE)


def _test_alone(client: Client, system: str) -> ConnectorTest:
    """Test a connector over a connection of its own; no answer is a failure of this one alone."""
    with client.sibling() as own:
        try:
            return test_connector(own, system)
        except Unreachable as exc:
            return _hanging(system, exc)


def _hanging(system: str, exc: Unreachable) -> ConnectorTest:
    reason = f"the test has no end, as where the system behind the connector hangs ({exc.message.rstrip('.')})"
    return ConnectorTest(name=system, ok=False, error=reason, enabled=None)


def test_connector(client: Client, system: str) -> ConnectorTest:
    """Test one connector. One without a route (disabled, or just being activated) is not ok.

    :raises Unreachable, Refused: as the client; for an answer that says neither that it is well nor what ails it, too.
    """
    path = f"system/{segment(system)}"
    try:
        body = as_dict(client.post(path, {"_action": "test"}))
    except Refused as exc:
        if exc.status != 404 or not exc.own:
            raise
        return ConnectorTest(name=system, ok=False, error=NOT_AVAILABLE, enabled=None)
    if as_bool(body.get("ok")) is None and not as_text(body.get("error")):
        raise odd(f"POST {client.url}/{path}?_action=test", "a truth value (ok)", body.get("ok"))
    return ConnectorTest.parse({"name": system, **body})


def describe_connectors(client: Client, systems: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Test connectors; return what users see of each.

    :param systems: their names; all that there are where none is given.
    :raises InvalidOption: when there is none of a name; it lists those there are.
    :raises Unreachable, Refused: as the client.
    """
    connectors = {connector.name: connector for connector in read_connectors(client)}
    for system in systems:
        if system not in connectors:
            raise _no_such(system, connectors, "systems")
    tests = {} if systems else {test.name: test for test in test_connectors(client)}
    found = []
    for connector in (connectors[name] for name in dict.fromkeys(systems or connectors)):
        test = tests.get(connector.name)
        found.append(as_shown(connector, test if test and test.ok else checked(client, connector)))
    return found


def sentences(shown: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return what came of the tests of connectors, as users see them, in a sentence for each."""
    told = [
        f"The test of the connector {one['name']} " + ("succeeds." if one["ok"] else f"fails: {one['error']}")
        for one in shown
    ]
    return " ".join(told) or "IDM has no connector."


def checked(client: Client, connector: Connector) -> ConnectorTest:
    """Test a connector, twice where the first test fails and may have woken up what it runs on.

    The first operation of a remote connector server that has just started fails ("Recorded HTTP answers", section 7).
    """
    test = test_connector(client, connector.name)
    if not test.ok and connector.remote and connector.enabled is not False:
        test = test_connector(client, connector.name)
    return test


def rouse(client: Client, systems: t.Iterable[str]) -> None:
    """Test connectors before their first operation, for those that are remote: see :func:`checked`.

    What the tests say is the operation's to tell.
    """
    for system in systems:
        try:
            if not test_connector(client, system).ok:
                test_connector(client, system)
        except (Unreachable, Refused):
            continue


def as_shown(connector: Connector, test: ConnectorTest) -> dict[str, t.Any]:
    """Return a connector and its test as modules show them; it holds no secret."""
    remedy = None if test.ok else failed_test(connector, test).remedy
    return {**connector.as_result(), "ok": test.ok, "error": test.error, "remedy": remedy}


def failed_test(connector: Connector, test: ConnectorTest, consequence: str = "") -> IdmopsError:
    """Return the error for a connector whose test is not ok.

    :param consequence: a sentence to add, with a blank before it.
    """
    if connector.enabled is False:
        message = f"The connector {connector.name} is disabled."
        remedy = f'Set "enabled" to true in config/{connector.config_id}.'
    else:
        where = f" ({connector.host}:{connector.port})" if connector.host else ""
        message = f"The test of the connector {connector.name}{where} failed: {(test.error or '').rstrip('.')}."
        remedy = remedy_for(test.error or "", connector.remote)
    shown = {**connector.as_result(), "ok": False, "error": test.error, "remedy": remedy}
    return IdmopsError(f"{message}{consequence}", remedy=remedy, result={"connector": shown})


def not_tested(connector: Connector, consequence: str = "") -> IdmopsError:
    """Return the error for a connector that has a document and does not run, as :func:`failed_test`."""
    return failed_test(connector, ConnectorTest(connector.name, False, NOT_AVAILABLE, None), consequence)


def _queried(client: Client, *, alone: bool) -> list[dict[str, t.Any]]:
    """Return the connectors' documents that one query finds; a repository's own form of them is left out.

    :param alone: whether nothing else tells which connectors there are.
    """
    try:
        found = client.query("config", starts_with("_id", DOCUMENTS))
    except Refused:
        if alone:
            raise
        return []
    return [item for item in found if str(item.get("_id", "")).startswith(DOCUMENTS) and "connectorRef" in item]


def connector_document(client: Client, document: dict[str, t.Any], config_id: str) -> dict[str, t.Any]:
    """Return a document that is a connector's: nothing is known of a connector from another one.

    :raises Refused: for another one.
    """
    if not isinstance(document.get("connectorRef"), dict):
        where = f"GET {client.url}/{config_path(config_id)}"
        raise odd(where, "an object (connectorRef)", document.get("connectorRef"))
    return document


def config_path(config_id: str) -> str:
    """Return the path of a configuration, from its id as in provisioner.openicf/ldap."""
    kind, unused, alias = config_id.partition("/")
    return f"config/{kind}/{segment(alias)}"

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connectors whose configuration is written: activating one again, and seeing that the new component answers."""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError, Refused, TimedOut, Unreachable
from .._base.limits import check_seconds
from .._http.client import Client
from .connector import (
    NOT_AVAILABLE,
    TWINS_REMEDY,
    Connector,
    ConnectorTest,
    as_shown,
    checked,
    config_path,
    connector_document,
    failed_test,
    read_connector,
    test_connector,
)
from .connector_remedy import IMMUTABLE, remedy_for
from .each_node import everywhere

#: How long answers must keep coming after an activation before they are the new component's, in seconds: the old one
#: may answer for a moment more, then the route is gone for some 50 ms (seen on OpenIDM 6.1.0).
_SETTLED = 3.0
_BEING_ACTIVATED = (404, 502, 503, 504)


def reactivate(client: Client, system: str, context: Context, timeout: float = 60) -> ConnectorTest:
    """Activate a connector again by writing its configuration back as it was read, and wait until it answers.

    Connections that it holds end, and what is in flight with them. Encrypted values and placeholders go back
    unchanged, which IDM takes for what they were (seen on OpenIDM 6.1.0). A connector that is activated while its
    test fails does no liveSync until it is activated again, so that is refused. In check mode nothing is written.

    :param timeout: seconds for the connector to answer again.
    :returns: the test of the activated connector.
    :raises InvalidOption: for an unknown connector.
    :raises Refused: where the configuration cannot be written; its remedy says what to do there.
    :raises TimedOut: when the connector does not answer again, with what its test said last.
    """
    return _activate(client, read_connector(client, system), context, timeout)


def activate_again(client: Client, system: str, context: Context, *, timeout: float) -> dict[str, t.Any]:
    """Activate a connector again; return the result of the module.

    :param timeout: seconds for the connector to answer again.
    :raises IdmopsError: as :func:`reactivate`, with the connector in its result.
    """
    check_seconds("wait_timeout", timeout)
    connector = read_connector(client, system)
    try:
        test = _activate(client, connector, context, timeout)
    except IdmopsError as exc:
        shown = {**connector.as_result(), "ok": False, "error": exc.message, "remedy": exc.remedy}
        exc.result.setdefault("connector", shown)
        raise
    diff = {"before": {}, "after": {"activated_again": connector.name}}
    return {"changed": True, "diff": diff, "connector": as_shown(connector, test)}


def _activate(client: Client, connector: Connector, context: Context, timeout: float) -> ConnectorTest:
    def act(node: Client) -> ConnectorTest:
        own = connector if node is client else read_connector(node, connector.name)
        return _reactivate(node, own, context, timeout)

    what = f"the connector {connector.name} was activated again"
    return everywhere(client, what, act, lambda: test_connector(client, connector.name).ok, context)


def _reactivate(client: Client, connector: Connector, context: Context, timeout: float) -> ConnectorTest:
    refuse_twins(connector)
    test = checked(client, connector)
    if not test.ok and (connector.enabled is False or test.error != NOT_AVAILABLE):
        raise failed_test(connector, test, " It was not activated again: that would leave its liveSync dead.")
    if context.check_mode:
        return test
    write_document(client, connector, same_document(client, connector))
    return answers_again(client, connector, context, timeout)


def refuse_twins(connector: Connector) -> None:
    """Refuse to write one of several documents of a connector: which of them runs, nobody can tell.

    :raises IdmopsError: where there are several.
    """
    if connector.ambiguity:
        raise IdmopsError(connector.ambiguity, remedy=TWINS_REMEDY)


def same_document(client: Client, connector: Connector) -> dict[str, t.Any]:
    """Return a connector's configuration, to be written back.

    :raises IdmopsError: where it comes otherwise than a moment ago: what was cut or changed on the way would be stored
        in its place.
    """
    path = config_path(connector.config_id)
    document = connector_document(client, client.get(path), connector.config_id)
    again = Connector.parse({**document, "_id": connector.config_id})
    if not isinstance(document.get("configurationProperties"), dict) or again != connector:
        raise IdmopsError(
            f"GET {client.url}/{path} answered twice, and differently, so the configuration was not written back.",
            remedy="If somebody is changing it just now, run the task again; else see that nothing between here and IDM"
            " changes its answers.",
        )
    return document


def write_document(client: Client, connector: Connector, document: t.Mapping[str, t.Any]) -> None:
    """PUT a connector's configuration, which activates it anew.

    :raises Unreachable, Refused: as the client; the remedy says what to do where it cannot be written.
    """
    try:
        client.put(config_path(connector.config_id), document, {"waitForCompletion": "true"})
    except Refused as exc:
        if exc.own and exc.status in (403, 405, 501):
            exc.remedy = IMMUTABLE
        elif exc.own and "meta-data provider" in exc.reason:
            exc.remedy = remedy_for(exc.reason, connector.remote)
        raise


def answers_again(client: Client, connector: Connector, context: Context, timeout: float) -> ConnectorTest:
    """Wait until the component that a write has made answers, and its test is ok.

    :param timeout: seconds.
    :raises TimedOut: when it does not, with what its test said last.
    :raises Refused: for a refusal that is none of a connector that is being activated.
    """
    last: list[ConnectorTest] = []
    settled = context.clock.now() + min(_SETTLED, timeout / 2)

    def probe() -> ConnectorTest | None:
        nonlocal settled
        try:
            now = test_connector(client, connector.name)
        except Unreachable as exc:
            now = ConnectorTest(connector.name, False, exc.message, None)
        except Refused as exc:
            if exc.own and exc.status not in _BEING_ACTIVATED:
                raise
            now = ConnectorTest(connector.name, False, exc.message, None)
        last[:] = [now]
        if not now.ok:
            settled = float("-inf")  # the old component is gone: the next answer is the new one's
        return now if now.ok and context.clock.now() >= settled else None

    try:
        return context.wait_for(
            probe,
            timeout=timeout,
            what=f"the connector {connector.name} to answer again",
            first_pause=0.02,
            longest_pause=0.5,
        )
    except TimedOut as exc:
        error = (last[0].error or "no answer").rstrip(".")
        raise TimedOut(
            f"The connector {connector.name} was activated again, and its test is still not ok after {timeout:g} s:"
            f" {error}.",
            remedy=remedy_for(error, connector.remote),
        ) from exc

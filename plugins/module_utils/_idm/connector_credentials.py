# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The password of a connector: tried, then written, proved, and put back where it does not hold.

IDM keeps it encrypted and shows it to nobody, so nobody can tell whether it is the given one already. A test of the
connector tells nothing of it either: pooled connections outlive a change of the password in the directory, and
testConfig takes one from the pool that an equal configuration has filled (seen on OpenIDM 6.1.0 with OpenDJ). So
passwords are tried here with a configuration whose pool keeps no connection, which makes the connector bind.
"""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
from dataclasses import dataclass, field

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Refused, TimedOut, Unreachable
from .._base.limits import check_seconds
from .._base.values import as_bool, as_dict
from .._http.answer import odd
from .._http.client import Client
from .connector import (
    Connector,
    ConnectorTest,
    as_shown,
    checked,
    config_path,
    failed_test,
    read_connector,
    test_connector,
)
from .connector_activation import answers_again, refuse_twins, same_document, write_document
from .connector_remedy import remedy_for
from .each_node import settle_behind_balancer
from .nodes import running_nodes
from .server import FORK, ask_server

ALWAYS, IF_REFUSED = "always", "if_refused"
#: What the LDAP connector calls it.
_LDAPS_NAME = "credentials"
_PLACEHOLDER = "&{"
#: A pool of its own, in which no connection waits for the next (seen on OpenIDM 6.1.0: one bind for each try).
_NO_POOL = {"maxIdle": 0, "minIdle": 0}
#: What a connector says of a password that its system does not take.
_WRONG = re.compile(r"connection error|error code 49\b|invalid credentials|InvalidCredential|InvalidPassword", re.I)
#: Seconds in which a document that was written must be read as written: a read may show the old one for a while
#: ("Recorded HTTP answers", section 4).
_SHOWN_WITHIN = 15.0
_FROM_ITS_SOURCE = (
    "Change it where the placeholder takes it from: an ESV of the tenant, then restart the tenant's services; or"
    " boot.properties, a system property or the environment of each node, then restart IDM. The connector takes it up"
    " when it is activated."
)


@dataclass(frozen=True)
class Wish:
    """What a task wants.

    :param password: the new one.
    :param property: of configurationProperties, None for the one that it can only be.
    :param always: whether it is written also where the system takes the one that IDM has.
    :param timeout: seconds for the connector to answer again.
    """

    system: str
    password: str = field(repr=False)
    property: str | None = None
    always: bool = True
    timeout: float = 60


@dataclass(frozen=True)
class Tried:
    """A node on which the new password was tried, and is good.

    :param former: the configuration as it was read.
    :param wanted: the same with the new password.
    :param test: of the connector as it runs, which pooled connections may answer.
    :param needed: whether the new password is to be written.
    """

    node: Client
    connector: Connector
    property: str
    former: dict[str, t.Any] = field(repr=False)
    wanted: dict[str, t.Any] = field(repr=False)
    test: ConnectorTest
    needed: bool


def wish_of(options: t.Mapping[str, t.Any]) -> Wish:
    """Return what the options of the module ask for.

    :raises InvalidOption: for what cannot work.
    """
    password, timeout = options["principal_password"], options["wait_timeout"]
    check_seconds("wait_timeout", timeout)
    if not password:  # with none a directory takes the bind for one of nobody, and calls it well (RFC 4513, 5.1.2)
        raise InvalidOption("principal_password", "", "Give the new password.")
    if _PLACEHOLDER in password:
        raise InvalidOption(
            "principal_password", "&{...}", "IDM takes that for a placeholder. Choose another password."
        )
    always = options["update_password"] == ALWAYS
    return Wish(options["system"], password, options["property"], always, timeout)


def password_property(properties: t.Mapping[str, t.Any], given: str | None) -> str:
    """Return the name of the property that holds a connector's password.

    :param properties: the configurationProperties.
    :param given: the name that a task gives, None where it gives none.
    :raises InvalidOption: where it is none that can be written.
    """
    encrypted = sorted(name for name, value in properties.items() if "$crypto" in as_dict(value))
    name = given or (_LDAPS_NAME if _LDAPS_NAME in properties else encrypted[0] if len(encrypted) == 1 else None)
    there = f"The connector keeps encrypted: {', '.join(encrypted) or 'nothing'}."
    if name is None:
        raise InvalidOption("property", None, there)
    value = properties.get(name)
    if _PLACEHOLDER in json.dumps(value):
        raise InvalidOption(
            "property", name, f"A placeholder stands there, and is not written over. {_FROM_ITS_SOURCE}"
        )
    if "$crypto" not in as_dict(value):
        raise InvalidOption("property", name, f"What stands there is not encrypted, so it is no password. {there}")
    return name


def change_password(client: Client, wish: Wish, context: Context) -> dict[str, t.Any]:
    """Give a connector another password, on each node; return the result of the module.

    :raises InvalidOption: for an unknown connector, a property that cannot be written, or nodes that are left out.
    :raises IdmopsError: where the password is not good, with nothing written; where it was written and does not hold,
        with the former one put back.
    :raises Unreachable, Refused: as the client.
    """
    _need_every_node(client)
    with contextlib.ExitStack() as lines:
        nodes = [lines.enter_context(client.sibling(url)) for url in client.nodes] or [client]
        tried = [_tried(node, wish) for node in nodes]
        needed = [one for one in tried if one.needed]
        if not context.check_mode:
            _write_each(needed, wish, context)
    if needed and not context.check_mode and not client.nodes:
        what = f"the password of the connector {wish.system} was written"
        settle_behind_balancer(client, what, lambda: test_connector(client, wish.system).ok, context)
    one = tried[0]
    before = {wish.system: {one.property: "(encrypted)"}}
    after = {wish.system: {one.property: "(encrypted, written anew)"}} if needed else before
    works = ConnectorTest(wish.system, True, None, one.connector.enabled)
    return {
        "changed": bool(needed),
        "diff": {"before": before, "after": after},
        "connector": as_shown(one.connector, works if needed else one.test),
    }


def _need_every_node(client: Client) -> None:
    """See that no node is left with the former password.

    :raises InvalidOption: where one would be.
    """
    count = len(running_nodes(client) or ())
    if count > max(1, len(client.nodes)) and ask_server(client).flavour == FORK:
        raise InvalidOption(
            "nodes",
            list(client.nodes) or None,
            f"IDM has {count} nodes, and OpenIDM does not spread configuration that is sent over REST: list the own URL"
            " of each, since the others would keep the former password.",
        )


def _tried(node: Client, wish: Wish) -> Tried:
    """Try the new password, once: too many tries with a wrong one may lock the account.

    :raises IdmopsError: where it is not good, or that cannot be known.
    """
    connector = read_connector(node, wish.system)
    refuse_twins(connector)
    if connector.enabled is False:
        raise failed_test(connector, ConnectorTest(wish.system, False, None, False), " Nothing was written.")
    former = same_document(node, connector)
    name = password_property(former["configurationProperties"], wish.property)
    wanted = {**former, "configurationProperties": {**former["configurationProperties"], name: wish.password}}
    test = checked(node, connector)  # whether that may be asked shows before anything is written, and not after
    if error := _try(node, connector, wanted):
        raise _not_good(connector, test, error)
    needed = wish.always or bool(_try(node, connector, former))
    return Tried(node, connector, name, former, wanted, test, needed)


def _try(node: Client, connector: Connector, document: t.Mapping[str, t.Any]) -> str | None:
    """Let a connector bind anew with a configuration; return what is wrong then, None where nothing is."""
    known = {key: value for key, value in document.items() if key not in ("_id", "_rev", "id")}
    pool = {**as_dict(document.get("poolConfigOption")), **_NO_POOL}
    body = {"name": connector.name, **known, "poolConfigOption": pool}  # it wants a name, and no id
    answer = as_dict(node.post("system", {"_action": "testConfig"}, body))
    return _error_of(answer, f"POST {node.url}/system?_action=testConfig")


def _error_of(answer: t.Mapping[str, t.Any], where: str) -> str | None:
    """Return what is wrong by an answer to testConfig, None where nothing is.

    To a wrong password OpenIDM 6.1.0 answers that it is ok, with an error beside it (seen); a connector that cannot be
    tested it calls ok with a reason beside ("OpenIDM family over REST").
    """
    said = str(answer.get("error") or answer.get("reason") or "")
    if not said and as_bool(answer.get("ok")) is None:
        raise odd(where, "a truth value (ok)", answer.get("ok"))
    return said or (None if answer.get("ok") is True else "no reason given")


def _not_good(connector: Connector, test: ConnectorTest, error: str) -> IdmopsError:
    where = f" ({connector.host}:{connector.port})" if connector.host else ""
    if _WRONG.search(error):
        remedy = "Set the password in the system first, and see that the account is neither locked nor expired."
    else:
        remedy = remedy_for(error, connector.remote)
    return IdmopsError(
        f"The connector {connector.name}{where} does not get into its system with this password: {error.rstrip('.')}."
        " Nothing was written, and the connector has the former one.",
        remedy=f"{remedy} Each try with a wrong password may count towards locking the account.",
        result={"changed": False, "connector": as_shown(connector, test)},
    )


def _write_each(tried: t.Sequence[Tried], wish: Wish, context: Context) -> None:
    """Write the password on each node, one after the other, and see that it holds before the next.

    :raises IdmopsError: where it does not; the message says which nodes have it.
    """
    done: list[str] = []
    for one in tried:
        try:
            _write(one, wish, context, well_elsewhere=bool(done))
        except IdmopsError as exc:
            if done:
                exc.message += f" The new password is in place, and works, on {', '.join(done)}."
                exc.result["changed"] = True
            raise
        done.append(one.node.url)


def _write(one: Tried, wish: Wish, context: Context, *, well_elsewhere: bool) -> None:
    stored = _store(one, context)
    try:
        _prove(one, stored, wish, context)
    except (Unreachable, Refused) as exc:
        raise _unknown(f"Whether the new password holds on {one.node.url}", exc) from exc
    except IdmopsError as exc:
        if well_elsewhere and _may_share(one.node):
            exc.message += " It was not put back there: the nodes may share it, and it works on others."
            raise
        raise _put_back(one, wish, context, exc) from exc


def _prove(one: Tried, document: t.Mapping[str, t.Any], wish: Wish, context: Context) -> None:
    """See that the connector answers again, and gets in with what IDM has stored.

    :raises Unreachable, Refused: where that cannot be known.
    :raises IdmopsError: where it does not.
    """
    try:
        answers_again(one.node, one.connector, context, wish.timeout)
    except TimedOut:
        _try(one.node, one.connector, document)  # is it IDM itself that does not answer?
        raise
    if error := _try(one.node, one.connector, document):
        raise IdmopsError(
            f"Its system does not take what IDM has stored: {error.rstrip('.')}.",
            remedy=remedy_for(error, one.connector.remote),
        )


def _store(one: Tried, context: Context) -> dict[str, t.Any]:
    """Write the new password; return the configuration that IDM has stored.

    :raises IdmopsError: where IDM has not stored it, or that cannot be known.
    """
    failure: IdmopsError | None = None
    try:
        write_document(one.node, one.connector, one.wanted)
    except Refused as exc:
        if exc.own and exc.status is not None and exc.status < 500:
            raise
        failure = exc
    except Unreachable as exc:
        if not exc.sent:
            raise
        failure = exc
    try:
        return context.wait_for(lambda: _stored(one), timeout=_SHOWN_WITHIN, what="IDM to show the new value")
    except TimedOut as exc:
        path = config_path(one.connector.config_id)
        raise failure or IdmopsError(
            f"{one.node.url} took the new password, and {path} shows the former value after {_SHOWN_WITHIN:g} s.",
            remedy="See that nothing between here and IDM changes what is written, then run the task again.",
        ) from exc
    except (Unreachable, Refused) as exc:
        raise _unknown(f"Whether {one.node.url} has the new password", exc) from exc


def _unknown(what: str, cause: IdmopsError) -> IdmopsError:
    """Return the error for what cannot be known after a write: nothing is put back for that."""
    return IdmopsError(
        f"{what} cannot be known: {cause.message}",
        status=cause.status,
        remedy="Run the task again once IDM answers: it tries what is there then.",
        result={**cause.result, "changed": True},
    )


def _stored(one: Tried) -> dict[str, t.Any] | None:
    """Return the configuration, None while IDM shows the former value; each encryption differs."""
    document: dict[str, t.Any] = one.node.get(config_path(one.connector.config_id))
    value = as_dict(document.get("configurationProperties")).get(one.property)
    return document if value and value != one.former["configurationProperties"][one.property] else None


def _may_share(node: Client) -> bool:
    """Tell whether the nodes may share their configuration, so that what is put back on one is put back on all."""
    try:
        return ask_server(node).flavour != FORK
    except (Unreachable, Refused):
        return True


def _put_back(one: Tried, wish: Wish, context: Context, failure: IdmopsError) -> IdmopsError:
    """Write the former configuration back, its encrypted value as it was; return the error that tells of it."""
    try:
        write_document(one.node, one.connector, one.former)
    except (Unreachable, Refused) as exc:
        said = f"It was not seen that the former one was put back: {exc.message}"
    else:
        try:
            _prove(one, one.former, wish, context)
            said = "The former one was put back, and the connector gets in with it."
        except (Unreachable, Refused) as exc:
            said = f"The former one was put back; whether that helps cannot be known: {exc.message}"
        except IdmopsError as exc:
            said = f"The former one was put back, and that does not help: {exc.message}"
    return IdmopsError(
        f"The new password was good when it was tried, and does not hold on {one.node.url}. {failure.message} {said}",
        status=failure.status,
        remedy=failure.remedy,
        result={**failure.result, "changed": True},
    )

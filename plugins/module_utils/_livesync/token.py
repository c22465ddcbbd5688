# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets and removes a sync token."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption
from .._health.directories import directories
from .._health.log_facts import LogReader
from .._http.client import Client
from .._idm.connector import check_source, read_connectors
from .._idm.server import ask_server
from .._idm.source import Source
from .._idm.stage import NUMBER_TYPES, Stage, delete_stage, read_stage, write_token
from .._ldap.options import given
from .._record.hold import hold
from .._schedule.schedule import executing_sources, read_schedules
from .one_run import LiveSync
from .outcome import PATIENCE
from .watch import LeftRun


@dataclass(frozen=True)
class Wish:
    """What a task wants of a token.

    :param token: the one to store.
    :param absent: there should be none.
    """

    source: Source
    token: t.Any = None
    native_type: str | None = None
    absent: bool = False
    force: bool = False
    directory: t.Mapping[str, t.Any] | None = None


def wish_of(options: t.Mapping[str, t.Any]) -> Wish:
    """Return what the options of livesync_token ask for.

    :raises InvalidOption: for options that contradict each other.
    """
    token = options["sync_token"]
    absent = options["state"] == "absent"
    if absent and token is not None:
        raise InvalidOption("sync_token", token, "With state=absent there is none: leave one of them out.")
    if token is None and not absent:
        raise InvalidOption(
            "sync_token", token, "Give the token to store; idmops.idm.livesync_status tells the one that is there."
        )
    if isinstance(token, (dict, list, bool)) or token == "":
        raise InvalidOption("sync_token", token, "Give a number or a text, as livesync_status shows it.")
    return Wish(
        source=Source.parse(options["source"]),
        token=token,
        native_type=options["native_type"],
        absent=absent,
        force=options["force"],
        directory=given(options["directory"]),
    )


def keep_token(client: Client, wish: Wish, context: Context) -> dict[str, t.Any]:
    """Bring the token into the wanted state; return the module's result.

    :raises InvalidOption: for an unknown source, or a token that cannot be.
    :raises IdmopsError: while a schedule is enabled or a run is going on.
    :raises Refused: with status 412 when somebody else changed the token meanwhile.
    """
    connectors = {connector.name: connector for connector in read_connectors(client)}
    check_source(wish.source, connectors.values())
    connector = connectors[wish.source.system]
    stage = read_stage(client, wish.source)
    before = stage.token if stage else None
    after, native_type = _wanted(wish, stage, counts=connector.reads_change_log)
    retyped = stage is not None and not wish.absent and stage.native_type != native_type
    changed = after != before or retyped or (wish.absent and stage is not None)
    with ExitStack() as held:
        if changed and not wish.force:
            _refuse_while_busy(client, wish.source, held, context)
        if changed and not wish.absent:
            url = directories(wish.directory, [connector], context).get(connector.name)
            with LogReader(wish.directory, url, connector, context) as log:
                _check_range(wish.source, after, log)
        if changed and wish.absent:
            context.report.warn(
                f"{wish.source}: removing the token replays nothing. The next run stores the end of the change log;"
                f" what changed after {before} is lost to liveSync until a reconciliation."
            )
        if changed and not context.check_mode:
            _write(client, wish, stage, after, native_type)
    return {
        "changed": changed,
        "token_before": before,
        "token_after": after,
        "diff": {"before": {"sync_token": before}, "after": {"sync_token": after}},
    }


def _wanted(wish: Wish, stage: Stage | None, *, counts: bool) -> tuple[t.Any, str]:
    """Return the token that should be there and its type.

    :param counts: whether the connector takes change numbers and nothing else: a text stops its runs.
    """
    stored = stage.native_type if stage else None
    if wish.absent:
        return None, stored or ""
    text = str(wish.token).strip()
    is_number = text.isascii() and text.isdigit()
    if counts and stored not in NUMBER_TYPES:
        stored = "integer"
    native_type = wish.native_type or stored or ("integer" if is_number else "string")
    if counts and native_type not in NUMBER_TYPES:
        raise InvalidOption(
            "native_type", native_type, f"The connector {wish.source.system} takes change numbers: leave it out."
        )
    if native_type not in NUMBER_TYPES:
        return text, native_type
    if not is_number:
        raise InvalidOption("sync_token", wish.token, f"A token of the type {native_type} is a number, 0 or more.")
    return int(text), native_type


def _refuse_while_busy(client: Client, source: Source, held: ExitStack, context: Context) -> None:
    """See that no run of a source may be going on, and let none of ours begin until ``held`` ends.

    :raises IdmopsError: where one may be.
    """
    schedules = read_schedules(client, ask_server(client), str(source))
    enabled = [schedule.name for schedule in schedules if schedule.enabled]
    if enabled:
        raise IdmopsError(
            f"The token of {source} is not touched while the schedule {', '.join(enabled)} is enabled.",
            remedy="Disable it first (idmops.idm.livesync_schedule with enabled: false), or give force: true.",
        )
    lock = held.enter_context(hold(client, source, context, wait=0.0, work="token"))
    if (
        lock is None
        or str(source) in executing_sources(client)
        or LeftRun(LiveSync(client, source, context, PATIENCE), lock).goes_on()
    ):
        raise IdmopsError(
            f"The token of {source} is not touched while liveSync runs.",
            remedy="Try again when the run has ended, or give force: true.",
        )


def _check_range(source: Source, token: t.Any, log: LogReader) -> None:
    """Check that liveSync can go on from a token.

    :raises InvalidOption: when it lies outside of the change log.
    """
    known = log.log
    if known is None or log.last() is None or not isinstance(token, int):
        return
    if not known.first - 1 <= token <= known.last:
        raise InvalidOption(
            "sync_token",
            token,
            f"The change log behind {source} holds {known.first} to {known.last}: give a number from"
            f" {max(0, known.first - 1)} to {known.last}.",
        )


def _write(client: Client, wish: Wish, stage: Stage | None, token: t.Any, native_type: str) -> None:
    rev = stage.rev if stage else None
    if wish.absent:
        delete_stage(client, wish.source, rev)
    else:
        write_token(client, wish.source, token, native_type, rev)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks of liveSync: the options of livesync_trigger, checked."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.errors import InvalidOption
from .._base.limits import check_seconds
from .._idm.source import Source, option_of_sources
from .._ldap.options import given
from .._record.hold import SERVER
from .backlog import LIVESYNC, MOST, RECONCILE
from .outcome import PATIENCE, Mark, Patience


@dataclass(frozen=True)
class Request:
    """What a task asks for: the options of livesync_trigger, checked.

    :param directory: connection options of the directory, None where none are given.
    :param mappings: those that must take the changes; None: one that does will do.
    :param follow: marks of runs that an earlier task has started, by source: they are followed, nothing is sent.
    :param option: what the user calls the sources, for errors.
    :param lock: where runs of one source are kept apart: for all control hosts, or on this one alone.
    :param catch_up: what brings over what is pending: LIVESYNC, RECONCILE, or AUTO.
    :param catch_up_above: with AUTO a reconciliation where more changes are pending.
    :param allow_deletes: whether it may remove targets one by one, of entries that are certainly gone.
    """

    sources: tuple[Source, ...]
    endpoint: str = "resource"
    wait: bool = True
    patience: Patience = PATIENCE
    until_caught_up: bool = False
    warn_on_record: bool = False
    if_running: str = "wait"
    detailed: bool = False
    parallel: int = 4
    reactivate: bool = False
    directory: t.Mapping[str, t.Any] | None = None
    mappings: tuple[str, ...] | None = None
    follow: t.Mapping[Source, Mark] = field(default_factory=dict)
    option: str = "sources"
    lock: str = SERVER
    catch_up: str = LIVESYNC
    catch_up_above: int = MOST
    allow_deletes: bool = False


def request_of(options: t.Mapping[str, t.Any]) -> Request:
    """Return what the options of livesync_trigger ask for.

    :raises InvalidOption: for options that cannot work.
    """
    for name in ("wait_timeout", "stall_timeout"):
        check_seconds(name, options[name])
    if options["parallel"] <= 0:
        raise InvalidOption("parallel", options["parallel"], "Give a number above 0.")
    mappings = options.get("mappings")
    if mappings == []:
        raise InvalidOption("mappings", mappings, "Name at least one, or leave it out for all of the source.")
    follow = {}
    for entry in options.get("follow") or []:
        follow[Source.parse(str(entry.get("source", "")), "follow")] = Mark.parse(entry)
    option = "follow" if options.get("follow") is not None else option_of_sources(options)
    named = [Source.parse(text, option) for text in options.get("sources") or []]
    by_stage = {source.stage_id: source for source in [*follow, *named]}
    if not by_stage:
        raise InvalidOption(option, options.get(option), "Name at least one, as in system/ldap/account.")
    directory = given(options.get("directory"))
    catch_up = options.get("catch_up") or LIVESYNC
    if catch_up != LIVESYNC and (follow or not options["wait"]):
        raise InvalidOption("catch_up", catch_up, "With follow, or without wait, liveSync alone catches up.")
    if catch_up == RECONCILE and not directory:
        raise InvalidOption(
            "catch_up", catch_up, "Give directory: without its change log nobody knows where liveSync may go on."
        )
    above = options.get("catch_up_above")
    if above is not None and above < 0:
        raise InvalidOption("catch_up_above", above, "Give a number of changes, 0 or more.")
    return Request(
        sources=tuple(by_stage.values()),
        endpoint=options["endpoint"],
        wait=options["wait"],
        patience=Patience(options["wait_timeout"], options["stall_timeout"]),
        until_caught_up=options["until_caught_up"],
        warn_on_record=options["on_record_failure"] == "warn",
        if_running=options["if_running"],
        detailed=options["detailed_failure"],
        parallel=options["parallel"],
        reactivate=options["reactivate"],
        directory=directory,
        mappings=None if mappings is None else tuple(mappings),
        follow=follow,
        option=option,
        lock=options["lock"],
        catch_up=catch_up,
        catch_up_above=MOST if above is None else above,
        allow_deletes=bool(options.get("allow_deletes")),
    )

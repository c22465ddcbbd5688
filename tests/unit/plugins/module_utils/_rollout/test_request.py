# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of livesync_sources: what holds where nothing is given, and what each bad value is answered with."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import (
    SourceRequest,
    source_options,
    with_defaults,
)

ENTRY = {"source": "system/ldap/account"}
DIRECTORY = {"servers": ["ldaps://a"], "bind_dn": "uid=admin", "bind_password": "x"}


def parse(general=None, place="livesync_sources[0]", **more):
    return SourceRequest.parse({**ENTRY, **more}, general, place)


def test_what_holds_where_nothing_is_given():
    request = parse()
    assert request.source == Source("ldap", "account") and request.scheduler == Scheduler()
    assert (request.mappings, request.schedule, request.initial_load) == (None, {}, "once")
    assert (request.allow_deletes, request.wait_timeout, request.errors) == (False, 86400.0, ())
    assert (request.directory, request.own_directory, request.schedule_name) == (None, False, None)
    request.check()


def test_what_is_given():
    request = parse(
        mappings=["a", "b", "a"],
        schedule={"name": " x ", "cron": None, "interval": 15},
        scheduler="external",
        max_age=60,
        initial_load="never",
        allow_deletes=True,
        wait_timeout=5,
        max_failures=3,
    )
    assert (request.mappings, request.schedule_name, request.schedule) == (
        ("a", "b"),
        "x",
        {"name": " x ", "interval": 15},
    )
    assert (request.scheduler, request.initial_load) == (Scheduler("external", 60), "never")
    assert (request.allow_deletes, request.wait_timeout, request.others["max_failures"]) == (True, 5.0, 3)


def test_its_own_directory_comes_before_that_of_all():
    assert parse(DIRECTORY).directory == DIRECTORY and parse(DIRECTORY).own_directory is False
    own = {**DIRECTORY, "servers": ["ldaps://b"]}
    assert parse(DIRECTORY, directory=own).directory == own and parse(directory=own).own_directory is True
    none = parse(DIRECTORY, directory={})
    assert none.directory is None and none.own_directory is True


CANARY = {"dn": "uid=canary,dc=x"}


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ({"mappings": []}, ["mappings"]),
        ({"mappings": ["a", ""]}, ["mappings"]),
        ({"wait_timeout": 0}, ["wait_timeout"]),
        ({"max_failures": -1}, ["max_failures"]),
        ({"max_failure_percent": 101}, ["max_failure_percent"]),
        ({"max_failure_percent": 100, "max_failures": 0, "wait_timeout": 0.1}, []),
        (
            {"max_failures": -1, "max_failure_percent": -1, "wait_timeout": -1},
            ["wait_timeout", "max_failures", "max_failure_percent"],
        ),
        ({"schedule": {"interval": 0}}, ["schedule.interval"]),
        ({"schedule": {"cron": "often"}}, ["schedule.cron"]),
        ({"schedule": {"name": " "}}, ["schedule.name"]),
        ({"max_age": 5}, ["max_age"]),
        ({"scheduler": "external"}, ["max_age"]),
        ({"scheduler": "external", "max_age": 0}, ["max_age"]),
        ({"scheduler": "external", "max_age": 60}, []),
        ({"scheduler": "external", "max_age": 60, "schedule": {"interval": 15}}, ["schedule"]),
        ({"scheduler": "external", "max_age": 60, "schedule": {"storage": "auto", "persisted": True}}, []),
        ({"scheduler": "external", "max_age": 60, "schedule": {"storage": "job"}}, ["schedule"]),
        ({"canary": CANARY}, []),
        ({"canary": {"dn": "x"}}, ["canary.dn"]),
        ({"canary": {}}, ["canary.dn"]),
        ({"canary": {**CANARY, "within": 0}}, ["canary.within"]),
        ({"canary": {**CANARY, "within": 5}}, []),
    ],
)
@pytest.mark.parametrize("place", ["livesync_sources[0]", ""])
def test_what_cannot_be_is_named_where_it_stands(more, options, place):
    request = parse(place=place, **more)
    within = f"{place}." if place else ""
    assert [error.option for error in request.errors] == [f"{within}{option}" for option in options]
    wrong = [option for option in options if option.startswith("schedule.")]
    if place:
        assert (request.schedule_error is not None) is bool(wrong)
    if options:
        with pytest.raises(InvalidOption):
            request.check()


def test_a_source_or_a_directory_that_is_none_stops_at_once():
    with pytest.raises(InvalidOption, match=r"^livesync_sources\[0\].source: "):
        parse(source="x")
    with pytest.raises(InvalidOption, match=r"^livesync_directory.servers: "):
        parse({"bind_dn": "x"})
    with pytest.raises(InvalidOption, match=r"^livesync_sources\[0\].directory.servers: "):
        parse(DIRECTORY, directory={"bind_dn": "x"})


def test_where_the_kind_of_scheduler_is_known_it_is_kept_whatever_is_wrong_beside_it():
    assert parse(scheduler="external").scheduler == Scheduler("external")
    assert parse(max_age=5).scheduler == Scheduler("idm")


def test_an_entry_with_all_that_ansible_would_add():
    whole = with_defaults({**ENTRY, "schedule": {"interval": 15}})
    assert set(whole) == set(source_options()) and whole["source"] == "system/ldap/account"
    stated = {name: value for name, value in whole.items() if value is not None}
    assert stated == {
        "source": "system/ldap/account",
        "schedule": {
            "interval": 15,
            "cron": None,
            "name": None,
            "storage": "auto",
            "start_time": None,
            "end_time": None,
            "persisted": True,
            "misfire_policy": None,
        },
        "scheduler": "idm",
        "initial_load": "once",
        "on_record_failure": "fail",
        "max_failures": 0,
        "wait_timeout": 86400,
        "allow_deletes": False,
    }
    assert with_defaults(ENTRY)["schedule"] is None
    needed = {name for name, option in source_options().items() if option.get("required")}
    assert needed == {"source"} and source_options()["canary"]["options"]["dn"]["required"] is True

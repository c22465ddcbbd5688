# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments that others made, adopted on the stand-in: what is written leaves the role nothing to do."""

from __future__ import annotations

import stat

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import connection_options
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import directory_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout.adopt import adopt
from ansible_collections.idmops.idm.plugins.module_utils._rollout.preflight import preflight
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import with_defaults

from tests.servers.ping.furniture import MAPPING
from tests.servers.ping.world import Fault

LDAP, SQL = "system/ldap/account", "system/databricks/businessRecord"
UI_MADE, BY_HAND = "As the user interface: makes it", "liveSync_databricks_businessRecord"

#: config/schedule documents that were exported from IDM 7 and 8 by others ("Recorded HTTP answers", section 5; in its
#: order). Two of them run liveSync; that is the list written by hand which this is compared with.
EXPORTED = {
    "testScheduleJob": {
        "concurrentExecution": False,
        "enabled": False,
        "endTime": None,
        "invokeContext": {"action": "reconcile", "mapping": "managedUser_managedGroup"},
        "invokeLogLevel": "info",
        "invokeService": "sync",
        "isCron": True,
        "misfirePolicy": "fireAndProceed",
        "persisted": True,
        "schedule": "0 0 * * * ?",
        "startTime": None,
        "timeZone": None,
        "type": "cron",
    },
    "seantest": {
        "enabled": False,
        "invokeContext": {"script": {"type": "text/javascript", "source": "1"}},
        "invokeService": "script",
        "persisted": True,
        "repeatCount": 0,
        "repeatInterval": 0,
        "schedule": None,
        "startTime": None,
        "type": "simple",
    },
    "sunsetTask": {
        "enabled": False,
        "invokeContext": {"task": {"script": {"type": "text/javascript", "source": "1"}}},
        "invokeService": "taskscanner",
        "isCron": False,
        "managedObject": "alpha_user",
        "persisted": True,
        "repeatCount": None,
        "repeatInterval": None,
        "schedule": "0 0 * * * ?",
        "scriptProperty": "task",
        "type": "simple",
    },
    "EWF Users to alpha_user": {
        "concurrentExecution": False,
        "enabled": False,
        "endTime": None,
        "invokeContext": {"action": "reconcile", "mapping": "webfilingUser_alphaUser"},
        "invokeLogLevel": "info",
        "invokeService": "sync",
        "misfirePolicy": "fireAndProceed",
        "persisted": True,
        "recoverable": True,
        "repeatCount": 0,
        "repeatInterval": 0,
        "schedule": "0 0 3 1 1 ? 2099",
        "startTime": None,
        "type": "cron",
    },
    BY_HAND: {
        "enabled": True,  # exported as false: see the test of one that is off
        "persisted": True,
        "concurrentExecution": False,
        "type": "simple",
        "repeatInterval": 5000,
        "invokeService": "provisioner",
        "invokeContext": {"action": "liveSync", "source": SQL},
    },
    UI_MADE: {
        "concurrentExecution": False,
        "enabled": True,
        "endTime": None,
        "invokeContext": {"action": "liveSync", "source": LDAP},
        "invokeLogLevel": "info",
        "invokeService": "org.forgerock.openidm.provisioner",
        "misfirePolicy": "fireAndProceed",
        "persisted": True,
        "recoverable": False,
        "repeatCount": -1,
        "repeatInterval": 3600000,
        "startTime": "2099-12-31T23:59:59Z",
        "triggers": [],
        "type": "simple",
    },
}
DATABASE = {
    "connectorRef": {
        "bundleName": "org.forgerock.openicf.connectors.scriptedsql-connector",
        "bundleVersion": "[1.5.0.0,1.6.0.0)",
        "connectorHostRef": "rcs1",
        "connectorName": "org.forgerock.openicf.connectors.scriptedsql.ScriptedSQLConnector",
    },
    "configurationProperties": {"password": "connector-password", "username": "idm"},
    "enabled": True,
    "objectTypes": {"businessRecord": {"id": "businessRecord", "nativeType": "businessRecord"}},
}


@pytest.fixture(params=["standalone", "aic"])
def exported(stand, request):
    """A server with the exported configuration, in use: both sources have stored a token."""
    there = stand(request.param, people=2)
    world = there.world
    world.config["provisioner.openicf/databricks"] = DATABASE
    inbound = {"name": "records", "source": SQL, "target": "managed/user", "properties": [], "policies": []}
    world.config["mapping/records"] = inbound
    for name, document in EXPORTED.items():
        put(there, name, document)
    for stage in ("SYSTEMLDAPACCOUNT", "SYSTEMDATABRICKSBUSINESSRECORD"):
        world.stages[stage] = stored(there, stage)
    return there


def stored(there, stage):
    token = {"syncToken": 2, "nativeType": "integer"}
    return there.world.revised({"_id": stage, "connectorData": token})


def put(there, name, document):
    there.world.config[f"schedule/{name}"] = document
    there.server.scheduler.config_changed(f"schedule/{name}")


def params_of(there, dest, **more):
    given = {name: option.get("default") for name, option in connection_options().items()}
    return {**given, "timeout": 10.0, **there.variables["idm_connection"], "directory": None, "dest": str(dest), **more}


def adopted(there, dest, check_mode=False, **more):
    params = params_of(there, dest, **more)
    context = Context(check_mode=check_mode)
    with Client(params, context) as client:
        return adopt(client, params, connection_options(), context)


def drift(there, dest):
    """Return what the role says to the variables in a file."""
    variables = DataLoader().load_from_file(str(dest))
    with Client(params_of(there, dest), Context()) as client:
        state = variables.get("livesync_state", "enabled")
        return preflight(client, [with_defaults(one) for one in variables["livesync_sources"]], None, state, Context())


def writes(there):
    reading = ("test", "listCurrentlyExecutingJobs", "validateQuartzCronExpression")
    posted = [one for one in there.world.requests if one["method"] not in ("GET",)]
    return [one for one in posted if not any(f"_action={name}" in one["path"] for name in reading)]


def test_as_many_sources_and_schedules_as_were_counted_by_hand(exported, tmp_path):
    dest = tmp_path / "a.yml"
    result = adopted(exported, dest)
    assert result["changed"] and f"describes {SQL}, {LDAP}. The role run with it would change nothing." in result["msg"]
    assert [(one["source"], one["schedule"]) for one in result["sources"]] == [(SQL, BY_HAND), (LDAP, UI_MADE)]
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    variables = DataLoader().load_from_file(str(dest))
    assert variables["livesync_sources"] == [
        {
            "source": SQL,
            "mappings": ["records"],
            "schedule": {"interval": 5, "storage": "config"},
            "initial_load": "never",
        },
        {
            "source": LDAP,
            "mappings": [MAPPING],
            "schedule": {
                "name": UI_MADE,
                "interval": 3600,
                "storage": "config",
                "start_time": "2099-12-31T23:59:59Z",
            },
            "initial_load": "never",
        },
    ]
    assert "livesync_directory" not in variables and "#   servers: []" in dest.read_text()
    assert "ldap: [ldaps://ds.example.com:1636]" in dest.read_text()
    report = drift(exported, dest)
    assert (report.differences, report.not_compared, report.blocking) == ([], [], [])
    assert writes(exported) == []


def test_no_secret_is_in_the_file(exported, tmp_path):
    dest = tmp_path / "a.yml"
    told = str(adopted(exported, dest)) + dest.read_text()
    secrets = {name: value for name, value in exported.secrets.items() if len(value) > 3}
    assert secrets and [name for name, value in secrets.items() if value in told] == []
    assert "connector-password" not in told and "{{ vault_idm_" in dest.read_text()


def test_check_mode_writes_no_file_and_shows_it(exported, tmp_path):
    dest = tmp_path / "new" / "a.yml"
    foretold = adopted(exported, dest, check_mode=True)
    assert foretold["changed"] and not dest.parent.exists()
    made = adopted(exported, dest)
    assert [line for line in made["diff"]["after"].splitlines() if "# " not in line] == [
        line for line in foretold["diff"]["after"].splitlines() if "# " not in line
    ]
    assert made["diff"]["after"] == dest.read_text()
    exported.world.requests.clear()
    for check_mode in (True, False):
        again = adopted(exported, dest, check_mode=check_mode)
        assert not again["changed"] and f"{dest} is there already, and was left as it is" in again["msg"]
    assert made["diff"]["after"] == dest.read_text() and exported.world.requests == []


def test_one_that_is_off_beside_one_that_is_on_is_left_out(exported, tmp_path):
    put(exported, BY_HAND, {**EXPORTED[BY_HAND], "enabled": False})
    result = adopted(exported, tmp_path / "a.yml")
    assert [(one["source"], one["written"]) for one in result["sources"]] == [(SQL, False), (LDAP, True)]
    text = (tmp_path / "a.yml").read_text()
    assert f"# {SQL}: Its schedule {BY_HAND} is off and others are on" in text
    put(exported, UI_MADE, {**EXPORTED[UI_MADE], "enabled": False})
    assert [one["written"] for one in adopted(exported, tmp_path / "b.yml")["sources"]] == [True, True]
    assert DataLoader().load_from_file(str(tmp_path / "b.yml"))["livesync_state"] == "disabled"
    assert drift(exported, tmp_path / "b.yml").differences == []


@pytest.mark.parametrize(
    ("changed", "field", "wanted", "found"),
    [
        ({"misfirePolicy": "doNothing"}, "schedule.misfire_policy", "fireAndProceed", "doNothing"),
        ({"concurrentExecution": True}, "schedule.concurrent", False, True),
    ],
)
def test_what_cannot_be_said_in_the_variables_is_said_beside_them(exported, tmp_path, changed, field, wanted, found):
    put(exported, BY_HAND, {**EXPORTED[BY_HAND], **changed})
    (one,) = adopted(exported, tmp_path / "a.yml")["differences"]
    assert one == {"source": SQL, "field": field, "wanted": wanted, "found": found, "mended": True}
    assert f"# The role would change {field}. Wanted: " in (tmp_path / "a.yml").read_text()


def test_what_the_document_leaves_to_the_server_stays_with_it(exported, tmp_path):
    put(exported, BY_HAND, {key: value for key, value in EXPORTED[BY_HAND].items() if key != "persisted"})
    assert adopted(exported, tmp_path / "a.yml")["differences"] == []


def test_where_nobody_runs_anything_nothing_is_written(stand, tmp_path):
    there = stand("standalone", people=1)
    result = adopted(there, tmp_path / "a.yml")
    assert not result["changed"] and "Nobody runs liveSync there" in result["msg"]
    there.world.stages["SYSTEMLDAPACCOUNT"] = stored(there, "SYSTEMLDAPACCOUNT")
    result = adopted(there, tmp_path / "a.yml")
    assert not result["changed"] and "nobody runs it" in result["sources"][0]["remarks"][0]
    assert list(tmp_path.glob("*.yml")) == []


@pytest.mark.parametrize("path", ["config.*", ".*pooledSyncStage.*", "scheduler/job.*"])
def test_what_cannot_be_asked_is_no_file(exported, tmp_path, path):
    exported.world.faults.append(Fault("firewall", path=f".*/{path}", times=1000))
    with pytest.raises((Refused, Unreachable)):
        adopted(exported, tmp_path / "a.yml")
    assert list(tmp_path.glob("*.yml")) == []


def test_where_no_schedule_can_be_read_nobody_is_said_to_run_nothing(exported, tmp_path):
    exported.world.faults.append(Fault("firewall", path=".*config/schedule/.*", times=1000))
    with pytest.raises(Refused):
        adopted(exported, tmp_path / "a.yml")
    assert list(tmp_path.glob("*.yml")) == []


def test_a_schedule_that_cannot_be_read_is_left_out_with_the_reason(exported, tmp_path):
    exported.world.faults.append(Fault("firewall", path=f".*config/schedule/{BY_HAND}.*", times=1000))
    result = adopted(exported, tmp_path / "a.yml")
    assert [(one["source"], one["written"]) for one in result["sources"]] == [(SQL, False), (LDAP, True)]
    assert f"# {SQL}: It could not be read:" in (tmp_path / "a.yml").read_text()


def test_what_the_role_would_stop_at_is_said_in_the_file(exported, tmp_path):
    put(exported, "twin", {**EXPORTED[BY_HAND]})
    result = adopted(exported, tmp_path / "a.yml")
    assert [one["schedule"] for one in result["sources"]] == [BY_HAND, UI_MADE]
    assert "is blocked: Another schedule runs liveSync" in result["msg"]
    assert "# The role would stop: Another schedule runs liveSync" in (tmp_path / "a.yml").read_text()


def test_a_directory_that_does_not_answer_is_not_known(exported, tmp_path):
    options = {name: option.get("default") for name, option in directory_options().items()}
    directory = {**options, "servers": ["ldap://127.0.0.1:1"], "bind_dn": "uid=admin", "bind_password": "hidden-one"}
    result = adopted(exported, tmp_path / "a.yml", directory=directory)
    text = (tmp_path / "a.yml").read_text()
    assert [one["field"] for one in result["not_compared"]] != []
    assert "ldap://127.0.0.1:1" in result["not_compared"][0]["reason"] and "# The role would stop: " in text
    variables = DataLoader().load_from_file(str(tmp_path / "a.yml"))
    assert variables["livesync_directory"]["bind_password"] == "{{ vault_ds_password }}" and "hidden-one" not in text

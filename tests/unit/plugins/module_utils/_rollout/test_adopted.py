# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of a source, in the words of the role's variables; a secret never, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import connection_options
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import directory_options
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.adopted import (
    Reference,
    adopted_of,
    options_of,
    pick,
    schedule_of,
    servers_told,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import source_options, with_defaults
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    RECORD,
    SOURCE,
    finished,
    job,
)

FORK, PING = Server("openidm", "6.1.0"), Server("idm", "8.1.0")
OWN = "liveSync_ldap_account"
BY_OTHERS = Scheduler(EXTERNAL, 300)
OTHER = replace(MAPPING, name="n", sync_enabled=False)


def found(live=None, **spoilt):
    request = replace(finished().request, initial_load="never", directory=None)
    return adopted_of(finished(request=request, directory=None, **spoilt), job() if live is None else live, FORK)


def test_a_source_that_the_role_has_made():
    there = found()
    assert there.entry == {"source": SOURCE, "mappings": ["m"], "schedule": {"cron": "0/15 * * * * ?"}}
    assert (there.schedule, there.on, there.remarks) == (OWN, True, ())
    assert there.as_result() == {
        "source": SOURCE,
        "schedule": OWN,
        "scheduler": "idm",
        "initial_load": "once",
        "written": True,
        "remarks": [],
    }


@pytest.mark.parametrize("spoilt", [{"record": {}}, {"foreign": frozenset(RECORD)}])
def test_what_no_record_of_a_load_speaks_for_was_loaded_by_hand(spoilt):
    there = found(**spoilt)
    assert there.entry["initial_load"] == "never" and "No load of m on this IDM is recorded" in there.remarks[0]


def test_a_source_that_has_never_run_was_not_loaded_for_all_that_is_known():
    """never would hide that nobody has been loaded: the role shall load there."""
    assert "initial_load" not in found(stage=None, record={}).entry


def test_a_mapping_that_is_off_is_not_listed():
    there = found(mappings=(MAPPING, OTHER))
    assert there.entry["mappings"] == ["m"] and "initial_load" not in there.entry
    assert there.remarks == ("enableSync of n is false: it is not listed.",)
    assert "mappings" not in found(mappings=(OTHER,)).entry


def test_a_source_that_somebody_else_runs():
    there = found(job(enabled=False), scheduler=BY_OTHERS)
    assert there.entry == {"source": SOURCE, "mappings": ["m"], "scheduler": "external", "max_age": 300}
    assert there.on and there.as_result()["scheduler"] == "external"
    ageless = found(scheduler=Scheduler(EXTERNAL, None))
    assert ageless.entry is None and "does not tell max_age" in ageless.remarks[0]


def test_a_source_that_nobody_runs_is_left_out_with_the_reason():
    evidence = finished(schedules=(), job=None)
    there = adopted_of(evidence, None, FORK)
    assert there.entry is None and "token, 50, and nobody runs it" in there.remarks[0]
    assert there.as_result()["scheduler"] is there.as_result()["initial_load"] is None


def test_of_several_schedules_the_one_that_is_meant_is_named():
    there = found(schedules=(job(), job("b", enabled=False)))
    assert there.entry["schedule"] == {"name": OWN, "cron": "0/15 * * * * ?"}


def test_of_several_schedules_one_that_is_on_and_keeps_the_record_is_meant():
    off, on, kept = job("a", enabled=False), job("b", record={}), job("c")
    assert pick([off, on, kept]) is kept and pick([off, on]) is on and pick([off]) is off
    assert pick([]) is None


SIMPLE = replace(job(record={}), type="simple", cron=None, interval=5, repeat_count=-1)


@pytest.mark.parametrize(
    ("there", "server", "said"),
    [
        (job("by hand"), FORK, {"name": "by hand", "cron": "0/15 * * * * ?"}),
        (SIMPLE, PING, {"interval": 5}),
        (SIMPLE, FORK, {"interval": 5}),
        (replace(SIMPLE, interval=0), FORK, {}),
        (replace(SIMPLE, interval="&{esv.interval}"), PING, {"interval": "&{esv.interval}"}),
        (job(storage="config"), FORK, {"cron": "0/15 * * * * ?", "storage": "config"}),
        (
            replace(job(), persisted=False, misfire_policy="doNothing", start_time="2026-01-01T00:00:00"),
            FORK,
            {
                "cron": "0/15 * * * * ?",
                "start_time": "2026-01-01T00:00:00",
                "persisted": False,
                "misfire_policy": "doNothing",
            },
        ),
        (replace(job(), cron="&{esv.cron}", persisted=True), PING, {"cron": "&{esv.cron}"}),
    ],
)
def test_of_a_schedule_what_is_not_so_by_default(there, server, said):
    assert schedule_of(there, there, OWN, server) == (said, [])


def test_what_cannot_be_said_of_a_schedule_is_left_out_and_told():
    said, remarks = schedule_of(replace(SIMPLE, repeat_count=4), SIMPLE, OWN, PING)
    assert said == {} and "fires 4 times more" in remarks[0]
    said, remarks = schedule_of(replace(job(), start_time={"$string": "&{esv.start}"}), job(), OWN, PING)
    assert said == {"cron": "0/15 * * * * ?"} and "start_time is the placeholder" in remarks[0]


SECRET = "Kq7!x"


@pytest.mark.parametrize("spec", [connection_options(), directory_options()])
def test_no_secret_is_written(spec):
    """An option that is added tomorrow and marked with no_log is none either."""
    secrets = [name for name, option in spec.items() if option.get("no_log")]
    assert secrets
    told = options_of(dict.fromkeys(spec, SECRET), spec, {"bind_password": "vault_ds_password"})
    assert all(isinstance(told[name], Reference) and SECRET not in told[name] for name in secrets)
    assert all(isinstance(value, Reference) for value in told.values())  # each is the secret here


def test_options_are_written_as_they_were_given():
    spec = connection_options()
    given = {name: option.get("default") for name, option in spec.items()}
    given |= {"url": "https://idm/openidm", "username": "bob", "password": SECRET, "timeout": 60.0, "nodes": []}
    told = options_of(given, spec, {})
    assert told == {
        "url": "https://idm/openidm",
        "username": "bob",
        "password": "{{ vault_idm_password }}",
        "timeout": 60.0,
    }
    same = options_of({**given, "password": "bob"}, spec, {})
    assert same["username"] == "{{ vault_idm_username }}"


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        (
            {"host": "ds1", "port": 1636, "ssl": True, "failover": ["ldaps://ds2:1636"]},
            "[ldaps://ds1:1636, ldaps://ds2:1636]",
        ),
        ({"host": "ds1", "port": 1389}, "[ldap://ds1:1389]"),
        ({"host": "ds1", "port": 1389, "ssl": {"$bool": "&{esv.ssl}"}}, "[ds1:1389]"),
        ({"host": "&{esv.host}", "port": 1389}, "a placeholder hides its server"),
    ],
)
def test_what_the_connector_tells_of_the_directory(properties, told):
    document = {
        "_id": "provisioner.openicf/ldap",
        "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
        "configurationProperties": properties,
    }
    database = replace(CONNECTOR, type="org.forgerock.openicf.connectors.groovy.ScriptedSQLConnector")
    assert servers_told([Connector.parse(document), database]) == [f"ldap: {told}"]


@pytest.mark.parametrize("schedule", [None, {}, {"cron": "0/15 * * * * ?", "persisted": False}])
def test_an_entry_is_judged_as_ansible_hands_it_to_the_module(schedule):
    entry = {"source": SOURCE, "mappings": ["m"], **({} if schedule is None else {"schedule": schedule})}
    spec = {"sources": {"type": "list", "elements": "dict", "options": source_options()}}
    (validated,) = ArgumentSpecValidator(spec).validate({"sources": [entry]}).validated_parameters["sources"]
    assert with_defaults(entry) == validated

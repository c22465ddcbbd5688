# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What live tenants of Advanced Identity Cloud do, on the stand-in: shapes, and what the collection makes of them."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, Refused
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client
from ansible_collections.idmops.idm.plugins.module_utils._idm.audit import ask_audit
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_activation import reactivate
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._recon.recon import ReconRequest, reconcile
from ansible_collections.idmops.idm.plugins.module_utils._verify.verified import VerifyRequest
from ansible_collections.idmops.idm.plugins.module_utils._verify.verify import verify

from tests.servers.ping.world import Fault

INBOUND, OUTBOUND = "systemLdapAccount_managedUser", "managedUser_systemLdapAccount"
SOURCE = "system/ldap/account"


class Hurry(Clock):
    """Does not wait long: the stand-in works meanwhile."""

    def sleep(self, seconds):
        super().sleep(min(seconds, 0.02))


class Gate(Hurry):
    """Lets the stand-in's reconciliations go on only once somebody waits for one."""

    def __init__(self, world):
        self._open = threading.Event()
        world.clock.sleep = lambda seconds: self._open.wait(10)

    def sleep(self, seconds):
        self._open.set()
        super().sleep(seconds)


@pytest.fixture
def cloud(stand):
    """A tenant, and a client of its service account."""
    stand_in = stand("aic", people=4)
    return stand_in.world, client(stand_in)


def client(stand_in, **options):
    return Client({"timeout": 10.0, **stand_in.variables["idm_connection"], **options}, Context(clock=Hurry()))


def reconciled(idm, clock=None, **options):
    return reconcile(idm, ReconRequest(INBOUND, wait_timeout=20.0, **options), Context(clock=clock or Hurry()))


def failure_of(idm, clock=None, **options):
    with pytest.raises(IdmopsError) as caught:
        reconciled(idm, clock, **options)
    return caught.value


def asked(world, method, word):
    return [item["path"] for item in world.requests if item["method"] == method and word in item["path"]]


def status_of(action, *arguments, **options):
    with pytest.raises(Refused) as caught:
        action(*arguments, **options)
    return caught.value.status, caught.value.reason


# Who asks


def test_a_service_account_has_two_roles_and_closed_paths(cloud):
    world, idm = cloud
    login = idm.get("info/login")["authorization"]
    assert login["component"] == "managed/svcacct"
    assert set(login["roles"]) == {"internal/role/openidm-svcacct", "internal/role/openidm-authorized"}
    assert status_of(idm.get, "config/fidc/federation-EntraID")[0] == 403
    assert status_of(idm.query, "managed/svcacct")[0] == 403


def test_a_token_whose_subject_is_not_mapped_is_503(cloud):
    world, idm = cloud
    world.switches.unmapped = True
    status, reason = status_of(idm.get, "config/sync")
    assert (status, reason) == (503, "Rejecting invocation as required context to allow invocation not populated")


@pytest.mark.parametrize("status", [403, 410, 501])
def test_a_ping_that_is_not_there_any_more(cloud, status):
    world, idm = cloud
    world.switches.ping_status = status
    assert status_of(idm.get, "info/ping")[0] == status


# Writing


def test_a_conditional_create_may_be_carried_out_without_a_look_at_its_condition(cloud):
    world, idm = cloud
    create = {"headers": {"If-None-Match": "*"}, "body": {"connectorData": {}}}
    path = "repo/synchronisation/pooledSyncStage/SYSTEMLDAPACCOUNT"
    assert idm.request("PUT", path, **create).status == 201
    assert status_of(idm.request, "PUT", path, **create)[0] == 412
    world.switches.deaf = True
    assert idm.request("PUT", path, **create).status == 200


def test_a_connector_whose_server_is_away_cannot_be_written(cloud):
    world, idm = cloud
    document = idm.get("config/provisioner.openicf/ldap")
    world.switches.no_metadata = True
    status, reason = status_of(idm.put, "config/provisioner.openicf/ldap", document)
    assert status == 500 and reason.startswith("No meta-data provider available yet")


def test_where_a_connector_cannot_be_written_a_restart_is_not_said_to_be_enough(cloud):
    world, idm = cloud
    world.switches.immutable = True
    with pytest.raises(Refused) as caught:
        reactivate(idm, "ldap", Context(clock=Hurry()))
    assert "until somebody saved one in the admin console" in caught.value.remedy
    assert "configuration_type: mutable" in caught.value.remedy


def test_actions_of_the_scheduler_may_want_its_second_version(cloud):
    world, idm = cloud
    world.switches.strict_versions = True
    listing = {"_action": "listCurrentlyExecutingJobs"}
    assert status_of(idm.request, "POST", "scheduler/job", params=listing)[0] == 501
    assert idm.request("POST", "scheduler/job", params=listing, api_version="2.0").body == []


@pytest.mark.parametrize(
    ("session", "kind", "taken"),
    [("none", "mutable", False), ("open", None, False), ("open", "mutable", True), ("", None, True)],
)
def test_a_controlled_tenant_wants_a_session_and_a_header(stand, session, kind, taken):
    stand_in = stand("aic", people=1)
    stand_in.world.switches.controlled = session
    idm = client(stand_in, configuration_type=kind)
    document = idm.get("config/provisioner.openicf/ldap")
    if taken:
        assert idm.put("config/provisioner.openicf/ldap", document)["enabled"] is True
        return
    with pytest.raises(Refused) as caught:
        idm.put("config/provisioner.openicf/ldap", document)
    assert caught.value.status == 403
    assert "configuration_type: mutable" in caught.value.remedy and "session" in caught.value.remedy


def test_the_header_goes_with_configuration_alone(stand, monkeypatch):
    stand_in = stand("aic", people=1)
    sent = {}
    answer = stand_in.server.config.handle
    monkeypatch.setattr(
        stand_in.server.config,
        "handle",
        lambda call, rest: sent.update({call.path: call.headers}) or answer(call, rest),
    )
    queried = stand_in.server.repo.handle
    monkeypatch.setattr(
        stand_in.server.repo, "handle", lambda call, rest: sent.update({call.path: call.headers}) or queried(call, rest)
    )
    idm = client(stand_in, configuration_type="mutable")
    idm.query("config")
    idm.get("config/sync")
    idm.query("repo/link")
    assert {path for path, headers in sent.items() if "X-Configuration-Type" in headers} == {"config", "config/sync"}


# sync/queue


def test_changes_wait_in_the_queue_of_a_mapping(cloud):
    world, idm = cloud
    world.config["sync"]["mappings"][0]["queuedSync"] = {"enabled": True, "maxRetries": 5}
    world.switches.queue_seconds = 60.0
    reconciled(idm)
    params = {"_queryFilter": f'mapping eq "{OUTBOUND}"', "_pageSize": "1", "_sortKeys": "createDate"}
    page = idm.get("sync/queue", {**params, "_totalPagedResultsPolicy": "EXACT"})
    assert (page["totalPagedResultsPolicy"], page["totalPagedResults"], len(page["result"])) == ("ESTIMATE", 4, 1)
    oldest = page["result"][0]
    assert (oldest["state"], oldest["syncAction"], oldest["nodeId"]) == ("PENDING", "notifyCreate", None)
    assert len(oldest["createDate"].partition(".")[2]) == len("123456789Z")
    assert status_of(idm.post, "sync/queue", {"_action": "clear"})[0] == 501
    idm.delete(f"sync/queue/{oldest['_id']}")
    world.config["sync"]["mappings"][0]["queuedSync"]["enabled"] = False
    world.clock.advance(120.0)
    assert idm.get("sync/queue", params)["totalPagedResults"] == 3, "what waits in a queue that is off is stranded"
    world.config["sync"]["mappings"][0]["queuedSync"]["enabled"] = True
    assert idm.get("sync/queue", params)["totalPagedResults"] == 0


# Reconciliations


def test_a_run_with_asynchronous_policies_looks_like_one_of_an_empty_source(cloud):
    world, idm = cloud
    world.config[f"mapping/{INBOUND}"]["policies"] = [{"situation": "ABSENT", "action": "ASYNC"}]
    error = failure_of(idm)
    progress = error.result["recon"]["progress"]
    assert (error.result["recon"]["state"], progress["source"]) == ("FAILED", {"processed": 0, "total": 0})


def test_the_failed_entries_of_a_run_that_keeps_them_are_named(cloud):
    world, idm = cloud
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm, persist_associations=True)
    assert "user.2" in error.message and "Failed policy validation" in error.message
    assert [failure["situation"] for failure in error.result["recon"]["failures"]] == ["ABSENT"]
    assert asked(world, "POST", "persistAssociations=true")


def test_of_a_run_that_kept_none_it_is_said_where_they_are(cloud):
    world, idm = cloud
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm)
    assert error.result["recon"]["failures"] == []
    started = next(item for item in world.requests if item["path"].startswith("recon?_action=recon"))
    for word in ("not known", "persist_associations: true", "/monitoring/logs", started["transaction_id"]):
        assert word in error.message
    assert not asked(world, "POST", "persistAssociations")


def test_why_a_single_record_failed_comes_with_the_answer_to_its_run(cloud):
    world, idm = cloud
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm, ids=(world.directory.id_of("user.2"),))
    assert "user.2" in error.message and "Failed policy validation" in error.message
    assert error.result["recon"]["failed"] == 1 and error.result["changed"] is True
    assert error.result["recon"]["id"] in world.recons
    assert len(asked(world, "POST", "_action=reconById")) == 1


def test_a_run_whose_answer_is_cut_while_it_is_waited_for_is_found(cloud):
    world, idm = cloud
    world.faults.append(Fault("cut", method="POST", path="/recon", value=0))
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm, ids=(world.directory.id_of("user.2"),))
    assert "user.2" in error.message and "IDM does not say why here" in error.message
    assert len(world.recons) == 1


def test_a_record_waits_for_another_run_and_is_not_taken_for_refused(cloud):
    world, idm = cloud
    gate = Gate(world)
    idm.post("recon", {"_action": "recon", "mapping": INBOUND})
    outcome = reconciled(idm, gate, ids=(world.directory.id_of("user.1"),))
    assert (outcome.run.state, outcome.run.succeeded, len(world.recons)) == ("SUCCESS", 1, 2)


def test_entries_that_somebody_elses_run_has_kept_are_named(cloud):
    world, idm = cloud
    world.switches.poisoned = ["user.2"]
    gate = Gate(world)
    idm.post("recon", {"_action": "recon", "mapping": INBOUND, "persistAssociations": "true"})
    error = failure_of(idm, gate)
    assert "user.2" in error.message and error.result["recon"]["joined"] is True


class Forgetful(dict):
    """Runs that no list shows."""

    def values(self):
        return []


def test_a_failed_record_whose_run_is_not_listed_has_failed_all_the_same(cloud):
    world, idm = cloud
    world.recons = Forgetful()
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm, ids=(world.directory.id_of("user.2"),))
    assert error.message.startswith(f"A reconciliation of {INBOUND} ended in the state FAILED. uid=user.2,")
    assert error.result["recon"]["id"] is None and error.result["changed"] is True


def test_a_single_record_that_succeeds_is_waited_for_too(cloud):
    world, idm = cloud
    outcome = reconciled(idm, ids=(world.directory.id_of("user.1"),))
    assert (outcome.run.state, outcome.run.succeeded) == ("SUCCESS", 1)
    assert list(world.users) == ["user.1"]


def test_a_clustered_mapping_is_started_without_waiting(cloud):
    world, idm = cloud
    world.config[f"mapping/{INBOUND}"]["clusteredSourceReconEnabled"] = True
    world.switches.poisoned = ["user.2"]
    error = failure_of(idm, ids=(world.directory.id_of("user.2"),))
    assert "user.2" in error.message and "IDM does not say why here" in error.message
    assert len(world.recons) == 1


def test_a_directory_that_was_built_anew_takes_two_runs(cloud):
    world, idm = cloud
    policies = world.config[f"mapping/{INBOUND}"]["policies"]
    kept = [policy for policy in policies if policy["situation"] != "SOURCE_MISSING"]
    world.config[f"mapping/{INBOUND}"]["policies"] = [*kept, {"situation": "SOURCE_MISSING", "action": "UNLINK"}]
    reconciled(idm)
    world.directory.build_anew()
    error = failure_of(idm, persist_associations=True)
    assert error.result["recon"]["situations"]["FOUND_ALREADY_LINKED"] == 4
    assert error.result["recon"]["failed"] == 4
    outcome = reconciled(idm)
    assert (outcome.run.failed, outcome.run.situations) == (0, {"FOUND": 4})


@pytest.mark.parametrize("mode", ["am", "standalone"])
def test_where_audit_answers_nobody_is_waited_for_and_nothing_kept(stand, mode):
    stand_in = stand(mode, people=4)
    stand_in.world.switches.poisoned = ["user.2"]
    error = failure_of(client(stand_in), ids=(stand_in.world.directory.id_of("user.2"),))
    assert "Failed policy validation" in error.message or "ForbiddenException" in error.message
    assert not asked(stand_in.world, "POST", "waitForCompletion")
    assert not asked(stand_in.world, "GET", "recon/assoc")


def test_where_audit_keeps_neither_order_nor_number_the_newest_entry_is_found(stand):
    stand_in = stand("standalone", people=4)
    idm = client(stand_in)
    reconciled(idm)
    reconciled(idm)
    stand_in.world.switches.unordered = True
    asked_for = {"_sortKeys": "-timestamp", "_pageSize": "1"}
    raw = idm.query("audit/recon", **asked_for)
    (newest,) = ask_audit(idm, "audit/recon", "true", order="-timestamp", size=1)
    assert len(raw) > 1 and raw[0]["timestamp"] < raw[-1]["timestamp"]
    assert newest["timestamp"] == max(entry["timestamp"] for entry in raw)


# What was refused, where audit does not tell


@pytest.fixture
def refusing(cloud):
    """A tenant whose mapping copies names, and one of whose people the target refuses."""
    world, idm = cloud
    world.config[f"mapping/{INBOUND}"] = {
        **world.config[f"mapping/{INBOUND}"],
        "properties": [{"source": "uid", "target": "userName"}],
    }
    world.config["managed"] = {"objects": [{"name": "user", "schema": {"required": ["userName"]}}]}
    world.switches.poisoned = ["user.2"]
    return world, idm


def verified(idm):
    (found,), failed = verify(idm, VerifyRequest(sources=(Source.parse(SOURCE),), sample=0), Context(clock=Hurry()))
    assert not failed
    return [(one.kind, one.id.split(",")[0], one.reason, one.detail) for one in found.differences]


def test_a_reconciliation_that_kept_its_entries_tells_why_an_entry_is_missing(refusing):
    world, idm = refusing
    failure_of(idm, persist_associations=True)
    ((kind, who, reason, detail),) = verified(idm)
    assert (kind, who, reason) == ("missing", "uid=user.2", "refused")
    assert "Failed policy validation" in detail and "situation ABSENT" in detail


def test_a_newer_one_that_kept_nothing_or_took_the_entry_leaves_the_reason_unknown(refusing):
    world, idm = refusing
    failure_of(idm, persist_associations=True)
    failure_of(idm)
    assert verified(idm) == [("missing", "uid=user.2", "unknown", None)]
    failure_of(idm, persist_associations=True)
    world.switches.poisoned = []
    reconciled(idm, ids=(world.directory.id_of("user.2"),))
    world.users.clear()
    world.links.clear()
    assert {reason for kind, who, reason, detail in verified(idm)} == {"unknown"}

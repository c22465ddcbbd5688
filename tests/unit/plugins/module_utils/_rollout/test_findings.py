# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault is found, with its severity and a remedy, and a finished source shows none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    InvalidOption,
    Refused,
    Unreachable,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import (
    FAILOVER,
    OTHER,
    UNKNOWN,
    Identity,
    Whose,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest, FailurePolicy
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import ServerFacts
from ansible_collections.idmops.idm.plugins.module_utils._rollout.findings import (
    findings_of,
    idm_finding,
    not_ready,
    unencrypted,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import plan_enabled
from ansible_collections.idmops.idm.tests.unit.doubles.faults import FAULTS, REQUEST, TRIMMED
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    LOG,
    MAPPING,
    PRINCIPAL,
    RECORD,
    directory,
    finished,
    grants,
    job,
)


def test_a_finished_source_shows_nothing():
    assert findings_of(finished()) == []


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_found_with_its_severity_and_a_remedy(code):
    severity, spoilt = FAULTS[code]
    found = {finding.code: finding for finding in findings_of(finished(**spoilt))}
    assert code in found, sorted(found)
    assert found[code].severity == severity
    assert found[code].remedy and found[code].message
    assert found[code].source == str(finished(**spoilt).request.source)


def test_a_filter_that_may_be_meant_so_blocks_nothing():
    (found,) = findings_of(
        finished(connector=replace(CONNECTOR, sync_settings={"modifiersNamesToFilterOut": ["uid=x"]}))
    )
    assert (found.code, found.severity) == ("changes_filtered", "warning")


@pytest.mark.parametrize(
    "handler",
    [
        {"maxRetries": 0},
        {"maxRetries": 9, "postRetryAction": "logged-ignore"},
        {"maxRetries": "2", "postRetryAction": "Dead-Letter"},
    ],
)
def test_every_policy_that_drops_is_named(handler):
    connector = replace(CONNECTOR, failure_policy=FailurePolicy.parse(handler))
    (found,) = findings_of(finished(connector=connector))
    assert (found.code, found.severity) == ("failures_dropped", "warning")
    assert "dead-letter-queue" in found.remedy


@pytest.mark.parametrize(
    ("token", "kind"),
    [("29", "string"), (29, "string"), ("x", "integer"), (5.5, "integer"), ("20261124130000Z", "string")],
)
def test_a_token_at_which_runs_fail_is_named_and_not_taken_for_one_that_is_trimmed(token, kind):
    found = findings_of(finished(token=token, native_type=kind, directory=TRIMMED))
    assert [(finding.code, finding.severity) for finding in found] == [("token_type", "blocking")]
    assert "native_type: integer" in found[0].remedy


def test_a_number_in_quotes_is_compared_as_a_number():
    (trimmed, load) = findings_of(finished(token="3", directory=TRIMMED))
    assert (trimmed.code, load.code) == ("change_log_trimmed", "load_needed")


def test_nothing_is_made_for_a_system_that_there_is_not():
    found = findings_of(finished(connector=None, test=None, directory=None, schedules=(), job=None))
    assert "system_unknown" in [finding.code for finding in found]
    assert "mended" not in [finding.severity for finding in found]


def test_ten_faults_are_ten_findings():
    broken = finished(
        connector=replace(
            CONNECTOR, failure_policy=FailurePolicy(), uid_attribute="dn", sync_base_contexts=("dc=example,dc=com",)
        ),
        test=ConnectorTest("ldap", False, "Connection refused", True),
        mappings=(replace(MAPPING, sync_enabled=False),),
        schedules=(job(), job("other")),
        schedule_error=InvalidOption("cron", "x", "Write it well."),
        token=None,
        directory=directory(
            grants(5000, size_limit=1000, lookthrough_limit=5000), seen=Visibility(10, 9), purge_seconds=1
        ),
    )
    codes = [finding.code for finding in findings_of(broken)]
    assert len(codes) == len(set(codes))
    assert len(codes) >= 10


def test_the_way_out_of_denied_livesync_goes_where_operation_options_cannot_be_stored():
    found = findings_of(finished(connector=replace(CONNECTOR, sync_denied=("account",))))
    assert "leave operationOptions out" in next(one.remedy for one in found if one.code == "sync_denied")


def test_small_limits_block_only_where_something_is_to_be_loaded():
    small = {"directory": directory(grants(5000, size_limit=1000))}
    found = {finding.code: finding.severity for finding in findings_of(finished(**small))}
    assert found["size_limit"] == "warning"


def test_a_short_change_log_blocks_only_where_something_is_to_be_loaded():
    short = {"directory": directory(purge_seconds=10)}
    found = {finding.code: finding.severity for finding in findings_of(finished(record={}, **short))}
    assert found["change_log_short"] == "blocking"


def test_a_change_log_that_is_kept_for_ever_is_not_short():
    assert findings_of(finished(directory=directory(purge_seconds=0))) == []


def test_a_trimmed_change_log_blocks_where_nothing_may_be_loaded():
    found = findings_of(finished(request=replace(REQUEST, initial_load="never"), directory=TRIMMED))
    assert [(finding.code, finding.severity) for finding in found] == [("change_log_trimmed", "blocking")]


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("http://idm.example.com:8080/openidm", ["idm_unencrypted"]),
        ("https://idm.example.com/openidm", []),
        ("http://localhost:8080/openidm", []),
        ("http://[::1]:8080/openidm", []),
    ],
)
def test_credentials_in_the_open_are_told(url, codes):
    assert [finding.code for finding in unencrypted(url)] == codes


def test_start_tls_encrypts():
    servers = (ServerFacts("ldap://ds1.example.com", grants(), grants()),)
    request = replace(REQUEST, directory={"servers": ["ldap://ds1.example.com"], "start_tls": True})
    found = findings_of(finished(request=request, directory=directory(servers=servers)))
    assert "directory_unencrypted" not in [finding.code for finding in found]


def test_what_every_idm_has_and_is_not_there_is_the_urls_fault():
    found = idm_finding(Refused("answered 404: Resource 'admin/system' not found.", status=404))
    assert "context path" in found.remedy


LOADED_AT = {"m": replace(RECORD["m"], directory=Identity({"replication server": "1"}, {"dc": "7"}))}
AHEAD, TRIMMED_TO_THE_END, WITHIN = 101, 0, 50


@pytest.mark.parametrize("token", [AHEAD, WITHIN, TRIMMED_TO_THE_END])
@pytest.mark.parametrize(
    ("facts", "record"),
    [
        ({"whose": Whose(OTHER, "Another.")}, RECORD),
        ({"identity": Identity({"replication server": "2"}, {"dc": "7"})}, LOADED_AT),
    ],
)
def test_the_numbers_of_another_server_block_and_lead_to_nothing(facts, record, token):
    numbered = grants(log=replace(LOG, first=10))
    evidence = finished(token=token, record=record, directory=directory(numbered, **facts))
    found = findings_of(evidence)
    assert [(finding.code, finding.severity) for finding in found] == [("directory_differs", "blocking")]
    plan = plan_enabled(evidence, found, 0)
    assert plan.blocked and not (plan.reset or plan.baseline or plan.to_load)


@pytest.mark.parametrize("token", [AHEAD, TRIMMED_TO_THE_END])
def test_numbers_of_a_server_that_nobody_knows_block_with_both_possibilities(token):
    numbered = grants(log=replace(LOG, first=10))
    unknown = directory(numbered, whose=Whose(UNKNOWN, "Who knows."))
    evidence = finished(token=token, directory=unknown)
    (found,) = findings_of(evidence)
    assert (found.code, found.severity) == ("directory_differs", "blocking")
    assert f"token {token}" in found.message and "Who knows." in found.message
    assert "state: absent" in found.remedy
    assert not plan_enabled(evidence, [found], 0).to_load


def test_a_directory_that_was_built_anew_where_it_was_is_loaded_again():
    anew = directory(identity=Identity({"replication server": "1"}, {"dc": "8"}))
    evidence = finished(token=AHEAD, record=LOADED_AT, directory=anew)
    assert {finding.code for finding in findings_of(evidence)} == {"change_log_trimmed", "load_needed"}
    (found,) = findings_of(finished(token=WITHIN, record=LOADED_AT, directory=anew))
    assert (found.code, found.severity) == ("directory_differs", "blocking") and "generation dc 7" in found.message


def test_without_a_token_it_does_not_matter_where_the_load_was_recorded():
    evidence = finished(
        token=None, record=LOADED_AT, directory=directory(identity=Identity({"replication server": "2"}))
    )
    assert "directory_differs" not in [finding.code for finding in findings_of(evidence)]


def test_what_another_server_may_hold_guards_no_load():
    seen = directory(seen=Visibility(5, 5), whose=Whose(UNKNOWN, "Who knows."))
    codes = [finding.code for finding in findings_of(finished(record={}, linked={"m": True}, directory=seen))]
    assert "load_may_delete" in codes


@pytest.mark.parametrize(
    "linked, allow, seen, blocked",
    [
        (True, False, None, True),
        (None, False, None, True),
        (False, False, None, False),
        (True, True, None, False),
        (True, False, Visibility(5, 5), False),
    ],
)
def test_a_load_deletes_nobody_by_surprise(linked, allow, seen, blocked):
    evidence = finished(
        request=replace(REQUEST, allow_deletes=allow),
        record={},
        linked={"m": linked},
        directory=directory(seen=seen) if seen else None,
    )
    assert ("load_may_delete" in [finding.code for finding in findings_of(evidence)]) is blocked


def test_a_mapping_that_cannot_delete_needs_no_comparison():
    harmless = finished(mappings=(replace(MAPPING, deletes=False, removing=()),), record={}, directory=None, linked={})
    assert "load_may_delete" not in [finding.code for finding in findings_of(harmless)]


def test_a_directory_that_is_said_not_to_be_there_is_not_missed():
    request = replace(REQUEST, directory=None, own_directory=True)
    assert findings_of(finished(request=request, directory=None)) == []


@pytest.mark.parametrize(
    "error, code",
    [
        (Unreachable("No.", sent=False, remedy="Check it."), "idm_unreachable"),
        (Refused("No.", status=401), "idm_credentials"),
        (Refused("No.", status=403), "idm_rights"),
        (Refused("No.", status=503), "idm_not_ready"),
        (Refused("No.", status=500), "idm_error"),
    ],
)
def test_errors_of_idm_are_findings(error, code):
    found = idm_finding(error)
    assert (found.code, found.severity) == (code, "blocking")
    assert found.remedy


def test_an_idm_that_is_not_ready_says_what_it_is():
    found = not_ready("STARTING", "OpenIDM starting")
    assert found.code == "idm_not_ready" and "STARTING" in found.message and "OpenIDM starting" in found.message


def test_the_account_is_named():
    found = findings_of(finished(directory=directory(grants(missing=("privilege", "change_log")), grants())))
    assert PRINCIPAL in found[0].message and "changelog-read" in found[0].message and "cn=changelog" in found[0].message


def test_a_name_that_another_job_has_is_told_with_what_that_job_is():
    taken = finished(schedule_error=InvalidOption("name", "x", "It runs another."), namesake="The job x is another.")
    (finding,) = [one for one in findings_of(taken) if one.code == "schedule_invalid"]
    assert finding.severity == "blocking" and finding.remedy == "The job x is another."


def test_policies_that_leave_a_load_undone_block_where_it_is_to_be_done():
    """OpenIDM 6.1.0 calls such a load SUCCESS (seen); Ping's releases fail it ("ForgeRock / Ping IDM", section 3.5)."""
    undone = replace(MAPPING, asynchronous=("ABSENT", "CONFIRMED"))
    for record, severity in (({}, "blocking"), (RECORD, "warning")):
        found = {one.code: one for one in findings_of(finished(mappings=(undone,), record=record))}
        assert found["policy_async"].severity == severity
        assert "ABSENT, CONFIRMED" in found["policy_async"].message


def with_standby(**facts):
    """The directory with a second server that does not answer."""
    gone = ServerFacts(
        "ldap://ds2", error=NoAnswer("ldap://ds2 cannot be reached: refused.", "ldap://ds2", "Check it.")
    )
    known = directory(**facts)
    return replace(known, servers=(*known.servers, gone))


def test_a_server_that_is_away_is_reported_and_stops_nothing():
    (found,) = [one for one in findings_of(finished(directory=with_standby())) if one.code == "directory_unreachable"]
    assert found.severity == "warning" and "ldap://ds2 cannot be reached" in found.message
    assert "may lack there" in found.message and "Run this again when it is back" in found.remedy


def test_where_none_answers_each_blocks():
    facts = with_standby()
    facts = replace(facts, servers=(replace(facts.servers[1], uri=facts.uri), facts.servers[1]))
    found = findings_of(finished(directory=facts))
    assert [one.severity for one in found if one.code == "directory_unreachable"] == ["blocking", "blocking"]


def test_the_numbers_of_a_failover_neither_reset_nor_pass():
    """A replica may be behind the first server, which is away: the token is no worse for that."""
    facts = with_standby(whose=Whose(FAILOVER, "ds1 is away."))
    said = {one.code: one for one in findings_of(finished(directory=facts))}
    assert said["directory_unproved"].severity == "warning" and "ds1 is away." in said["directory_unproved"].message
    ahead = finished(token=10**6, directory=facts)
    (found,) = [one for one in findings_of(ahead) if one.code == "directory_differs"]
    assert found.severity == "blocking" and "before anything is changed" in found.remedy
    assert ahead.gap is None and ahead.loads == {}


def test_a_load_that_may_delete_waits_for_the_first_server():
    """The failover may be behind: people whom it does not have yet would be deleted."""
    facts = directory(whose=Whose(FAILOVER, "ds1 is away."))
    due = finished(directory=facts, record={}, linked={MAPPING.name: True})
    (found,) = [one for one in findings_of(due) if one.code == "load_may_delete"]
    assert found.severity == "blocking" and found.remedy.startswith("Bring back the first server")


def test_servers_that_number_changes_otherwise():
    (found,) = [
        one for one in findings_of(finished(directory=directory(misnumbered=("ldap://ds2",)))) if "numbers" in one.code
    ]
    assert (found.code, found.severity) == ("directory_numbers", "warning") and "ldap://ds2" in found.message

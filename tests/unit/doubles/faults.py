# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault that preflight finds, by its code: its severity, and what of a finished source has to be spoilt for it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    DirectoryError,
    IdmopsError,
    InvalidOption,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import DeniedByAci
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NO_CHANGE_LOG_REMEDY, ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.verify import Verification
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import (
    OTHER,
    UNKNOWN,
    Whose,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest, FailurePolicy
from ansible_collections.idmops.idm.plugins.module_utils._idm.queue import QueuedSync
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._proof.unlisted import Unlisted
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import ServerFacts
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import SchedulePlan
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    URI,
    directory,
    finished,
    grants,
    job,
)

REQUEST = finished().request
TRIMMED = directory(grants(log=ChangeLog(60, 100, "change_numbers", "cn=changelog")))
WITHOUT_NUMBERS = directory(grants(log=ChangeLog(0, 0, "cookies_only", "cn=changelog")))


def failing_server(kind=DirectoryError, **error):
    return directory(before=None, servers=(ServerFacts(URI, error=kind("No.", **error)),))


#: Policies that drop a record: at once, after some attempts, with an action that IDM does not know.
DROPS = FailurePolicy.parse({"maxRetries": 0, "postRetryAction": "logged-ignore"})


def queueing(**stated):
    return replace(MAPPING, name="on", queue=QueuedSync.parse({"enabled": True, **stated}))


FAULTS = {
    "system_unknown": ("blocking", {"connector": None, "test": None, "directory": None}),
    "object_type_unknown": ("blocking", {"request": replace(REQUEST, source=Source("ldap", "nope"))}),
    "connector_undocumented": ("blocking", {"connector": None, "directory": None}),
    "connector_twice": ("blocking", {"connector": replace(CONNECTOR, twins=("a/ldap", "a/old"))}),
    "connector_disabled": ("blocking", {"connector": replace(CONNECTOR, enabled=False), "test": None}),
    "connector_test_failed": ("blocking", {"test": ConnectorTest("ldap", False, "Connection refused", True)}),
    "sync_denied": ("blocking", {"connector": replace(CONNECTOR, sync_denied=("account",))}),
    "no_failure_policy": ("warning", {"connector": replace(CONNECTOR, failure_policy=FailurePolicy())}),
    "failures_dropped": ("warning", {"connector": replace(CONNECTOR, failure_policy=DROPS)}),
    "changes_filtered": (
        "blocking",
        {
            "connector": replace(
                CONNECTOR,
                sync_settings={"objectClassesToSynchronize": ["x"], "accountObjectClasses": ["person"]},
                native_types={"account": "__ACCOUNT__"},
            )
        },
    ),
    "token_type": ("blocking", {"token": "29", "native_type": "string"}),
    "uid_attribute_dn": ("warning", {"connector": replace(CONNECTOR, uid_attribute="DN")}),
    "mapping_unknown": ("blocking", {"strangers": {"x": "IDM has none of this name"}}),
    "links_estranged": ("blocking", {"estranged": "The connector knows entries by dn, and the links by entryUUID."}),
    "mappings_refused": ("blocking", {"refused_mappings": "config/sync is not in force.", "mappings": ()}),
    "no_mapping": ("blocking", {"mappings": ()}),
    "mapping_disabled": ("blocking", {"mappings": (replace(MAPPING, sync_enabled=False),)}),
    "mapping_sync_unknown": ("warning", {"mappings": (replace(MAPPING, sync_enabled=None),)}),
    "no_correlation": ("warning", {"mappings": (replace(MAPPING, correlates=False),)}),
    "mapping_left_out": ("warning", {"left_out": ("n",)}),
    "schedule_invalid": ("blocking", {"schedule_error": InvalidOption("cron", "x", "Write it well.")}),
    "schedule_duplicate": ("blocking", {"schedules": (job(), job("other"))}),
    "job_runs_nothing": ("warning", {"idle_jobs": ("The job x invokes y, which runs nothing.",)}),
    "queue_drops": ("warning", {"queued": ((queueing(maxRetries=3), 0),)}),
    "queue_blocks": ("warning", {"queued": ((queueing(postRetryAction="dead-letter-queue"), None),)}),
    "queue_off": ("warning", {"queued": ((queueing(enabled=False), 7),)}),
    "schedule_missing": ("mended", {"schedules": (), "job": None}),
    "schedule_differs": ("mended", {"schedule_plan": SchedulePlan(job(enabled=False), job(), {}, ["enabled"])}),
    "directory": ("blocking", {"directory": None, "directory_error": InvalidOption("servers", [], "Give one.")}),
    "directory_not_given": ("warning", {"directory": None}),
    "directory_unreachable": ("blocking", {"directory": failing_server()}),
    "directory_credentials": ("blocking", {"directory": failing_server(status=49)}),
    "aci_denies": ("blocking", {"directory": failing_server(DeniedByAci, remedy="Remove it.")}),
    "principal_unknown": ("blocking", {"directory": failing_server(status=32)}),
    "change_log_off": ("blocking", {"directory": failing_server(remedy=NO_CHANGE_LOG_REMEDY)}),
    "grants_missing": ("mended", {"directory": directory(grants(missing=("privilege",)), grants())}),
    "size_limit": ("blocking", {"record": {}, "directory": directory(grants(5000, size_limit=1000))}),
    "lookthrough_limit": ("mended", {"directory": directory(grants(5000, lookthrough_limit=5000), grants(5000))}),
    "unindexed_search": ("blocking", {"record": {}, "directory": directory(grants(5000))}),
    "canary_unfit": ("blocking", {"directory": directory(canary=IdmopsError("ds1 has no entry uid=c."))}),
    "principal_differs": ("warning", {"connector": replace(CONNECTOR, principal="uid=other,dc=example,dc=com")}),
    "principal_inside": ("warning", {"connector": replace(CONNECTOR, sync_base_contexts=("dc=example,dc=com",))}),
    "change_log_cookies_only": ("blocking", {"directory": WITHOUT_NUMBERS}),
    "alias_search": ("blocking", {"directory": directory(alias_search=False)}),
    "change_log_trimmed": ("mended", {"directory": TRIMMED}),
    "principal_unverified": ("blocking", {"directory": directory(verification=Verification(False, "Refused."))}),
    "directory_unencrypted": (
        "warning",
        {"directory": directory(servers=(ServerFacts("ldap://ds1.example.com", grants(), grants()),))},
    ),
    "directory_differs": ("blocking", {"directory": directory(whose=Whose(OTHER, "Another."))}),
    "directory_unproved": ("warning", {"directory": directory(whose=Whose(UNKNOWN, "Who knows."))}),
    "change_log_short": ("warning", {"directory": directory(purge_seconds=10)}),
    "no_base_point": ("mended", {"token": None}),
    "load_needed": ("mended", {"record": {}}),
    "sees_fewer": ("blocking", {"directory": directory(seen=Visibility(100, 99))}),
    "policy_async": ("warning", {"mappings": (replace(MAPPING, asynchronous=("ABSENT",)),)}),
    "load_would_delete": ("blocking", {"unlisted": {"m": Unlisted(1, ("a",), (("accountSearchFilter", 1),))}}),
    "load_may_delete": ("blocking", {"record": {}, "directory": None, "linked": {"m": True}}),
}

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server, a directory or a file holds: what reads it returns something, or says what is wrong with it."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base import text, values
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._changelog import aci, log, rights
from ansible_collections.idmops.idm.plugins.module_utils._http import answer
from ansible_collections.idmops.idm.plugins.module_utils._idm import audit, error_texts, record_failure
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector, ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_filters import filters_of
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.plugins.module_utils._livesync.outcome import Mark
from ansible_collections.idmops.idm.plugins.module_utils._recon.run import EntryFailure, ReconRun
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import as_document, read_record
from ansible_collections.idmops.idm.plugins.module_utils._schedule import cron
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule, same_time
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore")
SETTINGS = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
#: Members that the readers look for, so that what is made up gets far.
NAMES = (
    "_id _rev name source target links enableSync policies situation action condition properties connectorData "
    "syncToken nativeType lastException throwable syncDelta configurationProperties connectorRef connectorName "
    "connectorHostRef objectTypes operationOptions SYNC objectFeatures denied supportedObjectTypes "
    "syncFailureHandler maxRetries postRetryAction script baseContexts baseContextsToSynchronize failover host "
    "port ssl principal nativeName id attributesToSynchronize accountSynchronizationFilter "
    "objectClassesToSynchronize accountObjectClasses modifiersNamesToFilterOut useTimestampsForSync "
    "invokeService invokeContext schedule type repeatInterval repeatCount triggers state startTime endTime "
    "enabled persisted initialLoad recon time idm mapping progress existing processed total statusSummary "
    "situationSummary parameters sourceIds duration sourceObjectId targetObjectId messageDetail detail "
    "failedPolicyRequirements policyRequirements message exception status timestamp failing began rev startup"
).split()
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["liveSync", "provisioner", "simple", "cron", "0/15 * * * * ?", "system/ldap/account", "&{esv.x}", "true", "5"]
        + ["__ACCOUNT__", "org.identityconnectors.ldap.LdapConnector", "dc=example,dc=com", "9" * 400, "\u00b2", "\x00"]
    ),
)
NUMBERS = st.one_of(st.integers(), st.sampled_from([float("inf"), float("nan"), 1e300, 10**400, -1, 0.5]))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
FLAT = st.one_of(
    LEAVES, LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.sampled_from(NAMES), LEAVES, max_size=4)
)
ANYTHING = st.one_of(FLAT, st.lists(FLAT, max_size=3), st.dictionaries(st.sampled_from(NAMES), FLAT, max_size=4))
OBJECTS = st.dictionaries(st.sampled_from(NAMES), ANYTHING, min_size=4, max_size=20)


def of_connector(document):
    connector = Connector.parse(document)
    for name in (*connector.object_types, "account"):
        filters_of(connector, name, [SyncMapping.parse(document)], logged=True)
    return connector.as_result(), connector.servers, connector.failure_policy.untraced(audited=True)


def of_schedule(document):
    schedule = Schedule.parse(document)
    return schedule.as_result(), read_record(schedule.load_record), schedule.meant


def of_stage(document):
    stage = Stage.parse(document)
    record_failure.parse_failure(stage, detailed=True).as_result()
    return stage.number, stage.misfit(CONNECTOR)


READERS = {
    "connector": of_connector,
    "test": ConnectorTest.parse,
    "mapping": SyncMapping.parse,
    "stage": of_stage,
    "schedule": of_schedule,
    "run": lambda document: ReconRun.parse(document).as_result(),
    "failure": lambda document: str(EntryFailure.parse(document)),
    "audit": audit.AuditEntry.parse,
    "mark": Mark.parse,
    "record": lambda document: as_document(read_record(document)),
    "identity": lambda document: record_failure.RecordFailure.of(document).sentence(),
}


@pytest.mark.parametrize("reader", READERS)
def test_objects(reader):
    @SETTINGS
    @given(OBJECTS)
    def read(document):
        with contextlib.suppress(IdmopsError):
            READERS[reader](document)

    read()


@SETTINGS
@given(ANYTHING)
def test_values(value):
    for read in (values.as_text, values.as_int, values.as_bool, values.as_texts, values.as_whole):
        read(value)
    same_time(value, value)


@SETTINGS
@given(st.one_of(st.text(), TEXTS, st.from_regex(r"[0-9*?/,-]{1,12}( [0-9*?/,-]{1,9}){5,6}", fullmatch=True)))
def test_texts(written):
    cron.canonical_cron(written)
    cron.cron_to_interval(written)
    text.reason_in(written)
    error_texts.read_reason(written)
    log.as_time(written)
    answer.reason_of({"message": written, "error": written})
    audit.seconds_between(written, written)
    with contextlib.suppress(ValueError):
        Name.parse(written)


@SETTINGS
@given(st.binary(max_size=60), TEXTS, TEXTS)
def test_answers(content, one, other):
    headers = {"Content-Type": "application/json", "Retry-After": one, "Date": other}
    with contextlib.suppress(answer.CutOff):
        answer.parse_body(200, headers, content)
    answer.retry_after(headers, 0.0)
    answer.date_of(headers)


@SETTINGS
@given(st.lists(st.binary(max_size=40), max_size=3))
def test_what_a_directory_says(octets):
    rights.parse_rights(Entry("", {"aclrights;attributelevel;cn": tuple(octets)}))
    for value in octets:
        with contextlib.suppress(ValueError):
            aci.parse(value)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: read, set, removed, and what is refused."""

from __future__ import annotations

from functools import partial

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, InvalidOption, Refused
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync import token as module
from ansible_collections.idmops.idm.plugins.module_utils._livesync.token import keep_token, wish_of
from ansible_collections.idmops.idm.plugins.module_utils._record.lock import run_lock
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    CONNECTOR,
    OLD,
    SOURCE,
    STAGE,
    LiveSyncClient,
    audit,
    cluster,
    connectors,
    document,
    entry,
    executing,
    job,
    no_stage,
    schedules,
    stage,
    version,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, context, refused

LDAP = Source.parse(SOURCE)
OPTIONS = {
    "source": SOURCE,
    "state": "present",
    "sync_token": None,
    "native_type": None,
    "force": False,
    "directory": None,
}
IDLE = (version(), schedules(), executing())
#: A token that was stored as a text, at which the runs of a connector that counts changes fail.
TEXT = call(
    "GET", STAGE, {"_id": "SYSTEMLDAPACCOUNT", "_rev": "1", "connectorData": {"nativeType": "string", "syncToken": "9"}}
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def idle(*jobs, running=()):
    return (version(), schedules(*jobs), executing(*running))


def stored(token, native_type="integer", rev="2", over="1"):
    body = {"connectorData": {"nativeType": native_type, "syncToken": token}}
    guard = {"If-Match": f'"{over}"'} if over else {"If-None-Match": "*"}
    return call("PUT", STAGE, document(rev, token), body=body, headers=guard)


def keep(*calls, check=False, **options):
    client = LiveSyncClient(*connectors(), *calls, check_mode=check)
    it = context(check_mode=check)
    result = keep_token(client, wish_of({**OPTIONS, **options}), it)
    client.finished()
    return result, it


def test_the_token_that_is_there_is_not_written_again():
    result, unused = keep(stage("1", 5), sync_token=5)
    assert result == {
        "changed": False,
        "token_before": 5,
        "token_after": 5,
        "diff": {"before": {"sync_token": 5}, "after": {"sync_token": 5}},
    }


@pytest.mark.parametrize("check", [False, True])
def test_something_and_nothing_to_do(check):
    result, unused = keep(stage("1", 5), *idle(), *([] if check else [stored(9)]), check=check, sync_token=9)
    assert (result["changed"], result["token_before"], result["token_after"]) == (True, 5, 9)
    result, unused = keep(stage("1", 5), check=check, sync_token="5")
    assert result["changed"] is False
    gone = [] if check else [call("DELETE", STAGE, {}, body={"If-Match": '"1"'})]
    result, it = keep(stage("1", 5), *idle(), *gone, check=check, state="absent")
    assert (result["changed"], result["token_after"]) == (True, None)
    assert "replays nothing" in it.report.warnings[0]
    result, it = keep(no_stage(), check=check, state="absent")
    assert (result["changed"], it.report.warnings) == (False, [])


@pytest.mark.parametrize(
    ("before", "over", "options", "token", "native_type"),
    [
        (no_stage(), None, {"sync_token": 9}, 9, "integer"),
        (no_stage(), None, {"sync_token": " 9 ", "native_type": "JAVA_TYPE_LONG"}, 9, "JAVA_TYPE_LONG"),
        (TEXT, "1", {"sync_token": 9}, 9, "integer"),
        (TEXT, "1", {"sync_token": "29"}, 29, "integer"),
        (call("GET", STAGE, {"_id": "x", "connectorData": {"nativeType": "JAVA_TYPE_LONG", "syncToken": 5}}),
         None, {"sync_token": 9}, 9, "JAVA_TYPE_LONG"),
    ],
)  # fmt: skip
def test_the_stored_type_is_kept_and_a_given_one_wins(before, over, options, token, native_type):
    result, unused = keep(before, *idle(), stored(token, native_type, over=over), **options)
    assert result["token_after"] == token


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sync_token": "20260101Z"}, "a number, 0 or more"),
        ({"sync_token": "-1"}, "a number, 0 or more"),
        ({"sync_token": "²"}, "a number, 0 or more"),
        ({"sync_token": 9, "native_type": "string"}, "takes change numbers"),
    ],
)
def test_a_connector_that_counts_changes_takes_numbers_alone(options, words, check):
    for held in (stage("1", 5), TEXT, no_stage()):
        with pytest.raises(InvalidOption, match=words):
            keep(held, check=check, **options)


def test_another_connector_takes_what_it_made():
    other = {
        **CONNECTOR,
        "connectorRef": {"connectorName": "org.identityconnectors.databasetable.DatabaseTableConnector"},
    }
    client = LiveSyncClient(*connectors(other), no_stage(), *idle(), stored("20260101Z", "string", over=None))
    assert keep_token(client, wish_of({**OPTIONS, "sync_token": "20260101Z"}), context())["token_after"] == "20260101Z"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sync_token": 1, "state": "absent"}, "leave one of them out"),
        ({"sync_token": None}, "livesync_status tells"),
        ({"sync_token": {"a": 1}}, "a number or a text"),
        ({"sync_token": True}, "a number or a text"),
        ({"sync_token": ""}, "a number or a text"),
        ({"source": "ldap", "sync_token": 5}, "system/<connector>/<object type>"),
    ],
)
def test_what_contradicts_itself(options, words):
    with pytest.raises(InvalidOption, match=words):
        wish_of({**OPTIONS, **options})


@pytest.mark.parametrize("token", [-1, "abc", "1.5"])
def test_a_number_is_a_number(token):
    with pytest.raises(InvalidOption, match="is a number"):
        keep(stage("1", 5), sync_token=token)


@pytest.mark.parametrize("options", [{"sync_token": 9}, {"state": "absent"}])
def test_not_beside_an_enabled_schedule_or_a_run(options):
    with pytest.raises(IdmopsError, match="while the schedule nightly is enabled"):
        keep(stage("1", 5), version(), schedules(job()), **options)
    with pytest.raises(IdmopsError, match="while liveSync runs"):
        keep(stage("1", 5), *idle(job(enabled=False), running=[SOURCE]), **options)


def test_not_beside_a_run_that_a_task_has_sent(monkeypatch):
    monkeypatch.setattr(module, "hold", partial(module.hold, where="local"))
    with run_lock(LiveSyncClient.url, LDAP.stage_id, context(), wait=0.0) as lock:
        with pytest.raises(IdmopsError, match="while liveSync runs"):
            keep(stage("1", 5), *idle(), sync_token=9)
        lock.remember({"rev": "1", "token": 5, "startup": OLD, "began": "2026-11-24T10:59:30Z"})
    alive = (stage("1", 5), cluster(OLD), audit(entry(timestamp="2026-11-24T10:59:58.500Z")))
    with pytest.raises(IdmopsError, match="while liveSync runs"):
        keep(stage("1", 5), *idle(), *alive, sync_token=9)
    result, unused = keep(stage("2", 7), *idle(), stage("2", 7), stored(9, rev="3", over="2"), sync_token=9)
    assert result["changed"]


def test_unless_told_otherwise():
    result, unused = keep(stage("1", 5), stored(9), sync_token=9, force=True)
    assert result["changed"]


def test_an_unknown_source():
    with pytest.raises(InvalidOption, match="source: .*it has: account, group"):
        keep(source="system/ldap/nobody", sync_token=9)


def test_somebody_else_was_faster():
    lost = call("PUT", STAGE, refused(412, "changed meanwhile"), headers={"If-Match": '"1"'})
    with pytest.raises(Refused):
        keep(stage("1", 5), *idle(), lost, sync_token=9)


@pytest.mark.parametrize(("token", "fits"), [(3, False), (4, True), (12, True), (13, False)])
def test_a_token_outside_of_the_change_log_is_refused(monkeypatch, token, fits):
    class Log:
        log = ChangeLog(5, 12, "change_numbers", "cn=changelog")

        def __init__(self, options, url, connector, it):
            assert url == "ldap://localhost:1389"

        def __enter__(self):
            return self

        def __exit__(self, *unused):
            pass

        def last(self):
            return self.log.last

    monkeypatch.setattr(module, "LogReader", Log)
    directory = {"servers": ["ldap://localhost:1389"], "bind_dn": "uid=admin", "bind_password": "x"}
    if fits:
        assert keep(stage("1", 5), *idle(), stored(token), sync_token=token, directory=directory)[0]["changed"]
    else:
        with pytest.raises(InvalidOption, match="give a number from 4 to 12"):
            keep(stage("1", 5), *idle(), sync_token=token, directory=directory)

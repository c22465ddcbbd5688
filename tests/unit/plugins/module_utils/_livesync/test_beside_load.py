# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source is loaded while no liveSync runs; one that runs all the same loses nothing."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, Refused, TimedOut
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync import beside_load as module
from ansible_collections.idmops.idm.plugins.module_utils._livesync import watch
from ansible_collections.idmops.idm.plugins.module_utils._livesync.beside_load import alone
from ansible_collections.idmops.idm.plugins.module_utils._record.hold import hold
from ansible_collections.idmops.idm.plugins.module_utils._record.lock import run_lock
from ansible_collections.idmops.idm.tests.unit.doubles.record import RecordClient
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, refused

SOURCE = Source.parse("system/ldap/account")


class Idm(RecordClient):
    """A stage that others write to, and a run that an earlier task may have left."""

    def __init__(self, monkeypatch, tmp_path, *, token=7, going_on=0, clashes=0):
        super().__init__()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        self.stage = None if token is None else Stage(rev="1", token=token, native_type="integer")
        self.going_on, self.clashes = going_on, clashes
        self.told, self.seen = context(), []
        monkeypatch.setattr(module, "read_stage", lambda *unused: self.stage)
        monkeypatch.setattr(module, "write_token", self._write)
        monkeypatch.setattr(watch, "may_go_on", self._may_go_on)
        monkeypatch.setattr(module, "wait_until_idle", lambda *unused: self.seen.append("no job"))

    def _may_go_on(self, livesync, mark):
        self.seen.append(f"run of {mark.rev}")
        self.going_on -= 1
        return self.going_on >= 0

    def _write(self, client, source, token, native_type, rev):
        if self.clashes:
            self.clashes -= 1
            self.stage = Stage(rev=rev + "x", token=self.stage.token, native_type=native_type)
            raise refused(412, "another revision")
        assert rev == self.stage.rev
        self.stage = Stage(rev=rev + "y", token=token, native_type=native_type)
        return self.stage

    def load(self, moved_to=None, timeout=60.0):
        with alone(self, SOURCE, self.told, timeout):
            self.seen.append("load")
            if moved_to:
                self.stage = Stage(rev="2", token=moved_to, native_type="integer")

    def leave(self, **run):
        with hold(self, SOURCE, self.told, wait=0, work="liveSync") as lock:
            lock.remember(run)


def test_where_nobody_is_the_load_begins_at_once_and_the_token_stays(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path)
    idm.load()
    assert idm.seen == ["no job", "load"]
    assert idm.stage.rev == "1" and not idm.told.report.warnings


def test_a_run_that_a_killed_task_has_left_is_waited_for(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path, going_on=2)
    idm.leave(rev="41")
    idm.load()
    assert idm.seen == ["run of 41"] * 3 + ["no job", "load"]


def test_one_that_does_not_end_in_time_means_no_load(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path, going_on=10**6)
    idm.leave(rev="41")
    with pytest.raises(TimedOut):
        idm.load()
    assert "load" not in idm.seen


def test_another_task_on_this_host_means_no_load(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path)
    with run_lock(idm.url, SOURCE.stage_id, context(), wait=0), pytest.raises(IdmopsError, match="Another task"):
        idm.load(timeout=0.3)
    assert idm.seen == []


@pytest.mark.parametrize("clashes", [0, 2])
def test_a_token_that_was_moved_during_the_load_is_put_back(monkeypatch, tmp_path, clashes):
    idm = Idm(monkeypatch, tmp_path, clashes=clashes)
    idm.load(moved_to=12)
    assert idm.stage.token == 7
    assert "from 7 to 12" in idm.told.report.warnings[0]


def test_a_token_that_cannot_be_put_back_is_an_error(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path, clashes=99)
    with pytest.raises(Refused):
        idm.load(moved_to=12)


def test_where_there_was_no_token_there_is_none_to_put_back(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path, token=None)
    idm.load(moved_to=12)
    assert idm.stage.token == 12


def test_the_token_moves_to_where_the_load_began_while_nobody_else_may_run(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path)
    with alone(idm, SOURCE, idm.told, 60.0) as point:
        point.move(20)
    assert (idm.stage.token, idm.stage.rev) == (20, "1y") and not idm.told.report.warnings


def test_it_does_not_move_where_another_liveSync_ran_meanwhile_which_is_put_back(monkeypatch, tmp_path):
    idm = Idm(monkeypatch, tmp_path, clashes=1)
    with pytest.raises(IdmopsError, match="was not set to 20") as caught, alone(idm, SOURCE, idm.told, 60.0) as point:
        idm.stage = Stage(rev="2", token=9, native_type="integer")
        point.move(20)
    assert idm.stage.token == 7 and "nothing is lost" in caught.value.remedy

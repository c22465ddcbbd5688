# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary touches no one's entry, arrives or says so, and leaves the old value behind, whatever happens."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.plugins.module_utils._verify import canary as module
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

DN = "uid=u1,ou=People,dc=example,dc=com"
CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "objectTypes": {
            "account": {"nativeType": "__ACCOUNT__", "properties": {"mail": {"nativeName": "rfc822Mailbox"}}}
        },
    }
)
OPTIONS = {
    "source": Source.parse(SOURCE),
    "dn": DN,
    "directory": {"servers": ["ldaps://ds1"]},
    "attribute": "rfc822Mailbox",
}


class Line:
    """The directory; what is written comes to IDM after some looks at the clock, or never."""

    uri = "ldaps://ds1"

    def __init__(self, there, values, arrives):
        self.there, self.values, self.arrives = there, list(values), arrives
        self.written, self.fails_on = [], None

    def __call__(self, options, url, it):
        self.clock = it.clock
        return self

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def read(self, dn, attributes, **unused):
        if self.values == [None]:
            return None
        return Entry(dn, {"rfc822mailbox": tuple(one.encode() for one in self.values), "entryuuid": (b"s1",)})

    def modify(self, dn, modifications):
        (one,) = modifications
        self.written.append((dn, one.how, one.attribute, one.values[0].decode()))
        if self.fails_on == len(self.written):
            raise DirectoryError("answered 53: unwilling")
        if self.arrives and len(self.written) == 1:
            self.there.users[1]["mail"] = one.values[0].decode()


@pytest.fixture
def fly(monkeypatch):
    def of(
        values=("idmops canary",), arrives=True, there=None, schedules=(5,), check_mode=False, fails_on=None, **more
    ):
        there = there or Environment()
        line = Line(there, values, arrives)
        line.fails_on = fails_on
        jobs = [
            Schedule.parse(
                {
                    "_id": "job",
                    "type": "simple",
                    "repeatInterval": one * 1000,
                    "invokeService": "provisioner",
                    "invokeContext": {"action": "liveSync", "source": SOURCE},
                }
            )
            for one in schedules
        ]
        lists = Snapshot({"ldap": CONNECTOR}, {}, {}, jobs, more.pop("known", [there.mapping]), frozenset())
        there.idm.documents["config/managed"] = {}
        monkeypatch.setattr(module, "read_snapshot", lambda client: lists)
        monkeypatch.setattr(module, "Directory", line)
        monkeypatch.setattr(module, "read_stage", lambda *unused: Stage("1", 7, "integer"))
        it = context(check_mode)
        try:
            result = module.fly(there.idm, module.CanaryRequest(**{**OPTIONS, **more}), it)
        except IdmopsError as exc:
            result = {**exc.as_result(), "failed": exc}
        return SimpleNamespace(
            **{"failed": None, "canary": None, "remedy": None, **result}, line=line, clock=it.clock, idm=there.idm
        )

    return of


def test_it_arrives_and_the_old_value_is_put_back(fly):
    found = fly()
    assert found.canary["arrived"] and found.changed and "arrived after" in found.msg
    (dn, how, attribute, sent), back = found.line.written
    (record,) = found.idm.records.documents.values()
    assert (record["arrived"]["by"], record["arrived"]["checked"]) == ("canary", 1)
    assert (dn, how, attribute) == (DN, "replace", "rfc822Mailbox") and sent.startswith("idmops canary [idmops ")
    assert back[3] == "idmops canary"


def test_where_it_does_not_arrive_it_fails_and_the_old_value_is_put_back(fly):
    found = fly(arrives=False)
    assert found.failed and "not arrived in managed/user within 11 s" in found.msg and "livesync_status" in found.remedy
    assert found.canary["arrived"] is False and found.canary["seconds"] is None
    assert found.line.written[-1][3] == "idmops canary" and found.clock.slept >= 11


def test_what_an_interrupted_run_has_left_is_put_back(fly):
    found = fly(values=["idmops canary since May [idmops 0a1b2c3d]"])
    assert found.canary["arrived"]
    assert found.line.written[0][3].startswith("idmops canary since May [idmops ")
    assert found.line.written[-1][3] == "idmops canary since May"


@pytest.mark.parametrize("values", [[], ["Ada Lovelace"], ["idmops canary", "another"], ["The idmops canary"], [None]])
def test_an_entry_that_is_not_set_aside_is_not_touched(fly, values):
    found = fly(values=values)
    assert (
        found.failed and found.line.written == [] and "Nothing was changed" in found.msg or "has no entry" in found.msg
    )


def test_in_check_mode_nothing_flies(fly):
    found = fly(check_mode=True)
    assert found.changed and found.canary["arrived"] is None and found.line.written == []
    assert fly(check_mode=True, values=["Ada"]).failed


def test_a_value_that_could_not_be_put_back_is_said(fly):
    found = fly(fails_on=2)
    assert "could not be put back" in found.msg and "knows its own mark" in found.remedy


def test_a_mapping_that_is_off_is_told_without_a_change(fly):
    found = fly(there=Environment(enableSync=False))
    assert found.canary["arrived"] is False and found.line.written == [] and "enableSync" in found.msg


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"attribute": "sn"}, "attribute"),
        ({"known": []}, "mapping"),
        ({"mapping": "another"}, "mapping"),
        ({"schedules": ()}, "within"),
        ({"within": 0.0}, "within"),
        ({"dn": "nobody"}, "dn"),
        ({"directory": None}, "directory"),
        ({"source": Source("nowhere", "account")}, "source"),
    ],
)
def test_what_cannot_fly_is_refused_before_anything_is_written(fly, more, option):
    found = fly(**more)
    assert isinstance(found.failed, InvalidOption) and found.failed.option == option and found.line.written == []


def test_livesync_may_be_run_for_it_until_it_has_arrived(fly, monkeypatch):
    ran = []

    def trigger(client, request, it):
        ran.append(request.sources)
        if len(ran) == 2:
            there.users[1]["mail"] = found_line.written[0][3]
        raise IdmopsError("a record failed")

    there = Environment()
    monkeypatch.setattr(module, "trigger", trigger)
    held = Line.__init__

    def keep(self, *rest):
        nonlocal found_line
        found_line = self
        held(self, *rest)

    found_line = None
    monkeypatch.setattr(Line, "__init__", keep)
    assert fly(there=there, arrives=False, schedules=(), run_livesync=True).canary["arrived"]
    assert len(ran) == 2 and ran[0] == (Source.parse(SOURCE),)
    there.users[1]["mail"] = "old"
    ran.extend([None] * 5)
    assert "liveSync said: a record failed" in fly(there=there, arrives=False, schedules=(), run_livesync=True).msg

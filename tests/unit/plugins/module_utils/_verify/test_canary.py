# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary touches no one's entry, arrives or says so, and leaves the old value behind, whatever happens."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import Whose
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry, NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import RunRecord
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.plugins.module_utils._verify import canary as module
from ansible_collections.idmops.idm.plugins.module_utils._verify.why_not import Why
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
    """The directory; what is written comes to IDM at once, or never. A write takes away the value that it replaces.

    :param fails: what a write meets, by its number from 1: an error after which nothing is written. With 0 the line is
        cut once something has been written, until it is made anew.
    :param meanwhile: somebody else's value, written before the write of that number.
    """

    uri = "ldaps://ds1"

    def __init__(self, there, values, arrives, fails=None, meanwhile=None):
        self.there, self.values, self.arrives = there, list(values), arrives
        self.written, self.tried, self.closed = [], 0, 0
        self.fails, self.meanwhile = dict(fails or {}), dict(meanwhile or {})
        self.cut = 0 in self.fails

    def __call__(self, options, url, it):
        self.clock = self.there.clock = it.clock
        return self

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def close(self):
        self.closed += 1

    def read(self, dn, attributes, **unused):
        if self.cut and self.tried and not self.closed:
            raise lost_line()
        if self.values == [None]:
            return None
        held = tuple(one if isinstance(one, bytes) else one.encode() for one in self.values)
        return Entry(dn, {"rfc822mailbox": held, "entryuuid": (b"s1",)})

    def modify(self, dn, modifications):
        old, new = modifications
        assert (dn, old.how, new.how) == (DN, "delete", "add") and {old.attribute, new.attribute} == {"rfc822Mailbox"}
        self.tried += 1
        self.values = self.meanwhile.get(self.tried, self.values)
        if self.tried in self.fails:
            raise self.fails[self.tried]
        if [old.values[0].decode()] != self.values:
            raise DirectoryError("answered 16: no such value", status=16)
        self.values = [new.values[0].decode()]
        self.written.append(self.values[0])
        if self.arrives and " [idmops " in self.values[0]:
            self.there.users[1]["mail"] = self.arrives(self.values[0])
            self.there.token += 1


@pytest.fixture
def fly(monkeypatch):
    def of(
        values=("idmops canary",),
        arrives=lambda value: value,
        there=None,
        schedules=(5,),
        check_mode=False,
        fails=None,
        meanwhile=None,
        whose=None,
        **more,
    ):
        there = there or Environment()
        there.token = 7
        line = Line(there, values, arrives, fails, meanwhile)
        jobs = [
            Schedule.parse(
                {
                    "_id": "job",
                    "type": "simple",
                    "repeatInterval": seconds * 1000,
                    "invokeService": "provisioner",
                    "invokeContext": {"action": "liveSync", "source": SOURCE},
                    **keys,
                }
            )
            for one in schedules
            for seconds, keys in [one if isinstance(one, tuple) else (one, {})]
        ]
        kept = RunRecord(scheduler=Scheduler(EXTERNAL, more["max_age"])) if "max_age" in more else RunRecord()
        more.pop("max_age", None)
        lists = Snapshot(
            {"ldap": CONNECTOR},
            {},
            {},
            jobs,
            more.pop("known", [there.mapping]),
            frozenset(),
            records={Source.parse(SOURCE).stage_id: kept},
        )
        there.idm.documents["config/managed"] = more.pop("managed", {})
        looked = []

        def of_source(*unused, **how):
            looked.append((how, line.values))
            return more_why

        more_why = more.pop("why", Why())
        monkeypatch.setattr(module, "read_snapshot", lambda client: lists)
        monkeypatch.setattr(module, "Directory", line)
        monkeypatch.setattr(module, "judge_whose", lambda *unused: whose or Whose())
        monkeypatch.setattr(module, "of_source", of_source)
        monkeypatch.setattr(module, "read_stage", lambda *unused: Stage("1", there.token, "integer"))
        it = context(check_mode)
        try:
            result = module.fly(there.idm, module.CanaryRequest(**{**OPTIONS, **more}), it)
        except IdmopsError as exc:
            result = {**exc.as_result(), "failed": exc}
        return SimpleNamespace(
            **{"failed": None, "canary": None, "remedy": None, "changed": False, **result},
            line=line,
            clock=it.clock,
            looked=looked,
            warnings=it.report.warnings,
            idm=there.idm,
        )

    return of


def lost_line():
    return NoAnswer("ldaps://ds1 cannot be reached.", "ldaps://ds1", "Check it.")


def test_it_arrives_and_the_old_value_is_put_back(fly):
    found = fly()
    assert found.canary["arrived"] and found.changed and "arrived after" in found.msg and found.warnings == []
    sent, back = found.line.written
    assert sent.startswith("idmops canary [idmops ") and back == "idmops canary"
    assert (found.canary["token_before"], found.canary["token_after"]) == (7, 8)
    (record,) = found.idm.records.documents.values()
    assert (record["arrived"]["by"], record["arrived"]["checked"]) == ("canary", 1)


def test_it_says_after_how_many_seconds_it_arrived(fly):
    there = Environment()

    def later(value):
        there.clock.sleep(1.26)
        return value

    assert fly(there=there, arrives=later).canary["seconds"] == 1.3


def test_where_it_does_not_arrive_it_fails_and_the_old_value_is_put_back_before_more_is_asked(fly):
    found = fly(arrives=None)
    assert found.failed and "not arrived in managed/user within 11 s" in found.msg and found.changed
    assert "The connector does not read the new value" in found.msg  # its own view of the entry is the old one
    assert found.canary["arrived"] is False and found.canary["seconds"] is None
    assert found.line.values == ["idmops canary"] and found.clock.slept >= 11
    assert found.looked == [({"scheduled": True, "known": True}, ["idmops canary"])]


def test_the_state_of_the_source_says_why(fly):
    found = fly(arrives=None, why=Why(("system/ldap/account is trimmed: the change log begins later.",), "Load again."))
    assert "is trimmed: the change log begins later." in found.msg and found.remedy == "Load again."


def test_where_nothing_tells_why_that_is_said(fly):
    there = Environment()

    def only_in_the_source(value):
        there.people[1]["mail"] = value

    found = fly(arrives=only_in_the_source, there=there)
    assert "Nothing was found that keeps it from arriving." in found.msg and "within" in found.remedy


def test_an_external_scheduler_is_given_two_times_its_max_age(fly):
    assert "within 601 s" in fly(arrives=None, schedules=(), max_age=300).msg
    assert "It is run every 300 s" in fly(arrives=None, schedules=(), max_age=300, within=5.0).msg
    refused = fly(schedules=(), max_age=None)
    assert refused.failed.option == "within" and not refused.changed


@pytest.mark.parametrize("off", [{"enabled": False}, {"triggers": [{"state": "PAUSED"}]}])
def test_a_schedule_that_is_off_tells_no_interval(fly, off):
    refused = fly(schedules=((5, off),))
    assert refused.failed.option == "within" and not refused.changed


def test_a_time_shorter_than_the_interval_proves_nothing(fly):
    found = fly(arrives=None, schedules=(60,), within=5.0)
    assert "It is run every 60 s, so that 5 s prove nothing." in found.msg


def test_what_is_an_array_in_the_target_arrives_too(fly):
    assert fly(arrives=lambda value: [value]).canary["arrived"]
    assert fly(arrives=lambda value: [value, "another"]).canary["arrived"] is False


def test_what_an_interrupted_run_has_left_is_put_back(fly):
    found = fly(values=["idmops canary since May [idmops 0a1b2c3d]"])
    assert found.canary["arrived"] and "was interrupted" in found.warnings[0]
    restored, sent, back = found.line.written
    assert restored == back == "idmops canary since May" and sent.startswith("idmops canary since May [idmops ")


@pytest.mark.parametrize(
    "more",
    [{"there": Environment(enableSync=False)}, {"schedules": ()}, {"known": [Environment(properties=[]).mapping]}],
)
def test_it_is_put_back_where_the_next_one_cannot_fly(fly, more):
    found = fly(values=["idmops canary [idmops 0a1b2c3d]"], **more)
    assert found.failed and found.line.written == ["idmops canary"]


@pytest.mark.parametrize(
    "values",
    [[], ["Ada Lovelace"], ["idmops canary", "another"], ["The idmops canary"], [None], [b"idmops canary \xff"]],
)
def test_an_entry_that_is_not_set_aside_is_not_touched(fly, values):
    found = fly(values=values)
    assert found.failed and found.line.written == [] and not found.changed
    assert "Nothing was changed" in found.msg or "has no entry" in found.msg


@pytest.mark.parametrize("values", [["idmops canary"], ["idmops canary [idmops 0a1b2c3d]"]])
def test_in_check_mode_nothing_is_written(fly, values):
    found = fly(check_mode=True, values=values)
    assert found.changed and found.canary["arrived"] is None and found.line.tried == 0
    assert ("interrupted" in found.msg) is (len(values[0]) > 20)


def test_check_mode_refuses_what_a_run_would_refuse(fly):
    assert fly(check_mode=True, values=["Ada"]).failed
    assert fly(check_mode=True, there=Environment(enableSync=False)).failed


def test_a_value_that_could_not_be_put_back_is_said(fly):
    found = fly(fails={2: DirectoryError("answered 53: unwilling", status=53)})
    assert "could not be put back" in found.msg and "knows its own mark" in found.remedy
    assert "Before that: The change has arrived." in found.msg
    lost = fly(arrives=None, fails={2: DirectoryError("answered 53: unwilling", status=53)})
    assert "Before that: The change has not arrived in time." in lost.msg and lost.canary["arrived"] is False
    assert found.canary["arrived"] and found.failed  # it has arrived, and the task fails all the same


def test_a_line_that_was_cut_meanwhile_is_made_anew_to_put_it_back(fly):
    found = fly(fails={2: lost_line()})
    assert found.canary["arrived"] and found.line.closed == 1 and found.line.values == ["idmops canary"]
    assert found.warnings == []
    looked = fly(arrives=None, fails={0: lost_line()})
    assert "does not read the new value" in looked.msg and looked.line.values == ["idmops canary"]
    gone = fly(fails={2: lost_line(), 3: lost_line()})
    assert "could not be put back" in gone.msg and gone.line.values != ["idmops canary"]


def test_a_value_that_was_put_back_without_an_answer_is_not_taken_for_another_s(fly):
    found = fly(fails={2: lost_line()}, meanwhile={3: ["idmops canary"]})
    assert found.canary["arrived"] and found.warnings == [] and found.line.values == ["idmops canary"]


def test_a_refused_change_is_no_value_to_be_put_back(fly):
    found = fly(fails={1: DirectoryError("answered 50: no right", status=50)})
    assert "no right" in found.msg and "put back" not in found.msg and found.line.tried == 1 and not found.changed
    assert found.canary["arrived"] is None


def test_a_change_without_an_answer_is_put_back_where_it_was_made(fly):
    found = fly(fails={1: lost_line()})
    assert found.failed and "put back" not in found.msg and found.line.tried == 2  # and there was nothing to put back


def test_what_somebody_else_writes_meanwhile_is_left_alone(fly):
    found = fly(arrives=None, meanwhile={2: ["idmops canary of another"]})
    assert "somebody else has changed" in found.msg and found.canary["arrived"] is None
    assert found.line.values == ["idmops canary of another"] and found.looked == []
    # another canary takes the mark for that of an interrupted run, and puts the old value back
    taken = fly(arrives=None, meanwhile={2: ["idmops canary"]})
    assert "somebody else has changed" in taken.msg and taken.canary["arrived"] is None and taken.line.tried == 2
    arrived = fly(meanwhile={2: ["idmops canary of another"]})
    assert arrived.canary["arrived"] and "Somebody else has changed" in arrived.warnings[0]


def test_an_error_while_it_flies_leaves_the_old_value_behind(fly):
    there = Environment()
    del there.idm.resources["repo/link"]
    found = fly(there=there)
    assert "404" in found.msg and found.line.values == ["idmops canary"] and found.canary["arrived"] is None
    both = fly(there=there, fails={2: DirectoryError("answered 53: unwilling", status=53)})
    assert "could not be put back" in both.msg and "Before that: repo/link answered 404" in both.msg


def test_what_comes_without_livesync_is_not_taken_for_its_work(fly):
    there = Environment()

    def reconciled(value):
        there.token -= 1
        return value

    found = fly(there=there, arrives=reconciled)
    assert found.canary["arrived"] and "the token of liveSync has not moved" in found.warnings[0]


def test_a_mapping_that_is_off_is_told_without_a_change(fly):
    found = fly(there=Environment(enableSync=False))
    assert found.canary["arrived"] is False and found.line.written == [] and "enableSync" in found.msg


def test_nothing_is_written_to_a_directory_that_is_not_the_connectors(fly):
    found = fly(whose=Whose("other", "ldaps://ds1 is not the server that the connector reads."))
    assert found.failed and found.line.tried == 0 and "not the server that the connector reads" in found.msg
    assert found.canary["arrived"] is False and "Give in servers" in found.remedy
    assert fly(check_mode=True, whose=Whose("other", "ldaps://ds1 is another one.")).failed


def test_where_that_cannot_be_known_the_entry_has_to_be_seen_through_idm(fly):
    doubt = Whose("unknown", "Whether ldaps://ds1 is the server that the connector reads cannot be known: a name.")
    assert fly(whose=doubt).canary["arrived"]
    there = Environment()
    there.drop(there.people, "s1")
    unseen = fly(whose=doubt, there=there)
    assert unseen.failed and unseen.line.tried == 0 and "IDM does not see" in unseen.msg
    assert unseen.canary["arrived"] is None


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"known": [Environment(properties=[]).mapping]}, "attribute"),
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


def test_an_attribute_that_the_target_makes_itself_cannot_fly(fly):
    described = {"name": "user", "schema": {"properties": {"mail": {"type": "string", "isVirtual": True}}}}
    found = fly(managed={"objects": [described]})
    assert isinstance(found.failed, InvalidOption) and found.failed.option == "attribute" and found.line.written == []


def run_by(monkeypatch, *outcomes):
    """Let liveSync be run; each outcome is done, an error is raised."""
    ran = []

    def trigger(client, request, it):
        ran.append(request)
        outcome = outcomes[len(ran) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        outcome()

    monkeypatch.setattr(module, "trigger", trigger)
    return ran


def test_livesync_may_be_run_for_it_until_it_has_arrived(fly, monkeypatch):
    there, sent = Environment(), []
    ran = run_by(monkeypatch, lambda: None, lambda: there.users[1].update(mail=sent[0]))
    found = fly(there=there, arrives=sent.append, schedules=(), run_livesync=True)
    assert found.canary["arrived"] and len(ran) == 2
    assert ran[0].sources == (Source.parse(SOURCE),) and ran[0].mappings == ("m",) and ran[0].patience.wait <= 60


def test_a_run_that_fails_is_not_repeated(fly, monkeypatch):
    ran = run_by(monkeypatch, IdmopsError("a record failed", remedy="Mend the record."))
    found = fly(arrives=None, schedules=(), run_livesync=True)
    assert len(ran) == 1 and "liveSync said: a record failed" in found.msg and found.remedy == "Mend the record."
    assert found.canary["arrived"] is False and found.looked[0][0] == {"scheduled": False, "known": True}

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of a connector: tried before it is written, proved afterwards, put back where it does not hold."""

from __future__ import annotations

import contextlib
import copy

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    Refused,
    TimedOut,
    Unreachable,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_credentials import (
    Wish,
    change_password,
    password_property,
    wish_of,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_remedy import IMMUTABLE
from ansible_collections.idmops.idm.tests.unit.doubles.connectors import (
    ALONE,
    CRYPTO,
    GONE,
    LDAP,
    OK,
    REFUSED,
    found,
    not_ok,
    trial,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import (
    ScriptedClient,
    call,
    context,
    cut,
    down,
    refused,
)

NEW = "The-new-one-1"
WISH = Wish("ldap", NEW)
SHORT = Wish("ldap", NEW, timeout=0.1)
IF_REFUSED = Wish("ldap", NEW, always=False)
#: Seen on OpenIDM 6.1.0: ok stands beside the error.
WRONG = {"name": "ldap", "ok": True, "error": "Connection Error"}
PATH = "config/provisioner.openicf/ldap"
ANEW = {"$crypto": {"type": "x-simple-encryption", "value": {"data": "xyz"}}}


def holding(value, document=None):
    document = document or LDAP
    return {**document, "configurationProperties": {**document["configurationProperties"], "credentials": value}}


def read(document=None):
    return call("GET", PATH, document or LDAP)


def tried(answer="ok", value=NEW):
    """Expect a password to be tried, with the whole configuration but its id, and a pool that keeps nothing."""
    body = {key: value for key, value in holding(value).items() if key != "_id"}
    body["poolConfigOption"] = {"maxIdle": 0, "minIdle": 0}
    return call("POST", "system", OK if answer == "ok" else answer, params={"_action": "testConfig"}, body=body)


def stored():
    """Expect the write to be seen, the connector to come back, and what IDM has stored to be tried."""
    return [read(holding(ANEW)), trial(GONE), trial(OK), tried(value=ANEW)]


def put(document, answer=None):
    return call("PUT", PATH, answer or document, params={"waitForCompletion": "true"}, body=document)


def begun(answer="ok", former=None):
    return [ALONE, *found(), read(), trial(former or OK), tried(answer)]


def change(idm, it=None, wish=WISH):
    return change_password(idm, wish, it or context())


def fails(idm, it=None, wish=WISH, kind=IdmopsError):
    with pytest.raises(kind) as caught:
        change(idm, it, wish)
    idm.finished()
    assert NEW not in repr(caught.value.as_result())
    return caught.value


# -- the right password --


def test_it_is_tried_and_written_and_seen_to_hold():
    idm = ScriptedClient(*begun(), put(holding(NEW)), *stored(), ALONE)
    result = change(idm)
    idm.finished()
    assert result["changed"] is True
    assert result["diff"] == {
        "before": {"ldap": {"credentials": "(encrypted)"}},
        "after": {"ldap": {"credentials": "(encrypted, written anew)"}},
    }
    assert (result["connector"]["name"], result["connector"]["ok"]) == ("ldap", True)
    assert NEW not in repr(result) and NEW not in repr(WISH)


def test_check_mode_tries_it_and_predicts_the_same():
    idm = ScriptedClient(*begun(), check_mode=True)
    predicted = change(idm, context(check_mode=True))
    idm.finished()
    real = ScriptedClient(*begun(), put(holding(NEW)), *stored(), ALONE)
    assert predicted == change(real)


def test_that_the_former_one_is_refused_is_no_obstacle():
    former = not_ok("Connection Error")
    idm = ScriptedClient(*begun(former=former), put(holding(NEW)), *stored(), ALONE)
    assert change(idm)["changed"]
    idm.finished()


def test_a_test_that_may_not_be_asked_for_lets_nothing_be_written():
    idm = ScriptedClient(*begun(former=refused(403, "Access denied"))[:-1])
    fails(idm, kind=Refused)


def test_a_read_may_show_the_former_configuration_for_a_while():
    idm = ScriptedClient(*begun(), put(holding(NEW)), read(), read(), *stored(), ALONE)
    assert change(idm)["changed"]
    idm.finished()


# -- a password that is not good --


@pytest.mark.parametrize(
    ("answer", "error", "remedy"),
    [
        (WRONG, "Connection Error", "Set the password in the"),
        (not_ok("[LDAP: error code 49 - Invalid Credentials]"), "error code 49", "Set the password in the system"),
        (not_ok(REFUSED), "Connection refused", "start it"),
        ({"name": "ldap", "ok": False}, "no reason given", "IDM's log"),
        # a connector without a test
        ({"name": "ldap", "reason": "TEST UnsupportedOperation", "ok": True}, "Unsupported", "IDM's log"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_one_that_is_not_good_is_tried_once_and_never_written(answer, error, remedy, check_mode):
    idm = ScriptedClient(*begun(answer), check_mode=check_mode)
    failure = fails(idm, context(check_mode))
    assert error in failure.message and "Nothing was written" in failure.message
    assert remedy in failure.remedy and "locking the account" in failure.remedy
    # the connector itself goes on with the former one
    assert failure.result["changed"] is False and failure.result["connector"]["ok"] is True


@pytest.mark.parametrize("answer", [None, {}, {"code": 500}, {"ok": None}, {"ok": "maybe"}])
def test_an_answer_that_is_no_verdict_lets_nothing_be_written(answer):
    fails(ScriptedClient(*begun(answer)), kind=Refused)


def test_a_try_without_an_answer_lets_nothing_be_written():
    fails(ScriptedClient(*begun(cut())), kind=Unreachable)


# -- what cannot be written --


@pytest.mark.parametrize(
    "value", ["&{esv.ldap.password}", {"$string": "&{esv.ldap.password}"}, {"$crypto": "&{esv.x}"}, "a&{b|secret}"]
)
def test_a_placeholder_is_not_written_over(value):
    document = holding(value)
    listed = call("GET", PATH, document)
    failure = fails(ScriptedClient(ALONE, found()[0], listed, listed), kind=InvalidOption)
    assert "placeholder" in failure.message and "ESV" in failure.message and "secret" not in failure.message


@pytest.mark.parametrize(
    ("properties", "given", "name"),
    [
        ({"credentials": CRYPTO, "trustStorePassword": CRYPTO}, None, "credentials"),
        ({"user": "x", "password": CRYPTO}, None, "password"),
        ({"password": CRYPTO, "keyStorePassword": CRYPTO}, "password", "password"),
    ],
)
def test_the_property_that_holds_the_password(properties, given, name):
    assert password_property(properties, given) == name


@pytest.mark.parametrize(
    ("properties", "given", "text"),
    [
        ({"a": CRYPTO, "b": CRYPTO}, None, "property: is needed. The connector keeps encrypted: a, b."),
        ({"host": "x"}, None, "encrypted: nothing"),
        ({"credentials": None}, None, "is not encrypted"),
        ({"credentials": "in the clear"}, None, "'credentials' cannot be used. What stands there is not encrypted"),
        ({"credentials": {"$purpose": "x"}}, None, "is not encrypted"),
        ({"credentials": CRYPTO, "host": "x"}, "host", "is not encrypted, so it is no password"),
        ({"credentials": CRYPTO}, "nope", "property: 'nope' cannot be used.*encrypted: credentials"),
    ],
)
def test_a_property_that_holds_none_is_told_with_those_that_do(properties, given, text):
    with pytest.raises(InvalidOption, match=text):
        password_property(properties, given)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"principal_password": ""}, "principal_password: '' cannot be used"),
        ({"principal_password": "x&{y}"}, "takes that for a placeholder"),
        ({"wait_timeout": 0}, "wait_timeout"),
    ],
)
def test_options_that_cannot_work_are_told_before_anything_is_sent(changes, text):
    options = {
        "system": "ldap",
        "principal_password": NEW,
        "property": None,
        "wait_timeout": 60,
        "update_password": "always",
    }
    assert wish_of(options) == WISH and wish_of({**options, "update_password": "if_refused"}) == IF_REFUSED
    with pytest.raises(InvalidOption, match=text) as caught:
        wish_of({**options, **changes})
    assert "y}" not in caught.value.message


def test_a_connector_that_is_disabled_or_has_a_twin_is_left_alone():
    idm = ScriptedClient(ALONE, found()[0], read({**LDAP, "enabled": False}))
    assert "is disabled" in fails(idm).message
    names = [{"_id": f"provisioner.openicf/{name}"} for name in ("ldap", "copy")]
    twins = [{**LDAP, **name} for name in names]
    query = call("GET", "config", {"result": twins})
    idm = ScriptedClient(ALONE, call("GET", "config", {"configurations": names}), query)
    assert "more than one document" in fails(idm).message


# -- what goes wrong with the write --


@pytest.mark.parametrize("status", [403, 405])
def test_an_immutable_configuration_comes_with_the_remedy(status):
    idm = ScriptedClient(*begun(), put(holding(NEW), refused(status, "Access denied")))
    assert fails(idm, kind=Refused).remedy == IMMUTABLE


@pytest.mark.parametrize("failure", [cut(), refused(500, "broken"), refused(502, own=False)])
def test_a_write_whose_answer_got_lost_counts_where_it_shows(failure):
    idm = ScriptedClient(*begun(), put(holding(NEW), failure), *stored(), ALONE)
    assert change(idm)["changed"]
    idm.finished()


@pytest.mark.parametrize("failure", [cut(), refused(500, "broken")])
def test_a_write_that_does_not_show_has_failed(failure):
    idm = ScriptedClient(*begun(), put(holding(NEW), failure), *[read()] * 17)
    it = context()
    with pytest.raises(type(failure)):
        change(idm, it)
    assert 15 <= it.clock.slept < 20


def test_a_write_that_was_not_sent_has_failed():
    fails(ScriptedClient(*begun(), put(holding(NEW), down())), kind=Unreachable)


def test_an_idm_that_keeps_the_former_value_is_not_believed():
    idm = ScriptedClient(*begun(), put(holding(NEW)), *[read()] * 30)
    with pytest.raises(IdmopsError, match="shows the former value"):
        change(idm)


def test_what_cannot_be_read_back_is_not_known_and_lets_nothing_be_put_back():
    idm = ScriptedClient(*begun(), put(holding(NEW)), call("GET", PATH, down()))
    failure = fails(idm)
    assert "cannot be known" in failure.message and "Run the task again" in failure.remedy
    assert failure.result["changed"] is True


BACK = [put(LDAP), trial(GONE), trial(OK)]


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        ([*[trial(not_ok(REFUSED))] * 4, tried(not_ok(REFUSED), ANEW)], REFUSED),
        # pooled connections answer well; a bind of its own does not
        ([trial(GONE), trial(OK), tried(WRONG, ANEW)], "does not take what IDM has stored: Connection Error"),
    ],
)
def test_one_that_does_not_hold_is_put_back_as_it_was_encrypted(seen, text):
    idm = ScriptedClient(*begun(), put(holding(NEW)), read(holding(ANEW)), *seen, *BACK, tried(value=CRYPTO))
    failure = fails(idm, wish=SHORT)
    assert "does not hold" in failure.message and text in failure.message
    assert "was put back, and the connector gets in with it" in failure.message
    assert failure.result["changed"] is True


@pytest.mark.parametrize(
    "seen",
    [
        [*[trial(down())] * 4, tried(down(), ANEW)],
        [trial(GONE), trial(OK), tried(cut(), ANEW)],
        [trial(GONE), trial(refused(403, "Access denied"))],
    ],
)
def test_an_idm_that_does_not_answer_lets_nothing_be_put_back(seen):
    failure = fails(ScriptedClient(*begun(), put(holding(NEW)), read(holding(ANEW)), *seen), wish=SHORT)
    assert "Whether the new password holds" in failure.message and "cannot be known" in failure.message
    assert failure.result["changed"] is True and "Run the task again" in failure.remedy


def test_what_came_of_putting_it_back_is_told():
    vain = [*[trial(not_ok(REFUSED))] * 4, tried(not_ok(REFUSED), ANEW)]
    written = [*begun(), put(holding(NEW)), read(holding(ANEW)), *vain]
    idm = ScriptedClient(*written, put(LDAP, down()))
    assert "not seen that the former one was put back" in fails(idm, wish=SHORT).message
    idm = ScriptedClient(*written, put(LDAP), *[trial(not_ok("Bad Base Context"))] * 4, tried(OK, CRYPTO))
    assert "that does not help: " in fails(idm, wish=SHORT).message
    idm = ScriptedClient(*written, *BACK, tried(down(), CRYPTO))
    assert "whether that helps cannot be known" in fails(idm, wish=SHORT).message
    idm = ScriptedClient(*written, *BACK, tried(WRONG, CRYPTO))
    assert "that does not help: Its system does not take" in fails(idm, wish=SHORT).message


# -- written only where the system refuses the former one --


@pytest.mark.parametrize("check_mode", [False, True])
def test_where_the_former_one_is_good_there_is_nothing_to_do(check_mode):
    idm = ScriptedClient(*begun(), tried(value=CRYPTO), check_mode=check_mode)
    result = change(idm, context(check_mode), IF_REFUSED)
    idm.finished()
    assert result["changed"] is False and result["diff"]["before"] == result["diff"]["after"]
    assert result["connector"]["ok"] is True


def test_that_the_connector_does_not_run_is_told_also_where_nothing_is_to_do():
    idm = ScriptedClient(*begun(former=GONE), tried(value=CRYPTO))
    assert change(idm, wish=IF_REFUSED)["connector"]["ok"] is False


@pytest.mark.parametrize("check_mode", [False, True])
def test_where_the_former_one_is_refused_it_is_written(check_mode):
    write = [] if check_mode else [put(holding(NEW)), *stored(), ALONE]
    idm = ScriptedClient(*begun(), tried(WRONG, CRYPTO), *write, check_mode=check_mode)
    assert change(idm, context(check_mode), IF_REFUSED)["changed"] is True
    idm.finished()


def test_one_that_is_not_good_is_an_error_also_where_the_former_one_is():
    fails(ScriptedClient(*begun(WRONG)), wish=IF_REFUSED)


# -- several nodes --


class Cluster:
    """Nodes that do, or do not, share their configuration."""

    def __init__(self, *names, flavour="openidm", listed=None, running=None, holds=(), away=()):
        self.names, self.flavour = names, flavour
        self.nodes = names if listed is None else listed
        self.running = running or len(names)
        self.holds, self.away = holds, away
        self.url = "balancer"
        shared = copy.deepcopy(LDAP)
        self.stored = {name: shared if flavour != "openidm" else copy.deepcopy(LDAP) for name in (*names, "balancer")}
        self.log = []
        self.lacking = {}

    def sibling(self, url):
        other = copy.copy(self)
        other.url = url
        return contextlib.nullcontext(other)

    def get(self, path, *unused, **more):
        if self.url in self.away:
            raise down()
        if path == "cluster":
            return {"results": [{"state": "running"}] * self.running}
        if path == "config":
            return {"configurations": [{"_id": "provisioner.openicf/ldap"}]}
        return copy.deepcopy(self.stored[self.url])

    def request(self, method, path, **more):
        class Answer:
            status = 404 if self.flavour == "openidm" else 200
            body = {"productVersion": "6.1.0" if self.flavour == "openidm" else "8.0.0", "result": []}
            headers = {}

        return Answer

    def post(self, path, params, body=None, **more):
        if params["_action"] == "testConfig":
            if body["configurationProperties"]["credentials"] == NEW:
                self.log.append(f"try {self.url}")
            return OK
        value = self.stored[self.url]["configurationProperties"]["credentials"]
        return OK if value == CRYPTO or self.url in self.holds else not_ok(REFUSED)

    def put(self, path, body, *unused, **more):
        value = body["configurationProperties"]["credentials"]
        self.log.append(f"{'new' if value == NEW else 'former'} {self.url}")
        self.stored[self.url]["configurationProperties"]["credentials"] = ANEW if value == NEW else value

    auth_method = "openidm"
    silent = ()


def test_it_is_tried_on_each_node_before_it_is_written_on_any():
    idm = Cluster("n1", "n2", holds=("n1", "n2"))
    assert change(idm)["changed"]
    assert idm.log == ["try n1", "try n2", "new n1", "new n2"]


def test_a_node_that_is_away_lets_nothing_be_written():
    idm = Cluster("n1", "n2", holds=("n1", "n2"), away=("n2",))
    with pytest.raises(Unreachable):
        change(idm)
    assert idm.log == ["try n1"]


@pytest.mark.parametrize("listed", [(), ("n1",)])
def test_a_node_that_would_keep_the_former_one_is_told_before_anything_is_tried(listed):
    idm = Cluster("n1", "n2", listed=listed)
    with pytest.raises(InvalidOption, match="nodes: .*IDM has 2 nodes"):
        change(idm)
    assert idm.log == []


def test_where_the_nodes_share_it_one_address_is_enough():
    idm = Cluster("n1", "n2", flavour="idm", listed=(), holds=("balancer",))
    assert change(idm)["changed"]
    assert idm.log == ["try balancer", "new balancer"]


def test_it_is_put_back_on_the_node_where_it_does_not_hold_and_stays_where_it_works():
    idm = Cluster("n1", "n2", holds=("n1",))
    with pytest.raises(IdmopsError) as caught:
        change(idm)
    assert idm.log == ["try n1", "try n2", "new n1", "new n2", "former n2"]
    assert "works, on n1" in caught.value.message and caught.value.result["changed"] is True
    assert idm.stored["n2"] == LDAP


def test_what_nodes_share_is_not_taken_from_those_on_which_it_works():
    idm = Cluster("n1", "n2", flavour="idm", holds=("n1",))
    with pytest.raises(TimedOut) as caught:
        change(idm)
    assert "not put back there" in caught.value.message and "works, on n1" in caught.value.message
    assert "former n2" not in idm.log

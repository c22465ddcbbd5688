# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's transport against the stand-in: each way in, expiry, throttling, certificates, who answers."""

from __future__ import annotations

import json
import time

import jwt
import pytest
import requests
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import CLOUD, IDM, Server, ask_server

from tests.servers.ping.world import Fault


class QuickClock(Clock):
    """Sleeps a hundredth of what it should."""

    def __init__(self):
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        time.sleep(seconds / 100)


def client(stand_in, clock=None, **options):
    context = Context(clock=clock or QuickClock())
    return Client({"timeout": 10.0, **stand_in.variables["idm_connection"], **options}, context)


def fault(stand_in, kind, **more):
    url = f"{stand_in.variables['ping_control']}/faults"
    requests.post(url, json={"kind": kind, **more}, timeout=5).raise_for_status()


# Ways in


@pytest.mark.parametrize(
    "mode, server",
    [
        ("am", Server(IDM, "7.5.0")),
        ("standalone", Server(IDM, "8.1.1")),
        ("aic", Server(CLOUD, "9.0.0-20260827231835-4f1c0d2")),
    ],
)
def test_each_kind_of_server_is_known(stand, mode, server):
    assert ask_server(client(stand(mode))) == server


@pytest.mark.parametrize("method", ["openidm", "basic"])
def test_idms_own_accounts_with_a_password_in_utf_8(stand, method):
    stand_in = stand("standalone")
    assert not stand_in.variables["idm_password"].isascii()
    assert client(stand_in, auth_method=method).get("info/login")["authenticationId"] == "openidm-admin"
    with pytest.raises(Refused) as caught:
        client(stand_in, auth_method=method, password="wrong").get("info/login")
    assert caught.value.status == 401 and "(username and password)" in caught.value.remedy


@pytest.mark.parametrize("mode", ["am", "aic"])
def test_idms_own_accounts_do_not_count_where_am_protects_it(stand, mode):
    stand_in = stand(mode)
    own = {"auth_method": "openidm", "username": "openidm-admin", "password": stand_in.variables["idm_password"]}
    idm = client(stand_in, **own)
    # IDM does not look at them and goes on as "anonymous", to whom info alone is open: 403, not 401
    assert idm.get("info/login")["authenticationId"] == "anonymous"
    with pytest.raises(Refused) as caught:
        idm.get("config/sync")
    assert (caught.value.status, caught.value.reason) == (403, "Access denied")


@pytest.mark.parametrize("post", [False, True])
def test_client_credentials_in_both_forms(stand, post):
    stand_in = stand("am", client_secret_post=post)
    assert client(stand_in).get("info/ping")["state"] == "ACTIVE_READY"
    assert len(stand_in.world.made) == 1


@pytest.mark.parametrize("mode", ["am", "aic"])
def test_a_token_of_one_task_serves_another_as_bearer(stand, mode):
    stand_in = stand(mode)
    token = client(stand_in).token_method().token()
    assert 230 < token.expires_in <= 899
    other = client(stand_in, auth_method="bearer", access_token=token.value)
    assert other.get("info/ping")["state"] == "ACTIVE_READY"
    assert len(stand_in.world.made) == 1
    stand_in.world.tokens.clear()
    with pytest.raises(Refused) as caught:
        other.get("info/ping")
    assert "idm_token" in caught.value.remedy


def test_the_stand_in_refuses_assertions_that_are_not_right(stand):
    stand_in = stand("aic")
    accounts, control = stand_in.server.accounts, stand_in.variables["idm_url"]
    url = control.replace("/openidm", "/am/oauth2/access_token")
    key = jwt.PyJWK(dict(accounts.jwk), algorithm="RS256").key

    def ask(assertion_key=key, header=None, scope="fr:idm:*", **claims):
        right = {"iss": accounts.service_account_id, "sub": accounts.service_account_id, "aud": url, "jti": "one"}
        right["exp"] = int(time.time()) + 180
        claims = {name: value for name, value in {**right, **claims}.items() if value is not None}
        form = {
            "client_id": "service-account",
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "scope": scope,
            "assertion": jwt.encode(claims, assertion_key, algorithm="RS256", headers=header),
        }
        answer = requests.post(url, data=form, timeout=5)
        return answer.status_code, answer.json().get("error")

    stranger = jwt.algorithms.RSAAlgorithm.from_jwk(running_key())
    assert ask(stranger) == (400, "invalid_grant")
    assert ask(aud="https://other.example.com/am/oauth2/access_token") == (400, "invalid_grant")
    assert ask(iss="other") == (400, "invalid_grant")
    assert ask(sub="other") == (400, "invalid_grant")
    assert ask(jti=None) == (400, "invalid_grant")
    assert ask(exp=int(time.time()) - 5) == (400, "invalid_grant")
    assert ask(exp=int(time.time()) + 899) == (400, "invalid_grant")
    assert ask(header={"kid": "other"}) == (400, "invalid_grant")
    assert ask(scope="fr:idm:* fr:iga:*") == (400, "invalid_scope")
    assert ask(jti="two", header={"kid": accounts.jwk["kid"]}) == (200, None)
    assert ask(jti="two") == (400, "invalid_grant"), "an assertion counts once"


def running_key():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"service_account_id": "nobody"}, "invalid_grant"),
        ({"scope": "fr:iga:*"}, "Unsupported scope for service account: fr:iga:"),
        ({"service_account_jwk": None}, "invalid_grant"),
    ],
)
def test_a_token_that_cannot_be_had_says_why(stand, wrong, words):
    stand_in = stand("aic")
    if "service_account_jwk" in wrong:
        wrong = {"service_account_jwk": running_key()}
    with pytest.raises(Refused, match=words) as caught:
        client(stand_in, **wrong).get("info/ping")
    assert "service_account_id" in caught.value.remedy


def test_a_wrong_token_url_is_named(stand):
    stand_in = stand("aic")
    with pytest.raises(Refused) as caught:
        client(stand_in, token_url=stand_in.variables["idm_url"].replace("/openidm", "/sso/token")).get("info/ping")
    assert caught.value.status == 404 and "token_url" in caught.value.remedy


# A token's life


class ServersClock(Clock):
    """The stand-in's time, which goes by only when somebody lets it."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now()

    def wall(self):
        return self._clock.now()

    def sleep(self, seconds):
        self._clock.advance(seconds)


@pytest.mark.parametrize("mode, life", [("aic", 899), ("am", 239)])
def test_40_minutes_of_the_servers_time(stand, mode, life):
    stand_in = stand(mode)
    clock = ServersClock(stand_in.world.clock)
    idm, end, asked = client(stand_in, clock=clock), clock.now() + 2400, 0
    while clock.now() < end:
        assert idm.get("info/ping")["state"] == "ACTIVE_READY"
        asked += 1
        clock.sleep(10.0)
    # each token is used for nearly its life, and none beyond it: no request had to be sent twice
    assert 2400 / life <= len(stand_in.world.made) <= 2400 / (life - 60) + 1
    assert len(stand_in.world.requests) == asked > 200


def test_a_token_that_is_revoked_is_replaced_once(stand):
    stand_in = stand("aic")
    idm = client(stand_in)
    idm.get("info/ping")
    stand_in.world.tokens.clear()
    assert idm.get("info/ping")["state"] == "ACTIVE_READY"
    assert len(stand_in.world.made) == 2


def test_a_401_that_does_not_go_away_is_tried_once(stand):
    stand_in = stand("aic")
    fault(stand_in, "unauthorized", path="/openidm/", times=5)
    with pytest.raises(Refused) as caught:
        client(stand_in).get("info/ping")
    assert caught.value.status == 401 and len(stand_in.world.made) == 2
    assert len(stand_in.world.requests) == 2


# What stands before IDM


def test_throttling_by_seconds_and_by_date(stand):
    stand_in, clock = stand("aic"), QuickClock()
    fault(stand_in, "throttle", path="info/ping", value=3, times=2)
    fault(stand_in, "unavailable", path="info/ping", value="date:20")
    assert client(stand_in, clock).get("info/ping")["state"] == "ACTIVE_READY"
    assert clock.slept[:2] == [3.0, 6.0] and 15 < clock.slept[2] <= 20


def test_the_token_endpoint_is_throttled_too(stand):
    stand_in, clock = stand("aic"), QuickClock()
    fault(stand_in, "throttle", path="access_token", value=2)
    assert client(stand_in, clock).get("info/ping")["state"] == "ACTIVE_READY"
    assert clock.slept == [2.0]


@pytest.mark.parametrize("late", [False, True])
def test_a_livesync_that_got_no_token_was_not_sent(stand, late):
    """Nobody has to wait for the end of a run that was never begun."""
    stand_in = stand("aic")
    idm = client(stand_in)
    if late:  # the token that there was is not good any more
        idm.get("info/ping")
        stand_in.world.tokens.clear()
    fault(stand_in, "gateway", path="access_token", value=502, times=5)
    with pytest.raises(Refused) as caught:
        idm.post("system/ldap/account", {"_action": "liveSync"})
    assert (caught.value.status, caught.value.sent) == (502, False)


@pytest.mark.parametrize("kind, value", [("throttle", 1), ("unavailable", 1), ("gateway", 504), ("cut", 20)])
def test_a_livesync_is_asked_for_once_whatever_happens(stand, kind, value):
    stand_in = stand("aic")
    fault(stand_in, kind, method="POST", path="system/ldap/account", value=value)
    with pytest.raises((Refused, Unreachable)):
        client(stand_in).post("system/ldap/account", {"_action": "liveSync"})
    assert [request["method"] for request in stand_in.world.requests] == ["POST"]


def test_the_firewalls_403(stand):
    stand_in = stand("aic")
    fault(stand_in, "firewall", method="PUT")
    with pytest.raises(Refused) as caught:
        client(stand_in).put("config/sync", {"mappings": []})
    assert "web application firewall" in caught.value.remedy
    assert caught.value.result["transaction_id"].startswith("idmops-")


def test_immutable_configuration_is_called_that(stand):
    stand_in = stand("aic")
    stand_in.world.switches.immutable = True
    idm = client(stand_in)
    with pytest.raises(Refused) as caught:
        idm.put("config/provisioner.openicf/ldap", idm.get("config/provisioner.openicf/ldap"))
    assert "immutable" in caught.value.remedy and "promote" in caught.value.remedy


def test_a_client_stays_on_its_node(stand):
    stand_in = stand("am")
    idm = client(stand_in)
    idm.get("info/ping")
    idm.get("info/ping")
    assert [bool(request["cookie"]) for request in stand_in.world.requests] == [False, True]


def test_compressed_answers_are_read(stand):
    stand_in = stand("am")
    assert len(client(stand_in).get("config/provisioner.openicf/ldap")["configurationProperties"]) > 10


def test_the_transaction_id_is_the_servers_where_it_has_one(stand):
    stand_in = stand("aic")
    with pytest.raises(Refused) as caught:
        client(stand_in).get("config/nothing/here")
    sent = stand_in.world.requests[-1]["transaction_id"]
    assert caught.value.result["transaction_id"] == sent


# TLS


def test_https_with_the_ca_that_is_given(stand, tmp_path):
    stand_in = stand("aic", tls=True)
    assert client(stand_in).get("info/ping")["state"] == "ACTIVE_READY"
    with pytest.raises(Unreachable, match="TLS connection") as caught:
        client(stand_in, ca_path=None).get("info/ping")
    assert caught.value.sent is False and "ca_path" in caught.value.remedy
    assert client(stand_in, validate_certs=False).get("info/ping")["state"] == "ACTIVE_READY"


def test_a_client_certificate_alone(stand):
    stand_in = stand("standalone", tls=True)
    variables = stand_in.variables
    own = {"auth_method": "client_cert", "client_cert": variables["client_cert"]}
    assert client(stand_in, **own).get("info/login")["authenticationId"] == "client certificate"
    with pytest.raises(Unreachable) as caught:
        client(stand_in, auth_method="client_cert", client_cert=variables["other_client_cert"]).get("info/login")
    assert caught.value.sent is True, "TLS 1.3 refuses after the request may have been sent"


def test_an_answer_over_tls_that_is_cut_may_have_been_carried_out(stand):
    stand_in = stand("standalone", tls=True)
    for value in (0, 1, 30, 120):
        stand_in.world.faults.append(Fault("cut", method="POST", value=value))
        with pytest.raises(Unreachable) as caught:
            client(stand_in).post("system/ldap/account", {"_action": "liveSync"})
        assert caught.value.sent is True
    assert len(stand_in.world.requests) == 4

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each way to say who asks: what it needs, what it sends, and when it asks for a new token."""

from __future__ import annotations

import base64
import json
import sys
from urllib.parse import unquote

import jwt
import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import idm_spec
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption, MissingLibrary, Refused
from ansible_collections.idmops.idm.plugins.module_utils._http import auth
from ansible_collections.idmops.idm.plugins.module_utils._http import jwk as jwk_module
from cryptography.hazmat.primitives.asymmetric import rsa

URL = "https://tenant.example.com/openidm"


class FakeClock(Clock):
    seconds = 0.0

    def now(self):
        return self.seconds

    def wall(self):
        return 1_800_000_000.0 + self.seconds


def raised(error):
    raise error


class Endpoint:
    """Hands out tokens, one after the other, and remembers who asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, url, form, headers):
        self.asked.append((url, dict(form), dict(headers)))
        answer = self.answers.pop(0) if self.answers else {"access_token": f"t{len(self.asked)}", "expires_in": 899}
        return raised(answer) if isinstance(answer, Exception) else answer


def refused(reason, status=400):
    return Refused(f"answered {status}: {reason}.", status=status, reason=reason)


def made(endpoint=None, clock=None, **options):
    context = Context(clock=clock or FakeClock())
    method = auth.authenticator({"url": URL, **options}, context, endpoint or Endpoint())
    return method, context.report


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def jwk(key):
    members = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key))
    return {**members, "alg": "RS256", "use": "sig", "kid": "key-1"}


# IDM's own accounts


@pytest.mark.parametrize("plain", ["openidm-admin", "x y", "utf-8", "a'b", "p%41", "it's"])
def test_plain_text_goes_as_it_is(plain):
    assert auth.header_text(plain) == plain


@pytest.mark.parametrize("text", ["pässword", "日本語", " leading", "trailing ", "utf-8''x", "iso-8859-1'en'x", "a\nb"])
def test_what_a_header_cannot_carry_is_encoded(text):
    sent = auth.header_text(text)
    assert sent.isascii() and sent.startswith("utf-8''")
    assert unquote(sent[len("utf-8''") :]) == text


def test_openidm_headers():
    method, report = made(auth_method="openidm", username="jürgen", password="größe")
    assert method.headers() == {
        "X-OpenIDM-Username": "utf-8''j%C3%BCrgen",
        "X-OpenIDM-Password": "utf-8''gr%C3%B6%C3%9Fe",
    }
    assert "utf-8''gr%C3%B6%C3%9Fe" in report.secrets
    assert method.renew({}) is False
    assert "access tokens only" in method.remedy()


def test_basic_is_utf_8():
    method, report = made(auth_method="basic", username="jürgen", password="größe")
    scheme, pair = method.headers()["Authorization"].split()
    assert scheme == "Basic" and base64.b64decode(pair).decode() == "jürgen:größe"
    assert pair in report.secrets


# Tokens that somebody else got, and certificates


def test_bearer():
    method, report = made(auth_method="bearer", access_token=" abc.DEF-1_2~3+4/5== \n")
    assert method.headers() == {"Authorization": "Bearer abc.DEF-1_2~3+4/5=="}
    assert method.renew({}) is False
    assert "idm_token" in method.remedy()


def test_a_token_that_would_break_the_header_is_refused_without_being_shown():
    with pytest.raises(InvalidOption) as caught:
        made(auth_method="bearer", access_token="abc\r\nX-Evil: 1")
    assert caught.value.option == "access_token" and "abc" not in str(caught.value)


def test_a_certificate_alone_sends_no_credentials():
    method, unused = made(auth_method="client_cert", client_cert="/etc/cert.pem")
    assert method.headers() == {}
    with pytest.raises(InvalidOption) as caught:
        made(auth_method="client_cert", client_cert="/etc/cert.pem", url="http://localhost:8080/openidm")
    assert caught.value.option == "url"


@pytest.mark.parametrize(
    "method, missing",
    [
        ("openidm", "username"),
        ("basic", "username"),
        ("bearer", "access_token"),
        ("service_account", "service_account_id"),
        ("client_credentials", "client_id"),
        ("client_cert", "client_cert"),
    ],
)
def test_what_a_method_needs_is_named_with_its_environment_variable(method, missing):
    endpoint = Endpoint()
    with pytest.raises(InvalidOption) as caught:
        made(endpoint, auth_method=method)
    assert caught.value.option == missing
    assert f"IDM_{missing.upper()}" in str(caught.value)
    assert idm_spec().argument_spec[missing]["fallback"][1] == [f"IDM_{missing.upper()}"]
    assert endpoint.asked == []


def test_every_method_is_tried_above():
    assert set(auth.METHODS) == {"openidm", "basic", "bearer", "service_account", "client_credentials", "client_cert"}


# Service accounts


def account(endpoint=None, clock=None, jwk=None, **options):
    return made(
        endpoint,
        clock,
        **{"auth_method": "service_account", "service_account_id": "acc-1", "service_account_jwk": jwk, **options},
    )


def test_the_assertion(key, jwk):
    endpoint, clock = Endpoint(), FakeClock()
    method, report = account(endpoint, clock, jwk)
    assert endpoint.asked == [], "nothing is asked for before it is needed"
    assert method.headers() == {"Authorization": "Bearer t1"}
    url, form, headers = endpoint.asked[0]
    assert url == "https://tenant.example.com/am/oauth2/access_token"
    assert {name: form[name] for name in ("client_id", "grant_type", "scope")} == {
        "client_id": "service-account",
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "scope": "fr:idm:*",
    }
    header = jwt.get_unverified_header(form["assertion"])
    assert header["alg"] == "RS256" and header["kid"] == "key-1"
    claims = jwt.decode(
        form["assertion"],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://tenant.example.com:443/am/oauth2/access_token",
        options={"verify_exp": False},
    )
    assert claims["iss"] == claims["sub"] == "acc-1"
    assert claims["exp"] == 1_800_000_180
    assert len(claims["jti"]) > 20 and set(claims) == {"iss", "sub", "aud", "exp", "jti"}
    assert {"t1", form["assertion"], jwk["d"], jwk["p"]} <= report.secrets


def test_each_assertion_has_an_id_of_its_own(jwk):
    endpoint = Endpoint()
    for _unused in range(2):
        account(endpoint, None, jwk)[0].headers()
    first, second = (
        jwt.decode(form["assertion"], options={"verify_signature": False}) for u, form, h in endpoint.asked
    )
    assert first["jti"] != second["jti"]


def test_a_jwk_without_kid_sends_none(jwk):
    endpoint = Endpoint()
    account(endpoint, None, {name: jwk[name] for name in jwk if name != "kid"})[0].headers()
    assert "kid" not in jwt.get_unverified_header(endpoint.asked[0][1]["assertion"])


@pytest.mark.parametrize(
    "options, endpoint_url, audience",
    [
        (
            {},
            "https://tenant.example.com/am/oauth2/access_token",
            "https://tenant.example.com:443/am/oauth2/access_token",
        ),
        (
            {"url": "https://t.example.com:8443/openidm"},
            "https://t.example.com:8443/am/oauth2/access_token",
            "https://t.example.com:8443/am/oauth2/access_token",
        ),
        (
            {"token_url": "https://am.example.com/am/oauth2/realms/root/access_token"},
            "https://am.example.com/am/oauth2/realms/root/access_token",
            "https://am.example.com:443/am/oauth2/realms/root/access_token",
        ),
        (
            {"token_url": "http://127.0.0.1:8080/am/oauth2/access_token"},
            "http://127.0.0.1:8080/am/oauth2/access_token",
            "http://127.0.0.1:8080/am/oauth2/access_token",
        ),
    ],
)
def test_the_audience_is_the_endpoint_with_its_port(jwk, options, endpoint_url, audience):
    endpoint = Endpoint()
    account(endpoint, None, jwk, **options)[0].headers()
    assert endpoint.asked[0][0] == endpoint_url
    assert jwt.decode(endpoint.asked[0][1]["assertion"], options={"verify_signature": False})["aud"] == audience


def test_the_key_as_text_as_dictionary_and_as_path(jwk, tmp_path, monkeypatch):
    file = tmp_path / "key.jwk"
    file.write_text(json.dumps(jwk))
    monkeypatch.setenv("KEYS", str(tmp_path))
    for value in (jwk, json.dumps(jwk), f"\n {json.dumps(jwk)} ", str(file), "$KEYS/key.jwk"):
        endpoint = Endpoint()
        account(endpoint, None, value)[0].headers()
        assert endpoint.asked


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda jwk: {**jwk, "kty": "EC"}, "private RSA key"),
        (lambda jwk: {name: jwk[name] for name in ("kty", "n", "e")}, "private RSA key"),
        (lambda jwk: {**jwk, "n": "!"}, "not those of an RSA key"),
        (lambda jwk: json.dumps(jwk)[:-5], "not JSON"),
        (lambda jwk: "-----BEGIN RSA PRIVATE KEY-----\n" + jwk["d"], "PEM"),
        (lambda jwk: "/nowhere/" + jwk["d"][:20], "cannot be read"),
        (lambda jwk: "[]", "cannot be read"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(jwk, change, words):
    endpoint = Endpoint()
    with pytest.raises(InvalidOption, match=words) as caught:
        account(endpoint, None, change(jwk))
    assert caught.value.option == "service_account_jwk"
    assert jwk["d"][:20] not in str(caught.value)
    assert endpoint.asked == []


def test_without_pyjwt_the_library_is_named(jwk, monkeypatch):
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(MissingLibrary) as caught:
        account(None, None, jwk)
    assert caught.value.library == "PyJWT[crypto]"
    made(auth_method="client_credentials", client_id="a", client_secret="b")


def test_what_is_secret_of_a_key_is_known_however_it_is_given(jwk):
    private = {jwk[name] for name in ("d", "p", "q", "dp", "dq", "qi")}
    assert jwk_module.private_parts(jwk) == jwk_module.private_parts(json.dumps(jwk)) == private
    assert jwk_module.private_parts("/some/path.json") == jwk_module.private_parts("[1]") == set()


def test_a_refusal_names_what_to_check(jwk):
    method, unused = account(Endpoint(refused("invalid_grant: JWT is not valid")), None, jwk)
    with pytest.raises(Refused) as caught:
        method.headers()
    assert "service_account_id" in caught.value.remedy and "clock" in caught.value.remedy


# Client credentials


def client_credentials(endpoint, **more):
    return made(endpoint, auth_method="client_credentials", client_id="my:id", client_secret="s+ ä", **more)


def test_a_client_authenticates_with_basic():
    endpoint = Endpoint()
    method, report = client_credentials(endpoint, scope="fr:idm:* extra")
    assert method.headers() == {"Authorization": "Bearer t1"}
    url, form, headers = endpoint.asked[0]
    assert form == {"grant_type": "client_credentials", "scope": "fr:idm:* extra"}
    assert base64.b64decode(headers["Authorization"].split()[1]).decode() == "my%3Aid:s%2B+%C3%A4"
    assert headers["Authorization"].split()[1] in report.secrets


def test_a_client_that_is_registered_for_post_is_served_too():
    endpoint = Endpoint(refused("invalid_client: Client authentication failed", 401))
    client_credentials(endpoint)[0].headers()
    assert endpoint.asked[1][1]["client_id"] == "my:id" and endpoint.asked[1][1]["client_secret"] == "s+ ä"
    assert endpoint.asked[1][2] == {}


def test_another_refusal_is_not_tried_again():
    endpoint = Endpoint(refused("invalid_scope: Unknown/invalid scope(s)"))
    with pytest.raises(Refused) as caught:
        client_credentials(endpoint)[0].headers()
    assert len(endpoint.asked) == 1 and "scope" in caught.value.remedy


@pytest.mark.parametrize("url", ["am.example.com/token", "https://u:p@am.example.com/x", "file:///etc/passwd"])
def test_a_token_url_that_is_none(url):
    with pytest.raises(InvalidOption) as caught:
        client_credentials(Endpoint(), token_url=url)
    assert caught.value.option == "token_url"


# A token's life


def lives(*seconds):
    return Endpoint(*({"access_token": f"t{n}", "expires_in": life} for n, life in enumerate(seconds, 1)))


def test_one_token_serves_a_whole_task():
    endpoint, clock = lives(899), FakeClock()
    method, unused = made(endpoint, clock, auth_method="client_credentials", client_id="a", client_secret="b")
    for clock.seconds in (0, 400, 860):
        assert method.headers() == {"Authorization": "Bearer t1"}
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("life, until", [(899, 868), (239, 208), (40, 29)])
def test_a_token_is_replaced_before_it_expires(life, until):
    endpoint, clock = lives(life, life), FakeClock()
    method, unused = made(endpoint, clock, auth_method="client_credentials", client_id="a", client_secret="b")
    method.headers()
    clock.seconds = until
    assert method.headers() == {"Authorization": "Bearer t1"}
    clock.seconds = until + 2
    assert method.headers() == {"Authorization": "Bearer t2"}


def test_a_wait_of_40_minutes_survives_two_expiries():
    endpoint, clock = lives(899, 898, 897), FakeClock()
    method, unused = made(endpoint, clock, auth_method="client_credentials", client_id="a", client_secret="b")
    seen = []
    for clock.seconds in range(0, 2400, 2):
        token = method.headers()["Authorization"]
        if token not in seen:
            seen.append(token)
    assert seen == ["Bearer t1", "Bearer t2", "Bearer t3"]


def test_an_endpoint_that_names_no_life_is_asked_again_only_after_a_401():
    endpoint, clock = Endpoint({"access_token": "t1"}, {"access_token": "t2"}), FakeClock()
    method, unused = made(endpoint, clock, auth_method="client_credentials", client_id="a", client_secret="b")
    sent = method.headers()
    clock.seconds = 100_000
    assert method.headers() == sent
    assert method.renew(sent) is True
    assert method.headers() == {"Authorization": "Bearer t2"}


def test_a_401_on_a_token_that_another_thread_has_replaced_costs_no_new_one():
    endpoint = lives(899, 899, 899)
    method, unused = made(endpoint, auth_method="client_credentials", client_id="a", client_secret="b")
    old = method.headers()
    assert method.renew(old) and method.renew(old)
    assert len(endpoint.asked) == 2


def test_an_answer_without_a_token_is_a_failure():
    method, unused = made(Endpoint({"ok": 1}), auth_method="client_credentials", client_id="a", client_secret="b")
    with pytest.raises(Refused, match="without an access token"):
        method.headers()

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AM's token endpoint: verifies who asks as AM does, and makes tokens that expire."""

from __future__ import annotations

import base64
import secrets
import typing as t
from dataclasses import dataclass
from urllib.parse import unquote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .world import World

#: What fr:idm:* is among: a service account may ask for these (recorded 2).
_KNOWN_SCOPES = ("fr:am:*", "fr:idm:*", "fr:idc:esv:*")


class OAuthError(Exception):
    """{"error", "error_description"}: OAuth's keys, not CREST's (recorded 2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.body = {"error_description": description, "error": error}
        self.status = status


@dataclass(frozen=True)
class Accounts:
    """Who may ask: one service account with its key, one client, one IDM administrator.

    :param jwk: the private key, as the cloud hands it out.
    :param post_only: the client is registered with client_secret_post.
    """

    service_account_id: str
    jwk: t.Mapping[str, t.Any]
    client_id: str
    client_secret: str
    username: str
    password: str
    post_only: bool = False

    @classmethod
    def made(cls, post_only: bool = False) -> Accounts:
        """Make all of them anew, so that a secret found in some output can only be this run's."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
        return cls(
            service_account_id=secrets.token_hex(16),
            jwk={**jwk, "alg": "RS256", "use": "sig", "kid": secrets.token_hex(8)},
            client_id="idm-provisioning",  # the name in staticUserMapping (ping 4.2)
            client_secret="s+/" + secrets.token_urlsafe(18),
            username="openidm-admin",
            password="pä'ss " + secrets.token_urlsafe(18),
            post_only=post_only,
        )


class TokenEndpoint:
    """POST /am/oauth2/access_token."""

    def __init__(self, world: World, accounts: Accounts) -> None:
        self._world = world
        self._accounts = accounts

    def answer(self, form: t.Mapping[str, str], authorization: str, audiences: t.Sequence[str]) -> dict[str, t.Any]:
        """Return a token's document: exactly these four keys, no refresh token (recorded 2).

        :param audiences: the endpoint's URL with its port, and without where it is the usual one: both are accepted
            (ping 4.1, recorded 2).
        :raises OAuthError: as AM does.
        """
        grant = form.get("grant_type", "")
        if not self._world.mode.grant or grant != self._world.mode.grant:
            raise OAuthError("unsupported_grant_type", f"Grant type is not supported: {grant}")
        if grant == "client_credentials":
            self._check_client(form, authorization)
        else:
            self._check_assertion(form, audiences)
        scopes = form.get("scope", "").split()
        unknown = [scope for scope in scopes if scope not in _KNOWN_SCOPES]
        if unknown or not scopes:
            # every bad scope is listed and the call fails as a whole (recorded 2)
            raise OAuthError("invalid_scope", f"Unsupported scope for service account: {','.join(unknown)}")
        return {
            "access_token": self._token(),
            "scope": " ".join(sorted(scopes)),  # comes back in another order (recorded 2)
            "token_type": "Bearer",
            "expires_in": self._life(),
        }

    def _life(self) -> int:
        """Return the seconds that the client may use it for, in the client's time; 899, 898 and 897 all occur."""
        world = self._world
        return max(1, int((world.mode.token_life - len(world.made) % 3) / world.clock.speed))

    def _token(self) -> str:
        world = self._world
        token = f"eyJ0eXAiOiJKV1QiLCJlbmMi.{secrets.token_urlsafe(24)}"
        world.made.append(token)
        world.tokens[token] = world.clock.now() + world.mode.token_life
        return token

    def _check_client(self, form: t.Mapping[str, str], authorization: str) -> None:
        if self._accounts.post_only:
            given = (form.get("client_id", ""), form.get("client_secret", ""))
        else:
            try:
                pair = base64.b64decode(authorization.partition("Basic ")[2]).decode()
            except ValueError:
                pair = ""
            name, unused, secret = pair.partition(":")
            given = (unquote_plus(name), unquote_plus(secret))  # RFC 6749, 2.3.1
        if given != (self._accounts.client_id, self._accounts.client_secret):
            raise OAuthError("invalid_client", "Client authentication failed", 401)

    def _check_assertion(self, form: t.Mapping[str, str], audiences: t.Sequence[str]) -> None:
        """Check signature and claims (ping 4.1)."""
        if form.get("client_id") != "service-account":
            raise OAuthError("invalid_client", "Client authentication failed", 401)
        assertion, account = form.get("assertion", ""), self._accounts.service_account_id
        key: t.Any = jwt.PyJWK({name: self._accounts.jwk[name] for name in ("kty", "n", "e")}, algorithm="RS256").key
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion,
                key,
                algorithms=["RS256"],
                audience=audiences,
                issuer=account,
                options={"require": ["iss", "sub", "aud", "exp", "jti"], "verify_exp": False},
            )
        except jwt.PyJWTError as exc:
            raise OAuthError("invalid_grant", f"JWT is not valid: {exc}") from exc
        now = self._world.clock.now()
        if claims["sub"] != account:
            raise OAuthError("invalid_grant", "Issuer and subject differ")
        # a kid, if sent, must be the one stored with the account's key; none is accepted (recorded 2)
        if header.get("kid", self._accounts.jwk["kid"]) != self._accounts.jwk["kid"]:
            raise OAuthError("invalid_grant", "Unknown key")
        # more than 180 s ahead is rejected on some deployments (recorded 2); a fast clock runs ahead of the client's
        ahead = claims["exp"] - (now if self._world.clock.speed == 1 else claims["exp"] - 180)
        if not 0 < ahead <= 185:
            raise OAuthError("invalid_grant", "JWT has expired or is good for too long")
        if claims["jti"] in self._world.assertions:
            raise OAuthError("invalid_grant", "JWT has been used before")
        self._world.assertions[claims["jti"]] = assertion

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a request says who asks: one small class a method.

A new method is a class and a line in ``METHODS``.
"""

from __future__ import annotations

import base64
import re
import threading
import typing as t
import uuid
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from .._base.context import Context
from .._base.errors import InvalidOption, Refused
from .jwk import Jwk

# IDM decodes a header value of the form charset'language'text (RFC 5987), so a password that only looks like
# one must be encoded too ("OpenIDM family over REST", section 6).
_LOOKS_ENCODED = re.compile(r"^[A-Za-z0-9!#$%&+^_`{}~-]+'[^']*'")
_BEARER = re.compile(r"^[A-Za-z0-9._~+/-]+=*$")  # RFC 6750, section 2.1
#: How long an assertion may be used, in seconds; some deployments refuse more ("Recorded HTTP answers", section 2).
_ASSERTION_LIFE = 180
#: A token is replaced when it has less left than this, in seconds, or less than a quarter of its life.
_TOKEN_MARGIN = 30.0

#: POSTs a form to a token endpoint (URL, form, headers) and returns the answer's body.
Exchange = t.Callable[[str, t.Mapping[str, str], t.Mapping[str, str]], t.Mapping[str, t.Any]]


def header_text(value: str) -> str:
    """Return ``value`` so that it survives an HTTP header: as it is, or encoded as RFC 5987 says."""
    if value.isascii() and value.isprintable() and value == value.strip() and not _LOOKS_ENCODED.match(value):
        return value
    return "utf-8''" + quote(value, safe="")


def _basic(name: str, secret: str, context: Context) -> dict[str, str]:
    pair = base64.b64encode(f"{name}:{secret}".encode()).decode("ascii")
    context.report.keep_secret(pair)
    return {"Authorization": f"Basic {pair}"}


@dataclass(frozen=True)
class Token:
    """An access token.

    :param value: what is sent after "Bearer".
    :param expires_in: seconds from when it was made; None where the endpoint does not say.
    :param scope: what it is good for, as the endpoint says.
    """

    value: str
    expires_in: float | None
    scope: str


class Authenticator:
    """Base of the methods: sends no credentials at all.

    :param options: the connection options of a task.
    :param context: of the task.
    :param exchange: POSTs a form to a token endpoint.
    """

    #: options that the method cannot do without
    needs: tuple[str, ...] = ()

    def __init__(self, options: t.Mapping[str, t.Any], context: Context, exchange: Exchange) -> None:
        self._options = options
        self._context = context
        self._exchange = exchange

    def validate(self) -> None:
        """Check the options, sending nothing.

        :raises InvalidOption: naming what is missing or cannot be used.
        :raises MissingLibrary: for a library that the method alone needs.
        """
        for name in self.needs:
            if not self._options.get(name):
                raise InvalidOption(
                    name,
                    self._options.get(name),
                    f"auth_method={self._options.get('auth_method')} needs it (or the environment variable"
                    f" IDM_{name.upper()}).",
                )

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate the next request."""
        return {}

    def renew(self, refused: t.Mapping[str, str]) -> bool:
        """Get new credentials after a 401; return whether there are any, so that asking again makes sense.

        :param refused: the headers that the refused request carried.
        """
        return False

    def remedy(self) -> str:
        """Return what to do about a 401."""
        method = self._options["auth_method"]
        own = " (username and password)" if method in ("openidm", "basic") else ""
        return f"Check the credentials for auth_method={method}{own}."


class OpenIdmHeaders(Authenticator):
    """X-OpenIDM-Username and X-OpenIDM-Password: IDM's own accounts."""

    needs = ("username", "password")

    def headers(self) -> dict[str, str]:
        password = header_text(self._options["password"])
        self._context.report.keep_secret(password)
        return {"X-OpenIDM-Username": header_text(self._options["username"]), "X-OpenIDM-Password": password}

    def remedy(self) -> str:
        # with rsFilter AM's tokens replace all other ways ("ForgeRock / Ping IDM", section 4.2)
        return (
            f"{super().remedy()} An IDM that AM protects, and Advanced Identity Cloud, take access tokens only:"
            " client_credentials, service_account or bearer."
        )


class Basic(OpenIdmHeaders):
    """HTTP Basic, sent with the first request: IDM sends no challenge (seen on OpenIDM 6.1.0)."""

    def headers(self) -> dict[str, str]:
        return _basic(self._options["username"], self._options["password"], self._context)


class Bearer(Authenticator):
    """An access token that somebody else got, as from idm_token."""

    needs = ("access_token",)

    def validate(self) -> None:
        super().validate()
        if not _BEARER.match(self._options["access_token"].strip()):
            raise InvalidOption("access_token", "(hidden)", "It holds characters that no access token has (RFC 6750).")

    def headers(self) -> dict[str, str]:
        token = self._options["access_token"].strip()
        self._context.report.keep_secret(token)
        return {"Authorization": f"Bearer {token}"}

    def remedy(self) -> str:
        return (
            "The access token has expired or is not meant for this server. Get a new one with idmops.idm.idm_token, or"
            " use auth_method=service_account or client_credentials, which get one whenever it is needed."
        )


class ClientCertificate(Authenticator):
    """Mutual TLS alone: the certificate says who asks."""

    needs = ("client_cert",)

    def validate(self) -> None:
        super().validate()
        if not self._options["url"].strip().lower().startswith("https:"):
            raise InvalidOption("url", self._options["url"], "auth_method=client_cert needs an https URL.")

    def remedy(self) -> str:
        return "IDM does not know the certificate in client_cert; on premises it listens for them on a port of its own."


class TokenMethod(Authenticator):
    """Base of the methods that get an access token from AM: once, again before it expires, and after a 401."""

    def __init__(self, options: t.Mapping[str, t.Any], context: Context, exchange: Exchange) -> None:
        super().__init__(options, context, exchange)
        self._lock = threading.Lock()  # parallel runs share a client
        self._token: Token | None = None
        self._stale_at: float | None = None

    @property
    def endpoint(self) -> str:
        """The token endpoint: the option token_url, or AM's usual place on the host of url."""
        given = (self._options.get("token_url") or "").strip()
        if given:
            return given
        parts = urlsplit(self._options["url"].strip())
        return f"{parts.scheme}://{parts.netloc}/am/oauth2/access_token"

    def validate(self) -> None:
        super().validate()
        parts = urlsplit(self.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise InvalidOption(
                "token_url",
                f"{parts.scheme}://{parts.hostname}{parts.path}",
                "Give the URL of AM's token endpoint, as in https://am.example.com/am/oauth2/access_token.",
            )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token().value}"}

    def token(self) -> Token:
        """Return a token that is good for a while.

        :raises Unreachable, Refused: when none can be had.
        """
        with self._lock:
            stale = self._stale_at is not None and self._context.clock.now() >= self._stale_at
            return self._mint() if self._token is None or stale else self._token

    def renew(self, refused: t.Mapping[str, str]) -> bool:
        with self._lock:
            # not if another thread has got a new one meanwhile
            if self._token is None or refused.get("Authorization") == f"Bearer {self._token.value}":
                self._mint()
        return True

    def remedy(self) -> str:
        return "AM has just given this access token, but IDM does not accept it: see its rsFilter (scopes, subjects)."

    def _mint(self) -> Token:
        start = self._context.clock.now()
        body = self._grant()
        value = body.get("access_token")
        if not isinstance(value, str) or not _BEARER.match(value):
            raise Refused(f"POST {self.endpoint} answered without an access token.", method="POST", url=self.endpoint)
        self._context.report.keep_secret(value)
        # 899, 898, 897 and 896 were all seen: the value counts ("Recorded HTTP answers", section 2)
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, (int, float)) and life > 0 else None
        self._stale_at = None if seconds is None else start + seconds - min(_TOKEN_MARGIN, seconds / 4)
        self._token = Token(value, seconds, str(body.get("scope") or ""))
        return self._token

    def _grant(self) -> t.Mapping[str, t.Any]:
        """Ask the endpoint for a token; return the body of its answer."""
        raise RuntimeError(f"{type(self).__name__} does not say how it gets a token")


class ServiceAccount(TokenMethod):
    """Advanced Identity Cloud's JWT bearer grant ("ForgeRock / Ping IDM", section 4.1)."""

    needs = ("service_account_id", "service_account_jwk")

    def validate(self) -> None:
        super().validate()
        self._jwk = Jwk(self._options["service_account_jwk"])
        for secret in self._jwk.secrets:
            self._context.report.keep_secret(secret)

    def _audience(self) -> str:
        """Return the endpoint with its port, as the documents say: https://<tenant>:443/am/oauth2/access_token."""
        parts = urlsplit(self.endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return urlunsplit((parts.scheme, f"{host}:{port}", parts.path, "", ""))

    def _grant(self) -> t.Mapping[str, t.Any]:
        account = self._options["service_account_id"]
        assertion = self._jwk.sign(
            {
                "iss": account,
                "sub": account,
                "aud": self._audience(),
                "exp": int(self._context.clock.wall()) + _ASSERTION_LIFE,
                "jti": str(uuid.uuid4()),
            }
        )
        self._context.report.keep_secret(assertion)
        form = {
            "client_id": "service-account",
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
            "scope": self._options.get("scope") or "fr:idm:*",
        }
        try:
            return self._exchange(self.endpoint, form, {})
        except Refused as exc:
            exc.remedy = exc.remedy or (
                "Check service_account_id, that service_account_jwk is a key of that account, scope, that the host in"
                " url (or token_url) is the tenant's own name and no custom domain, and the clock of this machine."
            )
            raise


class ClientCredentials(TokenMethod):
    """A client of AM that acts for itself (RFC 6749, section 4.4)."""

    needs = ("client_id", "client_secret")

    def _grant(self) -> t.Mapping[str, t.Any]:
        client, secret = self._options["client_id"], self._options["client_secret"]
        form = {"grant_type": "client_credentials", "scope": self._options.get("scope") or "fr:idm:*"}
        self._context.report.keep_secret(quote_plus(secret))
        try:
            try:
                # RFC 6749, section 2.3.1: form-encoded before it becomes Basic
                return self._exchange(
                    self.endpoint, form, _basic(quote_plus(client), quote_plus(secret), self._context)
                )
            except Refused as exc:
                if "invalid_client" not in exc.reason:
                    raise
            # the client may be registered with client_secret_post
            return self._exchange(self.endpoint, {**form, "client_id": client, "client_secret": secret}, {})
        except Refused as exc:
            exc.remedy = exc.remedy or "Check client_id, client_secret and scope against the client's settings in AM."
            raise


METHODS: dict[str, type[Authenticator]] = {
    "openidm": OpenIdmHeaders,
    "basic": Basic,
    "bearer": Bearer,
    "service_account": ServiceAccount,
    "client_credentials": ClientCredentials,
    "client_cert": ClientCertificate,
}


def authenticator(options: t.Mapping[str, t.Any], context: Context, exchange: Exchange) -> Authenticator:
    """Return the method that ``auth_method`` names, its options checked.

    :raises InvalidOption: when an option that the method needs is missing or cannot be used.
    :raises MissingLibrary: for a library that the method alone needs.
    """
    method = METHODS[options["auth_method"]](options, context, exchange)
    method.validate()
    return method

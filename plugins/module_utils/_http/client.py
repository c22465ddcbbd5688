# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to IDM: one session, one TLS context, one place for headers, errors and repeating.

The only file, beside _keep_alive, that imports requests.
"""

from __future__ import annotations

import json
import typing as t
import uuid
from urllib.parse import quote

from .._base.context import Context
from .._base.errors import MissingLibrary, Refused, Unreachable
from .._base.limits import check_seconds
from .._base.values import as_dict
from .answer import (
    TRANSACTION_HEADER,
    Answer,
    CutOff,
    date_of,
    is_own,
    lacks_rights,
    parse_body,
    refusal,
    retry_after,
    rights_remedy,
)
from .auth import Authenticator, TokenMethod, authenticator
from .broken_line import unreachable
from .form import expected, results, whole
from .keep_alive import KeepAliveAdapter
from .right import Right, rights_asked
from .trust import certificate, trusted
from .url import checked_url, node_urls, warn_of_plain_http

try:
    import requests
except ImportError as exc:
    requests = None  # type: ignore[assignment]
    _REASON = str(exc)
else:
    _REASON = ""

#: POST actions that change nothing ("From nothing to scheduled liveSync without losing a change").
READING_ACTIONS = frozenset(
    {
        "test",
        "testconfig",
        "testconnectorservers",
        "validatequartzcronexpression",
        "listcurrentlyexecutingjobs",
    }
)
_LOGIN = "info/login"
#: How long a connection may have idled before a request that must not be sent twice gets a new one, in seconds.
_FRESH = 5.0
#: How long a throttled request may be repeated where the options do not say, and the first pause, in seconds.
_RETRY_TIMEOUT, _FIRST_PAUSE = 60.0, 0.5


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path."""
    return quote(text, safe="")


def is_write(method: str, params: t.Mapping[str, t.Any] | None = None) -> bool:
    """Tell whether a request can change something on the server."""
    if method in ("GET", "HEAD"):
        return False
    return not (method == "POST" and str((params or {}).get("_action", "")).lower() in READING_ACTIONS)


class Client:
    """Talks to one IDM as one account.

    :param options: the connection options (doc fragment ``connection``), validated.
    :param context: of the task; in check mode a write is refused here, whoever asks for it.
    :raises InvalidOption: for options that cannot work; nothing has been sent then.
    :raises MissingLibrary: without requests, or what the authentication method needs.
    """

    def __init__(self, options: t.Mapping[str, t.Any], context: Context) -> None:
        if requests is None:
            raise MissingLibrary("requests", _REASON)
        self.url = checked_url(options, context)
        self.nodes = node_urls(options)
        self.timeout = options["timeout"]
        check_seconds("timeout", self.timeout)
        given = options.get("retry_timeout")
        self._retry_timeout: float = _RETRY_TIMEOUT if given is None else given
        self.auth_method: str = options["auth_method"]
        self._options = options
        self._context = context
        self._server_time: str | None = None
        self._auth: Authenticator = authenticator(options, context, self._exchange)
        if isinstance(self._auth, TokenMethod):
            warn_of_plain_http("token_url", self._auth.endpoint, context)
        #: What this server does not have, by path, as was found out once.
        self.silent: set[str] = set()
        #: What IDM's access rules refused, in their order.
        self.lacking: dict[Right, None] = {}
        self._login: dict[str, t.Any] | None = None
        self._transaction = f"idmops-{uuid.uuid4()}"
        self._requests_sent = 0
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, KeepAliveAdapter())
        # Without an auth of its own requests would send what ~/.netrc has for the host.
        self._session.auth = _keep_headers
        self._verify = trusted(options)
        if self._verify is False:
            packaged = requests.packages.urllib3  # type: ignore[attr-defined]
            packaged.disable_warnings(packaged.exceptions.InsecureRequestWarning)
        self._session.cert = certificate(options)
        self._last_use = context.clock.now()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self.close()

    def sibling(self, url: str | None = None) -> Client:
        """Return another client with a connection of its own, as a second thread needs, and the same credentials.

        :param url: of one of the nodes; None is the same address.
        """
        other = Client({**self._options, "url": url or self.url}, self._context)
        other._auth, other.silent, other.lacking = self._auth, self.silent, self.lacking
        if other.url == self.url:  # a balancer knows the node by its cookie
            other._session.cookies = self._session.cookies
        return other

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    @property
    def server_time(self) -> str | None:
        """The server's clock when it last answered, as in 2026-11-24T17:19:26Z; None where it did not tell."""
        return self._server_time

    def get(self, path: str, params: t.Mapping[str, t.Any] | None = None, **how: t.Any) -> t.Any:
        """GET a path below the base URL; return the object that it answers, None for a status in ``none_on``.

        :raises Refused: for an answer that is no object too.
        """
        answer = self.request("GET", path, params=params, **how)
        return expected(answer, f"GET {self.url}/{path}", dict, empty=answer.status in how.get("none_on", ()))

    def put(self, path: str, body: t.Any, params: t.Mapping[str, t.Any] | None = None, **how: t.Any) -> t.Any:
        """PUT a document; return the object that it answers.

        :raises Refused: for an answer that is no object too.
        """
        return expected(self.request("PUT", path, params=params, body=body, **how), f"PUT {self.url}/{path}", dict)

    def post(
        self,
        path: str,
        params: t.Mapping[str, t.Any],
        body: t.Any = None,
        *,
        expect: type[dict[str, t.Any]] | type[list[t.Any]] = dict,
        **how: t.Any,
    ) -> t.Any:
        """POST an action; return what it answers, None for an empty answer or a status in ``none_on``.

        :param expect: an object, or a list of objects, which an empty answer is none of.
        :raises Refused: for an answer that is something else too.
        """
        answer = self.request("POST", path, params=params, body=body, **how)
        where = f"POST {self.url}/{path}?_action={params.get('_action')}"
        return expected(answer, where, expect, empty=expect is dict or answer.status in how.get("none_on", ()))

    def delete(self, path: str, **how: t.Any) -> t.Any:
        """DELETE a path; return the object that it answers, None for an empty answer or a status in ``none_on``.

        :raises Refused: for an answer that is something else too.
        """
        return expected(self.request("DELETE", path, **how), f"DELETE {self.url}/{path}", dict, empty=True)

    def query(
        self, path: str, query_filter: str | None = "true", *, api_version: str = "1.0", **params: t.Any
    ) -> list[dict[str, t.Any]]:
        """Return the results of a query: objects.

        :param query_filter: None where ``params`` name another query.

        :raises Refused: for an answer that holds no list of objects too, or a part of it that nobody asked for.
        """
        where = f"GET {self.url}/{path}?_queryFilter"
        asked = {} if query_filter is None else {"_queryFilter": query_filter}
        body = self.get(path, {**asked, **params}, api_version=api_version)
        return results(body, where, page="_pageSize" in params)

    def token_method(self) -> TokenMethod | None:
        """Return the method that gets access tokens, None where there is nothing to get."""
        return self._auth if isinstance(self._auth, TokenMethod) else None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: t.Mapping[str, t.Any] | None = None,
        body: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
        timeout: float | None = None,
        none_on: t.Sequence[int] = (),
        api_version: str = "1.0",
    ) -> Answer:
        """Send one request and return its answer.

        Reads are sent once more when the line breaks; a write never is. Where the server throttles (429) or asks to
        come back (503 with Retry-After), what may be sent again is, within the option ``retry_timeout``: reads, PUT and
        DELETE, but conditional ones only after 429, and never a POST that does something.

        :param path: below the base URL, its segments already quoted (see :func:`segment`).
        :param timeout: seconds to wait for the answer; None is the option ``timeout``.
        :param none_on: error statuses that the caller expects from IDM itself: their answer has the body None.
        :param api_version: of the resource; servers since 7.3.3 default to 1.0 with exceptions, so it is always sent.
        :raises Unreachable: no (whole) answer came; its ``sent`` tells whether the request may have been received.
        :raises Refused: the answer is an error, or not IDM's.
        """
        write = is_write(method, params)
        if write and self._context.check_mode:
            raise RuntimeError(f"{method} {path} {dict(params or {})} would be a write in check mode")
        url = f"{self.url}/{path}"
        fixed = {
            "Accept-API-Version": f"resource={api_version}",
            "Content-Type": "application/json",
            # no server session: each call would make a new one (seen on OpenIDM 6.1.0)
            "X-OpenIDM-NoSession": "true",
            "X-Requested-With": "idmops.idm",
            **self._configuration_headers(path),
            **(headers or {}),
        }
        data = None if body is None else json.dumps(body).encode()

        def send() -> Answer:
            credentials = self._credentials()
            answer = self._transmit(method, url, params, data, {**fixed, **credentials}, timeout, fresh=write)
            if answer.status == 401 and (renewed := self._credentials(refused=credentials)):
                answer = self._transmit(method, url, params, data, {**fixed, **renewed}, timeout, fresh=write)
            return answer

        conditional = any(name.lower() in ("if-match", "if-none-match") for name in fixed)
        again_on = (429, 503) if not write else (() if method == "POST" else (429,) if conditional else (429, 503))
        answer = self._persist(send, over_broken_lines=not write, again_on=again_on)
        asked = rights_asked(method, path, params, fixed)
        rights = asked if lacks_rights(answer) else ()
        for right in asked:  # what is let through later was refused by a server that was just starting
            self.lacking.pop(right, None)
        self.lacking.update(dict.fromkeys(rights))
        if answer.status in none_on and is_own(answer.body):
            return Answer(answer.status, None, answer.headers)
        if answer.status >= 300 or isinstance(answer.body, str):
            action = (params or {}).get("_action")
            raise refusal(
                method,
                url + (f"?_action={action}" if action else ""),
                answer,
                transaction=fixed.get(TRANSACTION_HEADER) or self._last_transaction(),
                remedy=self._auth.remedy() if answer.status == 401 else self._who_lacks_rights(answer, method, path),
                rights=rights,
            )
        return answer

    def whoami(self) -> dict[str, t.Any]:
        """Return what info/login says of whoever asks, nothing where it does not say. Asked once."""
        if self._login is None:
            self._login = {}
            try:
                self._login = as_dict(self.request("GET", _LOGIN).body)
            except (Unreachable, Refused):
                pass
        return self._login

    def _who_lacks_rights(self, answer: Answer, method: str, path: str) -> str | None:
        """Return what mends a 403 of IDM's own, by whom IDM takes us for; None where it does not say."""
        if not lacks_rights(answer) or path == _LOGIN or (path.startswith("config/") and method != "GET"):
            return None  # a policy of the data; a configuration that nobody may change
        return rights_remedy(self.whoami())

    def _credentials(self, refused: t.Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers that say who asks; nothing where there are none but those that were refused.

        :raises Unreachable, Refused: when they cannot be had, with ``sent`` false: the request itself was not sent, or
            it was answered 401 and did nothing.
        """
        try:
            return {} if refused is not None and not self._auth.renew(refused) else dict(self._auth.headers())
        except (Unreachable, Refused) as exc:
            exc.sent = False
            raise

    def _exchange(self, url: str, form: t.Mapping[str, str], headers: t.Mapping[str, str]) -> t.Mapping[str, t.Any]:
        """POST a form to AM's token endpoint. Asking twice does no harm: it gives two tokens."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        answer = self._persist(
            lambda: self._transmit("POST", url, None, dict(form), sent, None, fresh=False),
            over_broken_lines=True,
            again_on=(429, 503),
        )
        if answer.status >= 300 or not isinstance(answer.body, dict):
            raise refusal(
                "POST",
                url.partition("?")[0],
                answer,
                transaction=self._last_transaction(),
                remedy="Give the address of AM's token endpoint in token_url." if answer.status in (404, 405) else None,
            )
        return answer.body

    def _persist(self, send: t.Callable[[], Answer], *, over_broken_lines: bool, again_on: t.Sequence[int]) -> Answer:
        """Send until there is an answer to go on with.

        :param again_on: statuses after which the request may be sent again; 503 counts only with a Retry-After, since
            it is also IDM's word for a connector that is not available.
        """
        clock = self._context.clock
        end = clock.now() + self._retry_timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = send()
            except Unreachable as exc:
                if not over_broken_lines or exc.timed_out:  # who did not answer in time would not do so now either
                    raise
                over_broken_lines = False
                continue
            asked = retry_after(answer.headers, clock.wall())
            if answer.status not in again_on or (answer.status != 429 and asked is None):
                return answer
            pause = max(pause, asked or 0.0)
            if clock.now() + pause > end:
                return answer
            clock.sleep(pause)
            pause = min(2 * pause, 8.0)

    def _last_transaction(self) -> str:
        return f"{self._transaction}-{self._requests_sent}"

    def _configuration_headers(self, path: str) -> dict[str, str]:
        """Return what requests for configuration carry in tenants under direct configuration control.

        Reads carry it too, as those of the vendor's clients do: what was written is to be read back.
        """
        kind = self._options.get("configuration_type")
        return {"X-Configuration-Type": kind} if kind and path.partition("/")[0] == "config" else {}

    def _transmit(
        self,
        method: str,
        url: str,
        params: t.Mapping[str, t.Any] | None,
        data: t.Any,
        headers: t.Mapping[str, str],
        timeout: float | None,
        *,
        fresh: bool,
    ) -> Answer:
        """Send one request once and read its whole answer."""
        clock = self._context.clock
        if fresh and clock.now() - self._last_use > _FRESH:
            self._session.close()  # a connection that the server has closed meanwhile would look like a cut line
        seconds = self.timeout if timeout is None else timeout
        self._requests_sent += 1
        transaction = headers.get(TRANSACTION_HEADER) or self._last_transaction()
        where = url.split("?")[0] if not url.startswith(self.url) else self.url
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers={"Accept": "application/json", TRANSACTION_HEADER: transaction, **headers},
                timeout=(min(self.timeout, seconds), seconds),
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            )
            body = parse_body(response.status_code, response.headers, whole(response))
        except CutOff as exc:
            error = Unreachable(f"The answer to {method} {url.split('?')[0]} was cut off: {exc}.", sent=True)
        except (requests.exceptions.RequestException, OSError, AttributeError) as exc:
            # AttributeError: requests 2.28 stumbles so over a Content-Type that is cut at "charset"
            error = unreachable(exc, where, min(self.timeout, seconds), seconds)
        else:
            self._server_time = date_of(response.headers) or self._server_time
            return Answer(response.status_code, body, response.headers)
        finally:
            self._last_use = clock.now()
        error.result["transaction_id"] = transaction
        raise error


def _keep_headers(request: t.Any) -> t.Any:
    """Be the session's auth: the headers of a request are complete as they are."""
    return request

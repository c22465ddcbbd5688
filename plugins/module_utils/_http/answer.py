# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an HTTP answer is: whole or cut, IDM's or somebody else's, and what mends an error. No I/O."""

from __future__ import annotations

import html
import json
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from .._base.errors import Refused
from .._base.text import reason_in
from .._base.values import as_dict, as_list
from .right import Right, spoken

TRANSACTION_HEADER = "X-ForgeRock-TransactionId"


class CutOff(Exception):
    """Less arrived than the server sent; the text says what is missing."""


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is parsed JSON, text where it is not JSON, None where there is none."""

    status: int
    body: t.Any
    headers: t.Mapping[str, str]


def parse_body(status: int, headers: t.Mapping[str, str], content: bytes) -> t.Any:
    """Parse a body by its Content-Type.

    http.client takes a line that ends within the headers for the end of the headers. So an empty body is believed
    only where the headers say that it is empty ("Content-Length: 0", as OpenIDM 6.1.0 sends it with its empty 200),
    or are chunked, where the end has been read.

    :raises CutOff: when less arrived than was sent.
    """
    if not content:
        length = headers.get("Content-Length", "").strip()
        chunked = headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
        if length != "0" and not chunked and status not in (204, 304):
            raise CutOff("it ended in its headers")
        return None
    if "json" not in headers.get("Content-Type", "").lower():
        return content.decode("utf-8", "replace")
    try:
        return json.loads(content)
    except ValueError as exc:
        raise CutOff(f"it is not whole JSON: {exc}") from exc
    except RecursionError as exc:
        raise CutOff("it is nested too deeply to be an answer of IDM's") from exc


def retry_after(headers: t.Mapping[str, str], wall: float) -> float | None:
    """Return for how many seconds the server asks to wait, None where it does not ask.

    Retry-After holds seconds or a date (RFC 9110, section 10.2.3). The date is compared with the answer's own Date,
    so that clocks that differ do no harm.

    :param wall: seconds since 1970, for an answer without a Date.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])  # more digits mean "never" as well
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(headers.get("Date", "")) or datetime.fromtimestamp(wall, timezone.utc)
    return max(0.0, (until - now).total_seconds())


def date_of(headers: t.Mapping[str, str]) -> str | None:
    """Return the server's time of an answer as IDM writes times, to the second; None where it is not told."""
    found = _http_date(headers.get("Date", ""))
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def is_own(body: t.Any) -> bool:
    """Tell whether the body of an error is IDM's own; what stands before it may write JSON too, without a code."""
    return isinstance(body, dict) and "code" in body


def reason_of(body: t.Any) -> str:
    """Return an error answer's own words: CREST's message, OAuth's error, or what a page says."""
    if isinstance(body, dict):
        if isinstance(body.get("error"), str):  # RFC 6749, section 5.2
            return ": ".join(str(part) for part in (body["error"], body.get("error_description")) if part)
        # messages are HTML-escaped ("OpenIDM family over REST", section 0)
        return html.unescape(str(body.get("message") or body.get("reason") or ""))
    if not isinstance(body, str):
        return ""
    title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
    text = title.group(1) if title else re.sub(r"<[^>]+>", " ", body)
    return "a page that is not IDM's: " + " ".join(html.unescape(text).split())[:200]


def odd(where: str, wanted: str, came: t.Any, status: int = 200) -> Refused:
    """Return the error for an answer that is not of the form that it must have.

    :param where: method and URL, without secrets.
    :param wanted: what was expected, as in "an object".
    :param came: what came instead; of a text or an object only the kind is told, since they hold data.
    """
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "nothing", bool: "a truth value"}
    text = kinds.get(type(came), "a number")
    return Refused(
        f"{where} answered {status} with {text}, where {wanted} was expected.",
        url=where,
        status=status,
        reason=f"{text} where {wanted} was expected",
        remedy="See that url is that of IDM itself (its context path is /openidm), and that nothing between changes its"
        " answers.",
        own=False,
    )


def refusal(
    method: str,
    url: str,
    answer: Answer,
    *,
    transaction: str,
    remedy: str | None = None,
    rights: t.Sequence[Right] = (),
) -> Refused:
    """Turn an answer that is an error, or no answer of IDM's, into an exception with the server's own words.

    :param url: without secrets.
    :param transaction: the id that was sent in X-ForgeRock-TransactionId.
    :param remedy: what mends it, where the caller knows better.
    :param rights: what IDM's access rules would have to allow, where it is they that refuse.
    """
    reason = reason_of(answer.body)
    message = f"{method} {url} answered {answer.status}: {reason_in(reason) or 'no reason given'}"
    if answer.headers.get("Location"):
        message += f" (it points to {re.split('[?#]', answer.headers['Location'])[0]})"
    message = message.rstrip(".") + "."
    if rights:
        message += f" It takes the right: {spoken(rights)}."
    refused = Refused(
        message,
        method=method,
        url=url,
        status=answer.status,
        reason=reason,
        remedy=remedy or _remedy(answer, is_configuration="/config/" in url and method != "GET"),
        own=is_own(answer.body),
    )
    refused.rights = tuple(rights)
    refused.result["transaction_id"] = answer.headers.get(TRANSACTION_HEADER) or transaction
    return refused


def lacks_rights(answer: Answer) -> bool:
    """Tell whether IDM's own access rules have refused a request, rather than a policy of the data or a firewall."""
    return answer.status == 403 and isinstance(answer.body, dict) and "policy" not in reason_of(answer.body).lower()


def roles_of(login: t.Mapping[str, t.Any]) -> list[str]:
    """Return the names of the roles that info/login tells, without where they are kept."""
    return [str(role).rpartition("/")[2] for role in as_list(as_dict(login.get("authorization")).get("roles"))]


def name_of(login: t.Mapping[str, t.Any]) -> str:
    """Return the account that info/login tells, "" where it does not."""
    return str(login.get("authenticationId") or as_dict(login.get("authorization")).get("id") or "")


def rights_remedy(login: t.Mapping[str, t.Any]) -> str | None:
    """Return what mends a lack of rights, by what info/login says of whoever asks; None where it says nothing.

    IDM answers 403, not 401, where it does not look at the credentials at all: the request goes on as "anonymous" (seen
    on live tenants, where AM's tokens alone count). A service account never has openidm-admin there.
    """
    roles, who = roles_of(login), name_of(login)
    if who == "anonymous" or roles == ["openidm-reg"]:
        return (
            "IDM did not look at these credentials and takes the request for one of nobody (anonymous). Where AM"
            " protects IDM only its tokens count: auth_method service_account on Advanced Identity Cloud,"
            " client_credentials elsewhere."
        )
    if "openidm-svcacct" in roles:
        return (
            "This is a service account: see that its token has the scope fr:idm:* (scope), and that the path is one"
            " that is open to service accounts; the role openidm-admin is none that they can have."
        )
    if not roles or "openidm-admin" in roles:
        return None
    return (
        f"The account {who} has the roles {', '.join(roles)}; it needs openidm-admin (internal/role/openidm-admin), or"
        " an access rule of its own for this right (docs/least-rights.md)."
    )


def _remedy(answer: Answer, *, is_configuration: bool) -> str | None:
    """Return what mends an error that has the same cause wherever it appears."""
    from_idm = isinstance(answer.body, (dict, list))
    if answer.status < 300:
        return (
            "Give in url the address of IDM itself, with its context path (/openidm), past any log-in page before it."
        )
    if answer.status < 400:
        return "Give in url the address that IDM itself answers at, with its context path (/openidm)."
    if answer.status == 403 and not from_idm:
        return (
            "Something before IDM (a web application firewall, a proxy) refused this request, so no right in IDM mends"
            " it; ask its operators."
        )
    if lacks_rights(answer):
        rights = (
            "The account needs the role openidm-admin (internal/role/openidm-admin), or an access rule for this right"
            " (docs/least-rights.md)."
        )
        if is_configuration:
            rights += (
                " On Advanced Identity Cloud the configuration of staging and production tenants is immutable besides:"
                " make the change in the development tenant and promote it; or, under direct configuration control,"
                " open a session and set configuration_type: mutable."
            )
        return rights
    if answer.status == 404 and not from_idm:
        return "Check the context path in url: IDM's is /openidm unless it was changed."
    if answer.status == 400 and not from_idm and "SNI" in reason_of(answer.body):
        return "Give in url the host name that stands in the server's certificate."
    if answer.status == 503 and "context to allow invocation not populated" in reason_of(answer.body):
        return (
            "The token is good, and IDM knows no account for its subject: add one to rsFilter in the configuration of"
            " authentication (staticUserMapping, or subjectMapping)."
        )
    if answer.status == 429:
        return "The server is throttling requests. Run the task again later, or give a longer retry_timeout."
    return None

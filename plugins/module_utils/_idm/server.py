# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kind of IDM answers: one value with capabilities, asked once.

Code asks for a capability, never for a version.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.errors import Refused
from .._base.values import as_dict
from .._http.answer import Answer
from .._http.client import Client
from .._http.form import objects
from .._http.right import QUERY, READ, Right, spoken

#: The open fork (OpenIDM, Open Identity Platform), Ping's and ForgeRock's IDM on premises, the cloud service.
FORK, IDM, CLOUD = "openidm", "idm", "aic"
#: Ways to say who asks that work where AM's tokens are the only credentials ("ForgeRock / Ping IDM", section 4.2).
TOKENS = ("service_account", "client_credentials", "bearer")
#: Below it a version may be the fork's or Ping's.
_PINGS_ALONE = 8


@dataclass(frozen=True)
class Server:
    """A server's flavour, and what follows from it.

    :param flavour: FORK, IDM or CLOUD.
    :param version: the product's version as it says it, "" where it does not.
    """

    flavour: str
    version: str

    @property
    def repeats_simple(self) -> bool:
        """Whether a schedule of type simple repeats; the fork's fires once and vanishes (seen on OpenIDM 6.1.0)."""
        return self.flavour != FORK

    @property
    def job_actions(self) -> bool:
        """Whether a single job can be triggered, paused and resumed (IDM 7.x scheduler API 2.0)."""
        return self.flavour != FORK

    @property
    def audit_queries(self) -> bool:
        """Whether audit can be read over REST: the cloud's goes to its logs, and a query is 501 (seen there)."""
        return self.flavour != CLOUD

    @property
    def lists_documents(self) -> bool:
        """Whether the list of configurations shows each document of a schedule or a mapping as soon as it is there
        (seen on OpenIDM 6.1.0).
        """
        return self.flavour == FORK

    @property
    def scheduler_version(self) -> str:
        """The API version of scheduler/job and scheduler/trigger."""
        return "1.0" if self.flavour == FORK else "2.0"

    @property
    def offset_times(self) -> bool:
        """Whether the times of a schedule may have an offset; the fork's must not (seen on OpenIDM 6.1.0)."""
        return self.flavour != FORK

    @property
    def any_job_name(self) -> bool:
        """Whether a job's name may hold blanks and other characters that a URL must encode.

        The fork's scheduler loses track of such a job, and the list of all jobs answers 404 for good once it has been
        deleted (seen on OpenIDM 6.1.0).
        """
        return self.flavour != FORK


def ask_server(client: Client) -> Server:
    """Return what kind of server the client talks to.

    A version below 7 is the fork's line. From 7 on both have the same numbers, and info/version, which is a configured
    script, may be missing: there the list of mappings decides, which Ping's IDM has ("ForgeRock / Ping IDM", section
    3.4) and the fork has not (404, seen on OpenIDM 6.1.0). Nothing that is known of info/version tells the cloud
    apart; its front end's Via header does, and so do service accounts, which it alone has ("Recorded HTTP answers",
    section 1).

    :raises Unreachable, Refused: as the client; where both are refused nobody knows what to send.
    """
    answer = client.request("GET", "info/version", none_on=(403, 404, 501))
    version = str(answer.body.get("productVersion") or "") if isinstance(answer.body, dict) else ""
    major = int(found.group()) if (found := re.match(r"\d+", version)) else 0
    if 0 < major < 7:
        return Server(FORK, version)
    params: dict[str, t.Any] = {"_queryFilter": "true", "_fields": "name"}
    listed = client.request("GET", "sync/mappings", params=params, none_on=(403, 404, 501))
    if listed.status in (404, 501):
        return Server(FORK, version)
    if listed.status == 403 and major < _PINGS_ALONE:
        raise _not_told(client.url)
    if listed.status != 403:
        objects(as_dict(listed.body).get("result"), f"GET {client.url}/sync/mappings", "result")
    return Server(CLOUD if _is_cloud(client, listed) else IDM, version)


def _not_told(url: str) -> Refused:
    """Return the error for a server that lets nobody know what it is: the fork's scheduler is not that of IDM 7.

    The fork's access rules refuse sync/mappings, which it has not, to an account of few rights (seen on OpenIDM 6.1.0).
    """
    rights = (Right(READ, "info/version"), Right(QUERY, "sync/mappings"))
    error = Refused(
        f"What kind of IDM this is cannot be known: {url}/sync/mappings answered 403, and info/version does not tell."
        f" It takes one of the rights: {spoken(rights)}.",
        method="GET",
        url=f"{url}/sync/mappings",
        status=403,
        remedy="Add an access rule for the query of sync/mappings to the account's role, whether or not this IDM has it"
        " (docs/least-rights.md).",
    )
    error.rights = rights[1:]
    return error


def _is_cloud(client: Client, answer: Answer) -> bool:
    if client.auth_method == "service_account":
        return True
    return client.auth_method in TOKENS and "google" in answer.headers.get("Via", "").lower()

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage document: where IDM keeps a source's sync token and its last failure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._base.errors import IdmopsError
from .._base.values import as_dict, as_text
from .._http.answer import odd
from .._http.client import Client, segment
from .._http.form import id_of
from .connector_config import Connector
from .source import Source

#: A token of the open LDAP connector's search by time stamps ("OpenIDM family over REST", section 5.6).
_MOMENT = re.compile(r"\d{14}(\.\d+)?Z", re.ASCII)
#: Where the stages are.
STAGES = "repo/synchronisation/pooledSyncStage"
#: What the ids of our own documents there begin with (the run record): that of a stage begins with SYSTEM.
OURS = "idmops-"
#: The native types of a token that holds a number ("OpenIDM family over REST", section 1.3).
NUMBER_TYPES = ("integer", "JAVA_TYPE_LONG")


@dataclass(frozen=True)
class Stage:
    """What IDM remembers of a source between two runs of liveSync.

    :param rev: an opaque revision, compared for equality alone; None where the answer has none (the first one).
    :param token: an opaque value: an integer, a text, whatever the connector made; None where there is none yet.
    :param failure: IDM's text about the record that stopped the last run, None where none did.
    :param delta: that record as XML, with its attributes: personal data.
    :param void: whether a token stands there that is null: each run ends in 500 "Expecting a value" then (seen on
        OpenIDM 6.1.0).
    """

    rev: str | None = None
    token: t.Any = None
    native_type: str | None = None
    failure: str | None = None
    delta: str | None = field(default=None, repr=False)
    void: bool = False

    @property
    def number(self) -> int | None:
        """The token as a change number, also where it is kept as a text; None where it is none."""
        if self.native_type not in (None, *NUMBER_TYPES) or isinstance(self.token, bool):
            return None
        text = self.token if isinstance(self.token, str) else ""
        if text.isascii() and text.isdigit():
            return int(text)
        return self.token if isinstance(self.token, int) else None

    def misfit(self, connector: Connector | None, *, numbered: bool = False) -> str | None:
        """What keeps a connector that counts changes from going on at this token, None where nothing does.

        :param numbered: whether its directory is known to have a change log with numbers. It is searched by these
            then, and a time stamp ends in 500 "cannot be cast to Integer" (seen on OpenIDM 6.1.0 with OpenDJ 4.6.5).

        Such a run ends in 500 "String cannot be cast to Integer", or in 400 for a number with a fraction; a text of
        digits with a number's type does no harm (seen on OpenIDM 6.1.0). A number of the type JAVA_TYPE_LONG is what
        Ping's connector stores itself ("ForgeRock / Ping IDM", section 1.2), and ends in 500 "Long cannot be cast to
        Integer" with the open one (seen on OpenIDM 6.1.0).
        """
        if connector is None or not connector.reads_change_log or self.token is None:
            return None
        types = NUMBER_TYPES[:1] if connector.open_bundle else NUMBER_TYPES
        if self.number is not None and self.native_type in types:
            return None
        if not numbered and _MOMENT.fullmatch(str(self.token)):
            return None  # the open connector searches by time stamps where it does not know the directory
        return (
            f"The token {self.token!r} is stored as {self.native_type or 'nothing'}, and this connector takes a change"
            " number, of the type integer: its runs end in an error."
        )

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any]) -> Stage:
        """Return the stage that an answer of liveSync or of the repository holds.

        :raises Refused: for an answer that is none.
        """
        data = body.get("connectorData")
        if not isinstance(data, dict) and data is not None:
            raise odd(STAGES, "an object (connectorData)", data)
        told = body.get("lastException")
        last = as_dict(told)
        thrown, delta = last.get("throwable") or told, last.get("syncDelta")
        rev = body.get("_rev")
        return cls(
            rev=None if rev is None else str(rev),
            token=as_dict(data).get("syncToken"),
            native_type=as_text(as_dict(data).get("nativeType")),
            failure=(thrown if isinstance(thrown, str) else "unknown") if told else None,
            delta=delta if isinstance(delta, str) else None,
            void=isinstance(data, dict) and data.get("syncToken") is None,
        )


def read_stage(client: Client, source: Source) -> Stage | None:
    """Return the stage of a source, None where liveSync has never stored a token.

    :raises Unreachable, Refused: as the client.
    """
    body = client.get(_path(source), none_on=(404,))
    if body is None:
        return None
    id_of(body, f"GET {client.url}/{_path(source)}")  # one that says nothing would be taken for one without a token
    return Stage.parse(body)


def read_stages(client: Client) -> dict[str, Stage]:
    """Return all stages by their ids, with one request.

    :raises Unreachable, Refused: as the client; for an entry that does not say whose it is, too.
    """
    return parse_stages(client, client.query(STAGES))


def parse_stages(client: Client, bodies: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, Stage]:
    """Return the stages among the documents that are there, by their ids: what is no stage has another kind of id.

    :raises Refused: for a document that does not say whose it is.
    """
    named = ((id_of(body, f"GET {client.url}/{STAGES}"), body) for body in bodies)
    return {name: Stage.parse(body) for name, body in named if not name.startswith(OURS)}


def write_token(client: Client, source: Source, token: t.Any, native_type: str, rev: str | None) -> Stage:
    """Store a token as the point from which liveSync goes on.

    :param rev: the revision that the stage must still have; None creates it, if nobody else has meanwhile.
    :raises Refused: with status 412 when the stage is not what it was.
    :raises IdmopsError: where the server wrote over a stage that somebody else had made meanwhile: only 201 says
        "created", and a cluster answered 200 to some of many at once (seen on a live tenant).
    """
    guard = {"If-None-Match": "*"} if rev is None else {"If-Match": f'"{rev}"'}
    document = {"connectorData": {"nativeType": native_type, "syncToken": token}}
    answer = client.request("PUT", _path(source), body=document, headers=guard)
    if rev is None and answer.status != 201:
        raise IdmopsError(
            f"The token of {source} was stored over another one: somebody else had stored it meanwhile, and the server"
            " did not look at the condition of the request.",
            remedy="See what idmops.idm.livesync_status says of the token, and set it again if need be.",
        )
    return Stage.parse(as_dict(answer.body))


def delete_stage(client: Client, source: Source, rev: str | None) -> None:
    """Forget the token. The revision is needed: without it IDM answers 409 (seen on OpenIDM 6.1.0).

    :raises Refused: with status 412 when the stage is not what it was.
    """
    client.delete(_path(source), headers={"If-Match": f'"{rev}"'})


def _path(source: Source) -> str:
    return f"{STAGES}/{segment(source.stage_id)}"

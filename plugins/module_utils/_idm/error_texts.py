# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IDM's error texts mean, and what mends what they tell of.

IDM answers nearly every failure of a liveSync run with HTTP 500 and a text that begins "Failed to get
OperationOptionsBuilder:", whatever went wrong ("OpenIDM family over REST", section 1.5). What counts is the rest
of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._base.text import reason_in, remedy_for_disorder

(
    UNREADABLE,
    ALIAS_SEARCH,
    RACE,
    DOUBLED,
    CONNECTION,
    CREDENTIALS,
    REMOTE,
    UNSUPPORTED,
    MISFIT,
    WITHHELD,
    LIMIT,
    CUT,
    DISORDERED,
    OTHER,
) = (
    "unreadable",
    "alias_search",
    "race",
    "doubled",
    "connection",
    "credentials",
    "remote",
    "unsupported",
    "misfit",
    "withheld",
    "limit",
    "cut",
    "disordered",
    "other",
)

GRANT = (
    "Let the connector's account read the change log: the privilege changelog-read, and the attributes changeLog,"
    " firstChangeNumber and lastChangeNumber of the root DSE, and cn=changelog. The module idmops.idm.changelog_access"
    " grants all three; the change log itself needs a replication server."
)
ALIAS = (
    "This directory cannot search below cn=changelog with alias dereferencing, which the connector does: OpenDJ 4.8.0"
    " to 5.0.3 answer so. Use another version of the directory server."
)
RACE_REMEDY = "Another run of the same source was going on. Nothing is lost: run it again when that has ended."
#: What mends a stage whose token is null.
VOID_REMEDY = (
    "The stage is there and holds no token (syncToken null), so that each run ends in an error: remove it with"
    " idmops.idm.livesync_token, state: absent."
)
#: What the role does where there is no token.
ANEW = "takes a new base point and loads again."
#: What mends a token of a type that the connector does not take. (No token is touched while a schedule is enabled.)
MISFIT_REMEDY = (
    "Switch the schedule off (idmops.idm.livesync_schedule with enabled: false). Where the token is a number, set the"
    " same number with idmops.idm.livesync_token and native_type: integer, then switch the schedule on again; where it"
    f" is none, remove it there (state: absent), then run the role livesync, which {ANEW}"
)
DORMANT_CURE = (
    "Activate the connector again: reactivate: true in idmops.idm.livesync_trigger, or idmops.idm.connector with state:"
    " reactivated."
)
#: What mends a connection that OpenDJ cuts in a long run ("Experiments", section 1); REST does not show whether it is.
CUT_REMEDY = (
    "The directory has cut the connector's connection in the middle of the run, and what that run had done is not"
    " stored. Unless the directory was stopped just then, the backlog is too long for one connection: OpenDJ 4 cuts it"
    " after some 3,000 records. Set java.naming.batchsize=0 for IDM's Java (docs/large-backlogs.md). Where that cannot"
    " be done, idmops.idm.livesync_trigger with catch_up: reconcile brings over what is pending."
)

_REMEDIES = {
    UNREADABLE: GRANT,
    ALIAS_SEARCH: ALIAS,
    RACE: RACE_REMEDY,
    # two runs at once leave two links, and so does a reconciliation that makes an object anew (seen on OpenIDM 6.1.0)
    DOUBLED: "The record has two links (repo/link, where firstId is the record). Where one of them leads to an object"
    " that is gone, or both to the same, idmops.idm.livesync_verify names the one that has to go (link_ids). Where the"
    " target has the object twice, it names the second one (target_id): see which of the two is right, remove the"
    " other's link first, then that object. Then run liveSync again.",
    CONNECTION: "The connector cannot reach its system: start it, or correct host and port in the connector's"
    " configuration. liveSync goes on by itself once the system answers.",
    CREDENTIALS: "The system refuses the connector's account: correct principal and credentials in its configuration.",
    REMOTE: "The remote connector server broke off: test the connector (idmops.idm.connector_info), then run liveSync"
    " again.",
    MISFIT: f"The token is not one that this connector takes. {MISFIT_REMEDY}",
    WITHHELD: "The connector has met an entry of the change log without something that it needs, mostly since an ACI"
    " denies its account an attribute of the change log (changes, targetEntryUUID): idmops.idm.livesync_status with"
    " directory names that ACI. Where there is none, IDM's log has the error.",
    LIMIT: "The directory has stopped a search of the connector's account at a limit (size, time, look-through): raise"
    " it (idmops.idm.changelog_access with raise_limits or size_limit), then activate the connector again"
    " (idmops.idm.connector with state: reactivated), since pooled connections keep the limits of their bind.",
    CUT: CUT_REMEDY,
    UNSUPPORTED: "This connector or object type does not do liveSync: look at operationOptions in its configuration.",
}

_PREFIX = re.compile(r"^\s*Failed to get OperationOptionsBuilder:\s*")
_PATTERNS = (
    # the open connector, Ping's connector, and LDAP result 50 of OpenDJ: three wordings of one thing
    (UNREADABLE, re.compile(r"unable to locate the (ds )?replication change log", re.IGNORECASE)),
    (UNREADABLE, re.compile(r"error code 50\b.*cn=changelog", re.IGNORECASE | re.DOTALL)),
    (ALIAS_SEARCH, re.compile(r"error code 80\b.*not implemented", re.IGNORECASE | re.DOTALL)),
    (DISORDERED, re.compile(r"error code 80\b.*ChangelogBackend", re.DOTALL)),
    (
        RACE,
        re.compile(
            r"rejected as current object revision is different|create rejected as object with same id already exists"
            r"|revision.*different than expected|expected revision|optimistic",
            re.IGNORECASE,
        ),
    ),
    (LIMIT, re.compile(r"error code (3|4|11)\b")),
    (DOUBLED, re.compile(r"more than one link found", re.IGNORECASE)),
    (CREDENTIALS, re.compile(r"error code 49\b|invalid credentials", re.IGNORECASE)),
    (REMOTE, re.compile(r"interim message missed|remote connector|websocket", re.IGNORECASE)),
    # an open connection that ends with operations in flight, as JNDI calls it; the first one seen on OpenIDM 6.1.0
    (CUT, re.compile(r"Request: \d+ cancell?ed|LDAP connection has been closed", re.IGNORECASE)),
    (
        CONNECTION,
        re.compile(
            r"CommunicationException|ServiceUnavailable|connection (refused|reset|closed|timed out|error)"
            r"|ConnectException|UnknownHost|not available",
            re.IGNORECASE,
        ),
    ),
    # a text, or a number beyond those of change logs (seen on OpenIDM 6.1.0; the second one with status 400)
    (MISFIT, re.compile(r"cannot be cast to (class )?java\.lang\.Integer|^java\.lang\.\w+ to java\.lang\.Integer")),
    # the open connector where an ACI denies "changes", or "targetEntryUUID" of a deletion (seen on OpenIDM 6.1.0)
    (WITHHELD, re.compile(r"^Unsupported Uid attribute|NullPointerException|^Cannot invoke .* because .* is null")),
    (UNSUPPORTED, re.compile(r"SyncApiOp is (denied|not supported)|Failed to get latest sync token", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Reason:
    """What a text of IDM tells.

    :param kind: one of the constants of this file.
    :param text: the text without what misleads, and without values (:func:`.._base.text.reason_in`).
    :param remedy: what mends it, None where that is not known.
    """

    kind: str
    text: str
    remedy: str | None


def read_reason(text: str) -> Reason:
    """Return what an error text of IDM, HTML-unescaped, tells of a run of liveSync."""
    bare = _PREFIX.sub("", text).strip()
    bare = text.strip() if bare in ("", "null") else bare  # as where IDM has broken the run off (seen on OpenIDM 6.1.0)
    kind = next((kind for kind, pattern in _PATTERNS if pattern.search(bare)), OTHER)
    return Reason(kind, reason_in(bare) or "", _REMEDIES.get(kind) or remedy_for_disorder(bare))

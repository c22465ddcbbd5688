# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What mends a connector whose test fails, by the words of its error."""

from __future__ import annotations

import re

IMMUTABLE = (
    "The connector's configuration cannot be written here: on Advanced Identity Cloud it is immutable in staging and"
    " production. There promote a change of the connector, or restart the environment's services (POST"
    " /environment/startup?_action=restart on the tenant, or a restart in its admin console): both activate it again."
    " Then see that liveSync moves: after a restart connectors were seen to stay as they were until somebody saved one"
    " in the admin console. Under direct configuration control open a session and set configuration_type: mutable."
    " Elsewhere the account needs the role openidm-admin."
)

_REMEDIES = (
    (
        r"UnknownHost|Name or service not known|nodename nor servname|Temporary failure in name resolution",
        "The host name of the connector's system is not known where the connector runs: correct host in its"
        " configuration, or the name service there.",
    ),
    (
        r"SSLHandshake|SSLException|SSLPeerUnverified|unrecognized SSL|PKIX path|certificate|hostname.*verif"
        # what Java says, now and then, of a server that speaks no TLS (seen on OpenIDM 6.1.0)
        r"|Connection or outbound has closed",
        "TLS between the connector and its system fails: import the system's CA certificate into the trust store of"
        " IDM (or of the remote connector server), and check ssl, startTLS and port in its configuration.",
    ),
    (
        # result 19 or 53, by the directory's make (the first one seen on OpenDJ 4.6.5)
        r"must change (their|its|the|your) password",
        "An administrator has set the password of the connector's account, and the directory wants the account to set"
        " one by itself first: do so as that account (ldappasswordmodify), or end that demand for it (pwdReset, the"
        " password policy's force-change-on-reset); then idmops.idm.connector_credentials with the password.",
    ),
    (
        r"error code 49\b|invalid credentials|InvalidCredential|InvalidPassword|authentication failed",
        "The system refuses the connector's account: correct principal and credentials in its configuration, and see"
        " that the account is neither locked nor expired.",
    ),
    (
        r"interim message missed|remote connector server|no connector server|websocket|RemoteConnectorInfoManager",
        "The remote connector server does not answer: see that it runs and is connected to IDM (POST"
        " system?_action=testConnectorServers), then test again before the first operation.",
    ),
    (
        r"No meta-data provider available yet",
        "The remote connector server that the connector runs on is not connected: wait until POST"
        " system?_action=testConnectorServers calls it ok, then try again.",
    ),
    (
        r"does not answer the test|has no end",
        "The connected system hangs: it takes connections and says nothing. See to it, or start it again; then test"
        " again, since runs that wait for it go on when it answers.",
    ),
    (
        r"refused|CommunicationException|ServiceUnavailable|ConnectException|timed out|timeout|reset|No route to host",
        "The connector cannot reach its system: start it, or correct host and port in the connector's configuration,"
        " and see that no firewall lies between.",
    ),
    (
        r"connection error",
        "The connector could not bind to its system: check host, port, ssl, principal and credentials in its"
        " configuration; IDM's log has the cause.",
    ),
    (
        r"Bad Base Context",
        "A base context does not exist in the directory, or the connector's account may not see it: correct"
        " baseContexts and baseContextsToSynchronize in its configuration; or the directory's backend is off at"
        " present: then switch the schedule off until it is on, since each run passes by what changed"
        " (idmops.idm.livesync_verify shows what).",
    ),
    (
        r"not available",
        "IDM has no running connector of this name: see that it is enabled, that its bundle is in connectors/ in the"
        " version that connectorRef asks for, and, for a remote one, that its connector server is connected; where"
        " IDM refuses its configuration, its log has the reason. One that was written or started just now takes a"
        " moment, and longer where its host and port do not answer: see that they are right, and ask again.",
    ),
)


def remedy_for(error: str, remote: str | None = None) -> str:
    """Return what to do about a connector's error.

    :param error: the text of its test.
    :param remote: the remote connector server that it runs on, None for IDM itself.
    """
    found = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, error, re.IGNORECASE))
    remedy = next(found, "Look into IDM's log for the cause.")
    if remote and "remote connector server" not in remedy:
        remedy += f" The connector runs on the remote connector server {remote}: what counts is what is true there."
    return remedy

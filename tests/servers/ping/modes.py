# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the three kinds of server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """One kind of server.

    :param version: productVersion of info/version.
    :param accounts: whether IDM's own accounts and client certificates count; where AM protects IDM only tokens do
        ("from IDM 7.0 onwards, AM bearer tokens are the only supported way", ping 4.2).
    :param grant: the grant that the token endpoint takes, "" where there is none.
    :param token_life: seconds. 899 on the cloud (recorded 2), 239 on premises (recorded 2).
    :param native_type: of the sync token. Both occur with a directory (ping 1.2): JAVA_TYPE_LONG in the pages of 7.3,
        integer on the cloud and elsewhere; string is that of scripted connectors alone.
    :param audit_queries: whether audit/* can be read; the cloud answers 501 (ping 1.10).
    :param echoes: whether X-ForgeRock-TransactionId comes back: on the cloud always, on premises never (recorded 1).
    :param via: header of a front end: "1.1 google" on the cloud, none on premises (recorded 1).
    :param sticky: whether an ingress sets a route cookie on every answer: on premises, never on the cloud (recorded 1).
    :param rev: form of _rev values; they are opaque, of several forms (recorded 13).
    """

    name: str
    version: str
    accounts: bool
    grant: str
    token_life: int
    native_type: str
    audit_queries: bool
    echoes: bool
    via: str
    sticky: bool
    rev: str


MODES = {
    "am": Mode(
        name="am",
        version="7.5.0",
        accounts=False,
        grant="client_credentials",
        token_life=239,
        native_type="JAVA_TYPE_LONG",
        audit_queries=True,
        echoes=False,
        via="",
        sticky=True,
        rev="{:016x}",
    ),
    "standalone": Mode(
        name="standalone",
        version="8.1.1",
        accounts=True,
        grant="",
        token_life=0,
        native_type="integer",
        audit_queries=True,
        echoes=False,
        via="",
        sticky=False,
        rev="{}",
    ),
    "aic": Mode(
        name="aic",
        version="9.0.0-20260827231835-4f1c0d2",  # the form that a tenant shows (live 8)
        accounts=False,
        grant="urn:ietf:params:oauth:grant-type:jwt-bearer",
        token_life=899,
        native_type="integer",
        audit_queries=False,
        echoes=True,
        via="1.1 google",
        sticky=False,
        rev="e9f91cb0-1f9d-4b57-9c53-0f4a3b2c8d11-{}",
    ),
}

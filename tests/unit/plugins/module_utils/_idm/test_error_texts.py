# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IDM's error texts mean: the wordings seen on servers."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.error_texts import read_reason

PREFIX = "Failed to get OperationOptionsBuilder: "
RACES = (
    "Update rejected as current Object revision is different than expected by caller, the object has changed since"
    " retrieval: Cannot UPDATE the record #1:2 because the version is not the latest. (db=v25 your=v24)",
    "Create rejected as Object with same ID already exists.",
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PREFIX + "Unable to locate the replication change log.\nFrom the admin console please verify", "unreadable"),
        ("Unable to locate the DS replication change log suffix. Please make sure it's enabled", "unreadable"),
        (
            PREFIX
            + "javax.naming.NoPermissionException: [LDAP: error code 50 - You do not have sufficient privileges to"
            " perform a search request on cn=changelog]",
            "unreadable",
        ),
        (
            PREFIX + "javax.naming.NamingException: [LDAP: error code 80 - RuntimeException(Not implemented)]",
            "alias_search",
        ),
        *((text, "race") for text in RACES),
        ("More than one link found", "doubled"),
        (PREFIX + "[LDAP: error code 49 - Invalid Credentials]", "credentials"),
        (
            PREFIX + "javax.naming.CommunicationException: localhost:1389 [Root exception is java.net.ConnectException:"
            " Connection refused]",
            "connection",
        ),
        # a long run whose connection OpenDJ cuts ("Experiments", section 1), and what its siblings say of it
        ("Request: 4102 cancelled", "cut"),
        (PREFIX + "javax.naming.CommunicationException: Request: 3 cancelled; remaining name 'uid=a'", "cut"),
        ("LDAP connection has been closed; remaining name 'cn=changelog'", "cut"),
        (  # seen on OpenIDM 6.1.0 with OpenDJ 4.6.5
            "[LDAP: error code 4 - This search operation has sent the maximum of 1 entries to the client]; remaining"
            " name 'cn=changelog'",
            "limit",
        ),
        ("[LDAP: error code 11 - This search operation has examined the maximum number of entries]", "limit"),
        (  # seen on OpenIDM 6.1.0 with two OpenDJ 4.6.5: the newest number is of an older change than that before
            PREFIX + "javax.naming.NamingException: [LDAP: error code 80 - An unexpected error was encountered while"
            " processing a search in one of the Directory Server backends:"
            " NullPointerException(ChangelogBackend.java:1100)]; remaining name 'cn=changelog'",
            "disordered",
        ),
        ("Interim message missed", "remote"),
        ("Operation org.identityconnectors.framework.api.operations.SyncApiOp is denied", "unsupported"),
        ("Policy validation failed", "other"),
        ("", "other"),
    ],
)
def test_each_wording_is_known(text, kind):
    reason = read_reason(text)
    assert reason.kind == kind
    assert (reason.remedy is None) == (kind == "other")


@pytest.mark.parametrize(
    "text",
    [
        "class java.lang.String cannot be cast to class java.lang.Integer (java.lang.String and java.lang.Integer are"
        " in module java.base of loader 'bootstrap')",
        "java.lang.Long to java.lang.Integer",
    ],
)
def test_a_token_that_the_connector_does_not_take_has_a_remedy(text):
    reason = read_reason(text)
    assert reason.kind == "misfit" and "livesync_token" in reason.remedy


def test_a_connection_that_was_cut_in_a_long_run_names_the_cure_and_the_way_until_then():
    remedy = read_reason("Request: 4102 cancelled").remedy
    assert "java.naming.batchsize=0" in remedy and "docs/large-backlogs.md" in remedy
    assert "catch_up: reconcile" in remedy and "start it" not in remedy


def test_where_nothing_else_is_said_the_whole_text_is():
    """As where IDM has broken the run off (seen on OpenIDM 6.1.0)."""
    whole = "Failed to get OperationOptionsBuilder: null"
    assert read_reason(whole).text == whole
    assert read_reason("Failed to get OperationOptionsBuilder: Policy").text == "Policy"


def test_a_limit_that_stops_a_run_has_a_remedy():
    assert "raise_limits" in read_reason("[LDAP: error code 3 - Time Limit Exceeded]").remedy
    assert read_reason("[LDAP: error code 32 - no such entry]").remedy is None


def test_what_misleads_is_left_out():
    assert read_reason(PREFIX + "the truth").text == "the truth"
    assert read_reason("it says: " + PREFIX).text == "it says: " + PREFIX.strip()


@pytest.mark.parametrize(
    "text",
    [
        'Cannot invoke "org.x.Parser.next()" because "reader" is null',
        "Failed to get OperationOptionsBuilder: Unsupported Uid attribute: entryUUID",
        "java.lang.NullPointerException",
    ],
)
def test_a_change_log_that_withholds_something_is_named_and_how_to_look(text):
    """Seen on OpenIDM 6.1.0 where an ACI denies the attributes changes, targetEntryUUID of the change log."""
    remedy = read_reason(text).remedy
    assert "ACI" in remedy and "livesync_status with directory" in remedy

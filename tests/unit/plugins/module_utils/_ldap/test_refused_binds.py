# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not tried again within a task, and servers that are greeted side by side."""

from __future__ import annotations

import threading

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._ldap.refused_binds import RefusedBinds

OPTIONS = {"bind_dn": "uid=admin", "bind_password": "x"}


class Server:
    """A server that is greeted when all others are, too."""

    def __init__(self, uri, together, error=None):
        self.uri, self.together, self.error = uri, together, error

    def greet(self):
        self.together.wait(timeout=10)  # broken where the others come later
        if self.error:
            raise self.error


def test_servers_that_hang_are_waited_for_together():
    together = threading.Barrier(3)
    hangs, refuses = NoAnswer("hangs", "ldap://a", "Look."), NoAnswer("refuses", "ldap://b", "Look.")
    servers = [Server("ldap://a", together, hangs), Server("ldap://b", together, refuses), Server("ldap://c", together)]
    tried = RefusedBinds()
    tried.greet(servers)
    assert [tried.again(OPTIONS, uri) for uri in ("ldap://a", "ldap://b", "ldap://c")] == [hangs, refuses, None]
    tried.greet(servers)  # only one is left, which its first use greets: nobody is waited for


def test_a_server_that_gave_no_answer_is_not_asked_again():
    tried = RefusedBinds()
    error = NoAnswer("hangs", "ldap://a", "Look.")
    tried.note(OPTIONS, error)
    assert tried.again(OPTIONS, "ldap://a") is error and tried.again(OPTIONS, "ldap://b") is None


def test_a_password_that_was_refused_is_not_sent_anywhere_again():
    tried = RefusedBinds()
    tried.note(OPTIONS, DirectoryError("other", status=50))
    assert tried.again(OPTIONS, "ldap://b") is None
    tried.note(OPTIONS, DirectoryError("refused", status=49))
    assert tried.again(OPTIONS, "ldap://b").status == 49
    assert tried.again({**OPTIONS, "bind_password": "y"}, "ldap://b") is None

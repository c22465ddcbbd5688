# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failure says."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    MissingLibrary,
    Refused,
    TimedOut,
    Unreachable,
)


def test_message_and_remedy_become_one_text():
    exc = IdmopsError("It broke.", status=500, remedy="Mend it.", result={"runs": [1]})
    assert exc.as_result() == {"msg": "It broke. Mend it.", "status": 500, "remedy": "Mend it.", "runs": [1]}
    assert str(exc) == "It broke."


def test_a_remedy_that_the_message_holds_is_not_said_twice():
    assert IdmopsError("It broke. Mend it.", remedy="Mend it.").as_result()["msg"] == "It broke. Mend it."


def test_what_was_found_cannot_overwrite_the_message():
    assert IdmopsError("It broke.", result={"msg": "fine"}).as_result()["msg"] == "It broke."


def test_an_option_is_named_with_its_value_and_the_way_out():
    exc = InvalidOption("source", "ldap", "Write it as system/<connector>/<object type>.")
    assert str(exc) == "source: 'ldap' cannot be used. Write it as system/<connector>/<object type>."
    assert exc.option == "source"


def test_a_library_is_named_with_the_reason():
    exc = MissingLibrary("python-ldap", "No module named 'ldap'")
    assert (exc.library, exc.reason) == ("python-ldap", "No module named 'ldap'")
    assert "python-ldap" in str(exc)


def test_an_unreachable_server_may_have_got_the_request():
    exc = Unreachable("cut", sent=True)
    exc.result["transaction_id"] = "t"
    assert exc.sent is True and exc.as_result()["transaction_id"] == "t"


def test_a_refusal_keeps_what_was_asked_and_what_was_said():
    exc = Refused("no.", method="GET", url="u", status=403, reason="Access denied")
    assert (exc.method, exc.url, exc.status, exc.reason) == ("GET", "u", 403, "Access denied")


@pytest.mark.parametrize("kind", [InvalidOption, MissingLibrary, Refused, TimedOut, Unreachable])
def test_it_is_one_family(kind):
    assert issubclass(kind, IdmopsError)

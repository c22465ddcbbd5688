# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret in an output is found, however it was escaped, and is not printed once more."""

from __future__ import annotations

import pytest

from tools import leaks

SECRET = "pä'ss aB3_dE6-gH9jK"


@pytest.mark.parametrize("printed", [SECRET, "p\\u00e4'ss aB3_dE6-gH9jK", "aB3_dE6-gH9jK"])
def test_a_secret_is_found(printed):
    hits = leaks.found(f"one\ntwo: {printed}!\n", {"the password": SECRET})
    assert hits == ["the password is printed in line 2"]


def test_what_is_no_secret_is_not():
    assert leaks.found("some text with openidm-", {"short": "openidm-", "other": SECRET}) == []


def test_generated_passwords_of_a_stack_are_secrets():
    variables = {
        "ds_admin_password": "one",
        "connector_password": "two",
        "idm_password": "openidm-admin",
        "ds_uri": "x",
    }
    assert leaks.stack_secrets(variables) == {"ds_admin_password": "one", "connector_password": "two"}


def test_stand_ins_tell_theirs(tmp_path):
    told = tmp_path / "told"
    assert leaks.told_secrets(told) == {}
    told.write_text('{"token": "one"}\n{"token": "two"}\n', encoding="utf-8")
    assert leaks.told_secrets(told) == {"token of stand-in 0": "one", "token of stand-in 1": "two"}

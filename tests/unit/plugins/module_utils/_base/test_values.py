# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a value of a configuration document says, and that it is not known where it cannot be."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.values import (
    as_bool,
    as_dict,
    as_int,
    as_list,
    as_text,
    as_texts,
    as_whole,
)

HELD = "&{esv.x}"


@pytest.mark.parametrize(
    ("value", "text", "truth", "number"),
    [
        (None, None, None, None),
        ("", None, None, None),
        ("a", "a", None, None),
        ("7", "7", None, 7),
        (7, "7", None, 7),
        (0, "0", None, 0),
        (7.9, None, None, 7),
        (True, None, True, None),
        (False, None, False, None),
        ("True", "True", True, None),
        ("false", "false", False, None),
        (HELD, None, None, None),
        (f"a{HELD}", None, None, None),
        ({"$bool": HELD}, None, None, None),
        (["a"], None, None, None),
        (float("inf"), None, None, None),
    ],
)
def test_one_value(value, text, truth, number):
    assert (as_text(value), as_bool(value), as_int(value)) == (text, truth, number)
    assert type(as_int(value)) is type(number), "a truth value is no number"


@pytest.mark.parametrize(
    ("value", "known", "whole"),
    [
        ("a", ("a",), ("a",)),
        (["a", 5, "b"], ("a", "5", "b"), ("a", "5", "b")),
        (["a", HELD], ("a",), ()),
        (["a", None], ("a",), ()),
        (HELD, (), ()),
        ([], (), ()),
        (None, (), ()),
        ({"a": 1}, (), ()),
    ],
)
def test_several_texts(value, known, whole):
    assert (as_texts(value), as_whole(value)) == (known, whole)


def test_lists_and_dictionaries_are_those_alone():
    assert (as_list([1]), as_list({"a": 1}), as_list("ab"), as_list(None)) == ([1], [], [], [])
    assert (as_dict({"a": 1}), as_dict([1]), as_dict("ab"), as_dict(None)) == ({"a": 1}, {}, {}, {})

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the experiments are judged by: the comparison, the tables in the pages, how they are found and ended."""

from __future__ import annotations

import importlib
import sys

import pytest

from tests.experiments.prove import _page
from tests.experiments.prove._compare import difference
from tools import prove

ADA = ("ada", "Ada", "Abel", "", "", "Ada Abel")
BEN = ("ben", "Ben", "Brook", "", "", "Ben Brook")


@pytest.mark.parametrize(
    ("linked", "unlinked", "told"),
    [
        ({"1": [ADA], "2": [BEN]}, 0, "equal"),
        ({"1": [ADA]}, 0, "1 missing"),
        ({"1": [ADA], "2": [ADA]}, 0, "1 other values"),
        ({"1": [ADA], "2": [BEN, BEN]}, 0, "1 other values"),
        ({"1": [ADA], "2": [BEN], "3": [BEN]}, 0, "1 left over"),
        ({"1": [ADA], "2": [BEN]}, 1, "1 without a link"),
        ({}, 0, "2 missing"),
    ],
)
def test_whatever_differs_is_told(linked, unlinked, told):
    found = difference({"1": ADA, "2": BEN}, linked, unlinked)
    assert str(found) == told
    assert bool(found) == (told != "equal")


def test_a_table_goes_between_its_markers_and_nowhere_else():
    page = "a\n<!-- measured: x -->\nold\n<!-- end of x -->\nb\n"
    assert _page.replaced(page, "x", "new") == "a\n<!-- measured: x -->\nnew\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="measured: y"):
        _page.replaced(page, "y", "new")


def test_a_bar_in_a_cell_does_not_end_it():
    assert _page.table(["a", "b"], [["x|y", 1]]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"


def test_every_experiment_has_the_shape_that_the_others_have():
    assert {"no_loss", "kill_matrix", "interruptions"} <= set(prove.experiments())
    for name in prove.experiments():
        found = importlib.import_module(f"tests.experiments.prove.{name}")
        assert found.__doc__ and callable(found.main)


@pytest.mark.parametrize(
    ("program", "exit_code"),
    [("raise SystemExit(0)", 0), ("raise SystemExit(3)", 3), ("import time; time.sleep(60)", None)],
)
def test_how_an_experiment_ends(monkeypatch, program, exit_code):
    started = prove.subprocess.Popen
    monkeypatch.setattr(
        prove.subprocess, "Popen", lambda command, **more: started([sys.executable, "-c", program], **more)
    )
    result = prove.run("any", limit=2.0)
    assert result.exit_code == exit_code
    assert result.took < 30
    assert ("passed" in str(result)) == (exit_code == 0)

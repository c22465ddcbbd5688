# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the repository, and the mapping that the nodes read, agree."""

from __future__ import annotations

import json
import re
import typing as t

from tests.servers.stack.settings import CONF
from tests.servers.topology import repository

MAPPING: dict[str, t.Any] = repository.configuration()["resourceMapping"]


def tables() -> dict[str, list[str]]:
    """The columns of each table, from the statements."""
    made: dict[str, list[str]] = {}
    for statement in repository.sql().split(";\n"):
        found = re.match(r"CREATE TABLE (\w+) \((.*)\)$", statement)
        if found:
            parts = re.split(r", (?![^(]*\))", found.group(2))
            made[found.group(1)] = [part.split()[0] for part in parts if not part.startswith("UNIQUE")]
    return made


def test_each_field_has_a_column_of_its_own() -> None:
    made = tables()
    for kind, mapped in MAPPING["explicitMapping"].items():
        columns = [name["column"] if isinstance(name, dict) else name for name in mapped["objectToColumn"].values()]
        assert columns == made[mapped["table"]], kind
        assert len(set(columns)) == len(columns), kind
        assert mapped["objectToColumn"]["_id"] == "objectid", kind


def test_each_generic_type_has_its_two_tables() -> None:
    made = tables()
    mapped = [MAPPING["default"], *MAPPING["genericMapping"].values()]
    for one in mapped:
        assert made[one["mainTable"]] == ["id", "objecttypes_id", "objectid", "rev", "fullobject"]
        assert made[one["propertiesTable"]] == [one["mainTable"] + "_id", "propkey", "proptype", "propvalue"]
    assert [one["searchableDefault"] for one in mapped] == [True] + [False] * (len(mapped) - 1)


def test_no_table_is_left_over() -> None:
    used = {one["table"] for one in MAPPING["explicitMapping"].values()}
    for one in [MAPPING["default"], *MAPPING["genericMapping"].values()]:
        used |= {one["mainTable"], one["propertiesTable"]}
    assert set(tables()) - used == {"objecttypes"}


def test_the_queries_are_those_of_the_single_stacks_repository() -> None:
    other = json.loads((CONF / "idm/conf/repo.orientdb.json").read_text(encoding="utf-8"))
    queries = repository.configuration()["queries"]
    assert set(other["queries"]) == {*queries["genericTables"], *queries["explicitTables"]}
    assert set(other["commands"]) == set(repository.configuration()["commands"]["explicitTables"])


def test_all_audit_topics_are_mapped() -> None:
    audit = json.loads((CONF / "idm/conf/audit.json").read_text(encoding="utf-8"))
    (handler,) = audit["eventHandlers"]
    mapped = {kind.partition("/")[2] for kind in MAPPING["explicitMapping"] if kind.startswith("audit/")}
    assert set(handler["config"]["topics"]) == mapped


def test_a_quote_in_a_value_ends_no_statement() -> None:
    assert repository._quoted("it's") == "'it''s'"

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the unit tests can fail: a sample of small faults is made in module_utils, and a test has to see each.

``python -m tools.mutants [--seed 1] [--size 60] [--jobs 2] [words of file names ...]``. cosmic-ray makes the faults, in
a copy.
"""

from __future__ import annotations

import argparse
import importlib
import pathlib
import random
import re
import sys
import time
import typing as t
from importlib.metadata import version

import yaml

from . import cores, steps, tree, venvs
from .places import BELOW, BUILD, LOGS, ROOT, environment

_TOOL = ("cosmic-ray ~= 8.7",)
_ROOT = BUILD / "mutants"
_COPY = _ROOT / BELOW
#: Per cent of the faults that the tests must see.
_SEEN = 92
#: Seconds for the tests of a file or of its package, and for all.
_NARROW, _WHOLE = 120.0, 600.0
#: Faults as people make them. Of cosmic-ray's, those are left out that change nothing that could be seen (``is`` for
#: ``==``), and arithmetic beyond plus and minus. See also :func:`is_made`.
_KINDS = re.compile(
    r"core/(AddNot|ExceptionReplacer|NumberReplacer|Replace(And|Or|True|False|Break|Continue)With\w+|ZeroIterationForLoop"
    r"|ReplaceUnaryOperator_Delete_Not|ReplaceBinaryOperator_(Add_Sub|Sub_Add)"
    r"|ReplaceComparisonOperator_(?!Is|\w+_Is)\w+)"
)
#: An order put for an equality: ``<=`` for ``==``.
_ORDER_FOR_EQUALITY = re.compile(r"core/ReplaceComparisonOperator_(Eq|NotEq)_(Lt|LtE|Gt|GtE)")
#: What stands before and after a sign that compares numbers.
_NUMBER_BEFORE, _NUMBER_AFTER = re.compile(r"(\blen\(.*\)|\d)$"), re.compile(r"-?\d|len\(")
#: What gives a number a name: which one was chosen is no logic.
_NAMED_NUMBER = re.compile(r"_?[A-Z][A-Z_, ]*(: .*)? = ")
#: What stands before a number that is how long a pause between two looks is: nobody sees it, nor is it logic.
_PAUSE = re.compile(r"_pause=$")
#: The tests that are about all files, as that dataclasses are frozen, or which statuses mean that there is none.
_ABOUT_ALL = "tests/unit/plugins/module_utils/test_*.py"
#: Faults that no test can see, each with the reason.
_LISTED = ROOT / "tests" / "unit" / "survivors.yml"


class Fault(t.NamedTuple):
    """One small fault.

    :param spec: what cosmic-ray knows it by.
    """

    path: str
    line: int
    column: int
    kind: str
    spec: t.Any

    def __str__(self) -> str:
        """Return it as a person would call it."""
        return f"{self.path}:{self.line} {self.kind.removeprefix('core/')}"


def sample(faults: t.Iterable[Fault], seed: int, size: int) -> list[Fault]:
    """Return one fault at each of so many places, the same for the same seed; all places where there are fewer."""
    places: dict[tuple[str, int, int], list[Fault]] = {}
    for fault in faults:
        places.setdefault((fault.path, fault.line, fault.column), []).append(fault)
    chance = random.Random(seed)
    chosen = chance.sample(sorted(places), min(size, len(places)))
    return [chance.choice(sorted(places[place], key=lambda fault: fault.kind)) for place in sorted(chosen)]


def tests_of(path: pathlib.PurePosixPath, tests: t.Mapping[str, str]) -> list[str]:
    """Return the test files for a file of module_utils: that of its name, and those that import it.

    :param tests: the text of each test file, by its path.
    """
    package, name = path.parent.name, path.stem
    own = f"tests/unit/plugins/module_utils/{package}/test_{name}.py"
    imported = re.compile(rf"{package}\.{name} import|{package} import [^\n]*\b{name}\b")
    return sorted(test for test, text in tests.items() if test == own or imported.search(text))


def becomes(diff: str) -> str:
    """Return the line that a fault makes, "" where it makes none."""
    added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    return added[0] if added else ""


def reasons(listed: t.Iterable[t.Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """Return the reasons by file and by the line that the fault makes."""
    return {(one["file"], one["becomes"]): one["why"] for one in listed}


def is_made(kind: str, line: str, start: int, end: int) -> bool:
    """Return whether a fault is one that people make, by the line and by what it replaces there.

    Which number got a name is no logic. Most equalities are of words, which nobody puts an order for by mistake
    (and it would be seen or not by the alphabet): they become their contrary. Numbers can become an order too.
    """
    if kind == "core/NumberReplacer":
        return not (_NAMED_NUMBER.match(line) or _PAUSE.search(line[:start]))
    if _ORDER_FOR_EQUALITY.fullmatch(kind):
        return bool(_NUMBER_BEFORE.search(line[:start].rstrip()) or _NUMBER_AFTER.match(line[end:].lstrip()))
    return True


def _faults(words: t.Sequence[str]) -> t.Iterator[Fault]:
    """Yield all faults that can be made in the copy."""
    ast, plugins, items = (importlib.import_module(f"cosmic_ray.{name}") for name in ("ast", "plugins", "work_item"))
    operators = {name: plugins.get_operator(name)() for name in plugins.operator_names() if _KINDS.fullmatch(name)}
    for path in sorted((_COPY / "plugins" / "module_utils").rglob("*.py")):
        name = str(path.relative_to(_COPY))
        if words and not any(word in name for word in words):
            continue
        lines = path.read_text("utf-8").splitlines()
        nodes = list(ast.ast_nodes(ast.get_ast_from_path(path)))
        for kind, operator in operators.items():
            places = [place for node in nodes for place in operator.mutation_positions(node)]
            for occurrence, (start, end) in enumerate(places):
                if not is_made(kind, lines[start[0] - 1], start[1], end[1]):
                    continue
                yield Fault(name, start[0], start[1], kind, items.MutationSpec(path, kind, occurrence, start, end))


def _seen(fault: Fault, tests: t.Mapping[str, str], jobs: int) -> tuple[bool, str]:
    """Return whether a test fails where this fault is made, and the line that it makes.

    :param jobs: how many of all tests run at once; 0 leaves out those of other packages.
    """
    mutating = importlib.import_module("cosmic_ray.mutating")
    pytest = f"{sys.executable} -m pytest -x -q -p no:cacheprovider"
    narrow = tests_of(pathlib.PurePosixPath(fault.path), tests)
    beside = f"tests/unit/{pathlib.PurePosixPath(fault.path).parent}"
    rounds = [(f"{pytest} {which}", _NARROW) for which in (" ".join(narrow), beside, _ABOUT_ALL) if which]
    rounds += [(f"{pytest} -n {jobs} tests/unit/plugins", _WHOLE)] if jobs else []
    line = ""
    for command, limit in rounds:
        result = mutating.mutate_and_test([fault.spec], f"/bin/sh -c 'cd {_COPY} && exec {command}'", limit)
        line = becomes(result.diff or "")
        if result.worker_outcome == "exception":
            raise RuntimeError(result.output)
        if result.test_outcome != "survived":
            return True, line
    return False, line


def _inside(options: argparse.Namespace) -> int:
    """Make the faults, one after the other; this runs in the environment that has cosmic-ray."""
    began = time.monotonic()
    texts = {str(path.relative_to(_COPY)): path.read_text("utf-8") for path in _COPY.glob("tests/unit/**/test_*.py")}
    known = reasons(yaml.safe_load(_LISTED.read_text("utf-8")) or [])
    every = list(_faults(options.words))
    chosen = sample(every, options.seed, options.size)
    print(f"seed {options.seed}: {len(chosen)} of {len(every)} faults", flush=True)
    unseen = listed = 0
    for fault in chosen:
        seen, line = _seen(fault, texts, 0 if options.narrow else options.jobs)
        if seen:
            continue
        why = known.get((fault.path, line))
        listed += why is not None
        unseen += why is None
        print(f"survived: {fault}: {line}{f' ({why})' if why else ''}", flush=True)
    score = 100 * (len(chosen) - unseen) / max(1, len(chosen))
    caught = len(chosen) - unseen - listed
    print(f"seed {options.seed}, size {len(chosen)}: {caught} seen, {listed} listed with a reason, {unseen} unseen:"
          f" {score:.0f} % in {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    return int(not chosen or score < _SEEN)


def main() -> int:
    """Make a sample of faults, and fail where the tests see too few of them."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=60, help="how many faults are made")
    parser.add_argument("--jobs", type=int, default=2, help="how many tests run at once where all of them do")
    parser.add_argument("--narrow", action="store_true", help="the tests of the file and of its package, no others")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help="files with one of these in their path; default: all")
    options = parser.parse_args()
    if options.inside:
        return _inside(options)
    python = pathlib.Path(sys.executable)
    core = f"ansible-core == {version('ansible-core')}"
    programs = venvs.programs("mutation testing", "mutants", python, core, *_TOOL, *cores.UNITS)
    with tree.exclusive():
        tree.refresh(_ROOT)
        return steps.run(
            "faults in module_utils",
            [str(programs / "python"), "-m", "tools.mutants", "--inside", *sys.argv[1:]],
            LOGS / "mutants.log", cwd=ROOT, env=environment(), telling=steps.beginning("seed", "survived"), check=False,
        )  # fmt: skip


if __name__ == "__main__":
    steps.main(main)

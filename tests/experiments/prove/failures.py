# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way in which the answer to liveSync can get lost, and what livesync_trigger made of it.

A proxy stands between the task and IDM. Each case is a task of its own, with changes that are pending; what counts is
what IDM got (one run, never two), and what the task said of it.
"""

from __future__ import annotations

import argparse
import threading
import typing as t
from dataclasses import replace

import ldap

from tests.servers.proxy import Fault, Proxy
from tools import steps

from . import _page
from ._bed import Bed
from ._task import Result, Tasks
from ._wait import until

PEOPLE = 2200
EACH = 4
#: So many milliseconds each record takes.
SLOW = 60
LIVESYNC = Fault(action="liveSync")


class Case(t.NamedTuple):
    """What is broken, and what must come of it.

    :param outcomes: one of these must be told.
    :param runs: how many runs IDM must have got.
    """

    name: str
    faults: t.Sequence[Fault]
    outcomes: t.Collection[str] = ("advanced",)
    runs: int = 1
    options: t.Mapping[str, t.Any] = {}


class Row(t.NamedTuple):
    """What came of a case."""

    case: str
    sent: int
    result: Result
    arrived: str
    wrong: t.Sequence[str]

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        run = self.result.run
        return [self.case, self.sent, run["outcome"], self.arrived, f"{self.result.took:.1f} s", _told(run)]


HEAD = ("what was broken", "runs that IDM got", "outcome", "changes that arrived", "took", "what was told")


def _told(run: t.Mapping[str, t.Any]) -> str:
    text = str(run["error"] or "")
    return text.partition("not known: ")[2] or text


def cases(head: int, whole: int, small: bool) -> t.Iterator[Case]:
    """Yield all cases; a small form leaves some of the bytes out.

    :param head: bytes of the headers of an answer, ``whole``: of all of it.
    """

    def broken(**how: t.Any) -> list[Fault]:
        return [replace(LIVESYNC, **how)]

    yield Case("nothing", [])
    yield Case("cut as soon as the request had been sent on", broken(swallow=True))
    for after in (0.05, 0.15):
        yield Case(f"cut after {after:g} s", broken(cut_after_seconds=after))
    yield Case("reset after 0.1 s", broken(cut_after_seconds=0.1, reset=True))
    interesting = {
        1: "the first byte",
        8: "HTTP/1.1",
        15: "the status line's middle",
        head // 2: "half of the headers",
        head - 2: "all headers but their end",
        head: "all headers",
        head + 1: "the first byte of the body",
        (head + whole) // 2: "half of the body",
        whole - 7: "all but the end of the last chunk",
        whole - 1: "all but the last byte",
    }
    for after in sorted(interesting)[:: 3 if small else 1]:
        yield Case(f"cut after {after} of {whole} bytes ({interesting[after]})", broken(cut_after_bytes=after))
    yield Case("answer held back for 2 s", broken(delay=2.0))
    yield Case(
        "answer held back for longer than wait_timeout", broken(delay=3.0), ("advanced", "unknown"),
        options={"wait_timeout": 1.5},
    )  # fmt: skip
    for status in (502, 503, 504):
        yield Case(f"proxy answers {status} after 0.1 s", broken(answer=status, delay=0.1))
    lost = {"stall_timeout": 3.0}
    yield Case("proxy answers 502 and sends nothing on", broken(answer=502, refuse=True), ("unknown",), 0, lost)
    yield Case("connection closed and nothing sent on", broken(refuse=True), ("unknown",), 0, lost)
    stage = Fault("GET", "pooledSyncStage/SYSTEM", skip=1)  # the first one comes before the run
    reads = [
        Fault("GET", "cluster", skip=1, times=2, refuse=True),
        replace(stage, times=2, answer=502),
        replace(stage, times=1, cut_after_bytes=30),
    ]
    yield Case("cut, and the first reads after it too", [*broken(swallow=True), *reads])


def tried(bed: Bed, tasks: Tasks, case: Case, number: int) -> Row:
    """Go through one case."""
    people = [(number * EACH + index) % PEOPLE for index in range(EACH)]
    description = f"slow {SLOW} case {number}"
    last = tasks.change(people, description)
    with Proxy(bed.vars["idm_url"], case.faults) as proxy:
        result = tasks.trigger(proxy.url, **case.options)
        sent = [entry for entry in proxy.requests if entry.action == "liveSync"]
        got = [entry for entry in sent if not _held_off(case)]
        until(lambda: all(entry.ended for entry in got), "IDM's own end of the run", 60.0)
    arrived, run = bed.described(description), result.run
    wrong = []
    if len(got) != case.runs or len(sent) != 1:
        wrong.append(f"{len(got)} runs")
    if run["outcome"] not in case.outcomes:
        wrong.append(f"outcome {run['outcome']}")
    if run["outcome"] == "advanced" and (run["token_after"] != last or not run["attributed"]):
        wrong.append(f"token {run['token_after']} of {last}")
    if arrived != (EACH if case.runs else 0):
        wrong.append(f"{arrived} arrived")
    if not case.runs:
        bed.forget_run()  # nobody else knows that IDM never received it: the next task would wait for its end
        tasks.trigger()
    return Row(case.name, len(got), result, f"{arrived} of {EACH}", wrong)


def _held_off(case: Case) -> bool:
    return any(fault.refuse and fault.action for fault in case.faults)


def lost_answers(bed: Bed, tasks: Tasks, small: bool) -> list[Row]:
    """Go through all cases."""
    last = tasks.change([0], f"slow {SLOW} to see the length of an answer")
    with Proxy(bed.vars["idm_url"]) as proxy:
        tasks.trigger(proxy.url)
        (answer,) = [entry for entry in proxy.requests if entry.action == "liveSync"]
    assert last and answer.head < answer.sent
    rows = []
    for number, case in enumerate(cases(answer.head, answer.sent, small)):
        row = tried(bed, tasks, case, number)
        rows.append(row)
        steps.say(f"{row.case}: {row.result.run['outcome']} {'; '.join(row.wrong)}")
    return rows


def long_run(bed: Bed, tasks: Tasks, number: int) -> Row:
    """Synchronise many changes through a proxy that closes every connection after 2 s."""
    description = f"long {number}"
    last = tasks.change(range(number), description)
    with Proxy(bed.vars["idm_url"], lifetime=2.0) as proxy:
        result = tasks.trigger(proxy.url, directory=tasks.directory)
        sent = proxy.count(action="liveSync")
    run, arrived = result.run, bed.described(description)
    wrong = []
    if (sent, run["outcome"], run["token_after"], run["changes"], arrived) != (1, "advanced", last, number, number):
        wrong.append(f"{sent} runs, {run}, {arrived} arrived")
    return Row(f"{number} changes, every connection closed after 2 s", sent, result, f"{arrived} of {number}", wrong)


def hidden_error(bed: Bed, tasks: Tasks, number: int, stall: float) -> Row:
    """Break the line, then let the run end in a 500 that nobody gets to see."""
    description = "slow 40 before the error"
    tasks.change(range(number), description)
    account, line = bed.vars["connector_dn"], bed.directory()
    with Proxy(bed.vars["idm_url"], [replace(LIVESYNC, cut_after_seconds=1.0)]) as proxy:

        def revoke() -> None:
            # After the cut, and in the first block of 100 changes: the search for the second one fails.
            until(lambda: 30 <= bed.described(description) < 100, "the middle of the first block of changes", 60.0)
            line.modify_s(account, [(ldap.MOD_DELETE, "ds-privilege-name", [b"changelog-read"])])

        thread = threading.Thread(target=revoke)
        thread.start()
        result = tasks.trigger(proxy.url, stall_timeout=stall)
        thread.join()
        (sent,) = [entry for entry in proxy.requests if entry.action == "liveSync"]
    line.modify_s(account, [(ldap.MOD_ADD, "ds-privilege-name", [b"changelog-read"])])
    arrived, run = bed.described(description), result.run
    wrong = []
    if (run["outcome"], sent.status) != ("failed", 500):  # audit/access tells of the end that nobody saw
        wrong.append(f"{run['outcome']}, IDM answered {sent.status}")
    late = result.took - ((sent.ended or 0.0) - sent.began)
    if late > stall:
        wrong.append(f"told {late:.1f} s after the run's end")
    again = tasks.trigger(directory=tasks.directory, until_caught_up=True)
    if again.run["outcome"] != "advanced" or bed.described(description) != number:
        wrong.append(f"the next task: {again.run}")
    name = (
        f"{number} changes, cut after 1 s; the run ends in {sent.status} (privilege revoked); stall_timeout {stall:g} s"
    )
    return Row(name, 1, result, f"{arrived} of {number}", wrong)


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through everything, write the tables, and fail if something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.failures", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few bytes, and shorter runs")
    options = parser.parse_args(argv)
    with Bed("failures", PEOPLE) as bed:
        tasks = Tasks(bed)
        bed.grant()
        assert tasks.trigger().run["outcome"] == "baseline"
        lost = lost_answers(bed, tasks, options.small)
        rows = [long_run(bed, tasks, 150 if options.small else 2000)]
        rows.append(hidden_error(bed, tasks, 150, 10.0 if options.small else 30.0))
        swept = [] if options.small else every_byte(bed, tasks)
    wrong = [f"{row.case}: {'; '.join(row.wrong)}" for row in (*lost, *rows, *swept) if row.wrong]
    if not options.small:
        _page.write("failures.md", "lost_answers", _page.table(HEAD, [row.cells() for row in lost]))
        _page.write("failures.md", "long_runs", _page.table(HEAD, [row.cells() for row in rows]))
        _page.write("failures.md", "every_byte", _sweep_in_words(swept))
    print(_page.table(HEAD, [row.cells() for row in (*lost, *rows)]))
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


def every_byte(bed: Bed, tasks: Tasks) -> list[Row]:
    """Cut an answer after every single byte."""
    last = tasks.change([0], "every byte")
    with Proxy(bed.vars["idm_url"]) as proxy:
        tasks.trigger(proxy.url)
        (answer,) = [entry for entry in proxy.requests if entry.action == "liveSync"]
    rows = []
    for after in range(1, answer.sent):
        last = tasks.change([after % PEOPLE], f"byte {after}")
        with Proxy(bed.vars["idm_url"], [replace(LIVESYNC, cut_after_bytes=after)]) as proxy:
            result = tasks.trigger(proxy.url)
            sent = proxy.count(action="liveSync")
        run = result.run
        right = (sent, run["outcome"], run["token_after"]) == (1, "advanced", last)
        rows.append(Row(f"byte {after}", sent, result, "1 of 1", [] if right else [str(run)]))
        if after % 50 == 0:
            steps.say(f"cut after {after} of {answer.sent} bytes")
    return rows


def _sweep_in_words(rows: t.Sequence[Row]) -> str:
    right = sum(not row.wrong for row in rows)
    longest = max(row.result.took for row in rows)
    return (
        f"Cut after each of the {len(rows)} bytes in turn: {right} times the task ended well with one run and the right"
        f" token; the longest took {longest:.1f} s."
    )


if __name__ == "__main__":
    steps.main(main)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two control hosts, each with a home of its own, that trigger the same source; one of them dies while it holds it."""

from __future__ import annotations

import json
import time
import typing as t

from tools import steps

from ._control_host import CATCH_UP, home
from ._play import Hold, Play
from ._two_of_each import TwoOfEach
from ._wait import until

HOSTS = ("host-a", "host-b")
#: Changes in each round, and how many milliseconds each takes: longer than the starts of the playbooks differ.
CHANGES, SLOW = 12, 120
#: So many people that take so many milliseconds each: longer than a lease.
LONG, SLOWER = 45, 1000
#: Seconds without word after which a holder counts as gone (docs/execution-nodes.md), and how much later the next one
#: may be, which looks again every few seconds.
LEASE, LATER = 30.0, 15.0
#: Process numbers of its own, as a container has them: nobody sees from outside that the process is gone.
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
_SPANS = (
    "SELECT extract(epoch FROM timestamp::timestamptz), response_elapsedtime::float / 1000 FROM auditaccess"
    " WHERE http_request_method = 'POST' AND http_request_queryparameters LIKE '%liveSync%' ORDER BY timestamp;"
)


def overlaps(spans: t.Iterable[tuple[float, float]]) -> int:
    """Count the runs, each with its begin and end, that began before another one had ended. Pure."""
    ordered = sorted(spans)
    ends = [max(end for _begin, end in ordered[: number + 1]) for number in range(len(ordered))]
    return sum(begin < end for (begin, _end), end in zip(ordered[1:], ends))


def trigger(bed: TwoOfEach, name: str, hold: Hold | None = None, **how: t.Any) -> Play:
    """Begin to trigger the source from a control host, until all has arrived."""
    told = {"CATCH_UP_RESULT": str(bed.folder / f"{name}.json")}
    return bed.play(name, hold, CATCH_UP, more={**home(bed, name), **told}, **how)


def at_once(bed: TwoOfEach, rounds: int) -> list[str]:
    """Let both trigger at the same moment, again and again."""
    wrong: list[str] = []
    bed.sql("TRUNCATE auditaccess;")
    for number in range(rounds):
        text = f"slow {SLOW} pair {number}"
        bed.describe([(number * CHANGES + index) % bed.users for index in range(CHANGES)], text, numbered=True)
        plays = [trigger(bed, name, Hold("start", "Run liveSync")) for name in HOSTS]
        for play in plays:
            play.await_hold()
        for play in plays:
            play.release()
        ended = [play.wait() for play in plays]
        wrong += [f"round {number + 1}, {name}: {one.error}" for name, one in zip(HOSTS, ended) if one.exit_code]
        lost = CHANGES - bed.described(text)
        wrong += [f"round {number + 1}: {lost} lost"] if lost else []
        steps.say(f"round {number + 1}: {', '.join(_outcome(bed, name) for name in HOSTS)}")
    spans = [(float(end) - float(took), float(end)) for end, took in bed.sql(_SPANS)]
    met = overlaps(spans)
    steps.say(f"{rounds} rounds: {len(spans)} runs in audit/access, {met} overlapped; {len(wrong)} faults")
    return wrong + ([f"{met} of {len(spans)} runs overlapped"] if met else [])


def _outcome(bed: TwoOfEach, name: str) -> str:
    told = json.loads((bed.folder / f"{name}.json").read_text(encoding="utf-8"))
    return f"{told['runs'][0]['outcome']} (lock: {told['runs'][0].get('lock', told.get('lock'))})"


def holder_killed(bed: TwoOfEach) -> list[str]:
    """Kill a container that holds the source in the middle of its run; the next one goes on when the lease is over."""
    text = f"slow {SLOWER} held"
    bed.describe(range(LONG), text, numbered=True)
    first = trigger(bed, HOSTS[0], within=CONTAINER)
    until(lambda: 0 < bed.described(text) < LONG, "the middle of the run", 180.0, 0.05)
    (holder,) = {_holder(bed)}
    second = trigger(bed, HOSTS[1])
    second.await_event("start", "Run liveSync")
    first.kill()
    began = time.monotonic()
    until(lambda: _holder(bed) not in (None, holder), "the next one to hold the source", 180.0, 0.2)
    took = time.monotonic() - began
    ended = second.wait()
    steps.say(f"held by the next one {took:.0f} s after the holder was killed; it ended after {ended.took:.0f} s")
    wrong = [f"the next one failed: {ended.error}"] if ended.exit_code else []
    wrong += [f"held only after {took:.0f} s"] if took > LEASE + LATER else []
    lost = LONG - bed.described(text)
    return wrong + ([f"{lost} lost"] if lost else [])


def _holder(bed: TwoOfEach) -> str | None:
    """Return who holds the source, by the random text that its task knows itself by."""
    record = bed.idm("GET", f"repo/synchronisation/pooledSyncStage/idmops-{bed.source.replace('/', '').upper()}")
    return ((record or {}).get("holder") or {}).get("owner")

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers can go away under the role: the next run ends as an unbroken one.

IDM is ended with SIGKILL and started again, the directory is stopped for 20 seconds, each in the middle of the load, in
the middle of catching up and before the schedule is enabled, while another client changes people.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import time
import typing as t

from tools import steps

from . import _page
from ._bed import Bed
from ._ending import HEAD, Row, mended, writer
from ._points import BEFORE_ENABLE, IN_THE_LOAD, IN_THE_RUN, Point

PEOPLE = 200
#: Seconds for which the directory is away.
AWAY = 20.0


@contextlib.contextmanager
def idm_killed(bed: Bed) -> t.Iterator[None]:
    """SIGKILL to IDM, which may lose its last write by that; then it is started again."""
    bed.stack.idm.kill()
    yield
    bed.stack.idm.start()


@contextlib.contextmanager
def directory_stopped(bed: Bed) -> t.Iterator[None]:
    """Stop the directory for a while."""
    bed.stack.ds.stop()
    yield
    time.sleep(AWAY)
    bed.stack.ds.start()


BLOWS: t.Mapping[str, t.Callable[[Bed], t.ContextManager[None]]] = {
    "IDM killed": idm_killed,
    f"directory stopped for {AWAY:.0f} s": directory_stopped,
}


def interrupted(bed: Bed, blow: str, point: Point) -> Row:
    """Strike at a point of a run and return what came of it."""
    with writer(bed) as other:
        point.prepare(bed)
        play = bed.play("first", point.hold)
        point.reach(bed, play)
        with BLOWS[blow](bed):
            play.release()
        ended = play.wait()
        first = f"failed: {_short(ended.error)}" if ended.exit_code else "bore with it"
        # A run that bore with it needs no second load; repeated work is allowed all the same.
        return mended(bed, other, f"{blow} {point.name}", first, {1, 2, 3})


def _short(error: str) -> str:
    """Return the first sentence of an error, without the ids that differ from run to run."""
    return re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]+)+ ?", "", error).partition(". ")[0].rstrip(".")


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through all blows and points, print the table, and fail if one of them ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.interruptions", description=__doc__)
    parser.add_argument("--small", action="store_true", help="one blow only")
    options = parser.parse_args(argv)
    points = [(blow, point) for blow in BLOWS for point in (IN_THE_LOAD, IN_THE_RUN, BEFORE_ENABLE)]
    rows: list[Row] = []
    with Bed("interruptions", PEOPLE) as bed:
        for blow, point in points[:1] if options.small else points:
            bed.fresh()
            rows.append(interrupted(bed, blow, point))
    text = _page.table(HEAD, [row.cells() for row in rows])
    print(text)
    if not options.small:
        _page.write("interruptions.md", "interruptions", text)
    bad = sum(bool(row.wrong) for row in rows)
    print(f"interrupted {len(rows)} times: {len(rows) - bad} ended equal, {bad} did not", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    steps.main(main)

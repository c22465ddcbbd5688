# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a picture: a bar for each work, the longest on top."""

from __future__ import annotations

import pathlib
import typing as t

#: Of bars: what others do, and ours.
OTHERS, OURS = "#9aa5b1", "#1f6f8b"
_OURS = ("livesync_", "the role")


def bars(found: t.Mapping[str, t.Any]) -> list[tuple[str, float, str]]:
    """Return label, seconds and colour of each bar, the shortest first; the empty play is subtracted from the rest."""
    figures = found["figures"]
    shown = [(label, float(one["seconds"])) for label, one in figures.items() if label != next(iter(figures))]
    return [
        (label, seconds, OURS if label.startswith(_OURS) else OTHERS)
        for label, seconds in sorted(shown, key=lambda one: one[1])
    ]


def draw(found: t.Mapping[str, t.Any], path: pathlib.Path) -> None:
    """Write the picture as SVG; the same figures make the same file.

    :param found: as ``build/bench.json`` has it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "bench"
    labels, seconds, colours = zip(*bars(found))
    figure = Figure(figsize=(9, 0.42 * len(labels) + 1.2), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(labels, seconds, color=colours)
    axes.bar_label(drawn, fmt="%.2f s", padding=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("seconds, without the empty play")
    machine = found["machine"]
    axes.set_title(
        f"{found['sources']} sources, median of {found['rounds']} rounds, {machine['cores']} cores,"
        f" ansible-core {machine['ansible_core']}, load {machine['load'][0]}",
        fontsize="medium",
    )
    figure.savefig(path, format="svg", metadata={"Date": None})

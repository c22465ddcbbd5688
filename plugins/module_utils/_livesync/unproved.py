# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why runs that ended well prove nothing, in words. No I/O."""

from __future__ import annotations

import typing as t


def why_unproved(base_point: bool, unrecorded: t.Sequence[str], reads_change_log: bool, *, given: bool) -> str:
    """Return what is to be said of it.

    :param base_point: whether a base point is all that was stored.
    :param unrecorded: the suffixes whose changes are kept out of the change log.
    :param reads_change_log: whether the connector does.
    :param given: whether a directory was.
    """
    if base_point:
        return (
            "the base point is stored, and changes arrive from now on. What was there before comes by a load (role"
            " livesync), not by liveSync."
        )
    if unrecorded:
        return (
            f"changes of {', '.join(unrecorded)} are kept out of the change log, so that none of them arrives:"
            " idmops.idm.livesync_status tells how to mend it."
        )
    way = "This connector does not tell where its changes end."
    if reads_change_log and given:
        way = "The numbers of the directory that was given are not known, or not used (see the warnings)."
    elif reads_change_log:
        way = "Give directory to have that compared with the change log."
    return (
        "the last run moved nothing, which does not prove that all has arrived: a connector that cannot see the changes"
        f" looks the same. {way}"
    )

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run of liveSync would bring its changes anywhere. No I/O.

liveSync consumes the changes of a source whether a mapping takes them or not: the token moves, and what no enabled
mapping took is gone (seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t

from .._base.errors import IdmopsError, InvalidOption
from .._idm.mapping import REFUSED_REMEDY, SyncMapping, misnamed, switch_unknown
from .._idm.source import Source

_AFTERWARDS = (
    "What liveSync has consumed meanwhile does not come back by itself, so reconcile the mapping once it is on"
    " (idmops.idm.recon, or the role livesync)."
)


def check_mapped(
    source: Source, own: t.Sequence[SyncMapping], wanted: t.Sequence[str] | None, known: t.Sequence[SyncMapping] = ()
) -> str | None:
    """See that a run would not consume changes for nothing.

    :param own: the mappings of the source.
    :param known: all mappings.
    :param wanted: the mappings that must take its changes; None: one that does will do.
    :returns: a warning about mappings that are off beside others, or may be; None where there is nothing to warn of.
    :raises InvalidOption: for a wanted mapping that is none of the source.
    :raises IdmopsError: where no mapping takes the changes, or a wanted one does not.
    """
    if refused := next((mapping.refused for mapping in known if mapping.refused), None):
        raise IdmopsError(f"{refused} What a run would do cannot be known, so none was sent.", remedy=REFUSED_REMEDY)
    names = [mapping.name for mapping in own]
    for name in wanted or ():
        if name not in names:
            raise InvalidOption("mappings", name, f"{source} has these mappings: {', '.join(sorted(names)) or 'none'}.")
    off = [mapping.name for mapping in own if mapping.sync_enabled is False]
    missed = [name for name in off if wanted is None or name in wanted]
    if not own:
        spelled = misnamed(source, known)
        raise IdmopsError(
            f"No mapping has the source {source}: a run would consume its changes for nothing, so none was sent."
            + "".join(f" {one}" for one in spelled),
            remedy=f"{'Correct that' if spelled else 'Add a'} mapping (config/sync, or config/mapping/<name>)."
            f" {_AFTERWARDS}",
        )
    if missed and (wanted is not None or len(missed) == len(own)):
        raise IdmopsError(
            f"enableSync is false for {', '.join(missed)}: a run would consume the changes of {source} and drop them,"
            " so none was sent.",
            remedy=f"Set enableSync to true (config/sync, or config/mapping/<name>). {_AFTERWARDS}",
        )
    told = []
    if off:
        told.append(
            f"enableSync is false for {', '.join(off)}, which gets none of the changes that this run takes."
            f" {_AFTERWARDS}"
        )
    if unknown := [mapping.name for mapping in own if mapping.sync_enabled is None]:
        told.append(switch_unknown(unknown))
    return f"{source}: {' '.join(told)}" if told else None

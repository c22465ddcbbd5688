# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One module's talk with IDM, at whose end it says what it could not get to know for want of rights."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.context import Context
from .._http.client import Client
from .least_rights import unknown_without


@contextlib.contextmanager
def session(module: str, params: t.Mapping[str, t.Any], context: Context) -> t.Iterator[Client]:
    """Give a client; an error says by itself which right is missing, and what went well without it is warned of.

    :param module: its name, as the table of least rights has it.
    :param params: the module's options, validated.
    :raises InvalidOption, MissingLibrary: as the client.
    """
    with Client(params, context) as client:
        yield client
        for sentence in unknown_without(module, client.lacking):
            context.report.warn(sentence)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of the module ``probe``, as those of the collection are."""

from __future__ import annotations

import importlib.util
import pathlib

from ansible_collections.idmops.idm.plugins.plugin_utils._in_process import InProcessAction

_found = importlib.util.spec_from_file_location("probe", pathlib.Path(__file__).parents[1] / "library" / "probe.py")
probe = importlib.util.module_from_spec(_found)
_found.loader.exec_module(probe)


class ActionModule(InProcessAction):
    """Runs the module ``probe`` inside the worker."""

    spec = probe.SPEC
    operate = staticmethod(probe.operate)

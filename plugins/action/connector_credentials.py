# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs M(idmops.idm.connector_credentials) inside the worker."""

from __future__ import annotations

from ansible_collections.idmops.idm.plugins.modules.connector_credentials import SPEC, operate
from ansible_collections.idmops.idm.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    spec = SPEC
    operate = staticmethod(operate)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Shows what a piece of domain code meets in one way of running it and in the other
description: [A module of the tests alone.]
author: [idmops.idm contributors (@idmops)]
options: {}
"""

from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import idm_spec
from ansible_collections.idmops.idm.plugins.module_utils._ansible.run import run_module

MINTED = "minted-on-the-way"
SPEC = idm_spec({"sources": {"type": "list", "elements": "str", "aliases": ["source"]}}, directory=True)


def operate(params, context):
    """Learn a secret, read the file in ca_path, and tell what was given."""
    context.report.keep_secret(MINTED)
    context.report.progress(f"{MINTED} {params['password']}")
    context.report.warn(f"a warning with {MINTED}")
    with open(params["ca_path"], encoding="utf-8") as file:
        read = file.read().strip()
    return {
        "changed": True,
        "check": context.check_mode,
        "read": read,
        "said": f"{MINTED} {params['password']} {(params['directory'] or {}).get('bind_password')}",
        "long": len(params["password"]),
        "sources": params["sources"],
    }


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()

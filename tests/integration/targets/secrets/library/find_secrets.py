# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches what a playbook printed for the secrets that it used."""

from __future__ import annotations

import json
import pathlib
import sys
import urllib.request

import yaml
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: find_secrets
short_description: Search an output for secrets
description: Finds the secrets of a stand-in, and others, in a file. Never returns a secret, only what it is.
options:
  output:
    description: The file to search.
    type: path
    required: true
  variables:
    description: The stand-in's vars.yml.
    type: path
    required: true
  others:
    description: Names and values of further secrets.
    type: dict
    required: true
  repository:
    description: The folder that the package tools is in.
    type: path
    required: true
author:
  - idmops.idm contributors (@idmops)
"""
EXAMPLES = ""
RETURN = r"""
found:
  description: Names of the secrets that the file holds, each with the line's number.
  type: list
  returned: always
sought:
  description: How many were looked for.
  type: int
  returned: always
"""


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "output": {"type": "path", "required": True},
            "variables": {"type": "path", "required": True},
            "others": {"type": "dict", "required": True, "no_log": True},
            "repository": {"type": "path", "required": True},
        }
    )
    sys.path.insert(0, module.params["repository"])
    from tools import leaks  # pylint: disable=import-outside-toplevel

    variables = yaml.safe_load(pathlib.Path(module.params["variables"]).read_text(encoding="utf-8"))
    with urllib.request.urlopen(f"{variables['ping_control']}/secrets") as answer:
        sought = {**json.load(answer), **module.params["others"]}
    for name, value in sought.items():
        if leaks.searchable(value) is None:
            module.fail_json(msg=f"{name} is too short to be searched for")
    found = leaks.found(pathlib.Path(module.params["output"]).read_text(encoding="utf-8"), sought)
    module.exit_json(found=found, sought=len(sought))


if __name__ == "__main__":
    main()

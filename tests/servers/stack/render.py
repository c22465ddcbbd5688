# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Fill in the ``@NAME@`` placeholders of a configuration file."""

import os
import re

from .report import StackError

PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]+)@")


def render(text, values):
    """Replace every placeholder; one without a value is an error."""
    def value(match):
        if match.group(1) not in values:
            raise StackError("No value for %s in a configuration file of the stack." % match.group(0))
        return str(values[match.group(1)])
    return PLACEHOLDER.sub(value, text)


def write_private(path, text):
    """Write a file that only its owner may read, complete at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    handle = os.open(str(part), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as output:
        output.write(text)
    os.replace(str(part), str(path))

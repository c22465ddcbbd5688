# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A real OpenIDM and a real OpenDJ on loopback, for tests and demonstrations."""

from .report import Progress, StackError
from .stack import Stack

__all__ = ["Progress", "Stack", "StackError"]

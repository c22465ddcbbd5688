# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python-ldap, imported when something is first asked of it: most tasks of a module never do. The only file that
imports ldap.
"""

from __future__ import annotations

import typing as t

from .._base.errors import MissingLibrary


class _Library:
    def __getattr__(self, name: str) -> t.Any:
        import ldap

        return getattr(ldap, name)


ldap: t.Any = _Library()


def require_ldap() -> None:
    """See that there is a library to speak LDAP with.

    :raises MissingLibrary: without python-ldap.
    """
    try:
        _unused = ldap.initialize
    except ImportError as exc:
        raise MissingLibrary("python-ldap", str(exc)) from exc

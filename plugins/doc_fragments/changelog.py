# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option with which a module of liveSync reads a directory's change log: said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The option ``changelog``."""

    DOCUMENTATION = r"""
options:
  changelog:
    description:
      - How to read the change log of the directory behind the connector, as an administrator of the directory.
      - With several O(changelog.servers) the one that the connector uses is taken, since change numbers are local to a
        server. Where none fits, that is an error; where the task is about several connectors, a warning, and nothing is
        known of that one's changes.
    type: dict
    suboptions:
      servers:
        description: URLs of the directory servers, as in V(ldaps://ds1.example.com:4444).
        type: list
        elements: str
        required: true
      bind_dn:
        description: DN of an administrator, as in V(uid=admin) or V(cn=Directory Manager).
        type: str
        required: true
      bind_password:
        description: Password of O(changelog.bind_dn).
        type: str
        required: true
      start_tls:
        description: Whether to encrypt a connection to an C(ldap://) URL with StartTLS before the bind.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's TLS certificate must be trusted.
        type: bool
        default: true
      ca_path:
        description: File (PEM) of the CA certificates to trust instead of the system's.
        type: path
      timeout:
        description: Seconds for connecting, and for the answer to one request.
        type: float
        default: 30
requirements:
  - python-ldap, for O(changelog)
"""

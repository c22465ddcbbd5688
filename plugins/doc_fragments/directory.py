# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach directory servers, and as whom: said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options of what talks LDAP. As suboptions they are repeated where they are used."""

    DOCUMENTATION = r"""
options:
  servers:
    description:
      - URLs of the directory servers, as in V(ldaps://ds1.example.com:4444) or V(ldap://ds1.example.com:1389).
      - The administration port (4444) is the one that accepts changes to the configuration everywhere.
    type: list
    elements: str
    required: true
  bind_dn:
    description: DN of an administrator, as in V(uid=admin) or V(cn=Directory Manager).
    type: str
    required: true
  bind_password:
    description: Password of O(bind_dn).
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
  - python-ldap
"""

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a directory, and what its account for liveSync shall be able to do: said once."""

from __future__ import annotations

import textwrap

_OPTIONS = """\
servers:
  description:
    - URLs of the directory servers, as in V(ldaps://ds1.example.com:4444) or V(ldap://ds1.example.com:1389).
    - The administration port (4444) is the one that accepts changes to the configuration everywhere.
    - Where the connector fails over, list all its servers; the first of them that answers is the one that is asked.
  type: list
  elements: str
  required: true
bind_dn:
  description: DN of an administrator of the directory, as in V(uid=admin) or V(cn=Directory Manager).
  type: str
  required: true
bind_password:
  description: The administrator's password.
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
principal:
  description: DN of the account of IDM's connector, as in the connector's configuration.
  type: str
  required: true
verify_uri:
  description:
    - URL that the account binds to, best that of the connector; the administration port proves nothing about it.
    - Without it, the first of the servers is taken. Needs the account's password.
  type: str
principal_password:
  description:
    - Password of the account. With it, M(idmops.idm.changelog_access) binds as the account and does what the connector
      does.
    - It binds once; a refused bind is not repeated, since failed ones lock accounts.
    - Only this tells of rules by address or encryption, which effective rights judge for the connection that asks.
  type: str
remove_privilege:
  description:
    - Whether taking the grants away takes away the privilege C(changelog-read) too, which somebody else may have given.
  type: bool
  default: false
raise_limits:
  description:
    - Whether to raise those of the account's limits that are too small for a load of all entries to what the number of
      entries needs, with head-room, and to give the privilege C(unindexed-search) where there are more entries than the
      index entry limit. A limit is never lowered.
    - Otherwise it is said which are too small.
  type: bool
  default: false
base_contexts:
  description: Where the connector searches, if not where its configuration says.
  type: list
  elements: str
size_limit:
  description: Set the size limit (C(ds-rlim-size-limit)) to at least this many entries; V(0) is no limit.
  type: int
lookthrough_limit:
  description:
    - Set the look-through limit (C(ds-rlim-lookthrough-limit)) to at least this many entries; V(0) is no limit.
  type: int
time_limit:
  description: Set the time limit (C(ds-rlim-time-limit)) to at least this many seconds; V(0) is no limit.
  type: int
idle_time_limit:
  description: Set the idle time limit (C(ds-rlim-idle-time-limit)) to at least this many seconds; V(0) is no limit.
  type: int
unindexed_search:
  description:
    - Whether to give the privilege C(unindexed-search), whatever the number of entries.
    - V(false) does not give it even where raising the limits needs it; it never takes it away.
  type: bool
"""

#: The same, none of them required.
SUBOPTIONS = _OPTIONS.replace("  required: true\n", "")


class ModuleDocFragment:
    """Fragments: the options themselves, and the option ``directory`` that has them as suboptions.

    Each is annotated, since ansible-test's yamllint takes what is assigned without that for a plain text.
    """

    DOCUMENTATION: str = f"""
options:
{textwrap.indent(_OPTIONS, "  ")}
requirements:
  - python-ldap
"""

    OPTION: str = f"""
options:
  directory:
    description:
      - LDAP directory server (not a path) behind the connectors, reached as an administrator of the directory. It has
        every option of M(idmops.idm.changelog_access) but C(state), so that one dictionary fits each module that
        takes one; what a module does not need of it, it ignores.
      - With several servers the one that the connector uses is taken, since change numbers are local to a server. Where
        none fits, that is an error; where the task is about several connectors, a warning, and nothing is known of that
        one's changes.
      - If not set, and the environment variable E(IDM_DIRECTORY_SERVERS) (URLs, separated by commas) is,
        E(IDM_DIRECTORY_BIND_DN), E(IDM_DIRECTORY_BIND_PASSWORD) and E(IDM_DIRECTORY_CA_PATH) are used too. An empty
        dictionary says that there is no directory, whatever the environment holds.
      - Without a directory nothing is known of the change log.
      - Change numbers are local to a server. It is an error when the server says that it is not the one that the
        connector reads; where that cannot be known, a warning says so, and nothing is reset or loaded because of its
        numbers.
    type: dict
    suboptions:
{textwrap.indent(SUBOPTIONS, "      ")}
requirements:
  - python-ldap, for O(directory)
"""

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""When a change has its number: some time after the client's answer, and on a busy machine seconds after it.

Counting from the last number before a change does not tell: earlier changes may still be waiting for theirs. The
change log keeps the order of the changes' CSNs on a server (replicationCSN), and an entry the CSN of its newest change
(ds-sync-hist), so that one can be looked for in the other (seen on OpenDJ 4.6.5).
"""

import re
import time

import ldap

#: Of a value of ds-sync-hist, as in description:000001a20fcc810500010000001b:repl:text or dn:<csn>:add.
_CSN = re.compile(rb"^[^:]*:([0-9a-f]{28}):")


def newest_csn(history):
    """The CSN of the newest change of an entry, from the values of ds-sync-hist; None if there is none."""
    return max((found.group(1) for found in map(_CSN.match, history) if found), default=None)


def await_number(line, dn, limit=60.0):
    """Wait until the newest change of an entry has its number, and return the last number there is then.

    :param line: a connection of python-ldap, bound as an administrator.
    :param limit: seconds.
    :raises TimeoutError: when it has none by then.
    """
    ((unused, entry),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["ds-sync-hist"])
    wanted = newest_csn(entry.get("ds-sync-hist", []))
    end = time.monotonic() + limit
    while True:
        ((unused, root),) = line.search_s("", ldap.SCOPE_BASE, attrlist=["lastChangeNumber"])
        last = int(root["lastChangeNumber"][0])
        number = "(changeNumber=%d)" % last
        found = line.search_s("cn=changelog", ldap.SCOPE_ONELEVEL, number, ["replicationCSN"]) if last else []
        if wanted is None or any(change["replicationCSN"][0] >= wanted for unused, change in found):
            return last
        if time.monotonic() > end:
            raise TimeoutError("The change %s of %s has no number after %g s." % (wanted.decode(), dn, limit))
        time.sleep(0.05)

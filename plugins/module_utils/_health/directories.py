# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the directory servers that were given is behind which connector."""

from __future__ import annotations

import typing as t

from .._base.address import share_a_host
from .._base.context import Context
from .._changelog.log import connector_servers
from .._idm.connector import Connector
from .._ldap.library import require_ldap
from .._ldap.url import host_and_port


def directories(
    options: t.Mapping[str, t.Any] | None, connectors: t.Iterable[Connector], context: Context
) -> dict[str, str]:
    """Return the URL of the directory behind each connector that reads a change log, by the connector's name.

    Of several servers that may be the connector's it is the first; which one the connector reads now is found out when
    something is asked of it. A server that is given alone is taken for the directory of a connector that is alone until
    it has been asked (:class:`LogReader`). With several connectors the names must fit: the change numbers of another
    server mean nothing.

    :param options: connection options of a directory, None where none were given.
    :raises InvalidOption: when none of the servers is a connector's.
    :raises MissingLibrary: without python-ldap, before anything is run.
    """
    readers = {connector.name: connector for connector in connectors if connector.reads_change_log}
    if not options:
        return {}
    require_ldap()
    hosts = [host_and_port(uri)[0] for uri in options["servers"]]
    found = {}
    for name, connector in readers.items():
        fits = share_a_host(hosts, connector.hosts)
        if len(readers) > 1 and not fits:
            context.report.warn(
                f"directory: none of the servers is on the host of the connector {name}, so nothing is known of its"
                " pending changes."
            )
        else:
            found[name] = connector_servers(options, connector.servers)[0]
    return found

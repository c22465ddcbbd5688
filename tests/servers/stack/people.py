# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""The entries that a new directory holds, as LDIF."""

from .settings import APPS_DN, BASE_DN, CONNECTOR_DN, PEOPLE_DN

GIVEN = "Ada Ben Cleo Dan Eva Finn Gina Hugo Ida Jan Kim Leo Mia Noa Ole Pia".split()
FAMILY = "Abel Brook Cole Dale Ernst Field Grant Hall Irwin Jansen Klein Lind Moor".split()

HEAD = """dn: {base}
objectClass: top
objectClass: domain
dc: example

dn: {people}
objectClass: top
objectClass: organizationalUnit
ou: People

dn: {apps}
objectClass: top
objectClass: organizationalUnit
ou: apps

dn: {connector}
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
uid: idm
cn: idm
sn: idm
userPassword: {password}
"""

PERSON = """
dn: uid=user.{n},{people}
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
uid: user.{n}
cn: {given} {family}
sn: {family}
givenName: {given}
mail: user.{n}@example.com
telephoneNumber: +1 555 {phone:07d}
description: person {n}
"""


def ldif(users, connector_password):
    """All entries: the organisation, the connector's account and ``uid=user.0`` to ``uid=user.<users - 1>``."""
    parts = [HEAD.format(base=BASE_DN, people=PEOPLE_DN, apps=APPS_DN, connector=CONNECTOR_DN,
                         password=connector_password)]
    for n in range(users):
        parts.append(PERSON.format(n=n, people=PEOPLE_DN, phone=n, given=GIVEN[n % len(GIVEN)],
                                   family=FAMILY[n % len(FAMILY)]))
    return "".join(parts)

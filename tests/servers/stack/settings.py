# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""The fixed names of the test bed, and the only passwords that are not generated."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CONF = HERE / "conf"

BASE_DN = "dc=example,dc=com"
PEOPLE_DN = "ou=People," + BASE_DN
APPS_DN = "ou=apps," + BASE_DN
CONNECTOR_DN = "uid=idm," + APPS_DN
ROOT_DN = "cn=Directory Manager"

SOURCE = "system/ldap/account"
MAPPING = "systemLdapAccount_managedUser"

# Throw-away passwords. OpenIDM itself creates these two users with these passwords at its first
# start; the key stores hold nothing but this test bed's own keys. All servers listen on loopback.
IDM_USERNAME = "openidm-admin"
IDM_PASSWORD = "openidm-admin"
ANONYMOUS_USERNAME = "anonymous"
ANONYMOUS_PASSWORD = "anonymous"
STORE_PASSWORD = "changeit"

# Alias of the server key in every key store.
ALIAS = "server-cert"

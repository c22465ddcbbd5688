# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""What playbooks and tests need to know about a stack."""

import json

from . import settings


def variables(here, known):
    """The variables of the stack in folder ``here``, from its record."""
    numbers = known["ports"]
    found = {
        "ds_uri": "ldap://localhost:%d" % numbers["ds_ldap"],
        "ds_ldaps_uri": "ldaps://localhost:%d" % numbers["ds_ldaps"],
        "ds_admin_uri": "ldaps://localhost:%d" % numbers["ds_admin"],
        "ds_host": "localhost",
        "ds_port": numbers["ds_ldap"],
        "ds_ca_path": str(here / "ca.pem"),
        "other_ca_path": str(here / "other-ca.pem"),
        "ds_admin_dn": settings.ROOT_DN,
        "ds_admin_password": known["ds_password"],
        "connector_dn": settings.CONNECTOR_DN,
        "connector_password": known.get("connector_password"),
        "base_dn": settings.BASE_DN,
        "people_dn": settings.PEOPLE_DN,
        "stack_dir": str(here),
        "stack_users": known["users"],
    }
    if known["idm"]:
        found.update({
            "idm_url": "http://localhost:%d/openidm" % numbers["idm_http"],
            "idm_https_url": "https://localhost:%d/openidm" % numbers["idm_https"],
            "idm_ca_path": str(here / "ca.pem"),
            "idm_username": settings.IDM_USERNAME,
            "idm_password": settings.IDM_PASSWORD,
            "idm_anonymous_username": settings.ANONYMOUS_USERNAME,
            "idm_anonymous_password": settings.ANONYMOUS_PASSWORD,
            "source": settings.SOURCE,
            "mapping": settings.MAPPING,
        })
    return found


def as_yaml(values):
    """YAML text that Ansible reads: JSON strings and numbers are YAML as well."""
    return "\n".join(["---"] + ["%s: %s" % (name, json.dumps(value)) for name, value in sorted(values.items())]) + "\n"

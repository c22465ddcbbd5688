# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach IDM, and as whom: said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options that every module of the action group has."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - IDM's base URL with its context path, as in V(https://idm.example.com/openidm).
      - If not set, the environment variable E(IDM_URL) is used.
    type: str
    required: true
  nodes:
    description:
      - The base URLs of the nodes themselves, where O(url) is that of a balancer before several nodes of one cluster.
      - A connector is activated, and may be dormant, on each node. With these it is activated again on each, and its
        test asked there. OpenIDM does not spread configuration that is sent over REST; Ping's IDM does.
    type: list
    elements: str
  auth_method:
    description:
      - How a request says who asks.
      - V(openidm) sends C(X-OpenIDM-Username) and C(X-OpenIDM-Password), V(basic) sends HTTP Basic; both are for an IDM
        that keeps its own accounts.
      - V(service_account) is for Advanced Identity Cloud, V(client_credentials) for an IDM that AM protects. Both get
        an access token when it is needed, again before it expires, and once after a 401.
      - V(bearer) sends a token that somebody else got, for example M(idmops.idm.idm_token).
      - V(client_cert) sends no credentials; the TLS certificate in O(client_cert) says who asks.
      - If not set, the environment variable E(IDM_AUTH_METHOD) is used.
    type: str
    choices: [openidm, basic, bearer, service_account, client_credentials, client_cert]
    default: openidm
  username:
    description:
      - For O(auth_method=openidm) and O(auth_method=basic). The account needs the role C(openidm-admin).
      - If not set, the environment variable E(IDM_USERNAME) is used.
    type: str
  password:
    description:
      - For O(auth_method=openidm) and O(auth_method=basic).
      - If not set, the environment variable E(IDM_PASSWORD) is used.
    type: str
  access_token:
    description:
      - For O(auth_method=bearer).
      - If not set, the environment variable E(IDM_ACCESS_TOKEN) is used.
    type: str
  token_url:
    description:
      - AM's token endpoint, for O(auth_method=service_account) and O(auth_method=client_credentials).
      - The default is C(/am/oauth2/access_token) on the host of O(url). On Advanced Identity Cloud it must be the
        tenant's own host name, not a custom domain.
      - If not set, the environment variable E(IDM_TOKEN_URL) is used.
    type: str
  service_account_id:
    description:
      - The service account's ID, for O(auth_method=service_account).
      - If not set, the environment variable E(IDM_SERVICE_ACCOUNT_ID) is used.
    type: str
  service_account_jwk:
    description:
      - The service account's private key, for O(auth_method=service_account), an RSA JWK as Advanced Identity Cloud
        hands it out when the account is made. JSON text, a dictionary, or the path of a file that holds it.
      - It signs the request for an access token, with the Python library C(PyJWT[crypto]); it is not sent.
      - If not set, the environment variable E(IDM_SERVICE_ACCOUNT_JWK) is used.
    type: raw
  client_id:
    description:
      - The OAuth 2.0 client's ID, for O(auth_method=client_credentials).
      - If not set, the environment variable E(IDM_CLIENT_ID) is used.
    type: str
  client_secret:
    description:
      - The OAuth 2.0 client's secret, for O(auth_method=client_credentials).
      - If not set, the environment variable E(IDM_CLIENT_SECRET) is used.
    type: str
  scope:
    description: The scopes to ask for, separated by blanks. The default covers everything below IDM's context path.
    type: str
    default: fr:idm:*
  configuration_type:
    description:
      - Sent as the header C(X-Configuration-Type) with each request for configuration. V(mutable) is what a tenant of
        Advanced Identity Cloud under direct configuration control wants before it takes a write of configuration, in
        a session that somebody has opened; see the vendor's documents.
      - What is written so is in force once that session has been applied, which takes minutes and restarts services.
        Until then a module that waits for it fails with what it saw.
      - If not set, the environment variable E(IDM_CONFIGURATION_TYPE) is used.
    type: str
    choices: [mutable]
  validate_certs:
    description:
      - Whether the server's TLS certificate must be trusted.
      - If not set, the environment variable E(IDM_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File (PEM) or directory of the CA certificates to trust instead of the system's.
      - If not set, the environment variable E(IDM_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - File (PEM) of the client certificate for mutual TLS; it may hold the key too.
      - It is sent with every O(auth_method), and is enough by itself with O(auth_method=client_cert).
      - If not set, the environment variable E(IDM_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - File (PEM) of the client certificate's private key. It needs O(client_cert).
      - If not set, the environment variable E(IDM_CLIENT_KEY) is used.
    type: path
  timeout:
    description:
      - Seconds that one ordinary request may take. A liveSync run and a reconciliation have a wait of their own.
      - If not set, the environment variable E(IDM_TIMEOUT) is used.
    type: float
    default: 30
  retry_timeout:
    description:
      - Seconds in all for which one request is repeated where the server throttles (HTTP 429) or asks to come back
        later (HTTP 503 with C(Retry-After)); V(0) repeats nothing.
      - A liveSync, a reconciliation and a trigger are never sent again this way.
    type: float
    default: 60
requirements:
  - requests
  - PyJWT and cryptography, for O(auth_method=service_account)
"""

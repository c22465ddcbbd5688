# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private key of a service account, and what it signs.

The only file that imports jwt (PyJWT), and only for such an account: with cryptography that takes long.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from .._base.errors import InvalidOption, MissingLibrary

_OPTION = "service_account_jwk"
#: The members of an RSA JWK that are secret (RFC 7518, section 6.3.2). The others are short, common words.
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


def _unusable(way_out: str) -> InvalidOption:
    return InvalidOption(_OPTION, "(hidden)", way_out)


class Jwk:
    """A private RSA key, as Advanced Identity Cloud hands it out for a service account.

    :param value: the JWK as JSON text, as a dictionary, or the path of a file that holds it.
    :raises InvalidOption: when it is no private RSA JWK; the value is never shown.
    :raises MissingLibrary: without PyJWT and cryptography.
    """

    def __init__(self, value: str | t.Mapping[str, t.Any]) -> None:
        try:
            import jwt
            from jwt.algorithms import RSAAlgorithm  # is there only where cryptography is
        except ImportError as exc:
            raise MissingLibrary("PyJWT[crypto]", str(exc)) from exc
        members = dict(value) if isinstance(value, t.Mapping) else _read(str(value))
        if members.get("kty") != "RSA" or not members.get("d"):
            raise _unusable('Give a private RSA key: a JWK with "kty": "RSA" and its "d".')
        try:
            self._key: t.Any = RSAAlgorithm.from_jwk(members)
        except Exception:  # its text may quote the key
            raise _unusable("Its members are not those of an RSA key (RFC 7518, section 6.3).") from None
        self._encode = jwt.encode
        self._key_id = members.get("kid")
        self.secrets = [str(members[name]) for name in _PRIVATE if members.get(name)]

    def sign(self, claims: t.Mapping[str, t.Any]) -> str:
        """Return the claims as a signed JWT (RS256), with a kid where the JWK has one."""
        headers = {"kid": self._key_id} if self._key_id else None
        return self._encode(dict(claims), self._key, algorithm="RS256", headers=headers)


def _read(text: str) -> dict[str, t.Any]:
    """Return the members of a JWK that is given as JSON or as a path."""
    text = text.strip()
    if "-----BEGIN" in text:
        raise _unusable("It is a PEM; give the JWK that was downloaded when the service account's key was made.")
    if not text.startswith("{"):
        try:
            text = Path(os.path.expanduser(os.path.expandvars(text))).read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is not text"
            raise _unusable(f"It is no JSON, and as a path it cannot be read: {why}.") from None
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable("It is not JSON.") from None
    if not isinstance(members, dict):
        raise _unusable("Give one JWK, a JSON object.")
    return members


def private_parts(value: t.Any) -> set[str]:
    """Return what is secret of a JWK that was given as JSON text or as a dictionary, beside the text itself."""
    try:
        members = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return set()
    if not isinstance(members, t.Mapping):
        return set()
    return {str(members[name]) for name in _PRIVATE if members.get(name)}

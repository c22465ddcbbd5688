# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers say, made fit for a message: the one place that does it.

A repository's error may hold the whole object that it could not store. Values are hidden; the names of attributes,
properties and constraints, ids and DNs are what the reader needs, and stay.
"""

from __future__ import annotations

import html
import re
import typing as t

#: The class of a Java exception before its message.
_CLASS = re.compile(r"^(?:[a-z_]\w*\.)+[A-Z][\w$]*: +")
#: What stands between braces, or after one that the line does not close; the same with brackets that hold values.
_OBJECT = re.compile(r"\{.*\}|\{.*$|\[[^\]]*=[^\]]*(?:\]|$)")
_MEMBER = re.compile(r"""["']?([A-Za-z_][\w.-]*)["']?\s*[:=]""")
#: A quotation, or what follows a quotation mark that the line does not close.
_QUOTED = re.compile(r""""(?:\\.|[^"\\])*(?:"|$)|(?<!\w)'.*?(?:'(?!\w)|$)""")
_OTHER_QUOTED = re.compile("([\u201c\u201e\u00ab`])[^\u201c\u201d\u00bb`]*([\u201c\u201d\u00bb`]|$)")
#: Words beside which a quotation is a name and no value.
_NAMING = re.compile(
    r"(attribute|property|field|column|constraint|index|relation|table|class|type|mapping|policy|connector)s?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}")
_DN = re.compile(r"[A-Za-z][\w-]*=[^,=]+(,\s*[A-Za-z][\w-]*=[^,=]+)*")
#: A condition of an LDAP filter; the values of a key that exists already (PostgreSQL); an e-mail address.
_CONDITION = re.compile(r"\(([\w;.-]+)([~<>:]?=)[^()]+\)")
_KEY = re.compile(r"\)=\([^)]*(?:\)|$)")
#: The values of a key that exists already (SQL Server), of a row, of a statement.
_ROW = re.compile(r"\b(value is|contains|values) \((?:[^()]|\([^()]*\))*(?:\)|$)", re.IGNORECASE)
#: What an element of XML holds.
_ELEMENT = re.compile(r">[^<>]+</")
#: What is said of a password and may be one: what follows "=", or is no plain word.
_SECRET = re.compile(r"(passw\w*|pwd|secret)(=|[:\s]\s*)([^\s,;]+)", re.IGNORECASE)
#: What follows the path of an address: a token stands there as often as anything.
_QUERY = re.compile(r"(\w+://[^\s?#\"'<>]+)[?#][^\s\"'<>]+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
#: A resource of IDM that holds objects, and what follows it: of one of them, the id. What IDM has no route to it names
#: from where it lost the way (seen on OpenIDM 6.1.0: "Resource 'users/jdoe' not found" for managed/users/jdoe).
_RESOURCE = re.compile(r"(/?(?:managed|repo|config|system/[\w-]+)/[\w-]+)([/?].*)?")
_NO_ROUTE = re.compile(r"([\w-]+)(/.*)?")
_CLOSING = {"{": "}", "[": "]"}


def reason_in(text: str) -> str | None:
    """Return the reason that a text of a server's gives, None where it gives none.

    That is its first line, without the class of a Java exception, without HTML, and without the values that it quotes.
    """
    line = html.unescape(text).strip().split("\n", 1)[0].strip().replace("\t", " ")
    line = _OBJECT.sub(_without_values, _QUERY.sub(r"\1?...", _CLASS.sub("", line)))
    line = _KEY.sub(")=(...)", _OTHER_QUOTED.sub(r"\1...\2", _QUOTED.sub(_unquoted, line)))
    line = _SECRET.sub(_without_secret, _ROW.sub(r"\1 (...)", _ELEMENT.sub(">...</", line)))
    return _ADDRESS.sub("...", _CONDITION.sub(r"(\1\2...)", line)) or None


def _without_values(found: re.Match[str]) -> str:
    """Return an object with the names of its members alone."""
    mark = found.group()[0]
    names = list(dict.fromkeys(_MEMBER.findall(found.group()[1:])))
    return f"{mark}{', '.join(f'{name}: ...' for name in names) or '...'}{_CLOSING[mark]}"


def _without_secret(found: re.Match[str]) -> str:
    """Return what is said of a password without it."""
    name, mark, word = found.groups()
    end = "" if word.startswith("...") else word[len(word.rstrip(".:)}")) :]
    plain = word.strip("().:'").replace("-", "").isalpha() and mark != "="
    return found.group() if plain or word.startswith(("...", "(")) else f"{name}{mark}...{end}"


def _unquoted(found: re.Match[str]) -> str:
    """Return a quotation where it is a name or a DN, and its marks alone where it is a value.

    What resource was asked for is a name too, as one that a mapping spells wrongly; whose object there is none.
    """
    mark, content = found.group()[0], found.group().strip(found.group()[0])
    if _DN.fullmatch(content):
        return found.group()
    before, after = found.string[: found.start()].rstrip(), found.string[found.end() :].lstrip()
    unrouted = before.endswith("Resource") and after.startswith("not found")
    if resource := _RESOURCE.fullmatch(content) or (_NO_ROUTE.fullmatch(content) if unrouted else None):
        return f"{mark}{resource[1]}{'/...' if resource[2] else ''}{mark}"
    named = _NAMING.search(before[-12:]) and before[-1:] not in ":=" and _NAMING.search(before.split()[-1])
    if _NAME.fullmatch(content) and (named or _NAMING.match(after)):
        return found.group()
    return f"{mark}...{mark}"


def remedy_for_dates(reason: str) -> str | None:
    """Return what mends a certificate that OpenSSL refuses for its dates, where no CA and no host name would; or None.

    :param reason: OpenSSL's words.
    """
    if "certificate has expired" in reason or "certificate is not yet valid" in reason:
        return "Renew the server's certificate; or set the clock right where the task runs."
    return None


def remedy_for_disorder(reason: str) -> str | None:
    """Return what mends OpenDJ's change log whose newest number stands for an older change than that before; or None.

    Two servers took changes at the same moment, and none came since. OpenDJ 4.6.5 then finds each number, and no range
    that reaches to the end: neither for us nor for liveSync. The next change mends it (seen).

    :param reason: the server's words, or IDM's of them.
    """
    if "NullPointerException(ChangelogBackend" not in reason:
        return None
    return (
        "The newest changes of the directory were numbered out of their order, as where two servers took changes at the"
        " same moment, and OpenDJ cannot search its change log to such an end. Make one more change, of any entry below"
        " the connector's base contexts (idmops.idm.livesync_canary does): liveSync goes on then."
    )


def few(names: t.Sequence[str], most: int = 5) -> str:
    """Return so many names at the most to be shown, and whether there are more."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")

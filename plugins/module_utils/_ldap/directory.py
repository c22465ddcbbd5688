# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LDAP to one directory server: bind once, read, modify."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .._base.context import Context
from .._base.errors import DirectoryError, InvalidOption
from .._base.limits import check_seconds
from .._base.text import remedy_for_dates, remedy_for_disorder
from .certificate import SILENT, connect_tls, explain
from .keeping import Keeping
from .library import ldap, require_ldap
from .url import host_and_port, is_open

BASE, ONE_LEVEL, SUBTREE = "base", "one", "sub"
_SCOPES = {BASE: 0, ONE_LEVEL: 1, SUBTREE: 2}
_DEREF = {"never": 0, "always": 3}

# LDAP result codes that the code above this file decides on (RFC 4511, appendix A).
SIZE_LIMIT_EXCEEDED = 4
UNAVAILABLE_CRITICAL_EXTENSION = 12
NO_SUCH_ATTRIBUTE = 16
ATTRIBUTE_OR_VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
INSUFFICIENT_ACCESS = 50
OBJECT_CLASS_VIOLATION = 65
OTHER = 80


@dataclass(frozen=True)
class Control:
    """A request control."""

    oid: str
    value: bytes
    critical: bool = True


@dataclass(frozen=True)
class Modification:
    """One change to one attribute.

    :param how: add, delete or replace; delete without values removes the attribute.
    """

    how: str
    attribute: str
    values: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Entry:
    """An entry as the directory showed it.

    :param attributes: by their names in lower case.
    """

    dn: str
    attributes: t.Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the stored bytes of an attribute's values."""
        return self.attributes.get(name.lower(), ())

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an attribute's values as text."""
        return tuple(value.decode(errors="replace") for value in self.values(name))

    def text(self, name: str) -> str | None:
        """Return an attribute's first value as text."""
        return next(iter(self.texts(name)), None)

    def number(self, name: str) -> int | None:
        """Return an attribute's first value as a number, None where it is not one."""
        try:
            return int(self.text(name) or "")
        except ValueError:
            return None


class NoAnswer(DirectoryError):
    """A server could not be reached, or hangs. There is no use in asking it again within the task.

    :param uri: which.
    """

    def __init__(self, message: str, uri: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.uri = uri


class Directory(Keeping):
    """Talks to one directory server as one account. Connects and binds at the first use, and only then.

    :param options: those of :func:`.options.access_options` that say how to connect, validated.
    :param uri: which of the servers.
    :param context: of the task; without one, as in check mode, a write is refused here, whoever asks for it.
    :raises InvalidOption: for options that cannot work; nothing has been sent then.
    :raises MissingLibrary: without python-ldap.
    """

    def __init__(self, options: t.Mapping[str, t.Any], uri: str, context: Context | None = None) -> None:
        require_ldap()
        self.uri = uri
        self._context = context or Context(check_mode=True)
        self._options = options
        self._host, self._port = _checked(options, uri, self._context)
        self.bind_dn = str(options["bind_dn"])
        self._timeout = float(options.get("timeout") or 30)
        self._bound: t.Any = None
        self._greeted = False

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self.close()

    def close(self) -> None:
        """Unbind, if there was a bind."""
        self.forget()
        connection, self._bound = self._bound, None
        if connection is not None:
            try:
                connection.unbind_s()
            except ldap.LDAPError:
                pass  # the line is gone already

    def search(
        self, base: str, scope: str, search_filter: str, attributes: t.Sequence[str], **how: t.Any
    ) -> list[Entry]:
        """Return the entries that a search finds. See :meth:`stream`."""
        return list(self.stream(base, scope, search_filter, attributes, **how))

    def stream(
        self,
        base: str,
        scope: str,
        search_filter: str,
        attributes: t.Sequence[str],
        *,
        deref: str = "never",
        controls: t.Sequence[Control] = (),
        size_limit: int = 0,
        page: int = 0,
    ) -> t.Iterator[Entry]:
        """Yield the entries that a search finds, as they come.

        :param scope: BASE, ONE_LEVEL or SUBTREE.
        :param attributes: their names; operational ones must be named.
        :param deref: never, or always, which is what the connector's library asks for.
        :param size_limit: how many entries the client wants at most; 0 is all.
        :param page: how many entries the server is asked for at a time, so that its own limit is never met; 0 is all at
            once.
        :raises DirectoryError: no answer, or an error. Entries may have been yielded before it.
        """
        what = f"Searching {base or 'the root DSE'}"
        connection = self._connection()
        try:
            connection.set_option(ldap.OPT_DEREF, _DEREF[deref])
            asked = [ldap.controls.RequestControl(one.oid, one.critical, one.value) for one in controls]
            paging = ldap.controls.SimplePagedResultsControl(True, size=page, cookie="") if page else None
            while True:
                message = connection.search_ext(
                    base,
                    _SCOPES[scope],
                    search_filter,
                    list(attributes),
                    serverctrls=[*asked, *([paging] if paging else [])],
                    sizelimit=size_limit,
                )
                kind, answered = None, []
                while kind != ldap.RES_SEARCH_RESULT:
                    kind, data, unused, answered, *unused = connection.result3(message, all=0, timeout=self._timeout)
                    for dn, found in data:
                        if dn is not None:  # None: a referral
                            yield Entry(dn, {name.lower(): tuple(values) for name, values in found.items()})
                if not (paging and _next_page(paging, answered)):
                    return
        except ldap.LDAPError as exc:
            error = self._error(what, exc)
            if error.status == INSUFFICIENT_ACCESS:
                error.remedy = _privilege_remedy(base, error)
            raise error from exc

    def read(self, dn: str, attributes: t.Sequence[str], **how: t.Any) -> Entry | None:
        """Return one entry, None if it does not exist or is not shown."""
        try:
            return next(iter(self.search(dn, BASE, "(objectClass=*)", attributes, **how)), None)
        except DirectoryError as exc:
            if exc.status == NO_SUCH_OBJECT:
                return None
            raise

    def modify(self, dn: str, modifications: t.Sequence[Modification]) -> None:
        """Change one entry, all modifications or none.

        :raises DirectoryError: no answer, or an error.
        """
        if self._context.check_mode:
            raise RuntimeError(f"Modifying {dn} would be a write in check mode")
        kinds = {"add": ldap.MOD_ADD, "delete": ldap.MOD_DELETE, "replace": ldap.MOD_REPLACE}
        changes = [(kinds[one.how], one.attribute, list(one.values) or None) for one in modifications]
        try:
            self._connection().modify_ext_s(dn, changes)
        except ldap.LDAPError as exc:
            raise self._error(f"Modifying {dn}", exc) from exc

    def _connection(self) -> t.Any:
        """Return the bound connection; the first call makes it."""
        if self._bound is None:
            self.greet()
            connection = self._open(pinned := self._pinned())
            try:
                if self._options.get("start_tls"):
                    connection.start_tls_s()
                if pinned:
                    self._require_same(connection, pinned)
                connection.simple_bind_s(self._options["bind_dn"], self._options["bind_password"])
            except ldap.LDAPError as exc:
                raise self._error(f"Binding as {self._options['bind_dn']}", exc) from exc
            self._bound = connection
        return self._bound

    def greet(self) -> None:
        """See to it, once, that the server answers, and in the way that the URL says, before it gets the password.

        :raises DirectoryError: when it does not, or its certificate is refused.
        """
        if not self._greeted:
            if reason := self._explain(validate=self._pins):
                raise self._unreachable(reason)
            self._greeted = True

    @property
    def _pins(self) -> bool:
        """Whether libldap cannot be left to check the server's certificate.

        It takes "localhost" for the machine's own name, which stands in few certificates (seen with libldap 2.5.13 and
        GnuTLS).
        """
        return self._encrypted and self._validate and self._host == "localhost" and hasattr(ldap, "OPT_X_TLS_PEERCERT")

    def _pinned(self) -> bytes | None:
        """Return the server's certificate where libldap cannot be left to check it."""
        if not self._pins:
            return None
        try:
            return connect_tls(self._host, self._port, **self._tls_options(True))
        except OSError as exc:  # it has gone since it was greeted
            raise self._unreachable(self._explain(validate=True) or exc.strerror or str(exc)) from exc

    def _require_same(self, connection: t.Any, certificate: bytes) -> None:
        """Refuse a connection that is not to the owner of a certificate, before the password is sent on it."""
        try:
            connection.search_s("", ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
        except (ldap.INSUFFICIENT_ACCESS, ldap.UNWILLING_TO_PERFORM, ldap.NO_SUCH_OBJECT):
            pass  # a server that answers nobody unknown; the TLS connection is there all the same
        if connection.get_option(ldap.OPT_X_TLS_PEERCERT) != certificate:
            raise self._unreachable("its certificate is refused: it differs from one connection to the next")

    def _open(self, pinned: bytes | None) -> t.Any:
        """Return a connection with options of its own: global ones would reach into others' connections."""
        connection = ldap.initialize(self.uri)
        connection.protocol_version = 3
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, self._timeout)
        connection.set_option(ldap.OPT_TIMEOUT, self._timeout)
        connection.timeout = self._timeout
        if self._encrypted:
            check = self._validate and not pinned
            connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND if check else ldap.OPT_X_TLS_ALLOW)
            if self._options.get("ca_path"):
                connection.set_option(ldap.OPT_X_TLS_CACERTFILE, self._options["ca_path"])
            connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # the options above hold for a new TLS context only
        return connection

    @property
    def _encrypted(self) -> bool:
        return self.uri.lower().startswith("ldaps:") or bool(self._options.get("start_tls"))

    @property
    def _validate(self) -> bool:
        return bool(self._options.get("validate_certs", True))

    def _tls_options(self, validate: bool) -> dict[str, t.Any]:
        return {
            "start_tls": bool(self._options.get("start_tls")),
            "ca_path": self._options.get("ca_path"),
            "validate": validate,
            "timeout": self._timeout,
        }

    def _explain(self, *, validate: bool) -> str | None:
        return explain(self._host, self._port, tls=self._encrypted, **self._tls_options(validate))

    def _unreachable(self, reason: str) -> NoAnswer:
        reason = reason.rstrip(".")
        if reason.startswith(SILENT):
            remedy = "Look at the server: it runs and does not answer, or something before it takes connections for it."
            return NoAnswer(f"{self.uri} hangs: {reason}.", self.uri, remedy)
        remedy = "Check the URL, and that the directory server runs there."
        if "certificate is refused" in reason:
            named = "Give the CA that signed it in ca_path, and in the URL a host name that stands in it."
            remedy = remedy_for_dates(reason) or named
        elif "in ca_path" in reason:
            remedy = "Give in ca_path a file in PEM that can be read where the task runs, or leave it out."
            return NoAnswer(f"{self.uri} was not asked: {reason}.", self.uri, remedy)
        return NoAnswer(f"{self.uri} cannot be reached: {reason}.", self.uri, remedy)

    def _error(self, what: str, exc: t.Any) -> DirectoryError:
        """Turn an exception of python-ldap into one that says where and what to do."""
        details = exc.args[0] if exc.args and isinstance(exc.args[0], dict) else {}
        code = details.get("result")
        if isinstance(exc, (ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED)) and (code is None or code < 0):
            return NoAnswer(
                f"{what} on {self.uri}: no answer within {self._timeout:g} s (option timeout).",
                self.uri,
                "Check that the server is well, and what lies between.",
            )
        if isinstance(exc, (ldap.SERVER_DOWN, ldap.CONNECT_ERROR)) or code is None or code < 0:
            reason = self._explain(validate=self._validate) if self._bound is None else None
            said = details.get("info") or details.get("desc") or type(exc).__name__
            return self._unreachable(reason or f"the LDAP library gives up on it: {said}")
        reason = details.get("info") or details.get("desc") or type(exc).__name__
        return DirectoryError(
            f"{what} on {self.uri} answered {code} ({details.get('desc', type(exc).__name__)}): {reason.rstrip('.')}.",
            status=code,
            remedy=_REMEDIES.get(code) or remedy_for_disorder(reason),
        )


_REMEDIES = {
    INVALID_CREDENTIALS: "Check bind_dn and bind_password.",
    8: "The server wants more than a simple bind; use ldaps:// or start_tls: true.",
    13: "The server wants an encrypted connection; use ldaps:// or start_tls: true.",
}


def _next_page(paging: t.Any, answered: t.Iterable[t.Any]) -> bool:
    """Set a paged search on to its next page; return whether there is one."""
    paging.cookie = next((one.cookie for one in answered if one.controlType == paging.controlType), "")
    return bool(paging.cookie)


def _privilege_remedy(base: str, error: DirectoryError) -> str | None:
    """Return which privilege a refused search lacks (OpenDJ, seen on 4.6.5)."""
    privilege = None
    if "unindexed" in error.message:
        privilege = "unindexed-search"
    elif base.lower().endswith("cn=config"):
        privilege = "config-read"
    elif base.lower().endswith("cn=changelog"):
        privilege = "changelog-read"
    return f"The account in bind_dn needs the privilege {privilege} (ds-privilege-name)." if privilege else None


def _checked(options: t.Mapping[str, t.Any], uri: str, context: Context) -> tuple[str, int]:
    """Return host and port of a URL that can be used with these options.

    :raises InvalidOption: if it cannot.
    """
    host, port = host_and_port(uri)
    scheme = urlsplit(uri).scheme.lower()
    if options.get("start_tls") and scheme == "ldaps":
        raise InvalidOption("start_tls", True, f"{uri} is encrypted from the start; StartTLS is for ldap:// alone.")
    if not options.get("bind_dn"):
        raise InvalidOption("bind_dn", options.get("bind_dn"), "Give the DN of an administrator.")
    if not options.get("bind_password"):
        raise InvalidOption(
            "bind_password", "", "A bind with an empty password succeeds as nobody in particular (RFC 4513, 5.1.2)."
        )
    if options.get("timeout") is not None:
        check_seconds("timeout", options["timeout"])
    if is_open(uri, start_tls=bool(options.get("start_tls"))):
        context.report.warn(
            f"{uri} is not encrypted, so the password can be read on the way. Use ldaps:// or start_tls: true."
        )
    return host, port

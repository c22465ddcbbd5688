# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source of liveSync: one object type of one connected system."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote, unquote

from .._base.errors import InvalidOption

#: How a module that takes several sources lets the one be called that is given alone.
_ALIAS = "source"
_SYSTEM = re.compile(r"^[\w.-]+$")


@dataclass(frozen=True)
class Source:
    """One object type of one connected system, as in system/ldap/account.

    :param system: the connector's name.
    :param object_type: the object type's name in the connector's configuration.
    """

    system: str
    object_type: str

    @classmethod
    def parse(cls, text: str, option: str = "source") -> Source:
        """Return the source that a text names.

        :param option: the option that the text came with, for the error.
        :raises InvalidOption: when the text does not name one object type of one system.
        """
        parts = [unquote(part) for part in text.strip().strip("/").split("/")]
        if len(parts) != 3 or parts[0] != "system" or not all(parts):
            raise InvalidOption(
                option, text, "Write it as system/<connector>/<object type>, as in system/ldap/account."
            )
        if not _SYSTEM.match(parts[1]):
            raise InvalidOption(option, text, "A connector's name has neither blanks nor signs.")
        return cls(parts[1], parts[2])

    @classmethod
    def of(cls, text: str | None) -> Source | None:
        """Return the source that a text of the server's names, None where it names none."""
        try:
            return cls.parse(text or "")
        except InvalidOption:
            return None

    def check(self, object_types: t.Mapping[str, t.Sequence[str]], option: str = "source") -> None:
        """Check that IDM has this source.

        :param object_types: those of each connector, by its name; an empty list where they are not known.
        :param option: the option that the source came with, for the error.
        :raises InvalidOption: when it has not; it names what there is.
        """
        if self.system not in object_types:
            known = ", ".join(sorted(object_types)) or "none"
            raise InvalidOption(option, str(self), f"IDM has no connector {self.system}; it has: {known}.")
        types = [name for name in object_types[self.system] if name != "__ALL__"]
        if types and self.object_type not in object_types[self.system]:
            raise InvalidOption(
                option,
                str(self),
                f"The connector {self.system} has no object type {self.object_type}; it has: {', '.join(types)}.",
            )

    def is_named_by(self, text: str | None) -> bool:
        """Tell whether a text names this source; the connector's name in whatever case, the object type's exactly.

        (Seen on OpenIDM 6.1.0: a mapping whose source is system/LDAP/account or SYSTEM/ldap/account takes the changes
        of system/ldap/account, one of system/ldap/Account takes none. A job with any of them runs nothing.)
        """
        parts = (text or "").strip("/").split("/")
        if len(parts) != 3:
            return False
        return (parts[0].lower(), parts[1].lower(), parts[2]) == ("system", self.system.lower(), self.object_type)

    def resembles(self, text: str | None) -> bool:
        """Tell whether a text is this source but for the case of its letters, and for blanks around it."""
        return (text or "").strip().strip("/").lower() == str(self).lower()

    @staticmethod
    def otherwise(text: str) -> str:
        """Return in which way a text that resembles a source is written otherwise."""
        return "in another case" if text == text.strip() else "with blanks around it"

    def __str__(self) -> str:
        return f"system/{self.system}/{self.object_type}"

    @property
    def path(self) -> str:
        """The source as the path of a request."""
        return f"system/{quote(self.system, safe='')}/{quote(self.object_type, safe='')}"

    @property
    def stage_id(self) -> str:
        """The id of the document that holds the sync token ("OpenIDM family over REST", section 2.1)."""
        return f"system{self.system}{self.object_type}".upper()


def option_of_sources(options: t.Mapping[str, t.Any]) -> str:
    """Return what the user called the option ``sources``, for errors.

    :param options: of a module, validated: Ansible keeps an alias that was given beside the option's own name.
    """
    return _ALIAS if options.get(_ALIAS) is not None else "sources"


def named_sources(options: t.Mapping[str, t.Any]) -> list[Source]:
    """Return the sources of the option ``sources``, none where it was not given: all are meant then.

    :raises InvalidOption: for what is no source, and for a list that came out empty.
    """
    option, texts = option_of_sources(options), options["sources"]
    if texts == []:
        raise InvalidOption(option, texts, "Name at least one, as in system/ldap/account, or leave it out for all.")
    return [Source.parse(text, option) for text in texts or ()]

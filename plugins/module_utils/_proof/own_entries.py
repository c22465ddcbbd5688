# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory itself, as its administrator sees it: what the connector's account does not see or leaves out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.errors import DirectoryError
from .._changelog.limits import naming_contexts, outermost
from .._changelog.log import NUMBERS, ChangeLog, as_time, time_of
from .._changelog.numbered import NUMBERED_WITHIN, changes_in, unnumbered
from .._idm.audit import seconds_between
from .._idm.connector_config import Connector
from .._idm.connector_filters import classes_filter, classes_named_by, search_filter
from .._ldap.directory import BASE, NO_SUCH_OBJECT, SIZE_LIMIT_EXCEEDED, SUBTREE, Directory, Entry
from .._ldap.dn import Name, escape_filter, is_name, is_within_any
from .comparison import Comparison
from .difference import FILTERED, HIDDEN, UNKNOWN

#: So many entries one page of a search holds, fewer than any server's size limit.
_PAGE = 500
#: So many entries one filter asks for.
_AT_ONCE = 50
#: So many show whether entries are found by their ids at all.
_FEW = 3
#: So many pending changes are looked through first for those of some entries, then twice as many, and so on.
_FIRST_LOOK = 1000
_TEXT = "string"
_ABOUT = ("objectClass", "modifiersName", "creatorsName", "modifyTimestamp", "createTimestamp")


@dataclass(frozen=True)
class OwnEntries:
    """The entries of a directory that an object type of a connector is about.

    :param names: the native name of each property of the object type that holds texts.
    :param search_filter: by which the connector finds them.
    :param classes: what of the connector's configuration names the object classes.
    :param narrowing: the property that holds a further filter of the connector's search, and the filter, None where a
        placeholder stands there.
    """

    directory: Directory
    bases: tuple[str, ...]
    uid: str
    search_filter: str
    narrowing: tuple[str, str | None] | None
    names: t.Mapping[str, str]
    account: str = "the account of the connector"
    classes: str = "objectClasses"

    @classmethod
    def of(cls, directory: Directory | None, connector: Connector, object_type: str) -> OwnEntries | None:
        """Return the entries, None where the configuration does not tell which they are."""
        wanted, narrowing = classes_filter(connector, object_type), search_filter(connector, object_type)
        bases = connector.base_contexts
        if directory is None or not wanted or not bases or not all(map(is_name, bases)):
            return None
        return cls(
            directory=directory,
            bases=tuple(outermost(bases)),
            uid=connector.uid_attribute or "entryUUID",
            search_filter=wanted,
            narrowing=narrowing,
            account=connector.principal or "the account of the connector",
            classes=classes_named_by(connector, object_type),
            names={
                name: native
                for name, native in connector.native_names.get(object_type, {}).items()
                if connector.json_types.get(object_type, {}).get(name, _TEXT) in (_TEXT, "array")
            },
        )

    def masks(self, comparison: Comparison) -> t.Iterator[tuple[str, int]]:
        """Yield the id of each entry, by which IDM knows it, and which of the properties that are compared it has.

        :raises DirectoryError: no answer, or an error; or no entry shows its id, so that all would be passed over.
        """
        named, unnamed = False, ""
        natives = [self.names[one.source] for one in comparison.seen if one.source in self.names]
        for base in self.bases:
            for entry in self.directory.stream(base, SUBTREE, self.search_filter, [self.uid, *natives], page=_PAGE):
                if name := self._id_of(entry):
                    named = True
                    yield name, comparison.mask(self.body(entry) or {})
                else:
                    unnamed = entry.dn
        if unnamed and not named:
            raise DirectoryError(
                f"{self.directory.uri} does not show {self.uid} of {unnamed}, nor of any other entry, to"
                f" {self.directory.bind_dn}: which of them IDM knows cannot be told.",
                remedy="Give another account in bind_dn: one with the privilege bypass-acl, or an ACI that lets it read"
                f" {self.uid}. Where no entry has that attribute, the connector's uidAttribute is wrong.",
            )

    def entries(self, ids: t.Iterable[str], further: str = "") -> dict[str, Entry]:
        """Return some of the entries by their ids, with all that their properties come from.

        :param further: a filter that they have to match too, as LDAP writes it.
        """
        return self._found(self.bases, ids, f"{self.search_filter}{further}")

    def passing(self, ids: t.Iterable[str]) -> set[str]:
        """Return those of some ids whose entries the connector's search selects.

        A search filter stands in place of the object classes: with (!(uid=user.1*)) the container above the people was
        listed as an account (seen on OpenIDM 6.1.0). What a placeholder hides lets all pass.
        """
        unused, stated = self.narrowing or ("", None)
        return set(self._found(self.bases, ids, stated or self.search_filter, briefly=True))

    def unproved(self) -> str | None:
        """Return why it proves nothing that an entry is not found by its id, None where it is then gone.

        Whoever is not shown an entry, or not allowed to look for its id, gets the same answer as if it were gone.
        """
        who = f"{self.directory.uri} does not show {{what}} to {self.directory.bind_dn}"
        tops = naming_contexts(self.directory)
        hidden = [top for top in tops if self.directory.read(top, ["objectClass"]) is None]
        if hidden or not tops:
            return who.format(what="; ".join(hidden) or "its naming contexts")
        some = [name for base in self.bases for name in self.below(base, _FEW, self.search_filter)][:_FEW]
        if some and self._found(tops, some, "", briefly=True).keys() >= set(some):
            return None
        return who.format(what=f"entries by {self.uid}" if some else "any entry that the connector looks for")

    def why_unseen(self, ids: t.Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return why IDM does not see some of the entries: a reason and a detail, by their ids."""
        name, stated = self.narrowing or ("", "")
        passing = self.entries(ids, stated) if stated and ids else dict.fromkeys(ids)
        hidden = (HIDDEN, f"the directory has it, and does not show it to {self.account}")
        if stated is None:
            hidden = (UNKNOWN, f"IDM does not see it, and what {name} lets pass cannot be known: a placeholder")
        return {one: hidden if one in passing else (FILTERED, f"{name} does not match it") for one in ids}

    def elsewhere(self, ids: t.Iterable[str]) -> dict[str, str]:
        """Return why the connector does not look for some entries that the directory has all the same, by their ids."""
        return {name: why for name, (why, unused) in self.left_out(ids).items()}

    def left_out(self, ids: t.Iterable[str]) -> dict[str, tuple[str, Entry | None]]:
        """Return as :meth:`elsewhere`, each with its entry where that is still at its place, and merely of other object
        classes than those that the connector looks for.
        """
        found = self._found(naming_contexts(self.directory), ids, "")
        inside = [Name.parse(base) for base in self.bases]
        classes = f"it has not all object classes that the connector looks for ({self.classes})"
        return {
            name: (classes, entry)
            if is_within_any(entry.dn, inside)
            else ("it lies outside of the connector's base contexts", None)
            for name, entry in found.items()
        }

    def below(self, dn: str, most: int, wanted: str = "(objectClass=*)") -> list[str]:
        """Return the ids of the entries below a name, so many at the most; none where there is no such name."""
        found: list[str] = []
        limit, page = (0, _PAGE) if most > _PAGE else (most, 0)  # the server's own limit would cut a longer list
        try:
            for entry in self.directory.stream(dn, SUBTREE, wanted, [self.uid], size_limit=limit, page=page):
                found += filter(None, [self._id_of(entry)])
                if len(found) == most:
                    break
        except DirectoryError as exc:
            if exc.status not in (NO_SUCH_OBJECT, SIZE_LIMIT_EXCEEDED):
                raise
        return found

    def _found(
        self, bases: t.Iterable[str], ids: t.Iterable[str], wanted: str, *, briefly: bool = False
    ) -> dict[str, Entry]:
        """Return entries by their ids.

        :param briefly: whether their ids are enough.
        """
        asked = [self.uid] if briefly else [*dict.fromkeys([self.uid, *_ABOUT, *self.names.values()])]
        known = list(dict.fromkeys(ids))
        if self._by_dn:
            return self._by_names(list(bases), known, wanted, asked)
        found: dict[str, Entry] = {}
        for base in bases if known else ():
            for start in range(0, len(known), _AT_ONCE):
                these = "".join(f"({self.uid}={escape_filter(one)})" for one in known[start : start + _AT_ONCE])
                for entry in self.directory.stream(base, SUBTREE, f"(&{wanted}(|{these}))", asked):
                    if name := self._id_of(entry):
                        found[name] = entry
        return found

    def _by_names(
        self, bases: t.Sequence[str], names: t.Iterable[str], wanted: str, asked: t.Sequence[str]
    ) -> dict[str, Entry]:
        """Return entries whose ids are their names: no filter selects by dn."""
        inside = [Name.parse(base) for base in bases]
        found: dict[str, Entry] = {}
        for name in names:
            if not (is_name(name) and is_within_any(name, inside)):
                continue
            try:
                for entry in self.directory.stream(name, BASE, wanted or "(objectClass=*)", asked):
                    found[name] = entry
            except DirectoryError as exc:
                if exc.status != NO_SUCH_OBJECT:
                    raise
        return found

    def changed_after(self, log: ChangeLog | None, token: int, of: t.Collection[str] = ()) -> set[str] | None:
        """Return the ids of the entries that changes after a token touch, None where that cannot be known.

        A change that is so young that its number may be still to come is after any token.

        :param log: how far the change log reaches now.
        :param of: the ids that are asked for, so that no more is read once all of them are found; empty for all.
        :raises DirectoryError: no answer, or an error.
        """
        if log is None or log.mode != NUMBERS or self.uid.lower() != "entryuuid":
            return None
        found: set[str] = set()
        start, window = max(token + 1, log.first), _FIRST_LOOK if of else log.last
        while start <= log.last and not (of and found.issuperset(of)):
            end = min(start + window - 1, log.last)
            for entry in changes_in(self.directory, log, start, end, ["targetEntryUUID"]):
                if name := entry.text("targetEntryUUID"):
                    found.add(name)
            start, window = end + 1, 2 * window
        return found if of and found.issuperset(of) else found | self._awaiting_number(log)

    def _awaiting_number(self, log: ChangeLog) -> set[str]:
        """Return the ids of the entries whose change has no number yet, and is too young for that to be odd."""
        found = unnumbered(self.directory, log)
        now = time_of(self.directory) if found else None
        ages = [
            (one.text("targetEntryUUID"), seconds_between(as_time(one.text("changeTime")), now)) for one in found or ()
        ]
        return {name for name, age in ages if name and age is not None and age <= NUMBERED_WITHIN}

    def body(self, entry: Entry) -> dict[str, t.Any] | None:
        """Return an entry as IDM would show it, each property a list of texts; None where one of them is no text."""
        found: dict[str, t.Any] = {}
        for name, native in self.names.items():
            if native == "__NAME__":
                found[name] = [entry.dn]
                continue
            try:
                found[name] = [value.decode() for value in entry.values(native)]
            except UnicodeDecodeError:
                return None
        return found

    @property
    def _by_dn(self) -> bool:
        return self.uid.lower() in ("dn", "entrydn")

    def _id_of(self, entry: Entry) -> str | None:
        return entry.dn if self._by_dn else entry.text(self.uid)

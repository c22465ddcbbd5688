# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one account is granted on one directory server for liveSync: read, decided, applied."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.context import Context
from .._base.errors import DirectoryError
from .._ldap.directory import (
    ATTRIBUTE_OR_VALUE_EXISTS,
    BASE,
    INSUFFICIENT_ACCESS,
    NO_SUCH_ATTRIBUTE,
    OBJECT_CLASS_VIOLATION,
    UNAVAILABLE_CRITICAL_EXTENSION,
    Directory,
    Modification,
)
from .._ldap.dn import Name
from .aci import AciChange, decide_acis, ours_among
from .limits import UNLIMITED, LoadLimits, read_limits
from .log import NO_CHANGE_LOG_REMEDY, SUFFIX, ChangeLog, first_change_log, there
from .rights import (
    CHANGE_LOG,
    CHANGELOG_READ,
    LIMITS,
    PRIVILEGE,
    PRIVILEGES,
    ROOT_DSE,
    UNINDEXED_SEARCH,
    Access,
    Account,
    judge_rights,
    read_account,
)
from .server_config import ACCESS_HANDLER, GLOBAL_ACI, read_server_defaults, search_config

_HANDLER_CLASS = "ds-cfg-dsee-compat-access-control-handler"
#: How often a decision is made anew because somebody else wrote at the same moment.
_RACES = 3


class DeniedByAci(DirectoryError):
    """An ACI of somebody denies the account what would be granted, and a denial outweighs every grant."""


@dataclass(frozen=True)
class WantedGrants:
    """What the caller asks for.

    :param principal: the account.
    :param present: False takes our grants away.
    :param remove_privilege: with ``present`` False, the privilege too.
    :param raise_limits: whether the limits are raised to what the number of entries needs.
    :param limits: the least value of single limits, by their names in LIMITS; 0 is no limit.
    :param unindexed_search: whether that privilege is granted; None is where ``load`` needs it.
    :param base_contexts: where the connector searches; none is everything that the server holds.
    """

    principal: Name
    present: bool = True
    remove_privilege: bool = False
    raise_limits: bool = False
    limits: t.Mapping[str, int] = field(default_factory=dict)
    unindexed_search: bool | None = None
    base_contexts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grants:
    """What there is on one server.

    :param uri: of the server.
    :param account: None where there is no such account (any more).
    :param acis: every global ACI, as stored.
    :param access: what the directory says the account may; None where it cannot be asked.
    :param limits: None where nothing is to be granted.
    """

    account: Account | None
    acis: tuple[bytes, ...]
    change_log: ChangeLog | None
    access: Access | None
    limits: LoadLimits | None
    uri: str = ""

    @property
    def suffix(self) -> str:
        """Where the change log is searched."""
        return self.change_log.suffix if self.change_log else SUFFIX

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps the account from liveSync and from a load."""
        return (*(self.access.missing if self.access else ()), *(self.limits.missing if self.limits else ()))


@dataclass(frozen=True)
class GrantPlan:
    """What has to change on one server.

    :param aci: in the global ACIs.
    :param give: privileges to add to the account.
    :param take: privileges to take from it.
    :param raise_limits: the account's new limits, by their names in LIMITS.
    :param own_limits: those of them that the account shows a value of. The others are added and not replaced, so that
        one which is there all the same, and hidden from the administrator, is not lowered but refused (65, seen on
        OpenDJ 4.6.5).
    """

    aci: AciChange = AciChange()
    give: frozenset[str] = frozenset()
    take: frozenset[str] = frozenset()
    raise_limits: t.Mapping[str, int] = field(default_factory=dict)
    own_limits: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.aci or self.on_account)

    @property
    def on_account(self) -> tuple[Modification, ...]:
        """The changes to the account's entry: one modification, so one record in the change log."""
        found = []
        if self.give:
            found.append(Modification("add", "ds-privilege-name", tuple(name.encode() for name in sorted(self.give))))
        if self.take:
            found.append(
                Modification("delete", "ds-privilege-name", tuple(name.encode() for name in sorted(self.take)))
            )
        for name, value in self.raise_limits.items():
            how = "replace" if name in self.own_limits else "add"
            found.append(Modification(how, LIMITS[name], (str(value).encode(),)))
        return tuple(found)

    @property
    def on_configuration(self) -> tuple[Modification, ...]:
        """The changes to the global ACIs. The rest of the attribute's values is never sent."""
        found = []
        if self.aci.delete:
            found.append(Modification("delete", GLOBAL_ACI, self.aci.delete))
        if self.aci.add:
            found.append(Modification("add", GLOBAL_ACI, self.aci.add))
        return tuple(found)

    @property
    def undone(self) -> GrantPlan:
        """What takes the ACIs and privileges back. Limits stay: they let nobody see more than before."""
        return GrantPlan(AciChange(delete=self.aci.add, add=self.aci.delete), give=self.take, take=self.give)


def read_grants(directory: Directory, wanted: WantedGrants) -> Grants:
    """Read everything that a decision needs.

    :raises DirectoryError: no answer, the bind account may not read it, or, where grants are wanted, there is
        nothing to grant: no account, no change log, another kind of access control.
    """
    principal = str(wanted.principal)
    defaults = read_server_defaults(directory)
    acis = _read_acis(directory)
    account = read_account(directory, principal, defaults)
    log = first_change_log(directory, account.dn if account else None)
    limits = None
    if wanted.present:
        if log is None:
            raise DirectoryError(f"{directory.uri} keeps no change log.", remedy=NO_CHANGE_LOG_REMEDY)
        limits = read_limits(directory, there(directory, principal, account), defaults, wanted.base_contexts)
    access = None
    if account and log:
        try:
            access = judge_rights(directory, account, log.suffix, log.last)
        except DirectoryError as exc:
            if wanted.present or exc.status not in (INSUFFICIENT_ACCESS, UNAVAILABLE_CRITICAL_EXTENSION):
                raise  # to take away what is ours needs no judgement
    return Grants(account, acis, log, access, limits, directory.uri)


def _read_acis(directory: Directory) -> tuple[bytes, ...]:
    entry = search_config(directory, ACCESS_HANDLER, BASE, "(objectClass=*)", ["objectClass", GLOBAL_ACI])[0]
    if _HANDLER_CLASS not in [text.lower() for text in entry.texts("objectClass")]:
        raise DirectoryError(
            f"{directory.uri} does not decide access by ACIs: {ACCESS_HANDLER} is"
            f" {', '.join(entry.texts('objectClass'))}.",
            remedy="Give the directory servers themselves, not a proxy before them.",
        )
    return entry.values(GLOBAL_ACI)


def decide_grants(grants: Grants, wanted: WantedGrants) -> GrantPlan:
    """Return what has to change. Pure.

    :raises DirectoryError: where something stands against it that is not ours to remove.
    """
    missing = grants.access.missing if grants.access else ()
    aci = decide_acis(grants.acis, wanted.principal, grants.suffix, wanted=missing, present=wanted.present)
    account = grants.account
    if account is None:
        return GrantPlan(aci)
    if wanted.present and grants.access and grants.access.denied_by:
        raise DeniedByAci(
            f"An ACI on {grants.uri} denies {account.dn} what liveSync reads: {', '.join(grants.access.denied_by)}."
            " A denial outweighs every grant, so that nothing was granted.",
            remedy=f"Remove it from {GLOBAL_ACI} of {ACCESS_HANDLER} there, or take the account out of it.",
        )
    if not wanted.present:
        take = {CHANGELOG_READ} & account.own_privileges if wanted.remove_privilege else ()
        return GrantPlan(aci, take=frozenset(take))
    give = _privileges_to_give(grants, account, wanted)
    return GrantPlan(aci, give, raise_limits=_limits_to_raise(grants, wanted), own_limits=frozenset(account.limits))


def _privileges_to_give(grants: Grants, account: Account, wanted: WantedGrants) -> frozenset[str]:
    give = {CHANGELOG_READ}
    needed = bool(wanted.raise_limits and grants.limits and grants.limits.needs_unindexed_search)
    if wanted.unindexed_search or (wanted.unindexed_search is None and needed):
        give.add(UNINDEXED_SEARCH)
    give -= account.privileges
    refused = give & account.denied
    if refused:
        names = ", ".join(f"-{name}" for name in sorted(refused))
        raise DirectoryError(
            f"ds-privilege-name: {names} on {account.dn} takes away what would be granted.",
            remedy="Remove that value, or let IDM use another account.",
        )
    return frozenset(give)


def _limits_to_raise(grants: Grants, wanted: WantedGrants) -> dict[str, int]:
    found = {}
    for limit in grants.limits.limits if grants.limits else ():
        asked = wanted.limits.get(limit.name)
        values = [limit.raised(asked)] if asked is not None else []
        values += [limit.raised(None)] if wanted.raise_limits else []
        known = [value for value in values if value is not None]
        if known:
            found[limit.name] = UNLIMITED if UNLIMITED in known else max(known)
    return found


def predict(grants: Grants, plan: GrantPlan) -> Grants:
    """Return what there will be once a plan is carried out. Pure."""
    gone = set(plan.aci.delete)
    found = replace(grants, acis=(*(value for value in grants.acis if value not in gone), *plan.aci.add))
    if grants.access:
        held = set(grants.access.granted) | plan.aci.given | ({PRIVILEGE} if CHANGELOG_READ in plan.give else set())
        access: Access | None = Access(PRIVILEGE in held, ROOT_DSE in held, CHANGE_LOG in held)
        if plan.aci.taken or CHANGELOG_READ in plan.take:
            access = None  # what others grant, too, only the directory can tell, once ours is gone
        found = replace(found, access=access)
    if grants.account:
        own = (grants.account.own_privileges | plan.give) - plan.take
        limits = {**grants.account.limits, **plan.raise_limits}
        found = replace(found, account=replace(grants.account, own_privileges=own, limits=limits))
    if grants.limits:
        raised = grants.limits.with_changes(plan.raise_limits, unindexed_search=UNINDEXED_SEARCH in plan.give)
        found = replace(found, limits=raised)
    return found


def managed_state(grants: Grants, principal: Name) -> dict[str, t.Any]:
    """Return what a diff shows: our ACIs, the privileges that we give, the account's own limits."""
    account = grants.account
    return {
        "acis": ours_among(grants.acis, principal),
        "privileges": sorted(account.own_privileges & PRIVILEGES) if account else [],
        **{attribute: account.limits.get(name) if account else None for name, attribute in LIMITS.items()},
    }


def apply_grants(directory: Directory, wanted: WantedGrants, context: Context) -> tuple[Grants, Grants, bool]:
    """Bring one server to what is wanted; return what was there, what is (or would be) there, and whether that differs.

    Where somebody else writes the same values at the same moment, all is read and decided again.

    :raises DirectoryError: no answer, an error, or grants that did not have their effect; its result tells whether
        something was changed all the same.
    """
    before = grants = read_grants(directory, wanted)
    changed = False
    done: list[GrantPlan] = []
    for races_left in reversed(range(_RACES)):
        plan = decide_grants(grants, wanted)
        if not plan:
            break
        _require_privileges(directory, plan)
        if context.check_mode:
            return before, predict(grants, plan), True
        try:
            for dn, modifications in _writes(grants, plan):
                _write(directory, dn, modifications)
                changed = True
            done.append(plan)
        except DirectoryError as exc:
            if not races_left or exc.status not in (ATTRIBUTE_OR_VALUE_EXISTS, NO_SUCH_ATTRIBUTE):
                exc.result["changed"] = changed
                if exc.status in (ATTRIBUTE_OR_VALUE_EXISTS, OBJECT_CLASS_VIOLATION):
                    names = sorted({one.attribute for one in (*plan.on_account, *plan.on_configuration)})
                    exc.remedy = (
                        "Somebody else writes the same all the time, or the account in bind_dn may not read"
                        f" {' and '.join(names)} of {wanted.principal} or {ACCESS_HANDLER}: let it (an ACI, or the"
                        " privilege bypass-acl)."
                    )
                raise
        grants = read_grants(directory, wanted)
    if wanted.present and grants.access and grants.access.missing:
        raise _without_effect(directory, grants, wanted, done)
    return before, grants, changed


def _without_effect(
    directory: Directory, grants: Grants, wanted: WantedGrants, done: t.Sequence[GrantPlan]
) -> DirectoryError:
    """Take back what was granted for nothing, and return the error that says so.

    :param done: what this run has written, in its order.
    """
    missing = _spoken(grants.access.missing if grants.access else ())
    text = f"{directory.uri} still refuses {wanted.principal} the {missing}, although all is granted."
    changed = any(plan.raise_limits for plan in done)
    try:
        for plan in reversed(done):
            for dn, modifications in _writes(grants, plan.undone):
                _write(directory, dn, modifications)
        text += " What this run granted was taken back." if done else ""
    except DirectoryError as exc:
        text, changed = f"{text} What this run granted is still there: {exc.message}", True
    return DirectoryError(text, remedy="Look for an ACI that denies it.", result={"changed": changed})


def _writes(grants: Grants, plan: GrantPlan) -> list[tuple[str, tuple[Modification, ...]]]:
    found = [(ACCESS_HANDLER, plan.on_configuration)]
    if grants.account:
        found.insert(0, (grants.account.dn, plan.on_account))
    return [(dn, modifications) for dn, modifications in found if modifications]


def _write(directory: Directory, dn: str, modifications: tuple[Modification, ...]) -> None:
    try:
        directory.modify(dn, modifications)
    except DirectoryError as exc:
        if exc.status == INSUFFICIENT_ACCESS:
            privileges = " and ".join(sorted(_needed_privileges(modifications)))
            attributes = sorted({one.attribute for one in modifications})
            exc.remedy = (
                f"The account in bind_dn needs {f'the privilege {privileges} and ' if privileges else ''}"
                f"the right to write {', '.join(attributes)} of {dn} (the privilege bypass-acl, or an ACI"
                f"{'; modify-acl too where the server asks for it' if GLOBAL_ACI in attributes else ''})."
            )
        raise


def _needed_privileges(modifications: t.Iterable[Modification]) -> frozenset[str]:
    """Return what a bind account must have beside write access (OpenDJ, seen on 4.6.5: error 50 without)."""
    attributes = {one.attribute for one in modifications}
    needed = {"config-read", "config-write"} if GLOBAL_ACI in attributes else set()
    return frozenset(needed | ({"privilege-change"} if "ds-privilege-name" in attributes else set()))


def _require_privileges(directory: Directory, plan: GrantPlan) -> None:
    """Refuse a plan of which a part would be refused, before anything is written.

    :raises DirectoryError: when the bind account shows its privileges, and a needed one is not among them.
    """
    needed = _needed_privileges((*plan.on_account, *plan.on_configuration))
    admin = read_account(directory, directory.bind_dn, read_server_defaults(directory))
    lacking = needed - admin.privileges if admin and admin.privileges else ()
    if lacking:
        raise DirectoryError(
            f"{directory.bind_dn} lacks the privilege {' and '.join(sorted(lacking))} on {directory.uri},"
            " so that it cannot grant what is missing.",
            status=INSUFFICIENT_ACCESS,
            remedy="Add it to ds-privilege-name of that account, or give another one in bind_dn.",
        )


def _spoken(missing: t.Iterable[str]) -> str:
    names = {
        PRIVILEGE: "privilege changelog-read",
        ROOT_DSE: "change log's root DSE attributes",
        CHANGE_LOG: "change log",
    }
    return " and the ".join(names[name] for name in missing)

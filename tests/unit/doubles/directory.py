# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory server in memory that speaks the interface of Directory and judges ACIs and privileges as OpenDJ does.

It knows as much of both as the grants need, by code of its own, so that it can disagree with what it tests.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry, NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._ldap.keeping import Keeping
from pyasn1.codec.ber import decoder

ADMIN = "cn=Directory Manager"
ACCOUNT = "uid=idm,ou=apps,dc=example,dc=com"
ROOT = {"bypass-acl", "changelog-read", "config-read", "config-write", "privilege-change"}
HANDLER = "cn=access control handler,cn=config"
REPLICATION = "cn=replication server,cn=multimaster synchronization,cn=synchronization providers,cn=config"
FOREIGN = '(targetattr="*")(version 3.0; acl "Anonymous read access"; allow (read) userdn="ldap:///anyone";)'
ALL_ROOT_DSE = '(target="ldap:///")(targetscope="base")(targetattr="*||+")'
ALL_CHANGE_LOG = '(target="ldap:///cn=changelog")(targetattr="*||+")'


def aci(target, subject, name="theirs", verb="allow", rights="read,search,compare"):
    """Write an ACI; ``subject`` is what stands after ldap:/// in userdn."""
    return f'{target}(version 3.0; acl "{name}"; {verb} ({rights}) userdn="ldap:///{subject}";)'


def refusal(status, text="no"):
    return DirectoryError(f"answered {status}: {text}", status=status)


class World:
    """The data of one server, that connections look at."""

    def __init__(self, uri="ldaps://ds1.example.com:4444"):
        self.uri = uri
        self.entries = {}
        self.writes = []
        self.binds = []
        self.operations = []  # what was asked, binds among them
        self.passwords = {ADMIN: "admin-password", ACCOUNT: "account-password"}
        self.before_write = []  # called once each, before a write is carried out: somebody else is faster
        self.alias_search_fails = False
        self.gives_reasons = True
        self.greetings = 0
        self.down = False
        self.left_out = set()  # numbers that a search for a range leaves out (two replicating OpenDJ 4.6.5, seen)
        self.no_cookies = None  # the result code that a search with a cookie ends with
        self.put("", namingContexts=["dc=example,dc=com"], changelog=["cn=changelog"])
        self.put("cn=config", objectClass=["ds-cfg-root-config"])
        self.put(
            "cn=Access Control Handler,cn=config",
            objectClass=["top", "ds-cfg-dsee-compat-access-control-handler"],
            **{"ds-cfg-global-aci": [FOREIGN]},
        )
        self.put("cn=Synchronization Providers,cn=config", objectClass=["ds-cfg-branch"])
        self.put(
            "cn=replication server,cn=Multimaster Synchronization,cn=Synchronization Providers,cn=config",
            objectClass=["ds-cfg-replication-server"],
            **{"ds-cfg-replication-server-id": ["1"]},
        )
        # As OpenDJ 4.6.5 of the test stack shows it, other handlers left out.
        self.put("cn=Connection Handlers,cn=config", objectClass=["ds-cfg-branch"])
        for name, port, enabled in (("LDAP", "1389", "true"), ("LDAPS", "1636", "TRUE"), ("HTTP", "8080", "false")):
            self.put(
                f"cn={name} Connection Handler,cn=Connection Handlers,cn=config",
                **{"ds-cfg-listen-port": [port], "ds-cfg-enabled": [enabled]},
            )
        self.put("cn=Administration Connector,cn=config", **{"ds-cfg-listen-port": ["4444"]})
        self.put(
            "cn=example,cn=domains,cn=Multimaster Synchronization,cn=Synchronization Providers,cn=config",
            objectClass=["ds-cfg-replication-domain"],
            **{"ds-cfg-base-dn": ["dc=example,dc=com"], "ds-cfg-server-id": ["1"]},
        )
        self.put("cn=Backends,cn=config", objectClass=["ds-cfg-branch"])
        self.put(
            "ds-cfg-backend-id=userRoot,cn=Backends,cn=config",
            objectClass=["ds-cfg-local-backend"],
            **{"ds-cfg-base-dn": ["dc=example,dc=com"]},
        )
        self.put("cn=Root DNs,cn=config", **{"ds-cfg-default-root-privilege-name": sorted(ROOT)})
        self.put(
            "cn=Directory Manager,cn=Root DNs,cn=config",
            **{"ds-cfg-alternate-bind-dn": [ADMIN], "ds-rlim-size-limit": ["0"]},
        )
        generation = {"ds-sync-generation-id": ["1159706"]}
        self.put("dc=example,dc=com", objectClass=["domain"], numSubordinates=["2"], **generation)
        self.put("ou=People,dc=example,dc=com", objectClass=["organizationalUnit"], numSubordinates=["100"])
        self.put("ou=apps,dc=example,dc=com", objectClass=["organizationalUnit"], numSubordinates=["1"])
        self.put(ACCOUNT, objectClass=["inetOrgPerson"])
        self.put("cn=changelog", objectClass=["container"])
        for number in range(1, 11):
            self.change(number, f"uid=u{number},ou=People,dc=example,dc=com")

    def put(self, dn, **attributes):
        stored = {name.lower(): [value.encode() for value in values] for name, values in attributes.items()}
        self.entries[dn.lower()] = (dn, stored)

    def change(self, number, target, **more):
        self.put(
            f"changeNumber={number},cn=changelog",
            objectClass=["changeLogEntry"],
            changeNumber=[str(number)],
            targetDN=[target],
            changeType=["add"],
            **more,
        )
        root = self.entries[""][1]
        root.setdefault("firstchangenumber", [b"1"])
        root["lastchangenumber"] = [str(number).encode()]

    def change_without_number(self, csn, cookie, target, **more):
        """Add a change as a search with a cookie shows it; the root DSE tells of it (OpenDJ 4.6.5, seen)."""
        self.put(
            f"replicationCSN={csn},dc=example,dc=com,cn=changelog",
            objectClass=["changeLogEntry"],
            replicationCSN=[csn],
            targetDN=[target],
            **more,
        )
        self.set("", "lastExternalChangelogCookie", cookie)

    def drop_change_log(self):
        for dn in [dn for dn in self.entries if dn.endswith("cn=changelog") or dn == REPLICATION]:
            del self.entries[dn]
        for name in ("changelog", "firstchangenumber", "lastchangenumber"):
            self.entries[""][1].pop(name, None)

    def values(self, dn, attribute):
        return [value.decode() for value in self.entries[dn.lower()][1].get(attribute.lower(), [])]

    def set(self, dn, attribute, *values):
        self.entries[dn.lower()][1][attribute.lower()] = [value.encode() for value in values]

    def acis(self):
        return self.values(HANDLER, "ds-cfg-global-aci")

    def privileges(self, dn):
        if dn.lower() in (ADMIN.lower(), "cn=directory manager,cn=root dns,cn=config"):
            return ROOT
        if dn.lower() not in self.entries:
            return set()
        named = {value.lower() for value in self.values(dn, "ds-privilege-name")}
        return {name for name in named if not name.startswith("-") and f"-{name}" not in named}

    def may(self, who, right, dn, attribute):
        """Tell whether the global ACIs give an account a right; a denial wins."""
        if "bypass-acl" in self.privileges(who):
            return True
        if attribute.lower() == "objectclass":
            return True
        verbs = {verb for verb, rights in self._matching(who, dn, attribute) if right in rights}
        return "allow" in verbs and "deny" not in verbs

    def reason(self, who, right, dn, attribute):
        """Say why, in the words of OpenDJ 4.6.5 (seen)."""
        found = [
            (verb, name) for verb, rights, name in self._matching(who, dn, attribute, named=True) if right in rights
        ]
        denied = [name for verb, name in found if verb == "deny"]
        start = f"on entry/attr({dn}, {attribute}) to ({who}) (not proxied) ( reason:"
        if denied:
            return f"acl_summary(main): access not allowed({right}) {start} evaluated deny , deciding_aci: {denied[0]})"
        if found:
            return f"acl_summary(main): access allowed({right}) {start} evaluated allow , deciding_aci: {found[0][1]})"
        return f"acl_summary(main): access not allowed({right}) {start} no acis matched the subject )"

    def _matching(self, who, dn, attribute, *, named=False):
        for text in self.acis():
            target = re.search(r'target\s*=\s*"ldap:///([^"]*)"', text)
            names = {part.strip().lower() for part in re.search(r'targetattr="([^"]*)"', text).group(1).split("||")}
            if not target or ("+" not in names and attribute.lower() not in names):
                continue
            suffix = target.group(1).lower()
            inside = dn == "" if 'targetscope="base"' in text else dn.lower().endswith(suffix)
            verb, rights, url = re.search(r'(allow|deny) \(([^)]*)\) userdn="ldap:///([^"]*)"', text).groups()
            if inside and self._names(url, who):
                found = verb, {part.strip() for part in rights.split(",")}
                yield (*found, re.search(r'acl "([^"]*)"', text).group(1)) if named else found

    @staticmethod
    def _names(url, who):
        if url == "anyone":
            return True
        pattern = "[^,]*".join(re.escape(unquote(part)) for part in url.split("*"))
        return re.fullmatch(pattern, who, re.IGNORECASE) is not None


class FakeDirectory(Keeping):
    """One connection to a World."""

    def __init__(self, world, context=None, options=None):
        self.world = world
        self.uri = world.uri
        self.bind_dn = (options or {}).get("bind_dn", ADMIN)
        self._password = (options or {}).get("bind_password", "admin-password")
        self._context = context or Context(check_mode=True)
        self._bound = False

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.forget()
        self._bound = False

    def greet(self):
        self.world.greetings += 1
        if self.world.down:
            raise NoAnswer(f"{self.uri} cannot be reached: Connection refused.", self.uri, "Check the URL.")

    def _bind(self):
        if self._bound:
            return
        self.world.operations.append("bind")
        self.greet()
        self.world.binds.append(self.bind_dn)
        if self.world.passwords.get(self.bind_dn) != self._password:
            raise refusal(49, "Invalid credentials")
        self._bound = True

    def search(self, base, scope, search_filter, attributes, **how):
        return list(self.stream(base, scope, search_filter, attributes, **how))

    def stream(self, base, scope, search_filter, attributes, *, deref="never", controls=(), size_limit=0):
        self._bind()
        self.world.operations.append(f"{base} {scope} {search_filter} {' '.join(attributes)}")
        if base.lower() not in self.world.entries:
            raise refusal(32, "No such entry")
        if base.lower().endswith("cn=changelog"):
            if "changelog-read" not in self.world.privileges(self.bind_dn):
                raise refusal(50, "You do not have sufficient privileges to perform a search request on cn=changelog")
            if deref == "always" and self.world.alias_search_fails:
                raise refusal(80, "RuntimeException(Not implemented)")
        after = next((one.value.decode() for one in controls if one.oid == "1.3.6.1.4.1.26027.1.5.4"), None)
        if after is not None and self.world.no_cookies:
            raise refusal(self.world.no_cookies)
        rights = self._rights_asked(controls) if after is None else None
        sent = 0
        for dn, stored in list(self.world.entries.values()):
            by_cookie = dn.startswith("replicationCSN=")
            if by_cookie != (after is not None) or (by_cookie and stored["replicationcsn"][0].decode() in after):
                continue
            if ">=" in search_filter and int(stored.get("changenumber", [0])[0]) in self.world.left_out:
                continue
            if _in_scope(dn, base, scope) and self._finds(search_filter, dn, stored):
                if size_limit and sent == size_limit:
                    raise refusal(4)
                sent += 1
                yield Entry(dn, self._shown(dn, stored, attributes, rights))

    def read(self, dn, attributes, **how):
        try:
            return next(iter(self.search(dn, "base", "(objectClass=*)", attributes, **how)), None)
        except DirectoryError as exc:
            if exc.status == 32:
                return None
            raise

    def modify(self, dn, modifications):
        if self._context.check_mode:
            raise RuntimeError("a write in check mode")
        self._bind()
        if self.world.before_write:
            self.world.before_write.pop(0)()
        if dn.lower() not in self.world.entries:
            raise refusal(32)
        stored = {name: list(values) for name, values in self.world.entries[dn.lower()][1].items()}
        for one in modifications:
            values = stored.setdefault(one.attribute.lower(), [])
            if one.how == "replace":
                values[:] = one.values
            for value in one.values if one.how != "replace" else ():
                if one.how == "add" and value in values:
                    raise refusal(20)
                if one.how == "add" and values and one.attribute.startswith("ds-rlim-"):
                    raise refusal(65, "multiple values for a single-valued attribute")  # as OpenDJ 4.6.5 (seen)
                if one.how == "delete" and value not in values:
                    raise refusal(16)
                values.append(value) if one.how == "add" else values.remove(value)
        self.world.entries[dn.lower()] = (self.world.entries[dn.lower()][0], stored)
        self.world.writes.append((dn, tuple(modifications)))

    @staticmethod
    def _rights_asked(controls):
        if not controls:
            return None
        assert controls[0].oid == "1.3.6.1.4.1.42.2.27.9.5.2"
        value, rest = decoder.decode(controls[0].value)
        assert not rest
        who = bytes(value[0]).decode()
        assert who.startswith("dn:")
        return who[3:], [bytes(name).decode() for name in value[1]]

    def _finds(self, search_filter, dn, stored):
        for name in re.findall(r"\(([\w.-]+)[<>]?=", search_filter):
            if not self.world.may(self.bind_dn, "search", dn, name):
                return False
        return _matches(search_filter, stored)

    def _shown(self, dn, stored, attributes, rights):
        shown = {
            name.lower(): tuple(stored[name.lower()])
            for name in attributes
            if stored.get(name.lower()) and self.world.may(self.bind_dn, "read", dn, name)
        }
        if rights and "aclRights" in attributes:
            who, names = rights
            for name in names:
                flags = ",".join(f"{right}:{int(self.world.may(who, right, dn, name))}" for right in ("search", "read"))
                shown[f"aclrights;attributelevel;{name.lower()}"] = (f"{flags},write:0".encode(),)
                for right in ("search", "read") if "aclRightsInfo" in attributes and self.world.gives_reasons else ():
                    reason = self.world.reason(who, right, dn, name)
                    shown[f"aclrightsinfo;logs;attributelevel;{right};{name.lower()}"] = (reason.encode(),)
        return shown


def _in_scope(dn, base, scope):
    name, top = dn.lower(), base.lower()
    if scope == "base":
        return name == top
    below = name.endswith(f",{top}")
    return (below and "," not in name[: -len(top) - 1]) if scope == "one" else (below or name == top)


def _matches(search_filter, stored):
    checks = []
    for name, sign, wanted in re.findall(r"\(([\w.-]+)([<>]?=)([^()]*)\)", search_filter):
        values = [value.decode() for value in stored.get(name.lower(), [])]
        if name.lower() == "objectclass" and wanted == "*":
            checks.append(True)
        elif wanted == "*":
            checks.append(bool(values))
        elif sign == "=":
            checks.append(wanted.lower() in [value.lower() for value in values])
        else:
            checks.append(
                any(int(value) >= int(wanted) if sign == ">=" else int(value) <= int(wanted) for value in values)
            )
    return any(checks) if search_filter.startswith("(|") else all(checks)

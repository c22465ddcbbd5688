# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack of an experiment's own, with the role run on it, and both servers as an outsider sees them.

Nothing of the collection is used to look at the servers: what it says of itself proves nothing here.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import ldap
import requests

from tests.servers.stack import Stack, activation
from tests.servers.stack.numbering import await_number
from tools import steps, tree
from tools.places import BUILD, ROOT

from ._play import Hold, Play
from ._wait import failed, until

#: The attributes of the mapping: in the directory, and in IDM.
MAPPED = {
    "uid": "userName", "givenName": "givenName", "sn": "sn", "mail": "mail", "description": "description",
    "cn": "displayName",
}  # fmt: skip
#: Seconds between two runs of the schedule.
INTERVAL = 5

#: A person: the values of the mapped attributes, "" where there is none.
Person = t.Tuple[str, ...]


class Bed:
    """A stack that is taken down at the end, whatever happens.

    :param name: of the experiment; another folder than any other's.
    :param users: people in the directory.
    """

    def __init__(self, name: str, users: int) -> None:
        self.folder = BUILD / "prove" / name
        self._plays: list[Play] = []
        self.users = users
        self.stack: t.Any = self._servers(self.folder / "stack")

    def _servers(self, folder: pathlib.Path) -> t.Any:
        """Return the servers, which are not up yet."""
        return Stack(folder, users=self.users, say=steps.say)

    def _directories(self) -> dict[str, t.Any]:
        """Return how the role is told of the directory's servers."""
        return {"servers": [self.vars["ds_admin_uri"]]}

    def __enter__(self) -> Bed:
        self.folder.mkdir(parents=True, exist_ok=True)
        # A copy of the collection that nobody changes while the experiment runs.
        tree.refresh(self.folder / "collections")
        self.stack.down()
        self.stack.up()
        self._ready()
        self._new = True
        return self

    def __exit__(self, *unused: t.Any) -> None:
        for play in self._plays:
            play.kill()
        self.stack.down()

    def fresh(self, *servers: str) -> None:
        """Make both servers (or the one that is named, "ds" or "idm") what they are on a new stack.

        Nothing is done the first time: they are new.
        """
        if not self._new or servers:
            self.stack.reset(*servers)
            self._ready()
        self._new = False

    def _ready(self) -> None:
        self.vars = self.stack.vars()
        self.source: str = self.vars["source"]
        self.mapping: str = self.vars["mapping"]
        given = {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "livesync_idm": {name: self.vars[f"idm_{name}"] for name in ("url", "username", "password")},
            "livesync_directory": {
                **self._directories(),
                "bind_dn": self.vars["ds_admin_dn"],
                "bind_password": self.vars["ds_admin_password"],
                "ca_path": self.vars["ds_ca_path"],
                "raise_limits": True,
            },
            "livesync_sources": [{"source": self.source, "schedule": {"interval": INTERVAL}}],
            "principal": self.vars["connector_dn"],
        }
        self._variables = self.folder / "play.json"
        self._variables.touch(mode=0o600)
        self._variables.write_text(json.dumps(given), encoding="utf-8")

    def play(
        self, title: str = "play", hold: Hold | None = None, playbook: str = "idmops.idm.livesync", **how: t.Any
    ) -> Play:
        """Begin to run the role, or another playbook.

        :param how: options, programs and environment, as :class:`Play` takes them.
        """
        play = Play(self.folder, playbook, self._variables, hold, title, **how)
        self._plays.append(play)
        return play

    def grant(self) -> None:
        """Give the connector's account the rights that every order of steps needs, with the collection's module."""
        playbook = pathlib.Path(__file__).with_name("grant.yml").relative_to(ROOT)
        play = Play(self.folder, str(playbook), self._variables, title="grant")
        if play.wait().exit_code:
            print(steps.tail(play.log), flush=True)
            raise failed("the grants")

    # IDM

    def idm(self, method: str, path: str, body: t.Any = None, timeout: float = 900.0, **params: str) -> t.Any:
        """Send a request to IDM as its administrator and return what it answers, None for 404."""
        answer = requests.request(
            method, f"{self.vars['idm_url']}/{path}", json=body, params=params, timeout=timeout,
            headers={"X-OpenIDM-Username": self.vars["idm_username"], "X-OpenIDM-Password": self.vars["idm_password"],
                     "X-OpenIDM-NoSession": "true"},
        )  # fmt: skip
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def query(self, path: str, condition: str = "true", **params: str) -> list[dict[str, t.Any]]:
        """Return the documents that fit."""
        return (self.idm("GET", path, _queryFilter=condition, **params) or {"result": []})["result"]

    def people_in_idm(self) -> tuple[dict[str, list[Person]], int]:
        """Return the managed users by the entryUUID that they are linked to, and how many have no link."""
        found = self.query("managed/user")
        users = {user["_id"]: tuple(str(user.get(name) or "") for name in MAPPED.values()) for user in found}
        linked: dict[str, list[Person]] = {}
        for link in self.query("repo/link", f'linkType eq "{self.mapping}"'):
            user = users.pop(link["secondId"], None)
            linked.setdefault(link["firstId"].lower(), []).append(user or ("(a link to nobody)",))
        return linked, len(users)

    def loads(self) -> int:
        """Return how many reconciliations IDM has begun since the servers were made new."""
        return len({entry["reconId"] for entry in self.query("audit/recon", 'entryType eq "start"')})

    def loading(self) -> bool:
        """Tell whether a reconciliation is running."""
        return any(run["state"] == "ACTIVE" for run in self.idm("GET", "recon")["reconciliations"])

    def jobs(self) -> list[dict[str, t.Any]]:
        """Return the liveSync jobs of the source."""
        jobs = self.query("scheduler/job")
        return [job for job in jobs if (job.get("invokeContext") or {}).get("source") == self.source]

    def token(self) -> int | None:
        """Return the change number up to which liveSync has come."""
        own = self.source.replace("/", "").upper()
        for stage in self.query("repo/synchronisation/pooledSyncStage"):
            if stage["_id"].replace("_", "").upper() == own:  # a run record's id holds it
                return int((stage.get("connectorData") or {}).get("syncToken") or 0)
        return None

    def forget_run(self) -> None:
        """Take the run that is not known to have ended out of the source's run record."""
        path = f"repo/synchronisation/pooledSyncStage/idmops-{self.source.replace('/', '').upper()}"
        kept = {name: value for name, value in self.idm("GET", path).items() if not name.startswith("_")}
        self.idm("PUT", path, {**kept, "run": None})

    def put_to_sleep(self) -> None:
        """Activate the connector while its system is down: everything works after that but liveSync."""
        self.stack.ds.stop()
        self._activate(working=False)
        self.stack.ds.start()
        until(lambda: self._tested().get("ok"), "the connector to work", 60.0, 0.2)

    def limit(self, entries: int) -> None:
        """Give the connector's account a size limit, and let the connector's connections know it."""
        line = self.directory()
        line.modify_s(self.vars["connector_dn"], [(ldap.MOD_REPLACE, "ds-rlim-size-limit", [b"%d" % entries])])
        line.unbind_s()
        self._activate(working=True)

    def _activate(self, *, working: bool) -> None:
        """Activate the connector again by writing its configuration as it is.

        :param working: whether its test must be ok then.
        """
        path = "config/provisioner.openicf/ldap"
        connector = self.idm("GET", path)
        activation.take_up(lambda document: self.idm("PUT", path, document), self._tested, connector, working=working)

    def _tested(self) -> dict[str, t.Any]:
        """Return the answer of the connector's test, nothing while it is being activated."""
        try:
            return self.idm("POST", "system/ldap", _action="test") or {}
        except requests.HTTPError:
            return {}

    # The directory

    def directory(self) -> t.Any:
        """Return a connection as the directory's administrator."""
        line = ldap.initialize(self.vars["ds_uri"])
        line.simple_bind_s(self.vars["ds_admin_dn"], self.vars["ds_admin_password"])
        return line

    def people_in_directory(self) -> dict[str, Person]:
        """Return the people by entryUUID."""
        line = self.directory()
        found = line.search_s(
            self.vars["people_dn"], ldap.SCOPE_ONELEVEL, "(objectClass=inetOrgPerson)", ["entryUUID", *MAPPED]
        )
        line.unbind_s()
        return {
            entry["entryUUID"][0].decode().lower(): tuple(entry.get(name, [b""])[0].decode() for name in MAPPED)
            for _dn, entry in found
        }

    def describe(self, numbers: t.Iterable[int], description: str, numbered: bool = False) -> int:
        """Give people (``user.<number>``) a description; "slow 500" makes IDM take 500 ms more for each.

        :param numbered: wait until the changes have their numbers.
        :returns: the last number in the change log then, 0 where that was not waited for.
        """
        line, dn = self.directory(), ""
        for number in numbers:
            dn = f"uid=user.{number},{self.vars['people_dn']}"
            line.modify_s(dn, [(ldap.MOD_REPLACE, "description", [description.encode()])])
        last: int = await_number(line, dn) if numbered else 0
        line.unbind_s()
        return last

    def described(self, description: str) -> int:
        """Return how many people in IDM have that description."""
        return len(self.query("managed/user", f'description eq "{description}"', _fields="_id"))

    def granted(self) -> t.Any:
        """Return what the connector's account has been given: ACIs that name it, privileges, limits."""
        dn = self.vars["connector_dn"]
        line = self.directory()
        wanted = ["ds-cfg-global-aci"]
        ((_dn, handler),) = line.search_s("cn=Access Control Handler,cn=config", ldap.SCOPE_BASE, attrlist=wanted)
        limits = ["size", "lookthrough", "time", "idle-time"]
        names = ["ds-privilege-name", *(f"ds-rlim-{limit}-limit" for limit in limits)]
        ((_dn, account),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=names)
        line.unbind_s()
        acis = [aci.decode() for aci in handler["ds-cfg-global-aci"] if dn.encode() in aci]
        return sorted(acis), {name: sorted(map(bytes.decode, values)) for name, values in sorted(account.items())}

    def last_change(self) -> int:
        """Return the number of the newest change."""
        line = self.directory()
        ((_dn, root),) = line.search_s("", ldap.SCOPE_BASE, attrlist=["lastChangeNumber"])
        line.unbind_s()
        return int(root["lastChangeNumber"][0])

    def settle(self, limit: float = 600.0) -> None:
        """Make one last change and wait until the schedule has brought it to IDM: then all before it have been seen.

        The directory's change log has one order, in which liveSync reads it.
        """
        line = self.directory()
        dn = f"uid=last,{self.vars['people_dn']}"
        before = self.query("managed/user", 'userName eq "last"', _fields="description")
        value = f"settled {self.last_change()}"
        assert not before or before[0].get("description") != value
        try:
            names = [(name, [b"last"]) for name in ("uid", "cn", "sn")]
            line.add_s(dn, [("objectClass", [b"inetOrgPerson"]), ("description", [value.encode()]), *names])
        except ldap.ALREADY_EXISTS:
            line.modify_s(dn, [(ldap.MOD_REPLACE, "description", [value.encode()])])
        line.unbind_s()
        until(
            lambda: self.query("managed/user", f'userName eq "last" and description eq "{value}"', _fields="_id"),
            "the last change to arrive in IDM", limit, 0.5,
        )  # fmt: skip
        until(lambda: (self.token() or 0) >= self.last_change(), "the token to come to the last change", 60.0, 0.5)

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""People in the directory and in IDM: changed in the one, looked for in the other.

Nothing of the collection is used here: this is what others do, and how an outsider sees what came of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

import ldap
import requests

from .scene import NotShown

#: How many are changed while a load is running, and seconds between two of them.
DURING, PAUSE = 20, 0.1

Stack = t.Mapping[str, t.Any]


def _idm(stack: Stack, path: str, **params: str) -> t.Any:
    headers = {
        "X-OpenIDM-Username": stack["idm_username"],
        "X-OpenIDM-Password": stack["idm_password"],
        "X-OpenIDM-NoSession": "true",
    }
    answer = requests.get(f"{stack['idm_url']}/{path}", params=params, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


def _mail_in_idm(stack: Stack, user: str) -> str | None:
    found = _idm(stack, "managed/user", _queryFilter=f'userName eq "{user}"', _fields="mail")["result"]
    return found[0].get("mail") if found else None


@contextlib.contextmanager
def _directory(stack: Stack) -> t.Iterator[t.Callable[[str, str], None]]:
    line = ldap.initialize(stack["ds_uri"])
    line.simple_bind_s(stack["ds_admin_dn"], stack["ds_admin_password"])
    try:
        yield lambda user, mail: line.modify_s(
            f"uid={user},{stack['people_dn']}", [(ldap.MOD_REPLACE, "mail", [mail.encode()])]
        )
    finally:
        line.unbind_s()


@contextlib.contextmanager
def changed_during_a_load(stack: Stack) -> t.Iterator[dict[str, str]]:
    """Change people one by one as soon as IDM loads them; yields who was changed, and to what mail."""
    changed: dict[str, str] = {}
    over = threading.Event()

    def work() -> None:
        while not any(run["state"] == "ACTIVE" for run in _idm(stack, "recon")["reconciliations"]):
            if over.wait(0.1):
                return
        with _directory(stack) as set_mail:
            for number in range(DURING):
                user, mail = f"user.{number}", f"moved.{number}@example.com"
                set_mail(user, mail)
                changed[user] = mail
                if over.wait(PAUSE):
                    return

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield changed
    finally:
        over.set()
        worker.join()


def compare(stack: Stack, changed: t.Mapping[str, str]) -> None:
    """Look for those changes in IDM and say how many are there; all of them must be."""
    if len(changed) != DURING:
        raise NotShown(f"only {len(changed)} of {DURING} people could be changed while the load ran")
    lost = [user for user, mail in changed.items() if _mail_in_idm(stack, user) != mail]
    print(f"\n{len(changed)} people were changed in the directory while the load ran; {len(lost)} changes were lost")
    if lost:
        raise NotShown(f"IDM lacks the changes of {', '.join(lost)}")


def change_one(stack: Stack, limit: float = 60.0) -> None:
    """Change a person in the directory, wait until IDM has it too, and say how long that took.

    :param limit: seconds that it may take.
    """
    user, mail = "user.77", "new.address@example.com"
    print(f"IDM:        {user} has the mail {_mail_in_idm(stack, user)}")
    with _directory(stack) as set_mail:
        set_mail(user, mail)
    began = time.monotonic()
    print(f"directory:  {user} gets the mail {mail}; nobody calls IDM", flush=True)
    while _mail_in_idm(stack, user) != mail:
        if time.monotonic() - began > limit:
            raise NotShown(f"the change did not arrive in IDM within {limit:.0f} s")
        time.sleep(0.1)
    print(f"IDM:        {user} has the mail {mail}, after {time.monotonic() - began:.1f} s")

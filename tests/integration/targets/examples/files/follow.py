# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody does who follows README: copies its files, puts his own servers in, and calls what stands there.

``python follow.py README.md vars.yml``, in an empty folder. Prints as JSON, by the name of the playbook, whether
each of its calls changed something, and what it showed; ends with 1, and with what that call printed, where one does
not end well.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import yaml

BIN = pathlib.Path(sys.executable).parent
#: Of a vault that needs nobody to type: its password is in a file, where README lets the reader be asked.
VAULT = {"ANSIBLE_VAULT_PASSWORD_FILE": "vault-password"}
ASKED = "--ask-vault-pass"


def blocks(page: str, kind: str) -> list[str]:
    """Return the examples of a kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S)


def one(found: list[str], part: str) -> str:
    """Return the only one of some examples that has a part."""
    (only,) = [text for text in found if part in text]
    return only


def call(line: str) -> dict:
    """Call what a line says, and return whether it changed something, and what it showed."""
    words = [word for word in shlex.split(line, comments=True) if word != ASKED]
    done = subprocess.run(
        [BIN / words[0], *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, **VAULT}, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{line}\n{done.stdout}\nended with {done.returncode}")
    return {"changed": re.search(r" changed=[1-9]", done.stdout) is not None, "shown": done.stdout}


def main() -> None:
    """Copy, then call, in the order of README; what it recommends to repeat is repeated."""
    page = pathlib.Path(sys.argv[1]).read_text("utf-8")
    here = yaml.safe_load(pathlib.Path(sys.argv[2]).read_text("utf-8"))
    for theirs, ours in {
        "https://idm.example.com/openidm": here["idm_url"],
        "username: openidm-admin": f"username: {here['idm_username']}",
        "ldaps://ds1.example.com:4444": here["ds_admin_uri"],
        "bind_dn: uid=admin": f"bind_dn: {here['ds_admin_dn']}",
        "/etc/ssl/certs/example-ca.pem": here["ds_ca_path"],
    }.items():
        assert theirs in page, theirs
        page = page.replace(theirs, ours)
    files, calls = blocks(page, "yaml"), blocks(page, "shell")
    pathlib.Path("environments.yml").write_text(one(files, "# environments.yml"), "utf-8")
    play, task = one(files, "Push the changes"), one(files, "Fail when something is wrong")
    pathlib.Path("now.yml").write_text(play + task, "utf-8")
    pathlib.Path("vault-password").write_text("any\n", "utf-8")
    secrets = {"vault_idm_password": here["idm_password"], "vault_ds_password": here["ds_admin_password"]}
    pathlib.Path("vault.yml").touch(mode=0o600)
    pathlib.Path("vault.yml").write_text(yaml.safe_dump(secrets), "utf-8")
    call("ansible-vault encrypt vault.yml")
    first, away = (one(calls, part).strip().splitlines() for part in ("idmops.idm.preflight", "livesync_state=absent"))
    again = next(line for line in first if line.endswith("livesync --diff"))
    now = re.search(r"`(ansible-playbook [^`]* now\.yml)`", page).group(1)
    told: dict[str, list] = {}
    for line in [*first[:3], again, first[3], now, *away]:
        name = re.search(r"idmops\.idm\.(\w+)|(\w+)\.yml$", line)
        told.setdefault(name.group(1) or name.group(2), []).append(call(line))
    print(json.dumps(told))


main()

# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts one stand-in on loopback: python3 -m tests.servers.ping --mode aic --port 0 --state DIR."""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import time

import yaml

from .modes import MODES
from .stand_in import running


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.servers.ping", description=__doc__)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: a free one, which is printed")
    parser.add_argument("--state", type=pathlib.Path, required=True, help="folder for vars.yml and keys")
    parser.add_argument("--people", type=int, default=20, help="how many the directory holds")
    parser.add_argument("--speed", type=float, default=1.0, help="the server's seconds in one real second")
    parser.add_argument("--tls", action="store_true", help="https, with a CA and client certificates made for it")
    parser.add_argument("--client-secret-post", action="store_true", help="AM's client authenticates in the form")
    parser.add_argument("--secrets", type=pathlib.Path, help="file to which all secrets in use are added at the end")
    options = vars(parser.parse_args())
    told = options.pop("secrets")
    options["state"] = options["state"].resolve()
    with running(**options) as stand_in:
        stopped = stand_in.world.stopped
        signal.signal(signal.SIGTERM, lambda *unused: stopped.set())
        signal.signal(signal.SIGINT, lambda *unused: stopped.set())
        target = options["state"] / "vars.yml"
        draft = target.with_suffix(".new")
        draft.touch(0o600)
        draft.write_text(yaml.safe_dump(stand_in.variables, allow_unicode=True, explicit_start=True), encoding="utf-8")
        draft.replace(target)  # whoever waits for it finds it whole
        print(f"{options['mode']} at {stand_in.variables['idm_url']}, variables: {target}", flush=True)
        while not stopped.wait(3600):
            pass
        if told:
            told.touch(0o600)
            with told.open("a", encoding="utf-8") as handle:
                handle.write(f"{json.dumps(stand_in.secrets)}\n")
        time.sleep(0.5)  # the answer to whoever asked for the end is still on its way


if __name__ == "__main__":
    main()

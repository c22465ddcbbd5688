# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line: ``python3 -m tests.servers.proxy --to http://localhost:8080 --port-file port``."""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import sys

from .faults import Fault
from .proxy import CONTROL, Proxy


def main() -> int:
    """Run a proxy until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.servers.proxy",
        description="A proxy that breaks what it is told to break, and remembers what went through.",
        epilog=f"While it runs: GET and DELETE {CONTROL}requests (the log), PUT {CONTROL}faults (a JSON list),"
        f" POST {CONTROL}stop.",
    )
    parser.add_argument("--to", required=True, metavar="URL", help="the server, as in http://localhost:8080")
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback (default: any free port)")
    parser.add_argument("--port-file", type=pathlib.Path, help="file to write the port to once it listens")
    parser.add_argument("--lifetime", type=float, metavar="SECONDS", help="close every connection after that time")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help='as in {"action": "liveSync", "cut_after_bytes": 9}',
    )
    options = parser.parse_args()
    try:
        faults = [Fault.parse(json.loads(text)) for text in options.fault]
        proxy = Proxy(options.to, faults, lifetime=options.lifetime, port=options.port)
    except (ValueError, TypeError, OSError) as exc:
        parser.error(str(exc))
    with proxy:
        signal.signal(signal.SIGTERM, lambda number, frame: proxy.stopped.set())
        print(proxy.url, flush=True)
        if options.port_file:
            waiting = options.port_file.with_suffix(".new")
            waiting.write_text(f"{proxy.port}\n", encoding="ascii")
            waiting.replace(options.port_file)
        while not proxy.stopped.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

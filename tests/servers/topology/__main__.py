# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Command line: ``python3 -m tests.servers.topology up --dir .stack``, ``... kill idm1 --dir .stack``."""

import argparse
import signal
import sys

from ..stack.__main__ import run, show
from ..stack.report import Progress
from . import plan
from .topology import Topology

WHOLE = {
    "up": "make the topology if there is none and start what does not run",
    "down": "end all parts and remove what the topology put into its folder",
    "reset": "make all parts new, with the same ports and passwords",
    "status": "say what runs (exit code 3 if something does not)",
}
ONE = {
    "start": "start a part and wait until it serves (one that hangs goes on)",
    "stop": "stop it in an orderly way",
    "kill": "kill it and its processes (SIGKILL)",
    "hang": "halt it (SIGSTOP): its connections stay, nobody answers",
    "resume": "let it go on (SIGCONT)",
}
DONE = {"start": "started", "stop": "stopped", "kill": "killed", "hang": "halted", "resume": "goes on"}


def parser():
    """The command line's parser."""
    told = ["  %-8s %s" % pair for pair in WHOLE.items()] + ["  %-8s %s" % pair for pair in ONE.items()]
    made = argparse.ArgumentParser(
        prog="python3 -m tests.servers.topology", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Two OpenIDM nodes on PostgreSQL behind HAProxy, two OpenDJ that replicate; on loopback.",
        epilog="commands, the last five with one part or several:\n%s\nparts: %s" % (
            "\n".join(told), ", ".join(plan.PARTS)))
    made.add_argument("command", choices=sorted([*WHOLE, *ONE]), metavar="command")
    made.add_argument("parts", nargs="*", metavar="part")
    made.add_argument("--dir", default=".stack", help="folder of the topology (default: .stack)")
    made.add_argument("--users", type=int, default=None, help="up: number of people in the directory (default: 500)")
    made.add_argument("--port-base", type=int, default=None, metavar="P",
                      help="up: first of 20 ports in a row (default: free ones, remembered in the folder)")
    made.add_argument("--uncured", action="store_true", default=None,
                      help="up: with the LDAP connector as it is published, which loses its connections in long runs")
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def one_part(topology, command, name, say):
    """start idm1 and the like."""
    server = topology.part(name)
    did = topology.start_part(name) if command == "start" else getattr(server, command)()
    say("%s %s" % (name, DONE[command] if did else "runs" if command == "start" else "does not run"))


def main(arguments=None):
    """Run one command; returns the exit code."""
    made = parser()
    options = made.parse_args(arguments)
    if bool(options.parts) != (options.command in ONE):
        made.error("%s takes %s" % (options.command, "at least one of: " + ", ".join(plan.PARTS)
                                    if options.command in ONE else "no part"))
    say = Progress(quiet=options.quiet)

    def command(topology):
        if options.command == "up":
            say("the topology is up" if topology.up() else "the topology of %s is running already" % topology.directory)
            say("variables: %s" % (topology.directory / "vars.yml"))
        elif options.command == "down":
            say("the topology is down" if topology.down() else "there is no topology in %s" % topology.directory)
        elif options.command == "reset":
            topology.reset()
            say("done")
        elif options.command == "status":
            if not topology.exists:
                print("there is no topology in %s" % topology.directory)
                return 3
            return 0 if show(topology) else 3
        else:
            for part in options.parts:
                one_part(topology, options.command, part, say)
        return 0

    return run(lambda: command(Topology(options.dir, options.users, options.port_base, options.uncured, say)))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that it cleans up as after Ctrl-C
    sys.exit(main())

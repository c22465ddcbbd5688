# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Command line: ``python3 -m tests.servers.stack up --dir .stack --users 500``."""

import argparse
import signal
import sys

from .report import Progress, StackError
from .stack import Stack

COMMANDS = {
    "up": "make the stack if there is none and start what does not run",
    "down": "end both servers and remove what the stack put into its folder",
    "status": "say what runs (exit code 3 if something does not)",
    "stop": "stop both servers, keep their data",
    "reset": "make both servers new, with the same ports and passwords",
    "start-ds": "start OpenDJ", "stop-ds": "stop OpenDJ (SIGTERM)", "kill-ds": "kill OpenDJ (SIGKILL)",
    "start-idm": "start OpenIDM", "stop-idm": "stop OpenIDM (SIGTERM)", "kill-idm": "kill OpenIDM (SIGKILL)",
}


def parser():
    """The command line's parser."""
    made = argparse.ArgumentParser(
        prog="python3 -m tests.servers.stack", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Start, watch and stop a real OpenIDM 6.1.0 and OpenDJ 4.6.5 on loopback.",
        epilog="commands:\n" + "\n".join("  %-10s %s" % pair for pair in COMMANDS.items()))
    made.add_argument("command", choices=sorted(COMMANDS), metavar="command")
    made.add_argument("--dir", default=".stack", help="folder of the stack (default: .stack)")
    made.add_argument("--users", type=int, default=None, help="up: number of people in the directory (default: 500)")
    made.add_argument("--port-base", type=int, default=None, metavar="P",
                      help="up: first of six ports in a row (default: free ones, remembered in the folder)")
    made.add_argument("--uncured", action="store_true", default=None,
                      help="up: with the LDAP connector as it is published, which loses its connections in long runs")
    made.add_argument("--no-idm", action="store_true", help="up: OpenDJ alone")
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def show(stack):
    """Print what runs; True if all of it does."""
    every = True
    for server in stack.status():
        every = every and server["ready"]
        state = ("ready" if server["ready"] else "hanging" if server["hanging"] else
                 "starting" if server["running"] else "stopped")
        process = "process %s" % server["pid"] if server["pid"] else ""
        ports = " ".join("%s=%d" % item for item in server["ports"].items())
        print("%-10s %-8s %-14s %s" % (server["server"], state, process, ports))
        if not server["ready"]:
            print("           log: %s" % server["log"])
    return every


def one_server(stack, command, say):
    """start-ds, stop-idm and the like."""
    action, name = command.split("-")
    stack.status()  # an error if there is no stack
    server = getattr(stack, name)
    if server is None:
        raise StackError("The stack of %s has no OpenIDM." % stack.directory)
    did = getattr(server, action)()
    done = {"start": "started", "stop": "stopped", "kill": "killed"}[action]
    say("%s %s" % (server.label, done if did else "is running already" if action == "start" else "was not running"))


def run(command):
    """Run a command that returns its exit code; errors are told as one line."""
    try:
        return command()
    except StackError as exc:
        sys.stderr.write("ERROR: %s\n" % exc)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def main(arguments=None):
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    say = Progress(quiet=options.quiet)

    def command():
        stack = Stack(options.dir, users=options.users, port_base=options.port_base, idm=not options.no_idm,
                      uncured=options.uncured, say=say)
        if options.command == "up":
            say("the stack is up" if stack.up() else "the stack of %s is running already" % stack.directory)
            say("variables: %s" % (stack.directory / "vars.yml"))
        elif options.command == "down":
            say("the stack is down" if stack.down() else "there is no stack in %s" % stack.directory)
        elif options.command == "status":
            if not stack.exists:
                print("there is no stack in %s" % stack.directory)
                return 3
            return 0 if show(stack) else 3
        elif options.command in ("stop", "reset"):
            getattr(stack, options.command)()
            say("done")
        else:
            one_server(stack, options.command, say)
        return 0

    return run(command)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that it cleans up as after Ctrl-C
    sys.exit(main())

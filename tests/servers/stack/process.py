# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A server process that outlives the program which started it."""

import contextlib
import json
import math
import os
import pathlib
import signal
import subprocess
import threading
import time

from .report import StackError, indented


def _stat(pid):
    """The fields of proc(5) from the third (the state) on: the second, a name in parentheses, may hold blanks."""
    text = pathlib.Path("/proc/%s/stat" % pid).read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()


def started_at(pid):
    """When a process was started, as text that differs for a recycled pid; None if it does not run."""
    if pathlib.Path("/proc/self/stat").exists():
        try:
            fields = _stat(pid)
            boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        # Fields 3 (state), 20 (threads) and 22 (start time) of proc(5). A zombie has ended when it is the last of its
        # threads: those that are still ending hold the ports.
        ended = fields[0] == "X" or (fields[0] == "Z" and int(fields[17]) <= 1)
        return None if ended else "%s %s" % (boot, fields[19])
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], stdout=subprocess.PIPE,
                          universal_newlines=True, check=False)
    state, unused, since = done.stdout.strip().partition(" ")
    return since.strip() if state and not state.startswith("Z") else None


def descendants(pid):
    """The processes below one, as Linux tells them."""
    children: dict = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            children.setdefault(int(_stat(folder.name)[1]), []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def hung(pid):
    """True if a process is halted (state T of proc(5))."""
    try:
        return _stat(pid)[0] == "T"
    except OSError:
        return False


def signal_family(pid, number, done, timeout=10.0):
    """Send a signal to a process and to those below it; True as soon as ``done(pid, when it was started)`` for each."""
    family = {one: started_at(one) for one in [pid] + descendants(pid)}
    for one in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)
    deadline = time.monotonic() + timeout
    while not all(done(one, since) for one, since in family.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def ended(pid, since):
    """True if the process that was started then runs no more."""
    return since is None or started_at(pid) != since


PID_FILE = "server.pid"


def known_pid(pid_file):
    """The process that a pid file names, or None if that very process does not run any more."""
    try:
        known = json.loads(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return known["pid"] if started_at(known["pid"]) == known["started"] else None


def kill_leftover(pid_file):
    """Kill the server that a pid file names, if it still runs."""
    pid = known_pid(pid_file)
    if pid is not None:
        signal_family(pid, signal.SIGKILL, ended, math.inf)


@contextlib.contextmanager
def uninterrupted():
    """Put off Ctrl-C and SIGTERM, so that no process is started without its pid being written down."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread only
        return
    arrived = []
    before = {}
    for awaited in (signal.SIGINT, signal.SIGTERM):
        before[awaited] = signal.signal(awaited, lambda got, frame: arrived.append(got))
    try:
        yield
    finally:
        for awaited, handler in before.items():
            signal.signal(awaited, signal.SIG_DFL if handler is None else handler)
    for number in arrived[:1]:
        os.kill(os.getpid(), number)


class Server:
    """One server: its process, its pid file and its output. Servers differ in what they override."""

    label = "server"
    start_timeout = 120
    stop_timeout = 40
    #: What asks it to end in an orderly way.
    stop_signal = signal.SIGTERM

    def __init__(self, folder, say):
        self.folder = folder
        self.say = say
        self.pid_file = folder / PID_FILE
        self.output = folder / "output.log"
        self._child = None
        self._from = 0

    # What a server has to say about itself.

    def command(self):
        """The command line, as a list."""
        raise NotImplementedError

    def environment(self):
        """Environment variables that it needs beside our own."""
        return {}

    def check_ports(self):
        """Raise StackError if a port that it will listen on is taken."""

    def is_ready(self):
        """True as soon as it serves."""
        raise NotImplementedError

    def log(self):
        """The file to look into when something went wrong."""
        return self.output

    def last_words(self):
        """What it said last, for an error message."""
        return indented(self.output_since_start()) or "  (nothing)"

    # The same for all.

    def pid(self):
        """Its process id, or None if it does not run."""
        if self._child is not None:
            self._child.poll()
        return known_pid(self.pid_file)

    def running(self):
        """True if its process runs (it may not be ready yet)."""
        return self.pid() is not None

    def start(self, wait=True):
        """Start it; False if it runs already (one that hangs goes on). With ``wait`` return when it is ready."""
        if self.running():
            self.resume()
            if wait:
                self.wait_ready()
            return False
        self.check_ports()
        environment = dict(os.environ)
        environment.update(self.environment())
        command = self.command()
        with open(self.output, "ab") as output, uninterrupted():
            self._from = output.tell()
            self._child = subprocess.Popen(command, cwd=str(self.folder), env=environment, start_new_session=True,
                                           stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            known = {"pid": self._child.pid, "started": started_at(self._child.pid)}
            self.pid_file.write_text(json.dumps(known), encoding="ascii")
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise
        return True

    def output_since_start(self):
        """What it has printed since this object started it (everything, if another one did)."""
        try:
            with open(self.output, "rb") as output:
                output.seek(self._from)
                return output.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def wait_ready(self, timeout=None):
        """Wait until it serves. An early death is noticed at once and told with the end of its log."""
        timeout = timeout or self.start_timeout
        began = told = time.monotonic()
        while not self.is_ready():
            now = time.monotonic()
            if not self.running():
                raise StackError("%s ended while it was starting. The end of %s:\n%s" % (
                    self.label, self.log(), self.last_words()))
            if now - began > timeout:
                raise StackError("%s was not ready after %d s. The end of %s:\n%s" % (
                    self.label, timeout, self.log(), self.last_words()))
            if now - told > 10:
                told = now
                self.say("%s is not ready yet" % self.label)
            time.sleep(0.1)

    def _ask(self, timeout):
        """Ask it to end, and wait for that; False if it does not."""
        pid = self.pid()
        if pid is None:
            return True
        try:
            os.kill(pid, self.stop_signal)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + timeout
        while self.running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.03)
        return True

    def _signal_family(self, number, done):
        pid = self.pid()
        if pid is None:
            return False
        if not signal_family(pid, number, done):
            raise StackError("%s (process %s) does not heed %s." % (self.label, pid, signal.Signals(number).name))
        return True

    def hang(self):
        """Halt it and the processes below it (SIGSTOP): connections stay, nobody answers. False if it does not run."""
        return self._signal_family(signal.SIGSTOP, lambda pid, since: hung(pid) or ended(pid, since))

    def resume(self):
        """Let it go on (SIGCONT); False if it does not run."""
        return self._signal_family(signal.SIGCONT, lambda pid, since: not hung(pid))

    def hanging(self):
        """True if it is halted."""
        pid = self.pid()
        return pid is not None and hung(pid)

    def stop(self, timeout=None):
        """Ask it to end (SIGTERM), wait, and kill it if it does not; False if it was not running."""
        if not self.resume():
            self._forget()
            return False
        if not self._ask(self.stop_timeout if timeout is None else timeout):
            self.say("%s does not end: killing it" % self.label)
            self._signal_family(signal.SIGKILL, ended)
        self._forget()
        return True

    def kill(self):
        """End it and the processes below it at once (SIGKILL), as a power cut would; False if it was not running."""
        was = self._signal_family(signal.SIGKILL, ended)
        self._forget()
        return was

    def restart(self, kill=False):
        """Stop (or kill) it and start it again."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def _forget(self):
        try:
            self.pid_file.unlink()
        except FileNotFoundError:
            pass

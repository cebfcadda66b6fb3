# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest in QEMU, driven by QMP and by the commands that it takes on a terminal."""

import os
import re
import subprocess
import time

from qmp import Failed, Lines, Monitor


# A factor for all time-outs, for a busy host.
patience = 1


def deadline(seconds):
    return time.monotonic() + seconds * patience


class Machine:
    """QEMU with a guest that has guest/system/usr/local/sbin/run-commands.

    `host` is where it runs (see host.py), and `log` the file for what the guest prints
    on its console. The arguments have to name the chardevs "console" and "commands".
    """

    def __init__(self, host, arguments, log):
        self.host = host
        self.log = log
        self.process = host.start(arguments, log)
        try:
            self.qmp = Monitor(f"{host.work}/qmp", self.process, patience)
            self.terminal = Lines(f"{host.work}/commands", self.process)
        except BaseException:
            self.kill()
            raise
        self.ask = self.qmp.ask
        self.await_event = self.qmp.await_event

    def kill(self):
        self.host.kill(self.process)
        self.process.wait()

    # -- the guest

    def await_boot(self, timeout, last=None):
        """Waits until a boot other than `last` takes commands, and returns its ID."""
        until = deadline(timeout)
        while (line := self.terminal.receive(until)) is not None:
            found = re.fullmatch(r"= ready (\S+)", line)
            if found and found.group(1) != last:
                return found.group(1)
        raise Failed(f"the guest did not come up within {timeout * patience} s")

    def await_commands(self, timeout):
        """Waits until the guest takes commands again, and has not lost the last one."""
        until = deadline(timeout)
        number = 0
        while time.monotonic() < until:
            number += 1
            self.terminal.send(f"echo awake {number}")
            soon = deadline(3)
            while (line := self.terminal.receive(soon)) is not None:
                if line == f"awake {number}":
                    while self.terminal.receive(soon) != "= 0":
                        pass
                    return
        raise Failed(f"the guest takes no commands within {timeout * patience} s")

    def start(self, command):
        """Lets the guest begin a command that ends its taking commands."""
        self.run(f"(sleep 0.2; {command}) >/dev/console 2>&1 &")

    def run(self, command, timeout=60, check=True):
        """What a shell command prints in the guest."""
        assert "\n" not in command
        until = deadline(timeout)
        self.terminal.send(command)
        said = []
        while (line := self.terminal.receive(until)) is not None:
            if not line.startswith("= "):
                said.append(line)
                continue
            if line.startswith("= ready"):
                raise Failed(f"the guest booted again during: {command}")
            output = "\n".join(said).strip()
            if check and line != "= 0":
                raise Failed(f"in the guest: {command}: status {line[2:]}, {output or 'no output'}")
            return output
        raise Failed(f"in the guest: {command}: no answer within {timeout * patience} s: {said}")

    def await_true(self, command, timeout=30):
        """Waits until the shell command succeeds in the guest."""
        self.run(f"for i in $(seq {timeout * 5 * patience}); do ( {command} ) >/dev/null 2>&1 && exit; "
                 f"sleep 0.2; done; {command}; false", timeout * 3)

    def await_end(self, timeout):
        """Waits until QEMU has ended well."""
        try:
            status = self.process.wait(timeout * patience)
        except subprocess.TimeoutExpired:
            raise Failed(f"QEMU did not end within {timeout * patience} s") from None
        if status:
            raise Failed(f"QEMU ended with {status}")

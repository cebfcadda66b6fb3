# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal of a whole guest that has guest/system/usr/local/sbin/run-commands."""

import time

from qmp import Failed, Lines


class Terminal(Lines):
    """`patience` is a factor for all time-outs, for a busy host."""

    def __init__(self, path, process, patience):
        super().__init__(path, process)
        self.patience = patience

    def deadline(self, seconds):
        return time.monotonic() + seconds * self.patience

    def await_boot(self, timeout, last=None):
        """Waits until a boot other than `last` takes commands, and returns its ID."""
        until = self.deadline(timeout)
        while (line := self.receive(until)) is not None:
            word, _, boot = line.rpartition(" ")
            if word == "= ready" and boot != last:
                return boot
        raise Failed(f"the guest did not come up within {timeout * self.patience} s")

    def await_commands(self, timeout):
        """Waits until the guest takes commands again, and has not lost the last one."""
        until = self.deadline(timeout)
        number = 0
        while time.monotonic() < until:
            number += 1
            self.send(f"echo awake {number}")
            soon = self.deadline(3)
            while (line := self.receive(soon)) is not None:
                if line == f"awake {number}":
                    while self.receive(soon) != "= 0":
                        pass
                    return
        raise Failed(f"the guest takes no commands within {timeout * self.patience} s")

    def start(self, command):
        """Lets the guest begin a command that ends its taking commands."""
        self.run(f"(sleep 0.2; {command}) >/dev/console 2>&1 &")

    def run(self, command, timeout=60, check=True):
        """What a shell command prints in the guest."""
        assert "\n" not in command
        until = self.deadline(timeout)
        self.send(command)
        said = []
        while (line := self.receive(until)) is not None:
            if not line.startswith("= "):
                said.append(line)
                continue
            if line.startswith("= ready"):
                raise Failed(f"the guest booted again during: {command}")
            output = "\n".join(said).strip()
            if check and line != "= 0":
                raise Failed(f"in the guest: {command}: status {line[2:]}, {output or 'no output'}")
            return output
        raise Failed(f"in the guest: {command}: no answer within {timeout * self.patience} s: {said}")

    def await_true(self, command, timeout=30):
        """Waits until the shell command succeeds in the guest."""
        self.run(f"for i in $(seq {timeout * 5 * self.patience}); do ( {command} ) >/dev/null 2>&1 && exit; "
                 f"sleep 0.2; done; {command}; false", timeout * 3)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest in QEMU, driven by QMP and by the commands that it takes on a terminal."""

import subprocess
import time

from qmp import Failed, Monitor
from terminal import Terminal


# A factor for all time-outs, for a busy host.
patience = 1


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
            self.terminal = Terminal(f"{host.work}/commands", self.process, patience)
        except BaseException:
            self.kill()
            raise
        self.ask = self.qmp.ask
        self.await_event = self.qmp.await_event
        self.await_boot = self.terminal.await_boot
        self.await_commands = self.terminal.await_commands
        self.await_true = self.terminal.await_true
        self.start = self.terminal.start
        self.run = self.terminal.run

    def kill(self):
        self.host.kill(self.process)
        self.process.wait()

    def await_console(self, text, timeout):
        """Waits until the guest has printed it on its console."""
        until = time.monotonic() + timeout * patience
        while time.monotonic() < until:
            with open(self.log, errors="replace") as log:
                if text in log.read():
                    return
            time.sleep(0.5)
        raise Failed(f"the guest's console has no {text!r} within {timeout * patience} s")

    def await_end(self, timeout):
        """Waits until QEMU has ended well."""
        try:
            status = self.process.wait(timeout * patience)
        except subprocess.TimeoutExpired:
            raise Failed(f"QEMU did not end within {timeout * patience} s") from None
        if status:
            raise Failed(f"QEMU ended with {status}")

# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest in QEMU, driven by QMP and by the commands that it takes on a terminal."""

import json
import os
import re
import select
import socket
import subprocess
import time


class Failed(Exception):
    """What a guest or QEMU did otherwise than it should have."""


# A factor for all time-outs, for a busy host.
patience = 1


def deadline(seconds):
    return time.monotonic() + seconds * patience


class Lines:
    """A Unix socket that QEMU serves, line by line."""

    def __init__(self, path, process):
        self.process = process
        self.received = b""
        self.socket = socket.socket(socket.AF_UNIX)
        while self.socket.connect_ex(path):
            if process.poll() is not None:
                raise Failed(f"QEMU ended with {process.returncode} at once")
            time.sleep(0.05)

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def receive(self, until):
        """The next line, or None when the time `until` has come."""
        while b"\n" not in self.received:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            more = self.socket.recv(65536)
            if not more:
                raise Failed(f"QEMU has gone: it ended with {self.process.wait()}")
            self.received += more
        line, self.received = self.received.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")


class Machine:
    """QEMU with a guest that has guest/system/usr/local/sbin/run-commands.

    `work` is a directory for the sockets, `log` the file for what the guest prints on
    its console. The arguments have to name the chardevs "console" and "commands".
    """

    def __init__(self, command, work, log):
        self.log = log
        self.events = []
        for name in ("qmp", "commands"):
            if os.path.exists(f"{work}/{name}"):
                os.unlink(f"{work}/{name}")
        with open(log + ".qemu", "w") as errors:
            self.process = subprocess.Popen(
                command + [
                    "-qmp", f"unix:{work}/qmp,server=on,wait=off",
                    "-chardev", f"file,id=console,path={log},append=on",
                    "-chardev", f"socket,id=commands,path={work}/commands,server=on,wait=off",
                ],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        try:
            self.qmp = Lines(f"{work}/qmp", self.process)
            self.terminal = Lines(f"{work}/commands", self.process)
            self.qmp.receive(deadline(60))
            self.ask("qmp_capabilities")
        except BaseException:
            self.kill()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()

    # -- QMP

    def ask(self, command, **arguments):
        """What the QMP command returns."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.qmp.send(json.dumps({"execute": command, "arguments": arguments}))
        until = deadline(60)
        while line := self.qmp.receive(until):
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed(f"{command}: {answer['error']['desc']}")
            else:
                return answer["return"]
        raise Failed(f"QEMU does not answer {command}")

    def await_event(self, event, timeout, **data):
        """Waits for the event with this data, and forgets those before it."""
        until = deadline(timeout)
        others = []
        while True:
            while self.events:
                seen = self.events.pop(0)
                others.append((seen["event"], seen.get("data")))
                if seen["event"] == event and data.items() <= seen.get("data", {}).items():
                    return seen.get("data", {})
            line = self.qmp.receive(until)
            if line is None:
                raise Failed(f"no {event} {data or ''} within {timeout * patience} s, but: {others}")
            self.events.append(json.loads(line))

    def saw_event(self, event):
        """Whether the event came since those before were forgotten."""
        while line := self.qmp.receive(0):
            self.events.append(json.loads(line))
        return any(seen["event"] == event for seen in self.events)

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

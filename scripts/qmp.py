# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's monitor, and its character devices, at Unix sockets that QEMU serves."""

import json
import select
import socket
import time

ANSWER_SECONDS = 60
# That libvirt lets QEMU send in a second, in bytes: no limit.
MAX_BANDWIDTH = (2**63 - 1) >> 20 << 20


class Failed(Exception):
    """What QEMU or its guest did otherwise than it should have."""


class Lines:
    """Such a socket, line by line; `process` is QEMU's, if the caller has it."""

    def __init__(self, path, process=None):
        self.process = process
        self.received = b""
        self.socket = socket.socket(socket.AF_UNIX)
        while self.socket.connect_ex(str(path)):
            if process and process.poll() is not None:
                raise Failed(f"QEMU ended with {process.returncode} at once")
            time.sleep(0.05)

    def gone(self):
        return Failed(f"QEMU has gone: it ended with {self.process.wait()}"
                      if self.process else "QEMU has gone")

    def send(self, line):
        try:
            self.socket.sendall(line.encode() + b"\n")
        except OSError:
            raise self.gone() from None

    def receive(self, until):
        """The next line, or None when the time `until` has come."""
        while b"\n" not in self.received:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                more = self.socket.recv(65536)
            except OSError:
                more = None
            if not more:
                raise self.gone()
            self.received += more
        line, self.received = self.received.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")


class Monitor(Lines):
    """QMP. `events` has what came and was not waited for; `patience` is a factor for
    all time-outs, for a busy host."""

    def __init__(self, path, process=None, patience=1):
        super().__init__(path, process)
        self.patience = patience
        self.events = []
        self.receive(self.deadline(ANSWER_SECONDS))
        self.ask("qmp_capabilities")

    def deadline(self, seconds):
        return time.monotonic() + seconds * self.patience

    def try_to(self, command, **arguments):
        """QEMU's answer, with "return" or "error". Names of arguments may have "_"
        for "-"."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.send(json.dumps({"execute": command, "arguments": arguments}))
        until = self.deadline(ANSWER_SECONDS)
        while line := self.receive(until):
            answer = json.loads(line)
            if "event" not in answer:
                return answer
            self.events.append(answer)
        raise Failed(f"QEMU does not answer {command}")

    def ask(self, command, **arguments):
        """What the command returns."""
        answer = self.try_to(command, **arguments)
        if "error" in answer:
            raise Failed(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def await_event(self, event, seconds, **data):
        """Waits for the event with this data, and forgets those before it."""
        until = self.deadline(seconds)
        others = []
        while True:
            while self.events:
                seen = self.events.pop(0)
                others.append(seen["event"])
                if seen["event"] == event and data.items() <= seen.get("data", {}).items():
                    return seen.get("data", {})
            line = self.receive(until)
            if line is None:
                raise Failed(f"no {event} {data or ''} within {seconds * self.patience} s, but: {others}")
            self.events.append(json.loads(line))

    def await_status(self, wanted, seconds):
        """Waits until query-status says so."""
        until = self.deadline(seconds)
        while (status := self.ask("query-status")["status"]) != wanted:
            if time.monotonic() > until:
                raise Failed(f"the guest is {status}, and not {wanted}")
            time.sleep(0.02)

    def migrate(self, uri, seconds):
        """Sends the guest there, and returns what query-migrate says at the end."""
        self.ask("migrate-set-parameters", max_bandwidth=MAX_BANDWIDTH)
        self.ask("migrate", uri=uri)
        until = self.deadline(seconds)
        while (state := self.ask("query-migrate")).get("status") != "completed":
            if state.get("status") == "failed":
                raise Failed(f"migration failed: {state.get('error-desc')}")
            if time.monotonic() > until:
                raise Failed(f"migration takes over {seconds * self.patience} s")
            time.sleep(0.01)
        return state

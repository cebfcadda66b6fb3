# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that scripts/migrate moves a guest to or from, and what the guest says in it."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from other_clock import with_clock
from qmp import Failed, Monitor

SECONDS = 120       # for anything
XEN_CONSOLE = ("-device", "xen-console,chardev=console")
LINE = re.compile(r"xenkvm-line: (\d+)$")


class Console:
    """What the guest says, of all QEMUs that it has run in, and its numbered lines."""

    def __init__(self, log, patience):
        self.log, self.seconds = log, SECONDS * patience
        self.rest = ""
        self.lines = []         # those that were not numbered, and not waited for
        self.last = 0
        self.wrong = []
        self.found = None       # what is waited for
        self.ended = False      # the QEMU that it runs in
        self.changed = threading.Condition()

    def hear(self, text):
        with self.changed:
            self.log.write(text)
            self.log.flush()
            *lines, self.rest = (self.rest + text).split("\n")
            for line in lines:
                number = LINE.search(line)
                if not number:
                    self.lines.append(line)
                    if re.match("xenkvm-numbers: (?!.* errors$)", line):
                        self.wrong.append(line)
                    continue
                if int(number.group(1)) != self.last + 1:
                    self.wrong.append(f"line {number.group(1)} after {self.last}")
                self.last = int(number.group(1))
            self.changed.notify_all()

    def await_line(self, pattern):
        """The match of the next line with the pattern; forgets those before it."""
        def look():
            while self.lines and not self.found:
                self.found = re.search(pattern, self.lines.pop(0))
            return self.found
        with self.changed:
            self.found = None
            if not self.changed.wait_for(lambda: look() or self.ended, self.seconds):
                raise Failed(f"the guest did not say {pattern!r} within {self.seconds} s")
            if not self.found:
                raise Failed(f"QEMU ended before the guest said {pattern!r}")
            return self.found

    def keep(self):
        """What was said by a guest that is stopped, once all of it has come."""
        with self.changed:
            while self.changed.wait(1):
                pass
            return self.rest, self.last

    def go_back(self, said):
        self.keep()
        with self.changed:
            self.rest, self.last = said
            self.lines = []

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def await_number(self):
        """Numbered lines go on."""
        with self.changed:
            before = self.last
            if not self.changed.wait_for(lambda: self.last > before + 5, self.seconds):
                raise Failed(f"the guest has printed nothing since line {before}")


class Machine:
    """A QEMU; `incoming` is where its guest comes from, and `device` its console."""

    count = 0

    def __init__(self, options, work, console, incoming=None, more=(), device=XEN_CONSOLE):
        Machine.count += 1
        self.name = f"qemu{Machine.count}"
        self.work, self.console, self.options = work, console, options
        self.seconds = SECONDS * options.patience
        command = [
            *options.command,
            "-qmp", f"unix:{self.name}.qmp,server=on,wait=off",
            "-chardev", f"socket,id=console,path={self.name}.console,server=on,wait=on",
            *device]
        if incoming:
            command += ["-incoming", incoming]
        command += more
        if options.clocks:
            # Each moves to a host whose clocks are behind, or before, and whose date is another.
            ahead = Machine.count % 2
            command = with_clock(options.clocks * ahead, [*command, "-rtc", f"base={2020 + ahead}-01-01"])
        with open(f"{work}/{self.name}.err", "w") as errors:
            self.process = subprocess.Popen(command, cwd=work, stderr=errors,
                                            stdin=subprocess.DEVNULL)
        self.client = socket.socket(socket.AF_UNIX)
        try:
            while self.client.connect_ex(f"{work}/{self.name}.console"):
                if self.process.poll() is not None:
                    raise Failed(f"QEMU ended with {self.process.returncode}")
                time.sleep(0.05)
            self.monitor = Monitor(f"{work}/{self.name}.qmp", self.process, options.patience)
        except Failed:
            self.kill()
            raise
        self.reader = threading.Thread(target=self.read, daemon=True)

    def listen(self):
        """Once the guest is here: what it has said elsewhere comes first."""
        self.console.ended = False
        self.reader.start()

    def read(self):
        while data := self.client.recv(65536):
            self.console.hear(data.decode(errors="replace").replace("\r", ""))
        self.console.end()

    def begin(self, command):
        self.client.sendall(command.encode() + b"\n")

    def end(self, what):
        try:
            status = self.console.await_line(r"^xenkvm-done: (\d+)$").group(1)
        except Failed as error:
            raise Failed(f"{what}: {error}") from None
        if status != "0":
            raise Failed(f"{what}: the guest's command ended with {status}")

    def run(self, command, what):
        self.begin(command)
        self.end(what)

    def command(self, line):
        """A command of the human monitor's, which says something only if it fails."""
        said = self.monitor.ask("human-monitor-command", command_line=line)
        if said.strip():
            raise Failed(f"{line}: {said.strip()}")

    def memory(self, start, size):
        """A part of the guest's memory, as its vCPUs see it: the name of a file with it."""
        self.monitor.ask("pmemsave", val=start, size=size, filename=f"{self.name}.memory")
        return f"{self.work}/{self.name}.memory"

    def quit(self):
        self.monitor.ask("quit")
        self.process.wait(self.seconds)
        # All that the guest has said here.
        self.reader.join(self.seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def handing_over(old, new):
    """The guest goes from the old QEMU to the new one in what is done with this. Then the
    old one has ended; or the new one has, if that failed."""
    try:
        yield
        old.quit()
    except BaseException:
        new.kill()
        raise
    new.listen()

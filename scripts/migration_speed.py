# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves guests to and fro, in turn, and prints how long each takes.
scripts/measure-migration calls this, or has the lab run it."""

import contextlib
import glob
import json
import sys
import time

sys.dont_write_bytecode = True
from migrate_machine import SECONDS, Console, Machine, handing_over
from qmp import Failed

SETTLE = 1.0        # seconds that a guest runs before it is moved
DOWNTIME_MS = 20    # that QEMU may take for the rest of its memory


class Options:
    """What a Machine wants to know."""

    clocks = 0

    def __init__(self, way, patience):
        self.command, self.patience = way["command"], patience


def moment(monitor, event):
    """When QEMU last told of the event, in ms."""
    stamp = [seen["timestamp"] for seen in monitor.events if seen["event"] == event][-1]
    return stamp["seconds"] * 1000 + stamp["microseconds"] / 1000


class Guest:
    """One of those that are compared; it stands still while another is moved."""

    def __init__(self, name, way, work, log, patience):
        self.name, self.way, self.work, self.count = name, way, work, 0
        self.options = Options(way, patience)
        self.console = Console(log, patience)
        self.machine = Machine(self.options, work, self.console, device=way["console"])

    def begin(self):
        self.machine.listen()
        self.console.await_line(r"^xenkvm-commands: ready")
        self.machine.run(f"await_disk {self.way['disk']}", f"{self.name}: the disk")
        self.machine.run("await_nic eth0 && ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up",
                         f"{self.name}: the NIC")
        self.machine.monitor.ask("stop")

    def load(self, rate):
        """From now on it is busy."""
        self.machine.monitor.ask("cont")
        self.machine.run(f"keep-busy /dev/{self.way['disk']} {rate} & sleep 1; kill -0 $!",
                         f"{self.name}: the load")
        self.machine.monitor.ask("stop")

    def move(self):
        """(for how long it stood still, what QEMU says of that, the whole time), in ms, and
        the MiB of memory that were sent."""
        self.count += 1
        uri = f"unix:{self.name}{self.count}"
        old = self.machine
        old.monitor.ask("cont")
        time.sleep(SETTLE)
        new = Machine(self.options, self.work, self.console, uri, device=self.way["console"])
        with handing_over(old, new):
            # Otherwise it stops the guest while much of its memory is left, or not, as chance has it.
            old.monitor.ask("migrate-set-parameters", downtime_limit=DOWNTIME_MS)
            old.monitor.events.clear()
            state = old.monitor.migrate(uri, SECONDS)
            new.monitor.await_status("running", SECONDS)
            figures = (moment(new.monitor, "RESUME") - moment(old.monitor, "STOP"), state["downtime"],
                       state["total-time"], state["ram"]["transferred"] / (1 << 20))
        self.machine = new
        new.run("true", f"{self.name}: the console")
        new.monitor.ask("stop")
        return figures

    def kill(self):
        self.machine.kill()


def measure(options, work):
    guests = []
    with contextlib.ExitStack() as stack:
        for name, way in options["ways"].items():
            log = stack.enter_context(open(f"{work}/{name}.log", "w"))
            guest = Guest(name, way, work, log, options["patience"])
            stack.callback(guest.kill)
            guest.begin()
            guests.append(guest)
        for load in options["loads"]:
            if load == "busy":
                for guest in guests:
                    guest.load(options["rate"])
            for number in range(options["rounds"]):
                # What comes first is another one each time.
                first = number % len(guests)
                for guest in guests[first:] + guests[:first]:
                    print("figure:", load, guest.name, *(f"{figure:.3f}" for figure in guest.move()), flush=True)


def run(options, work):
    """Measures, prints the figures, and returns the exit status."""
    try:
        measure(options, work)
    except (Failed, TimeoutError) as error:
        for log in sorted(glob.glob(work + "/*.log") + glob.glob(work + "/*.err")):
            with open(log, errors="replace") as lines:
                sys.stderr.writelines(lines.readlines()[-10:])
        print(f"measure-migration: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with open("options.json") as file:
        sys.exit(run(json.load(file), "."))

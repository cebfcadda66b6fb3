# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the guest test "storm" from one host to another one, which has just been booted, so that
its clock and TSC are far behind. scripts/migrate-storm has the lab run this in each."""

import json
import os
import sys
import tarfile
import time

sys.dont_write_bytecode = True
from migrate_storm import SECONDS, Machine, run
from qmp import Failed

# A disk that both hosts have, one after the other.
CARRIER = "/dev/vda"
SAVED = "saved"


def leave(options, work):
    """Has the guest saved in a host that has been up for twice as long as its boot took."""
    time.sleep(time.monotonic())
    machine = Machine(options, work)
    try:
        machine.await_storm()
        machine.send_away("file:" + SAVED)
        said = machine.said()
    finally:
        machine.kill()
    with open(f"{work}/left", "w") as file:
        json.dump({"said": said, "up": time.monotonic()}, file)
    with open(CARRIER, "r+b") as disk:
        with tarfile.open(fileobj=disk, mode="w|") as carried:
            for name in (SAVED, "left"):
                carried.add(f"{work}/{name}", name)
        os.fsync(disk.fileno())


def arrive(options, work):
    """Returns what the guest has said in both hosts."""
    with tarfile.open(CARRIER) as carried:
        for name in (SAVED, "left"):
            carried.extract(name, work)
    with open(f"{work}/left") as file:
        left = json.load(file)
    machine = Machine(options, work, "file:" + SAVED)
    try:
        machine.monitor.await_status("paused", SECONDS)
        up = time.monotonic()
        if up >= left["up"]:
            raise Failed(f"this host has been up for {up:.0f} s, and the other one for {left['up']:.0f} s only")
        print(f"migrate-storm: goes on in a host that has been up for {up:.0f} s, after {left['up']:.0f} s in another one",
              flush=True)
        machine.ask("cont")
        machine.await_end()
        return left["said"] + machine.said()
    finally:
        machine.kill()


if __name__ == "__main__":
    with open("options.json") as file:
        the_options = json.load(file)
    sys.exit(run(the_options, ".", arrive if the_options["host"] == 2 else leave))

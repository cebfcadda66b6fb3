# SPDX-License-Identifier: GPL-2.0-or-later
"""Leads a guest from one QEMU to the next, by saves, migrations and snapshots.
scripts/migrate calls this, or has the lab run it."""

import argparse
import glob
import json
import os
import re
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from migrate_machine import SECONDS, Console, Machine
from qmp import Failed

GIVEN_BACK = 12     # MiB of the guest's memory
TIME_SIZE = 32
RUNSTATE_SIZE = 48

# What the machine has instead of a word of its command line, or more (for ""); and the
# line with which it refuses the guest.
REFUSALS = [
    ("pc,", "pc,xen-evtchn-max-ports=2000,", "the guest was offered .* ports: set -machine xen-evtchn-max-ports="),
    ("abi=fifo", "abi=2l", "the guest was offered fifo: set -machine xen-evtchn-abi=fifo here too"),
    ("abi=2l", "abi=3l", "the guest was offered 2l: set -machine xen-evtchn-abi=2l here too"),
    ("pc,", "pc,xen-gnttab-max-frames=1,", "the guest was offered 64 grant frames: set -machine xen-gnttab-max-frames=64 here too"),
    ("xen-version=0x40011", "xen-version=0x40010", "the guest was offered Xen 4.17: set -machine xen-version=0x40011 here too"),
    ("xen-guest=hvm", "xen-guest=pv", "set -machine xen-guest=hvm here too"),
    ("xen-pv-events=monitor", "xen-pv-events=qemu", "set -machine xen-guest=pv,xen-pv-layer=monitor,xen-pv-events=monitor here too"),
    ("xen-pv-events=qemu", "xen-pv-events=monitor", "set -machine xen-guest=pv,xen-pv-layer=monitor,xen-pv-events=qemu here too"),
    ("mac=00:16:3e:00:00:01", "mac=00:16:3e:00:00:02",
     "mac was 00:16:3e:00:00:01 there and is 00:16:3e:00:00:02 here"),
    ("vdev=xvda", "vdev=xvdb", "the saved guest has the device qdisk/51712: start this machine with the same devices"),
    ("vdev=xvda", "vdev=xvda,logical_block_size=4096", "sector-size was 512 there and is 4096 here"),
    ("", "-device xen-console,chardev=more -chardev null,id=more", "the saved guest lacks the device console/1"),
]


def is_time(there, here, offset):
    """Whether a vcpu_time_info, or a wallclock, has been written anew there: its version is
    even, and a later one."""
    before, after = (struct.unpack_from("<I", memory, offset)[0] for memory in (there, here))
    return not before % 2 and not after % 2 and 0 < after - before <= 8


def is_in_runstate(there, here, offset):
    """Whether it is in a vcpu_runstate_info: its times are those up to the last change. KVM sets
    it up with what the new machine's vCPU has, until the guest goes on."""
    def entered(memory, start):
        state, last, *times = struct.unpack_from("<Q5Q", memory, start)
        return last if state < 4 and last == sum(times) else None

    last = min(offset, len(here) - RUNSTATE_SIZE)
    return any(entered(there, start) and entered(here, start) is not None
               for start in range(max(0, offset - RUNSTATE_SIZE + 8), last + 8, 8))


class Journey:
    """A guest that is led from one QEMU to the next."""

    def __init__(self, options, work, log):
        self.options, self.work = options, work
        self.console = Console(log, options.patience)
        self.seconds = SECONDS * options.patience
        self.machine = Machine(options, work, self.console)

    def begin(self):
        machine = self.machine
        machine.listen()
        self.console.await_line(r"^xenkvm-commands: ready")
        # A kernel's message, of a slow host for one, would tear a numbered line.
        machine.run("dmesg -n 1", "the console")
        machine.run("ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up", "the NIC")
        machine.run("await_disk xvda", "the disk")
        self.memory = self.have_memory(self.options.memory - GIVEN_BACK)
        # A PV guest starts all vCPUs that it may have, and takes down those that are not plugged.
        machine.run(f"until [ $(grep -c ^processor /proc/cpuinfo) = {self.options.vcpus} ]; do "
                    "usleep 50000; done", "the vCPUs")
        machine.run("numbers /dev/xvda & numbers=$!", "the numbers")
        self.use("before it moves")

    def have_memory(self, size):
        monitor = self.machine.monitor
        monitor.ask("balloon", value=size << 20)
        deadline = time.monotonic() + self.seconds
        # A PV guest counts its own pages, not its monitor's, and so gives less back.
        spare = GIVEN_BACK // 2 << 20 if size < self.options.memory and self.options.type == "pv" else 0
        before = None
        while not size << 20 <= (actual := monitor.ask("query-balloon")["actual"]) <= (size << 20) + spare \
                or (spare and actual != before):
            if time.monotonic() > deadline:
                raise Failed(f"the guest has not come to {size} MiB, but to {actual} bytes")
            before = actual
            time.sleep(1 if spare else 0.1)
        return actual

    def use(self, what):
        """Everything works, while the numbers go on."""
        self.console.await_number()
        actual = self.machine.monitor.ask("query-balloon")["actual"]
        if actual != self.memory:
            raise Failed(f"{what}: the guest has {actual} bytes")
        vcpus = [part for part in self.machine.monitor.ask("qom-list", path="/machine/unattached")
                 if part["type"].endswith("-x86_64-cpu>")]
        if len(vcpus) != self.options.vcpus:
            raise Failed(f"{what}: the machine has {len(vcpus)} vCPUs")
        self.machine.run(f"use_disk xvda '{what}'", f"{what}: the disk")
        self.machine.run("head -c 65536 /dev/urandom >/sent; timeout 60 "
                         "nc 10.0.2.100 7 </sent >/came; cmp -s /sent /came",
                         f"{what}: the NIC")
        time.sleep(self.options.seconds)
        if self.console.wrong:
            raise Failed(f"{what}: {', '.join(self.console.wrong)}")

    def save(self, i):
        old = self.machine
        old.monitor.ask("stop")
        old.send_away("file:saved")
        old.quit()
        if self.options.refusals and i == 1:
            self.be_refused()
        self.machine = Machine(self.options, self.work, self.console, "file:saved")
        self.machine.listen()
        self.machine.await_status("paused")
        self.machine.monitor.ask("cont")
        self.use(f"restored {i}")
        print(f"migrate: saved and restored, {i}", flush=True)

    def be_refused(self):
        """By each machine that differs from the saved one."""
        for word, instead, why in REFUSALS:
            if word not in " ".join(self.options.command):
                continue
            command = [part.replace(word, instead) if word else part
                       for part in self.options.command]
            command += ["-device", "xen-console,chardev=none", "-chardev", "null,id=none",
                        *(instead.split() if not word else []), "-incoming", "file:saved"]
            ended = subprocess.run(command, cwd=self.work, capture_output=True, text=True,
                                   timeout=self.seconds, check=False)
            if not ended.returncode or not re.search(why, ended.stderr):
                raise Failed(f"{instead} was to be refused with {why!r}: QEMU ended with "
                             f"{ended.returncode}, and {ended.stderr.strip()!r}")
            print(f"migrate: refused: {instead}", flush=True)

    def snapshot(self, i):
        """Takes one, runs on, and goes back: to what the console had said then."""
        machine = self.machine
        machine.monitor.ask("stop")
        machine.command("savevm one")
        said = self.console.keep()
        machine.monitor.ask("cont")
        self.use(f"runs on {i}")
        if i % 2:
            machine.monitor.ask("stop")
            self.console.go_back(said)
            machine.command("loadvm one")
        else:
            machine.quit()
            self.console.go_back(said)
            self.machine = Machine(self.options, self.work, self.console,
                                   more=["-S", "-loadvm", "one"])
            self.machine.listen()
        self.machine.monitor.ask("cont")
        self.use(f"went back {i}")
        print(f"migrate: went back to a snapshot, {i}", flush=True)

    def compare(self, old, new):
        """What the old QEMU has written to memory is here, in the last pass at the latest.
        The new one has already written the guest's times anew."""
        there, here = old.memory(), new.memory()
        words = [i for i in range(0, len(there), 8) if there[i:i + 8] != here[i:i + 8]] \
            if there != here else []
        # A load marks all of a vCPU's events as pending, as Xen does, lest one be lost.
        marked = [i for i in words if here[i:i + 8] == b"\xff" * 8]
        words = [i for i in words if i not in marked and not (
            i + 8 in marked and here[i] == 1 and here[i + 1:i + 8] == there[i + 1:i + 8])]
        times = 0
        while words and is_time(there, here, words[0]):
            end, times = words[0] + TIME_SIZE, times + 1
            words = [i for i in words if i >= end]
        if self.options.accel == "lab":
            words = [i for i in words if not is_in_runstate(there, here, i)]
        # One a vCPU, one more of vCPU 0's for processes, and the wallclock.
        if words or times > self.options.vcpus + 2 or len(marked) > self.options.vcpus:
            raise Failed(f"memory differs after the migration, beside {times} clocks and "
                         f"{len(marked)} selectors: "
                         + " ".join(f"{i:#x}: {there[i:i + 8].hex()} {here[i:i + 8].hex()}" for i in words[:20]))

    def migrate(self, i):
        old = self.machine
        new = Machine(self.options, self.work, self.console, f"unix:wire{i}", ["-S"])
        try:
            state = old.send_away(f"unix:wire{i}")
            new.await_status("paused")
            self.compare(old, new)
            old.quit()
            self.machine = new
        finally:
            if self.machine is not new:
                new.kill()
        new.listen()
        new.monitor.ask("cont")
        self.use(f"migrated {i}")
        print(f"migrate: migrated, {i}: stopped for {state['downtime']} ms of "
              f"{state['total-time']}", flush=True)

    def plug(self):
        """A disk comes and goes as if the guest had been here all the time."""
        machine = self.machine
        machine.monitor.ask("blockdev-add", driver="null-co", node_name="more",
                            size=1 << 20, read_zeroes=True)
        machine.monitor.ask("device_add", driver="xen-disk", id="more", drive="more", vdev="xvdb")
        machine.run("await_disk xvdb && dd if=/dev/xvdb of=/dev/null", "a disk that was plugged")
        machine.monitor.ask("device_del", id="more")
        machine.run("await_no_disk xvdb", "a disk that was unplugged")

    def plug_vcpu(self):
        """One that the guest has not had since before it moved."""
        machine, number = self.machine, self.options.vcpus
        free = [slot for slot in machine.monitor.ask("query-hotpluggable-cpus") if "qom-path" not in slot]
        machine.monitor.ask("device_add", driver=free[-1]["type"], id="more-vcpu", **free[-1]["props"])
        machine.run(f"bring_up {number}", "a vCPU that was plugged")

    def end(self):
        """Returns what the guest has counted."""
        machine = self.machine
        machine.begin("kill -TERM $numbers; wait $numbers")
        sums = self.console.await_line(r"xenkvm-numbers: (.* errors)$").group(1)
        machine.end(f"{sums}: the numbers")
        self.have_memory(self.options.memory)
        self.plug()
        if self.options.maxcpus:
            self.plug_vcpu()
        machine.begin("poweroff -f")
        if machine.process.wait(self.seconds):
            raise Failed(f"QEMU ended with {machine.process.returncode}")
        return sums


def travel(options, work):
    """Returns what the guest has counted."""
    with open(work + "/console.log", "w") as log:
        guest = Journey(options, work, log)
        try:
            guest.begin()
            for i in range(1, options.saves + 1):
                guest.save(i)
            for i in range(1, options.live + 1):
                guest.migrate(i)
            for i in range(1, options.snapshots + 1):
                guest.snapshot(i)
            return guest.end()
        finally:
            guest.machine.kill()


def run(options, work):
    """Runs it, prints the outcome, and returns the exit status."""
    try:
        sums = travel(options, work)
    except (Failed, TimeoutError) as error:
        for log in [work + "/console.log", *sorted(glob.glob(work + "/*.err"))]:
            if os.path.exists(log):
                with open(log, errors="replace") as lines:
                    sys.stderr.writelines(lines.readlines()[-25:])
        print(f"migrate: FAILED: {error}", file=sys.stderr)
        return 1
    print(f"migrate: passed: {options.saves} saves, {options.live} migrations, "
          f"{options.snapshots} snapshots; {sums}")
    return 0


if __name__ == "__main__":
    with open("options.json") as file:
        sys.exit(run(argparse.Namespace(**json.load(file)), "."))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Leads a guest from one QEMU to the next, by saves, migrations and snapshots.
scripts/migrate calls this, or has the lab run it."""

import argparse
import contextlib
import glob
import itertools
import json
import mmap
import os
import re
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from migrate_machine import SECONDS, Console, Machine, handing_over
from qmp import Failed

GIVEN_BACK = 12     # MiB of the guest's memory
MANY = 100000       # more than an intact memory differs by, in bytes
TIME_SIZE = 32
RUNSTATE_SIZE = 48
# What a clock that is set back, or not stopped, exceeds by far: the other host counts seconds a
# little faster, and the guest tells them in hundredths.
CLOCK_RATE = 0.02
CLOCK_STEP = 0.5

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


def contents(name):
    with open(name, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def differing_words(name, other):
    """Where two files differ, each word of 8 bytes once; of many, the first."""
    with subprocess.Popen(["cmp", "-l", name, other], stdout=subprocess.PIPE, text=True) as process:
        offsets = [int(line.split()[0]) - 1 for line in itertools.islice(process.stdout, MANY)]
        process.stdout.close()
    return sorted({offset & ~7 for offset in offsets})


class Journey:
    """A guest that is led from one QEMU to the next."""

    nic, disk, more_disk = "eth0", "xvda", "xvdb"
    numbered = "/dev/xvda"      # where numbered sectors are
    numbers = "numbers"
    power_off = "poweroff -f"

    def __init__(self, options, work, log):
        self.options, self.work = options, work
        self.console = Console(log, options.patience)
        self.seconds = SECONDS * options.patience
        self.plugged = []       # QEMU's options for what the guest has not begun with
        self.clock = None       # Xen's, in the guest, when it left, and for how long it could run on there
        self.machine = self.make_machine()

    def make_machine(self, *more, incoming=None):
        return Machine(self.options, self.work, self.console, incoming, [*self.plugged, *more])

    def boot(self):
        """The guest takes commands at its console by itself."""

    def begin(self):
        machine = self.machine
        machine.listen()
        self.boot()
        self.console.await_line(r"^xenkvm-commands: ready")
        # A kernel's message, of a slow host for one, would tear a numbered line.
        machine.run("dmesg -n 1", "the console")
        machine.run(f"await_nic {self.nic} && ip addr add 10.0.2.15/24 dev {self.nic} && "
                    f"ip link set {self.nic} up", "the NIC")
        machine.run(f"await_disk {self.disk}", "the disk")
        self.memory = self.have_memory(self.options.memory - GIVEN_BACK)
        # A PV guest starts all vCPUs that it may have, and takes down those that are not plugged.
        machine.run(f"await has_cpus {self.vcpus()}", "the vCPUs")
        machine.run(f"{self.numbers} {self.numbered} 10.0.2.2 & numbers=$!", "the numbers")
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
        vcpus = len(self.machine.monitor.ask("query-cpus-fast"))
        if vcpus != self.vcpus():
            raise Failed(f"{what}: the machine has {vcpus} vCPUs")
        self.machine.run(f"has_cpus {vcpus}", f"{what}: the vCPUs")
        self.machine.run(f"use_disk {self.disk} '{what}'", f"{what}: the disk")
        self.machine.run("head -c 65536 /dev/urandom >/sent; timeout 60 "
                         "nc 10.0.2.100 7 </sent >/came; cmp -s /sent /came",
                         f"{what}: the NIC")
        time.sleep(self.options.seconds)
        if self.console.wrong:
            raise Failed(f"{what}: {', '.join(self.console.wrong)}")

    def read_clock(self):
        """Seconds of Xen's system time, as the guest's kernel reads it."""
        self.machine.begin("sed 's/^/xenkvm-uptime: /' /proc/uptime")
        seconds = float(self.console.await_line(r"^xenkvm-uptime: ([\d.]+) ").group(1))
        self.machine.end("the clock")
        return seconds

    @contextlib.contextmanager
    def leaving(self):
        """The guest is stopped in what is done with this."""
        asked = time.monotonic()
        clock = self.read_clock()
        yield
        self.clock = clock, time.monotonic() - asked

    def go_on(self, what):
        """It has to work in the new machine, where its clock goes on from where it was stopped."""
        told = time.monotonic()
        self.machine.monitor.ask("cont")
        runs = time.monotonic()
        self.use(what)
        asked = time.monotonic()
        clock = self.read_clock() - self.clock[0]
        least, most = asked - runs, self.clock[1] + time.monotonic() - told
        if not least * (1 - CLOCK_RATE) - CLOCK_STEP <= clock <= most * (1 + CLOCK_RATE) + CLOCK_STEP:
            raise Failed(f"{what}: system time went on by {clock:.2f} s, and not by {least:.2f} to {most:.2f} s")

    def save(self, i):
        old = self.machine
        with self.leaving():
            old.monitor.ask("stop")
        old.monitor.migrate("file:saved", SECONDS)
        old.quit()
        if self.options.refusals and i == 1:
            self.be_refused()
        self.machine = self.make_machine(incoming="file:saved")
        self.machine.listen()
        self.machine.monitor.await_status("paused", SECONDS)
        self.go_on(f"restored {i}")
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
            try:
                ended = subprocess.run(command, cwd=self.work, capture_output=True, text=True,
                                       timeout=self.seconds, check=False)
            except subprocess.TimeoutExpired:
                raise Failed(f"{instead} was to be refused with {why!r}: QEMU goes on") from None
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
            # This guest has not answered, and the snapshot's was not asked.
            machine.monitor.ask("device_del", id="disk")
            self.console.go_back(said)
            machine.command("loadvm one")
        else:
            machine.quit()
            self.console.go_back(said)
            self.machine = self.make_machine("-S", "-loadvm", "one")
            self.machine.listen()
        self.machine.monitor.ask("cont")
        self.use(f"went back {i}")
        print(f"migrate: went back to a snapshot, {i}", flush=True)

    def compare(self, old, new):
        """What the old QEMU has written to memory is here, in the last pass at the latest.
        The new one has already written the guest's times anew."""
        wrong, times, marked = [], 0, 0
        for start, size in self.options.memory_parts:
            files = [machine.memory(start, size) for machine in (old, new)]
            with contents(files[0]) as there, contents(files[1]) as here:
                words = differing_words(*files)
                # A load marks all of a vCPU's events as pending, as Xen does, lest one be lost.
                all_pending = [i for i in words if here[i:i + 8] == b"\xff" * 8]
                words = [i for i in words if i not in all_pending and not (
                    i + 8 in all_pending and here[i] == 1 and here[i + 1:i + 8] == there[i + 1:i + 8])]
                marked += len(all_pending)
                while words and is_time(there, here, words[0]):
                    end, times = words[0] + TIME_SIZE, times + 1
                    words = [i for i in words if i >= end]
                if self.options.accel == "lab":
                    words = [i for i in words if not is_in_runstate(there, here, i)]
                wrong += [f"{start + i:#x}: {there[i:i + 8].hex()} {here[i:i + 8].hex()}" for i in words[:20]]
            for file in files:
                os.unlink(file)
        # One a vCPU, one more of vCPU 0's for processes, and the wallclock.
        if wrong or times > self.vcpus() + 2 or marked > self.vcpus():
            raise Failed(f"memory differs after the migration, beside {times} clocks and "
                         f"{marked} selectors: " + " ".join(wrong))

    def migrate(self, i):
        old = self.machine
        new = self.make_machine("-S", incoming=f"unix:wire{i}")
        with handing_over(old, new):
            with self.leaving():
                state = old.monitor.migrate(f"unix:wire{i}", SECONDS)
            new.monitor.await_status("paused", SECONDS)
            self.compare(old, new)
        self.machine = new
        self.go_on(f"migrated {i}")
        print(f"migrate: migrated, {i}: stopped for {state['downtime']} ms of "
              f"{state['total-time']}", flush=True)

    def vcpus(self):
        return self.options.vcpus + len(self.plugged) // 2

    def change(self, i):
        """What is done to the guest between its ways, in turn."""
        if i % 4 == 2:
            self.memory = self.have_memory(self.options.memory)
        elif i % 4 == 0:
            self.memory = self.have_memory(self.options.memory - GIVEN_BACK)
        elif not self.options.maxcpus:
            pass
        elif not self.plugged:
            self.plug_vcpu()
        else:
            self.unplug_vcpu()

    def plug_disk(self):
        """One comes and goes as if the guest had been here all the time."""
        machine, disk = self.machine, self.more_disk
        machine.monitor.ask("blockdev-add", driver="null-co", node_name="more",
                            size=1 << 20, read_zeroes=True)
        machine.monitor.ask("device_add", driver="xen-disk", id="more", drive="more", vdev=disk)
        machine.run(f"await_disk {disk} && dd if=/dev/{disk} of=/dev/null", "a disk that was plugged")
        machine.monitor.ask("device_del", id="more")
        machine.run(f"await_no_disk {disk}", "a disk that was unplugged")

    def plug_vcpu(self):
        """The first of those that are not there."""
        machine, number = self.machine, self.vcpus()
        free = [slot for slot in machine.monitor.ask("query-hotpluggable-cpus") if "qom-path" not in slot][-1]
        machine.monitor.ask("device_add", driver=free["type"], id="more-vcpu", **free["props"])
        machine.run(f"bring_up {number} && has_cpus {number + 1}", "a vCPU that was plugged")
        self.plugged = ["-device", f"{free['type']},id=more-vcpu,"
                        + ",".join(f"{name}={value}" for name, value in free["props"].items())]

    def unplug_vcpu(self):
        self.machine.monitor.ask("device_del", id="more-vcpu")
        self.machine.monitor.await_event("DEVICE_DELETED", self.seconds, device="more-vcpu")
        self.plugged = []
        self.machine.run(f"await has_cpus {self.vcpus()}", "a vCPU that was unplugged")

    def end(self):
        """Returns what the guest has counted."""
        machine = self.machine
        machine.begin("kill -TERM $numbers; wait $numbers")
        sums = self.console.await_line(r"xenkvm-numbers: (.* errors)$").group(1)
        machine.end(f"{sums}: the numbers")
        self.have_memory(self.options.memory)
        self.plug_disk()
        if self.options.maxcpus and not self.plugged:
            self.plug_vcpu()
        machine.begin(self.power_off)
        if machine.process.wait(self.seconds):
            raise Failed(f"QEMU ended with {machine.process.returncode}")
        return sums


def travel(options, work, journey):
    """Returns what the guest has counted."""
    with open(work + "/console.log", "w") as log:
        guest = journey(options, work, log)
        try:
            guest.begin()
            for i in range(1, options.saves + 1):
                guest.save(i)
                guest.change(i)
            for i in range(1, options.live + 1):
                guest.migrate(i)
                guest.change(options.saves + i)
            for i in range(1, options.snapshots + 1):
                guest.snapshot(i)
            return guest.end()
        finally:
            guest.machine.kill()


def run(options, work, journey=Journey):
    """Runs it, prints the outcome, and returns the exit status."""
    try:
        sums = travel(options, work, journey)
    except (Failed, TimeoutError) as error:
        for log in [work + "/serial.log", work + "/console.log", *sorted(glob.glob(work + "/*.err"))]:
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

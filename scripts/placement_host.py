# SPDX-License-Identifier: GPL-2.0-or-later
"""The hosts on which scripts/measure-placement runs cells."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("XENKVM_BUILD_DIR", ROOT / "build")).absolute()

NODES, CPUS_PER_NODE, NODE_MIB = 4, 4, 512
# How many cells one boot of the emulated host runs at most.
CELLS_PER_BOOT = 30
# Of a boot, when this machine is busy with other work.
SECONDS = 4 * 3600


class Broken(Exception):
    """What a host did otherwise than it should have."""


def say(text):
    print(f"measure-placement: {text}", file=sys.stderr, flush=True)


def fail(text, status=1):
    say(text)
    sys.exit(status)


def run(*command, **more):
    """A step whose output is of interest only if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        print(done.stdout, file=sys.stderr, end="")
        fail(f"{command[0]} ended with {done.returncode}: see above")
    return done.stdout


def build_programs():
    """xen-place, and what runs a cell."""
    build = BUILD / "placement"
    if not (build / "build.ninja").exists():
        run("meson", "setup", build, ROOT, "-Dtests=false", "-Dlibvirt=disabled",
            "--buildtype=release")
    run("ninja", "-C", build, "accel/placement/xen-place")
    cell = build / "placement-cell"
    run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
        "-I", ROOT / "hw-xen-evtchn" / "public", "-o", cell,
        *sorted((ROOT / "guest" / "placement").glob("*.c")), "-lm")
    return build / "accel" / "placement" / "xen-place", cell


def words(cell, **more):
    """As guest/placement/main.c takes it."""
    return " ".join(f"{name}={value}" for name, value in {**cell, **more}.items()
                    if name != "host")


class Here:
    """This machine."""

    name = "here"

    def __init__(self):
        if os.geteuid():
            fail("--here: only root may set other processes' masks and listen to PSI", 2)
        self.cpus = os.cpu_count()
        self.vcpus = min(4, self.cpus)
        self.xen_place, self.cell = build_programs()

    def run(self, cells):
        numad = shutil.which("numad")
        with tempfile.TemporaryDirectory(dir="/run", prefix="placement-") as folder:
            for cell in cells:
                if cell["case"] == "isolated":
                    continue
                if cell["policy"] == "numad" and not numad:
                    continue
                line = words(cell, vcpus=self.vcpus, directory=folder, numad=numad,
                             memory=512, **{"xen-place": self.xen_place})
                done = subprocess.run([self.cell, *line.split()], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
                if done.returncode:
                    fail(f"{line}: {done.stderr.strip()}")
                yield {**json.loads(done.stdout), "host": self.name}


class Emulated:
    """A machine of QEMU's, whose virtual time is the number of instructions."""

    vcpus = 4

    def __init__(self, jobs, nodes=NODES, numad=True):
        self.jobs, self.nodes = jobs, nodes
        self.cpus = nodes * CPUS_PER_NODE
        self.name = "emulated" if nodes == NODES else f"emulated-{nodes}"
        self.numad = [BUILD / "numad" / "usr" / "bin" / "numad"] if numad else []
        run(ROOT / "scripts" / "setup", "kernels/6.12", *["numad"] * numad)
        self.qemu = BUILD / "qemu" / "qemu-system-x86_64"
        if not os.access(self.qemu, os.X_OK):
            run(ROOT / "scripts" / "build-qemu")
        self.programs = build_programs()

    def command(self, folder, words):
        numa = []
        for node in range(self.nodes):
            numa += ["-object", f"memory-backend-ram,id=m{node},size={NODE_MIB}M",
                     "-numa", f"node,nodeid={node},memdev=m{node}"]
            for core in range(CPUS_PER_NODE):
                numa += ["-numa", f"cpu,node-id={node},socket-id={node},core-id={core},thread-id=0"]
        for a in range(self.nodes):
            for b in range(a + 1, self.nodes):
                numa += ["-numa", f"dist,src={a},dst={b},val=21"]
        firmware = BUILD / "debian-qemu" / "usr" / "share"
        return [str(word) for word in (
            self.qemu, "-L", firmware / "qemu", "-L", firmware / "seabios",
            "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
            "-machine", "pc,hpet=off", "-accel", "tcg,thread=single",
            "-icount", "shift=2,sleep=off",
            # What emulation does byte by byte, and a fifth level of page tables, take long.
            "-cpu", "max,la57=off,erms=off,fsrm=off",
            "-smp", f"{self.cpus},sockets={self.nodes},cores={CPUS_PER_NODE},threads=1",
            "-m", self.nodes * NODE_MIB, *numa,
            "-serial", f"file:{folder}/log", "-serial", "stdio",
            "-kernel", BUILD / "kernels" / "6.12" / "vmlinuz", "-initrd", folder / "initrd",
            # The kernel's tests of its ciphers take a CPU for the first minute.
            "-append", "console=ttyS0 quiet panic=-1 nowatchdog mitigations=off nokaslr "
            f"cryptomgr.notests tsc=reliable clearcpuid=erms,fsrm,rep_good {words}")]

    def run(self, cells):
        """Several hosts at a time, each of which runs some of the cells."""
        isolated = [cell for cell in cells if cell["case"] == "isolated"]
        plain = [cell for cell in cells if cell["case"] != "isolated"]
        boots = queue.SimpleQueue()
        last = f"{self.cpus - CPUS_PER_NODE}-{self.cpus - 1}"
        for some, kernel_words in (plain, ""), (isolated, f"isolcpus={last}"):
            size = min(CELLS_PER_BOOT, -(-len(some) // self.jobs))
            for first in range(0, len(some), max(size, 1)):
                boots.put((some[first:first + size], kernel_words))
        results = queue.SimpleQueue()
        threads = [threading.Thread(target=self.boots, args=[boots, results], daemon=True)
                   for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            result = results.get()
            if isinstance(result, dict):
                yield result
            elif result:
                fail(result)
            else:
                running -= 1

    def boots(self, boots, results):
        """Until there are no more; what goes wrong is a text among the results."""
        try:
            while True:
                for result in self.boot(*boots.get_nowait()):
                    results.put(result)
        except queue.Empty:
            results.put(None)
        except (OSError, Broken) as error:
            results.put(str(error))

    def boot(self, cells, kernel_words):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            folder = pathlib.Path(folder)
            job = folder / "job"
            job.mkdir()
            (job / "cells").write_text("".join(words(cell, vcpus=self.vcpus) + "\n"
                                               for cell in cells))
            run(ROOT / "scripts" / "initramfs", "placement", folder / "initrd", "-", job,
                *self.programs, *self.numad)
            with subprocess.Popen(["timeout", str(SECONDS), *self.command(folder, kernel_words)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  text=True) as process:
                try:
                    yield from self.results(process, cells)
                finally:
                    process.terminate()
            log = (folder / "log").read_text(errors="replace")
            print(log, file=sys.stderr, end="")
            if process.returncode:
                raise Broken(f"the emulated host ended with {process.returncode}")

    def results(self, process, cells):
        left, start = list(cells), time.monotonic()
        for line in process.stdout:
            line = line.strip()
            if line.startswith("{"):
                cell = left.pop(0)
                result = {**json.loads(line), "host": self.name,
                          "wall": round(time.monotonic() - start, 1)}
                say(f"{words(cell)}: delay/run {result['delay'] / result['run']:.3f}, "
                    f"{result['wall']} s")
                start = time.monotonic()
                yield result
            elif line == "failed":
                say(f"{words(left.pop(0))}: failed")

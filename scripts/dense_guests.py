# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of scripts/dense: QEMU's processes, their consoles, and what the host spends
for them."""

import os
import re
import select
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("XENKVM_BUILD_DIR", ROOT + "/build"))
DEBIAN = BUILD + "/debian-qemu"

# What a guest prints when it is up.
UP = b"# up"


class Failed(Exception):
    """What a guest, or the host, did otherwise than it should have."""


class Kind:
    """A kind of guest: how its QEMU is called, and how much memory it has."""

    def __init__(self, name, command, mib, seconds, library_path=None):
        self.name = name
        self.command = command
        self.mib = mib
        self.seconds = seconds      # that it may take until it is up
        self.environment = dict(os.environ)
        if library_path:
            self.environment["LD_LIBRARY_PATH"] = library_path


def firmware():
    return ["-L", DEBIAN + "/usr/share/qemu", "-L", DEBIAN + "/usr/share/seabios"]


def common(mib, kernel, line):
    # Standard input and output are the guest's console.
    return ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-m", str(mib), "-chardev", "stdio,id=console,signal=off",
            "-kernel", kernel, "-append", line]


XEN_CONSOLE = ["-device", "xen-console,chardev=console"]
SMALL = BUILD + "/guest-tests/dense"
SMALL_LINE = "abi=fifo test=answer"
# Of 64 MiB this kernel's code and tables take 47, and its tracing files, which nobody
# reads here, would take the rest.
LINUX_LINE = "console=hvc0 quiet panic=-1 initcall_blacklist=tracer_init_tracefs"
QEMU = BUILD + "/qemu/qemu-system-x86_64"


def small_guest(accel, mib=4, qemu=QEMU):
    return Kind("dense", [qemu, "-accel", accel, "-machine", "dense",
                          *common(mib, SMALL, SMALL_LINE), *XEN_CONSOLE], mib, 60)


def linux_guest(accel, mib=64, qemu=QEMU):
    # A buffer in which translated code of all that Linux does again has room.
    if accel == "tcg":
        accel = "tcg,tb-size=16"
    kernel = BUILD + "/kernels/6.1/vmlinuz"
    return Kind("dense", [qemu, "-accel", accel, "-machine", "dense",
                          *common(mib, kernel, LINUX_LINE), *XEN_CONSOLE,
                          "-initrd", BUILD + "/dense-initrd"], mib, 600)


def compared_kinds(mib=4):
    """The same guest on other machines; Debian's know no Xen guests on TCG, so there
    it prints on the serial port."""
    debian = DEBIAN + "/usr/bin/qemu-system-x86_64"
    libraries = f"{DEBIAN}/usr/lib/x86_64-linux-gnu:{DEBIAN}/lib/x86_64-linux-gnu"
    options = common(mib, SMALL, SMALL_LINE)
    serial = ["-serial", "chardev:console"]
    return [
        small_guest("tcg", mib),
        Kind("pc with Xen", [QEMU, *firmware(), "-accel", "tcg",
                             "-machine", "pc-i440fx-10.0-xen4.17", *options,
                             *XEN_CONSOLE], mib, 60),
        Kind("Debian's microvm", [debian, *firmware(), "-accel", "tcg",
                                  "-machine", "microvm", *options, *serial],
             mib, 60, libraries),
        Kind("Debian's pc", [debian, *firmware(), "-accel", "tcg",
                             "-machine", "pc", *options, *serial], mib, 60, libraries),
    ]


class Guest:
    """One QEMU with its guest. `seconds` is the time from the request to the line
    that says that the guest is up."""

    def __init__(self, number, kind, more=(), errors=subprocess.DEVNULL):
        self.number = number
        self.received = b""
        self.console, theirs = socket.socketpair()
        start = time.perf_counter()
        # No look at all of the files that are open here, which become more and more.
        self.process = subprocess.Popen([*kind.command, *more], stdin=theirs,
                                        stdout=theirs, stderr=errors,
                                        env=kind.environment, close_fds=False)
        theirs.close()
        try:
            self.await_line(UP, time.monotonic() + kind.seconds)
            self.seconds = time.perf_counter() - start
            # Which others' work on the machine stretches less than the former.
            self.processor_seconds = sum(t[0] for t in self.spent().values()) / 1e9
        except BaseException:
            self.kill()
            raise

    def read(self):
        try:
            more = self.console.recv(65536)
        except OSError:
            more = b""
        if not more:
            raise Failed(f"guest {self.number}: QEMU ended with "
                         f"{self.process.wait()}")
        self.received += more

    def await_line(self, wanted, until):
        """Wait for this line, and forget it and what was before it."""
        poll = select.poll()
        poll.register(self.console, select.POLLIN)
        while not re.search(rb"(^|\n)" + re.escape(wanted) + rb"\r?\n", self.received):
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                last = self.received.strip().split(b"\n")[-1].decode(errors="replace")
                raise Failed(f"guest {self.number}: no '{wanted.decode()}' on its "
                             f"console in time; the last line is '{last}'")
            self.read()
        self.received = self.received.split(wanted, 1)[1]

    def ask(self, line):
        self.console.sendall(line.encode() + b"\n")

    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}") as file:
            return file.read()

    def memory(self):
        """KiB, of all kinds that the kernel counts for a process."""
        rollup = self.proc("smaps_rollup")
        status = self.proc("status")

        def number(text, key):
            return int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1])

        return {"private": number(rollup, "Anonymous"),
                "pss": number(rollup, "Pss"),
                "page_tables": number(status, "VmPTE"),
                "threads": number(status, "Threads")}

    def spent(self):
        """By thread: nanoseconds of processor time, and how often it was run."""
        threads = {}
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                nanoseconds = int(self.proc(f"task/{task}/schedstat").split()[0])
                switches = sum(int(n) for n in re.findall(
                    r"ctxt_switches:\s+(\d+)", self.proc(f"task/{task}/status")))
            except OSError:
                continue  # it has ended
            threads[task] = nanoseconds, switches
        return threads

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.console.close()


def meminfo():
    """KiB."""
    with open("/proc/meminfo") as file:
        return {line.split(":")[0]: int(line.split()[1]) for line in file}


def ask_all(guests, seconds):
    """Each guest gets a line of its own, and must answer it; the time that this took."""
    start = time.monotonic()
    for guest in guests:
        guest.ask(f"guest {guest.number}")
    for guest in guests:
        guest.await_line(f"# guest {guest.number}".encode(), start + seconds)
    return time.monotonic() - start


def end_all(guests, seconds):
    """Have the guests power off; returns how many did."""
    until = time.monotonic() + seconds
    for guest in guests:
        guest.ask("off")
    ended = 0
    for guest in guests:
        try:
            status = guest.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            continue
        ended += status == 0
    return ended

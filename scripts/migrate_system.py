# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/migrate moves with --system: a whole Debian, which its firmware boots
from its disk, or GRUB for Xen as a PV guest. Its first serial port is its kernel's console, and
its second one has a shell; the numbers and the commands have a Xen console, as in other guests. A PV
guest has Xen consoles for all of them."""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT + "/tests/system")
from migrate_journey import Journey
from terminal import Terminal

BOOT_SECONDS = 240
GRUB = "system-firmware/usr/lib/grub-xen/grub-x86_64-xen.bin"
IMAGE = "system.img"
OVERLAY = "system.qcow2"    # has the snapshots


def make_boot_options(options):
    """QEMU's options for the disk, and what boots it."""
    image = f"driver=qcow2,file.filename={OVERLAY}" if options.snapshots else f"driver=raw,file.filename={IMAGE}"
    device, serial, word, more = "xen-disk,drive=root,vdev=xvda,emulated=ide", "-serial", "chardev:", []
    if options.type == "pv":
        device, serial, word, more = ("xen-disk,drive=root,vdev=xvda", "-device", "xen-console,chardev=",
                                      ["-kernel", "grub"])
    return ["-blockdev", f"node-name=root,cache.no-flush=on,file.driver=file,{image}", "-device", device,
            "-chardev", "file,id=serial,path=serial.log,append=on", serial, word + "serial",
            "-chardev", "socket,id=terminal,path=terminal,server=on,wait=off", serial, word + "terminal", *more]


def make_files(build, work, type):
    """The disk, what boots it, and what the guest fetches."""
    subprocess.run([ROOT + "/scripts/system-image"], check=True)
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", build + "/system-image/disk.img",
                    f"{work}/{IMAGE}"], check=True)
    if type == "pv":
        shutil.copy(f"{build}/{GRUB}", work + "/grub")
    os.mkdir(work + "/tftp")
    shutil.copy(ROOT + "/guest/commands", work + "/tftp")
    shutil.move(work + "/numbers", work + "/tftp")


class System(Journey):
    nic, disk, more_disk = "enX0", "xvdb", "xvdc"
    numbered = "/numbered"
    # They take all the time that is left, and commands need not wait for them.
    numbers = "nice -n 19 numbers"
    power_off = "systemctl poweroff"

    def boot(self):
        console = "hvc2" if self.options.type == "pv" else "hvc0"
        terminal = Terminal(f"{self.work}/terminal", self.machine.process, self.options.patience)
        terminal.await_boot(BOOT_SECONDS)
        terminal.await_true(f"test -e /sys/class/net/{self.nic}")
        # Of its own, as the guest is to have its NIC by commands, and busybox in /bin.
        terminal.run(f"ip addr add 10.0.2.15/24 dev {self.nic} && ip link set {self.nic} up")
        terminal.run("mkdir /run/bin && cd /run/bin && busybox --install -s . && modprobe xen-evtchn")
        for file in ("commands", "numbers"):
            terminal.run(f"cd /run/bin && busybox tftp -g -b 1400 -r {file} 10.0.2.2 && chmod +x {file}")
        terminal.run(f"ip addr flush dev {self.nic} && head -c 4M /dev/zero >{self.numbered} && sync")
        # systemd's services ignore SIGPIPE, and so would what ends by it.
        terminal.run("cd / && env --default-signal=PIPE PATH=/run/bin:$PATH "
                     f"setsid busybox sh /run/bin/commands </dev/{console} >/dev/{console} 2>&1 &")

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: check.py SCENARIO WORK_DIRECTORY BOOT_SECTOR QEMU_COMMAND...
#
# Runs QEMU with a device that has an emulated twin, or with one that the guest
# unplugs, and tells whether all came as it should. Scripts/test has the scenarios.

import atexit
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../../scripts")
sys.dont_write_bytecode = True
from qmp import Failed, Monitor

scenario, work, boot_sector, *qemu = sys.argv[1:]
IMAGE = work + "/disk.img"
SERIAL = work + "/serial"
QMP = work + "/qmp"

DISK = ["-blockdev", f"driver=file,node-name=file,filename={IMAGE}",
        "-blockdev", "driver=raw,node-name=disk,file=file"]
XEN_NIC = ["-netdev", "user,id=net,restrict=on",
           "-device", "xen-net-device,netdev=net,emulated=e1000,id=nic"]

# What boots from the disk, and what of it firmware sees and the guest can unplug.
BOOTS = {
    "blockdev": DISK + XEN_NIC + [
        "-object", "iothread,id=thread",
        "-device", "xen-disk,drive=disk,vdev=xvda,emulated=ide,bootindex=1,"
                   "iothread=thread,id=xvda"],
    "drive": XEN_NIC + [
        "-drive", f"if=none,id=disk,file={IMAGE},format=raw",
        "-device", "xen-disk,drive=disk,vdev=xvda,emulated=ide,id=xvda"],
    "plain": DISK + [
        "-device", "ide-hd,drive=disk,id=hda,bootindex=1",
        "-device", "xen-disk,drive=disk,vdev=xvda,share-rw=on,id=xvda",
        "-global", "ide-hd.share-rw=on",
        "-netdev", "user,id=net,restrict=on",
        "-device", "e1000,netdev=net,id=nic"],
    "sata": DISK + XEN_NIC + [
        "-machine", "q35",
        "-device", "xen-disk,drive=disk,vdev=xvda,emulated=ide,bootindex=1,id=xvda"],
    "network": [
        "-netdev", "user,id=net,restrict=on,tftp=" + os.path.dirname(boot_sector)
                   + ",bootfile=" + os.path.basename(boot_sector),
        "-device", "xen-net-device,netdev=net,emulated=e1000,bootindex=1,id=nic"],
}


def fail(text):
    print(f"check: {text}")
    sys.exit(1)


def is_equal(what, value, expected):
    if value != expected:
        fail(f"{what} is {value!r}, not {expected!r}")


class Machine:
    def __init__(self, options):
        for name in (SERIAL, QMP):
            if os.path.exists(name):
                os.remove(name)
        machine = "q35" if scenario == "sata" else "pc"
        self.process = subprocess.Popen(
            qemu + ["-machine", machine + ",xen-version=0x40011", "-qmp",
                    f"unix:{QMP},server=on,wait=off", *options])
        atexit.register(self.process.kill)
        self.monitor = Monitor(QMP, self.process)

    def ask(self, command, **arguments):
        try:
            return self.monitor.ask(command, **arguments)
        except Failed as failure:
            fail(failure)

    def refuses(self, why, command, **arguments):
        answer = self.monitor.try_to(command, **arguments)
        if why not in answer.get("error", {}).get("desc", ""):
            fail(f"{command}: {answer}, not: {why}")

    def names(self, event):
        return [e.get("data", {}).get("device", e.get("data", {}).get("path"))
                for e in self.monitor.events if e["event"] == event]

    def wait(self, what, condition, seconds=60):
        end = time.time() + seconds
        while not condition():
            self.ask("query-status")
            if time.time() > end:
                fail(f"no {what} after {seconds} s; the guest said: {serial()}")
            time.sleep(0.1)

    def end(self):
        self.ask("quit")
        is_equal("QEMU's exit status", self.process.wait(), 0)


def serial():
    with open(SERIAL, errors="replace") as file:
        return file.read()


def write_image():
    with open(IMAGE, "wb") as image, open(boot_sector, "rb") as sector:
        image.write(sector.read())
        image.truncate(8 << 20)


def boots():
    return re.findall(r"^boot (\d): disks (\d) NICs (\d), then disks (\d) NICs (\d)$",
                      serial(), re.M)


def network_peer(machine):
    """The NIC that has the netdev, as HMP's "info network" shows it."""
    text = machine.ask("human-monitor-command", **{"command-line": "info network"})
    return re.search(r"model=(\S+?),[^\n]*\n \\ net:", text)[1]


def reboot():
    write_image()
    machine = Machine(["-serial", f"file:{SERIAL}", *BOOTS[scenario]])
    network = scenario == "network"
    emulated_nic = "e1000"
    # At the ports at which the boot sector looks q35 has nothing, so all bits are set.
    after = "1" if scenario == "sata" else "0"
    xen_nic = "e1000" if scenario == "plain" else "xen-net-device"

    machine.wait("fourth boot", lambda: len(boots()) == 4)
    if scenario == "blockdev":
        is_equal("the NIC", network_peer(machine), xen_nic)
        # The image gets another node, a new size, and the machine another disk.
        machine.ask("blockdev-snapshot-sync", **{
            "node-name": "disk", "snapshot-file": work + "/snapshot.qcow2",
            "snapshot-node-name": "snapshot"})
        machine.ask("block_resize", **{"node-name": "snapshot", "size": 16 << 20})
        machine.ask("blockdev-add", **{"driver": "null-co", "node-name": "more",
                                       "size": 1 << 20})
        machine.ask("device_add", driver="xen-disk", drive="more", vdev="xvdb",
                    emulated="ide", id="xvdb")
        machine.ask("netdev_add", type="hubport", id="more", hubid=0)
        machine.ask("device_add", driver="xen-net-device", netdev="more",
                    emulated="rtl8139", id="another")
        machine.ask("set_link", name="nic", up=False)
        machine.refuses("IDE unit 1 is in use", "device_add", driver="xen-disk",
                        drive="more", vdev="hdb", emulated="ide", id="hdb")
    machine.ask("system_reset")
    machine.wait("fifth boot", lambda: len(boots()) == 5)

    first = ("0", "1") if network else ("1", "1")
    expected = [(str(n), *first, after, "0") for n in range(1, 6)]
    if scenario == "blockdev":
        expected[4] = ("5", "2", "2", "0", "0")
    is_equal("what the guest has", boots(), expected)
    is_equal("the devices that were deleted", machine.names("DEVICE_DELETED"), [])

    devices = [b["qdev"] for b in machine.ask("query-block") if "qdev" in b]
    if not network:
        is_equal("the disk's device", "xvda" in devices, True)
    is_equal("the NIC", network_peer(machine), xen_nic)
    if scenario == "blockdev":
        is_equal("the devices", sorted(devices), ["xvda", "xvdb"])
        machine.ask("device_del", id="xvdb")
        machine.ask("device_del", id="another")
        machine.wait("end of both", lambda: {"xvdb", "another"}
                     <= set(machine.names("DEVICE_DELETED")))
        machine.ask("netdev_del", id="more")
        machine.ask("system_reset")
        machine.refuses("cannot be unplugged while", "device_del", id="xvda")
        is_equal("the NIC", network_peer(machine), emulated_nic)
    machine.end()

    if scenario not in ("blockdev", "network"):
        with open(IMAGE, "rb") as image:
            image.seek(512)
            is_equal("the boots that the disk has counted", image.read(1), b"\5")
    print("\n".join(" ".join(b) for b in boots()))


def guest_says(machine, text):
    machine.wait(f"'{text}'", lambda: text in serial())


def cdrom():
    with open(IMAGE, "wb") as image:
        image.write(b"CD")
        image.truncate(1 << 20)
    machine = Machine(["-device", "xen-cdrom,vdev=xvda,id=cd"])
    guest_says(machine, "# empty")
    machine.ask("blockdev-change-medium", id="cd", filename=IMAGE, format="raw")
    guest_says(machine, "# read")
    machine.ask("eject", id="cd")
    guest_says(machine, "1 - cdrom_medium")
    is_equal("the drive's medium", "inserted" in machine.ask("query-block")[0], False)
    print(serial())
    if "\nok 1 - cdrom_medium" not in serial():
        fail("the guest does not see what it should")
    machine.end()


def places():
    """What firmware and management software find where."""
    def pci(*options):
        machine = Machine(["-S", *options])
        found = {d["slot"]: d["id"] for d in machine.ask("query-pci")[0]["devices"]
                 if d["function"] == 0}
        machine.end()
        return {slot: device for slot, ids in found.items()
                for device in [ids["device"]] if ids["vendor"] in (0x5853, 0x1234, 0x1af4)}

    xen, vga, balloon = 1, 0x1111, 0x1002
    is_equal("the place alone", pci(), {2: xen})
    is_equal("the places as they were",
             pci("-device", "VGA,romfile=", "-device", "virtio-balloon-pci"),
             {2: xen, 3: vga, 4: balloon})
    is_equal("the places of libvirt",
             pci("-device", "VGA,addr=2,romfile=", "-device", "virtio-balloon-pci,addr=3"),
             {31: xen, 2: vga, 3: balloon})
    is_equal("the place of the user", pci("-device", "xen-platform,addr=7"), {7: xen})


{"cdrom": cdrom, "places": places}.get(scenario, reboot)()

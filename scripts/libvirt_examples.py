# SPDX-License-Identifier: GPL-2.0-or-later
"""The domains of libvirt-xml/examples as guests of scripts/libvirt-life, with files that
are here in place of those that they name, on TCG."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from libvirt_guest import MIB, Guest
from qmp import Failed

GRUB = pathlib.Path("/usr/lib/grub/i386-pc")
COMMAND_LINE = "console=hvc0 panic=-1 lpj=10000000"
# What a guest without a kernel finds on its disk. GRUB for PV guests loads no kernel that is
# packed as Debian's cloud kernels are.
GRUB_CONFIG = f"""
if [ "$grub_platform" = xen ]; then
    echo 'xenkvm-grub: here'
    sleep 600
fi
linux /vmlinuz {COMMAND_LINE}
initrd /initrd
boot
"""
MOST_MIB, MOST_VCPUS = 2048, 4
BOOTS = 3


def can_make_grub_disk():
    return GRUB.exists() and all(shutil.which(program) for program in ("grub-mkimage", "mke2fs"))


def grub_disk(directory):
    """A disk from which a PC boots: GRUB lies before its only partition."""
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        (root / "boot/grub").mkdir(parents=True)
        (root / "boot/grub/grub.cfg").write_text(GRUB_CONFIG)
        for name in ("vmlinuz", "initrd"):
            shutil.copy(f"{directory}/{name}", root)
        subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", f"{work}/core", "-p", "(hd0,msdos1)/boot/grub",
                        "biosdisk", "part_msdos", "ext2", "normal", "linux", "echo", "sleep", "test"], check=True)
        disk = pathlib.Path(work) / "disk"
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, "-E", f"offset={MIB}", disk, "63M"], check=True)
        image = bytearray(disk.read_bytes().ljust(64 * MIB, b"\0"))
        core = pathlib.Path(work, "core").read_bytes()
    partition = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", MIB // 512, 63 * MIB // 512)
    image[:512] = (GRUB / "boot.img").read_bytes()[:446] + partition + bytes(48) + b"\x55\xaa"
    image[512:512 + len(core)] = core
    return bytes(image)


class Example(Guest):
    def __init__(self, path, session, options, port, log):
        self.path, self.firmware = path, options.firmware
        self.xen_disks = []
        super().__init__(path.stem, session, options, port, log)
        self.name = path.stem

    def define(self, _):
        domain = xml.parse(self.path).getroot()
        directory = self.session.directory
        domain.set("type", "qemu")
        domain.find("cpu").set("mode", "maximum")
        domain.find("devices/emulator").text = self.emulator
        memory = domain.find("memory")
        size = int(memory.text) * {"MiB": 1, "GiB": 1024}[memory.get("unit")]
        memory.text = str(min(size, MOST_MIB))
        memory.set("unit", "MiB")
        vcpu = domain.find("vcpu")
        vcpu.text = str(min(int(vcpu.text), MOST_VCPUS))
        self.vcpus = int(vcpu.get("current", vcpu.text))
        self.set_boot(domain.find("os"), directory)
        for disk in domain.iter("disk"):
            self.set_disk(disk)
        self.change(domain)
        xml.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
        self.virsh("define", "--validate", self.session.write(f"{self.kind}.xml", xml.tostring(domain)))

    def set_boot(self, system, directory):
        self.machine = system.find("type").get("machine")
        kernel = system.find("kernel")
        self.own_kernel = kernel is not None and "grub" not in kernel.text
        self.by_grub = not self.own_kernel
        self.pv_grub = kernel is not None and self.by_grub
        if self.own_kernel:
            kernel.text, system.find("initrd").text = f"{directory}/vmlinuz", f"{directory}/initrd"
            system.find("cmdline").text = COMMAND_LINE
        elif kernel is not None and not os.path.exists(kernel.text):
            kernel.text = self.session.write(
                "grub-xen", (self.firmware / pathlib.Path(kernel.text).name).read_bytes())

    def set_disk(self, disk):
        target = disk.find("target")
        image = grub_disk(self.session.directory) if self.by_grub and not self.xen_disks else bytes(4 * MIB)
        file = self.session.write(f"{self.kind}-{target.get('dev')}.img", image)
        disk.set("type", "file")
        disk.find("source").attrib = {"file": file}
        disk.find("driver").attrib = {"name": "qemu", "type": "raw"}
        # hda is xvda to the guest.
        self.xen_disks.append(re.sub("^hd", "xvd", target.get("dev")))

    def reboot_by_disk(self, boot):
        """Firmware finds the disk again, which the guest had unplugged."""
        for _ in range(BOOTS):
            self.virsh("reboot", self.name)
            self.console.read_until("xenkvm-asked: ")
            last, boot = boot, self.console.ready()
            if boot == last:
                raise Failed(f"the same boot, {boot}, after reboot")
        self.say(f"rebooted {BOOTS} times from its own disk")

    def live(self):
        self.virsh("start", self.name)
        self.console = self.console_class(self.session, self.name, self.log)
        if self.pv_grub:
            self.console.read_until("xenkvm-grub: here")
            self.virsh("destroy", self.name)
        else:
            boot = self.console.ready()
            self.console.run("grep -qx xen /sys/hypervisor/type")
            self.console.run('dmesg | grep -q "Using FIFO-based ABI"')
            self.console.run(f'[ "$(grep -c ^processor /proc/cpuinfo)" = {self.vcpus} ]')
            for disk in self.xen_disks[1 if self.by_grub else 0:]:
                self.console.run(f"await_disk {disk} && use_disk {disk} example")
            self.console.run(f"channels_count xenbus hvc_console timer {'blkif' if self.xen_disks else ''}")
            if self.by_grub:
                self.reboot_by_disk(boot)
            self.virsh("shutdown", self.name)
            self.console.read_until("xenkvm-asked: poweroff")
        self.await_state("shut off")
        self.virsh("undefine", self.name)
        self.say("started, a Xen guest inside, and shut down")

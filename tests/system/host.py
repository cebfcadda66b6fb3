# SPDX-License-Identifier: GPL-2.0-or-later
"""What a whole guest runs on: this machine, by TCG, or KVM in the lab.

Each has QEMU's options `accelerator` and `boot_disk`, which the firmware finds;
file(path), the name by which QEMU there finds a file or directory of this machine;
disk(path), by which it finds a disk image, as the properties of a block node;
start(arguments, log), which starts QEMU with its monitor and its chardev "commands" at
the sockets `work`/qmp and `work`/commands, and "console" in the file `log`; and kill().
"""

import os
import shutil
import signal
import subprocess


class Tcg:
    """This machine."""

    accelerator = ["-machine", "pc,xen-version=0x40011,xen-evtchn-abi={abi}", "-accel", "tcg", "-cpu", "max"]
    boot_disk = ["-device", "xen-disk,drive=disk,vdev=xvda,emulated=ide"]

    def __init__(self, qemu, build, work):
        firmware = build + "/debian-qemu/usr/share"
        self.command = [qemu, "-L", firmware + "/qemu", "-L", firmware + "/seabios"]
        self.work = work

    def file(self, path):
        return path

    def disk(self, path):
        return {"driver": "file", "filename": path}

    def start(self, arguments, log):
        with open(log + ".qemu", "w") as errors:
            return subprocess.Popen(
                self.command + arguments + [
                    "-qmp", f"unix:{self.work}/qmp,server=on,wait=off",
                    "-chardev", f"file,id=console,path={log},append=on",
                    "-chardev", f"socket,id=commands,path={self.work}/commands,server=on,wait=off",
                ],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def kill(self, process):
        process.kill()


class Lab:
    """The lab's KVM host, which scripts/run-guest starts. It finds this machine's files
    in its initramfs, and images as disks of its own. The guest's QEMU has the host's
    consoles for its sockets, and the host's QEMU, on this machine, the sockets."""

    accelerator = ["-machine", "pc,xen-evtchn-abi={abi}",
                   "-accel", "kvm,xen-version=0x40011,kernel-irqchip=split", "-cpu", "host"]
    # SeaBIOS reads IDE disks by port I/O, which takes minutes here, and AHCI's by DMA.
    boot_disk = ["-device", "ahci,id=ahci", "-device", "xen-disk,drive=disk,vdev=xvda,emulated=ahci"]
    # The guest is stopped, and the host with it, when it has run for so long.
    SECONDS = 20000

    def __init__(self, qemu, scripts, work, memory):
        self.command = [scripts + "/run-guest", "lab", qemu, work, str(memory)]
        self.work = work
        self.disks = []
        self.host_log = None
        os.mkdir(work + "/job")

    def file(self, path):
        name = os.path.basename(path)
        copy = shutil.copytree if os.path.isdir(path) else shutil.copy
        copy(path, f"{self.work}/job/{name}")
        return name

    def disk(self, path):
        if path not in self.disks:
            self.disks.append(path)
        # No cache in the host: this machine looks at the image when the guest is done.
        return {"driver": "host_device", "cache": {"direct": True},
                "filename": "/dev/vd" + "abc"[self.disks.index(path)]}

    def start(self, arguments, log):
        arguments = arguments + [
            "-chardev", "serial,id=monitor,path=/dev/hvc0", "-mon", "chardev=monitor,mode=control",
            "-chardev", "serial,id=commands,path=/dev/hvc1",
            "-chardev", "serial,id=console,path=/dev/hvc2",
        ]
        host = ["-device", "virtio-serial-pci"]
        for name in ("qmp", "commands"):
            host += ["-chardev", f"socket,id={name},path={self.work}/{name},server=on,wait=off",
                     "-device", f"virtconsole,chardev={name}"]
        host += ["-chardev", f"file,id=console,path={log},append=on", "-device", "virtconsole,chardev=console"]
        for disk in self.disks:
            node = os.path.basename(disk).replace(".", "-")
            host += ["-drive", f"if=none,id={node},file={disk},format=raw,cache=unsafe",
                     "-device", f"virtio-blk-pci,drive={node}"]
        for name, lines in (("job/system.arguments", arguments), ("job/list", [f"system {self.SECONDS}"]),
                            ("host.arguments", host)):
            with open(f"{self.work}/{name}", "w") as file:
                file.write("\n".join(lines) + "\n")
        self.host_log = log + ".host"
        with open(log + ".qemu", "w") as errors:
            # A group of its own, which the host's QEMU is in, too.
            return subprocess.Popen(self.command, start_new_session=True,
                                    stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def kill(self, process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        # What the host's kernel and the guest's QEMU have said.
        if os.path.exists(self.work + "/host.log"):
            shutil.copy(self.work + "/host.log", self.host_log)

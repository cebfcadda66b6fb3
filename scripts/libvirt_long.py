# SPDX-License-Identifier: GPL-2.0-or-later
"""The long form of a guest's life under libvirt, for scripts/libvirt-life --long."""

import base64
import hashlib
import os
import pathlib
import re
import select
import time
import xml.etree.ElementTree as xml

import libvirt_guest
from libvirt_guest import MIB, Console, Guest
from qmp import Failed

CONSOLE_BYTES = 64 << 10
BOOTS = 3


class LongConsole(Console):
    def await_ended(self):
        """The status of a command whose end may have come with its output."""
        if self.read_until(r"(?m)^xenkvm-done: (\d+)\n")[1] != "0":
            raise Failed("in the guest: the command at the console failed")

    def take(self, length):
        """What the guest prints, against the checksum that it gives."""
        self.send(f"give_text {length}\n".encode())
        said = self.read_until(r"(?ms)^xenkvm-text:\n(.*?)xenkvm-sum: (\S+)\n")
        self.await_ended()
        if len(said[1]) < length or hashlib.sha256(said[1].encode()).hexdigest() != said[2]:
            raise Failed(f"{len(said[1])} bytes came out of the console, not those that the guest has written")

    def give(self, length):
        """What is typed here, against the guest's checksum of it."""
        # No character of it is one that virsh or a terminal takes for itself.
        text = base64.b64encode(os.urandom(length))[:length]
        self.send(f"take_bytes {length}\n".encode())
        self.read_until(r"xenkvm-take\n")
        self.send(text)
        said = self.read_until(r"xenkvm-sum: (\S+)\n")[1]
        self.await_ended()
        if said != hashlib.sha256(text).hexdigest():
            raise Failed(f"what the guest got at its console is not what was typed, {length} bytes")

    def send(self, data):
        """As fast as virsh takes it: a terminal holds no more than 4 KiB."""
        deadline = time.monotonic() + libvirt_guest.patience
        while data:
            if not select.select([], [self.terminal], [], deadline - time.monotonic())[1]:
                raise Failed(f"virsh console took no more input, {len(data)} bytes before its end")
            data = data[os.write(self.terminal, data[:1024]):]


class LongGuest(Guest):
    """Beside the short life's steps it has a CD-ROM drive, an external snapshot, and more
    of each."""

    console_class = LongConsole

    def change(self, domain):
        super().change(domain)
        # As an HVM guest Linux takes no Xen CD-ROM: it has an emulated one.
        if self.kind == "pv" and not self.stock:
            domain.find("devices").append(xml.fromstring(
                "<disk type='file' device='cdrom'><target dev='xvdd' bus='xen'/><readonly/></disk>"))

    def medium(self, word):
        return self.session.write(f"{self.kind}-{word}.iso", f"{word}\n".encode().ljust(MIB, b"\0"))

    def change_media(self):
        for i in range(3):
            for way, word in (("--insert", f"first-{i}"), ("--update", f"second-{i}")):
                self.virsh("change-media", self.name, "xvdd", self.medium(word), way, "--live")
                self.console.run(f"await_medium xvdd {word}")
                if f"{word}.iso" not in self.virsh("domblklist", self.name):
                    raise Failed(f"domblklist lacks the medium {word}.iso")
            self.virsh("change-media", self.name, "xvdd", "--eject", "--live")
            self.console.run("await_sectors xvdd 0")

    def talk(self):
        self.console.take(CONSOLE_BYTES)
        self.console.give(CONSOLE_BYTES)

    def snapshot_disk(self):
        """What is written while the snapshot is there gets into the image when it is
        committed, and the guest's writes do not stop."""
        overlay = f"{self.session.directory}/{self.kind}-overlay.qcow2"
        self.console.run(f"use_disk xvda before-snapshot")
        self.virsh("snapshot-create-as", self.name, "life", "--disk-only", "--atomic", "--no-metadata",
                   "--diskspec", f"{self.target},file={overlay}")
        self.console.run(f"use_disk xvda in-snapshot")
        if not pathlib.Path(self.disk).read_bytes().startswith(b"before-snapshot\n"):
            raise Failed("the guest's writes did not go to the snapshot's file")
        self.virsh("blockcommit", self.name, self.target, "--active", "--pivot", "--wait")
        if not pathlib.Path(self.disk).read_bytes().startswith(b"in-snapshot\n"):
            raise Failed("the image does not have what the guest wrote before the commit")
        self.console.run(f"use_disk xvda after-commit")
        if not pathlib.Path(self.disk).read_bytes().startswith(b"after-commit\n"):
            raise Failed("the guest's writes do not go to the image after the commit")
        if overlay in self.virsh("dumpxml", self.name):
            raise Failed("the domain still has the snapshot's file")
        os.unlink(overlay)

    def lose_libvirtd(self):
        """What is plugged by one libvirtd is unplugged by the next."""
        if self.stock:
            super().lose_libvirtd()
            return
        image = self.session.write(f"{self.kind}-kept.img", b"\0" * MIB)
        self.virsh("attach-disk", self.name, image, "xvde", "--targetbus", "xen", "--driver", "qemu")
        self.console.run("await_disk xvde")
        super().lose_libvirtd()
        self.console.run("use_disk xvde kept")
        self.virsh("detach-disk", self.name, "xvde")
        self.console.run("await_no_disk xvde")
        self.count()

    def reset(self, boot):
        self.virsh("reset", self.name)
        again = self.console.ready()
        if again == boot:
            raise Failed(f"the same boot, {boot}, after reset")
        self.be_a_xen_guest()

    def live(self):
        boot = self.boot()
        self.be_a_xen_guest()
        self.say("booted")
        self.talk()
        self.say(f"{CONSOLE_BYTES >> 10} KiB through virsh console, each way")
        if self.kind == "pv" and not self.stock:
            self.change_media()
            self.say("media inserted, changed and ejected")
        self.snapshot_disk()
        self.say("external snapshot, and blockcommit")
        # Not to be repeated for the sake of the steps above.
        self.close_console()
        self.virsh("destroy", self.name)
        self.await_state("shut off")
        super().live()
        self.virsh("define", "--validate", self.definition)
        boot = self.boot()
        for _ in range(BOOTS):
            boot = self.reboot(boot)
        self.reset(boot)
        self.say(f"rebooted {BOOTS} times, and reset")
        self.close_console()
        self.virsh("destroy", self.name)
        self.virsh("undefine", self.name)

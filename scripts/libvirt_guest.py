# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of libvirt's, and the life that scripts/libvirt-life leads it through. What a
guest is asked to do it does by commands at its console."""

import os
import pathlib
import pty
import re
import select
import socketserver
import subprocess
import termios
import time
import xml.etree.ElementTree as xml

from qmp import Failed

patience = 90       # seconds for anything
MIB = 1 << 20


class Echo(socketserver.BaseRequestHandler):
    """What guests' NICs reach on the host."""

    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Console:
    """`virsh console`, at which guest/commands-init takes commands."""

    def __init__(self, session, name, log):
        self.log = log
        self.text = ""
        self.terminal, terminal = pty.openpty()
        self.process = subprocess.Popen(
            session.command("console", name), env=session.environment, cwd=session.directory,
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        self.read_until(r"Escape character is [^\n]*\n")
        # virsh then makes its terminal raw, and drops what has been typed before.
        deadline = time.monotonic() + patience
        while termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            if time.monotonic() > deadline:
                raise Failed(f"virsh console took no input for {patience} s")
            time.sleep(0.05)

    def read_until(self, pattern):
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise Failed(f"the guest did not say {pattern!r} within {patience} s")
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                data = b""
            if not data:
                raise Failed(f"virsh console ended, and the guest had not said {pattern!r}")
            data = data.decode(errors="replace").replace("\r", "")
            self.log.write(data)
            self.log.flush()
            self.text += data
        self.text = self.text[found.end():]
        return found

    def ready(self):
        """Waits until the guest takes commands; returns its boot's name."""
        return self.read_until(r"xenkvm-commands: ready (\S+)\n")[1]

    def ask(self, command, pattern):
        """What the guest's command prints, as the groups of the pattern."""
        os.write(self.terminal, command.encode() + b"\n")
        found = self.read_until(rf"(?m)^{pattern}\n")
        self.read_until(r"(?m)^xenkvm-done: 0\n")
        return found.groups()

    def run(self, command):
        os.write(self.terminal, command.encode() + b"\n")
        status = self.read_until(r"(?m)^xenkvm-done: (\d+)\n")[1]
        if status != "0":
            raise Failed(f"in the guest: {command}: ended with {status}")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


class Guest:
    console_class = Console

    def __init__(self, kind, session, options, port, log):
        self.kind, self.session, self.log = kind, session, log
        self.name = f"life-{kind}"
        self.stock = options.stock
        self.rounds = options.rounds
        self.port = port
        self.console = None
        self.emulator = options.emulator
        self.type = options.type
        # xl2virt lets no PV guest grow.
        self.grows = kind == "hvm" and not options.stock
        self.began = time.monotonic()
        self.define(options.xl2virt)

    def define(self, xl2virt):
        self.disk = self.session.write(f"{self.kind}.img", b"\0" * MIB * 4)
        directory = self.session.directory
        config = self.session.write(f"{self.kind}.cfg", f"""
name = "{self.name}"
type = "{self.kind}"
memory = 384
maxmem = {448 if self.grows else 384}
vcpus = 1
maxvcpus = 2
kernel = "{directory}/vmlinuz"
ramdisk = "{directory}/initrd"
cmdline = "console=hvc0 panic=-1 lpj=10000000"
max_event_channels = 16383
disk = [ '{self.disk},raw,xvda,rw' ]
vif = [ 'mac=00:16:3e:00:00:01' ]
vnc = 0
""")
        converted = subprocess.run(
            [xl2virt, *(["--stock"] if self.stock else []), "--type", self.type,
             "--emulator", self.emulator, config], capture_output=True, text=True)
        if converted.returncode:
            raise Failed(f"xl2virt: {converted.stderr}")
        domain = xml.fromstring(converted.stdout)
        self.change(domain)
        self.target = domain.find("devices/disk/target").get("dev")
        xml.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
        self.definition = self.session.write(f"{self.kind}.xml", xml.tostring(domain))
        self.virsh("define", "--validate", self.definition)

    def change(self, domain):
        """What xl2virt has made, for where it is to run."""
        # Without root's rights there is no bridge.
        for interface in domain.iter("interface"):
            interface.set("type", "user")
            interface.remove(interface.find("source"))
        if self.kind == "pv" and self.type == "qemu":
            # A domain need not name a processor.
            domain.remove(domain.find("cpu"))

    def virsh(self, *args):
        result = self.session.virsh(*args)
        if result.returncode:
            raise Failed(f"virsh {' '.join(args)}: {result.stderr.strip()}")
        return result.stdout

    def say(self, what):
        print(f"libvirt-life: {self.kind}: {what} ({time.monotonic() - self.began:.0f} s)", flush=True)

    def state(self):
        return self.virsh("domstate", self.name).strip()

    def wait_until(self, condition, failure):
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise Failed(f"{failure}, for {patience} s")
            time.sleep(0.1)

    def await_state(self, state):
        self.wait_until(lambda: self.state() == state, f"not {state}")

    def boot(self):
        self.virsh("start", self.name)
        self.look_again()
        return self.console.ready()

    def close_console(self):
        if self.console:
            self.console.close()
            self.console = None

    def use(self, word):
        self.console.run(f"use_disk xvda {word}")
        self.console.run(f"use_nic eth0 {self.port}")

    # -- the steps

    def have_xen_disks(self):
        """As management software asks what it may put in a domain."""
        said = xml.fromstring(self.virsh(
            "domcapabilities", "--virttype", self.type, "--machine", "pc-i440fx-10.0-xen4.17",
            "--emulatorbin", self.emulator))
        buses = [value.text for value in said.findall("devices/disk/enum[@name='bus']/value")]
        if "xen" not in buses:
            raise Failed(f"domcapabilities has these disks: {buses}")

    def be_a_xen_guest(self):
        self.console.run("grep -qx xen /sys/hypervisor/type")
        self.console.run('dmesg | grep -q "Using FIFO-based ABI"')
        self.use("first")
        self.console.run("channels_count xenbus hvc_console blkif timer")

    def count(self):
        """Nothing else uses the disk: both sides must have counted the same."""
        read, written = (str(512 * int(n)) for n in self.console.ask("transferred xvda", r"(\d+) (\d+)"))
        said = dict(re.findall(rf"{self.target} (\w+) (\d+)",
                               self.virsh("domblkstat", self.name, self.target)))
        if (said["rd_bytes"], said["wr_bytes"]) != (read, written) or int(written) < MIB:
            raise Failed(f"{read} bytes read and {written} written in the guest, but {said}")
        stats = self.virsh("domstats", self.name)
        for line in (f"block.0.rd.bytes={read}", f"block.0.wr.bytes={written}", "state.state=1"):
            if line not in stats.split():
                raise Failed(f"no {line} in: {stats}")

    def grow_disk(self):
        self.virsh("blockresize", self.name, self.target, "6M")
        self.console.run("await_sectors xvda 12288")

    def plug_disks(self):
        for i in range(self.rounds):
            # A disk, and a partition without its disk, in turn.
            dev = "xvdb1" if i % 2 else "xvdb"
            image = self.session.write(f"{self.kind}-{dev}.img", b"\0" * MIB * 2)
            self.virsh("attach-disk", self.name, image, dev, "--targetbus", "xen", "--driver", "qemu")
            self.console.run(f"await_disk {dev} && use_disk {dev} plugged-{i}")
            if not pathlib.Path(image).read_bytes().startswith(b"plugged-%d\n" % i):
                raise Failed(f"{image} does not have what the guest wrote")
            self.virsh("detach-disk", self.name, dev)
            self.console.run(f"await_no_disk {dev}")
            self.await_blocks([self.target])

    def await_blocks(self, names):
        self.wait_until(lambda: re.findall(r"^ (\w+) +/", self.virsh("domblklist", self.name), re.M) == names,
                        f"domblklist is not {names}")

    def plug_nics(self):
        interface = self.session.write(
            "nic.xml", "<interface type='user'><mac address='00:16:3e:00:00:02'/><model type='netfront'/></interface>")
        for _ in range(self.rounds):
            self.virsh("attach-device", self.name, interface)
            self.console.run(f"await_nic eth1 && use_nic eth1 {self.port}")
            self.virsh("detach-interface", self.name, "user", "--mac", "00:16:3e:00:00:02")
            self.console.run("await_no_nic eth1")
            self.wait_until(lambda: "00:16:3e:00:00:02" not in self.virsh("domiflist", self.name),
                            "domiflist still has the NIC that the guest has not")

    def shrink(self):
        """A guest that may not grow gives memory back, and gets it again."""
        size = int(re.search(r"Max memory: +(\d+) ", self.virsh("dominfo", self.name))[1])
        before = int(self.console.ask("memory", r"(\d+)")[0])
        self.virsh("setmem", self.name, str(size - 64 * 1024))
        self.console.run(f"await_memory below {before - 48 * 1024}")
        self.virsh("setmem", self.name, str(size))
        self.console.run(f"await_memory above {before - 16 * 1024}")

    def set_memory(self):
        """The guest has begun with less than it may have."""
        self.wait_until(lambda: re.search(r"Used memory: +393216 ", self.virsh("dominfo", self.name)),
                        "dominfo does not have the 384 MiB that the guest is to begin with")
        before = int(self.console.ask("memory", r"(\d+)")[0])
        self.virsh("setmem", self.name, "448M")
        self.console.run(f"await_memory above {before + 48 * 1024}")
        self.virsh("setmem", self.name, "320M")
        self.console.run(f"await_memory below {before - 48 * 1024}")
        self.virsh("setmem", self.name, "384M")
        self.console.run(f"await_memory above {before - 16 * 1024}")

    def set_vcpus(self):
        """Each waits until the guest has let the processor go, and QEMU has freed it."""
        self.have_vcpus(1)
        for _ in range(2):
            self.virsh("setvcpus", self.name, "2", "--live")
            self.console.run("bring_up 1")
            self.have_vcpus(2)
            self.take_vcpu()
            self.have_vcpus(1)
        self.virsh("setvcpus", self.name, "2", "--live")
        self.console.run("bring_up 1")

    def take_vcpu(self):
        """libvirt waits for five seconds only, which a guest on a busy machine may not do with."""
        result = self.session.virsh("setvcpus", self.name, "1", "--live")
        if result.returncode and "timed out" not in result.stderr:
            raise Failed(f"virsh setvcpus: {result.stderr.strip()}")
        self.wait_until(lambda: self.virsh("vcpucount", self.name, "--live", "--current").strip() == "1",
                        "the guest has kept its second vCPU")

    def have_vcpus(self, number):
        """As the guest itself sees it."""
        self.console.run(f'[ "$(grep -c ^processor /proc/cpuinfo)" = {number} ]')

    def suspend(self):
        self.virsh("suspend", self.name)
        if self.state() != "paused":
            raise Failed(f"{self.state()} after suspend")
        self.virsh("resume", self.name)
        self.use("resumed")

    def look_again(self):
        self.console = self.console_class(self.session, self.name, self.log)

    def save(self):
        """To a file, and as a host does it when it reboots."""
        saved = f"{self.session.directory}/{self.kind}.saved"
        for away, back in ((("save", self.name, saved), ("restore", saved)),
                           (("managedsave", self.name), ("start", self.name))):
            self.close_console()
            self.virsh(*away)
            self.await_state("shut off")
            self.virsh(*back)
            self.look_again()
            self.use(away[0])

    def snapshot(self):
        """With memory: one beside the disk, in files of its own, and in the disk that this
        leaves an internal one; and back to each. libvirt before 9.9 goes back to the
        first kind by a restore only. And it has QEMU load the second kind before it plugs
        vCPUs, so the guest must have none that was plugged."""
        memory, overlay = (f"{self.session.directory}/{self.kind}-{what}" for what in ("memory", "overlay.qcow2"))
        definition = self.session.write("defined.xml", self.virsh("dumpxml", "--inactive", self.name))
        self.remember("outer")
        self.virsh("snapshot-create-as", self.name, "outer", "--no-metadata", "--memspec", memory,
                   "--diskspec", f"{self.target},file={overlay}")
        self.remember("inner")
        self.virsh("snapshot-create-as", self.name, "inner")
        self.remember("later")
        self.close_console()
        self.virsh("snapshot-revert", self.name, "inner")
        self.recall("inner")
        self.virsh("snapshot-delete", self.name, "inner")
        self.close_console()
        self.virsh("destroy", self.name)
        self.virsh("restore", memory)
        self.recall("outer")
        # The domain has the overlay, when it starts next.
        self.virsh("define", definition)
        os.unlink(overlay)

    def remember(self, word):
        """In the guest's memory and on its disk."""
        self.console.run(f"echo {word} >/remembered && use_disk xvda {word}")

    def recall(self, word):
        self.look_again()
        self.console.run(f"grep -qx {word} /remembered && medium_is xvda {word}")
        self.use("went-back")

    def migrate(self):
        """To another libvirtd, and back, while it runs. Both have the same disk."""
        here = self.session
        with here.another() as there:
            for source, destination in ((here, there), (there, here)):
                self.close_console()
                self.virsh("migrate", "--live", "--unsafe", "--persistent", "--undefinesource", self.name,
                           destination.address(), "--migrateuri", f"unix://{destination.directory}/migration")
                self.session = destination
                self.look_again()
                self.use("migrated")

    def lose_libvirtd(self):
        self.session.kill()
        self.close_console()
        self.session.start()
        self.await_state("running")
        self.look_again()
        self.use("reconnected")

    def reboot(self, boot):
        self.virsh("reboot", self.name)
        self.console.read_until("xenkvm-asked: poweroff")
        again = self.console.ready()
        if again == boot:
            raise Failed(f"the same boot, {boot}, after reboot")
        self.be_a_xen_guest()
        return again

    def shut_down(self):
        self.virsh("shutdown", self.name)
        self.console.read_until("xenkvm-asked: poweroff")
        self.await_state("shut off")
        self.close_console()

    def live(self):
        if not self.stock:
            self.have_xen_disks()
        boot = self.boot()
        self.be_a_xen_guest()
        self.say("booted, disk and NIC carry data")
        self.count()
        self.grow_disk()
        self.say("the same counters in domstats and guest; the disk grows")
        if not self.stock:
            self.plug_disks()
            self.plug_nics()
            self.say(f"disks and NICs plugged and unplugged, {self.rounds} times")
        if not self.stock:
            if self.grows:
                self.set_memory()
            else:
                self.shrink()
            self.say("setmem")
        self.snapshot()
        self.say("went back to snapshots with memory")
        self.set_vcpus()
        self.say("setvcpus")
        self.suspend()
        self.lose_libvirtd()
        self.say("suspended, resumed; libvirtd killed and restarted")
        self.save()
        self.say("saved and restored")
        if self.session.has_neighbours:
            self.migrate()
            self.say("migrated, there and back")
        self.reboot(boot)
        self.have_vcpus(2)
        if not self.stock:
            self.plug_disks()
        self.say("rebooted")
        self.shut_down()
        self.say("shut down")
        self.virsh("start", self.name)
        self.virsh("destroy", self.name)
        self.await_state("shut off")
        self.virsh("undefine", self.name)
        self.say("started, destroyed, undefined")

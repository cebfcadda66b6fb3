# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to a whole guest, in this order, and what has to hold after each step."""

import hashlib

from machine import Failed

BOOT_SECONDS = 240
MORE_BYTES = 4 << 20
STEPS = {}


def step(function):
    """Adds a step, whose name is the function's with dashes."""
    STEPS[function.__name__.replace("_", "-")] = function
    return function


class Guest:
    """A running guest: its machine, and what it must look like from now on."""

    def __init__(self, machine, options, work):
        self.machine = machine
        self.options = options
        self.work = work
        self.run = machine.run
        self.vcpus = options.vcpus
        self.boot = None
        self.files = []

    def come_up(self):
        self.boot = self.machine.await_boot(BOOT_SECONDS, last=self.boot)
        self.vcpus = self.options.vcpus
        self.machine.await_true("test -e /sys/class/net/enX0")
        self.run("ip addr add 10.0.2.15/24 dev enX0 && ip link set enX0 up")

    def write(self, name):
        """Writes a file, whose checksum is in another one."""
        self.run(f"cd /data && head -c 300000 /dev/urandom >{name} && sha256sum {name} >>sums && sync")
        self.files.append(name)

    def check(self):
        """The CPUs, the root's files, the Xen disk and NIC, and the kernel's messages."""
        online = self.run("ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l; nproc").split()
        if online != [str(self.vcpus)] * 2:
            raise Failed(f"the guest has {online[0]} CPUs, {online[1]} of them online, instead of {self.vcpus}")
        sums = self.run("echo 3 >/proc/sys/vm/drop_caches; cd /data && test ! -s sums || sha256sum -c sums").splitlines()
        if sums != [f"{name}: OK" for name in self.files]:
            raise Failed(f"what was written is not there: {sums}")
        disk = self.run("findmnt -no SOURCE /; cat /proc/partitions")
        if not disk.startswith("/dev/xvda2") or " sd" in disk:
            raise Failed(f"the root is not on the Xen disk alone: {disk}")
        self.check_nic("enX0", "10.0.2.2")
        wrong = self.run("dmesg | grep -E 'Oops|kernel BUG|WARNING: CPU|nobody cared' || true")
        if wrong:
            raise Failed(f"the guest's kernel complains: {wrong}")

    def check_nic(self, name, host):
        found = self.run(f"cat /sys/class/net/{name}/device/devtype /sys/class/net/{name}/device/modalias")
        if "xen:vif" not in found:
            raise Failed(f"{name} is not a Xen NIC: {found}")
        found = self.run(f"cd /tmp && rm -f pattern && busybox tftp -g -b 1400 -r pattern {host} 2>said || cat said; sha256sum pattern")
        if not found.startswith(self.options.pattern):
            raise Failed(f"{name} brought something else: {found}")


@step
def boot(guest):
    """The firmware boots the disk's boot loader, and that the disk's kernel."""
    guest.come_up()
    guest.run("mkdir /data && touch /data/sums")
    took = guest.run("dmesg | grep -o 'Using .* ABI'")
    abi = {"2l": "Using 2-level ABI", "fifo": "Using FIFO-based ABI"}[guest.options.abi]
    if took != abi:
        raise Failed(f"the guest's event channels: {took}")


@step
def reboot(guest):
    """Three times: by the guest, by control/shutdown, and at once."""
    guest.machine.start("reboot")
    guest.machine.await_event("RESET", 120, guest=True)
    guest.come_up()
    guest.check()
    guest.machine.ask("xen-shutdown-request", request="reboot")
    guest.machine.await_event("RESET", 120, guest=True)
    guest.come_up()
    guest.check()
    guest.run("sync")
    guest.machine.ask("system_reset")
    guest.come_up()


@step
def sleep(guest):
    """ACPI's S3."""
    guest.machine.start("echo mem >/sys/power/state")
    guest.machine.await_event("SUSPEND", 60)
    guest.machine.ask("system_wakeup")
    guest.machine.await_event("WAKEUP", 10)
    guest.machine.await_commands(60)


@step
def suspend(guest):
    """Asked for by control/shutdown, and cancelled, as nothing saves the guest."""
    guest.machine.ask("xen-shutdown-request", request="suspend")
    guest.machine.await_true("dmesg | grep -q 'suspending xenstore'")
    guest.machine.await_true("dmesg | grep -q 'Restarting tasks'")


@step
def balloon(guest):
    """To two thirds of its memory and back."""
    before = meminfo(guest)
    target = guest.options.memory * 2 // 3
    guest.machine.ask("balloon", value=target << 20)
    await_memory(guest, before - (guest.options.memory - target) * 1024)
    guest.check()
    guest.machine.ask("balloon", value=guest.options.memory << 20)
    await_memory(guest, before)


def meminfo(guest):
    return int(guest.run("awk '/^MemTotal/ { print $2 }' /proc/meminfo"))


def await_memory(guest, kib):
    """Waits until the guest has so much memory, but for 16 MiB."""
    guest.machine.await_true(f"awk '/^MemTotal/ {{ exit !($2 > {kib - 16384} && $2 < {kib + 16384}) }}' /proc/meminfo")


def spare_cpus(guest):
    return [cpu for cpu in guest.machine.ask("query-hotpluggable-cpus") if "qom-path" not in cpu]


@step
def plug_cpu(guest):
    """Plugs a CPU, unplugs it, and plugs it again."""
    number = guest.vcpus
    spare, = spare_cpus(guest)
    for _ in range(2):
        guest.machine.ask("device_add", driver=spare["type"], id="cpu", **spare["props"])
        path = f"/sys/devices/system/cpu/cpu{number}/online"
        guest.machine.await_true(f"test -e {path}")
        guest.run(f"grep -q 1 {path} || echo 1 >{path}")
        guest.vcpus = number + 1
        guest.run(f"taskset -c {number} sha256sum /usr/bin/busybox")
        guest.check()
        guest.machine.ask("device_del", id="cpu")
        guest.machine.await_true(f"test ! -e {path}")
        guest.vcpus = number
        while spare_cpus(guest) != [spare]:
            guest.run("sleep 0.1")
        guest.check()


@step
def plug_disk(guest):
    """Plugs a disk that the guest writes, unplugs it, twice, and reads what is there."""
    path = f"{guest.work}/more.img"
    for _ in range(2):
        with open(path, "wb") as disk:
            disk.truncate(MORE_BYTES)
        guest.machine.ask("blockdev-add", driver="raw", node_name="more", file=guest.machine.host.disk(path))
        guest.machine.ask("device_add", driver="xen-disk", id="more", vdev="xvdb", drive="more")
        guest.machine.await_true("test -b /dev/xvdb")
        told = guest.run(f"head -c {MORE_BYTES} /dev/urandom | tee /dev/xvdb | sha256sum; sync /dev/xvdb").split()[0]
        guest.machine.ask("device_del", id="more")
        guest.machine.await_event("DEVICE_DELETED", 60, device="more")
        guest.machine.await_true("test ! -e /dev/xvdb")
        guest.machine.ask("blockdev-del", node_name="more")
        with open(path, "rb") as disk:
            if hashlib.sha256(disk.read()).hexdigest() != told:
                raise Failed("the disk that was unplugged does not have what the guest wrote")


@step
def plug_nic(guest):
    """Plugs a NIC that the guest uses, and unplugs it, twice."""
    for _ in range(2):
        guest.machine.ask("netdev_add", type="user", id="more", net="10.0.3.0/24", host="10.0.3.2",
                          tftp=guest.options.tftp, restrict=True)
        guest.machine.ask("device_add", driver="xen-net-device", id="nic", netdev="more")
        guest.machine.await_true("test -e /sys/class/net/enX1")
        guest.run("ip addr add 10.0.3.15/24 dev enX1 && ip link set enX1 up")
        guest.check_nic("enX1", "10.0.3.2")
        guest.machine.ask("device_del", id="nic")
        guest.machine.await_event("DEVICE_DELETED", 60, device="nic")
        guest.machine.await_true("test ! -e /sys/class/net/enX1")
        guest.machine.ask("netdev_del", id="more")


@step
def crash(guest):
    """A kernel that crashes on its last CPU starts another one, which saves its memory. A
    PV guest's does not, on Xen either: QEMU hears of its end."""
    crash_last = f"taskset -c {guest.vcpus - 1} sh -c 'echo c >/proc/sysrq-trigger'"
    if guest.options.firmware == "grub-pv":
        guest.run("sync; ! load-crash-kernel")
        guest.machine.start(crash_last)
        guest.machine.await_event("GUEST_PANICKED", 60, action="pause")
        guest.machine.ask("system_reset")
        guest.machine.ask("cont")
        guest.come_up()
        return
    guest.run("load-crash-kernel")
    guest.machine.start(crash_last)
    guest.come_up()
    dump = guest.run("cat /var/crash/dmesg")
    if f"CPU: {guest.vcpus - 1} " not in dump or "sysrq: Trigger a crash" not in dump:
        raise Failed(f"the dump is not of the crash: {dump}")
    guest.run("test $(stat -c %s /var/crash/vmcore) -gt 1000000")


@step
def power_off(guest):
    """By its management's request."""
    guest.machine.ask("system_powerdown")
    guest.machine.await_event("SHUTDOWN", 120, guest=True, reason="guest-shutdown")
    guest.machine.await_end(60)

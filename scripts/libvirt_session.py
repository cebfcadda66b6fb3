# SPDX-License-Identifier: GPL-2.0-or-later
"""A libvirtd of our own, in session mode and without root's rights: it disturbs nothing
of the host's, and goes with its directory. Or the host's own."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import uuid


class Missing(Exception):
    """What this host lacks."""


class Session:
    """The daemon; `directory` is where it, and the domains it runs, can reach files.
    `driver` is a libvirt_driver_qemu.so to have in place of the host's."""

    has_neighbours = True       # whether there can be another one beside it

    def __init__(self, driver=None):
        self.driver = driver
        for program in ("libvirtd", "virsh"):
            if not shutil.which(program):
                raise Missing(f"no {program}: run scripts/setup")
        self.daemon = None
        self.uri = "qemu:///session"
        self.directory = tempfile.mkdtemp(prefix="libvirt-session.")
        os.chmod(self.directory, 0o755)
        self.become = []
        if os.geteuid() == 0:
            self.become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(self.directory, "nobody", "nogroup")
        self.environment = dict(os.environ, HOME=self.directory)
        for name in ("RUNTIME", "CONFIG", "CACHE", "DATA"):
            self.environment[f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}"] = self.directory
        # Or virsh would start another one.
        self.environment["LIBVIRT_AUTOSTART"] = "0"
        # spice_tls as xl2virt's manual page asks for.
        self.write("libvirt/qemu.conf", "spice_tls = 1\n")
        # Guests can move between two of these, which must not be the same host.
        self.write("libvirt/libvirtd.conf", f'host_uuid = "{uuid.uuid4()}"\n')
        if driver:
            drivers = pathlib.Path(self.directory) / "drivers"
            drivers.mkdir()
            shutil.copy(driver, drivers / "libvirt_driver_qemu.so")
            self.environment["LIBVIRT_DRIVER_DIR"] = str(drivers)

    def write(self, name, content):
        """Makes a file that the daemon may change; returns its path."""
        path = pathlib.Path(self.directory) / name
        for parent in reversed(path.relative_to(self.directory).parents[:-1]):
            folder = pathlib.Path(self.directory) / parent
            if not folder.exists():
                folder.mkdir()
                self.give(folder)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.give(path)
        return str(path)

    def program(self, name, text):
        path = self.write(name, f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)
        return path

    def emulator(self, qemu, build):
        """A program that runs our QEMU with firmware of set-up's; returns its path."""
        program = f"{self.directory}/qemu-system-x86_64"
        subprocess.run(["strip", "-o", program, qemu], check=True)
        return self.program("emulator", f'exec {program} -L {self.firmware(build)} "$@"')

    def firmware(self, build):
        """A directory with what set-up unpacks of it."""
        firmware = pathlib.Path(self.directory) / "firmware"
        firmware.mkdir(exist_ok=True)
        share = build / "debian-qemu/usr/share"
        shim = sorted(build.glob("xen-shim/usr/lib/xen-*/boot/xen-shim"))
        for file in [*share.glob("seabios/*.bin"), *share.glob("qemu/*.bin"), *shim]:
            shutil.copy(file, firmware)
        return firmware

    def debian_emulator(self, build):
        """Debian's QEMU, which set-up unpacks, with its modules, its firmware, and the
        libraries that this host may lack."""
        unpacked = build / "debian-qemu"
        if not (unpacked / "usr/bin/qemu-system-x86_64").exists():
            raise Missing("no Debian QEMU: run scripts/setup")
        program = f"{self.directory}/debian-qemu"
        shutil.copy(unpacked / "usr/bin/qemu-system-x86_64", program)
        libraries = f"{self.directory}/libraries"
        for folder in [*unpacked.glob("usr/lib/*-linux-gnu"), *unpacked.glob("lib/*-linux-gnu")]:
            shutil.copytree(folder, libraries, dirs_exist_ok=True)
        return self.program("debian-emulator", f'LD_LIBRARY_PATH={libraries} QEMU_MODULE_DIR={libraries}/qemu '
                                               f'exec {program} -L {self.firmware(build)} "$@"')

    def give(self, path):
        if self.become:
            shutil.chown(path, "nobody", "nogroup")

    def start(self):
        with open(f"{self.directory}/libvirtd.log", "a") as log:
            self.daemon = subprocess.Popen(
                self.become + ["libvirtd"], env=self.environment, cwd="/",
                stdout=log, stderr=log)
        self.await_answer(60)

    def await_answer(self, times):
        for _ in range(times):
            if self.virsh("list").returncode == 0:
                return
            if self.daemon and self.daemon.poll() is not None:
                break
            # virsh itself waits for the socket a moment.
            time.sleep(0.2)
        raise Missing("libvirtd does not run here")

    def end(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()

    def kill(self):
        """As if the daemon had crashed; its domains run on."""
        self.daemon.kill()
        self.daemon.wait()

    def command(self, *args):
        return [*self.become, "virsh", "-c", self.uri, *args]

    def virsh(self, *args):
        return subprocess.run(self.command(*args), env=self.environment, cwd=self.directory,
                              capture_output=True, text=True, timeout=300)

    def another(self):
        """A second host, so to speak: to be entered as this one was."""
        return Session(self.driver)

    def address(self):
        """For another one's virsh."""
        return f"{self.uri}?socket={self.directory}/libvirt/libvirt-sock".replace("qemu:", "qemu+unix:")

    def destroy_all(self):
        for name in re.findall(r"\S+", self.virsh("list", "--name").stdout):
            self.virsh("destroy", name)

    def __enter__(self):
        try:
            self.start()
        except Missing:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.daemon and self.daemon.poll() is None:
            self.destroy_all()
        self.end()
        shutil.rmtree(self.directory, ignore_errors=True)


class System(Session):
    """This host's libvirtd, as its service runs it: with root's rights, AppArmor, and a
    guest's QEMU as libvirt's user. Only for a host that has no other guests."""

    has_neighbours = False

    def __init__(self):
        if not shutil.which("virsh"):
            raise Missing("no virsh: install libvirt-clients")
        if os.geteuid() != 0:
            raise Missing("the host's libvirtd is led by root: run it as root")
        self.daemon = None
        self.uri = "qemu:///system"
        # Where AppArmor's profile of virt-aa-helper lets it look.
        self.directory = tempfile.mkdtemp(prefix="life.", dir="/var/lib/libvirt/images")
        os.chmod(self.directory, 0o755)
        self.become = []
        self.environment = dict(os.environ)

    def give(self, path):
        """libvirt gives QEMU what is in the domain."""

    def start(self):
        subprocess.run(["systemctl", "start", "libvirtd"], check=True)
        # Also on an emulated host.
        self.await_answer(600)

    def kill(self):
        subprocess.run(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "libvirtd"], check=True)

    def __exit__(self, *_):
        self.destroy_all()
        shutil.rmtree(self.directory, ignore_errors=True)


def find_tools(options, root, build):
    """Sets the options qemu, driver and xl2virt to what is built here, unless given."""
    options.qemu = os.path.abspath(options.qemu or build / "qemu/qemu-system-x86_64")
    if not os.access(options.qemu, os.X_OK):
        raise Missing(f"no {options.qemu}: run scripts/build-qemu")
    if options.stock:
        options.driver = None
    else:
        options.driver = options.driver or build / "libvirt/libvirt_driver_qemu.so"
        if not os.path.exists(options.driver):
            raise Missing(f"no {options.driver}: run scripts/build-libvirt")
    built = subprocess.run([root / "scripts/build-xl2virt"], stdout=subprocess.PIPE, text=True)
    if built.returncode:
        raise Missing("xl2virt does not build: see above")
    options.xl2virt = built.stdout.strip()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrates the guest test "storm" from one QEMU to the next. scripts/migrate-storm calls
this, or has the lab run it."""

import glob
import json
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from qmp import Failed, Monitor

SECONDS = 100       # for anything


class TooSoon(Exception):
    """The storm was over before its migrations were."""

    def __str__(self):
        return "the storm was over too soon: give more --events"


class Machine:
    """A QEMU with the guest; `incoming` is where that comes from."""

    count = 0

    def __init__(self, options, work, incoming=None, more=()):
        Machine.count += 1
        name = f"qemu{Machine.count}"
        self.console = f"{work}/{name}.console"
        command = [*options["command"], "-qmp", f"unix:{name}.qmp,server=on,wait=off",
                   "-chardev", f"file,id=console,path={name}.console", "-device", "xen-console,chardev=console"]
        if incoming:
            command += ["-S", "-incoming", incoming]
        command += more
        with open(f"{work}/{name}.err", "w") as errors:
            self.process = subprocess.Popen(command, cwd=work, stderr=errors, stdin=subprocess.DEVNULL)
        self.monitor = Monitor(f"{work}/{name}.qmp", self.process, options["patience"])
        self.ask = self.monitor.ask

    def said(self):
        with open(self.console, errors="replace") as console:
            return console.read()

    def await_storm(self):
        """Waits until all of the storm's sources are there."""
        until = self.monitor.deadline(SECONDS)
        while "storm: begins" not in self.said():
            if self.process.poll() is not None or time.monotonic() > until:
                raise Failed(f"the storm does not begin: {self.said()[-200:]}")
            time.sleep(0.05)

    def send_away(self, uri):
        """To a file, or while it runs to a socket; where it must still be in its storm."""
        if uri.startswith("file:"):
            self.ask("stop")
        if self.ask("query-status")["status"] not in ("running", "paused"):
            raise TooSoon
        self.monitor.migrate(uri, SECONDS)

    def await_end(self):
        try:
            self.process.wait(600 * self.monitor.patience)
        except subprocess.TimeoutExpired:
            raise Failed("the storm does not end") from None

    def kill(self):
        self.process.kill()
        self.process.wait()


def be_refused(options, work):
    """On KVM, what TCG has saved, and the other way round."""
    commands = {"kvm": options["command"],
                "tcg": [{"kvm": "tcg", "host": "max"}.get(word, word) for word in options["command"]]}
    for there, here in ("kvm", "tcg"), ("tcg", "kvm"):
        machine = Machine(dict(options, command=commands[there]), work, more=["-S"])
        try:
            machine.monitor.migrate("file:other", SECONDS)
        finally:
            machine.kill()
        ended = subprocess.run([*commands[here], "-chardev", "null,id=console", "-device", "xen-console,chardev=console",
                                "-incoming", "file:other"], cwd=work, capture_output=True, text=True,
                               timeout=SECONDS * options["patience"], check=False)
        why = f"the guest was saved on {there.upper()}: start this machine with -accel {there}, too"
        if not ended.returncode or why not in ended.stderr:
            raise Failed(f"{here} was to say that {why!r}: it ended with {ended.returncode}, and {ended.stderr.strip()!r}")
        print(f"migrate-storm: refused: {there} to {here}", flush=True)


def migrate(options, work, machine, i):
    """Returns the QEMU where the guest goes on."""
    saved = i % 2 == 0
    uri = "file:saved" if saved else f"unix:wire{i}"
    if saved:
        machine.send_away(uri)
        new = Machine(options, work, uri)
    else:
        new = Machine(options, work, uri)
    try:
        if not saved:
            machine.send_away(uri)
        new.monitor.await_status("paused", SECONDS)
        machine.kill()
        new.ask("cont")
    except BaseException:
        new.kill()
        raise
    return new


def storm(options, work):
    """Returns what the guest has said."""
    if options["refusals"]:
        be_refused(options, work)
    machine = Machine(options, work)
    said = ""
    try:
        machine.await_storm()
        for i in range(1, options["migrations"] + 1):
            time.sleep(options["seconds"])
            said += machine.said()
            machine = migrate(options, work, machine, i)
        if machine.process.poll() is not None or "ok 1" in machine.said():
            raise TooSoon
        machine.await_end()
        return said + machine.said()
    except Failed as error:
        if str(error).endswith("ended with 0"):
            raise TooSoon from None
        raise
    finally:
        machine.kill()


def long_storm(options, work):
    """A storm that lasts as long as its migrations do: on a busy host these take longer."""
    for factor in 1, 4, 16:
        command = [re.sub(r"\bevents=(\d+)", lambda events: f"events={int(events[1]) * factor}", word)
                   for word in options["command"]]
        try:
            return storm(dict(options, command=command), work)
        except TooSoon:
            print("migrate-storm: the storm was over too soon: once more, with more events", flush=True)
    raise TooSoon


def run(options, work, lead=long_storm):
    """Runs it, prints the outcome, and returns the exit status. `lead` returns what the guest
    has said, or nothing if the storm goes on elsewhere."""
    try:
        said = lead(options, work)
    except (Failed, TooSoon, TimeoutError, subprocess.TimeoutExpired) as error:
        for log in sorted(glob.glob(work + "/*.err")):
            with open(log, errors="replace") as lines:
                sys.stderr.writelines(lines.readlines()[-5:])
        print(f"migrate-storm: FAILED: {error}", file=sys.stderr)
        return 1
    if said is None:
        return 0
    if not re.search(r"^ok 1 - storm", said, re.MULTILINE):
        sys.stderr.write(said[-2000:])
        print("migrate-storm: FAILED: see the guest's console above", file=sys.stderr)
        return 1
    counted = re.search(r"storm: (\d+ events .*)", said).group(1)
    print(f"migrate-storm: passed: {options['migrations']} migrations; {counted.strip()}")
    return 0


if __name__ == "__main__":
    with open("options.json") as file:
        sys.exit(run(json.load(file), "."))

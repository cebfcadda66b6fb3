# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts the exits of a PV guest's machine to KVM, for each of its events: in the lab, where
scripts/measure-pv --exits has it run. A guest test repeats the event TIMES; how many more
exits there are than when it is repeated seldom, by KVM's tracepoint, is due to the event."""

import json
import re
import subprocess
import sys

EVENTS = "/sys/kernel/tracing/events/kvm/kvm_exit/"
COUNT = "hist:keys=exit_reason"
SELDOM = 100
TIMES = 1100

# Of SVM, which the lab's processor has. Only these are the guest's own doing: others come with time.
REASONS = {
    0x72: "CPUID", 0x78: "HLT", 0x7b: "port", 0x7c: "MSR", 0x80: "VMRUN", 0x81: "VMMCALL", 0x400: "page",
}
# With as many vCPUs: one more would wake by itself now and then.
TESTS = {
    "repeats_of_ipi_to_self": ("an event that a vCPU sends itself", 1),
    "repeats_of_ipi": ("an event for another vCPU, which runs", 2),
    "repeats_of_unmask": ("an unmask of a pending event", 1),
    "repeats_of_timer": ("a timer that is set and fires", 1),
    "repeats_of_hypercall": ("a hypercall that QEMU answers", 1),
}


def write(name, text):
    with open(EVENTS + name, "w") as file:
        file.write(text)


def exits(command, line):
    """How many of each reason there are while the guest runs."""
    write("trigger", COUNT)
    try:
        guest = subprocess.run(command + ["-append", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, text=True, errors="replace", check=False)
        with open(EVENTS + "hist") as file:
            found = file.read()
    finally:
        write("trigger", "!" + COUNT)
    if not re.search(r"^ok 1 ", guest.stdout, re.MULTILINE) or guest.returncode:
        sys.exit(f"{line}: the guest failed:\n{guest.stdout}")
    return {int(reason): int(count) for reason, count in
            re.findall(r"exit_reason: +(\d+) +} hitcount: +(\d+)", found)}


def main():
    with open("options.json") as file:
        options = json.load(file)
    subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=True)
    for way, command in options["ways"].items():
        for test, (what, vcpus) in TESTS.items():
            few, many = (exits([*command, "-smp", str(vcpus)], f"abi=fifo test={test} times={times}") for times in (SELDOM, TIMES))
            more = {name: (many.get(reason, 0) - few.get(reason, 0)) / (TIMES - SELDOM)
                    for reason, name in REASONS.items()}
            print("exits: " + json.dumps({
                "way": way, "what": what, "exits": {name: n for name, n in more.items() if abs(n) >= 0.05},
            }), flush=True)


main()

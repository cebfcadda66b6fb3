# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a Python program in the lab, a KVM host that QEMU emulates (docs/testing.md)."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# How the lab calls QEMU, which is the one that run() was given.
QEMU = ["qemu", "-L", "/firmware"]
STATUS = "xenkvm-status: "


def copy_program(source, target):
    shutil.copy(source, target)
    with open(source) as lines:
        for module in re.findall(r"^from (\w+) import", lines.read(), re.MULTILINE):
            if os.path.exists(f"{ROOT}/scripts/{module}.py"):
                copy_program(f"{ROOT}/scripts/{module}.py", f"{os.path.dirname(target)}/{module}.py")


def run(work, qemu, program, options, memory, seconds, small=False):
    """Runs `program`, a file of scripts/, where all files of WORK/job are, with `options` in
    options.json, and the modules of scripts/ from which it imports. `memory` is what it needs, in
    MiB; small guests need a lab of one thread. Prints what it says, and returns its
    exit status."""
    job = work + "/job"
    os.makedirs(job, exist_ok=True)
    with open(job + "/options.json", "w") as file:
        json.dump(options, file)
    copy_program(f"{ROOT}/scripts/{program}", job + "/run.py")
    with open(job + "/list", "w") as file:
        file.write(f"run {seconds}\n")
    environment = dict(os.environ, LAB_THREAD="single" if small else "multi")
    status = None
    with subprocess.Popen([ROOT + "/scripts/run-guest", "lab", os.path.abspath(qemu), work, str(memory)],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace",
                          env=environment, start_new_session=True) as process:
        try:
            for line in process.stdout:
                line = line.rstrip("\r\n")
                if line.startswith(STATUS):
                    status = int(line.removeprefix(STATUS))
                else:
                    print(line, flush=True)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
    if status is None:
        with open(work + "/host.log", errors="replace") as log:
            sys.stderr.writelines(log.readlines()[-15:])
        print("error: the lab ended before what ran in it", file=sys.stderr)
        status = 1
    return status

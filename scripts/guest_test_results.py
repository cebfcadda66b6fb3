# SPDX-License-Identifier: GPL-2.0-or-later
"""The last result of each guest test on each host: scripts/guest-tests stores it, and
scripts/update-docs and scripts/which-abi make pages of docs/ of it."""

import fcntl
import json
import os
import re
import statistics

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("XENKVM_BUILD_DIR", ROOT + "/build"))
RESULTS = BUILD + "/guest-test-results"

HOSTS = ["tcg", "lab", "kvm", "xen"]


def write_json(path, cases):
    with open(path + ".new", "w") as out:
        json.dump(cases, out, indent=1)
        out.write("\n")
    os.replace(path + ".new", path)


def last_results(host):
    try:
        with open(f"{RESULTS}/{host}.json") as stored:
            return json.load(stored)
    except FileNotFoundError:
        return []


def keep_results(host, cases):
    """Store each case's last result; if it ran several times, a failure counts."""
    os.makedirs(RESULTS, exist_ok=True)
    # Another scripts/guest-tests may run at the same time.
    with open(RESULTS + "/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        by_name = {}
        for case in last_results(host):
            by_name[case["type"], case["abi"], case["test"]] = case
        for case in sorted(cases, key=lambda case: case["result"] == "not ok"):
            by_name[case["type"], case["abi"], case["test"]] = case
        write_json(f"{RESULTS}/{host}.json", list(by_name.values()))


def print_table(hosts):
    """Markdown: a test on each line, a host in each column."""
    results = {host: last_results(host) for host in hosts}
    hosts = [host for host in hosts if results[host]]
    rows = {}
    for host in hosts:
        for case in results[host]:
            cell = rows.setdefault(case["test"], {}).setdefault(host, [])
            cell.append(case["result"])
    print("| test | " + " | ".join(hosts) + " |")
    print("|---" * (len(hosts) + 1) + "|")
    for test, cells in sorted(rows.items()):
        line = []
        for host in hosts:
            cell = cells.get(host)
            passed = cell.count("ok") if cell else 0
            failed = cell.count("not ok") if cell else 0
            line.append("" if not cell else f"**{failed} of {len(cell)} failed**"
                        if failed else f"{passed} passed" if passed else
                        "skipped")
        print(f"| {test} | " + " | ".join(line) + " |")
    total = []
    for host in hosts:
        passed = sum(case["result"] == "ok" for case in results[host])
        total.append(f"{passed} of {len(results[host])}")
    print("| in all | " + " | ".join(total) + " |")


def figures_of_notes(pattern):
    """Find the pattern in the guests' last notes: host, case, the pattern's groups."""
    for host in HOSTS:
        for case in last_results(host):
            for note in case["notes"]:
                found = re.match(pattern, note)
                if found:
                    yield host, case, found.groups()


def memory_figures():
    """Ports, pages and bytes a vCPU, by ABI and word size."""
    rows = {}
    for _, case, groups in figures_of_notes(
            r"memory: (\d+) ports, (\d+) pages, (\d+) bytes a vCPU"):
        rows[case["abi"], case["type"][-2:]] = [int(n) for n in groups]
    return rows


def latency_figures():
    """Median and longest time in microseconds, by ABI and the timer's priority,
    and by host: of the types of guest the median of either."""
    rows = {}
    for host, _, (abi, priority, *times) in figures_of_notes(
            r"timer latency under a storm: abi (\w+), priority (\w+), "
            r"median (\d+) us, most (\d+) us"):
        row = rows.setdefault((abi, priority), {})
        row.setdefault(host, []).append([int(time) for time in times])
    return {key: {host: [statistics.median(times) for times in zip(*cases)]
                  for host, cases in row.items()}
            for key, row in rows.items()}


def fairness_figures():
    """How many cases of the fairness tests there are, and how many passed, by ABI
    and host."""
    rows = {}
    for host in HOSTS:
        for case in last_results(host):
            if case["test"].startswith("fairness_"):
                row = rows.setdefault(case["abi"], {})
                count = row.setdefault(host, [0, 0])
                count[0] += case["result"] == "ok"
                count[1] += 1
    return rows


def print_memory():
    """Markdown: what guests measured of the ABIs' memory."""
    rows = memory_figures()
    if not rows:
        return
    print("\n| ABI | guest | ports | pages the guest hands over | bytes more a "
          "vCPU | what the ABI says |")
    print("|---" * 6 + "|")
    says = {"2l": "all in shared_info and vcpu_info",
            "3l": "2 bits a port, and a bit of selector a word and vCPU",
            "fifo": "a page per 1,024 ports, 72 bytes a vCPU"}
    for (abi, bits), (ports, pages, a_vcpu) in sorted(rows.items()):
        print(f"| {abi} | {bits}-bit | {ports:,} | {pages} | {a_vcpu} | "
              f"{says[abi]} |")


def print_latency():
    """Markdown: how late the timer's event was while another port was raised."""
    rows = latency_figures()
    hosts = [host for host in HOSTS if any(host in row for row in rows.values())]
    if not hosts:
        return
    print("\nHow late VIRQ_TIMER is, in microseconds, while another vCPU raises a "
          "port of the\nsame vCPU without a pause: of each type of guest the "
          "median and the longest, and\nof the types the median of either.\n")
    print("| ABI | priority of the timer | " + " | ".join(hosts) + " |")
    print("|---" * (len(hosts) + 2) + "|")
    for (abi, priority), row in sorted(rows.items()):
        cells = [" and ".join(f"{time:,.0f}" for time in row[host])
                 if host in row else "" for host in hosts]
        print(f"| {abi} | {priority} | " + " | ".join(cells) + " |")

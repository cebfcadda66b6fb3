# SPDX-License-Identifier: GPL-2.0-or-later
"""Has a program run as on a host with another clock."""

import sys

# Those since the host's boot are another time namespace's, which is for the children of the
# process that makes it, unless it enters it. The user namespace allows that to anyone.
ENTER = """
import ctypes, os, sys
CLONE_NEWTIME, CLONE_NEWUSER = 0x80, 0x10000000
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result:
        sys.exit("no time namespace: " + os.strerror(ctypes.get_errno()))
check(libc.unshare(CLONE_NEWTIME | (CLONE_NEWUSER if os.geteuid() else 0)))
with open("/proc/self/timens_offsets", "w") as file:
    file.write("monotonic {0} 0\\nboottime {0} 0\\n".format(sys.argv[1]))
with open("/proc/self/ns/time_for_children") as file:
    check(libc.setns(file.fileno(), CLONE_NEWTIME))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def with_clock(seconds, command):
    """The command, for which the host has been up for so many seconds more."""
    return [sys.executable or "python3", "-c", ENTER, str(seconds), *command]

# SPDX-License-Identifier: GPL-2.0-or-later
# priority.c
# A priority is one less urgent than was asked.
# hvm64 fifo
s/evtchn_with_queue(locked.binding, priority));/evtchn_with_queue(locked.binding, priority < 15 ? priority + 1 : priority));/

# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# The upcall is raised also when READY was set, and not when it was clear.
# hvm64 fifo
s/return !evtchn_test_and_set_bit(&control->ready, priority) &&/return evtchn_test_and_set_bit(\&control->ready, priority) \&\&/

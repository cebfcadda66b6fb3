# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# A queue gets a head, and READY does not say so.
# hvm64 fifo
s/return !evtchn_test_and_set_bit(&control->ready, priority) &&/return/

# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# The mask is read before PENDING is set, as when a write waits for its cache line.
# hvm64 fifo
s/^    \*newly_pending = !evtchn_test_and_set_bit(word, EVTCHN_FIFO_PENDING);/    for (volatile int n = 0; n < 50; n++) {} &/
s/return !evtchn_test_bit(word, EVTCHN_FIFO_MASKED) &&/return !(w \& MASKED) \&\&/

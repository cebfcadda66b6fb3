# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# The mask is read before PENDING is set, as without the barrier between them.
# hvm64 fifo
s/return !evtchn_test_bit(word, EVTCHN_FIFO_MASKED) &&/return !(w \& MASKED) \&\&/

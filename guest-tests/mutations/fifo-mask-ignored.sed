# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# A masked event is linked.
# hvm64 fifo
s/return !evtchn_test_bit(word, EVTCHN_FIFO_MASKED) &&/return/; s/if (w & PENDING && w & (LINKED | MASKED)) {/if (w \& PENDING \&\& w \& LINKED) {/

# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# A port that is moved while it is linked is linked again on its new queue.
# hvm64 fifo
s/^           !evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED);$/           (evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED), true);/; s/if (w \& PENDING \&\& w \& (LINKED | MASKED)) {/if (w \& PENDING \&\& w \& MASKED) {/

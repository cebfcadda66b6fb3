/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared words of FIFO, for tests that look at them or break them. */

#ifndef GUEST_TESTS_FIFO_H
#define GUEST_TESTS_FIFO_H

#include "guest.h"

#define FIFO_PENDING (1u << EVTCHN_FIFO_PENDING)
#define FIFO_MASKED (1u << EVTCHN_FIFO_MASKED)
#define FIFO_LINKED (1u << EVTCHN_FIFO_LINKED)
#define FIFO_BUSY (1u << EVTCHN_FIFO_BUSY)
#define FIFO_LINK_MASK ((1u << EVTCHN_FIFO_LINK_BITS) - 1)

#define FIFO_WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define FIFO_MAX_PAGES (EVTCHN_FIFO_NR_CHANNELS / FIFO_WORDS_PER_PAGE)

/* NULL when the guest has no page for @port. */
event_word_t *fifo_event_word(evtchn_port_t port);
/* NULL before abi_switch(ABI_FIFO). */
struct evtchn_fifo_control_block *fifo_control_block(unsigned int vcpu);

#endif /* GUEST_TESTS_FIFO_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 3-level's operations and memory, for tests that register it by hand. */

#ifndef GUEST_TESTS_EVTCHN_3L_H
#define GUEST_TESTS_EVTCHN_3L_H

#include "guest.h"
#include "event_channel_3level.h"

/* EVTCHN_EXTENDED_ABI_*, or 0 if the host does not know the operation. */
uint64_t evtchn_query_extended_abis(void);
/* 0 or -errno; @pending and @mask are @nr_pages pages each, in a row. */
int evtchn_register_bitmaps(const void *pending, const void *mask,
                            uint32_t nr_pages);
int evtchn_register_l2_selector(unsigned int vcpu, uint64_t gfn,
                                uint32_t offset);

/* The selector of @vcpu, W words of W bits. */
xen_ulong_t *l2_selector_of(unsigned int vcpu);
/* The bitmaps that the runtime has registered. */
unsigned int bitmap_pages(void);
/* Page @page of them; the masks follow the pending bits. */
void *bitmap_page(unsigned int page);

#endif /* GUEST_TESTS_EVTCHN_3L_H */

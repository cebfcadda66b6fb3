/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest kernel consumes events, in a file for each ABI.  The tests run
 * the model's senders against these consumers.
 */

#ifndef TESTS_CONSUMER_H
#define TESTS_CONSUMER_H

#include "guest.h"

/* 2-level; ports at or above guest_2l_ports() are never pending. */
bool consumer_2l_is_pending(struct guest *g, uint32_t port);
bool consumer_2l_is_masked(struct guest *g, uint32_t port);
void consumer_2l_set_pending(struct guest *g, uint32_t port);
void consumer_2l_clear_pending(struct guest *g, uint32_t port);
void consumer_2l_mask(struct guest *g, uint32_t port);
bool consumer_2l_unmask(struct guest_vcpu *v, uint32_t port);
/* One scan of what the selector word names. */
unsigned int consumer_2l_scan(struct guest_vcpu *v, guest_handler *handler,
                              void *opaque);

/* 3-level; ports at or above guest_3l_ports() are never pending. */
bool consumer_3l_is_pending(struct guest *g, uint32_t port);
bool consumer_3l_is_masked(struct guest *g, uint32_t port);
void consumer_3l_set_pending(struct guest *g, uint32_t port);
void consumer_3l_clear_pending(struct guest *g, uint32_t port);
void consumer_3l_mask(struct guest *g, uint32_t port);
bool consumer_3l_unmask(struct guest_vcpu *v, uint32_t port);
/* One scan of what the selectors name. */
unsigned int consumer_3l_scan(struct guest_vcpu *v, guest_handler *handler,
                              void *opaque);

/* FIFO; ports whose page was not handed over are masked and not pending. */
bool consumer_fifo_is_pending(struct guest *g, uint32_t port);
bool consumer_fifo_is_masked(struct guest *g, uint32_t port);
void consumer_fifo_set_pending(struct guest *g, uint32_t port);
void consumer_fifo_clear_pending(struct guest *g, uint32_t port);
void consumer_fifo_mask(struct guest *g, uint32_t port);
bool consumer_fifo_unmask(struct guest_vcpu *v, uint32_t port);
/*
 * Take the event at the head of queue @priority; clears the queue's bit of
 * *@ready if the queue is empty then.  Returns whether the event was handled.
 */
bool consumer_fifo_one(struct guest_vcpu *v, unsigned int priority,
                       uint32_t *ready, guest_handler *handler, void *opaque);
/* Take events in priority order until no queue is ready. */
unsigned int consumer_fifo_scan(struct guest_vcpu *v, guest_handler *handler,
                                void *opaque);

#endif /* TESTS_CONSUMER_H */

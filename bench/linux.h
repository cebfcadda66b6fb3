/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest kernel's side of an event, inlined where the events are measured: the
 * upcall's loop and each ABI's scan.  It does what Linux's
 * drivers/xen/events/events_base.c, events_2l.c and events_fifo.c do, with the
 * same locked accesses.  For 3-level, which Linux lacks, it does what
 * public/event_channel_3level.h asks for, with Linux's mask of a CPU's own
 * ports.
 *
 * The handler counts its events, after it has acknowledged them (as Linux's
 * per-CPU interrupts do).  A call of the model stands for a hypercall.
 */

#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include "rig.h"
#include "atomic.h"

#define LINUX_INLINE static inline __attribute__((always_inline))

/* Words of 2-level and 3-level; the callers pass constants as @bits. */

LINUX_INLINE uint64_t linux_load(const void *words, unsigned int i,
                                 unsigned int bits)
{
    return bits == 64 ? evtchn_load((const uint64_t *)words + i) :
                        evtchn_load((const uint32_t *)words + i);
}

LINUX_INLINE uint64_t linux_take(void *words, unsigned int i, unsigned int bits)
{
    return bits == 64 ? evtchn_exchange((uint64_t *)words + i, UINT64_C(0)) :
                        evtchn_exchange((uint32_t *)words + i, UINT32_C(0));
}

/* sync_clear_bit() and sync_set_bit(), by 32-bit words: little-endian. */
LINUX_INLINE void linux_clear_bit(void *words, uint32_t bit)
{
    evtchn_clear_bit((uint32_t *)words + bit / 32, bit % 32);
}

LINUX_INLINE void linux_set_bit(void *words, uint32_t bit)
{
    evtchn_fetch_or((uint32_t *)words + bit / 32, UINT32_C(1) << bit % 32);
}

LINUX_INLINE bool linux_test_bit(const void *words, uint32_t bit)
{
    return evtchn_test_bit((const uint32_t *)words + bit / 32, bit % 32);
}

LINUX_INLINE uint32_t *linux_event_word(const struct bench_domain *d,
                                        uint32_t port)
{
    return d->array[port / GUEST_WORDS_PER_FRAME] +
           port % GUEST_WORDS_PER_FRAME;
}

/* 3-level's bitmaps are pages. */
LINUX_INLINE void *linux_map_page(uint32_t *const *pages, uint32_t port)
{
    return pages[port / GUEST_PORTS_PER_BITMAP];
}

LINUX_INLINE void linux_clear_pending(const struct bench_domain *d,
                                      uint32_t port, enum bench_abi abi)
{
    if (abi == BENCH_FIFO) {
        evtchn_clear_bit(linux_event_word(d, port), EVTCHN_FIFO_PENDING);
    } else if (abi == BENCH_2L_64 || abi == BENCH_2L_32) {
        linux_clear_bit(d->pending, port);
    } else {
        linux_clear_bit(linux_map_page(d->pending_map, port),
                        port % GUEST_PORTS_PER_BITMAP);
    }
}

/* Only one thread at a time handles a port; senders read its count. */
LINUX_INLINE void linux_handle(struct bench_domain *d, uint32_t port,
                               enum bench_abi abi)
{
    struct bench_source *source = d->source_of[port];

    linux_clear_pending(d, port, abi);
    __atomic_store_n(&source->handled, source->handled + 1, __ATOMIC_RELEASE);
}

/* FIFO ---------------------------------------------------------------------- */

LINUX_INLINE uint32_t linux_clear_linked(uint32_t *word)
{
    uint32_t old = evtchn_load(word);

    while (!evtchn_cmpxchg(word, &old, old & ~(FIFO_LINKED | FIFO_LINK_MASK))) {
        ;
    }
    return old & FIFO_LINK_MASK;
}

LINUX_INLINE void linux_fifo_consume(struct bench_vcpu *v,
                                     unsigned int priority, uint32_t *ready)
{
    uint32_t port = v->head[priority], link;
    uint32_t *word;

    /* The control block's HEAD counts only at the start of a queue. */
    if (!port) {
        port = evtchn_load(&v->control->head[priority]);
    }
    word = linux_event_word(v->domain, port);
    link = linux_clear_linked(word);
    if (!link) {
        /* Linux uses a locked operation, though this is its own copy. */
        evtchn_clear_bit(ready, priority);
    }
    if (evtchn_test_bit(word, EVTCHN_FIFO_PENDING) &&
        !evtchn_test_bit(word, EVTCHN_FIFO_MASKED)) {
        linux_handle(v->domain, port, BENCH_FIFO);
    }
    v->head[priority] = link;
}

LINUX_INLINE void linux_fifo_scan(struct bench_vcpu *v)
{
    uint32_t ready = evtchn_exchange(&v->control->ready, 0);

    while (ready) {
        linux_fifo_consume(v, __builtin_ctz(ready), &ready);
        /* A queue of higher priority may have become ready meanwhile. */
        ready |= evtchn_exchange(&v->control->ready, 0);
    }
}

/* 2-level ------------------------------------------------------------------- */

LINUX_INLINE uint64_t linux_2l_active(const struct bench_vcpu *v,
                                      unsigned int i, unsigned int bits)
{
    return linux_load(v->domain->pending, i, bits) &
           (bits == 64 ? ((const uint64_t *)v->own_ports)[i] :
                         ((const uint32_t *)v->own_ports)[i]) &
           ~linux_load(v->domain->mask, i, bits);
}

LINUX_INLINE uint64_t linux_from_bit(uint64_t word, unsigned int bit)
{
    return word & (UINT64_MAX << bit);
}

/* Scan word @i from @bit up; the next scan begins behind the last event. */
LINUX_INLINE void linux_2l_scan_word(struct bench_vcpu *v, unsigned int i,
                                     unsigned int bit, unsigned int bits,
                                     enum bench_abi abi)
{
    uint64_t active = linux_2l_active(v, i, bits), left;

    do {
        left = linux_from_bit(active, bit);
        if (!left) {
            break;
        }
        bit = __builtin_ctzll(left);
        linux_handle(v->domain, i * bits + bit, abi);
        bit = (bit + 1) % bits;
        v->start_word = bit ? i : (i + 1) % bits;
        v->start_bit = bit;
    } while (bit);
}

/*
 * Begin in the word in which the last scan ended, behind its last event; at the
 * end scan all of that word.
 */
LINUX_INLINE void linux_2l_scan(struct bench_vcpu *v, enum bench_abi abi)
{
    const unsigned int bits = bench_word_bits(abi);
    const unsigned int start_word = v->start_word, start_bit = v->start_bit;
    unsigned int i = start_word, pass;
    uint64_t words, left;

    if (v->timer_port &&
        linux_2l_active(v, v->timer_port / bits, bits) >>
            v->timer_port % bits & 1) {
        linux_handle(v->domain, v->timer_port, abi);
    }
    words = linux_take(v->selector, 0, bits);
    for (pass = 0; words; pass++) {
        left = linux_from_bit(words, i);
        if (!left) {
            i = 0;
            continue;
        }
        i = __builtin_ctzll(left);
        linux_2l_scan_word(v, i, i == start_word && !pass ? start_bit : 0,
                           bits, abi);
        if (i != start_word || pass) {
            words &= ~(UINT64_C(1) << i);
        }
        i = (i + 1) % bits;
    }
}

/* 3-level ------------------------------------------------------------------- */

LINUX_INLINE void linux_3l_scan_word(struct bench_vcpu *v, unsigned int i,
                                     enum bench_abi abi)
{
    const unsigned int bits = bench_word_bits(abi);
    struct bench_domain *d = v->domain;
    unsigned int page = i / (GUEST_PORTS_PER_BITMAP / bits);
    unsigned int in_page = i % (GUEST_PORTS_PER_BITMAP / bits);
    uint64_t active = linux_load(d->pending_map[page], in_page, bits) &
                      (bits == 64 ? ((const uint64_t *)v->own_ports)[i] :
                                    ((const uint32_t *)v->own_ports)[i]) &
                      ~linux_load(d->mask_map[page], in_page, bits);

    for (; active; active &= active - 1) {
        linux_handle(d, i * bits + __builtin_ctzll(active), abi);
    }
}

LINUX_INLINE void linux_3l_scan(struct bench_vcpu *v, enum bench_abi abi)
{
    const unsigned int bits = bench_word_bits(abi);
    uint64_t l1 = linux_take(v->selector, 0, bits), l2;

    for (; l1; l1 &= l1 - 1) {
        unsigned int i = __builtin_ctzll(l1);

        for (l2 = linux_take(v->l2_selector, i, bits); l2; l2 &= l2 - 1) {
            linux_3l_scan_word(v, i * bits + __builtin_ctzll(l2), abi);
        }
    }
}

/* All ----------------------------------------------------------------------- */

/* Handle the upcall, if there is one. */
LINUX_INLINE void linux_upcall(struct bench_vcpu *v, enum bench_abi abi)
{
    while (evtchn_load(v->upcall_pending)) {
        evtchn_store(v->upcall_pending, 0);
        if (abi == BENCH_FIFO) {
            linux_fifo_scan(v);
        } else if (abi == BENCH_2L_64 || abi == BENCH_2L_32) {
            linux_2l_scan(v, abi);
        } else {
            linux_3l_scan(v, abi);
        }
    }
}

LINUX_INLINE void linux_mask(struct bench_domain *d, uint32_t port,
                             enum bench_abi abi)
{
    if (abi == BENCH_FIFO) {
        evtchn_fetch_or(linux_event_word(d, port), FIFO_MASKED);
    } else if (abi == BENCH_2L_64 || abi == BENCH_2L_32) {
        linux_set_bit(d->mask, port);
    } else {
        linux_set_bit(linux_map_page(d->mask_map, port),
                      port % GUEST_PORTS_PER_BITMAP);
    }
}

/* Clear MASKED; whether the event is pending, so that a hypercall is needed. */
LINUX_INLINE bool linux_fifo_unmask(uint32_t *word)
{
    uint32_t old = evtchn_load(word) & ~FIFO_BUSY;

    while (!evtchn_cmpxchg(word, &old, old & ~FIFO_MASKED)) {
        old &= ~FIFO_BUSY;
    }
    return evtchn_test_bit(word, EVTCHN_FIFO_PENDING);
}

/* EVTCHNOP_unmask acts only if the mask bit is set, so set it again. */
LINUX_INLINE bool linux_bitmap_unmask(const void *pending, void *mask,
                                      uint32_t bit)
{
    linux_clear_bit(mask, bit);
    if (!linux_test_bit(pending, bit)) {
        return false;
    }
    linux_set_bit(mask, bit);
    return true;
}

/* Unmask, as an HVM guest does on the port's vCPU. */
LINUX_INLINE int linux_unmask(struct bench_domain *d, uint32_t port,
                              enum bench_abi abi)
{
    bool waits =
        abi == BENCH_FIFO ?
            linux_fifo_unmask(linux_event_word(d, port)) :
        abi == BENCH_2L_64 || abi == BENCH_2L_32 ?
            linux_bitmap_unmask(d->pending, d->mask, port) :
            linux_bitmap_unmask(linux_map_page(d->pending_map, port),
                                linux_map_page(d->mask_map, port),
                                port % GUEST_PORTS_PER_BITMAP);

    return waits ? evtchn_unmask(d->d, port) : 0;
}

#endif /* BENCH_LINUX_H */

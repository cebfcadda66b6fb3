/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block front end for tests: rings of several pages that are not adjacent,
 * several queues, and requests whose segments are in a page of their own.
 */

#ifndef GUEST_TESTS_BLKIF_RING_H
#define GUEST_TESTS_BLKIF_RING_H

#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#define BLKIF_SECTOR 512
#define MAX_RING_ORDER 4

struct blkif_ring {
    struct front_end *disk;
    evtchn_port_t port;
    unsigned int order, nr_slots;
    char *pages[1 << MAX_RING_ORDER];
    blkif_sring_t *shared; /* the first page */
    RING_IDX requests, responses; /* pushed, and taken */
};

/*
 * Connect to @disk, which front_end_find() has found: @nr rings of 1 << @order
 * pages.  With order 0 and one ring there are none of the later nodes.  False if
 * the back end does not connect within some seconds.
 */
bool blkif_connect(struct front_end *disk, struct blkif_ring *rings,
                   unsigned int nr, unsigned int order);

/* Put a request of up to 11 segments or an indirect one in the next slot. */
void blkif_put(struct blkif_ring *ring, const blkif_request_t *request);
void blkif_put_indirect(struct blkif_ring *ring,
                        const blkif_request_indirect_t *request);
/* Show the back end all requests that were put. */
void blkif_push(struct blkif_ring *ring);
/* Take the next response; false if none comes within some seconds. */
bool blkif_take(struct blkif_ring *ring, blkif_response_t *response);

/*
 * Read or write @nr segments by one request, indirect if they are more than 11.
 * Returns the response's status, or 1 for none.
 */
int blkif_transfer(struct blkif_ring *ring, uint8_t operation,
                   blkif_sector_t sector,
                   const struct blkif_request_segment *segments,
                   unsigned int nr);

#endif /* GUEST_TESTS_BLKIF_RING_H */

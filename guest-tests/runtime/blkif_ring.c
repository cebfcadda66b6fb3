/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block front end for tests of the ring itself. */

#include "internal.h"
#include "blkif_ring.h"

#define HEADER offsetof(blkif_sring_t, ring)
#define SLOT_SIZE sizeof(union blkif_sring_entry)
#define SEGMENT_SIZE sizeof(struct blkif_request_segment)

static char *digits(char *end, unsigned int value)
{
    *end = '\0';
    do {
        *--end = '0' + value % 10;
        value /= 10;
    } while (value);
    return end;
}

/* "/", with @queue, if it is not negative, and @name with @number, the same. */
static void node_name(char name[128], int queue, const char *node, int number)
{
    char first[128], number_text[12];

    path_join(name, "/", "");
    if (queue >= 0) {
        path_join(first, "/queue-", digits(number_text + 11, queue));
        path_join(name, first, "/");
    }
    path_join(first, name, node);
    path_join(name, first,
              number < 0 ? "" : digits(number_text + 11, number));
}

static bool offer_ring(struct blkif_ring *ring, int queue, bool has_order)
{
    char name[128];
    unsigned int i;

    for (i = 0; i < 1u << ring->order; i++) {
        node_name(name, queue, "ring-ref", has_order ? (int)i : -1);
        if (!front_end_write_number(ring->disk, name,
                                    grant_page(0, ring->pages[i]))) {
            return false;
        }
    }
    node_name(name, queue, "event-channel", -1);
    return front_end_write_number(ring->disk, name, ring->port);
}

bool blkif_connect(struct front_end *disk, struct blkif_ring *rings,
                   unsigned int nr, unsigned int order)
{
    unsigned int nr_pages = 1 << order, i, j;

    if (!back_end_reaches(disk, XenbusStateInitWait) ||
        (order && !front_end_write_number(disk, "/ring-page-order", order)) ||
        (nr > 1 &&
         !front_end_write_number(disk, "/multi-queue-num-queues", nr))) {
        return false;
    }
    for (i = 0; i < nr; i++) {
        struct blkif_ring *ring = &rings[i];
        char *pages = page_alloc(nr_pages);

        *ring = (struct blkif_ring){ .disk = disk,
                                     .port = disk->port,
                                     .order = order };
        for (ring->nr_slots = 1;
             HEADER + 2 * ring->nr_slots * SLOT_SIZE <= nr_pages * PAGE_SIZE;) {
            ring->nr_slots *= 2;
        }
        /* The last page first: no two are adjacent in this order. */
        for (j = 0; j < nr_pages; j++) {
            ring->pages[j] = pages + (nr_pages - 1 - j) * PAGE_SIZE;
        }
        ring->shared = (void *)ring->pages[0];
        SHARED_RING_INIT(ring->shared);
        if ((i && evtchn_alloc_unbound(DOMID_SELF, 0, &ring->port)) ||
            !offer_ring(ring, nr > 1 ? (int)i : -1, order)) {
            return false;
        }
    }
    return front_end_write(disk, "/protocol", XEN_IO_PROTO_ABI_NATIVE) &&
           front_end_write_number(disk, "/state", XenbusStateInitialised) &&
           back_end_reaches(disk, XenbusStateConnected) &&
           front_end_write_number(disk, "/state", XenbusStateConnected);
}

/* The ring's bytes from @offset on are in one page or in two. */
static void copy(struct blkif_ring *ring, size_t offset, void *buffer,
                 size_t size, bool to_ring)
{
    while (size) {
        char *shared = ring->pages[offset / PAGE_SIZE] + offset % PAGE_SIZE;
        size_t length = PAGE_SIZE - offset % PAGE_SIZE;

        length = length < size ? length : size;
        if (to_ring) {
            memcpy(shared, buffer, length);
        } else {
            memcpy(buffer, shared, length);
        }
        buffer = (char *)buffer + length;
        offset += length;
        size -= length;
    }
}

static size_t slot_offset(struct blkif_ring *ring, RING_IDX index)
{
    return HEADER + (index & (ring->nr_slots - 1)) * SLOT_SIZE;
}

void blkif_put(struct blkif_ring *ring, const blkif_request_t *request)
{
    copy(ring, slot_offset(ring, ring->requests++), (void *)request,
         sizeof(*request), true);
}

void blkif_put_indirect(struct blkif_ring *ring,
                        const blkif_request_indirect_t *request)
{
    copy(ring, slot_offset(ring, ring->requests++), (void *)request,
         sizeof(*request), true);
}

void blkif_push(struct blkif_ring *ring)
{
    RING_IDX before =
        __atomic_exchange_n(&ring->shared->req_prod, ring->requests,
                            __ATOMIC_SEQ_CST);
    RING_IDX event = __atomic_load_n(&ring->shared->req_event, __ATOMIC_SEQ_CST);

    /* As RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(). */
    if (ring->requests - event < ring->requests - before) {
        check_equal(evtchn_send(ring->port), 0);
    }
}

bool blkif_take(struct blkif_ring *ring, blkif_response_t *response)
{
    if (!wait_for(__atomic_load_n(&ring->shared->rsp_prod, __ATOMIC_ACQUIRE) !=
                      ring->responses,
                  10000)) {
        return false;
    }
    copy(ring, slot_offset(ring, ring->responses++), response,
         sizeof(*response), false);
    return true;
}

int blkif_transfer(struct blkif_ring *ring, uint8_t operation,
                   blkif_sector_t sector,
                   const struct blkif_request_segment *segments,
                   unsigned int nr)
{
    blkif_response_t response;

    if (nr <= BLKIF_MAX_SEGMENTS_PER_REQUEST) {
        blkif_request_t request = { .operation = operation,
                                    .nr_segments = nr,
                                    .id = 0x1234567890,
                                    .sector_number = sector };

        memcpy(request.seg, segments, nr * SEGMENT_SIZE);
        blkif_put(ring, &request);
    } else {
        static struct blkif_request_segment *list;
        static grant_ref_t reference;
        blkif_request_indirect_t request = { .operation = BLKIF_OP_INDIRECT,
                                             .indirect_op = operation,
                                             .nr_segments = nr,
                                             .id = 0x1234567890,
                                             .sector_number = sector };

        if (!list) {
            list = page_keep();
            reference = grant_page(0, list);
        }
        memcpy(list, segments, nr * SEGMENT_SIZE);
        request.indirect_grefs[0] = reference;
        blkif_put_indirect(ring, &request);
    }
    blkif_push(ring);
    if (!blkif_take(ring, &response)) {
        return 1;
    }
    check_equal(response.id, 0x1234567890);
    /* Linux takes any other for a broken back end. */
    check_equal(response.operation, operation);
    return response.status;
}

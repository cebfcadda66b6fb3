/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of a disk's front end that the back end has to refuse. */

#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

/* A page of the LAPIC, and the last one of the firmware. */
#define MMIO ((void *)(uintptr_t)0xfee00000)
#define ROM ((void *)(uintptr_t)0xfffff000)

static struct front_end disk;
static blkif_front_ring_t ring;

/* Offer @page to the first disk's back end as a ring. */
static void offer_ring(void *page)
{
    if (!front_end_find(&disk, "vbd", 0)) {
        test_skip("no disk");
    }
    require(back_end_reaches(&disk, XenbusStateInitWait));
    require(front_end_write_number(&disk, "/ring-ref", grant_page(0, page)));
    require(front_end_write_number(&disk, "/event-channel", disk.port));
    require(front_end_write(&disk, "/protocol", XEN_IO_PROTO_ABI_NATIVE));
    require(front_end_write_number(&disk, "/state", XenbusStateInitialised));
}

static void connect(void)
{
    blkif_sring_t *shared = page_alloc(1);

    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&ring, shared, PAGE_SIZE);
    offer_ring(shared);
    require(back_end_reaches(&disk, XenbusStateConnected));
    require(front_end_write_number(&disk, "/state", XenbusStateConnected));
}

/* The answer to the request in slot 0, or 1 for none. */
static int push(void)
{
    ring.sring->req_event = 1;
    __atomic_store_n(&ring.sring->req_prod, 1, __ATOMIC_SEQ_CST);
    evtchn_send(disk.port);
    if (!wait_for(__atomic_load_n(&ring.sring->rsp_prod, __ATOMIC_ACQUIRE),
                  5000)) {
        return 1;
    }
    return RING_GET_RESPONSE(&ring, 0)->status;
}

TEST(disk_ring_that_is_no_memory, "hvm pvh disks=1 tcg lab kvm alone")
{
    offer_ring(MMIO);
    spin_for(200);
    check_equal(back_end_state(&disk), XenbusStateInitWait);
}

TEST(disk_reads_into_rom, "hvm pvh disks=1 tcg lab kvm alone")
{
    char *before = page_alloc(1);
    blkif_request_t *request;

    connect();
    memcpy(before, ROM, PAGE_SIZE);
    request = RING_GET_REQUEST(&ring, 0);
    request->operation = BLKIF_OP_READ;
    request->nr_segments = 1;
    request->seg[0].gref = grant_page(0, ROM);
    request->seg[0].first_sect = 0;
    request->seg[0].last_sect = 7;
    check_equal(push(), BLKIF_RSP_ERROR);
    check(!memcmp(before, ROM, PAGE_SIZE));
}

/* A discard far beyond the disk's end, of more pieces than memory allows. */
TEST(disk_discards_without_end, "hvm pvh disks=1 tcg lab kvm alone")
{
    blkif_request_discard_t *request;

    connect();
    request = (void *)RING_GET_REQUEST(&ring, 0);
    request->operation = BLKIF_OP_DISCARD;
    request->nr_sectors = (uint64_t)1 << 53;
    check_equal(push(), BLKIF_RSP_ERROR);
}

/* req_prod is beyond the ring, so it names the same few requests many times. */
TEST(disk_requests_beyond_the_ring, "hvm pvh disks=1 tcg lab kvm alone")
{
    connect();
    ring.sring->req_event = 1;
    __atomic_store_n(&ring.sring->req_prod, (RING_IDX)1 << 30,
                     __ATOMIC_SEQ_CST);
    evtchn_send(disk.port);
    spin_for(500);
    check_equal(ring.sring->rsp_prod, 0);
}

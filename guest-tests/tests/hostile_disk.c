/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of a disk's front end, some of which the back end must refuse. */

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

/* The answer to the request in the next slot, or 1 for none. */
static int push(void)
{
    RING_IDX slot = ring.req_prod_pvt++;

    ring.sring->req_event = slot + 1;
    __atomic_store_n(&ring.sring->req_prod, slot + 1, __ATOMIC_SEQ_CST);
    evtchn_send(disk.port);
    if (!wait_for(__atomic_load_n(&ring.sring->rsp_prod, __ATOMIC_ACQUIRE) ==
                      slot + 1,
                  5000)) {
        return 1;
    }
    return RING_GET_RESPONSE(&ring, slot)->status;
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

/* Read a page from @sector on, whose end is in sector @last of the page. */
static int read_page(blkif_sector_t sector, uint8_t last)
{
    blkif_request_t *request = RING_GET_REQUEST(&ring, ring.req_prod_pvt);

    request->operation = BLKIF_OP_READ;
    request->nr_segments = 1;
    request->sector_number = sector;
    request->seg[0].gref = grant_page(0, page_alloc(1));
    request->seg[0].first_sect = 0;
    request->seg[0].last_sect = last;
    return push();
}

/* The disk ends where XenStore says it does: the units are the same. */
static void check_units(unsigned int unit)
{
    const unsigned int sectors = 1024 * 1024 / unit;
    const unsigned int per_page = PAGE_SIZE / unit;
    char path[128];

    check_equal(
        xenstore_read_number(path_join(path, disk.back, "/sector-size"), 0),
        4096);
    check_equal(xenstore_read_number(path_join(path, disk.back, "/sectors"), 0),
                sectors);
    check_equal(read_page(sectors - per_page, per_page - 1), BLKIF_RSP_OKAY);
    check_equal(read_page(sectors, per_page - 1), BLKIF_RSP_ERROR);
}

/* Requests are in units of 512 bytes, whatever the disk's own. */
TEST(disk_of_4k_blocks, "hvm pvh disks=1 4k tcg lab kvm alone")
{
    connect();
    check_units(512);
}

/* As Windows' front end has it. */
TEST(disk_of_4k_blocks_in_such_units, "hvm pvh disks=1 4k tcg lab kvm alone")
{
    require(front_end_find(&disk, "vbd", 0));
    require(front_end_write_number(&disk, "/feature-large-sector-size", 1));
    connect();
    check_units(4096);
}

/* A read-only disk refuses it also when what is below could be written to. */
TEST(disk_discard_on_a_cdrom, "hvm pvh disks=1 cdrom tcg lab kvm alone")
{
    blkif_request_discard_t *request;

    connect();
    request = (void *)RING_GET_REQUEST(&ring, ring.req_prod_pvt);
    request->operation = BLKIF_OP_DISCARD;
    request->sector_number = 0;
    request->nr_sectors = 8;
    check_equal(push(), BLKIF_RSP_ERROR);
    check_equal(read_page(0, 7), BLKIF_RSP_OKAY);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk's front end that uses indirect requests, several pages and several
 * queues wrongly.  Each request that the back end refuses has an answer, and
 * after it the disk still works.
 */

#include "blkif_ring.h"

static struct front_end disk;
static struct blkif_ring ring[3];
static struct blkif_request_segment *list;
static blkif_request_indirect_t request;

static void find(void)
{
    if (!front_end_find(&disk, "vbd", 0)) {
        test_skip("no disk");
    }
}

static void connect(void)
{
    unsigned int i;

    find();
    require(blkif_connect(&disk, ring, 1, 0));
    list = page_alloc(1);
    for (i = 0; i < PAGE_SIZE / sizeof(*list); i++) {
        list[i] = (struct blkif_request_segment){ .last_sect = 7 };
    }
    list[0].gref = grant_page(0, page_alloc(1));
    for (i = 1; i < PAGE_SIZE / sizeof(*list); i++) {
        list[i].gref = list[0].gref;
    }
    request = (blkif_request_indirect_t){
        .operation = BLKIF_OP_INDIRECT,
        .indirect_op = BLKIF_OP_READ,
        .nr_segments = 12,
        .id = 7,
    };
    request.indirect_grefs[0] = grant_page(0, list);
}

static void check_answer_is(const blkif_request_indirect_t *wrong, int status)
{
    blkif_response_t response = { .status = 1 };

    blkif_put_indirect(&ring[0], wrong);
    blkif_push(&ring[0]);
    require(blkif_take(&ring[0], &response));
    check_equal(response.status, status);
    check_equal(response.id, 7);
}

/* Answered with an error; the same request without the fault is not. */
#define check_refused(...)                                    \
    do {                                                      \
        blkif_request_indirect_t wrong = request;             \
                                                              \
        __VA_ARGS__;                                          \
        test_row(#__VA_ARGS__);                               \
        check_answer_is(&wrong, BLKIF_RSP_ERROR);             \
        check_answer_is(&request, BLKIF_RSP_OKAY);            \
    } while (0)

TEST(disk_indirect_requests_refused, "hvm pvh disks=1 tcg lab kvm alone")
{
    connect();
    check_refused(wrong.nr_segments = 0);
    check_refused(wrong.nr_segments = 257);
    check_refused(wrong.nr_segments = 65535);
    check_refused(wrong.indirect_op = BLKIF_OP_INDIRECT);
    check_refused(wrong.indirect_op = BLKIF_OP_DISCARD);
    check_refused(wrong.indirect_op = BLKIF_OP_FLUSH_DISKCACHE);
    check_refused(wrong.indirect_op = 255);
    check_refused(wrong.sector_number = 2048);
    check_refused(wrong.sector_number = 2048 - 12 * 8 + 1);
    /* 512 times this is 0 in 64 bits, and negative. */
    check_refused(wrong.sector_number = (uint64_t)1 << 55);
    check_refused(wrong.sector_number = (uint64_t)1 << 54);
    check_refused(wrong.sector_number = ~(uint64_t)0);
    /* Not granted, beyond the table, and no memory. */
    check_refused(wrong.indirect_grefs[0] = 500);
    check_refused(wrong.indirect_grefs[0] = ~0u);
    check_refused(wrong.indirect_grefs[0] =
                      grant_page(0, (void *)(uintptr_t)0xfee00000));
}

#define check_list_refused(entry, member, value)           \
    do {                                                   \
        struct blkif_request_segment good = list[entry];   \
                                                           \
        list[entry].member = (value);                      \
        test_row(#entry " " #member " " #value);           \
        check_answer_is(&request, BLKIF_RSP_ERROR);        \
        list[entry] = good;                                \
        check_answer_is(&request, BLKIF_RSP_OKAY);         \
    } while (0)

TEST(disk_indirect_segments_refused, "hvm pvh disks=1 tcg lab kvm alone")
{
    connect();
    check_list_refused(0, last_sect, 8);
    check_list_refused(11, last_sect, 255);
    check_list_refused(5, first_sect, 8);
    check_list_refused(5, first_sect, 255);
    check_list_refused(0, gref, 500);
    check_list_refused(11, gref, 500);
    check_list_refused(11, gref, ~0u);
    /* ROM, which the device may not write to, and no memory. */
    check_list_refused(6, gref, grant_page(0, (void *)(uintptr_t)0xfffff000));
    check_list_refused(6, gref, grant_page(0, (void *)(uintptr_t)0xfee00000));
    /* The last one that counts is the twelfth. */
    list[12].gref = 500;
    check_answer_is(&request, BLKIF_RSP_OKAY);
}

static volatile bool stop;

/* Change the segments all the time. */
static void change_segments(void *opaque)
{
    volatile struct blkif_request_segment *entry = opaque;

    while (!stop) {
        entry->last_sect = 255;
        entry->gref ^= 0x80000000;
        entry->last_sect = 7;
        entry->gref ^= 0x80000000;
    }
}

TEST(disk_indirect_segments_that_change,
     "hvm pvh vcpus=2 disks=1 tcg lab kvm alone seconds=30")
{
    unsigned int i;

    connect();
    stop = false;
    vcpu_start(1, change_segments, &list[3]);
    for (i = 0; i < 300; i++) {
        blkif_response_t response = { .status = 1 };

        blkif_put_indirect(&ring[0], &request);
        blkif_push(&ring[0]);
        require(blkif_take(&ring[0], &response));
        check(response.status == BLKIF_RSP_OKAY ||
              response.status == BLKIF_RSP_ERROR);
    }
    stop = true;
    check(vcpu_join(1, 10000));
    list[3] = list[2];
    check_answer_is(&request, BLKIF_RSP_OKAY);
}

/* A page that is revoked while a request has it stays the request's. */
TEST(disk_pages_revoked, "hvm pvh disks=1 slow tcg lab kvm alone")
{
    blkif_response_t response;
    volatile grant_entry_v1_t *entry;

    connect();
    blkif_put_indirect(&ring[0], &request);
    blkif_push(&ring[0]);
    entry = grant_entry(list[0].gref);
    check(wait_for(entry->flags & GTF_writing, 5000));
    entry->flags = 0;
    require(blkif_take(&ring[0], &response));
    check_equal(response.status, BLKIF_RSP_OKAY);
    check(!(entry->flags & (GTF_reading | GTF_writing)));
    check_answer_is(&request, BLKIF_RSP_ERROR);
}

/* What the front end asks for is more than there is: the disk does not connect. */
#define check_not_connected(node, number)                                 \
    do {                                                                  \
        find();                                                           \
        require(back_end_reaches(&disk, XenbusStateInitWait));            \
        require(front_end_write(&disk, "/protocol",                       \
                                XEN_IO_PROTO_ABI_NATIVE));                \
        require(front_end_write_number(&disk, "/event-channel",           \
                                       disk.port));                       \
        require(front_end_write(&disk, node, number));                    \
        require(front_end_write_number(&disk, "/state",                   \
                                       XenbusStateInitialised));          \
        spin_for(200);                                                    \
        check_equal(back_end_state(&disk), XenbusStateInitWait);          \
    } while (0)

TEST(disk_ring_too_large, "hvm pvh disks=1 tcg lab kvm alone")
{
    check_not_connected("/ring-page-order", "5");
}

TEST(disk_ring_order_without_end, "hvm pvh disks=1 tcg lab kvm alone")
{
    check_not_connected("/ring-page-order", "4294967295");
}

TEST(disk_ring_without_pages, "hvm pvh disks=1 tcg lab kvm alone")
{
    check_not_connected("/ring-page-order", "4");
}

TEST(disk_of_no_queues, "hvm pvh disks=1 tcg lab kvm alone")
{
    check_not_connected("/multi-queue-num-queues", "0");
}

TEST(disk_of_too_many_queues, "hvm pvh disks=1 tcg lab kvm alone")
{
    check_not_connected("/multi-queue-num-queues", "4000000000");
}

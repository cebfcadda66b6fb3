/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a disk's back end offers: whether the data are right in each way. */

#include "blkif_ring.h"

#define SECTORS 4096 /* of the disk, 2 MiB */
#define PER_PAGE (PAGE_SIZE / BLKIF_SECTOR)
#define MAX_SEGMENTS 256

static struct front_end disk;
static struct blkif_ring rings[2];

static void connect(unsigned int nr, unsigned int order)
{
    if (!front_end_find(&disk, "vbd", 0)) {
        test_skip("no disk");
    }
    require(blkif_connect(&disk, rings, nr, order));
}

static unsigned int back_end_number(const char *key)
{
    char path[128];

    return xenstore_read_number(path_join(path, disk.back, key), 0);
}

/* What the disk is to have in this word of this sector. */
static uint32_t word_of(blkif_sector_t sector, unsigned int word)
{
    return ((uint32_t)sector * 128 + word) * 2654435761u;
}

static void fill(void *to, blkif_sector_t sector, unsigned int sectors)
{
    uint32_t *words = to;
    unsigned int i;

    for (i = 0; i < sectors * 128; i++) {
        words[i] = word_of(sector + i / 128, i % 128);
    }
}

static bool is_filled(const void *from, blkif_sector_t sector,
                      unsigned int sectors)
{
    const uint32_t *words = from;
    unsigned int i;

    for (i = 0; i < sectors * 128; i++) {
        if (words[i] != word_of(sector + i / 128, i % 128)) {
            return false;
        }
    }
    return true;
}

static struct blkif_request_segment segments[MAX_SEGMENTS];
static char *data[MAX_SEGMENTS];
static grant_ref_t data_refs[MAX_SEGMENTS];

static void alloc_data(unsigned int nr)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        data[i] = page_alloc(1);
        data_refs[i] = grant_page(0, data[i]);
    }
}

/*
 * Segment I is in the page of @nr whose turn it is, not in order, and has the
 * page's sectors from @first to @last.
 */
static char *segment_page(unsigned int i, unsigned int nr)
{
    return data[(i * 7 + 3) % nr];
}

static void make_segments(unsigned int nr, unsigned int first,
                          unsigned int last)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        segments[i] = (struct blkif_request_segment){
            .gref = data_refs[(i * 7 + 3) % nr],
            .first_sect = first,
            .last_sect = last,
        };
    }
}

/* Write @nr segments, and read them at other places of their pages. */
static void write_and_read(unsigned int nr, blkif_sector_t start)
{
    unsigned int i, j;

    make_segments(nr, 1, 5);
    for (i = 0; i < nr; i++) {
        fill(segment_page(i, nr) + BLKIF_SECTOR, start + i * 5, 5);
    }
    check_equal(blkif_transfer(&rings[0], BLKIF_OP_WRITE, start, segments, nr),
                BLKIF_RSP_OKAY);
    make_segments(nr, 3, 7);
    for (i = 0; i < nr; i++) {
        memset(data[i], 0x55, PAGE_SIZE);
    }
    check_equal(blkif_transfer(&rings[0], BLKIF_OP_READ, start, segments, nr),
                BLKIF_RSP_OKAY);
    for (i = 0; i < nr; i++) {
        const char *page = segment_page(i, nr);

        check(is_filled(page + 3 * BLKIF_SECTOR, start + i * 5, 5));
        /* And nothing beside the segment. */
        for (j = 0; j < 3 * BLKIF_SECTOR; j++) {
            if (!check(page[j] == 0x55)) {
                return;
            }
        }
    }
}

TEST(disk_of_single_requests, "hvm pvh disks=1 data tcg lab kvm alone")
{
    connect(1, 0);
    alloc_data(11);
    write_and_read(1, 100);
    write_and_read(2, 200);
    write_and_read(11, SECTORS - 55);
}

TEST(disk_of_indirect_requests, "hvm pvh disks=1 data tcg lab kvm alone")
{
    connect(1, 0);
    if (!check_equal(back_end_number("/feature-max-indirect-segments"),
                     MAX_SEGMENTS)) {
        return;
    }
    alloc_data(MAX_SEGMENTS);
    write_and_read(12, 0);
    write_and_read(32, 1000);
    write_and_read(MAX_SEGMENTS, 2000);
    /* One page may be in all of the segments. */
    make_segments(MAX_SEGMENTS, 0, 7);
    for (unsigned int i = 0; i < MAX_SEGMENTS; i++) {
        segments[i].gref = data_refs[0];
    }
    fill(data[0], 0, PER_PAGE);
    check_equal(blkif_transfer(&rings[0], BLKIF_OP_WRITE, 0, segments,
                               MAX_SEGMENTS),
                BLKIF_RSP_OKAY);
    make_segments(1, 0, 7);
    check_equal(blkif_transfer(&rings[0], BLKIF_OP_READ,
                               (MAX_SEGMENTS - 1) * PER_PAGE, segments, 1),
                BLKIF_RSP_OKAY);
    check(is_filled(segment_page(0, 1), 0, PER_PAGE));
}

#define FILLED 64 /* pages of the disk */

/* Fill the ring with requests, twice, each for a sector; and each is answered. */
static void use_whole_ring(struct blkif_ring *ring)
{
    static bool answered[1024];
    unsigned int round, i;

    for (round = 0; round < 2; round++) {
        memset(answered, 0, sizeof(answered));
        for (i = 0; i < FILLED; i++) {
            memset(data[i], 0, PAGE_SIZE);
        }
        for (i = 0; i < ring->nr_slots; i++) {
            unsigned int sector = i % (FILLED * PER_PAGE);
            blkif_request_t request = { .operation = BLKIF_OP_READ,
                                        .nr_segments = 1,
                                        .id = i + 1,
                                        .sector_number = sector };

            request.seg[0].gref = data_refs[sector / PER_PAGE];
            request.seg[0].first_sect = sector % PER_PAGE;
            request.seg[0].last_sect = sector % PER_PAGE;
            blkif_put(ring, &request);
        }
        blkif_push(ring);
        for (i = 0; i < ring->nr_slots; i++) {
            blkif_response_t response;

            require(blkif_take(ring, &response));
            check_equal(response.status, BLKIF_RSP_OKAY);
            check_equal(response.operation, BLKIF_OP_READ);
            require(response.id && response.id <= ring->nr_slots);
            check(!answered[response.id]);
            answered[response.id] = true;
        }
        for (i = 0; i < FILLED && i < ring->nr_slots / PER_PAGE; i++) {
            check(is_filled(data[i], i * PER_PAGE, PER_PAGE));
        }
    }
}

static void fill_disk(void)
{
    unsigned int i;

    alloc_data(FILLED);
    for (i = 0; i < FILLED; i++) {
        fill(data[i], i * PER_PAGE, PER_PAGE);
        segments[i] = (struct blkif_request_segment){ .gref = data_refs[i],
                                                      .last_sect = 7 };
    }
    check_equal(blkif_transfer(&rings[0], BLKIF_OP_WRITE, 0, segments, FILLED),
                BLKIF_RSP_OKAY);
}

static void use_ring_of_order(unsigned int order)
{
    connect(1, order);
    check_equal(back_end_number("/max-ring-page-order"), MAX_RING_ORDER);
    fill_disk();
    use_whole_ring(&rings[0]);
}

TEST(disk_ring_of_one_page, "hvm pvh disks=1 data tcg lab kvm alone seconds=30")
{
    use_ring_of_order(0);
    check_equal(rings[0].nr_slots, 32);
}

/* Slots 36, 73, ... of a page each begin in one page and end in another. */
TEST(disk_ring_of_two_pages, "hvm pvh disks=1 data tcg lab kvm alone seconds=30")
{
    use_ring_of_order(1);
    check_equal(rings[0].nr_slots, 64);
}

TEST(disk_ring_of_sixteen_pages,
     "hvm pvh disks=1 data tcg lab kvm alone seconds=60")
{
    use_ring_of_order(MAX_RING_ORDER);
    check_equal(rings[0].nr_slots, 512);
}

/* A request is answered on its own ring, by that ring's port. */
TEST(disk_of_two_queues,
     "hvm pvh vcpus=2 disks=1 data tcg lab kvm alone seconds=60")
{
    unsigned int i;

    connect(2, 1);
    check_equal(back_end_number("/multi-queue-max-queues"), 2);
    fill_disk();
    check_equal(rings[1].shared->rsp_prod, 0);
    for (i = 0; i < 2; i++) {
        received_clear(rings[i].port);
        use_whole_ring(&rings[i]);
    }
    check_equal(rings[0].shared->rsp_prod, 1 + 2 * rings[0].nr_slots);
    check_equal(rings[1].shared->rsp_prod, 2 * rings[1].nr_slots);
}

/* While a request is in flight the back end asks to be told of the next one. */
TEST(disk_takes_a_request_beside_another,
     "hvm pvh disks=1 slow tcg lab kvm alone")
{
    blkif_request_t request = { .operation = BLKIF_OP_READ, .nr_segments = 1 };
    blkif_response_t response;

    connect(1, 0);
    request.seg[0].gref = grant_page(0, page_alloc(1));
    blkif_put(&rings[0], &request);
    blkif_push(&rings[0]);
    check(wait_for(rings[0].shared->req_event == 2 ||
                       rings[0].shared->rsp_prod,
                   5000));
    check_equal(rings[0].shared->rsp_prod, 0);
    check_equal(rings[0].shared->req_event, 2);
    check(blkif_take(&rings[0], &response));
}

/*
 * A front end that closes its device has the answers to all its requests when
 * the back end has closed, too: then it takes the ring's page for other things.
 * The second disk has no I/O thread, whose end would wait for the requests.
 */
TEST(disk_closed_with_a_request_in_flight,
     "hvm pvh disks=2 slow tcg lab kvm alone")
{
    blkif_request_t request = { .operation = BLKIF_OP_READ, .nr_segments = 1 };
    unsigned int i;

    for (i = 0; i < 2; i++) {
        require(front_end_find(&disk, "vbd", i));
        require(blkif_connect(&disk, rings, 1, 0));
        request.seg[0].gref = grant_page(0, page_alloc(1));
        blkif_put(&rings[0], &request);
        blkif_push(&rings[0]);
        check(wait_for(rings[0].shared->req_event == 2, 5000));
        check_equal(rings[0].shared->rsp_prod, 0);
        require(front_end_write_number(&disk, "/state", XenbusStateClosing));
        require(back_end_reaches(&disk, XenbusStateClosing));
        require(front_end_write_number(&disk, "/state", XenbusStateClosed));
        require(back_end_reaches(&disk, XenbusStateClosed));
        check_equal(rings[0].shared->rsp_prod, 1);
        /* Nothing is written there from now on. */
        memset(rings[0].pages[0], 0x5a, PAGE_SIZE);
        spin_for(1500);
        check_equal(rings[0].shared->rsp_prod, 0x5a5a5a5a);
    }
}

/* The processor runs what the disk has written to a page, not what was there. */
TEST(disk_reads_a_program, "hvm pvh disks=1 data tcg lab kvm alone")
{
    /* mov $N, %eax; ret */
    unsigned char program[] = { 0xb8, 0, 0, 0, 0, 0xc3 };
    int (*run)(void);
    int i;

    connect(1, 0);
    alloc_data(2);
    run = (int (*)(void))(uintptr_t)data[0];
    memcpy(data[0], program, sizeof(program));
    check_equal(run(), 0);
    for (i = 1; i < 4; i++) {
        program[1] = i;
        memcpy(data[1], program, sizeof(program));
        segments[0] = (struct blkif_request_segment){ .gref = data_refs[1],
                                                      .last_sect = 7 };
        check_equal(
            blkif_transfer(&rings[0], BLKIF_OP_WRITE, 0, segments, 1),
            BLKIF_RSP_OKAY);
        segments[0].gref = data_refs[0];
        check_equal(blkif_transfer(&rings[0], BLKIF_OP_READ, 0, segments, 1),
                    BLKIF_RSP_OKAY);
        check_equal(run(), i);
    }
}

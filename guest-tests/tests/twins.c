/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One disk that firmware has as an IDE disk, and the guest as a Xen disk once it has
 * unplugged that. With "reboots=N" the guest counts its boots on the disk, and is
 * rebooted N times on its way.
 */

#include "front_end.h"
#include "internal.h"
#include "port_io.h"
#include "unplug.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#ifdef GUEST_HVM

#define SECTOR_WORDS 256
#define COUNT_SECTOR 1
#define PATTERN_SECTOR 2

#define IDE_DATA 0x1f0
#define IDE_COUNT 0x1f2
#define IDE_LBA 0x1f3 /* three ports */
#define IDE_SELECT 0x1f6
#define IDE_COMMAND 0x1f7 /* read: the status */
#define IDE_DRQ 0x08
#define IDE_READ 0x20
#define IDE_WRITE 0x30
#define IDE_FLUSH 0xe7

static bool has_ide_disk(void)
{
    outb(IDE_SELECT, 0xe0);
    return inb(IDE_COMMAND) != 0;
}

static void ide_transfer(uint8_t command, uint32_t sector, uint16_t *data)
{
    unsigned int i;

    outb(IDE_SELECT, 0xe0);
    outb(IDE_COUNT, 1);
    for (i = 0; i < 3; i++) {
        outb(IDE_LBA + i, sector >> (8 * i));
    }
    outb(IDE_COMMAND, command);
    require(wait_for(inb(IDE_COMMAND) & IDE_DRQ, 5000));
    for (i = 0; i < SECTOR_WORDS; i++) {
        if (command == IDE_READ) {
            data[i] = inw(IDE_DATA);
        } else {
            outw(IDE_DATA, data[i]);
        }
    }
    if (command == IDE_WRITE) {
        require(wait_for(!(inb(IDE_COMMAND) & 0x80), 5000));
        outb(IDE_COMMAND, IDE_FLUSH);
        require(wait_for(!(inb(IDE_COMMAND) & 0x80), 5000));
    }
}

static struct front_end disk;
static blkif_front_ring_t ring;

static void connect(void)
{
    blkif_sring_t *shared = page_alloc(1);
    char path[128], value[16];

    require(front_end_find(&disk, "vbd", 0));
    /* Nothing is left of the front end of a guest before this one. */
    check_equal(xenstore_read(path_join(path, disk.front, "/ring-ref"), value,
                              sizeof(value)),
                -1);
    require(back_end_reaches(&disk, XenbusStateInitWait));
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&ring, shared, PAGE_SIZE);
    require(front_end_write_number(&disk, "/ring-ref", grant_page(0, shared)));
    require(front_end_write_number(&disk, "/event-channel", disk.port));
    require(front_end_write(&disk, "/protocol", XEN_IO_PROTO_ABI_NATIVE));
    require(front_end_write_number(&disk, "/state", XenbusStateInitialised));
    require(back_end_reaches(&disk, XenbusStateConnected));
    require(front_end_write_number(&disk, "/state", XenbusStateConnected));
}

static void xen_transfer(uint8_t operation, uint32_t sector, void *data)
{
    RING_IDX slot = ring.req_prod_pvt++;
    blkif_request_t *request = RING_GET_REQUEST(&ring, slot);

    memset(request, 0, sizeof(*request));
    request->operation = operation;
    request->sector_number = sector;
    request->nr_segments = 1;
    request->seg[0].gref = grant_page(0, data);
    __atomic_store_n(&ring.sring->req_prod, slot + 1, __ATOMIC_SEQ_CST);
    evtchn_send(disk.port);
    require(wait_for(__atomic_load_n(&ring.sring->rsp_prod, __ATOMIC_ACQUIRE) ==
                         slot + 1,
                     5000));
    check_equal(RING_GET_RESPONSE(&ring, slot)->status, BLKIF_RSP_OKAY);
}

TEST(twin_disk, "hvm twin tcg kvm alone")
{
    uint16_t *data = page_alloc(1);
    unsigned int boots, i;

    require(has_ide_disk());
    ide_transfer(IDE_READ, COUNT_SECTOR, data);
    boots = data[0];
    test_note("boots before: %u", boots);
    for (i = 0; i < SECTOR_WORDS; i++) {
        data[i] = 0x5a00 + i + boots;
    }
    ide_transfer(IDE_WRITE, PATTERN_SECTOR, data);

    unplug(UNPLUG_DISKS);
    check(!has_ide_disk());

    connect();
    memset(data, 0, PAGE_SIZE);
    xen_transfer(BLKIF_OP_READ, PATTERN_SECTOR, data);
    for (i = 0; i < SECTOR_WORDS; i++) {
        if (!check_equal(data[i], 0x5a00 + i + boots)) {
            break;
        }
    }
    data[0] = boots + 1;
    xen_transfer(BLKIF_OP_WRITE, COUNT_SECTOR, data);

    /* The front end stays as it is. */
    if (boots < command_line_number("reboots", 0)) {
        console_flush();
        shutdown(SHUTDOWN_reboot);
    }
}

#define MEDIUM_SECTORS 2048

static unsigned int back_end_number(const char *key)
{
    char path[128];

    return xenstore_read_number(path_join(path, disk.back, key), 99);
}

/*
 * A CD-ROM drive that is empty at first. A medium comes when the guest has said so,
 * and goes again.
 */
TEST(cdrom_medium, "hvm tcg kvm alone")
{
    uint16_t *data = page_alloc(1);

    if (!command_line_value("cdrom")) {
        test_skip("no cdrom=");
    }
    connect();
    check_equal(back_end_number("/media-present"), 0);
    check_equal(back_end_number("/sectors"), 0);
    test_note("empty");
    console_flush();
    require(wait_for(back_end_number("/media-present") == 1, 10000));
    require(wait_for(back_end_number("/sectors") == MEDIUM_SECTORS, 1000));
    xen_transfer(BLKIF_OP_READ, 0, data);
    check_equal(data[0], 0x4443);
    test_note("read");
    console_flush();
    require(wait_for(back_end_number("/media-present") == 0, 10000));
    check_equal(back_end_number("/sectors"), 0);
}

#endif /* GUEST_HVM */

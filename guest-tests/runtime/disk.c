/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block front end that flushes: xen/io/blkif.h, without any data. */

#include "internal.h"
#include "disk.h"
#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#define MAX_DISKS 8

struct disk {
    struct front_end device;
    blkif_front_ring_t ring;
};

static struct disk all[MAX_DISKS];

static bool connect(struct disk *disk)
{
    const struct front_end *device = &disk->device;
    blkif_sring_t *shared = page_keep();

    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&disk->ring, shared, PAGE_SIZE);
    return back_end_reaches(device, XenbusStateInitWait) &&
           front_end_write_number(device, "/ring-ref", grant_page(0, shared)) &&
           front_end_write_number(device, "/event-channel", device->port) &&
           front_end_write(device, "/protocol", XEN_IO_PROTO_ABI_NATIVE) &&
           front_end_write_number(device, "/state", XenbusStateInitialised) &&
           back_end_reaches(device, XenbusStateConnected) &&
           front_end_write_number(device, "/state", XenbusStateConnected);
}

struct disk *disk_connect(unsigned int i)
{
    struct disk *disk = &all[i];

    if (i >= MAX_DISKS || !front_end_find(&disk->device, "vbd", i)) {
        return NULL;
    }
    if (!connect(disk)) {
        crash("%s does not connect", disk->device.front);
    }
    return disk;
}

evtchn_port_t disk_port(const struct disk *disk)
{
    return disk->device.port;
}

void disk_flush(struct disk *disk)
{
    blkif_request_t *request =
        RING_GET_REQUEST(&disk->ring, disk->ring.req_prod_pvt);
    int notify;

    memset(request, 0, sizeof(*request));
    request->operation = BLKIF_OP_FLUSH_DISKCACHE;
    disk->ring.req_prod_pvt++;
    disk->ring.sring->rsp_event = disk->ring.rsp_cons + 1;
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&disk->ring, notify);
    if (notify) {
        evtchn_send(disk->device.port);
    }
}

unsigned int disk_take_responses(struct disk *disk)
{
    RING_IDX produced =
        __atomic_load_n(&disk->ring.sring->rsp_prod, __ATOMIC_ACQUIRE);
    unsigned int nr = produced - disk->ring.rsp_cons;

    disk->ring.rsp_cons = produced;
    return nr;
}

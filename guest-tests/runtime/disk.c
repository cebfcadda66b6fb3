/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block front end that flushes: xen/io/blkif.h, without any data. */

#include "internal.h"
#include "disk.h"
#include "xenstore.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>

#define MAX_DISKS 8

struct disk {
    blkif_front_ring_t ring;
    evtchn_port_t port;
    char front[128], back[128];
};

static struct disk all[MAX_DISKS];

static bool wait_for_state(const char *directory, unsigned int state)
{
    char path[128];

    path_join(path, directory, "/state");
    return wait_for(xenstore_read_number(path, 0) == state, 10000);
}

static void write_number(const struct disk *disk, const char *key,
                         unsigned int value)
{
    char path[128];

    if (!xenstore_write_number(path_join(path, disk->front, key), value)) {
        crash("cannot write %s", path);
    }
}

static void connect(struct disk *disk, const char *name)
{
    blkif_sring_t *shared = page_keep();
    char path[128], answer[16];

    path_join(disk->front, "device/vbd/", name);
    path_join(path, disk->front, "/backend");
    if (xenstore_read(path, disk->back, sizeof(disk->back)) < 0 ||
        !wait_for_state(disk->back, XenbusStateInitWait)) {
        crash("disk %s has no back end", name);
    }
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&disk->ring, shared, PAGE_SIZE);
    if (evtchn_alloc_unbound(DOMID_SELF, 0, &disk->port)) {
        crash("no port for disk %s", name);
    }
    write_number(disk, "/ring-ref", grant_page(0, shared));
    write_number(disk, "/event-channel", disk->port);
    path_join(path, disk->front, "/protocol");
    memcpy(path + strlen(path) + 1,
           sizeof(long) == 8 ? "x86_64-abi" : "x86_32-abi", 10);
    xenstore_request(XS_WRITE, path, strlen(path) + 1 + 10, answer,
                     sizeof(answer));
    write_number(disk, "/state", XenbusStateInitialised);
    if (!wait_for_state(disk->back, XenbusStateConnected)) {
        crash("disk %s does not connect", name);
    }
    write_number(disk, "/state", XenbusStateConnected);
}

unsigned int disks_connect(struct disk *disks[], unsigned int nr)
{
    static const char directory[] = "device/vbd";
    static char names[256];
    int length = xenstore_request(XS_DIRECTORY, directory, sizeof(directory),
                                  names, sizeof(names) - 1);
    const char *name = names;
    unsigned int i = 0;

    while (name < names + length && i < nr && i < MAX_DISKS) {
        disks[i] = &all[i];
        connect(disks[i++], name);
        name += strlen(name) + 1;
    }
    return i;
}

evtchn_port_t disk_port(const struct disk *disk)
{
    return disk->port;
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
        evtchn_send(disk->port);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -machine xen-evtchn-traffic=FILE, and query-xen-event-traffic.
 *
 * The row of a vCPU's thread is that of the vCPU's number.  Another thread takes a
 * place when it first sends an event or looks for one, and leaves it when it ends.
 * When no place is free, what the thread sends is not counted.
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/notify.h"
#include "qemu/thread.h"
#include "hw/core/cpu.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-misc-target.h"
#include "system/system.h"

#include "traffic.h"

struct xen_evtchn_traffic *xen_evtchn_traffic_page;

static char *page_path;

__thread uint32_t *xen_evtchn_traffic_own_row;

static __thread uint32_t own_place;     /* its number; 0: a vCPU's, or none */
static __thread bool came_late;         /* no place was free */
static __thread Notifier thread_ends;

static uint32_t *row_of(uint32_t source)
{
    return xen_evtchn_traffic_row(xen_evtchn_traffic_page, source);
}

static void leave_place(Notifier *notifier, void *data)
{
    struct xen_evtchn_traffic *page = xen_evtchn_traffic_page;

    xen_evtchn_traffic_own_row = NULL;
    came_late = true;
    qatomic_store_release(&page->tid[own_place - page->nr_vcpus], 0);
}

/* At most once for each thread; any of the model's locks may be held. */
static void find_row(void)
{
    struct xen_evtchn_traffic *page = xen_evtchn_traffic_page;
    uint32_t i;

    if (current_cpu) {
        xen_evtchn_traffic_own_row = row_of(current_cpu->cpu_index);
        return;
    }
    for (i = 0; i < XEN_EVTCHN_TRAFFIC_PLACES && !came_late; i++) {
        if (qatomic_cmpxchg(&page->tid[i], 0, qemu_get_thread_id()) == 0) {
            own_place = page->nr_vcpus + i;
            xen_evtchn_traffic_own_row = row_of(own_place);
            thread_ends.notify = leave_place;
            qemu_thread_atexit_add(&thread_ends);
            return;
        }
    }
    came_late = true;
}

void xen_evtchn_traffic_first_sent(uint32_t target)
{
    find_row();
    xen_evtchn_traffic_count(xen_evtchn_traffic_own_row, target);
}

uint32_t xen_evtchn_traffic_place(void)
{
    if (!xen_evtchn_traffic_own_row && xen_evtchn_traffic_page) {
        find_row();
    }
    return own_place;
}

static void remove_page(Notifier *notifier, void *data)
{
    unlink(page_path);
}

/* A file that is there already must be a page that no other QEMU has. */
static int open_page(const char *path, Error **errp)
{
    int fd = qemu_create(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0600, errp);
    uint64_t magic = 0;
    struct stat st;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
        (st.st_size && (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic) ||
                        magic != XEN_EVTCHN_TRAFFIC_MAGIC))) {
        error_setg(errp, "'%s' is there, and is no page of event counts: give "
                   "another FILE, or remove it", path);
    } else if (qemu_lock_fd(fd, 0, 0, true)) {
        error_setg(errp, "'%s' is another QEMU's: give each its own FILE", path);
    } else {
        return fd;
    }
    qemu_close(fd);
    return -1;
}

bool xen_evtchn_traffic_init(const char *path, uint32_t nr_vcpus, Error **errp)
{
    static Notifier at_exit = { .notify = remove_page };
    const uint32_t row_bytes = xen_evtchn_traffic_row_bytes(nr_vcpus);
    const size_t size = XEN_EVTCHN_TRAFFIC_FIRST_ROW +
        (size_t)row_bytes * xen_evtchn_traffic_sources(nr_vcpus);
    struct xen_evtchn_traffic *page;
    int fd = open_page(path, errp);

    if (fd < 0) {
        error_prepend(errp, "xen-evtchn-traffic: ");
        return false;
    }
    /* The file stays open: that keeps the lock. */
    page = ftruncate(fd, 0) || ftruncate(fd, size) ? MAP_FAILED :
           mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        error_setg_errno(errp, errno, "xen-evtchn-traffic: %s", path);
        qemu_close(fd);
        return false;
    }
    page->version = XEN_EVTCHN_TRAFFIC_VERSION;
    page->pid = getpid();
    page->nr_vcpus = nr_vcpus;
    page->row_bytes = row_bytes;
    page->first_row = XEN_EVTCHN_TRAFFIC_FIRST_ROW;
    qatomic_store_release(&page->magic, XEN_EVTCHN_TRAFFIC_MAGIC);
    page_path = g_strdup(path);
    qemu_add_exit_notifier(&at_exit);
    xen_evtchn_traffic_page = page;
    return true;
}

static void describe(uint32_t number, bool *is_vcpu, uint32_t *vcpu,
                     bool *is_thread, int64_t *tid)
{
    struct xen_evtchn_traffic *page = xen_evtchn_traffic_page;

    *is_vcpu = number < page->nr_vcpus;
    *is_thread = !*is_vcpu;
    if (*is_vcpu) {
        *vcpu = number;
    } else {
        *tid = qatomic_read(&page->tid[number - page->nr_vcpus]);
    }
}

XenEventTrafficList *qmp_query_xen_event_traffic(Error **errp)
{
    struct xen_evtchn_traffic *page = xen_evtchn_traffic_page;
    XenEventTrafficList *head = NULL, **tail = &head;
    uint32_t from, to, n;

    if (!page) {
        error_setg(errp, "No events are counted: give -machine "
                   "xen-evtchn-traffic=FILE");
        return NULL;
    }
    n = xen_evtchn_traffic_sources(page->nr_vcpus);
    for (from = 0; from < n; from++) {
        for (to = 0; to < n; to++) {
            uint32_t events = qatomic_read(&row_of(from)[to]);
            XenEventTraffic *t;

            if (!events) {
                continue;
            }
            t = g_new0(XenEventTraffic, 1);
            describe(from, &t->has_from_vcpu, &t->from_vcpu,
                     &t->has_from_thread, &t->from_thread);
            describe(to, &t->has_to_vcpu, &t->to_vcpu, &t->has_to_thread,
                     &t->to_thread);
            t->events = events;
            QAPI_LIST_APPEND(tail, t);
        }
    }
    return head;
}

static void print_end(Monitor *mon, const char *what, bool is_vcpu,
                      uint32_t vcpu, int64_t tid)
{
    if (is_vcpu) {
        monitor_printf(mon, "%s vCPU %" PRIu32, what, vcpu);
    } else {
        monitor_printf(mon, "%s thread %" PRId64, what, tid);
    }
}

void hmp_xen_event_traffic(Monitor *mon, const QDict *qdict)
{
    g_autoptr(XenEventTrafficList) list = NULL;
    XenEventTrafficList *item;
    Error *err = NULL;

    list = qmp_query_xen_event_traffic(&err);
    if (hmp_handle_error(mon, err)) {
        return;
    }
    for (item = list; item; item = item->next) {
        XenEventTraffic *t = item->value;

        print_end(mon, "from", t->has_from_vcpu, t->from_vcpu, t->from_thread);
        print_end(mon, " to", t->has_to_vcpu, t->to_vcpu, t->to_thread);
        monitor_printf(mon, ": %" PRIu32 "\n", t->events);
    }
}

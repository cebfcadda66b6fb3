/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's end of interdomain channels: libxenevtchn's calls for the PV back
 * ends, served by domain 0 of the model.  A handle has one port at most.
 */

#include "qemu/osdep.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "hw/xen/xen.h"
#include "hw/xen/xen_backend_ops.h"

#include "internal.h"

struct xenevtchn_handle {
    EventNotifier notifier;
    /* Domain 0's, or 0.  Set under the BQL; a back end's iothread reads it. */
    uint32_t port;
    uint32_t reader;    /* the thread that last looked: its place, or 0; atomic */
};

/* Where the handle of domain 0's @port is, or NULL if none has been in its chunk. */
static struct xenevtchn_handle **handle_slot(XenEvtchnState *s, uint32_t port)
{
    struct xenevtchn_handle **chunk =
        qatomic_load_acquire(&s->handles[port / HANDLES_PER_CHUNK]);

    return chunk ? &chunk[port % HANDLES_PER_CHUNK] : NULL;
}

static struct xenevtchn_handle *handle_of(XenEvtchnState *s, uint32_t port)
{
    struct xenevtchn_handle **slot = handle_slot(s, port);

    return slot ? qatomic_load_acquire(slot) : NULL;
}

static struct xenevtchn_handle **make_handle_slot(XenEvtchnState *s,
                                                  uint32_t port)
{
    assert(bql_locked());
    if (!handle_slot(s, port)) {
        qatomic_store_release(&s->handles[port / HANDLES_PER_CHUNK],
                              g_new0(struct xenevtchn_handle *,
                                     HANDLES_PER_CHUNK));
    }
    return handle_slot(s, port);
}

static uint32_t handle_port(const struct xenevtchn_handle *xc)
{
    return qatomic_read(&xc->port);
}

static int be_error(int ret)
{
    if (ret < 0) {
        errno = -ret;
    }
    return ret;
}

/*
 * An event for a back end.  The model calls this with the port's lock held, so a
 * handle that is found here is not freed meanwhile: unbind() waits for that lock,
 * in evtchn_close().
 */
void xen_evtchn_backend_notify(void *opaque, uint32_t port)
{
    XenEvtchnState *s = opaque;
    struct xenevtchn_handle *xc = handle_of(s, port);

    if (xc) {
        uint32_t reader = qatomic_read(&xc->reader);

        if (reader) {
            xen_evtchn_traffic_sent(reader);
        }
        event_notifier_set(&xc->notifier);
    }
}

int xen_evtchn_backend_fd(XenEvtchnState *s, uint32_t port)
{
    struct xenevtchn_handle *xc = handle_of(s, port);

    return xc ? event_notifier_get_fd(&xc->notifier) : -1;
}

struct xenevtchn_handle *xen_be_evtchn_open(void)
{
    struct xenevtchn_handle *xc = g_new0(struct xenevtchn_handle, 1);

    if (event_notifier_init(&xc->notifier, false) < 0) {
        g_free(xc);
        return NULL;
    }
    return xc;
}

static void unbind(XenEvtchnState *s, struct xenevtchn_handle *xc)
{
    uint32_t port = handle_port(xc);

    assert(bql_locked());
    if (port) {
        RCU_READ_LOCK_GUARD();
        qatomic_set(&xc->port, 0);
        /* Before the close, after which the number may be another handle's. */
        qatomic_set(handle_slot(s, port), NULL);
        evtchn_close(s->host, port);
    }
}

void xen_evtchn_backend_unbind_all(XenEvtchnState *s)
{
    uint32_t end = evtchn_domain_valid_ports(s->host);
    uint32_t port;

    for (port = 1; port < end; port++) {
        struct xenevtchn_handle *xc = handle_of(s, port);

        if (xc) {
            unbind(s, xc);
        }
    }
}

int xen_be_evtchn_bind_interdomain(struct xenevtchn_handle *xc, uint32_t domid,
                                   evtchn_port_t guest_port)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t port;
    int ret;

    if (!s) {
        return be_error(-ENOTSUP);
    }
    if (!xc) {
        return be_error(-EFAULT);
    }
    if (domid != xen_domid) {
        return be_error(-ESRCH);
    }
    assert(bql_locked());
    RCU_READ_LOCK_GUARD();
    /*
     * The back end binds again after a reset or a load has unbound the guest's
     * end.  A handle has one port.
     */
    unbind(s, xc);

    ret = evtchn_bind_interdomain(s->host, domid, guest_port, &port);
    if (ret) {
        return be_error(ret);
    }
    qatomic_set(&xc->port, port);
    qatomic_store_release(make_handle_slot(s, port), xc);
    xen_evtchn_kvm_backend_bound(s, guest_port, port);
    /*
     * For events that came while no handle was there to tell; and Xen raises one
     * at each binding.
     */
    event_notifier_set(&xc->notifier);
    return port;
}

int xen_be_evtchn_unbind(struct xenevtchn_handle *xc, evtchn_port_t port)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (!s) {
        return be_error(-ENOTSUP);
    }
    if (!xc) {
        return be_error(-EFAULT);
    }
    if (port && port != handle_port(xc)) {
        return be_error(-EINVAL);
    }
    unbind(s, xc);
    return 0;
}

int xen_be_evtchn_close(struct xenevtchn_handle *xc)
{
    if (!xc) {
        return be_error(-EFAULT);
    }
    xen_be_evtchn_unbind(xc, 0);
    event_notifier_cleanup(&xc->notifier);
    g_free(xc);
    return 0;
}

int xen_be_evtchn_fd(struct xenevtchn_handle *xc)
{
    return xc ? event_notifier_get_fd(&xc->notifier) : -1;
}

int xen_be_evtchn_notify(struct xenevtchn_handle *xc, evtchn_port_t port)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t own_port;

    if (!s) {
        return be_error(-ENOTSUP);
    }
    if (!xc) {
        return be_error(-EFAULT);
    }
    /* @port is ignored: after a reset a back end may still say the old one. */
    own_port = handle_port(xc);
    if (!own_port) {
        return be_error(-ENOTCONN);
    }
    RCU_READ_LOCK_GUARD();
    return be_error(evtchn_send(s->host, own_port));
}

/* Takes the event at once, so unmask has nothing to do. */
int xen_be_evtchn_pending(struct xenevtchn_handle *xc)
{
    uint32_t port;

    if (!xc) {
        return be_error(-EFAULT);
    }
    port = handle_port(xc);
    qatomic_set(&xc->reader, xen_evtchn_traffic_place());
    return port && event_notifier_test_and_clear(&xc->notifier) ? port : 0;
}

int xen_be_evtchn_unmask(struct xenevtchn_handle *xc, evtchn_port_t port)
{
    if (!xc) {
        return be_error(-EFAULT);
    }
    return be_error(handle_port(xc) == port ? 0 : -EINVAL);
}

int xen_be_evtchn_get_guest_port(struct xenevtchn_handle *xc)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    struct evtchn_port_info info;

    RCU_READ_LOCK_GUARD();
    if (!s || !xc || evtchn_port_info(s->host, handle_port(xc), &info) ||
        info.state != EVTCHN_INTERDOMAIN) {
        return 0;
    }
    return info.remote_port;
}

static struct evtchn_backend_ops backend_ops = {
    .open = xen_be_evtchn_open,
    .bind_interdomain = xen_be_evtchn_bind_interdomain,
    .unbind = xen_be_evtchn_unbind,
    .close = xen_be_evtchn_close,
    .get_fd = xen_be_evtchn_fd,
    .notify = xen_be_evtchn_notify,
    .unmask = xen_be_evtchn_unmask,
    .pending = xen_be_evtchn_pending,
    .get_guest_port = xen_be_evtchn_get_guest_port,
};

void xen_evtchn_backend_init(void)
{
    xen_evtchn_ops = &backend_ops;
}

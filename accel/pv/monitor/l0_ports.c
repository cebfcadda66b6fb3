/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels to back ends, which are in L0.
 *
 * A front end tells its back end a port's number, so this must be the same in L0 as
 * in the guest.  Both give a new port the lowest number that is free, and the guest
 * has many that L0 knows nothing of.  So L0 has placeholders for these: up to
 * @highest, each of L0's ports is one of the guest's channels or a placeholder.  When
 * a port is to be bound there, its placeholder is closed, and it is the lowest one.
 *
 * L0's own events are 2-level, whatever the guest has, in pages of the monitor's.
 */

#include "events.h"

#define PORTS_2L 4096

static struct spinlock lock;
static uint64_t backed[PORTS_2L / 64];  /* the guest's channels; atomic */
static uint32_t highest;
static bool is_resetting;               /* L0 has none, the model still some */

static long l0_op(unsigned int cmd, void *arg)
{
    return l0_call(__HYPERVISOR_event_channel_op, cmd, (uint64_t)arg, 0, 0, 0);
}

static shared_info_t *l0_shared(void)
{
    return frame(boot->l0_shared_info_mfn);
}

bool is_l0_port(uint32_t port)
{
    return port < PORTS_2L &&
           __atomic_load_n(&backed[port / 64], __ATOMIC_ACQUIRE) >> port % 64 & 1;
}

static void set_backed(uint32_t port, bool is)
{
    uint64_t bit = 1ul << port % 64;

    if (is) {
        __atomic_fetch_and(&l0_shared()->evtchn_mask[port / 64], ~bit,
                           __ATOMIC_SEQ_CST);
        __atomic_fetch_or(&backed[port / 64], bit, __ATOMIC_SEQ_CST);
    } else {
        __atomic_fetch_and(&backed[port / 64], ~bit, __ATOMIC_SEQ_CST);
        __atomic_fetch_and(&l0_shared()->evtchn_pending[port / 64], ~bit,
                           __ATOMIC_SEQ_CST);
    }
}

/* A placeholder, which must be @port; the lock is held, as for all of these. */
static bool hold_place(uint32_t port)
{
    struct evtchn_bind_ipi bind = { .vcpu = 0 };

    return !l0_op(EVTCHNOP_bind_ipi, &bind) && bind.port == port;
}

static void close_in_l0(uint32_t port)
{
    struct evtchn_close close = { .port = port };

    l0_op(EVTCHNOP_close, &close);
}

/* Make @port the next that L0 gives out. */
static bool make_next(uint32_t port)
{
    if (port >= PORTS_2L) {
        return false;
    }
    if (port <= highest) {
        close_in_l0(port);
        return true;
    }
    while (highest + 1 < port) {
        if (!hold_place(highest + 1)) {
            return false;
        }
        highest++;
    }
    return true;
}

/* @port, which make_next() has prepared, was not bound, or is closed. */
static void give_back(uint32_t port)
{
    if (port <= highest && !hold_place(port)) {
        crash_guest(NULL, "L0 has lost the place of port %u", port);
    }
}

void adopt_l0_ports(const uint32_t *ports, unsigned int nr)
{
    uint32_t last = 0, port;
    unsigned int i;

    for (i = 0; i < nr; i++) {
        struct evtchn_port_state state = {
            .port = ports[i], .state = EVTCHN_UNBOUND,
        };

        if (ports[i] && ports[i] < PORTS_2L &&
            !evtchn_load_port(guest_events, &state)) {
            set_backed(ports[i], true);
            last = ports[i] > last ? ports[i] : last;
        }
    }
    /* Those between them are free in L0. */
    for (port = 1; port < last; port++) {
        if (!is_l0_port(port) && !hold_place(port)) {
            crash_guest(NULL, "L0 has other ports than the guest's");
        }
    }
    highest = last;
}

static long bind_locked(unsigned int cmd, void *arg, uint32_t *port)
{
    uint32_t new_port;
    long result;

    if (is_resetting) {
        /* The model may be about to close this number, which L0 has closed before. */
        return CALL_AGAIN;
    }
    result = evtchn_alloc_unbound(guest_events, DOMID_SELF, 0, &new_port);
    if (result) {
        return result;
    }
    if (!make_next(new_port)) {
        result = -XEN_ENOSPC;
    } else {
        result = l0_op(cmd, arg);
        if (result) {
            give_back(new_port);
        } else if (*port != new_port) {
            crash_guest(NULL, "L0 bound port %u for port %u", *port,
                        new_port);
        } else {
            if (highest < new_port) {
                highest = new_port;
            }
            set_backed(new_port, true);
        }
    }
    if (result) {
        evtchn_close(guest_events, new_port);
        return result;
    }
    if (cmd == EVTCHNOP_bind_interdomain) {
        /* As Xen: what the peer has sent before is not lost. */
        evtchn_raise_port(guest_events, new_port);
    }
    return 0;
}

long bind_l0_port(unsigned int cmd, void *arg, uint32_t *port)
{
    long result;

    spin_lock(&lock);
    result = bind_locked(cmd, arg, port);
    spin_unlock(&lock);
    return result;
}

long send_l0_port(uint32_t port)
{
    struct evtchn_send send = { .port = port };

    return l0_op(EVTCHNOP_send, &send);
}

long close_l0_port(uint32_t port)
{
    long result = -XEN_EINVAL;

    spin_lock(&lock);
    if (is_l0_port(port)) {
        close_in_l0(port);
        set_backed(port, false);
        give_back(port);
        /* Not without the lock: after a reset a new channel may have the number. */
        result = evtchn_close(guest_events, port);
    }
    spin_unlock(&lock);
    return result;
}

long status_l0_port(struct evtchn_status *status)
{
    return l0_op(EVTCHNOP_status, status);
}

void move_l0_port(uint32_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu bind = { .port = port, .vcpu = vcpu };

    l0_op(EVTCHNOP_bind_vcpu, &bind);
}

bool begin_l0_reset(void)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t port;
    bool begins;

    spin_lock(&lock);
    begins = !is_resetting;
    if (begins) {
        is_resetting = true;
        l0_op(EVTCHNOP_reset, &reset);
        for (port = 0; port <= highest; port++) {
            set_backed(port, false);
        }
        highest = 0;
    }
    spin_unlock(&lock);
    return begins;
}

void end_l0_reset(void)
{
    spin_lock(&lock);
    is_resetting = false;
    spin_unlock(&lock);
}

void take_l0_events(struct vcpu *v)
{
    vcpu_info_t *info = v->l0_info;
    shared_info_t *shared = l0_shared();
    uint64_t words, events;

    if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 0,
                             __ATOMIC_SEQ_CST)) {
        return;
    }
    words = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned int word = __builtin_ctzl(words);

        events = __atomic_exchange_n(&shared->evtchn_pending[word], 0,
                                     __ATOMIC_SEQ_CST);
        for (; events; events &= events - 1) {
            uint32_t port = word * 64 + __builtin_ctzl(events);

            if (is_l0_port(port)) {
                evtchn_raise_port(guest_events, port);
            }
        }
    }
}

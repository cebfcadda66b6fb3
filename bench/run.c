/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function for each case; built twice, see bench.h.
 *
 * The functions are inlined for each ABI, so that the compiler sees the whole
 * of the guest's side, as in a kernel that knows its ABI.
 */

#include "run.h"
#include "linux.h"

#include <glib.h>
#include <sched.h>

/* Rounds of a wait before it yields; fewer if other threads need processors. */
#define SPINS           2000
#define SPINS_IF_CROWDED 50

/* A body's arguments, of which all but the set are constants when inlined. */
#define BODY(name)                                                          \
    LINUX_INLINE void name(struct bench_thread *t, unsigned int n,          \
                           enum bench_ports ports, enum bench_abi abi)

/* bench_run_@name(): body @body on ports @ports, for the ABI of the thread's rig. */
#define RUN(name, body, ports)                                              \
    void bench_run_##name(struct bench_thread *t, unsigned int n)           \
    {                                                                       \
        switch (t->abi) {                                                   \
        case BENCH_2L_64:                                                   \
            body(t, n, ports, BENCH_2L_64);                                 \
            break;                                                          \
        case BENCH_2L_32:                                                   \
            body(t, n, ports, BENCH_2L_32);                                 \
            break;                                                          \
        case BENCH_3L_64:                                                   \
            body(t, n, ports, BENCH_3L_64);                                 \
            break;                                                          \
        case BENCH_3L_32:                                                   \
            body(t, n, ports, BENCH_3L_32);                                 \
            break;                                                          \
        default:                                                            \
            body(t, n, ports, BENCH_FIFO);                                  \
        }                                                                   \
    }

static void wait_a_little(const struct bench_thread *t, unsigned int *spins)
{
    if (++*spins % (t->crowded ? SPINS_IF_CROWDED : SPINS)) {
        __builtin_ia32_pause();
    } else {
        sched_yield();
    }
}

LINUX_INLINE struct bench_vcpu *vcpu_of(const struct bench_port_set *set,
                                        unsigned int i)
{
    return &set->domain->vcpu[set->vcpu[i]];
}

/* Events ---------------------------------------------------------------------- */

/* Send, take the upcall. */
BODY(send_and_handle)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, t->id);
    struct evtchn_domain *sender = set->sender;
    uint32_t port = set->port[t->id];
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_send(sender, port);
        linux_upcall(v, abi);
    }
    t->failed |= rc;
}
RUN(ipi, send_and_handle, BENCH_ADJACENT)
RUN(interdomain, send_and_handle, BENCH_INTERDOMAIN_PORT)
RUN(six_apart, send_and_handle, BENCH_SIX_APART)
RUN(far, send_and_handle, BENCH_FAR)
RUN(own_line, send_and_handle, BENCH_OWN_LINE)

static void count_event(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct bench_domain *dom = opaque;

    (void)v;
    dom->source_of[port]->handled++;
}

/* The same with the consumer of tests/guest/, which is called. */
void bench_run_ipi_test_guest(struct bench_thread *t, unsigned int n)
{
    struct bench_port_set *set = &t->rig->set[BENCH_ADJACENT];
    struct guest_vcpu *v = &set->domain->g->vcpu[0];
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_send(set->sender, set->port[0]);
        guest_upcall(v, count_event, set->domain);
    }
    t->failed |= rc;
}

/* Send by the set's port @i; no event is handled. */
static void send_only(struct bench_thread *t, unsigned int n,
                      enum bench_ports ports, unsigned int i)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct evtchn_domain *sender = set->sender;
    uint32_t port = set->port[i];
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_send(sender, port);
    }
    t->failed |= rc;
}

void bench_run_pending(struct bench_thread *t, unsigned int n)
{
    send_only(t, n, BENCH_ADJACENT_AT_0, t->id);
}

void bench_run_same_port_pending(struct bench_thread *t, unsigned int n)
{
    send_only(t, n, BENCH_ADJACENT_AT_0, 0);
}

void bench_run_to_host(struct bench_thread *t, unsigned int n)
{
    send_only(t, n, BENCH_HOST_PORT, 0);
}

/* Send on all ports of the set, and then take one upcall. */
BODY(send_batch)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);
    unsigned int i;
    int rc = 0;

    t->sent += n;
    for (; n >= BENCH_BATCH_PORTS; n -= BENCH_BATCH_PORTS) {
        for (i = 0; i < BENCH_BATCH_PORTS; i++) {
            rc |= evtchn_send(set->sender, set->port[i]);
        }
        linux_upcall(v, abi);
    }
    g_assert_cmpuint(n, ==, 0);
    t->failed |= rc;
}
RUN(batch, send_batch, BENCH_BATCH)
RUN(batch_stride, send_batch, BENCH_STRIDE)

BODY(raise_virq)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);

    t->sent += n;
    while (n--) {
        evtchn_raise_virq(set->sender, 0, VIRQ_TIMER);
        linux_upcall(v, abi);
    }
}
RUN(virq, raise_virq, BENCH_VIRQ_PORT)

BODY(raise_pirq)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);

    t->sent += n;
    while (n--) {
        evtchn_raise_pirq(set->sender, BENCH_PIRQ);
        linux_upcall(v, abi);
    }
}
RUN(pirq, raise_pirq, BENCH_PIRQ_PORT)

BODY(mask_send_unmask)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);
    uint32_t port = set->port[0];
    int rc = 0;

    t->sent += n;
    while (n--) {
        linux_mask(set->domain, port, abi);
        rc |= evtchn_send(set->sender, port);
        rc |= linux_unmask(set->domain, port, abi);
        linux_upcall(v, abi);
    }
    t->failed |= rc;
}
RUN(mask_send_unmask, mask_send_unmask, BENCH_ADJACENT)

/* Set two priorities in turn; the last one is the port's own. */
BODY(change_priority)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);
    uint32_t port = set->port[0];
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_set_priority(set->sender, port,
                                  EVTCHN_FIFO_PRIORITY_DEFAULT - n % 2);
        rc |= evtchn_send(set->sender, port);
        linux_upcall(v, abi);
    }
    t->failed |= rc;
}

void bench_run_priority_change(struct bench_thread *t, unsigned int n)
{
    change_priority(t, n, BENCH_ADJACENT, BENCH_FIFO);
}

BODY(alternate)
{
    struct bench_port_set *set = &t->rig->set[ports];
    struct bench_vcpu *v = vcpu_of(set, 0);
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_send(set->sender, set->port[n % 2]);
        linux_upcall(v, abi);
    }
    t->failed |= rc;
}
RUN(alternate, alternate, BENCH_ADJACENT_AT_0)

/* Several threads, one vCPU: thread 0 handles all events -------------------- */

BODY(flat)
{
    if (t->id) {
        send_only(t, n, ports, t->id);
    } else {
        send_and_handle(t, n, ports, abi);
    }
}
RUN(far_flat, flat, BENCH_FAR_AT_0)
RUN(adjacent_flat, flat, BENCH_ADJACENT_AT_0)
RUN(priorities_flat, flat, BENCH_PRIORITIES)

BODY(same_port_flat)
{
    if (t->id) {
        send_only(t, n, ports, 0);
    } else {
        send_and_handle(t, n, ports, abi);
    }
}
RUN(same_port_flat, same_port_flat, BENCH_ADJACENT_AT_0)

/* Each sender waits until its event is handled. */
BODY(acked)
{
    struct bench_port_set *set = &t->rig->set[ports];
    uint32_t port = set->port[t->id];
    struct bench_source *source = set->domain->source_of[port];
    struct bench_vcpu *v = vcpu_of(set, 0);
    uint64_t handled = __atomic_load_n(&source->handled, __ATOMIC_ACQUIRE);
    unsigned int spins = 0;
    int rc = 0;

    t->sent += n;
    while (n--) {
        rc |= evtchn_send(set->sender, port);
        if (!t->id) {
            linux_upcall(v, abi);
        }
        handled++;
        while (__atomic_load_n(&source->handled, __ATOMIC_ACQUIRE) != handled) {
            if (!t->id) {
                linux_upcall(v, abi);
            }
            wait_a_little(t, &spins);
        }
    }
    t->failed |= rc;
}
RUN(far_acked, acked, BENCH_FAR_AT_0)
RUN(adjacent_acked, acked, BENCH_ADJACENT_AT_0)
RUN(priorities_acked, acked, BENCH_PRIORITIES)

/* Opening and closing ports ------------------------------------------------- */

static void alloc_and_close(struct bench_thread *t, struct evtchn_domain *d,
                            unsigned int n)
{
    uint32_t port;
    int rc = 0;

    while (n--) {
        rc |= evtchn_alloc_unbound(d, DOMID_SELF, DOMID_SELF, &port);
        rc |= evtchn_close(d, port);
    }
    t->failed |= rc;
}

void bench_run_alloc_one_domain(struct bench_thread *t, unsigned int n)
{
    alloc_and_close(t, t->rig->own[0].d, n);
}

void bench_run_alloc_own_domain(struct bench_thread *t, unsigned int n)
{
    alloc_and_close(t, t->rig->own[t->id].d, n);
}

void bench_run_virq_and_close(struct bench_thread *t, unsigned int n)
{
    struct evtchn_domain *d = t->rig->own[0].d;
    uint32_t port;
    int rc = 0;

    while (n--) {
        rc |= evtchn_bind_virq(d, VIRQ_TIMER, t->id, &port);
        rc |= evtchn_close(d, port);
    }
    t->failed |= rc;
}

/* The last thread allocates in the domain that the others send in. */
void bench_run_far_under_alloc(struct bench_thread *t, unsigned int n)
{
    if (t->id == t->nr_threads - 1) {
        alloc_and_close(t, t->rig->far.d, n);
    } else {
        bench_run_far(t, n);
    }
}

void bench_run_yardstick(struct bench_thread *t, unsigned int n)
{
    (void)t;
    bench_yardstick(n);
}

void bench_run_dependent_yardstick(struct bench_thread *t, unsigned int n)
{
    (void)t;
    bench_dependent_yardstick(n);
}

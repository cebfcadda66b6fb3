/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two threads that are no vCPUs: the devices, and a control domain that changes
 * channels in use.
 */

#include "stress.h"

void *device_thread(void *opaque)
{
    struct thread *t = self = opaque;

    while (!stress_stopping(t->s)) {
        chan_send_some(8);
        churn_send();
        if (!rnd(4)) {
            sched_yield();
        }
        wild_step(t->s);
    }
    evtchn_fetch_add(&t->s->quiet, 1);
    return NULL;
}

/* Priorities that neither batches nor ordered channels use. */
static void change_priority(struct thread *t, struct chan *c)
{
    static const uint32_t priorities[] = { 7, 9, 13 };

    if (c->dom->abi == EVTCHN_ABI_FIFO) {
        expect_ok(evtchn_set_priority(c->dom->g->d, c->port,
                                      priorities[rnd(3)]), "set_priority");
        t->counts.priorities++;
    }
}

static void mask_for_a_while(struct thread *t, struct chan *c)
{
    uint32_t n = rnd(4);

    dom_mask(c->dom, c);
    while (n--) {
        sched_yield();
    }
    if (rnd(2)) {
        change_priority(t, c);
    }
    dom_unmask(c->dom, c);
    t->counts.masks++;
}

/* Unmasking races with the guest, which takes the event, and the sender. */
static void flicker(struct thread *t, struct chan *c)
{
    unsigned int n = 64;

    while (n--) {
        guest_mask(c->dom->g, c->port);
        guest_unmask(&c->dom->g->vcpu[rnd(c->dom->g->nr_vcpus)], c->port);
    }
    t->counts.masks += 64;
}

/*
 * Wait for the events that are under way: the next operation on the channel
 * might raise a lost one again, and so hide that.
 */
static void settle(struct chan *c)
{
    int64_t deadline = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
    uint64_t calls = evtchn_load(&c->calls);

    while (evtchn_load(&c->calls) == calls &&
           (c->stream ? evtchn_load(&c->seen) != evtchn_load(&c->sent) :
                        evtchn_load(&c->owed))) {
        if (g_get_monotonic_time() > deadline) {
            stress_fault(FAULT_LOST, "%s port %u: not handled after a change",
                         c->name, c->port);
            return;
        }
        sched_yield();
    }
}

/* evtchn_port_info() must be consistent at any time. */
static void inspect(struct chan *c)
{
    struct evtchn_port_info info;

    expect_ok(evtchn_port_info(c->dom->g->d, c->port, &info), "port_info");
    if (info.state == EVTCHN_CLOSED || info.state == EVTCHN_UNBOUND ||
        info.vcpu >= c->dom->g->nr_vcpus || info.abi != c->dom->abi) {
        stress_fault(FAULT_OTHER, "%s port %u: state %d vcpu %u abi %d",
                     c->name, c->port, info.state, info.vcpu, info.abi);
    }
}

static void play_with(struct thread *t, struct chan *c)
{
    switch (rnd(8)) {
    case 0:
        change_priority(t, c);
        break;
    case 1:
        mask_for_a_while(t, c);
        break;
    case 2:
        inspect(c);
        break;
    case 3:
        flicker(t, c);
        break;
    default:
        dom_bind_vcpu(c->dom, c, rnd(c->dom->g->nr_vcpus));
        break;
    }
    if (!rnd(4)) {
        settle(c);
    }
}

/* Use one channel for some time, as races need all threads at the same one. */
void *control_thread(void *opaque)
{
    struct thread *t = self = opaque;
    GPtrArray *controlled = t->s->controlled;
    struct chan *c = NULL;
    unsigned int left = 0;

    while (!stress_stopping(t->s)) {
        if (!left--) {
            left = 1 + rnd(64);
            c = g_ptr_array_index(controlled, rnd(controlled->len));
            evtchn_store(&t->s->favourite, c);
        }
        play_with(t, c);
        wild_step(t->s);
        if (!rnd(16)) {
            sched_yield();
        }
    }
    evtchn_fetch_add(&t->s->quiet, 1);
    return NULL;
}

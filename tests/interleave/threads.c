/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The threads that are interleaved: scripts, vCPUs, and a hostile guest. */

#include "guest.h"
#include "atomic.h"
#include "explore.h"
#include "world.h"
#include "world-priv.h"

/* The most steps of its own that an operation on one port may take. */
#define MAX_OP_STEPS 120

void il_handler(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct il_world *w = il_world();

    il_check(port > 0 && port < IL_PORTS);
    w->handled[port]++;
    w->awaited[port] = 0;
    if (w->handled[port] > w->sent[port]) {
        il_fail("port %u: more events than were sent", port);
    }
    if (w->s->in_order && !w->ended) {
        for (uint32_t p = port + 1; p < IL_PORTS; p++) {
            if (w->handled[p]) {
                il_fail("port %u after port %u: out of order", port, p);
            }
        }
    }
    if (w->s->mask_in_handler && !w->ended) {
        guest_mask(v->g, port);
        evtchn_store(&w->eoi_due[port], 1);
    }
}

const uint32_t *il_consumer_waits_for(struct il_world *w, uint32_t vcpu)
{
    uint8_t late = w->s->late_control | w->s->late_info;

    /* A vCPU whose memory comes late is started by the script that maps it. */
    return w->s->after_script && (!late || il_has_bit(late, vcpu))
               ? &w->running[w->s->after_script - 1] : NULL;
}

void il_consumer(void *opaque)
{
    struct guest_vcpu *v = opaque;
    struct il_world *w = il_world();
    const uint32_t *start = il_consumer_waits_for(w, v->id);

    if (start) {
        il_wait(start, 1, false);
    }
    for (;;) {
        il_take(&w->irq[v->id]);
        guest_upcall(v, il_handler, NULL);
    }
}

void il_hostile(void *opaque)
{
    struct il_world *w = opaque;

    for (uint32_t i = 0; i < w->s->hostile; i++) {
        uint32_t choice = il_choose(w->nr_writes);
        struct il_write *write = &w->write[choice];

        evtchn_store((uint32_t *)write->to, write->value);
    }
}

void il_script(void *opaque)
{
    struct il_world *w = il_world();
    uint32_t nr = (uintptr_t)opaque;
    const struct il_script_op *o = w->s->script[nr];

    for (; o->op != IL_END; o++) {
        il_pause();
        if (w->s->hostile) {
            il_op_begin(MAX_OP_STEPS);
        }
        il_run_op(w, nr, o);
        il_op_end();
    }
    evtchn_store(&w->running[nr], 0);
}

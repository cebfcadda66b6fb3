/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets a scenario up and runs its scripts.
 *
 * The guest of tests/guest is used as it is: link-time wrappers give it the
 * arena's memory (see wrap.c).
 */

#include <stdlib.h>
#include <string.h>

#include "consumer.h"
#include "atomic.h"
#include "explore.h"
#include "world.h"
#include "world-priv.h"

/* The most steps of its own that an operation on one port may take. */
#define MAX_OP_STEPS 120

bool il_skip_awaited;

/* Environment ------------------------------------------------------------- */

static void env_lock_init(void *lock)
{
    *(uint32_t *)lock = 0;
}

static void env_lock_destroy(void *lock)
{
    il_check(!*(uint32_t *)lock);
}

static void env_lock(void *lock)
{
    il_lock(lock);
}

static void env_unlock(void *lock)
{
    il_unlock(lock);
}

static const struct evtchn_env il_env = {
    .lock_size = sizeof(uint32_t),
    .lock_init = env_lock_init,
    .lock_destroy = env_lock_destroy,
    .lock = env_lock,
    .unlock = env_unlock,
    .relax = il_relax,
};

/* The guest's hooks; counters that nobody reads would only split states. */
static void on_upcall(struct guest_vcpu *v)
{
    evtchn_store(&il_world()->irq[v->id], 1);
    v->upcalls = 0;
}

static void on_wake(struct guest_vcpu *v)
{
    evtchn_store(&il_world()->woken[v->id], 1);
    v->wakes = 0;
}

static void on_notify(struct guest *g, uint32_t port)
{
    g->notified[port] = 0;
    g->nr_notified = 0;
}

/* The guest's threads ----------------------------------------------------- */

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

/* A vCPU whose memory comes late is started by who brings it. */
static const uint32_t *waits_to_start(struct il_world *w, uint32_t vcpu)
{
    uint8_t late = w->s->late_control | w->s->late_info;

    return w->s->after_script && (!late || late & (1u << vcpu))
               ? &w->running[w->s->after_script - 1] : NULL;
}

static void consumer(void *opaque)
{
    struct guest_vcpu *v = opaque;
    struct il_world *w = il_world();
    const uint32_t *start = waits_to_start(w, v->id);

    if (start) {
        il_wait(start, 1, false);
    }
    for (;;) {
        il_take(&w->irq[v->id]);
        guest_upcall(v, il_handler, NULL);
    }
}

static void hostile(void *opaque)
{
    struct il_world *w = opaque;

    for (uint32_t i = 0; i < w->s->hostile; i++) {
        uint32_t choice = il_choose(w->nr_writes);
        struct il_write *write = &w->write[choice];

        evtchn_store((uint32_t *)write->to, write->value);
    }
}

/* Scripts ----------------------------------------------------------------- */

void il_send(uint32_t script, uint32_t port, bool raise)
{
    struct il_world *w = il_world();
    uint8_t begun = 1u << script;
    int rc;

    w->sent[port]++;
    w->awaited[port] |= begun;
    if (raise) {
        rc = evtchn_raise_port(w->g->d, port);
    } else if (w->peer_port[port]) {
        rc = evtchn_send(w->peer->d, w->peer_port[port]);
    } else {
        rc = evtchn_send(w->g->d, port);
    }
    if (rc) {
        /* An event that was not sent must not come. */
        w->sent[port]--;
        if (!w->s->may_fail || rc != -XEN_EINVAL) {
            il_fail("send to port %u: %d", port, rc);
        }
    } else if (!il_skip_awaited && w->awaited[port] & begun) {
        w->awaited[port] |= IL_OWED;
    }
    w->awaited[port] &= ~begun;
}

static void check_rc(struct il_world *w, int rc)
{
    if (rc && !w->s->may_fail && !w->s->hostile) {
        il_fail("an operation failed: %d", rc);
    }
}

static void poll_port(struct il_world *w, uint32_t port, uint32_t vcpu)
{
    int rc = evtchn_poll(w->g->d, vcpu, &port, 1);

    if (!rc) {
        il_wait(&w->woken[vcpu], 0, false);
    } else {
        il_check(rc == 1);
    }
    if (!w->s->hostile) {
        il_check(guest_is_pending(w->g, port));
    }
    evtchn_poll_cancel(w->g->d, vcpu);
}

static void move(struct il_world *w, uint32_t port, uint32_t vcpu)
{
    guest_mask(w->g, port);
    check_rc(w, evtchn_bind_vcpu(w->g->d, port, vcpu));
    evtchn_store(&w->g->port_vcpu[port], (uint16_t)vcpu);
    guest_unmask(&w->g->vcpu[vcpu], port);
}

static void rebind(struct il_world *w, uint32_t vcpu)
{
    uint32_t port = 0;

    check_rc(w, evtchn_bind_ipi(w->g->d, vcpu, &port));
    il_check(port > 0 && port < IL_PORTS);
    /* An interdomain port's peer sends nowhere since the close. */
    if (w->peer_port[port] && w->s->fifo && !w->s->hostile &&
        *guest_event_word(w->g, port) & FIFO_LINKED) {
        il_fail("port %u was bound again while on a queue", port);
    }
    evtchn_store(&w->g->port_vcpu[port], (uint16_t)vcpu);
    w->peer_port[port] = 0;
    w->awaited[port] &= ~IL_OWED;
    w->new_port = port;
    if (!w->s->hostile) {
        guest_unmask(&w->g->vcpu[vcpu], port);
    }
}

static void run_op(struct il_world *w, uint32_t script,
                   const struct il_script_op *o)
{
    struct guest_vcpu *v = &w->g->vcpu[o->arg % IL_VCPUS];

    switch (o->op) {
    case IL_SEND:
    case IL_RAISE:
        il_send(script, o->port, o->op == IL_RAISE);
        break;
    case IL_MASK:
        guest_mask(w->g, o->port);
        break;
    case IL_EOI:
        il_take(&w->eoi_due[o->port]);
        /* fall through */
    case IL_UNMASK:
        guest_unmask(v, o->port);
        break;
    case IL_UNMASK_OP:
        check_rc(w, evtchn_unmask(w->g->d, o->port));
        w->unmasked[o->port] = true;
        break;
    case IL_PRIORITY:
        check_rc(w, evtchn_set_priority(w->g->d, o->port, o->arg));
        break;
    case IL_BIND_VCPU:
        check_rc(w, evtchn_bind_vcpu(w->g->d, o->port, o->arg));
        break;
    case IL_MOVE:
        move(w, o->port, o->arg);
        break;
    case IL_CLOSE:
        check_rc(w, evtchn_close(w->g->d, o->port));
        break;
    case IL_CLOSE_PEER:
        check_rc(w, evtchn_close(w->peer->d, w->peer_port[o->port]));
        break;
    case IL_REBIND:
        rebind(w, o->arg);
        break;
    case IL_SEND_NEW:
        il_send(script, w->new_port, false);
        break;
    case IL_EXPAND:
        il_check(!guest_expand_array(w->g));
        break;
    case IL_CONTROL:
        il_check(!guest_init_control(w->g, o->arg, 0));
        break;
    case IL_BITMAPS:
        il_check(!guest_register_bitmaps(w->g));
        break;
    case IL_SELECTOR:
        il_check(!guest_register_selector(w->g, o->arg, 0));
        break;
    case IL_INFO:
        guest_set_vcpu_info(w->g, o->arg, true);
        break;
    case IL_RESET:
        il_check(!evtchn_reset(w->g->d));
        break;
    case IL_POLL:
        poll_port(w, o->port, o->arg);
        break;
    case IL_SEND_OTHER:
        w->other_sent++;
        il_check(!evtchn_send(w->peer->d, w->other_peer_port));
        break;
    default:
        il_fail("unknown operation %u", o->op);
    }
}

static void script(void *opaque)
{
    struct il_world *w = il_world();
    uint32_t nr = (uintptr_t)opaque;
    const struct il_script_op *o = w->s->script[nr];

    for (; o->op != IL_END; o++) {
        il_pause();
        if (w->s->hostile) {
            il_op_begin(MAX_OP_STEPS);
        }
        run_op(w, nr, o);
        il_op_end();
    }
    evtchn_store(&w->running[nr], 0);
}

/* Setup ------------------------------------------------------------------- */

static void bind_port(struct il_world *w, uint32_t want)
{
    const struct il_scenario *s = w->s;
    uint32_t port = 0;

    if (s->ipis & (1u << want)) {
        il_check(!evtchn_bind_ipi(w->g->d, s->vcpu[want], &port));
    } else {
        il_check(!evtchn_alloc_unbound(w->g->d, DOMID_SELF, 0, &port));
        il_check(
            !evtchn_bind_interdomain(w->peer->d, 1, port, &w->peer_port[port]));
        if (s->vcpu[port]) {
            il_check(!evtchn_bind_vcpu(w->g->d, port, s->vcpu[port]));
        }
    }
    il_check(port == want);
    w->g->port_vcpu[port] = s->vcpu[port];
    if (s->fifo && s->late_array) {
        return; /* its word appears masked */
    }
    if (s->masked & (1u << port)) {
        guest_mask(w->g, port);
    } else {
        guest_unmask(&w->g->vcpu[s->vcpu[port]], port);
    }
}

static void add_write(struct il_world *w, void *to, uint32_t value)
{
    il_check(w->nr_writes < IL_WRITES);
    w->write[w->nr_writes++] = (struct il_write){ .to = to, .value = value };
}

static void choose_writes(struct il_world *w)
{
    static const uint32_t words[] = {
        0,
        FIFO_PENDING,
        FIFO_LINKED | 1,
        FIFO_LINKED | FIFO_PENDING | 2,
        FIFO_LINKED | FIFO_BUSY,
        UINT32_MAX,
    };
    static const uint32_t heads[] = { 0, 1, 0x1ffff, UINT32_MAX };
    struct guest_vcpu *v = &w->g->vcpu[0];

    add_write(w, v->info, 0);
    add_write(w, v->info, UINT32_MAX);
    if (!w->s->fifo) {
        struct shared_info *s = w->g->shared_info;

        /* L1 of a 32-bit guest, and of a 64-bit one. */
        uint32_t sel = w->s->word32 ? 4 : 8;
        void *pending = s->evtchn_pending, *mask = s->evtchn_mask;

        if (w->s->three_level) {
            pending = w->g->pending_map[0];
            mask = w->g->mask_map[0];
            add_write(w, v->l2_selector, 0);
            add_write(w, v->l2_selector, UINT32_MAX);
        }
        add_write(w, pending, 0);
        add_write(w, pending, UINT32_MAX);
        add_write(w, mask, 0);
        add_write(w, mask, UINT32_MAX);
        add_write(w, (char *)v->info + sel, 0);
        add_write(w, (char *)v->info + sel, UINT32_MAX);
        return;
    }
    for (uint32_t port = 1; port <= w->s->ports; port++) {
        for (uint32_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
            add_write(w, guest_event_word(w->g, port), words[i]);
        }
    }
    for (uint32_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        add_write(w, &v->control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], heads[i]);
    }
    add_write(w, &v->control->ready, 0);
    add_write(w, &v->control->ready, UINT32_MAX);
}

/* The first event of a port finds it on a queue that it was never on. */
static void warm_up(struct il_world *w)
{
    w->ended = true; /* no handler's work yet */
    for (uint32_t port = 1; port <= w->s->ports; port++) {
        il_send(IL_SCRIPTS, port, false);
        if (!(w->s->masked & (1u << port))) {
            guest_upcall(&w->g->vcpu[w->s->vcpu[port]], il_handler, NULL);
        } else {
            guest_clear_pending(w->g, port);
        }
        w->sent[port] = w->handled[port] = w->awaited[port] = 0;
    }
    w->ended = false;
    memset(w->irq, 0, sizeof(w->irq));
}

static void set_up_guest(struct il_world *w)
{
    const struct il_scenario *s = w->s;
    struct guest_config config = {
        .domid = 1,
        .nr_vcpus = s->vcpus,
        .max_ports = 64,
        .word32 = s->word32,
        .no_vcpu_info = s->late_info,
    };

    w->g = guest_new(w->world, &config);
    w->g->on_upcall = on_upcall;
    w->g->on_wake = on_wake;
    for (uint32_t i = 0; s->late_info && i < s->vcpus; i++) {
        if (!(s->late_info & (1u << i))) {
            guest_set_vcpu_info(w->g, i, false);
        }
    }
    if (s->fifo) {
        for (uint32_t i = 0; i < s->vcpus; i++) {
            if (!(s->late_control & (1u << i))) {
                il_check(!guest_init_control(w->g, i, 0));
            }
        }
        if (!s->late_array) {
            il_check(!guest_expand_array(w->g));
        }
    }
    if (s->three_level) {
        il_check(!guest_register_bitmaps(w->g));
        for (uint32_t i = 0; i < s->vcpus; i++) {
            if (!(s->late_control & (1u << i))) {
                il_check(!guest_register_selector(w->g, i, 0));
            }
        }
    }
    for (uint32_t port = 1; port <= s->ports; port++) {
        bind_port(w, port);
    }
    if (s->warm) {
        warm_up(w);
    }
}

/* A guest of its own, which a hostile one must not reach. */
static void set_up_bystander(struct il_world *w)
{
    struct guest_config config = { .domid = 2, .max_ports = 64 };

    w->other = guest_new(w->world, &config);
    il_check(!guest_fifo_init(w->other, 1));
    il_check(!evtchn_alloc_unbound(w->other->d, DOMID_SELF, 0, &w->other_port));
    il_check(!evtchn_bind_interdomain(w->peer->d, 2, w->other_port,
                                      &w->other_peer_port));
    guest_unmask(&w->other->vcpu[0], w->other_port);
}

void il_world_setup(const void *scenario)
{
    static const char *const script_names[IL_SCRIPTS] = {
        "script-0",
        "script-1",
        "script-2",
        "script-3",
    };
    static const char *const vcpu_names[IL_VCPUS] = { "vcpu-0", "vcpu-1" };
    struct guest_config peer = { .domid = 0, .max_ports = 64, .host = true };
    struct il_world *w = il_alloc(sizeof(*w));
    const struct il_scenario *s = scenario;

    *il_root = w;
    w->s = s;
    w->world = world_new_env(&il_env);
    w->peer = guest_new(w->world, &peer);
    w->peer->on_notify = on_notify;
    set_up_guest(w);
    if (s->hostile) {
        set_up_bystander(w);
        choose_writes(w);
        il_spawn("hostile", hostile, w);
    }
    for (uint32_t i = 0; i < IL_SCRIPTS; i++) {
        if (s->script[i][0].op != IL_END) {
            w->running[i] = 1;
            il_spawn(script_names[i], script, (void *)(uintptr_t)i);
        }
    }
    for (uint32_t i = 0; i < s->vcpus; i++) {
        if (s->consumers & (1u << i)) {
            const uint32_t *start = waits_to_start(w, i);

            /* One that has yet to look for work is as one that waits for it. */
            il_spawn_waiting(vcpu_names[i], consumer, &w->g->vcpu[i],
                             start ? start : &w->irq[i], start ? 1 : 0,
                             !start);
        }
    }
}

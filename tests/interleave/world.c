/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets a scenario up.
 *
 * The guest of tests/guest is used as it is: link-time wrappers give it the
 * arena's memory (see wrap.c).
 */

#include <string.h>

#include "guest.h"
#include "atomic.h"
#include "explore.h"
#include "world.h"
#include "world-priv.h"

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

/* Wait for the scripts that are sending. */
static void env_synchronize(void *opaque)
{
    struct il_world *w = il_world();

    (void)opaque;
    for (uint32_t i = 0; i < IL_SCRIPTS; i++) {
        uint32_t calls = evtchn_load(&w->calls[i]);

        if (calls % 2 && i != w->destroyer) {
            il_wait(&w->calls[i], calls, false);
        }
    }
}

static const struct evtchn_env il_env = {
    .lock_size = sizeof(uint32_t),
    .lock_init = env_lock_init,
    .lock_destroy = env_lock_destroy,
    .lock = env_lock,
    .unlock = env_unlock,
    .relax = il_relax,
    .synchronize = env_synchronize,
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
    struct il_world *w = il_world();

    if (w->peer[0] == g && w->closed_peers >> port & 1) {
        il_fail("port %u of the peer: an event after its close", port);
    }
    g->notified[port] = 0;
    g->nr_notified = 0;
}

static void (*guest_unmap_frame)(void *opaque, uint64_t gfn, void *frame);

/* It stays readable until all calls are over that had begun; see evtchn.h. */
static void unmap_frame(void *opaque, uint64_t gfn, void *frame)
{
    guest_unmap_frame(opaque, gfn, frame);
    il_read_only(frame, EVTCHN_FRAME_SIZE, true);
}

/* Setup ------------------------------------------------------------------- */

static uint32_t new_port(struct il_world *w, uint32_t want)
{
    const struct il_scenario *s = w->s;
    struct evtchn_domain *d = w->g->d;
    uint32_t port = 0;

    if (il_has_bit(s->ipis, want)) {
        il_check(!evtchn_bind_ipi(d, s->vcpu[want], &port));
        return port;
    }
    if (il_has_bit(s->virqs, want)) {
        il_check(!evtchn_bind_virq(d, IL_VIRQ(want), 0, &port));
        w->virq[port] = true;
    } else {
        il_check(!evtchn_alloc_unbound(d, DOMID_SELF, 0, &port));
        w->unbound[port] = il_has_bit(s->unbound, port);
        if (!w->unbound[port]) {
            il_check(!evtchn_bind_interdomain(w->peer[0]->d, IL_DOMID, port,
                                              &w->peer_port[port]));
        }
    }
    if (s->vcpu[port]) {
        il_check(!evtchn_bind_vcpu(d, port, s->vcpu[port]));
    }
    return port;
}

static void bind_port(struct il_world *w, uint32_t want)
{
    const struct il_scenario *s = w->s;
    uint32_t port = new_port(w, want);

    il_check(port == want);
    w->g->port_vcpu[port] = s->vcpu[port];
    if (s->fifo && s->late_array) {
        return; /* its word appears masked */
    }
    if (il_has_bit(s->masked, port)) {
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
        for (uint32_t i = 0; i <= w->s->storm; i++) {
            il_send(IL_SCRIPTS, port, w->unbound[port]);
        }
        if (!il_has_bit(w->s->masked, port)) {
            guest_upcall(&w->g->vcpu[w->s->vcpu[port]], il_handler, NULL);
        } else {
            guest_clear_pending(w->g, port);
        }
    }
    memset(w->sent, 0, sizeof(w->sent));
    memset(w->handled, 0, sizeof(w->handled));
    memset(w->awaited, 0, sizeof(w->awaited));
    w->ended = false;
    memset(w->irq, 0, sizeof(w->irq));
}

static void set_up_guest(struct il_world *w)
{
    const struct il_scenario *s = w->s;
    struct guest_config config = {
        .domid = IL_DOMID,
        .nr_vcpus = s->vcpus,
        .max_ports = 64,
        .word32 = s->word32,
        .no_vcpu_info = s->late_info || s->own_info,
    };

    w->g = guest_new(w->world, &config);
    w->g->on_upcall = on_upcall;
    w->g->on_wake = on_wake;
    guest_unmap_frame = w->g->env.unmap_frame;
    w->g->env.unmap_frame = unmap_frame;
    for (uint32_t i = 0; i < s->vcpus; i++) {
        if (s->own_info) {
            il_own_info(w, i);
        } else if (s->late_info && !il_has_bit(s->late_info, i)) {
            guest_set_vcpu_info(w->g, i, false);
        }
    }
    if (s->fifo) {
        for (uint32_t i = 0; i < s->vcpus; i++) {
            if (!il_has_bit(s->late_control, i)) {
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
            if (!il_has_bit(s->late_control, i)) {
                il_check(!guest_register_selector(w->g, i, 0));
            }
        }
    }
    for (uint32_t port = 1; port <= s->ports; port++) {
        bind_port(w, port);
    }
    for (uint32_t port = 1; port < IL_PORTS; port++) {
        if (il_has_bit(s->waiting, port)) {
            il_check(!evtchn_alloc_unbound(w->peer[0]->d, DOMID_SELF, IL_DOMID,
                                           &w->peer_port[port]));
        }
    }
    if (s->warm || s->storm) {
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
    il_check(!evtchn_bind_interdomain(w->peer[0]->d, 2, w->other_port,
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
    struct guest_config peer_2 = { .domid = 3, .max_ports = 64, .host = true };
    struct il_world *w = il_alloc(sizeof(*w));
    const struct il_scenario *s = scenario;

    *il_root = w;
    w->s = s;
    w->world = world_new_env(&il_env);
    w->destroyer = IL_SCRIPTS;
    w->peer[0] = guest_new(w->world, &peer);
    w->peer[0]->on_notify = on_notify;
    if (s->two_peers) {
        w->peer[1] = guest_new(w->world, &peer_2);
        w->peer[1]->on_notify = on_notify;
    }
    set_up_guest(w);
    if (s->hostile) {
        set_up_bystander(w);
        choose_writes(w);
        il_spawn("hostile", il_hostile, w);
    }
    for (uint32_t i = 0; i < IL_SCRIPTS; i++) {
        if (s->script[i][0].op != IL_END) {
            w->running[i] = 1;
            il_spawn(script_names[i], il_script, (void *)(uintptr_t)i);
        }
    }
    for (uint32_t i = 0; i < s->vcpus; i++) {
        if (il_has_bit(s->consumers, i)) {
            const uint32_t *start = il_consumer_waits_for(w, i);

            /* One that has yet to look for work is as one that waits for it. */
            il_spawn_waiting(vcpu_names[i], il_consumer, &w->g->vcpu[i],
                             start ? start : &w->irq[i], start ? 1 : 0, !start);
        }
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest: its domain, the environment's hooks, and the ABI in use.
 */

#include "consumer.h"
#include "atomic.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* Counters that are not shared state for the explorer, as in world.c. */
#define COUNT(counter) __atomic_fetch_add(&(counter), 1, __ATOMIC_RELAXED)

/* The environment's hooks -------------------------------------------------- */

static void *map_frame(void *opaque, uint64_t gfn)
{
    struct guest *g = opaque;
    void *frame = guest_frame(g, gfn);

    if (!frame || gfn == g->refused_gfn) {
        return NULL;
    }
    COUNT(g->frame_mapped[gfn - GUEST_FIRST_GFN]);
    COUNT(g->mapped);
    return frame;
}

static void unmap_frame(void *opaque, uint64_t gfn, void *frame)
{
    struct guest *g = opaque;
    uint32_t *mapped;

    g_assert_true(frame && frame == guest_frame(g, gfn));
    mapped = &g->frame_mapped[gfn - GUEST_FIRST_GFN];
    g_assert_cmpuint(__atomic_fetch_sub(mapped, 1, __ATOMIC_RELAXED), >, 0);
    __atomic_fetch_sub(&g->mapped, 1, __ATOMIC_RELAXED);
}

static bool read_guest(void *opaque, uint64_t addr, void *buf, size_t size)
{
    struct guest *g = opaque;

    while (size) {
        char *frame = guest_frame(g, addr >> GUEST_FRAME_SHIFT);
        size_t offset = addr % EVTCHN_FRAME_SIZE;
        size_t n = MIN(size, EVTCHN_FRAME_SIZE - offset);

        if (!frame) {
            return false;
        }
        memcpy(buf, frame + offset, n);
        buf = (char *)buf + n;
        addr += n;
        size -= n;
    }
    return true;
}

static void raise_upcall(void *opaque, uint32_t vcpu)
{
    struct guest *g = opaque;

    g_assert_cmpuint(vcpu, <, g->nr_vcpus);
    COUNT(g->vcpu[vcpu].upcalls);
    if (g->on_upcall) {
        g->on_upcall(&g->vcpu[vcpu]);
    }
}

static void wake_poller(void *opaque, uint32_t vcpu)
{
    struct guest *g = opaque;

    g_assert_cmpuint(vcpu, <, g->nr_vcpus);
    COUNT(g->vcpu[vcpu].wakes);
    if (g->on_wake) {
        g->on_wake(&g->vcpu[vcpu]);
    }
}

static void notify(void *opaque, uint32_t port)
{
    struct guest *g = opaque;

    g_assert_cmpuint(port, <, g->max_ports);
    COUNT(g->notified[port]);
    COUNT(g->nr_notified);
    if (g->on_notify) {
        g->on_notify(g, port);
    }
}

static bool deliver_2l(void *opaque, uint32_t vcpu, uint32_t port)
{
    struct guest *g = opaque;

    if (!__atomic_load_n(&g->owns_2l, __ATOMIC_RELAXED)) {
        return false;
    }
    COUNT(g->delivered_2l);
    __atomic_store_n(&g->last_2l_port, port, __ATOMIC_RELAXED);
    __atomic_store_n(&g->last_2l_vcpu, vcpu, __ATOMIC_RELAXED);
    return true;
}

static int abi_change(void *opaque, enum evtchn_abi abi)
{
    struct guest *g = opaque;

    COUNT(g->abi_changes);
    g->last_abi = abi;
    return g->abi_change_rc;
}

static void binding_changed(void *opaque, uint32_t port, enum evtchn_state was,
                            const struct evtchn_port_info *info)
{
    struct guest *g = opaque;

    g_assert_cmpuint(port, <, g->max_ports);
    /* The old state must be the one of the last call for this port. */
    g_assert_cmpint(was, ==, g->binding[port].info.state);
    if (info->state == EVTCHN_CLOSED) {
        g_assert_cmpuint(info->irq, ==, g->binding[port].info.irq);
    }
    g->binding[port].was = was;
    g->binding[port].info = *info;
    g->binding[port].calls++;
}

/* Creation ----------------------------------------------------------------- */

static void guest_init_env(struct guest *g, const struct guest_config *c)
{
    g->env = c->env ? *c->env : g->world->env;
    if (!g->env.alloc) {
        g->env.alloc = g->world->env.alloc;
        g->env.free = g->world->env.free;
    }
    g->env.map_frame = map_frame;
    g->env.unmap_frame = unmap_frame;
    g->env.read_guest = read_guest;
    g->env.raise_upcall = raise_upcall;
    g->env.wake_poller = wake_poller;
    g->env.notify = notify;
    g->env.deliver_2l = c->deliver_2l ? deliver_2l : NULL;
    g->env.abi_change = c->abi_change ? abi_change : NULL;
    g->env.binding_changed = c->binding_changed ? binding_changed : NULL;
}

static void guest_init_memory(struct guest *g, const struct guest_config *c)
{
    uint32_t i;

    if (!c->no_shared_info) {
        g->shared_info = guest_frame(g, guest_new_frame(g));
        evtchn_domain_set_shared_info(g->d, g->shared_info);
    }
    if (!c->no_vcpu_info) {
        for (i = 0; i < g->nr_vcpus; i++) {
            guest_set_vcpu_info(g, i, false);
        }
    }
}

static void guest_free_memory(struct guest *g)
{
    uint32_t i;

    for (i = 0; i < MIN(g->nr_frames, GUEST_MAX_FRAMES); i++) {
        free(g->frame[i]);
    }
    g_free(g->vcpu);
    g_free(g->port_vcpu);
    g_free(g->notified);
    g_free(g->binding);
    g_free(g);
}

int guest_try_new(struct world *w, const struct guest_config *c,
                  struct guest **result)
{
    struct guest *g = g_new0(struct guest, 1);
    struct evtchn_domain_config config = {
        .domid = c->domid,
        .nr_vcpus = c->nr_vcpus ? c->nr_vcpus : 1,
        .max_ports = c->max_ports ? c->max_ports : EVTCHN_MAX_PORTS,
        .nr_pirqs = c->nr_pirqs,
        .host = c->host,
        .privileged = c->privileged,
        .fifo = !c->no_fifo,
        .three_level = !c->no_3l,
    };
    uint32_t i;
    int rc;

    g->world = w;
    g->domid = config.domid;
    g->nr_vcpus = config.nr_vcpus;
    g->max_ports = config.max_ports;
    g->long_mode = true;
    g->owns_2l = c->deliver_2l;
    g->vcpu = g_new0(struct guest_vcpu, g->nr_vcpus);
    g->port_vcpu = g_new0(uint16_t, g->max_ports);
    g->notified = c->host ? g_new0(uint32_t, g->max_ports) : NULL;
    g->binding = c->binding_changed ?
        g_new0(struct guest_binding, g->max_ports) : NULL;
    for (i = 0; i < g->nr_vcpus; i++) {
        g->vcpu[i].g = g;
        g->vcpu[i].id = i;
    }
    guest_init_env(g, c);

    *result = NULL;
    rc = evtchn_domain_create(w->hub, &config, &g->env, g, &g->d);
    if (rc) {
        g_assert_cmpuint(g->heap.bytes, ==, 0);
        guest_free_memory(g);
        return rc;
    }
    if (!c->host) {
        if (c->word32) {
            guest_set_long_mode(g, false);
        }
        guest_init_memory(g, c);
    }
    *result = g;
    return 0;
}

struct guest *guest_new(struct world *w, const struct guest_config *c)
{
    struct guest *g;
    int rc = guest_try_new(w, c, &g);

    g_assert_cmpint(rc, ==, 0);
    return g;
}

void guest_free(struct guest *g)
{
    evtchn_domain_destroy(g->d);
    g_assert_cmpuint(g->heap.bytes, ==, 0);
    g_assert_cmpuint(g->heap.blocks, ==, 0);
    g_assert_cmpuint(g->mapped, ==, 0);
    guest_free_memory(g);
}

int guest_op(struct guest *g, unsigned int cmd, void *arg)
{
    return evtchn_op(g->d, cmd, arg);
}

int guest_send(struct guest *g, uint32_t port)
{
    int rc;

    world_enter();
    rc = evtchn_send(g->d, port);
    world_leave();
    return rc;
}

/* The ABI in use ----------------------------------------------------------- */

/* Call consumer_<abi>_@op(). */
#define BY_ABI(g, op, ...)                              \
    (__extension__({                                    \
        enum evtchn_abi abi = evtchn_domain_abi((g)->d); \
        abi == EVTCHN_ABI_FIFO ?                        \
            consumer_fifo_##op(__VA_ARGS__) :           \
        abi == EVTCHN_ABI_3L ?                          \
            consumer_3l_##op(__VA_ARGS__) :             \
            consumer_2l_##op(__VA_ARGS__);              \
    }))

bool guest_is_pending(struct guest *g, uint32_t port)
{
    return BY_ABI(g, is_pending, g, port);
}

bool guest_is_masked(struct guest *g, uint32_t port)
{
    return BY_ABI(g, is_masked, g, port);
}

void guest_set_pending(struct guest *g, uint32_t port)
{
    BY_ABI(g, set_pending, g, port);
}

void guest_clear_pending(struct guest *g, uint32_t port)
{
    BY_ABI(g, clear_pending, g, port);
}

void guest_mask(struct guest *g, uint32_t port)
{
    BY_ABI(g, mask, g, port);
}

bool guest_unmask(struct guest_vcpu *v, uint32_t port)
{
    return BY_ABI(v->g, unmask, v, port);
}

/*
 * Clear the flag first, so that an event that the scan misses sets it again.
 * As in Linux that is no barrier; taking the selector or the READY word is
 * one.
 */
unsigned int guest_upcall(struct guest_vcpu *v, guest_handler *handler,
                          void *opaque)
{
    unsigned int handled = 0;

    while (evtchn_load(guest_upcall_pending(v))) {
        evtchn_store(guest_upcall_pending(v), 0);
        handled += BY_ABI(v->g, scan, v, handler, opaque);
    }
    return handled;
}

void guest_log_event(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct guest_log *log = opaque;

    g_assert_cmpuint(log->nr, <, G_N_ELEMENTS(log->port));
    log->port[log->nr] = port;
    log->vcpu[log->nr] = v->id;
    log->nr++;
}

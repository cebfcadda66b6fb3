/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Save and load: a domain loaded from a save must save the same again, and an
 * arbitrary state must be refused or load a consistent domain.
 */

#include <string.h>

#include "fuzz.h"

/* Copy the guest's memory, which is saved apart from the model's state. */
static void copy_memory(struct guest *to, const struct guest *from)
{
    while (to->nr_frames < from->nr_frames &&
           to->nr_frames < GUEST_MAX_FRAMES) {
        guest_new_frame(to);
    }
    for (uint32_t i = 0; i < from->nr_frames && i < GUEST_MAX_FRAMES; i++) {
        memcpy(to->frame[i], from->frame[i], EVTCHN_FRAME_SIZE);
    }
}

static void load_domain(struct guest *to, struct guest *from)
{
    uint64_t gfns[EVTCHN_MAX_FRAMES];
    struct evtchn_vcpu_state vcpus[8];
    enum evtchn_abi abi = evtchn_domain_abi(from->d);
    struct evtchn_port_state port;
    uint32_t nr_frames, i;

    FUZZ_CHECK(from->nr_vcpus <= 8);
    copy_memory(to, from);
    evtchn_save_frames(from->d, gfns, &nr_frames);
    for (i = 0; i < from->nr_vcpus; i++) {
        FUZZ_CHECK(!evtchn_save_vcpu(from->d, i, &vcpus[i]));
    }
    if (abi == EVTCHN_ABI_FIFO || abi == EVTCHN_ABI_3L) {
        FUZZ_CHECK(!evtchn_load_abi(to->d, abi, gfns, nr_frames, vcpus));
    }
    for (i = 1; i < evtchn_domain_valid_ports(from->d); i++) {
        if (!evtchn_save_port(from->d, i, &port)) {
            FUZZ_CHECK(!evtchn_load_port(to->d, &port));
        }
    }
}

/*
 * @b was loaded from what @a is.  It may wait for less: shared_info is there,
 * and 3-level does not note a masked port's wait again.
 */
static void check_port_same(const struct evtchn_port_state *a,
                            const struct evtchn_port_state *b)
{
    FUZZ_CHECK(a->port == b->port);
    FUZZ_CHECK(a->state == b->state && a->vcpu == b->vcpu);
    FUZZ_CHECK(a->priority == b->priority);
    FUZZ_CHECK(a->last_priority == b->last_priority);
    FUZZ_CHECK(a->last_vcpu == b->last_vcpu);
    FUZZ_CHECK(a->remote_domid == b->remote_domid);
    FUZZ_CHECK(a->remote_port == b->remote_port);
    FUZZ_CHECK(!(b->pending & ~a->pending));
}

static void check_same(struct guest *a, struct guest *b)
{
    bool fifo = evtchn_domain_abi(a->d) == EVTCHN_ABI_FIFO;
    struct evtchn_port_state pa, pb;
    struct evtchn_vcpu_state va, vb;
    uint32_t na, nb, i;

    evtchn_save_frames(a->d, NULL, &na);
    evtchn_save_frames(b->d, NULL, &nb);
    FUZZ_CHECK(na == nb);
    FUZZ_CHECK(evtchn_domain_abi(a->d) == evtchn_domain_abi(b->d));
    for (i = 0; i < a->nr_vcpus; i++) {
        FUZZ_CHECK(!evtchn_save_vcpu(a->d, i, &va));
        FUZZ_CHECK(!evtchn_save_vcpu(b->d, i, &vb));
        FUZZ_CHECK(va.gfn == vb.gfn);
        FUZZ_CHECK(va.offset == vb.offset);
        FUZZ_CHECK(!memcmp(va.tail, vb.tail, sizeof(va.tail)));
    }
    for (i = 1; i < evtchn_domain_valid_ports(a->d); i++) {
        int ra = evtchn_save_port(a->d, i, &pa);
        int rb = evtchn_save_port(b->d, i, &pb);

        FUZZ_CHECK(!ra == !rb);
        if (!ra) {
            check_port_same(&pa, &pb);
            FUZZ_CHECK(!fifo || pa.pending == pb.pending);
        }
    }
}

void fuzz_save_and_load(struct fuzz *f, uint8_t flavour)
{
    struct world *w = world_new();
    struct guest *g[FUZZ_DOMAINS];

    fuzz_create(g, w, flavour);
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        if (g[i]->long_mode != f->g[i]->long_mode) {
            guest_set_long_mode(g[i], f->g[i]->long_mode);
        }
        load_domain(g[i], f->g[i]);
    }
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        check_same(f->g[i], g[i]);
    }
    fuzz_check_all(g);
    fuzz_destroy(g, w);
}

static void anything(struct input *in, void *to, size_t size)
{
    uint8_t *p = to;

    for (size_t i = 0; i < size; i++) {
        p[i] = get8(in);
    }
}

static void load_any_abi(struct input *in, struct guest *g)
{
    struct evtchn_vcpu_state vcpus[8];
    uint64_t gfns[EVTCHN_MAX_FRAMES];
    uint32_t nr = get8(in);

    for (uint32_t i = 0; i < EVTCHN_MAX_FRAMES; i++) {
        gfns[i] = GUEST_FIRST_GFN + (i < 8 ? get8(in) : i);
    }
    memset(vcpus, 0, sizeof(vcpus));
    for (uint32_t i = 0; i < g->nr_vcpus; i++) {
        uint8_t how = get8(in);

        vcpus[i].gfn = EVTCHN_INVALID_GFN;
        if (how & 1) {
            vcpus[i].gfn = GUEST_FIRST_GFN + (how >> 4);
        }
        vcpus[i].offset = how & 2 ? get16(in) : 0;
        vcpus[i].tail[how >> 4] = get16(in);
        if (how & 4) {
            anything(in, &vcpus[i], sizeof(vcpus[i]));
        }
    }
    if (nr & 64) {
        /* Sometimes without tails, which only FIFO has, so that it is valid. */
        for (uint32_t i = 0; nr & 32 && i < g->nr_vcpus; i++) {
            memset(vcpus[i].tail, 0, sizeof(vcpus[i].tail));
        }
        evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, nr & 128 ? 2 : nr & 31,
                        vcpus);
        return;
    }
    evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, gfns,
                    nr & 128 ? get32(in) : nr % 12, vcpus);
}

/* What a load takes a save writes again. */
static void check_taken(struct guest *g, struct evtchn_port_state in)
{
    struct evtchn_port_state out;

    FUZZ_CHECK(!evtchn_save_port(g->d, in.port, &out));
    /* Its peer is not there. */
    if (in.state == EVTCHN_INTERDOMAIN && out.state == EVTCHN_UNBOUND) {
        in.state = EVTCHN_UNBOUND;
        in.remote_port = 0;
    }
    /* What its event waited for is there: it may be on another queue now. */
    if (in.pending & ~out.pending) {
        in.last_priority = out.last_priority;
        in.last_vcpu = out.last_vcpu;
    }
    /* Whose vCPUs these are only a guest can tell. */
    if (evtchn_domain_abi(g->d) == EVTCHN_ABI_HOST) {
        in.vcpu = out.vcpu;
    }
    check_port_same(&in, &out);
}

void fuzz_load_anything(struct fuzz *f, uint8_t flavour)
{
    struct world *w = world_new();
    struct input *in = &f->in;
    struct guest *g[FUZZ_DOMAINS];
    uint8_t how = get8(in);

    fuzz_create(g, w, flavour);
    for (unsigned int i = 0; i < 10; i++) {
        guest_new_frame(g[how % FUZZ_DOMAINS]);
    }
    if (how & 0x80) {
        load_any_abi(in, g[how % FUZZ_DOMAINS]);
    }
    for (unsigned int i = get8(in) % 16; i; i--) {
        struct guest *to = g[get8(in) % FUZZ_DOMAINS];
        struct evtchn_port_state port = { .state = get8(in) & 15 };

        if (port.state & 8) {
            anything(in, &port, sizeof(port));
        } else {
            port.port = get8(in);
            port.priority = get8(in) & 31;
            port.last_priority = get8(in) & 31;
            port.pending = get8(in) & 7;
            port.vcpu = get8(in) & 7;
            port.last_vcpu = get8(in) & 7;
            port.remote_domid = get8(in) & 7;
            port.remote_port = get8(in);
        }
        if (!evtchn_load_port(to->d, &port)) {
            check_taken(to, port);
        }
        evtchn_raise_port(to->d, port.port);
    }
    fuzz_check_all(g);
    fuzz_destroy(g, w);
}

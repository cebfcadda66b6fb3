/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's memory: frames, shared_info, vcpu_info, and what it registers.
 *
 * Each frame is a block of its own, so that ASan finds accesses beyond it.
 */

#include "guest.h"
#include "atomic.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

uint64_t guest_new_frame(struct guest *g)
{
    uint32_t n = __atomic_fetch_add(&g->nr_frames, 1, __ATOMIC_RELAXED);
    void *frame;

    g_assert_cmpuint(n, <, GUEST_MAX_FRAMES);
    frame = aligned_alloc(EVTCHN_FRAME_SIZE, EVTCHN_FRAME_SIZE);
    g_assert_nonnull(frame);
    memset(frame, 0, EVTCHN_FRAME_SIZE);
    __atomic_store_n(&g->frame[n], frame, __ATOMIC_RELEASE);
    return GUEST_FIRST_GFN + n;
}

void *guest_frame(struct guest *g, uint64_t gfn)
{
    if (gfn < GUEST_FIRST_GFN || gfn - GUEST_FIRST_GFN >= GUEST_MAX_FRAMES) {
        return NULL;
    }
    return __atomic_load_n(&g->frame[gfn - GUEST_FIRST_GFN], __ATOMIC_ACQUIRE);
}

void guest_set_vcpu_info(struct guest *g, uint32_t vcpu, bool mark_all)
{
    struct guest_vcpu *v = &g->vcpu[vcpu];
    int rc;

    if (g->shared_info && vcpu < XEN_LEGACY_MAX_VCPUS) {
        v->info = (char *)g->shared_info + vcpu * sizeof(struct vcpu_info);
    } else {
        v->info = guest_frame(g, guest_new_frame(g));
    }
    rc = evtchn_vcpu_set_info(g->d, vcpu, v->info, mark_all);
    g_assert_cmpint(rc, ==, 0);
}

/* Both word sizes have it at the same place. */
uint8_t *guest_upcall_pending(struct guest_vcpu *v)
{
    return v->info;
}

uint64_t guest_pending_sel(struct guest_vcpu *v)
{
    if (v->g->long_mode) {
        struct vcpu_info *info = v->info;

        return evtchn_load(&info->evtchn_pending_sel);
    } else {
        struct vcpu_info_x86_32 *info = v->info;

        return evtchn_load(&info->evtchn_pending_sel);
    }
}

uint64_t guest_take_pending_sel(struct guest_vcpu *v)
{
    if (v->g->long_mode) {
        struct vcpu_info *info = v->info;

        return evtchn_exchange((uint64_t *)&info->evtchn_pending_sel, 0);
    } else {
        struct vcpu_info_x86_32 *info = v->info;

        return evtchn_exchange(&info->evtchn_pending_sel, 0);
    }
}

void guest_set_long_mode(struct guest *g, bool long_mode)
{
    g->long_mode = long_mode;
    if (g->shared_info) {
        memset(g->shared_info, 0, EVTCHN_FRAME_SIZE);
    }
    evtchn_domain_set_long_mode(g->d, long_mode);
}

int guest_init_control(struct guest *g, uint32_t vcpu, uint32_t offset)
{
    struct evtchn_init_control init = {
        .control_gfn = guest_new_frame(g),
        .offset = offset,
        .vcpu = vcpu,
    };
    struct guest_vcpu *v;
    int rc = guest_op(g, EVTCHNOP_init_control, &init);

    if (rc) {
        return rc;
    }
    g_assert_cmpuint(init.link_bits, ==, EVTCHN_FIFO_LINK_BITS);
    v = &g->vcpu[vcpu];
    memset(v->head, 0, sizeof(v->head));
    v->control_gfn = init.control_gfn;
    v->control = (void *)((char *)guest_frame(g, init.control_gfn) + offset);
    return 0;
}

int guest_expand_array(struct guest *g)
{
    struct evtchn_expand_array expand = { .array_gfn = guest_new_frame(g) };
    uint32_t *words = guest_frame(g, expand.array_gfn);
    uint32_t i;
    int rc;

    for (i = 0; i < GUEST_WORDS_PER_FRAME; i++) {
        words[i] = FIFO_MASKED;
    }
    /*
     * An upcall may name the page's ports before the hypercall returns, so
     * the guest must know the page first.
     */
    if (g->nr_array < EVTCHN_MAX_ARRAY_FRAMES) {
        evtchn_store(&g->array[g->nr_array], words);
    }
    rc = guest_op(g, EVTCHNOP_expand_array, &expand);
    if (!rc) {
        g_assert_cmpuint(g->nr_array, <, EVTCHN_MAX_ARRAY_FRAMES);
        g->nr_array++;
    } else if (g->nr_array < EVTCHN_MAX_ARRAY_FRAMES) {
        evtchn_store(&g->array[g->nr_array], NULL);
    }
    return rc;
}

int guest_fifo_init(struct guest *g, uint32_t ports)
{
    uint32_t i;
    int rc;

    for (i = 0; i < g->nr_vcpus; i++) {
        rc = guest_init_control(g, i, 0);
        if (rc) {
            return rc;
        }
    }
    while (g->nr_array * GUEST_WORDS_PER_FRAME < ports) {
        rc = guest_expand_array(g);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int guest_register_bitmaps(struct guest *g)
{
    uint32_t pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g));
    uint64_t lists = guest_new_frame(g);
    uint64_t *gfns = guest_frame(g, lists);
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS,
        .u.bitmaps = {
            .nr_pages = pages,
            .pending_gfns = lists << GUEST_FRAME_SHIFT,
            .mask_gfns = (lists << GUEST_FRAME_SHIFT) + pages * sizeof(*gfns),
        },
    };
    uint32_t before = g->nr_maps, i;
    int rc;

    for (i = 0; i < 2 * pages; i++) {
        gfns[i] = guest_new_frame(g);
    }
    /* The call changes the ABI, so the guest must know the pages before. */
    for (i = 0; !before && i < pages; i++) {
        g->pending_map[i] = guest_frame(g, gfns[i]);
        g->mask_map[i] = guest_frame(g, gfns[pages + i]);
        memset(g->mask_map[i], 0xff, EVTCHN_FRAME_SIZE);
    }
    g->nr_maps = before ? before : pages;
    rc = guest_op(g, EVTCHNOP_register_3level, &reg);
    if (rc) {
        g->nr_maps = before;
    }
    return rc;
}

int guest_register_selector(struct guest *g, uint32_t vcpu, uint32_t offset)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_L2_SELECTOR,
        .u.l2_selector = {
            .vcpu = vcpu,
            .offset = offset,
            .gfn = guest_new_frame(g),
        },
    };
    uint64_t gfn = reg.u.l2_selector.gfn;
    struct guest_vcpu *v = vcpu < g->nr_vcpus ? &g->vcpu[vcpu] : NULL;
    uint32_t *before = v ? v->l2_selector : NULL;
    int rc;

    /* An upcall may come before the call returns. */
    if (v && !before) {
        evtchn_store(&v->l2_selector,
                     (uint32_t *)((char *)guest_frame(g, gfn) + offset));
    }
    rc = guest_op(g, EVTCHNOP_register_3level, &reg);
    if (!rc) {
        v->l2_gfn = gfn;
    } else if (v) {
        evtchn_store(&v->l2_selector, before);
    }
    return rc;
}

int guest_3l_init(struct guest *g)
{
    int rc = guest_register_bitmaps(g);
    uint32_t i;

    for (i = 0; !rc && i < g->nr_vcpus; i++) {
        rc = guest_register_selector(g, i, 0);
    }
    return rc;
}

int guest_reset(struct guest *g)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t i;
    int rc = guest_op(g, EVTCHNOP_reset, &reset);

    while (rc == -EVTCHN_ERESTART) {
        rc = guest_op(g, EVTCHNOP_reset_cont, &reset);
    }
    if (rc) {
        return rc;
    }
    memset(g->array, 0, sizeof(g->array));
    g->nr_array = 0;
    g->nr_maps = 0;
    for (i = 0; i < g->nr_vcpus; i++) {
        g->vcpu[i].control = NULL;
        g->vcpu[i].l2_selector = NULL;
        memset(g->vcpu[i].head, 0, sizeof(g->vcpu[i].head));
    }
    memset(g->port_vcpu, 0, g->max_ports * sizeof(*g->port_vcpu));
    return 0;
}

uint32_t *guest_event_word(struct guest *g, uint32_t port)
{
    uint32_t *words;

    if (port >= EVTCHN_FIFO_MAX_PORTS) {
        return NULL;
    }
    words = evtchn_load(&g->array[port / GUEST_WORDS_PER_FRAME]);
    return words ? words + port % GUEST_WORDS_PER_FRAME : NULL;
}

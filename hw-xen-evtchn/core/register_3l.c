/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_register_3level: a guest switches to 3-level delivery.  It registers
 * the bitmaps first, then a selector for each vCPU.
 */

#include "change_abi.h"
#include "event_3l.h"

uint32_t evtchn_3l_selector_size(const struct evtchn_domain *d)
{
    /* Large enough for the bitmaps' ports, also when the word grows again. */
    return d->bitmaps->nr_pages == EVTCHN_3L_NR_PAGES(32)
               ? EVTCHN_3L_L2_SELECTOR_SIZE(32)
               : EVTCHN_3L_L2_SELECTOR_SIZE(64);
}

/* Page @i of the pending bitmap's @nr_pages pages and then the mask's. */
static uint32_t **bitmap_page(struct evtchn_bitmaps *b, uint32_t i,
                              uint32_t nr_pages)
{
    return i < nr_pages ? &b->pending[i] : &b->mask[i - nr_pages];
}

/* Unmap the first @nr of these pages. */
static void unmap_bitmaps(struct evtchn_domain *d, struct evtchn_bitmaps *b,
                          uint32_t nr, uint32_t nr_pages)
{
    uint32_t i;

    for (i = 0; i < nr; i++) {
        d->env->unmap_frame(d->opaque, b->gfn[i],
                            *bitmap_page(b, i, nr_pages));
    }
}

void evtchn_3l_leave(struct evtchn_domain *d)
{
    struct evtchn_bitmaps *b = d->bitmaps;
    uint32_t nr_pages = b->nr_pages;

    /* First: no port has bits from here on, so no sender uses the pages. */
    evtchn_store(&b->nr_pages, 0);
    unmap_bitmaps(d, b, 2 * nr_pages, nr_pages);
}

static int map_bitmaps(struct evtchn_domain *d, struct evtchn_bitmaps *b,
                       const uint64_t *gfns, uint32_t nr_pages)
{
    uint32_t i;

    for (i = 0; i < 2 * nr_pages; i++) {
        void *frame = d->env->map_frame(d->opaque, gfns[i]);

        if (!frame) {
            unmap_bitmaps(d, b, i, nr_pages);
            return -XEN_EINVAL;
        }
        b->gfn[i] = gfns[i];
        evtchn_store(bitmap_page(b, i, nr_pages), frame);
    }
    return 0;
}

static int start_3l(struct evtchn_domain *d, const uint64_t *gfns,
                    uint32_t nr_pages)
{
    struct evtchn_bitmaps *b = d->bitmaps;
    int rc;

    if (nr_pages != EVTCHN_3L_NR_PAGES(32) &&
        nr_pages != EVTCHN_3L_NR_PAGES(64)) {
        return -XEN_EINVAL;
    }
    if (!b) {
        b = evtchn_alloc(d, sizeof(*b));
        if (!b) {
            return -XEN_ENOMEM;
        }
    }
    rc = map_bitmaps(d, b, gfns, nr_pages);
    if (!rc) {
        rc = evtchn_start_abi(d, EVTCHN_ABI_3L);
        if (rc) {
            unmap_bitmaps(d, b, 2 * nr_pages, nr_pages);
        }
    }
    if (!rc) {
        /* The number of pages last: ports have bits from here on. */
        if (!d->bitmaps) {
            d->bitmaps = b;
        }
        evtchn_store(&b->nr_pages, nr_pages);
    } else if (!d->bitmaps) {
        evtchn_free(d, b, sizeof(*b));
    }
    return rc;
}

int evtchn_3l_load(struct evtchn_domain *d, const uint64_t *gfns,
                   uint32_t nr_frames)
{
    int rc = nr_frames % 2 ? -XEN_EINVAL : start_3l(d, gfns, nr_frames / 2);

    if (!rc) {
        evtchn_hand_over(d);
    }
    return rc;
}

int evtchn_register_bitmaps(struct evtchn_domain *d, const uint64_t *gfns,
                            uint32_t nr_pages)
{
    int rc = -XEN_EINVAL;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    evtchn_event_lock(d);
    /* Once, until a reset: senders rely on where the bits are (XSA-188). */
    if (!evtchn_abi_is_extended(d->abi) &&
        nr_pages == EVTCHN_3L_NR_PAGES(d->word_bits)) {
        rc = start_3l(d, gfns, nr_pages);
    }
    if (!rc) {
        evtchn_3l_copy_masks(d);
        evtchn_hand_over(d);
        /* Events that had no bits in 2-level. */
        evtchn_retry(d, 1, d->valid_ports);
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_register_l2_selector(struct evtchn_domain *d, uint32_t vcpu,
                                uint64_t gfn, uint32_t offset)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    char *frame;
    int rc = -XEN_EINVAL;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    if (!v) {
        return -XEN_ENOENT;
    }
    /* A reset takes the bitmaps away under the same lock (XSA-505). */
    evtchn_event_lock(d);
    if (d->abi != EVTCHN_ABI_3L) {
        rc = -XEN_EOPNOTSUPP;
        goto out;
    }
    frame = evtchn_map_vcpu_frame(d, v, &evtchn_abi_3l, gfn, offset);
    if (frame) {
        evtchn_3l_take_l1(d, v, (uint32_t *)(frame + offset));
        evtchn_set_vcpu_frame(d, v, frame, gfn, offset);
        evtchn_3l_select_l1(d, v);
        /* Events that were sent to this vCPU before. */
        evtchn_retry(d, 1, d->valid_ports);
        rc = 0;
    }

 out:
    evtchn_event_unlock(d);
    return rc;
}

static bool read_guest(struct evtchn_domain *d, uint64_t addr, void *buf,
                       size_t size)
{
    return d->env->read_guest && d->env->read_guest(d->opaque, addr, buf, size);
}

int evtchn_3l_op_register(struct evtchn_domain *d, void *arg)
{
    const struct evtchn_register_3level *reg = arg;
    uint64_t gfns[2 * MAX_BITMAP_PAGES];
    uint32_t nr_pages = reg->u.bitmaps.nr_pages;
    size_t size;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    switch (reg->cmd) {
    case EVTCHN_3L_BITMAPS:
        if (nr_pages != EVTCHN_3L_NR_PAGES(evtchn_load(&d->word_bits))) {
            return -XEN_EINVAL;
        }
        size = nr_pages * sizeof(*gfns);
        if (!read_guest(d, reg->u.bitmaps.pending_gfns, gfns, size) ||
            !read_guest(d, reg->u.bitmaps.mask_gfns, gfns + nr_pages, size)) {
            return -XEN_EFAULT;
        }
        return evtchn_register_bitmaps(d, gfns, nr_pages);
    case EVTCHN_3L_L2_SELECTOR:
        return evtchn_register_l2_selector(d, reg->u.l2_selector.vcpu,
                                           reg->u.l2_selector.gfn,
                                           reg->u.l2_selector.offset);
    default:
        return -XEN_EINVAL;
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_register_3level: how a guest comes to 3-level delivery, the bitmaps
 * first, then a selector for each vCPU.
 */

#include "model.h"

uint32_t evtchn_3l_selector_size(const struct evtchn_domain *d)
{
    /* For all ports that the bitmaps have room for, if the word grows again. */
    return d->bitmaps->nr_pages == EVTCHN_3L_NR_PAGES(32)
               ? EVTCHN_3L_L2_SELECTOR_SIZE(32)
               : EVTCHN_3L_L2_SELECTOR_SIZE(64);
}

/* Unmap the first @nr frames and forget @b. */
static void free_bitmaps(struct evtchn_domain *d, struct evtchn_bitmaps *b,
                         uint32_t nr)
{
    uint32_t i;

    for (i = 0; i < nr; i++) {
        d->env->unmap_frame(d->opaque, b->gfn[i],
                            i < b->nr_pages ? b->pending[i]
                                            : b->mask[i - b->nr_pages]);
    }
    evtchn_free(d, b, sizeof(*b));
}

void evtchn_3l_free(struct evtchn_domain *d)
{
    struct evtchn_bitmaps *b = d->bitmaps;

    d->bitmaps = NULL;
    free_bitmaps(d, b, 2 * b->nr_pages);
}

int evtchn_3l_start(struct evtchn_domain *d, const uint64_t *gfns,
                    uint32_t nr_pages)
{
    struct evtchn_bitmaps *b;
    uint32_t i;
    int rc;

    if (nr_pages != EVTCHN_3L_NR_PAGES(32) &&
        nr_pages != EVTCHN_3L_NR_PAGES(64)) {
        return -XEN_EINVAL;
    }
    b = evtchn_alloc(d, sizeof(*b));
    if (!b) {
        return -XEN_ENOMEM;
    }
    b->nr_pages = nr_pages;
    for (i = 0; i < 2 * nr_pages; i++) {
        void *frame = d->env->map_frame(d->opaque, gfns[i]);

        if (!frame) {
            free_bitmaps(d, b, i);
            return -XEN_EINVAL;
        }
        b->gfn[i] = gfns[i];
        if (i < nr_pages) {
            b->pending[i] = frame;
        } else {
            b->mask[i - nr_pages] = frame;
        }
    }
    /* Before the ABI, which new ports get. */
    d->bitmaps = b;
    rc = evtchn_start_abi(d, EVTCHN_ABI_3L);
    if (rc) {
        evtchn_3l_free(d);
    }
    return rc;
}

int evtchn_register_bitmaps(struct evtchn_domain *d, const uint64_t *gfns,
                            uint32_t nr_pages)
{
    int rc;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    evtchn_event_lock(d);
    /* Once, until a reset: others rely on where the bits are (XSA-188). */
    if (evtchn_abi_is_extended(d->abi) ||
        nr_pages != EVTCHN_3L_NR_PAGES(d->word_bits)) {
        rc = -XEN_EINVAL;
        goto out;
    }
    rc = evtchn_3l_start(d, gfns, nr_pages);
    if (rc) {
        goto out;
    }
    evtchn_3l_copy_masks(d);
    evtchn_hand_over(d);
    /* What 2-level had no place for. */
    evtchn_retry_all_pending(d, 1, d->valid_ports);

 out:
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_register_l2_selector(struct evtchn_domain *d, uint32_t vcpu,
                                uint64_t gfn, uint32_t offset)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    void *frame = NULL;
    int rc;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    if (!v) {
        return -XEN_ENOENT;
    }
    /* A reset takes the bitmaps away under the same lock (XSA-505). */
    evtchn_event_lock(d);
    if (!d->bitmaps) {
        rc = -XEN_EOPNOTSUPP;
        goto out;
    }
    if (!v->frame &&
        evtchn_vcpu_offset_valid(offset, evtchn_3l_selector_size(d))) {
        frame = d->env->map_frame(d->opaque, gfn);
    }
    if (!frame) {
        rc = -XEN_EINVAL;
        goto out;
    }
    evtchn_set_vcpu_frame(d, v, frame, gfn, offset);
    evtchn_3l_reselect(d, v);
    /* What came for this vCPU so far. */
    evtchn_retry_all_pending(d, 1, d->valid_ports);
    rc = 0;

 out:
    evtchn_event_unlock(d);
    return rc;
}

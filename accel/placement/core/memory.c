/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a VM's memory is to follow it to another node. */

#include "model.h"

/* Moved back within that, its memory would have moved for nothing. */
#define FOLLOWS_AFTER (60 * PLACE_SECOND)

bool place_memory_follow(struct place_host *h, uint32_t vm, uint64_t now,
                         uint32_t *from, uint32_t *to)
{
    struct vm *v = &h->vm[vm];
    const struct cage *cage = &h->cage[v->cage], *home = &h->cage[v->home];
    const struct node *node = &h->node[cage->first_node];
    uint64_t memory = v->reserved_memory;

    if (h->mode != PLACE_BALANCE || cage->nr_nodes != 1 ||
        home->nr_nodes != 1 || cage->first_node == home->first_node ||
        v->reason.code != REASON_ACTION || v->reason.action != PLACE_MOVED ||
        v->reason.verdict != VERDICT_KEPT ||
        now - v->last_action < FOLLOWS_AFTER ||
        node->reserved + memory > node->memory) {
        return false;
    }
    *from = home->first_node;
    *to = cage->first_node;
    place_reserve_memory(h, v, 0);
    place_change_home(h, vm, v->cage);
    place_reserve_memory(h, v, memory);
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes a VM gets when it starts: the fewest that have cores, memory and
 * room for it, of these the closest, with most of its memory, with least load.
 */

#include "model.h"

#include <string.h>

struct score {
    uint32_t distance;
    uint64_t resident;
    uint32_t load; /* of 16 */
    uint64_t memory;
};

struct request {
    const struct place_vm_config *config;
    uint32_t need, vcpus;
    struct place_set allowed, chosen;
};

static bool better(const struct score *a, const struct score *b)
{
    if (a->distance != b->distance) {
        return a->distance < b->distance;
    }
    if (a->resident != b->resident) {
        return a->resident > b->resident;
    }
    if (a->load != b->load) {
        return a->load < b->load;
    }
    return a->memory > b->memory;
}

static uint64_t dense_capacity(const struct cage *c)
{
    return (uint64_t)c->nr_cpus * PLACE_ONE;
}

/* Whether a cage has room; if not, counts why. */
static bool has_room(const struct place_host *h, struct request *r,
                     uint32_t cage, struct place_verdict *v,
                     struct score *score)
{
    const struct cage *c = &h->cage[cage];
    const struct place_vm_config *config = r->config;
    bool dense = config->policy == PLACE_DENSE;
    uint64_t capacity = dense ? dense_capacity(c) : c->capacity;
    uint64_t load = place_load(h, cage), memory = 0, resident = 0;
    uint64_t need = r->need;
    uint32_t node, seen = PLACE_NONE, i, distance = 0;

    for (i = 0; i < c->nr_llcs; i++) {
        node = h->llc[h->cage_llc[c->llcs + i]].node;
        if (node == seen) {
            continue;
        }
        seen = node;
        memory += h->node[node].memory > h->node[node].reserved ?
                      h->node[node].memory - h->node[node].reserved :
                      0;
        resident += config->resident ? config->resident[node] : 0;
        if (c->nr_nodes > 1 && node != c->first_node) {
            uint32_t d = place_distance(h, c->first_node, node);

            distance = d > distance ? d : distance;
        }
    }
    if (config->policy == PLACE_DEDICATED) {
        if (place_cores_choose(h, cage, &r->allowed, config->vcpus,
                               &r->chosen) < config->vcpus) {
            v->refused_cores++;
            return false;
        }
        need = 0;
        capacity -=
            min_u32((uint32_t)capacity, place_cores_capacity(h, &r->chosen));
    } else {
        uint32_t allowed = 0;

        if (c->nr_cores < r->vcpus && !dense) {
            v->refused_cores++;
            return false;
        }
        for (i = 0; i < h->words; i++) {
            allowed += (uint32_t)__builtin_popcountll(
                c->cpus.word[i] & r->allowed.word[i] & h->available.word[i]);
        }
        if (allowed < r->vcpus || !allowed) {
            v->refused_allowed++;
            return false;
        }
    }
    if (memory + resident < config->memory) {
        v->refused_memory++;
        return false;
    }
    if ((load + need) * PLACE_ONE > capacity * h->target) {
        v->refused_load++;
        return false;
    }
    *score = (struct score){
        .distance = distance,
        .resident = resident,
        .memory = memory,
        .load = capacity ? (uint32_t)(load * 16 / capacity) : 0,
    };
    return true;
}

/* In one LLC of the node, if the VM fits there; the one with most room. */
static uint32_t choose_llc(const struct place_host *h, struct request *r,
                           uint32_t cage)
{
    const struct cage *c = &h->cage[cage];
    struct place_verdict ignored;
    struct score score;
    uint32_t i, best = cage;
    int64_t most = INT64_MIN;

    if (c->nr_nodes > 1 || r->config->policy == PLACE_DEDICATED) {
        return cage;
    }
    for (i = 0; i < c->nr_llcs; i++) {
        uint32_t llc = h->llc_cage[h->cage_llc[c->llcs + i]];
        int64_t room =
            (int64_t)h->cage[llc].capacity - (int64_t)place_load(h, llc);

        if (room > most && has_room(h, r, llc, &ignored, &score)) {
            most = room;
            best = llc;
        }
    }
    return best;
}

static void fill_nodes(const struct place_host *h, struct place_verdict *v)
{
    const struct cage *c = &h->cage[v->cage];
    uint32_t i, j;

    v->nr_nodes = 0;
    for (i = 0; i < h->nr_nodes; i++) {
        for (j = 0; j < c->nr_llcs; j++) {
            if (h->llc[h->cage_llc[c->llcs + j]].node == i) {
                v->node[v->nr_nodes++] = (uint16_t)i;
                break;
            }
        }
    }
}

/* The cage that was chosen for it before, if it can still be there. */
static uint32_t find_home(const struct place_host *h, struct request *r)
{
    const struct place_vm_config *config = r->config;
    uint32_t i,
        nr = 0,
        cage = config->home ? place_cage_find(h, config->home) : PLACE_NONE;

    if (cage == PLACE_NONE) {
        return PLACE_NONE;
    }
    if (config->policy == PLACE_DEDICATED) {
        nr =
            place_cores_choose(h, cage, &r->allowed, config->vcpus, &r->chosen);
        return nr == config->vcpus ? cage : PLACE_NONE;
    }
    for (i = 0; i < h->words; i++) {
        nr += (uint32_t)__builtin_popcountll(h->cage[cage].cpus.word[i] &
                                             r->allowed.word[i] &
                                             h->available.word[i]);
    }
    return nr && nr >= r->vcpus ? cage : PLACE_NONE;
}

static void admit(const struct place_host *h, struct request *r,
                  struct place_verdict *v)
{
    struct score score, best = { 0 };
    uint32_t k, seed, cage;

    memset(v, 0, sizeof(*v));
    v->cage = find_home(h, r);
    if (v->cage != PLACE_NONE) {
        v->fits = true;
        fill_nodes(h, v);
        return;
    }
    for (k = 0; k < NR_SET_SIZES && v->cage == PLACE_NONE; k++) {
        for (seed = 0; seed < h->nr_nodes; seed++) {
            cage = place_node_set(h, seed, k);
            if (cage != PLACE_NONE && has_room(h, r, cage, v, &score) &&
                (v->cage == PLACE_NONE || better(&score, &best))) {
                v->cage = cage;
                best = score;
            }
        }
    }
    if (v->cage == PLACE_NONE && has_room(h, r, h->all, v, &score)) {
        v->cage = h->all;
    }
    v->fits = v->cage != PLACE_NONE;
    if (v->fits) {
        v->cage = choose_llc(h, r, v->cage);
        if (r->config->policy == PLACE_DEDICATED) {
            place_cores_choose(h, v->cage, &r->allowed, r->config->vcpus,
                               &r->chosen);
        }
    } else {
        v->cage = h->all;
    }
    fill_nodes(h, v);
}

static int make_request(const struct place_host *h,
                        const struct place_vm_config *c, struct request *r)
{
    uint32_t i, allowed = 0;

    if (!c->vcpus || c->vcpus > 4096 || c->policy >= PLACE_POLICIES ||
        c->declared > c->vcpus * PLACE_ONE || c->memory > UINT64_C(1) << 40) {
        return -PLACE_EINVAL;
    }
    memset(r, 0, sizeof(*r));
    r->config = c;
    for (i = 0; i < h->words; i++) {
        r->allowed.word[i] = c->allowed ? c->allowed->word[i] : ~UINT64_C(0);
        allowed += (uint32_t)__builtin_popcountll(r->allowed.word[i] &
                                                  h->available.word[i]);
    }
    r->vcpus = min_u32(c->vcpus, allowed);
    r->need = c->declared ? c->declared : c->vcpus * PLACE_ONE / 4;
    return 0;
}

int place_advise(struct place_host *h, const struct place_vm_config *c,
                 struct place_verdict *v)
{
    struct request r;
    int rc = make_request(h, c, &r);

    if (!rc) {
        admit(h, &r, v);
    }
    return rc;
}

/* A VM's memory, on its home's nodes in equal parts, as long as it lives. */
void place_reserve_memory(struct place_host *h, struct vm *v, uint64_t memory)
{
    const struct cage *c = &h->cage[v->home];
    uint32_t i, seen = PLACE_NONE, node;

    for (i = 0; i < c->nr_llcs; i++) {
        node = h->llc[h->cage_llc[c->llcs + i]].node;
        if (node != seen) {
            seen = node;
            h->node[node].reserved += memory / c->nr_nodes;
            h->node[node].reserved -= v->reserved_memory / c->nr_nodes;
        }
    }
    v->reserved_memory = memory;
}

int place_vm_add(struct place_host *h, const struct place_vm_config *c,
                 uint64_t now, uint32_t *vm, struct place_verdict *v)
{
    struct request r;
    struct vm *new;
    int rc = make_request(h, c, &r);

    if (rc) {
        return rc;
    }
    admit(h, &r, v);
    if (h->free_vm == PLACE_NONE) {
        return -PLACE_EFULL;
    }
    if (c->policy == PLACE_DEDICATED && !v->fits) {
        return -PLACE_EFIT;
    }
    *vm = h->free_vm;
    new = &h->vm[*vm];
    if (c->policy == PLACE_DEDICATED && h->mode != PLACE_OBSERVE &&
        !place_cores_take(h, *vm, &r.chosen, now)) {
        v->fits = false;
        v->refused_allowed++;
        return -PLACE_EFIT;
    }
    h->free_vm = new->next_free;
    h->nr_vms++;
    h->last_now = now;
    *new = (struct vm){
        .first_thread = PLACE_NONE,
        .vcpus = c->vcpus,
        .need = r.need,
        .memory = c->memory,
        .policy = (uint8_t)c->policy,
        .start = now,
        .home = (uint16_t)v->cage,
        .used = true,
        .cage = h->mode == PLACE_OBSERVE || c->policy == PLACE_IGNORE ?
                    h->all :
                    (uint16_t)v->cage,
        .reason = { .code = c->policy == PLACE_IGNORE    ? REASON_IGNORED :
                            c->policy == PLACE_DEDICATED ? REASON_DEDICATED :
                            v->fits                      ? REASON_ADMITTED :
                                                           REASON_NO_ROOM,
                    .from = h->all,
                    .to = (uint16_t)v->cage,
                    .time = now },
    };
    /* Taking cores may have emptied what admission chose. */
    if (!h->cage[new->cage].nr_active) {
        new->cage = h->all;
    }
    place_reserve_memory(h, new, c->memory);
    if (c->policy != PLACE_DEDICATED) {
        place_reserve(h, *vm, r.need);
    }
    return 0;
}

void place_vm_remove(struct place_host *h, uint32_t vm)
{
    struct vm *v = &h->vm[vm];
    uint32_t i;

    while (v->first_thread != PLACE_NONE) {
        place_thread_remove(h, v->first_thread);
    }
    place_reserve(h, vm, 0);
    place_reserve_memory(h, v, 0);
    for (i = 0; i < MAX_RUNNING; i++) {
        if (h->running[i].used && h->running[i].vm == vm) {
            h->running[i].used = false;
        }
    }
    place_tabu_forget(h, vm);
    v->used = false;
    if (v->policy == PLACE_DEDICATED) {
        place_cores_give_back(h, vm, h->last_now);
    }
    v->next_free = h->free_vm;
    h->free_vm = vm;
    h->nr_vms--;
}

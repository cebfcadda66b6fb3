/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include <stdlib.h>

struct rig *rig_new(uint32_t nodes, uint32_t llcs, uint32_t cores,
                    uint32_t threads, uint32_t isolated)
{
    struct rig *r = g_new0(struct rig, 1);
    const struct shape shape = { nodes, llcs, cores, threads, isolated };

    r->h = host_new(&shape, NULL);
    r->now = RIG_BEGIN;
    place_mode_set(r->h, PLACE_BALANCE);
    return r;
}

void rig_free(struct rig *r)
{
    check_host(r->h);
    free(r->h);
    g_free(r);
}

uint32_t rig_add(struct rig *r, uint32_t vcpus, uint64_t memory,
                 enum place_policy policy, struct place_verdict *v)
{
    struct place_vm_config c = { .vcpus = vcpus,
                                 .memory = memory,
                                 .policy = policy };
    struct place_verdict verdict;
    uint32_t vm, i, thread;
    int rc = place_vm_add(r->h, &c, r->now, &vm, v ? v : &verdict);

    if (rc) {
        return PLACE_NONE;
    }
    for (i = 0; i < vcpus; i++) {
        g_assert_cmpint(
            place_thread_add(r->h, vm, PLACE_VCPU, i, NULL, &thread), ==, 0);
    }
    return vm;
}

void rig_use(struct rig *r, uint32_t vm, uint32_t run_ms, uint32_t delay_ms)
{
    uint32_t i;

    for (i = r->h->vm[vm].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        r->used[i].run += run_ms * UINT64_C(1000000);
        r->used[i].delay += delay_ms * UINT64_C(1000000);
        place_thread_sample(r->h, i, r->now, &r->used[i]);
    }
}

size_t rig_plan(struct rig *r, struct place_change *change)
{
    size_t n;

    place_window(r->h, r->now);
    n = place_plan(r->h, r->now, change, 64);
    check_host(r->h);
    r->now += 2 * PLACE_SECOND;
    return n;
}

uint32_t rig_cage_of(const struct rig *r, uint32_t vm)
{
    return r->h->vm[vm].cage;
}

void rig_assert_cpus(const struct rig *r, uint32_t cage, const char *cpus)
{
    char text[256];

    g_assert_true(place_set_text(&r->h->cage[cage].cpus, text, sizeof(text)));
    g_assert_cmpstr(text, ==, cpus);
}

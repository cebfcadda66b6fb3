/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: test-property [--operations N] [--seed N] [GTester options]
 *
 * Operations in any order with any argument, on hosts of several shapes, two
 * hosts side by side: after each, what the indexes say is what a look at all
 * threads finds, I1 and I2 hold, and both hosts are the same, byte for byte.
 */

#include "hosts.h"

#include <stdlib.h>
#include <string.h>

static uint32_t operations = 2000;
static uint64_t seed = 1;

struct run {
    struct place_host *h[2];
    size_t size;
    uint64_t random, now;
    uint32_t vm[64], nr_vms, thread[192], nr_threads;
    struct place_set allowed[192]; /* by thread: what I3 speaks of */
    bool any[192]; /* it has no limit */
};

static uint32_t below(struct run *r, uint32_t limit)
{
    return random_below(&r->random, limit);
}

static const struct place_set *random_set(struct run *r, struct place_set *set)
{
    uint32_t n = r->h[0]->nr_cpus, first = below(r, n), nr = below(r, n) + 1, i;

    if (below(r, 3)) {
        return NULL;
    }
    memset(set, 0, sizeof(*set));
    for (i = 0; i < nr; i++) {
        /* Few different ones, so that classes are shared, and others. */
        bit_set(set->word, (below(r, 2) ? first + i : first / 2 * 2 + i) % n);
    }
    return set;
}

static uint32_t one_thread(struct run *r)
{
    return r->thread[below(r, r->nr_threads)];
}

static void note_allowed(struct run *r, uint32_t thread,
                         const struct place_set *set)
{
    r->any[thread] = !set;
    if (set) {
        r->allowed[thread] = *set;
    }
}

static void vm_add(struct run *r)
{
    struct place_set set;
    struct place_vm_config c = {
        .vcpus = below(r, 8) + 1,
        .memory = below(r, 20000),
        .policy = below(r, 8) ? PLACE_SHARED : below(r, 4),
        .allowed = random_set(r, &set),
    };
    struct place_verdict v[2];
    struct place_cage_info home;
    uint32_t vm[2] = { PLACE_NONE, PLACE_NONE };
    int rc[2], i;

    if (!below(r, 4)) {
        place_cage_info(r->h[0], below(r, place_nr_cages(r->h[0])), &home);
        c.home = &home.cpus;
    }

    for (i = 0; i < 2; i++) {
        rc[i] = place_vm_add(r->h[i], &c, r->now, &vm[i], &v[i]);
    }
    g_assert_cmpint(rc[0], ==, rc[1]);
    g_assert_cmpuint(vm[0], ==, vm[1]);
    if (!rc[0]) {
        r->vm[r->nr_vms++] = vm[0];
    }
}

static void vm_remove(struct run *r)
{
    uint32_t at = below(r, r->nr_vms), vm = r->vm[at], i, n = 0;

    for (i = 0; i < r->nr_threads; i++) {
        if (r->h[0]->thread[r->thread[i]].vm != vm) {
            r->thread[n++] = r->thread[i];
        }
    }
    r->nr_threads = n;
    r->vm[at] = r->vm[--r->nr_vms];
    for (i = 0; i < 2; i++) {
        place_vm_remove(r->h[i], vm);
    }
}

static void thread_add(struct run *r)
{
    uint32_t vm = r->vm[below(r, r->nr_vms)], thread[2], index = below(r, 9);
    enum place_kind kind = below(r, 4) ? PLACE_VCPU : PLACE_BACKEND;
    struct place_set set;
    const struct place_set *allowed = random_set(r, &set);
    int rc = 0, i;

    for (i = 0; i < 2; i++) {
        rc = place_thread_add(r->h[i], vm, kind, index, allowed, &thread[i]);
    }
    if (!rc) {
        g_assert_cmpuint(thread[0], ==, thread[1]);
        r->thread[r->nr_threads++] = thread[0];
        note_allowed(r, thread[0], allowed);
    }
}

static void changes(struct run *r, uint32_t which)
{
    struct place_change change[2][64];
    size_t n[2] = { 0, 0 };
    uint32_t vm = r->nr_vms ? r->vm[below(r, r->nr_vms)] : 0, i;
    uint32_t cage = below(r, r->h[0]->nr_cages);
    struct thread before[192];

    memset(change, 0, sizeof(change));
    memcpy(before, r->h[0]->thread, sizeof(before));
    for (i = 0; i < 2; i++) {
        struct place_host *h = r->h[i];

        if (which == 0 || !r->nr_vms) {
            n[i] = place_plan(h, r->now, change[i], 64);
        } else if (which == 1) {
            n[i] = place_merge(h, vm, r->now, change[i], 64);
        } else {
            place_force(h, vm, cage, r->now, change[i], 64, &n[i]);
        }
    }
    g_assert_cmpmem(change[0], sizeof(change[0]), change[1], sizeof(change[1]));
    g_assert_cmpuint(n[0], ==, n[1]);
    if (r->h[0]->mode != PLACE_BALANCE) {
        g_assert_cmpuint(n[0], ==, 0);
        g_assert_cmpmem(before, sizeof(before), r->h[0]->thread,
                        sizeof(before));
    }
    /* What changed is what was told. */
    for (i = 0; i < n[0]; i++) {
        before[change[0][i].thread].cage = change[0][i].to;
    }
    for (i = 0; i < 192; i++) {
        g_assert_cmpuint(before[i].cage, ==, r->h[0]->thread[i].cage);
    }
}

static void measure(struct run *r)
{
    uint32_t i, k, busy = below(r, 3);

    r->now += 2 * PLACE_SECOND;
    for (i = 0; i < r->nr_threads; i++) {
        uint32_t thread = r->thread[i];
        const struct thread *t = &r->h[0]->thread[thread];
        struct place_sample s = {
            .run = t->run + below(r, 2000000) * 1000u,
            .delay = t->delay + busy * below(r, 1000000) * 1000u,
        };

        for (k = 0; k < 2; k++) {
            place_thread_sample(r->h[k], thread, r->now, &s);
        }
    }
    for (k = 0; k < 2; k++) {
        place_window(r->h[k], r->now);
    }
}

static void one_operation(struct run *r)
{
    uint32_t what = below(r, 100), thread, i, n;
    struct place_set set;
    const struct place_set *allowed;

    r->now += below(r, 1000) * 1000000u;
    if (what < 8 && r->nr_vms < 63) {
        vm_add(r);
    } else if (what < 11 && r->nr_vms) {
        vm_remove(r);
    } else if (what < 35 && r->nr_vms) {
        thread_add(r);
    } else if (what < 42 && r->nr_threads) {
        i = below(r, r->nr_threads);
        thread = r->thread[i];
        r->thread[i] = r->thread[--r->nr_threads];
        for (i = 0; i < 2; i++) {
            place_thread_remove(r->h[i], thread);
        }
    } else if (what < 50 && r->nr_threads) {
        int rc = 0;

        thread = one_thread(r);
        allowed = random_set(r, &set);
        for (i = 0; i < 2; i++) {
            rc = place_thread_allow(r->h[i], thread, allowed);
        }
        if (!rc) {
            note_allowed(r, thread, allowed);
        }
    } else if (what < 62 && r->nr_threads) {
        uint32_t other = one_thread(r);

        thread = one_thread(r);
        n = below(r, 5000);
        for (i = 0; i < 2; i++) {
            place_traffic(r->h[i], thread, other, n, PLACE_SECOND);
        }
    } else if (what < 76) {
        measure(r);
    } else if (what < 88) {
        changes(r, 0);
    } else if (what < 94) {
        changes(r, 1 + below(r, 2));
    } else if (what < 97) {
        uint32_t cpu = below(r, r->h[0]->nr_cpus);
        bool on = below(r, 3) != 0;

        for (i = 0; i < 2; i++) {
            place_cpu_online(r->h[i], cpu, on);
        }
    } else {
        n = below(r, 5);
        for (i = 0; i < 2; i++) {
            place_mode_set(r->h[i], n == 0 ? PLACE_OBSERVE :
                                    n == 1 ? PLACE_START :
                                             PLACE_BALANCE);
        }
    }
}

static void check_others(const struct run *r)
{
    size_t head = (sizeof(struct place_host) + 63) & ~(size_t)63;
    uint32_t i;

    for (i = 0; i < r->nr_threads; i++) {
        const struct place_host *h = r->h[0];
        const struct class *c = &h->class[h->thread[r->thread[i]].class];

        if (!r->any[r->thread[i]]) {
            g_assert_true(bits_equal(c->allowed.word,
                                     r->allowed[r->thread[i]].word, h->words));
        }
    }
    g_assert_cmpmem((char *)r->h[0] + head, r->size - head,
                    (char *)r->h[1] + head, r->size - head);
}

static void test_any_order(gconstpointer data)
{
    const struct shape *shape = data;
    struct run *r = g_new0(struct run, 1);
    struct place_counts c;
    uint32_t i;

    r->random = seed * 88172645463325252u + shape->nodes;
    r->now = 1000 * PLACE_SECOND;
    r->size = host_size(shape, NULL);
    for (i = 0; i < 2; i++) {
        r->h[i] = host_new(shape, NULL);
        place_mode_set(r->h[i], PLACE_BALANCE);
    }
    for (i = 0; i < operations; i++) {
        one_operation(r);
        check_host(r->h[0]);
        check_others(r);
    }
    place_counts(r->h[0], &c);
    g_test_message("%u operations: %" G_GUINT64_FORMAT
                   " actions, %" G_GUINT64_FORMAT
                   " rolled back, %u VMs, %u threads",
                   operations, c.actions, c.rolled_back, c.vms, c.threads);
    /* A host of one cage has none to move to. */
    g_assert_true(c.actions || r->h[0]->nr_cages == 1 || operations < 2000);
    for (i = 0; i < 2; i++) {
        free(r->h[i]);
    }
    g_free(r);
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {
        { 1, 1, 2, 1, 0 }, { 1, 2, 2, 2, 0 }, { 2, 1, 4, 1, 0 },
        { 4, 2, 2, 1, 2 }, { 3, 3, 2, 2, 0 },
    };
    uint32_t i;

    for (i = 1; i + 1 < (uint32_t)argc; i++) {
        if (!strcmp(argv[i], "--operations")) {
            operations = (uint32_t)atoi(argv[i + 1]);
        } else if (!strcmp(argv[i], "--seed")) {
            seed = (uint64_t)atoi(argv[i + 1]);
        } else {
            continue;
        }
        memmove(&argv[i], &argv[i + 2], sizeof(*argv) * (size_t)(argc - i - 1));
        argc -= 2;
        i--;
    }
    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < G_N_ELEMENTS(shapes); i++) {
        const struct shape *s = &shapes[i];
        char *path = g_strdup_printf("/placement/any-order/%ux%ux%ux%u",
                                     s->nodes, s->llcs, s->cores, s->threads);

        g_test_add_data_func(path, s, test_any_order);
        g_free(path);
    }
    return g_test_run();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the placement's core decides, and why. */

#include "hosts.h"

#include <stdlib.h>
#include <string.h>

#define T0 (1000 * PLACE_SECOND)

/* A host, its clock, and what its threads have used so far. */
struct rig {
    struct place_host *h;
    uint64_t now;
    struct place_sample used[192];
};

static struct rig *rig_new(uint32_t nodes, uint32_t llcs, uint32_t cores,
                           uint32_t threads, uint32_t isolated)
{
    struct rig *r = g_new0(struct rig, 1);
    const struct shape shape = { nodes, llcs, cores, threads, isolated };

    r->h = host_new(&shape, NULL);
    r->now = T0;
    place_mode_set(r->h, PLACE_BALANCE);
    return r;
}

static void rig_free(struct rig *r)
{
    check_host(r->h);
    free(r->h);
    g_free(r);
}

static uint32_t add(struct rig *r, uint32_t vcpus, uint64_t memory,
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

/* A window in which each of a VM's threads used and waited so much. */
static void use(struct rig *r, uint32_t vm, uint32_t run_ms, uint32_t delay_ms)
{
    uint32_t i;

    for (i = r->h->vm[vm].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        r->used[i].run += run_ms * UINT64_C(1000000);
        r->used[i].delay += delay_ms * UINT64_C(1000000);
        place_thread_sample(r->h, i, r->now, &r->used[i]);
    }
}

static size_t plan(struct rig *r, struct place_change *change)
{
    size_t n;

    place_window(r->h, r->now);
    n = place_plan(r->h, r->now, change, 64);
    check_host(r->h);
    r->now += 2 * PLACE_SECOND;
    return n;
}

static uint32_t cage_of(const struct rig *r, uint32_t vm)
{
    return r->h->vm[vm].cage;
}

static void assert_cpus(const struct rig *r, uint32_t cage, const char *cpus)
{
    char text[256];

    g_assert_true(place_set_text(&r->h->cage[cage].cpus, text, sizeof(text)));
    g_assert_cmpstr(text, ==, cpus);
}

/* Admission ------------------------------------------------------------- */

static void test_advise(void)
{
    struct rig *r = rig_new(2, 2, 4, 2, 0); /* 32 CPUs, 16 cores */
    struct place_vm_config c = { .vcpus = 4, .memory = 1024 };
    struct place_verdict v;
    char text[400];

    /* An LLC, if its cores suffice. */
    g_assert_cmpint(place_advise(r->h, &c, &v), ==, 0);
    g_assert_true(v.fits);
    assert_cpus(r, v.cage, "0-3,16-19");
    g_assert_cmpuint(v.nr_nodes, ==, 1);
    /* Cores count, not hardware threads: 8 vCPUs need a node, 9 both. */
    c.vcpus = 8;
    place_advise(r->h, &c, &v);
    assert_cpus(r, v.cage, "0-7,16-23");
    c.vcpus = 9;
    place_advise(r->h, &c, &v);
    assert_cpus(r, v.cage, "0-31");
    g_assert_cmpuint(v.nr_nodes, ==, 2);
    g_assert_cmpuint(v.refused_cores, ==, 2);
    /* But for a dense VM. */
    c.policy = PLACE_DENSE;
    place_advise(r->h, &c, &v);
    assert_cpus(r, v.cage, "0-7,16-23");
    /* Memory of both nodes, and more than there is. */
    c = (struct place_vm_config){ .vcpus = 1, .memory = 70000 };
    place_advise(r->h, &c, &v);
    g_assert_cmpuint(v.nr_nodes, ==, 2);
    c.memory = 140000;
    place_advise(r->h, &c, &v);
    g_assert_false(v.fits);
    place_verdict_text(r->h, &c, &v, text, sizeof(text));
    g_assert_cmpstr(text, ==,
                    "1 vCPU and 140000 MiB fit no node or set of nodes (refused"
                    " for 3 candidates: too little memory)");
    /* Impossible requests. */
    c.vcpus = 0;
    g_assert_cmpint(place_advise(r->h, &c, &v), ==, -PLACE_EINVAL);
    rig_free(r);
}

/* Where other programs run, a VM does not go. */
static void test_others(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    struct place_vm_config c = { .vcpus = 2, .memory = 10 };
    struct place_verdict v;

    place_others(r->h, 0, 4000);
    place_advise(r->h, &c, &v);
    assert_cpus(r, v.cage, "4-7");
    g_assert_cmpuint(v.refused_load, ==, 1);
    rig_free(r);
}

/* Where a VM's memory is already, it goes. */
static void test_resident(void)
{
    struct rig *r = rig_new(4, 1, 4, 1, 0);
    const uint64_t resident[4] = { 0, 100, 900, 0 };
    struct place_vm_config c = { .vcpus = 2,
                                 .memory = 1000,
                                 .resident = resident };
    struct place_verdict v;

    place_advise(r->h, &c, &v);
    g_assert_cmpuint(v.node[0], ==, 2);
    rig_free(r);
}

/* XAPI's race: VMs that start at once must not all go to one node. */
static void test_starts_at_once(void)
{
    const struct place_limits limits = { 128, 512, 64, 8 };
    const struct shape shape = { 8, 3, 4, 2, 0 };
    struct place_host *h = host_new(&shape, &limits);
    uint32_t i, k, vm, thread;

    place_mode_set(h, PLACE_START);
    for (i = 0; i < 100; i++) {
        struct place_vm_config c = { .vcpus = 1 + i % 8,
                                     .memory = 512,
                                     .declared = (1 + i % 8) * 200 };
        struct place_verdict v;
        uint32_t over = 0, room = 0;

        g_assert_cmpint(place_vm_add(h, &c, T0, &vm, &v), ==, 0);
        g_assert_true(v.fits);
        for (k = 0; k < c.vcpus; k++) {
            place_thread_add(h, vm, PLACE_VCPU, k, NULL, &thread);
        }
        for (k = 0; k < 8; k++) {
            struct place_cage_info info;

            place_cage_info(h, h->node_cage[k], &info);
            over += info.load * 1024u > info.capacity * 870u;
            room += (info.load + c.declared) * 1024u <= info.capacity * 870u;
        }
        g_assert_true(!over || !room);
    }
    check_host(h);
    free(h);
}

/* What was promised to a VM before is its home, and a load there. */
static void test_promised(void)
{
    struct rig *r = rig_new(2, 2, 4, 2, 0);
    struct place_cage_info info;
    struct place_set wrong = { { 1 } };
    struct place_vm_config c = { .vcpus = 4, .memory = 64 };
    struct place_verdict v;
    uint32_t vm, load;

    place_cage_info(r->h, r->h->node_cage[1], &info);
    load = info.load;
    c.home = &info.cpus;
    g_assert_cmpint(place_vm_add(r->h, &c, r->now, &vm, &v), ==, 0);
    g_assert_true(v.fits);
    g_assert_cmpuint(v.nr_nodes, ==, 1);
    g_assert_cmpuint(v.node[0], ==, 1);
    g_assert_cmpuint(cage_of(r, vm), ==, r->h->node_cage[1]);
    place_cage_info(r->h, r->h->node_cage[1], &info);
    g_assert_cmpuint(info.load, ==, load + 1024);
    /* One that has no such cage, and one that is too small: it chooses. */
    c.home = &wrong;
    g_assert_cmpint(place_advise(r->h, &c, &v), ==, 0);
    g_assert_cmpuint(v.node[0], ==, 0);
    place_cage_info(r->h, r->h->llc_cage[3], &info);
    c.home = &info.cpus;
    c.vcpus = 9;
    g_assert_cmpint(place_advise(r->h, &c, &v), ==, 0);
    g_assert_cmpuint(v.nr_nodes, ==, 2);
    rig_free(r);
}

static void test_dedicated(void)
{
    struct rig *r = rig_new(2, 1, 4, 2, 0);
    uint32_t shared = add(r, 4, 100, PLACE_SHARED, NULL), vm, i, mask_cpus = 0;
    struct place_verdict v;
    struct place_set mask, all = { { 0 } };

    vm = add(r, 3, 100, PLACE_DEDICATED, &v);
    g_assert_cmpuint(vm, !=, PLACE_NONE);
    for (i = r->h->vm[vm].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        uint32_t cpu;

        g_assert_true(place_thread_mask(r->h, i, &mask));
        g_assert_cmpuint(bits_count(mask.word, 1), ==, 1);
        cpu = bit_next(mask.word, 1, 0);
        /* Cores: no two on the threads of one. */
        bit_set(all.word, cpu % 8);
        mask_cpus++;
    }
    g_assert_cmpuint(bits_count(all.word, 1), ==, mask_cpus);
    /* Nobody else on these, nor on the cores' other threads. */
    for (i = r->h->vm[shared].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        place_thread_mask(r->h, i, &mask);
        g_assert_false(bits_meet(mask.word, all.word, 1));
        g_assert_false(mask.word[0] >> 8 & all.word[0]);
    }
    /* There are no 6 cores more, and the refusal changes nothing. */
    g_assert_cmpuint(add(r, 6, 100, PLACE_DEDICATED, &v), ==, PLACE_NONE);
    g_assert_cmpuint(v.refused_cores, >, 0);
    g_assert_cmpuint(bits_count(r->h->dedicated.word, 1), ==, 6);
    place_vm_remove(r->h, vm);
    g_assert_true(bits_empty(r->h->dedicated.word, 1));
    rig_free(r);
}

/* Isolated CPUs are for dedicated vCPUs, one each, and for nobody else. */
static void test_isolated(void)
{
    struct rig *r = rig_new(1, 1, 8, 1, 4);
    uint32_t shared = add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t vm = add(r, 2, 10, PLACE_DEDICATED, NULL), thread;
    struct place_set mask, isolated = { { 0xf0 } };

    place_thread_mask(r->h, r->h->vm[shared].first_thread, &mask);
    g_assert_cmphex(mask.word[0], ==, 0x0f);
    g_assert_cmphex(r->h->dedicated.word[0], ==, 0x30);
    place_thread_mask(r->h, r->h->vm[vm].first_thread, &mask);
    g_assert_cmphex(mask.word[0], ==, 0x20);
    /* A user's mask of several isolated CPUs is left alone. */
    thread = r->h->vm[shared].first_thread;
    g_assert_cmpint(place_thread_allow(r->h, thread, &isolated), ==, 0);
    g_assert_false(place_thread_mask(r->h, thread, &mask));
    rig_free(r);
}

static void test_hotplug(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t vm = add(r, 4, 10, PLACE_SHARED, NULL), i;
    struct place_set mask;

    assert_cpus(r, cage_of(r, vm), "0-3");
    /* 3 CPUs are too few for 4 vCPUs in one cage. */
    g_assert_cmpint(place_cpu_online(r->h, 1, false), ==, 0);
    place_thread_mask(r->h, r->h->vm[vm].first_thread, &mask);
    g_assert_cmphex(mask.word[0] & 2, ==, 0);
    g_assert_cmpuint(bits_count(mask.word, 1), >=, 4);
    check_host(r->h);
    for (i = 0; i < 7; i++) {
        g_assert_cmpint(place_cpu_online(r->h, i, false), ==, 0);
    }
    g_assert_cmpint(place_cpu_online(r->h, 7, false), ==, -PLACE_EINVAL);
    place_thread_mask(r->h, r->h->vm[vm].first_thread, &mask);
    g_assert_cmphex(mask.word[0], ==, 0x80);
    rig_free(r);
}

/* A user's pin stays whatever happens. */
static void test_user_pin(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t vm = add(r, 2, 10, PLACE_SHARED, NULL), thread;
    struct place_set pin = { { 0x40 } }, mask;
    struct place_change change[64];
    size_t n;

    thread = r->h->vm[vm].first_thread;
    place_thread_allow(r->h, thread, &pin);
    place_thread_mask(r->h, thread, &mask);
    g_assert_cmphex(mask.word[0], ==, 0x40);
    for (uint32_t cage = 0; cage < r->h->nr_cages; cage++) {
        place_force(r->h, vm, cage, r->now += 20 * PLACE_SECOND, change, 64,
                    &n);
        g_assert_true(place_thread_mask(r->h, thread, &mask));
        g_assert_cmphex(mask.word[0], ==, 0x40);
    }
    rig_free(r);
}

static void test_classes_full(void)
{
    const struct place_limits limits = { 4, 16, 4, 3 };
    const struct shape shape = { 1, 1, 8, 1, 0 };
    struct place_host *h = host_new(&shape, &limits);
    struct place_vm_config c = { .vcpus = 8 };
    struct place_verdict v;
    uint32_t vm, i, thread, first = 0;

    place_vm_add(h, &c, T0, &vm, &v);
    for (i = 0; i < 3; i++) {
        struct place_set set = { { UINT64_C(1) << i } };

        g_assert_cmpint(place_thread_add(h, vm, PLACE_VCPU, i, &set, &thread),
                        ==, i < 2 ? 0 : -PLACE_EFULL);
        first = i ? first : thread;
    }
    /* A class that is no longer used makes room. */
    place_thread_remove(h, first);
    g_assert_cmpint(place_thread_add(h, vm, PLACE_VCPU, 2,
                                     &(struct place_set){ { 4 } }, &thread),
                    ==, 0);
    check_host(h);
    free(h);
}

/* Balance and judgement ------------------------------------------------- */

/* Two busy VMs on one node, the other node idle: one is moved, and kept. */
static void test_two_hot(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t a = add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t x = add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t b = add(r, 4, 10, PLACE_SHARED, NULL), moved, i, actions = 0;
    struct place_change change[64];
    char text[1000];

    /* Admission spreads them; the one that had the other node goes. */
    g_assert_cmpuint(cage_of(r, a), !=, cage_of(r, x));
    g_assert_cmpuint(cage_of(r, a), ==, cage_of(r, b));
    place_vm_remove(r->h, x);
    for (i = 0; i < 12 && !actions; i++) {
        bool apart = cage_of(r, a) != cage_of(r, b);

        g_assert_false(apart);
        use(r, a, 1000, 990);
        use(r, b, 1000, 990);
        actions = (uint32_t)plan(r, change);
    }
    /* Within 10 s of waiting, and 4 masks. */
    g_assert_cmpuint(i, <=, 5);
    g_assert_cmpuint(actions, ==, 4);
    g_assert_cmpint(change[0].action, ==, PLACE_MOVED);
    g_assert_cmpuint(cage_of(r, a), !=, cage_of(r, b));
    moved = r->h->thread[change[0].thread].vm;
    for (i = 0; i < 30; i++) {
        use(r, a, 1990, 10);
        use(r, b, 1990, 10);
        g_assert_cmpuint(plan(r, change), ==, 0);
    }
    place_explain(r->h, moved, PLACE_NONE, "web1", r->now, text, sizeof(text));
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, "It was moved from CPUs 0-3 (node 0)"));
    g_assert_nonnull(strstr(text, "Kept: 0.5 % in both afterwards."));
    g_assert_cmpuint(r->h->rolled_back, ==, 0);
    rig_free(r);
}

/* A move that does harm is taken back, and not repeated for 10 minutes. */
static void test_planted(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t a = add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t b = add(r, 4, 10, PLACE_SHARED, NULL), home = cage_of(r, b), i;
    struct place_change change[64];
    size_t n = 0;

    for (i = 0; i < 6; i++) {
        use(r, a, 1990, 10);
        use(r, b, 1990, 10);
        g_assert_cmpuint(plan(r, change), ==, 0);
    }
    g_assert_true(place_force(r->h, b, cage_of(r, a), r->now, change, 64, &n));
    for (i = 0; i < 5; i++) {
        use(r, a, 1990, 60);
        use(r, b, 1990, 60);
        n = plan(r, change);
        g_assert_cmpuint(n, ==, i < 4 ? 0 : 4);
    }
    g_assert_cmpint(change[0].action, ==, PLACE_ROLLED_BACK);
    g_assert_cmpuint(cage_of(r, b), ==, home);
    g_assert_cmpuint(r->h->rolled_back, ==, 1);
    r->now += 300 * PLACE_SECOND;
    g_assert_false(place_force(r->h, b, cage_of(r, a), r->now, change, 64, &n));
    r->now += 301 * PLACE_SECOND;
    g_assert_true(place_force(r->h, b, cage_of(r, a), r->now, change, 64, &n));
    rig_free(r);
}

/* Where neither moving nor other nodes help, a VM is widened; later narrowed. */
static void test_widen_narrow(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t a = add(r, 4, 10, PLACE_SHARED, NULL), home, i;
    uint32_t b = add(r, 4, 10, PLACE_SHARED, NULL);
    struct place_change change[64];
    size_t n = 0;

    home = cage_of(r, a);
    g_assert_cmpuint(home, !=, cage_of(r, b));
    /* More than half of the other LLC is used: no whole VM fits there. */
    for (i = 0; i < 20 && !n; i++) {
        use(r, a, 1300, 650);
        use(r, b, 900, 0);
        n = plan(r, change);
    }
    g_assert_cmpuint(n, >, 0);
    g_assert_true(change[0].action == PLACE_WIDENED ||
                  change[0].action == PLACE_MOVED);
    for (i = 0; i < 60 && cage_of(r, a) != home; i++) {
        use(r, a, 100, 0);
        use(r, b, 100, 0);
        plan(r, change);
    }
    g_assert_cmpuint(cage_of(r, a), ==, home);
    rig_free(r);
}

/* In the other modes nothing is done about the same. */
static void test_modes(void)
{
    static const enum place_mode modes[] = { PLACE_OBSERVE, PLACE_START };
    struct place_change change[64];
    uint32_t i, k;

    for (k = 0; k < 2; k++) {
        struct rig *r = rig_new(2, 1, 4, 1, 0);
        uint32_t vm;

        place_mode_set(r->h, modes[k]);
        vm = add(r, 4, 10, PLACE_SHARED, NULL);
        g_assert_cmpint(cage_of(r, vm) == r->h->all, ==,
                        modes[k] == PLACE_OBSERVE);
        for (i = 0; i < 20; i++) {
            use(r, vm, 500, 1400);
            g_assert_cmpuint(plan(r, change), ==, 0);
        }
        rig_free(r);
    }
}

/* Steady random load: next to no actions. */
static void test_steady(void)
{
    struct rig *r = rig_new(4, 1, 4, 1, 0);
    uint32_t vm[8], i, k;
    uint64_t random = 7;
    struct place_change change[64];
    struct place_counts c;

    for (i = 0; i < 8; i++) {
        vm[i] = add(r, 4, 10, PLACE_SHARED, NULL);
    }
    for (k = 0; k < 300; k++) {
        for (i = 0; i < 8; i++) {
            use(r, vm[i], 650 + random_below(&random, 100),
                300 + random_below(&random, 60));
        }
        plan(r, change);
    }
    place_counts(r->h, &c);
    g_test_message("%" G_GUINT64_FORMAT " actions in 10 minutes", c.actions);
    g_assert_cmpuint(c.actions, <=, 10);
    rig_free(r);
}

/* vCPUs that talk in two groups go into one LLC each. */
static void test_merge(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t vm = add(r, 8, 10, PLACE_SHARED, NULL), i, k, thread[8];
    struct place_change change[64];
    size_t n;

    assert_cpus(r, cage_of(r, vm), "0-7");
    for (i = r->h->vm[vm].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        thread[r->h->thread[i].index] = i;
    }
    g_assert_cmpuint(place_merge(r->h, vm, r->now, change, 64), ==, 0);
    for (k = 0; k < 20; k++) {
        use(r, vm, 200, 0);
        for (i = 0; i < 8; i++) {
            /* Even ones with even ones, odd ones with odd ones. */
            place_traffic(r->h, thread[i], thread[(i + 2) % 8], 2000,
                          2 * PLACE_SECOND);
            place_traffic(r->h, thread[i], thread[(i + 1) % 8], 100,
                          2 * PLACE_SECOND);
        }
        plan(r, change);
    }
    n = place_merge(r->h, vm, r->now, change, 64);
    g_assert_cmpuint(n, ==, 8);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(r->h->thread[thread[i]].cage, ==,
                         r->h->thread[thread[i % 2]].cage);
    }
    g_assert_cmpuint(r->h->thread[thread[0]].cage, !=,
                     r->h->thread[thread[1]].cage);
    rig_free(r);
}

/* But not where a user's limit would put two of them on one CPU. */
static void test_merge_limited(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t vm = add(r, 8, 10, PLACE_SHARED, NULL), i, k, first;
    struct place_set some = { { 0x11 } }; /* one CPU of each LLC */
    struct place_change change[64];

    first = r->h->vm[vm].first_thread;
    for (k = 0, i = first; k < 2; k++, i = r->h->thread[i].next_of_vm) {
        place_thread_allow(r->h, i, &some);
        g_assert_cmpuint(r->h->thread[i].cage, ==, cage_of(r, vm));
    }
    for (k = 0; k < 20; k++) {
        use(r, vm, 200, 0);
        place_traffic(r->h, first, r->h->thread[first].next_of_vm, 5000,
                      PLACE_SECOND);
        plan(r, change);
    }
    g_assert_cmpuint(place_merge(r->h, vm, r->now, change, 64), ==, 0);
    rig_free(r);
}

/* Formulas -------------------------------------------------------------- */

/* Sakasegawa's formula at 50, 75, 90 % and so on, computed in floating point. */
static void test_wait(void)
{
    static const struct {
        uint32_t load, cpus, wait;
    } known[] = {
        { 1024, 1, 500000 },   { 2277, 4, 223403 }, { 4721, 4, 1610531 },
        { 11025, 4, 7166418 }, { 4204, 8, 105650 }, { 11817, 8, 4539949 },
        { 0, 4, 0 },
    };
    uint32_t i, load, last = 0;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        uint32_t w = place_wait(known[i].load, known[i].cpus * 1024);

        g_assert_cmpuint(w, >=, known[i].wait * 0.95);
        g_assert_cmpuint(w, <=, known[i].wait * 1.05 + 1);
    }
    for (load = 0; load < 20000; load += 7) {
        uint32_t w = place_wait(load, 8 * 1024);

        /* Threads wait no longer than they want to run. */
        g_assert_cmpuint(w, <=, load * UINT64_C(1000000) / 1024);
        g_assert_cmpuint(w, >=, last);
        last = w;
    }
}

static void test_wrong_topology(void)
{
    const struct shape shape = { 2, 1, 4, 1, 0 };
    struct place_topology t = *shape_topology(&shape);
    struct place_cpu cpu[8];
    struct place_limits limits = host_limits;

    g_assert_cmpuint(place_size(&t, &host_limits), >, 0);
    memcpy(cpu, t.cpu, sizeof(cpu));
    t.cpu = cpu;
    cpu[3].node = 1; /* an LLC in two nodes */
    g_assert_cmpuint(place_size(&t, &host_limits), ==, 0);
    cpu[3].node = 0;
    cpu[3].llc = 2;
    g_assert_cmpuint(place_size(&t, &host_limits), ==, 0);
    cpu[3].llc = 0;
    cpu[3].capacity = 0;
    g_assert_cmpuint(place_size(&t, &host_limits), ==, 0);
    cpu[3].capacity = 1;
    t.nr_nodes = 65;
    g_assert_cmpuint(place_size(&t, &host_limits), ==, 0);
    t.nr_nodes = 2;
    limits.max_classes = 0;
    g_assert_cmpuint(place_size(&t, &limits), ==, 0);
}

/* 24 nodes, and the most that there can be: cages within nodes, and a plan. */
static void test_many_nodes(void)
{
    static const struct shape shapes[] = {
        { 24, 1, 8, 2, 0 },
        { 64, 2, 4, 2, 0 },
        { 8, 2, 4, 16, 0 },
    };
    struct place_limits limits = { 300, 2000, 64, 8 };
    uint32_t i, k, t, vm, thread;

    for (i = 0; i < G_N_ELEMENTS(shapes); i++) {
        struct place_host *h = host_new(&shapes[i], &limits);

        for (k = 0; k < 100; k++) {
            struct place_vm_config c = { .vcpus = 1 + k % 6, .memory = 1024 };
            struct place_verdict v;

            place_mode_set(h, PLACE_BALANCE);
            g_assert_cmpint(place_vm_add(h, &c, T0, &vm, &v), ==, 0);
            g_assert_true(v.fits);
            if (i == 0) {
                g_assert_cmpuint(v.nr_nodes, ==, 1);
            }
            for (t = 0; t < c.vcpus; t++) {
                place_thread_add(h, vm, PLACE_VCPU, t, NULL, &thread);
            }
        }
        free(h);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/advise", test_advise);
    g_test_add_func("/placement/others", test_others);
    g_test_add_func("/placement/resident", test_resident);
    g_test_add_func("/placement/starts-at-once", test_starts_at_once);
    g_test_add_func("/placement/promised", test_promised);
    g_test_add_func("/placement/dedicated", test_dedicated);
    g_test_add_func("/placement/isolated", test_isolated);
    g_test_add_func("/placement/hotplug", test_hotplug);
    g_test_add_func("/placement/user-pin", test_user_pin);
    g_test_add_func("/placement/classes-full", test_classes_full);
    g_test_add_func("/placement/two-hot", test_two_hot);
    g_test_add_func("/placement/planted", test_planted);
    g_test_add_func("/placement/widen-narrow", test_widen_narrow);
    g_test_add_func("/placement/modes", test_modes);
    g_test_add_func("/placement/steady", test_steady);
    g_test_add_func("/placement/merge", test_merge);
    g_test_add_func("/placement/merge-limited", test_merge_limited);
    g_test_add_func("/placement/wait", test_wait);
    g_test_add_func("/placement/wrong-topology", test_wrong_topology);
    g_test_add_func("/placement/many-nodes", test_many_nodes);
    return g_test_run();
}

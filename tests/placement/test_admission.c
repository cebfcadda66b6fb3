/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where VMs start, within which limits, and why. */

#include "rig.h"

#include <stdlib.h>
#include <string.h>

static void test_advise(void)
{
    struct rig *r = rig_new(2, 2, 4, 2, 0); /* 32 CPUs, 16 cores */
    struct place_vm_config c = { .vcpus = 4, .memory = 1024 };
    struct place_verdict v;
    char text[400];

    /* An LLC, if its cores suffice. */
    g_assert_cmpint(place_advise(r->h, &c, &v), ==, 0);
    g_assert_true(v.fits);
    rig_assert_cpus(r, v.cage, "0-3,16-19");
    g_assert_cmpuint(v.nr_nodes, ==, 1);
    /* Cores count, not hardware threads: 8 vCPUs need a node, 9 both. */
    c.vcpus = 8;
    place_advise(r->h, &c, &v);
    rig_assert_cpus(r, v.cage, "0-7,16-23");
    c.vcpus = 9;
    place_advise(r->h, &c, &v);
    rig_assert_cpus(r, v.cage, "0-31");
    g_assert_cmpuint(v.nr_nodes, ==, 2);
    g_assert_cmpuint(v.refused_cores, ==, 2);
    /* But for a dense VM. */
    c.policy = PLACE_DENSE;
    place_advise(r->h, &c, &v);
    rig_assert_cpus(r, v.cage, "0-7,16-23");
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
    rig_assert_cpus(r, v.cage, "4-7");
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

        g_assert_cmpint(place_vm_add(h, &c, RIG_BEGIN, &vm, &v), ==, 0);
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
    g_assert_cmpuint(rig_cage_of(r, vm), ==, r->h->node_cage[1]);
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
    uint32_t shared = rig_add(r, 4, 100, PLACE_SHARED, NULL), vm, i,
             mask_cpus = 0;
    struct place_verdict v;
    struct place_set mask, all = { { 0 } };

    vm = rig_add(r, 3, 100, PLACE_DEDICATED, &v);
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
    g_assert_cmpuint(rig_add(r, 6, 100, PLACE_DEDICATED, &v), ==, PLACE_NONE);
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
    uint32_t shared = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t vm = rig_add(r, 2, 10, PLACE_DEDICATED, NULL), thread;
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
    uint32_t vm = rig_add(r, 4, 10, PLACE_SHARED, NULL), i;
    struct place_set mask;

    rig_assert_cpus(r, rig_cage_of(r, vm), "0-3");
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
    uint32_t vm = rig_add(r, 2, 10, PLACE_SHARED, NULL), thread;
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

    place_vm_add(h, &c, RIG_BEGIN, &vm, &v);
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
            g_assert_cmpint(place_vm_add(h, &c, RIG_BEGIN, &vm, &v), ==, 0);
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
    g_test_add_func("/placement/wrong-topology", test_wrong_topology);
    g_test_add_func("/placement/many-nodes", test_many_nodes);
    return g_test_run();
}

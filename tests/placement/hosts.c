/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hosts.h"

#include <stdlib.h>
#include <string.h>

const struct place_limits host_limits = {
    .max_vms = 64,
    .max_threads = 192,
    .max_edges = 128,
    .max_classes = 24,
};

const struct place_topology *shape_topology(const struct shape *shape)
{
    static struct place_cpu cpu[PLACE_MAX_CPUS];
    static uint64_t memory[PLACE_MAX_NODES];
    static uint8_t distance[PLACE_MAX_NODES * PLACE_MAX_NODES];
    static struct place_topology t;
    uint32_t i, j, cores = shape->nodes * shape->llcs * shape->cores;

    t = (struct place_topology){
        .nr_cpus = cores * shape->threads,
        .nr_cores = cores,
        .nr_llcs = shape->nodes * shape->llcs,
        .nr_nodes = shape->nodes,
        .cpu = cpu,
        .memory = memory,
        .distance = distance,
    };
    for (i = 0; i < t.nr_cpus; i++) {
        /* As Linux numbers them: second threads after all first ones. */
        uint32_t core = i % cores;

        cpu[i] = (struct place_cpu){
            .core = (uint16_t)core,
            .llc = (uint16_t)(core / shape->cores),
            .node = (uint16_t)(core / shape->cores / shape->llcs),
            .capacity = PLACE_ONE,
            .exists = true,
            .online = true,
            .isolated = i + shape->isolated >= t.nr_cpus,
        };
    }
    for (i = 0; i < shape->nodes; i++) {
        memory[i] = 65536;
        for (j = 0; j < shape->nodes; j++) {
            distance[i * shape->nodes + j] = i == j         ? 10 :
                                             i / 2 == j / 2 ? 16 :
                                                              22;
        }
    }
    return &t;
}

size_t host_size(const struct shape *shape, const struct place_limits *limits)
{
    return place_size(shape_topology(shape), limits ? limits : &host_limits);
}

struct place_host *host_new(const struct shape *shape,
                            const struct place_limits *limits)
{
    const struct place_topology *t = shape_topology(shape);
    size_t size = host_size(shape, limits);
    struct place_host *h;
    void *memory;

    g_assert_cmpuint(size, >, 0);
    memory = aligned_alloc(64, size);
    h = place_init(memory, size, t, limits ? limits : &host_limits);
    g_assert_nonnull(h);
    return h;
}

uint32_t random_below(uint64_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 16) % limit);
}

static uint32_t common(const struct place_host *h, const uint64_t *a,
                       const uint64_t *b)
{
    uint32_t n = 0, cpu;

    for (cpu = 0; cpu < h->nr_cpus; cpu++) {
        n += bit_test(a, cpu) && (!b || bit_test(b, cpu)) &&
             bit_test(h->available.word, cpu);
    }
    return n;
}

static void check_masks(const struct place_host *h)
{
    uint32_t i, j, cpu;

    for (i = 0; i < h->limits.max_threads; i++) {
        const struct thread *t = &h->thread[i];
        const uint64_t *allowed;
        struct place_set mask;
        uint32_t n = 0;

        if (t->vm == PLACE_NONE) {
            continue;
        }
        allowed = h->class[t->class].allowed.word;
        if (!place_thread_mask(h, i, &mask)) {
            g_assert_true(h->vm[t->vm].policy == PLACE_IGNORE ||
                          !common(h, allowed, NULL) || t->cpu != NONE16);
            continue;
        }
        n = bits_count(mask.word, PLACE_MAX_CPUS / 64);
        g_assert_cmpuint(n, >, 0);
        for (cpu = 0; cpu < PLACE_MAX_CPUS; cpu++) {
            if (bit_test(mask.word, cpu)) {
                g_assert_cmpuint(cpu, <, h->nr_cpus);
                g_assert_true(bit_test(allowed, cpu));
                g_assert_true(bit_test(h->online.word, cpu));
                g_assert_false(bit_test(h->excluded.word, cpu));
                g_assert_true(n == 1 || !bit_test(h->isolated.word, cpu));
                g_assert_true(!bit_test(h->dedicated.word, cpu) ||
                              h->owner[cpu] == t->vm);
            }
        }
        /* I2 */
        if (t->kind == PLACE_VCPU && t->cpu == NONE16) {
            uint32_t siblings = 0, here, all;

            for (j = h->vm[t->vm].first_thread; j != PLACE_NONE;
                 j = h->thread[j].next_of_vm) {
                siblings += h->thread[j].kind == PLACE_VCPU &&
                            h->thread[j].cpu == NONE16 &&
                            h->thread[j].cage == t->cage;
            }
            here = common(h, allowed, h->cage[t->cage].cpus.word);
            all = common(h, allowed, NULL);
            g_assert_true(here >= siblings || here == all);
        }
    }
}

static void check_lists(const struct place_host *h)
{
    uint32_t nr_pairs = 0, threads = 0, free = 0, i, cage, class;

    for (cage = 0; cage < h->nr_cages; cage++) {
        uint32_t nr_threads = 0;
        uint64_t demand = 0;

        for (i = 0; i < h->limits.max_threads; i++) {
            if (h->thread[i].vm != PLACE_NONE && h->thread[i].cage == cage) {
                nr_threads++;
                demand += h->thread[i].cpu == NONE16 ? h->thread[i].demand : 0;
            }
        }
        g_assert_cmpuint(nr_threads, ==, h->cage[cage].nr_threads);
        g_assert_cmpuint(demand, ==, h->cage[cage].demand);
        for (class = 0; class < h->limits.max_classes; class ++) {
            uint16_t id = h->pair_of[cage * h->limits.max_classes + class];
            uint32_t bucket, n = 0, prev;

            g_assert_cmpint(
                id != NONE16, ==,
                bit_test(h->present + cage * h->class_words, class));
            if (id == NONE16) {
                continue;
            }
            nr_pairs++;
            for (bucket = 0; bucket < NR_BUCKETS; bucket++) {
                prev = PLACE_NONE;
                i = h->pair[id].head[bucket];
                g_assert_cmpint(i != PLACE_NONE, ==,
                                h->pair[id].filled >> bucket & 1);
                for (; i != PLACE_NONE; i = h->thread[i].next) {
                    const struct thread *t = &h->thread[i];

                    g_assert_true(t->listed);
                    g_assert_cmpuint(t->cage, ==, cage);
                    g_assert_cmpuint(t->class, ==, class);
                    g_assert_cmpuint(t->bucket, ==, bucket);
                    g_assert_cmpuint(place_bucket(t->demand), ==, bucket);
                    g_assert_cmpuint(t->prev, ==, prev);
                    prev = i;
                    n++;
                }
            }
            g_assert_cmpuint(n, ==, h->pair[id].nr);
            threads += n;
        }
    }
    for (i = 0; i < h->limits.max_threads; i++) {
        const struct thread *t = &h->thread[i];

        if (t->vm != PLACE_NONE) {
            uint8_t policy = h->vm[t->vm].policy;

            g_assert_cmpint(
                t->listed, ==,
                t->cpu == NONE16 &&
                    (policy == PLACE_SHARED || policy == PLACE_DENSE) &&
                    common(h, h->class[t->class].allowed.word, NULL) > 0);
            threads -= t->listed;
        }
    }
    g_assert_cmpuint(threads, ==, 0);
    for (i = h->free_pair; i != NONE16; i = h->pair[i].next_free) {
        free++;
    }
    g_assert_cmpuint(free + nr_pairs, ==, h->nr_pairs);
}

/* takers[c] has d: some movable thread in c is allowed a CPU that d has. */
static void check_takers(const struct place_host *h)
{
    uint32_t c, d, i;

    for (c = 0; c < h->nr_cages; c++) {
        for (d = 0; d < h->nr_cages; d++) {
            bool may = false;

            for (i = 0; i < h->limits.max_threads && !may && c != d; i++) {
                const struct thread *t = &h->thread[i];

                may = t->vm != PLACE_NONE && t->listed && t->cage == c &&
                      common(h, h->class[t->class].allowed.word,
                             h->cage[d].cpus.word);
            }
            g_assert_cmpint(may, ==,
                            bit_test(h->takers + c * h->cage_words, d));
        }
    }
}

static void check_loads(const struct place_host *h)
{
    uint64_t load[PLACE_MAX_CPUS] = { 0 };
    uint32_t i, k;

    for (i = 0; i < h->limits.max_threads + h->limits.max_vms; i++) {
        uint64_t demand;
        const struct cage *c;

        if (i < h->limits.max_threads) {
            if (h->thread[i].vm == PLACE_NONE || h->thread[i].cpu != NONE16) {
                continue;
            }
            demand = h->thread[i].demand;
            c = &h->cage[h->thread[i].cage];
        } else {
            const struct vm *v = &h->vm[i - h->limits.max_threads];

            if (!v->used) {
                continue;
            }
            demand = v->reserved;
            c = &h->cage[v->home];
        }
        for (k = 0; k < c->nr_llcs; k++) {
            uint32_t llc = h->cage_llc[c->llcs + k];

            if (h->llc[llc].nr_cpus) {
                load[llc] += (demand << 10) / c->nr_active;
            }
        }
    }
    for (i = 0; i < h->nr_llcs; i++) {
        g_assert_cmpuint(load[i], ==, h->llc[i].load);
    }
}

static void check_heap(const struct place_host *h)
{
    uint32_t i;

    g_assert_cmpuint(h->heap_size, ==, h->nr_cages);
    for (i = 0; i < h->heap_size; i++) {
        g_assert_cmpuint(h->heap_at[h->heap[i]], ==, i);
        g_assert_cmpuint(h->cage[h->heap[i]].pressure, <=,
                         h->cage[h->heap[i ? (i - 1) / 2 : 0]].pressure);
    }
}

static void check_counts(const struct place_host *h)
{
    uint32_t class, i, vms = 0, edges = 0, classes = 0;

    for (class = 0; class < h->limits.max_classes; class ++) {
        uint32_t n = class == 0;

        for (i = 0; i < h->limits.max_threads; i++) {
            n += h->thread[i].vm != PLACE_NONE && h->thread[i].class == class;
        }
        g_assert_cmpuint(n, ==, h->class[class].nr_threads);
        classes += n != 0;
    }
    g_assert_cmpuint(classes, ==, h->nr_classes);
    for (i = 0; i < h->limits.max_vms; i++) {
        uint32_t demand = 0, n = 0, t;

        if (!h->vm[i].used) {
            continue;
        }
        vms++;
        for (t = 0; t < h->limits.max_threads; t++) {
            if (h->thread[t].vm == i) {
                demand += h->thread[t].demand;
                n++;
            }
        }
        g_assert_cmpuint(demand, ==, h->vm[i].demand);
        g_assert_cmpuint(n, ==, h->vm[i].nr_threads);
    }
    g_assert_cmpuint(vms, ==, h->nr_vms);
    for (i = 0; i < h->limits.max_threads; i++) {
        uint32_t e, k, found = 0;

        if (h->thread[i].vm == PLACE_NONE) {
            continue;
        }
        for (e = h->thread[i].first_edge; e != PLACE_NONE;
             e = h->edge[e].next[h->edge[e].thread[1] == i]) {
            found++;
        }
        for (k = 0; k < h->limits.max_edges; k++) {
            found -= h->edge[k].thread[0] != PLACE_NONE &&
                     (h->edge[k].thread[0] == i || h->edge[k].thread[1] == i);
        }
        g_assert_cmpuint(found, ==, 0);
    }
    for (i = 0; i < h->limits.max_edges; i++) {
        edges += h->edge[i].thread[0] != PLACE_NONE;
    }
    g_assert_cmpuint(edges, ==, h->nr_edges);
}

void check_host(const struct place_host *h)
{
    check_masks(h);
    check_lists(h);
    check_takers(h);
    check_loads(h);
    check_heap(h);
    check_counts(h);
}

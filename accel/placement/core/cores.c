/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dedicated VMs: which cores they get, and how they are taken and given back. */

#include "model.h"

#include <string.h>

uint32_t place_cores_choose(const struct place_host *h, uint32_t cage,
                            const struct place_set *allowed, uint32_t vcpus,
                            struct place_set *chosen)
{
    const uint64_t *cpus = h->cage[cage].cpus.word;
    uint32_t pass, cpu, i, n = 0;

    memset(chosen, 0, sizeof(*chosen));
    for (pass = 0; pass < 2; pass++) {
        for_each_bit(cpu, cpus, h->words)
        {
            bool isolated = bit_test(h->isolated.word, cpu);

            if (n == vcpus || isolated == (pass != 0) ||
                !bit_test(allowed->word, cpu)) {
                continue;
            }
            /* The whole core must be free; its first thread is taken. */
            for_each_bit(i, cpus, h->words)
            {
                if (h->cpu[i].core == h->cpu[cpu].core &&
                    ((i < cpu && bit_test(h->online.word, i)) ||
                     bit_test(h->dedicated.word, i) ||
                     bit_test(h->excluded.word, i))) {
                    break;
                }
            }
            if (i >= h->words * 64 && bit_test(h->online.word, cpu)) {
                bit_set(chosen->word, cpu);
                n++;
            }
        }
    }
    return n;
}

uint32_t place_cores_capacity(const struct place_host *h,
                              const struct place_set *chosen)
{
    uint32_t cpu, i, n = 0;

    for_each_bit(cpu, chosen->word, h->words)
    {
        bool first = true;

        for_each_bit(i, h->available.word, h->words)
        {
            if (h->cpu[i].core == h->cpu[cpu].core) {
                n += h->cpu[i].capacity / (first ? 1 : 4);
                first = false;
            }
        }
    }
    return n;
}

bool place_cores_take(struct place_host *h, uint32_t vm,
                      const struct place_set *chosen, uint64_t now)
{
    struct place_set before = h->dedicated;
    uint32_t cpu, i;

    for_each_bit(cpu, chosen->word, h->words)
    {
        h->owner[cpu] = vm;
        for (i = 0; i < h->nr_cpus; i++) {
            if (h->cpu[i].exists && h->cpu[i].core == h->cpu[cpu].core) {
                bit_set(h->dedicated.word, i);
            }
        }
    }
    /* Somebody's only CPUs must stay. */
    for (i = 0; i < h->limits.max_classes; i++) {
        struct class *c = &h->class[i];
        struct place_set left;
        uint32_t w;

        for (w = 0; w < h->words; w++) {
            left.word[w] = c->allowed.word[w] & h->available.word[w] &
                           ~h->dedicated.word[w];
        }
        if (c->nr_threads && c->usable && bits_empty(left.word, h->words)) {
            h->dedicated = before;
            for_each_bit(cpu, chosen->word, h->words)
            {
                h->owner[cpu] = PLACE_NONE;
            }
            return false;
        }
    }
    place_available_changed(h, now);
    return true;
}

void place_cores_give_back(struct place_host *h, uint32_t vm, uint64_t now)
{
    uint32_t cpu, i;
    bool any = false;

    for (cpu = 0; cpu < h->nr_cpus; cpu++) {
        if (h->owner[cpu] != vm) {
            continue;
        }
        any = true;
        h->owner[cpu] = PLACE_NONE;
        for (i = 0; i < h->nr_cpus; i++) {
            if (h->cpu[i].exists && h->cpu[i].core == h->cpu[cpu].core) {
                bit_clear(h->dedicated.word, i);
            }
        }
    }
    if (any) {
        place_available_changed(h, now);
    }
}

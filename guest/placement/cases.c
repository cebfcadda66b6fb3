/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens in a cell: most guests have the same load all the time; the cases
 * besides ask what a policy does about something.
 */

#include "cell.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between two looks at the masks. */
#define LOOK (NANOSECONDS / 2)

static bool is_case(const struct cell *cell, const char *name)
{
    return !strcmp(cell->name, name);
}

static void load_guest(const struct cell *cell, unsigned int guest,
                       double per_mille)
{
    cell->shared->guest[guest].per_mille =
        per_mille > 1000 ? 1000 : (uint32_t)per_mille;
}

/* Those that a case makes dedicated, and busy. */
static bool is_dedicated_case(const struct cell *cell)
{
    return is_case(cell, "isolated") || is_case(cell, "cpu-off");
}

void case_prepare(struct cell *cell)
{
    unsigned int threads = cell->guests * cell->vcpus;
    unsigned int most = threads < host.nr_cpus ? threads : host.nr_cpus;
    char path[256];

    /* The load is that of all CPUs, or of as many as there are vCPUs. */
    for (unsigned int i = 0; i < cell->guests; i++) {
        load_guest(cell, i, cell->load * 10.0 * most / threads);
    }
    if (is_case(cell, "locked")) {
        cell->pattern = PATTERN_LOCKED;
        cell->burst = 3000;
    }
    snprintf(path, sizeof(path), "%s/config", cell->directory);
    unlink(path);
    if (is_dedicated_case(cell)) {
        write_text(path, "[vm guest0]\npolicy=dedicated\n");
        load_guest(cell, 0, 1000);
    }
}

/* Counts masks that are changed meanwhile. */
static unsigned int wait_for(const struct cell *cell, uint64_t time)
{
    uint64_t end = nanoseconds(CLOCK_MONOTONIC) + time, now;
    unsigned int changed = 0;

    while ((now = nanoseconds(CLOCK_MONOTONIC)) < end) {
        uint64_t nap = end - now < LOOK ? end - now : LOOK;
        struct timespec t = { .tv_sec = (time_t)(nap / NANOSECONDS),
                              .tv_nsec = (long)(nap % NANOSECONDS) };

        nanosleep(&t, NULL);
        changed += masks_changed(cell);
    }
    return changed;
}

/* Two guests with the same CPUs, of which there are some where two share a node. */
static void find_pair(const struct cell *cell, unsigned int pair[2])
{
    for (unsigned int i = 0; i < cell->guests; i++) {
        for (unsigned int k = i + 1; k < cell->guests; k++) {
            if (mask_is_same(i, k)) {
                pair[0] = i;
                pair[1] = k;
                return;
            }
        }
    }
    fail("no two guests share CPUs");
}

/* guest0 goes to where guest1 is; the windows until that is taken back. */
static void make_bad_move(const struct cell *cell, char *more, size_t size)
{
    unsigned long actions = 0, rolled_back = 0;
    unsigned int first, cpus, again = 0;
    uint64_t begin, taken;
    bool there = true;

    /* It refuses while it rests from moves of its own. */
    for (int tries = 0; !policy_move(cell, 0, 1); tries++) {
        if (tries == 60) {
            fail("xen-place does not move guest0");
        }
        wait_for(cell, LOOK);
    }
    first = mask_first(1, 0);
    cpus = mask_cpus(1, 0);
    begin = nanoseconds(CLOCK_MONOTONIC);
    while (!rolled_back &&
           nanoseconds(CLOCK_MONOTONIC) - begin < 60 * NANOSECONDS) {
        wait_for(cell, LOOK);
        policy_actions(cell, &actions, &rolled_back);
    }
    taken = nanoseconds(CLOCK_MONOTONIC) - begin;
    /* Other actions may be right: cages are widened and narrowed. */
    for (begin += taken;
         nanoseconds(CLOCK_MONOTONIC) - begin < 30 * NANOSECONDS;) {
        bool was_there = there;

        wait_for(cell, LOOK);
        there = mask_first(0, 0) == first && mask_cpus(0, 0) == cpus;
        again += there && !was_there;
    }
    snprintf(more, size,
             ", \"taken-back\": %lu, \"windows\": %.1f, \"again\": %u",
             rolled_back, (double)taken / (2.0 * NANOSECONDS), again);
}

/* A CPU each for guest0's vCPUs, which no other may use, and no isolated one shared. */
static bool masks_are_right(const struct cell *cell)
{
    for (unsigned int k = 0; k < cell->vcpus; k++) {
        unsigned int cpu = mask_first(0, k);

        if (mask_cpus(0, k) != 1) {
            return false;
        }
        for (unsigned int i = 0; i < cell->guests; i++) {
            for (unsigned int j = 0; j < cell->vcpus; j++) {
                if ((i || j != k) && mask_has(i, j, cpu)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static double until_right(const struct cell *cell)
{
    uint64_t begin = nanoseconds(CLOCK_MONOTONIC), time = 0;

    do {
        struct timespec t = { .tv_nsec = 50000000 };

        nanosleep(&t, NULL);
        masks_changed(cell);
        time = nanoseconds(CLOCK_MONOTONIC) - begin;
    } while (!masks_are_right(cell) && time < 30 * NANOSECONDS);
    return (double)time / NANOSECONDS;
}

static void turn_cpu_off(const struct cell *cell, char *more, size_t size)
{
    double off, on;
    char path[128];

    masks_changed(cell);
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online",
             mask_first(0, 1));
    if (!masks_are_right(cell) || !write_text(path, "0")) {
        fail("%s: it cannot be turned off, or guest0 has no CPUs of its own",
             path);
    }
    off = until_right(cell);
    if (!write_text(path, "1")) {
        fail("%s: it does not come back", path);
    }
    on = until_right(cell);
    snprintf(more, size, ", \"off\": %.2f, \"on\": %.2f", off, on);
}

/* Masks of several CPUs with an isolated one, which the kernel does not balance. */
static unsigned int several_isolated(const struct cell *cell)
{
    unsigned int several = 0;

    for (unsigned int i = 0; i < cell->guests; i++) {
        for (unsigned int k = 0; k < cell->vcpus; k++) {
            bool any = false;

            for (unsigned int c = 0; c < host.nr_cpus; c++) {
                any |=
                    host.isolated[host.cpu[c]] && mask_has(i, k, host.cpu[c]);
            }
            several += any && mask_cpus(i, k) > 1;
        }
    }
    return several;
}

void case_run(struct cell *cell, const struct policy *policy)
{
    static struct sums from, to;
    unsigned long actions, rolled_back;
    unsigned int masks, before, hot_masks = 0, hot[2] = { 0, 0 };
    uint64_t begin;
    char more[512], of_case[256] = "";

    masks_changed(cell);
    masks = wait_for(cell, cell->settle * NANOSECONDS);
    if (is_case(cell, "hot")) {
        find_pair(cell, hot);
        load_guest(cell, hot[0], 1000);
        load_guest(cell, hot[1], 1000);
        hot_masks = wait_for(cell, 10 * NANOSECONDS);
    }
    before = masks += hot_masks;
    begin = nanoseconds(CLOCK_MONOTONIC);
    sums_read(cell, policy, &from);
    masks += wait_for(cell, cell->seconds * NANOSECONDS);
    sums_read(cell, policy, &to);
    begin = nanoseconds(CLOCK_MONOTONIC) - begin;
    if (is_case(cell, "bad-move")) {
        make_bad_move(cell, of_case, sizeof(of_case));
    } else if (is_case(cell, "cpu-off")) {
        turn_cpu_off(cell, of_case, sizeof(of_case));
    } else if (is_case(cell, "hot") || is_case(cell, "isolated")) {
        double run = 0, delay = 0;

        for (int i = 0; i < (hot[1] ? 2 : 1); i++) {
            run += (double)(to.run_of[hot[i]] - from.run_of[hot[i]]);
            delay += (double)(to.delay_of[hot[i]] - from.delay_of[hot[i]]);
        }
        snprintf(of_case, sizeof(of_case),
                 ", \"hot-run\": %.4f, \"hot-delay\": %.4f, \"hot-masks\": %u, "
                 "\"several\": %u",
                 run / 1e9, delay / 1e9, hot_masks, several_isolated(cell));
    }
    policy_actions(cell, &actions, &rolled_back);
    snprintf(more, sizeof(more),
             ", \"masks-before\": %u, \"actions\": %lu, \"rolled-back\": %lu%s",
             before, actions, rolled_back, of_case);
    result_print(cell, &from, &to, begin, masks, more);
}

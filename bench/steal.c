/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: steal [--judge]
 *
 * Masks before locks: an idle CPU looks for a run queue from which it may take a
 * vCPU.  192 run queues, with their vCPUs pinned, limited to nodes, or free; how
 * many queues' locks an attempt takes, and how long it is, with four checks
 * before the lock:
 *
 *   none        each queue is locked (Xen until 4.8)
 *   counter     not those with one vCPU at most (Xen since 4.9)
 *   mask        not those whose mask, of CPUs where its waiting vCPUs may run,
 *               lacks the thief (proposed for Xen in 2016)
 *   transposed  for each CPU a mask of the queues that have a vCPU for it: what
 *               ../accel/placement/core/class.c does with cages
 *
 * One thread, warm caches: a lower bound of what is saved.  --judge fails if
 * locks are taken where no vCPU may be taken, or if the transposed mask takes
 * more locks than no check where nothing is pinned.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NR_CPUS 192
#define WORDS (NR_CPUS / 64)
#define CPUS_A_NODE 24
#define MAX_VCPUS 2
#define ROUNDS 2000

struct mask {
    uint64_t word[WORDS];
};

/* The first vCPU runs, the others wait. */
static struct queue {
    struct mask allowed[MAX_VCPUS], waiting;
    unsigned int nr;
    uint8_t lock;
} queue[NR_CPUS];

static struct mask takeable[NR_CPUS];
static uint64_t locks;

static bool test(const struct mask *m, unsigned int bit)
{
    return m->word[bit / 64] >> (bit % 64) & 1;
}

static void set(struct mask *m, unsigned int bit)
{
    m->word[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* With its lock, as another CPU could change the queue meanwhile. */
static bool scan(struct queue *q, unsigned int thief)
{
    bool found = false;

    while (__atomic_exchange_n(&q->lock, 1, __ATOMIC_ACQUIRE)) {
    }
    locks++;
    for (unsigned int i = 1; i < q->nr && !found; i++) {
        found = test(&q->allowed[i], thief);
    }
    __atomic_store_n(&q->lock, 0, __ATOMIC_RELEASE);
    return found;
}

static bool steal_unchecked(unsigned int thief)
{
    for (unsigned int k = 1; k < NR_CPUS; k++) {
        if (scan(&queue[(thief + k) % NR_CPUS], thief)) {
            return true;
        }
    }
    return false;
}

static bool steal_counter(unsigned int thief)
{
    for (unsigned int k = 1; k < NR_CPUS; k++) {
        struct queue *q = &queue[(thief + k) % NR_CPUS];

        if (q->nr > 1 && scan(q, thief)) {
            return true;
        }
    }
    return false;
}

static bool steal_mask(unsigned int thief)
{
    for (unsigned int k = 1; k < NR_CPUS; k++) {
        struct queue *q = &queue[(thief + k) % NR_CPUS];

        if (test(&q->waiting, thief) && scan(q, thief)) {
            return true;
        }
    }
    return false;
}

static bool steal_transposed(unsigned int thief)
{
    const struct mask *from = &takeable[thief];

    for (unsigned int k = 0; k < WORDS; k++) {
        uint64_t word = from->word[k];

        for (; word; word &= word - 1) {
            unsigned int q = k * 64 + (unsigned int)__builtin_ctzll(word);

            if (q != thief && scan(&queue[q], thief)) {
                return true;
            }
        }
    }
    return false;
}

enum pinned { FREE, PINNED, NODE };

/* @vcpus on each queue, or with 0 two on one of them and one on the others. */
static void fill(unsigned int vcpus, enum pinned pinned)
{
    memset(queue, 0, sizeof(queue));
    memset(takeable, 0, sizeof(takeable));
    for (unsigned int p = 0; p < NR_CPUS; p++) {
        struct queue *q = &queue[p];

        q->nr = vcpus ? vcpus : p == NR_CPUS / 2 ? 2 : 1;
        for (unsigned int i = 0; i < q->nr; i++) {
            for (unsigned int c = 0; c < NR_CPUS; c++) {
                if (pinned == FREE || (pinned == PINNED && c == p) ||
                    (pinned == NODE && c / CPUS_A_NODE == p / CPUS_A_NODE)) {
                    set(&q->allowed[i], c);
                    if (i) {
                        set(&q->waiting, c);
                        set(&takeable[c], p);
                    }
                }
            }
        }
    }
}

struct result {
    double locks, nanoseconds;
    uint64_t found;
};

static struct result measure(bool (*steal)(unsigned int))
{
    struct timespec begin, end;
    uint64_t attempts = 0;
    struct result r = { 0 };

    locks = 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (unsigned int i = 0; i < ROUNDS; i++) {
        for (unsigned int thief = 0; thief < NR_CPUS; thief += 7) {
            r.found += steal(thief);
            attempts++;
        }
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    r.nanoseconds = ((double)(end.tv_sec - begin.tv_sec) * 1e9 +
                     (double)(end.tv_nsec - begin.tv_nsec)) /
                    (double)attempts;
    r.locks = (double)locks / (double)attempts;
    return r;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned int vcpus;
        enum pinned pinned;
        bool nothing; /* there is no vCPU that a thief may take */
    } cases[] = {
        { "pinned, one a CPU", 1, PINNED, true },
        { "pinned, two a CPU", 2, PINNED, true },
        { "limited to nodes, two a CPU", 2, NODE, false },
        { "free, one a CPU", 1, FREE, true },
        { "free, two a CPU", 2, FREE, false },
        { "free, one CPU has two", 0, FREE, false },
    };
    bool (*const steal[])(unsigned int) = {
        steal_unchecked,
        steal_counter,
        steal_mask,
        steal_transposed,
    };
    bool judge = argc == 2 && !strcmp(argv[1], "--judge"), good = true;

    if (argc > 1 && !judge) {
        fprintf(stderr, "steal: unknown option '%s': --judge is the only one\n",
                argv[1]);
        return 2;
    }
    printf("| %-28s | %-13s | %-13s | %-13s | %-13s |\n",
           "locks, ns an attempt", "none", "counter", "mask", "transposed");
    printf("|---|--:|--:|--:|--:|\n");
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result r[4];

        fill(cases[i].vcpus, cases[i].pinned);
        printf("| %-28s |", cases[i].name);
        for (unsigned int k = 0; k < 4; k++) {
            r[k] = measure(steal[k]);
            printf(" %5.1f, %6.1f |", r[k].locks, r[k].nanoseconds);
            /* All find one, or none does. */
            good &= r[k].found == r[0].found &&
                    (r[k].found == 0) == cases[i].nothing;
        }
        printf("\n");
        if (judge) {
            good &=
                cases[i].nothing ? r[3].locks == 0 : r[3].locks <= r[0].locks;
        }
    }
    if (!good) {
        fprintf(stderr, "steal: a check found other vCPUs than the others, or "
                        "took locks for nothing\n");
    }
    return good ? 0 : 1;
}

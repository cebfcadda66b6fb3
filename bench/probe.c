/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock, the yardsticks, and probes for other work on the processor. */

#include "bench.h"
#include "atomic.h"

#include <time.h>

#define LATENCY_STEPS   4000
#define WIDTH_STEPS     2000

static int64_t read_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_thread_time(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Each expects a value that is known before, so none waits for another one. */
void bench_yardstick(unsigned int n)
{
    uint64_t word[16] __attribute__((aligned(128))) = { 0 };
    uint64_t old;

    while (n--) {
        old = 0;
        evtchn_cmpxchg(word, &old, UINT64_C(0));
    }
}

void bench_dependent_yardstick(unsigned int n)
{
    uint64_t word[16] __attribute__((aligned(128))) = { 0 };
    uint64_t old = 0;

    while (n--) {
        if (evtchn_cmpxchg(word, &old, old + 1)) {
            old++;
        }
    }
}

/* The compiler must neither fold nor widen these: each is one instruction. */
#define ADD(x) __asm__ volatile("add $1, %0" : "+r"(x))

double bench_latency_probe(void)
{
    int64_t start = bench_now();
    uint64_t a = 0;
    unsigned int i;

    for (i = 0; i < LATENCY_STEPS; i += 4) {
        ADD(a);
        ADD(a);
        ADD(a);
        ADD(a);
    }
    return bench_now() - start;
}

/* As many chains as a core has adders, which a busy hyperthread would share. */
double bench_width_probe(void)
{
    int64_t start = bench_now();
    uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0;
    unsigned int i;

    for (i = 0; i < WIDTH_STEPS; i += 2) {
        ADD(a);
        ADD(b);
        ADD(c);
        ADD(d);
        ADD(e);
        ADD(f);
        ADD(a);
        ADD(b);
        ADD(c);
        ADD(d);
        ADD(e);
        ADD(f);
    }
    return bench_now() - start;
}

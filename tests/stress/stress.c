/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stress of the event-channel model: rounds, figures and the verdict. */

#include "stress.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_MESSAGES 20

static const struct round rounds[] = {
    { { EVTCHN_ABI_2L, EVTCHN_ABI_2L }, { false, false } },
    { { EVTCHN_ABI_FIFO, EVTCHN_ABI_FIFO }, { false, false } },
    { { EVTCHN_ABI_2L, EVTCHN_ABI_2L }, { true, true } },
    { { EVTCHN_ABI_2L, EVTCHN_ABI_FIFO }, { false, false } },
    { { EVTCHN_ABI_FIFO, EVTCHN_ABI_2L }, { true, true } },
    { { EVTCHN_ABI_FIFO, EVTCHN_ABI_FIFO }, { true, false } },
    { { EVTCHN_ABI_3L, EVTCHN_ABI_3L }, { false, true } },
    { { EVTCHN_ABI_3L, EVTCHN_ABI_FIFO }, { false, false } },
    { { EVTCHN_ABI_2L, EVTCHN_ABI_3L }, { true, true } },
};

static void *(*const thread_func[T_VCPUS])(void *) = {
    [T_DEVICE] = device_thread,
    [T_CONTROL] = control_thread,
    [T_CHURN] = churn_thread,
    [T_LIFE] = life_thread,
};

static int64_t opt_events = 10000000;
static int64_t opt_seed = 1;
static int opt_threads = T_VCPUS + 2 * MIN_VCPUS;

static GOptionEntry options[] = {
    { "events", 'n', 0, G_OPTION_ARG_INT64, &opt_events,
      "Events in all (10000000)", "N" },
    { "seed", 's', 0, G_OPTION_ARG_INT64, &opt_seed,
      "Seed of the threads' random numbers (1)", "N" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &opt_threads,
      "8 to 16: four, and two guests' vCPUs (8)", "N" },
    { .long_name = NULL }
};

__thread struct thread *self;

static uint32_t faults[NR_FAULTS];

void stress_fault(enum fault fault, const char *fmt, ...)
{
    static uint32_t messages;
    va_list ap;
    char *text;

    evtchn_fetch_add(&faults[fault], 1);
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fprintf(stderr, "stress: %s\n", text);
    g_free(text);
    /* After so many faults the test's own state is wrong, too: end. */
    if (evtchn_fetch_add(&messages, 1) == MAX_MESSAGES) {
        fprintf(stderr, "stress: too many faults\n");
        _exit(1);
    }
}

bool stress_stopping(struct stress *s)
{
    return evtchn_load(&s->stop);
}

static void setup(struct stress *s, const struct round *round, uint64_t seed)
{
    unsigned int i;

    memset(s, 0, sizeof(*s));
    s->nr_threads = opt_threads;
    s->nr_vcpus = (s->nr_threads - T_VCPUS) / 2;
    s->world = world_new();
    s->chans = g_ptr_array_new_with_free_func(free);
    s->controlled = g_ptr_array_new();
    s->orders = g_ptr_array_new_with_free_func(g_free);
    for (i = 0; i < s->nr_threads; i++) {
        struct thread *t = &s->thread[i];

        t->s = s;
        t->id = i;
        t->rng = (seed * MAX_THREADS + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        if (i >= T_VCPUS) {
            t->dom = &s->dom[DOM_A + (i - T_VCPUS) / s->nr_vcpus];
            t->vcpu = (i - T_VCPUS) % s->nr_vcpus;
        }
        t->sends = g_ptr_array_new();
        t->batchable = g_ptr_array_new();
        t->polled = g_ptr_array_new();
    }
    self = &s->thread[T_CONTROL];
    dom_new(s, DOM_A, round->abi[0], round->word32[0]);
    dom_new(s, DOM_B, round->abi[1], round->word32[1]);
    dom_new(s, DOM_C, EVTCHN_ABI_2L, false);
    dom_new(s, DOM_H, EVTCHN_ABI_HOST, false);
    setup_channels(s);
    life_setup(s);
    churn_setup(s);
}

static void check_guest(struct dom *dom)
{
    unsigned int i;

    for (i = 0; i < dom->g->nr_vcpus && dom->id != DOM_H; i++) {
        if (dom->g->vcpu[i].wild_heads) {
            stress_fault(FAULT_OTHER, "%s vcpu %u: a queue that names no port",
                         dom->name, i);
        }
    }
}

static void teardown(struct stress *s)
{
    unsigned int i;

    self = &s->thread[T_CONTROL];
    churn_close_all();
    for (i = 0; i < s->chans->len; i++) {
        chan_check(g_ptr_array_index(s->chans, i));
    }
    for (i = 0; i < NR_DOMS; i++) {
        check_guest(&s->dom[i]);
        dom_free(&s->dom[i]);
    }
    for (i = 0; i < s->nr_threads; i++) {
        g_ptr_array_free(s->thread[i].sends, true);
        g_ptr_array_free(s->thread[i].batchable, true);
        g_ptr_array_free(s->thread[i].polled, true);
    }
    g_ptr_array_free(s->controlled, true);
    g_ptr_array_free(s->orders, true);
    g_ptr_array_free(s->chans, true);
    world_free(s->world);
}

/* No thread makes progress: print what is owed, and exit at once. */
static void G_GNUC_NORETURN stuck(struct stress *s)
{
    unsigned int i;

    stress_fault(FAULT_LOST, "no event in %d s", PATIENCE);
    for (i = 0; i < s->chans->len; i++) {
        struct chan *c = g_ptr_array_index(s->chans, i);

        if (evtchn_load(&c->owed)) {
            stress_fault(FAULT_LOST, "%s port %u: owed", c->name, c->port);
        }
    }
    for (i = 0; i < s->nr_threads; i++) {
        fprintf(stderr, "stress: thread %u: %" PRIu64 " events\n", i,
                s->thread[i].counts.events);
    }
    _exit(1);
}

static void wait_for_events(struct stress *s)
{
    int64_t last_time = g_get_monotonic_time();
    uint64_t last_events = 0;
    uint64_t events;

    while ((events = evtchn_load(&s->events)) < s->target) {
        g_usleep(5000);
        if (events != last_events) {
            last_events = events;
            last_time = g_get_monotonic_time();
        } else if (g_get_monotonic_time() - last_time >
                   PATIENCE * G_USEC_PER_SEC) {
            stuck(s);
        }
    }
    evtchn_exchange(&s->stop, 1);
    last_time = g_get_monotonic_time();
    while (evtchn_load(&s->quiet) < s->nr_threads) {
        g_usleep(1000);
        if (g_get_monotonic_time() - last_time >
            2 * PATIENCE * G_USEC_PER_SEC) {
            stuck(s);
        }
    }
}

static void run_round(struct stress *s, struct counts *total)
{
    const size_t nr_counts = sizeof(struct counts) / sizeof(uint64_t);
    uint64_t *sum = (uint64_t *)total;
    unsigned int i, k;

    for (i = 0; i < s->nr_threads; i++) {
        int rc = pthread_create(&s->thread[i].pthread, NULL,
                                i < T_VCPUS ? thread_func[i] : vcpu_thread,
                                &s->thread[i]);

        g_assert_cmpint(rc, ==, 0);
    }
    wait_for_events(s);
    for (i = 0; i < s->nr_threads; i++) {
        const uint64_t *counts = (const uint64_t *)&s->thread[i].counts;

        pthread_join(s->thread[i].pthread, NULL);
        for (k = 0; k < nr_counts; k++) {
            sum[k] += counts[k];
        }
    }
}

static void parse_options(int argc, char **argv)
{
    g_autoptr(GError) err = NULL;
    GOptionContext *context = g_option_context_new("- stress the model");

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        fprintf(stderr, "stress: %s\n", err->message);
        exit(2);
    }
    g_option_context_free(context);
    if (argc > 1 || opt_events < 1) {
        fprintf(stderr, "stress: usage: stress [--events N] [--seed N] "
                "[--threads N]\n");
        exit(2);
    }
    if (opt_threads < T_VCPUS + 2 * MIN_VCPUS || opt_threads > MAX_THREADS ||
        opt_threads % 2) {
        fprintf(stderr, "stress: --threads: %d is not an even number from %d "
                "to %d\n", opt_threads, T_VCPUS + 2 * MIN_VCPUS, MAX_THREADS);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    int64_t start = g_get_monotonic_time();
    struct stress *s = aligned_alloc(64, sizeof(*s));
    struct counts total = { 0 };
    uint32_t faulty = 0;
    unsigned int i;

    parse_options(argc, argv);
    for (i = 0; i < G_N_ELEMENTS(rounds); i++) {
        setup(s, &rounds[i], opt_seed * G_N_ELEMENTS(rounds) + i);
        s->target = opt_events / G_N_ELEMENTS(rounds) + 1;
        run_round(s, &total);
        teardown(s);
    }
    for (i = 0; i < NR_FAULTS; i++) {
        faulty += faults[i];
    }
    printf("stress: %" PRIu64 " events in %.1f s, %zu rounds of %u threads: "
           "%" PRIu64 " upcalls, %" PRIu64 " batches, %" PRIu64 " ordered, "
           "%" PRIu64 " polls, %" PRIu64 " moves, %" PRIu64 " priorities, "
           "%" PRIu64 " masks, %" PRIu64 " binds, %" PRIu64 " closes, "
           "%" PRIu64 " resets, %" PRIu64 " switches, %" PRIu64 " destroyed, "
           "%" PRIu64 " wild, %" PRIu64 " voided; lost %u, extra %u, "
           "out of order %u, while masked %u, other faults %u\n",
           total.events, (g_get_monotonic_time() - start) / 1e6,
           G_N_ELEMENTS(rounds), s->nr_threads, total.upcalls, total.batches,
           total.ordered, total.polls, total.moves, total.priorities,
           total.masks, total.binds, total.closes, total.resets,
           total.switches, total.destroyed, total.wild, total.voided,
           faults[FAULT_LOST], faults[FAULT_EXTRA], faults[FAULT_ORDER],
           faults[FAULT_MASKED], faults[FAULT_OTHER]);
    free(s);
    return faulty ? 1 : 0;
}

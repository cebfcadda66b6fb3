/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of cases; built twice, see bench.h. */

#include "run.h"
#include "linux.h"

#include <glib.h>

#ifdef BENCH_COUNT
#include "count.h"
#define BENCH_OPS bench_counted
#else
#define BENCH_OPS bench_timed
#endif

#define FIFO_ONLY   BENCH_ABI_BIT(BENCH_FIFO)
#define NO_ABI      BENCH_ABI_BIT(BENCH_NO_ABI)

/* A case of one thread; and one of several threads. */
#define ONE_THREAD(name_, what_, run_, ports_, ...)                         \
    { .name = name_, .what = what_, .abis = BENCH_ALL_ABIS,                 \
      .min_threads = 1, .max_threads = 1, .account = BENCH_EACH,            \
      .run = bench_run_##run_, .ports = ports_, __VA_ARGS__ }
#define THREADS(name_, what_, account_, run_, ports_, ...)                  \
    { .name = name_, .what = what_, .abis = BENCH_64_BIT,                   \
      .min_threads = 1, .max_threads = BENCH_MAX_THREADS,                   \
      .account = account_, .run = bench_run_##run_, .ports = ports_,        \
      __VA_ARGS__ }

/* Some cases override an initializer of the macro. */
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct bench_case cases[] = {
    ONE_THREAD("ipi", "send to oneself, take the upcall, handle", ipi,
               BENCH_ADJACENT),
    ONE_THREAD("ipi-test-guest", "the same with the consumer of tests/guest/",
               ipi_test_guest, BENCH_ADJACENT),
    ONE_THREAD("interdomain", "sent by another domain", interdomain,
               BENCH_INTERDOMAIN_PORT),
    ONE_THREAD("pirq", "a PIRQ", pirq, BENCH_PIRQ_PORT),
    ONE_THREAD("virq", "a vCPU's VIRQ_TIMER", virq, BENCH_VIRQ_PORT),
    ONE_THREAD("to-host", "to a back end's domain", to_host, BENCH_HOST_PORT),
    ONE_THREAD("already-pending", "a send to a port that is pending", pending,
               BENCH_ADJACENT_AT_0, .account = BENCH_MERGED),
    ONE_THREAD("batch64", "64 adjacent ports, one upcall", batch, BENCH_BATCH),
    ONE_THREAD("batch64-stride", "64 ports in words of their own, one upcall",
               batch_stride, BENCH_STRIDE),
    ONE_THREAD("mask-send-unmask", "sent while masked, raised by unmask",
               mask_send_unmask, BENCH_ADJACENT),
    ONE_THREAD("priority-change", "another priority before each send",
               priority_change, BENCH_ADJACENT, .abis = FIFO_ONLY),
    ONE_THREAD("2-ports-alternating", "two ports in turn", alternate,
               BENCH_ADJACENT_AT_0),

    /* Each thread has its own vCPU and its own port. */
    THREADS("distinct-adjacent", "ports one after the other", BENCH_EACH, ipi,
            BENCH_ADJACENT),
    THREADS("distinct-6apart", "six IPIs a vCPU, as Linux has", BENCH_EACH,
            six_apart, BENCH_SIX_APART),
    THREADS("distinct-far", "1,024 ports apart, with 2-level 256", BENCH_EACH,
            far, BENCH_FAR),
    THREADS("distinct-own-line", "the same, with 2-level 512: a cache line "
            "each", BENCH_EACH, own_line, BENCH_OWN_LINE),

    /* One vCPU: thread 0 sends and handles; the others only send (and wait). */
    THREADS("1vcpu-far-flat", "ports far apart, no sender waits", BENCH_MERGED,
            far_flat, BENCH_FAR_AT_0),
    THREADS("1vcpu-adj-flat", "adjacent ports, no sender waits", BENCH_MERGED,
            adjacent_flat, BENCH_ADJACENT_AT_0),
    THREADS("1vcpu-prio-flat", "a priority each, no sender waits", BENCH_MERGED,
            priorities_flat, BENCH_PRIORITIES, .abis = FIFO_ONLY),
    THREADS("1vcpu-far-acked", "ports far apart, each sender waits",
            BENCH_EACH, far_acked, BENCH_FAR_AT_0, .others_wait = true),
    THREADS("1vcpu-adj-acked", "adjacent ports, each sender waits",
            BENCH_EACH, adjacent_acked, BENCH_ADJACENT_AT_0,
            .others_wait = true),
    THREADS("1vcpu-prio-acked", "a priority each, each sender waits",
            BENCH_EACH, priorities_acked, BENCH_PRIORITIES, .abis = FIFO_ONLY,
            .others_wait = true),
    THREADS("1vcpu-adj-pending", "adjacent ports, no event is handled",
            BENCH_MERGED, pending, BENCH_ADJACENT_AT_0),
    THREADS("same-port-flat", "one port for all, no sender waits", BENCH_MERGED,
            same_port_flat, BENCH_ADJACENT_AT_0),
    THREADS("same-port-pending", "one port for all, no event is handled",
            BENCH_MERGED, same_port_pending, BENCH_ADJACENT_AT_0),

    /* Ports are opened and closed. */
    THREADS("alloc+close-1dom", "an unbound port, all in one domain",
            BENCH_NOT_EVENTS, alloc_one_domain, BENCH_NO_PORTS),
    THREADS("alloc+close-own-dom", "an unbound port, a domain each",
            BENCH_NOT_EVENTS, alloc_own_domain, BENCH_NO_PORTS),
    THREADS("bind_virq+close", "a vCPU's VIRQ_TIMER each, in one domain",
            BENCH_NOT_EVENTS, virq_and_close, BENCH_NO_PORTS),
    THREADS("far-under-alloc", "distinct-far, and one thread more opens and "
            "closes", BENCH_EACH, far_under_alloc, BENCH_FAR,
            .min_threads = 2, .base = "distinct-far", .idle_threads = 1),

    /* The machine's own speed. */
    THREADS("yardstick", "a compare-exchange that nothing depends on",
            BENCH_NOT_EVENTS, yardstick, BENCH_NO_PORTS, .abis = NO_ABI),
    THREADS("yardstick-dependent", "a compare-exchange after another",
            BENCH_NOT_EVENTS, dependent_yardstick, BENCH_NO_PORTS,
            .abis = NO_ABI),
};

static bool fits(const struct bench_case *c, enum bench_abi abi,
                 unsigned int nr_threads)
{
    return c->abis & BENCH_ABI_BIT(abi) && nr_threads >= c->min_threads &&
           nr_threads <= c->max_threads &&
           (c->max_threads == 1 || c->ports == BENCH_NO_PORTS ||
            nr_threads <= bench_room(abi, c->ports));
}

/* Keeping account -------------------------------------------------------------- */

static void reset_handled(struct bench_rig *rig, const struct bench_case *c)
{
    struct bench_domain *dom = rig->set[c->ports].domain;
    unsigned int i;

    for (i = 0; i < dom->nr_sources; i++) {
        dom->sources[i].handled = 0;
    }
}

static uint64_t handled(struct bench_rig *rig, const struct bench_case *c)
{
    struct bench_domain *dom = rig->set[c->ports].domain;
    uint64_t sum = 0;
    unsigned int i;

    for (i = 0; i < dom->nr_sources; i++) {
        sum += __atomic_load_n(&dom->sources[i].handled, __ATOMIC_RELAXED);
    }
    return sum;
}

static void upcall(struct bench_rig *rig, const struct bench_case *c,
                   unsigned int vcpu)
{
    struct bench_domain *dom = rig->set[c->ports].domain;
    struct bench_vcpu *v = &dom->vcpu[vcpu];

    if (!v->domain) {
        return;     /* a back end's domain has no upcall */
    }
    switch (rig->abi) {
    case BENCH_2L_64:
        linux_upcall(v, BENCH_2L_64);
        break;
    case BENCH_2L_32:
        linux_upcall(v, BENCH_2L_32);
        break;
    case BENCH_3L_64:
        linux_upcall(v, BENCH_3L_64);
        break;
    case BENCH_3L_32:
        linux_upcall(v, BENCH_3L_32);
        break;
    default:
        linux_upcall(v, BENCH_FIFO);
    }
}

/*
 * A port whose event was lost stays pending for ever, so that the event sent
 * here is not handled.
 */
static const char *check(struct bench_rig *rig, const struct bench_case *c,
                         unsigned int nr_threads)
{
    struct bench_port_set *set = &rig->set[c->ports];
    unsigned int i;
    int rc;

    for (i = 0; i < set->nr && (i < nr_threads || c->max_threads == 1); i++) {
        reset_handled(rig, c);
        /* A guest may not send by a VIRQ's or PIRQ's port. */
        rc = c->ports == BENCH_VIRQ_PORT || c->ports == BENCH_PIRQ_PORT ?
            evtchn_raise_port(set->sender, set->port[i]) :
            evtchn_send(set->sender, set->port[i]);
        if (rc) {
            return "a send fails";
        }
        upcall(rig, c, set->vcpu[i]);
        if (handled(rig, c) != 1) {
            return "a port that was used is dead";
        }
    }
    return NULL;
}

static void get_steps(struct bench_steps *steps)
{
#ifdef BENCH_COUNT
    *steps = bench_steps;
#else
    *steps = (struct bench_steps) { 0 };
#endif
}

__attribute__((visibility("default")))
const struct bench_ops BENCH_OPS = {
    .cases = cases,
    .nr_cases = G_N_ELEMENTS(cases),
    .fits = fits,
    .rig_new = bench_rig_new,
    .rig_free = bench_rig_free,
    .reset_handled = reset_handled,
    .handled = handled,
    .upcall = upcall,
    .check = check,
    .get_steps = get_steps,
};

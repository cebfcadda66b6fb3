/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interleave [--long] [--every-step | --compare] [--list] [--find]
 *            [--max-states N] [SCENARIO ...]
 *
 * Explores all scenarios, or those named (a name that ends in * stands for all
 * that begin so).  --find turns success round: the model was built with a
 * fault, and at least one scenario must find it.  --compare explores each one
 * with and without the reduction (see explore.h); both must have as many ends.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore.h"
#include "scenarios.h"

#define MAX_STATES 20000000u
#define MAX_STATES_LONG 400000000u

static const struct il_scenario *const scenarios[] = {
    il_scenarios_fifo, il_scenarios_binding, il_scenarios_bits,
    il_scenarios_change, il_scenarios_long,
};

struct options {
    bool long_run, list, find, compare;
    struct il_options il;
    char **names;
    int nr_names;
};

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);

    if (n && pattern[n - 1] == '*') {
        return !strncmp(pattern, name, n - 1);
    }
    return !strcmp(pattern, name);
}

static bool wanted(const struct options *o, const struct il_scenario *s)
{
    for (int i = 0; i < o->nr_names; i++) {
        if (matches(o->names[i], s->name)) {
            return true;
        }
    }
    return !o->nr_names && (o->long_run || !s->long_only);
}

static void parse(struct options *o, int argc, char **argv)
{
    int i;

    *o = (struct options){ 0 };
    for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
        if (!strcmp(argv[i], "--long")) {
            o->long_run = true;
        } else if (!strcmp(argv[i], "--list")) {
            o->list = true;
        } else if (!strcmp(argv[i], "--find")) {
            o->find = true;
            o->il.quiet = true;
        } else if (!strcmp(argv[i], "--compare")) {
            o->compare = true;
            il_skip_awaited = true;
        } else if (!strcmp(argv[i], "--every-step")) {
            o->il.every_step = true;
        } else if (!strcmp(argv[i], "--max-states") && i + 1 < argc) {
            o->il.max_states = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr,
                    "usage: %s [--long] [--every-step | --compare] "
                    "[--list] [--find] [--max-states N] [SCENARIO ...]\n",
                    argv[0]);
            exit(2);
        }
    }
    o->names = argv + i;
    o->nr_names = argc - i;
    if (!o->il.max_states) {
        o->il.max_states = o->long_run ? MAX_STATES_LONG : MAX_STATES;
    }
}

static void report(const struct il_scenario *s, const struct il_result *r)
{
    printf("%-26s %9" PRIu64 " states %9" PRIu64 " steps  depth %3u  %4" PRIu64
           " ends",
           s->name, r->states, r->transitions, r->depth, r->ends);
    if (s->hostile) {
        printf("  op <= %u", r->op_steps);
    }
    printf("  %.1f s%s%s\n", r->seconds, r->failure ? "  VIOLATION: " : "",
           r->failure ? r->failure : "");
}

/* Without the reduction there are more states, but no other ends. */
static bool same_without_reduction(const struct options *o,
                                   const struct il_scenario *s,
                                   const struct il_result *reduced)
{
    struct il_options il = o->il;
    struct il_result r;

    il.every_step = true;
    il_explore(il_world_setup, il_world_end, s, &il, &r);
    report(s, &r);
    if (r.ends != reduced->ends) {
        printf("%s: the reduction has hidden or made up ends\n", s->name);
    }
    return !r.failure && r.ends == reduced->ends;
}

struct total {
    unsigned int nr, failures;
    uint64_t states, transitions;
    bool found;
};

static void explore(const struct options *o, const struct il_scenario *s,
                    struct total *total)
{
    struct il_result r;

    il_explore(il_world_setup, il_world_end, s, &o->il, &r);
    report(s, &r);
    total->states += r.states;
    total->transitions += r.transitions;
    total->found |= r.failure && !r.limited;
    if (!o->find && (!r.exhausted ||
                     (o->compare && !same_without_reduction(o, s, &r)))) {
        total->failures++;
    }
}

/* A sanitizer's report is a finding, too; it ends by abort(). */
static void found_by_sanitizer(int sig)
{
    (void)sig;
    _exit(0);
}

int main(int argc, char **argv)
{
    const size_t n = sizeof(scenarios) / sizeof(*scenarios);
    const struct il_scenario *s;
    struct total total = { 0 };
    struct options o;

    parse(&o, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (o.find) {
        signal(SIGABRT, found_by_sanitizer);
    }
    for (size_t i = 0; i < n; i++) {
        for (s = scenarios[i]; s->name && !(o.find && total.found); s++) {
            if (!wanted(&o, s)) {
                continue;
            }
            total.nr++;
            if (o.list) {
                printf("%s\n", s->name);
            } else {
                explore(&o, s, &total);
            }
        }
    }
    if (!total.nr) {
        fprintf(stderr, "interleave: no such scenario\n");
        return 2;
    }
    if (o.list) {
        return 0;
    }
    printf("%u scenarios, %" PRIu64 " states, %" PRIu64 " steps, %u failed\n",
           total.nr, total.states, total.transitions, total.failures);
    return o.find ? !total.found : total.failures != 0;
}

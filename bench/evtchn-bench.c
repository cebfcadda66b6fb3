/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measures the event-channel model's time, atomic operations and memory. */

#include "bench.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static int opt_rounds = 100;
static int opt_threads;
static char **opt_cases;
static char **opt_abis;
static gboolean opt_json;
static gboolean opt_markdown;
static gboolean opt_list;
static gboolean opt_traffic;

static GOptionEntry options[] = {
    { "case", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &opt_cases,
      "Only this case, see --list; may be given again", "NAME" },
    { "abi", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &opt_abis,
      "Only 2l-64, 2l-32, 3l-64, 3l-32 or fifo; may be given again", "ABI" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &opt_threads,
      "Only 1, 2, 4, 8 or 16 threads, and what that is compared with", "N" },
    { "rounds", 'r', 0, G_OPTION_ARG_INT, &opt_rounds,
      "Samples of each measurement (100)", "N" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &opt_json, "Print JSON", NULL },
    { "markdown", 'm', 0, G_OPTION_ARG_NONE, &opt_markdown,
      "Print tables for the documentation", NULL },
    { "traffic", 0, 0, G_OPTION_ARG_NONE, &opt_traffic,
      "Also count who wakes whom, as for -machine xen-evtchn-traffic", NULL },
    { "list", 'l', 0, G_OPTION_ARG_NONE, &opt_list,
      "Print the cases, and measure nothing", NULL },
    { .long_name = NULL }
};

static const char summary[] =
    "Measure the event-channel model.\n\n"
    "Ends with 0 when each event that was sent has been handled, with 1 when "
    "one was\nlost or the threads hang, with 2 when the usage was wrong.";

static void list_cases(void)
{
    unsigned int i;

    for (i = 0; i < bench_timed.nr_cases; i++) {
        const struct bench_case *c = &bench_timed.cases[i];

        printf("%-20s %2u to %2u threads: %s\n", c->name, c->min_threads,
               c->max_threads, c->what);
    }
}

/* The error in the options, or NULL. */
static char *wrong_option(struct bench_request *request)
{
    unsigned int i, a;

    if (opt_json && opt_markdown) {
        return g_strdup("either --json or --markdown");
    }
    if (opt_rounds < 1 || opt_rounds > 1000000) {
        return g_strdup("--rounds takes 1 to 1000000");
    }
    if (opt_threads && opt_threads != 1 && opt_threads != 2 &&
        opt_threads != 4 && opt_threads != 8 && opt_threads != 16) {
        return g_strdup("--threads takes 1, 2, 4, 8 or 16");
    }
    for (i = 0; opt_cases && opt_cases[i]; i++) {
        if (!bench_find_case(opt_cases[i])) {
            return g_strdup_printf("no case '%s': see --list", opt_cases[i]);
        }
    }
    for (i = 0; opt_abis && opt_abis[i]; i++) {
        for (a = 0; a < NR_BENCH_ABIS; a++) {
            if (!strcmp(opt_abis[i], bench_abi_ids[a])) {
                break;
            }
        }
        if (a == NR_BENCH_ABIS) {
            return g_strdup_printf("no ABI '%s': 2l-64, 2l-32, 3l-64, 3l-32 or "
                                   "fifo", opt_abis[i]);
        }
        request->abis |= BENCH_ABI_BIT(a);
    }
    request->abis = request->abis ? request->abis : BENCH_ALL_ABIS;
    bench_counts_traffic = opt_traffic;
    request->cases = opt_cases;
    request->threads = opt_threads;
    request->rounds = opt_rounds;
    return NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) err = NULL;
    g_autofree char *wrong = NULL;
    struct bench_request request = { 0 };
    struct bench_results results;

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        wrong = g_strdup(err->message);
    } else if (argc > 1) {
        wrong = g_strdup("it takes options only");
    } else {
        wrong = wrong_option(&request);
    }
    if (wrong) {
        fprintf(stderr, "evtchn-bench: %s\n", wrong);
        return 2;
    }
    if (opt_list) {
        list_cases();
        return 0;
    }
    bench_measure(&request, &results);
    if (opt_json) {
        bench_print_json(&results);
    } else if (opt_markdown) {
        bench_print_markdown(&results);
    } else {
        bench_print_text(&results);
    }
    bench_results_free(&results);
    return 0;
}

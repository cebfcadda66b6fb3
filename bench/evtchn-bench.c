/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event-channel model costs, in time, atomic operations and memory. */

#include "bench.h"

#include <glib.h>
#include <stdio.h>

static int opt_rounds = 1000;
static gboolean opt_json;
static gboolean opt_markdown;

static GOptionEntry options[] = {
    { "rounds", 'r', 0, G_OPTION_ARG_INT, &opt_rounds,
      "Samples of each measurement (1000)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &opt_json, "Print JSON", NULL },
    { "markdown", 0, 0, G_OPTION_ARG_NONE, &opt_markdown,
      "Print tables for the documentation", NULL },
    { .long_name = NULL }
};

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) err = NULL;
    struct bench_results results = { 0 };

    g_option_context_set_summary(context, "Measure the event-channel model.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        fprintf(stderr, "evtchn-bench: %s\n", err->message);
        return 2;
    }
    if (argc > 1 || opt_rounds < 1 || opt_rounds > 1000000 ||
        (opt_json && opt_markdown)) {
        fprintf(stderr, "evtchn-bench: %s\n",
                argc > 1 ? "it takes options only" :
                opt_json && opt_markdown ? "either --json or --markdown" :
                "--rounds takes 1 to 1000000");
        return 2;
    }
    bench_measure(&results, opt_rounds);
    bench_report(&results, opt_json ? BENCH_JSON :
                           opt_markdown ? BENCH_MARKDOWN : BENCH_TEXT);
    return 0;
}

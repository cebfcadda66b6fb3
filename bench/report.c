/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results as a table, as Markdown for the documentation, and as JSON. */

#include "bench.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

static const char *const abi_names[NR_BENCH_ABIS] = {
    "2-level, 64-bit", "2-level, 32-bit", "3-level, 64-bit", "3-level, 32-bit",
    "FIFO"
};
static const char *const abi_ids[NR_BENCH_ABIS] = {
    "2l-64", "2l-32", "3l-64", "3l-32", "fifo"
};

static const char *const case_names[NR_BENCH_CASES] = {
    "IPI", "interdomain", "PIRQ", "to a host domain",
    "2 senders: 2 ports, 2 vCPUs", "2 senders: 2 ports, 1 vCPU",
    "2 senders: 1 port",
};
static const char *const case_ids[NR_BENCH_CASES] = {
    "ipi", "interdomain", "pirq", "to-host", "two-distinct", "two-one-vcpu",
    "two-one-port",
};

struct aim {
    const char *id;
    const char *name;
    double value;
    double bound;
    bool at_least;          /* else at most */
    bool measured;
};

#define NR_AIMS 7

static void get_aims(const struct bench_results *r, struct aim aims[NR_AIMS])
{
    const struct bench_result *fifo = r->result[BENCH_FIFO];
    bool two = r->cpus > 1;
    struct aim all[NR_AIMS] = {
        { "fifo-ipi", "FIFO send plus consume, IPI, in yardsticks",
          fifo[BENCH_IPI].ns / r->yardstick_ns, 12, false, true },
        { "fifo-interdomain",
          "FIFO send plus consume, interdomain, in yardsticks",
          fifo[BENCH_INTERDOMAIN].ns / r->yardstick_ns, 12, false, true },
        { "fifo-two", "FIFO, 2 senders to 1, 2 ports and vCPUs",
          fifo[BENCH_DISTINCT].ratio, 1.8, true, two },
        { "2l-two", "2-level, 2 senders to 1, 2 ports and vCPUs",
          r->result[BENCH_2L_64][BENCH_DISTINCT].ratio, 1.8, true, two },
        { "alloc", "allocation at 100,000 ports to that at 100",
          r->alloc_ns[NR_TABLES - 1] / r->alloc_ns[0], 2, false, true },
        { "port-bytes", "bytes a port", r->memory.port, 32, false, true },
        { "domain-bytes", "bytes of a domain with 10 ports", r->memory.ten,
          16383, false, true },
    };

    memcpy(aims, all, sizeof(all));
}

static bool aim_met(const struct aim *aim)
{
    return aim->at_least ? aim->value >= aim->bound : aim->value <= aim->bound;
}

static const char *verdict(const struct aim *aim)
{
    return !aim->measured ? "not measured" : aim_met(aim) ? "met" : "missed";
}

static bool have_case(const struct bench_results *r, enum bench_case c)
{
    return c < BENCH_FIRST_OF_TWO || r->cpus > 1;
}

/* Times in nanoseconds, as few digits as mean something. */
static void print_text(const struct bench_results *r)
{
    struct aim aims[NR_AIMS];
    unsigned int a, c, t;

    printf("yardstick: an uncontended compare-exchange takes %.2f ns\n"
           "medians of %u rounds\n", r->yardstick_ns, r->rounds);
    if (r->cpus > 1) {
        printf("two threads make %.2f times as many of them as one\n",
               r->yardstick_ratio);
    }
    printf("\n");
    printf("%-16s %-28s %8s %10s %7s %5s %6s %6s\n", "ABI", "send to handled",
           "ns", "yardsticks", "to one", "RMWs", "loads", "stores");
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (c = 0; c < NR_BENCH_CASES; c++) {
            const struct bench_result *b = &r->result[a][c];
            char ratio[16] = "";

            if (!have_case(r, c)) {
                continue;
            }
            if (c >= BENCH_FIRST_OF_TWO) {
                snprintf(ratio, sizeof(ratio), "%.2f", b->ratio);
            }
            printf("%-16s %-28s %8.1f %10.1f %7s %5.1f %6.1f %6.1f\n",
                   abi_names[a], case_names[c], b->ns,
                   b->ns / r->yardstick_ns, ratio, b->rmw, b->loads,
                   b->stores);
        }
    }
    printf("\n%-16s %10s %10s\n", "open ports", "alloc ns", "close ns");
    for (t = 0; t < NR_TABLES; t++) {
        printf("%-16u %10.1f %10.1f\n", bench_table_ports[t], r->alloc_ns[t],
               r->close_ns[t]);
    }
    printf("\na domain with 10 ports: %zu bytes; with 131071: %zu; "
           "a port: %.2f\nFIFO adds %zu bytes to that, 3-level %zu\n\n",
           r->memory.ten, r->memory.full, r->memory.port, r->memory.fifo,
           r->memory.three_level);
    get_aims(r, aims);
    for (a = 0; a < NR_AIMS; a++) {
        printf("%-52s %9.2f  %s %.6g: %s\n", aims[a].name, aims[a].value,
               aims[a].at_least ? "at least" : "at most", aims[a].bound,
               verdict(&aims[a]));
    }
}

static void print_markdown(const struct bench_results *r)
{
    struct aim aims[NR_AIMS];
    unsigned int a, c, t;

    printf("Yardstick, an uncontended compare-exchange: %.2f ns. "
           "Two threads make %.2f times as many as one. "
           "Medians of %u rounds.\n\n", r->yardstick_ns, r->yardstick_ratio,
           r->rounds);
    printf("| ABI | send to handled | ns | yardsticks | to one sender "
           "| atomic read-modify-writes |\n|---|---|--:|--:|--:|--:|\n");
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (c = 0; c < NR_BENCH_CASES; c++) {
            const struct bench_result *b = &r->result[a][c];

            if (!have_case(r, c)) {
                continue;
            }
            printf("| %s | %s | %.0f | %.1f | ", abi_names[a], case_names[c],
                   b->ns, b->ns / r->yardstick_ns);
            if (c >= BENCH_FIRST_OF_TWO) {
                printf("%.2f ", b->ratio);
            }
            printf("| %.1f |\n", b->rmw);
        }
    }
    printf("\n| open ports | allocation, ns | close, ns |\n|--:|--:|--:|\n");
    for (t = 0; t < NR_TABLES; t++) {
        printf("| %u | %.0f | %.0f |\n", bench_table_ports[t], r->alloc_ns[t],
               r->close_ns[t]);
    }
    printf("\n| memory | bytes |\n|---|--:|\n| a domain with 10 ports | %zu |\n"
           "| a domain with 131,071 ports | %zu |\n| a port | %.2f |\n"
           "| of both, because they are FIFO | %zu |\n"
           "| instead of that, if they were 3-level | %zu |\n",
           r->memory.ten, r->memory.full, r->memory.port, r->memory.fifo,
           r->memory.three_level);
    printf("\n| aim | measured | |\n|---|--:|---|\n");
    get_aims(r, aims);
    for (a = 0; a < NR_AIMS; a++) {
        printf("| %s: %s %.6g | %.2f | %s |\n", aims[a].name,
               aims[a].at_least ? "at least" : "at most", aims[a].bound,
               aims[a].value, verdict(&aims[a]));
    }
}

static void add_double(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

static void add_int(JsonBuilder *b, const char *name, int64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void begin_array(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
}

static void add_events(JsonBuilder *b, const struct bench_results *r)
{
    unsigned int a, c;

    begin_array(b, "events");
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (c = 0; c < NR_BENCH_CASES; c++) {
            const struct bench_result *e = &r->result[a][c];

            if (!have_case(r, c)) {
                continue;
            }
            json_builder_begin_object(b);
            add_string(b, "abi", abi_ids[a]);
            add_string(b, "case", case_ids[c]);
            add_int(b, "senders", c >= BENCH_FIRST_OF_TWO ? 2 : 1);
            add_double(b, "ns", e->ns);
            add_double(b, "yardsticks", e->ns / r->yardstick_ns);
            if (c >= BENCH_FIRST_OF_TWO) {
                add_double(b, "throughput-ratio", e->ratio);
            }
            add_double(b, "rmw", e->rmw);
            add_double(b, "loads", e->loads);
            add_double(b, "stores", e->stores);
            json_builder_end_object(b);
        }
    }
    json_builder_end_array(b);
}

static void add_aims(JsonBuilder *b, const struct bench_results *r)
{
    struct aim aims[NR_AIMS];
    unsigned int i;

    get_aims(r, aims);
    begin_array(b, "aims");
    for (i = 0; i < NR_AIMS; i++) {
        if (!aims[i].measured) {
            continue;
        }
        json_builder_begin_object(b);
        add_string(b, "aim", aims[i].id);
        add_double(b, "value", aims[i].value);
        add_double(b, aims[i].at_least ? "at-least" : "at-most",
                   aims[i].bound);
        json_builder_set_member_name(b, "met");
        json_builder_add_boolean_value(b, aim_met(&aims[i]));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void print_json(const struct bench_results *r)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;
    unsigned int t;

    json_builder_begin_object(b);
    add_int(b, "rounds", r->rounds);
    add_int(b, "cpus", r->cpus);
    add_double(b, "yardstick-ns", r->yardstick_ns);
    add_double(b, "yardstick-ratio", r->yardstick_ratio);
    add_events(b, r);
    begin_array(b, "tables");
    for (t = 0; t < NR_TABLES; t++) {
        json_builder_begin_object(b);
        add_int(b, "open-ports", bench_table_ports[t]);
        add_double(b, "alloc-ns", r->alloc_ns[t]);
        add_double(b, "close-ns", r->close_ns[t]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "memory");
    json_builder_begin_object(b);
    add_int(b, "domain-10-ports", r->memory.ten);
    add_int(b, "domain-131071-ports", r->memory.full);
    add_double(b, "port", r->memory.port);
    add_int(b, "fifo", r->memory.fifo);
    add_int(b, "3l", r->memory.three_level);
    json_builder_end_object(b);
    add_aims(b, r);
    json_builder_end_object(b);

    root = json_builder_get_root(b);
    json_generator_set_pretty(generator, true);
    json_generator_set_root(generator, root);
    text = json_generator_to_data(generator, NULL);
    printf("%s\n", text);
}

void bench_report(const struct bench_results *r, enum bench_format format)
{
    switch (format) {
    case BENCH_TEXT:
        print_text(r);
        break;
    case BENCH_MARKDOWN:
        print_markdown(r);
        break;
    case BENCH_JSON:
        print_json(r);
        break;
    }
}

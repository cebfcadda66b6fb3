/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon knows, in lines for people and in JSON for programs. */

#include "status.h"

#include <json-glib/json-glib.h>

/* Pairs of a guest's threads that are named. */
#define PAIRS_SHOWN 4

static double share(uint32_t of_one)
{
    return of_one / (double)PLACE_ONE;
}

static char *cpus_text(const struct place_set *set)
{
    char text[6000];

    place_set_text(set, text, sizeof(text));
    return g_strdup(text);
}

/* The next pair from @at on of which both ends are known, and its rate. */
static gboolean next_pair(const Guest *guest, guint *at, char **a, char **b,
                          double *rate)
{
    while (guest->pairs && *at < guest->pairs->len) {
        const TrafficPair *pair =
            &g_array_index(guest->pairs, TrafficPair, (*at)++);

        *a = guest_end_name(guest, &pair->a);
        *b = guest_end_name(guest, &pair->b);
        *rate = (double)pair->events * PLACE_SECOND /
                (double)MAX(guest->pairs_time, 1);
        if (*a && *b) {
            return TRUE;
        }
        g_free(*a);
        g_free(*b);
    }
    return FALSE;
}

static void guest_text(const Guests *g, const Guest *guest, GString *out)
{
    char *a, *b;
    double rate;

    for (guint at = 0, n = 0;
         n < PAIRS_SHOWN && next_pair(guest, &at, &a, &b, &rate); n++) {
        g_string_append_printf(out, "%s %s and %s: %.0f events a second\n",
                               guest->name, a, b, rate);
        g_free(a);
        g_free(b);
    }
    for (guint k = 0; k < guest->threads->len; k++) {
        const GuestThread *t = &g_array_index(guest->threads, GuestThread, k);
        g_autofree char *cpus = cpus_text(&t->state.set);
        struct place_thread_info thread;

        place_thread_info(g->h, t->place, &thread);
        g_string_append_printf(
            out, "%s %s %u: thread %d, CPUs %s, wants %.1f %%, waits %.1f %%\n",
            guest->name, t->qmp.is_vcpu ? "vCPU" : "back end", t->qmp.index,
            t->state.tid, cpus, share(thread.demand) * 100,
            share(thread.waiting) * 100);
    }
}

void status_text(const Guests *g, GString *out)
{
    struct place_counts c;
    struct place_cage_info info;

    place_counts(g->h, &c);
    g_string_append_printf(
        out,
        "mode %s%s, %u guests, %u promised, %u threads, %" G_GUINT64_FORMAT
        " actions, %" G_GUINT64_FORMAT " rolled back\n",
        config_modes[place_mode_get(g->h)], c.suspended ? " (suspended)" : "",
        g->guests->len, g->expected->len, c.threads, c.actions, c.rolled_back);
    for (uint32_t i = 0; i < place_nr_cages(g->h); i++) {
        g_autofree char *cpus = NULL;

        place_cage_info(g->h, i, &info);
        if (!info.nr_threads) {
            continue;
        }
        cpus = cpus_text(&info.cpus);
        g_string_append_printf(
            out, "CPUs %s: load %.2f of %.2f, %u threads, waiting %.1f %%\n",
            cpus, share(info.load), share(info.capacity), info.nr_threads,
            share(info.pressure) * 100);
    }
    for (guint i = 0; i < g->guests->len; i++) {
        guest_text(g, g_ptr_array_index(g->guests, i), out);
    }
}

static void add_int(JsonBuilder *b, const char *name, gint64 value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void add_double(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

static void add_text(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void begin_array(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
}

static void guest_json(const Guests *g, const Guest *guest, JsonBuilder *b)
{
    char *from, *to;
    double rate;

    json_builder_begin_object(b);
    add_text(b, "name", guest->name);
    add_int(b, "pid", guest->pid);
    add_int(b, "calm-windows", guest->calm);
    begin_array(b, "threads");
    for (guint k = 0; k < guest->threads->len; k++) {
        const GuestThread *t = &g_array_index(guest->threads, GuestThread, k);
        g_autofree char *cpus = cpus_text(&t->state.set);
        struct place_thread_info thread;

        place_thread_info(g->h, t->place, &thread);
        json_builder_begin_object(b);
        add_text(b, "kind", t->qmp.is_vcpu ? "vcpu" : "back-end");
        add_int(b, "index", t->qmp.index);
        add_int(b, "tid", t->state.tid);
        add_text(b, "cpus", cpus);
        add_double(b, "wants", share(thread.demand));
        add_double(b, "waits", share(thread.waiting));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    begin_array(b, "events");
    for (guint at = 0; next_pair(guest, &at, &from, &to, &rate);) {
        json_builder_begin_object(b);
        begin_array(b, "between");
        json_builder_add_string_value(b, from);
        json_builder_add_string_value(b, to);
        json_builder_end_array(b);
        add_double(b, "per-second", rate);
        json_builder_end_object(b);
        g_free(from);
        g_free(to);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

void status_json(const Guests *g, GString *out)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;
    struct place_counts c;
    struct place_cage_info info;

    place_counts(g->h, &c);
    json_builder_begin_object(b);
    add_text(b, "mode", config_modes[place_mode_get(g->h)]);
    json_builder_set_member_name(b, "suspended");
    json_builder_add_boolean_value(b, c.suspended);
    add_int(b, "promised", g->expected->len);
    add_int(b, "actions", (gint64)c.actions);
    add_int(b, "rolled-back", (gint64)c.rolled_back);
    begin_array(b, "cages");
    for (uint32_t i = 0; i < place_nr_cages(g->h); i++) {
        g_autofree char *cpus = NULL;

        place_cage_info(g->h, i, &info);
        if (!info.nr_threads) {
            continue;
        }
        cpus = cpus_text(&info.cpus);
        json_builder_begin_object(b);
        add_text(b, "cpus", cpus);
        add_double(b, "load", share(info.load));
        add_double(b, "capacity", share(info.capacity));
        add_int(b, "threads", info.nr_threads);
        add_double(b, "waits", share(info.pressure));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    begin_array(b, "guests");
    for (guint i = 0; i < g->guests->len; i++) {
        guest_json(g, g_ptr_array_index(g->guests, i), b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    text = json_to_string(root, TRUE);
    g_string_append_printf(out, "%s\n", text);
}

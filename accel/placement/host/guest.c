/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One that does not wait is measured in one of so many. */
#define CALM_WINDOWS 16

uint64_t guests_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * PLACE_SECOND + (uint64_t)t.tv_nsec;
}

static void thread_close(Guests *g, GuestThread *t)
{
    place_thread_remove(g->h, t->place);
    close(t->schedstat);
}

/* What a killed daemon noted of this thread, as long as it has its mask. */
static void recall(const Guests *g, GuestThread *t)
{
    for (guint i = 0; i < g->left->len; i++) {
        const StateThread *old = &g_array_index(g->left, StateThread, i);

        if (old->tid == t->state.tid && old->born == t->state.born &&
            (mask_equal(&old->set, &t->state.set) ||
             mask_equal(&old->next, &t->state.set))) {
            t->state.found = old->found;
            t->is_ours = TRUE;
        }
    }
}

void guest_thread_open(Guests *g, Guest *guest, const QmpThread *qmp)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/task/%d/schedstat", guest->pid, qmp->tid);
    struct place_set limit;
    GuestThread t = { .qmp = *qmp };

    t.state.tid = qmp->tid;
    t.state.born = thread_born(qmp->tid);
    if (!t.state.born || !mask_get(qmp->tid, &t.state.found)) {
        return;
    }
    t.state.set = t.state.next = t.state.found;
    recall(g, &t);
    t.schedstat = open(path, O_RDONLY | O_CLOEXEC);
    if (t.schedstat < 0) {
        return;
    }
    limit = t.state.found;
    if (guest->domain) {
        libvirt_limit(guest->domain, qmp, &limit);
    }
    if (place_thread_add(g->h, guest->place,
                         qmp->is_vcpu ? PLACE_VCPU : PLACE_BACKEND, qmp->index,
                         guests_limit(g, guest, qmp, &limit), &t.place)) {
        close(t.schedstat);
        return;
    }
    g_array_append_val(guest->threads, t);
}

/* That of its process now: it may have been moved to another cgroup. */
void guest_join_group(Guests *g, Guest *guest)
{
    pid_t pid = guest->pid;

    if (!g->pressure || pressure_is_of(g->pressure, guest->group, pid)) {
        return;
    }
    if (guest->group) {
        pressure_leave(g->pressure, guest->group);
    }
    guest->group = pressure_join(g->pressure, pid);
    if (guest->group) {
        pressure_raised(guest->group, guests_now());
    }
}

gboolean guest_query(Guests *g, Guest *guest)
{
    g_autoptr(GArray) found = guest->domain ? libvirt_threads(guest->domain) :
                                              qmp_threads(guest->qmp);

    if (!found) {
        return FALSE;
    }
    guest->windows = 0;
    guest_join_group(g, guest);
    for (guint i = guest->threads->len; i-- > 0;) {
        GuestThread *t = &g_array_index(guest->threads, GuestThread, i);

        if (thread_born(t->state.tid) != t->state.born) {
            thread_close(g, t);
            g_array_remove_index(guest->threads, i);
        }
    }
    for (guint i = 0; i < found->len; i++) {
        const QmpThread *qmp = &g_array_index(found, QmpThread, i);
        gboolean known = FALSE;

        for (guint k = 0; k < guest->threads->len; k++) {
            known |= g_array_index(guest->threads, GuestThread, k).qmp.tid ==
                     qmp->tid;
        }
        if (!known) {
            guest_thread_open(g, guest, qmp);
        }
    }
    return TRUE;
}

void guest_free(Guests *g, Guest *guest)
{
    for (guint i = 0; i < guest->threads->len; i++) {
        close(g_array_index(guest->threads, GuestThread, i).schedstat);
    }
    if (guest->place != PLACE_NONE) {
        place_vm_remove(g->h, guest->place);
    }
    g_clear_pointer(&guest->traffic, traffic_close);
    g_clear_pointer(&guest->pairs, g_array_unref);
    g_clear_pointer(&guest->memory, memory_move_free);
    g_array_unref(guest->threads);
    if (guest->group) {
        pressure_leave(g->pressure, guest->group);
    }
    g_clear_pointer(&guest->qmp, qmp_close);
    g_clear_pointer(&guest->domain, libvirt_domain_free);
    g_free(guest->source);
    g_free(guest->name);
    g_free(guest);
}

static void sample(Guests *g, Guest *guest)
{
    guest->calm = 0;
    for (guint k = 0; k < guest->threads->len; k++) {
        GuestThread *t = &g_array_index(guest->threads, GuestThread, k);
        struct place_sample s = { 0 };
        char text[128], *end;
        ssize_t n = pread(t->schedstat, text, sizeof(text) - 1, 0);

        if (n <= 0) {
            /* It is gone: ask what there is in the next window. */
            guest->windows = GUEST_ASK_NOW;
            continue;
        }
        text[n] = 0;
        s.run = g_ascii_strtoull(text, &end, 10);
        s.delay = g_ascii_strtoull(end, NULL, 10);
        place_thread_sample(g->h, t->place, guests_now(), &s);
    }
}

void guests_sample(Guests *g)
{
    if (g->pressure) {
        pressure_look(g->pressure, guests_now());
    }
    for (guint i = 0; i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (!guest->group || guest->calm >= CALM_WINDOWS ||
            !pressure_is_calm(guest->group, guests_now())) {
            sample(g, guest);
            continue;
        }
        /* Not all of them in the same window. */
        guest->calm = guest->calm ? guest->calm + 1 : 1 + i % CALM_WINDOWS;
        for (guint k = 0; k < guest->threads->len; k++) {
            place_thread_calm(
                g->h, g_array_index(guest->threads, GuestThread, k).place,
                guests_now());
        }
    }
    place_window(g->h, guests_now());
}

void guests_pressure(Guests *g, PressureGroup *group)
{
    uint64_t now = guests_now();
    gboolean was_calm = pressure_is_calm(group, now);

    pressure_raised(group, now);
    for (guint i = 0; i < g->guests->len && was_calm; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (guest->group == group) {
            sample(g, guest);
        }
    }
}

void guests_memory(Guests *g, unsigned int milliseconds)
{
    for (guint i = 0; g->topology && i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);
        const unsigned int *number = g->topology->node_number;
        uint32_t from, to;
        guint64 moved, refused;

        if (!guest->memory &&
            place_memory_follow(g->h, guest->place, guests_now(), &from, &to)) {
            guest->memory =
                memory_move_new(guest->pid, number[from], number[to]);
            fprintf(stderr,
                    "xen-place: %s's memory follows it from node %u "
                    "to node %u\n",
                    guest->name, number[from], number[to]);
        }
        /* One after the other: the rate is that of the host. */
        if (guest->memory) {
            if (!memory_move_step(guest->memory, milliseconds)) {
                moved = memory_moved(guest->memory, &refused);
                fprintf(stderr,
                        "xen-place: %s: %" G_GUINT64_FORMAT " MiB have "
                        "moved, %" G_GUINT64_FORMAT " pages could not\n",
                        guest->name, moved, refused);
                g_clear_pointer(&guest->memory, memory_move_free);
            }
            return;
        }
    }
}

static const GuestThread *thread_at(const Guest *guest, const TrafficEnd *end)
{
    for (guint i = 0; i < guest->threads->len; i++) {
        const GuestThread *t = &g_array_index(guest->threads, GuestThread, i);

        if (end->is_vcpu ? t->qmp.is_vcpu && t->qmp.index == end->index :
                           t->qmp.tid == end->tid) {
            return t;
        }
    }
    return NULL;
}

char *guest_end_name(const Guest *guest, const TrafficEnd *end)
{
    const GuestThread *t = thread_at(guest, end);

    return t ? g_strdup_printf("%s %u", t->qmp.is_vcpu ? "vCPU" : "back end",
                               t->qmp.index) :
               NULL;
}

void guests_traffic(Guests *g)
{
    for (guint i = 0; i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (!guest->traffic) {
            continue;
        }
        g_clear_pointer(&guest->pairs, g_array_unref);
        guest->pairs =
            traffic_read(guest->traffic, guests_now(), &guest->pairs_time);
        for (guint k = 0; k < guest->pairs->len; k++) {
            const TrafficPair *pair =
                &g_array_index(guest->pairs, TrafficPair, k);
            const GuestThread *a = thread_at(guest, &pair->a);
            const GuestThread *b = thread_at(guest, &pair->b);

            if (a && b) {
                place_traffic(g->h, a->place, b->place, pair->events,
                              guest->pairs_time);
            }
        }
    }
}

/* The core decides when that is due; without events it does nothing. */
void guests_merge(Guests *g)
{
    struct place_change change[PLACE_MAX_MASKS];

    for (guint i = 0; i < g->guests->len; i++) {
        const Guest *guest = g_ptr_array_index(g->guests, i);

        if (guest->traffic) {
            place_merge(g->h, guest->place, guests_now(), change,
                        G_N_ELEMENTS(change));
        }
    }
}

void guests_init(Guests *g, const char *state_dir)
{
    g->guests = g_ptr_array_new();
    g->expected = g_array_new(FALSE, TRUE, sizeof(Expected));
    g->state_dir = state_dir;
}

Guest *guests_named(Guests *g, const char *name)
{
    for (guint i = 0; i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (!strcmp(guest->name, name)) {
            return guest;
        }
    }
    return NULL;
}

void guests_free(Guests *g)
{
    while (g->guests && g->guests->len) {
        guest_free(g, g_ptr_array_index(g->guests, 0));
        g_ptr_array_remove_index(g->guests, 0);
    }
    g_clear_pointer(&g->guests, g_ptr_array_unref);
    g_clear_pointer(&g->pressure, pressure_free);
    g_clear_pointer(&g->libvirt, libvirt_close);
    g_clear_pointer(&g->expected, g_array_unref);
    g_clear_pointer(&g->left, g_array_unref);
    g_clear_pointer(&g->config, config_free);
    g_clear_pointer(&g->state_path, g_free);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that were promised room: before they are found, and when they are. */

#include "guest.h"

#include "ledger.h"

#include <stdio.h>

/* As the core has it: how long a guest's promise counts as its demand. */
#define MEASURED_AFTER (30 * PLACE_SECOND)

static void expect_no_more(Guests *g, guint64 id)
{
    for (guint i = 0; i < g->expected->len; i++) {
        Expected *e = &g_array_index(g->expected, Expected, i);

        if (e->id == id) {
            place_vm_remove(g->h, e->place);
            g_array_remove_index_fast(g->expected, i);
            return;
        }
    }
}

static Promise *promise_of(const Ledger *ledger, guint64 id)
{
    for (guint i = 0; i < ledger->promises->len; i++) {
        Promise *p = &g_array_index(ledger->promises, Promise, i);

        if (p->id == id) {
            return p;
        }
    }
    return NULL;
}

static Ledger *open_ledger(Guests *g)
{
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(g->state_dir, guests_now(), &error);

    if (!ledger) {
        fprintf(stderr, "xen-place: %s: no promise is kept\n", error->message);
    }
    return ledger;
}

void guests_expect(Guests *g)
{
    g_autofree char *path = g_build_filename(g->state_dir, LEDGER_FILE, NULL);
    g_autoptr(Ledger) ledger = NULL;

    /* A promise can end, too, while the file stays as it is. */
    if (!seen_changed(&g->ledger, path) && !g->expected->len) {
        return;
    }
    ledger = open_ledger(g);
    if (!ledger) {
        seen_again(&g->ledger);
    }
    for (guint i = g->expected->len; ledger && i-- > 0;) {
        guint64 id = g_array_index(g->expected, Expected, i).id;
        const Promise *p = promise_of(ledger, id);

        if (!p || p->pid) {
            expect_no_more(g, id);
        }
    }
    for (guint i = 0; ledger && i < ledger->promises->len; i++) {
        const Promise *p = &g_array_index(ledger->promises, Promise, i);
        Expected e = { .id = p->id };
        struct place_vm_config c;
        struct place_verdict v;
        gboolean known = p->pid != 0;

        for (guint k = 0; k < g->expected->len; k++) {
            known |= g_array_index(g->expected, Expected, k).id == p->id;
        }
        promise_config(p, guests_now(), &c);
        if (!known && !place_vm_add(g->h, &c, guests_now(), &e.place, &v)) {
            g_array_append_val(g->expected, e);
        }
    }
}

/* The guest's own, as a daemon before us wrote it, or one that fits it. */
static Promise *claim(const Ledger *ledger, pid_t pid,
                      const struct place_vm_config *c)
{
    Promise *found = NULL;

    for (guint i = 0; i < ledger->promises->len; i++) {
        Promise *p = &g_array_index(ledger->promises, Promise, i);

        if (p->pid == pid) {
            return p;
        }
        if (!found && !p->pid && p->vcpus == c->vcpus &&
            p->memory == c->memory) {
            found = p;
        }
    }
    return found;
}

int guests_admit(Guests *g, pid_t pid, struct place_vm_config *c,
                 uint32_t *place, struct place_verdict *v)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Ledger) ledger = open_ledger(g);
    uint64_t now = guests_now();
    struct place_cage_info info;
    Promise *p = ledger ? claim(ledger, pid, c) : NULL;
    int rc;

    if (p) {
        expect_no_more(g, p->id);
        c->home = &p->cpus;
    }
    rc = place_vm_add(g->h, c, now, place, v);
    c->home = NULL;
    if (rc || !ledger) {
        return rc;
    }
    if (!p) {
        p = ledger_add(ledger, g->h, c, v->cage, 0);
    }
    if (!p->pid) {
        p->until = now + MEASURED_AFTER;
    }
    p->pid = pid;
    p->born = thread_born(pid);
    place_cage_info(g->h, v->cage, &info);
    p->cpus = info.cpus;
    if (!ledger_write(ledger, &error)) {
        fprintf(stderr, "xen-place: %s\n", error->message);
    }
    return 0;
}

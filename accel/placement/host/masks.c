/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests' masks: what others make of them, what the core wants, what is restored. */

#include "guest.h"

#include <string.h>
#include <unistd.h>

static void all_cpus(const Guests *g, struct place_set *all)
{
    struct place_cage_info info;

    memset(all, 0, sizeof(*all));
    for (uint32_t i = 0; i < place_nr_cages(g->h); i++) {
        place_cage_info(g->h, i, &info);
        for (guint w = 0; w < G_N_ELEMENTS(all->word); w++) {
            all->word[w] |= info.cpus.word[w];
        }
    }
}

const struct place_set *guests_limit(const Guests *g, const Guest *guest,
                                     const QmpThread *thread,
                                     struct place_set *mask)
{
    struct place_set all;

    config_narrow(g->config, guest->policy, thread->is_vcpu, mask);
    all_cpus(g, &all);
    for (guint w = 0; w < G_N_ELEMENTS(all.word); w++) {
        if (all.word[w] & ~mask->word[w]) {
            return mask;
        }
    }
    return NULL;
}

void guests_look(Guests *g, gboolean cpus_changed)
{
    for (guint i = 0; i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        for (guint k = 0; k < guest->threads->len; k++) {
            GuestThread *t = &g_array_index(guest->threads, GuestThread, k);
            struct place_set now;

            if (!mask_get(t->state.tid, &now) ||
                mask_equal(&now, &t->state.set)) {
                continue;
            }
            t->state.set = t->state.next = now;
            if (cpus_changed) {
                continue;
            }
            t->state.found = now;
            t->is_ours = FALSE;
            place_thread_allow(g->h, t->place,
                               guests_limit(g, guest, &t->qmp, &now));
        }
    }
}

static gboolean write_state(const Guests *g, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(StateThread));

    for (guint i = 0; i < g->guests->len; i++) {
        const Guest *guest = g_ptr_array_index(g->guests, i);

        for (guint k = 0; k < guest->threads->len; k++) {
            const GuestThread *t =
                &g_array_index(guest->threads, GuestThread, k);

            if (t->is_ours) {
                g_array_append_val(all, t->state);
            }
        }
    }
    /* Guests that a killed daemon knew and we have not found: as they are. */
    for (guint i = 0; i < g->left->len; i++) {
        const StateThread *old = &g_array_index(g->left, StateThread, i);
        gboolean known = thread_born(old->tid) != old->born;

        for (guint k = 0; k < all->len && !known; k++) {
            known = g_array_index(all, StateThread, k).tid == old->tid;
        }
        if (!known) {
            g_array_append_val(all, *old);
        }
    }
    return state_write(g->state_path, all, error);
}

static gboolean set_mask(const Guest *guest, const GuestThread *t,
                         const struct place_set *mask)
{
    return guest->domain ? libvirt_pin(guest->domain, &t->qmp, mask) :
                           mask_set(t->state.tid, mask);
}

gboolean guests_apply(Guests *g, GError **error)
{
    gboolean any = FALSE;
    gboolean pass;

    for (pass = FALSE; g->may_change; pass = TRUE) {
        for (guint i = 0; i < g->guests->len; i++) {
            Guest *guest = g_ptr_array_index(g->guests, i);

            for (guint k = 0; k < guest->threads->len; k++) {
                GuestThread *t = &g_array_index(guest->threads, GuestThread, k);
                struct place_set mask, now;

                if (!place_thread_mask(g->h, t->place, &mask) ||
                    mask_equal(&mask, &t->state.set)) {
                    continue;
                }
                if (!pass) {
                    t->state.next = mask;
                    t->is_ours = any = TRUE;
                    continue;
                }
                if (set_mask(guest, t, &mask) && mask_get(t->state.tid, &now)) {
                    t->state.set = t->state.next = now;
                    /* A cpuset gave us less than we asked for. */
                    if (!mask_equal(&now, &mask)) {
                        place_thread_allow(g->h, t->place, &now);
                    }
                } else if (mask_get(t->state.tid, &now)) {
                    t->state.next = t->state.set = now;
                    /* libvirt may be away, and is asked again. */
                    if (!guest->domain) {
                        place_thread_allow(g->h, t->place, &now);
                    }
                }
            }
        }
        if (pass || !any) {
            break;
        }
        if (!write_state(g, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* libvirt gives its domains their masks back, so that it knows of that. */
static gboolean restore(pid_t tid, const struct place_set *mask, void *opaque)
{
    const Guests *g = opaque;

    for (guint i = 0; i < g->guests->len; i++) {
        const Guest *guest = g_ptr_array_index(g->guests, i);

        for (guint k = 0; k < guest->threads->len; k++) {
            const GuestThread *t =
                &g_array_index(guest->threads, GuestThread, k);

            if (t->state.tid == tid && set_mask(guest, t, mask)) {
                return TRUE;
            }
        }
    }
    return mask_set(tid, mask);
}

guint guests_release(Guests *g)
{
    g_autoptr(GArray) state = NULL;
    guint n;

    if (!g->may_change && !g->left->len) {
        return 0;
    }
    write_state(g, NULL);
    state = state_read(g->state_path, NULL);
    n = state ? state_release(state, restore, g) : 0;
    unlink(g->state_path);
    return n;
}

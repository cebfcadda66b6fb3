/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: what was promised to guests, in a file that xen-place advise, numad
 * and the daemon share.
 *
 * Whoever chooses nodes for a guest holds the ledger's lock, counts what all
 * others were promised, and writes its own promise before the next one looks.  So
 * guests that start at once do not all get the same node.  A promise that no guest
 * has claimed ends after a time; a guest's own lasts as long as its QEMU does.
 */

#ifndef HOST_LEDGER_H
#define HOST_LEDGER_H

#include "place.h"

#include <glib.h>
#include <sys/types.h>

#define LEDGER_FILE "ledger"

typedef struct Promise {
    guint64 id;
    pid_t pid; /* the guest's QEMU, or 0: nobody has seen the guest */
    guint64 born;
    /* Until then its demand is not measured; without a pid it ends then. */
    guint64 until;
    uint32_t vcpus;
    uint64_t memory;
    enum place_policy policy;
    struct place_set cpus; /* of its cage */
} Promise;

typedef struct Ledger {
    char *path;
    int lock;
    GArray *promises; /* of Promise, none that is over */
} Ledger;

/* In @folder, which is made.  Takes the lock, and reads; NULL with an error. */
Ledger *ledger_open(const char *folder, uint64_t now, GError **error);
/* Writes what was changed, before it is closed. */
gboolean ledger_write(const Ledger *ledger, GError **error);
/* Gives the lock back. */
void ledger_close(Ledger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_close)

/* A new promise, without a pid, for a guest of which @cage was chosen. */
Promise *ledger_add(Ledger *ledger, const struct place_host *h,
                    const struct place_vm_config *c, uint32_t cage,
                    uint64_t until);
/* What to tell the core of it; @c points into @p. */
void promise_config(const Promise *p, uint64_t now, struct place_vm_config *c);

#endif /* HOST_LEDGER_H */

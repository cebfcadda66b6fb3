/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests that the daemon knows, and their threads. */

#ifndef HOST_GUEST_H
#define HOST_GUEST_H

#include "config.h"
#include "libvirt.h"
#include "memory.h"
#include "pressure.h"
#include "qmp.h"
#include "seen.h"
#include "state.h"
#include "traffic.h"

typedef struct GuestThread {
    QmpThread qmp;
    uint32_t place; /* the core's number */
    int schedstat; /* /proc's, kept open */
    StateThread state;
    gboolean is_ours; /* we have set its mask */
} GuestThread;

/* Windows after which a guest's threads are asked for again. */
#define GUEST_ASK_NOW 16

typedef struct Guest {
    char *source, *name; /* the monitor's path, or another name of its own */
    pid_t pid;
    Qmp *qmp; /* NULL: it is a domain of libvirt's */
    LibvirtDomain *domain;
    uint32_t place;
    GArray *threads; /* of GuestThread */
    unsigned int windows; /* since its threads were asked for */
    PressureGroup *group; /* NULL: it is measured in each window */
    unsigned int calm; /* windows in which it was not measured */
    enum place_policy policy;
    MemoryMove *memory; /* on its way, or NULL */
    Traffic *traffic; /* NULL: its QEMU does not count events */
    GArray *pairs; /* TrafficPairs of the last window, or NULL */
    guint64 pairs_time; /* for how long these were counted */
} Guest;

/* A guest that was promised room and that no QEMU has claimed yet. */
typedef struct Expected {
    guint64 id; /* the ledger's */
    uint32_t place;
} Expected;

typedef struct Guests {
    struct place_host *h;
    GPtrArray *guests;
    GArray *expected; /* of Expected */
    Config *config;
    GArray *left; /* StateThreads of a daemon that was killed */
    char *state_path;
    const HostTopology *topology; /* of the daemon; NULL: no memory moves */
    const char *state_dir; /* where the ledger is */
    Seen ledger, monitors; /* what was read of that file and of the folder */
    Libvirt *libvirt; /* NULL: its domains are not ours */
    Pressure *pressure; /* NULL: the host has none */
    gboolean may_change; /* not in the mode observe */
} Guests;

/* Monotonic, in nanoseconds. */
uint64_t guests_now(void);
/* Those that wait; of those that do not, by their cgroup's pressure, a part. */
void guests_sample(Guests *g);
/* The kernel has said that the threads of @group wait: measure them from here on. */
void guests_pressure(Guests *g, PressureGroup *group);
/* Has memory follow its guests, as far as @milliseconds allow. */
void guests_memory(Guests *g, unsigned int milliseconds);
/* Who has exchanged events; and in balance, which vCPUs share an LLC therefore. */
void guests_traffic(Guests *g);
void guests_merge(Guests *g);
/* "vCPU 0" and so on, or NULL: none of its threads that we know. */
char *guest_end_name(const Guest *guest, const TrafficEnd *end);
Guest *guests_named(Guests *g, const char *name);
void guests_init(Guests *g, const char *state_dir);
void guests_free(Guests *g);

/* What find.c makes guests with. */
void guest_thread_open(Guests *g, Guest *guest, const QmpThread *qmp);
void guest_join_group(Guests *g, Guest *guest);
/* Threads that are new, and those that are gone; FALSE: the QEMU is gone. */
gboolean guest_query(Guests *g, Guest *guest);
void guest_free(Guests *g, Guest *guest);

/* find.c */

/*
 * New sockets and domains are new guests; one whose QEMU is gone is one less.
 */
void guests_find(Guests *g, const char *folder);
/* The one whose QEMU has its monitor at @path; NULL: none answers. */
Guest *guests_add_monitor(Guests *g, const char *path);

/* expected.c */

/* What was promised since the last look, and what is over. */
void guests_expect(Guests *g);
/* Admits a guest where that was promised, and notes where that is. */
int guests_admit(Guests *g, pid_t pid, struct place_vm_config *c,
                 uint32_t *place, struct place_verdict *v);

/* masks.c */

/* Narrows @mask by the configuration; NULL if all CPUs are left, so no limit. */
const struct place_set *guests_limit(const Guests *g, const Guest *guest,
                                     const QmpThread *thread,
                                     struct place_set *mask);
/*
 * Looks at each thread's mask.  One that somebody else has changed is a limit
 * from now on, unless CPUs came or went, when the kernel changes masks.
 */
void guests_look(Guests *g, gboolean cpus_changed);
/* Sets each mask that is not as the core has it, after the state is written. */
gboolean guests_apply(Guests *g, GError **error);
guint guests_release(Guests *g);

#endif /* HOST_GUEST_H */

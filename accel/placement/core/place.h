/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a host's VMs run: the whole interface of the placement's core.
 *
 * It is freestanding: no libc beyond the four mem functions, no host header, no
 * floating point.  It neither measures nor acts: time and figures come in as
 * arguments, and what is to be done comes out as struct place_change.  The same
 * calls with the same arguments give the same plan, byte for byte.
 *
 * All memory is the block that the caller gives to place_init(); no call
 * allocates.  One thread makes all calls for a host.
 *
 * A *cage* is a set of CPUs within which a VM's threads may run: an LLC (CPUs
 * with a last-level cache in common), a NUMA node, a node with those next to it,
 * or the whole host.  The kernel schedules inside a cage; the core chooses
 * between cages.  A *class* is the set of CPUs that a user, a cpuset and the
 * like allow a thread; a thread's mask is what its cage and its class have in
 * common.
 *
 * What always holds (tests/placement checks it after each of a million
 * operations):
 *  I1 a mask lies within the thread's class; it is never empty; it has no
 *     isolated CPU unless it is that one alone.
 *  I2 as many of a VM's vCPUs as share a cage have at least as many CPUs there,
 *     unless their class is smaller, which then lies in the cage as a whole.
 *  I3 a class is never widened but by place_thread_allow().
 *  I4 in the mode PLACE_OBSERVE place_plan() changes nothing.
 *  I5 the same calls give the same plan.
 * (I6, that masks found are restored, is the caller's: see ../host/.)
 *
 * Units: demand, load and capacity are in 1/1024 of a CPU, pressure in 1/1024,
 * time in nanoseconds of any clock that does not go back, memory in MiB,
 * waiting and costs in microseconds a second.
 */

#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_MAX_CPUS 1024
#define PLACE_MAX_NODES 64
#define PLACE_ONE 1024
#define PLACE_SECOND UINT64_C(1000000000)
/* No VM, thread, CPU or cage. */
#define PLACE_NONE UINT32_MAX
/* A VM's threads that one action may move, and so the most changes of it. */
#define PLACE_MAX_MASKS 32

enum place_error {
    PLACE_EINVAL = 1, /* an argument is no possible one */
    PLACE_EFULL, /* more VMs, threads or classes than place_limits has */
    PLACE_EFIT, /* a dedicated VM has no room; the verdict says why */
};

struct place_set {
    uint64_t word[PLACE_MAX_CPUS / 64];
};

/* Topology -------------------------------------------------------------- */

/* Of the CPU whose number is its index.  A core is in one LLC, that in one node. */
struct place_cpu {
    uint16_t core, llc, node;
    uint16_t capacity; /* PLACE_ONE for the host's fastest kind of core */
    bool exists;
    bool online;
    bool isolated; /* the kernel does not balance it */
    bool excluded; /* the user's wish */
};

struct place_topology {
    uint32_t nr_cpus, nr_cores, nr_llcs, nr_nodes;
    const struct place_cpu *cpu;
    const uint64_t *memory; /* of each node, that VMs may use in all */
    const uint8_t
        *distance; /* [from * nr_nodes + to]; 10 is local, as in ACPI */
};

struct place_limits {
    uint32_t max_vms, max_threads, max_edges;
    uint32_t max_classes; /* 1 to 1,024 */
};

struct place_host;

/* How much memory place_init() needs; 0 if the arguments are impossible. */
size_t place_size(const struct place_topology *t, const struct place_limits *l);

/*
 * A host without VMs in @memory, which is aligned to 64 bytes and stays the
 * caller's.  @t is copied.  NULL if the arguments are impossible.
 */
struct place_host *place_init(void *memory, size_t size,
                              const struct place_topology *t,
                              const struct place_limits *l);

enum place_mode {
    PLACE_OBSERVE, /* measure, say what balance would do */
    PLACE_START, /* place VMs when they start, move none later */
    PLACE_BALANCE,
};

void place_mode_set(struct place_host *h, enum place_mode mode);
enum place_mode place_mode_get(const struct place_host *h);

/* How full a node may be for a VM that starts, in 1/1024; 870 (85 %) at first. */
void place_target_set(struct place_host *h, uint32_t target);

/*
 * A CPU came or went.  Masks may change: place_thread_mask() has the new ones.
 * An error, and no change, if a thread would be left without any CPU.
 */
int place_cpu_online(struct place_host *h, uint32_t cpu, bool online);

/* VMs and their threads ------------------------------------------------- */

enum place_policy {
    PLACE_SHARED,
    PLACE_DEDICATED, /* cores of its own, a vCPU to each; can be refused */
    PLACE_DENSE, /* shared, and hardware threads count as cores */
    PLACE_IGNORE, /* counted, never touched */
    PLACE_SERVICE, /* it serves other VMs; where, its classes say */
    PLACE_POLICIES, /* how many there are */
};

struct place_vm_config {
    uint32_t vcpus;
    uint64_t memory;
    enum place_policy policy;
    uint32_t declared; /* demand; 0: a quarter of its vCPUs */
    const struct place_set *allowed; /* NULL: any CPU */
    const uint64_t *resident; /* its memory on each node, or NULL */
    /* The CPUs of a cage that was chosen for it before; NULL, or none: choose. */
    const struct place_set *home;
};

/* What admission found; refused[] says how many candidates failed which test. */
struct place_verdict {
    bool fits;
    uint32_t cage; /* if it fits, or for a shared VM */
    uint32_t nr_nodes;
    uint16_t node[PLACE_MAX_NODES]; /* ascending */
    uint32_t refused_cores, refused_memory, refused_load, refused_allowed;
};

/* Where a VM would go; reserves nothing. */
int place_advise(struct place_host *h, const struct place_vm_config *c,
                 struct place_verdict *v);

/*
 * Admit a VM: choose its cage, and reserve its memory there as long as it lives
 * and its demand until it has been measured for 30 s.  In PLACE_OBSERVE its
 * threads may run anywhere, and the choice is noted only.  -PLACE_EFIT for a dedicated VM without room; a
 * shared VM always gets a cage, if need be all CPUs.
 */
int place_vm_add(struct place_host *h, const struct place_vm_config *c,
                 uint64_t now, uint32_t *vm, struct place_verdict *v);
/* Takes the VM's threads, too. */
void place_vm_remove(struct place_host *h, uint32_t vm);

enum place_kind {
    PLACE_VCPU,
    PLACE_BACKEND, /* an I/O thread or another that serves the VM */
};

/* @index: the vCPU's number, or any.  @allowed: its class, or NULL: any CPU. */
int place_thread_add(struct place_host *h, uint32_t vm, enum place_kind kind,
                     uint32_t index, const struct place_set *allowed,
                     uint32_t *thread);
void place_thread_remove(struct place_host *h, uint32_t thread);

/*
 * A user or another program has limited the thread: that is its class from now
 * on.  Its mask may be another then.  If the class has no CPU that may be used,
 * the thread is left alone until it has.
 */
int place_thread_allow(struct place_host *h, uint32_t thread,
                       const struct place_set *allowed);

/* False: the thread is to be left as it is. */
bool place_thread_mask(const struct place_host *h, uint32_t thread,
                       struct place_set *mask);

/* What is measured ------------------------------------------------------ */

/* A thread's sums since it began: on a CPU, waiting for one, of the former polling. */
struct place_sample {
    uint64_t run, delay, halt_poll;
};

void place_thread_sample(struct place_host *h, uint32_t thread, uint64_t now,
                         const struct place_sample *s);

/*
 * The thread has not waited since the last call for it, as its kernel knows without a
 * sample: it is taken to run as it did.  The next sample puts that right.
 */
void place_thread_calm(struct place_host *h, uint32_t thread, uint64_t now);

/* @events went between two threads, either way, in @time. */
void place_traffic(struct place_host *h, uint32_t a, uint32_t b,
                   uint64_t events, uint64_t time);

/* What other programs use of an LLC's CPUs, which is a load there, too. */
void place_others(struct place_host *h, uint32_t llc, uint32_t load);

/* Of all samples since the last window, which ends here, make pressures. */
void place_window(struct place_host *h, uint64_t now);

/* Plans ----------------------------------------------------------------- */

enum place_action {
    PLACE_MOVED, /* to a cage with more room */
    PLACE_WIDENED,
    PLACE_NARROWED,
    PLACE_MERGED, /* to the LLC of those it talks with */
    PLACE_ROLLED_BACK,
};

/* The caller gives the thread the mask that place_thread_mask() has for it. */
struct place_change {
    uint32_t thread;
    uint16_t from, to; /* cages */
    enum place_action action;
};

/*
 * Judge what was done before, then decide what to do.  Writes at most @max
 * changes, never a part of an action, so @max must be PLACE_MAX_MASKS at least.
 * Each has been made in the core, except in PLACE_OBSERVE, where none is and
 * the number is 0.
 */
size_t place_plan(struct place_host *h, uint64_t now,
                  struct place_change *change, size_t max);

/*
 * The same in pieces, to know what each costs: place_plan_begin() judges and
 * narrows, each place_plan_next() decides for one cage, until it returns false.
 */
size_t place_plan_begin(struct place_host *h, uint64_t now,
                        struct place_change *change, size_t max);
bool place_plan_next(struct place_host *h, uint64_t now,
                     struct place_change *change, size_t max, size_t *n);

/*
 * Put vCPUs that exchange events, and the back-end threads they talk to, into
 * one LLC each of the VM's nodes, if at least a fifth more events then stay
 * inside LLCs.  For a VM that has run for 30 s.
 */
size_t place_merge(struct place_host *h, uint32_t vm, uint64_t now,
                   struct place_change *change, size_t max);

/*
 * Whether a VM's memory is to follow it from one node to another: its move there was
 * kept, is a minute old, and there is room.  If so it is counted there from now on, and
 * the caller moves it.
 */
bool place_memory_follow(struct place_host *h, uint32_t vm, uint64_t now,
                         uint32_t *from, uint32_t *to);

/*
 * Do what a decision would not, to see it judged: move all of a VM.  False if
 * the invariants or the limits forbid it.
 */
bool place_force(struct place_host *h, uint32_t vm, uint32_t cage, uint64_t now,
                 struct place_change *change, size_t max, size_t *n);

/* What is known --------------------------------------------------------- */

enum place_cage_kind {
    PLACE_LLC,
    PLACE_NODE,
    PLACE_NODES, /* a node with those next to it */
    PLACE_ALL,
};

struct place_cage_info {
    enum place_cage_kind kind;
    bool is_node; /* an LLC or the host can be one, too */
    uint32_t nr_nodes;
    uint16_t first_node;
    uint32_t nr_cpus, nr_cores; /* that may be used */
    uint32_t capacity, load;
    uint32_t pressure; /* of the threads caged there */
    uint32_t nr_threads;
    struct place_set cpus;
};

uint32_t place_nr_cages(const struct place_host *h);
void place_cage_info(const struct place_host *h, uint32_t cage,
                     struct place_cage_info *info);

struct place_thread_info {
    uint32_t vm, index, cage;
    enum place_kind kind;
    uint32_t demand, waiting;
    bool left_alone;
};

void place_thread_info(const struct place_host *h, uint32_t thread,
                       struct place_thread_info *info);

struct place_counts {
    uint32_t vms, threads, classes, edges;
    uint64_t actions, rolled_back, nowhere, classes_refused;
    bool suspended; /* three actions did harm in 10 minutes: none for 10 */
};

void place_counts(const struct place_host *h, struct place_counts *c);

/*
 * In one paragraph why a VM, or one of its threads unless that is PLACE_NONE,
 * is where it is.  @size bytes at most, with the final 0.
 */
void place_explain(const struct place_host *h, uint32_t vm, uint32_t thread,
                   const char *name, uint64_t now, char *text, size_t size);

/* In one line why a VM fits or does not. */
void place_verdict_text(const struct place_host *h,
                        const struct place_vm_config *c,
                        const struct place_verdict *v, char *text, size_t size);

/* A set as Linux writes it: 0-3,8.  Returns false if @size is too small. */
bool place_set_text(const struct place_set *set, char *text, size_t size);

#endif /* PLACE_H */

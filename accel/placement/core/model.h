/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core's files know of each other. */

#ifndef PLACE_MODEL_H
#define PLACE_MODEL_H

#include "place.h"
#include "set.h"

#define NONE16 UINT16_MAX
#define NR_BUCKETS 12 /* by log2 of a demand from 0 to 1,024 */
#define NR_WINDOWS 5
#define MAX_RUNNING 64 /* actions that wait for their judgement */
#define MAX_TABUS 64
#define NR_ROLL_BACKS 3

#define MEASURED_AFTER (30 * PLACE_SECOND)
#define REST_BETWEEN_MOVES (10 * PLACE_SECOND)
#define TABU_FIRST (600 * PLACE_SECOND)
#define TABU_LAST (7200 * PLACE_SECOND)
#define SUSPENDED_FOR (600 * PLACE_SECOND)
#define CALM_FOR (60 * PLACE_SECOND)
#define ACTIONS_A_SECOND 4
#define PRESSURE_HIGH 51 /* 5 % */
#define PRESSURE_CALM 10 /* 1 % */
#define ROOM_BELOW 768 /* 75 % */

/* Time and demand of the threads of one cage in one window. */
struct window {
    uint64_t run, delay;
};

struct llc {
    uint32_t nr_cpus, nr_cores, capacity;
    uint16_t node;
    uint64_t others; /* of programs that are no VM's */
    uint64_t load; /* in 1/1024 of a demand's unit */
};

struct node {
    struct place_set cpus;
    uint64_t memory, reserved;
    uint16_t nearest[PLACE_MAX_NODES];
};

struct cage {
    struct place_set cpus;
    uint8_t kind;
    uint16_t first_node, nr_nodes, first_llc, nr_llcs;
    uint32_t llcs; /* where its LLCs are in place_host.cage_llc */
    uint16_t nr_active; /* LLCs of it with a CPU that may be used */
    uint32_t nr_cpus, nr_cores, capacity, dense;
    uint32_t nr_threads;
    struct window sum, past[NR_WINDOWS];
    uint32_t nr_past, high;
    uint32_t pressure;
    bool anew; /* an action changed it: what was before says nothing */
    uint64_t calm_since;
    uint64_t demand; /* of its own threads */
};

struct class {
    struct place_set allowed;
    uint32_t nr_threads;
    bool usable; /* it has an available CPU */
};

/* The threads of one class in one cage. */
struct pair {
    uint32_t head[NR_BUCKETS];
    uint32_t nr;
    uint16_t filled, next_free;
};

struct thread {
    uint64_t run, delay, when;
    uint64_t assumed; /* of run, since the last sample */
    uint64_t calm_until;
    uint32_t vm, next, prev, next_of_vm, first_edge;
    uint16_t cage, class, demand, wait;
    uint16_t cpu; /* of a dedicated vCPU */
    uint16_t index;
    uint8_t kind, bucket;
    bool sampled, measured, listed;
};

enum reason_code {
    REASON_ADMITTED,
    REASON_NO_ROOM, /* admission: any CPU, as no node has room */
    REASON_DEDICATED,
    REASON_IGNORED,
    REASON_ACTION,
    REASON_CPUS_CHANGED,
};

enum reason_verdict {
    VERDICT_OPEN,
    VERDICT_KEPT,
    VERDICT_DEMAND_CHANGED,
    VERDICT_HARM,
    VERDICT_NO_GAIN,
};

struct reason {
    uint8_t code, verdict, action;
    uint16_t from, to;
    uint16_t pressure_from, pressure_to, measured;
    uint32_t gain, cost;
    uint64_t time;
};

struct vm {
    uint32_t first_thread, next_free;
    uint32_t vcpus, nr_threads, demand, need, reserved;
    uint64_t memory, reserved_memory;
    uint64_t start, last_action;
    uint16_t cage, home; /* home: where admission put it */
    uint8_t policy;
    bool used;
    struct reason reason;
};

struct edge {
    uint32_t thread[2], next[2], hash_next;
    uint32_t rate; /* events a second */
    bool fresh;
};

struct running {
    uint64_t time;
    uint32_t vm, nr, windows;
    uint32_t thread[PLACE_MAX_MASKS];
    uint16_t from, to;
    uint8_t action;
    uint32_t mean, deviation, demand;
    uint64_t run; /* of both cages' threads in a window, before it */
    bool used, more_local;
};

struct tabu {
    uint32_t vm;
    uint16_t from, to;
    uint64_t until, span;
};

struct place_host {
    struct place_limits limits;
    uint32_t nr_cpus, nr_cores, nr_llcs, nr_nodes, nr_cages;
    uint32_t words, cage_words, class_words;
    enum place_mode mode;
    uint32_t target;
    struct place_set online, isolated, excluded, dedicated, available;
    struct place_cpu *cpu;
    struct node *node;
    struct llc *llc;
    uint8_t *distance;
    struct cage *cage;
    uint16_t *cage_llc;
    uint32_t *owner; /* of each CPU: the VM it is dedicated to */
    uint64_t *kind[PLACE_ALL + 1]; /* bitmaps of cages */
    uint64_t *under; /* of cages with room */
    uint16_t all; /* cages: the whole host */
    uint16_t *llc_cage, *node_cage;
    uint16_t *node_set; /* [node * NR_SET_SIZES + size's index] */
    uint64_t last_now;

    /* Masks, see class.c. */
    struct class *class;
    uint32_t nr_classes;
    uint64_t *takes; /* [class]: cages where it may go */
    uint64_t *takers; /* [cage]: cages that may take a thread of it */
    uint64_t *present; /* [cage]: classes with a thread there */
    uint64_t classes_refused;

    /* Threads by cage, class and demand. */
    uint16_t *pair_of; /* [cage * max_classes + class] */
    struct pair *pair;
    uint32_t nr_pairs;
    uint16_t free_pair;

    struct vm *vm;
    struct thread *thread;
    uint32_t free_vm, free_thread, nr_vms, nr_threads;

    struct edge *edge;
    uint32_t *edge_hash, edge_mask, free_edge, nr_edges;

    /* Cages by pressure. */
    uint16_t *heap, *heap_at, *decided;
    uint32_t heap_size, nr_decided;

    struct running running[MAX_RUNNING];
    struct tabu tabu[MAX_TABUS];
    uint64_t roll_back[NR_ROLL_BACKS], suspended_until;
    uint64_t tokens_since;
    uint32_t tokens;
    uint64_t actions, rolled_back, nowhere;
};

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* cage.c */
#define NR_SET_SIZES 12
extern const uint8_t place_set_sizes[NR_SET_SIZES];
void place_cages_init(struct place_host *h);
/* The cage with these CPUs, or PLACE_NONE. */
uint32_t place_cage_find(const struct place_host *h,
                         const struct place_set *cpus);
uint32_t place_distance(const struct place_host *h, uint32_t from, uint32_t to);
/* The node set of @size nodes next to @seed, or PLACE_NONE. */
uint32_t place_node_set(const struct place_host *h, uint32_t seed,
                        uint32_t size_index);

/* available.c: what is counted of CPUs that may be used. */
void place_count_cpus(struct place_host *h);
/* The CPUs that may be used have changed; VMs that no longer fit are widened. */
void place_available_changed(struct place_host *h, uint64_t now);

/* class.c */
void place_classes_init(struct place_host *h);
uint32_t place_class_get(struct place_host *h, const struct place_set *allowed);
void place_class_put(struct place_host *h, uint32_t class);
void place_classes_count(struct place_host *h);
/* A class came to a cage, or has left it. */
void place_present(struct place_host *h, uint32_t cage, uint32_t class,
                   bool on);

/* member.c: which thread is in which cage. */
uint32_t place_bucket(uint32_t demand);
void place_enter(struct place_host *h, uint32_t thread, uint32_t cage);
void place_leave(struct place_host *h, uint32_t thread);
void place_demand(struct place_host *h, uint32_t thread, uint32_t demand);
void place_reserve(struct place_host *h, uint32_t vm, uint32_t need);
void place_loads_count(struct place_host *h);
/*
 * Whether I1 and I2 hold when @thread, or with PLACE_NONE those of @vm's vCPUs
 * that are in the cage @from, have come to @to.
 */
bool place_fits(const struct place_host *h, uint32_t vm, uint32_t thread,
                uint32_t from, uint32_t to);
/* Whether a thread's class has a CPU there. */
bool place_meets(const struct place_host *h, uint32_t thread, uint32_t cage);

/* load.c */
uint32_t place_load(const struct place_host *h, uint32_t cage);
/* Microseconds a second that threads wait, of M/M/c. */
uint32_t place_wait(uint32_t load, uint32_t capacity);
void place_room(struct place_host *h);
uint32_t place_isqrt(uint64_t n);

/* admission.c: on its home's nodes, in place of what was reserved for it. */
void place_reserve_memory(struct place_host *h, struct vm *v, uint64_t memory);

/* heap.c: cages by pressure. */
void place_heap_init(struct place_host *h);
void place_heap_update(struct place_host *h, uint32_t cage);
uint32_t place_heap_pop(struct place_host *h);
void place_heap_push(struct place_host *h, uint32_t cage);

/* traffic.c */
void place_edges_init(struct place_host *h);
void place_edges_drop(struct place_host *h, uint32_t thread);
void place_edges_fade(struct place_host *h);
/* Events a second between these threads and others of cage @from or @to. */
int64_t place_cut(const struct place_host *h, uint32_t vm, uint32_t thread,
                  uint32_t from, uint32_t to);
/* Events a second that a VM's threads send each other. */
uint64_t place_events(const struct place_host *h, uint32_t vm);

/* balance.c: microseconds a second. */
uint64_t place_cost(uint64_t masks, uint64_t demand, uint64_t crossing);
/* Whether what is saved is clearly more than that. */
bool place_pays(uint64_t gain, uint64_t cost);

/* widen.c */
/* Gives a VM of @c a wider cage, if that saves waiting; better remote than waiting. */
bool place_widen(struct place_host *h, uint32_t c, uint64_t now,
                 struct place_change *change, size_t max, size_t *n);
/* VMs that were widened or moved go home when it costs them nothing. */
void place_narrow(struct place_host *h, uint64_t now,
                  struct place_change *change, size_t max, size_t *n);

/* judge.c */
void place_judge(struct place_host *h, uint64_t now,
                 struct place_change *change, size_t max, size_t *n);
bool place_tabu(const struct place_host *h, uint32_t vm, uint32_t from,
                uint32_t to, uint64_t now);
void place_tabu_forget(struct place_host *h, uint32_t vm);
void place_mean(const struct place_host *h, uint32_t c, uint32_t d,
                uint32_t windows, uint32_t *mean, uint32_t *deviation,
                uint64_t *run);

/* cores.c: cores for a dedicated VM, isolated ones first; how many were found. */
uint32_t place_cores_choose(const struct place_host *h, uint32_t cage,
                            const struct place_set *allowed, uint32_t vcpus,
                            struct place_set *chosen);
/* What the host would lack if the chosen cores, siblings and all, were gone. */
uint32_t place_cores_capacity(const struct place_host *h,
                              const struct place_set *chosen);
/* With all their threads; not if somebody else would be left without a CPU. */
bool place_cores_take(struct place_host *h, uint32_t vm,
                      const struct place_set *chosen, uint64_t now);
void place_cores_give_back(struct place_host *h, uint32_t vm, uint64_t now);

/* act.c: what an action does, if it may. */
bool place_act(struct place_host *h, uint32_t vm, uint32_t thread, uint32_t to,
               enum place_action action, uint32_t gain, uint32_t cost,
               bool more_local, uint64_t now, struct place_change *change,
               size_t max, size_t *n);
/* What it has reserved comes along. */
void place_change_home(struct place_host *h, uint32_t vm, uint32_t home);
/* Its threads' pressure must be measured anew before more is done about it. */
void place_begin_anew(struct place_host *h, uint32_t cage);
bool place_may_act(const struct place_host *h, uint64_t now);

#endif /* PLACE_MODEL_H */

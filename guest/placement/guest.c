/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's vCPUs do: bursts of computing and sleeps, and now and then an event
 * to another vCPU of the guest, which interrupts that one's sleep for a moment.  The
 * stream of random numbers is the vCPU's own, so it has the same work under each
 * policy.
 */

#include "cell.h"

#include "event_traffic.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One burst in so many ends with an event. */
#define BURSTS_PER_EVENT 4
/* Steps of a loop between two looks at the clock. */
#define STEPS 800

static const struct cell *cell;
static struct guest *self;
static struct xen_evtchn_traffic *traffic;
static pthread_barrier_t all_are_there;

struct work {
    unsigned int index;
    uint64_t random;
    volatile uint64_t *memory;
    uint64_t at;
};

static double next_random(struct work *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (double)((w->random >> 11) + 1) / 9007199254740993.0;
}

/* Nanoseconds, exponential, but for the rare long ones. */
static uint64_t next_length(struct work *w, double mean)
{
    double length =
        cell->pattern == PATTERN_LOCKED ? mean : -log(next_random(w)) * mean;

    return (uint64_t)(length > 8 * mean ? 8 * mean : length);
}

static void look_where(struct vcpu *v)
{
    int cpu = sched_getcpu(), node = cpu < 0 ? 0 : host.node[cpu];

    if (node != v->node) {
        v->node_moves++;
        v->node = node;
    }
}

static void compute(struct work *w, struct vcpu *v, uint64_t length)
{
    uint64_t end = nanoseconds(CLOCK_THREAD_CPUTIME_ID) + length;
    uint64_t words = cell->memory * 1024UL / sizeof(uint64_t);

    do {
        if (words) {
            /* By cache lines, in an order that no prefetcher knows. */
            for (int i = 0; i < STEPS; i++) {
                w->at = w->at * 6364136223846793005 + 1442695040888963407;
                w->memory[(w->at >> 33) % words]++;
            }
        } else {
            for (volatile int i = 0; i < STEPS; i++) {
            }
        }
        v->steps++;
        look_where(v);
    } while (nanoseconds(CLOCK_THREAD_CPUTIME_ID) < end);
}

static void send_event(struct work *w, struct vcpu *v)
{
    unsigned int other =
        (unsigned int)(next_random(w) * (cell->vcpus - 1)) % (cell->vcpus - 1);
    struct vcpu *to;

    other += other >= w->index;
    to = &self->vcpu[other];
    v->events++;
    v->crossed += to->node != v->node;
    if (!atomic_exchange(&to->pending, 1)) {
        xen_evtchn_traffic_count(xen_evtchn_traffic_row(traffic, w->index),
                                 other);
        syscall(SYS_futex, &to->pending, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

/* It handles the events that come meanwhile. */
static void sleep_for(struct vcpu *v, uint64_t length)
{
    uint64_t end = nanoseconds(CLOCK_MONOTONIC) + length;
    struct timespec until = { .tv_sec = (time_t)(end / NANOSECONDS),
                              .tv_nsec = (long)(end % NANOSECONDS) };

    do {
        v->pending = 0;
        syscall(SYS_futex, &v->pending, FUTEX_WAIT_BITSET, 0, &until, NULL,
                FUTEX_BITSET_MATCH_ANY);
        look_where(v);
    } while (nanoseconds(CLOCK_MONOTONIC) < end);
}

static void *vcpu_run(void *opaque)
{
    struct work *w = opaque;
    struct vcpu *v = &self->vcpu[w->index];
    double burst = cell->burst * 1000.0;
    char name[16];

    snprintf(name, sizeof(name), "CPU %u/TCG", w->index);
    pthread_setname_np(pthread_self(), name);
    v->tid = gettid();
    look_where(v);
    pthread_barrier_wait(&all_are_there);
    while (!cell->shared->go) {
        syscall(SYS_futex, &cell->shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    for (;;) {
        double part = self->per_mille / 1000.0;

        compute(w, v, next_length(w, burst));
        v->bursts++;
        if (cell->pattern == PATTERN_RANDOM && cell->vcpus > 1 &&
            next_random(w) * BURSTS_PER_EVENT < 1) {
            send_event(w, v);
        }
        if (part < 1) {
            sleep_for(v, next_length(w, burst * (1 - part) / part));
        }
    }
    return NULL;
}

/* As QEMU's -machine xen-evtchn-traffic= makes it. */
static void share_traffic(const char *path)
{
    uint32_t row = xen_evtchn_traffic_row_bytes(cell->vcpus);
    size_t size = XEN_EVTCHN_TRAFFIC_FIRST_ROW +
                  (size_t)row * xen_evtchn_traffic_sources(cell->vcpus);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)size)) {
        fail("cannot write %s", path);
    }
    traffic = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (traffic == MAP_FAILED) {
        fail("cannot map %s", path);
    }
    close(fd);
    *traffic = (struct xen_evtchn_traffic){
        .magic = XEN_EVTCHN_TRAFFIC_MAGIC,
        .version = XEN_EVTCHN_TRAFFIC_VERSION,
        .pid = (uint32_t)getpid(),
        .nr_vcpus = cell->vcpus,
        .row_bytes = row,
        .first_row = XEN_EVTCHN_TRAFFIC_FIRST_ROW,
    };
}

/*
 * In a cgroup of its own, as a service's or libvirt's guest is, if cgroup v2 is where
 * systemd mounts it.
 */
static void join_group(unsigned int number)
{
    char path[128], pid[16];

    snprintf(path, sizeof(path), "/sys/fs/cgroup/placement-%u", number);
    mkdir(path, 0755);
    strcat(path, "/cgroup.procs");
    snprintf(pid, sizeof(pid), "%d", getpid());
    write_text(path, pid);
}

void guest_run(const struct cell *the_cell, unsigned int number)
{
    static struct work work[MAX_VCPUS];
    char path[256];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cell = the_cell;
    self = &cell->shared->guest[number];
    self->pid = getpid();
    join_group(number);
    /* What all guests have in common costs the host once, and counts for each. */
    if (cell->resident) {
        madvise(cell->resident, GUEST_BYTES, MADV_POPULATE_READ);
    }
    snprintf(path, sizeof(path), "%s/guest%u.events", cell->directory, number);
    share_traffic(path);
    pthread_barrier_init(&all_are_there, NULL, cell->vcpus + 1);
    for (unsigned int i = 0; i < cell->vcpus; i++) {
        pthread_t thread;

        work[i] = (struct work){
            .index = i,
            .random = UINT64_C(88172645463325252) +
                      (cell->seed + 1) * UINT64_C(1000003) *
                          (number * MAX_VCPUS + i + 1),
            .memory = calloc(1, cell->memory * 1024UL + 64),
        };
        for (int k = 0; k < 20; k++) {
            next_random(&work[i]);
        }
        self->vcpu[i].node = -1;
        if (pthread_create(&thread, NULL, vcpu_run, &work[i])) {
            fail("no thread for vCPU %u of guest %u", i, number);
        }
    }
    pthread_barrier_wait(&all_are_there);
    monitor_serve(cell, number, path);
}

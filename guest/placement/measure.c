/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of the guests' vCPUs, and what of that is printed. */

#include "cell.h"

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

static void read_schedstat(pid_t pid, pid_t tid, uint64_t *run, uint64_t *delay)
{
    char path[64], text[128];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
    if (!read_line(path, text, sizeof(text)) ||
        sscanf(text, "%" SCNu64 " %" SCNu64, run, delay) != 2) {
        fail("thread %d is gone", tid);
    }
}

/* Those to any CPU; 0 where the kernel does not tell. */
static uint64_t read_migrations(pid_t pid, pid_t tid)
{
    char path[64], text[4096];
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/sched", pid, tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = 0;
    at = strstr(text, "se.nr_migrations");
    at = at ? strchr(at, ':') : NULL;
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

void sums_read(const struct cell *cell, const struct policy *policy,
               struct sums *sums)
{
    uint64_t run = 0, delay = 0;

    memset(sums, 0, sizeof(*sums));
    for (unsigned int i = 0; i < cell->guests; i++) {
        struct guest *g = &cell->shared->guest[i];

        for (unsigned int k = 0; k < cell->vcpus; k++) {
            struct vcpu *v = &g->vcpu[k];

            read_schedstat(g->pid, v->tid, &run, &delay);
            sums->run += run;
            sums->delay += delay;
            sums->run_of[i] += run;
            sums->delay_of[i] += delay;
            sums->migrations += read_migrations(g->pid, v->tid);
            sums->bursts += v->bursts;
            sums->steps += v->steps;
            sums->events += v->events;
            sums->crossed += v->crossed;
            sums->node_moves += v->node_moves;
        }
    }
    if (policy->daemon) {
        read_schedstat(policy->daemon, policy->daemon, &sums->daemon, &delay);
    }
}

static cpu_set_t mask[MAX_GUESTS][MAX_VCPUS];

unsigned int masks_changed(const struct cell *cell)
{
    unsigned int changed = 0;

    for (unsigned int i = 0; i < cell->guests; i++) {
        for (unsigned int k = 0; k < cell->vcpus; k++) {
            cpu_set_t now;

            CPU_ZERO(&now);
            sched_getaffinity(cell->shared->guest[i].vcpu[k].tid, sizeof(now),
                              &now);
            changed += !CPU_EQUAL(&now, &mask[i][k]);
            mask[i][k] = now;
        }
    }
    return changed;
}

bool mask_is_same(unsigned int guest, unsigned int other)
{
    return CPU_EQUAL(&mask[guest][0], &mask[other][0]);
}

bool mask_has(unsigned int guest, unsigned int vcpu, unsigned int cpu)
{
    return CPU_ISSET(cpu, &mask[guest][vcpu]);
}

unsigned int mask_cpus(unsigned int guest, unsigned int vcpu)
{
    return (unsigned int)CPU_COUNT(&mask[guest][vcpu]);
}

unsigned int mask_first(unsigned int guest, unsigned int vcpu)
{
    unsigned int cpu = 0;

    while (cpu < MAX_CPUS - 1 && !mask_has(guest, vcpu, cpu)) {
        cpu++;
    }
    return cpu;
}

unsigned int masks_wide(const struct cell *cell)
{
    unsigned int wide = 0;

    for (unsigned int i = 0; i < cell->guests; i++) {
        for (unsigned int k = 0; k < cell->vcpus; k++) {
            int node = -1;
            bool several = false;

            for (unsigned int c = 0; c < host.nr_cpus; c++) {
                if (CPU_ISSET(host.cpu[c], &mask[i][k])) {
                    several |= node >= 0 && node != host.node[host.cpu[c]];
                    node = host.node[host.cpu[c]];
                }
            }
            wide += several;
        }
    }
    return wide;
}

/* Those that watch a cgroup's pressure, with real-time priority, for a privileged daemon. */
static unsigned int kernel_threads_of_pressure(void)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    unsigned int n = 0;

    while (processes && (entry = readdir(processes))) {
        char path[280], name[64];

        snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
        n += read_line(path, name, sizeof(name)) && !strcmp(name, "psimon");
    }
    if (processes) {
        closedir(processes);
    }
    return n;
}

/* 1: all guests have run for the same time; 1/n: one of n has had it all. */
static double jain(const struct cell *cell, const struct sums *from,
                   const struct sums *to)
{
    double sum = 0, squares = 0;

    for (unsigned int i = 0; i < cell->guests; i++) {
        double run = (double)(to->run_of[i] - from->run_of[i]);

        sum += run;
        squares += run * run;
    }
    return squares ? sum * sum / (cell->guests * squares) : 1;
}

void result_print(const struct cell *cell, const struct sums *from,
                  const struct sums *to, uint64_t time, unsigned int masks,
                  const char *more)
{
    printf(
        "{\"case\": \"%s\", \"guests\": %u, \"vcpus\": %u, \"load\": %u, "
        "\"policy\": \"%s\", \"seed\": %u, \"cpus\": %u, \"nodes\": %u, "
        "\"time\": %.3f, \"run\": %.4f, \"delay\": %.4f, \"bursts\": %" PRIu64
        ", \"steps\": %" PRIu64 ", \"events\": %" PRIu64
        ", \"crossed\": %" PRIu64 ", \"migrations\": %" PRIu64
        ", \"node-moves\": %" PRIu64
        ", \"jain\": %.4f, \"masks\": %u, \"wide\": %u, \"daemon\": %.5f"
        ", \"psimon\": %u%s}\n",
        cell->name, cell->guests, cell->vcpus, cell->load, cell->policy,
        cell->seed, host.nr_cpus, host.nr_nodes, (double)time / 1e9,
        (double)(to->run - from->run) / 1e9,
        (double)(to->delay - from->delay) / 1e9, to->bursts - from->bursts,
        to->steps - from->steps, to->events - from->events,
        to->crossed - from->crossed, to->migrations - from->migrations,
        to->node_moves - from->node_moves, jain(cell, from, to), masks,
        masks_wide(cell), (double)(to->daemon - from->daemon) / 1e9,
        kernel_threads_of_pressure(), more);
    fflush(stdout);
}

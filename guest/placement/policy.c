/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What places the guests: nothing, pins, fixed cages, numad, or xen-place. */

#include "cell.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMAD_PID "/var/run/numad.pid"

static void allow(pid_t tid, const cpu_set_t *set)
{
    if (sched_setaffinity(tid, sizeof(*set), set)) {
        fail("sched_setaffinity failed for thread %d", tid);
    }
}

/* As scripts do it that count through the CPUs. */
static void pin(const struct cell *cell)
{
    for (unsigned int i = 0; i < cell->guests * cell->vcpus; i++) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(host.cpu[i % host.nr_cpus], &set);
        allow(cell->shared->guest[i / cell->vcpus].vcpu[i % cell->vcpus].tid,
              &set);
    }
}

static void cage(const struct cell *cell)
{
    for (unsigned int i = 0; i < cell->guests; i++) {
        cpu_set_t set;

        CPU_ZERO(&set);
        for (unsigned int k = 0; k < host.nr_cpus; k++) {
            if (host.node[host.cpu[k]] == (int)(i % host.nr_nodes)) {
                CPU_SET(host.cpu[k], &set);
            }
        }
        for (unsigned int k = 0; k < cell->vcpus; k++) {
            allow(cell->shared->guest[i].vcpu[k].tid, &set);
        }
    }
}

static pid_t start(const struct cell *cell, char *const arguments[],
                   const char *log)
{
    pid_t pid = fork();

    if (!pid) {
        char path[256];
        int fd;

        /* A cell that fails must not leave it to the next one. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        snprintf(path, sizeof(path), "%s/%s", cell->directory, log);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(arguments[0], arguments);
        _exit(127);
    }
    return pid;
}

static void start_xen_place(const struct cell *cell, struct policy *policy)
{
    char qmp[256], state[256], config[256], control[300];
    unsigned long actions, rolled_back;
    char *arguments[] = { (char *)cell->xen_place,
                          "daemon",
                          "--mode",
                          "balance",
                          "--qmp-dir",
                          qmp,
                          "--state",
                          state,
                          "--config",
                          config,
                          NULL };

    snprintf(qmp, sizeof(qmp), "%s/qmp", cell->directory);
    snprintf(state, sizeof(state), "%s/state", cell->directory);
    snprintf(config, sizeof(config), "%s/config", cell->directory);
    snprintf(control, sizeof(control), "%s/control", state);
    if (access(config, R_OK)) {
        arguments[8] = NULL;
    }
    /* An earlier daemon's is still there. */
    unlink(control);
    policy->daemon = start(cell, arguments, "xen-place.log");
    while (access(control, F_OK)) {
        if (waitpid(policy->daemon, NULL, WNOHANG) == policy->daemon) {
            fail("xen-place has ended: see xen-place.log");
        }
        usleep(20000);
    }
    /*
     * It answers when its first window is over and the guests have their cages.  To
     * find them takes an emulated CPU seconds once the guests are busy.
     */
    policy_actions(cell, &actions, &rolled_back);
}

/* It asks to be told once more when it has come to the background. */
static void start_numad(const struct cell *cell, struct policy *policy)
{
    char *arguments[] = { (char *)cell->numad, "-i", "1:2", NULL };
    char text[32] = "";
    int status;

    unlink(NUMAD_PID);
    waitpid(start(cell, arguments, "numad.log"), &status, 0);
    for (int tries = 0; !read_line(NUMAD_PID, text, sizeof(text)); tries++) {
        if (tries == 100) {
            fail("numad has not started: see numad.log");
        }
        usleep(20000);
    }
    policy->daemon = atoi(text);
}

void policy_start(const struct cell *cell, struct policy *policy)
{
    policy->daemon = 0;
    if (!strcmp(cell->policy, "pin")) {
        pin(cell);
    } else if (!strcmp(cell->policy, "nodes")) {
        cage(cell);
    } else if (!strcmp(cell->policy, "numad")) {
        start_numad(cell, policy);
    } else if (!strcmp(cell->policy, "xen-place")) {
        start_xen_place(cell, policy);
    } else if (strcmp(cell->policy, "free")) {
        fail("policy: '%s' is none of: free pin numad nodes xen-place",
             cell->policy);
    }
}

void policy_stop(struct policy *policy)
{
    if (policy->daemon) {
        kill(policy->daemon, SIGTERM);
        /* numad is no child of ours. */
        while (waitpid(policy->daemon, NULL, 0) < 0 &&
               !kill(policy->daemon, 0)) {
            usleep(20000);
        }
    }
}

void policy_actions(const struct cell *cell, unsigned long *actions,
                    unsigned long *rolled_back)
{
    char command[600], line[256] = "";
    FILE *status;
    const char *from;

    *actions = *rolled_back = 0;
    if (strcmp(cell->policy, "xen-place")) {
        return;
    }
    snprintf(command, sizeof(command), "%s status --state %s/state",
             cell->xen_place, cell->directory);
    status = popen(command, "r");
    if (!status || !fgets(line, sizeof(line), status)) {
        fail("xen-place status says nothing");
    }
    while (fgetc(status) != EOF) {
    }
    pclose(status);
    from = strstr(line, " threads, ");
    if (!from ||
        sscanf(from, " threads, %lu actions, %lu", actions, rolled_back) != 2) {
        fail("xen-place status says: %s", line);
    }
}

bool policy_move(const struct cell *cell, unsigned int guest,
                 unsigned int other)
{
    char command[600];

    /* A cage's CPUs follow each other here. */
    snprintf(command, sizeof(command),
             "%s move guest%u %u-%u --state %s/state >/dev/null 2>&1",
             cell->xen_place, guest, mask_first(other, 0),
             mask_first(other, 0) + mask_cpus(other, 0) - 1, cell->directory);
    return !system(command);
}

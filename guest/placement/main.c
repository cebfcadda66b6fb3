/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: placement-cell NAME=VALUE...
 *
 * Runs one cell and prints its result, a line of JSON; needs root.  The names are
 * those of options[] below.
 */

#include "cell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/futex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct cell cell = {
    .name = "matrix",
    .policy = "free",
    .directory = "/run/placement-cell",
    .xen_place = "/bin/xen-place",
    .numad = "/bin/numad",
    .guests = 8,
    .vcpus = 4,
    .load = 50,
    .seed = 1,
    .settle = 1,
    .seconds = 4,
    .burst = 4000,
};

static const struct {
    const char *name;
    const char **text;
    unsigned int *number, most;
} options[] = {
    { "case", &cell.name, NULL, 0 },
    { "policy", &cell.policy, NULL, 0 },
    { "directory", &cell.directory, NULL, 0 },
    { "xen-place", &cell.xen_place, NULL, 0 },
    { "numad", &cell.numad, NULL, 0 },
    { "guests", NULL, &cell.guests, MAX_GUESTS },
    { "vcpus", NULL, &cell.vcpus, MAX_VCPUS },
    { "load", NULL, &cell.load, 100 },
    { "seed", NULL, &cell.seed, 1000000 },
    { "settle", NULL, &cell.settle, 3600 },
    { "seconds", NULL, &cell.seconds, 3600 },
    { "burst", NULL, &cell.burst, 1000000 },
    { "memory", NULL, &cell.memory, 1 << 20 },
};

static void take_option(char *word)
{
    char *value = strchr(word, '='), *end;

    for (size_t i = 0; value && i < sizeof(options) / sizeof(*options); i++) {
        if (strncmp(word, options[i].name, (size_t)(value - word)) ||
            options[i].name[value - word]) {
            continue;
        }
        if (options[i].text) {
            *options[i].text = value + 1;
            return;
        }
        *options[i].number = (unsigned int)strtoul(value + 1, &end, 10);
        if (end == value + 1 || *end || *options[i].number > options[i].most) {
            fail("%s must be a number up to %u", options[i].name,
                 options[i].most);
        }
        return;
    }
    fail("'%s' is no option", word);
}

static void *map_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fail("no memory: %s", strerror(errno));
    }
    return memory;
}

/* The same for all guests and all cells, as it takes long to fill. */
static void *resident(void)
{
    char path[300];
    void *memory;
    int fd;

    snprintf(path, sizeof(path), "%s/memory", cell.directory);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, GUEST_BYTES)) {
        fail("%s: %s", path, strerror(errno));
    }
    memory = mmap(NULL, GUEST_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

static void make_directory(const char *below)
{
    char path[300];

    snprintf(path, sizeof(path), "%s%s", cell.directory, below);
    if (mkdir(path, 0700) && errno != EEXIST) {
        fail("%s: %s", path, strerror(errno));
    }
}

static void start_guests(void)
{
    char path[300];

    for (unsigned int i = 0; i < cell.guests; i++) {
        snprintf(path, sizeof(path), "%s/qmp/guest%u", cell.directory, i);
        unlink(path);
        cell.shared->guest[i].pid = fork();
        if (!cell.shared->guest[i].pid) {
            guest_run(&cell, i);
        }
    }
    for (unsigned int i = 0; i < cell.guests; i++) {
        while (!cell.shared->guest[i].ready) {
            if (waitpid(-1, NULL, WNOHANG) > 0) {
                fail("a guest has ended");
            }
            usleep(10000);
        }
    }
}

static void stop_guests(void)
{
    char path[300];

    for (unsigned int i = 0; i < cell.guests; i++) {
        kill(cell.shared->guest[i].pid, SIGKILL);
        waitpid(cell.shared->guest[i].pid, NULL, 0);
        snprintf(path, sizeof(path), "/sys/fs/cgroup/placement-%u", i);
        rmdir(path);
        snprintf(path, sizeof(path), "%s/guest%u.events", cell.directory, i);
        unlink(path);
        snprintf(path, sizeof(path), "%s/qmp/guest%u", cell.directory, i);
        unlink(path);
    }
}

int main(int argc, char **argv)
{
    struct policy policy;

    for (int i = 1; i < argc; i++) {
        take_option(argv[i]);
    }
    if (!cell.guests || !cell.vcpus || !cell.load || !cell.seconds) {
        fail("guests, vcpus, load and seconds must be above 0");
    }
    signal(SIGPIPE, SIG_IGN);
    host_read();
    make_directory("");
    make_directory("/qmp");
    cell.shared = map_shared(sizeof(*cell.shared));
    /* Nobody else looks at it. */
    cell.resident = strcmp(cell.policy, "numad") ? NULL : resident();
    case_prepare(&cell);
    start_guests();
    policy_start(&cell, &policy);
    cell.shared->go = 1;
    syscall(SYS_futex, &cell.shared->go, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
    case_run(&cell, &policy);
    policy_stop(&policy);
    stop_guests();
    return 0;
}

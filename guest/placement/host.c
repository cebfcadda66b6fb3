/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cell.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct host host;

uint64_t nanoseconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NANOSECONDS + (uint64_t)t.tv_nsec;
}

void fail(const char *text, ...)
{
    va_list args;

    fputs("placement-cell: ", stderr);
    va_start(args, text);
    vfprintf(stderr, text, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

bool read_line(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return false;
    }
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    return true;
}

bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ssize_t length = (ssize_t)strlen(text);
    bool good = fd >= 0 && write(fd, text, (size_t)length) == length;

    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Calls for each number of a list such as 0-3,8. */
static void each(const char *list, void (*call)(unsigned int number, int value),
                 int value)
{
    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;

        if (*end == '-') {
            last = strtoul(end + 1, &end, 10);
        }
        for (; first <= last && first < MAX_CPUS; first++) {
            call((unsigned int)first, value);
        }
        list = *end == ',' ? end + 1 : end;
    }
}

static void add_cpu(unsigned int number, int unused)
{
    (void)unused;
    host.cpu[host.nr_cpus++] = number;
    host.node[number] = 0;
}

static void set_node(unsigned int number, int node)
{
    if (host.node[number] >= 0) {
        host.node[number] = node;
        host.nr_nodes = (unsigned int)node + 1;
    }
}

static void set_isolated(unsigned int number, int value)
{
    host.isolated[number] = value;
}

void host_read(void)
{
    char path[128], list[4096];

    memset(&host, 0, sizeof(host));
    memset(host.node, -1, sizeof(host.node));
    if (!read_line("/sys/devices/system/cpu/online", list, sizeof(list))) {
        fail("/sys is not mounted");
    }
    each(list, add_cpu, 0);
    if (read_line("/sys/devices/system/cpu/isolated", path, sizeof(path))) {
        each(path, set_isolated, 1);
    }
    host.nr_nodes = 1;
    for (unsigned int number = 0, next = 0; number < MAX_CPUS; number++) {
        unsigned int before = host.nr_nodes;

        snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist",
                 number);
        if (read_line(path, list, sizeof(list)) && list[0]) {
            each(list, set_node, (int)next);
            next += host.nr_nodes > before || !next;
        }
    }
}

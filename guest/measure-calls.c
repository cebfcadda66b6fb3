/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user space of the guest of scripts/measure-pv: measures what user mode and the
 * kernel cost each other, prints "xenkvm-figure: CASE NANOSECONDS", and powers off.
 * Each figure is the least of several runs, which other load disturbs the least.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 9, PAGES = 1024 };

static void __attribute__((noreturn)) fail(const char *what)
{
    printf("xenkvm-measure: %s: %s\n", what, strerror(errno));
    reboot(RB_POWER_OFF);
    exit(1);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static unsigned int system_calls(void)
{
    enum { CALLS = 5000 };

    for (int i = 0; i < CALLS; i++) {
        syscall(SYS_getppid);
    }
    return CALLS;
}

/* Of pages that nobody has touched; the mapping is part of it. */
static unsigned int page_faults(void)
{
    long size = PAGES * sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED) {
        fail("mmap");
    }
    madvise(pages, size, MADV_NOHUGEPAGE);
    for (long at = 0; at < size; at += size / PAGES) {
        ((volatile char *)pages)[at] = 1;
    }
    munmap(pages, size);
    return PAGES;
}

static unsigned int forks(void)
{
    enum { FORKS = 50 };

    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();

        if (child < 0) {
            fail("fork");
        }
        if (!child) {
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return FORKS;
}

/* A byte to another process and back is two, with the system calls for it. */
static unsigned int context_switches(void)
{
    enum { ROUNDS = 500 };
    int there[2], back[2];
    char byte = 0;
    pid_t child;

    if (pipe(there) || pipe(back)) {
        fail("pipe");
    }
    child = fork();
    if (child < 0) {
        fail("fork");
    }
    for (int i = 0; i < ROUNDS; i++) {
        if (child ? write(there[1], &byte, 1) + read(back[0], &byte, 1) != 2 :
                    read(there[0], &byte, 1) + write(back[1], &byte, 1) != 2) {
            fail("a pipe");
        }
    }
    if (!child) {
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
    return 2 * ROUNDS;
}

static void measure(const char *name, unsigned int (*what)(void))
{
    double least = 0;

    for (int run = 0; run < RUNS; run++) {
        double start = now();
        unsigned int count = what();
        double each = (now() - start) / count;

        if (!run || each < least) {
            least = each;
        }
    }
    printf("xenkvm-figure: %s %.0f\n", name, least);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("\nxenkvm-up\n");
    measure("syscall", system_calls);
    measure("fault", page_faults);
    measure("fork", forks);
    measure("switch", context_switches);
    printf("xenkvm-measure: done\n");
    /* Let the console be read. */
    sleep(1);
    reboot(RB_POWER_OFF);
}

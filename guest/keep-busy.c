/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a guest busy while scripts/measure-migration moves it.
 *
 * usage: keep-busy DEVICE MIB_A_SECOND
 *
 * Writes to each page of WORKING_SET in turn, so many pages in each slice of time that it
 * is MIB_A_SECOND; and between the slices a sector to DEVICE, past the page cache.  Both
 * are amounts for a time, not what the guest is able to do, so that two guests that
 * differ in their devices do the same.  Ends when it is killed.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORKING_SET (32u << 20)
#define PAGE 4096u
#define SLICE_NS 10000000ll
#define SECTOR 4096u
#define SECTORS 256u

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int main(int argc, char **argv)
{
    uint64_t pages, done = 0, slices = 0, i;
    char *memory, *sector;
    int64_t next;
    int fd;

    if (argc != 3) {
        fprintf(stderr, "usage: keep-busy DEVICE MIB_A_SECOND\n");
        return 2;
    }
    pages = atoi(argv[2]) * (1048576ull / PAGE) * SLICE_NS / 1000000000;
    memory = malloc(WORKING_SET);
    fd = open(argv[1], O_RDWR | O_DIRECT);
    if (!memory || fd < 0 || posix_memalign((void **)&sector, PAGE, SECTOR)) {
        perror(argv[1]);
        return 1;
    }
    for (next = now();; next += SLICE_NS) {
        struct timespec until = { next / 1000000000, next % 1000000000 };

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        /* What it missed while it was stopped is not made up for. */
        if (now() - next > 10 * SLICE_NS) {
            next = now();
        }
        for (i = 0; i < pages; i++, done++) {
            *(uint64_t *)&memory[done * PAGE % WORKING_SET] = done;
        }
        *(uint64_t *)sector = ++slices;
        if (pwrite(fd, sector, SECTOR, slices % SECTORS * SECTOR) != SECTOR) {
            perror("pwrite");
            return 1;
        }
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uses a guest's disk, NIC, console, event channels and clock all the time, and counts,
 * so that a save, restore or migration which loses something, or does it twice, shows.
 *
 * usage: numbers FILE ADDRESS
 *
 * WRITERS processes write numbered sectors to FILE, a disk or on one, past the page
 * cache, each over and over to a stretch of its own, and read back what is there.  One
 * prints "xenkvm-line: N", from 1 on.  One sends itself events through /dev/xen/evtchn,
 * one at a time.  One pings ADDRESS every 10 ms (numbers_pings.c).  At SIGTERM all end,
 * and the sums are printed; the exit status is 0 if each sector had its number, each event
 * and each ping was answered once, and no clock went back.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef uint16_t domid_t;       /* the header lacks it */
#include <xen/evtchn.h>

#include "numbers.h"

#define SECTORS     64          /* of each writer */
#define SECTOR      512
#define FIRST       2048        /* sector, behind what others use */
#define LINE_US     20000
#define DOMID_SELF  0x7ff0

struct shared *shared;

static void on_term(int number)
{
    (void)number;
    shared->stop = 1;
}

void error(const char *what, unsigned long long a, unsigned long long b)
{
    printf("xenkvm-numbers: %s: %llu, %llu\n", what, a, b);
    fflush(stdout);
    __atomic_add_fetch(&shared->errors, 1, __ATOMIC_SEQ_CST);
}

static void check_sector(int fd, uint64_t *sector, unsigned int writer,
                         uint64_t number)
{
    unsigned int i;

    if (!number) {
        return;
    }
    if (pread(fd, sector, SECTOR,
              (FIRST + writer * SECTORS + number % SECTORS) * SECTOR) !=
        SECTOR) {
        error("read", writer, errno);
        return;
    }
    for (i = 0; i < SECTOR / sizeof(*sector); i++) {
        if (sector[i] != ((uint64_t)writer << 56 | number)) {
            error("sector has another number", number, sector[i]);
            return;
        }
    }
}

static void write_sectors(const char *file, unsigned int writer)
{
    int fd = open(file, O_RDWR | O_DIRECT);
    uint64_t *sector, number;
    unsigned int i;

    if (fd < 0 || posix_memalign((void **)&sector, 4096, SECTOR)) {
        error("open", writer, errno);
        return;
    }
    for (number = 1; !shared->stop; number++) {
        for (i = 0; i < SECTOR / sizeof(*sector); i++) {
            sector[i] = (uint64_t)writer << 56 | number;
        }
        if (pwrite(fd, sector, SECTOR,
                   (FIRST + writer * SECTORS + number % SECTORS) * SECTOR) !=
            SECTOR) {
            error("write", writer, errno);
            return;
        }
        shared->written[writer] = number;
        /* The oldest that is still there: something may have come after it. */
        check_sector(fd, sector, writer,
                     number >= SECTORS ? number - SECTORS + 1 : number);
    }
    /* And what is there at the end. */
    for (i = 0; i < SECTORS && i < number - 1; i++) {
        check_sector(fd, sector, writer, number - 1 - i);
    }
}

int64_t now(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Every ANSWER_MS: one of the other processes that has not gone on is an error. */
static void watch_others(int64_t t)
{
    static const char *const names[] = {
        [0 ... WRITERS - 1] = "a writer stands still",
        [WRITERS] = "events stand still",
        [WRITERS + 1] = "pings stand still",
    };
    static uint64_t before[WRITERS + 2];
    static int64_t next;
    unsigned int i;

    if (t < next) {
        return;
    }
    for (i = 0; i < WRITERS + 2; i++) {
        uint64_t count = i < WRITERS  ? shared->written[i] :
                         i == WRITERS ? shared->events :
                                        shared->pings;

        if (next && count == before[i]) {
            error(names[i], count, i);
        }
        before[i] = count;
    }
    next = t + ANSWER_MS * 1000000ll;
}

static void print_lines(void)
{
    int64_t last = 0, last_real = 0, t;
    char line[64];
    uint64_t n;

    for (n = 1; !shared->stop; n++) {
        int length = snprintf(line, sizeof(line), "xenkvm-line: %llu\n",
                              (unsigned long long)n);

        if (write(STDOUT_FILENO, line, length) != length) {
            error("print", n, errno);
            return;
        }
        shared->lines = n;
        t = now(CLOCK_MONOTONIC);
        if (t < last) {
            error("the clock went back", last, t);
        }
        last = t;
        t = now(CLOCK_REALTIME);
        if (t < last_real) {
            error("the time of day went back", last_real, t);
        }
        last_real = t;
        watch_others(last);
        usleep(LINE_US);
    }
}

/* The port that has an event, which is to be told of the next one; 0: none. */
static unsigned int take_event(int fd, int milliseconds)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    unsigned int port;

    if (poll(&p, 1, milliseconds) != 1) {
        return 0;
    }
    if (read(fd, &port, sizeof(port)) != sizeof(port) ||
        write(fd, &port, sizeof(port)) != sizeof(port)) {
        error("event", errno, 0);
        return 0;
    }
    return port;
}

static void send_events(void)
{
    struct ioctl_evtchn_bind_unbound_port unbound = {
        .remote_domain = DOMID_SELF,
    };
    struct ioctl_evtchn_bind_interdomain pair = {
        .remote_domain = DOMID_SELF,
    };
    struct ioctl_evtchn_notify notify;
    int fd = open("/dev/xen/evtchn", O_RDWR);
    int to, from;

    if (fd < 0) {
        error("/dev/xen/evtchn", errno, 0);
        return;
    }
    to = ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &unbound);
    pair.remote_port = to;
    from = to < 0 ? -1 : ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &pair);
    if (from < 0) {
        error("binding", errno, to);
        return;
    }
    /* A binding may raise one. */
    while (take_event(fd, 200)) {
    }
    notify.port = from;
    while (!shared->stop) {
        unsigned int port;

        if (ioctl(fd, IOCTL_EVTCHN_NOTIFY, &notify)) {
            error("notify", errno, shared->events);
            return;
        }
        port = take_event(fd, ANSWER_MS);
        if (port != (unsigned int)to) {
            error("an event was lost", shared->events, port);
            return;
        }
        shared->events++;
        if (shared->events % 16 == 0 && take_event(fd, 2)) {
            error("an event came twice", shared->events, port);
        }
        usleep(500);
    }
    if (take_event(fd, 200)) {
        error("an event came twice", shared->events, 0);
    }
}

/* The Internet checksum. */
int main(int argc, char **argv)
{
    unsigned long long written = 0;
    unsigned int i;

    if (argc != 3) {
        fprintf(stderr, "usage: numbers FILE ADDRESS\n");
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_term);
    for (i = 0; i < WRITERS + 3; i++) {
        if (!fork()) {
            if (i < WRITERS) {
                write_sectors(argv[1], i);
            } else if (i == WRITERS) {
                print_lines();
            } else if (i == WRITERS + 1) {
                send_events();
            } else {
                send_pings(argv[2]);
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0 || errno == EINTR) {
    }
    for (i = 0; i < WRITERS; i++) {
        written += shared->written[i];
    }
    printf("xenkvm-numbers: %llu sectors, %llu lines, %llu events, %llu pings "
           "(slowest %llu ms), %llu errors\n",
           written, (unsigned long long)shared->lines,
           (unsigned long long)shared->events,
           (unsigned long long)shared->pings,
           (unsigned long long)shared->slowest_ms,
           (unsigned long long)shared->errors);
    return shared->errors != 0 || !written || !shared->events || !shared->pings;
}

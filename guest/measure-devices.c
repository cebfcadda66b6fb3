/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures a block device or a network connection from inside a guest, and prints
 * one number: operations in a second, or MiB in a second.
 *
 * usage: measure-devices disk DEVICE read|write BYTES DEPTH MILLISECONDS
 *        measure-devices net ADDRESS PORT send|receive|echo MILLISECONDS
 *
 * "disk" has DEPTH requests of BYTES in flight, each at a random place, past the
 * guest's page cache, and prints operations in a second.  "net" talks TCP to the
 * server of scripts/measure-devices, which it tells by one letter what to do: to send
 * and to receive are in MiB/s, to have one byte echoed in operations in a second.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 256
#define MAX_BYTES (1 << 20)

static void __attribute__((noreturn)) fail(const char *what)
{
    fprintf(stderr, "measure-devices: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t random_number(void)
{
    static uint64_t x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static double measure_disk(const char *device, int opcode, size_t bytes,
                           unsigned int depth, double seconds)
{
    static struct iocb iocbs[MAX_DEPTH], *submit[MAX_DEPTH];
    static struct io_event events[MAX_DEPTH];
    int fd = open(device, O_RDWR | O_DIRECT);
    aio_context_t context = 0;
    uint64_t places, done = 0;
    unsigned int i, free = depth;
    double begin;

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &places) < 0) {
        fail(device);
    }
    places /= bytes;
    if (!places || syscall(SYS_io_setup, depth, &context) < 0) {
        fail("io_setup");
    }
    for (i = 0; i < depth; i++) {
        char *buffer = aligned_alloc(4096, bytes);

        if (!buffer) {
            fail("memory");
        }
        memset(buffer, i + 1, bytes);
        iocbs[i] = (struct iocb){
            .aio_fildes = fd,
            .aio_lio_opcode = opcode,
            .aio_buf = (uintptr_t)buffer,
            .aio_nbytes = bytes,
        };
        submit[i] = &iocbs[i];
    }
    begin = now();
    do {
        struct iocb **next = submit;
        long ret;

        for (i = 0; i < free; i++) {
            submit[i]->aio_offset = random_number() % places * bytes;
        }
        while (free) {
            ret = syscall(SYS_io_submit, context, free, next);
            if (ret <= 0) {
                fail("io_submit");
            }
            free -= ret;
            next += ret;
        }
        ret = syscall(SYS_io_getevents, context, 1, depth, events, NULL);
        if (ret <= 0) {
            fail("io_getevents");
        }
        for (i = 0; i < ret; i++) {
            if (events[i].res != (int64_t)bytes) {
                errno = -events[i].res;
                fail(device);
            }
            submit[i] = (struct iocb *)(uintptr_t)events[i].obj;
        }
        free = ret;
        done += ret;
    } while (now() - begin < seconds);
    return done / (now() - begin);
}

static double measure_net(const char *address, int port, char what,
                          double seconds)
{
    static char buffer[1 << 17];
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = inet_addr(address),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t done = 0;
    int one = 1;
    double begin;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
        write(fd, &what, 1) != 1) {
        fail(address);
    }
    begin = now();
    do {
        ssize_t n = 1;

        if (what != 'r') {
            n = write(fd, buffer, what == 'e' ? 1 : sizeof(buffer));
        }
        if (what != 's' && n > 0) {
            n = read(fd, buffer, what == 'e' ? 1 : sizeof(buffer));
        }
        if (n <= 0) {
            fail(address);
        }
        done += n;
    } while (now() - begin < seconds);
    return done / (now() - begin) / (what == 'e' ? 1 : 1 << 20);
}

int main(int argc, char *argv[])
{
    double result;

    if (argc == 7 && !strcmp(argv[1], "disk")) {
        size_t bytes = atol(argv[4]);
        unsigned int depth = atoi(argv[5]);

        if (!bytes || bytes > MAX_BYTES || !depth || depth > MAX_DEPTH) {
            errno = EINVAL;
            fail("BYTES or DEPTH");
        }
        result = measure_disk(argv[2],
                              argv[3][0] == 'w' ? IOCB_CMD_PWRITE
                                                : IOCB_CMD_PREAD,
                              bytes, depth, atoi(argv[6]) / 1e3);
    } else if (argc == 6 && !strcmp(argv[1], "net")) {
        result = measure_net(argv[2], atoi(argv[3]), argv[4][0],
                             atoi(argv[5]) / 1e3);
    } else {
        fprintf(stderr, "usage: measure-devices disk DEVICE read|write BYTES "
                        "DEPTH MILLISECONDS\n"
                        "       measure-devices net ADDRESS PORT "
                        "send|receive|echo MILLISECONDS\n");
        return 2;
    }
    printf("%.3f\n", result);
    return 0;
}

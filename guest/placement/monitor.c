/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few QMP commands by which xen-place learns of a QEMU. */

#include "cell.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_CLIENTS 4
#define GREETING                                                       \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, " \
    "\"major\": 10}}, \"capabilities\": []}}\r\n"

struct client {
    int fd; /* -1: none */
    char line[1024];
    size_t length;
};

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        fail("%s: too long for a socket", path);
    }
    strcpy(address.sun_path, path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
        listen(fd, 4)) {
        fail("%s: no socket there", path);
    }
    return fd;
}

static void answer(const struct cell *cell, unsigned int number,
                   const char *traffic, const struct client *c)
{
    char text[4096];
    int n = 0;

    if (strstr(c->line, "\"query-cpus-fast\"")) {
        n = snprintf(text, sizeof(text), "{\"return\": [");
        for (unsigned int i = 0; i < cell->vcpus; i++) {
            n += snprintf(text + n, sizeof(text) - (size_t)n,
                          "%s{\"cpu-index\": %u, \"thread-id\": %d}",
                          i ? ", " : "", i,
                          cell->shared->guest[number].vcpu[i].tid);
        }
        snprintf(text + n, sizeof(text) - (size_t)n, "]}\r\n");
    } else if (strstr(c->line, "\"query-name\"")) {
        snprintf(text, sizeof(text),
                 "{\"return\": {\"name\": \"guest%u\"}}\r\n", number);
    } else if (strstr(c->line, "\"query-iothreads\"")) {
        strcpy(text, "{\"return\": []}\r\n");
    } else if (strstr(c->line, "\"query-memory-size-summary\"")) {
        strcpy(text, "{\"return\": {\"base-memory\": 67108864}}\r\n");
    } else if (strstr(c->line, "\"xen-evtchn-traffic\"")) {
        snprintf(text, sizeof(text), "{\"return\": \"%s\"}\r\n", traffic);
    } else if (strstr(c->line, "\"qmp_capabilities\"")) {
        strcpy(text, "{\"return\": {}}\r\n");
    } else {
        strcpy(text, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                     "\"not one of those that this guest knows\"}}\r\n");
    }
    send(c->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* False: the client has gone. */
static bool serve(const struct cell *cell, unsigned int number,
                  const char *traffic, struct client *c)
{
    ssize_t n =
        recv(c->fd, c->line + c->length, sizeof(c->line) - 1 - c->length, 0);
    char *end;

    if (n <= 0) {
        return false;
    }
    c->length += (size_t)n;
    c->line[c->length] = 0;
    while ((end = strchr(c->line, '\n'))) {
        *end = 0;
        answer(cell, number, traffic, c);
        c->length -= (size_t)(end + 1 - c->line);
        memmove(c->line, end + 1, c->length + 1);
    }
    return c->length < sizeof(c->line) - 1;
}

void monitor_serve(const struct cell *cell, unsigned int number,
                   const char *traffic)
{
    static struct client client[MAX_CLIENTS];
    char path[256];
    int listener;

    for (int i = 0; i < MAX_CLIENTS; i++) {
        client[i].fd = -1;
    }
    snprintf(path, sizeof(path), "%s/qmp/guest%u", cell->directory, number);
    listener = listen_at(path);
    cell->shared->guest[number].ready = true;
    for (;;) {
        struct pollfd poll_of[MAX_CLIENTS + 1] = { { listener, POLLIN, 0 } };

        for (int i = 0; i < MAX_CLIENTS; i++) {
            poll_of[i + 1] = (struct pollfd){ client[i].fd, POLLIN, 0 };
        }
        poll(poll_of, MAX_CLIENTS + 1, -1);
        for (int i = 0; i < MAX_CLIENTS; i++) {
            struct client *c = &client[i];

            if (c->fd >= 0 && poll_of[i + 1].revents &&
                !serve(cell, number, traffic, c)) {
                close(c->fd);
                c->fd = -1;
            }
            if (c->fd < 0 && poll_of[0].revents) {
                poll_of[0].revents = 0;
                c->length = 0;
                c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                send(c->fd, GREETING, strlen(GREETING), MSG_NOSIGNAL);
            }
        }
    }
}

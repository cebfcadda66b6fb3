/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes of guest/numbers.c have in common. */

#ifndef GUEST_NUMBERS_H
#define GUEST_NUMBERS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define WRITERS     4
#define ANSWER_MS   20000       /* what takes longer is lost */

struct shared {
    volatile sig_atomic_t stop;
    volatile uint64_t written[WRITERS], lines, events, pings, slowest_ms, errors;
};
extern struct shared *shared;

/* Counts it, and prints it. */
void error(const char *what, unsigned long long a, unsigned long long b);
/* In nanoseconds. */
int64_t now(clockid_t clock);
/* Until shared->stop; then waits for the answers that lack. */
void send_pings(const char *address);

#endif /* GUEST_NUMBERS_H */

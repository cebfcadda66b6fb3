/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_watchdog: timers that end the guest unless it sets them again.  What
 * that means is -action watchdog=, as for every watchdog of QEMU's.
 */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/xen/interface/sched.h"
#include "system/reset.h"
#include "system/watchdog.h"

#define NR_WATCHDOGS 2

/* BQL */
static struct {
    QEMUTimer *timer;
    bool in_use;
} watchdogs[NR_WATCHDOGS];

static void expired(void *opaque)
{
    watchdog_perform_action();
}

static void reset(void *opaque)
{
    unsigned int i;

    for (i = 0; i < NR_WATCHDOGS; i++) {
        timer_del(watchdogs[i].timer);
        watchdogs[i].in_use = false;
    }
}

static void init(void)
{
    unsigned int i;

    if (watchdogs[0].timer) {
        return;
    }
    for (i = 0; i < NR_WATCHDOGS; i++) {
        watchdogs[i].timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, expired, NULL);
    }
    qemu_register_reset(reset, NULL);
}

static void set(unsigned int i, uint32_t seconds)
{
    watchdogs[i].in_use = true;
    timer_mod(watchdogs[i].timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                  seconds * NANOSECONDS_PER_SECOND);
}

static int take_one(uint32_t seconds)
{
    unsigned int i;

    for (i = 0; i < NR_WATCHDOGS; i++) {
        if (!watchdogs[i].in_use) {
            set(i, seconds);
            return i + 1;
        }
    }
    return -ENOSPC;
}

int xen_hypercall_watchdog(CPUState *cs, uint64_t arg)
{
    struct sched_watchdog op;

    qemu_build_assert(sizeof(op) == 8);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        return -EFAULT;
    }
    if (op.id > NR_WATCHDOGS) {
        return -EINVAL;
    }

    BQL_LOCK_GUARD();
    init();
    if (op.id == 0) {
        return take_one(op.timeout);
    }
    if (!watchdogs[op.id - 1].in_use) {
        return -EINVAL;
    }
    if (op.timeout) {
        set(op.id - 1, op.timeout);
    } else {
        timer_del(watchdogs[op.id - 1].timer);
        watchdogs[op.id - 1].in_use = false;
    }
    return 0;
}

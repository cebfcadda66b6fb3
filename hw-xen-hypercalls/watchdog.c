/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_watchdog: timers that end the guest unless it sets them again.  As
 * for all of QEMU's watchdogs, -action watchdog= says what QEMU then does.
 */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/xen/interface/sched.h"
#include "migration/vmstate.h"
#include "system/watchdog.h"

#define NR_WATCHDOGS 2

typedef struct Watchdogs {
    QEMUTimer *timer[NR_WATCHDOGS];
    bool in_use[NR_WATCHDOGS];
} Watchdogs;

static Watchdogs watchdogs;     /* BQL */

static void expired(void *opaque)
{
    watchdog_perform_action();
}

static void reset(void)
{
    unsigned int i;

    for (i = 0; i < NR_WATCHDOGS; i++) {
        timer_del(watchdogs.timer[i]);
        watchdogs.in_use[i] = false;
    }
}

static bool needed(void *opaque)
{
    return watchdogs.in_use[0] || watchdogs.in_use[1];
}

static const VMStateDescription vmstate_watchdogs = {
    .name = "xen_watchdog",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = needed,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL_ARRAY(in_use, Watchdogs, NR_WATCHDOGS),
        VMSTATE_TIMER_PTR_ARRAY(timer, Watchdogs, NR_WATCHDOGS),
        VMSTATE_END_OF_LIST()
    },
};

void xen_hypercall_watchdog_init(void)
{
    unsigned int i;

    for (i = 0; i < NR_WATCHDOGS; i++) {
        watchdogs.timer[i] = timer_new_ns(QEMU_CLOCK_VIRTUAL, expired, NULL);
    }
    xen_hypercall_register_reset(reset);
    vmstate_register(NULL, 0, &vmstate_watchdogs, &watchdogs);
}

static void set(unsigned int i, uint32_t seconds)
{
    watchdogs.in_use[i] = true;
    timer_mod(watchdogs.timer[i], qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                  seconds * NANOSECONDS_PER_SECOND);
}

static int take_one(uint32_t seconds)
{
    unsigned int i;

    for (i = 0; i < NR_WATCHDOGS; i++) {
        if (!watchdogs.in_use[i]) {
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
    if (op.id == 0) {
        return take_one(op.timeout);
    }
    if (!watchdogs.in_use[op.id - 1]) {
        return -EINVAL;
    }
    if (op.timeout) {
        set(op.id - 1, op.timeout);
    } else {
        timer_del(watchdogs.timer[op.id - 1]);
        watchdogs.in_use[op.id - 1] = false;
    }
    return 0;
}

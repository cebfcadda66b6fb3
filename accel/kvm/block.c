/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_block on KVM, and SCHEDOP_poll where the kernel leaves it to QEMU
 * (before Linux 5.19): to KVM a vCPU that sleeps has executed HLT, so
 * interrupts and upcalls wake it in the kernel.  For a port that is polled, or
 * a time-out, QEMU ends the HLT.
 *
 * QEMU is not told when an interrupt wakes the vCPU.  If it then ends a HLT
 * that the guest has executed itself, that HLT returns early, which is
 * harmless.
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "hw/boards.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "hw/xen-evtchn/qemu/hooks.h"

#include "internal.h"

typedef struct Sleeper {
    CPUState *cs;
    QEMUTimer *timer;
    unsigned int sleeps;        /* number of the last sleep; vCPU's thread */
    unsigned int asleep;        /* number of the present one, or 0; atomic */
} Sleeper;

static Sleeper *sleepers;       /* by cpu_index */
static unsigned int nr_sleepers;

/* On the vCPU's thread, which has left KVM to do this. */
static void end_sleep(CPUState *cs, run_on_cpu_data data)
{
    Sleeper *sleeper = &sleepers[cs->cpu_index];

    if (data.host_ulong == sleeper->sleeps) {
        timer_del(sleeper->timer);
        xen_evtchn_poll_cancel(cs->cpu_index);
        xen_kvm_end_halt(cs);
    }
}

void xen_kvm_wake_vcpu(CPUState *cs)
{
    Sleeper *sleeper = &sleepers[cs->cpu_index];
    unsigned int sleep = qatomic_read(&sleeper->asleep);

    /*
     * The sender sets the event's bits before it looks here, and the vCPU looks
     * for events after it has set "asleep": one of the two sees the other.
     */
    if (sleep && qatomic_cmpxchg(&sleeper->asleep, sleep, 0) == sleep) {
        async_run_on_cpu(cs, end_sleep, RUN_ON_CPU_HOST_ULONG(sleep));
    }
}

void xen_kvm_block_vcpu(CPUState *cs, uint64_t until_ns)
{
    Sleeper *sleeper = &sleepers[cs->cpu_index];
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), left = INT64_MAX;

    timer_del(sleeper->timer);
    sleeper->sleeps = sleeper->sleeps + 1 ?: 1;
    qatomic_set_mb(&sleeper->asleep, sleeper->sleeps);
    xen_kvm_begin_halt(cs);
    if (until_ns) {
        left = MIN(until_ns, INT64_MAX) - (int64_t)xen_accel->get_system_time();
    }
    if (left < INT64_MAX - now) {
        timer_mod_ns(sleeper->timer, now + MAX(left, 0));
    }
}

static void time_out(void *opaque)
{
    Sleeper *sleeper = opaque;

    xen_kvm_wake_vcpu(sleeper->cs);
}

/* Saved state does not say that vCPUs sleep, nor until when: wake them all. */
static void vm_state_changed(void *opaque, bool running, RunState state)
{
    unsigned int i;

    for (i = 0; i < nr_sleepers && !running; i++) {
        if (sleepers[i].cs) {
            xen_kvm_wake_vcpu(sleepers[i].cs);
        }
    }
}

static void reset(void *opaque)
{
    unsigned int i;

    for (i = 0; i < nr_sleepers; i++) {
        qatomic_set(&sleepers[i].asleep, 0);
        if (sleepers[i].timer) {
            timer_del(sleepers[i].timer);
        }
    }
}

/* BQL held, before @cs runs. */
void xen_kvm_block_init_vcpu(CPUState *cs)
{
    Sleeper *sleeper;

    if (!sleepers) {
        nr_sleepers = MACHINE(qdev_get_machine())->smp.max_cpus;
        sleepers = g_new0(Sleeper, nr_sleepers);
        qemu_register_reset(reset, NULL);
        qemu_add_vm_change_state_handler(vm_state_changed, NULL);
    }
    sleeper = &sleepers[cs->cpu_index];
    sleeper->cs = cs;
    sleeper->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, time_out, sleeper);
}

void xen_kvm_block_destroy_vcpu(CPUState *cs)
{
    Sleeper *sleeper = &sleepers[cs->cpu_index];

    timer_free(g_steal_pointer(&sleeper->timer));
    qatomic_set(&sleeper->asleep, 0);
    sleeper->cs = NULL;
}

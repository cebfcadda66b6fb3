/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's vCPUs by number.
 *
 * A vCPU's own realize and unrealize publish it here and withdraw it, so a
 * thread that raises an event has nothing to look up, and no copy to keep up to
 * date.
 *
 * RCU alone would not do.  A vCPU is unplugged by a write to a register of
 * ACPI's, that is by another vCPU inside of an RCU reader, which may not wait
 * for readers.  And the first of it that is destroyed is its thread, which a
 * kick must not meet; its memory follows at once.  So a thread that uses a vCPU
 * counts itself in, and unrealize waits for those few.
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/memalign.h"
#include "qemu/processor.h"
#include "hw/core/cpu.h"

#include "vcpu.h"

/* One a cache line: IPIs to several vCPUs shall not fight for one. */
typedef struct QEMU_ALIGNED(64) Slot {
    CPUState *cs;
    unsigned int users;
} Slot;

static Slot *slots;
static uint32_t nr_slots;

void xen_evtchn_vcpus_init(uint32_t nr)
{
    if (!slots) {
        slots = qemu_memalign(sizeof(*slots), nr * sizeof(*slots));
        memset(slots, 0, nr * sizeof(*slots));
        qatomic_store_release(&nr_slots, nr);
    }
}

void xen_evtchn_vcpu_publish(uint32_t vcpu, CPUState *cs)
{
    assert(vcpu < nr_slots && !slots[vcpu].cs);
    qatomic_store_release(&slots[vcpu].cs, cs);
}

void xen_evtchn_vcpu_withdraw(uint32_t vcpu)
{
    assert(vcpu < nr_slots);
    /* A user counts itself in and then looks, so one of the two is seen. */
    qatomic_set_mb(&slots[vcpu].cs, NULL);
    while (qatomic_load_acquire(&slots[vcpu].users)) {
        cpu_relax();
        g_usleep(10);
    }
}

CPUState *xen_evtchn_get_cpu(uint32_t vcpu)
{
    CPUState *cs;

    if (vcpu >= qatomic_load_acquire(&nr_slots)) {
        return NULL;
    }
    qatomic_inc(&slots[vcpu].users);
    smp_mb__after_rmw();
    cs = qatomic_load_acquire(&slots[vcpu].cs);
    if (!cs) {
        xen_evtchn_put_cpu(vcpu);
    }
    return cs;
}

void xen_evtchn_put_cpu(uint32_t vcpu)
{
    qatomic_dec(&slots[vcpu].users);
}

CPUState *xen_evtchn_cpu(uint32_t vcpu)
{
    return vcpu < nr_slots ? slots[vcpu].cs : NULL;
}

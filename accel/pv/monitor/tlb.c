/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLBs, of this vCPU and of others, which the monitor has to interrupt. */

#include "marks.h"

void load_cr3(struct vcpu *v)
{
    uint64_t top = v->kernel_mode ? v->kernel_top : v->user_top;

    check_slots(top);
    write_cr3(top << PAGE_SHIFT);
}

/*
 * A vCPU in the guest is kicked, and waited for.  One in the monitor, asleep or not,
 * flushes before it enters the guest again: it sets in_guest and then looks at
 * flush_pending; the sender does both in the opposite order.  The sender itself is in
 * the monitor, so that two that flush each other do not wait for each other.
 */
void enter_guest(struct vcpu *v)
{
    for (;;) {
        __atomic_store_n(&v->in_guest, true, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&v->flush_pending, __ATOMIC_SEQ_CST)) {
            isolate(v);
            return;
        }
        __atomic_store_n(&v->in_guest, false, __ATOMIC_SEQ_CST);
        __atomic_store_n(&v->flush_pending, false, __ATOMIC_SEQ_CST);
        load_cr3(v);
    }
}

void leave_guest(struct vcpu *v)
{
    __atomic_store_n(&v->in_guest, false, __ATOMIC_SEQ_CST);
}

void kick(const struct vcpu *target)
{
    /* ICR is no store to memory: what was stored before is to be seen before. */
    asm volatile("mfence; lfence" : : : "memory");
    wrmsr(MSR_X2APIC_ICR,
          (uint64_t)__atomic_load_n(&target->apic_id, __ATOMIC_RELAXED) << 32 |
          VECTOR_KICK);
}

/* Flush the TLBs of the vCPUs in the bitmap, but for this one's. */
static void flush_others(const uint64_t *mask)
{
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu *target = vcpu_by_id(id);

        if (target == this_vcpu() || !(mask[id / 64] >> id % 64 & 1) ||
            !has_started(target)) {
            continue;
        }
        __atomic_store_n(&target->flush_pending, true, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&target->in_guest, __ATOMIC_SEQ_CST)) {
            kick(target);
        }
    }
    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu *target = vcpu_by_id(id);

        if (target == this_vcpu() || !(mask[id / 64] >> id % 64 & 1)) {
            continue;
        }
        while (__atomic_load_n(&target->flush_pending, __ATOMIC_SEQ_CST) &&
               __atomic_load_n(&target->in_guest, __ATOMIC_SEQ_CST)) {
            __builtin_ia32_pause();
        }
    }
}

void flush_local(struct vcpu *v)
{
    load_cr3(v);
}

void flush_all(struct vcpu *v)
{
    static const uint64_t all[4] = { ~0ul, ~0ul, ~0ul, ~0ul };

    flush_local(v);
    flush_others(all);
}

long flush_many(struct vcpu *v, uint64_t mask)
{
    uint64_t vcpus[4] = { 0 };

    /* The guest may have given fewer bytes than there are possible vCPUs. */
    if (copy_from_guest(vcpus, mask, (boot->nr_vcpus + 7) / 8)) {
        return -XEN_EFAULT;
    }
    flush_local(v);
    flush_others(vcpus);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls by their number; each returns what Xen does: 0, a value, -errno. */

#ifndef GUEST_TESTS_HYPERCALL_H
#define GUEST_TESTS_HYPERCALL_H

#include <xen/xen.h>

/* Through the hypercall page; arguments as wide as the guest's registers. */
long hypercall(unsigned long number, unsigned long a, unsigned long b,
               unsigned long c, unsigned long d, unsigned long e);

static inline long HYPERVISOR_event_channel_op(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_event_channel_op, command, (unsigned long)arg,
                     0, 0, 0);
}

static inline long HYPERVISOR_sched_op(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_sched_op, command, (unsigned long)arg, 0, 0,
                     0);
}

static inline long HYPERVISOR_vcpu_op(unsigned int command, unsigned int vcpu,
                                      void *arg)
{
    return hypercall(__HYPERVISOR_vcpu_op, command, vcpu, (unsigned long)arg, 0,
                     0);
}

static inline long HYPERVISOR_hvm_op(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_hvm_op, command, (unsigned long)arg, 0, 0, 0);
}

static inline long HYPERVISOR_memory_op(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_memory_op, command, (unsigned long)arg, 0, 0,
                     0);
}

static inline long HYPERVISOR_physdev_op(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_physdev_op, command, (unsigned long)arg, 0, 0,
                     0);
}

static inline long HYPERVISOR_grant_table_op(unsigned int command, void *arg,
                                             unsigned int count)
{
    return hypercall(__HYPERVISOR_grant_table_op, command, (unsigned long)arg,
                     count, 0, 0);
}

static inline long HYPERVISOR_xen_version(unsigned int command, void *arg)
{
    return hypercall(__HYPERVISOR_xen_version, command, (unsigned long)arg, 0,
                     0, 0);
}

/* A 32-bit guest passes the 64-bit deadline in two arguments. */
static inline long HYPERVISOR_set_timer_op(uint64_t deadline)
{
#ifdef __x86_64__
    return hypercall(__HYPERVISOR_set_timer_op, deadline, 0, 0, 0, 0);
#else
    return hypercall(__HYPERVISOR_set_timer_op, (uint32_t)deadline,
                     deadline >> 32, 0, 0, 0);
#endif
}

#endif /* GUEST_TESTS_HYPERCALL_H */

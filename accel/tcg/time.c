/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's system time and the guest's TSC on TCG.
 *
 * System time is QEMU_CLOCK_VIRTUAL, and the TSC counts the same nanoseconds (see
 * cpu_get_tsc()), as with Xen's tsc_mode=always_emulate.  So a guest computes system
 * time from its TSC without an error, all vCPUs have the same, and nothing is ever to
 * be measured or updated: not while the guest runs, nor when it is stopped, runs with
 * icount, or moves to a host of another frequency or architecture.
 */

#include "internal.h"
#include "../wallclock.h"

#define TSC_KHZ     (NANOSECONDS_PER_SECOND / 1000)

/* ns = ((ticks << TSC_SHIFT) * TSC_MUL) >> 32, as Xen has it for 1 GHz. */
#define TSC_SHIFT   1
#define TSC_MUL     0x80000000u

/* What the time leaf has in its first sub-leaf; QEMU's copy of cpuid.h lacks it. */
#define XEN_CPUID_TSC_EMULATED              (1 << 0)
#define XEN_CPUID_RDTSCP_INSTR_AVAIL        (1 << 2)
#define XEN_CPUID_TSC_MODE_ALWAYS_EMULATE   1

uint64_t xen_tcg_get_system_time(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

void xen_tcg_time_cpuid(CPUX86State *env, uint32_t count, uint32_t *eax,
                        uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
    switch (count) {
    case 0:
        *eax = XEN_CPUID_TSC_EMULATED;
        if (env->features[FEAT_8000_0001_EDX] & CPUID_EXT2_RDTSCP) {
            *eax |= XEN_CPUID_RDTSCP_INSTR_AVAIL;
        }
        *ebx = XEN_CPUID_TSC_MODE_ALWAYS_EMULATE;
        *ecx = TSC_KHZ;
        *edx = 1;       /* incarnation: nothing about the TSC has changed */
        break;
    case 1:
        /* eax and ebx: the TSC has no offset */
        *ecx = TSC_MUL;
        *edx = TSC_SHIFT;
        break;
    case 2:
        *eax = TSC_KHZ;
        break;
    }
}

static void write_time_info(void *area)
{
    uint64_t now = xen_tcg_get_system_time();
    struct vcpu_time_info info = {
        .tsc_timestamp = now,
        .system_time = now,
        .tsc_to_system_mul = TSC_MUL,
        .tsc_shift = TSC_SHIFT,
        .flags = XEN_PVCLOCK_TSC_STABLE_BIT,
    };
    const size_t rest = offsetof(struct vcpu_time_info, tsc_timestamp);
    uint32_t version;

    /* Odd while it changes.  The area may be at any address, unaligned. */
    version = (ldl_he_p(area) + 1) | 1;
    stl_he_p(area, version);
    smp_wmb();
    memcpy((char *)area + rest, (char *)&info + rest, sizeof(info) - rest);
    smp_wmb();
    stl_he_p(area, version + 1);
}

int xen_tcg_set_vcpu_info(CPUState *cs, uint64_t gpa)
{
    XenGuestArea *area = &xen_tcg_vcpu(cs)->vcpu_info;
    int ret = xen_guest_area_set(area, gpa, sizeof(struct vcpu_info));

    if (!ret && area->ptr) {
        write_time_info(area->ptr + offsetof(struct vcpu_info, time));
    }
    return ret;
}

int xen_tcg_set_vcpu_time_info(CPUState *cs, uint64_t gpa)
{
    XenGuestArea *area = &xen_tcg_vcpu(cs)->time_info;
    int ret = xen_guest_area_set(area, gpa, sizeof(struct vcpu_time_info));

    if (!ret && area->ptr) {
        write_time_info(area->ptr);
    }
    return ret;
}

int xen_tcg_set_shared_info(uint64_t gfn)
{
    xen_wallclock_set_shared_info(gfn);
    return 0;
}

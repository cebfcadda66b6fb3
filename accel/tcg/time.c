/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's system time on TCG, in vcpu_time_info.
 *
 * System time is QEMU_CLOCK_VIRTUAL.  A guest computes it from its TSC, which
 * on TCG is the host's, of unknown frequency.  So QEMU measures the frequency
 * from the guest's start on, and updates the guest's copy now and then.
 */

#include "internal.h"
#include "system/cpu-timers.h"
#include "../wallclock.h"

#define REFRESH_NS (500 * SCALE_MS)

static int64_t start_ticks;
static int64_t start_ns;
static QEMUTimer *refresh_timer;

struct time_scale {
    uint32_t mul;
    int8_t shift;
};

uint64_t xen_tcg_get_system_time(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* ns = ((ticks << shift) * mul) >> 32, as the guest computes it. */
static struct time_scale measure(int64_t ticks, int64_t ns)
{
    struct time_scale scale = { 0 };
    /* At first no time has passed; with icount one tick is one ns. */
    double ratio = ns > start_ns
                       ? (double)(ticks - start_ticks) / (ns - start_ns) : 1;
    uint64_t hz = MAX(ratio, 1e-3) * NANOSECONDS_PER_SECOND;

    while (hz > 2 * NANOSECONDS_PER_SECOND) {
        hz >>= 1;
        scale.shift--;
    }
    while (hz <= NANOSECONDS_PER_SECOND) {
        hz <<= 1;
        scale.shift++;
    }
    scale.mul = ((uint64_t)NANOSECONDS_PER_SECOND << 32) / hz;
    return scale;
}

/*
 * Read both clocks at nearly the same time: if the thread is interrupted in
 * between, it tries again.  The remaining error puts the guest's time ahead; if
 * it were behind, the guest would see timers fire early.
 */
static void read_clocks(int64_t *ticks, int64_t *ns)
{
    unsigned int tries;

    for (tries = 0; tries < 10; tries++) {
        int64_t before = xen_tcg_get_system_time();

        *ticks = cpus_get_elapsed_ticks();
        *ns = xen_tcg_get_system_time();
        if (*ns - before < 20 * SCALE_US) {
            break;
        }
    }
}

static void write_time_info(void *area, uint64_t tsc, uint64_t ns,
                            struct time_scale scale)
{
    struct vcpu_time_info info = {
        .tsc_timestamp = tsc,
        .system_time = ns,
        .tsc_to_system_mul = scale.mul,
        .tsc_shift = scale.shift,
    };
    const size_t rest = offsetof(struct vcpu_time_info, tsc_timestamp);
    uint32_t version;

    if (!area) {
        return;
    }
    /* Odd while it changes.  The area may be at any address, unaligned. */
    version = (ldl_he_p(area) + 1) | 1;
    stl_he_p(area, version);
    smp_wmb();
    memcpy((char *)area + rest, (char *)&info + rest, sizeof(info) - rest);
    smp_wmb();
    stl_he_p(area, version + 1);
}

static void refresh_vcpu(XenTCGVCPU *v)
{
    CPUX86State *env = &X86_CPU(v->cs)->env;
    struct time_scale scale;
    int64_t ticks, ns;
    uint64_t tsc;

    read_clocks(&ticks, &ns);
    scale = measure(ticks, ns);
    tsc = ticks + env->tsc_offset;
    if (v->vcpu_info.ptr) {
        write_time_info(v->vcpu_info.ptr + offsetof(struct vcpu_info, time),
                        tsc, ns, scale);
    }
    write_time_info(v->time_info.ptr, tsc, ns, scale);
}

static void refresh(void *opaque)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        XenTCGVCPU *v = xen_tcg_vcpu(cs);

        if (v) {
            refresh_vcpu(v);
        }
    }
    timer_mod(refresh_timer, xen_tcg_get_system_time() + REFRESH_NS);
}

void xen_tcg_time_init(void)
{
    read_clocks(&start_ticks, &start_ns);
    refresh_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, refresh, NULL);
}

static int set_area(CPUState *cs, XenGuestArea *area, uint64_t gpa,
                    size_t size)
{
    int ret = xen_guest_area_set(area, gpa, size);

    if (!ret && area->ptr) {
        refresh_vcpu(xen_tcg_vcpu(cs));
        if (!timer_pending(refresh_timer)) {
            timer_mod(refresh_timer, xen_tcg_get_system_time() + REFRESH_NS);
        }
    }
    return ret;
}

int xen_tcg_set_vcpu_info(CPUState *cs, uint64_t gpa)
{
    return set_area(cs, &xen_tcg_vcpu(cs)->vcpu_info, gpa,
                    sizeof(struct vcpu_info));
}

int xen_tcg_set_vcpu_time_info(CPUState *cs, uint64_t gpa)
{
    return set_area(cs, &xen_tcg_vcpu(cs)->time_info, gpa,
                    sizeof(struct vcpu_time_info));
}

int xen_tcg_set_shared_info(uint64_t gfn)
{
    xen_wallclock_set_shared_info(gfn);
    return 0;
}

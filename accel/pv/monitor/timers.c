/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time and the vCPUs' timers, if events are the monitor's own: a periodic and a
 * single-shot one raise VIRQ_TIMER, a third ends a poll.  One LAPIC timer, which
 * counts nanoseconds, serves the three.
 */

#include "events.h"

#define MSR_X2APIC_LVT_TIMER    0x832
#define MSR_X2APIC_TIMER_COUNT  0x838
#define MSR_X2APIC_TIMER_DIVIDE 0x83e
#define DIVIDE_BY_1             0xb

#define MIN_PERIOD      1000000ul
/* As Xen's: 200 years, so that no sum overflows. */
#define MAX_PERIOD      (UINT64_MAX >> 2)

/* Time --------------------------------------------------------------------------- */

/* If events are L0's, it is in the guest's memory, where the guest may write anything. */
static vcpu_time_info_t read_time(const volatile vcpu_time_info_t *from)
{
    enum { MAX_TRIES = 100 };
    vcpu_time_info_t info;
    unsigned int tries = 0;
    uint32_t version;

    do {
        version = from->version;
        read_fence();
        info = *from;
        read_fence();
    } while ((version & 1 || version != from->version) && ++tries < MAX_TRIES);
    info.version = version;
    return info;
}

uint64_t system_time(const struct vcpu *v)
{
    vcpu_time_info_t info = read_time(own_events() ? &v->l0_info->time :
                                                     &v->info->time);
    uint64_t ticks;

    read_fence();
    ticks = rdtsc() - info.tsc_timestamp;
    ticks = info.tsc_shift >= 0 ? ticks << (info.tsc_shift & 63)
                                : ticks >> (-info.tsc_shift & 63);
    return info.system_time +
           (uint64_t)((unsigned __int128)ticks * info.tsc_to_system_mul >> 32);
}

void copy_time(struct vcpu *v, vcpu_info_t *info)
{
    volatile vcpu_time_info_t *to = &info->time;
    vcpu_time_info_t from = read_time(&v->l0_info->time);
    uint32_t version = (to->version + 1) | 1;

    v->time_version = from.version;
    to->version = version;
    asm volatile("" : : : "memory");
    to->tsc_timestamp = from.tsc_timestamp;
    to->system_time = from.system_time;
    to->tsc_to_system_mul = from.tsc_to_system_mul;
    to->tsc_shift = from.tsc_shift;
    to->flags = from.flags;
    asm volatile("" : : : "memory");
    to->version = version + 1;
}

void copy_wallclock(void)
{
    const volatile shared_info_t *from = frame(boot->l0_shared_info_mfn);
    volatile shared_info_t *to = frame(boot->shared_info_mfn);
    uint32_t version = from->wc_version;

    if (version & 1 || version == to->wc_version) {
        return;
    }
    to->wc_version |= 1;
    asm volatile("" : : : "memory");
    to->wc_sec = from->wc_sec;
    to->wc_nsec = from->wc_nsec;
    to->wc_sec_hi = from->wc_sec_hi;
    read_fence();
    if (from->wc_version == version) {
        to->wc_version = version;
    }
}

/* Timers -------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return !one ? other : !other || one < other ? one : other;
}

/*
 * Set the LAPIC's timer to what is due first; on the vCPU itself.  Each write may be an exit
 * to KVM.
 */
static void program(struct vcpu *v)
{
    struct timers *t = &v->timers;
    uint64_t next = earlier(t->singleshot, t->poll), now;
    uint64_t count = 0;

    next = earlier(next, t->period ? t->last + t->period : 0);
    if (next) {
        now = system_time(v);
        count = next > now ? next - now : 1;
        /* It comes early then, and is set again. */
        count = count < UINT32_MAX ? count : UINT32_MAX;
    }
    if (count || t->is_set) {
        wrmsr(MSR_X2APIC_TIMER_COUNT, count);
    }
    t->is_set = count;
}

void init_timers(struct vcpu *v)
{
    wrmsr(MSR_X2APIC_LVT_TIMER, VECTOR_TIMER);
    wrmsr(MSR_X2APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    run_timers(v);
}

void take_timer(struct vcpu *v)
{
    /* It counts once only.  If it was set again meanwhile, it comes once too often. */
    v->timers.is_set = false;
    run_timers(v);
}

void run_timers(struct vcpu *v)
{
    struct timers *t = &v->timers;
    uint64_t now = system_time(v);
    bool is_due = false;

    spin_lock(&t->lock);
    t->changed = false;
    if (t->singleshot && now >= t->singleshot) {
        t->singleshot = 0;
        is_due = true;
    }
    if (t->period && now >= t->last + t->period) {
        t->last += (now - t->last) / t->period * t->period;
        is_due = true;
    }
    if (t->poll && now >= t->poll) {
        /* Or the LAPIC's timer, at once again, would keep the poll from its end. */
        t->poll = 0;
    }
    program(v);
    spin_unlock(&t->lock);
    if (is_due) {
        evtchn_raise_virq(guest_events, v->id, VIRQ_TIMER);
    }
}

/* The single-shot timer; at once if @when is past, which is signed. */
static void set_singleshot(struct vcpu *v, uint64_t when)
{
    bool is_past = (int64_t)when < (int64_t)system_time(v);

    v->timers.singleshot = is_past ? 0 : when;
    program(v);
    if (is_past) {
        evtchn_raise_virq(guest_events, v->id, VIRQ_TIMER);
    }
}

void set_poll_timer(struct vcpu *v, uint64_t when)
{
    v->timers.poll = when;
    program(v);
}

/* @period may be 0, which stops it.  A new one counts from the last event. */
static void set_period(struct vcpu *target, uint64_t period)
{
    struct timers *t = &target->timers;
    uint64_t now = system_time(this_vcpu());
    bool is_due = false;

    spin_lock(&t->lock);
    if (t->period && t->period != period && now >= t->last + t->period) {
        t->last += (now - t->last) / t->period * t->period;
    }
    t->period = period;
    if (period && now >= t->last + period) {
        t->last = now;
        is_due = true;
    }
    t->changed = true;
    spin_unlock(&t->lock);
    if (target == this_vcpu()) {
        run_timers(target);
    } else if (has_started(target)) {
        kick(target);
    }
    if (is_due) {
        evtchn_raise_virq(guest_events, target->id, VIRQ_TIMER);
    }
}

long call_timer_op(unsigned int cmd, struct vcpu *target, uint64_t arg)
{
    struct vcpu *v = this_vcpu();
    struct vcpu_set_periodic_timer periodic;
    struct vcpu_set_singleshot_timer once;

    switch (cmd) {
    case VCPUOP_set_periodic_timer:
        if (copy_from_guest(&periodic, arg, sizeof(periodic))) {
            return -XEN_EFAULT;
        }
        if (periodic.period_ns < MIN_PERIOD || periodic.period_ns > MAX_PERIOD) {
            return -XEN_EINVAL;
        }
        set_period(target, periodic.period_ns);
        return 0;
    case VCPUOP_stop_periodic_timer:
        set_period(target, 0);
        return 0;
    case VCPUOP_set_singleshot_timer:
        if (target != v) {
            return -XEN_EINVAL;
        }
        if (copy_from_guest(&once.timeout_abs_ns, arg,
                            sizeof(once.timeout_abs_ns))) {
            return -XEN_EFAULT;
        }
        set_singleshot(v, once.timeout_abs_ns);
        return 0;
    default: /* VCPUOP_stop_singleshot_timer */
        if (target != v) {
            return -XEN_EINVAL;
        }
        v->timers.singleshot = 0;
        program(v);
        return 0;
    }
}

/* As Xen: a time far away, or of before Xen, is taken for a mistake. */
long call_set_timer_op(uint64_t when)
{
    struct vcpu *v = this_vcpu();
    int64_t ahead = when - system_time(v);

    if (!when) {
        v->timers.singleshot = 0;
        program(v);
        return 0;
    }
    if ((int64_t)when < 0 || (ahead > 0 && ahead >> 50)) {
        when += 100000000 - ahead;
    }
    set_singleshot(v, when);
    return 0;
}

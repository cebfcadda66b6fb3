/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runstates: for how long a vCPU was running, runnable, blocked or offline.
 *
 * A vCPU is running from when its thread enters translated code until it leaves
 * that, and until it is back if that is soon, as after a PAUSE.  Else it is runnable
 * there unless it is halted: its thread waits for the BQL, or runs another vCPU.  A
 * vCPU that was blocked becomes runnable when QEMU wakes it, if that is known here,
 * else when it runs again.
 *
 * For how long the host's scheduler has kept the thread waiting in between, the
 * host's kernel says.  That, too, is time for which the vCPU was runnable, as on
 * KVM.  It is known only afterwards, and times never go back: what a guest has
 * been told that the vCPU ran stays so.
 */

#include "internal.h"
#include "qemu/cutils.h"
#include "system/cpu-timers.h"
#include "hw/xen-hypercalls/hypercalls.h"

/* Size of struct vcpu_runstate_info in each mode. */
#define AREA_SIZE       48
#define AREA_SIZE_32    44

/* Reading takes 2 microseconds, so that is done at most so often, */
#define DELAY_EVERY_NS  SCALE_MS
/* or when the vCPU was away for so long, and its thread may have waited. */
#define ABSENT_NS       (100 * SCALE_US)

/* Values of XenTCGVCPU.schedstat. */
#define SCHEDSTAT_UNKNOWN   (-1)
#define SCHEDSTAT_NONE      (-2)

static bool update_flag;

/* 32-bit guests align 64 bits to 4 bytes, so their structure has no hole. */
static size_t area_size(bool long_mode)
{
    return long_mode ? AREA_SIZE : AREA_SIZE_32;
}

/*
 * The guest's copy, as Xen's update_runstate_area(): with the assist the top bit
 * of state_entry_time says that the rest is being written.
 */
static void update_area(XenTCGVCPU *v)
{
    bool announce = qatomic_read(&update_flag);
    uint64_t entry_time = v->runstate.state_entry_time;
    uint8_t *area = v->runstate_area.ptr;
    bool long_mode;
    unsigned int i;

    xen_tcg_get_long_mode(&long_mode);
    if (!area || v->runstate_area.size < area_size(long_mode)) {
        return;
    }
    if (announce) {
        entry_time |= XEN_RUNSTATE_UPDATE;
        stb_p(area + (long_mode ? 15 : 11), entry_time >> 56);
        smp_wmb();
    }
    stl_le_p(area, v->runstate.state);
    area += long_mode ? 8 : 4;
    stq_le_p(area, entry_time);
    for (i = 0; i < ARRAY_SIZE(v->runstate.time); i++) {
        stq_le_p(area + 8 + 8 * i, v->runstate.time[i]);
    }
    if (announce) {
        entry_time &= ~XEN_RUNSTATE_UPDATE;
        smp_wmb();
        stb_p(area + 7, entry_time >> 56);
    }
}

static void change(XenTCGVCPU *v, int state, uint64_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;

    if (r->state == state) {
        return;
    }
    qemu_spin_lock(&v->runstate_lock);
    /* A guest has been told that it was in this state until then. */
    now = MAX(now, v->counted_ns);
    if (now > r->state_entry_time) {
        r->time[r->state] += now - r->state_entry_time;
        r->state_entry_time = now;
    }
    r->state = state;
    qemu_spin_unlock(&v->runstate_lock);
}

/* For how long the vCPU's thread has waited for a CPU since it began. */
static void read_delay(XenTCGVCPU *v, uint64_t now)
{
    char text[96];
    const char *end;
    uint64_t run;
    ssize_t n;

    v->delay_read_ns = now;
    /* With icount the guest's time does not go on while the thread waits. */
    if (v->schedstat == SCHEDSTAT_NONE || icount_enabled()) {
        return;
    }
    if (v->schedstat == SCHEDSTAT_UNKNOWN) {
        v->schedstat = open("/proc/thread-self/schedstat",
                            O_RDONLY | O_CLOEXEC);
        if (v->schedstat < 0) {
            v->schedstat = SCHEDSTAT_NONE;
            return;
        }
    }
    n = pread(v->schedstat, text, sizeof(text) - 1, 0);
    text[MAX(n, 0)] = 0;
    if (!qemu_strtou64(text, &end, 10, &run)) {
        qemu_strtou64(end, &end, 10, &v->delay_ns);
    }
}

/*
 * Of the time for which it has been running, what its thread waited for a CPU, as if
 * the vCPU had waited first and run then.  On its own thread.
 */
static void count_delay(XenTCGVCPU *v, uint64_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;
    uint64_t before = v->delay_ns, from, stolen;

    if (r->state != RUNSTATE_running ||
        now - v->delay_read_ns < DELAY_EVERY_NS) {
        return;
    }
    read_delay(v, now);
    if (v->delay_ns <= before) {
        return;
    }
    qemu_spin_lock(&v->runstate_lock);
    from = MAX(r->state_entry_time, v->counted_ns);
    if (now > from) {
        stolen = MIN(v->delay_ns - before, now - from);
        r->time[RUNSTATE_running] += now - r->state_entry_time - stolen;
        r->time[RUNSTATE_runnable] += stolen;
        r->state_entry_time = now;
    }
    qemu_spin_unlock(&v->runstate_lock);
}

void xen_tcg_runstate_woken(XenTCGVCPU *v)
{
    if (xen_tcg_has_work(v->cs)) {
        qatomic_set_u64(&v->woken_ns, xen_tcg_get_system_time());
    }
}

/*
 * A vCPU whose thread runs no other one, and is back so soon, has been running: it goes on
 * with that, and the result is true.  Not if another vCPU has asked meanwhile, as that was
 * told that it was runnable.
 */
static bool go_on_running(XenTCGVCPU *v, uint64_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;
    bool soon = false;

    if (qemu_tcg_mttcg_enabled() && r->state == RUNSTATE_runnable &&
        now - r->state_entry_time < ABSENT_NS) {
        qemu_spin_lock(&v->runstate_lock);
        soon = v->counted_ns <= r->state_entry_time;
        if (soon) {
            r->state = RUNSTATE_running;
        }
        qemu_spin_unlock(&v->runstate_lock);
    }
    return soon;
}

void xen_tcg_runstate_enter(XenTCGVCPU *v)
{
    uint64_t woken = qatomic_read_u64(&v->woken_ns);
    uint64_t now = xen_tcg_get_system_time();
    bool soon = go_on_running(v, now);

    /* What its thread waited while it was not running counts as that already. */
    if (v->schedstat == SCHEDSTAT_UNKNOWN ||
        (!soon && (now - v->delay_read_ns >= DELAY_EVERY_NS ||
                   now - v->runstate.state_entry_time >= ABSENT_NS))) {
        read_delay(v, now);
    }
    if (!soon && v->runstate.state != RUNSTATE_runnable &&
        woken > v->runstate.state_entry_time) {
        change(v, RUNSTATE_runnable, woken);
    }
    change(v, RUNSTATE_running, now);
    update_area(v);
}

void xen_tcg_runstate_leave(XenTCGVCPU *v)
{
    bool halted = v->held ? v->held_halted : v->cs->halted;
    int state = RUNSTATE_runnable;
    uint64_t now = xen_tcg_get_system_time();

    count_delay(v, now);
    if (xen_tcg_waits_for_sipi(v) || (v->held && !halted)) {
        state = RUNSTATE_offline;
    } else if (halted) {
        /* Also when the vCPU is down: Xen says "blocked" then, too. */
        state = RUNSTATE_blocked;
    }
    change(v, state, now);
    update_area(v);
}

int xen_tcg_set_vcpu_runstate(CPUState *cs, uint64_t gpa)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);
    bool long_mode;
    int ret;

    xen_tcg_get_long_mode(&long_mode);
    ret = xen_guest_area_set(&v->runstate_area, gpa, area_size(long_mode));
    if (!ret) {
        update_area(v);
    }
    return ret;
}

int xen_tcg_set_runstate_update_flag(bool enable)
{
    qatomic_set(&update_flag, enable);
    return 0;
}

int xen_tcg_get_vcpu_runstate(CPUState *cs, CPUState *target, uint64_t now,
                              struct vcpu_runstate_info *info)
{
    XenTCGVCPU *v = xen_tcg_vcpu(target);

    if (cs == target) {
        count_delay(v, now);
        update_area(v);
    }
    qemu_spin_lock(&v->runstate_lock);
    *info = v->runstate;
    v->counted_ns = MAX(v->counted_ns, now);
    qemu_spin_unlock(&v->runstate_lock);
    /* Its thread has yet to act on an INIT, and may have to wait to run. */
    if (info->state != RUNSTATE_offline &&
        xen_tcg_get_vcpu_status(cs, target) == XEN_VCPU_WAITING) {
        if (now > info->state_entry_time) {
            info->time[info->state] += now - info->state_entry_time;
            info->state_entry_time = now;
        }
        info->state = RUNSTATE_offline;
    }
    return 0;
}

/* A new vCPU is down, as in Xen, and has been since it was unplugged. */
void xen_tcg_runstate_init_vcpu(XenTCGVCPU *v)
{
    qemu_spin_init(&v->runstate_lock);
    v->schedstat = SCHEDSTAT_UNKNOWN;
    v->runstate = *xen_absent_vcpu_runstate(v->cs->cpu_index);
    if (!v->runstate.state_entry_time) {
        v->runstate.state_entry_time = xen_tcg_get_system_time();
    }
}

void xen_tcg_runstate_destroy_vcpu(XenTCGVCPU *v)
{
    change(v, RUNSTATE_offline, xen_tcg_get_system_time());
    *xen_absent_vcpu_runstate(v->cs->cpu_index) = v->runstate;
    if (v->schedstat >= 0) {
        close(v->schedstat);
    }
}

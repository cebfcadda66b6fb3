/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runstates on KVM, where L0 is not told when a vCPU sleeps: the monitor is, and KVM
 * writes to its memory how long the host has kept the vCPU waiting (its steal time,
 * which needs no KVM_XEN).  On TCG they are L0's.
 *
 * A vCPU counts its own times.  For how long it waited it learns afterwards, so that
 * what it was thought to have run, or slept, it may have waited.  Times never go back:
 * what VCPUOP_get_runstate_info has told stays so.
 */

#include "events.h"

#define MSR_KVM_STEAL_TIME 0x4b564d03
#define KVM_ENABLED 1

static bool announces;          /* VMASST_TYPE_runstate_update_flag */

/* Bytes @from up to @to of the guest's copy, which may be on two pages. */
static void write_area(const struct runstate *r, unsigned int from,
                       unsigned int to)
{
    const uint8_t *info = (const uint8_t *)&r->info;
    unsigned int i;

    for (i = from; i < to; i++) {
        volatile uint8_t *byte = i < r->first_part ? r->area[0] + i :
                                 r->area[1] + (i - r->first_part);

        *byte = info[i];
    }
}

/*
 * As Xen's update_runstate_area(): with the assist, the top bit of state_entry_time
 * says that the rest is being written.
 */
static void update_area(struct runstate *r)
{
    const unsigned int entry = offsetof(struct vcpu_runstate_info,
                                        state_entry_time);
    bool announce = __atomic_load_n(&announces, __ATOMIC_RELAXED);

    if (!r->area[0]) {
        return;
    }
    if (announce) {
        r->info.state_entry_time |= XEN_RUNSTATE_UPDATE;
        write_area(r, entry + 7, entry + 8);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    write_area(r, 0, sizeof(r->info));
    if (announce) {
        r->info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        write_area(r, entry + 7, entry + 8);
    }
}

/* What has been stolen since the last look; on the vCPU itself. */
static uint64_t take_stolen(struct vcpu *v)
{
    const volatile struct steal_time *s = &v->steal_time;
    uint32_t version;
    uint64_t steal, stolen;

    do {
        version = s->version;
        read_fence();
        steal = s->steal;
        read_fence();
    } while (version & 1 || version != s->version);
    /* Another processor, or a KVM that the guest was moved to, counts anew. */
    stolen = steal > v->runstate.steal ? steal - v->runstate.steal : 0;
    v->runstate.steal = steal;
    return stolen;
}

/* The lock is held.  @stolen of the time since then it was runnable. */
static void change(struct runstate *r, int state, uint64_t now, uint64_t stolen)
{
    struct vcpu_runstate_info *info = &r->info;
    uint64_t known = info->state_entry_time;

    now = now > r->told ? now : r->told;
    if (now > known) {
        uint64_t untold = now - (known > r->told ? known : r->told);

        stolen = stolen < untold ? stolen : untold;
        info->time[info->state] += now - known - stolen;
        info->time[RUNSTATE_runnable] += stolen;
        info->state_entry_time = now;
    }
    info->state = state;
    update_area(r);
}

void set_runstate(struct vcpu *v, int state)
{
    struct runstate *r = &v->runstate;
    uint64_t stolen;

    if (!boot->own_runstates) {
        return;
    }
    stolen = v == this_vcpu() ? take_stolen(v) : 0;
    spin_lock(&r->lock);
    change(r, state, system_time(this_vcpu()), stolen);
    spin_unlock(&r->lock);
}

void refresh_runstate(struct vcpu *v)
{
    struct runstate *r = &v->runstate;

    if (boot->own_runstates && (v->steal_time.steal != r->steal ||
                                r->info.state != RUNSTATE_running)) {
        set_runstate(v, RUNSTATE_running);
    }
}

/* The vCPU is in a processor that is new to it.  Without KVM's count none is stolen. */
void init_runstate(struct vcpu *v)
{
    if (!boot->own_runstates) {
        return;
    }
    v->steal_time = (struct steal_time) { 0 };
    v->runstate.steal = 0;
    wrmsr_safe(MSR_KVM_STEAL_TIME,
               (boot->vcpus_mfn << PAGE_SHIFT) + v->id * VCPU_SIZE +
                   offsetof(struct vcpu, steal_time) + KVM_ENABLED);
}

/* Hypercalls --------------------------------------------------------------------- */

void set_runstate_update_flag(bool enable)
{
    __atomic_store_n(&announces, enable, __ATOMIC_RELAXED);
}

static long get_info(struct vcpu *target, uint64_t arg)
{
    struct runstate *r = &target->runstate;
    struct vcpu_runstate_info info;
    uint64_t now;

    if (target == this_vcpu()) {
        refresh_runstate(target);
    }
    spin_lock(&r->lock);
    now = system_time(this_vcpu());
    now = now > r->told ? now : r->told;
    r->told = now;
    info = r->info;
    if (now > info.state_entry_time) {
        info.time[info.state] += now - info.state_entry_time;
    }
    spin_unlock(&r->lock);
    return copy_to_guest(arg, &info, sizeof(info)) ? -XEN_EFAULT : 0;
}

uint8_t *guest_byte(uint64_t address)
{
    uint64_t mfn;

    return guest_frame_at(this_vcpu(), address, &mfn) &&
           is_writable_frame(mfn) ?
           (uint8_t *)frame(mfn) + address % PAGE_SIZE : NULL;
}

/*
 * Xen translates the address each time it writes there; here, as in L0, that is done
 * once.
 */
static long register_area(struct vcpu *target, uint64_t arg)
{
    struct vcpu_register_runstate_memory_area op;
    struct runstate *r = &target->runstate;
    uint8_t *area[2] = { NULL, NULL };
    unsigned int first_part = 0;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.addr.p) {
        uint64_t left = PAGE_SIZE - op.addr.p % PAGE_SIZE;

        if (!guest_range_ok(op.addr.p, sizeof(r->info))) {
            return -XEN_EFAULT;
        }
        first_part = left < sizeof(r->info) ? left : sizeof(r->info);
        area[0] = guest_byte(op.addr.p);
        area[1] = guest_byte(op.addr.p + sizeof(r->info) - 1);
        if (!area[0] || !area[1]) {
            return -XEN_EFAULT;
        }
        if (first_part < sizeof(r->info)) {
            area[1] -= sizeof(r->info) - 1 - first_part;
        }
    }
    spin_lock(&r->lock);
    r->area[0] = area[0];
    r->area[1] = area[1];
    r->first_part = first_part;
    update_area(r);
    spin_unlock(&r->lock);
    return 0;
}

long call_runstate_op(unsigned int cmd, struct vcpu *target, uint64_t arg)
{
    return cmd == VCPUOP_get_runstate_info ? get_info(target, arg) :
                                             register_area(target, arg);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runstates: of a vCPU that runs, sleeps and is down; the copy in memory.
 *
 * KVM does not count the time for which a vCPU sleeps, and its SCHEDOP_poll
 * takes a deadline for a duration: but the PV monitor on KVM does it all by itself.
 */

#include "guest.h"

#define MS 1000000ull

static struct vcpu_runstate_info info_of(unsigned int vcpu)
{
    struct vcpu_runstate_info info = { .state = -1 };

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info), 0);
    return info;
}

static int register_area(unsigned int vcpu, volatile void *area)
{
    struct vcpu_register_runstate_memory_area op = { .addr.p = 0 };

    op.addr.p = (uintptr_t)area;
    return HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu, &op);
}

static uint64_t sum(const struct vcpu_runstate_info *info)
{
    return info->time[0] + info->time[1] + info->time[2] + info->time[3];
}

TEST(runstate_of_self, "")
{
    struct vcpu_runstate_info first = info_of(0), second;
    uint64_t start = system_time(), passed;

    check_equal(first.state, RUNSTATE_running);
    check(first.state_entry_time <= system_time() + MS);
    spin_for(20);
    passed = system_time() - start;
    second = info_of(0);
    /* The times add up to all of the time in between. */
    check(sum(&second) - sum(&first) + MS >= passed);
    check(second.time[RUNSTATE_running] > first.time[RUNSTATE_running]);
    check_equal(second.time[RUNSTATE_offline], first.time[RUNSTATE_offline]);
}

/* Of less than four minutes: a 32-bit image has no division of 64 bits. */
static unsigned int milliseconds(uint64_t nanoseconds)
{
    return (uint32_t)(nanoseconds >> 6) / (uint32_t)(MS >> 6);
}

static void sleep_if_asked(void)
{
    evtchn_port_t port = must_alloc_unbound();
    uint64_t until = system_time() + 2000 * MS;

    while (command_line_number("stolen", 0) && system_time() < until) {
        check_equal(sched_poll(&port, 1, until), 0);
    }
}

/*
 * With stolen=MS it is busy for so long, and sleeps before and after that, when
 * scripts/guest-steal looks at the host's figures.
 */
TEST(runstate_stolen, "tcg hvm pvh")
{
    uint64_t left = command_line_number("stolen", 20) * MS, passed;
    struct vcpu_runstate_info first, second;
    uint64_t start;

    test_note("stolen: begin");
    sleep_if_asked();
    first = info_of(0);
    start = system_time();
    while (system_time() - start < left) {
        spin_for(1);
    }
    passed = system_time() - start;
    second = info_of(0);
    test_note("stolen: %u of %u ms",
              milliseconds(second.time[RUNSTATE_runnable] -
                           first.time[RUNSTATE_runnable]),
              milliseconds(passed));
    sleep_if_asked();
    /* The times add up, whatever was stolen. */
    check(sum(&second) - sum(&first) + MS >= passed);
    check(second.time[RUNSTATE_running] >= first.time[RUNSTATE_running]);
}

static void stay_busy(void *opaque)
{
    volatile bool *stop = opaque;

    while (!*stop) {
        cpu_relax();
    }
}

/* The lab's host has two CPUs, for which four busy vCPUs wait by turns. */
TEST(pv_runstate_waits, "vcpus=4 lab pv")
{
    struct vcpu_runstate_info first, second;
    volatile bool stop = false;
    unsigned int vcpu;
    uint64_t start;

    for (vcpu = 1; vcpu < 4; vcpu++) {
        vcpu_start(vcpu, stay_busy, (void *)&stop);
    }
    first = info_of(0);
    start = system_time();
    while (system_time() - start < 1000 * MS) {
        spin_for(1);
    }
    second = info_of(0);
    stop = true;
    for (vcpu = 1; vcpu < 4; vcpu++) {
        check(vcpu_join(vcpu, 5000));
    }
    test_note("waited for %u ms of 1000",
              milliseconds(second.time[RUNSTATE_runnable] -
                           first.time[RUNSTATE_runnable]));
    check(second.time[RUNSTATE_runnable] > first.time[RUNSTATE_runnable]);
    check(second.time[RUNSTATE_running] > first.time[RUNSTATE_running]);
    check(sum(&second) - sum(&first) + MS >= 1000 * MS);
}

/* Works and sleeps by turns. */
static void work_and_sleep(void *opaque)
{
    evtchn_port_t port = must_alloc_unbound();
    volatile bool *stop = opaque;

    while (!*stop) {
        spin_for(1);
        check_equal(sched_poll(&port, 1, system_time() + MS / 2), 0);
    }
}

/*
 * No time goes back, whatever the host did meanwhile, and their sum is that of a clock: of
 * a vCPU that looks at itself, and of another one.
 */
static void look_at_both(void)
{
    struct vcpu_runstate_info last[2], first[2], info;
    uint64_t before, after, now, end, passed;
    unsigned int vcpu, i, back = 0, early = 0, late = 0;
    volatile bool stop = false;

    vcpu_start(1, work_and_sleep, (void *)&stop);
    before = system_time();
    for (vcpu = 0; vcpu < 2; vcpu++) {
        first[vcpu] = last[vcpu] = info_of(vcpu);
    }
    after = now = system_time();
    end = after + 200 * MS;
    while (now < end) {
        for (vcpu = 0; vcpu < 2; vcpu++) {
            now = system_time();
            info = info_of(vcpu);
            for (i = 0; i < 4; i++) {
                back += info.time[i] < last[vcpu].time[i];
            }
            passed = sum(&info) - sum(&first[vcpu]);
            early += passed + MS < now - after;
            late += passed > system_time() - before + MS;
            last[vcpu] = info;
        }
    }
    stop = true;
    check(vcpu_join(1, 5000));
    check_equal(back, 0);
    check_equal(early, 0);
    check_equal(late, 0);
}

TEST(runstate_never_back, "vcpus=2 tcg hvm pvh")
{
    look_at_both();
}

TEST(pv_runstate_never_back, "vcpus=2 pv")
{
    look_at_both();
}

static void sleep_and_compare(void)
{
    evtchn_port_t port = must_alloc_unbound();
    struct vcpu_runstate_info first = info_of(0), second;
    uint64_t until = system_time() + 50 * MS;

    while (system_time() < until) {
        check_equal(sched_poll(&port, 1, until), 0);
    }
    second = info_of(0);
    check(second.time[RUNSTATE_blocked] - first.time[RUNSTATE_blocked] >=
          20 * MS);
}

TEST(runstate_blocked_grows, "tcg xen hvm pvh")
{
    sleep_and_compare();
}

TEST(pv_runstate_blocked_grows, "pv")
{
    sleep_and_compare();
}

TEST(runstate_of_sleeper, "vcpus=2")
{
    struct vcpu_runstate_info info;

    /* vCPU 1 has no function to run, and halts, on a busy host after a while. */
    wait_for((info = info_of(1)).state == RUNSTATE_blocked, 2000);
    check_equal(info.state, RUNSTATE_blocked);
    check(info.state_entry_time < system_time());
}

TEST(runstate_errors, "")
{
    struct vcpu_runstate_info info;

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1000, &info),
                -XEN_ENOENT);
    check_equal(register_area(1000, &info), -XEN_ENOENT);
}

static void watch_own_area(void)
{
    volatile struct vcpu_runstate_info *area = page_alloc(1);
    evtchn_port_t port = must_alloc_unbound();
    uint64_t blocked, entered, until;

    area->state = 7;
    require(register_area(0, area) == 0);
    check_equal(area->state, RUNSTATE_running);
    blocked = area->time[RUNSTATE_blocked];
    entered = area->state_entry_time;
    check(entered <= system_time() + MS);

    until = system_time() + 50 * MS;
    while (system_time() < until) {
        check_equal(sched_poll(&port, 1, until), 0);
    }
    check_equal(area->state, RUNSTATE_running);
    check(area->state_entry_time > entered);
    check(area->time[RUNSTATE_blocked] - blocked >= 20 * MS);

    /* NULL: Xen does not write to the old area any more. */
    check_equal(register_area(0, NULL), 0);
    memset((void *)area, 0, sizeof(*area));
    until = system_time() + 5 * MS;
    while (system_time() < until) {
        check_equal(sched_poll(&port, 1, until), 0);
    }
    check_equal(area->state_entry_time, 0);
}

TEST(runstate_area_of_self, "tcg xen hvm pvh")
{
    watch_own_area();
}

TEST(pv_runstate_area_of_self, "pv")
{
    watch_own_area();
}

struct watch {
    volatile struct vcpu_runstate_info *area;
    volatile bool stop;
    unsigned int torn, seen, updates;
};

/* With the assist, a reader that checks the flag reads consistent times. */
static void watch(void *opaque)
{
    struct watch *w = opaque;
    uint64_t last = 0;

    while (!w->stop) {
        uint64_t entry = w->area->state_entry_time, total;
        unsigned int i;

        asm volatile("" : : : "memory");
        for (total = 0, i = 0; i < 4; i++) {
            total += w->area->time[i];
        }
        asm volatile("" : : : "memory");
        if (entry & XEN_RUNSTATE_UPDATE) {
            w->updates++;
            continue;
        }
        if (w->area->state_entry_time != entry) {
            continue;
        }
        w->seen++;
        w->torn += total < last;
        last = total;
    }
}

static void update_with_flag(void)
{
    volatile struct vcpu_runstate_info *area = page_alloc(1);
    evtchn_port_t port = must_alloc_unbound();
    struct watch w = { .area = area };
    unsigned int i;

    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                          VMASST_TYPE_runstate_update_flag, 0, 0, 0),
                0);
    require(register_area(0, area) == 0);
    vcpu_start(1, watch, &w);
    /* A busy host may run the watching vCPU late. */
    check(wait_for(w.seen > 0, 10000));
    for (i = 0; i < 200; i++) {
        check_equal(sched_poll(&port, 1, system_time() + MS / 10), 0);
        check_equal(area->state_entry_time & XEN_RUNSTATE_UPDATE, 0);
    }
    w.stop = true;
    check(vcpu_join(1, 5000));
    check_equal(w.torn, 0);
    test_note("seen %u, while updated %u", w.seen, w.updates);
    check_equal(register_area(0, NULL), 0);
    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable,
                          VMASST_TYPE_runstate_update_flag, 0, 0, 0),
                0);
}

TEST(runstate_update_flag, "vcpus=2 64 tcg xen hvm pvh")
{
    update_with_flag();
}

TEST(pv_runstate_update_flag, "vcpus=2 pv")
{
    update_with_flag();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU is unplugged while its events and timers are under way, and what it finds when
 * it is plugged again: by ACPI's registers, as firmware and operating systems do it on
 * QEMU's "pc".
 */

#include "guest.h"
#include "port_io.h"
#include "timer.h"

#ifdef GUEST_HVM

/* QEMU's docs/specs/acpi_cpu_hotplug.rst. */
#define SELECTOR    0xaf00
#define FLAGS       0xaf04
#define FLAG_IS_THERE   1
#define FLAG_EJECT      8

static bool is_there(unsigned int vcpu)
{
    outl(SELECTOR, vcpu);
    return inb(FLAGS) & FLAG_IS_THERE;
}

static void eject(unsigned int vcpu)
{
    outl(SELECTOR, vcpu);
    outb(FLAGS, FLAG_EJECT);
}

static volatile bool storming;
static evtchn_port_t to_ejected;
static evtchn_port_t to_sender;

/* Send to the vCPU that is unplugged, and to one that stays; and ask for the former. */
static void storm(void *opaque)
{
    while (storming) {
        int is_up = HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL);

        check(is_up == 1 || is_up == 0 || is_up == -XEN_ENOENT);
        check_equal(evtchn_send(to_ejected), 0);
        check_equal(evtchn_send(to_sender), 0);
    }
}

TEST(vcpu_eject, "vcpus=3 alone hvm pvh tcg lab kvm seconds=30")
{
    evtchn_port_t timer_of_1 = must_bind_virq(VIRQ_TIMER, 1);
    unsigned int before;

    to_ejected = must_bind_ipi(1);
    to_sender = must_bind_ipi(0);
    check_equal(timer_periodic(1, MS), 0);
    storming = true;
    vcpu_start(2, storm, NULL);
    require(wait_for(received(to_ejected) && received(timer_of_1), 10000));

    /* Writing 0 to the legacy bitmap switches to these registers. */
    outl(SELECTOR, 0);
    require(is_there(1) && is_there(2));
    eject(1);
    require(!is_there(1));

    before = received(to_ejected) + received(timer_of_1);
    received_clear(to_sender);
    spin_for(200);
    check_equal(received(to_ejected) + received(timer_of_1), before);
    check(received(to_sender) > 0);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL), -XEN_ENOENT);
    check_equal(timer_periodic(1, MS), -XEN_ENOENT);

    /* The vCPU's ports are still open; an IPI's cannot move. */
    check_equal(evtchn_bind_vcpu(to_ejected, 0), -XEN_EINVAL);
    storming = false;
    check(vcpu_join(2, 10000));
    check_equal(evtchn_close(to_ejected), 0);
    check_equal(evtchn_close(timer_of_1), 0);

    /* Unplug the next one. */
    eject(2);
    check(!is_there(2));
    received_clear(to_sender);
    check_equal(evtchn_send(to_sender), 0);
    check(wait_for(received(to_sender) == 1, 10000));
}

/*
 * With unplug=1 on the command line the vCPU is away until the host has plugged a CPU
 * (scripts/plug-and-sleep), and before that has moved the guest to another QEMU.
 */
TEST(vcpu_times_go_on, "vcpus=2 alone hvm pvh")
{
    struct vcpu_runstate_info before, after;
    uint64_t sum = 0, began;
    unsigned int i;

    spin_for(500);
    began = system_time();
    require(!HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1, &before));
    if (command_line_number("unplug", 0)) {
        outl(SELECTOR, 0);
        eject(1);
        test_note("vCPU 1 is away");
        require(wait_for(is_there(1), 60000));
    }
    require(!HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1, &after));
    for (i = 0; i < 4; i++) {
        check(after.time[i] >= before.time[i]);
        sum += after.time[i] - before.time[i];
    }
    /* What comes between the two calls, all of it, and no more. */
    check(sum <= system_time() - began);
    check(after.state_entry_time >= before.state_entry_time);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that a PV guest's kernel hands to the hypervisor: those that are
 * none, and the hypervisor's own.
 */

#include "debug_registers.h"
#include "msr.h"
#include "user_mode.h"

#ifdef GUEST_PV

#include <xen/callback.h>

#define MSR_MISC_ENABLE 0x1a0

static const uint64_t no_addresses[] = {
    NOT_CANONICAL,
    0xffff7fffffffffff,
    0x8000000000000000,
};

TEST(handlers_at_no_address, "pv")
{
    struct trap_info traps[2] = { { .vector = 0x40, .cs = FLAT_KERNEL_CS } };
    struct callback_register callback = { .type = CALLBACKTYPE_event };
    evtchn_port_t port;
    unsigned int i;

    for (i = 0; i < sizeof(no_addresses) / sizeof(*no_addresses); i++) {
        traps[0].address = no_addresses[i];
        check_equal(hypercall(__HYPERVISOR_set_trap_table, (unsigned long)traps,
                              0, 0, 0, 0),
                    -XEN_EINVAL);
        callback.address = no_addresses[i];
        check_equal(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register,
                              (unsigned long)&callback, 0, 0, 0),
                    -XEN_EINVAL);
        /* This one has no result: the callbacks stay. */
        check_equal(hypercall(__HYPERVISOR_set_callbacks, no_addresses[i],
                              no_addresses[i], no_addresses[i], 0, 0),
                    0);
    }
    port = must_bind_ipi(0);
    port_unmask(port);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
}

/* What the hypervisor writes by itself, to where the guest says. */
TEST(areas_at_no_address, "pv")
{
    const uint64_t wrong[] = {
        NOT_CANONICAL,
        /* Xen's, where its image and the directmap are, and are the monitor's. */
        0xffff828000000000,
        0xffff830000001000,
    };
    unsigned int i;

    for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct vcpu_register_time_memory_area time = { .addr.p = wrong[i] };
        struct vcpu_register_runstate_memory_area runstate = {
            .addr.p = wrong[i],
        };

        check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0,
                                       &time),
                    -XEN_EFAULT);
        check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0,
                                       &runstate),
                    -XEN_EFAULT);
    }
}

/* Segment bases ---------------------------------------------------------------- */

static void read_msr(void *opaque)
{
    struct msr *msr = opaque;

    msr->value = rdmsr(msr->index);
}

/* XSA-193 */
TEST(xsa_193_segment_bases_at_no_address, "pv")
{
    static const uint32_t msrs[] = { MSR_FS_BASE, MSR_GS_BASE,
                                     MSR_KERNEL_GS_BASE };
    unsigned int i, which;
    struct trap trap;

    for (i = 0; i < sizeof(no_addresses) / sizeof(*no_addresses); i++) {
        for (which = 0; which < 3; which++) {
            struct msr msr = { msrs[which], 0x123000 };

            check(!trapped(&trap, write_msr, &msr));
            msr.value = no_addresses[i];
            check(trapped(&trap, write_msr, &msr));
            check_equal(trap.regs.vector, EXC_GP);
            check(!trapped(&trap, read_msr, &msr));
            check_equal(msr.value, 0x123000);
            /* SEGBASE_FS, SEGBASE_GS_USER, SEGBASE_GS_KERNEL */
            check_equal(hypercall(__HYPERVISOR_set_segment_base, which,
                                  no_addresses[i], 0, 0, 0),
                        -XEN_EINVAL);
            msr.value = 0;
            check(!trapped(&trap, write_msr, &msr));
        }
    }
    check_equal(hypercall(__HYPERVISOR_set_segment_base, 4, 0, 0, 0, 0),
                -XEN_EINVAL);
}

/* Debug registers ----------------------------------------------------------------- */

TEST(debug_registers_on_the_hypervisor, "pv")
{
    unsigned int reg;

    for (reg = 0; reg < 4; reg++) {
        check_equal(set_debugreg(reg, 0xffff830000000000), -XEN_EPERM);
        check_equal(set_debugreg(reg, M2P_START), -XEN_EPERM);
        check_equal(set_debugreg(reg, NOT_CANONICAL), -XEN_EPERM);
        check_equal(set_debugreg(reg, 0x123456), 0);
        check_equal(get_debugreg(reg), 0x123456);
        check_equal(set_debugreg(reg, 0), 0);
    }
    test_row("control");
    check_equal(set_debugreg(7, 1ul << 32), -XEN_EINVAL);
    check_equal(set_debugreg(6, 1ul << 32), -XEN_EINVAL);
    check_equal(set_debugreg(7, 0x2000), -XEN_EPERM); /* GD */
    check_equal(set_debugreg(7, 0x20001), -XEN_EPERM); /* a port, without DE */
    check_equal(set_debugreg(8, 0), -XEN_ENODEV);
    check_equal(get_debugreg(8), -XEN_ENODEV);
    test_row("names of before DE");
    check_equal(set_debugreg(5, 0x400), 0);
    check_equal(get_debugreg(5), 0x400);
    check_equal(get_debugreg(7), 0x400);
}

/*
 * XSA-444: AMD's masks for the addresses in debug registers would have one of
 * the guest's match the hypervisor's memory.
 */
TEST(xsa_444_debug_address_masks, "pv")
{
    static const uint32_t masks[] = { 0xc0011027, 0xc0011019, 0xc001101a,
                                      0xc001101b };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        struct msr msr = { masks[i], 0xffffffff };

        if (trapped(&trap, write_msr, &msr)) {
            check_equal(trap.regs.vector, EXC_GP);
        } else if (!trapped(&trap, read_msr, &msr)) {
            check_equal(msr.value, 0);
        }
    }
}

/* XSA-333: what a guest writes must not come to the processor. */
TEST(xsa_333_misc_enable_keeps_its_value, "pv")
{
    struct msr before = { MSR_MISC_ENABLE, 0 }, after = before, msr = before;
    struct trap trap;

    if (trapped(&trap, read_msr, &before)) {
        check_equal(trap.regs.vector, EXC_GP);
        return;
    }
    msr.value = before.value ^ 0x40000;
    trapped(&trap, write_msr, &msr);
    check(!trapped(&trap, read_msr, &after));
    check_equal(after.value, before.value);
}

/* Arguments -------------------------------------------------------------------- */

TEST(arguments_in_the_hypervisor, "pv")
{
    static const uint64_t pointers[] = {
        NOT_CANONICAL,
        HYPERVISOR_START,
        0xffff830000000000,
        /* The last byte before it. */
        M2P_START - 1,
    };
    unsigned int i;

    for (i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
        uint64_t p = pointers[i];
        struct gnttab_setup_table table = { .dom = DOMID_SELF, .nr_frames = 1 };
        struct sched_poll poll = { .nr_ports = 1 };

        check_equal(hypercall(__HYPERVISOR_set_trap_table, p, 0, 0, 0, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_set_gdt, p, 1, 0, 0, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_mmu_update, p, 1, 0, DOMID_SELF, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_mmuext_op, p, 1, 0, DOMID_SELF, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_multicall, p, 1, 0, 0, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, p,
                              0, 0, 0),
                    -XEN_EFAULT);
        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_send, (void *)p),
                    -XEN_EFAULT);
        check_equal(HYPERVISOR_sched_op(SCHEDOP_poll, (void *)p), -XEN_EFAULT);
        set_xen_guest_handle(poll.ports, (evtchn_port_t *)p);
        check_equal(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EFAULT);
        check_equal(
            HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)p),
            -XEN_EFAULT);
        check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, (void *)p),
                    -XEN_EFAULT);
        check_equal(HYPERVISOR_xen_version(XENVER_extraversion, (void *)p),
                    -XEN_EFAULT);
        check_equal(HYPERVISOR_memory_op(XENMEM_memory_map, (void *)p),
                    -XEN_EFAULT);
        set_xen_guest_handle(table.frame_list, (xen_pfn_t *)p);
        check(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &table, 1) ||
              table.status != GNTST_okay);
    }
    test_row("INVLPG");
    check_equal(mmuext_op(MMUEXT_INVLPG_LOCAL, NOT_CANONICAL, 0), 0);
    check_equal(mmuext_op(MMUEXT_INVLPG_LOCAL, 0xffff830000000000, 0), 0);
}

/* The kernel's own return to no address is its own fault. */
static void iret_to(void *opaque)
{
    struct iret_context frame = {
        .rip = (uintptr_t)opaque,
        .cs = FLAT_KERNEL_CS & ~3,
        .rflags = FLAG_IF,
        .rsp = ((uintptr_t)__builtin_frame_address(0) - 1024) & -16ul,
        .ss = FLAT_KERNEL_SS,
    };

    iret(&frame, 0, 0);
}

TEST(kernel_iret_to_no_address, "pv")
{
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(no_addresses) / sizeof(*no_addresses); i++) {
        check(trapped(&trap, iret_to, (void *)no_addresses[i]));
        check_equal(trap.regs.vector, EXC_GP);
        check_equal(trap.regs.ip, no_addresses[i]);
        check_equal(trap.regs.cs & 3, 0);
    }
}

#endif /* GUEST_PV */

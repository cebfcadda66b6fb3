/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page table that is in use is written through mmu_update alone: no hypercall that
 * writes to a frame of the guest's takes it.
 */

#include "fifo.h"
#include "user_mode.h"

#ifdef GUEST_PV

extern struct start_info *start_info;

static uint64_t top_table(void)
{
    return gfn_of((void *)start_info->pt_base);
}

TEST(mmuext_writes_to_top_table, "pv")
{
    char *page = page_alloc(1);

    memset(page, 0x55, PAGE_SIZE);
    check_equal(mmuext_op(MMUEXT_CLEAR_PAGE, top_table(), 0), -XEN_EINVAL);
    check_equal(mmuext_op(MMUEXT_COPY_PAGE, top_table(), gfn_of(page)),
                -XEN_EINVAL);
    check_equal(mmuext_op(MMUEXT_COPY_PAGE, gfn_of(page), top_table()), 0);
    check(memcmp(page, (void *)start_info->pt_base, PAGE_SIZE / 2) == 0);
    check_equal(mmuext_op(MMUEXT_CLEAR_PAGE, gfn_of(page), 0), 0);
    check_equal(*(uint64_t *)page, 0);
}

TEST(top_table_mapped_writable, "pv")
{
    void *page = page_alloc(1);

    check_equal(hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page,
                          top_table() * PAGE_SIZE | 0x67, UVMF_INVLPG, 0, 0),
                -XEN_EBUSY);
    *(volatile uint64_t *)page = 0x55;
}

TEST(descriptor_in_top_table, "pv")
{
    check_equal(hypercall(__HYPERVISOR_update_descriptor,
                          top_table() * PAGE_SIZE | 8, 0, 0, 0, 0),
                -XEN_EINVAL);
}

TEST(vcpu_info_in_top_table, "pv")
{
    struct vcpu_register_vcpu_info info = { .mfn = top_table() };

    check(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info) < 0);
}

TEST(fifo_in_top_table, "fifo pv alone")
{
    check_equal(evtchn_init_control(top_table(), 0, 0), -XEN_EINVAL);
    require(abi_switch(ABI_FIFO) == 0);
    check_equal(evtchn_expand_array(top_table()), -XEN_EINVAL);
}

/* The table of the level for an address, as the guest has it mapped. */
static uint64_t *table_for(uintptr_t address, unsigned int level)
{
    uint64_t *table = (uint64_t *)start_info->pt_base;
    unsigned int at;

    for (at = 4; at > level; at--) {
        uint64_t frame =
            table[address >> (3 + 9 * at) & 511] >> 12 & 0xffffffffff;
        unsigned int i;

        for (i = 0; i < start_info->nr_pt_frames; i++) {
            table = (uint64_t *)(start_info->pt_base + i * PAGE_SIZE);
            if (gfn_of(table) == frame) {
                break;
            }
        }
        require(i < start_info->nr_pt_frames);
    }
    return table;
}

static void write_back(void *entry)
{
    *(volatile uint64_t *)entry = *(volatile uint64_t *)entry;
}

/* Whether a write to the read-only table of each level for an address is a fault. */
static void check_faults(bool lowest)
{
    uintptr_t address = (uintptr_t)page_alloc(1);
    struct trap trap;
    unsigned int level;

    for (level = 4; level; level--) {
        uint64_t *table = table_for(address, level);
        bool faults = lowest || level > 1;

        test_row(level > 1 ? "a higher table" : "the lowest");
        check_equal(trapped(&trap, write_back,
                            &table[address >> (3 + 9 * level) & 511]),
                    faults);
        if (faults) {
            check_equal(trap.regs.vector, EXC_PF);
            check_equal(trap.regs.error & 3, 3);
        }
    }
}

/* Xen carries out a write to a lowest table, if it is asked to. */
TEST(tables_written, "pv")
{
    check_faults(true);
    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                          VMASST_TYPE_writable_pagetables, 0, 0, 0),
                0);
    check_faults(false);
    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable,
                          VMASST_TYPE_writable_pagetables, 0, 0, 0),
                0);
}

#endif /* GUEST_PV */

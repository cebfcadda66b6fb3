/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Xen guest on TCG: does in QEMU what KVM_XEN does in the kernel. */

#include "internal.h"
#include "exec/cputlb.h"
#include "system/reset.h"
#include "hw/boards.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/i386/kvm/xen_overlay.h"
#include <linux/kvm.h>
#include "system/kvm.h"
#include "target/i386/kvm/xen-emu.h"
#include "../pv/call.h"
#include "../pv/machine.h"

bool xen_tcg_active;

/* By cpu_index; its size never changes, as any thread may look there. */
static XenTCGVCPU **vcpus;
static unsigned int nr_vcpus;

XenTCGVCPU *xen_tcg_vcpu(CPUState *cs)
{
    unsigned int i = cs->cpu_index;

    return i < nr_vcpus ? qatomic_read(&vcpus[i]) : NULL;
}

XenTCGVCPU *xen_tcg_vcpu0(void)
{
    return nr_vcpus ? vcpus[0] : NULL;
}

int xen_guest_area_set(XenGuestArea *area, uint64_t gpa, size_t size)
{
    MemoryRegionSection section = {};
    void *ptr = NULL;

    if (gpa != INVALID_GPA) {
        section = memory_region_find(get_system_memory(), gpa, size);
        if (!section.mr) {
            return -EINVAL;
        }
        if (!memory_region_is_ram(section.mr) || section.readonly ||
            int128_lt(section.size, int128_make64(size))) {
            memory_region_unref(section.mr);
            return -EINVAL;
        }
        ptr = memory_region_get_ram_ptr(section.mr) +
              section.offset_within_region;
    }
    if (area->mr) {
        memory_region_unref(area->mr);
    }
    area->mr = section.mr;
    area->ptr = ptr;
    area->size = size;
    return 0;
}

static uint32_t get_caps(void)
{
    return KVM_XEN_HVM_CONFIG_HYPERCALL_MSR |
           KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL |
           KVM_XEN_HVM_CONFIG_SHARED_INFO;
}

static uint16_t get_gnttab_max_frames(void)
{
    return xen_machine_gnttab_max_frames() ?: XEN_GNTTAB_MAX_FRAMES_DEFAULT;
}

/* The default of the KVM accelerator's property. */
static uint16_t get_evtchn_max_pirq(void)
{
    return 256;
}

static int init_vcpu(CPUState *cs)
{
    return 0;
}

/* In addition to the soft reset with which every reset begins. */
static void reset(void *opaque)
{
    CPUState *cs;

    xen_tcg_forget_load();
    CPU_FOREACH(cs) {
        XenTCGVCPU *v = xen_tcg_vcpu(cs);

        if (v) {
            xen_tcg_upcall_reset(v);
            xen_tcg_end_block(v);
            xen_tcg_forget_down(v);
        }
    }
}

static void init_guest(void)
{
    xen_accel = xen_pv_machine_has_monitor() ? &xen_accel_tcg_pv :
                                               &xen_accel_tcg;
    xen_tcg_active = true;
    nr_vcpus = MACHINE(qdev_get_machine())->smp.max_cpus;
    vcpus = g_new0(XenTCGVCPU *, nr_vcpus);
    qemu_register_reset(reset, NULL);
    xen_tcg_migration_init();
    /* The pages of the guest's console and xenstore. */
    e820_add_entry(XEN_SPECIAL_AREA_ADDR, XEN_SPECIAL_AREA_SIZE,
                   E820_RESERVED);
}

void xen_tcg_init_vcpu(CPUState *cs)
{
    XenTCGVCPU *v;

    if (xen_mode != XEN_EMULATE) {
        return;
    }
    if (!vcpus) {
        init_guest();
    }
    v = g_new0(XenTCGVCPU, 1);
    v->cs = cs;
    xen_tcg_upcall_init_vcpu(v);
    xen_tcg_block_init_vcpu(v);
    xen_tcg_runstate_init_vcpu(v);
    xen_tcg_migration_init_vcpu(v);
    qatomic_store_release(&vcpus[cs->cpu_index], v);
    kvm_xen_init_vcpu(cs);
}

static void destroy_vcpu(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    qatomic_set(&vcpus[cs->cpu_index], NULL);
    xen_tcg_migration_destroy_vcpu(v);
    qemu_bh_delete(v->bh);
    timer_free(v->block_timer);
    xen_tcg_runstate_destroy_vcpu(v);
    xen_guest_area_set(&v->vcpu_info, INVALID_GPA, 0);
    xen_guest_area_set(&v->time_info, INVALID_GPA, 0);
    xen_guest_area_set(&v->runstate_area, INVALID_GPA, 0);
    g_free(v);
}

/* All but how a hypercall is made again, and how it ends in a sleep. */
#define OPERATIONS \
    .name = "tcg", \
    .get_caps = get_caps, \
    .get_xen_version = xen_machine_version, \
    .get_gnttab_max_frames = get_gnttab_max_frames, \
    .get_evtchn_max_pirq = get_evtchn_max_pirq, \
    .gva_to_gpa = xen_tcg_gva_to_gpa, \
    .get_system_time = xen_tcg_get_system_time, \
    .set_shared_info = xen_tcg_set_shared_info, \
    .set_long_mode = xen_tcg_set_long_mode, \
    .get_long_mode = xen_tcg_get_long_mode, \
    .set_vcpu_info = xen_tcg_set_vcpu_info, \
    .set_vcpu_time_info = xen_tcg_set_vcpu_time_info, \
    .set_vcpu_runstate = xen_tcg_set_vcpu_runstate, \
    .init_vcpu = init_vcpu, \
    .destroy_vcpu = destroy_vcpu, \
    .set_upcall_vector = xen_tcg_set_upcall_vector, \
    .raise_upcall = xen_tcg_raise_upcall, \
    .raise_vcpu_upcall = xen_tcg_raise_vcpu_upcall, \
    .wake_up = xen_tcg_wake_up, \
    .wake_vcpu = xen_tcg_wake_vcpu, \
    .get_vcpu_status = xen_tcg_get_vcpu_status, \
    .set_vcpu_status = xen_tcg_set_vcpu_status, \
    .get_vcpu_runstate = xen_tcg_get_vcpu_runstate, \
    .flush_tlbs = tlb_flush_all_cpus_synced, \
    .set_runstate_update_flag = xen_tcg_set_runstate_update_flag, \
    .guest_loaded = xen_tcg_guest_loaded

const XenAccelOps xen_accel_tcg = {
    OPERATIONS,
    .continue_hypercall = xen_tcg_continue_hypercall,
    .block_vcpu = xen_tcg_block_vcpu,
};

const XenAccelOps xen_accel_tcg_pv = {
    OPERATIONS,
    .continue_hypercall = xen_pv_continue_hypercall,
    .block_vcpu = xen_tcg_pv_block_vcpu,
};

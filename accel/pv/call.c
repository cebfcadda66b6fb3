/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor of a PV guest calls QEMU's Xen emulation by a write to an I/O port:
 * a way out of the machine that each accelerator has, also a KVM that knows nothing
 * of Xen.  Number and arguments are at the beginning of the vCPU's block, and the
 * answer goes there.  Only ring 0 can write to the port, and that is the monitor.
 */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "target/i386/kvm/xen-emu.h"
#include "hw/i386/kvm/xen_overlay.h"

#include "call.h"
#include "monitor/boot.h"

typedef struct XenPVBlocks {
    uint64_t vcpus;             /* where the first one is */
} XenPVBlocks;

static MemoryRegion port;
static XenPVBlocks blocks;

/* That of the thread's vCPU, while it is carried out. */
static __thread struct pv_call call;

static hwaddr block_of(CPUState *cs)
{
    return blocks.vcpus + (hwaddr)cs->cpu_index * VCPU_SIZE;
}

void xen_pv_continue_hypercall(CPUState *cs, uint32_t number,
                               uint32_t argument)
{
    call.args[0] = argument;
    call.again = true;
}

/* BQL held, as for any port; a hypercall takes it where it needs it. */
static void call_write(void *opaque, hwaddr address, uint64_t value,
                       unsigned int size)
{
    struct kvm_xen_exit exit = { .type = KVM_EXIT_XEN_HCALL };
    CPUState *cs = current_cpu;

    if (!cs) {
        /* No vCPU: a debugger's. */
        return;
    }
    address_space_read(&address_space_memory, block_of(cs),
                       MEMTXATTRS_UNSPECIFIED, &call, sizeof(call));
    call.again = false;
    exit.u.hcall.longmode = true;
    exit.u.hcall.input = call.number;
    memcpy(exit.u.hcall.params, call.args, sizeof(call.args));
    bql_unlock();
    /* There is no hypercall page, by whose making other guests say this. */
    if (!xen_is_long_mode()) {
        xen_set_long_mode(true);
    }
    kvm_xen_handle_exit(X86_CPU(cs), &exit);
    bql_lock();
    call.result = exit.u.hcall.result;
    address_space_write(&address_space_memory, block_of(cs),
                        MEMTXATTRS_UNSPECIFIED, &call, sizeof(call));
}

static uint64_t call_read(void *opaque, hwaddr address, unsigned int size)
{
    return UINT64_MAX;
}

void xen_pv_call_set_vcpus(hwaddr vcpus)
{
    blocks.vcpus = vcpus;
}

/*
 * The guest goes on with the monitor that it had, which is in its memory and may be
 * another one than this QEMU's: where its blocks are it has from the QEMU that began it.
 */
static int post_load(void *opaque, int version_id)
{
    hwaddr size = (hwaddr)current_machine->smp.max_cpus * VCPU_SIZE;
    MemoryRegionSection section =
        memory_region_find(get_system_memory(), blocks.vcpus, size);
    bool is_ram = section.mr && memory_region_is_ram(section.mr) &&
                  int128_ge(section.size, int128_make64(size));

    memory_region_unref(section.mr);
    if (!is_ram || blocks.vcpus & ~TARGET_PAGE_MASK) {
        error_report("the saved PV guest's monitor is in no memory of this machine");
        return -EINVAL;
    }
    return 0;
}

/* Another version, once a monitor's blocks or calls change. */
static const VMStateDescription vmstate_monitor = {
    .name = "xen_pv_monitor",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(vcpus, XenPVBlocks),
        VMSTATE_END_OF_LIST()
    },
};

void xen_pv_call_init(void)
{
    static const MemoryRegionOps ops = {
        .read = call_read,
        .write = call_write,
        .valid = { .min_access_size = 1, .max_access_size = 1 },
        .endianness = DEVICE_LITTLE_ENDIAN,
    };

    memory_region_init_io(&port, NULL, &ops, NULL, "xen-pv-call", 1);
    memory_region_add_subregion(get_system_io(), L0_PORT, &port);
    vmstate_register(NULL, 0, &vmstate_monitor, &blocks);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine type "dense": vCPUs with their LAPICs, RAM, and Xen's event channels,
 * grant table, xenstore and devices.  There is no firmware, and no hardware of a PC:
 * no chipset, PCI, I/O APIC, PIC, PIT, HPET, RTC, SMBus, USB, IDE, i8042 or VGA.  It
 * is what Xen gives a PVH guest, or with xen-guest=pv a PV guest.
 *
 * It is made for hosts with many guests, so that QEMU gives up speed for memory.
 */

#include "qemu/osdep.h"
#include <malloc.h>
#include <sys/prctl.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/i386/kvm/xen_evtchn.h"
#include "hw/i386/kvm/xen_gnttab.h"
#include "hw/i386/kvm/xen_overlay.h"
#include "hw/i386/kvm/xen_xenstore.h"
#include "hw/i386/pc.h"
#include "hw/i386/kvm/clock.h"
#include "hw/xen/xen.h"
#include "hw/xen/xen-bus.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "system/system.h"

#include "../machine_types.h"
#include "../pv/machine.h"
#include "acpi.h"
#include "machine.h"
#include "pvh.h"

/* As for a PC: what is between this and 4 GiB has the special pages and LAPICs. */
#define LOW_RAM (3 * GiB)

static void map_ram(MachineState *ms, const char *name, uint64_t offset,
                    uint64_t address, uint64_t size)
{
    MemoryRegion *mr = g_new(MemoryRegion, 1);

    memory_region_init_alias(mr, OBJECT(ms), name, ms->ram, offset, size);
    memory_region_add_subregion(get_system_memory(), address, mr);
}

/* A PV guest sees none of these addresses. */
static void init_memory(MachineState *ms)
{
    X86MachineState *x86ms = X86_MACHINE(ms);
    uint64_t low = MIN(ms->ram_size, LOW_RAM);

    if (low <= XEN_DENSE_ACPI_END) {
        error_report("-m: this machine type needs more than 1 MiB");
        exit(1);
    }
    x86ms->below_4g_mem_size = low;
    x86ms->above_4g_mem_size = ms->ram_size - low;
    map_ram(ms, "ram-below-4g", 0, 0, low);
    e820_add_entry(0, XEN_DENSE_LOW_RAM_END, E820_RAM);
    e820_add_entry(XEN_DENSE_ACPI_START,
                   XEN_DENSE_ACPI_END - XEN_DENSE_ACPI_START, E820_RESERVED);
    e820_add_entry(XEN_DENSE_ACPI_END, low - XEN_DENSE_ACPI_END, E820_RAM);
    if (x86ms->above_4g_mem_size) {
        map_ram(ms, "ram-above-4g", low, x86ms->above_4g_mem_start,
                x86ms->above_4g_mem_size);
        e820_add_entry(x86ms->above_4g_mem_start, x86ms->above_4g_mem_size,
                       E820_RAM);
    }
}

static void init_kernel(MachineState *ms)
{
    if (xen_pv_machine_has_shim()) {
        error_report("this machine type has no firmware that could boot the shim of "
                     "a 32-bit PV guest, or of xen-pv-layer=shim: take -machine pc");
        exit(1);
    }
    if (xen_pv_machine_has_monitor()) {
        xen_pv_machine_init(ms);
        return;
    }
    if (!ms->kernel_filename) {
        error_report("this machine type has no firmware, so it needs -kernel: a "
                     "PVH guest's, or with xen-guest=pv a PV guest's");
        exit(1);
    }
    xen_dense_pvh_init(ms);
}

/* SLP_EN, and SLP_TYPx, of ACPI's sleep control register. */
#define SLEEP_ENABLE    (1 << 5)
#define SLEEP_TYPE(x)   ((x) >> 2 & 7)

static uint64_t sleep_read(void *opaque, hwaddr address, unsigned int size)
{
    return 0;
}

static void sleep_write(void *opaque, hwaddr address, uint64_t value,
                        unsigned int size)
{
    if (address == 0 && value & SLEEP_ENABLE &&
        SLEEP_TYPE(value) == XEN_DENSE_SLEEP_S5) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static void init_sleep_control(MachineState *ms)
{
    static const MemoryRegionOps ops = {
        .read = sleep_read,
        .write = sleep_write,
        .endianness = DEVICE_LITTLE_ENDIAN,
        .impl = { .min_access_size = 1, .max_access_size = 1 },
    };
    MemoryRegion *mr = g_new(MemoryRegion, 1);

    memory_region_init_io(mr, OBJECT(ms), &ops, NULL, "acpi-sleep", 2);
    memory_region_add_subregion(get_system_io(), XEN_DENSE_SLEEP_CONTROL, mr);
}

/* What was used while the machine was made, and what made it has freed. */
static void trim(void *opaque)
{
    malloc_trim(0);
}

static void machine_done(Notifier *notifier, void *data)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), trim, NULL);
}

/*
 * A huge page costs 2 MiB where a guest uses a page of 4 KiB.  A large block of
 * memory is the kernel's zeros as long as malloc() takes it by mmap(), which it
 * gives up once it has freed one, if it is not told; and each thread's own heap is
 * another one of which each has its slack.
 */
static void save_memory(void)
{
    static Notifier notifier = { .notify = machine_done };

    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    mallopt(M_MMAP_THRESHOLD, 64 * KiB);
    mallopt(M_ARENA_MAX, 1);
    qemu_add_machine_init_done_notifier(&notifier);
}

static void init(MachineState *ms)
{
    PCMachineState *pcms = PC_MACHINE(ms);
    X86MachineState *x86ms = X86_MACHINE(ms);

    save_memory();
    xen_mode = XEN_EMULATE;
    x86_cpus_init(x86ms, PC_MACHINE_GET_CLASS(pcms)->default_cpu_version);
    if (kvm_enabled()) {
        kvmclock_create(true);
    }
    init_memory(ms);
    init_kernel(ms);
    init_sleep_control(ms);
    x86ms->ioapic_as = &address_space_memory;
    pc_gsi_create(&x86ms->gsi, false);
    xen_overlay_create();
    xen_evtchn_create(IOAPIC_NUM_PINS, x86ms->gsi);
    xen_gnttab_create();
    xen_xenstore_create();
    xen_bus_init();
}

void xen_dense_class_init(ObjectClass *oc, void *data)
{
    /* TCG's buffer for translated code, in MiB: more holds few guests' code. */
    static GlobalProperty properties[] = {
        { "tcg-accel", "tb-size", "1" },
    };
    const XenMachineType *type = data;
    MachineClass *mc = MACHINE_CLASS(oc);
    PCMachineClass *pcmc = PC_MACHINE_CLASS(oc);

    mc->desc = type->desc;
    mc->alias = "dense";
    mc->init = init;
    mc->no_serial = 1;
    mc->no_parallel = 1;
    mc->no_floppy = 1;
    mc->no_cdrom = 1;
    mc->block_default_type = IF_NONE;
    mc->nvdimm_supported = false;
    mc->has_hotpluggable_cpus = false;
    pcmc->pci_enabled = false;
    pcmc->has_acpi_build = false;
    pcmc->has_reserved_memory = false;
    compat_props_add(mc->compat_props, properties, G_N_ELEMENTS(properties));
}

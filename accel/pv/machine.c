/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV guest's machine: QEMU builds the guest beside the monitor in the machine's
 * RAM, and starts vCPU 0 in the monitor, in long mode.  No firmware runs.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "hw/i386/x86.h"
#include "hw/xen/xen.h"
#include "hw/xen-evtchn/qemu/hooks.h"
#include "hw/xen-hypercalls/hypercalls.h"
#include "hw/xen-hypercalls/hvm_vcpu.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "system/system.h"

#include "hw/xen-accel/xen_accel.h"
#include "../pv_layer.h"
#include "call.h"
#include "machine.h"
#include "monitor_memory.h"
#include "vcpus.h"

/*
 * The monitor's memory beside the guest's RAM: for events, enough for all ports, and then
 * what monitor_memory.c puts there.  The host gives what is used.
 */
#define HEAP_MFN        0xe0000
#define NR_HEAP_MFNS    0x1000
#define BESIDE_MFN      (HEAP_MFN + NR_HEAP_MFNS)

/* Built by ld from the monitor's ELF file. */
extern const char _binary_xen_pv_monitor_start[];
extern const char _binary_xen_pv_monitor_end[];

static struct {
    XenPVMemory memory;
    GBytes *kernel, *initrd;
    XenPVImage first;           /* what is built before the first reset, for that */
    char *kernel_name, *command_line;
    MemoryRegion beside;
    bool has_run;
    Notifier machine_done;
} guest;

static void write_frame(void *opaque, uint64_t mfn, const void *data,
                        size_t size)
{
    address_space_write(&address_space_memory, mfn << TARGET_PAGE_BITS,
                        MEMTXATTRS_UNSPECIFIED, data, size);
}

/* What the last guest left: the builder's memory is zero but for what it writes. */
static void clear_ram(MemoryRegion *ram)
{
    RAMBlock *block = ram->ram_block;
    uint64_t size = memory_region_size(ram);

    if (!block || ram_block_discard_range(block, 0, size)) {
        memset(memory_region_get_ram_ptr(ram), 0, size);
    }
}

/* See boot.h; once the device is there. */
static void offer_events(struct pv_boot *boot)
{
    XenEvtchnOffer offer = xen_evtchn_offer();

    boot->own_events = xen_pv_machine_has_own_events();
    boot->fifo = offer.fifo;
    boot->three_level = offer.three_level;
    boot->max_ports = offer.max_ports;
    boot->domid = xen_domid;
    boot->heap_mfn = HEAP_MFN;
    boot->nr_heap_mfns = NR_HEAP_MFNS;
    boot->own_runstates = !xen_accel->get_vcpu_runstate;
}

static bool build(GBytes *kernel, XenPVImage *image, Error **errp)
{
    g_autoptr(GError) error = NULL;
    XenPVInput input = {
        .kernel = kernel,
        .initrd = guest.initrd,
        .command_line = guest.command_line,
        .nr_pages = guest.memory.boot.nr_pages,
        .mfns = (uint64_t *)guest.memory.mfns->data,
        .shared_info_mfn = guest.memory.boot.shared_info_mfn,
        .xenstore_ring_mfn = guest.memory.boot.xenstore_mfn,
        .console_ring_mfn = guest.memory.boot.console_mfn,
    };

    memcpy(input.slots, guest.memory.boot.slots, sizeof(input.slots));
    if (!xen_pv_build(&input, image, &error)) {
        error_setg(errp, "-kernel %s: %s", guest.kernel_name, error->message);
        return false;
    }
    return true;
}

static void reset(void)
{
    struct pv_boot *boot = &guest.memory.boot;
    struct vcpu_hvm_context context = { .mode = 1 /* 64-bit */ };
    struct vcpu_hvm_x86_64 *regs = &context.cpu_regs.x86_64;
    XenPVImage image;
    unsigned int i;

    if (runstate_check(RUN_STATE_INMIGRATE)) {
        /* All that this would write comes with the stream. */
        guest.has_run = true;
        xen_pv_image_clear(&guest.first);
        return;
    }
    if (guest.first.segments) {
        image = guest.first;
        guest.first = (XenPVImage) { };
    } else if (!build(guest.kernel, &image, &error_fatal)) {
        return;
    }
    xen_pv_call_set_vcpus(guest.memory.vcpus_mfn << TARGET_PAGE_BITS);
    if (guest.has_run) {
        clear_ram(current_machine->ram);
        clear_ram(&guest.beside);
    }
    guest.has_run = true;
    boot->rip = image.rip;
    boot->rsp = image.rsp;
    boot->start_info = image.start_info;
    boot->start_info_mfn = image.p2m[image.start_info_pfn];
    boot->top_mfn = image.top_mfn;
    offer_events(boot);
    boot->xen_version = xen_accel->get_xen_version();
    for (i = 0; i < image.segments->len; i++) {
        XenPVSegment *s = &g_array_index(image.segments, XenPVSegment, i);
        size_t size, at;
        const uint8_t *data = g_bytes_get_data(s->data, &size);

        for (at = 0; at < size; at += TARGET_PAGE_SIZE) {
            write_frame(NULL, image.p2m[s->pfn + at / TARGET_PAGE_SIZE],
                        data + at, MIN(size - at, TARGET_PAGE_SIZE));
        }
    }
    xen_pv_memory_write(&guest.memory, &image, write_frame, NULL);

    regs->rip = MONITOR_VA;
    regs->rsp = VCPUS_VA + VCPU_SIZE - STACK_SPARE;
    regs->cr0 = CR0_PE_MASK | CR0_MP_MASK | CR0_ET_MASK | CR0_NE_MASK |
                CR0_WP_MASK | CR0_AM_MASK | CR0_PG_MASK;
    regs->cr3 = image.top_mfn << TARGET_PAGE_BITS;
    regs->cr4 = CR4_PAE_MASK | CR4_OSFXSR_MASK | CR4_OSXMMEXCPT_MASK |
                CR4_SMEP_MASK | CR4_SMAP_MASK;
    regs->efer = MSR_EFER_SCE | MSR_EFER_LME | MSR_EFER_NXE;
    xen_pv_image_clear(&image);
    if (xen_vcpu_boot(first_cpu, &context)) {
        error_report("the PV guest's vCPU 0 cannot start");
        exit(1);
    }
}

static GBytes *read_file(const char *option, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(name, false, &error);

    if (!file) {
        error_report("-%s %s: %s", option, name, error->message);
        exit(1);
    }
    return g_mapped_file_get_bytes(file);
}

static void machine_done(Notifier *notifier, void *data)
{
    xen_accel_require();
    /* After the vCPUs', which are there since long. */
    xen_hypercall_register_reset(reset);
}

static bool has_features(const CPUX86State *env)
{
    return env->features[FEAT_1_ECX] & CPUID_EXT_X2APIC &&
           env->features[FEAT_7_0_EBX] & CPUID_7_0_EBX_SMAP &&
           env->features[FEAT_7_0_EBX] & CPUID_7_0_EBX_SMEP;
}

void xen_pv_machine_init(MachineState *ms)
{
    X86MachineState *x86ms = X86_MACHINE(ms);
    XenPVRam ram = {
        .low_pages = x86ms->below_4g_mem_size >> TARGET_PAGE_BITS,
        .high_mfn = x86ms->above_4g_mem_start >> TARGET_PAGE_BITS,
        .high_pages = x86ms->above_4g_mem_size >> TARGET_PAGE_BITS,
        .beside_mfn = BESIDE_MFN,
    };
    g_autoptr(GBytes) kernel = NULL;

    if (!xen_pv_machine_is_pv(OBJECT(ms))) {
        return;
    }
    if (!xen_accel || !xen_accel->get_xen_version()) {
        error_report("-machine xen-guest=pv needs xen-version, "
                     "such as xen-version=0x40011 for 4.17");
        exit(1);
    }
    if (!ms->kernel_filename) {
        error_report("a PV guest needs -kernel: its own, or GRUB's, which "
                     "boots that of the guest's disk (grub-x86_64-xen.bin)");
        exit(1);
    }
    if (xen_pv_machine_has_shim()) {
        g_bytes_unref(xen_pv_machine_take_kernel());
        xen_pv_layer_load(ms);
        return;
    }
    if (!has_features(cpu_env(first_cpu))) {
        error_report("a PV guest needs x2APIC, SMEP and SMAP: give a -cpu that "
                     "has them, such as max or host");
        exit(1);
    }
    guest.kernel_name = g_strdup(ms->kernel_filename);
    guest.kernel = read_file("kernel", ms->kernel_filename);
    if (ms->initrd_filename) {
        guest.initrd = read_file("initrd", ms->initrd_filename);
    }
    guest.command_line = g_strdup(ms->kernel_cmdline ?: "");
    guest.memory.image =
        g_bytes_new(_binary_xen_pv_monitor_start,
                           _binary_xen_pv_monitor_end -
                           _binary_xen_pv_monitor_start);
    if (!xen_pv_memory_plan(&guest.memory, &ram, xen_pv_vcpus_init(ms),
                            xen_pv_machine_needs_isolation())) {
        error_report("a PV guest needs more memory: give more by -m");
        exit(1);
    }
    xen_pv_call_init();
    memory_region_init_ram(&guest.beside, NULL, "xen-pv-monitor",
                           (NR_HEAP_MFNS + guest.memory.nr_beside)
                               << TARGET_PAGE_BITS,
                           &error_fatal);
    memory_region_add_subregion(get_system_memory(),
                                (hwaddr)HEAP_MFN << TARGET_PAGE_BITS,
                                &guest.beside);
    if (xen_pv_machine_has_own_events()) {
        guest.memory.boot.shared_info_mfn = HEAP_MFN;
    }
    /* Say now what is wrong with the kernel. */
    kernel = xen_pv_machine_take_kernel();
    build(kernel ?: guest.kernel, &guest.first, &error_fatal);
    g_clear_pointer(&ms->kernel_filename, g_free);
    guest.machine_done.notify = machine_done;
    qemu_add_machine_init_done_notifier(&guest.machine_done);
}

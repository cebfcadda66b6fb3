/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of a PVH guest, as Xen's domain builder makes it: kernel and initrd are
 * copied to the guest's RAM, and vCPU 0 begins at the kernel's PHYS32_ENTRY, with
 * struct hvm_start_info's address in EBX.
 *
 * QEMU keeps nothing of the files: at a reset it reads them again.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "exec/address-spaces.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/i386/x86.h"
#include "hw/xen/start_info.h"
#include "hw/xen-hypercalls/hypercalls.h"
#include "hw/xen-hypercalls/hvm_vcpu.h"
#include "system/system.h"

#include "hw/xen-accel/xen_accel.h"
#include "acpi.h"
#include "pvh.h"
#include "pvh_kernel.h"
#include "../pv/payload.h"

/* Where the start info is, and behind it the module list, memory map and text. */
#define START_INFO  0x1000

/* A flat segment's access rights: code or data, and a task's, busy. */
#define CODE_32     0xc9b
#define DATA_32     0xc93
#define TASK_BUSY   0x8b
#define TASK_LIMIT  0x67

static struct {
    char *kernel, *initrd, *command_line;
    Notifier machine_done;
} guest;

static void write_ram(uint64_t address, const void *data, uint64_t size)
{
    address_space_write(&address_space_memory, address,
                        MEMTXATTRS_UNSPECIFIED, data, size);
}

/* What the last guest left must not be read as the kernel's zeros. */
static void clear_ram(uint64_t address, uint64_t end)
{
    address_space_set(&address_space_memory, address, 0, end - address,
                      MEMTXATTRS_UNSPECIFIED);
}

static GMappedFile *map_file(const char *option, const char *name, Error **errp)
{
    g_autoptr(GError) error = NULL;
    GMappedFile *file = g_mapped_file_new(name, false, &error);

    if (!file) {
        error_setg(errp, "-%s %s: %s", option, name, error->message);
    }
    return file;
}

static bool is_ram(uint64_t address, uint64_t end)
{
    struct e820_entry *table;
    int i, n = e820_get_table(&table);

    for (i = 0; i < n; i++) {
        uint64_t from = le64_to_cpu(table[i].address);

        if (le32_to_cpu(table[i].type) == E820_RAM && address >= from &&
            end <= from + le64_to_cpu(table[i].length)) {
            return true;
        }
    }
    return false;
}

static bool load_kernel(XenPVHKernel *kernel, bool has_run, Error **errp)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) file = map_file("kernel", guest.kernel, errp);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GBytes) elf = NULL;
    unsigned int i;

    if (!file) {
        return false;
    }
    bytes = g_mapped_file_get_bytes(file);
    elf = xen_pv_payload(bytes, &error);
    if (!elf || !xen_pvh_kernel_parse(elf, kernel, &error)) {
        error_setg(errp, "-kernel %s: %s", guest.kernel, error->message);
        return false;
    }
    for (i = 0; i < kernel->segments->len; i++) {
        XenPVHSegment *s = &g_array_index(kernel->segments, XenPVHSegment, i);

        if (!is_ram(s->address, s->end)) {
            error_setg(errp, "-kernel %s: it is loaded from 0x%" PRIx64 " to 0x%"
                       PRIx64 ", and the guest has less memory: give more by -m",
                       guest.kernel, s->address, s->end);
            xen_pvh_kernel_clear(kernel);
            return false;
        }
        write_ram(s->address, s->data, s->size);
        if (has_run) {
            clear_ram(s->address + s->size, s->end);
        }
    }
    return true;
}

/* At the end of the RAM below 4 GiB; or, with little RAM, below the kernel. */
static uint64_t initrd_address(const XenPVHKernel *kernel, uint64_t size)
{
    X86MachineState *x86ms = X86_MACHINE(current_machine);
    uint64_t ends[] = { x86ms->below_4g_mem_size, kernel->start };
    uint64_t starts[] = { kernel->end, XEN_DENSE_ACPI_END };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(ends); i++) {
        if (size <= ends[i]) {
            uint64_t address = ROUND_DOWN(ends[i] - size, TARGET_PAGE_SIZE);

            if (address >= starts[i]) {
                return address;
            }
        }
    }
    return 0;
}

static bool load_initrd(const XenPVHKernel *kernel,
                        struct hvm_modlist_entry *module, Error **errp)
{
    g_autoptr(GMappedFile) file = map_file("initrd", guest.initrd, errp);

    if (!file) {
        return false;
    }
    module->size = g_mapped_file_get_length(file);
    module->paddr = initrd_address(kernel, module->size);
    if (!module->paddr) {
        error_setg(errp, "-initrd %s: it does not fit in the guest's memory "
                   "beside the kernel: give more by -m", guest.initrd);
        return false;
    }
    write_ram(module->paddr, g_mapped_file_get_contents(file),
              module->size);
    return true;
}

static void write_start_info(const struct hvm_modlist_entry *module)
{
    g_autoptr(GByteArray) acpi = xen_dense_acpi(current_machine,
                                                XEN_DENSE_ACPI_START);
    struct e820_entry *table;
    int i, n = e820_get_table(&table);
    uint64_t at = START_INFO + sizeof(struct hvm_start_info);
    struct hvm_start_info info = {
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .nr_modules = module->size ? 1 : 0,
        .modlist_paddr = module->size ? at : 0,
        .rsdp_paddr = XEN_DENSE_ACPI_START,
        .memmap_entries = n,
    };

    write_ram(at, module, sizeof(*module));
    at += sizeof(*module);
    info.memmap_paddr = at;
    for (i = 0; i < n; i++, at += sizeof(struct hvm_memmap_table_entry)) {
        struct hvm_memmap_table_entry entry = {
            .addr = le64_to_cpu(table[i].address),
            .size = le64_to_cpu(table[i].length),
            .type = le32_to_cpu(table[i].type),
        };

        write_ram(at, &entry, sizeof(entry));
    }
    info.cmdline_paddr = at;
    write_ram(at, guest.command_line, strlen(guest.command_line) + 1);
    write_ram(START_INFO, &info, sizeof(info));
    write_ram(XEN_DENSE_ACPI_START, acpi->data, acpi->len);
}

/* Write all that the guest finds in its memory; returns its entry point, or 0. */
static uint32_t load(bool has_run, Error **errp)
{
    struct hvm_modlist_entry module = {};
    XenPVHKernel kernel;
    uint32_t entry = 0;

    if (!load_kernel(&kernel, has_run, errp)) {
        return 0;
    }
    if (!guest.initrd || load_initrd(&kernel, &module, errp)) {
        write_start_info(&module);
        entry = kernel.entry;
    }
    xen_pvh_kernel_clear(&kernel);
    return entry;
}

static void reset(void)
{
    static bool has_run;
    struct vcpu_hvm_context context = { .mode = VCPU_HVM_MODE_32B };
    struct vcpu_hvm_x86_32 *regs = &context.cpu_regs.x86_32;

    regs->eip = load(has_run, &error_fatal);
    has_run = true;
    regs->ebx = START_INFO;
    regs->cr0 = CR0_PE_MASK | CR0_ET_MASK;
    regs->cs_limit = regs->ds_limit = UINT32_MAX;
    regs->ss_limit = regs->es_limit = UINT32_MAX;
    regs->cs_ar = CODE_32;
    regs->ds_ar = regs->ss_ar = regs->es_ar = DATA_32;
    regs->tr_limit = TASK_LIMIT;
    regs->tr_ar = TASK_BUSY;
    if (xen_vcpu_boot(first_cpu, &context)) {
        error_report("the PVH guest's vCPU 0 cannot start");
        exit(1);
    }
}

static void machine_done(Notifier *notifier, void *data)
{
    /* After the vCPUs', which are there since long. */
    xen_hypercall_register_reset(reset);
}

void xen_dense_pvh_init(MachineState *ms)
{
    /* The start info, its lists and the text are in the low RAM's beginning. */
    if (strlen(ms->kernel_cmdline ?: "") >= 64 * KiB) {
        error_report("-append: the command line is longer than 64 KiB");
        exit(1);
    }
    guest.kernel = g_strdup(ms->kernel_filename);
    guest.initrd = g_strdup(ms->initrd_filename);
    guest.command_line = g_strdup(ms->kernel_cmdline ?: "");
    guest.machine_done.notify = machine_done;
    qemu_add_machine_init_done_notifier(&guest.machine_done);
}

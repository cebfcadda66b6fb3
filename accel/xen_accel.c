/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accelerator runs the Xen guest, and the machine properties xen-version
 * and xen-gnttab-max-frames.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/accel.h"
#include "qemu/config-file.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "hw/i386/apic-msidef.h"
#include "hw/boards.h"
#include "hw/xen/xen.h"
#include "hw/xen-hypercalls/balloon.h"
#include "system/system.h"

#include "machine_types.h"
#include "pv/machine.h"
#include "xen_accel.h"

#define XEN_VERSION_PROPERTY "xen-version"
#define GNTTAB_MAX_FRAMES_PROPERTY "xen-gnttab-max-frames"

const XenAccelOps *xen_accel;

/* As given; 0 if not. */
static uint32_t option_version;
static uint16_t option_gnttab_max_frames;

uint32_t xen_machine_version(void)
{
    const XenMachineType *type = xen_machine_type(OBJECT(current_machine));

    return type ? type->xen_version : option_version;
}

const char *xen_machine_evtchn_abi(void)
{
    const XenMachineType *type = xen_machine_type(OBJECT(current_machine));

    return type ? type->evtchn_abi : NULL;
}

uint16_t xen_machine_gnttab_max_frames(void)
{
    return option_gnttab_max_frames;
}

MSIMessage xen_accel_upcall_message(CPUState *cs, uint8_t vector)
{
    return (MSIMessage) {
        .address = APIC_DEFAULT_ADDRESS |
                   X86_CPU(cs)->apic_id << MSI_ADDR_DEST_ID_SHIFT,
        .data = vector | 1 << MSI_DATA_LEVEL_SHIFT,
    };
}

void xen_accel_do_queued_work(CPUState *cs)
{
    /* Work that is to run while no vCPU does would wait for this one. */
    cpu_exec_end(cs);
    process_queued_cpu_work(cs);
    cpu_exec_start(cs);
}

static void nothing(CPUState *cs, run_on_cpu_data data)
{
}

void xen_accel_await_queued_work(CPUState *cs)
{
    /* A vCPU's thread does what is asked of it in turn. */
    run_on_cpu(cs, nothing, RUN_ON_CPU_NULL);
}

void xen_accel_require(void)
{
    if (!xen_accel) {
        error_report("-machine " XEN_VERSION_PROPERTY " needs -accel tcg, or "
                     "-accel kvm on a host whose KVM has KVM_CAP_XEN_HVM");
        exit(1);
    }
}

static void get_version(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const XenMachineType *type = xen_machine_type(obj);
    uint32_t value = type ? type->xen_version : option_version;

    visit_type_uint32(v, name, &value, errp);
}

static void set_version(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const XenMachineType *type = xen_machine_type(obj);
    uint32_t value;

    if (!visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (type && value != type->xen_version) {
        error_setg(errp, XEN_VERSION_PROPERTY "=0x%x: this machine type is "
                   "0x%x: leave it out, or use -machine pc", value,
                   type->xen_version);
        return;
    }
    if (value >> 16 < 3 || value >> 16 > 0xff) {
        error_setg(errp, XEN_VERSION_PROPERTY "=0x%x: must be Xen's major and "
                   "minor version in 16 bits each, as 0x40011 for 4.17", value);
        return;
    }
    option_version = value;
    xen_mode = XEN_EMULATE;
}

static void get_gnttab_max_frames(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    uint16_t value = option_gnttab_max_frames ?: XEN_GNTTAB_MAX_FRAMES_DEFAULT;

    visit_type_uint16(v, name, &value, errp);
}

static void set_gnttab_max_frames(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    uint16_t value;

    if (!visit_type_uint16(v, name, &value, errp)) {
        return;
    }
    if (!value) {
        error_setg(errp, GNTTAB_MAX_FRAMES_PROPERTY "=0: must be from 1 to "
                   "65535");
        return;
    }
    option_gnttab_max_frames = value;
}

static bool (*create_memdev)(MachineState *ms, const char *path, Error **errp);

/* The machine's RAM is to be made now, unless the user names a back end. */
static bool create_default_memdev(MachineState *ms, const char *path,
                                  Error **errp)
{
    const XenMachineType *type = xen_machine_type(OBJECT(ms));

    /* A machine of such a type is not yet known to be a Xen guest's. */
    if ((type || xen_mode == XEN_EMULATE) && !xen_pv_machine_has_shim()) {
        xen_balloon_set_ram_size(ms);
    }
    return create_memdev(ms, path, errp);
}

/* Management software adds its user's -accel to its own; QEMU takes one of them. */
static int refuse_unused_version(void *opaque, QemuOpts *opts, Error **errp)
{
    bool *is_past_taken = opaque;
    const char *name = qemu_opt_get(opts, "accel");
    /* Not current_accel_name(): that is "KVM". */
    const char *taken = object_get_typename(OBJECT(current_accel()));
    g_autofree char *type = g_strconcat(name, ACCEL_CLASS_SUFFIX, NULL);

    if (!*is_past_taken && !g_strcmp0(type, taken)) {
        *is_past_taken = true;
    } else if (qemu_opt_get(opts, XEN_VERSION_PROPERTY)) {
        error_setg(errp, XEN_VERSION_PROPERTY " has no effect, as -accel %s is "
                   "taken: give " XEN_VERSION_PROPERTY " to -machine",
                   current_accel_name());
        return -1;
    }
    return 0;
}

static void check_accel_options(Notifier *notifier, void *data)
{
    bool is_past_taken = false;

    qemu_opts_foreach(qemu_find_opts("accel"), refuse_unused_version,
                      &is_past_taken, &error_fatal);
}

static Notifier machine_done = { .notify = check_accel_options };

void xen_accel_machine_class_init(ObjectClass *oc)
{
    MachineClass *mc = MACHINE_CLASS(oc);
    static bool has_notifier;

    if (!has_notifier) {
        qemu_add_machine_init_done_notifier(&machine_done);
        has_notifier = true;
    }
    if (mc->create_default_memdev != create_default_memdev) {
        create_memdev = mc->create_default_memdev;
        mc->create_default_memdev = create_default_memdev;
    }
    xen_pv_machine_class_init(oc);
    object_class_property_add(oc, XEN_VERSION_PROPERTY, "uint32", get_version,
                              set_version, NULL, NULL);
    object_class_property_set_description(oc, XEN_VERSION_PROPERTY,
        "Be a Xen guest's machine, of this version of Xen, as 0x40011 for "
        "4.17; with -accel tcg or kvm");

    object_class_property_add(oc, GNTTAB_MAX_FRAMES_PROPERTY, "uint16",
                              get_gnttab_max_frames, set_gnttab_max_frames,
                              NULL, NULL);
    object_class_property_set_description(oc, GNTTAB_MAX_FRAMES_PROPERTY,
        "Grant table frames that a Xen guest may have, of 512 grants each "
        "(default: 64)");
}
